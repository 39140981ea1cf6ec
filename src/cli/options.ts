import type { Request } from "../commands/init/bootstrap.ts";
import { secondsOf } from "../concerns/config/resolve.ts";
import { AppError } from "../errors/app-error.ts";
import type { CommandLine } from "../exec/command-line.ts";
import type { Args, Context, Option } from "./command.ts";

/** Options of every command. */
export const globalOptions = {
  json: { type: "boolean", describe: "Print one JSON document on standard output" },
  debug: { type: "boolean", describe: "Say every file, request and tool on standard error" },
  color: { type: "boolean", describe: "Colour, or --no-color; default: on a terminal" },
} as const satisfies Record<string, Option>;

/** Options of the commands that look at the whole set-up. */
export const lookOptions = {
  env: {
    type: "string",
    value: "NAME",
    describe: "The environment of the config to use",
    completes: "environments",
  },
  "token-stdin": { type: "boolean", describe: "Read the token from standard input" },
  "min-ttl": {
    type: "string",
    value: "TIME",
    describe: "Refuse a token that expires sooner (7d): exit status 6",
  },
  trust: { type: "boolean", describe: "Let the config's token.command run" },
  strict: { type: "boolean", describe: "Treat warnings as errors (exit status 3)" },
} as const satisfies Record<string, Option>;

/** Options of the commands that change something. */
export const changeOptions = {
  "dry-run": { type: "boolean", describe: "Show the changes as a diff and write nothing" },
  yes: { type: "boolean", describe: "Do not ask before the changes are made" },
} as const satisfies Record<string, Option>;

const TOKEN_INPUT = {
  what: "a token",
  asked: "--token-stdin",
  example: 'op read "op://Private/DigitalOcean/token" | do-bootstrap --token-stdin',
  maxBytes: 64 * 1024,
  // A token manager behind the pipe may ask its owner first.
  waitMs: 120_000,
} as const;

/** @returns the request that the options of init and check amount to. */
export async function requestFrom(args: Args, { host, progress }: Context): Promise<Request> {
  const is = (name: string) => args[name] === true;
  return {
    environment: typeof args["env"] === "string" ? args["env"] : undefined,
    stdin: is("token-stdin") ? await host.readInput(TOKEN_INPUT) : undefined,
    consent: {
      force: is("force"),
      save: is("save"),
      fix: is("fix"),
      writeConfig: is("write-config"),
      envrc: is("envrc"),
      doctlConfig: is("doctl-config"),
    },
    asFlag: is("access-token-flag"),
    minTtlSeconds: minTtlFrom(args["min-ttl"]),
    progress,
  };
}

/** @throws AppError USAGE */
function minTtlFrom(given: unknown): number | undefined {
  if (typeof given !== "string") return undefined;
  if (/^\d+[smhdw]$/.test(given)) return secondsOf(given);
  throw new AppError("USAGE", `--min-ttl ${given}: there is no such time.`, {
    hint: "Write a number and s, m, h, d or w: --min-ttl 7d",
  });
}

/** A line of `exec` or `env` as the quick path reads it. */
export function commandLineFrom(command: CommandLine["command"], args: Args): CommandLine {
  const words = args["--"];
  const options = Object.entries(args).filter(
    (entry): entry is [string, string | true] => typeof entry[1] === "string" || entry[1] === true,
  );
  return {
    command,
    options: Object.fromEntries(options),
    words: Array.isArray(words) ? words.map(String) : [],
  };
}
