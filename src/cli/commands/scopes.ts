import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import { scopes as findScopes } from "../../library/tasks.ts";
import type { Purpose } from "../../scopes/code-actions.ts";
import { command } from "../command.ts";
import { lookOptions } from "../options.ts";

const PURPOSES: readonly Purpose[] = ["plan", "apply", "destroy"];

export const scopes = command({
  name: "scopes",
  describe: "Print the scopes that Terraform code needs, and what is lacking",
  positional: "DIR",
  completes: "folders",
  options: {
    env: lookOptions.env,
    for: {
      type: "string",
      value: "WHAT",
      describe: "plan, apply (default) or destroy",
      completes: PURPOSES,
    },
    plan: {
      type: "string",
      value: "FILE",
      describe: "Only what this plan does; - for its JSON",
      completes: "files",
    },
    format: {
      type: "string",
      value: "FORMAT",
      describe: "text (default) or markdown",
      completes: ["text", "markdown"],
      rare: true,
    },
    strict: {
      type: "boolean",
      describe: "A token that may do more is an error (exit status 3)",
      rare: true,
    },
  },
  examples: [
    ["do-bootstrap scopes", "of the config's root modules"],
    ["do-bootstrap scopes infra --for plan", "for a token that only reads"],
    [
      "terraform show -json tfplan | do-bootstrap scopes --plan -",
      "for what a plan does, and no more",
    ],
    ["do-bootstrap scopes --format markdown", "for a pull request"],
  ],
  async run(args, context) {
    const { env: environment, for: purpose, plan, format = "text", DIR: dirs, strict } = args;
    if (plan !== undefined && purpose !== undefined) {
      throw new AppError("USAGE", "--plan and --for cannot be combined.", {
        hint: hint`Leave out one of the two.`,
      });
    }
    const found = await findScopes(context, { environment, dirs, purpose, plan, strict });
    return { ...found, report: { ...found.report, format } };
  },
});
