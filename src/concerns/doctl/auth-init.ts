import { toolEnvironment } from "../../core/tool-environment.ts";
import type { Host } from "../../host/host.ts";
import type { Secret } from "../../secret/secret.ts";
import type { ApiHosts } from "../token/hosts.ts";

/** If we don't recognize doctl's output, we wait until it has written its config (docs/contracts/doctl.md 3.1). */
const TIME_LIMIT_MS = 120_000;

export type AuthInit =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused" }
  /** doctl could not check the token; our own inspection decides. */
  | { readonly kind: "unsure"; readonly why: string };

/**
 * Runs `doctl auth init` on a private config: doctl itself says whether it accepts the token. Its writer truncates the
 * file first and takes seconds, so it must not touch the user's config (docs/design.md rule 6).
 *
 * @param folder doctl's own config folder: a snap cannot read any other (docs/contracts/doctl.md 3.14).
 * @param asFlag pass the token on argv, as in doctl's documentation; only if the user asks for it.
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
        // With 0, doctl sends the token to another host if it is redirected (docs/contracts/doctl.md 2.3).
        ...["--http-retry-max", "1"],
        ...(hosts.redirected ? ["--token-validation-server", hosts.oauth.origin] : []),
        ...(asFlag ? ["--access-token", token.reveal()] : []),
      ],
      env: toolEnvironment(env, asFlag ? {} : { DIGITALOCEAN_ACCESS_TOKEN: token.reveal() }),
      // A version manager's shim would read the repo's settings.
      cwd: "/",
      timeoutMs: TIME_LIMIT_MS,
      // The success mark of 1.x, and the one of 2.0 and later (docs/contracts/doctl-2.md 1.4).
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
      signalled: "it was killed by a signal",
      "not-started": "it could not be started",
    }[end] ?? "it could not reach its server"
  );
}
