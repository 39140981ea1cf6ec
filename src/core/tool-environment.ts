import type { Environment } from "../host/host.ts";
import { type ChildEnvironment, childEnvironment } from "../secret/child-environment.ts";

// What a tool needs to find its files, language, network and trust store, and what a version manager needs to find its
// releases.
const PASSED_ON =
  /^(PATH|PATHEXT|HOME|USER|LOGNAME|USERPROFILE|APPDATA|LOCALAPPDATA|SYSTEMROOT|COMSPEC|TMPDIR|TMP|TEMP|LANG|LC_\w+|XDG_\w+|SNAP\w*|SSL_CERT_(FILE|DIR)|(HTTPS?|ALL|NO)_PROXY|GIT_CONFIG\w*|GIT_CEILING_DIRECTORIES|(ASDF|TFENV|TOFUENV|TENV|MISE)_(?!\w*(TOKEN|KEY|PASSWORD|SECRET))\w+|NODE_EXTRA_CA_CERTS)$/i;

/**
 * The environment of a tool that we ask something. It gets no token of the user, and no setting that would change the
 * answer, unless `given` contains it.
 */
export function toolEnvironment(env: Environment, given: Environment = {}): ChildEnvironment {
  return childEnvironment(env, { may: (name) => PASSED_ON.test(name), given });
}
