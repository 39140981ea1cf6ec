import type { AppError } from "../errors.ts";
import { shortPath } from "../paths.ts";
import { diffOf } from "../plan/diff.ts";
import { plainDoctl } from "../plan/doctl.ts";
import { title } from "../plan/run-commands.ts";
import type { Change, Command, Finding } from "../plan/types.ts";
import { describeOrigin, type Secret } from "../token/secret.ts";
import { type Page, safe, wrap } from "./paint.ts";
import type { Report } from "./report.ts";

/** What a person reads after `init` and `check`: who is who, what changed, what is wrong. */
export function humanReport(report: Report, page: Page): string {
  const { plan, applied, dryRun, command } = report;
  const hasErrors = plan.findings.some(({ level }) => level === "error");
  if (isAllWell(report)) return `${allWell(report, page)}\n`;
  return sections([
    whoIsWho(report, page),
    dryRun && !hasErrors ? wholePlan(report, page) : "",
    dryRun ? "" : changes(report, applied, page),
    commandResults(report, page),
    command === "check" && !hasErrors ? pending(report, page) : "",
    findings(report, page),
    lastLine(report, hasErrors, page),
  ]);
}

/** The plan, before it is approved. */
export function humanPlan(report: Report, page: Page): string {
  return sections([whoIsWho(report, page), wholePlan(report, page), findings(report, page)]);
}

function wholePlan(report: Report, page: Page): string {
  const { changes, commands } = report.plan;
  return sections([
    ...changes.map((change) => diff(report, change, page)),
    commands.map((command) => commandRow(report, command, page)).join("\n"),
  ]).trimEnd();
}

function commandRow(report: Report, command: Command, page: Page): string {
  const where = path(report, command.cwd);
  const place = where === "." ? "" : ` in ${where}`;
  return `${page.paint("cyan", "▸")} ${safe(title(command))}${place}  ${page.paint("dim", command.why)}`;
}

function commandResults(report: Report, page: Page): string {
  const rows = report.commands.map(({ command, failure }) => {
    const output = failure?.output.map((line) => page.paint("dim", `    ${safe(line)}`)) ?? [];
    return [commandRow(report, command, page), ...output].join("\n");
  });
  return rows.join("\n");
}

export function humanError({ code, message, hint }: AppError, page: Page): string {
  return `${problem("red", "✗", message, code, page, hint)}\n`;
}

function sections(parts: readonly string[]): string {
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

function isAllWell({ command, dryRun, plan, applied, commands }: Report): boolean {
  const worthSaying = plan.findings.some(({ level }) => level !== "info");
  return (
    command === "init" &&
    !dryRun &&
    !worthSaying &&
    plan.changes.length + plan.commands.length + applied.length === 0 &&
    commands.length === 0
  );
}

function allWell({ observation }: Report, page: Page): string {
  const { config, token, inspection } = observation;
  const fingerprint = token.kind === "found" ? token.token.fingerprint : "";
  const facts = [
    `token ${fingerprint}`,
    ...(inspection?.team === undefined ? [] : [safe(inspection.team.name)]),
    expiry(inspection?.expiresInSeconds),
  ];
  return `${page.paint("green", "✓")} ${page.paint("bold", config.project)}: all is well (${facts.join(", ")}).`;
}

function whoIsWho(report: Report, page: Page): string {
  const { observation } = report;
  const { config, token, inspection, doctl, roots, terraform } = observation;
  const rows: [string, string][] = [
    ["Project", page.paint("bold", config.project)],
    ...(config.environment === undefined
      ? []
      : [["Environment", config.environment] as [string, string]]),
  ];
  if (token.kind === "found") rows.push(["Token", tokenRow(report, token.token)]);
  if (inspection?.team !== undefined) rows.push(["Team", safe(inspection.team.name)]);
  if (inspection?.scopes !== undefined) rows.push(["Scopes", scopesInWords(inspection.scopes)]);
  if (doctl?.target !== undefined && isInUse(doctl.tool, doctl.target.holding)) {
    const plain = plainDoctl(doctl, report.env);
    const { context } = doctl.target;
    rows.push([
      "doctl",
      `context ${context}${plain === context ? ", which plain doctl uses" : ""}`,
    ]);
    if (plain !== context) {
      rows.push(["", `plain doctl uses ${safe(plain)}; doctl auth switch --context ${context}`]);
    }
  }
  for (const { config: root } of roots) {
    const tool = terraform === undefined ? "" : `, ${terraform.name} ${terraform.version ?? ""}`;
    rows.push(["Terraform", `${path(report, root.dir)}${tool.trimEnd()}`]);
  }
  return rows.map(([name, text]) => `${page.paint("dim", name.padEnd(11))} ${text}`).join("\n");
}

/** Without doctl its context is worth a row only where our token is stored in it. */
function isInUse(tool: string | undefined, holding: string): boolean {
  return tool !== undefined || holding === "this";
}

function tokenRow(report: Report, token: Secret): string {
  const { inspection } = report.observation;
  const origin =
    token.origin.kind === "env-file"
      ? `${token.origin.name} in ${path(report, token.origin.path)}`
      : describeOrigin(token.origin);
  const state = {
    alive: expiry(inspection?.expiresInSeconds),
    refused: "refused",
    unknown: "not verified",
  }[inspection?.state ?? "unknown"];
  return `${token.fingerprint}, from ${safe(origin)}, ${state}`;
}

function expiry(seconds: number | null | undefined): string {
  if (seconds === undefined) return "expiry unknown";
  if (seconds === null) return "no expiry";
  const units = [
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ] as const;
  const [size, unit] = units.find(([size]) => seconds >= 2 * size) ?? ([1, "second"] as const);
  return `expires in ${Math.floor(seconds / size)} ${unit}s`;
}

function scopesInWords(scopes: readonly string[]): string {
  if (scopes.includes("write")) return "full access";
  if (scopes.includes("read")) return "read only";
  if (scopes.length <= 4) return scopes.map(safe).join(", ") || "none";
  return `${scopes.slice(0, 3).map(safe).join(", ")} and ${scopes.length - 3} more`;
}

function changes(report: Report, done: readonly Change[], page: Page): string {
  const names = done.map((change) => nameOf(report, change));
  const width = Math.max(0, ...names.map(({ length }) => length));
  const fits = done.every(({ why }) => 2 + width + 2 + why.length <= page.columns);
  const row = (change: Change, name: string) =>
    fits
      ? `${sign(change, page)} ${name.padEnd(width)}  ${page.paint("dim", change.why)}`
      : `${sign(change, page)} ${name}`;
  return done.map((change, i) => row(change, names[i] ?? "")).join("\n");
}

function pending(report: Report, page: Page): string {
  const { plan } = report;
  if (plan.changes.length + plan.commands.length === 0) return "";
  return [
    "Still to do (do-bootstrap):",
    changes(report, plan.changes, page),
    ...plan.commands.map((command) => commandRow(report, command, page)),
  ]
    .filter(Boolean)
    .join("\n");
}

function diff(report: Report, change: Change, page: Page): string {
  const title = `${sign(change, page)} ${page.paint("bold", nameOf(report, change))}  ${page.paint("dim", change.why)}`;
  if (change.kind === "doctl-context") {
    const { replaces, token } = change;
    return [
      title,
      ...(replaces === undefined ? [] : [page.paint("red", `  - ${replaces}`)]),
      page.paint("green", `  + ${token}`),
    ].join("\n");
  }
  const signs = { added: "+", removed: "-", kept: " " } as const;
  const styles = { added: "green", removed: "red", kept: "dim" } as const;
  const lines = diffOf(change).map(({ kind, text }) =>
    page.paint(styles[kind], `  ${signs[kind]} ${safe(text)}`.trimEnd()),
  );
  return [title, ...lines].join("\n");
}

function sign(change: Change, page: Page): string {
  const isNew =
    change.kind === "write" ? change.before.kind === "absent" : change.replaces === undefined;
  return isNew ? page.paint("green", "+") : page.paint("yellow", "~");
}

function nameOf(report: Report, change: Change): string {
  if (change.kind === "doctl-context") return `doctl context ${change.context}`;
  return path(report, change.before.path);
}

const MARKS = { error: "✗", warning: "!", info: "·" } as const;
const STYLES = { error: "red", warning: "yellow", info: "dim" } as const;
const WEIGHT = { error: 0, warning: 1, info: 2 } as const;

function findings({ plan, doubts, cwd }: Report, page: Page): string {
  const sorted = [...plan.findings].sort((a, b) => WEIGHT[a.level] - WEIGHT[b.level]);
  const lines = sorted.map((found) => humanFinding(found, cwd, page));
  const doubtful = doubts.map((text) => `${page.paint("yellow", "!")} ${safe(text)}`);
  return [...lines, ...doubtful].join("\n");
}

function humanFinding(found: Finding, cwd: string, page: Page): string {
  const { id, level, message, fix: mend } = found;
  const short = (text: string) => safe(text.replaceAll(`${cwd}/`, ""));
  return problem(STYLES[level], MARKS[level], short(message), id, page, mend && short(mend));
}

function problem(
  style: "red" | "yellow" | "dim",
  mark: string,
  message: string,
  id: string,
  page: Page,
  mend: string | undefined,
): string {
  const lines = message
    .split("\n")
    .flatMap((line) => wrap(line, page.columns - 2))
    .map((line, i) => `${i === 0 ? page.paint(style, mark) : " "} ${line}`);
  const last = lines.at(-1) ?? "";
  const label = page.paint("dim", `[${id}]`);
  // The id is for looking up: it never pushes the words about.
  const fits = last.length + 3 + id.length + 2 <= page.columns;
  const labelled = fits ? [...lines.slice(0, -1), `${last} ${label}`] : [...lines, `  ${label}`];
  const mending = wrap(mend ?? "", page.columns - 4)
    .filter(Boolean)
    .map((line, i) => `  ${i === 0 ? page.paint("cyan", "→") : " "} ${line}`);
  return [...labelled, ...mending].join("\n");
}

function lastLine(report: Report, hasErrors: boolean, page: Page): string {
  const { command, dryRun, plan, applied } = report;
  const left = plan.changes.length + plan.commands.length;
  const nothing = `${page.paint("green", "✓")} Nothing to do.`;
  if (hasErrors && applied.length === 0) return command === "check" ? "" : "Nothing was changed.";
  if (dryRun) {
    return left === 0 ? nothing : `${count(left)} to make; nothing was written (--dry-run).`;
  }
  if (command === "check") return left === 0 ? nothing : "";
  if (applied.length === 0) return left === 0 ? nothing : "";
  const next = nextStep(report);
  const rest = left === 0 ? ", and looked at again: nothing is left to do" : "";
  const done = `${page.paint("green", "✓")} ${count(applied.length)} made${rest}.`;
  return next === undefined ? done : `${done}\n  Next: ${page.paint("bold", next)}`;
}

function nextStep({ observation, ...report }: Report): string | undefined {
  const [root] = observation.roots;
  if (root === undefined) return undefined;
  const tool = observation.terraform?.name ?? root.config.tool ?? "terraform";
  const dir = shortPath(root.config.dir, report.cwd, report.home);
  const verb = root.isInitialised ? "plan" : "init";
  return dir === "." ? `${tool} ${verb}` : `${tool} -chdir=${safe(dir)} ${verb}`;
}

function count(changes: number): string {
  return changes === 1 ? "1 change" : `${changes} changes`;
}

function path({ cwd, home }: Report, absolute: string): string {
  return safe(shortPath(absolute, cwd, home));
}
