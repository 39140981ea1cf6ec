import { type FindingIds, findingsOf } from "../../core/finding.ts";
import { EXIT } from "../../errors/exit-status.ts";
import { GIT_FINDINGS } from "../git/findings.ts";

export const ENV_FILE_FINDINGS = {
  "env-file.unusable": ["error", EXIT.findings],
  "env-file.tracked": ["error", EXIT.findings],
  "env-file.committed": ["info", EXIT.ok],
  "env-file.incomplete": ["info", EXIT.ok],
  "env-file.no-name": ["warning", EXIT.findings],
  "env-file.not-passed": ["info", EXIT.ok],
  "git.example-ignored": ["info", EXIT.ok],
  "file.not-ours": ["warning", EXIT.findings],
} as const satisfies FindingIds;

export const finding = findingsOf({ ...GIT_FINDINGS, ...ENV_FILE_FINDINGS });
