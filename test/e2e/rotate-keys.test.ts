import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { OPENSSL } from "../fixtures/certificate.ts";
import { CREATE, type KeysBench, keysBench, OURS } from "../fixtures/spaces/bench.ts";
import { newKeys } from "../fixtures/spaces/spaces.ts";
import type { Workbench } from "../fixtures/workbench.ts";

const withTls = OPENSSL ? "" : " (needs openssl)";
const KEY = `${OURS}: readwrite acme-tfstate`;
const ROTATE = ["rotate", "--spaces", "--yes"];
const ENVIRONMENTS = {
  project: "acme",
  terraform: { backend: { bucket: "acme-tfstate", region: "nyc3" } },
  environments: { prod: { token: { envFile: ".env.prod" }, terraform: { workspace: "prod" } } },
};

/** A repo that has its key. */
async function prepared(...given: Parameters<typeof keysBench>): Promise<KeysBench> {
  const its = await keysBench(...given);
  expect((await its.init(...CREATE)).status).toBe(0);
  its.account.calls.length = 0;
  return its;
}

const idOf = async (its: KeysBench, file?: string) =>
  (await its.envKeys(file))["SPACES_ACCESS_KEY_ID"];

describe.skipIf(withTls !== "")(`rotate --spaces${withTls}`, () => {
  it("replaces the key and deletes the old one last", async () => {
    const its = await prepared();
    const before = await idOf(its);
    const { status, stderr } = await its.run(ROTATE);
    expect([status, stderr]).toEqual([
      0,
      expect.stringMatching(
        /\+ Spaces key do-bootstrap-acme-sammy-\w{8}[\s\S]*- Spaces key do-boot/,
      ),
    ]);
    expect(its.account.calls).toEqual([`POST ${OURS} 201`, `DELETE ${OURS} 204`]);
    expect(its.left().keys).toEqual([KEY]);
    const [key] = its.account.keys.values();
    expect(await its.envKeys()).toEqual({
      SPACES_ACCESS_KEY_ID: key?.id,
      SPACES_SECRET_ACCESS_KEY: key?.secret,
    });
    expect(key?.id).not.toBe(before);
    expect((await its.run(["check"])).stdout).not.toContain("spaces.");
  });

  it("writes to every env file with the key, under its AWS_ names too", async () => {
    const its = await prepared({}, ENVIRONMENTS);
    const { SPACES_ACCESS_KEY_ID: id = "", SPACES_SECRET_ACCESS_KEY: secret = "" } =
      await its.envKeys();
    const aws = `AWS_ACCESS_KEY_ID=${id}\nAWS_SECRET_ACCESS_KEY='${secret}'\n`;
    await its.write(".env.prod", `DIGITALOCEAN_TOKEN=${its.token}\n${aws}`, 0o600);
    expect(await its.run(ROTATE)).toMatchObject({ status: 0 });
    const [key] = its.account.keys.values();
    expect(await its.read(".env.prod")).toContain(
      `AWS_ACCESS_KEY_ID=${key?.id}\nAWS_SECRET_ACCESS_KEY='${key?.secret}'\n`,
    );
    expect(await idOf(its)).toBe(key?.id);
  });

  it("keeps the grants, and does not delete a key that somebody else created", async () => {
    const its = await prepared();
    const own = { ...newKeys(), name: "our old key", createdAt: "", unknownFor: 0 };
    const grants = [
      { bucket: "acme-tfstate", permission: "readwrite" },
      { bucket: "assets", permission: "read" },
    ];
    its.account.keys.clear();
    its.account.keys.set(own.id, { ...own, grants });
    await its.write(
      ".env",
      `DIGITALOCEAN_TOKEN=${its.token}\nSPACES_ACCESS_KEY_ID=${own.id}\nSPACES_SECRET_ACCESS_KEY=${own.secret}\n`,
    );
    const { status, stderr } = await its.run(ROTATE);
    expect([status, stderr]).toEqual([0, expect.stringContaining("[spaces.not-deleted]")]);
    expect(its.left().keys).toEqual([
      "our old key: readwrite acme-tfstate, read assets",
      `${OURS}: readwrite acme-tfstate, read assets`,
    ]);
  });

  it("shows everything and changes nothing with --dry-run", async () => {
    const its = await prepared();
    const before = await its.read(".env");
    const { status, stdout } = await its.run(["rotate", "--spaces", "--dry-run"]);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/~ \.env[\s\S]*\+ Spaces[\s\S]*- Sp/),
    ]);
    expect([await its.read(".env"), its.account.calls]).toEqual([before, []]);
  });

  it.each<[what: string, arrange: (its: KeysBench) => Promise<unknown>, said: RegExp]>([
    [
      "without a key",
      (its) => its.write(".env", `DIGITALOCEAN_TOKEN=${its.token}\n`),
      /no Spaces key for this repo\. \[spaces\.no-key\]\n {2}→ do-bootstrap backend key/,
    ],
    [
      "for a key of another team",
      async (its) => its.account.keys.clear(),
      /does not list the Spaces key of this repo[\s\S]*\[spaces\.no-key\]/,
    ],
  ])("refuses %s", async (_, arrange, said) => {
    const its = await prepared();
    await arrange(its);
    const { status, stderr } = await its.run(ROTATE);
    expect([status, stderr]).toEqual([3, expect.stringMatching(said)]);
    expect(its.account.calls).toEqual([]);
  });

  it("keeps the old key if the new one can't be stored", async () => {
    const its = await prepared();
    const before = await its.read(".env");
    await its.git("add", "--force", "--intent-to-add", ".env");
    const { status, stderr } = await its.run(ROTATE);
    expect([status, stderr]).toEqual([3, expect.stringContaining("NOT_IGNORED")]);
    expect([await its.read(".env"), its.left().keys]).toEqual([before, [KEY]]);
    expect((await its.run(["check"])).stdout).not.toContain("spaces.unfinished");
  });

  it.each<[at: number, when: "before" | "after"]>([
    [2, "after"],
    [5, "before"],
  ])(
    "is finished by the next run after a kill at request %d, %s it was carried out",
    async (at, when) => {
      let child: ReturnType<Workbench["start"]> | undefined;
      let first: number | undefined;
      const its = await prepared({
        delay: 1,
        lose(request, now) {
          if (child === undefined) return false;
          first ??= request;
          if (request - first + 1 !== at || now !== when) return false;
          child.kill("SIGKILL");
          return true;
        },
      });
      child = its.start(ROTATE, { env: its.spacesEnv });
      await once(child, "exit");
      child = undefined;
      const next = await its.run(["--yes"]);
      expect([next.status, its.left().keys]).toEqual([0, [KEY]]);
      const [key] = its.account.keys.values();
      expect(await idOf(its)).toBe(key?.id);
      expect((await its.run(["check"])).stdout).not.toContain("spaces.");
    },
  );
});
