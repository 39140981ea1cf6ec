import { type FindingIds, findingsOf } from "../../core/finding.ts";
import { EXIT } from "../../errors/exit-status.ts";

export const GIT_FINDINGS = {
  "git.not-ignored": ["error", EXIT.findings],
  "git.none": ["info", EXIT.ok],
} as const satisfies FindingIds;

export const finding = findingsOf(GIT_FINDINGS);
