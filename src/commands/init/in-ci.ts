import { terraformWords } from "../../concerns/terraform/root/typed.ts";
import type { Finding } from "../../core/finding.ts";
import type { Plan } from "../../core/plan.ts";
import { title } from "../../core/run-commands.ts";
import { hint, run } from "../../errors/hint.ts";
import { finding } from "./findings.ts";

/**
 * The plan for a check in CI. What a job has not done in its own temporary checkout is not a fault of the repo: a
 * missing `terraform init` or `workspace select` is reported, but does not count.
 */
export function withoutCheckout(plan: Plan): Plan {
  return { ...plan, commands: [], findings: [...plan.findings, ...plan.commands.map(notRun)] };
}

function notRun(command: Plan["commands"][number]): Finding {
  const { tool, args, cwd } = command;
  const typed = args.filter((word) => word !== "-no-color" && word !== "-input=false");
  const message = `${title(command)} has not run in this checkout. In CI this does not change the exit status.`;
  return finding("terraform.not-run", message, {
    where: cwd,
    fix: hint`If a later step needs it, run: ${run(...terraformWords(cwd, tool.name, typed))}`,
  });
}
