import { AppError } from "../../errors/app-error.ts";
import { changing } from "../changing.ts";
import type { Command } from "../command.ts";
import { changeOptions, lookOptions } from "../options.ts";

const PROVIDERS = ["github", "gitlab"] as const;

export const ci: Command = {
  name: "ci",
  describe: "Write a pipeline that plans pull requests and applies what is merged",
  positional: "WHERE",
  completes: PROVIDERS,
  options: {
    branch: { type: "string", value: "NAME", describe: "GitHub: what is applied (main)" },
    ...changeOptions,
    force: { type: "boolean", describe: "Replace a file that was edited or is not ours" },
    strict: lookOptions.strict,
  },
  examples: [
    ["do-bootstrap ci github", "writes .github/workflows/do-bootstrap.yml"],
    ["do-bootstrap ci gitlab --dry-run", "what would be written, and what is left to set up"],
  ],
  async run(args, context) {
    const { host, progress } = context;
    const words = Array.isArray(args["WHERE"]) ? args["WHERE"].map(String) : [];
    const provider = PROVIDERS.find((each) => each === words[0]);
    if (provider === undefined || words.length > 1) {
      throw new AppError("USAGE", "ci writes a pipeline for GitHub or for GitLab.", {
        hint: "do-bootstrap ci github, or: do-bootstrap ci gitlab",
      });
    }
    const { dryRun, approve, outcome } = changing("ci", args, context);
    const branch = typeof args["branch"] === "string" ? args["branch"] : undefined;
    if (branch !== undefined && provider === "gitlab") {
      throw new AppError("USAGE", "--branch is for GitHub: GitLab applies its default branch.", {
        hint: "Leave it out. Settings → Repository → Branch defaults says which one that is.",
      });
    }
    const { writePipeline } = await import("../../commands/pipelines/pipeline.ts");
    const request = { provider, branch, dryRun, force: args["force"] === true, progress };
    return outcome(await writePipeline(host, request, { approve }));
  },
};
