import { bootstrap, look, NOTHING_DONE } from "../../plan/bootstrap.ts";
import { changing } from "../changing.ts";
import type { Command } from "../command.ts";
import { changeOptions, lookOptions, requestFrom } from "../options.ts";

export const init: Command = {
  name: "init",
  describe: "Prepare this repo: env file, .gitignore, doctl context, Terraform files",
  options: {
    ...lookOptions,
    ...changeOptions,
    force: {
      type: "boolean",
      describe: "Replace a doctl login or write through a link that is not the repo's",
    },
    save: { type: "boolean", describe: "Write a token from the environment to the env file too" },
    "write-config": { type: "boolean", describe: "Write a commented config of what was chosen" },
    fix: { type: "boolean", describe: "Move tokens that stand in Terraform code to a variable" },
    "doctl-config": {
      type: "boolean",
      describe: "Write doctl's context even without doctl, and in CI",
    },
    "access-token-flag": {
      type: "boolean",
      describe: "Hand the token to doctl by --access-token, visible to other users of this machine",
    },
  },
  examples: [
    ["do-bootstrap --token-stdin < token.txt", "a new repo, with a token just made"],
    ["do-bootstrap --dry-run", "what would change"],
    ["do-bootstrap --env prod --yes", "an environment of the config, without a question"],
  ],
  async run(args, context) {
    const { host } = context;
    const { dryRun, approve, outcome } = changing("init", args, context);
    const trust =
      args["trust"] === true ? { trust: dryRun ? ("once" as const) : ("kept" as const) } : {};
    const request = { ...(await requestFrom(args, context)), ...trust };
    const result = dryRun
      ? { ...(await look(host, request)), ...NOTHING_DONE }
      : await bootstrap(host, request, {
          ask: context.askForToken,
          trust: context.trust,
          approve,
        });
    return outcome(result);
  },
};
