import { basename, dirname } from "node:path";
import type { Change } from "../core/change.ts";
import { type Finding, isBlocked } from "../core/finding.ts";
import type { OutsideChange } from "../core/outside-change.ts";
import { type Plan, stepsIn } from "../core/plan.ts";
import { type CommandResult, type ToolCommand, title } from "../core/run-commands.ts";
import type { AppError } from "../errors/app-error.ts";
import { EXIT, type ExitStatus } from "../errors/exit-status.ts";

import { hint, own } from "../errors/hint.ts";
import { listed } from "../lib/few.ts";
import { shellWord } from "../lib/shell-word.ts";
import { wrap } from "../lib/wrap.ts";
import { safe } from "../secret/safe.ts";
import { diffOf } from "./diff.ts";
import { type Ending, endingOf, stepLines } from "./ending.ts";
import { edgeOf, hintText, hintWords } from "./hint-text.ts";
import { fileInRoot, grouped, nameInRoot, someOf } from "./many-roots.ts";
import type { Page } from "./paint.ts";
import { inParagraphs } from "./paragraphs.ts";
import { type Report, shortened, shownPath } from "./report.ts";
import { whereaboutsText } from "./whereabouts.ts";
import { whoIsWho } from "./who-is-who.ts";

/**
 * The report of `init` and `check` for a person: who is who, the changes, the problems.
 *
 * @param shown what the person already saw when asked for approval, and that is not repeated.
 */
export function humanReport(
  report: Report,
  page: Page,
  { status, shown }: { status: ExitStatus; shown: Pick<Report, "plan"> | undefined },
): string {
  const { plan, applied, dryRun, command } = report;
  const hasErrors = isBlocked(plan.findings);
  const textOf = ({ message, environment }: Finding) => JSON.stringify([message, environment]);
  const said = new Set(shown?.plan.findings.map(textOf));
  // A problem that remains is repeated at the end, since it is why the run did not succeed.
  const unsaid = plan.findings.filter((each) => each.isLeft || !said.has(textOf(each)));
  return sections([
    shown === undefined ? whoIsWho(report, page) : "",
    whereaboutsText(report, page),
    dryRun && !hasErrors ? wholePlan(report, page) : "",
    shown === undefined ? changes(report, applied, page) : "",
    commandResults(report, page),
    outsideRows(report.outside, page),
    command === "check" ? allPending(report, page) : "",
    findings(report, unsaid, page),
    lastLine(report, status, page),
  ]);
}

/** The plan, before it is approved: each change, without its lines. */
export function humanPlan(report: Report, page: Page): string {
  return sections([
    whoIsWho(report, page),
    ["Here's what will change:", planRows(report, page)].join("\n"),
    findings(report, report.plan.findings, page),
  ]);
}

/** The lines that a plan changes; empty if no change has any. */
export function humanDiff(report: Report, page: Page): string {
  const { changes } = report.plan;
  const hasLines = changes.some((change) => change.diff() !== undefined);
  return hasLines ? sections(diffs(report, changes, page)) : "";
}

function wholePlan(report: Report, page: Page): string {
  const { changes, commands, outside } = report.plan;
  const rows = [commandRows(report, commands, page), outsideRows(outside, page)];
  return sections([...diffs(report, changes, page), ...rows]).trimEnd();
}

function planRows(report: Report, page: Page): string {
  const { changes: planned, commands, outside } = report.plan;
  const rows = [changes(report, planned, page), commandRows(report, commands, page)];
  return [...rows, outsideRows(outside, page)].filter(Boolean).join("\n");
}

function outsideRows(outside: readonly OutsideChange[], page: Page): string {
  return outside
    .map(({ label, why, sign: its = "-" }) =>
      titled(sign({ sign: its }, page), safe(label), why, page),
    )
    .join("\n");
}

function commandRows(report: Report, commands: readonly ToolCommand[], page: Page): string {
  return grouped(commands, (command) => `${title(command)} ${command.why}`)
    .map((group) => commandRow(report, group, page))
    .join("\n");
}

function commandRow(report: Report, group: readonly ToolCommand[], page: Page, more = ""): string {
  const [command, ...others] = group;
  if (command === undefined) return "";
  const folder = shownPath(report, command.cwd);
  const where = others.length > 0 ? `${group.length} roots` : folder;
  const place = where === "." ? "" : ` in ${where}`;
  const name = `${safe(title(command))}${place}`;
  return titled(page.paint("cyan", "▸"), name, `${command.why}${more}`, page);
}

/** Failed commands come last, with the end of their output, grouped by root. */
function commandResults(report: Report, page: Page): string {
  const done = report.commands.filter(({ failure }) => failure === undefined);
  const failed = report.commands.filter(({ failure }) => failure !== undefined);
  const keyOf = ({ command, failure }: CommandResult) =>
    [title(command), command.why, failure?.why, ...(failure?.output ?? [])].join("\n");
  return grouped(done, keyOf)
    .concat(grouped(failed, keyOf))
    .map((group) => resultRow(report, group, page))
    .join("\n");
}

function resultRow(report: Report, group: readonly CommandResult[], page: Page): string {
  const commands = group.map(({ command }) => command);
  const longest = (Math.max(...group.map(({ took }) => took)) / 1000).toFixed(1);
  const isMany = group.length > 1;
  const took = isMany ? `, at most ${longest} s each` : `, ${longest} s`;
  const { failure } = group[0] ?? {};
  const names = commands.map(({ cwd }) => shownPath(report, cwd)).join(", ");
  const output = [
    ...(failure !== undefined && isMany ? wrap(names, page.columns - 4) : []),
    ...(failure?.output ?? []).map(safe),
  ].map((line) => page.paint("dim", `    ${line}`));
  return [commandRow(report, commands, page, took), ...output].join("\n");
}

export function humanError({ code, message, hint }: AppError, page: Page): string {
  const fix = hintWords(hint ?? [], page.edge).map(safe);
  return `${problem("red", "✗", message, code, page, fix)}\n`;
}

function sections(parts: readonly string[]): string {
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

function changes(report: Report, done: readonly Change[], page: Page): string {
  const rows = grouped(done, (change) => {
    const name = nameInRoot(report, change);
    return name && [sign(change, page), name, change.why].join(" ");
  }).flatMap((group) => {
    const [change] = group;
    return change === undefined ? [] : { change, name: nameOfAll(report, group) };
  });
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  const fits = rows.every(
    ({ change: { why } }) => 2 + width + 2 + shortened(why, page.edge).length <= page.columns,
  );
  return rows
    .map(({ change, name }) =>
      titled(sign(change, page), fits ? name.padEnd(width) : name, change.why, page),
    )
    .join("\n");
}

function allPending(report: Report, page: Page): string {
  const { each = [report] } = report;
  const texts = each.map((one) => {
    if (isBlocked(one.plan.findings)) return "";
    return pending(one, {
      ...page,
      edge: { ...page.edge, environment: one.facts.config.environment },
    });
  });
  return texts.filter(Boolean).join("\n\n");
}

function pending(report: Report, page: Page): string {
  const { plan } = report;
  if (stepsIn(plan) === 0) return "";
  return [
    `Remaining (run ${hintText(hint`${own()}`, page.edge)}):`,
    changes(report, plan.changes, page),
    commandRows(report, plan.commands, page),
  ]
    .filter(Boolean)
    .join("\n");
}

/** The same diff in many roots is shown once, with the names of all of them. */
function diffs(report: Report, changes: readonly Change[], page: Page): string[] {
  const texts = new Map(changes.map((change) => [change, diffLines(change, page)]));
  const groups = grouped(changes, (change) => {
    const name = nameInRoot(report, change);
    return name && [sign(change, page), name, change.why, ...(texts.get(change) ?? [])].join("\n");
  });
  return groups.map((group) => {
    const [change] = group;
    if (change === undefined) return "";
    const name = nameOfAll(report, group);
    const title = titled(sign(change, page), name, change.why, page, "bold");
    const folders = group.map(folderOf(report)).join(", ");
    const where = group.length > 1 ? wrap(folders, page.columns - 2) : [];
    const places = where.map((line) => `  ${page.paint("dim", line)}`);
    return [title, ...places, ...(texts.get(change) ?? [])].join("\n");
  });
}

/** A long line is wrapped between words. */
export function diffLines(change: Change, page: Page): string[] {
  const difference = change.diff();
  if (difference === undefined) return [];
  const signs = { added: "+", removed: "-", kept: " " } as const;
  const styles = { added: "green", removed: "red", kept: "dim" } as const;
  return diffOf(difference).flatMap(({ kind, text }) =>
    wrap(safe(text), page.columns - 6).map((line, at) =>
      page.paint(styles[kind], `  ${at === 0 ? signs[kind] : "   "} ${line}`.trimEnd()),
    ),
  );
}

/** A mark, a name, and the reason, which gets its own line if it does not fit. */
function titled(mark: string, name: string, reason: string, page: Page, style?: "bold"): string {
  const why = shortened(reason, page.edge);
  const head = `${mark} ${style === undefined ? name : page.paint(style, name)}`;
  if (2 + name.length + 2 + why.length <= page.columns) return `${head}  ${page.paint("dim", why)}`;
  const lines = wrap(safe(why), page.columns - 2).map((line) => `  ${page.paint("dim", line)}`);
  return [head, ...lines].join("\n");
}

/** A sentence after a mark, wrapped. */
function marked(mark: string, text: string, page: Page): string {
  return wrap(safe(text), page.columns - 2)
    .map((line, i) => `${i === 0 ? mark : " "} ${line}`)
    .join("\n");
}

const SIGN_STYLES = { "+": "green", "~": "magenta", "-": "red" } as const;

function sign({ sign }: Pick<Change, "sign">, page: Page): string {
  return page.paint(SIGN_STYLES[sign], sign);
}

function nameOf(report: Report, { file, label }: Change): string {
  return file === undefined ? safe(label) : shownPath(report, file);
}

function nameOfAll(report: Report, group: readonly Change[]): string {
  const [change] = group;
  if (change === undefined) return "";
  const name = group.length > 1 ? nameInRoot(report, change) : undefined;
  return name === undefined ? nameOf(report, change) : `${safe(name)} in ${group.length} roots`;
}

function nameOfFiles(report: Report, [path = "", ...others]: readonly string[]): string {
  if (others.length === 0) return shownPath(report, path);
  return `${safe(basename(path))} in ${others.length + 1} roots`;
}

function folderOf(report: Report): (change: Change) => string {
  return ({ file }) => (file === undefined ? "" : shownPath(report, dirname(file)));
}

const MARKS = { error: "✗", warning: "!", info: "·" } as const;
const STYLES = { error: "red", warning: "magenta", info: "dim" } as const;
const WEIGHT = { error: 0, warning: 1, info: 2 } as const;

function findings(report: Report, all: readonly Finding[], page: Page): string {
  const { warnings, facts } = report;
  const doubtful = warnings.map((text) => marked(page.paint("magenta", "!"), text, page));
  const rows = facts.terraform.roots.length > 1 ? findingsOfMany : humanFindings;
  const found =
    report.each === undefined ? rows(all, page) : findingsOfEach(report.each, all, page, rows);
  return [found, ...doubtful].filter(Boolean).join("\n");
}

/**
 * With --all, findings about one environment are listed under its name. A finding that several environments have is
 * listed once.
 */
function findingsOfEach(
  each: readonly Report[],
  all: readonly Finding[],
  page: Page,
  rows: typeof humanFindings,
): string {
  const alike = new Map<string, { readonly found: Finding; readonly names: Set<string> }>();
  for (const found of all) {
    const { id, message, fix = [], environment } = found;
    const text = hintText(fix, edgeOf(page.edge, found));
    const key = JSON.stringify([id, message, text, environment === undefined]);
    const { names } = alike.get(key) ?? { names: new Set<string>() };
    if (environment !== undefined) names.add(environment ?? "without --env");
    alike.set(key, { found: alike.get(key)?.found ?? found, names });
  }
  const byTitle = new Map<string, Finding[]>();
  // In the order of the environments. Findings about no single environment come first.
  const order = each.map(({ facts }) => facts.config.environment ?? "without --env");
  const places = ["", ...order, ...[...alike.values()].map(({ names }) => titleOf(names))];
  for (const place of places) byTitle.set(place, []);
  for (const { found, names } of alike.values()) byTitle.get(titleOf(names))?.push(found);
  return [...byTitle]
    .filter(([, found]) => found.length > 0)
    .map(([title, found]) => {
      const text = rows(found, page);
      return title === "" ? text : `${page.paint("bold", `${safe(title)}:`)}\n${text}`;
    })
    .join("\n\n");

  function titleOf(names: ReadonlySet<string>): string {
    return names.size > 1 && names.size === order.length
      ? "every environment"
      : [...names].join(", ");
  }
}

/** The worst first. Findings with the same fix are listed together, followed by the fix. */
export function humanFindings(all: readonly Finding[], page: Page): string {
  return rowsText(rowsOf(worstFirst(all), page), page);
}

interface Row {
  readonly found: Finding;
  /** Other places of the same error. For an error every place is listed. */
  readonly places: readonly string[];
  /** How many similar findings are not shown. */
  readonly others: number;
}

/** The same error in many places is listed once. */
function rowsOf(all: readonly Finding[], page: Page): Row[] {
  const causeOf = (found: Finding) => {
    const { id, level, message, where, fix = [] } = found;
    if (level !== "error" || where === undefined) return undefined;
    const path = where.replace(/:\d+$/, "");
    const names = [where, path, shortened(path, page.edge)];
    const texts = [message, hintText(fix, edgeOf(page.edge, found))];
    const without = (text: string) => names.reduce((rest, name) => rest.replaceAll(name, ""), text);
    return [id, ...texts.map(without)].join("\n");
  };
  return grouped(all, causeOf).flatMap(([found, ...alike]) =>
    found === undefined
      ? []
      : { found, places: alike.flatMap(({ where }) => where ?? []), others: 0 },
  );
}

function rowsText(rows: readonly Row[], page: Page): string {
  const keyOf = ({ found, places, others }: Row) => {
    const { id, fix = [] } = found;
    const isAlone = fix.length === 0 || others + places.length > 0 || isStep(found);
    return isAlone ? undefined : [id, hintText(fix, edgeOf(page.edge, found))].join(" ");
  };
  return grouped(rows, keyOf)
    .flatMap((group) => group.map((row, at) => rowText(row, page, at === group.length - 1)))
    .join("\n");
}

function rowText({ found, places, others }: Row, page: Page, isLast: boolean): string {
  const { fix, ...said } = found;
  const names = places.map((place) => shortened(place, page.edge)).join(", ");
  const more = [
    ...(places.length > 0
      ? wrap(`Same in ${places.length} more places: ${names}`, page.columns - 2)
      : []),
    ...(others > 0 ? [`${others} more like this; --json lists all`] : []),
  ];
  return [
    humanFinding(isLast ? found : said, page),
    ...more.map((line) => page.paint("dim", `  ${line}`)),
  ].join("\n");
}

/** True for a step in an ordered list. */
function isStep({ id }: Finding): boolean {
  return id === "ci.to-do";
}

/** Findings that many roots share are listed once. Steps of a list are never merged. */
function findingsOfMany(all: readonly Finding[], page: Page): string {
  const sorted = worstFirst(all);
  const errors = sorted.filter(({ level }) => level === "error");
  const rest = sorted.slice(errors.length);
  const keyOf = (each: Finding) =>
    isStep(each)
      ? undefined
      : [each.id, hintText(each.fix ?? [], edgeOf(page.edge, each))].join(" ");
  const rows = grouped(rest, keyOf).flatMap(([found, ...others]) =>
    found === undefined ? [] : { found, places: [], others: others.length },
  );
  return rowsText([...rowsOf(errors, page), ...rows], page);
}

function worstFirst(all: readonly Finding[]): Finding[] {
  return inParagraphs([...all].sort((a, b) => WEIGHT[a.level] - WEIGHT[b.level]));
}

function humanFinding(found: Finding, page: Page): string {
  const { id, level, message, fix = [] } = found;
  const steps = hintWords(fix, edgeOf(page.edge, found)).map(safe);
  return problem(STYLES[level], MARKS[level], safe(shortened(message, page.edge)), id, page, steps);
}

function problem(
  style: "red" | "magenta" | "dim",
  mark: string,
  message: string,
  id: string,
  page: Page,
  fix: readonly string[],
): string {
  const lines = message
    .split("\n")
    .flatMap((line) => wrap(line, page.columns - 2))
    .map((line, i) => `${i === 0 ? page.paint(style, mark) : " "} ${line}`);
  const last = lines.at(-1) ?? "";
  const label = page.paint("dim", `[${id}]`);
  // The id is only for looking up, so it must not change how the words wrap.
  const fits = last.length + 3 + id.length + 2 <= page.columns;
  const labelled = fits ? [...lines.slice(0, -1), `${last} ${label}`] : [...lines, `  ${label}`];
  const steps = wrap(fix, page.columns - 4)
    .filter(Boolean)
    .map((line, i) => `  ${i === 0 ? page.paint("cyan", "→") : " "} ${line}`);
  return [...labelled, ...steps].join("\n");
}

function lastLine(report: Report, status: ExitStatus, page: Page): string {
  const { command, dryRun, plan, applied, outside, commands } = report;
  if (isBlocked(plan.findings) && applied.length === 0) {
    if (command === "check") return "";
    const made = outside.flatMap(({ sign: its, label }) => (its === "+" ? label : []));
    return made.length === 0
      ? "Nothing was changed."
      : wrap(`Done: ${listed(made)}. Nothing was changed in the repo.`, page.columns).join("\n");
  }
  const aside = skippedRoots(report, page);
  const left = stepsIn(plan);
  if (dryRun && left > 0) {
    const text = `${planned(plan)}; nothing was written (--dry-run).`;
    return [...wrap(text, page.columns), ...aside].join("\n");
  }
  const ending = endingOf(report);
  const ran = commands.filter(({ failure }) => !failure).length;
  if (applied.length + outside.length + commands.length === 0) {
    if (aside.length > 0) return aside.join("\n");
    if (left > 0) return "";
    return [
      nothingToDo(plan, status, ending, page),
      ...stepLines({ ...ending, next: undefined }, page),
    ].join("\n");
  }
  // After removing a token, every warning is about a place that still has it, or may have it.
  const isGoing = command === "rotate" || command === "logout" || command === "uninstall";
  const isDone = !isGoing || plan.findings.every(({ level }) => level === "info");
  // A config that a person should check first. Its finding contains the next step.
  const isProposal = plan.findings.some(({ id }) => id === "config.proposed");
  // A second look found that all changes were made, and none are left.
  const checked = left === 0 && aside.length === 0 && isDone && !isProposal ? " and checked" : "";
  const made = applied.length + outside.length;
  const done = made > 0 ? `${count(made, "change")} made` : `${count(ran, "command")} run`;
  const failed = commands.find(({ failure }) => failure !== undefined);
  // The roots that were skipped have a line of their own.
  const isFailure = ({ level, skippedRoot }: Finding) =>
    level === "error" && skippedRoot === undefined;
  const errors = plan.findings.filter(isFailure).length;
  const isWhole = failed === undefined && errors === 0;
  const why =
    failed === undefined ? `${count(errors, "error")} to fix` : `${title(failed.command)} failed`;
  const mark = isWhole ? page.paint("green", "✓") : page.paint("magenta", "!");
  const said = isWhole
    ? `${done}${checked}${butWarnings(plan)}.`
    : `${made + ran > 0 ? `${done}, but ` : ""}${why}.`;
  const lines = [marked(mark, said, page)];
  if (!isProposal) lines.push(...workLines(ending, page), ...stepLines(ending, page));
  lines.push(...commitLines(ending, report, page), ...aside);
  return lines.join("\n");
}

/** Counted in the same way as in the real run. */
function planned({ changes, commands, outside }: Plan): string {
  const made = changes.length + outside.length;
  const parts = [
    ...(made > 0 ? [`${count(made, "change")} to make`] : []),
    ...(commands.length > 0 ? [`${count(commands.length, "command")} to run`] : []),
  ];
  return parts.join(", ");
}

function workLines({ works }: Ending, page: Page): string[] {
  if (works.length === 0) return [];
  return wrap(`Works now: ${safe(works.join("; "))}`, page.columns - 2).map((line) => `  ${line}`);
}

/** The roots that were skipped because of an error in them. */
function skippedRoots(report: Report, page: Page): string[] {
  const { plan, facts } = report;
  const dirs = [...new Set(plan.findings.flatMap(({ skippedRoot }) => skippedRoot ?? []))];
  if (dirs.length === 0) return [];
  const verb = dirs.length === 1 ? "was skipped" : "were skipped";
  const text = `${dirs.length} of ${facts.terraform.roots.length} roots ${verb}: ${someOf(report, dirs)}.`;
  return [marked(page.paint("red", "✗"), text, page)];
}

function nothingToDo({ findings }: Plan, status: ExitStatus, { left }: Ending, page: Page): string {
  // Errors about what was left unchanged.
  if (findings.some(({ level }) => level === "error")) return "";
  const but = butWarnings({ findings });
  const what = left.length > 0 ? "Nothing to change" : "Nothing to do";
  const mark = left.length > 0 ? page.paint("cyan", "·") : page.paint("green", "✓");
  return status === EXIT.ok
    ? marked(mark, `${what}${but}.`, page)
    : wrap(`${what}${but} (--strict: exit status ${status}).`, page.columns).join("\n");
}

function butWarnings({ findings }: Pick<Plan, "findings">): string {
  const warnings = findings.filter(({ level }) => level === "warning").length;
  return warnings === 0 ? "" : `, but ${count(warnings, "warning")} to look at`;
}

function commitLines({ commit }: Ending, report: Report, page: Page): string[] {
  const groups = grouped(commit, (path) => fileInRoot(report, path));
  // A few files are quoted so that they can be copied.
  const isMany = groups.some(({ length }) => length > 1);
  const files = isMany
    ? [groups.map((group) => nameOfFiles(report, group)).join(", ")]
    : groups.map((group) => shellWord(nameOfFiles(report, group), page.edge.shell));
  return wrap(`Commit: ${files.join(" ")}`, page.columns - 2)
    .map((line) => `  ${line}`)
    .slice(0, files.length === 0 ? 0 : undefined);
}

function count(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${number} ${what}s`;
}
