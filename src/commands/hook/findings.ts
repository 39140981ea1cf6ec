import { type FindingIds, findingsOf } from "../../core/finding.ts";
import { EXIT } from "../../errors/exit-status.ts";

export const HOOK_FINDINGS = {
  "hook.foreign": ["error", EXIT.findings],
  "hook.edited": ["warning", EXIT.findings],
  "hook.not-covered": ["warning", EXIT.findings],
  "hook.by-hand": ["warning", EXIT.findings],
} as const satisfies FindingIds;

export const finding = findingsOf(HOOK_FINDINGS);
