import { TOKEN_FINDINGS } from "../../concerns/token/findings.ts";
import { type FindingIds, findingsOf } from "../../core/finding.ts";
import { FILE_FINDINGS } from "../../core/findings.ts";
import { EXIT } from "../../errors/exit-status.ts";

export const CREDENTIAL_FINDINGS = {
  "token.expires-sooner": ["error", EXIT.expiry],
  "token.unchanged": ["info", EXIT.ok],
  "token.not-stored": ["error", EXIT.findings],
  "token.left-behind": ["warning", EXIT.findings],
  "token.not-searched": ["warning", EXIT.findings],
  "token.unreached": ["info", EXIT.ok],
  "token.still-valid": ["info", EXIT.ok],
  "token.not-revoked": ["warning", EXIT.findings],
  "environment.no-token": ["info", EXIT.ok],
  "environment.skipped": ["warning", EXIT.findings],
  "environment.token-left": ["error", EXIT.findings],
  "spaces.left": ["info", EXIT.ok],
  "file.kept": ["info", EXIT.ok],
} as const satisfies FindingIds;

export const finding = findingsOf({ ...FILE_FINDINGS, ...TOKEN_FINDINGS, ...CREDENTIAL_FINDINGS });
