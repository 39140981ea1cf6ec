import { randomBytes } from "node:crypto";
import { cp, mkdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { findGitFolder } from "../../concerns/git/git.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import type { Environment, Host, ToolResult } from "../../host/host.ts";
import { withOwnFolder } from "../../host/private-folder.ts";
import { isInside } from "../../lib/paths.ts";
import { type ChildEnvironment, childEnvironment } from "../../secret/child-environment.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";

const TIME_LIMIT_MS = 180_000;

/**
 * Runs the whole job in a temporary repo against the sandbox: nothing of the user's is read or
 * written, and nothing leaves this machine.
 *
 * @throws AppError DEMO_FAILED; WRITE_FAILED where others can exchange what is in TMPDIR.
 */
export async function runDemo(host: Host, say: (text: string) => void): Promise<void> {
  await withOwnFolder(tmpdir(), async (folder) => {
    const sandbox = await startSandbox();
    await tellTheStory(host, say, folder, sandbox).finally(() => sandbox.close());
  });
}

async function tellTheStory(
  host: Host,
  say: (text: string) => void,
  folder: string,
  sandbox: Sandbox,
): Promise<void> {
  const token = `dop_v1_${randomBytes(32).toString("hex")}`;
  const home = join(folder, "home");
  const repo = join(folder, "droplet");
  await mkdir(home);
  await cp(join(host.packageFolder, "examples", "droplet"), repo, { recursive: true });

  // The folder the user stands in is somebody's repo, and a repo is data (docs/design.md rule 7).
  const around = (await findGitFolder(host, host.cwd)) ?? host.cwd;
  // A home is no repo: most people's tools are in it.
  const here = host.home !== undefined && isInside(host.home, around) ? repo : around;
  const env = isolated({ ...host.env, PATH: await pathOutside(host, here) }, home, sandbox);
  const program = join(host.packageFolder, "dist", "bin.cjs");
  const bootstrap = (args: string[], input?: string) =>
    run(process.execPath, [program, ...args], input);
  const tools = {
    git: (await host.which("git", here)).path,
    doctl: (await host.which("doctl", here)).path,
    terraform: (await host.which("terraform", here)).path,
  };

  say(
    "This is a temporary repo, an API on loopback and a random token that it accepts.\nYour own files, logins and tokens are not touched.\n",
  );
  if (tools.git !== undefined) expectSuccess("git init", await run(tools.git, ["init", "--quiet"]));
  else skip("git", "the repo is a plain folder");

  const needed = await bootstrap(["scopes", "--json"]);
  expectSuccess("do-bootstrap scopes", needed);
  const { scopes } = JSON.parse(needed.stdout);
  // No more than the code needs, and what doctl asks for.
  sandbox.accept(token, { expiresInSeconds: 30 * 86_400, scopes: ["account:read", ...scopes] });

  await show(
    "op read op://Infra/DigitalOcean/token | do-bootstrap --token-stdin",
    bootstrap(["--token-stdin"], `${token}\n`),
  );
  await show("cat .env.example .gitignore", shownFiles([".env.example", ".gitignore"]));
  await show("do-bootstrap", bootstrap([]));
  await show("do-bootstrap check", bootstrap(["check"]));

  if (tools.doctl === undefined) skip("doctl", "its context was not written");
  else await show("doctl account get", run(tools.doctl, ["account", "get"]));
  if (tools.terraform === undefined) skip("terraform", "the files in infra/ were not tried");
  else {
    const check = ["-chdir=infra", "fmt", "-check", "-diff"];
    await show(`terraform ${check.join(" ")}`, run(tools.terraform, check));
    say("\nterraform init would download the provider, so the demo ends before it.\n");
  }
  await assertOnlyWhereItBelongs();
  const places = [".env", "infra/do-bootstrap.secret.auto.tfvars.json"];
  if (tools.doctl !== undefined) places.push("the doctl config of the temporary home");
  say(
    `\nThe token is in ${places.join(",\nin ")}:\neach of them 0600, and out of git. Nowhere else.\n`,
  );

  function run(file: string, args: readonly string[], input?: string): Promise<ToolResult> {
    const call = { file, args, env, cwd: repo, timeoutMs: TIME_LIMIT_MS };
    return host.run(input === undefined ? call : { ...call, input });
  }

  async function show(title: string, running: Promise<ToolResult>): Promise<void> {
    const result = await running;
    const output = `${result.stdout}${result.stderr}`.trimEnd();
    say(`\n$ ${title}\n${output === "" ? "" : `${output}\n`}`);
    expectSuccess(title, result);
  }

  async function shownFiles(names: readonly string[]): Promise<ToolResult> {
    const texts = await Promise.all(names.map((name) => readFile(join(repo, name), "utf8")));
    return { end: "exited", exitCode: 0, stdout: texts.join("\n"), stderr: "" };
  }

  function skip(tool: string, consequence: string): void {
    say(`\nSkipped: ${tool} is not on PATH, so ${consequence}.\n`);
  }

  async function assertOnlyWhereItBelongs(): Promise<void> {
    if (tools.git === undefined) return;
    await run(tools.git, ["add", "--all"]);
    const { stdout } = await run(tools.git, ["grep", "--cached", "--fixed-strings", "-l", token]);
    if (stdout !== "") throw new AppError("DEMO_FAILED", `git took the token: ${stdout.trim()}`);
  }
}

async function pathOutside({ env, files }: Host, repo: string): Promise<string> {
  const folders = (env["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  const real = await Promise.all(folders.map((folder) => files.realpath(folder)));
  return folders.filter((_, i) => !isInside(real[i] ?? "", repo)).join(delimiter);
}

function expectSuccess(title: string, { end, exitCode }: ToolResult): void {
  if (end === "exited" && exitCode === 0) return;
  throw new AppError("DEMO_FAILED", `${title}: ${exitCode ?? end}`, {
    hint: hint`Please report this with the output above.`,
  });
}

/** Only PATH and the like come from the user; no token, no login, no proxy, no config of a tool. */
function isolated(env: Environment, home: string, sandbox: Sandbox): ChildEnvironment {
  const kept = ["PATH", "PATHEXT", "SYSTEMROOT", "COMSPEC", "TMPDIR", "TEMP", "TMP", "LANG"];
  const given = {
    HOME: home,
    USERPROFILE: home,
    APPDATA: home,
    GIT_CONFIG_NOSYSTEM: "1",
    CHECKPOINT_DISABLE: "1",
    DIGITALOCEAN_API_URL: sandbox.url,
    DO_BOOTSTRAP_OAUTH_URL: sandbox.url,
    // What doctl and terraform might still want to ask of the internet, they ask of nobody.
    HTTPS_PROXY: "http://127.0.0.1:9",
    ...(env["FORCE_COLOR"] === undefined ? {} : { FORCE_COLOR: env["FORCE_COLOR"] }),
  };
  return childEnvironment(env, { may: (name) => kept.includes(name.toUpperCase()), given });
}
