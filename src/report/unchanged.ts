import { otherHosts } from "../concerns/token/hosts.ts";
import { wrap } from "../lib/wrap.ts";
import { safe } from "../secret/safe.ts";
import { endingOf, stepLines } from "./ending.ts";
import { expiry } from "./expiry.ts";
import type { Page } from "./paint.ts";
import type { Report } from "./report.ts";

/** A run of init that changed nothing and has nothing to report. */
export function isUnchanged(report: Report): boolean {
  const { command, dryRun, plan, applied, commands, outside } = report;
  const worthSaying = plan.findings.some(({ level }) => level !== "info");
  return (
    (command === "init" || command === "login") &&
    !dryRun &&
    !worthSaying &&
    plan.changes.length + plan.commands.length + applied.length + outside.length === 0 &&
    commands.length === 0
  );
}

/** The single line for such a run, and the next steps. The code for full reports is not even loaded. */
export function unchanged(report: Report, page: Page): string {
  const {
    config,
    token: { state: token, inspection, hosts },
  } = report.facts;
  const name = token.kind === "found" ? token.token.shortName : "";
  const said = [
    token.kind === "found" && token.token.isRenewed ? name : `token ${name}`,
    ...(inspection?.team === undefined ? [] : [safe(inspection.team.name)]),
    expiry(inspection?.expiresInSeconds),
    ...otherHosts(hosts).map((host) => `API ${host}`),
  ];
  const { project, environment } = config;
  const about = environment === undefined ? "" : ` (${environment})`;
  const ending = endingOf(report);
  const isAllWell = ending.left.length === 0;
  const verdict = isAllWell ? "all is well" : "nothing to change";
  const text = `${project}${about}: ${verdict} (${said.join(", ")}).`;
  const [first = "", ...rest] = wrap(text, page.columns - 2);
  const bold = page.paint("bold", project);
  const mark = isAllWell ? page.paint("green", "✓") : page.paint("cyan", "·");
  const lines = [
    `${mark} ${bold}${first.slice(project.length)}`,
    ...rest.map((more) => `  ${more}`),
    ...(isAllWell ? [] : stepLines(ending, page)),
  ];
  return `${lines.join("\n")}\n`;
}
