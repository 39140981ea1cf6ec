import { holdsSecret } from "../content.ts";
import type { AppError } from "../errors.ts";
import { shortPath } from "../paths.ts";
import { diffOf } from "../plan/diff.ts";
import { plainDoctl } from "../plan/doctl.ts";
import type { Change, Finding } from "../plan/types.ts";
import { describeOrigin, type Secret } from "../token/secret.ts";
import { type Paint, safe } from "./paint.ts";
import type { Report } from "./report.ts";

/** What a person reads after `init` and `check`: who is who, what changed, what is wrong. */
export function humanReport(report: Report, paint: Paint): string {
  const { plan, applied, dryRun, command } = report;
  const hasErrors = plan.findings.some(({ level }) => level === "error");
  if (isAllWell(report)) return `${allWell(report, paint)}\n`;
  return sections([
    whoIsWho(report, paint),
    dryRun && !hasErrors
      ? plan.changes.map((change) => diff(report, change, paint)).join("\n\n")
      : "",
    dryRun ? "" : changes(report, applied, paint),
    command === "check" && !hasErrors ? pending(report, paint) : "",
    findings(report, paint),
    lastLine(report, hasErrors, paint),
  ]);
}

/** The plan, before it is approved. */
export function humanPlan(report: Report, paint: Paint): string {
  return sections([
    whoIsWho(report, paint),
    report.plan.changes.map((change) => diff(report, change, paint)).join("\n\n"),
    findings(report, paint),
  ]);
}

export function humanError({ code, message, hint }: AppError, paint: Paint): string {
  const [first = "", ...rest] = message.split("\n");
  const lines = [`${paint("red", "✗")} ${first} ${paint("dim", `[${code}]`)}`, ...rest];
  return `${[...lines, ...(hint === undefined ? [] : [fix(hint, paint)])].join("\n")}\n`;
}

function sections(parts: readonly string[]): string {
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

function isAllWell({ command, dryRun, plan, applied }: Report): boolean {
  const worthSaying = plan.findings.some(({ level }) => level !== "info");
  return (
    command === "init" && !dryRun && !worthSaying && plan.changes.length + applied.length === 0
  );
}

function allWell({ observation }: Report, paint: Paint): string {
  const { config, token, inspection } = observation;
  const fingerprint = token.kind === "found" ? token.token.fingerprint : "";
  const facts = [
    `token ${fingerprint}`,
    ...(inspection?.team === undefined ? [] : [safe(inspection.team.name)]),
    expiry(inspection?.expiresInSeconds),
  ];
  return `${paint("green", "✓")} ${paint("bold", config.project)}: all is well (${facts.join(", ")}).`;
}

function whoIsWho(report: Report, paint: Paint): string {
  const { observation } = report;
  const { config, token, inspection, doctl, roots, terraform } = observation;
  const rows: [string, string][] = [
    ["Project", paint("bold", config.project)],
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
      plain === context
        ? `context ${context}`
        : `context ${context}; plain doctl uses ${safe(plain)} (switch: doctl auth switch --context ${context})`,
    ]);
  }
  for (const { config: root } of roots) {
    const tool = terraform === undefined ? "" : `, ${terraform.name} ${terraform.version ?? ""}`;
    rows.push(["Terraform", `${path(report, root.dir)}${tool.trimEnd()}`]);
  }
  return rows.map(([name, text]) => `${paint("dim", name.padEnd(11))} ${text}`).join("\n");
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

function changes(report: Report, done: readonly Change[], paint: Paint): string {
  const names = done.map((change) => nameOf(report, change));
  const width = Math.max(0, ...names.map(({ length }) => length));
  return done
    .map(
      (change, i) =>
        `${sign(change, paint)} ${(names[i] ?? "").padEnd(width)}  ${paint("dim", change.why)}`,
    )
    .join("\n");
}

function pending(report: Report, paint: Paint): string {
  if (report.plan.changes.length === 0) return "";
  return `Still to do (do-bootstrap):\n${changes(report, report.plan.changes, paint)}`;
}

function diff(report: Report, change: Change, paint: Paint): string {
  const title = `${sign(change, paint)} ${paint("bold", nameOf(report, change))}  ${paint("dim", change.why)}`;
  if (change.kind === "doctl-context") {
    const { replaces, token } = change;
    return [
      title,
      ...(replaces === undefined ? [] : [paint("red", `  - ${replaces}`)]),
      paint("green", `  + ${token}`),
    ].join("\n");
  }
  const signs = { added: "+", removed: "-", kept: " " } as const;
  const styles = { added: "green", removed: "red", kept: "dim" } as const;
  const lines = diffOf(change).map(({ kind, text }) =>
    paint(styles[kind], `  ${signs[kind]} ${safe(text)}`.trimEnd()),
  );
  return [title, ...lines].join("\n");
}

function sign(change: Change, paint: Paint): string {
  const isNew =
    change.kind === "write" ? change.before.kind === "absent" : change.replaces === undefined;
  return isNew ? paint("green", "+") : paint("yellow", "~");
}

function nameOf(report: Report, change: Change): string {
  if (change.kind === "doctl-context") return `doctl context ${change.context}`;
  return path(report, change.before.path) + (holdsSecret(change.after) ? " (0600)" : "");
}

const MARKS = { error: "✗", warning: "!", info: "·" } as const;
const STYLES = { error: "red", warning: "yellow", info: "dim" } as const;
const WEIGHT = { error: 0, warning: 1, info: 2 } as const;

function findings({ plan, doubts }: Report, paint: Paint): string {
  const sorted = [...plan.findings].sort((a, b) => WEIGHT[a.level] - WEIGHT[b.level]);
  const lines = sorted.map((found) => humanFinding(found, paint));
  const doubtful = doubts.map((text) => `${paint("yellow", "!")} ${safe(text)}`);
  return [...lines, ...doubtful].join("\n");
}

function humanFinding({ id, level, message, fix: mend }: Finding, paint: Paint): string {
  const line = `${paint(STYLES[level], MARKS[level])} ${safe(message)} ${paint("dim", `[${id}]`)}`;
  return mend === undefined ? line : `${line}\n${fix(safe(mend), paint)}`;
}

function fix(text: string, paint: Paint): string {
  return `  ${paint("cyan", "→")} ${text}`;
}

function lastLine(report: Report, hasErrors: boolean, paint: Paint): string {
  const { command, dryRun, plan, applied } = report;
  if (hasErrors) return command === "check" ? "" : "Nothing was changed.";
  if (dryRun) {
    return plan.changes.length === 0
      ? `${paint("green", "✓")} Nothing to do.`
      : `${count(plan.changes.length)} to make; nothing was written (--dry-run).`;
  }
  if (command === "check") {
    return plan.changes.length === 0 ? `${paint("green", "✓")} Nothing to do.` : "";
  }
  const next = nextStep(report);
  const done = `${paint("green", "✓")} ${count(applied.length)} made, and looked at again: nothing is left to do.`;
  return next === undefined ? done : `${done}\n  Next: ${paint("bold", next)}`;
}

function nextStep({ observation, ...report }: Report): string | undefined {
  const [root] = observation.roots;
  if (root === undefined) return undefined;
  const tool = observation.terraform?.name ?? root.config.tool ?? "terraform";
  const dir = shortPath(root.config.dir, report.cwd, report.home);
  return dir === "." ? `${tool} init` : `${tool} -chdir=${safe(dir)} init`;
}

function count(changes: number): string {
  return changes === 1 ? "1 change" : `${changes} changes`;
}

function path({ cwd, home }: Report, absolute: string): string {
  return safe(shortPath(absolute, cwd, home));
}
