import { TERRAFORM_FINDINGS } from "../../concerns/terraform/findings.ts";
import { type FindingIds, findingsOf } from "../../core/finding.ts";
import { EXIT } from "../../errors/exit-status.ts";

export const SCOPES_FINDINGS = {
  "terraform.unseen-module": ["warning", EXIT.findings],
  "terraform.unknown-type": ["warning", EXIT.findings],
} as const satisfies FindingIds;

export const finding = findingsOf({ ...TERRAFORM_FINDINGS, ...SCOPES_FINDINGS });
