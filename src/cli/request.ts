import { secondsOf } from "../concerns/config/resolve.ts";
import { AppError } from "../errors/app-error.ts";
import { hint, own, run } from "../errors/hint.ts";
import type { InputKind } from "../host/host.ts";
import type { LookOptions } from "../library/options.ts";
import type { Context } from "./command.ts";
import type { ArgsOf, lookOptions } from "./options.ts";

const TOKEN_INPUT: InputKind = {
  what: "a token",
  asked: "--token-stdin",
  example: hint`${run("op", "read", "op://Private/DigitalOcean/token")} | ${own("--token-stdin")}`,
  maxBytes: 64 * 1024,
  // A secret manager in the pipe may first ask for approval.
  waitMs: 120_000,
};

/** @returns the options that all commands that check the token have in common. */
export async function lookFrom(
  args: Pick<ArgsOf<typeof lookOptions>, "env" | "token-stdin" | "min-ttl">,
  { host }: Context,
): Promise<Required<Pick<LookOptions, "environment" | "token" | "minTtlSeconds">>> {
  return {
    environment: args.env,
    token: args["token-stdin"] ? await host.readInput(TOKEN_INPUT) : undefined,
    minTtlSeconds: minTtlFrom(args["min-ttl"]),
  };
}

/** @throws AppError USAGE */
function minTtlFrom(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (/^\d+[smhdw]$/.test(given)) return secondsOf(given);
  throw new AppError("USAGE", `--min-ttl ${given}: invalid duration.`, {
    hint: hint`Use a number with s, m, h, d or w, such as --min-ttl 7d`,
  });
}
