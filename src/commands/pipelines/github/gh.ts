import { toolEnvironment } from "../../../core/tool-environment.ts";
import { AppError } from "../../../errors/app-error.ts";
import { hint, run } from "../../../errors/hint.ts";
import type { Host } from "../../../host/host.ts";
import { sentence } from "../../../lib/few.ts";
import { jsonIn } from "../../../lib/json.ts";
import type { Secret } from "../../../secret/secret.ts";
import { fullName, type GithubRepo } from "./remotes.ts";

/** The user's own gh, which has their login (docs/design.md rule 13). */
export interface Gh {
  /** @throws AppError GH_FAILED if gh has no answer of GitHub. */
  api(method: "GET" | "PUT" | "POST" | "DELETE", path: string, body?: object): Promise<GhAnswer>;
  /** Stores a secret of an environment; it goes to gh on standard input. @throws AppError GH_FAILED */
  setSecret(name: string, environment: string, value: Secret): Promise<void>;
}

export interface GhAnswer {
  readonly status: number;
  readonly body: unknown;
}

type GhHost = Pick<Host, "run" | "env" | "home">;

const TIME_LIMIT_MS = 30_000;
/** gh's own settings: where its login is, and tokens that replace it. */
const OF_GH =
  /^(GH_TOKEN|GITHUB_TOKEN|GH_ENTERPRISE_TOKEN|GITHUB_ENTERPRISE_TOKEN|GH_CONFIG_DIR|GH_HOST)$/;

/** @param file gh's absolute path. */
export function openGh(host: GhHost, file: string, repo: GithubRepo): Gh {
  const own = Object.entries(host.env).filter(([name]) => OF_GH.test(name));
  const given = { GH_PROMPT_DISABLED: "1", GH_NO_UPDATE_NOTIFIER: "1", NO_COLOR: "1" };
  const env = toolEnvironment(host.env, { ...Object.fromEntries(own), ...given });
  const call = { file, env, timeoutMs: TIME_LIMIT_MS, cwd: host.home ?? "/" };

  return {
    async api(method, path, body) {
      const input = body === undefined ? [] : ["--input", "-"];
      const args = ["api", "-i", "--hostname", repo.host, "--method", method, ...input, path];
      const { stdout, stderr } = await host.run({
        ...{ ...call, args },
        ...(body === undefined ? {} : { input: JSON.stringify(body) }),
      });
      const [head = "", ...rest] = stdout.split(/\r?\n\r?\n/);
      const [, status] = /^HTTP\/\S+ (\d{3})/.exec(head) ?? [];
      if (status === undefined) throw failed(repo, stderr);
      return { status: Number(status), body: jsonIn(rest.join("\n\n")) };
    },
    async setSecret(name, environment, value) {
      const where = ["--env", environment, "--repo", fullName(repo)];
      const { exitCode, stderr } = await host.run({
        ...{ ...call, args: ["secret", "set", name, ...where], input: value.reveal() },
        // Ctrl-C must not end it between GitHub's key and the write.
        isSteady: true,
      });
      if (exitCode !== 0) throw failed(repo, stderr);
    },
  };
}

function failed({ host }: GithubRepo, stderr: string): AppError {
  const lines = stderr.split("\n").filter((each) => each.trim() !== "");
  // The first line may be a heading: "1 error occurred:".
  const line = lines.find((each) => !/:\s*$/.test(each)) ?? "no answer";
  if (/gh auth login|HTTP 401|authentication/i.test(stderr)) return notLoggedIn(host);
  return new AppError("GH_FAILED", sentence(`gh failed: ${line.replace(/^[\s*]+/, "").trim()}`), {
    hint: hint`Check it: ${run("gh", "auth", "status", "--hostname", host)}`,
  });
}

export function notLoggedIn(host: string): AppError {
  return new AppError("GH_FAILED", `gh is not logged in to ${host}.`, {
    hint: hint`${run("gh", "auth", "login", "--hostname", host)}`,
  });
}
