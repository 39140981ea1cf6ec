/** An option as data. An option takes a value in every command or in none. */
export interface Option {
  readonly type: "boolean" | "string";
  readonly describe: string;
  /** Its short form, one letter. exec/command-line.ts reads it. */
  readonly short?: string;
  /** The name of its value in the help. */
  readonly value?: string;
  /** What a shell completes its value with. A list is closed: other words are refused. */
  readonly completes?: Completable;
  /** Not in the short help of a command, only with --all. */
  readonly rare?: true;
}

/** Words to choose from, or the kind of names. */
export type Completable = readonly string[] | "environments" | "files" | "folders";

export type Options = Readonly<Record<string, Option>>;

/** What a handler gets for its options: whether a boolean was given, or the value of a string. */
export type ArgsOf<Of extends Options> = { readonly [Name in keyof Of]: ValueOf<Of[Name]> };

type ValueOf<One extends Option> = One extends { readonly type: "boolean" }
  ? boolean
  : One extends { readonly completes: readonly (infer Word)[] }
    ? Word | undefined
    : string | undefined;

/** Options of every command. */
export const globalOptions = {
  json: { type: "boolean", describe: "Print one JSON document on standard output" },
  debug: { type: "boolean", describe: "Log every file, request and tool to standard error" },
  color: {
    type: "boolean",
    describe: "Use colour (default on a terminal); --no-color turns it off",
  },
} as const satisfies Options;

/** Options of the commands that check the whole setup. */
export const lookOptions = {
  env: {
    type: "string",
    short: "e",
    value: "NAME",
    describe: "Environment from the config to use",
    completes: "environments",
  },
  "token-stdin": { type: "boolean", describe: "Read the token from standard input" },
  "min-ttl": {
    type: "string",
    value: "TIME",
    describe: "Refuse a token that expires within this time, such as 7d (exit status 6)",
    rare: true,
  },
  trust: { type: "boolean", describe: "Allow the config's token.command to run", rare: true },
  strict: { type: "boolean", describe: "Treat warnings as errors (exit status 3)", rare: true },
} as const satisfies Options;

/** Options of the commands that can check several environments. */
export const allOption = {
  all: { type: "boolean", describe: "All environments in the config, in one run" },
} as const satisfies Options;

/** Options of the commands that change something. */
export const changeOptions = {
  "dry-run": { type: "boolean", describe: "Show the changes as a diff and write nothing" },
  yes: { type: "boolean", describe: "Don't ask for confirmation" },
} as const satisfies Options;
