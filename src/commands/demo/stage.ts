import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, isAbsolute, join, relative } from "node:path";
import { findGitFolder } from "../../concerns/git/git.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import type { Environment, Host, ToolResult } from "../../host/host.ts";
import { isInside } from "../../lib/paths.ts";
import { type ChildEnvironment, childEnvironment } from "../../secret/child-environment.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";

const TIME_LIMIT_MS = 180_000;

/** An isolated environment: a repo with some Terraform code, a HOME, and an API that knows its tokens. */
export interface Stage {
  /** Runs this program in the repo. */
  readonly bootstrap: (args: readonly string[], input?: string) => Promise<ToolResult>;
  /** Runs git in the repo. Absent if git is not on PATH. */
  readonly git: ((...args: string[]) => Promise<ToolResult>) | undefined;
  readonly write: (name: string, text: string) => Promise<undefined>;
  readonly read: (name: string) => Promise<ToolResult>;
  readonly remove: (name: string) => Promise<undefined>;
  /** Creates a token that the API accepts, with exactly the scopes that the code needs now. */
  readonly newToken: (days: number) => Promise<string>;
  /** The tokens created so far. */
  readonly tokens: readonly string[];
  /** The files in the repo and in HOME that contain a text. */
  readonly filesWith: (text: string) => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

const START: Readonly<Record<string, string>> = {
  // terraform init would download the provider.
  "do-bootstrap.config.yaml": "terraform: { init: false }\n",
  "main.tf": `resource "digitalocean_droplet" "web" {
  name   = "web"
  region = "nyc3"
  size   = "s-1vcpu-1gb"
  image  = "debian-13-x64"
}
`,
};

/** @param folder empty, and accessible only to the user. */
export async function openStage(
  host: Host,
  folder: string,
  { isColored }: { readonly isColored: boolean },
): Promise<Stage> {
  const sandbox = await startSandbox();
  try {
    return await stageIn(host, folder, sandbox, isColored ? ["--color"] : []);
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

async function stageIn(
  host: Host,
  folder: string,
  sandbox: Sandbox,
  style: readonly string[],
): Promise<Stage> {
  const home = join(folder, "home");
  const repo = join(folder, "shop");
  await Promise.all([home, repo].map((each) => mkdir(each)));
  for (const [name, text] of Object.entries(START)) await writeFile(join(repo, name), text);

  // The user's current folder may be in somebody else's repo, whose tools are not run (docs/design.md rule 7).
  const around = (await findGitFolder(host, host.cwd)) ?? host.cwd;
  // A repo that contains HOME does not count: most people's tools are in HOME.
  const here = host.home !== undefined && isInside(host.home, around) ? repo : around;
  const env = isolated({ ...host.env, PATH: await pathOutside(host, here) }, home, sandbox);
  const run = (file: string, args: readonly string[], input?: string) => {
    const call = { file, args, env, cwd: repo, timeoutMs: TIME_LIMIT_MS };
    return host.run(input === undefined ? call : { ...call, input });
  };
  const [program, ...first] = host.ownCommand;
  const { path: gitPath } = await host.which("git", here);
  const git = gitPath === undefined ? undefined : (...args: string[]) => run(gitPath, args);
  for (const args of git ? FIRST_COMMIT : []) {
    const result = await git?.(...args);
    if (result?.exitCode !== 0) throw failed(`git ${args.join(" ")}`, result);
  }

  const tokens: string[] = [];
  return {
    git,
    tokens,
    bootstrap: (args, input) => run(program, [...first, ...args, ...style], input),
    write: async (name, text) => void (await writeFile(join(repo, name), text)),
    async read(name) {
      const stdout = await readFile(join(repo, name), "utf8");
      return { end: "exited", exitCode: 0, stdout, stderr: "" };
    },
    remove: async (name) => void (await rm(join(repo, name))),
    async newToken(days) {
      const needed = await run(program, [...first, "scopes", "--json"]);
      // Status 5: the token lacks some of the scopes.
      if (needed.exitCode !== 0 && needed.exitCode !== 5) throw failed("scopes --json", needed);
      const { scopes } = JSON.parse(needed.stdout);
      const token = randomToken();
      sandbox.accept(token, {
        expiresInSeconds: days * 86_400,
        scopes: ["account:read", ...scopes],
      });
      tokens.push(token);
      return token;
    },
    async filesWith(text) {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile());
      const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
      const texts = await Promise.all(paths.map((path) => readFile(path, "latin1")));
      return paths
        .filter((_, at) => texts[at]?.includes(text))
        .map((path) => (isInside(path, repo) ? relative(repo, path) : `~/${relative(home, path)}`));
    },
    close: () => sandbox.close(),
  };
}

const FIRST_COMMIT = [
  ["init", "--quiet"],
  ["add", "--all"],
  ["commit", "--quiet", "--message", "Start"],
];

export function randomToken(): string {
  return `dop_v1_${randomBytes(32).toString("hex")}`;
}

/** @param result undefined if nothing was run. */
export function failed(what: string, result?: ToolResult): AppError {
  const why = result === undefined ? "" : `: ${result.exitCode ?? result.end}`;
  return new AppError("DEMO_FAILED", `${what}${why}`, {
    hint: hint`Please report this with the output above.`,
  });
}

async function pathOutside({ env, files }: Host, repo: string): Promise<string> {
  const folders = (env["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  const real = await Promise.all(folders.map((folder) => files.realpath(folder)));
  return folders.filter((_, i) => !isInside(real[i] ?? "", repo)).join(delimiter);
}

/** Only PATH and similar variables come from the user: no token, login, proxy or tool config. */
function isolated(env: Environment, home: string, sandbox: Sandbox): ChildEnvironment {
  const kept = ["PATH", "PATHEXT", "SYSTEMROOT", "COMSPEC", "TMPDIR", "TEMP", "TMP", "LANG"];
  const person = { NAME: "Sammy", EMAIL: "sammy@example.com" };
  const given = {
    HOME: home,
    USERPROFILE: home,
    APPDATA: home,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: person.NAME,
    GIT_AUTHOR_EMAIL: person.EMAIL,
    GIT_COMMITTER_NAME: person.NAME,
    GIT_COMMITTER_EMAIL: person.EMAIL,
    CHECKPOINT_DISABLE: "1",
    DIGITALOCEAN_API_URL: sandbox.url,
    DO_BOOTSTRAP_OAUTH_URL: sandbox.url,
    // An unused port as proxy, so that doctl and terraform cannot reach the internet.
    HTTPS_PROXY: "http://127.0.0.1:9",
  };
  return childEnvironment(env, { may: (name) => kept.includes(name.toUpperCase()), given });
}
