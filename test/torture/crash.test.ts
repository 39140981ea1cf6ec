import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { configWith, oauthServer } from "../fixtures/oauth.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { treeOfAll } from "../fixtures/tree.ts";
import {
  guardedToken,
  type RunResult,
  randomToken,
  type Workbench,
  workbench,
} from "../fixtures/workbench.ts";
import {
  type Fault as AnyFault,
  type Ending,
  endInEveryWay,
  hookInto,
  runUntil,
  type WholeRun,
} from "./endings.ts";
import { COUNT, SEED } from "./figures.ts";

const DOCTL = "home/.config/doctl/config.yaml";
const SECRET = "do-bootstrap.secret.auto.tfvars.json";
const OTHER_TEAM = { uuid: "0af1c3de-other", name: "Other Team" };
/** Longer than the tests take. */
const A_DAY = 86_400;
/** The contexts that a command may write. */
const WRITTEN: readonly string[] = ["default", "mine", "acme-web"];

type Fault = AnyFault<"exposed" | "wrong status">;

/** The user's files, by path relative to the workbench: mode and text. */
type Tree = Readonly<Record<string, string>>;

/** A machine where a command has something to do, and that can be reset. */
interface Scene extends WholeRun {
  readonly bench: Workbench;
  readonly tokens: readonly string[];
  readonly before: Tree;
  readonly after: Tree;
  /** Places of tokens that git did not ignore before the run. */
  readonly exposed: ReadonlySet<string>;
  reset(): Promise<void>;
  run(env?: Readonly<Record<string, string>>): Promise<RunResult>;
  runUntil(ending: Ending): ReturnType<typeof runUntil>;
}

type Arrange = (bench: Workbench, tokens: { old: string; fresh: string }) => Promise<void>;

/** `moment` comes first: a kill at this point once caused a fault. */
const COMMANDS: readonly [
  name: string,
  args: readonly string[],
  arrange: Arrange,
  moment: string,
][] = [
  ["init", ["--token-stdin"], beginning, "after rename config.yaml"],
  ["init --force", ["--token-stdin", "--force"], takenContext, "after rename config.yaml"],
  // The code had the only copy of the token.
  ["init --fix", ["init", "--fix"], hardCoded, "before rename main.tf"],
  ["rotate", ["rotate", "--token-stdin"], finished, "after rename config.yaml"],
  // The next run finds the token to remove in the env file.
  ["logout", ["logout"], finished, "after rename config.yaml"],
  ["logout of a login", ["logout"], loggedIn, "before rename config.yaml"],
  // The other secrets still need our lines in .gitignore.
  ["uninstall", ["uninstall"], nothingElse, "after rename .gitignore"],
];

describe.each(COMMANDS)(
  "%s, ended by a signal around a write or at random",
  (name, args, arrange, moment) => {
    it(
      `${3 * COUNT} times (seed ${SEED})`,
      async () => {
        const scene = await sceneOf(args, arrange);
        expect(scene.moments.length).toBeGreaterThan(20);
        expect(scene.moments).toContain(moment);
        expect(foreignLogins(scene.before)).toHaveProperty("expired");
        const all = await endInEveryWay(name, scene, moment, async (ending) => {
          await scene.reset();
          return survive(scene, ending);
        });
        expect(all).toEqual([]);
      },
      60_000 + COUNT * 30_000,
    );
  },
);

describe("a temporary file with a secret, left by SIGKILL", () => {
  it.each<[what: string, args: readonly string[], arrange: Arrange, target: string]>([
    ["init, without a .gitignore", ["--token-stdin"], beginning, ".env"],
    ["rotate, with our lines in .gitignore", ["rotate", "--token-stdin"], finished, SECRET],
    ["rotate, with the user's own .gitignore", ["rotate", "--token-stdin"], ownIgnoreFile, ".env"],
    ["rotate, with a .gitignore for one path only", ["rotate", "--token-stdin"], onePlace, ".env"],
  ])("%s: git ignores it, and the next run removes it", async (_, args, arrange, target) => {
    const { bench, runUntil, run, tokens } = await sceneOf(args, arrange);
    await runUntil({ signal: "SIGKILL", at: { moment: `before rename ${target}` } });
    const [folder = "", ...more] = (await readdir(bench.repo)).filter((name) =>
      name.startsWith(".env.do-bootstrap-"),
    );
    expect(more).toEqual([]);
    const temporary = join(folder, folder);
    const text = await bench.read(temporary);
    expect(tokens.some((token) => text.includes(token))).toBe(true);
    expect(await bench.git("check-ignore", "--no-index", temporary)).toBe(temporary);
    expect((await run()).status).toBe(0);
    expect(await readdir(bench.repo)).not.toContain(folder);
  });
});

describe("an empty temporary folder, left by SIGKILL right after the rename", () => {
  it.each<[args: string[], target: string, folder: string, arrange: Arrange]>([
    [["hook", "install"], "pre-commit", ".git/hooks", beginning],
    [["ci", "github"], "do-bootstrap.yml", ".github/workflows", terraformCode],
  ])("%j: the next run removes it, even if it has nothing else to do", async (...row) => {
    const [args, target, folder, arrange] = row;
    const bench = await workbench();
    await arrange(bench, { old: bench.token, fresh: bench.token });
    const hook = hookInto(join(bench.root, "log"));
    await bench.run(args, { env: { ...hook, KILL_AT: `after rename ${target}` } });
    expect((await readdir(join(bench.repo, folder))).sort()).toEqual([
      expect.stringMatching(/^\.env\.do-bootstrap-/),
      target,
    ]);
    const { status, stderr } = await bench.run(args);
    expect(status, stderr).toBe(0);
    const names = await readdir(join(bench.repo, folder));
    expect(names).toContain(target);
    expect(names.filter((name) => name.startsWith("."))).toEqual([]);
  });
});

describe("rotate, killed between two places", () => {
  it("resumes without getting the new token again", async () => {
    const { bench, runUntil, after } = await sceneOf(["rotate", "--token-stdin"], finished);
    await runUntil({ signal: "SIGKILL", at: { moment: `before rename ${SECRET}` } });
    const between = await treeOf(bench);
    expect(between["acme-web/.env"]).toBe(after["acme-web/.env"]);
    expect(between[`acme-web/${SECRET}`]).not.toBe(after[`acme-web/${SECRET}`]);
    const { status, stderr } = await bench.run(["rotate"]);
    expect(status, stderr).toBe(0);
    expect(await treeOf(bench)).toEqual(after);
  });
});

/** Ends a run, checks what it left, and lets the next run finish. */
async function survive(
  scene: Scene,
  ending: Ending,
): Promise<{ isHit: boolean; faults: readonly Fault[] }> {
  const { bench, before, after } = scene;
  const { status, isHit } = await scene.runUntil(ending);
  const ended = await treeOf(bench);
  const faults = [
    ...notOldOrNew(ended, before, after),
    ...(await exposed(scene, ended)).filter(([, what]) => !scene.exposed.has(what)),
    ...(ending.signal === "SIGKILL" ? [] : notAllOrNone(ended, { before, after, status })),
  ];
  const again = await scene.run();
  if (again.status !== 0) faults.push(["wrong status", `then ${again.status}: ${again.stderr}`]);
  return { isHit, faults: [...faults, ...differences(await treeOf(bench), after)] };
}

function notOldOrNew(ended: Tree, before: Tree, after: Tree): Fault[] {
  return Object.keys({ ...before, ...after }).flatMap((path): Fault[] => {
    const [is, was, will] = [ended[path], before[path], after[path]];
    if (is === was || is === will) return [];
    // Each context is edited separately.
    if (path === DOCTL && isBetween(is, was, will)) return [];
    return [[is === undefined ? "lost" : "halfWritten", path]];
  });
}

/** Whether each login in a doctl config is the old or the new one. */
function isBetween(...trees: (string | undefined)[]): boolean {
  const [is, was, will] = trees.map((text = "") => loginsIn(text));
  if (is === undefined) return false;
  return Object.keys({ ...is, ...was, ...will }).every((name) =>
    [was, will].some((logins) => (logins?.[name] ?? NO_LOGIN) === (is[name] ?? NO_LOGIN)),
  );
}

const NO_LOGIN = JSON.stringify([null, null]);

/** Each context's token and browser login as one text; the rest under the key "". */
function loginsIn(file: string): Readonly<Record<string, string>> | undefined {
  try {
    const {
      "access-token": first,
      "auth-contexts": tokens,
      "oauth-tokens": sessions = {},
      ...rest
    } = parse(file.replace(/^600 /, ""));
    const contexts: Record<string, unknown> = { default: first, ...tokens };
    const names = Object.keys({ ...contexts, ...sessions });
    const logins = names.map((name) => [name, JSON.stringify([contexts[name], sessions[name]])]);
    return { ...Object.fromEntries(logins), "": JSON.stringify(rest) };
  } catch {
    return undefined;
  }
}

/** The logins that no command uses. */
function foreignLogins(tree: Tree): object {
  const logins = Object.entries(loginsIn(tree[DOCTL] ?? "") ?? {});
  return Object.fromEntries(logins.filter(([name]) => !WRITTEN.includes(name)));
}

/** Files with a token that git does not ignore or whose name is not hidden. */
async function exposed(
  { bench, tokens }: Pick<Scene, "bench" | "tokens">,
  ended: Tree,
): Promise<Fault[]> {
  const seen = await bench.git("ls-files", "--cached", "--others", "--exclude-standard", "-z");
  const repo = basename(bench.repo);
  const inGit = new Set(seen.split("\0").map((path) => join(repo, path)));
  return Object.entries(ended).flatMap(([path, text]): Fault[] => {
    if (!tokens.some((token) => text.includes(token))) return [];
    if (inGit.has(path)) return [["exposed", `${path} to git`]];
    const isPlace = /\/\.env$|\/config\.yaml$|\.secret\.auto\.tfvars\.json$/.test(path);
    return isPlace || /\/\.[^/]*$/.test(path) ? [] : [["exposed", path]];
  });
}

/** After a signal that can be handled, everything is done or undone, without leftovers. */
function notAllOrNone(
  ended: Tree,
  { before, after, status }: { before: Tree; after: Tree; status: number | undefined },
): Fault[] {
  const own = (tree: Tree) =>
    Object.entries(tree).filter(([path]) => !/^home\/\.(cache|local)\b/.test(path));
  const same = (tree: Tree) => JSON.stringify(own(ended)) === JSON.stringify(own(tree));
  const faults: Fault[] = [];
  // Before the first look and after the last write, a signal ends the run normally.
  const fits = same(after) || (status !== 0 && same(before));
  if (!fits) faults.push(["halfWritten", `neither done nor undone, exit ${status}`]);
  if (status !== undefined && status !== 130 && status !== 0) {
    faults.push(["wrong status", `exit ${status}`]);
  }
  const known = { ...before, ...after };
  return [
    ...faults,
    ...Object.keys(ended).flatMap((path): Fault[] =>
      path in known || RECORD.test(path) ? [] : [["leftOver", `${path}, at once`]],
    ),
  ];
}

/** The record of a started rotation; the next run removes it if this one could not verify. */
const RECORD = /^home\/\.local\/state\/do-bootstrap\/rotation\/[0-9a-f]{64}\.json$/;

/** What the next run did not repair. */
function differences(is: Tree, expected: Tree): Fault[] {
  return Object.keys({ ...is, ...expected }).flatMap((path): Fault[] => {
    if (is[path] === expected[path]) return [];
    if (expected[path] === undefined) return [["leftOver", path]];
    return [[is[path] === undefined ? "lost" : "halfWritten", `${path} after the next run`]];
  });
}

/** A repo with its own values and no .gitignore, and a doctl with other logins. */
async function beginning(bench: Workbench): Promise<void> {
  await fakeDoctl(bench.bin, { writeDelayMs: 10 });
  await bench.write(".env", "# mine\nOTHER='kept' # here\n", 0o640);
  await bench.write("package.json", '{ "name": "acme-web" }\n');
  await putDoctlConfig(bench);
}

/** The same, but the token's context has another team's browser login. */
async function takenContext(bench: Workbench): Promise<void> {
  await beginning(bench);
  await putDoctlConfig(bench, { [basename(bench.repo)]: undefined });
}

/** A repo whose token is the browser login of a context. */
async function loggedIn(bench: Workbench): Promise<void> {
  const context = basename(bench.repo);
  await bench.write(".do-bootstraprc", `token: { doctl: ${context} }\n`);
  await putDoctlConfig(bench, { [context]: undefined });
}

/** The same with the old token in its env file, its secret values and two doctl contexts. */
async function finished(bench: Workbench, { old }: { old: string }): Promise<void> {
  await bench.write(".env", "# mine\nOTHER='kept' # here\n", 0o640);
  const { status, stderr } = await bench.run(["--token-stdin"], { input: old });
  expect(status, stderr).toBe(0);
  // The old token's context also has a browser login, which would replace it.
  await putDoctlConfig(bench, { mine: old }, { "access-token": old });
}

/** The same, but .env has nothing else, so .gitignore need not protect it after the run. */
async function nothingElse(bench: Workbench, tokens: { old: string }): Promise<void> {
  await bench.write(".gitignore", "node_modules/\n");
  await finished(bench, tokens);
  await bench.write(".env", `DIGITALOCEAN_TOKEN=${tokens.old}\n`, 0o600);
}

/** A repo that we never set up. */
async function ownIgnoreFile(bench: Workbench, { old }: { old: string }): Promise<void> {
  await bench.write(".gitignore", ".env\n");
  await bench.write(".env", `DIGITALOCEAN_TOKEN=${old}\n`, 0o600);
}

/** A root module that a pipeline can be written for. */
async function terraformCode(bench: Workbench): Promise<void> {
  await bench.write("main.tf", 'terraform {\n  backend "s3" {}\n}\n');
}

/** The same, but its patterns ignore nothing else. */
async function onePlace(bench: Workbench, tokens: { old: string }): Promise<void> {
  await ownIgnoreFile(bench, tokens);
  await bench.write(".gitignore", "*.local\n!*.local\n/.env\n");
}

/** A repo with the only copy of the token in its code. */
async function hardCoded(bench: Workbench, { old }: { old: string }): Promise<void> {
  await beginning(bench);
  await bench.write("main.tf", `provider "digitalocean" {\n  token = "${old}" # mine\n}\n`);
}

/**
 * Browser logins of other contexts, one of them expired, and a token without one.
 *
 * @param own the token of each context that also has a browser login; undefined: the login's token.
 */
async function putDoctlConfig(
  bench: Workbench,
  own: Readonly<Record<string, string | undefined>> = {},
  top: object = {},
): Promise<void> {
  const path = join(bench.root, DOCTL);
  const oauth = oauthServer(bench.sandbox);
  const session = (expiresInSeconds = A_DAY) =>
    oauth.session({ team: OTHER_TEAM, expiresInSeconds });
  const owned = Object.entries(own).map(([name, token]) => {
    const each = session();
    return [name, { ...each, accessToken: token ?? each.accessToken }] as const;
  });
  const sessions = { ...Object.fromEntries(owned), living: session(), expired: session(-60) };
  const config = parse(configWith(sessions, { context: "other" }));
  config["auth-contexts"].other = randomToken();
  const text = stringify(
    {
      ...{ ...top, ...config },
      "oauth-client": { "registration-access-token": guardedToken("dor") },
      "oauth-default-scopes": "read write",
    },
    { version: "1.1", lineWidth: 0 },
  );
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `# kept\n${text}`);
  await chmod(path, 0o600);
}

async function sceneOf(args: readonly string[], arrange: Arrange): Promise<Scene> {
  const bench = await workbench();
  const fresh = args[0] === "rotate" ? randomToken() : bench.token;
  bench.sandbox.accept(fresh);
  await arrange(bench, { old: bench.token, fresh });

  const saved = join(bench.root, "saved");
  const log = join(bench.root, "moments");
  const exact = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true };
  bench.mayHold("../saved/home/.config/doctl/config.yaml");
  bench.mayHold("../saved/repo/.env", "../saved/repo/main.tf");
  bench.mayHold("../saved/repo/do-bootstrap.secret.auto.tfvars.json");
  await cp(bench.home, join(saved, "home"), exact);
  // No command writes to .git.
  const filter = (path: string) => basename(path) !== ".git";
  await cp(bench.repo, join(saved, "repo"), { ...exact, filter });

  const run: Scene["run"] = (env = {}) => bench.run(args, { input: fresh, env });
  const before = await treeOf(bench);
  const tokens = [bench.token, fresh, ...(before[DOCTL]?.match(/do[opr]_v1_\w+/g) ?? [])];
  const exposedBefore = await exposed({ bench, tokens }, before);
  const started = performance.now();
  const whole = await run(hookInto(log));
  const ms = performance.now() - started;
  expect(whole.status, whole.stderr).toBe(0);
  const after = await treeOf(bench);
  expect(foreignLogins(after)).toEqual(foreignLogins(before));
  const scene: Scene = {
    bench,
    tokens,
    before,
    after,
    exposed: new Set(exposedBefore.map(([, what]) => what)),
    moments: (await readFile(log, "utf8")).split("\n"),
    ms,
    run,
    async reset() {
      for (const folder of [bench.home, bench.repo]) {
        const names = (await readdir(folder)).filter((name) => name !== ".git");
        for (const name of names) await rm(join(folder, name), { recursive: true, maxRetries: 5 });
      }
      await cp(join(saved, "home"), bench.home, exact);
      await cp(join(saved, "repo"), bench.repo, exact);
      await rm(log, { force: true });
    },
    runUntil: (ending) => runUntil(bench, { args, input: fresh }, ending, log),
  };
  await scene.reset();
  expect(await treeOf(bench)).toEqual(before);
  return scene;
}

/** The content of cache files may differ, but they must be complete. */
function treeOf({ root, home, repo, tmp }: Workbench): Promise<Tree> {
  return treeOfAll(root, [home, repo, tmp], (name, text) => {
    if (name.split(sep).includes(".git")) return undefined;
    const [mode, withoutTime = ""] = [text.split(" ")[0], text.replace(/^(\d+) \d+ /, "$1 ")];
    if (!/^home\/\.(cache|local)\b.*\.json$/.test(name)) return withoutTime;
    return `${mode} ${isJson(text.replace(/^\d+ \d+ /, "")) ? "whole" : "half"}`;
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
