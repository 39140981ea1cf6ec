import { once } from "node:events";
import { chmod, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "dotenv";
import { execa } from "execa";
import { describe, expect, it, type TestContext } from "vitest";
import { FORMATS, quote } from "../../src/exec/quoting.ts";
import { onPath } from "../fixtures/on-path.ts";
import { PROGRAM } from "../fixtures/program.ts";
import { needsScript, start } from "../fixtures/terminal.ts";
import { type RunOptions, randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

type Context = Pick<TestContext, "onTestFinished">;

const SECRET_FILE = "do-bootstrap.secret.auto.tfvars.json";

/** A repo with a token and the given text in its env file. */
async function repoWith(context: Context, text = ""): Promise<Workbench> {
  const bench = await workbench(context);
  await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n${text}`, 0o600);
  await symlink(PROGRAM, join(bench.bin, "do-bootstrap"));
  return bench;
}

const tokens = ({ token }: Workbench) => ({
  DIGITALOCEAN_TOKEN: token,
  DIGITALOCEAN_ACCESS_TOKEN: token,
});

const mapOf = (values: Record<string, string>) => new Map(Object.entries(values));

/** Runs twice: the second run has a record, and must give the same result. */
async function runTwice(bench: Workbench, args: readonly string[], options: RunOptions = {}) {
  const first = await bench.run(args, options);
  expect(await bench.run(args, options)).toEqual(first);
  return first;
}

/** The variables that are printed. */
async function printed(bench: Workbench, args: readonly string[] = [], options?: RunOptions) {
  const result = await runTwice(bench, ["env", "--format", "json", ...args], options);
  expect(result).toMatchObject({ status: 0, stderr: "" });
  return JSON.parse(result.stdout) as Record<string, string>;
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i));

const ASCII = range(1, 127);

/** Values that are hard to quote in one shell or another, by variable. */
const VALUES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(ASCII.map((char) => [`V_${char.charCodeAt(0)}`, char])),
  ...Object.fromEntries(
    ASCII.map((char) => [`W_${char.charCodeAt(0)}`, ` ${char}${char}x${char}`]),
  ),
  T_ASCII: ASCII.join(""),
  T_REVERSED: ASCII.toReversed().join(""),
  T_TWO_BYTES: range(0x80, 0x7ff).join(""),
  T_THREE_BYTES: range(0x2000, 0x2fff).join(""),
  T_PRIVATE: range(0xe000, 0xf8ff).join(""),
  T_LAST: range(0xfdd0, 0xffff).join(""),
  T_ASTRAL: `😀𝔘${String.fromCodePoint(0x10000, 0x1f000, 0x10fffd)}`,
  T_COMBINING: "e\u0301 n\u0303",
  T_QUOTES: '‘a’ ‚b‛ “c” „d‟ it\'s "e" `f`',
  T_COMMAND: "$(id >&2) `id >&2` ${HOME} $HOME",
  T_HISTORY: "!x !! !$",
  T_PERCENT: "%PATH% %%",
  T_GLOB: "~ * ? [a-z] {a,b} =ls",
  T_ASSIGNMENT: "A=b; export C=d\nexport D='e'\n",
  T_BACKSLASHES: "\\ \\\\ \\n \\' \\\" a\\",
  T_ENDS: "\\",
  T_LINES: "\n\na\n b\r\nc\r\n\n",
  T_BLANKS: " \t a \t ",
  T_EMPTY: "",
  T_OPTION: "-n -e --",
};

interface Shell {
  readonly name: string;
  /** Runs a script file, without the machine's settings. */
  readonly argv: readonly string[];
  readonly format: "sh" | "fish" | "powershell";
  /** As in the help. */
  readonly load: string;
  readonly unload: string;
  readonly path: string | undefined;
}

const EVAL = { format: "sh", load: 'eval "$(do-bootstrap env)"' } as const;
const sh = { ...EVAL, unload: 'eval "$(do-bootstrap env --unset)"' };

const SHELLS: readonly Shell[] = await Promise.all(
  [
    { name: "bash", argv: ["--norc"], ...sh },
    { name: "dash", argv: [], ...sh },
    { name: "zsh", argv: ["-f"], ...sh },
    {
      name: "fish",
      argv: ["--no-config"],
      format: "fish" as const,
      load: "do-bootstrap env --format fish | source",
      unload: "do-bootstrap env --format fish --unset | source",
    },
    {
      name: "pwsh",
      argv: ["-NoProfile", "-NonInteractive", "-File"],
      format: "powershell" as const,
      load: "do-bootstrap env --format powershell | Invoke-Expression",
      unload: "do-bootstrap env --format powershell --unset | Invoke-Expression",
    },
  ].map(async (shell) => {
    const stdout = onPath(shell.name) ?? "";
    return { ...shell, path: stdout || undefined };
  }),
);

/** Runs a script in which PRINT prints the environment that a command would get. */
async function environmentsIn(shell: Shell, bench: Workbench, script: string) {
  const ending = shell.format === "powershell" ? "ps1" : "sh";
  const [file, printer] = [`script.${ending}`, "print.cjs"].map((name) => join(bench.tmp, name));
  const call = `${shell.format === "powershell" ? "& " : ""}'${process.execPath}'`;
  await writeFile(printer ?? "", "process.stdout.write(JSON.stringify(process.env) + '\\0');");
  await writeFile(file ?? "", script.replaceAll("PRINT\n", `${call} '${printer}'\n`));
  const { exitCode, stdout, stderr } = await execa(shell.path ?? "", [...shell.argv, file ?? ""], {
    cwd: bench.repo,
    env: bench.env,
    extendEnv: false,
    reject: false,
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const texts = stdout.split("\0").slice(0, -1);
  return texts.map((text) => JSON.parse(text) as Record<string, string>);
}

describe.concurrent.each(SHELLS)("$name", (shell) => {
  const { path, name, format, load, unload } = shell;
  const needs = path === undefined ? ` (needs ${name})` : "";

  it.skipIf(needs !== "")(`reads every value unchanged${needs}`, async (context) => {
    const bench = await workbench(context);
    const { text, leftOut } = quote(format, mapOf(VALUES));
    expect(leftOut).toEqual([]);
    const [environment] = await environmentsIn(shell, bench, `${text}PRINT\n`);
    expect(environment).toMatchObject(VALUES);
  });

  it.skipIf(needs !== "")(`${load}, and ${unload}${needs}`, async (context) => {
    const bench = await repoWith(context, ENV_FILE);
    const script = `PRINT\n${load}\nPRINT\n${unload}\nPRINT\n${load}\nPRINT\n`;
    const seen = await environmentsIn(shell, bench, script);
    const [before = {}, during = {}, after, again] = seen;
    expect(before).not.toHaveProperty("DIGITALOCEAN_TOKEN");
    const added = { ...CARRIED, ...tokens(bench) };
    expect(during).toEqual({ ...before, ...added });
    expect(after).toEqual(before);
    expect(again).toEqual(during);
    expect(seen).toHaveLength(4);
  });
});

/** As an env file contains them: TF_VAR_c97='xay'. */
const CARRIED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(ASCII.map((char) => [`TF_VAR_c${char.charCodeAt(0)}`, `x${char}y`])),
  TF_VAR_lines: "\none\n\ntwo\n",
  TF_VAR_unicode: "‘a’ “b” é e\u0301 😀 \u2028",
  TF_VAR_blanks: "  a\t",
  TF_VAR_assignment: "A=b; export C=$(id) `id` %PATH% !x",
};
const ENV_FILE = Object.entries(CARRIED)
  .map(([name, value]) => {
    if (value.includes("'")) return `${name}="${value}"\n`;
    return value.includes("\r")
      ? `${name}="${value.replace("\r", "\\r")}"\n`
      : `${name}='${value}'\n`;
  })
  .join("");

describe.concurrent("output", () => {
  it("the tests' env file contains the expected values", () => {
    expect(parse(ENV_FILE)).toEqual(CARRIED);
  });

  it.for(FORMATS)("--format %s prints only that format", async (format, context) => {
    const text = "TF_VAR_a='x y'\nTF_VAR_b=\"it's\"\nPORT=80\n";
    const bench = await repoWith(context, text);
    const values = { TF_VAR_a: "x y", TF_VAR_b: "it's", ...tokens(bench) };
    const expected = { status: 0, stdout: quote(format, mapOf(values)).text, stderr: "" };
    expect(await runTwice(bench, ["env", "--format", format])).toEqual(expected);
    expect(await runTwice(bench, ["env", `--format=${format}`])).toEqual(expected);
    if (format === "sh") expect(await runTwice(bench, ["env"])).toEqual(expected);
  });

  it.for([
    ["sh", "unset TF_VAR_a\nunset DIGITALOCEAN_TOKEN\nunset DIGITALOCEAN_ACCESS_TOKEN\n"],
    ["fish", "set -e TF_VAR_a\nset -e DIGITALOCEAN_TOKEN\nset -e DIGITALOCEAN_ACCESS_TOKEN\n"],
  ] as const)("--unset --format %s", async ([format, stdout], context) => {
    const bench = await repoWith(context, "TF_VAR_a=1\nPORT=80\n");
    const result = await runTwice(bench, ["env", "--unset", "--format", format]);
    expect(result).toEqual({ status: 0, stdout, stderr: "" });
  });

  it("--unset needs no token", async (context) => {
    const bench = await workbench(context);
    const stdout = "unset DIGITALOCEAN_TOKEN\nunset DIGITALOCEAN_ACCESS_TOKEN\n";
    expect(await runTwice(bench, ["env", "--unset"])).toEqual({ status: 0, stdout, stderr: "" });
  });

  it("--unset removes the AWS_ names that come from Spaces keys in the environment", async (context) => {
    const bench = await repoWith(context);
    await bench.write(".do-bootstraprc", BACKEND);
    const keys = { SPACES_ACCESS_KEY_ID: "id", SPACES_SECRET_ACCESS_KEY: "secret" };
    const set = await printed(bench, [], { env: keys });
    expect(set).toMatchObject({ AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" });
    const removed = await printed(bench, ["--unset"], { env: { ...keys, ...set } });
    expect(Object.keys(removed).sort()).toEqual(Object.keys(set).sort());
  });

  it("--unset removes the variables that were set from Spaces keys in the environment", async (context) => {
    const bench = await repoWith(context);
    await bench.write("main.tf", KEYED);
    const set = await printed(bench, [], { env: SPACES });
    expect(set).toMatchObject({ TF_VAR_a: "id", TF_VAR_b: "secret" });
    const removed = await printed(bench, ["--unset"], { env: { ...SPACES, ...set } });
    expect(Object.keys(removed).sort()).toEqual(Object.keys(set).sort());
  });

  it("prints the same from a subfolder of a prepared repo", async (context) => {
    const bench = await repoWith(context);
    expect((await bench.run([])).status).toBe(0);
    await bench.write("src/deep/x", "");
    expect(await printed(bench, [], { cwd: "src/deep" })).toEqual(tokens(bench));
  });

  it("--env uses the env file of an environment", async (context) => {
    const bench = await repoWith(context, "TF_VAR_a=1\n");
    const other = randomToken();
    await bench.write(
      ".do-bootstraprc",
      "environments: { prod: { token: { envFile: .env.prod } } }\n",
    );
    await bench.write(".env.prod", `DIGITALOCEAN_TOKEN=${other}\nTF_VAR_a=2\n`, 0o600);
    const prod = { TF_VAR_a: "2", DIGITALOCEAN_TOKEN: other, DIGITALOCEAN_ACCESS_TOKEN: other };
    expect(await printed(bench, ["--env", "prod"])).toEqual(prod);
    expect(await printed(bench)).toEqual({ TF_VAR_a: "1", ...tokens(bench) });
  });

  it("prints a custom token name and the provider's variable", async (context) => {
    const bench = await workbench(context);
    await bench.write(".env", `ACME_TOKEN=${bench.token}\n`, 0o600);
    await bench.write(".do-bootstraprc", "token: { name: ACME_TOKEN }\n");
    await bench.write("main.tf", OWN_VARIABLE);
    const { token } = bench;
    expect(await printed(bench)).toEqual({
      ACME_TOKEN: token,
      TF_VAR_my_token: token,
      ...tokens(bench),
    });
  });

  it("skips a variable that isn't a valid shell name, and says so", async (context) => {
    const bench = await repoWith(context, "TF_VAR_a-b=1\nTF_VAR_c=2\n");
    const values = { TF_VAR_c: "2", ...tokens(bench) };
    expect(await runTwice(bench, ["env"])).toEqual({
      status: 0,
      stdout: quote("sh", mapOf(values)).text,
      stderr: "! TF_VAR_a-b is skipped: not a valid shell variable name.\n",
    });
    expect(await printed(bench)).toEqual({ "TF_VAR_a-b": "1", ...values });
  });

  it("--json prints one JSON document", async (context) => {
    const bench = await repoWith(context, "TF_VAR_a=1\n");
    const { status, stdout, stderr } = await runTwice(bench, ["env", "--json"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({ TF_VAR_a: "1", ...tokens(bench) });
  });

  it("--json also prints a failure as JSON, without the token", async (context) => {
    const bench = await repoWith(context);
    await bench.write(SECRET_FILE, JSON.stringify({ do_token: randomToken() }), 0o600);
    const { status, stdout, stderr } = await runTwice(bench, ["env", "--json"]);
    expect({ status, stderr }).toEqual({ status: 3, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "OTHER_TOKEN" } });
    expect(stdout).not.toContain("dop_v1_");
  });
});

const BACKEND = "terraform: { backend: { bucket: acme, region: nyc3, key: k } }\n";
const OWN_VARIABLE =
  'variable "my_token" {}\nprovider "digitalocean" {\n  token = var.my_token\n}\n';
const CHECKSUMS = {
  AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
  AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required",
};
const SPACES = { SPACES_ACCESS_KEY_ID: "id", SPACES_SECRET_ACCESS_KEY: "secret" };
const ON_SPACES =
  'terraform {\n  backend "s3" {\n    endpoint = "https://nyc3.digitaloceanspaces.com"\n  }\n}\n';
const KEYED =
  'variable "a" {}\nvariable "b" {}\nprovider "digitalocean" {\n  spaces_access_id  = var.a\n  spaces_secret_key = var.b\n}\n';
const AWS = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };
const linesOf = (values: Record<string, string>) =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");

type Row = [
  name: string,
  file: string,
  args: string[],
  expected: object,
  more?: { config?: string; env?: Record<string, string>; code?: string },
];

describe.concurrent("which variables it prints besides the token", () => {
  it.for<Row>([
    ["nothing else", "PORT=80\n", [], {}],
    ["--all: everything", "PORT=80\nB='x y'\n", ["--all"], { PORT: "80", B: "x y" }],
    [
      "TF_VAR_, AWS_ and SPACES_",
      "TF_VAR_a=1\nAWS_REGION=p\nSPACES_BUCKET=2\n",
      [],
      { TF_VAR_a: "1", AWS_REGION: "p", SPACES_BUCKET: "2" },
    ],
    ["Spaces keys without a backend", linesOf(SPACES), [], SPACES],
    [
      "Spaces keys as AWS_ keys too, with a backend",
      linesOf(SPACES),
      [],
      { ...SPACES, ...AWS, ...CHECKSUMS },
      { config: BACKEND },
    ],
    [
      "Spaces keys of the environment as AWS_ keys, with a backend",
      "",
      [],
      { ...AWS, ...CHECKSUMS },
      { config: BACKEND, env: SPACES },
    ],
    [
      "Spaces keys of the environment as AWS_ keys, with a backend in the code",
      "",
      [],
      { ...AWS, ...CHECKSUMS },
      { code: ON_SPACES, env: SPACES },
    ],
    [
      "no AWS_ keys with a backend on another host",
      "",
      [],
      {},
      { code: ON_SPACES.replace("https://nyc3.", "https://evil."), env: SPACES },
    ],
    [
      "variables from which the provider reads Spaces keys",
      "",
      [],
      { TF_VAR_a: "id", TF_VAR_b: "secret" },
      { code: KEYED, env: SPACES },
    ],
    [
      "no AWS_ keys next to an AWS profile",
      linesOf(SPACES),
      [],
      { ...SPACES, ...CHECKSUMS },
      { config: BACKEND, env: { AWS_PROFILE: "mine" } },
    ],
    [
      "no variable that the environment already has",
      "AWS_PROFILE=p\nTF_VAR_a=1\n",
      [],
      { TF_VAR_a: "1" },
      { env: { AWS_PROFILE: "mine" } },
    ],
    [
      "never an API address, a context or our own variables",
      "DIGITALOCEAN_API_URL=https://x\nDIGITALOCEAN_CONTEXT=c\nDO_BOOTSTRAP_OAUTH_URL=u\nDO_BOOTSTRAP_EXEC=:/x\n",
      [],
      {},
    ],
    [
      "no API address, context or own variable with --all",
      "DIGITALOCEAN_API_URL=https://x\nDIGITALOCEAN_CONTEXT=c\nDO_BOOTSTRAP_OAUTH_URL=u\nDO_BOOTSTRAP_EXEC=:/x\n",
      ["--all"],
      {},
    ],
  ])("%s", async ([, file, args, expected, { config, env, code } = {}], context) => {
    const bench = await repoWith(context, file);
    if (config !== undefined) await bench.write(".do-bootstraprc", config);
    if (code !== undefined) await bench.write("main.tf", code);
    const all = await printed(bench, args, env === undefined ? {} : { env });
    expect(all).toEqual({ ...expected, ...tokens(bench) });
  });
});

describe.concurrent("in GitHub Actions, env first tells the runner which values to mask", () => {
  const ENV = `SPACES_SECRET_ACCESS_KEY='s3cr%t-key'
TF_VAR_password='first line
second line'
TF_VAR_region=nyc3
SPACES_PIN_KEY=1234
`;
  const github = { env: { GITHUB_ACTIONS: "true", CI: "true" } };

  it("masks every secret on stderr; stdout is for $GITHUB_ENV", async (context) => {
    const bench = await repoWith(context, ENV);
    const { status, stdout, stderr } = await runTwice(bench, ["env", "--format", "github"], github);
    expect(status).toBe(0);
    expect(stderr.split("\n")).toEqual([
      "::add-mask::s3cr%25t-key",
      "::add-mask::first line",
      "::add-mask::second line",
      `::add-mask::${bench.token}`,
      "",
    ]);
    expect(stdout).not.toContain("::");
    expect(stdout).toContain(`\n${bench.token}\n`);
  });

  it.for(["sh", "json", "dotenv"])("also with --format %s", async (format, context) => {
    const address = "TF_VAR_address=postgres://me:p4ss@db.example/x";
    const bench = await repoWith(context, `${address}\nTF_VAR_pem_key="one line\ntwo line"\n`);
    const { stdout, stderr } = await runTwice(bench, ["env", "--format", format], github);
    expect(stderr.split("\n").sort()).toEqual(
      [
        "",
        "::add-mask::one line",
        "::add-mask::p4ss",
        "::add-mask::postgres://me:p4ss@db.example/x",
        "::add-mask::two line",
        `::add-mask::${bench.token}`,
      ].sort(),
    );
    expect(stdout).not.toContain("add-mask");
  });

  it.for<[name: string, args: string[], env: Record<string, string>]>([
    ["outside GitHub Actions", ["--format", "github"], {}],
    ["in another CI", ["--format", "github"], { CI: "true" }],
    ["with --unset", ["--unset"], github.env],
  ])("%s, prints nothing on stderr", async ([, args, env], context) => {
    const bench = await repoWith(context, ENV);
    const { status, stderr } = await runTwice(bench, ["env", ...args], { env });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

describe.concurrent("targets of standard output", () => {
  const WHEN = ["the first time", "with a record"];
  const shell = async (bench: Workbench, script: string) => {
    const options = { cwd: bench.repo, env: bench.env, extendEnv: false, reject: false } as const;
    const { exitCode, stdout, stderr } = await execa("/bin/sh", ["-c", script], options);
    return { status: exitCode, stdout, stderr };
  };
  const said = (stdout: string) => ({ status: 0, stdout, stderr: "" });

  it.for(WHEN)("/dev/null and files, %s", async (when, context) => {
    const bench = await repoWith(context);
    const text = quote("sh", mapOf(tokens(bench))).text;
    if (when === "with a record") await bench.run(["env"]);
    const out = join(bench.tmp, "out");
    bench.mayHold("../tmp/out");
    expect(await shell(bench, "do-bootstrap env > /dev/null")).toEqual(said(""));
    expect(await shell(bench, `do-bootstrap env > ${out}`)).toEqual(said(""));
    expect(await shell(bench, `do-bootstrap env >> ${out}`)).toEqual(said(""));
    expect(await readFile(out, "utf8")).toBe(text + text);
    expect(await shell(bench, 'do-bootstrap env | { read -r line; echo "$line"; }')).toEqual(
      said(text.split("\n")[0] ?? ""),
    );
  });

  it.for(WHEN)("a closed pipe, %s", async (when, context) => {
    const bench = await repoWith(context, `TF_VAR_long=${"x".repeat(200_000)}\n`);
    if (when === "with a record") await bench.run(["env"]);
    const child = bench.start(["env"]);
    context.onTestFinished(() => void child.kill("SIGKILL"));
    child.stdout?.destroy();
    let stderr = "";
    child.stderr?.on("data", (text) => {
      stderr += text;
    });
    expect(await once(child, "close")).toEqual([0, null]);
    expect(stderr).toBe("");
  });

  it.for(WHEN)("closed standard output (>&-), %s", async (when, context) => {
    const bench = await repoWith(context);
    if (when === "with a record") await bench.run(["env"]);
    expect(await shell(bench, "do-bootstrap env >&-")).toEqual(said(""));
  });

  it.for(WHEN)("a pipe with a slow reader, %s", async (when, context) => {
    const long = { TF_VAR_long: "x".repeat(3_000_000) };
    const bench = await repoWith(context, linesOf(long));
    if (when === "with a record") await bench.run(["env"]);
    const slow =
      "let text = ''; process.stdin.once('readable', () => process.stdin.on('data', (t) => { text += t; }).on('end', () => process.stdout.write(text)))";
    const script = `do-bootstrap env | '${process.execPath}' -e "${slow}"`;
    const { text } = quote("sh", mapOf({ ...long, ...tokens(bench) }));
    const { status, stdout, stderr } = await shell(bench, script);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(`${stdout}\n` === text).toBe(true);
  });
});

describe.skipIf(needsScript !== "").concurrent(`env on a terminal${needsScript}`, () => {
  it.for<[when: string, args: string[], status: number]>([
    ["the first time", [], 2],
    ["with a record", [], 2],
    ["the first time", ["--format", "json"], 2],
    ["with a record", ["--all"], 2],
    ["the first time", ["--yes"], 0],
    ["with a record", ["--yes"], 0],
    ["the first time", ["--unset"], 0],
    ["with a record", ["--unset"], 0],
  ])("%s, env %j: exit status %i", async ([when, args, status], context) => {
    const bench = await repoWith(context);
    if (when === "with a record") await bench.run(["env"]);
    const terminal = start(context, bench, ["env", ...args]);
    expect(await terminal.exit, terminal.screen()).toBe(status);
    const screen = terminal.screen().replaceAll("\r\n", "\n");
    expect(screen.includes(bench.token)).toBe(args.includes("--yes"));
    if (args.includes("--yes")) expect(screen).toBe(quote("sh", mapOf(tokens(bench))).text);
    if (status === 0) return;
    expect(screen).toContain("env prints the token, and this is a terminal. [USAGE]");
    expect(screen).toContain('eval "$(do-bootstrap env)"');
  });

  it.for(["/dev/null", "out.txt"])(
    "standard output in %s does not count as a terminal",
    async (path, context) => {
      const bench = await repoWith(context);
      bench.mayHold(path);
      const terminal = start(context, bench, ["env"], { redirect: `> ${path}` });
      expect(await terminal.exit, terminal.screen()).toBe(0);
      expect(terminal.screen()).toBe("");
      const isFile = (await stat(join(bench.repo, path)).catch(() => undefined))?.isFile() ?? false;
      expect(isFile && (await bench.read(path)).includes(bench.token)).toBe(path === "out.txt");
    },
  );
});

describe.concurrent("errors", () => {
  type Arrange = (bench: Workbench) => Promise<unknown>;
  const env = (text: string) => (bench: Workbench) => bench.write(".env", text, 0o600);
  const nothing: Arrange = async () => undefined;
  const conflict = () => ({
    DIGITALOCEAN_TOKEN: randomToken(),
    DIGITALOCEAN_ACCESS_TOKEN: randomToken(),
  });
  const otherToken: Arrange = (bench) =>
    bench.write(SECRET_FILE, JSON.stringify({ do_token: randomToken() }), 0o600);
  const prod = "environments: { prod: { token: { envFile: .env.prod } } }\n";

  it.for<[name: string, Arrange, args: string[], status: number, code: string, () => object]>([
    ["no token", env("PORT=80\n"), [], 4, "token.missing", Object],
    [
      "no env file",
      (bench) => chmod(bench.repo, 0o755),
      ["--format", "json"],
      4,
      "token.missing",
      () => ({ DIGITALOCEAN_TOKEN: "" }),
    ],
    ["a malformed token", env("DIGITALOCEAN_TOKEN=dop_v1_abc\n"), [], 4, "token.malformed", Object],
    [
      "a malformed token in the environment",
      nothing,
      [],
      4,
      "token.malformed",
      () => ({ DIGITALOCEAN_TOKEN: "hunter2" }),
    ],
    ["two tokens", nothing, [], 4, "token.conflict", conflict],
    [
      "an environment's token and another token",
      (bench) =>
        bench
          .write(".do-bootstraprc", prod)
          .then(() => bench.write(".env.prod", `DIGITALOCEAN_TOKEN=${randomToken()}\n`)),
      ["--env", "prod"],
      4,
      "token.conflict",
      () => ({ DIGITALOCEAN_TOKEN: randomToken() }),
    ],
    ["an unknown format", nothing, ["--format", "yaml"], 2, "USAGE", Object],
    ["--format without a value", nothing, ["--format"], 2, "USAGE", Object],
    ["--env without environments in the config", nothing, ["--env", "prod"], 2, "USAGE", Object],
    [
      "an unknown environment",
      (bench) => bench.write(".do-bootstraprc", prod),
      ["--env", "prud"],
      2,
      "USAGE",
      Object,
    ],
    ["an empty environment name", nothing, ["--env", ""], 2, "USAGE", Object],
    ["an environment name with ../", nothing, ["--env", "../../x"], 2, "USAGE", Object],
    ["an argument", nothing, ["ls"], 2, "USAGE", Object],
    ["an argument after --", nothing, ["--", "ls"], 2, "USAGE", Object],
    [
      "--unset in a format that can't unset",
      nothing,
      ["--unset", "--format", "github"],
      2,
      "NOT_REPRESENTABLE",
      Object,
    ],
    [
      "a value with two lines for gitlab",
      env(`DIGITALOCEAN_TOKEN=${randomToken()}\nTF_VAR_a='x\ny'\n`),
      ["--format", "gitlab"],
      2,
      "NOT_REPRESENTABLE",
      Object,
    ],
    [
      "an invalid config",
      (bench) => bench.write(".do-bootstraprc", "tokn: {}\n"),
      [],
      2,
      "CONFIG_INVALID",
      Object,
    ],
    ["another token in the secret file", otherToken, [], 3, "OTHER_TOKEN", Object],
    [
      "inside exec for another environment",
      nothing,
      [],
      2,
      "NESTED_EXEC",
      () => ({ DO_BOOTSTRAP_EXEC: "prod:/x" }),
    ],
    [
      "an env file that is a folder",
      (bench) =>
        bench
          .write("env/x", "")
          .then(() => bench.write(".do-bootstraprc", "token: { envFile: env }\n")),
      [],
      3,
      "env-file.unusable",
      Object,
    ],
  ])("%s", async ([, arrange, args, status, code, variables], context) => {
    const bench = await repoWith(context);
    await arrange(bench);
    const values = variables() as Record<string, string>;
    if (values["DIGITALOCEAN_TOKEN"] === "") await bench.write(".env", "");
    const result = await bench.run(["env", ...args], { env: values });
    expect(result).toMatchObject({ status, stdout: "" });
    expect(result.stderr).toContain(`[${code}]`);
    for (const value of [bench.token, ...Object.values(values)]) {
      if (value.startsWith("dop_v1_") || value === "hunter2") {
        expect(result.stderr).not.toContain(value);
      }
    }
  });

  it("accepts the same token in the secret file", async (context) => {
    const bench = await repoWith(context);
    await bench.write(SECRET_FILE, JSON.stringify({ do_token: bench.token }), 0o600);
    expect(await printed(bench)).toEqual(tokens(bench));
  });
});
