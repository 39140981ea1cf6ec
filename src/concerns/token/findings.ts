import { type FindingIds, findingsOf } from "../../core/finding.ts";
import { EXIT } from "../../errors/exit-status.ts";

export const TOKEN_FINDINGS = {
  "token.missing": ["error", EXIT.token],
  "token.malformed": ["error", EXIT.token],
  "token.command-untrusted": ["error", EXIT.token],
  "token.command-failed": ["error", EXIT.token],
  "token.login-missing": ["error", EXIT.token],
  "token.login-ended": ["error", EXIT.token],
  "token.login-unsure": ["error", EXIT.network],
  "token.conflict": ["error", EXIT.token],
  "token.refused": ["error", EXIT.token],
  "token.wrong-team": ["error", EXIT.token],
  "token.team-unknown": ["error", EXIT.scope],
  "token.expires-soon": ["error", EXIT.expiry],
  "token.unverified": ["error", EXIT.network],
  "token.partly-verified": ["warning", EXIT.findings],
  "token.of-session": ["warning", EXIT.findings],
  "token.session-in-ci": ["error", EXIT.token],
  "token.shadowed": ["warning", EXIT.findings],
  "token.shadows-another": ["warning", EXIT.findings],
  "token.lacks-scopes": ["error", EXIT.scope],
  "token.excess-unknown": ["info", EXIT.ok],
  "token.more-than-needed": ["warning", EXIT.findings],
  "proxy.no-scheme": ["info", EXIT.ok],
  "proxy.raw-password": ["warning", EXIT.findings],
  "proxy.all-proxy": ["warning", EXIT.findings],
  "proxy.unusable": ["warning", EXIT.findings],
} as const satisfies FindingIds;

export const finding = findingsOf(TOKEN_FINDINGS);
