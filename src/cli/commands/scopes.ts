import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import { scopes as findScopes } from "../../library/tasks.ts";
import type { Purpose } from "../../scopes/code-actions.ts";
import { command } from "../command.ts";
import { lookOptions } from "../options.ts";

const PURPOSES: readonly Purpose[] = ["plan", "create", "apply", "destroy"];

export const scopes = command({
  name: "scopes",
  describe: "Print the scopes that the Terraform code needs and which are missing",
  positional: "DIR",
  completes: "folders",
  options: {
    env: lookOptions.env,
    for: {
      type: "string",
      value: "WHAT",
      describe: "plan, create (the first apply), apply (default) or destroy",
      completes: PURPOSES,
    },
    plan: {
      type: "string",
      value: "FILE",
      describe: "Count only what this plan (JSON) does; - reads standard input",
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
      describe: "Fail if the token has more scopes than needed (exit status 3)",
      rare: true,
    },
  },
  examples: [
    ["do-bootstrap scopes", "for the root modules in the config"],
    ["do-bootstrap scopes infra --for plan", "for a read-only token"],
    ["terraform show -json tfplan | do-bootstrap scopes --plan -", "only what this plan does"],
    ["do-bootstrap scopes --format markdown", "for a pull request"],
  ],
  async run(args, context) {
    const { env: environment, for: purpose, plan, format = "text", DIR: dirs, strict } = args;
    if (plan !== undefined && purpose !== undefined) {
      throw new AppError("USAGE", "--plan and --for cannot be combined.", {
        hint: hint`Omit one of them.`,
      });
    }
    const found = await findScopes(context, { environment, dirs, purpose, plan, strict });
    return { ...found, report: { ...found.report, format } };
  },
});
