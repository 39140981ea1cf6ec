import { relative } from "node:path";
import type { ScopesLook } from "../commands/scopes/scopes.ts";
import { allNeeded, type CodeNeeds, gapsIn } from "../concerns/token/needed-scopes.ts";
import type { Phase } from "../scopes/action.ts";
import { requiresOf } from "../scopes/closure.ts";
import { type Need, phasesOf, type Reason } from "../scopes/needed.ts";
import { safe } from "../secret/safe.ts";
import type { Secret } from "../secret/secret.ts";
import type { ScopesDocument } from "./documents.ts";
import type { HintEdge } from "./hint-text.ts";
import { humanFindings } from "./human.ts";
import { type Framed, jsonFinding } from "./json.ts";
import { code, prose } from "./markdown.ts";
import type { Page } from "./paint.ts";

/** The result of `scopes`. The code that prints it decides on the format. */
export interface ScopesReport extends ScopesLook {
  readonly command: "scopes";
  readonly format: "text" | "markdown";
  readonly cwd: string;
}

interface Row {
  readonly scope: string;
  readonly why: string;
}

export function scopesText(report: ScopesReport, page: Page): string {
  const rows = scopeRows(report.code);
  const missing = new Set(report.token?.comparison.missing);
  const width = Math.max(0, ...rows.map(({ scope }) => scope.length));
  const phases = phasesIn(report);
  const marked = ({ scope, why }: Row) => {
    const lacks = missing.has(scope);
    const mark = report.token === undefined ? " " : lacks ? "✗" : "✓";
    const name = page.paint(lacks ? "red" : "bold", scope.padEnd(width));
    const first = phases === undefined ? "" : `${wordsFor(phases.get(scope)).padEnd(WIDEST)}  `;
    return `${page.paint(lacks ? "red" : "green", mark)} ${name}  ${first}${page.paint("dim", why)}`;
  };
  const sections = [
    safe(title(report)),
    rows.map(marked).join("\n"),
    listed(
      "May be needed:",
      report.code.needs.maybe.map((need) => `${need.scope}  ${need.why}`),
    ),
    listed(
      "Spaces keys (SPACES_ACCESS_KEY_ID, SPACES_SECRET_ACCESS_KEY), no scope:",
      report.code.needs.spaces,
    ),
    humanFindings(report.findings, page),
    verdict(report, page),
  ];
  return `${sections.filter(Boolean).join("\n\n")}\n`;
}

/** For a pull request. */
export function scopesMarkdown(report: ScopesReport): string {
  const missing = new Set(report.token?.comparison.missing);
  const phases = phasesIn(report);
  const lines = scopeRows(report.code).map(({ scope, why }) => {
    const lacks = missing.has(scope) ? " **(missing)**" : "";
    const first = phases === undefined ? "" : ` ${wordsFor(phases.get(scope))} |`;
    return `| ${code(scope)}${lacks} |${first} ${prose(why)} |`;
  });
  const more = [
    ...report.code.needs.maybe.map(
      ({ scope, why }) => `- May be needed: ${code(scope)}, ${prose(why)}`,
    ),
    ...report.code.needs.spaces.map((address) => `- Spaces keys: ${code(address)}`),
    ...report.findings.map(({ level, message }) => `- ${level}: ${prose(message)}`),
  ];
  const head =
    phases === undefined
      ? ["| Scope | Why |", "| --- | --- |"]
      : ["| Scope | From | Why |", "| --- | --- | --- |"];
  const table = [...head, ...lines].join("\n");
  return `${[`### ${prose(title(report))}`, table, more.join("\n")].filter(Boolean).join("\n\n")}\n`;
}

export function scopesDocument(
  report: Omit<ScopesReport, "format">,
  edge: HintEdge,
): Framed<ScopesDocument> {
  const { purpose, plan, dirs, code, token, findings } = report;
  const { needs, trees } = code;
  const phases = phasesIn(report);
  const scopesOf = (phase: Phase) => allNeeded(needs).filter((each) => phases?.get(each) === phase);
  return {
    command: "scopes",
    purpose,
    plan,
    dirs,
    scopes: scopeRows(report.code).map(({ scope }) => scope),
    own: needs.own.map(({ scope, reasons }) => ({ scope, reasons })),
    phases: phases && {
      create: scopesOf("create"),
      change: scopesOf("change"),
      destroy: scopesOf("destroy"),
    },
    required: needs.required,
    maybe: needs.maybe,
    spaces: needs.spaces,
    unseen: trees.flatMap(({ unseen }) => unseen),
    token: token && { fingerprint: token.token.fingerprint, ...token.comparison },
    findings: findings.map((each) => jsonFinding(each, edge)),
  };
}

/** Only the scopes of all applies have several phases. */
function phasesIn({
  purpose,
  plan,
  code: { needs, scopes },
}: Pick<ScopesReport, "purpose" | "plan" | "code">): ReadonlyMap<string, Phase> | undefined {
  return purpose === "apply" && plan === undefined ? phasesOf(needs, { scopes }) : undefined;
}

/** The words of a row: when the scope is needed first. */
const FIRST: Readonly<Record<Phase, string>> = {
  create: "first apply",
  change: "changes",
  destroy: "deletions",
};
const WIDEST = Math.max(...Object.values(FIRST).map(({ length }) => length));

function wordsFor(phase: Phase = "create"): string {
  return FIRST[phase];
}

function title({ purpose, plan, dirs, cwd, code: { needs } }: ScopesReport): string {
  const total = needs.own.length + needs.required.length;
  const where = dirs.map((dir) => relative(cwd, dir) || ".").join(", ");
  const scopes = total === 1 ? "1 scope" : `${total} scopes`;
  if (plan !== undefined) {
    return `terraform apply ${plan === "-" ? "of this plan" : plan}: ${scopes}`;
  }
  const what = purpose === "create" ? "The first terraform apply" : `terraform ${purpose}`;
  return `${what} in ${where || "no root module"}: ${scopes}`;
}

/** Sorted as in the control panel. */
export function scopeRows({ needs, scopes }: Pick<CodeNeeds, "needs" | "scopes">): readonly Row[] {
  const all = allNeeded(needs);
  return all.map((scope) => {
    const need = needs.own.find((each) => each.scope === scope);
    if (need !== undefined) return { scope, why: whyOf(need) };
    const requiring = all.filter((each) => requiresOf(each, { scopes }).includes(scope));
    return { scope, why: `required by ${few(requiring)}` };
  });
}

function whyOf({ reasons }: Need): string {
  const texts = reasons.map(({ address, when, place }: Reason) => {
    const attribute = when === undefined || when === "*" ? "" : ` (${when})`;
    return `${address}${attribute}, ${place.file}:${place.line}`;
  });
  return few([...new Set(texts)]);
}

function few(texts: readonly string[]): string {
  const [first = ""] = texts;
  return texts.length > 1 ? `${first}, and ${texts.length - 1} more` : first;
}

function listed(head: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : [head, ...lines.map((line) => `  ${safe(line)}`)].join("\n");
}

function verdict({ token, findings, code }: ScopesReport, page: Page): string {
  if (token === undefined || findings.some(({ level }) => level === "error")) return "";
  // Scopes that other folders or plans need are not part of the question.
  const unread = gapsIn({
    ...code,
    ...{ isOfPlan: false, elsewhere: { folders: [], isWhole: true } },
  });
  if (unread.length > 0) {
    const text = `has all the scopes listed. It may need more. Not checked: ${unread.join("; ")}.`;
    return `${page.paint("magenta", "!")} ${nameOf(token.token)} ${safe(text)}`;
  }
  return `${page.paint("green", "✓")} ${nameOf(token.token)} has them all.`;
}

function nameOf(token: Secret): string {
  return token.isRenewed ? token.shortName.replace(/^t/, "T") : `The token (${token.fingerprint})`;
}
