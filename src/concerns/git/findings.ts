import { type FindingIds, findingsOf } from "../../core/finding.ts";
import { EXIT } from "../../errors/exit-status.ts";

export const GIT_FINDINGS = {
  "git.not-ignored": ["error", EXIT.findings],
  "git.rules-ignored": ["info", EXIT.ok],
  "git.none": ["info", EXIT.ok],
} as const satisfies FindingIds;

export const finding = findingsOf(GIT_FINDINGS);
