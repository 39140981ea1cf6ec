import { describe, expect, it } from "vitest";
import { type Workbench, withoutProgress, workbench } from "../fixtures/workbench.ts";

const CALL = "POST https://api.digitalocean.com/v2/account/keys: 403";
const REFUSED = `Error: ${CALL} (request "c1") You are not authorized`;

/** A repo with one SSH key, and a token that may only read it. */
async function repo(): Promise<Workbench> {
  const bench = await workbench();
  bench.sandbox.accept(bench.token, { scopes: ["ssh_key:read"] });
  await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
  await bench.write("infra/main.tf", 'resource "digitalocean_ssh_key" "me" {\n  name = "me"\n}\n');
  return bench;
}

const EXPLAINED = `✗ The token lacks ssh_key:create.
  Call      POST /v2/account/keys
  Said      You are not authorized
  Scope     ✗ ssh_key:create (the token lacks it)
  Made by   digitalocean_ssh_key.me, main.tf:1
  → Scopes cannot be edited: create a new token that also has ssh_key:create. do-bootstrap scopes lists what the code needs.
`;

describe("exec --mask --explain", () => {
  it("masks secrets in the explanation", async () => {
    const bench = await repo();
    const secrets = "NPM_TOKEN=correct-horse\nDATABASE_URL=postgres://me:p4ss@db.example/x\n";
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n${secrets}`, 0o600);
    const script = `process.stderr.write(${JSON.stringify(REFUSED)} + " correct-horse p4ss\\n"); process.exitCode = 1;`;
    const line = ["exec", "--mask", "--explain", "--", process.execPath, "-e", script];
    const { status, stderr } = await bench.run(line);
    expect(status).toBe(1);
    expect(stderr).toMatch(/\n +Said +You are not authorized \*{3} \*{3}\n/);
    expect(stderr).not.toMatch(/correct-horse|p4ss/);
  });
});

describe("explain", () => {
  it.each<readonly [what: string, args: readonly string[], input: string]>([
    ["one argument", [REFUSED], ""],
    ["several arguments", REFUSED.split(" "), ""],
    ["standard input", ["-"], `a line before\n${REFUSED}\n`],
    ["standard input without -", [], REFUSED],
  ])(
    "%s: prints the call, its scope, the token, the resource and the fix",
    async (_, args, input) => {
      const { status, stdout, stderr } = await (await repo()).run(["explain", ...args], { input });
      expect({ status, stdout }).toEqual({ status: 0, stdout: EXPLAINED });
      expect(withoutProgress(stderr)).toBe("");
    },
  );

  it("doctl 2: prints the command too", async () => {
    const text =
      "Error: Forbidden\n\n  You are not authorized\n\n  status 403\n  request ID c1\n\n  Run `doctl compute ssh-key import --help`\n";
    const { stdout } = await (await repo()).run(["explain", "-"], { input: text });
    const withCommand = EXPLAINED.replace(
      "  Call ",
      "  Command   doctl compute ssh-key import\n  Call ",
    );
    expect(stdout).toBe(withCommand.replace(/ {2}Made by.*\n/, ""));
  });

  it("explains a finding of do-bootstrap", async () => {
    const { status, stdout } = await (await repo()).run(["explain", "token.refused"]);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringContaining("This is the do-bootstrap finding token.refused."),
    });
  });

  it("prints JSON with --json", async () => {
    const { status, stdout } = await (await repo()).run(["explain", "--json", REFUSED]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      command: "explain",
      explanations: [
        {
          kind: "status",
          status: 403,
          call: { method: "POST", path: "/v2/account/keys" },
          operation: "POST /v2/account/keys",
          scopes: [{ scope: "ssh_key:create", granted: false }],
          resources: [{ address: "digitalocean_ssh_key.me", place: { file: "main.tf", line: 1 } }],
        },
      ],
    });
  });

  it("asks DigitalOcean only when the token matters", async () => {
    const bench = await repo();
    await bench.run(["explain", "curl: (6) Could not resolve host: api.digitalocean.com"]);
    expect(bench.sandbox.requests).toEqual([]);
    await bench.run(["explain", REFUSED]);
    expect(bench.sandbox.requests.length).toBeGreaterThan(0);
  });

  it.each([
    ["a text without an error", ["all is well"], 1, "[NOTHING_TO_EXPLAIN]"],
    ["no text", ["-"], 2, "[USAGE]"],
  ])("%s is an error", async (_, args, status, says) => {
    const result = await (await repo()).run(["explain", ...args]);
    expect(result.status).toBe(status);
    expect(result.stderr).toContain(says);
  });
});

describe("exec --explain", () => {
  const exec = async (bench: Workbench, script: string, ...options: string[]) =>
    bench.run(["exec", "--explain", ...options, "--", "sh", "-c", script], { env: { PATH } });
  const PATH = process.env["PATH"];

  it("passes on the command's output, then explains it", async () => {
    const script = `echo out; echo '${REFUSED}' >&2; exit 3`;
    const { status, stdout, stderr } = await exec(await repo(), script);
    expect({ status, stdout }).toEqual({ status: 3, stdout: "out\n" });
    expect(withoutProgress(stderr)).toBe(`${REFUSED}\n\n${EXPLAINED}`);
  });

  it.each<readonly [what: string, script: string, status: number]>([
    ["a success", `echo '${REFUSED}' >&2`, 0],
    ["an unrelated failure", "echo no >&2; exit 4", 4],
    ["a silent failure", "exit 5", 5],
  ])("adds nothing to %s", async (_, script, status) => {
    const result = await exec(await repo(), script);
    expect(result.status).toBe(status);
    expect(result.stderr).not.toContain("→");
  });

  it("keeps standard input and output", async () => {
    const bench = await repo();
    const { stdout } = await bench.run(["exec", "--explain", "--", "sh", "-c", "cat; exit 1"], {
      input: "from outside",
      env: { PATH },
    });
    expect(stdout).toBe("from outside");
  });

  it("works with --mask, and prints no secret", async () => {
    const bench = await repo();
    const script = `echo "$DIGITALOCEAN_TOKEN" >&2; echo '${REFUSED}' "$DIGITALOCEAN_TOKEN" >&2; exit 1`;
    const { stderr } = await exec(bench, script, "--mask");
    expect(stderr).toContain("***\n");
    expect(stderr).toContain("lacks ssh_key:create");
    expect(stderr).not.toContain(bench.token);
  });

  it("keeps the command's status when the explanation fails", async () => {
    const bench = await repo();
    const script = `rm -rf .git; mkdir .git; echo '${REFUSED}' >&2; exit 3`;
    const { status, stderr } = await exec(bench, script);
    expect(status).toBe(3);
    expect(stderr).toContain("do-bootstrap: could not explain the error: ");
  });
});
