import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "../../../src/cli/parser.ts";
import {
  type CommandLine,
  commandFirst,
  commandLineOf,
  envOptions,
  execOptions,
  ownPart,
  readCommandLine,
  withSeparator,
} from "../../../src/exec/command-line.ts";
import { FORMATS } from "../../../src/exec/quoting.ts";

type Options = CommandLine["options"];

/** How the whole program reads a line. */
async function parsed(argv: readonly string[]): Promise<CommandLine | string> {
  const result = await parse(argv, 80);
  if (result.kind === "print") return result.text;
  const { name } = result.command;
  if (name !== "exec" && name !== "env") return name;
  return commandLineOf(name, result.args);
}

const refusal = async (argv: readonly string[]) =>
  parsed(argv).then(JSON.stringify, (error: Error & { code?: string }) => {
    expect(error.code).toBe("USAGE");
    return error.message;
  });

describe("the small entry reads this line like the whole program", () => {
  it.each<[argv: string[], options: Options, words: string[]]>([
    [["env"], {}, []],
    [["env", "--"], {}, []],
    [["env", "--env=prod"], { env: "prod" }, []],
    [["env", "--env", "prod"], { env: "prod" }, []],
    [["env", "--env", "prod", "--env", "dev"], { env: "dev" }, []],
    [["env", "-e", "prod"], { env: "prod" }, []],
    [["env", "-e=prod"], { env: "prod" }, []],
    [["exec", "-e", "prod", "ls", "-e"], { env: "prod" }, ["ls", "-e"]],
    [["env", "--env=a=b"], { env: "a=b" }, []],
    [["env", "--env", "a b"], { env: "a b" }, []],
    [["env", "--env", " "], { env: " " }, []],
    [["env", "--env= a "], { env: " a " }, []],
    [["env", "--env", '"prod"'], { env: '"prod"' }, []],
    [["env", "--env='prod'"], { env: "'prod'" }, []],
    [["env", "--env", "a\nb"], { env: "a\nb" }, []],
    [["env", "--env=a\nb"], { env: "a\nb" }, []],
    [["env", "--env", "007"], { env: "007" }, []],
    [["env", "--env", "1e3"], { env: "1e3" }, []],
    [["env", "--env", "true"], { env: "true" }, []],
    [["env", "--env", "=x"], { env: "=x" }, []],
    [["env", "--env", "env"], { env: "env" }, []],
    [["env", "--format=json"], { format: "json" }, []],
    [["env", "--format", "json", "--all"], { format: "json", all: true }, []],
    [["env", "--all", "--all"], { all: true }, []],
    [["env", "--unset", "--format=fish", "--yes"], { unset: true, format: "fish", yes: true }, []],
    [["exec", "ls"], {}, ["ls"]],
    [["exec", "ls", "-l"], {}, ["ls", "-l"]],
    [["exec", "--", "ls"], {}, ["ls"]],
    [["exec", "--", "--help"], {}, ["--help"]],
    [["exec", "--", "--json"], {}, ["--json"]],
    [["exec", "--", "--", "x"], {}, ["--", "x"]],
    [["exec", "ls", "--help"], {}, ["ls", "--help"]],
    [["exec", "ls", "--env", "x", "--all=yes"], {}, ["ls", "--env", "x", "--all=yes"]],
    [["exec", "ls", "--", "-l"], {}, ["ls", "--", "-l"]],
    [["exec", "--env", "prod", "ls"], { env: "prod" }, ["ls"]],
    [["exec", "--env=prod", "ls"], { env: "prod" }, ["ls"]],
    [["exec", "--env", "prod", "--", "ls"], { env: "prod" }, ["ls"]],
    [["exec", "--env", "exec", "exec"], { env: "exec" }, ["exec"]],
    [
      ["exec", "--all", "--mask", "--", "a", "--", "b"],
      { all: true, mask: true },
      ["a", "--", "b"],
    ],
    [["exec", "--mask", "a", "--", "b"], { mask: true }, ["a", "--", "b"]],
    [["exec", "--verify", "--", "x"], { verify: true }, ["x"]],
    [["exec", "--", "a b", "", " ", "\n"], {}, ["a b", "", " ", "\n"]],
    [["exec", "--", ""], {}, [""]],
    [["exec", "", "x"], {}, ["", "x"]],
    [
      ["exec", "--", "1", "0x10", "1e3", "1.10", "007", "-1", "NaN"],
      {},
      ["1", "0x10", "1e3", "1.10", "007", "-1", "NaN"],
    ],
    [["exec", "1", "2"], {}, ["1", "2"]],
    [["exec", "--", "true", "false", "null"], {}, ["true", "false", "null"]],
    [["exec", "--", "'a'", '"b"', "$(id)", "*"], {}, ["'a'", '"b"', "$(id)", "*"]],
    [
      ["exec", "--", "a=b", "--c=d", "-efg", "-h", "-v", "--version"],
      {},
      ["a=b", "--c=d", "-efg", "-h", "-v", "--version"],
    ],
    [
      ["exec", "--", "--no-color", "--no-all", "--__proto__", "--env"],
      {},
      ["--no-color", "--no-all", "--__proto__", "--env"],
    ],
    [["exec", "check", "--debug"], {}, ["check", "--debug"]],
  ])("%j", async (argv, options, words) => {
    const [command] = argv as [CommandLine["command"]];
    expect(readCommandLine(argv)).toEqual({ command, options, words });
    expect(await parsed(argv)).toEqual({ command, options, words });
  });
});

describe("only the whole program reads this line", () => {
  it.each<[argv: string[], options: Options, words: string[]]>([
    [["env", "--json"], { json: true }, []],
    [["env", "--all", "--debug"], { all: true, debug: true }, []],
    [["env", "--all=true"], { all: true }, []],
    [["env", "--all=false"], {}, []],
    [["env", "--no-all"], {}, []],
    [["exec", "--json", "--", "ls"], { json: true }, ["ls"]],
    [["exec", "--json", "ls", "--json"], { json: true }, ["ls", "--json"]],
    [["exec", "--mask=true", "ls"], { mask: true }, ["ls"]],
    [["exec", "--no-mask", "ls"], {}, ["ls"]],
    [["exec"], {}, []],
    [["exec", "--"], {}, []],
    [["exec", "--mask"], { mask: true }, []],
    [["exec", "--env", "prod"], { env: "prod" }, []],
  ])("%j", async (argv, options, words) => {
    expect(readCommandLine(argv)).toBeUndefined();
    expect(await parsed(argv)).toEqual({ command: argv[0], options, words });
  });

  it.each<[argv: string[], line: string]>([
    [["env", "--help"], "Usage: do-bootstrap env [options]\n"],
    [["exec", "--help"], "Usage: do-bootstrap exec [options] -- COMMAND…\n"],
    [["exec", "--help", "ls"], "Usage: do-bootstrap exec [options] -- COMMAND…\n"],
    [["exec", "--mask", "--help", "--", "ls"], "Usage: do-bootstrap exec [options] -- COMMAND…\n"],
    [["env", "--version"], "0.0.0-test\n"],
    [["--help"], "Usage: do-bootstrap [COMMAND] [options]"],
  ])("%j prints help or the version", async (argv, line) => {
    expect(readCommandLine(argv)).toBeUndefined();
    const text = await parsed(argv);
    expect(text).toContain(line);
  });

  it.each([["init"], ["check"], ["demo"], [], ["--json"], ["check", "--env", "prod"]])(
    "%j is another command",
    async (...argv) => {
      expect(readCommandLine(argv)).toBeUndefined();
      expect(["init", "check", "demo"]).toContain(await parsed(argv));
    },
  );
});

describe("the whole program refuses this line", () => {
  it.each<[argv: string[], message: string]>([
    [["env", "ls"], "env takes no arguments: ls."],
    [["env", "--all", "true"], "env takes no arguments: true."],
    [["env", "--env="], "--env needs a value."],
    [["env", "--env", ""], "--env needs a value."],
    [["exec", "--env", "", "ls"], "--env needs a value."],
    [["env", "--al"], "Unknown option --al."],
    [["env", "--mask"], "Unknown option --mask."],
    [["env", "--verify"], "Unknown option --verify."],
    [["env", "--constructor"], "Unknown option --constructor."],
    [["env", "--all=yes"], "--all takes no value."],
    [["env", "--all="], "--all takes no value."],
    [["env", "--env"], "--env needs a value."],
    [["env", "--format"], "--format needs a value."],
    [["env", "--env", "--all"], "--env needs a value."],
    [["env", "--env", "-x"], "--env needs a value."],
    [["exec", "--env", "--", "x"], "--env needs a value."],
    [["exec", "--env"], "--env needs a value."],
    [["exec", "--unset", "ls"], "Unknown option --unset."],
    [["exec", "--format", "json", "ls"], "Unknown option --format."],
    [["exec", "--mask=1", "ls"], "--mask takes no value."],
    [["exec", "--msk", "--", "ls"], "Unknown option --msk."],
    [["Env"], "Unknown command Env."],
    [["--token", `dop_v1_${"ab".repeat(32)}`], "The command line contains a token."],
    [[`--tokn=dop_v1_${"ab".repeat(32)}`], "The command line contains a token."],
  ])("%j: %s", async (argv, message) => {
    expect(readCommandLine(argv)).toBeUndefined();
    expect(await refusal(argv)).toBe(message);
  });

  it.each([
    [["env", "-x"]],
    [["env", "-a"]],
    [["env", "-"]],
    [["env", "--__proto__"]],
    [["env", "--ENV", "prod"]],
    [["exec", "-x", "ls"]],
    [["exec", "-", "ls"]],
  ])("%j", async (argv) => {
    expect(readCommandLine(argv)).toBeUndefined();
    expect(await refusal(argv)).toMatch(/^[^{]/);
  });
});

describe("the separator", () => {
  it.each<[argv: string, with_: string]>([
    ["exec ls -l", "exec -- ls -l"],
    ["exec -- ls -l", "exec -- ls -l"],
    ["exec --env prod ls", "exec --env prod -- ls"],
    ["exec --env=prod ls", "exec --env=prod -- ls"],
    ["exec --mask ls -- x", "exec --mask -- ls -- x"],
    ["exec --json ls --json", "exec --json -- ls --json"],
    ["exec", "exec"],
    ["exec --env prod", "exec --env prod"],
    ["exec --mask", "exec --mask"],
    ["env ls", "env ls"],
    ["check --env prod", "check --env prod"],
  ])("%s becomes %s", (argv, line) => {
    expect(withSeparator(argv.split(" ")).join(" ")).toBe(line);
  });

  it.each<[argv: string, own: string]>([
    ["exec ls --json", "exec"],
    ["exec --debug ls --json", "exec --debug"],
    ["exec --env prod -- ls --json", "exec --env prod"],
    ["exec -- --json", "exec"],
    ["env --json", "env --json"],
    ["check --json", "check --json"],
  ])("in %s our own part is %s", (argv, own) => {
    expect(ownPart(argv.split(" ")).join(" ")).toBe(own);
  });
});

describe("for any line", () => {
  const options = [...Object.keys(execOptions), ...Object.keys(envOptions), "json", "nope"];
  const odd = fc.constantFrom("", " ", "-", "--", "---", "-x", "--=", "=", "1", "-1", "0x1", "ls");
  const value = fc.oneof(odd, fc.constantFrom("prod", "json", "a b", "'q'", '"', "true", "false"));
  const option = fc.constantFrom(...options).map((name) => `--${name}`);
  const word = fc.oneof(
    option,
    option,
    value,
    fc.tuple(option, value).map(([name, text]) => `${name}=${text}`),
    fc.string({ maxLength: 6 }).map((text) => text.replaceAll("\0", "")),
  );
  const line = fc.tuple(fc.constantFrom("exec", "env"), fc.array(word, { maxLength: 6 }));

  it("the whole program reads what the small entry reads the same way", async () => {
    let read = 0;
    await fc.assert(
      fc.asyncProperty(line, async ([command, rest]) => {
        const argv = [command, ...rest];
        const quick = readCommandLine(argv);
        if (quick === undefined) return;
        read++;
        const { format = "sh" } = quick.options;
        if (FORMATS.some((each) => each === format)) {
          expect(await parsed(argv)).toEqual(quick);
        } else {
          // The small entry refuses it later, when it quotes.
          expect(await refusal(argv)).toBe(`--format ${format}: invalid value.`);
        }
      }),
      { numRuns: 400 },
    );
    expect(read).toBeGreaterThan(50);
  });

  it("the words of a command are passed on unchanged", async () => {
    const words = fc.array(word, { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(words, async (list) => {
        const argv = ["exec", "--", ...list];
        expect(readCommandLine(argv)?.words).toEqual(list);
        expect(await parsed(argv)).toEqual({ command: "exec", options: {}, words: list });
      }),
      { numRuns: 100 },
    );
  });
});

describe("a global option may come before the command", () => {
  it.each<[string, string]>([
    ["--no-color exec -- ls", "exec --no-color -- ls"],
    ["--json --debug env", "env --json --debug"],
    ["exec --no-color ls", "exec --no-color ls"],
    ["--no-color check", "--no-color check"],
    ["--env exec", "--env exec"],
    ["--json", "--json"],
    ["", ""],
  ])("%s is read as %s", (line, read) => {
    expect(commandFirst(line.split(" ").filter(Boolean)).join(" ")).toBe(read);
  });
});
