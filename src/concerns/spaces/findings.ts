import { type FindingIds, findingsOf } from "../../core/finding.ts";
import { EXIT } from "../../errors/exit-status.ts";

export const SPACES_FINDINGS = {
  "spaces.has-keys": ["warning", EXIT.findings],
  "spaces.half-key": ["error", EXIT.findings],
  "spaces.in-ci": ["error", EXIT.usage],
  "spaces.lacks-scopes": ["error", EXIT.scope],
  "spaces.no-backend": ["error", EXIT.usage],
  "spaces.no-key": ["error", EXIT.findings],
  "spaces.not-deleted": ["warning", EXIT.findings],
  "spaces.tracked": ["error", EXIT.findings],
  "spaces.unfinished": ["warning", EXIT.findings],
  "spaces.unversioned": ["warning", EXIT.findings],
} as const satisfies FindingIds;

export const finding = findingsOf(SPACES_FINDINGS);
