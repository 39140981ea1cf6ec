import { statusOf } from "../../core/finding.ts";
import { AppError } from "../../errors/app-error.ts";
import type { Purpose } from "../../scopes/code-actions.ts";
import type { Args, Command } from "../command.ts";
import { lookOptions } from "../options.ts";

const PURPOSES: readonly Purpose[] = ["plan", "apply", "destroy"];
const FORMATS = ["text", "markdown"] as const;

export const scopes: Command = {
  name: "scopes",
  describe: "Print the token scopes that Terraform code needs, and what is lacking",
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
      completes: FORMATS,
    },
    strict: { type: "boolean", describe: "A token that may do more is an error (exit status 3)" },
  },
  examples: [
    ["do-bootstrap scopes", "of the config's root modules"],
    ["do-bootstrap scopes infra --for plan", "for a token that only reads"],
    ["do-bootstrap scopes --plan tfplan", "for what a saved plan does, and no more"],
    ["do-bootstrap scopes --format markdown", "for a pull request"],
  ],
  async run(args, { host, progress }) {
    const { env, plan } = args;
    const purpose = oneOf(args, "for", PURPOSES);
    if (plan !== undefined && purpose !== undefined) {
      throw new AppError("USAGE", "--plan says what is done: there is no use for --for.", {
        hint: "Leave out one of the two.",
      });
    }
    const format = oneOf(args, "format", FORMATS);
    const { lookAtScopes } = await import("../../commands/scopes/scopes.ts");
    const look = await lookAtScopes(host, {
      environment: typeof env === "string" ? env : undefined,
      dirs: Array.isArray(args["DIR"]) ? args["DIR"].map(String) : [],
      purpose: purpose ?? "apply",
      plan: typeof plan === "string" ? plan : undefined,
      progress,
    });
    return {
      report: { ...look, command: "scopes", format: format ?? "text", cwd: host.cwd },
      status: statusOf(look.findings, args["strict"] === true),
    };
  },
};

function oneOf<T extends string>(args: Args, name: string, known: readonly T[]): T | undefined {
  const given = args[name];
  const found = known.find((each) => each === given);
  if (given === undefined || found !== undefined) return found;
  throw new AppError("USAGE", `--${name} ${given}: there is no such thing.`, {
    hint: `Use one of: ${known.join(", ")}`,
  });
}
