import { type FindingIds, findingsOf } from "../../core/finding.ts";
import { FILE_FINDINGS } from "../../core/findings.ts";
import { EXIT } from "../../errors/exit-status.ts";
import { BACKEND_FINDINGS } from "./backend/findings.ts";

export const TERRAFORM_FINDINGS = {
  "spaces.no-keys": ["warning", EXIT.findings],
  "spaces.other-host": ["warning", EXIT.findings],
  "terraform.broken": ["warning", EXIT.findings],
  "terraform.hard-coded-token": ["error", EXIT.findings],
  "terraform.committed-token": ["error", EXIT.findings],
  "terraform.cloud-tfvars": ["error", EXIT.usage],
  "terraform.mirror": ["info", EXIT.ok],
  "terraform.no-source": ["warning", EXIT.findings],
  "terraform.not-ephemeral": ["warning", EXIT.findings],
  "terraform.not-followed": ["info", EXIT.ok],
  "terraform.other-host": ["error", EXIT.findings],
  "terraform.other-variable": ["info", EXIT.ok],
  "terraform.token-in-git": ["warning", EXIT.findings],
  "terraform.outside": ["error", EXIT.findings],
  "terraform.undeclared": ["warning", EXIT.findings],
  "terraform.variable-unset": ["error", EXIT.findings],
  "terraform.secret-tracked": ["error", EXIT.findings],
  "terraform.state-tracked": ["warning", EXIT.findings],
  "terraform.stale-secret": ["error", EXIT.findings],
  "terraform.called-module": ["warning", EXIT.findings],
  "terraform.values-ignored": ["warning", EXIT.findings],
  "terraform.by-hand": ["info", EXIT.ok],
  "terraform.tool-unsaid": ["warning", EXIT.findings],
  "terraform.tool-version": ["warning", EXIT.findings],
  "terraform.environment": ["warning", EXIT.findings],
} as const satisfies FindingIds;

export const finding = findingsOf({ ...FILE_FINDINGS, ...BACKEND_FINDINGS, ...TERRAFORM_FINDINGS });
