import { check as checkRepo } from "../../library/tasks.ts";
import { command } from "../command.ts";
import { allOption, lookOptions } from "../options.ts";
import { lookFrom } from "../request.ts";

export const check = command({
  name: "check",
  aliases: ["status"],
  describe: "Say what is wrong with the token, doctl and Terraform; change nothing",
  options: {
    ...lookOptions,
    ...allOption,
    history: {
      type: "boolean",
      describe: "Also search all of git, states, Docker contexts and npm files for tokens",
    },
  },
  examples: [
    ["do-bootstrap check", "is this repo ready?"],
    ["do-bootstrap check --json", "for a script"],
    ["do-bootstrap check --strict", "fails on a warning, too"],
    ["do-bootstrap check --all", "is every environment ready?"],
    ["do-bootstrap check --history", "has a token ever been committed?"],
  ],
  async run(args, context) {
    const { all, history, trust, strict } = args;
    return checkRepo(context, { ...(await lookFrom(args, context)), all, history, trust, strict });
  },
});
