import { ENV_FILE_FINDINGS } from "../../concerns/env-file/findings.ts";
import { findingsOf } from "../../core/finding.ts";

export const finding = findingsOf(ENV_FILE_FINDINGS);
