import { type FindingIds, findingsOf } from "../../../core/finding.ts";
import { EXIT } from "../../../errors/exit-status.ts";

export const CLOUD_FINDINGS = {
  "cloud.upload": ["error", EXIT.findings],
  "cloud.values": ["warning", EXIT.findings],
  "cloud.variables": ["info", EXIT.ok],
} as const satisfies FindingIds;

export const finding = findingsOf(CLOUD_FINDINGS);
