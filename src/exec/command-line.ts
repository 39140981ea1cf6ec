/** The main parser shows these options in the help. This file reads them without loading that parser. */
export const execOptions = {
  env: {
    type: "string",
    short: "e",
    value: "NAME",
    describe: "Environment from the config to use",
    completes: "environments",
  },
  all: { type: "boolean", describe: "Pass all variables from the env file", rare: true },
  verify: {
    type: "boolean",
    describe: "First check with DigitalOcean that the token is valid and of the right team",
    rare: true,
  },
  trust: { type: "boolean", describe: "Allow the config's token.command to run", rare: true },
  mask: {
    type: "boolean",
    describe: "Replace secrets in the output with *** (for logs)",
    rare: true,
  },
  explain: { type: "boolean", describe: "If the command fails, explain DigitalOcean's error" },
} as const;

export const envOptions = {
  env: execOptions.env,
  format: {
    type: "string",
    value: "FORMAT",
    describe: "sh (default), fish, dotenv, json; untested: powershell, github, gitlab",
    completes: ["sh", "fish", "powershell", "dotenv", "json", "github", "gitlab"],
  },
  all: { type: "boolean", describe: "Print all variables from the env file", rare: true },
  trust: execOptions.trust,
  unset: { type: "boolean", describe: "Print commands that unset the variables" },
  yes: { type: "boolean", describe: "Print secrets even if output is a terminal", rare: true },
} as const;

const OPTIONS = { exec: execOptions, env: envOptions };

/** A parsed command line of `exec` or `env`. */
export interface CommandLine {
  readonly command: "exec" | "env";
  /** By name. An option that was not given is absent. */
  readonly options: Readonly<Record<string, string | true>>;
  /** The command to run; empty for `env`. */
  readonly words: readonly string[];
}

/** Builds a command line from options that are already parsed. Values that no option can have are left out. */
export function commandLineOf(
  command: CommandLine["command"],
  { "--": words = [], ...options }: LineParts,
): CommandLine {
  const given = Object.entries(options).flatMap(([name, value]) =>
    typeof value === "string" || value === true ? [[name, value] as const] : [],
  );
  return { command, options: Object.fromEntries(given), words };
}

interface LineParts {
  readonly "--"?: readonly string[];
  readonly [option: string]: unknown;
}

/**
 * Reads a well-formed line. Anything unusual (--help, an unknown option, --all=true) is left to the main parser, which
 * reads the same options.
 *
 * @returns undefined for a line that is left to the main parser.
 */
export function readCommandLine(argv: readonly string[]): CommandLine | undefined {
  const command = argv[0];
  if (command !== "exec" && command !== "env") return undefined;
  const read = readOptions(argv.slice(1), OPTIONS[command]);
  const hasWords = read !== undefined && read.words.length > 0;
  return hasWords === (command === "exec") && read !== undefined ? { command, ...read } : undefined;
}

type Given = Pick<CommandLine, "options" | "words">;

/** @returns undefined for a line with anything unusual in it. */
export function readOptions(
  argv: readonly string[],
  known: Readonly<Record<string, { readonly type: "boolean" | "string" }>>,
): Given | undefined {
  const options: Record<string, string | true> = {};
  for (let at = 0; at < argv.length; at++) {
    const word = longForm(argv[at] ?? "");
    if (word === "--") return { options, words: argv.slice(at + 1) };
    if (!word.startsWith("-")) return { options, words: argv.slice(at) };
    const [, name = "", value] = /^--([a-z-]+)(?:=(.+))?$/s.exec(word) ?? [];
    const type = Object.hasOwn(known, name) ? known[name]?.type : undefined;
    if (type === "boolean" && value === undefined) options[name] = true;
    else if (type === "string") {
      const given = value ?? argv[++at] ?? "";
      if (given === "" || given.startsWith("-")) return undefined;
      options[name] = given;
    } else return undefined;
  }
  return { options, words: [] };
}

/** `-e` as `--env`, `-e=prod` as `--env=prod`, so that other code handles only long options. */
export function longForm(word: string): string {
  return word.replace(/^-([eh])(?==|$)/, (_, letter) => (letter === "e" ? "--env" : "--help"));
}

/** A word that asks for the version if nothing else is given. */
export function asksVersion(word = ""): boolean {
  return ["--version", "version", "-v", "-V"].includes(word);
}

/** Options of every command, which may come before the command. */
const IN_FRONT = /^--(?:no-)?(?:json|debug|color)$/;

/** `--no-color exec …` as `exec --no-color …`, since the first word decides the exit status. */
export function commandFirst(argv: readonly string[]): readonly string[] {
  const at = argv.findIndex((word) => !IN_FRONT.test(word));
  const command = argv[at];
  if (at < 1 || (command !== "exec" && command !== "env")) return argv;
  return [command, ...argv.slice(0, at), ...argv.slice(at + 1)];
}

/** The line without the command that `exec` runs, whose options are not ours. */
export function ownPart(argv: readonly string[]): readonly string[] {
  const line = withSeparator(argv);
  const end = line.indexOf("--");
  return end < 0 ? line : line.slice(0, end);
}

/** `exec ls -l` as `exec -- ls -l`, so that the command's options are not read as ours. */
export function withSeparator(argv: readonly string[]): readonly string[] {
  const [command, ...rest] = argv;
  if (command !== "exec") return argv;
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] ?? "";
    if (word === "--") return argv;
    if (!word.startsWith("-")) return [command, ...rest.slice(0, at), "--", ...rest.slice(at)];
    if (longForm(word) === "--env") at++;
  }
  return argv;
}
