import type { Request } from "../commands/init/bootstrap.ts";
import { secondsOf } from "../concerns/config/resolve.ts";
import { AppError } from "../errors/app-error.ts";
import { hint, own, run } from "../errors/hint.ts";
import type { CommandLine } from "../exec/command-line.ts";
import type { InputKind } from "../host/host.ts";
import type { Args, Context } from "./command.ts";
import type { ArgsOf, lookOptions } from "./options.ts";

const TOKEN_INPUT: InputKind = {
  what: "a token",
  asked: "--token-stdin",
  example: hint`${run("op", "read", "op://Private/DigitalOcean/token")} | ${own("--token-stdin")}`,
  maxBytes: 64 * 1024,
  // A token manager behind the pipe may ask its owner first.
  waitMs: 120_000,
};

type Look = Pick<Request, "environment" | "stdin" | "minTtlSeconds" | "progress">;

/** @returns the part of a request that is the same in every command that looks at the token. */
export async function requestFrom(
  args: Pick<ArgsOf<typeof lookOptions>, "env" | "token-stdin" | "min-ttl">,
  { host, progress }: Context,
): Promise<Look> {
  return {
    environment: args.env,
    stdin: args["token-stdin"] ? await host.readInput(TOKEN_INPUT) : undefined,
    minTtlSeconds: minTtlFrom(args["min-ttl"]),
    progress,
  };
}

/** @throws AppError USAGE */
function minTtlFrom(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (/^\d+[smhdw]$/.test(given)) return secondsOf(given);
  throw new AppError("USAGE", `--min-ttl ${given}: there is no such time.`, {
    hint: hint`Write a number and s, m, h, d or w: --min-ttl 7d`,
  });
}

/** A line of `exec` or `env` as the quick path reads it. */
export function commandLineFrom(command: CommandLine["command"], args: Args): CommandLine {
  const { "--": words, ...options } = args;
  const given = Object.entries(options).flatMap(([name, value]) =>
    typeof value === "string" || value === true ? [[name, value] as const] : [],
  );
  return { command, options: Object.fromEntries(given), words };
}
