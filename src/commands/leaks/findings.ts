import { type FindingIds, findingsOf } from "../../core/finding.ts";
import { EXIT } from "../../errors/exit-status.ts";

export const LEAK_FINDINGS = {
  "leak.in-history": ["error", EXIT.findings],
  "leak.in-work-tree": ["error", EXIT.findings],
  "leak.token-file": ["warning", EXIT.findings],
  "leak.in-state": ["error", EXIT.findings],
  "leak.in-image": ["error", EXIT.findings],
  "leak.in-package": ["error", EXIT.findings],
  "leak.in-ignored-file": ["warning", EXIT.findings],
  "leak.not-searched": ["warning", EXIT.findings],
  "leak.unverified": ["warning", EXIT.findings],
  "leak.dead": ["info", EXIT.ok],
} as const satisfies FindingIds;

export const finding = findingsOf(LEAK_FINDINGS);
