import type { HookPlan } from "../commands/hook/hook.ts";
import { diffOf } from "../core/diff.ts";
import { shortPath } from "../lib/paths.ts";
import type { HintEdge } from "./hint-text.ts";
import { humanFindings } from "./human.ts";
import { jsonFinding } from "./json.ts";
import { type Page, safe } from "./paint.ts";

/** What `hook` did; how it looks is decided at the edge. */
export interface HookReport extends HookPlan {
  readonly command: "hook";
  readonly action: "install" | "remove";
  readonly dryRun: boolean;
  readonly cwd: string;
  readonly home: string | undefined;
}

export function hookText(report: HookReport, page: Page): string {
  const { action, changes, dryRun, findings, cwd, home, path } = report;
  const file = safe(shortPath(path, cwd, home));
  const said = humanFindings(findings, page);
  if (findings.some(({ level }) => level === "error")) return `${said}\nNothing was changed.\n`;
  const diff = changes.flatMap((change) =>
    change.kind === "write" && dryRun
      ? [
          page.paint("bold", safe(shortPath(change.before.path, cwd, home))),
          ...diffOf(change).map(
            ({ kind, text }) => `  ${kind === "added" ? "+" : "-"} ${safe(text)}`,
          ),
        ]
      : [],
  );
  const verdict = {
    install: `${file} stops a commit that adds a DigitalOcean token.`,
    remove: `${file} has no guard of ours.`,
  }[action];
  const many = changes.length;
  // What was left has been said, and that it does its work cannot be.
  const isLeft = findings.some(({ id }) => id === "hook.edited");
  const last = isLeft
    ? ""
    : dryRun && many > 0
      ? `${many === 1 ? "1 change" : `${many} changes`} to make; nothing was written (--dry-run).`
      : `${page.paint("green", "✓")} ${verdict}${many === 0 ? " Nothing to do." : ""}`;
  return `${[...diff, said, last].filter(Boolean).join("\n")}\n`;
}

/** The document that --json prints, without its frame. */
export function hookDocument(
  { action, path, changes, findings, dryRun }: HookReport,
  edge: HintEdge,
): object {
  const isChanged = changes.length > 0 && !dryRun;
  const found = findings.map((each) => jsonFinding(each, edge));
  return { command: "hook", action, path, isChanged, findings: found };
}
