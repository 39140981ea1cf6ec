import { relative, resolve } from "node:path";
import type { TerraformRootConfig } from "../../concerns/config/resolved.ts";
import { type Git, openGit } from "../../concerns/git/git.ts";
import { isSavedPlan } from "../../concerns/terraform/root/saved-plan.ts";
import { findTerraform } from "../../concerns/terraform/root/tool.ts";
import { toolEnvironment } from "../../core/tool-environment.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint, own, run } from "../../errors/hint.ts";
import type { Environment, Host } from "../../host/host.ts";
import { printable } from "../../lib/printable.ts";

const MAX_BYTES = 256 * 1024 * 1024;
/** It starts every provider of the root to ask for its schema. */
const TIME_LIMIT_MS = 120_000;

type PlanHost = Pick<Host, "cwd" | "env" | "files" | "run" | "which" | "readInput">;

export interface PlanFile {
  /** Absolute path, or "-" for standard input. */
  readonly file: string;
  /** Absolute path of the root module that the plan is of. */
  readonly root: string;
  readonly tool: TerraformRootConfig["tool"];
  readonly git: Git | undefined;
}

/**
 * The JSON of a plan: as it is, or of a saved plan, which the installed tool converts.
 *
 * @throws AppError USAGE for a file that is not there, PLAN_UNREADABLE where it cannot be read.
 */
export async function readPlanFile(host: PlanHost, plan: PlanFile): Promise<string> {
  if (plan.file === "-") return host.readInput(PLAN_INPUT);
  const snapshot = await host.files.look(plan.file, { maxBytes: MAX_BYTES });
  const name = relative(host.cwd, plan.file);
  if (snapshot.kind === "absent") {
    throw new AppError("USAGE", `There is no plan ${name}.`, {
      hint: hint`Make one: ${run("terraform", "plan", "-out=tfplan")}`,
    });
  }
  if (snapshot.kind === "unusable") throw unreadable(`${name} is ${snapshot.why}`);
  return isSavedPlan(snapshot.bytes) ? convert(host, plan) : snapshot.bytes.toString("utf8");
}

const PLAN_INPUT = {
  what: "a plan",
  asked: "--plan -",
  example: hint`${run("terraform", "show", "-json", "tfplan")} | ${own("scopes", "--plan", "-")}`,
  maxBytes: MAX_BYTES,
  waitMs: 600_000,
} as const;

async function convert(host: PlanHost, { file, root, tool, git }: PlanFile): Promise<string> {
  // The tool runs the providers that are installed there, and a repo is data
  // (docs/design.md rule 7).
  const installed = resolve(root, host.env["TF_DATA_DIR"] || ".terraform");
  // In a submodule it is another repo's.
  const own = await openGit(host, await host.files.realpath(root));
  const tracked = await Promise.all([git, own].map((each) => each?.tracked([installed])));
  if (tracked.some((paths) => paths?.has(installed))) {
    throw unreadable(`git tracks ${relative(host.cwd, installed)}, whose programs it would start`);
  }
  const found = await findTerraform(host, tool, git?.root ?? root);
  if (found.tool === undefined) throw unreadable("neither terraform nor tofu is on PATH");
  const { end, exitCode, stdout, stderr } = await host.run({
    file: found.tool.path,
    args: ["show", "-json", "-no-color", file],
    cwd: root,
    env: toolEnvironment(host.env, { ...settingsIn(host.env), CHECKPOINT_DISABLE: "1" }),
    timeoutMs: TIME_LIMIT_MS,
    keptCharacters: MAX_BYTES,
  });
  if (end === "exited" && exitCode === 0) return stdout;
  const why = printable(stderr.trim().replace(/\s*\n\s*/g, " "));
  throw unreadable(`${found.tool.name} show -json: ${why || end}`);
}

/** What its own reading depends on; no value of a variable and no token. */
function settingsIn(env: Environment): Environment {
  const names = ["TF_DATA_DIR", "TF_CLI_CONFIG_FILE", "TF_WORKSPACE", "TF_ENCRYPTION"];
  return Object.fromEntries(
    names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
}

function unreadable(why: string): AppError {
  return new AppError("PLAN_UNREADABLE", `The plan cannot be read: ${why}.`, {
    hint: hint`Convert it where it was made: ${run("terraform", "show", "-json", "tfplan")} | ${own("scopes", "--plan", "-")}`,
  });
}

export function noPlan(): AppError {
  return unreadable("it is no JSON of terraform show -json");
}
