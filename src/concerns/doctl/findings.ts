import { type FindingIds, findingsOf } from "../../core/finding.ts";
import { EXIT } from "../../errors/exit-status.ts";

export const DOCTL_FINDINGS = {
  "doctl.missing": ["info", EXIT.ok],
  "doctl.not-in-ci": ["info", EXIT.ok],
  "doctl.no-config-folder": ["warning", EXIT.findings],
  "doctl.config-broken": ["error", EXIT.findings],
  "doctl.in-git": ["error", EXIT.findings],
  "doctl.readable": ["warning", EXIT.findings],
  "doctl.other-login": ["error", EXIT.findings],
  "doctl.session-left": ["warning", EXIT.findings],
  "doctl.same-team-login": ["warning", EXIT.findings],
} as const satisfies FindingIds;

export const finding = findingsOf(DOCTL_FINDINGS);
