import { once } from "node:events";
import { readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OPENSSL } from "../fixtures/certificate.ts";
import type { AccountOptions } from "../fixtures/spaces/account.ts";
import { CREATE, type KeysBench, keysBench, OURS, TEMPORARY } from "../fixtures/spaces/bench.ts";
import { newKeys } from "../fixtures/spaces/spaces.ts";
import { fakeTerraform } from "../fixtures/tools.ts";
import type { Workbench } from "../fixtures/workbench.ts";

const withTls = OPENSSL ? "" : " (needs openssl)";
const KEY = `${OURS}: readwrite acme-tfstate`;
const ROTATE = ["rotate", "--spaces", "--yes"];
const BACKEND = { bucket: "acme-tfstate", region: "nyc3" };
const UNLOCKED = { project: "acme", terraform: { backend: BACKEND } };

async function prepared(options: AccountOptions = {}, config?: object): Promise<KeysBench> {
  const its = await keysBench(options, config);
  expect((await its.init(...CREATE)).status).toBe(0);
  its.account.calls.length = 0;
  return its;
}

/** Kills a line at its Nth request, before the server carries it out. */
async function killedAt(its: KeysBench, at: number, args: readonly string[]): Promise<void> {
  const { killAt } = its;
  const child: ReturnType<Workbench["start"]> = its.start(args, { env: its.spacesEnv });
  child.stdin?.on("error", () => undefined).end(its.token);
  killAt(at, () => child.kill("SIGKILL"));
  await once(child, "exit");
  await its.ageJournal();
}

const idOf = async (its: KeysBench, file?: string) =>
  (await its.envKeys(file))["SPACES_ACCESS_KEY_ID"];

describe.skipIf(withTls !== "")(`a key that is stored${withTls}`, () => {
  it("stays if the run fails afterwards, and the next run is content", async () => {
    const its = await keysBench();
    // Another process writes to the repo at the same time.
    await fakeTerraform(its.bin, { script: "/bin/rm -f .env.example" });
    const failed = await its.init(...CREATE);
    expect([failed.status, failed.stderr]).toEqual([1, expect.stringContaining("NOT_CONVERGED")]);
    const [key] = its.account.keys.values();
    expect([await idOf(its), its.left().keys]).toEqual([key?.id, [KEY]]);
    await fakeTerraform(its.bin);
    await its.init(...CREATE);
    expect(its.left().keys).toEqual([KEY]);
    expect((await its.run(["check"])).stdout).not.toContain("spaces.");
  });
});

describe.skipIf(withTls !== "")(`what a stopped run has left${withTls}`, () => {
  it.each<[where: string, move: (its: KeysBench, pair: string) => Promise<object | undefined>]>([
    [
      "the shell",
      async (its) => {
        const pair = await its.envKeys();
        await its.write(".env", `DIGITALOCEAN_TOKEN=${its.token}\n`);
        return pair;
      },
    ],
    [
      ".env.local",
      async (its, pair) => {
        await its.write(".env", `DIGITALOCEAN_TOKEN=${its.token}\n`);
        await its.write(".env.local", pair);
        return undefined;
      },
    ],
  ])("a key that a rotation was to replace stays if it is in %s", async (_, move) => {
    const its = await prepared({}, UNLOCKED);
    await killedAt(its, 2, ROTATE);
    const lines = Object.entries(await its.envKeys()).map(([name, value]) => `${name}=${value}\n`);
    const env = (await move(its, lines.join(""))) as Record<string, string> | undefined;
    await its.run(["--yes"], env === undefined ? {} : { env });
    expect(its.left().keys).toEqual([KEY]);
  });

  it("is not deleted while an env file can't be read", async () => {
    const its = await prepared({}, UNLOCKED);
    await killedAt(its, 3, ROTATE);
    expect(its.left().keys).toEqual([KEY, KEY]);
    await writeFile(join(its.root, "elsewhere"), "");
    await symlink(join(its.root, "elsewhere"), join(its.repo, ".env.other"));
    const { stderr } = await its.run(["--yes"]);
    expect(stderr).toMatch(/\.env\.other could not be read[\s\S]*\[spaces\.not-deleted\]/);
    expect(its.left().keys).toEqual([KEY, KEY]);
  });

  it("is deleted with a token of its team only", async () => {
    const its = await keysBench();
    await killedAt(its, 2, ["--token-stdin", "--yes", ...CREATE]);
    expect(its.left().keys).toEqual([`${TEMPORARY}: fullaccess`]);
    its.sandbox.accept(its.token, { team: { uuid: "other", name: "Other" } });
    const other = await its.init();
    expect(other.stderr).toMatch(/in another team: Spaces key do-bootstrap-temporary-\w{8}/);
    expect(its.left().keys).toEqual([`${TEMPORARY}: fullaccess`]);
    its.sandbox.accept(its.token, {});
    await its.init(...CREATE);
    expect(its.left().keys).toEqual([KEY]);
  });

  it("is in the dry run, and deleted from another environment too", async () => {
    const prod = { token: { envFile: ".env.prod" }, terraform: { workspace: "prod" } };
    const its = await keysBench({}, { ...UNLOCKED, environments: { prod } });
    await killedAt(its, 2, ["--env", "prod", "--token-stdin", "--yes", ...CREATE]);
    const check = await its.run(["check"], { env: { DIGITALOCEAN_TOKEN: its.token } });
    expect(check.stdout).toMatch(/Spaces key do-bootstrap-temporary-\w{8}/);
    const dry = await its.init("--dry-run");
    expect(dry.stdout).toMatch(/- Spaces key do-bootstrap-temporary-\w{8}/);
    await its.init();
    expect(its.left().keys).toEqual([]);
  });

  it("a bucket gets its versions from the run that goes on", async () => {
    const its = await keysBench({ delay: 0 });
    // The bucket is there, its versions are not on yet.
    await killedAt(its, 5, ["--token-stdin", "--yes", ...CREATE]);
    expect(its.account.buckets.get("acme-tfstate")).toMatchObject({ isVersioned: false });
    await its.init(...CREATE);
    expect(its.account.buckets.get("acme-tfstate")).toMatchObject({ isVersioned: true });
  });

  it("a bucket is named where the run fails after it was created", async () => {
    const its = await keysBench({ ignoresConditions: true });
    // Of a process that is gone: what a run in progress has created isn't left over.
    const { stderr } = await its.run(["--token-stdin", "--yes", ...CREATE], {
      input: its.token,
      process: true,
    });
    expect(stderr).toMatch(/Still at DigitalOcean: bucket acme-tfstate\./);
    const check = await its.run(["check"], { env: { DIGITALOCEAN_TOKEN: its.token } });
    expect(check.stdout).toMatch(/there may be: bucket acme-tfstate\. \[spaces\.unfinished\]/);
  });
});

describe.skipIf(withTls !== "")(`rotate --spaces refuses${withTls}`, () => {
  it.each<[what: string, arrange: (its: KeysBench) => Promise<object | undefined>, said: RegExp]>([
    [
      "a pair whose secret is in the shell",
      async (its) => {
        const { SPACES_ACCESS_KEY_ID: id, ...secret } = await its.envKeys();
        await its.write(".env", `DIGITALOCEAN_TOKEN=${its.token}\nSPACES_ACCESS_KEY_ID=${id}\n`);
        return secret;
      },
      /SPACES_SECRET_ACCESS_KEY in the environment would still have the old Spaces key/,
    ],
    [
      "a pair that the shell has, too",
      (its) => its.envKeys(),
      /SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY in the environment/,
    ],
    ["in CI", async () => ({ CI: "true" }), /\[spaces\.in-ci\]/],
    [
      "an env file of another environment that can't be read",
      async (its) => {
        await writeFile(join(its.root, "elsewhere"), "");
        await symlink(join(its.root, "elsewhere"), join(its.repo, ".env.prod"));
        return undefined;
      },
      /\.env\.prod could not be read, and may hold the Spaces key/,
    ],
    [
      "a token that may not delete keys",
      async (its) => {
        const scopes = ["account:read", "spaces_key:create_credentials", "spaces_key:read"];
        its.sandbox.accept(its.token, { scopes });
        return undefined;
      },
      /spaces_key:delete\. \[spaces\.lacks-scopes\]/,
    ],
  ])("%s", async (_, arrange, said) => {
    const its = await prepared({}, UNLOCKED);
    const env = (await arrange(its)) as Record<string, string> | undefined;
    const before = await its.read(".env");
    const { status, stderr } = await its.run(ROTATE, env === undefined ? {} : { env });
    expect([status, stderr]).toEqual([expect.any(Number), expect.stringMatching(said)]);
    expect([status === 0, await its.read(".env"), its.account.calls]).toEqual([false, before, []]);
  });

  it.each(["--all", "--revoke", "--force", "--token-stdin"])("%s", async (option) => {
    const its = await keysBench();
    const { status, stderr } = await its.run(["rotate", "--spaces", option], { input: "" });
    expect([status, stderr]).toEqual([2, expect.stringContaining(`${option} can't be combined`)]);
  });
});

describe.skipIf(withTls !== "")(`rotate --spaces${withTls}`, () => {
  it("does not delete a colleague's key", async () => {
    const its = await prepared({}, UNLOCKED);
    const theirs = { ...newKeys(), name: "do-bootstrap-acme-alice-0123abcd", createdAt: "" };
    const grants = [{ bucket: "acme-tfstate", permission: "readwrite" }];
    its.account.keys.clear();
    its.account.keys.set(theirs.id, { ...theirs, grants, unknownFor: 0 });
    const lines = `SPACES_ACCESS_KEY_ID=${theirs.id}\nSPACES_SECRET_ACCESS_KEY=${theirs.secret}\n`;
    await its.write(".env", `DIGITALOCEAN_TOKEN=${its.token}\n${lines}`);
    expect((await its.run(ROTATE)).stderr).toContain("others may use it. [spaces.not-deleted]");
    expect(its.left().keys).toEqual([
      "do-bootstrap-acme-alice-*: readwrite acme-tfstate",
      `${OURS}: readwrite acme-tfstate`,
    ]);
  });

  it("does not give the new key the access of a temporary one", async () => {
    const its = await keysBench({}, UNLOCKED);
    await killedAt(its, 2, ["--token-stdin", "--yes", ...CREATE]);
    its.account.buckets.set("acme-tfstate", { isOurs: true, isVersioned: true, unseenFor: 0 });
    const own = { ...newKeys(), name: "by hand", createdAt: "", unknownFor: 0 };
    const grants = [{ bucket: "acme-tfstate", permission: "readwrite" }];
    its.account.keys.set(own.id, { ...own, grants });
    const lines = `SPACES_ACCESS_KEY_ID=${own.id}\nSPACES_SECRET_ACCESS_KEY=${own.secret}\n`;
    await its.write(".env", `DIGITALOCEAN_TOKEN=${its.token}\n${lines}`);
    await its.write(".gitignore", ".env\n");
    expect((await its.run(ROTATE)).status).toBe(0);
    expect(its.left().keys).toContain(KEY);
  });
});

describe.skipIf(withTls !== "")(`backend key${withTls}`, () => {
  it.each<[what: string, env: Record<string, string>, said: RegExp]>([
    ["half a pair", { AWS_ACCESS_KEY_ID: "x" }, /AWS_ACCESS_KEY_ID without the other half/],
    ["a half under its own name", { SPACES_ACCESS_KEY_ID: "x" }, /SPACES_ACCESS_KEY_ID without/],
    ["a profile", { AWS_PROFILE: "work" }, /AWS_PROFILE is set, so Terraform would not use/],
  ])("refuses %s in the shell", async (_, env, said) => {
    const its = await keysBench({ buckets: { "acme-tfstate": true } }, UNLOCKED);
    const options = { input: its.token, env };
    const { status, stderr } = await its.run(["backend", "key", "--token-stdin", "--yes"], options);
    expect([status, stderr]).toEqual([3, expect.stringMatching(said)]);
    expect(its.account.calls).toEqual([]);
  });

  it("two runs at once leave one key in use and none without a name", async () => {
    const its = await keysBench({ buckets: { "acme-tfstate": true } }, UNLOCKED);
    await its.init();
    // Processes, which wait for each other's lock.
    const key = () => its.run(["backend", "key", "--yes"], { process: true });
    const runs = await Promise.all([key(), key(), key()]);
    expect(runs.map(({ status }) => status)).toContain(0);
    await its.ageJournal();
    await its.init();
    const id = await idOf(its);
    expect([...its.account.keys.keys()]).toContain(id);
    const folder = join(its.home, ".local/state/do-bootstrap/keys");
    expect(await readdir(folder).catch(() => [])).toEqual([]);
  });
});
