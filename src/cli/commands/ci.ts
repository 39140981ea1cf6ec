import { NOTHING_DONE } from "../../core/flow.ts";
import { AppError } from "../../errors/app-error.ts";
import { EXIT } from "../../errors/exit-status.ts";
import { hint, own } from "../../errors/hint.ts";
import { changing } from "../../library/changing.ts";
import { command, isAsked } from "../command.ts";
import { changeOptions, lookOptions } from "../options.ts";

export const ci = command({
  name: "ci",
  describe: "Write a pipeline: plan on pull requests, apply after merge",
  rare: true,
  positional: "WHERE",
  needs: "for GitHub, GitLab or HCP Terraform",
  completes: ["github", "gitlab", "hcp"],
  options: {
    branch: {
      type: "string",
      value: "NAME",
      describe: "GitHub: the branch to apply (default: the default branch)",
      rare: true,
    },
    tarball: {
      type: "string",
      value: "WHERE",
      describe: "Install do-bootstrap from this package: a file in the repo or an https URL",
      completes: "files",
      rare: true,
    },
    hash: {
      type: "string",
      value: "HEX",
      describe: "The SHA-512 of the package at that URL",
      rare: true,
    },
    apply: {
      type: "boolean",
      describe: "Also create GitHub's environments and secrets; or set HCP Terraform's variables",
    },
    to: {
      type: "string",
      value: "HOST/ORGANIZATION",
      describe: "HCP Terraform: the tokens may go there without a question",
      rare: true,
    },
    script: {
      type: "boolean",
      describe:
        "Print a shell script that sets up GitHub or GitLab with gh or glab, and write nothing",
      rare: true,
    },
    repo: {
      type: "string",
      value: "OWNER/NAME",
      describe: "With --apply: the repo, if remotes name several or none, or it is a fork",
      rare: true,
    },
    renew: {
      type: "boolean",
      describe: "With --apply: replace tokens and keys that are there",
      rare: true,
    },
    "accept-tokens": {
      type: "boolean",
      describe: "With --apply: accept a plan token that can make changes, or one token for both",
      rare: true,
    },
    ...changeOptions,
    force: {
      type: "boolean",
      describe: "Replace a file that was edited, or not written by do-bootstrap",
      rare: true,
    },
    strict: lookOptions.strict,
  },
  examples: [
    ["do-bootstrap ci github", "writes .github/workflows/do-bootstrap.yml"],
    ["do-bootstrap ci gitlab --script > setup.sh", "a script that asks for each secret"],
    ["do-bootstrap ci github --apply", "and sets up GitHub: environments, tokens, Spaces keys"],
    ["do-bootstrap ci hcp --apply", "stores the token in the workspaces that a cloud block names"],
    [
      "do-bootstrap ci gitlab --dry-run",
      "show what would be written and the remaining setup steps",
    ],
    ["do-bootstrap ci github --tarball vendor/do-bootstrap.tgz", "in a repo without package.json"],
  ],
  async run(args, context) {
    const { host, progress } = context;
    const { WHERE: provider, branch, tarball, hash: sha512, force } = args;
    const { "dry-run": dryRun } = args;
    const { approve, outcome } = changing("ci", { ...args, dryRun }, context);
    if (provider === "hcp") {
      refuseForHcp(args);
      const { setUpHcp } = await import("../../commands/pipelines/hcp/setup.ts");
      const request = {
        progress,
        dryRun,
        renew: args.renew,
        to: args.to,
        isAsked: isAsked(args, context),
      };
      return outcome(await setUpHcp(host, request, { approve, ask: context.askForToken }));
    }
    if (args.to !== undefined) {
      throw new AppError("USAGE", "--to works with HCP Terraform only.", {
        hint: hint`For GitHub: ${own("ci", "github", "--apply", "--repo", "OWNER/NAME")}`,
      });
    }
    if (branch !== undefined && provider === "gitlab") {
      throw new AppError(
        "USAGE",
        "--branch works with GitHub only: on GitLab the pipeline applies the default branch.",
        {
          hint: hint`Omit --branch. To see or change the default branch: Settings → Repository → Branch defaults`,
        },
      );
    }
    const { apply: isApply, repo, renew, "accept-tokens": acceptTokens } = args;
    if (!isApply && (repo !== undefined || renew || acceptTokens)) {
      const name = renew ? "renew" : acceptTokens ? "accept-tokens" : "repo";
      throw new AppError("USAGE", `--${name} needs --apply.`, {
        hint: hint`${own("ci", "github", "--apply")}`,
      });
    }
    if (isApply && provider === "gitlab") {
      throw new AppError("USAGE", "--apply works with GitHub only.", {
        hint: hint`${own("ci", "gitlab", "--dry-run")} lists the steps for GitLab.`,
      });
    }
    if (isApply && args.script) {
      throw new AppError("USAGE", "--apply and --script can't be combined.", {
        hint: hint`With gh on this machine: ${own("ci", "github", "--apply")}`,
      });
    }
    const apply = isApply ? { repo, renew, acceptTokens } : undefined;
    const { pipelineScript, writePipeline } = await import("../../commands/pipelines/pipeline.ts");
    const request = { provider, branch, tarball, sha512, dryRun, force, progress, apply };
    if (args.script) {
      const { script, ...look } = await pipelineScript(host, request);
      if (script !== undefined) return { status: EXIT.ok, output: script };
      return outcome({ ...look, ...NOTHING_DONE });
    }
    const { askForToken: ask } = context;
    const askToSetUp = args.yes ? undefined : context.askToSetUp;
    return outcome(await writePipeline(host, request, { approve, ask, askToSetUp }));
  },
});

/** HCP Terraform itself plans and applies, so there is no file to write. @throws AppError USAGE */
function refuseForHcp(args: { readonly [name: string]: unknown }): void {
  const others = ["branch", "tarball", "hash", "script", "repo", "accept-tokens", "force"];
  const other = others.find((name) => args[name] !== undefined && args[name] !== false);
  if (other === undefined && args["apply"] === true) return;
  const message =
    other === undefined
      ? "HCP Terraform runs the code itself, so there is no pipeline to write: only variables to set."
      : `--${other} does not work with HCP Terraform.`;
  throw new AppError("USAGE", message, { hint: hint`${own("ci", "hcp", "--apply")}` });
}
