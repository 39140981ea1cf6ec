import { isOfLogin, tokenForLogin } from "../../commands/credentials/rotate-login.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint, own } from "../../errors/hint.ts";
import { changing, changingMany } from "../../library/changing.ts";
import { type Context, command, isAsked, type Outcome } from "../command.ts";
import { allOption, changeOptions, lookOptions } from "../options.ts";
import { lookFrom } from "../request.ts";

export const rotate = command({
  name: "rotate",
  describe: "Replace the token in all places that hold it, or in none if one fails",
  options: {
    env: lookOptions.env,
    ...allOption,
    "token-stdin": { type: "boolean", describe: "Read the new token from standard input" },
    "min-ttl": lookOptions["min-ttl"],
    revoke: { type: "boolean", describe: "Revoke the old token afterwards" },
    spaces: {
      type: "boolean",
      describe: "Replace the Spaces key instead, and delete the old one",
      rare: true,
    },
    force: {
      type: "boolean",
      describe: "Accept a token that expires sooner, or whose team can't be read",
      rare: true,
    },
    "accept-tokens": {
      type: "boolean",
      describe: "For a secret of a pipeline's plan: accept a token that can make changes",
      rare: true,
    },
    ...changeOptions,
  },
  examples: [
    ["do-bootstrap rotate", "asks for the new token"],
    ["pass show do | do-bootstrap rotate --token-stdin", "in a script"],
    ["do-bootstrap rotate --all --dry-run", "what would change in every environment"],
  ],
  async run(args, context) {
    const { host, progress } = context;
    const { all, force, revoke, "accept-tokens": acceptTokens } = args;
    if (args.spaces) refuseWith(args);
    const { token: stdin, ...look } = await lookFrom(args, context);
    const { "dry-run": dryRun } = args;
    if (args.spaces) return rotateSpacesKey(context, { ...look, dryRun, yes: args.yes });
    if (!all && (await isOfLogin(host, args.env))) {
      if (stdin !== undefined) throw tokenForLogin();
      const login = { isPrinted: false, port: undefined, force };
      const { rotateLogin } = await import("../../library/tasks.ts");
      return rotateLogin(context, { environment: args.env, login, revoke, dryRun, yes: args.yes });
    }
    const { approve, outcome } = changingMany("rotate", { ...args, dryRun }, context);
    const { rotate: rotateToken } = await import("../../commands/credentials/rotate.ts");
    const result = await rotateToken(
      host,
      {
        ...look,
        all,
        progress,
        stdin,
        dryRun,
        force,
        acceptTokens,
        revoke,
        isAsked: isAsked(args, context),
      },
      { ask: context.askForToken, approve },
    );
    const { withTokenFile } = await import("../../library/tasks.ts");
    return outcome(await withTokenFile(result, stdin, context));
  },
});

/** These are about the token. @throws AppError USAGE */
function refuseWith(args: { readonly [name: string]: unknown }): void {
  const other = ["all", "revoke", "force", "accept-tokens", "token-stdin"].find(
    (name) => args[name],
  );
  if (other === undefined) return;
  throw new AppError("USAGE", `--spaces and --${other} can't be combined.`, {
    hint: hint`${own("rotate", "--spaces")}`,
  });
}

async function rotateSpacesKey(
  context: Context,
  { environment, minTtlSeconds, dryRun, yes }: RotateSpaces,
): Promise<Outcome> {
  const { approve, outcome } = changing("rotate", { dryRun, yes }, context);
  const { rotateKeys } = await import("../../commands/backend/rotate-keys.ts");
  const { host, progress } = context;
  const request = { environment, minTtlSeconds, dryRun, progress };
  return outcome(await rotateKeys(host, request, approve));
}

interface RotateSpaces {
  readonly environment: string | undefined;
  readonly minTtlSeconds: number | undefined;
  readonly dryRun: boolean;
  readonly yes: boolean;
}
