import { toolEnvironment } from "../../core/tool-environment.ts";
import type { Host } from "../../host/host.ts";
import type { Secret } from "../../secret/secret.ts";
import type { ApiHosts } from "../token/hosts.ts";

/**
 * A doctl whose words we do not know is waited for until it has written its config
 * (docs/contracts/doctl.md 3.1).
 */
const TIME_LIMIT_MS = 120_000;

export type AuthInit =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused" }
  /** doctl could not tell; our own inspection decides. */
  | { readonly kind: "unsure"; readonly why: string };

/**
 * `doctl auth init` on a private config: doctl itself says whether it accepts the token, and its
 * writer, which truncates first and takes seconds, stays away from the user's file
 * (docs/design.md rule 6).
 *
 * @param folder doctl's own config folder, as a snap can read nowhere else
 * (docs/contracts/doctl.md 3.14).
 * @param asFlag the token on argv, as the documented command has it; only on the user's word.
 */
export async function authInit(
  { files, run, env }: Pick<Host, "files" | "run" | "env">,
  call: { doctl: string; folder: string; hosts: ApiHosts; token: Secret; asFlag: boolean },
): Promise<AuthInit> {
  const { doctl, folder, hosts, token, asFlag } = call;
  const answer = await files.withDoctlFile(folder, async (config): Promise<AuthInit> => {
    const result = await run({
      file: doctl,
      args: [
        ...["auth", "init", "--config", config, "--context", "default"],
        // With 0, doctl sends the token along on a redirect to another host
        // (docs/contracts/doctl.md 2.3).
        ...["--http-retry-max", "1"],
        ...(hosts.redirected ? ["--token-validation-server", hosts.oauth.origin] : []),
        ...(asFlag ? ["--access-token", token.reveal()] : []),
      ],
      env: toolEnvironment(env, asFlag ? {} : { DIGITALOCEAN_ACCESS_TOKEN: token.reveal() }),
      // A version manager's shim would obey what the repo brings.
      cwd: "/",
      timeoutMs: TIME_LIMIT_MS,
      // Its mark up to 1.x, and since 2.0 (docs/contracts/doctl-2.md 1.4).
      stopWhen: (stdout) => /[✔✓]/.test(stdout),
    });
    if (result.end === "stopped" || result.exitCode === 0) return { kind: "accepted" };
    const status = /: (\d{3})(?: \(request| )/.exec(result.stderr + result.stdout)?.[1];
    if (status === "401") return { kind: "refused" };
    return { kind: "unsure", why: status === undefined ? reasonOf(result.end) : `HTTP ${status}` };
  });
  return answer ?? { kind: "unsure", why: "other users can write to its config folder" };
}

function reasonOf(end: string): string {
  return (
    {
      "timed-out": `no answer in ${TIME_LIMIT_MS / 1000} s`,
      signalled: "a signal ended it",
      "not-started": "it could not be started",
    }[end] ?? "it could not reach its server"
  );
}
