import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it, type TestContext } from "vitest";
import { needsScript, start } from "../fixtures/terminal.ts";
import { type Workbench, workbench } from "../fixtures/workbench.ts";

const SPACES = "spaces/Secret+key=";
const PASSWORD = "hunter2 & co";
const OUTSIDE = "aws-from-the-environment";

/** A repo with secrets in its env file. */
async function repoWith(context: Pick<TestContext, "onTestFinished">): Promise<Workbench> {
  const bench = await workbench(context);
  const lines = [
    `DIGITALOCEAN_TOKEN=${bench.token}`,
    `SPACES_SECRET_ACCESS_KEY=${SPACES}`,
    `TF_VAR_x_password='${PASSWORD}'`,
    "TF_VAR_region=frankfurt-1",
    "DB_PASSWORD=x-of-the-database",
    "DATABASE_URL=postgres://me:p4ss@db.example/x",
    'TF_VAR_private_key="-----BEGIN KEY-----\nMIIEvQIBADAN\n-----END KEY-----"',
  ];
  await bench.write(".env", lines.map((line) => `${line}\n`).join(""), 0o600);
  await bench.write(
    ".env.prod",
    "DIGITALOCEAN_TOKEN=x-of-prod-0123\nAPI_KEY='x of \"prod\"'\n",
    0o600,
  );
  await bench.write(
    ".do-bootstraprc",
    "environments: { prod: { token: { envFile: .env.prod } } }\n",
  );
  await bench.write(
    "terraform.tfvars",
    'db_password = "x-of-the-tfvars"\nregion = "frankfurt-1"\n',
  );
  await bench.write(
    "a.secret.auto.tfvars.json",
    '{"settings": {"pin": "in-a-secret-file"}}\n',
    0o600,
  );
  return bench;
}

let scripts = 0;

/** A command to run: a script for Node. */
async function commandOf(bench: Workbench, script: string): Promise<readonly string[]> {
  const path = join(bench.root, `command-${++scripts}.cjs`);
  await writeFile(path, script);
  return [process.execPath, path];
}

const exec = (command: readonly string[], ...options: string[]) => [
  "exec",
  ...options,
  "--",
  ...command,
];

const env = (name: string) => `process.env[${JSON.stringify(name)}]`;
const say = (stream: "stdout" | "stderr", what: string) => `process.${stream}.write(${what});\n`;

describe.concurrent("through pipes", () => {
  // One repo for all tests, with the record of a first run.
  let bench: Workbench;
  const cleanUp: (() => unknown)[] = [];
  beforeAll(async () => {
    bench = await repoWith({
      onTestFinished: (action) => void cleanUp.push(action as () => unknown),
    });
    await bench.run(["env"]);
  });
  afterAll(async () => {
    for (const action of cleanUp) await action();
  });

  it.for<[name: string, what: string, shown: string]>([
    ["the token", env("DIGITALOCEAN_TOKEN"), "***"],
    [
      "the token in a line",
      `"Bearer " + ${env("DIGITALOCEAN_ACCESS_TOKEN")} + "\\n"`,
      "Bearer ***\n",
    ],
    ["a Spaces secret", env("SPACES_SECRET_ACCESS_KEY"), "***"],
    ["a password for Terraform", env("TF_VAR_x_password"), "***"],
    ["a value that isn't a secret", env("TF_VAR_region"), "frankfurt-1"],
    ["a secret in the environment", env("AWS_SECRET_ACCESS_KEY"), "***"],
    ["one line of a private key", '"MIIEvQIBADAN,"', "***,"],
    ["a private key", env("TF_VAR_private_key"), "***"],
    ["a secret that isn't passed to the command", '"x-of-the-database"', "***"],
    ["another environment's token", '"x-of-prod-0123"', "***"],
    ["a secret in JSON", `JSON.stringify({ a: 'x of "prod"' })`, '{"a":"***"}'],
    ["the password of a URL, without the URL", '"p4ss"', "***"],
    ["a value of a tfvars file", '"x-of-the-tfvars"', "***"],
    ["any value of a secret tfvars file", '"in-a-secret-file"', "***"],
    ["the token in base64", `btoa(${env("DIGITALOCEAN_TOKEN")})`, "***"],
    ["a Spaces secret in a URL", `encodeURIComponent(${env("SPACES_SECRET_ACCESS_KEY")})`, "***"],
    ["a secret of another program", env("GITHUB_TOKEN"), "***"],
    [
      "two secrets side by side",
      `${env("DIGITALOCEAN_TOKEN")} + ${env("TF_VAR_x_password")}`,
      "******",
    ],
    [
      "the first half of the token alone",
      `${env("DIGITALOCEAN_TOKEN")}.slice(0, 40).replace(/[0-9a-f]/g, "0")`,
      `${"dop_v1_".replace(/[0-9a-f]/g, "0")}${"0".repeat(33)}`,
    ],
  ])("%s, in stdout and stderr", async ([, what, shown], { expect }) => {
    const script = say("stdout", what) + say("stderr", `"E" + (${what})`);
    const command = await commandOf(bench, script);
    const options = {
      env: { AWS_SECRET_ACCESS_KEY: OUTSIDE, GITHUB_TOKEN: "x-of-another-program" },
    };
    const expected = { status: 0, stdout: shown, stderr: `E${shown}` };
    const line = exec(command, "--mask");
    expect(await bench.run(line, options)).toEqual(expected);
    if (what !== env("DIGITALOCEAN_TOKEN")) return;
    const nothing = { ...options.env, XDG_CACHE_HOME: join(bench.tmp, "empty") };
    expect(await bench.run(line, { env: nothing })).toEqual(expected);
  });

  it("changes nothing without --mask", async ({ expect }) => {
    const command = await commandOf(bench, say("stdout", env("DIGITALOCEAN_TOKEN")));
    expect(await bench.run(exec(command))).toEqual({ status: 0, stdout: bench.token, stderr: "" });
    expect(await bench.run(exec(command))).toEqual({ status: 0, stdout: bench.token, stderr: "" });
  });

  it("--all --mask masks every secret of the env file", async ({ expect }) => {
    const command = await commandOf(bench, say("stdout", env("DB_PASSWORD")));
    expect((await bench.run(exec(command, "--all", "--mask"))).stdout).toBe("***");
    expect((await bench.run(exec(command, "--all"))).stdout).toBe("x-of-the-database");
  });

  it.for([1, 20, 70])(
    "masks a token split at %i over two writes",
    async (at, { expect, onTestFinished }) => {
      // The script writes the second half when we send it a line, after the first half was read.
      const halves = `const t = ${env("DIGITALOCEAN_TOKEN")};
      process.stdout.write("a " + t.slice(0, ${at}));
      process.stdin.once("data", () => { process.stdout.write(t.slice(${at}) + " b"); process.stdin.destroy(); });
      process.stderr.write("half");`;
      const command = await commandOf(bench, halves);
      const child = bench.start(exec(command, "--mask"));
      onTestFinished(() => void child.kill("SIGKILL"));
      let shown = "";
      child.stdout?.on("data", (text) => {
        shown += text;
      });
      const [[half]] = await Promise.all([
        once(child.stderr ?? child, "data"),
        expect.poll(() => shown).toBe("a "),
      ]);
      expect(String(half)).toBe("half");
      child.stdin?.end("go\n");
      expect(await once(child, "close")).toEqual([0, null]);
      expect(shown).toBe("a *** b");
    },
  );

  it("shows output without a secret at once, before the line ends", async ({
    expect,
    onTestFinished,
  }) => {
    const script =
      'process.stdout.write("Enter a value: "); process.stdin.once("data", (t) => { process.stdout.write(`got ${t}`); process.stdin.destroy(); });';
    const command = await commandOf(bench, script);
    const child = bench.start(exec(command, "--mask"));
    onTestFinished(() => void child.kill("SIGKILL"));
    expect(String(await once(child.stdout ?? child, "data"))).toBe("Enter a value: ");
    child.stdin?.end("no");
    expect(String(await once(child.stdout ?? child, "data"))).toBe("got no");
    expect(await once(child, "close")).toEqual([0, null]);
  });

  it.for<[script: string, status: number]>([
    ["process.exit(0)", 0],
    ["process.exit(2)", 2],
    ["process.exitCode = 42; process.stdout.write(process.env.DIGITALOCEAN_TOKEN)", 42],
    ["process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)", 143],
    ["process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000)", 137],
  ])("%s: exit status %i", async ([script, status], { expect }) => {
    const command = await commandOf(bench, script);
    const result = await bench.run(exec(command, "--mask"));
    expect(result.status).toBe(status);
    expect(result.stdout).toBe(script.includes("write") ? "***" : "");
  });

  it("command not found: 127", async ({ expect }) => {
    expect(await bench.run(exec(["no-such-command"], "--mask"))).toEqual({
      status: 127,
      stdout: "",
      stderr: "do-bootstrap: no-such-command: command not found\n",
    });
    const env = { DB_PASSWORD: "correct-horse" };
    const { stderr } = await bench.run(exec(["./correct-horse"], "--mask"), { env });
    expect(stderr).toBe("do-bootstrap: ./***: command not found\n");
  });

  it("passes 50 MB unchanged, and masks the token at the end", async ({
    expect,
    onTestFinished,
  }) => {
    // Every byte value, and starts of a token that don't continue.
    const bytes = `const part = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
        Buffer.from("dop_v1_ddop_v1_0")]);
      const chunk = Buffer.alloc(1024 * 1024, part);`;
    const script = `${bytes}
      let left = 50;
      const more = () => {
        if (left-- > 0) process.stdout.write(chunk, more);
        else process.stdout.write(process.env.DIGITALOCEAN_TOKEN);
      };
      more();`;
    const command = await commandOf(bench, script);
    const child = bench.start(exec(command, "--mask"));
    onTestFinished(() => void child.kill("SIGKILL"));
    const MB = 1024 * 1024;
    const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const chunk = Buffer.alloc(MB, Buffer.concat([every, Buffer.from("dop_v1_ddop_v1_0")]));
    const shown: Buffer[] = [];
    child.stdout?.on("data", (part: Buffer) => shown.push(part));
    expect(await once(child, "close")).toEqual([0, null]);
    const all = Buffer.concat(shown);
    expect(all.length).toBe(50 * MB + 3);
    for (let at = 0; at < 50 * MB; at += MB) {
      expect(all.subarray(at, at + MB).equals(chunk), `at ${at}`).toBe(true);
    }
    expect(all.subarray(-3).toString()).toBe("***");
  });

  it("a closed reader ends the command, as without exec", async ({ expect, onTestFinished }) => {
    const script =
      'process.stdout.on("error", (e) => process.exit(e.code === "EPIPE" ? 9 : 1)); const more = (e) => e || process.stdout.write("x".repeat(65536), more); more();';
    const command = await commandOf(bench, script);
    const child = bench.start(exec(command, "--mask"));
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child.stdout ?? child, "data");
    child.stdout?.destroy();
    expect(await once(child, "close")).toEqual([9, null]);
  });
});

describe.skipIf(needsScript !== "").concurrent(`on a terminal${needsScript}`, () => {
  const script = `require("node:fs").writeFileSync(process.argv[2], JSON.stringify(
      [0, 1, 2].map(require("node:tty").isatty)));
    console.log("out " + process.env.DIGITALOCEAN_TOKEN);
    console.error("err " + process.env.DIGITALOCEAN_TOKEN);
    process.exitCode = 3;`;

  it.for<
    [
      name: string,
      env: Record<string, string>,
      redirect: string,
      tty: boolean[],
      out: string,
      err: string,
    ]
  >([
    ["masks nothing: the command gets the terminal", {}, "", [true, true, true], "T", "T"],
    ["masks everything in CI", { CI: "true" }, "", [true, false, false], "***", "***"],
    ["masks a redirected stream", {}, "> out.txt", [true, false, true], "***", "T"],
    ["an empty CI variable doesn't mean CI", { CI: "" }, "", [true, true, true], "T", "T"],
  ])("%s", async ([, env, redirect, tty, out, err], context) => {
    const { expect } = context;
    const bench = await repoWith(context);
    const command = await commandOf(bench, script);
    const seen = join(bench.root, "seen.json");
    const line = exec([...command, seen], "--mask");
    for (const when of ["the first time", "with a record"]) {
      const terminal = start(context, bench, line, { env, redirect, columns: 200 });
      expect(await terminal.exit, `${when}: ${terminal.screen()}`).toBe(3);
      expect(JSON.parse(await readFile(seen, "utf8")), when).toEqual(tty);
      const shown = terminal.screen() + (redirect === "" ? "" : await bench.read("out.txt"));
      const lines = shown.replaceAll("\r", "").trim().split("\n").sort();
      const value = (text: string) => text.replace("T", bench.token);
      expect(lines, when).toEqual([`err ${value(err)}`, `out ${value(out)}`]);
    }
  });
});
