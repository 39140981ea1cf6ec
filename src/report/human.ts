import { holdsSecret } from "../content.ts";
import { type AppError, EXIT, type ExitStatus } from "../errors.ts";
import { shortPath } from "../paths.ts";
import { diffOf } from "../plan/diff.ts";
import { title } from "../plan/run-commands.ts";
import { stateElsewhere } from "../plan/terraform-backend.ts";
import type { Change, Command, Finding, Plan } from "../plan/types.ts";
import { wrap } from "../wrap.ts";
import { type Page, safe } from "./paint.ts";
import { type Report, shownPath } from "./report.ts";
import { expiry, whoIsWho } from "./who-is-who.ts";

/**
 * What a person reads after `init` and `check`: who is who, what changed, what is wrong.
 *
 * @param shown what the person saw when asked for leave: it is not said again.
 */
export function humanReport(
  report: Report,
  page: Page,
  { status, shown }: { status: ExitStatus; shown: Report | undefined },
): string {
  const { plan, applied, dryRun, command } = report;
  const hasErrors = plan.findings.some(({ level }) => level === "error");
  if (isAllWell(report)) return `${allWell(report, page)}\n`;
  const said = new Set(shown?.plan.findings.map(({ message }) => message));
  const unsaid = plan.findings.filter(({ message }) => !said.has(message));
  return sections([
    shown === undefined ? whoIsWho(report, page) : "",
    dryRun && !hasErrors ? wholePlan(report, page) : "",
    shown === undefined ? changes(report, applied, page) : "",
    commandResults(report, page),
    command === "check" && !hasErrors ? pending(report, page) : "",
    findings(report, unsaid, page),
    lastLine(report, status, page),
  ]);
}

/** The plan, before it is approved. */
export function humanPlan(report: Report, page: Page): string {
  return sections([
    whoIsWho(report, page),
    wholePlan(report, page),
    findings(report, report.plan.findings, page),
  ]);
}

function wholePlan(report: Report, page: Page): string {
  const { changes, commands } = report.plan;
  return sections([
    ...changes.map((change) => diff(report, change, page)),
    commands.map((command) => commandRow(report, command, page)).join("\n"),
  ]).trimEnd();
}

function commandRow(report: Report, command: Command, page: Page): string {
  const where = shownPath(report, command.cwd);
  const place = where === "." ? "" : ` in ${where}`;
  return titled(page.paint("cyan", "▸"), `${safe(title(command))}${place}`, command.why, page);
}

function commandResults(report: Report, page: Page): string {
  const rows = report.commands.map(({ command, failure, took }) => {
    const output = failure?.output.map((line) => page.paint("dim", `    ${safe(line)}`)) ?? [];
    const why = `${command.why}, ${(took / 1000).toFixed(1)} s`;
    return [commandRow(report, { ...command, why }, page), ...output].join("\n");
  });
  return rows.join("\n");
}

export function humanError({ code, message, hint }: AppError, page: Page): string {
  // Lines of its own are indented; any other newline is part of a name, and shown like the rest.
  const shown = message.split(/\n(?= {2})/).map(safe);
  return `${problem("red", "✗", shown.join("\n"), code, page, hint && safe(hint))}\n`;
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
  const text = `${config.project}: all is well (${facts.join(", ")}).`;
  const [first = "", ...rest] = wrap(text, page.columns - 2);
  const name = page.paint("bold", config.project);
  const line = `${page.paint("green", "✓")} ${name}${first.slice(config.project.length)}`;
  return [line, ...rest.map((more) => `  ${more}`)].join("\n");
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
  const title = titled(sign(change, page), nameOf(report, change), change.why, page, "bold");
  if (change.kind === "doctl-context") {
    const { replaces, token } = change;
    return [
      title,
      ...(replaces === undefined ? [] : [page.paint("red", `  - ${replaces}`)]),
      page.paint("green", `  + ${token}`),
    ].join("\n");
  }
  if (change.kind === "doctl-removal") {
    return [title, page.paint("red", `  - ${change.holds}`)].join("\n");
  }
  if (change.kind === "remove") return title;
  const signs = { added: "+", removed: "-", kept: " " } as const;
  const styles = { added: "green", removed: "red", kept: "dim" } as const;
  const lines = diffOf(change).map(({ kind, text }) =>
    page.paint(styles[kind], `  ${signs[kind]} ${safe(text)}`.trimEnd()),
  );
  return [title, ...lines].join("\n");
}

/** A mark, a name, and why: on a line of its own where it does not fit. */
function titled(mark: string, name: string, why: string, page: Page, style?: "bold"): string {
  const head = `${mark} ${style === undefined ? name : page.paint(style, name)}`;
  if (2 + name.length + 2 + why.length <= page.columns) return `${head}  ${page.paint("dim", why)}`;
  const lines = wrap(why, page.columns - 2).map((line) => `  ${page.paint("dim", line)}`);
  return [head, ...lines].join("\n");
}

/** A sentence behind a mark, in lines that fit. */
function marked(mark: string, text: string, page: Page): string {
  return wrap(text, page.columns - 2)
    .map((line, i) => `${i === 0 ? mark : " "} ${line}`)
    .join("\n");
}

function sign(change: Change, page: Page): string {
  if (change.kind === "remove" || change.kind === "doctl-removal") return page.paint("red", "-");
  const isNew =
    change.kind === "write" ? change.before.kind === "absent" : change.replaces === undefined;
  return isNew ? page.paint("green", "+") : page.paint("yellow", "~");
}

function nameOf(report: Report, change: Change): string {
  if (!("before" in change)) return `doctl context ${change.context}`;
  return shownPath(report, change.before.path);
}

const MARKS = { error: "✗", warning: "!", info: "·" } as const;
const STYLES = { error: "red", warning: "yellow", info: "dim" } as const;
const WEIGHT = { error: 0, warning: 1, info: 2 } as const;

function findings({ doubts, cwd }: Report, all: readonly Finding[], page: Page): string {
  const doubtful = doubts.map((text) => marked(page.paint("yellow", "!"), safe(text), page));
  return [humanFindings(all, cwd, page), ...doubtful].filter(Boolean).join("\n");
}

/** The worst first. */
export function humanFindings(all: readonly Finding[], cwd: string, page: Page): string {
  const sorted = [...all].sort((a, b) => WEIGHT[a.level] - WEIGHT[b.level]);
  return sorted.map((found) => humanFinding(found, cwd, page)).join("\n");
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

function lastLine(report: Report, status: ExitStatus, page: Page): string {
  const { command, dryRun, plan, applied } = report;
  const left = plan.changes.length + plan.commands.length;
  const isBlocked = plan.findings.some(({ level }) => level === "error");
  if (isBlocked && applied.length === 0) return command === "check" ? "" : "Nothing was changed.";
  if (dryRun && left > 0) {
    const text = `${count(left, "change")} to make; nothing was written (--dry-run).`;
    return wrap(text, page.columns).join("\n");
  }
  const tick = page.paint("green", "✓");
  if (applied.length === 0) return left === 0 ? nothingToDo(plan, status, page) : "";

  const rest = left === 0 ? ", and looked at again: nothing is left to do" : "";
  const lines = [marked(tick, `${count(applied.length, "change")} made${rest}.`, page)];
  const next = command === "init" ? nextStep(report) : undefined;
  if (next !== undefined) lines.push(`  Next: ${page.paint("bold", next)}`);
  lines.push(...toCommit(report, page));
  return lines.join("\n");
}

function nothingToDo({ findings }: Plan, status: ExitStatus, page: Page): string {
  const warnings = findings.filter(({ level }) => level === "warning").length;
  const but = warnings === 0 ? "" : `, but ${count(warnings, "warning")} to look at`;
  return status === EXIT.ok
    ? marked(page.paint("green", "✓"), `Nothing to do${but}.`, page)
    : wrap(`Nothing to do${but} (--strict: exit status ${status}).`, page.columns).join("\n");
}

/** What colleagues need; a secret is never among it. */
function toCommit(report: Report, page: Page): string[] {
  if (report.observation.git === undefined) return [];
  const files = report.applied.flatMap((change) =>
    change.kind === "write" && !holdsSecret(change.after)
      ? shownPath(report, change.before.path)
      : [],
  );
  return wrap(`Commit: ${files.join(" ")}`, page.columns - 2)
    .map((line) => `  ${line}`)
    .slice(0, files.length === 0 ? 0 : undefined);
}

function nextStep({ observation, ...report }: Report): string | undefined {
  const [root] = observation.roots;
  if (root === undefined) return undefined;
  const tool = observation.terraform?.name ?? root.config.tool ?? "terraform";
  const dir = shortPath(root.config.dir, report.cwd, report.home);
  const isElsewhere = stateElsewhere(root) !== undefined;
  const verb = isElsewhere ? "init -migrate-state" : root.isInitialised ? "plan" : "init";
  const command = dir === "." ? `${tool} ${verb}` : `${tool} -chdir=${safe(dir)} ${verb}`;
  // Terraform reads the keys of the bucket under other names than the env file has them.
  return root.config.backend === undefined ? command : `do-bootstrap exec -- ${command}`;
}

function count(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${number} ${what}s`;
}
