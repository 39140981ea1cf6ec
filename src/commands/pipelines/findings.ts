import { type FindingIds, findingsOf } from "../../core/finding.ts";
import { EXIT } from "../../errors/exit-status.ts";

export const PIPELINE_FINDINGS = {
  "ci.unnamed-root": ["error", EXIT.findings],
  "ci.local-state": ["error", EXIT.findings],
  "ci.other-backend": ["warning", EXIT.findings],
  "ci.two-stores": ["error", EXIT.findings],
  "ci.too-many-jobs": ["error", EXIT.findings],
  "ci.cloud": ["error", EXIT.findings],
  "ci.tool-version": ["error", EXIT.findings],
  "ci.version-file": ["warning", EXIT.findings],
  "ci.not-ours": ["error", EXIT.findings],
  "ci.no-lock-file": ["warning", EXIT.findings],
  "ci.no-package": ["warning", EXIT.findings],
  "ci.edited": ["info", EXIT.ok],
  "ci.no-branch": ["error", EXIT.findings],
  "ci.branch-unknown": ["warning", EXIT.findings],
  "ci.ignored": ["error", EXIT.findings],
  "ci.no-code": ["error", EXIT.findings],
  "ci.lock-file": ["warning", EXIT.findings],
  "ci.partial-backend": ["warning", EXIT.findings],
  "ci.no-value": ["warning", EXIT.findings],
  "ci.format": ["warning", EXIT.findings],
  "ci.to-do": ["info", EXIT.ok],
  "ci.no-gh": ["error", EXIT.findings],
  "ci.no-repo": ["error", EXIT.findings],
  "ci.wrong-repo": ["error", EXIT.findings],
  "ci.token": ["error", EXIT.token],
  "ci.open-environment": ["error", EXIT.findings],
  "ci.no-reviewers": ["warning", EXIT.findings],
  "ci.not-applied": ["error", EXIT.findings],
} as const satisfies FindingIds;

export const finding = findingsOf(PIPELINE_FINDINGS);
