import { EXIT } from "../errors/exit-status.ts";
import { type FindingIds, findingsOf } from "./finding.ts";

export const FILE_FINDINGS = {
  "file.not-writable": ["error", EXIT.findings],
  "file.in-git": ["error", EXIT.findings],
  "file.outside": ["error", EXIT.findings],
  "file.not-checked-out": ["error", EXIT.findings],
  "file.unusable": ["error", EXIT.findings],
  "terraform.edited": ["info", EXIT.ok],
} as const satisfies FindingIds;

export const finding = findingsOf(FILE_FINDINGS);
