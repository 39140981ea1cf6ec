import { plainDoctl } from "../concerns/doctl/plan.ts";
import type { Use } from "../concerns/effective-token/uses.ts";
import { otherHosts } from "../concerns/token/hosts.ts";
import { few } from "../lib/few.ts";
import { wrap } from "../lib/wrap.ts";
import { broadAccess } from "../scopes/granted.ts";
import { safe } from "../secret/safe.ts";
import { describeOrigin, Secret } from "../secret/secret.ts";
import { expiry } from "./expiry.ts";
import { grouped, someOf } from "./many-roots.ts";
import type { Page } from "./paint.ts";
import { type Report, shortened, shownPath } from "./report.ts";

/** Project, token, team, doctl context and roots: what people paste into chats. */
export function whoIsWho(report: Report, page: Page): string {
  const {
    each,
    facts: {
      config: { project, environment },
    },
  } = report;
  const rows: Row[] = [["Project", project, "bold"]];
  if (each === undefined) {
    if (environment !== undefined) rows.push(["Environment", environment]);
    return linesOf([...rows, ...rowsOf(report)], page);
  }
  const blocks = each.map((one): Row[] => {
    const name = one.facts.config.environment ?? "none (without --env)";
    return [["Environment", name, "bold"], ...rowsOf(one)];
  });
  return [rows, ...blocks].map((block) => linesOf(block, page)).join("\n\n");
}

function linesOf(rows: readonly Row[], page: Page): string {
  const width = Math.max(LABEL, ...rows.map(([name]) => name.length + 1));
  return rows.flatMap((row) => rowLines(row, width, page)).join("\n");
}

/** The rows of one environment. */
function rowsOf(report: Report): Row[] {
  const { facts } = report;
  const {
    token: { state: token, inspection },
    doctl,
    terraform: { roots, tools },
  } = facts;
  const rows: Row[] = [];
  if (token.kind === "found") rows.push(["Token", tokenRow(report, token.token)]);
  const others = otherHosts(facts.token.hosts);
  if (others.length > 0) rows.push(["API", `${others.join(" and ")}, not DigitalOcean`]);
  if (inspection?.team !== undefined) rows.push(["Team", inspection.team.name]);
  if (inspection?.scopes !== undefined) rows.push(["Scopes", scopesInWords(inspection.scopes)]);
  const isAlive = inspection?.state === "alive";
  if (isAlive && doctl?.target && isInUse(doctl.tool, doctl.target.holding)) {
    const plain = plainDoctl(doctl, report.env);
    const { context } = doctl.target;
    rows.push(["doctl", `context ${context} (current${plain === context ? "" : `: ${plain}`})`]);
  }
  const toolOf = ({ config: { dir } }: (typeof roots)[number]) => {
    const tool = tools.get(dir);
    return tool === undefined ? "" : `, ${tool.name} ${tool.version ?? ""}`.trimEnd();
  };
  for (const group of grouped(roots, toolOf)) {
    const dirs = group.map(({ config: root }) => root.dir);
    const several = dirs.length > 1 ? `${dirs.length} roots: ` : "";
    rows.push([
      "Terraform",
      `${several}${someOf(report, dirs)}${toolOf(group[0] as (typeof roots)[number])}`,
    ]);
  }
  return report.command === "check" ? [...rows, ...useRows(report)] : rows;
}

/** Which token each tool uses without exec and with exec. */
function useRows(report: Report): Row[] {
  const { state: token } = report.facts.token;
  const { uses = [] } = report;
  const isOurs = (use: Use) =>
    use.token instanceof Secret && token.kind === "found" && use.token.equals(token.token);
  const plain = uses.filter(({ via, tool }) => via === "plain" && tool !== "scripts");
  const scripts = uses.filter(({ via, tool }) => via === "plain" && tool === "scripts");
  const given = scripts.filter((use) => use.token !== "none");
  const texts = [
    ...usesInWords(report, plain),
    ...(given.length === 0 ? ["scripts: no token in the environment"] : []),
    ...given.map((use) => `scripts: ${useInWords(report, use)}`),
  ];
  const rows = texts.map((text, i): Row => [i === 0 ? "Without exec" : "", text]);
  const others = uses.filter((use) => use.via === "exec" && !isOurs(use));
  const [first] = others;
  if (first === undefined && token.kind === "found") {
    return [...rows, ["With exec", `always ${token.token.shortName}`]];
  }
  if (first?.from.startsWith("exec stops")) return [...rows, ["With exec", first.from]];
  return [...rows, ...usesInWords(report, others).map((text): Row => ["With exec", text])];
}

function usesInWords(report: Report, uses: readonly Use[]): string[] {
  const keyOf = ({ tool, dir, token, from }: Use) =>
    dir && [tool, token instanceof Secret ? token.fingerprint : token, from].join(" ");
  return grouped(uses, keyOf).flatMap((group) => {
    const [use] = group;
    if (use === undefined) return [];
    if (group.length === 1) return `${use.tool}: ${useInWords(report, use)}`;
    // Several uses have different places, so the place is left out.
    const common = useInWords(report, { ...use, dir: undefined, where: undefined });
    return `${use.tool}: ${common}, in ${group.length} roots`;
  });
}

function useInWords(report: Report, { token, from, where, dir }: Use): string {
  const place = where === undefined ? "" : ` (${shownPath(report, where)})`;
  const several = report.facts.terraform.roots.length > 1 && dir !== undefined;
  const root = several ? `${shownPath(report, dir)}: ` : "";
  const what =
    token instanceof Secret ? token.shortName : token === "none" ? "no token" : "unknown";
  return `${root}${what}, ${from}${place}`;
}

/** "whole": not wrapped, so that it can be copied. */
type Row = [name: string, text: string, how?: "whole" | "bold"];

/** The width of the names, including the space after them. */
const LABEL = 12;

function rowLines([name, text, how]: Row, width: number, page: Page): string[] {
  const shown = safe(text);
  const lines = how === "whole" ? [shown] : wrap(shown, page.columns - width);
  return lines.map((line, i) => {
    const label = (i === 0 ? name : "").padEnd(width);
    return `${page.paint("dim", label)}${how === "bold" ? page.paint("bold", line) : line}`;
  });
}

/** Without doctl, its context is shown only if it contains our token. */
function isInUse(tool: string | undefined, holding: string): boolean {
  return tool !== undefined || holding === "this";
}

function tokenRow(report: Report, token: Secret): string {
  const { inspection } = report.facts.token;
  const origin =
    token.origin.kind === "env-file"
      ? `${token.origin.name} in ${shownPath(report, token.origin.path)}`
      : shortened(describeOrigin(token.origin), report);
  const state = {
    alive: expiry(inspection?.expiresInSeconds),
    refused: "refused",
    unknown: "not verified",
  }[inspection?.state ?? "unknown"];
  if (token.isRenewed) {
    const account = inspection?.email === undefined ? "" : `, of ${inspection.email}`;
    const { state: found } = report.facts.token;
    const isRenewable = found.kind === "found" && found.expiresAt !== undefined;
    return `${token.shortName}${account}, ${state}${isRenewable ? "; doctl renews it" : ""}`;
  }
  return `${token.fingerprint}, from ${origin}, ${state}`;
}

function scopesInWords(scopes: readonly string[]): string {
  const broad = broadAccess(scopes);
  if (broad !== undefined) return broad;
  if (scopes.length <= 4) return scopes.join(", ") || "none";
  return few(scopes);
}
