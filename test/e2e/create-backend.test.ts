import { once } from "node:events";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OPENSSL } from "../fixtures/certificate.ts";
import type { AccountOptions } from "../fixtures/spaces/account.ts";
import { CREATE, type KeysBench, keysBench, OURS, TEMPORARY } from "../fixtures/spaces/bench.ts";
import { needsScript, start } from "../fixtures/terminal.ts";
import type { Workbench } from "../fixtures/workbench.ts";

const withTls = OPENSSL ? "" : " (needs openssl)";
/** What a key for the state may do. */
const KEY = `${OURS}: readwrite acme-tfstate`;

describe.skipIf(withTls !== "")(`--create-backend${withTls}`, () => {
  it("creates the bucket and a key for it only, and deletes the temporary key", async () => {
    const its = await keysBench({ delay: 2 });
    const { status, stderr } = await its.init(...CREATE);
    expect([status, stderr]).toEqual([0, expect.stringContaining("+ bucket acme-tfstate")]);
    expect(its.account.calls).toEqual([
      `POST ${TEMPORARY} 201`,
      `DELETE ${TEMPORARY} 204`,
      `POST ${OURS} 201`,
    ]);
    expect(its.left()).toEqual({
      keys: [KEY],
      buckets: ["acme-tfstate"],
    });
    expect(its.account.buckets.get("acme-tfstate")?.isVersioned).toBe(true);
    const [key] = its.account.keys.values();
    expect(await its.envKeys()).toEqual({
      SPACES_ACCESS_KEY_ID: key?.id,
      SPACES_SECRET_ACCESS_KEY: key?.secret,
    });
    expect((await stat(join(its.repo, ".env"))).mode & 0o777).toBe(0o600);
    expect(await its.read("backend.tf")).toContain("use_lockfile");
    expect(stderr).not.toContain(key?.secret);
    expect(stderr).not.toContain(key?.id);
  });

  it("does nothing the second time", async () => {
    const its = await keysBench();
    await its.init(...CREATE);
    its.account.calls.length = 0;
    const again = await its.init(...CREATE);
    expect([again.status, again.stderr]).toEqual([0, expect.stringContaining("nothing to change")]);
    const key = await its.run(["backend", "key", "--yes"]);
    expect(key.stderr).toMatch(/already, so none is created\. \[spaces\.has-keys\]/);
    expect(its.account.calls).toEqual([]);
    const check = await its.run(["check"]);
    expect(check.stdout).not.toContain("spaces.");
  });

  it("uses a bucket that exists, and does not touch it", async () => {
    const its = await keysBench({ buckets: { "acme-tfstate": true } });
    expect((await its.init(...CREATE)).status).toBe(0);
    expect(its.account.buckets.get("acme-tfstate")).toMatchObject({ isVersioned: false });
    expect(its.left().keys).toEqual([KEY]);
  });

  it("warns where Spaces keeps no versions", async () => {
    const its = await keysBench({ isWithoutVersions: true });
    const { status, stderr } = await its.init(...CREATE);
    expect([status, stderr]).toEqual([0, expect.stringContaining("[spaces.unversioned]")]);
  });

  it("shows everything and makes nothing with --dry-run", async () => {
    const its = await keysBench();
    const { status, stdout } = await its.init(...CREATE, "--dry-run");
    expect(stdout).toMatch(/\+ bucket acme-tfstate[\s\S]*\+ Spaces key\s[\s\S]*reads and writes/);
    expect([status, its.account.calls, its.left()]).toEqual([0, [], { keys: [], buckets: [] }]);
  });

  it.each<[what: string, options: AccountOptions, status: number, said: RegExp]>([
    [
      "a bucket of another team",
      { buckets: { "acme-tfstate": false } },
      1,
      /belongs to somebody else[\s\S]*\[BUCKET_TAKEN\]\n {2}→ Set another name/,
    ],
    [
      "a bucket in another region",
      { always: [301, "PermanentRedirect"] },
      1,
      /not in nyc3, but in another region[\s\S]*\[BUCKET_TAKEN\]/,
    ],
    [
      "a clock that is wrong",
      { always: [403, "RequestTimeTooSkewed"] },
      1,
      /clock of this machine is wrong[\s\S]*\[SPACES_FAILED\]\n {2}→ Set the clock/,
    ],
    ["a token without the scopes", { isForbidden: true }, 5, /403[\s\S]*\[spaces\.lacks-scopes\]/],
  ])("%s: a clear error, and nothing is left", async (_, options, status, said) => {
    const its = await keysBench(options);
    const result = await its.init(...CREATE);
    expect([result.status, result.stderr]).toEqual([status, expect.stringMatching(said)]);
    expect(its.left().keys).toEqual([]);
    await expect(its.read("backend.tf")).rejects.toThrow("ENOENT");
    expect((await its.run(["check"])).stdout).not.toContain("spaces.unfinished");
  });

  it("no network half way: names what may be left, and the next run deletes it", async () => {
    let isDown = false;
    const its = await keysBench({
      delay: 0,
      isDown: () => isDown,
      lose(at) {
        isDown ||= at === 5;
        return false;
      },
    });
    // Of a process that is gone: what a run in progress has created isn't left over.
    const { status, stderr } = await its.run(["--token-stdin", "--yes", ...CREATE], {
      input: its.token,
      process: true,
    });
    expect([status, stderr]).toEqual([
      7,
      expect.stringMatching(
        /unreachable[\s\S]*there may be: Spaces key do-bootstrap-temporary-\w{8} and bucket acme-tfstate\. The next run goes on with it\. \[SPACES_UNREACHABLE\]/,
      ),
    ]);
    expect(its.left().keys).toEqual([`${TEMPORARY}: fullaccess`]);
    isDown = false;
    expect(await its.run(["check"], { env: { DIGITALOCEAN_TOKEN: its.token } })).toMatchObject({
      stdout: expect.stringContaining("[spaces.unfinished]"),
    });
    expect((await its.run(["uninstall", "--dry-run"])).stdout).toContain("do-bootstrap-temporary-");
    expect((await its.init(...CREATE)).status).toBe(0);
    expect(its.left().keys).toEqual([KEY]);
  });

  it.each<[what: string, args: string[], config: object | undefined, status: number, said: RegExp]>(
    [
      [
        "another name",
        ["--create-backend", "b"],
        undefined,
        2,
        /the config's bucket is acme-tfstate/,
      ],
      ["no backend", CREATE, { project: "acme" }, 2, /The config names no bucket for the state/],
    ],
  )("refuses %s", async (_, args, config, status, said) => {
    const its = await keysBench({}, config);
    const result = await its.init(...args);
    expect([result.status, result.stderr]).toEqual([status, expect.stringMatching(said)]);
    expect(its.account.calls).toEqual([]);
  });

  it("refuses in CI, where keys are secrets of the pipeline", async () => {
    const its = await keysBench();
    const result = await its.run(["--token-stdin", "--yes", ...CREATE], {
      input: its.token,
      env: { CI: "true" },
    });
    expect([result.status, result.stderr]).toEqual([2, expect.stringContaining("[spaces.in-ci]")]);
    expect(its.account.calls).toEqual([]);
  });

  it("names the scopes that the token lacks before anything is made", async () => {
    const its = await keysBench();
    its.sandbox.accept(its.token, { scopes: ["account:read", "spaces_key:read"] });
    const { status, stderr } = await its.init(...CREATE);
    expect([status, stderr]).toEqual([
      5,
      expect.stringMatching(/spaces_key:create_credentials, spaces_key:delete\. \[spaces\.lacks/),
    ]);
    expect(its.account.calls).toEqual([]);
  });

  it("deletes the key again if the lock does not work", async () => {
    const its = await keysBench({ ignoresConditions: true });
    const result = await its.init(...CREATE);
    expect([result.status, result.stderr]).toEqual([3, expect.stringContaining("[backend.lock]")]);
    expect(its.left().keys).toEqual([]);
  });
});

describe.skipIf(withTls !== "")(`backend key${withTls}`, () => {
  it("gives a colleague a key of their own, and keys lists both", async () => {
    const its = await keysBench();
    await its.init(...CREATE);
    // A colleague's clone has the committed files only.
    const mine = await its.envKeys();
    await its.write(".env", `DIGITALOCEAN_TOKEN=${its.token}\n`);
    const made = await its.run(["backend", "key", "--yes"]);
    expect([made.status, made.stderr]).toEqual([0, expect.stringContaining("+ Spaces key")]);
    const theirs = await its.envKeys();
    expect(theirs["SPACES_ACCESS_KEY_ID"]).not.toBe(mine["SPACES_ACCESS_KEY_ID"]);
    expect(its.left().keys).toEqual([KEY, KEY]);
    const listed = await its.run(["backend", "keys", "--json"]);
    expect(JSON.parse(listed.stdout)).toMatchObject({
      command: "backend",
      keys: [
        { grants: ["readwrite acme-tfstate"], isHere: false },
        { grants: ["readwrite acme-tfstate"], isHere: true },
      ],
    });
    const text = await its.run(["backend", "keys"]);
    expect(text.stdout).toMatch(
      /^do-bootstrap-acme-sammy-\w{8} {2}readwrite acme-tfstate, \d+ seconds? old\n.*, used here\n$/,
    );
  });

  it("lists nothing where the API knows no key", async () => {
    const its = await keysBench();
    await its.init("--token-stdin");
    const { status, stdout } = await its.run(["backend", "keys"], {
      env: { DIGITALOCEAN_TOKEN: its.token },
    });
    expect([status, stdout]).toEqual([0, "do-bootstrap has created no Spaces key for this.\n"]);
  });
});

describe.skipIf(withTls !== "")(`what the key is for${withTls}`, () => {
  it("several roots share the bucket and one key, each with a path of its own", async () => {
    const backend = { bucket: "acme-tfstate", region: "nyc3" };
    const roots = ["network", "apps/shop"].map((dir) => ({ dir, backend }));
    const its = await keysBench({}, { project: "acme", terraform: roots });
    for (const { dir } of roots) await its.write(`${dir}/main.tf`, "");
    expect((await its.init(...CREATE)).status).toBe(0);
    expect(its.left().keys).toEqual([KEY]);
    const files = await Promise.all(roots.map(({ dir }) => its.read(`${dir}/backend.tf`)));
    expect(files.map((text) => /key += "(.*)"/.exec(text)?.[1])).toEqual([
      "acme/network/terraform.tfstate",
      "acme/apps/shop/terraform.tfstate",
    ]);
  });

  it("an environment has a key of its own, named after it, in its env file", async () => {
    const terraform = { backend: { bucket: "acme-tfstate", region: "nyc3" } };
    const prod = { token: { envFile: ".env.prod" }, terraform: { workspace: "prod" } };
    const its = await keysBench(
      { buckets: { "acme-tfstate": true } },
      { project: "acme", terraform, environments: { prod } },
    );
    const args = ["backend", "key", "--env", "prod", "--token-stdin", "--yes"];
    expect((await its.run(args, { input: its.token })).status).toBe(0);
    expect(its.left().keys).toEqual(["do-bootstrap-acme-prod-sammy-*: readwrite acme-tfstate"]);
    const [key] = its.account.keys.values();
    expect((await its.envKeys(".env.prod"))["SPACES_ACCESS_KEY_ID"]).toBe(key?.id);
  });

  it("a backend block of the user's own gets a key for its bucket", async () => {
    const its = await keysBench({ buckets: { theirs: true } }, { project: "acme" });
    const block = `terraform {
  backend "s3" {
    endpoints = { s3 = "https://nyc3.digitaloceanspaces.com" }
    bucket    = "theirs"
    key       = "x.tfstate"
    region    = "us-east-1"
  }
}
`;
    await its.write("main.tf", block);
    const args = ["backend", "key", "--token-stdin", "--yes"];
    expect((await its.run(args, { input: its.token })).status).toBe(0);
    expect(its.left().keys).toEqual([`${OURS}: readwrite theirs`]);
    expect(await its.read("main.tf")).toBe(block);
  });

  it("stays at DigitalOcean after uninstall, which says so", async () => {
    const its = await keysBench();
    await its.init(...CREATE);
    const { stderr } = await its.run(["uninstall", "--yes"]);
    expect(stderr.replace(/\s+/g, " ")).toContain(
      "at DigitalOcean: bucket acme-tfstate in nyc3 and its Spaces key. [spaces.left] → do-bootstrap backend keys",
    );
    expect(its.left()).toEqual({ keys: [KEY], buckets: ["acme-tfstate"] });
  });

  it("needs scopes that scopes lists as needed for this alone", async () => {
    const its = await keysBench();
    const { stdout } = await its.run(["scopes", "--json"]);
    const { scopes, maybe } = JSON.parse(stdout) as {
      scopes: string[];
      maybe: { scope: string }[];
    };
    expect([scopes, maybe.map(({ scope }) => scope)]).toEqual([
      [],
      ["spaces_key:create_credentials", "spaces_key:read", "spaces_key:delete"],
    ]);
  });
});

describe.skipIf(withTls !== "" || needsScript !== "")(
  `on a terminal${withTls}${needsScript}`,
  () => {
    const propose = (create: boolean) => ({
      project: "acme",
      terraform: { backend: { bucket: "acme-tfstate", region: "nyc3", create } },
    });
    /** A repo whose token is in the env file. */
    async function withToken(create: boolean): Promise<KeysBench> {
      const its = await keysBench({}, propose(create));
      await its.write(".env", `DIGITALOCEAN_TOKEN=${its.token}\n`);
      return its;
    }

    it("creates the bucket only after two yeses", async (context) => {
      const its = await withToken(true);
      const terminal = start(context, its, [], { columns: 100, env: its.spacesEnv });
      await terminal.waitFor(/kept in bucket acme-tfstate, and this machine has no Spaces key/);
      await terminal.waitFor(/● Create the bucket too/);
      expect(its.account.calls).toEqual([]);
      terminal.type("\r");
      await terminal.waitFor(
        /\+ bucket acme-tfstate[\s\S]*create bucket acme-tfstate in nyc3, and create a/,
      );
      expect(its.account.calls).toEqual([]);
      terminal.type("y");
      expect(await terminal.exit).toBe(0);
      expect(its.left()).toEqual({ keys: [KEY], buckets: ["acme-tfstate"] });
    });

    it("proposes only a key if the config does not propose the bucket, and Not now is a no", async (context) => {
      const its = await withToken(false);
      const terminal = start(context, its, [], { columns: 100, env: its.spacesEnv });
      await terminal.waitFor(/● Create a key for it/);
      // The last answer.
      terminal.type("\u001b[B\u001b[B\r");
      await terminal.waitFor(/Make these \d changes/);
      terminal.type("y");
      expect(await terminal.exit).toBe(0);
      expect([its.account.calls, terminal.screen()]).toEqual([
        [],
        expect.stringContaining("do-bootstrap backend key"),
      ]);
    });

    it("is not asked with --yes", async (context) => {
      const its = await withToken(true);
      const terminal = start(context, its, ["--yes"], { columns: 100, env: its.spacesEnv });
      expect(await terminal.exit).toBe(0);
      expect([its.account.calls, terminal.screen()]).toEqual([
        [],
        expect.not.stringContaining("this machine has no Spaces key"),
      ]);
    });
  },
);

/** What `check --json` says that a stopped run may have left. */
async function saidLeft(its: KeysBench): Promise<string> {
  const { stdout } = await its.run(["check", "--json"], { env: { DIGITALOCEAN_TOKEN: its.token } });
  const { findings } = JSON.parse(stdout) as { findings: { id: string; message: string }[] };
  return findings.find(({ id }) => id === "spaces.unfinished")?.message ?? "";
}

describe.skipIf(withTls !== "")(`a run that is killed${withTls}`, () => {
  /** Kills the run at a request, before or after the server has carried it out. */
  async function killed(at: number, when: "before" | "after"): Promise<KeysBench> {
    let child: ReturnType<Workbench["start"]> | undefined;
    const its = await keysBench({
      delay: 1,
      lose(request, now) {
        if (child === undefined || request !== at || now !== when) return false;
        child.kill("SIGKILL");
        return true;
      },
    });
    child = its.start(["--token-stdin", "--yes", ...CREATE], { env: its.spacesEnv });
    child.stdin?.end(its.token);
    await once(child, "exit");
    child = undefined;
    return its;
  }

  it.each<[at: number, when: "before" | "after"]>([
    [1, "after"],
    [7, "before"],
    [8, "after"],
  ])(
    "at request %d, %s it was carried out: the next run cleans up and finishes",
    async (at, when) => {
      const its = await killed(at, when);
      const before = its.left().keys;
      const said = await saidLeft(its);
      for (const key of its.account.keys.values()) expect(said).toContain(key.name);
      await its.ageJournal();
      const again = await its.init(...CREATE);
      expect([again.status, again.stderr]).toEqual([0, expect.stringContaining("+ Spaces key")]);
      expect([before.length <= 1, its.left().keys]).toEqual([true, [KEY]]);
      const [key] = its.account.keys.values();
      expect((await its.envKeys())["SPACES_ACCESS_KEY_ID"]).toBe(key?.id);
      expect(await saidLeft(its)).toBe("");
    },
  );
});
