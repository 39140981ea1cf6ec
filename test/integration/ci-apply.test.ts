import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KEY_SCOPES } from "../../src/concerns/token/needed-scopes.ts";
import { OPENSSL } from "../fixtures/certificate.ts";
import { type GithubBench, onGithub, READS } from "../fixtures/github/bench.ts";
import { type GithubOptions, isRealGh } from "../fixtures/github/github.ts";
import { hasProc, needsProc } from "../fixtures/proc.ts";
import { type KeysBench, keysBench } from "../fixtures/spaces/bench.ts";
import { ASKS, needsScript, start } from "../fixtures/terminal.ts";
import { randomToken, workbench } from "../fixtures/workbench.ts";

const missing = OPENSSL ? "" : " (needs openssl)";
const APPLY = ["ci", "github", "--apply", "--yes"];
const OWN_BACKEND = `terraform {
  backend "s3" {
    bucket = "b"
    key    = "k"
    region = "r"
  }
}
`;

/** A repo on GitHub whose code has a backend of its own, and two tokens for its pipeline. */
async function bench(options: GithubOptions = {}): Promise<GithubBench> {
  const own = await workbench();
  await own.write(".do-bootstraprc", JSON.stringify({ project: "acme", terraform: {} }));
  await own.write("main.tf", OWN_BACKEND);
  return onGithub(own, options);
}

/** The state is in a bucket of the config: the repo's own token creates the pipeline's keys. */
async function benchWithKeys(options: GithubOptions = {}): Promise<GithubBench & KeysBench> {
  const keys = await keysBench({ delay: 0, buckets: { "acme-tfstate": true } });
  const { HTTPS_PROXY: others = "" } = keys.spacesEnv;
  keys.sandbox.accept(keys.token, { scopes: ["account:read", ...KEY_SCOPES] });
  return onGithub(keys, { ...options, others });
}

/** "" if the process is gone. */
function commandLineOf(pid: string): string {
  if (!/^\d+$/.test(pid)) return "";
  try {
    return readFileSync(join("/proc", pid, "cmdline"), "utf8");
  } catch {
    return "";
  }
}

const CUSTOM = { protected_branches: false, custom_branch_policies: true };

/** The Spaces key that GitHub has for an environment. */
function pairOf({ github }: GithubBench, purpose: string): (string | undefined)[] {
  const { secrets } = github.environments.get(`digitalocean-${purpose}`) ?? {};
  return ["SPACES_ACCESS_KEY_ID", "SPACES_SECRET_ACCESS_KEY"].map((name) => secrets?.get(name));
}

describe.skipIf(missing !== "")(
  `ci github --apply with ${isRealGh ? "the real gh" : "a fake gh"}${missing}`,
  () => {
    it("creates the environments and stores each token where it belongs", async () => {
      const its = await bench();
      const { status, stderr } = await its.run(APPLY, { env: its.tokens });
      expect([status, stderr]).toEqual([
        0,
        expect.stringContaining("+ environment digitalocean-plan"),
      ]);
      expect(its.github.writes).toEqual([
        "PUT environments/digitalocean-plan 200",
        "PUT environments/digitalocean-plan/secrets/DIGITALOCEAN_TOKEN_PLAN 201",
        "PUT environments/digitalocean-apply 200",
        "POST environments/digitalocean-apply/deployment-branch-policies 200",
        "PUT environments/digitalocean-apply/secrets/DIGITALOCEAN_TOKEN_APPLY 201",
      ]);
      const [plan, apply] = ["plan", "apply"].map((name) =>
        its.github.environments.get(`digitalocean-${name}`),
      );
      expect(plan?.secrets).toEqual(new Map([["DIGITALOCEAN_TOKEN_PLAN", its.plan]]));
      expect(apply?.secrets).toEqual(new Map([["DIGITALOCEAN_TOKEN_APPLY", its.apply]]));
      expect(apply?.branches).toEqual(["main"]);
      expect(apply?.settings).toEqual({
        deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
        reviewers: [{ type: "User", id: 42 }],
      });
      for (const token of [its.plan, its.apply]) expect(stderr).not.toContain(token);
    });

    it("does nothing the second time, and replaces everything with --renew", async () => {
      const its = await bench();
      await its.run(APPLY, { env: its.tokens });
      its.github.writes.length = 0;
      const again = await its.run(APPLY);
      expect([again.status, its.github.writes]).toEqual([0, []]);
      const renewed = await its.run([...APPLY, "--renew"], { env: its.tokens });
      expect(renewed.status).toBe(0);
      expect(its.github.writes.map((each) => each.replace(/.*\/(\w+) 201/, "$1"))).toEqual([
        "DIGITALOCEAN_TOKEN_PLAN",
        "DIGITALOCEAN_TOKEN_APPLY",
      ]);
    });

    it("shows every step and writes nothing with --dry-run", async () => {
      const its = await bench();
      const { status, stdout } = await its.run(["ci", "github", "--apply", "--dry-run"]);
      expect([status, stdout]).toEqual([
        0,
        expect.stringMatching(
          /\+ environment digitalocean-plan[\s\S]*\+ secret DIGITALOCEAN_TOKEN_PLAN[\s\S]*\+ environment digitalocean-apply [^\n]*reviewed by octo, if GitHub allows it here\n\+ branch main/,
        ),
      ]);
      expect(its.github.writes).toEqual([]);
    });

    it("goes on without reviewers where GitHub has none, and says so each time", async () => {
      const its = await bench({ isFree: true });
      for (const env of [its.tokens, {}]) {
        const { status, stderr } = await its.run(APPLY, { env });
        expect([status, stderr]).toEqual([0, expect.stringContaining("[ci.no-reviewers]")]);
      }
      const apply = its.github.environments.get("digitalocean-apply");
      expect([apply?.branches, apply?.settings["reviewers"]]).toEqual([["main"], undefined]);
    });

    it("stops after a failure, and the next run goes on", async () => {
      const its = await bench();
      its.github.failAt(3, 500);
      const { status, stderr } = await its.run(APPLY, { env: its.tokens });
      expect([status, stderr]).toEqual([
        3,
        expect.stringMatching(
          /environment digitalocean-apply: GitHub answers 500: no\. \[ci\.not-app/,
        ),
      ]);
      expect(stderr).toMatch(/! 4 changes made, but 3 errors to fix\./);
      expect(its.github.environments.has("digitalocean-apply")).toBe(false);
      const next = await its.run(APPLY, { env: its.tokens });
      expect([next.status, its.github.environments.size]).toEqual([0, 2]);
    });

    it.skipIf(!hasProc)(`puts no secret on a command line${needsProc}`, async () => {
      const its = await benchWithKeys();
      const env = {
        ...its.spacesEnv,
        ...its.github.env,
        ...its.tokens,
        DIGITALOCEAN_TOKEN: its.token,
      };
      const child = its.start(APPLY, { env });
      const lines = new Set<string>();
      let isOver = false;
      child.once("close", () => {
        isOver = true;
      });
      while (!isOver) {
        for (const pid of readdirSync("/proc")) lines.add(commandLineOf(pid));
        await new Promise(setImmediate);
      }
      const all = [...lines].join("\n");
      expect(all).toContain("secret\0set\0DIGITALOCEAN_TOKEN_PLAN");
      const keys = [...its.account.keys.values()].flatMap(({ id, secret }) => [id, secret]);
      expect(keys).toHaveLength(4);
      for (const secret of [its.plan, its.apply, its.token, ...keys])
        expect(all).not.toContain(secret);
    });

    it.each<
      [
        what: string,
        given: (its: GithubBench) => Readonly<Record<string, string | undefined>>,
        status: number,
        said: RegExp,
      ]
    >([
      [
        "a token for plan whose scopes are unknown",
        ({ tokens, sandbox }) => {
          sandbox.answer("GET /v1/oauth/token/info", { status: 503 });
          return tokens;
        },
        4,
        /did not say what the token for digitalocean-plan may do/,
      ],
      ["no token", () => ({}), 4, /set them for this command only: DIGITALOCEAN_TOKEN_PLAN, DIG/],
      [
        "one token for both",
        ({ plan }) => ({ DIGITALOCEAN_TOKEN_PLAN: plan, DIGITALOCEAN_TOKEN_APPLY: plan }),
        4,
        /would have the same token\. Then every branch can make changes with it\. \[ci\.token\]/,
      ],
      [
        "a plan token that can make changes",
        ({ plan, apply }) => ({ DIGITALOCEAN_TOKEN_PLAN: apply, DIGITALOCEAN_TOKEN_APPLY: plan }),
        4,
        /can make changes \(droplet:create\)\. Every branch of the repo gets it\. \[ci\.token\]/,
      ],
      [
        "a token that DigitalOcean refuses",
        ({ apply }) => ({
          DIGITALOCEAN_TOKEN_PLAN: randomToken(),
          DIGITALOCEAN_TOKEN_APPLY: apply,
        }),
        4,
        /DigitalOcean refuses the token for digitalocean-plan\. \[ci\.token\]/,
      ],
      [
        "a browser login",
        ({ plan, apply, sandbox }) => {
          const login = plan.replace("dop", "doo");
          sandbox.accept(login, { scopes: READS });
          return { DIGITALOCEAN_TOKEN_PLAN: login, DIGITALOCEAN_TOKEN_APPLY: apply };
        },
        4,
        /belongs to a browser login, which ends after about an hour/,
      ],
    ])("sends nothing with %s", async (_, given, status, said) => {
      const its = await bench();
      const result = await its.run(APPLY, { env: given(its) });
      expect([result.status, result.stderr]).toEqual([status, expect.stringMatching(said)]);
      expect(its.github.writes).toEqual([]);
    });

    it.each<[what: string, options: GithubOptions, said: RegExp]>([
      ["an archived repo", { repo: { archived: true } }, /archived[\s\S]*\[ci\.wrong-repo\]/],
      [
        "a repo without admin rights",
        { repo: { permissions: { admin: false } } },
        /no admin of acme\/web[\s\S]*\[ci\.wrong-repo\]/,
      ],
      [
        "a fork that nobody named",
        { repo: { fork: true, parent: { full_name: "up/web" } } },
        /is a fork of up\/web\. \[ci\.wrong-repo\]\n {2}→ If the pipeline should run there: do-bootstrap ci github --apply --repo acme\/web/,
      ],
      [
        "a repo that was renamed",
        { repo: { full_name: "other/web" } },
        /acme\/web is now other\/web[\s\S]*--repo other\/web/,
      ],
      [
        "an app instead of a person",
        { user: [403] },
        /did not say who gh's user is \(status 403\)/,
      ],
      ["a gh that is not logged in", { isLoggedOut: true }, /gh is not logged in to github\.com/],
    ])("sends nothing to %s", async (_, options, said) => {
      const its = await bench(options);
      const { status, stderr } = await its.run(APPLY, { env: its.tokens });
      expect([status === 0, stderr]).toEqual([false, expect.stringMatching(said)]);
      expect(its.github.writes).toEqual([]);
    });

    it("accepts such tokens with --accept-tokens", async () => {
      const its = await bench();
      const both = { DIGITALOCEAN_TOKEN_PLAN: its.apply, DIGITALOCEAN_TOKEN_APPLY: its.apply };
      expect((await its.run([...APPLY, "--accept-tokens"], { env: both })).status).toBe(0);
    });

    it("says in JSON what was done, and that nothing is left", async () => {
      const its = await bench();
      const { stdout } = await its.run([...APPLY, "--json"], { env: its.tokens });
      const { applied, pending } = JSON.parse(stdout);
      const repo = { repo: "github.com/acme/web", environment: "digitalocean-apply" };
      expect(pending).toEqual([]);
      expect(applied).toHaveLength(7);
      expect(applied).toContainEqual(
        expect.objectContaining({ ...repo, kind: "github-branch", branch: "main" }),
      );
    });

    it("refuses tokens of another team than the config's", async () => {
      const its = await bench();
      const team = "00000000-0000-4000-8000-000000000000";
      await its.write(
        ".do-bootstraprc",
        JSON.stringify({ project: "acme", terraform: {}, account: { team } }),
      );
      const { status, stderr } = await its.run(APPLY, { env: its.tokens });
      expect([status, stderr]).toEqual([4, expect.stringContaining("[token.wrong-team]")]);
      expect(its.github.writes).toEqual([]);
    });

    it("asks which repo, if the remotes are several", async () => {
      const its = await bench();
      await its.git("remote", "add", "other", "https://github.com/up/web");
      const { stderr } = await its.run(APPLY, { env: its.tokens });
      expect(stderr).toContain("github.com/acme/web and github.com/up/web. [ci.no-repo]");
      const chosen = await its.run([...APPLY, "--repo", "acme/web"], { env: its.tokens });
      expect(chosen.status).toBe(0);
    });

    it.each<[what: string, policy: object | null, branches: string[], said: RegExp]>([
      ["no rules", null, [], /every branch may use it/],
      ["protected branches", { protected_branches: true }, [], /all protected branches may use it/],
      ["a pattern", CUSTOM, ["*"], /\* may use it/],
      ["another branch", CUSTOM, ["release"], /release may use it/],
      ["another branch too", CUSTOM, ["main", "release"], /main and release may use it/],
    ])("sends nothing if the environment for apply has %s", async (_, policy, branches, said) => {
      const its = await bench();
      const settings = { deployment_branch_policy: policy };
      its.github.environments.set("digitalocean-apply", { branches, secrets: new Map(), settings });
      const { status, stderr } = await its.run(APPLY, { env: its.tokens });
      expect([status, stderr]).toEqual([3, expect.stringMatching(said)]);
      expect(stderr).toContain("[ci.open-environment]");
      expect(its.github.writes).toEqual([]);
    });

    it("stores nothing if somebody changed an environment while a person was asked", async () => {
      const its = await bench();
      // The repo, the user and two environments that do not exist.
      its.github.onRead = (read) => {
        const settings = { deployment_branch_policy: null };
        const theirs = { branches: [], secrets: new Map(), settings };
        if (read === 5) its.github.environments.set("digitalocean-apply", theirs);
      };
      const { status, stderr } = await its.run(APPLY, { env: its.tokens });
      expect([status, stderr]).toEqual([
        3,
        expect.stringContaining(
          "digitalocean-apply on github.com was changed while you were asked",
        ),
      ]);
      expect(its.github.writes).toEqual([]);
    });

    it("goes on with an environment that a stopped run left without its branch", async () => {
      const its = await bench();
      const settings = { deployment_branch_policy: CUSTOM };
      its.github.environments.set("digitalocean-apply", {
        branches: [],
        secrets: new Map(),
        settings,
      });
      const { status, stderr } = await its.run(APPLY, { env: its.tokens });
      expect([status, stderr]).toEqual([0, expect.stringContaining("[ci.no-reviewers]")]);
      expect(its.github.environments.get("digitalocean-apply")?.branches).toEqual(["main"]);
    });

    it("creates a Spaces key for each environment: that for plan only reads", async () => {
      const its = await benchWithKeys();
      const maker = { DIGITALOCEAN_TOKEN: its.token };
      const dry = await its.run(["ci", "github", "--apply", "--dry-run"], { env: maker });
      expect([dry.stdout, its.account.calls]).toEqual([
        expect.stringMatching(/a new Spaces key that reads only acme-tfstate/),
        [],
      ]);
      const { status, stderr } = await its.run(APPLY, { env: { ...its.tokens, ...maker } });
      expect([status, stderr]).toEqual([
        0,
        expect.stringContaining("+ secrets SPACES_ACCESS_KEY_ID"),
      ]);
      expect(its.left().keys).toEqual([
        "do-bootstrap-acme-ci-plan-*: read acme-tfstate",
        "do-bootstrap-acme-ci-apply-*: readwrite acme-tfstate",
      ]);
      expect(["plan", "apply"].map((name) => pairOf(its, name))).toEqual(
        [...its.account.keys.values()].map(({ id, secret }) => [id, secret]),
      );
    });

    it.each<[what: string, renew: boolean, failsAt: number]>([
      ["the secret of a key", false, 4],
      ["the id of a key that replaces another", true, 3],
      ["the secret of a key that replaces another", true, 4],
    ])(
      "without an answer to %s, no pair is of two keys, and the next run goes on",
      async (_, renew, at) => {
        const its = await benchWithKeys();
        const env = { ...its.tokens, DIGITALOCEAN_TOKEN: its.token };
        if (renew) await its.run(APPLY, { env });
        its.github.failAt(at, 500);
        const failed = await its.run(renew ? [...APPLY, "--renew"] : APPLY, { env });
        expect([failed.status, failed.stderr]).toEqual([
          3,
          expect.stringContaining("[ci.not-applied]"),
        ]);
        expect(pairOf(its, "plan")).toContain(undefined);
        expect((await its.run(APPLY, { env })).status).toBe(0);
        const pairs = [...its.account.keys.values()].map(({ id, secret }) => [id, secret]);
        for (const name of ["plan", "apply"]) expect(pairs).toContainEqual(pairOf(its, name));
        expect((await its.run(["check"], { env })).stdout).not.toContain("spaces.unfinished");
      },
    );

    it.skipIf(!isRealGh)(
      "killed at any write, no complete pair is dead, and the next run goes on",
      async () => {
        const its = await benchWithKeys();
        const env = { ...its.tokens, DIGITALOCEAN_TOKEN: its.token };
        const isAlive = ([id, secret]: (string | undefined)[]) =>
          id === undefined || secret === undefined || its.account.keys.get(id)?.secret === secret;
        const purposes = ["plan", "apply"];
        for (let at = 1; at <= 9; at++) {
          its.github.environments.clear();
          its.github.writes.length = 0;
          const child = its.start(APPLY, { env: { ...its.spacesEnv, ...its.github.env, ...env } });
          its.github.onWrite = (write) => {
            if (write === at) child.kill("SIGKILL");
          };
          await once(child, "close");
          its.github.onWrite = undefined;
          expect(its.github.writes.length).toBeGreaterThanOrEqual(at - 1);
          for (const name of purposes) expect([at, isAlive(pairOf(its, name))]).toEqual([at, true]);
          const next = await its.run(APPLY, { env });
          expect([at, next.status, next.stderr, its.github.environments.size]).toEqual([
            at,
            0,
            expect.anything(),
            2,
          ]);
          for (const name of purposes) {
            expect(pairOf(its, name)).not.toContain(undefined);
            expect([at, isAlive(pairOf(its, name))]).toEqual([at, true]);
          }
        }
      },
      120_000,
    );

    it.skipIf(needsScript !== "")(
      `asks for each token on a terminal${needsScript}`,
      async (context) => {
        const its = await bench();
        const terminal = start(context, its, ["ci", "github", "--apply"], {
          ...{ columns: 100, env: its.github.env },
        });
        await terminal.waitFor(/For digitalocean-plan on GitHub: a token that only reads\./);
        await terminal.waitFor(ASKS);
        terminal.type(`${its.plan}\r`);
        await terminal.waitFor(/For digitalocean-apply on GitHub: a token that can make changes/);
        await terminal.waitFor(ASKS);
        terminal.type(`${its.apply}\r`);
        await terminal.waitFor(/Make these 7 changes, 5 of them outside this machine\?/);
        expect(its.github.writes).toEqual([]);
        terminal.type("y");
        expect(await terminal.exit).toBe(0);
        expect(its.github.environments.get("digitalocean-apply")?.secrets.size).toBe(1);
      },
    );

    it.skipIf(needsScript !== "")(
      `is offered on a terminal, and a no writes the pipeline only${needsScript}`,
      async (context) => {
        const its = await bench();
        const line = { columns: 100, env: its.github.env };
        const terminal = start(context, its, ["ci", "github"], line);
        await terminal.waitFor(
          /environments and secrets on github\.com\/acme\/web, with your own gh\?/,
        );
        terminal.type("n");
        await terminal.waitFor(/Make this change\?/);
        terminal.type("y");
        expect(await terminal.exit).toBe(0);
        expect([its.github.reads, its.github.writes]).toEqual([0, []]);
      },
    );

    it("without the scopes for a Spaces key, nothing is sent", async () => {
      const its = await benchWithKeys();
      const env = { ...its.tokens, DIGITALOCEAN_TOKEN: its.plan };
      const { status, stderr } = await its.run(APPLY, { env });
      expect([status, stderr]).toEqual([5, expect.stringContaining("[spaces.lacks-scopes]")]);
      expect(its.github.writes).toEqual([]);
    });
  },
);
