import { type FindingIds, findingsOf } from "../../../core/finding.ts";
import { EXIT } from "../../../errors/exit-status.ts";

export const SEARCH_FINDINGS = {
  "terraform.several-roots": ["error", EXIT.findings],
  "terraform.misspelt-dir": ["error", EXIT.usage],
  "terraform.other-roots": ["info", EXIT.ok],
  "terraform.no-root": ["info", EXIT.ok],
  "terraform.unnamed-roots": ["warning", EXIT.findings],
  "terraform.terragrunt": ["info", EXIT.ok],
  "terraform.stack": ["info", EXIT.ok],
  "terraform.not-here": ["info", EXIT.ok],
} as const satisfies FindingIds;

export const finding = findingsOf(SEARCH_FINDINGS);
