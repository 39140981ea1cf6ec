import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { configWith, type OAuthServer, oauthServer, type Session } from "../fixtures/oauth.ts";
import { fakeBrowser, fakeDoctl } from "../fixtures/tools.ts";
import { treeOfAll } from "../fixtures/tree.ts";
import { guardedToken, type RunResult, type Workbench, workbench } from "../fixtures/workbench.ts";
import {
  type Fault as AnyFault,
  type Ending,
  endInEveryWay,
  hookInto,
  type Line,
  runUntil,
  type WholeRun,
} from "./endings.ts";
import { COUNT, SEED } from "./figures.ts";

const CONTEXT = "acme-web";
const CONFIG = "home/.config/doctl/config.yaml";
/** Private configs and their records. */
const STATE = "home/.local/state/do-bootstrap/login";
const OTHER_TEAM = { uuid: "0af1c3de-other", name: "Other Team" };
/** Longer than the tests take. */
const A_DAY = 86_400;

type Fault = AnyFault<"wrong status">;

/** The tokens of a context in doctl's config. */
interface Held {
  readonly token: string | undefined;
  readonly refreshToken: string | undefined;
}

/** doctl's config. */
interface Logins {
  readonly ours: Held;
  /** Everything else in it. */
  readonly others: string;
}

/** The user's files by path relative to the workbench: mode and text; for doctl's config only the mode. */
type Tree = Readonly<Record<string, string>>;

/** A command that gets a login from doctl. */
interface Command {
  readonly args: readonly string[];
  readonly repo: Readonly<Record<string, string>>;
  /** Expiry of the context's login before the run; undefined: no login. */
  readonly expiresInSeconds?: number;
  /** How often doctl renews a login for the command. */
  readonly renewals: number;
}

const NAMED = `token: { doctl: ${CONTEXT} }\nterraform: false\n`;
const RENEWAL: Command = {
  args: ["exec", "--", "/usr/bin/env"],
  repo: { ".do-bootstraprc": NAMED },
  expiresInSeconds: -60,
  renewals: 1,
};

const COMMANDS: readonly [name: string, command: Command][] = [
  ["exec that has a login renewed", RENEWAL],
  [
    "login",
    {
      args: ["login", "--yes"],
      repo: { "main.tf": 'resource "digitalocean_droplet" "web" {}\n' },
      renewals: 0,
    },
  ],
  [
    "rotate of a login",
    {
      args: ["rotate", "--yes"],
      repo: { ".do-bootstraprc": NAMED },
      expiresInSeconds: A_DAY,
      renewals: 0,
    },
  ],
];

describe.each(COMMANDS)("%s, ended by a signal around a write or at random", (name, command) => {
  it(
    `${3 * COUNT} times (seed ${SEED})`,
    async () => {
      const scene = await sceneOf(command);
      const whole = await wholeRun(scene);
      const all = await endInEveryWay(name, whole, "after rename config.yaml", (ending) =>
        survive(scene, ending, whole),
      );
      expect(all).toEqual([]);
    },
    60_000 + COUNT * 30_000,
  );
});

describe("a renewal whose run is killed while doctl continues", () => {
  it.each([
    ["after doctl is recorded, before doctl writes", true, { renewDelayMs: 500 }],
    ["after doctl is recorded, while its file is empty", true, { writeDelayMs: 500 }],
    ["before doctl is recorded, before doctl writes", false, { renewDelayMs: 500 }],
    ["before doctl is recorded, while its file is empty", false, { writeDelayMs: 500 }],
  ])("%s: the next run waits for doctl's result", async (_, isNoted, settings) => {
    const scene = await sceneOf(RENEWAL);
    const { moments } = await wholeRun(scene);
    const { bench, oauth, line, log } = scene;
    await fakeDoctl(bench.bin, { edition: 2, ...settings });
    const before = await scene.reset();
    const asked = oauth.requests.length;
    const name = `${isNoted ? "after" : "before"} renameSync ….json`;
    const moment = moments.lastIndexOf(name) + 1;
    await runUntil(bench, line, { signal: "SIGKILL", at: { moment } }, log);
    const run = await bench.run(line.args);
    expect(run.status, run.stderr).toBe(0);
    expect(await isNew(scene, run, before)).toBe(true);
    expect(oauth.requests.slice(asked).filter(({ ok }) => ok)).toHaveLength(1);
    expect(await readdir(join(bench.root, STATE))).toEqual([]);
  });
});

/** A machine where a command gets a login, and that can be reset. */
interface Scene {
  readonly bench: Workbench;
  readonly oauth: OAuthServer;
  readonly command: Command;
  readonly line: Line;
  /** The file for a run's moments. */
  readonly log: string;
  /** Gives the context another login, since a refresh token works once. */
  reset(): Promise<Logins>;
}

async function sceneOf(command: Command): Promise<Scene> {
  const bench = await workbench();
  const oauth = oauthServer(bench.sandbox);
  await fakeDoctl(bench.bin, { edition: 2 });
  await fakeBrowser(bench.bin);
  const session = (expiresInSeconds: number) =>
    oauth.session({ team: OTHER_TEAM, expiresInSeconds });
  const foreign = { living: session(A_DAY), expired: session(-60) };
  const more = stringify({
    "oauth-client": { "registration-access-token": guardedToken("dor") },
    "oauth-default-scopes": "read write",
  });
  const log = join(bench.root, "moments");
  const config = join(bench.root, CONFIG);
  return {
    ...{ bench, oauth, command, log },
    line: { args: command.args, env: { DISPLAY: ":0" } },
    async reset() {
      for (const folder of [bench.home, bench.repo]) {
        const names = (await readdir(folder)).filter((name) => name !== ".git");
        for (const name of names) await rm(join(folder, name), { recursive: true, maxRetries: 5 });
      }
      await rm(log, { force: true });
      for (const [name, text] of Object.entries(command.repo)) await bench.write(name, text);
      const { expiresInSeconds } = command;
      const sessions: Record<string, Session> = { ...foreign };
      if (expiresInSeconds !== undefined) sessions[CONTEXT] = oauth.session({ expiresInSeconds });
      await mkdir(dirname(config), { recursive: true });
      const text = `# kept\n${more}${configWith(sessions, { context: "living" })}`;
      await writeFile(config, text, { mode: 0o600 });
      return loginsOn(bench);
    },
  };
}

/** The files before and after an undisturbed run. */
interface Trees {
  readonly before: Tree;
  readonly after: Tree;
}

async function wholeRun(scene: Scene): Promise<WholeRun & Trees> {
  const { bench, line, log } = scene;
  const before = await scene.reset();
  const treeBefore = await treeOf(bench);
  const started = performance.now();
  const run = await bench.run(line.args, { env: { ...line.env, ...hookInto(log) } });
  const ms = performance.now() - started;
  expect(run.status, run.stderr).toBe(0);
  expect(await isNew(scene, run, before)).toBe(true);
  expect((await loginsOn(bench)).others).toBe(before.others);
  const moments = (await readFile(log, "utf8")).split("\n");
  return { moments, ms, before: treeBefore, after: await treeOf(bench) };
}

/** Ends a run, checks what it left, and lets the next run finish. */
async function survive(
  scene: Scene,
  ending: Ending,
  trees: Trees,
): Promise<{ isHit: boolean; faults: readonly Fault[] }> {
  const { bench, oauth, command, line, log } = scene;
  const before = await scene.reset();
  const asked = oauth.requests.length;
  const { status, isHit } = await runUntil(bench, line, ending, log);
  const ended = await treeOf(bench);
  const faults = [
    ...mixed(scene, before, await loginsOn(bench)),
    ...notOldOrNew(ended, trees),
    ...(ending.signal === "SIGKILL" ? [] : notAllOrNone(ended, trees)),
    ...(endsOf(command, ending).includes(status) ? [] : [wrong(`exit ${status}`)]),
  ];
  const again = await bench.run(line.args, { env: line.env ?? {} });
  if (again.status !== 0) faults.push(wrong(`then ${again.status}: ${again.stderr}`));
  const granted = oauth.requests.slice(asked).filter(({ kind, ok }) => kind === "refresh" && ok);
  if (granted.length !== command.renewals) faults.push(["lost", `${granted.length} renewals`]);
  if (!(await isNew(scene, again, before))) faults.push(["lost", "the login"]);
  faults.push(...mixed(scene, before, await loginsOn(bench)));
  return { isHit, faults: [...faults, ...differences(await treeOf(bench), trees.after)] };
}

/** Whether the context has a new login that works, and exec's command got its token. */
async function isNew({ bench, command }: Scene, run: RunResult, before: Logins): Promise<boolean> {
  const { token } = (await loginsOn(bench)).ours;
  if (token === undefined || token === before.ours.token) return false;
  if (command.args[0] === "exec" && !run.stdout.includes(`DIGITALOCEAN_TOKEN=${token}\n`)) {
    return false;
  }
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${bench.sandbox.url}/v2/account`, { headers })).ok;
}

/** Other logins are unchanged; our token and refresh token are from one grant. */
function mixed({ oauth }: Scene, before: Logins, { ours, others }: Logins): Fault[] {
  const grants: readonly Held[] = [before.ours, ...oauth.issued.map(heldOf)];
  const isOne = grants.some(
    ({ token, refreshToken }) => token === ours.token && refreshToken === ours.refreshToken,
  );
  return [
    ...(others === before.others ? [] : [["lost", "another login"] as const]),
    ...(isOne ? [] : [["halfWritten", "the login"] as const]),
  ];
}

function heldOf(grant: { readonly accessToken: string; readonly refreshToken: string }): Held {
  return { token: grant.accessToken, refreshToken: grant.refreshToken };
}

/** The allowed exit statuses; for exec also our own failure and the command's signal. */
function endsOf({ args }: Command, { signal }: Ending): readonly (number | undefined)[] {
  const handled = args[0] === "exec" ? [125, 128 + constants.signals[signal]] : [130];
  return signal === "SIGKILL" ? [0, undefined] : [0, undefined, ...handled];
}

function wrong(what: string): Fault {
  return ["wrong status", what];
}

/** Files that stay for the next run: doctl's result and the record of it. */
const KEPT = new RegExp(`^${STATE}/[0-9a-f]{32}\\.(json|yaml)$`);

function notOldOrNew(ended: Tree, { before, after }: Trees): Fault[] {
  return Object.keys({ ...before, ...after }).flatMap((path): Fault[] => {
    const is = ended[path];
    if (is === before[path] || is === after[path]) return [];
    return [[is === undefined ? "lost" : "halfWritten", path]];
  });
}

/** After a signal that can be handled, the repo is old or new, without leftovers. */
function notAllOrNone(ended: Tree, { before, after }: Trees): Fault[] {
  const repo = (tree: Tree) =>
    JSON.stringify(Object.entries(tree).filter(([path]) => path.startsWith(`${CONTEXT}/`)));
  const fits = [before, after].some((tree) => repo(tree) === repo(ended));
  const known = { ...before, ...after };
  const left = Object.keys(ended).filter((path) => !(path in known) && !KEPT.test(path));
  return [
    ...(fits ? [] : [["halfWritten", "the repo is neither done nor undone"] as const]),
    ...left.map((path): Fault => ["leftOver", `${path}, at once`]),
  ];
}

/** What the next run did not repair. */
function differences(is: Tree, expected: Tree): Fault[] {
  return Object.keys({ ...is, ...expected }).flatMap((path): Fault[] => {
    if (is[path] === expected[path]) return [];
    if (expected[path] === undefined) return [["leftOver", path]];
    return [[is[path] === undefined ? "lost" : "halfWritten", `${path} after the next run`]];
  });
}

async function loginsOn({ root }: Workbench): Promise<Logins> {
  const {
    "auth-contexts": { [CONTEXT]: token, ...tokens },
    "oauth-tokens": { [CONTEXT]: session, ...sessions },
    ...rest
  } = parse(await readFile(join(root, CONFIG), "utf8"));
  return {
    ours: { token, refreshToken: session?.["refresh-token"] },
    others: JSON.stringify({ tokens, sessions, ...rest }),
  };
}

/** Without the cache and git's files. */
function treeOf({ root, home, repo, tmp }: Workbench): Promise<Tree> {
  return treeOfAll(root, [home, repo, tmp], (name, text) => {
    if (/^home\/\.cache\b|\/\.git(\/|$)/.test(name)) return undefined;
    return name === CONFIG ? text.slice(0, 3) : text.replace(/^(\d+) \d+ /, "$1 ");
  });
}
