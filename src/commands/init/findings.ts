import { type FindingIds, findingsOf } from "../../core/finding.ts";
import { EXIT } from "../../errors/exit-status.ts";

export const INIT_FINDINGS = {
  "terraform.missing": ["info", EXIT.ok],
  "terraform.not-run": ["info", EXIT.ok],
  "terraform.failed": ["warning", EXIT.findings],
  "tool.in-repo": ["warning", EXIT.findings],
  "environment.one-token": ["warning", EXIT.findings],
  "config.proposed": ["info", EXIT.ok],
  "config.no-login": ["warning", EXIT.findings],
  "config.exists": ["info", EXIT.ok],
} as const satisfies FindingIds;

export const finding = findingsOf(INIT_FINDINGS);
