import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { execa } from "execa";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { parse, stringify } from "yaml";
import { readDoctlConfig } from "../../src/concerns/doctl/config-file.ts";
import { locked } from "../../src/host/lock.ts";
import { configWith, type OAuthServer, oauthServer, type Session } from "../fixtures/oauth.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import {
  guardedToken,
  type RunResult,
  randomToken,
  unguardedToken,
  type Workbench,
  workbench,
} from "../fixtures/workbench.ts";
import { hookInto } from "./endings.ts";
import { COUNT, figures, random, SEED } from "./figures.ts";

const DOCTL_BIN = process.env["DOCTL_BIN"];
const LOCK = ".do-bootstrap.lock";

/** Short form: one round of six. Long form: up to 20 rounds of 50. */
const ROUNDS = COUNT === 1 ? 1 : Math.min(20, 2 * COUNT);
const AT_ONCE = COUNT === 1 ? 6 : 50;

/** As long as a renewal takes. */
const KILLED_WITHIN_MS = 250 + 20 * AT_ONCE;

/** A repo of the crowd: its folder, its context and its token. */
interface Member {
  readonly cwd: string;
  readonly context: string;
  readonly token: string;
}

/** One HOME with its own login in doctl's config. */
interface Town {
  readonly bench: Workbench;
  readonly config: string;
  /** The token of the login that no run may change. */
  readonly kept: string;
  readonly oauth: OAuthServer;
  /** The entries of browser logins in doctl's config that no run may change. */
  readonly foreign: Foreign;
  contexts(): Promise<Readonly<Record<string, string>>>;
  join(name: string): Promise<Member>;
  run(member: Member, env?: Readonly<Record<string, string>>): Promise<RunResult>;
}

describe("a crowd on one doctl config", () => {
  it(
    `${ROUNDS} × ${AT_ONCE} runs at once, one of them killed inside the lock`,
    async () => {
      const row = { runs: 0, faults: 0, lost: 0, halfWritten: 0, leftOver: 0 };
      const faults: string[] = [];
      const chance = random(`${SEED} crowd`);
      const town = await townOf();
      for (let round = 0; round < ROUNDS; round++) {
        await putLogin(town);
        const members = await Promise.all(names(round).map((name) => town.join(name)));
        const victim = Math.floor(chance() * members.length);
        const hook = {
          ...hookInto(join(town.bench.root, "killed")),
          KILL_AT: chance() < 0.5 ? "before rename config.yaml" : "after rename config.yaml",
        };
        const watcher = watch(town.config, { isOursAlone: true });
        const results = await Promise.all(
          members.map((member, at) => town.run(member, at === victim ? hook : {})),
        );
        for (const [at, { status, stderr }] of results.entries()) {
          if (status !== (at === victim ? undefined : 0)) faults.push(`exit ${status}: ${stderr}`);
        }
        const again = await town.run(members[victim] as Member);
        if (again.status !== 0) faults.push(`exit ${again.status}: ${again.stderr}`);
        const seen = watcher.stop();
        const lost = await lostBy(town, members);
        const left = (await readdir(dirname(town.config))).filter((name) => name !== "config.yaml");
        row.runs += members.length + 1;
        row.faults++;
        row.lost += lost.length + seen.lost.length;
        row.halfWritten += seen.half;
        row.leftOver += left.length;
        faults.push(...lost, ...seen.lost, ...left, ...Array(seen.half).fill("half written"));
        expect(seen.texts).toBeGreaterThan(2);
      }
      figures(`${AT_ONCE} at once, one killed`, row);
      expect(faults).toEqual([]);
    },
    30_000 + ROUNDS * 120_000,
  );

  it(`${AT_ONCE / 2} runs at once while doctl switches contexts: the next run restores what it undid`, async () => {
    const row = { runs: 0, faults: 0, lost: 0, halfWritten: 0, leftOver: 0 };
    const town = await townOf();
    const doctl = await fakeDoctl(join(town.bench.root, "elsewhere"), { writeDelayMs: 60 });
    await putLogin(town);
    const members = await Promise.all(
      names(0)
        .slice(AT_ONCE / 2)
        .map((name) => town.join(name)),
    );
    const watcher = watch(town.config, { isOursAlone: false });
    const crowd = Promise.all(members.map((member) => town.run(member)));
    const isOver = crowd.then(() => true);
    do {
      // One at a time: two doctls lose each other's changes (docs/contracts/doctl.md 3.6).
      const args = ["auth", "switch", "--context", "kept"];
      const { exitCode } = await execa(doctl.path, args, { env: town.bench.env, reject: false });
      expect(exitCode).toBe(0);
      row.faults++;
    } while (!(await Promise.race([isOver, new Promise((wake) => setTimeout(wake, 40))])));
    const results = await crowd;
    const seen = watcher.stop();
    row.runs += members.length;
    const faults = results
      .filter(({ status, stderr }) => status !== 0 && !/NOT_CONVERGED|CHANGED_MEA/.test(stderr))
      .map(({ status, stderr }) => `exit ${status}: ${stderr}`);

    const contexts = await town.contexts();
    for (const member of members) {
      if (contexts[member.context] === member.token) continue;
      const check = await checked(town, member, doctl.path);
      if (!check.includes(member.context)) faults.push(`not named: ${check}`);
      if ((await town.run(member)).status !== 0) faults.push(`not restored: ${member.context}`);
      row.runs++;
    }
    const lost = await lostBy(town, members);
    const left = (await readdir(dirname(town.config))).filter((name) => name !== "config.yaml");
    const first = ["kept", ...Object.keys(town.foreign["oauth-tokens"]).map(browserLogin)];
    const logins = seen.lost.filter((name) => first.includes(name));
    row.lost += lost.length + logins.length;
    row.leftOver += left.length;
    figures(`${AT_ONCE / 2} at once, and a doctl`, row);
    expect([...faults, ...lost, ...logins, ...left]).toEqual([]);
  }, 120_000);
});

describe("a crowd under exec, with one login that has expired", () => {
  it.each([
    ["", false],
    [", with the renewing one killed", true],
  ])(
    `${ROUNDS} × ${AT_ONCE} at once%s: it is renewed once and every command works`,
    async (which, isKilled) => {
      const row = { runs: 0, faults: 0, lost: 0, halfWritten: 0, leftOver: 0 };
      const faults: string[] = [];
      const chance = random(`${SEED} exec${which}`);
      const town = await townOf();
      const { bench, oauth, config } = town;
      const state = join(bench.home, ".local/state/do-bootstrap/login");
      await fakeDoctl(bench.bin, { edition: 2, renewDelayMs: 100, writeDelayMs: 100 });
      for (let round = 0; round < ROUNDS; round++) {
        const ours = oauth.session({ expiresInSeconds: -60 });
        await putLogin(town, { ours });
        await bench.write(
          "crowd/.do-bootstraprc",
          "token: { doctl: ours }\ndoctl: { context: ours }\nterraform: false\n",
        );
        const asked = oauth.requests.length;
        const watcher = watch(config, { isOursAlone: true });
        const runs = Array.from({ length: AT_ONCE }, () => underWay(bench));
        const victim = isKilled
          ? await killHolder(state, runs, KILLED_WITHIN_MS * chance())
          : undefined;
        const results = await Promise.all(runs.map(({ ended }) => ended));
        const seen = watcher.stop();
        for (const { child, status, token, stderr } of results) {
          if (child !== victim && status !== 0) faults.push(`exit ${status}: ${stderr}`);
          if (child === victim || token === (await town.contexts())["ours"]) continue;
          faults.push("a token that is not the renewed one");
        }
        const answers = oauth.requests.slice(asked).map(({ ok }) => ok);
        const granted = answers.filter(Boolean).length;
        if (granted !== 1 || answers.length > (isKilled ? 2 : 1)) {
          faults.push(`${granted} of ${answers.length} renewals were granted`);
        }
        const { token } = results.find(({ child }) => child !== victim) ?? {};
        const headers = { authorization: `Bearer ${token}` };
        const { ok } = await fetch(`${bench.sandbox.url}/v2/account`, { headers });
        const lost = [...(await foreignLost(town)), ...seen.lost, ...(ok ? [] : ["the login"])];
        const beside = (await readdir(dirname(config))).filter((name) => name !== "config.yaml");
        const left = [...beside, ...(await readdir(state))];
        row.runs += results.length;
        if (victim?.signalCode) row.faults++;
        row.lost += lost.length;
        row.halfWritten += seen.half;
        row.leftOver += left.length;
        faults.push(...lost, ...left, ...Array(seen.half).fill("half written"));
      }
      figures(`${AT_ONCE} under exec at once${isKilled ? ", one killed" : ""}`, row);
      expect(faults).toEqual([]);
    },
    30_000 + ROUNDS * 120_000,
  );
});

describe("a crowd in one repo", () => {
  const runs = COUNT === 1 ? 4 : 20;

  it(`${runs} environments set up at once: every lost write is a clear error`, async () => {
    const bench = await workbench();
    const row = { runs, faults: 0, lost: 0, halfWritten: 0, leftOver: 0 };
    const stages = Array.from({ length: runs }, (_, at) => ({
      name: `e${at}`,
      token: randomToken(),
    }));
    const environments = stages.map(({ name }) => [name, { token: { envFile: `.env.${name}` } }]);
    await bench.write(
      ".do-bootstraprc",
      JSON.stringify({
        doctl: false,
        terraform: false,
        environments: Object.fromEntries(environments),
      }),
    );
    const faults: string[] = [];
    const setUp = async ({ name, token }: (typeof stages)[number]) => {
      bench.sandbox.accept(token);
      return bench.run(["--env", name, "--token-stdin", "--yes"], { input: token, process: true });
    };
    for (const [at, { status, stderr }] of (await Promise.all(stages.map(setUp))).entries()) {
      const name = `.env.e${at}`;
      const isWritten = (await bench.read(name).catch(() => "")).includes("dop_v1_");
      if (status === 0 && !isWritten) faults.push(`${name} is lost in silence`);
      if (status === 0) continue;
      row.faults++;
      if (!/CHANGED_MEANWHILE|NOT_IGNORED|NOT_CONVERGED/.test(stderr)) faults.push(stderr);
    }
    const untracked = (await bench.git("ls-files", "--others", "--exclude-standard")).split("\n");
    faults.push(...untracked.filter((name) => /^\.env\.e\d/.test(name)));
    for (const stage of stages) {
      const { status, stderr } = await setUp(stage);
      if (status !== 0) faults.push(stderr);
      const isThere = (await bench.read(`.env.${stage.name}`)).includes(stage.token);
      if (!isThere) row.lost++;
    }
    const left = (await readdir(bench.repo)).filter((name) => name.includes("do-bootstrap-"));
    row.leftOver = left.length;
    figures(`${runs} at once in one repo`, row);
    expect([...faults, ...left, row.lost]).toEqual([0]);
  }, 120_000);
});

const doctls: [string, (bench: Workbench) => Promise<string>][] = [
  [
    "fake",
    async ({ root }) => (await fakeDoctl(join(root, "elsewhere"), { writeDelayMs: 400 })).path,
  ],
  ["real", async () => resolve(DOCTL_BIN ?? "")],
];

describe.each(doctls)(
  "a %s doctl that reads its config before us and writes it after us",
  (name, at) => {
    const needs = name === "real" && !DOCTL_BIN ? " (needs DOCTL_BIN)" : "";
    it.skipIf(needs)(
      `we wait for its empty config; check names what it overwrote, init restores it${needs}`,
      async () => {
        const town = await townOf();
        const { bench, config, kept } = town;
        await putLogin(town);
        const member = await town.join("overwritten");
        const server = await slowServer();
        const flags = ["--context", "kept", "--token-validation-server", server.url];
        const path = await at(bench);
        const doctl = spawn(path, ["auth", "init", ...flags, "-t", kept], {
          env: bench.env,
          stdio: "ignore",
        });
        const ended = once(doctl, "exit");
        await server.asked;

        expect((await town.run(member)).status).toBe(0);
        expect(await town.contexts()).toEqual({ kept, overwritten: member.token });
        server.answer();
        await expect
          .poll(async () => (await stat(config)).size, { interval: 1, timeout: 9000 })
          .toBe(0);

        const check = await checked(town, member, path);
        expect(check).toContain("overwritten");
        expect((await ended)[0]).toBe(0);
        expect(await town.contexts()).not.toHaveProperty("overwritten");
        expect((await town.run(member)).status).toBe(0);
        expect(await town.contexts()).toMatchObject({ kept, overwritten: member.token });
        expect(await foreignLost(town)).toEqual([]);
      },
      120_000,
    );
  },
);

describe("a lock", () => {
  it("of a running process: we name it after a second and wait for it", async () => {
    const town = await townOf();
    const member = await town.join("waiting");
    const path = join(dirname(town.config), LOCK);
    await mkdir(dirname(path), { recursive: true });
    const run = await locked(path, NO_WAIT, async () => {
      const child = town.bench.start(ARGS, { cwd: member.cwd });
      child.stdin?.end(member.token);
      let said = "";
      child.stderr?.on("data", (chunk: Buffer) => {
        said += chunk;
      });
      const line = `Waiting for process ${process.pid} on ${hostname()}, which is writing doctl's config …\n`;
      await expect.poll(() => said, { timeout: 20_000 }).toContain(line);
      return { child, ended: once(child, "exit") };
    });
    expect((await run.ended)[0]).toBe(0);
    expect(await town.contexts()).toEqual({ waiting: member.token });
  });

  it.each([
    ["in a repo", "."],
    ["in a linked worktree, which has its own lock", "../linked"],
  ])(
    "of a run that changes the same repo: its changes stay, no token without ignore rules (%s)",
    async (_, cwd) => {
      const bench = await workbench();
      await bench.git("commit", "--quiet", "--allow-empty", "--message=x");
      await bench.git("worktree", "add", "--quiet", "../linked");
      const folder = (await bench.git("-C", cwd, "rev-parse", "--absolute-git-dir")).trim();
      const args = ["--token-stdin", "--yes"];
      const waiting = await locked(join(folder, "do-bootstrap.lock"), NO_WAIT, async () => {
        const child = bench.start(args, { cwd });
        child.stdin?.end(bench.token);
        let said = "";
        child.stderr?.on("data", (chunk: Buffer) => {
          said += chunk;
        });
        const line = `Waiting for process ${process.pid} on ${hostname()}, which is changing this repo …\n`;
        await expect.poll(() => said, { timeout: 20_000 }).toContain(line);
        await bench.write(join(cwd, ".gitignore"), "theirs\n");
        return { ended: once(child, "exit"), said: () => said };
      });
      expect((await waiting.ended)[0]).toBe(1);
      expect(waiting.said()).toContain("[CHANGED_MEANWHILE]");
      expect(await bench.read(join(cwd, ".gitignore"))).toBe("theirs\n");
      expect(await readdir(join(bench.repo, cwd))).toEqual([".git", ".gitignore"]);

      bench.mayHold(...SECRETS.map((name) => join(cwd, name)));
      expect((await bench.run(args, { cwd, input: bench.token })).status).toBe(0);
      expect((await bench.read(join(cwd, ".gitignore"))).startsWith("theirs\n")).toBe(true);
      expect((await readdir(folder)).filter((name) => name.includes("do-bootstrap"))).toEqual([]);
    },
  );
});

const SECRETS = [".env", "do-bootstrap.secret.auto.tfvars.json"];
const NO_WAIT = {
  clock: { now: Date.now, sleep: async () => {} },
  waitingFor: () => undefined,
};
const ARGS = ["--token-stdin", "--doctl-config", "--yes"];

async function townOf(): Promise<Town> {
  const bench = await workbench({ git: false });
  const oauth = oauthServer(bench.sandbox);
  const config = join(bench.home, ".config", "doctl", "config.yaml");
  return {
    bench,
    config,
    // Unguarded, since doctl gets it as an argument.
    kept: unguardedToken(),
    oauth,
    foreign: foreignLogins(oauth),
    contexts: async () => contextsIn(await readFile(config)) ?? {},
    async join(name) {
      const token = randomToken();
      bench.sandbox.accept(token);
      const cwd = join("crowd", name);
      await bench.write(
        join(cwd, ".do-bootstraprc"),
        `doctl: { context: ${name} }\nterraform: false\n`,
      );
      return { cwd, token, context: name };
    },
    run: ({ cwd, token }, env = {}) => bench.run(ARGS, { cwd, env, input: token, process: true }),
  };
}

/** A command that gets the token of the login. */
function underWay(bench: Workbench) {
  const child = bench.start(["exec", "--", "/usr/bin/env"], { cwd: "crowd" });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.on("data", (chunk) => {
      said[name] += chunk;
    });
  }
  const ended = once(child, "close").then(([status]: (number | null)[]) => {
    const [, token] = /^DIGITALOCEAN_TOKEN=(.*)$/m.exec(said.stdout) ?? [];
    return { child, status, token, stderr: said.stderr };
  });
  return { child, ended };
}

/** Kills the run that holds the login's lock, some ms after it is seen. */
async function killHolder(
  folder: string,
  runs: readonly { readonly child: ChildProcess }[],
  ms: number,
): Promise<ChildProcess | undefined> {
  const holder = await vi.waitUntil(
    async () => {
      const names = await readdir(folder).catch(() => []);
      const lock = names.find((name) => name.endsWith(LOCK));
      const text = lock && (await readFile(join(folder, lock), "utf8").catch(() => ""));
      return text ? JSON.parse(text).pid : undefined;
    },
    { timeout: 60_000, interval: 5 },
  );
  await new Promise((wake) => setTimeout(wake, ms));
  const victim = runs.find(({ child }) => child.pid === holder)?.child;
  victim?.kill("SIGKILL");
  return victim;
}

/** A config with logins, as it is before each round. */
async function putLogin(
  { bench, config, kept, foreign }: Town,
  own: Readonly<Record<string, Session>> = {},
): Promise<void> {
  await rm(join(bench.repo, "crowd"), { recursive: true, force: true });
  await mkdir(dirname(config), { recursive: true });
  const { "auth-contexts": tokens, "oauth-tokens": sessions } = parse(configWith(own));
  const text = stringify(
    {
      "auth-contexts": { kept, ...tokens },
      context: "kept",
      ...foreign,
      "oauth-tokens": { ...foreign["oauth-tokens"], ...sessions },
    },
    { version: "1.1", lineWidth: 0 },
  );
  await writeFile(config, `# mine\n${text}`);
  await chmod(config, 0o600);
}

interface Foreign extends Readonly<Record<string, unknown>> {
  readonly "oauth-tokens": Readonly<Record<string, unknown>>;
}

/** Includes an expired login, which a run would renew if it took it for its own. */
function foreignLogins(oauth: OAuthServer): Foreign {
  const [living, expired] = [oauth.session(), oauth.session({ expiresInSeconds: -60 })];
  return {
    "oauth-tokens": parse(configWith({ living, expired }))["oauth-tokens"],
    "oauth-client": { "registration-access-token": guardedToken("dor") },
    "oauth-default-scopes": "read write",
  };
}

function names(round: number): string[] {
  return Array.from({ length: AT_ONCE }, (_, at) => `r${round}-c${at}-x`);
}

async function lostBy(town: Town, members: readonly Member[]): Promise<string[]> {
  const contexts = await town.contexts();
  const logins = [...members, { context: "kept", token: town.kept }];
  const tokens = logins.flatMap(({ context, token }) =>
    contexts[context] === token ? [] : [`${context} is lost`],
  );
  return [...tokens, ...(await foreignLost(town))];
}

/** Compares entry by entry; order and other entries don't matter. */
async function foreignLost({ config, foreign }: Town): Promise<string[]> {
  const entries = ({ "oauth-tokens": sessions, ...rest }: Foreign) =>
    Object.entries({ ...rest, ...sessions });
  const now = Object.fromEntries(entries(parse(await readFile(config, "utf8"))));
  return entries(foreign).flatMap(([name, was]) =>
    isDeepStrictEqual(now[name], was) ? [] : [`${name} is not as it was`],
  );
}

/** The output of `check` with this doctl on PATH. */
async function checked({ bench }: Town, { cwd }: Member, doctl: string): Promise<string> {
  const env = { PATH: [bench.bin, dirname(doctl)].join(delimiter) };
  const { status, stdout, stderr } = await bench.run(["check"], { cwd, env });
  expect(status, stdout + stderr).toBe(3);
  return stdout;
}

function configIn(bytes: Buffer) {
  return bytes.length === 0 ? undefined : readDoctlConfig(bytes.toString("utf8"));
}

function contextsIn(bytes: Buffer): Record<string, string> | undefined {
  const config = configIn(bytes);
  return (
    config && Object.fromEntries([...config.contexts].map(([name, it]) => [name, it.reveal()]))
  );
}

/** The names of its contexts and browser logins. */
function namesIn(bytes: Buffer): ReadonlySet<string> | undefined {
  const config = configIn(bytes);
  if (config === undefined) return undefined;
  return new Set([...config.contexts.keys(), ...[...config.sessions.keys()].map(browserLogin)]);
}

const browserLogin = (context: string) => `browser login ${context}`;

/**
 * Reads a config all the time, as another doctl could.
 *
 * @param isOursAlone nobody else writes, so it must never be empty or half written.
 */
function watch(path: string, { isOursAlone }: { isOursAlone: boolean }) {
  const known = new Set<string>();
  const lost = new Set<string>();
  let [texts, half] = [0, 0];
  let last: Buffer | undefined;
  const look = () => {
    const bytes = readFileSync(path);
    if (last?.equals(bytes)) return;
    last = bytes;
    texts++;
    const now = namesIn(bytes);
    if (now === undefined) {
      if (isOursAlone) half++;
      return;
    }
    for (const name of known) if (!now.has(name)) lost.add(name);
    for (const name of now) known.add(name);
  };
  const timer = setInterval(look, 1);
  return {
    stop() {
      clearInterval(timer);
      look();
      return { texts, half, lost: [...lost] };
    },
  };
}

/** Holds back its answer to doctl's question about the token. */
async function slowServer() {
  let held: ServerResponse | undefined;
  let heard = () => {};
  const asked = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const server = createServer((_, response) => {
    held = response;
    heard();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer() {
      const body = JSON.stringify({ resource_owner_id: 1, scopes: ["read"] });
      held?.writeHead(200, { "content-type": "application/json" }).end(body);
    },
  };
}
