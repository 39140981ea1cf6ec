import { CREDENTIAL_FINDINGS } from "../commands/credentials/findings.ts";
import { HOOK_FINDINGS } from "../commands/hook/findings.ts";
import { INIT_FINDINGS } from "../commands/init/findings.ts";
import { LEAK_FINDINGS } from "../commands/leaks/findings.ts";
import { PIPELINE_FINDINGS } from "../commands/pipelines/findings.ts";
import { SCOPES_FINDINGS } from "../commands/scopes/findings.ts";
import { DOCTL_FINDINGS } from "../concerns/doctl/findings.ts";
import { EFFECTIVE_TOKEN_FINDINGS } from "../concerns/effective-token/findings.ts";
import { ENV_FILE_FINDINGS } from "../concerns/env-file/findings.ts";
import { GIT_FINDINGS } from "../concerns/git/findings.ts";
import { SPACES_FINDINGS } from "../concerns/spaces/findings.ts";
import { BACKEND_FINDINGS } from "../concerns/terraform/backend/findings.ts";
import { CLOUD_FINDINGS } from "../concerns/terraform/cloud/findings.ts";
import { TERRAFORM_FINDINGS } from "../concerns/terraform/findings.ts";
import { SEARCH_FINDINGS } from "../concerns/terraform/search/findings.ts";
import { TOKEN_FINDINGS } from "../concerns/token/findings.ts";
import { FILE_FINDINGS } from "../core/findings.ts";

/** Every finding that can be reported. */
export const FINDINGS = {
  ...FILE_FINDINGS,
  ...TOKEN_FINDINGS,
  ...GIT_FINDINGS,
  ...ENV_FILE_FINDINGS,
  ...SPACES_FINDINGS,
  ...BACKEND_FINDINGS,
  ...CLOUD_FINDINGS,
  ...TERRAFORM_FINDINGS,
  ...SEARCH_FINDINGS,
  ...DOCTL_FINDINGS,
  ...EFFECTIVE_TOKEN_FINDINGS,
  ...INIT_FINDINGS,
  ...HOOK_FINDINGS,
  ...PIPELINE_FINDINGS,
  ...LEAK_FINDINGS,
  ...SCOPES_FINDINGS,
  ...CREDENTIAL_FINDINGS,
};

export type FindingId = keyof typeof FINDINGS;

export const FINDING_IDS: ReadonlySet<string> = new Set(Object.keys(FINDINGS));
