import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/secret/secret.ts";
import { OPENSSL } from "../fixtures/certificate.ts";
import { type GithubBench, onGithub } from "../fixtures/github/bench.ts";
import type { GithubOptions } from "../fixtures/github/github.ts";
import { randomToken, workbench } from "../fixtures/workbench.ts";

const missing = OPENSSL ? "" : " (needs openssl)";
const RECORD = "do-bootstrap.pipeline.json";
const PLAN = "DIGITALOCEAN_TOKEN_PLAN";
const APPLY = "DIGITALOCEAN_TOKEN_APPLY";
const REMOTE = "github.com/acme/web";
const OWN_BACKEND = `terraform {
  backend "s3" {
    bucket = "b"
    key    = "k"
    region = "r"
  }
}
`;

interface Scene extends GithubBench {
  /** The new token. */
  readonly fresh: string;
  /** The token of the pipeline's places, by purpose. */
  stored(purpose: "plan" | "apply"): string | undefined;
  record(): Promise<Entry[]>;
  rotate(...args: string[]): ReturnType<GithubBench["run"]>;
  /** Whether DigitalOcean refuses the old token. */
  isRevoked(): Promise<boolean>;
}

interface Entry {
  readonly environment: string;
  readonly secret: string;
  readonly token?: string;
  readonly was?: string | null;
  readonly is?: string;
  readonly replaces?: readonly string[];
}

interface Said {
  readonly id: string;
  readonly level: string;
  readonly message: string;
  readonly fix: string | null;
}

const fingerprint = (token: string) => Secret.of(token, { kind: "stdin" }).fingerprint;

const CUSTOM = { protected_branches: false, custom_branch_policies: true };
const CONFIG = JSON.stringify({ project: "acme", terraform: {} });
const IGNORED = ".env\n.terraform/\n*.secret.auto.tfvars.json\n";

/** A pipeline whose token for apply is also the one in the env file, as ci --apply leaves it. */
async function scene(options: GithubOptions = {}): Promise<Scene> {
  const own = await workbench();
  await own.write(".do-bootstraprc", CONFIG);
  await own.write("main.tf", OWN_BACKEND);
  const its = await onGithub(own, options);
  await its.write(".gitignore", IGNORED);
  await its.write(".env", `DIGITALOCEAN_TOKEN=${its.apply}\n`, 0o600);
  const settings = { deployment_branch_policy: CUSTOM };
  const secrets = (["plan", "apply"] as const).map((purpose) => {
    const environment = `digitalocean-${purpose}`;
    const secret = purpose === "plan" ? PLAN : APPLY;
    const branches = purpose === "plan" ? [] : ["main"];
    its.github.environments.set(environment, { branches, secrets: new Map(), settings });
    its.github.store(environment, secret, its[purpose]);
    const is = its.github.dateOf(environment, secret);
    return { repo: REMOTE, environment, secret, token: fingerprint(its[purpose]), is };
  });
  await its.write(RECORD, JSON.stringify({ schemaVersion: 1, secrets }));
  const fresh = randomToken();
  its.sandbox.accept(fresh, { scopes: ["account:read", "droplet:create"] });
  return {
    ...its,
    fresh,
    stored(purpose) {
      const name = purpose === "plan" ? PLAN : APPLY;
      return its.github.environments.get(`digitalocean-${purpose}`)?.secrets.get(name);
    },
    record: async () => JSON.parse(await its.read(RECORD)).secrets,
    async isRevoked() {
      const headers = { authorization: `Bearer ${its.apply}` };
      return (await fetch(`${its.sandbox.url}/v2/account`, { headers })).status === 401;
    },
    rotate: (...args) => its.run(["rotate", "--token-stdin", "--yes", ...args], { input: fresh }),
  };
}

/** Edits the entries of the record. */
async function edit(
  { repo }: Scene,
  change: (entry: Record<string, unknown>) => object,
): Promise<void> {
  const path = join(repo, RECORD);
  const { secrets, ...rest } = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify({ ...rest, secrets: secrets.map(change) }));
}

/** A run decided on the token of a place, and ended before it was stored. */
function isDue(its: Scene, purpose: "plan" | "apply"): Promise<void> {
  return edit(its, ({ is, ...each }) =>
    each["environment"] === `digitalocean-${purpose}` ? { ...each, was: is } : { ...each, is },
  );
}

/** Adds an entry to the record. */
async function add({ repo }: Scene, entry: object): Promise<void> {
  const path = join(repo, RECORD);
  const { secrets, ...rest } = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify({ ...rest, secrets: [...secrets, entry] }));
}

/** gh is gone, as for a colleague without it. */
async function withoutGh({ bin }: Scene): Promise<() => Promise<void>> {
  await rename(join(bin, "gh"), join(bin, "no-gh"));
  return () => rename(join(bin, "no-gh"), join(bin, "gh"));
}

describe.skipIf(missing !== "")(`the pipeline's secrets${missing}`, () => {
  it("are written down by ci --apply: names, fingerprints and dates, no secret", async () => {
    const own = await workbench();
    await own.write(".do-bootstraprc", CONFIG);
    await own.write("main.tf", OWN_BACKEND);
    const its = await onGithub(own);
    const applied = await its.run(["ci", "github", "--apply", "--yes"], { env: its.tokens });
    expect(applied.status, applied.stderr).toBe(0);
    expect(JSON.parse(await its.read(RECORD)).secrets).toEqual(
      [
        ["digitalocean-apply", APPLY, its.apply],
        ["digitalocean-plan", PLAN, its.plan],
      ].map(([environment, secret, token = ""]) => ({
        ...{ repo: REMOTE, environment, secret, token: fingerprint(token) },
        is: its.github.dateOf(String(environment), String(secret)),
      })),
    );
  });

  describe("rotate", () => {
    it("stores the new token where the old one was, and names the other tokens", async () => {
      const its = await scene();
      const { status, stderr } = await its.rotate();
      expect([status, stderr]).toEqual([
        0,
        expect.stringContaining("DIGITALOCEAN_TOKEN_PLAN in digitalocean-plan ("),
      ]);
      expect(its.github.writes).toEqual([
        `PUT environments/digitalocean-apply/secrets/${APPLY} 201`,
      ]);
      expect([its.stored("plan"), its.stored("apply")]).toEqual([its.plan, its.fresh]);
      expect(await its.record()).toContainEqual(
        expect.objectContaining({ secret: APPLY, token: fingerprint(its.fresh) }),
      );
      expect(await its.read(".env")).toBe(`DIGITALOCEAN_TOKEN=${its.fresh}\n`);
    });

    it("finds the repo whatever the case of its name in the remote", async () => {
      const its = await scene();
      await its.git("remote", "set-url", "origin", "https://github.com/Acme/Web.git");
      const { status, stderr } = await its.rotate();
      expect([status, its.stored("apply")], stderr).toEqual([0, its.fresh]);
    });

    it("shows it in the dry run, and changes nothing", async () => {
      const its = await scene();
      const { status, stdout } = await its.rotate("--dry-run");
      expect([status, stdout]).toEqual([
        0,
        expect.stringContaining(
          `+ secret ${APPLY}  in digitalocean-apply on github.com, acme/web; token`,
        ),
      ]);
      expect([its.github.writes, its.stored("apply")]).toEqual([[], its.apply]);
    });

    it("revokes the old token after the pipeline has the new one", async () => {
      const its = await scene();
      const { status, stderr } = await its.rotate("--revoke");
      expect([status, its.stored("apply"), await its.isRevoked()], stderr).toEqual([
        0,
        its.fresh,
        true,
      ]);
    });

    it("revokes nothing if a secret was not stored; the next run stores it without a question", async () => {
      const its = await scene();
      its.github.failAt(1, 500);
      const { status, stderr } = await its.rotate("--revoke");
      expect([status, stderr]).toEqual([
        3,
        expect.stringMatching(/may still have its old token: [^\n]*[\s\S]*\. Do\s+not\s+delete/),
      ]);
      expect(stderr).toMatch(/! \d changes made, but 1 error to fix\./);
      expect(stderr).toContain("was not revoked: it may still be in DIGITALOCEAN_TOKEN_APPLY in");
      expect([its.stored("apply"), await its.isRevoked()]).toEqual([its.apply, false]);
      const next = await its.run(["rotate", "--yes"]);
      expect([next.status, its.stored("apply")], next.stderr).toEqual([0, its.fresh]);
    });

    it("goes on without gh, says what keeps the old token, and stores it later", async () => {
      const its = await scene();
      const back = await withoutGh(its);
      const { status, stderr } = await its.rotate();
      expect([status, stderr]).toEqual([0, expect.stringContaining("[ci.unreached]")]);
      expect(await its.read(".env")).toContain(its.fresh);
      await back();
      const next = await its.run(["rotate", "--yes"]);
      expect([next.status, its.stored("apply")], next.stderr).toEqual([0, its.fresh]);
    });

    it("reaches a secret that two rotations have missed", async () => {
      const its = await scene();
      const back = await withoutGh(its);
      await its.rotate();
      const newest = randomToken();
      its.sandbox.accept(newest, { scopes: ["account:read", "droplet:create"] });
      await its.run(["rotate", "--token-stdin", "--yes"], { input: newest });
      await back();
      await its.run(["rotate", "--yes"]);
      expect(its.stored("apply")).toBe(newest);
    });

    it.each<[what: string, break_: (its: Scene) => Promise<unknown>, said: RegExp]>([
      ["gh is missing", withoutGh, /gh is not on PATH/],
      [
        "somebody else has changed another secret",
        async ({ github, plan }) => github.store("digitalocean-plan", PLAN, plan),
        /changed by somebody else\. It was set at 2026/,
      ],
      [
        "the record names another repo",
        (its) => edit(its, (each) => ({ ...each, repo: "github.com/evil/web" })),
        /No remote of this clone is that repo/,
      ],
    ])("refuses --revoke if %s", async (_, break_, said) => {
      const its = await scene();
      await break_(its);
      const { status, stderr } = await its.rotate("--revoke");
      expect([status, stderr]).toEqual([3, expect.stringMatching(said)]);
      expect(stderr).toContain("[token.not-stored]");
      expect([its.github.writes, await its.isRevoked()]).toEqual([[], false]);
      expect(await its.read(".env")).toContain(its.apply);
    });

    it.each([[], ["--revoke"]])(
      "replaces nothing that somebody else has stored: %j",
      async (...args) => {
        const its = await scene();
        its.github.store("digitalocean-apply", APPLY, "theirs");
        const { status, stderr } = await its.rotate(...args);
        expect([status, stderr]).toEqual([
          3,
          expect.stringMatching(
            /would replace what somebody else has stored: DIGITALOCEAN_TOKEN_APPLY/,
          ),
        ]);
        expect([its.stored("apply"), await its.isRevoked()]).toEqual(["theirs", false]);
        expect(await its.read(".env")).toContain(its.apply);
      },
    );

    it.each<[what: string, entry: object]>([
      ["a path", { environment: "../../../secrets-plan" }],
      ["a name that is not ours", { secret: "AWS_SESSION_TOKEN" }],
      [
        "the token for apply in an environment for plan",
        { environment: "digitalocean-plan", secret: APPLY },
      ],
      ["a token instead of a fingerprint", { token: "x".repeat(64) }],
      ["no version", { is: "set by me" }],
      ["a token in the place of a key", { secret: "SPACES_SECRET_ACCESS_KEY" }],
    ])("refuses a record with %s", async (_, entry) => {
      const its = await scene();
      await edit(its, (each) => ({ ...each, ...entry }));
      const { status, stderr } = await its.rotate();
      expect([status, stderr]).toEqual([3, expect.stringContaining("[ci.bad-record]")]);
      expect([its.github.writes, its.stored("apply")]).toEqual([[], its.apply]);
    });

    it("stores no token for apply in an environment that other branches may use", async () => {
      const its = await scene();
      its.github.environments.get("digitalocean-apply")?.branches.push("release");
      const { status, stderr } = await its.rotate();
      expect([status, stderr]).toEqual([3, expect.stringContaining("[ci.open-environment]")]);
      expect(await its.read(".env")).toContain(its.apply);
    });

    it("stores no token for apply in an environment of another branch than the pipeline's", async () => {
      const its = await scene();
      its.github.environments.get("digitalocean-apply")?.branches.splice(0, 1, "dev");
      const { status, stderr } = await its.rotate();
      expect([status, stderr]).toEqual([3, expect.stringContaining("is only for main.")]);
      expect(its.github.writes).toEqual([]);
    });

    it("refuses a record that names a secret twice", async () => {
      const its = await scene();
      const [entry] = await its.record();
      await add(its, { ...entry, token: fingerprint(its.fresh), repo: "GitHub.com/Acme/Web" });
      const { status, stderr } = await its.rotate();
      expect([status, stderr]).toEqual([
        3,
        expect.stringMatching(
          /two entries for DIGITALOCEAN_TOKEN_PLAN in digitalocean-plan on github\.com, acme\/web/,
        ),
      ]);
      expect(its.github.writes).toEqual([]);
    });

    it("stores nothing if somebody changed the secret while a person was asked", async () => {
      const its = await scene();
      // The first look: the repo, the user, and three reads for each of two environments.
      its.github.onRead = (read) => {
        if (read === 9) its.github.store("digitalocean-apply", APPLY, "theirs");
      };
      const { status, stderr } = await its.rotate();
      expect([status, stderr]).toEqual([
        3,
        expect.stringContaining(
          "digitalocean-apply on github.com was changed while you were asked",
        ),
      ]);
      expect([its.github.writes, its.stored("apply")]).toEqual([[], "theirs"]);
      expect(await its.read(".env")).toContain(its.apply);
    });

    it("names a revocation that failed, in the next run", async () => {
      const its = await scene();
      its.sandbox.answer("POST /v1/oauth/revoke", { status: 500 });
      const failed = await its.rotate("--revoke");
      expect([failed.status, await its.isRevoked()], failed.stderr).toEqual([0, false]);
      const newest = randomToken();
      its.sandbox.accept(newest, { scopes: ["account:read", "droplet:create"] });
      const next = await its.run(["rotate", "--token-stdin", "--yes"], { input: newest });
      const told = `The old token (${fingerprint(its.apply)}) was not revoked: an earlier rotate ended`;
      expect([next.status, next.stderr]).toEqual([0, expect.stringContaining(told)]);
      const last = await its.run(["rotate", "--token-stdin", "--yes"], { input: its.fresh });
      expect(last.stderr).not.toContain(told);
    });

    it("stores no token that can make changes where every branch gets it", async () => {
      const its = await scene();
      await its.write(".env", `DIGITALOCEAN_TOKEN=${its.plan}\n`, 0o600);
      const refused = await its.rotate();
      expect([refused.status, refused.stderr]).toEqual([
        4,
        expect.stringMatching(/can make changes[\s\S]*do-bootstrap rotate --accept-tokens/),
      ]);
      const forced = await its.rotate("--force");
      expect([forced.status, its.stored("plan")], forced.stderr).toEqual([4, its.plan]);
      const accepted = await its.rotate("--accept-tokens");
      expect([accepted.status, its.stored("plan")], accepted.stderr).toEqual([0, its.fresh]);
    });

    it("stores nothing in an environment that the config does not have", async () => {
      const its = await scene();
      const settings = {};
      its.github.environments.set("evil-plan", { branches: [], secrets: new Map(), settings });
      its.github.store("evil-plan", PLAN, its.plan);
      await edit(its, (each) =>
        each["secret"] === PLAN
          ? { ...each, environment: "evil-plan", token: fingerprint(its.apply) }
          : each,
      );
      const { stderr } = await its.rotate();
      expect(stderr).toContain("of an environment that the config no longer has");
      expect(its.github.environments.get("evil-plan")?.secrets.get(PLAN)).toBe(its.plan);
      expect(its.stored("apply")).toBe(its.fresh);
    });

    it("asks nobody about a pipeline that has other tokens", async () => {
      const its = await scene();
      await its.write(".env", `DIGITALOCEAN_TOKEN=${its.token}\n`, 0o600);
      await withoutGh(its);
      const { status, stderr } = await its.rotate();
      expect([status, stderr]).toEqual([0, expect.stringContaining("has other tokens")]);
      expect(stderr).not.toContain("ci.unreached");
    });
  });

  describe("ci --apply", () => {
    it("forgets the secrets of a repo that no remote names any more, and says so", async () => {
      const its = await scene();
      const [entry] = await its.record();
      await add(its, { ...entry, repo: "github.com/acme/old", token: "0123abcd" });
      const { status, stderr } = await its.run(["ci", "github", "--apply", "--yes"]);
      expect([status, stderr]).toEqual([
        0,
        expect.stringMatching(/No git remote names github\.com, acme\/old any more[\s\S]*0123abcd/),
      ]);
      expect(await its.record()).toHaveLength(2);
    });
  });

  describe("ci --apply --renew", () => {
    it("names the tokens that nothing uses any more", async () => {
      const its = await scene();
      const tokens = [randomToken(), randomToken()];
      for (const token of tokens) its.sandbox.accept(token, { scopes: ["account:read"] });
      const env = { [PLAN]: tokens[0], [APPLY]: tokens[1] };
      const { stderr } = await its.run(["ci", "github", "--apply", "--renew", "--yes"], { env });
      const old = [its.plan, its.apply].map(fingerprint).join(" and ");
      expect(stderr).toContain(`The pipeline no longer uses tokens ${old}`);
    });
  });

  describe("check --remote", () => {
    it.each<[what: string, change: (its: Scene) => unknown, isError: boolean, said: RegExp]>([
      [
        "all is right",
        () => undefined,
        false,
        /All 2 secrets of the pipeline on github\.com, acme\/web/,
      ],
      [
        "a secret is older than it should be",
        (its) => isDue(its, "plan"),
        true,
        /TOKEN_PLAN in digitalocean-plan[^\n]* is older than what it should hold[^\n]*[\s\S]*ci github --apply asks/,
      ],
      [
        "GitHub was not reached when it was decided what a secret should hold",
        (its) => edit(its, ({ is: _, ...each }) => each),
        true,
        /\[ci\.secret-older\]/,
      ],
      [
        "a run ended after it stored a secret, and before it looked again",
        (its) => edit(its, ({ is: _, ...each }) => ({ ...each, was: "2026-11-29T00:00:00Z" })),
        true,
        /TOKEN_PLAN in digitalocean-plan[^\n]* may not hold what it should/,
      ],
      [
        "it should hold the token that is here",
        (its) => isDue(its, "apply"),
        true,
        /is older[\s\S]*do-bootstrap rotate stores it/,
      ],
      [
        "a secret is gone",
        ({ github }) => github.environments.get("digitalocean-plan")?.secrets.clear(),
        true,
        /There is no DIGITALOCEAN_TOKEN_PLAN in digitalocean-plan/,
      ],
      [
        "somebody changed a secret",
        ({ github, plan }) => github.store("digitalocean-plan", PLAN, plan),
        false,
        /\[ci\.secret-changed\]/,
      ],
      [
        "gh is missing",
        withoutGh,
        true,
        /were not looked at\. gh is not on PATH\. \[ci\.not-checked\]/,
      ],
      [
        "other branches may use the environment for apply",
        ({ github }) => github.environments.get("digitalocean-apply")?.branches.push("*"),
        true,
        /\[ci\.open-environment\]/,
      ],
      [
        "only another branch may use the environment for apply",
        ({ github }) => github.environments.get("digitalocean-apply")?.branches.splice(0, 1, "dev"),
        true,
        /dev may use it\. The token that can make changes is only for main\./,
      ],
    ])("%s", async (_, change, isError, said) => {
      const its = await scene();
      await change(its);
      const { stdout } = await its.run(["check", "--remote", "--json"]);
      const findings = (JSON.parse(stdout).findings as Said[]).filter(({ id }) =>
        id.startsWith("ci."),
      );
      const texts = findings.map(({ id, message, fix }) => `${message} [${id}] → ${fix}`);
      expect(texts.join("\n")).toMatch(said);
      expect(findings.some(({ level }) => level === "error")).toBe(isError);
    });

    it("is asked for: a plain check does not ask GitHub", async () => {
      const its = await scene();
      const before = its.github.reads;
      await its.run(["check"]);
      expect(its.github.reads).toBe(before);
    });
  });

  describe("logout", () => {
    it("only names the secrets without --remote", async () => {
      const its = await scene();
      const { stderr } = await its.run(["logout", "--yes"]);
      expect(stderr).toContain("2 secrets of the pipeline stay on github.com, acme/web.");
      expect(its.github.writes).toEqual([]);
    });

    it("removes them by name with --all --remote, and then forgets them", async () => {
      const its = await scene();
      const others = its.github.environments.get("digitalocean-plan")?.secrets;
      others?.set("OTHER", "kept");
      const { status, stderr } = await its.run(["logout", "--all", "--remote", "--yes"]);
      expect(status, stderr).toBe(0);
      expect([its.stored("plan"), its.stored("apply"), others?.get("OTHER")]).toEqual([
        undefined,
        undefined,
        "kept",
      ]);
      await expect(its.read(RECORD)).rejects.toThrow("ENOENT");
      expect(stderr).toContain(fingerprint(its.plan));
    });

    it("says which secrets are of other environments", async () => {
      const its = await scene();
      await its.write(
        ".do-bootstraprc",
        JSON.stringify({ project: "acme", terraform: {}, environments: { prod: {}, dev: {} } }),
      );
      await its.git("add", "--all");
      const { stderr } = await its.run(["logout", "--env", "dev", "--remote", "--yes"]);
      expect(stderr).toContain(
        "no secret for a pipeline of this environment. It has stored some in",
      );
      expect(stderr).not.toContain("no secret for a pipeline here");
    });

    it("only says that a bad record is bad", async () => {
      const its = await scene();
      await edit(its, (each) => ({ ...each, repo: "../.." }));
      const { status, stderr } = await its.run(["logout", "--remote", "--yes"]);
      expect([status, stderr]).toEqual([3, expect.stringContaining("[ci.bad-record]")]);
      expect(stderr).not.toContain("no secret");
    });

    it("names the tokens that a deleted secret may have held", async () => {
      const its = await scene();
      await edit(its, (each) => ({ ...each, is: undefined, replaces: ["0123abcd"] }));
      const { stderr } = await its.run(["logout", "--all", "--remote", "--yes"]);
      expect(stderr).toMatch(/stays valid until you delete it: tokens[^→]*0123abcd/);
    });

    it("names the very command that failed, and does not call it a success", async () => {
      const its = await scene();
      its.github.failAt(1, 500);
      const { stderr } = await its.run(["logout", "--remote", "--yes"]);
      expect(stderr).toMatch(
        /GitHub answers 500: no\. \[ci\.not-applied\]\n {2}→ do-bootstrap logout --remote\n/,
      );
      expect(stderr).toMatch(/! \d changes made, but 1 error to fix\./);
    });

    it("keeps the name of a secret that could not be deleted, for the next run", async () => {
      const its = await scene();
      its.github.failAt(1, 500);
      const { status, stderr } = await its.run(["logout", "--all", "--remote", "--yes"]);
      expect([status, stderr]).toEqual([
        3,
        expect.stringContaining("was not deleted: GitHub answ"),
      ]);
      expect((await its.record()).map(({ secret }) => secret)).toEqual([PLAN]);
      const next = await its.run(["logout", "--all", "--remote", "--yes"]);
      expect([next.status, its.stored("plan")], next.stderr).toEqual([0, undefined]);
    });

    it("fails without gh, but logs out here", async () => {
      const its = await scene();
      await withoutGh(its);
      const { status, stderr } = await its.run(["logout", "--all", "--remote", "--yes"]);
      expect([status, stderr]).toEqual([
        3,
        expect.stringContaining("were not looked at. gh is not on"),
      ]);
      expect(await its.read(".env")).not.toContain(its.apply);
      expect(await its.record()).toHaveLength(2);
    });

    it("forgets secrets that somebody has deleted", async () => {
      const its = await scene();
      for (const { secrets } of its.github.environments.values()) secrets.clear();
      await its.run(["logout", "--all", "--remote", "--yes"]);
      await expect(its.read(RECORD)).rejects.toThrow("ENOENT");
    });
  });
});
