import { type FindingIds, findingsOf } from "../../core/finding.ts";
import { EXIT } from "../../errors/exit-status.ts";

export const EFFECTIVE_TOKEN_FINDINGS = {
  "token.other-in-environment": ["warning", EXIT.findings],
  "token.not-as-it-is": ["warning", EXIT.findings],
  "env-file.two-tokens": ["warning", EXIT.findings],
  "env-file.stale-local": ["warning", EXIT.findings],
  "doctl.env-ignored": ["warning", EXIT.findings],
  "doctl.context-case": ["warning", EXIT.findings],
  "doctl.context-missing": ["warning", EXIT.findings],
  "doctl.other-account": ["warning", EXIT.findings],
  "doctl.no-account": ["info", EXIT.ok],
  "doctl.baked-api-url": ["warning", EXIT.findings],
  "doctl.baked-config": ["warning", EXIT.findings],
  "doctl.baked-output": ["info", EXIT.ok],
  "doctl.snap": ["warning", EXIT.findings],
  "terraform.other-token": ["error", EXIT.findings],
  "terraform.empty-token": ["error", EXIT.findings],
  "terraform.tf-var-ignored": ["warning", EXIT.findings],
} as const satisfies FindingIds;

export const finding = findingsOf(EFFECTIVE_TOKEN_FINDINGS);
