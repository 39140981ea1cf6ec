import { relative } from "node:path";
import type { TerraformRootConfig } from "../../concerns/config/resolved.ts";
import { isSavedPlan } from "../../concerns/terraform/root/saved-plan.ts";
import { terraformWords } from "../../concerns/terraform/root/typed.ts";
import { AppError } from "../../errors/app-error.ts";
import { type Hint, hint, own, run } from "../../errors/hint.ts";
import type { Host } from "../../host/host.ts";

const MAX_BYTES = 256 * 1024 * 1024;

type PlanHost = Pick<Host, "cwd" | "files" | "readInput">;

export interface PlanFile {
  /** Absolute path, or "-" for standard input. */
  readonly file: string;
  /** Absolute path of the plan's root module. */
  readonly root: string;
  readonly tool: TerraformRootConfig["tool"];
}

/**
 * The JSON of a plan. A saved plan is not converted here: `terraform show` starts the providers that are installed in
 * the root, whoever put them there (docs/design.md rule 7).
 *
 * @throws AppError USAGE for a missing file, PLAN_UNREADABLE where it cannot be read.
 */
export async function readPlanFile(host: PlanHost, plan: PlanFile): Promise<string> {
  if (plan.file === "-") return host.readInput(PLAN_INPUT);
  const snapshot = await host.files.look(plan.file, { maxBytes: MAX_BYTES, waitForFifo: true });
  const name = relative(host.cwd, plan.file);
  if (snapshot.kind === "absent") {
    throw new AppError("USAGE", `Plan ${name} not found.`, {
      hint: hint`Create one: ${run("terraform", "plan", "-out=tfplan")}`,
    });
  }
  if (snapshot.kind === "unusable") throw unreadable(`${name} is ${snapshot.why}`);
  if (!isSavedPlan(snapshot.bytes)) return snapshot.bytes.toString("utf8");
  throw unreadable(
    `${name} is a saved plan. Converting it starts the providers of its root module`,
    hint`If you trust these providers, run ${converted(host, plan)}`,
  );
}

/** The command line that reads a saved plan, for a person. */
function converted({ cwd }: PlanHost, { file, root, tool }: PlanFile): Hint {
  const show = ["show", "-json", relative(root, file)];
  const dir = root === cwd ? [] : [{ path: root }];
  return hint`${run(...terraformWords(root, tool ?? "terraform", show))} | ${own("scopes", "--plan", "-", ...dir)}`;
}

const SHOW = hint`${run("terraform", "show", "-json", "tfplan")} | ${own("scopes", "--plan", "-")}`;

const PLAN_INPUT = {
  what: "a plan",
  asked: "--plan -",
  example: SHOW,
  maxBytes: MAX_BYTES,
  waitMs: 600_000,
} as const;

function unreadable(
  why: string,
  fix: Hint = hint`Convert it in the folder where it was created: ${SHOW}`,
): AppError {
  return new AppError("PLAN_UNREADABLE", `The plan cannot be read: ${why}.`, { hint: fix });
}

export function noPlan(): AppError {
  return unreadable("it is not the output of terraform show -json");
}
