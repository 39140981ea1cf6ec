import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import { changing } from "../../library/changing.ts";
import { command } from "../command.ts";
import { changeOptions, lookOptions } from "../options.ts";

export const ci = command({
  name: "ci",
  describe: "Write a pipeline that plans pull requests and applies what is merged",
  rare: true,
  positional: "WHERE",
  needs: "for GitHub or for GitLab",
  completes: ["github", "gitlab"],
  options: {
    branch: {
      type: "string",
      value: "NAME",
      describe: "GitHub: what is applied (the default branch)",
      rare: true,
    },
    tarball: {
      type: "string",
      value: "WHERE",
      describe: "Install do-bootstrap from this package: a file of the repo, or an https address",
      completes: "files",
      rare: true,
    },
    hash: {
      type: "string",
      value: "HEX",
      describe: "The SHA-512 of the package at that address",
      rare: true,
    },
    ...changeOptions,
    force: {
      type: "boolean",
      describe: "Replace a file that was edited or is not ours",
      rare: true,
    },
    strict: lookOptions.strict,
  },
  examples: [
    ["do-bootstrap ci github", "writes .github/workflows/do-bootstrap.yml"],
    ["do-bootstrap ci gitlab --dry-run", "what would be written, and what is left to set up"],
    ["do-bootstrap ci github --tarball vendor/do-bootstrap.tgz", "in a repo without package.json"],
  ],
  async run(args, context) {
    const { host, progress } = context;
    const { WHERE: provider, branch, tarball, hash: sha512, force } = args;
    const { "dry-run": dryRun } = args;
    const { approve, outcome } = changing("ci", { ...args, dryRun }, context);
    if (branch !== undefined && provider === "gitlab") {
      throw new AppError("USAGE", "--branch is for GitHub: GitLab applies its default branch.", {
        hint: hint`Leave it out. Settings → Repository → Branch defaults says which one that is.`,
      });
    }
    const { writePipeline } = await import("../../commands/pipelines/pipeline.ts");
    const request = { provider, branch, tarball, sha512, dryRun, force, progress };
    return outcome(await writePipeline(host, request, { approve }));
  },
});
