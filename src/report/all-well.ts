import { wrap } from "../lib/wrap.ts";
import { safe } from "../secret/safe.ts";
import { expiry } from "./expiry.ts";
import type { Page } from "./paint.ts";
import type { Report } from "./report.ts";

/** A run of init that found nothing to do and nothing to say. */
export function isAllWell({ command, dryRun, plan, applied, commands }: Report): boolean {
  const worthSaying = plan.findings.some(({ level }) => level !== "info");
  return (
    (command === "init" || command === "login") &&
    !dryRun &&
    !worthSaying &&
    plan.changes.length + plan.commands.length + applied.length === 0 &&
    commands.length === 0
  );
}

/** The one line of such a run: the rest of the report is not even loaded. */
export function allWell({ facts }: Report, page: Page): string {
  const {
    config,
    token: { state: token, inspection },
  } = facts;
  const name = token.kind === "found" ? token.token.shortName : "";
  const said = [
    token.kind === "found" && token.token.isRenewed ? name : `token ${name}`,
    ...(inspection?.team === undefined ? [] : [safe(inspection.team.name)]),
    expiry(inspection?.expiresInSeconds),
  ];
  const { project, environment } = config;
  const about = environment === undefined ? "" : ` (${environment})`;
  const text = `${project}${about}: all is well (${said.join(", ")}).`;
  const [first = "", ...rest] = wrap(text, page.columns - 2);
  const bold = page.paint("bold", project);
  const line = `${page.paint("green", "✓")} ${bold}${first.slice(project.length)}`;
  return `${[line, ...rest.map((more) => `  ${more}`)].join("\n")}\n`;
}
