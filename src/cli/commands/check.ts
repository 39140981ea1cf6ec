import { check as checkRepo } from "../../library/tasks.ts";
import { command } from "../command.ts";
import { allOption, lookOptions } from "../options.ts";
import { lookFrom } from "../request.ts";

export const check = command({
  name: "check",
  aliases: ["status"],
  describe: "Check the token, doctl and Terraform; change nothing",
  options: {
    ...lookOptions,
    ...allOption,
    history: {
      type: "boolean",
      describe: "Also search git history, states, Docker contexts and npm packages for tokens",
    },
    remote: {
      type: "boolean",
      describe: "Also ask GitHub and HCP Terraform about the secrets that ci --apply stored",
      rare: true,
    },
  },
  examples: [
    ["do-bootstrap check", "is this repo ready?"],
    ["do-bootstrap check --json", "for a script"],
    ["do-bootstrap check --strict", "fail on warnings too"],
    ["do-bootstrap check --all", "is every environment ready?"],
    ["do-bootstrap check --history", "has a token ever been committed?"],
    ["do-bootstrap check --remote", "do the pipeline's secrets hold what they should?"],
  ],
  async run(args, context) {
    const { all, history, remote, trust, strict } = args;
    const look = { ...(await lookFrom(args, context)), trust, strict };
    return checkRepo(context, { ...look, all, history, remote });
  },
});
