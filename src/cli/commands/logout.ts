import { changingMany } from "../../library/changing.ts";
import { type Command, command, isAsked } from "../command.ts";
import { allOption, changeOptions, lookOptions } from "../options.ts";

export const logout = removing({
  name: "logout",
  describe: "Remove this repo's token from every place that holds it",
  examples: [
    ["do-bootstrap logout", "env files, secret tfvars and doctl contexts"],
    ["do-bootstrap logout --dry-run", "what would change"],
    ["do-bootstrap logout --all", "remove the tokens of every environment"],
    ["do-bootstrap logout --all --remote", "and what ci --apply stored for pipelines"],
  ],
});

export const uninstall = removing({
  name: "uninstall",
  rare: true,
  describe: "Remove the token, and the generated files that nobody edited",
  examples: [["do-bootstrap uninstall --dry-run", "what would change"]],
});

function removing({
  name,
  ...words
}: Pick<Command, "describe" | "rare" | "examples"> & { name: "logout" | "uninstall" }): Command {
  return command({
    name,
    ...words,
    options: {
      env: lookOptions.env,
      ...allOption,
      remote: {
        type: "boolean",
        describe: "Also delete the secrets that ci --apply stored on GitHub or HCP Terraform",
        rare: true,
      },
      ...changeOptions,
    },
    async run(args, context) {
      const { host, progress } = context;
      const { env: environment, all, remote } = args;
      const { "dry-run": dryRun } = args;
      const { approve, outcome } = changingMany(name, { ...args, dryRun }, context);
      const { logout: takeAway } = await import("../../commands/credentials/logout.ts");
      const result = await takeAway(
        host,
        {
          environment,
          all,
          remote,
          progress,
          dryRun,
          isAsked: isAsked(args, context),
          uninstall: name === "uninstall",
        },
        { approve },
      );
      return outcome(result);
    },
  });
}
