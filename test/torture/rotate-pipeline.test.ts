import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished as afterThisTest, describe, expect, it } from "vitest";
import { Secret } from "../../src/secret/secret.ts";
import { OPENSSL } from "../fixtures/certificate.ts";
import { type GithubBench, onGithub } from "../fixtures/github/bench.ts";
import { type Hcp, startHcp } from "../fixtures/hcp/hcp.ts";
import { suite } from "../fixtures/suite.ts";
import { workbench } from "../fixtures/workbench.ts";
import { type Ending, endInEveryWay, hookInto, runUntil } from "./endings.ts";
import { COUNT, figures, random, SEED } from "./figures.ts";

const missing = OPENSSL ? "" : " (needs openssl)";
const ROTATE = ["rotate", "--all", "--token-stdin", "--revoke", "--accept-tokens", "--yes"];
/** Five of the six places of three environments. */
const REMOTE = ["a-plan", "a-apply", "b-plan", "b-apply", "c-apply"];
const CONFIG =
  "project: acme\nterraform: [{ dir: . }, { dir: runs }]\nenvironments: { a: {}, b: {}, c: {} }\n";
/** The writes to GitHub, and the one to HCP Terraform. */
const PLACES = [...REMOTE.map((_, at) => String(at + 1)), "hcp"];
/** The short form does each place once, every other one before it is stored. */
const TURNS = COUNT === 1 ? PLACES.length : 2 * Math.max(COUNT, PLACES.length);
const CODE =
  'terraform {\n  backend "s3" {\n    bucket = "b"\n    key = "k"\n    region = "r"\n  }\n}\n';
const RUNS =
  'terraform {\n  cloud {\n    organization = "acme"\n    workspaces {\n      name = "web"\n    }\n  }\n}\n';
const IGNORED = ".env\n.terraform/\n*.secret.auto.tfvars.json\n";
const POLICY = { protected_branches: false, custom_branch_policies: true };
const nameOf = (place: string) => `DIGITALOCEAN_TOKEN_${place.replace(/.*-/, "").toUpperCase()}`;

interface Bench extends GithubBench {
  readonly hcp: Hcp;
  /** What a process of its own needs, too. */
  readonly ofProcess: Readonly<Record<string, string>>;
}

/** One token in three places of the machine, in five environments on GitHub, and in a workspace of HCP Terraform. */
async function scene(
  onTestFinished: (cleanup: () => Promise<void>) => void = afterThisTest,
): Promise<Bench> {
  const hcp = await startHcp();
  onTestFinished(() => hcp.close());
  const own = await workbench({ onTestFinished });
  await own.write("do-bootstrap.config.yaml", CONFIG);
  await own.write("main.tf", CODE);
  await own.write("runs/main.tf", RUNS);
  await own.write(".gitignore", IGNORED);
  const its = await onGithub(own, { others: hcp.proxy }, onTestFinished);
  await its.write(".env", `DIGITALOCEAN_TOKEN=${its.apply}\n`, 0o600);
  const values = JSON.stringify({ do_token: its.apply });
  await its.write("do-bootstrap.secret.auto.tfvars.json", values, 0o600);
  await mkdir(join(its.home, ".config/doctl"), { recursive: true });
  await writeFile(doctlOf(its), `auth-contexts:\n  mine: ${its.apply}\ncontext: mine\n`, {
    mode: 0o600,
  });
  its.mayHold(doctlOf(its));
  its.sandbox.accept(its.plan, { scopes: ["account:read", "droplet:create"] });
  const { fingerprint: token } = Secret.of(its.apply, { kind: "stdin" });
  const secrets = REMOTE.map((environment) => {
    const settings = { deployment_branch_policy: POLICY };
    its.github.environments.set(environment, { branches: ["main"], secrets: new Map(), settings });
    its.github.store(environment, nameOf(environment), its.apply);
    const is = its.github.dateOf(environment, nameOf(environment));
    return { repo: "github.com/acme/web", environment, secret: nameOf(environment), token, is };
  });
  hcp.set("web", "DIGITALOCEAN_TOKEN", its.apply);
  const is = hcp.workspaces.get("web")?.[0]?.version;
  const variable = {
    workspace: "web",
    variable: "DIGITALOCEAN_TOKEN",
    environment: "a",
    token,
    is,
  };
  const runs = { organization: "app.terraform.io/acme", ...variable };
  const record = JSON.stringify({ schemaVersion: 1, secrets: [...secrets, runs] });
  await its.write("do-bootstrap.pipeline.json", record);
  const env = { TF_TOKEN_app_terraform_io: hcp.credentials };
  const ofProcess = { ...its.github.env, ...env, NODE_EXTRA_CA_CERTS: suite().certificate };
  const run: Bench["run"] = (args, more = {}) =>
    its.run(args, { ...more, env: { ...env, ...more.env } });
  // A person has confirmed the workspace when the config had one environment.
  await its.write("do-bootstrap.config.yaml", CONFIG.replace(/^environments.*\n/m, ""));
  const confirmed = await run(["ci", "hcp", "--apply", "--yes", "--to", "app.terraform.io/acme"]);
  expect([confirmed.status, hcp.writes], confirmed.stderr).toEqual([0, []]);
  await its.write("do-bootstrap.config.yaml", CONFIG);
  return { ...its, hcp, ofProcess, run };
}

function doctlOf({ home }: GithubBench): string {
  return join(home, ".config/doctl/config.yaml");
}

/** Which token each place holds. The new one is called plan on the bench. */
async function held(its: Bench): Promise<Readonly<Record<string, string>>> {
  const paths = [".env", "do-bootstrap.secret.auto.tfvars.json"].map((path) =>
    join(its.repo, path),
  );
  const local = await Promise.all(
    [...paths, doctlOf(its)].map(async (path) => [path, await readFile(path, "utf8")] as const),
  );
  const remote = REMOTE.map((place) => {
    return [place, its.github.environments.get(place)?.secrets.get(nameOf(place)) ?? ""] as const;
  });
  const variable = its.hcp.workspaces.get("web")?.[0];
  const which = (text: string) =>
    [its.apply, its.plan].map((token) => (text.includes(token) ? "1" : "0")).join("");
  const names: Readonly<Record<string, string>> = { "10": "old", "01": "new" };
  return Object.fromEntries(
    [...local, ...remote, ["web", variable?.value ?? ""] as const].map(([place, text]) => [
      place,
      names[which(text)] ?? "unknown",
    ]),
  );
}

async function isRevoked({ sandbox, apply }: GithubBench): Promise<boolean> {
  const headers = { authorization: `Bearer ${apply}` };
  return (await fetch(`${sandbox.url}/v2/account`, { headers })).status === 401;
}

/** What is wrong after a run was ended, and after the next one. */
async function faultsAfter(its: Bench): Promise<["halfWritten" | "lost" | "leftOver", string][]> {
  const ended = Object.entries(await held(its));
  const unknown = ended.filter(([, which]) => which === "unknown");
  const dead = (await isRevoked(its)) ? ended.filter(([, which]) => which === "old") : [];
  const next = await its.run(ROTATE, { input: its.plan });
  const left = Object.entries(await held(its)).filter(([, which]) => which !== "new");
  return [
    ...unknown.map(([place]): ["halfWritten", string] => ["halfWritten", place]),
    ...dead.map(([place]): ["lost", string] => ["lost", `${place} holds a revoked token`]),
    ...left.map(([place, which]): ["leftOver", string] => [
      "leftOver",
      `${place} holds the ${which} token: ${next.stderr}`,
    ]),
    ...(next.status === 0
      ? []
      : [
          ["leftOver", `the next run ends with ${next.status}: ${next.stderr}`] as [
            "leftOver",
            string,
          ],
        ]),
  ];
}

/** A bench that is gone after its use. */
async function onABench<T>(use: (its: Bench) => Promise<T>): Promise<T> {
  const cleanups: (() => Promise<void>)[] = [];
  try {
    return await use(await scene((each) => void cleanups.push(each)));
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

describe.skipIf(missing !== "")(`rotate over 3 local and 6 remote places${missing}`, () => {
  it("gives all of them the new token, and then revokes the old one", async () => {
    const its = await scene();
    const { status, stderr } = await its.run(ROTATE, { input: its.plan });
    expect([status, Object.values(await held(its)), await isRevoked(its)], stderr).toEqual([
      0,
      Array(9).fill("new"),
      true,
    ]);
  });

  it(
    `ended by a signal around a write, or at random, ${3 * COUNT} times (seed ${SEED})`,
    async () => {
      const whole = await scene();
      const log = join(whole.root, "moments");
      const since = performance.now();
      await whole.run(ROTATE, { input: whole.plan, env: { ...whole.ofProcess, ...hookInto(log) } });
      const ms = performance.now() - since;
      const moments = (await readFile(log, "utf8")).split("\n");
      const moment = "after rename do-bootstrap.pipeline.json";
      expect(moments).toContain(moment);
      const name = "rotate with a pipeline";
      const all = await endInEveryWay(name, { moments, ms }, moment, (ending: Ending) =>
        onABench(async (its) => {
          const bench: Bench = {
            ...its,
            run: (line, more) =>
              its.run(line, { ...more, env: { ...its.ofProcess, ...more?.env } }),
            start: (...[line, more]: Parameters<typeof its.start>) =>
              its.start(line, { ...more, env: { ...its.ofProcess, ...more?.env } }),
          };
          const line = { args: ROTATE, input: its.plan };
          const { isHit } = await runUntil(bench, line, ending, join(its.root, "killed"));
          return { isHit, faults: await faultsAfter(its) };
        }),
      );
      expect(all).toEqual([]);
    },
    120_000 + COUNT * 60_000,
  );

  it(
    `killed when GitHub or HCP Terraform gets a secret, before or after it is stored, ${TURNS} times`,
    async () => {
      const chance = random(`${SEED} pipeline`);
      const all: string[] = [];
      for (let turn = 0; turn < TURNS; turn++) {
        // Each place before and after it is stored, and then any.
        const any = Math.floor(chance() * PLACES.length);
        const at = PLACES[turn < 2 * PLACES.length ? turn % PLACES.length : any] ?? "";
        const isAfter = (turn + Math.floor(turn / PLACES.length)) % 2 === 1;
        const faults = await onABench(async (its) => {
          const child = its.start(ROTATE, { env: its.ofProcess });
          child.stdin?.on("error", () => undefined).end(its.plan);
          const kill = (is: boolean) => {
            if (is) child.kill("SIGKILL");
            return !is || isAfter;
          };
          its.github.onWrite = (write) => kill(at === String(write));
          its.hcp.onWrite = () => kill(at === "hcp");
          const [, signal] = await once(child, "exit");
          expect([at, signal]).toEqual([at, "SIGKILL"]);
          its.github.onWrite = undefined;
          its.hcp.onWrite = undefined;
          return faultsAfter(its);
        });
        all.push(
          ...faults.map(([, what]) => `write ${at}, ${isAfter ? "after" : "before"}: ${what}`),
        );
      }
      figures("rotate with a pipeline, killed at a secret", {
        ...{ runs: TURNS, faults: TURNS, lost: 0, halfWritten: 0 },
        leftOver: all.length,
      });
      expect(all).toEqual([]);
    },
    120_000 + COUNT * 60_000,
  );
});
