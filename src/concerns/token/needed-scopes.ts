import { relative } from "node:path";
import type { Finding } from "../../core/finding.ts";
import { hint, own } from "../../errors/hint.ts";
import { readTerraform } from "../../hcl/read.ts";
import { chooseTool } from "../../hcl/releases.ts";
import type { Host } from "../../host/host.ts";
import { few } from "../../lib/few.ts";
import { dataFolder } from "../../lib/paths.ts";
import type { Action } from "../../scopes/action.ts";
import type { Purpose } from "../../scopes/code-actions.ts";
import { loadScopeData, type ScopeData } from "../../scopes/data.ts";
import { broadAccess, type Comparison, compare } from "../../scopes/granted.ts";
import { type Module, type ModuleTree, readModuleTree } from "../../scopes/module-tree.ts";
import type { Needs } from "../../scopes/needed.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { finding } from "./findings.ts";
import { TOKEN_FORM } from "./hosts.ts";
import type { Inspection } from "./verdict.ts";

/** What Terraform code does, and which scopes a token needs for it. */
export interface CodeNeeds {
  readonly needs: Needs;
  readonly actions: readonly Action[];
  readonly trees: readonly ModuleTree[];
  /** The actions are from one plan; the next plan may need others. */
  readonly isOfPlan: boolean;
  readonly scopes: ScopeData["scopes"];
  readonly elsewhere: Elsewhere;
}

/** Terraform code in the repo that is in none of the trees. */
export interface Elsewhere {
  /** Relative to the repo's root. */
  readonly folders: readonly string[];
  /** false: not all of the repo was searched, so there may be more. */
  readonly isWhole: boolean;
}

/** No search was made. */
export const NOT_SEARCHED: Elsewhere = { folders: [], isWhole: false };

/**
 * Reads root modules and determines the scopes that they need.
 *
 * @param dirs absolute paths.
 * @param choose replaces the actions of the code with others.
 */
export async function readNeeds(
  host: Pick<Host, "files" | "env">,
  { dirs, purpose, config }: { dirs: readonly string[]; purpose: Purpose; config: ResolvedConfig },
  choose?: (inCode: readonly Action[]) => readonly Action[],
): Promise<CodeNeeds> {
  const read = (text: string, name: string) => readTerraform(text, name);
  // Terraform names files relative to the root. With several roots, main.tf would be ambiguous.
  const base = dirs.length > 1 ? config.base : undefined;
  const trees = await Promise.all(
    dirs.map(async (dir) => {
      const named = config.roots.find((root) => root.dir === dir)?.tool;
      const { tool, isCertain } = await chooseTool(host.files, dir, named);
      const data = dataFolder(dir, host.env);
      return readModuleTree(host, dir, read, { base, tool, isUncertain: !isCertain, data });
    }),
  );
  const modules = trees.flatMap((tree) => tree.modules);
  // A repo without code does not need these modules, or their 200 kB of data.
  const isNew = modules.every(({ blocks }) => blocks.length === 0);
  const inCode = isNew ? [] : await codeActions(modules, purpose);
  const actions = choose?.(inCode) ?? inCode;
  const { needs, scopes } = actions.length === 0 ? NOTHING_NEEDED : await worked(actions);
  const isOfPlan = choose !== undefined;
  return {
    needs: withStateKey(withTeam(needs, config), purpose, config),
    actions,
    trees,
    isOfPlan,
    scopes,
    elsewhere: NOT_SEARCHED,
  };
}

async function codeActions(modules: readonly Module[], purpose: Purpose): Promise<Action[]> {
  const { actionsInCode } = await import("../../scopes/code-actions.ts");
  return actionsInCode(modules, purpose);
}

async function worked(actions: readonly Action[]): Promise<Pick<CodeNeeds, "needs" | "scopes">> {
  const { scopesNeeded } = await import("../../scopes/needed.ts");
  const data = await loadScopeData();
  return { needs: scopesNeeded(actions, data), scopes: data.scopes };
}

const NOTHING_NEEDED: Pick<CodeNeeds, "needs" | "scopes"> = {
  needs: { own: [], required: [], maybe: [], spaces: [], unknown: [] },
  scopes: {},
};

/** Our own check of the team reads the account (docs/design.md §6). */
function withTeam(needs: Needs, { team, file, base }: ResolvedConfig): Needs {
  if (team === undefined || needs.own.some(({ scope }) => scope === ACCOUNT)) return needs;
  const reason = {
    address: "account.team",
    operation: "read",
    when: undefined,
    place: { file: relative(base, file ?? base), line: 1 },
  } as const;
  return {
    ...needs,
    own: [...needs.own, { scope: ACCOUNT, phase: "create" as const, reasons: [reason] }].sort(
      (a, b) => (a.scope < b.scope ? -1 : 1),
    ),
    required: needs.required.filter((each) => each !== ACCOUNT),
  };
}

/** What a token needs to make, list and delete Spaces keys (docs/contracts/api.md 9.3). */
export const KEY_SCOPES = [
  "spaces_key:create_credentials",
  "spaces_key:read",
  "spaces_key:delete",
] as const;

const MAKING: readonly Purpose[] = ["create", "apply"];

/** Only our own commands that make a key for the state's bucket need these. */
function withStateKey(
  needs: Needs,
  purpose: Purpose,
  { roots, file, base }: ResolvedConfig,
): Needs {
  if (!MAKING.includes(purpose) || roots.every(({ backend }) => backend === undefined))
    return needs;
  const known = [...needs.own, ...needs.maybe].map(({ scope }) => scope);
  const reason = {
    address: "terraform.backend",
    operation: "create",
    when: undefined,
    place: { file: relative(base, file ?? base), line: 1 },
  } as const;
  const why = "for the Spaces key of the state's bucket, if do-bootstrap is to create it";
  const added = KEY_SCOPES.filter((scope) => !known.includes(scope)).map((scope) => ({
    ...{ scope, why, reasons: [reason] },
  }));
  return { ...needs, maybe: [...needs.maybe, ...added] };
}

/** Tells whose account it is, so we suggest this scope for every token. */
const ACCOUNT = "account:read";

/** Every scope that a token needs, in the control panel's order. */
export function allNeeded({ own, required }: Needs): string[] {
  return inPanelOrder([...own.map(({ scope }) => scope), ...required]);
}

function inPanelOrder(scopes: readonly string[]): string[] {
  return scopes.toSorted((a, b) => (panelOrder(a) < panelOrder(b) ? -1 : 1));
}

/** By resource, then create, read, update, delete. */
function panelOrder(scope: string): string {
  const [about = "", action = ""] = scope.split(":");
  const at = ["create", "read", "update", "delete"].indexOf(action);
  return `${about} ${at < 0 ? 9 : at} ${action}`;
}

/** A row of the control panel's form: a resource and its actions. */
export type PanelRow = readonly [about: string, actions: readonly string[]];

/** The scopes to select for a new token. */
export function panelRows({ needs }: CodeNeeds): PanelRow[] {
  const scopes = allNeeded(needs);
  const all = scopes.includes(ACCOUNT) ? scopes : [ACCOUNT, ...scopes];
  const rows = new Map<string, string[]>();
  for (const scope of all) {
    const [about = "", action = ""] = scope.split(":");
    rows.set(about, [...(rows.get(about) ?? []), action]);
  }
  return [...rows];
}

/** The uses of the token that were not checked, as text. They may need the token's other scopes. */
export function gapsIn(code: CodeNeeds): readonly string[] {
  const { trees, isOfPlan, elsewhere } = code;
  return [
    ...(isOfPlan ? ["other plans"] : []),
    ...unreadIn(code),
    ...(hasNoCode(trees) && !isOfPlan ? ["other uses of the token (no Terraform code found)"] : []),
    ...(elsewhere.folders.length > 0
      ? [`Terraform code in other folders (${few(elsewhere.folders)})`]
      : []),
    ...(elsewhere.isWhole ? [] : ["other folders (not all were searched)"]),
  ];
}

/** The parts of the code that were not read or understood, as text. They may need more scopes than listed. */
export function unreadIn({ trees, needs }: Pick<CodeNeeds, "trees" | "needs">): readonly string[] {
  const unseen = trees.flatMap((tree) => tree.unseen);
  const contested = trees.flatMap((tree) => tree.contested);
  const broken = new Set(trees.flatMap((tree) => tree.broken.map(({ file }) => file)));
  return [
    ...(unseen.length > 0 ? [`modules that are not installed (${few(unseen)})`] : []),
    ...(contested.length > 0
      ? [`files that only OpenTofu reads, because the config names no tool (${few(contested)})`]
      : []),
    ...(broken.size > 0 ? [`files that could not be read in full (${few([...broken])})`] : []),
    ...(needs.unknown.length > 0 ? [`unknown resource types (${few(needs.unknown)})`] : []),
  ];
}

function hasNoCode(trees: readonly ModuleTree[]): boolean {
  return trees.every(({ modules }) => modules.every(({ blocks }) => blocks.length === 0));
}

/**
 * Compares a token's scopes with the needed ones. If some code was not read, no scope is reported as unneeded.
 *
 * @param isLogin the token belongs to a login, and a new login requests other scopes.
 * @returns undefined if the API did not report the token's scopes.
 */
export function compareScopes(
  inspection: Inspection | undefined,
  code: CodeNeeds,
  isLogin = false,
): { comparison: Comparison; findings: Finding[] } | undefined {
  const granted = inspection?.scopes;
  if (granted === undefined) return undefined;
  const { needs } = code;
  const maybe = needs.maybe.map(({ scope }) => scope);
  const { missing, excess } = compare(granted, needs, [ACCOUNT, ...maybe], code);
  const comparison = { missing: inPanelOrder(missing), excess };
  return { comparison, findings: judgeComparison(comparison, broadAccess(granted), code, isLogin) };
}

/** Whether the token has more scopes than this code needs. If so, the caller searches for other code. */
export function hasExcess(inspection: Inspection | undefined, code: CodeNeeds): boolean {
  return (compareScopes(inspection, code)?.comparison.excess ?? []).length > 0;
}

function judgeComparison(
  { missing, excess }: Comparison,
  access: string | undefined,
  code: CodeNeeds,
  isLogin: boolean,
): Finding[] {
  const [gaps, unread] = [gapsIn(code), unreadIn(code)];
  const rest = unread.length === 0 ? "" : `, plus any scopes for ${unread.join("; ")}`;
  const lacks = finding(
    "token.lacks-scopes",
    `The token lacks ${missing.length === 1 ? "a scope" : `${missing.length} scopes`}: ${missing.join(", ")}.`,
    {
      fix: isLogin
        ? hint`${own("login")} requests them too`
        : hint`Scopes cannot be edited: create a new token with the scopes that ${own("scopes")} lists${rest}, at ${TOKEN_FORM}`,
    },
  );
  const what = access === undefined ? `: ${excess.join(", ")}` : ` (${access})`;
  const more =
    gaps.length === 0
      ? finding(
          "token.more-than-needed",
          `The token has more scopes than this code needs${what}.`,
          {
            fix: isLogin
              ? hint`${own("login")} requests only the scopes that the code needs`
              : hint`Create a token with only the scopes that ${own("scopes")} lists. Delete this one if nothing else uses it.`,
          },
        )
      : finding(
          "token.excess-unknown",
          `The token has more scopes than the checked code needs${what}. Not checked: ${gaps.join("; ")}.`,
        );
  return [...(missing.length > 0 ? [lacks] : []), ...(excess.length > 0 ? [more] : [])];
}
