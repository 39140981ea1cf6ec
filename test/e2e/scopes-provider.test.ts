import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dir } from "tmp-promise";
import { afterAll, describe, expect, it, vi } from "vitest";
import { readHcl } from "../../src/hcl/hcl.ts";
import type { Action } from "../../src/scopes/action.ts";
import { actionsInCode, type Purpose } from "../../src/scopes/code-actions.ts";
import { loadScopeData } from "../../src/scopes/data.ts";
import { type Needs, scopesNeeded } from "../../src/scopes/needed.ts";
import { actionsInPlan } from "../../src/scopes/plan-file.ts";
import { ASKED_SOMEWHERE, type CloudRequest, startCloud } from "../fixtures/cloud/cloud.ts";
import { newWorld, type World } from "../fixtures/cloud/kinds.ts";
import { ROOTS, type Root } from "../fixtures/cloud/roots.ts";
import { TERRAFORM, TF_MIRROR, terraform } from "../fixtures/terraform.ts";
import { randomToken } from "../fixtures/workbench.ts";

/** Scopes in the inferred set without which nothing fails; at most one in twenty. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "web site: monitoring:create":
    "The page of droplet:create lists it with others; the API needs it only for alerts, and the " +
    "provider requests no alert.",
};

const LIMIT = 240_000;
// The provider waits ten seconds or more before it checks whether an action is done.
vi.setConfig({ maxConcurrency: 8 });

const data = await loadScopeData();

interface Step {
  readonly name: string;
  readonly code: string;
  readonly args: readonly string[];
  /** The scopes of the token. */
  readonly scopes: ReadonlySet<string>;
}

/** The steps of a root, each with exactly the scopes inferred for it. */
function stepsOf({ apply, change }: Root): Step[] {
  const toApply = ["apply", "-auto-approve"];
  // Status 2: there is something to change.
  const toPlan = ["plan", "-detailed-exitcode"];
  const forBoth = setOf(needs(apply, "apply"), needs(change, "apply"));
  return [
    { name: "apply", code: apply, args: toApply, scopes: setOf(needs(apply, "create")) },
    { name: "plan", code: apply, args: toPlan, scopes: setOf(needs(apply, "plan")) },
    { name: "change", code: change, args: toApply, scopes: forBoth },
    { name: "plan again", code: change, args: toPlan, scopes: setOf(needs(change, "plan")) },
    {
      name: "destroy",
      code: change,
      args: ["destroy", "-auto-approve"],
      scopes: setOf(needs(change, "destroy")),
    },
  ];
}

/** The scopes that a root needs directly. */
function ownOf({ apply, change }: Root): string[] {
  const all = [apply, change].flatMap((code) => needs(code, "apply").own);
  return [...new Set(all.map(({ scope }) => scope))].sort();
}

function needs(code: string, purpose: Purpose): Needs {
  return scopesNeeded(actions(code, purpose), data);
}

function needsOfPlan(json: string, code: string): Needs {
  const planned = actionsInPlan(json, "tfplan", actions(code, "apply"));
  if (planned === undefined) throw new Error("No plan");
  return scopesNeeded(planned, data);
}

function actions(code: string, purpose: Purpose): Action[] {
  const { blocks, references, problem } = readHcl(code, "main.tf");
  expect(problem).toBeUndefined();
  return actionsInCode([{ prefix: "", blocks, references }], purpose);
}

function setOf(...all: readonly Needs[]): ReadonlySet<string> {
  return new Set(
    all.flatMap(({ own, required }) => [...own.map(({ scope }) => scope), ...required]),
  );
}

const REMOVED = ROOTS.flatMap((root) =>
  ownOf(root).map((scope) => [`${root.name}: ${scope}` as string, scope, root] as const),
);

/** The kinds that the promise names. */
const PROMISED = [
  ...["droplet", "volume", "domain", "record", "firewall", "ssh_key", "tag", "vpc", "project"],
  ...["reserved_ip", "kubernetes_cluster", "database_cluster"],
];

describe("the roots", () => {
  it("create a resource of every promised kind, and change something", () => {
    const made = (kind: string) =>
      ROOTS.some(({ apply }) => apply.includes(`"digitalocean_${kind}"`));
    expect(PROMISED.filter((kind) => !made(kind))).toEqual([]);
    expect(ROOTS.filter(({ apply, change }) => apply === change)).toEqual([]);
  });
});

describe("the emulated API", () => {
  it("checks every scope that the roots need, except the exceptions", () => {
    const never = REMOVED.filter(([, scope]) => !ASKED_SOMEWHERE.has(scope)).map(([name]) => name);
    expect(never.filter((name) => EXCEPTIONS[name] === undefined)).toEqual([]);
  });

  it("exceptions are scopes that the roots need, at most one in twenty", () => {
    const names = REMOVED.map(([name]) => name);
    const exceptions = Object.keys(EXCEPTIONS);
    expect(exceptions.filter((name) => !names.includes(name))).toEqual([]);
    expect(exceptions.length).toBeLessThanOrEqual(names.length * 0.05);
  });

  const droplet = { name: "web", image: "debian-13", region: "nyc3", size: "s-1vcpu-1gb" };
  const there = newWorld({
    "/v2/droplets/7": { ...droplet, id: 7, tags: ["web"], volume_ids: [], features: [] },
    "/v2/domains/example.com": { name: "example.com" },
  });

  it.each([
    // Scopes of the operation.
    ["GET /v2/droplets/7", {}, [], 403],
    ["GET /v2/droplets/7", {}, ["droplet:read"], 200],
    ["GET /v2/droplets/8", {}, ["droplet:read"], 404],
    ["DELETE /v2/droplets/7", {}, ["droplet:read"], 403],
    ["DELETE /v2/droplets/7", {}, ["droplet:delete"], 204],
    // One of two is enough.
    ["POST /v2/domains/example.com/records", { type: "A" }, ["domain:read"], 403],
    ["POST /v2/domains/example.com/records", { type: "A" }, ["domain:create"], 201],
    ["POST /v2/domains/example.com/records", { type: "A" }, ["domain:update"], 201],
    // "api:write" is listed with the scope of the resource, but not checked.
    ["POST /v2/volumes", { name: "data" }, ["api:write"], 403],
    ["POST /v2/volumes", { name: "data" }, ["block_storage:create"], 201],
    // Scopes of a field.
    ["POST /v2/volumes", { tags: [] }, ["block_storage:create"], 201],
    ["POST /v2/volumes", { tags: ["a"] }, ["block_storage:create"], 403],
    ["POST /v2/volumes", { tags: ["a"] }, ["block_storage:create", "tag:create"], 201],
    ["POST /v2/droplets", droplet, ["droplet:create"], 403],
    ["POST /v2/droplets", droplet, ["droplet:create", "image:read"], 201],
    ["POST /v2/droplets/7/actions", { type: "power_off" }, ["droplet:update"], 201],
    ["POST /v2/droplets/7/actions", { type: "resize" }, ["droplet:update"], 403],
    ["POST /v2/droplets/7/actions", { type: "resize" }, ["droplet:update", "droplet:create"], 201],
  ])("%s %j with %j: %i", async (request, body, scopes, status) => {
    const { answer, unexpected } = await ask(request, body, scopes);
    expect(answer.status).toBe(status);
    expect(unexpected).toEqual([]);
    if (status === 403) expect(await answer.json()).toMatchObject({ id: "forbidden" });
  });

  it("leaves out fields that the token may not read", async () => {
    const { answer } = await ask("GET /v2/droplets/7", {}, ["droplet:read", "image:read"]);
    const { droplet } = (await answer.json()) as { droplet: object };
    expect(droplet).toMatchObject({ id: 7, image: { slug: "debian-13" } });
    expect(droplet).not.toHaveProperty("tags");
  });

  it.each(["GET /v2/nothing", "GET /v2/sizes"])("%s is unexpected", async (request) => {
    const { answer, unexpected } = await ask(request, {}, ["regions:read", "sizes:read"]);
    expect(answer.status).toBe(404);
    expect(unexpected).toEqual([request]);
  });

  it("rejects another token", async () => {
    const { answer } = await ask("GET /v2/droplets/7", {}, ["droplet:read"], "another");
    expect(answer.status).toBe(401);
  });

  async function ask(
    request: string,
    body: object,
    scopes: readonly string[],
    token = "the token",
  ): Promise<{ answer: Response; unexpected: readonly string[] }> {
    const cloud = await startCloud(there);
    cloud.grant("the token", scopes);
    const [method = "", path = ""] = request.split(" ");
    const answer = await fetch(cloud.url + path, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(method === "GET" ? {} : { body: JSON.stringify(body) }),
    });
    await cloud.close();
    return { answer, unexpected: cloud.unexpected };
  }
});

/** The state before a step, and the step's requests. */
interface Stage {
  readonly index: number;
  readonly world: World;
  readonly state: string | undefined;
  readonly requests: readonly CloudRequest[];
}

interface Run {
  readonly stages: readonly Stage[];
  readonly unexpected: readonly string[];
  readonly failure: Failure | undefined;
}

interface Failure {
  readonly step: string;
  /** undefined: not because of a missing scope. */
  readonly why: string | undefined;
  readonly output: string;
}

const needsTerraform = TERRAFORM === undefined ? " (needs terraform)" : "";
const needsProvider = needsTerraform || (TF_MIRROR ? "" : " (needs TF_MIRROR)");
describe.skipIf(needsProvider)(`with the real provider${needsProvider}`, () => {
  const initialised = once(initialise);
  const complete = new Map(ROOTS.map((root) => [root, once(() => run(root))]));
  const removed: { root: Root; failure: Failure | undefined }[] = [];
  let commands = 0;

  describe("sound: every step passes with exactly the scopes inferred for it", () => {
    it.concurrent.each(ROOTS.map((root) => [root.name, root] as const))(
      "%s",
      async (_, root) => {
        const { failure, unexpected, stages } = await runOf(root);
        expect({ failure, unexpected }).toEqual({ failure: undefined, unexpected: [] });
        expect(stages.flatMap(({ requests }) => requests).filter(isRefused)).toEqual([]);
      },
      LIMIT,
    );
  });

  describe("tight: without any one of the scopes a step fails", () => {
    it.concurrent.each(REMOVED)(
      "%s",
      async (name, scope, root) => {
        const { stages, failure: before } = await runOf(root);
        expect(before).toBeUndefined();
        // Both runs are the same until the step that asks for the scope.
        const from = stages.find(({ requests }) =>
          requests.some(({ asked }) => asked.includes(scope)),
        );
        const { failure, unexpected } = await run(root, { without: scope, from });
        removed.push({ root, failure });
        expect(unexpected).toEqual([]);
        if (EXCEPTIONS[name] !== undefined) expect(failure).toBeUndefined();
        else expect(failure).toMatchObject({ why: expect.any(String) });
      },
      LIMIT,
    );
  });

  describe("a saved plan is applied with exactly the scopes of its actions", () => {
    it.concurrent.each(ROOTS.map((root) => [root.name, root] as const))(
      "%s",
      async (_, root) => {
        const { apply, change } = root;
        const { place, cleanup } = await newPlace();
        const shared = await initialised();
        const cloud = await startCloud(newWorld(root.there));
        const token = randomToken();
        const env = { ...shared.env, DIGITALOCEAN_TOKEN: token, DIGITALOCEAN_API_URL: cloud.url };
        const run = async (...args: string[]) => {
          const { status, stdout, stderr } = await terraform(place, args, { env });
          expect(status, stderr).toBe(0);
          return stdout;
        };
        try {
          await shared.lock(place);
          for (const [code, ...more] of [[apply], [change], [change, "-destroy"]]) {
            await writeFile(join(place.repo, "main.tf"), code ?? "");
            cloud.grant(token, [...setOf(needs(apply, "apply"), needs(change, "apply"))]);
            await run("plan", "-input=false", "-out=tfplan", ...more);
            const exact = [...setOf(needsOfPlan(await run("show", "-json", "tfplan"), code ?? ""))];
            cloud.grant(token, exact);
            await run("apply", "-input=false", "tfplan");
          }
          expect(cloud.unexpected).toEqual([]);
          expect(cloud.requests.filter(isRefused)).toEqual([]);
        } finally {
          await cloud.close();
          await cleanup();
        }
      },
      LIMIT,
    );
  });

  afterAll(async () => {
    await (await initialised()).cleanup();
    console.log([...ROOTS.map(figuresOf), figures()].join("\n"));
  });

  /** How many of a root's scopes fail which step: "tag: 3 scopes, 2 apply, 1 change". */
  function figuresOf(root: Root): string {
    const mine = removed.filter((each) => each.root === root);
    const counts = [...stepsOf(root).map(({ name }) => name), "nothing"].flatMap((step) => {
      const count = mine.filter(({ failure }) => (failure?.step ?? "nothing") === step).length;
      return count === 0 ? [] : `${count} ${step}`;
    });
    return [`${root.name}: ${mine.length} scopes`, ...counts].join(", ");
  }

  function figures(): string {
    const exceptions = removed.filter(({ failure }) => failure === undefined).length;
    return [
      `${ROOTS.length} roots, ${ROOTS.flatMap(stepsOf).length} steps`,
      `${removed.length} scopes removed, ${exceptions} exceptions`,
      `${commands} terraform commands`,
    ].join("; ");
  }

  function runOf(root: Root): Promise<Run> {
    const start = complete.get(root);
    if (start === undefined) throw new Error(`No root ${root.name}`);
    return start();
  }

  /** Runs all steps of a root, or those from a stage of another run, until one fails. */
  async function run(
    root: Root,
    { without, from }: { without?: string; from?: Stage | undefined } = {},
  ): Promise<Run> {
    const { place, cleanup } = await newPlace();
    const shared = await initialised();
    const cloud = await startCloud(from?.world ?? newWorld(root.there));
    const token = randomToken();
    const env = { ...shared.env, DIGITALOCEAN_TOKEN: token, DIGITALOCEAN_API_URL: cloud.url };
    const state = join(place.repo, "terraform.tfstate");
    const stages: Stage[] = [];
    const ended = (failure: Failure | undefined) => {
      return { failure, stages, unexpected: cloud.unexpected };
    };
    try {
      await shared.lock(place);
      if (from?.state !== undefined) await writeFile(state, from.state);
      for (const [index, { name, code, args, scopes }] of stepsOf(root).entries()) {
        if (index < (from?.index ?? 0)) continue;
        cloud.grant(
          token,
          [...scopes].filter((scope) => scope !== without),
        );
        const before = {
          index,
          world: cloud.snapshot(),
          state: await readFile(state, "utf8").catch(() => undefined),
        };
        const asked = cloud.requests.length;
        await writeFile(join(place.repo, "main.tf"), code);
        const all = [...args, "-input=false", "-no-color"];
        const { status, stdout, stderr } = await terraform(place, all, { env });
        commands++;
        const requests = cloud.requests.slice(asked);
        stages.push({ ...before, requests });
        if (status !== 0) {
          const why = whyFailed(requests, status, stderr);
          return ended({ step: name, why, output: stdout + stderr });
        }
      }
      return ended(undefined);
    } finally {
      await cloud.close();
      await cleanup();
    }
  }

  /** One `terraform init` is enough, as all roots have the same provider. */
  async function initialise() {
    const { place, cleanup } = await newPlace();
    await writeFile(join(place.repo, "main.tf"), ROOTS[0]?.apply ?? "");
    const env = { TF_DATA_DIR: join(place.repo, ".terraform"), DIGITALOCEAN_HTTP_RETRY_MAX: "0" };
    const { status, stderr } = await terraform(place, ["init"], { env });
    expect(status, stderr).toBe(0);
    const name = ".terraform.lock.hcl";
    const lock = ({ repo }: Place) => copyFile(join(place.repo, name), join(repo, name));
    return { env, lock, cleanup };
  }
});

type Place = Parameters<typeof terraform>[0];

/** A separate folder for a root. */
async function newPlace(): Promise<{ place: Place; cleanup: () => Promise<void> }> {
  const { path, cleanup } = await dir({ prefix: "do-bootstrap-test-", unsafeCleanup: true });
  const repo = join(path, "root");
  await mkdir(repo);
  return { place: { root: path, repo, tmp: path, env: { HOME: path, TMPDIR: path } }, cleanup };
}

/** How a missing scope shows. */
function whyFailed(
  requests: readonly CloudRequest[],
  status: number | undefined,
  stderr: string,
): string | undefined {
  const refused = requests.find(isRefused);
  if (refused !== undefined) return `403 on ${refused.method} ${refused.path}`;
  if (status === 2) return "the plan shows a change";
  return /precondition failed/.test(stderr) ? "a value is missing" : undefined;
}

function isRefused({ status }: CloudRequest): boolean {
  return status === 403;
}

/** The same promise for every caller. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
