import type { HookFacts } from "../commands/hook/hook.ts";
import type { Change } from "../core/change.ts";
import type { Result } from "../core/flow.ts";
import { shortPath } from "../lib/paths.ts";
import { safe } from "../secret/safe.ts";
import type { HintEdge } from "./hint-text.ts";
import { diffLines, humanFindings } from "./human.ts";
import { jsonFinding } from "./json.ts";
import type { Page } from "./paint.ts";

/** The result of `hook`. The code that prints it decides on the format. */
export interface HookReport extends Result<HookFacts> {
  readonly command: "hook";
  readonly action: "install" | "remove";
  readonly dryRun: boolean;
  readonly cwd: string;
  readonly home: string | undefined;
}

/** The plan, before it is approved. */
export function hookPlan(report: HookReport, page: Page): string {
  const rows = report.plan.changes.map((change) => title(report, change, page));
  const parts = ["Here's what will change:", ...rows, humanFindings(report.plan.findings, page)];
  return `${parts.filter(Boolean).join("\n")}\n`;
}

/** The changed lines. */
export function hookDiff(report: HookReport, page: Page): string {
  return `${diffs(report, page).join("\n")}\n`;
}

export function hookText(report: HookReport, page: Page): string {
  const { action, plan, applied, dryRun, cwd, home, facts } = report;
  const { findings } = plan;
  const file = safe(shortPath(facts.path, cwd, home));
  const said = humanFindings(findings, page);
  if (findings.some(({ level }) => level === "error")) return `${said}\nNothing was changed.\n`;
  const verdict = {
    install: `${file} and the hooks beside it block commits, merges and pushes that contain a DigitalOcean token.`,
    remove: `${file} and the hooks beside it no longer have the guard.`,
  }[action];
  const many = plan.changes.length + applied.length;
  // The hook that was left unchanged was already reported. We cannot claim that it works.
  const isLeft = findings.some(({ id }) => id === "hook.edited");
  const last = isLeft
    ? ""
    : dryRun && many > 0
      ? `${many === 1 ? "1 change" : `${many} changes`} to make; nothing was written (--dry-run).`
      : `${page.paint("green", "✓")} ${verdict}${many === 0 ? " Nothing to do." : ""}`;
  return `${[...(dryRun ? diffs(report, page) : []), said, last].filter(Boolean).join("\n")}\n`;
}

function diffs(report: HookReport, page: Page): string[] {
  return report.plan.changes.flatMap((change) => [
    title(report, change, page),
    ...diffLines(change, page),
  ]);
}

function title({ cwd, home }: HookReport, { sign, label, why }: Change, page: Page): string {
  return `${page.paint("bold", `${sign} ${safe(shortPath(label, cwd, home))}`)}  ${page.paint("dim", why)}`;
}

/** The document that --json prints, without its frame. */
export function hookDocument({ action, facts, applied, plan }: HookReport, edge: HintEdge): object {
  const findings = plan.findings.map((each) => jsonFinding(each, edge));
  return { command: "hook", action, path: facts.path, isChanged: applied.length > 0, findings };
}
