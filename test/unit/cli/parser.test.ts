import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { globalOptions, type Option } from "../../../src/cli/options.ts";
import { parse } from "../../../src/cli/parser.ts";
import { AppError } from "../../../src/errors/app-error.ts";
import { said } from "../../fixtures/hint.ts";
import { unguardedToken } from "../../fixtures/workbench.ts";

/** The command and the arguments that the line sets, or the printed text. */
async function read(line: string) {
  const parsed = await parse(line.split(" ").filter(Boolean), 80);
  if (parsed.kind === "print") return parsed.text.trim();
  const own = Object.entries(parsed.args).filter(
    ([, value]) => value !== false && value !== undefined && String(value) !== "",
  );
  return [parsed.command.name, Object.fromEntries(own)];
}

/** The refusal's message and hint. */
async function refusal(argv: readonly string[]): Promise<string> {
  try {
    return JSON.stringify(await parse(argv, 80));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error).toMatchObject({ code: "USAGE", status: 2 });
    return `${error.message} → ${said(error.hint)}`;
  }
}

it.each<[line: string, command: string, args: Record<string, unknown>]>([
  ["", "init", {}],
  ["--yes", "init", { yes: true }],
  ["init", "init", {}],
  ["init --env prod --dry-run", "init", { env: "prod", "dry-run": true }],
  ["--env=prod --json", "init", { env: "prod", json: true }],
  ["-e prod", "init", { env: "prod" }],
  ["-e=prod check", "check", { env: "prod" }],
  ["check -e prod --all", "check", { env: "prod", all: true }],
  ["exec -e prod ls -e x", "exec", { env: "prod", "--": ["ls", "-e", "x"] }],
  ["exec -- ls -h", "exec", { "--": ["ls", "-h"] }],
  ["status --strict", "check", { strict: true }],
  ["--env check", "init", { env: "check" }],
  ["check --strict --debug", "check", { strict: true, debug: true }],
  ["check --color --no-color", "check", {}],
  ["--yes --yes=false", "init", {}],
  ["login --no-browser", "login", { "no-browser": true }],
  ["login --no-browser --browser", "login", {}],
  ["exec --all -- ls -l --json", "exec", { all: true, "--": ["ls", "-l", "--json"] }],
  [
    "scopes --for plan a b 7 0x1 true",
    "scopes",
    { for: "plan", DIR: ["a", "b", "7", "0x1", "true"] },
  ],
  ["scopes x --plan -", "scopes", { DIR: ["x"], plan: "-" }],
  ["scopes -- -x", "scopes", { DIR: ["-x"] }],
  ["explain -", "explain", { TEXT: ["-"] }],
  ["explain help -- --token", "explain", { TEXT: ["help", "--token"] }],
  ["hook install --yes", "hook", { ACTION: "install", yes: true }],
  ["ci github", "ci", { WHERE: "github" }],
])("do-bootstrap %s", async (line, command, args) => {
  expect(await read(line)).toEqual([command, args]);
});

describe("help and version", () => {
  it.each([
    ["help", "--help"],
    ["help init", "init --help"],
    ["help status", "check --help"],
    ["--debug help check", "check -h"],
    ["-v", "--version"],
    ["-V", "--version"],
    ["version", "--version"],
    ["-v --json", "--version --json"],
    ["version --json", "--version --json"],
    ["--json version", "--version --json"],
    ["help --all", "--help --all"],
    ["help check --all", "check --all --help"],
    ["--no-color version", "--version"],
    ["help help", "--help"],
    ["help version --debug", "--help"],
  ])("%s is the same as %s", async (line, other) => {
    expect(await read(line)).toBe(await read(other));
    expect(await read(line)).toMatch(/^Usage: do-bootstrap|0\.0\.0-test/m);
  });

  it.each([
    ["--version", "0.0.0-test\n"],
    ["version", "0.0.0-test\n"],
    ["--version --json", '{"version":"0.0.0-test"}\n'],
    ["version --json", '{"version":"0.0.0-test"}\n'],
    ["--json --debug -V", '{"version":"0.0.0-test"}\n'],
  ])("%s prints one line", async (line, text) => {
    expect(await parse(line.split(" "), 80)).toEqual({ kind: "print", text });
  });

  it("options after exec's command are not ours", async () => {
    const { kind } = await parse("exec -- ls --help --version --json --all".split(" "), 80);
    expect(kind).toBe("run");
  });
});

const STDIN = "do-bootstrap --token-stdin < ~/token.txt";
const HISTORY = "do-bootstrap check --history";

it.each<[line: string, message: string, hint: string]>([
  // Missing values.
  [
    "--env",
    "--env needs a value.",
    "completion --list environments. Then: do-bootstrap --env NAME",
  ],
  ["check -e", "--env needs a value.", "do-bootstrap check --env NAME"],
  ["check --env= --all", "--env needs a value.", "do-bootstrap check --env NAME"],
  ["check --env --all", "--env needs a value.", "do-bootstrap check --env NAME"],
  ["scopes --format", "--format needs a value.", "Use one of: text, markdown"],
  ["ci github --branch -x", "--branch needs a value.", "do-bootstrap ci --branch NAME."],
  // Options without a value.
  ["--no-yes=false", "--no-yes takes no value.", "Write --no-yes"],
  ["--dry-run=maybe", "--dry-run takes no value.", "Write --dry-run"],
  ["--token-stdin token.txt", "--token-stdin takes no value: it reads standard input.", STDIN],
  ["check --token-stdin t", "--token-stdin takes no value", "check --token-stdin < ~/token.txt"],
  // Unknown options and commands, with suggestions.
  ["--token-stdn", "Unknown option --token-stdn.", "Did you mean --token-stdin?"],
  ["--ENV prod", "Unknown option --ENV.", "Did you mean --env?"],
  ["check --verbose", "Unknown option --verbose.", "Did you mean --debug?"],
  ["version -y", "Unknown option -y.", "Did you mean --yes?"],
  ["-v check", "Unknown option -v.", "Did you mean --debug?"],
  ["check -v", "Unknown option -v.", "Did you mean --debug?"],
  ["-y", "Unknown option -y.", "Did you mean --yes?"],
  ["--history", "Unknown option --history.", HISTORY],
  ["check --plan", "Unknown option --plan.", "do-bootstrap scopes --plan FILE"],
  ["--__proto__", "Unknown option.", "See do-bootstrap --help"],
  ["env --constructor", "Unknown option --constructor.", "See do-bootstrap env --help"],
  ["check -", "check takes no arguments.", "See do-bootstrap check --help"],
  ["chek", "Unknown command chek.", "Did you mean check?"],
  ["statsu", "Unknown command statsu.", "Did you mean status?"],
  ["help chek", "Unknown command chek.", "Did you mean check?"],
  ["check prod", "check takes no arguments: prod.", "do-bootstrap check --env prod."],
  ["init -- check", "init takes no arguments: check.", "See do-bootstrap --help"],
  ["env -- ls", "env takes no arguments: ls.", "See do-bootstrap env --help"],
  ["-e prod exec ls -l", "Unknown option -l.", "See do-bootstrap exec --help"],
])("do-bootstrap %s: %s", async (line, message, hint) => {
  const text = await refusal(line.split(" "));
  expect(text.startsWith(message), text).toBe(true);
  expect(text).toContain(hint);
});

describe("a token on the line is never printed; the hint names --token-stdin", () => {
  const values = [unguardedToken(), "ab".repeat(32), "s3cr3t-Pa55word", "hunter"];
  it.each([
    ...["--token X", "--token=X", "-t X", "-tX", "-t=X", "--tokn X", "--api-key X", "--api_key X"],
    ...["--access-token X", "--do-token=X", "--digitalocean-token X", "chek --token X"],
    ...["check --token X", "rotate --token X", "exec --token X -- ls", "env --token X", "--token"],
    ...["hook --secret X install", "--token-stdin --token X", "--env prod --token X"],
  ])("%s", async (line) => {
    for (const value of values) {
      const text = await refusal(line.split(" ").map((word) => word.replace(/X$/, value)));
      expect(text).toMatch(/There is no option |The command line contains a token\./);
      expect(text).toMatch(
        /do-bootstrap (check |rotate )?(--env prod )?--token-stdin < ~\/token\.txt/,
      );
      expect(text).not.toContain(value);
    }
  });

  it.each([
    ...[
      "X",
      "init X",
      "check X",
      "--env X",
      "-e=X",
      "--X",
      "scopes X",
      "ci X",
      "ci github --branch X",
    ],
    ...["--min-ttl X", "env --format X", "help X", "X --help", "check -- X", "completion X"],
  ])("in another place: %s", async (line) => {
    const [token = ""] = values;
    const text = await refusal(line.split(" ").map((word) => word.replace(/X$/, token)));
    if (!line.includes("help")) expect(text).toContain("The command line contains a token.");
    expect(text).not.toContain(token);
  });

  it.each(["X", "check X", "-X", "--X", "hook X", "--token-stdin X", "--profile X"])(
    "a secret of no known form: %s",
    async (line) => {
      const text = await refusal(
        line.split(" ").map((word) => word.replace(/X$/, "s3cr3t_Pa55w0rd")),
      );
      expect(text).not.toContain("Pa55w0rd");
    },
  );

  it("explain's text and exec's command may contain a token", async () => {
    for (const line of ["explain 401 X", "exec -- ls X"]) {
      const argv = line.split(" ").map((word) => word.replace(/X$/, unguardedToken()));
      expect(await parse(argv, 80)).toMatchObject({ kind: "run" });
    }
  });
});

describe("every option of every command", () => {
  const all = COMMANDS.flatMap((command) =>
    Object.entries<Option>({ ...globalOptions, ...command.options }).map(
      ([name, option]) => [command, name, option] as const,
    ),
  );

  it("says that its value is missing", async () => {
    const valued = all.filter(([, , { type }]) => type === "string");
    expect(valued.length).toBeGreaterThan(15);
    for (const [command, name] of valued) {
      for (const rest of [
        [`--${name}`],
        [`--${name}=`],
        [`--${name}`, ""],
        [`--${name}`, "--json"],
      ]) {
        expect(await refusal([command.name, ...rest])).toContain(`--${name} needs a value. → `);
      }
    }
  });

  it("says that it takes no value", async () => {
    for (const [command, name] of all.filter(([, , { type }]) => type === "boolean")) {
      expect(await refusal([command.name, `--${name}=x`])).toContain(`--${name} takes no value.`);
    }
  });

  it("takes a value in all commands or in none", () => {
    const types = new Map(all.map(([, name, { type }]) => [name, type]));
    expect(all.filter(([, name, { type }]) => types.get(name) !== type)).toEqual([]);
  });
});
