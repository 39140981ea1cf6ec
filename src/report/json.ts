import type { Whereabouts } from "../commands/credentials/whereabouts.ts";
import { plainDoctl } from "../concerns/doctl/plan.ts";
import type { Use } from "../concerns/effective-token/uses.ts";
import { needsOf } from "../concerns/terraform/root/needs.ts";
import type { TerraformRoot } from "../concerns/terraform/root/root.ts";
import type { TerraformTool } from "../concerns/terraform/root/tool.ts";
import type { Finding } from "../core/finding.ts";
import type { Plan } from "../core/plan.ts";
import { type ToolCommand, title } from "../core/run-commands.ts";
import type { AppError } from "../errors/app-error.ts";
import type { ExitStatus } from "../errors/exit-status.ts";
import type { TokenState } from "../exec/token-sources.ts";
import { modeText } from "../lib/mode-text.ts";
import { safeJson } from "../secret/safe.ts";
import { Secret } from "../secret/secret.ts";
import type {
  ChangeDocument,
  CommandDocument,
  FindingDocument,
  PlaceDocument,
  ReportDocument,
  RootDocument,
  UseDocument,
} from "./documents.ts";
import { endingOf } from "./ending.ts";
import { edgeOf, type HintEdge, hintText } from "./hint-text.ts";
import type { Report } from "./report.ts";

/** A document without the fields that all documents have. */
export type Framed<D> = Omit<D, "schemaVersion" | "status">;

/** The one document that --json prints. */
export function jsonReport(report: Report, status: ExitStatus, edge: HintEdge): string {
  const { facts, plan, applied, warnings, command, commands, outside, each } = report;
  const { config } = facts;
  const { hosts } = facts.token;
  const { left, next, commit } = endingOf(report);
  const document: Framed<ReportDocument> = {
    command,
    project: config.project,
    environment: each === undefined ? (config.environment ?? null) : null,
    configFile: config.file ?? null,
    ...(each === undefined ? whoIsWho(report) : NOBODY),
    environments: each?.map((one) => ({
      environment: one.facts.config.environment ?? null,
      status: one.status,
      ...whoIsWho(one),
    })),
    findings: plan.findings.map((found) => jsonFinding(found, edge)),
    pending: jsonPending(plan, edge),
    applied: [...applied, ...outside].map((change) => jsonChange(change, edge)),
    commands: commands.map(({ command, failure, took }) => ({
      ...jsonCommand(command),
      tookMs: took,
      failure: failure?.why ?? null,
      output: failure?.output ?? [],
    })),
    doubts: warnings,
    next: (left.length > 0 ? left : next === undefined ? [] : [next]).map((step) =>
      hintText(step, edge),
    ),
    commit,
    api: hosts.api.host,
  };
  return jsonDocument(document, status);
}

type WhoIsWho = Pick<ReportDocument, "token" | "doctl" | "terraform" | "uses" | "places">;

const NOBODY: WhoIsWho = { token: null, doctl: null, terraform: [], uses: [], places: [] };

/** The token of an environment, and what uses it. */
function whoIsWho({ facts, env, uses = [], places = [] }: Report): WhoIsWho {
  const {
    token: { state: token, inspection },
    doctl,
    terraform: { roots, tools },
  } = facts;
  return {
    token:
      token.kind === "found"
        ? {
            fingerprint: token.token.fingerprint,
            origin: token.token.origin,
            isLogin: token.token.isRenewed,
            state: inspection?.state ?? "unknown",
            scopes: inspection?.scopes ?? null,
            expiresInSeconds: inspection?.expiresInSeconds ?? null,
            team: inspection?.team ?? null,
            email: inspection?.email ?? null,
          }
        : null,
    doctl:
      doctl === undefined
        ? null
        : {
            installed: doctl.tool !== undefined,
            configFile: doctl.config?.path ?? null,
            context: doctl.target?.context ?? null,
            selectedContext: plainDoctl(doctl, env),
          },
    terraform: roots.map((root) => ({
      dir: root.config.dir,
      ...howItGetsItsToken(root),
      workspace: root.workspace,
      tool: jsonTool(tools.get(root.config.dir)),
    })),
    uses: uses.map((use) => jsonUse(use, token)),
    places: places.map(jsonPlace),
  };
}

function jsonTool(tool: TerraformTool | undefined): RootDocument["tool"] {
  return tool === undefined ? null : { name: tool.name, version: tool.version };
}

/** The remaining changes, in their JSON form. */
export function jsonPending(
  { changes, commands, outside }: Plan,
  edge: Pick<HintEdge, "platform">,
): ReportDocument["pending"] {
  const json = (change: { json(): object }) => jsonChange(change, edge);
  return [...changes.map(json), ...commands.map(jsonCommand), ...outside.map(json)];
}

/** Each kind of change provides its own JSON. report-schema.test.ts checks it. */
function jsonChange(
  change: { json(): object },
  { platform }: Pick<HintEdge, "platform">,
): ChangeDocument {
  const json = change.json() as ChangeDocument;
  // On Windows, a file has the rights of its folder, whatever mode we ask for.
  return "mode" in json && platform === "win32" ? { ...json, mode: null } : json;
}

function jsonPlace({ kind, name, path, mode, takenBy, unread }: Whereabouts): PlaceDocument {
  const { git, docker, npm } = takenBy;
  return {
    kind,
    name: name ?? null,
    path: path ?? null,
    mode: mode === undefined ? null : modeText(mode),
    takenBy: { git: git ?? null, docker: docker ?? null, npm: npm ?? null },
    unread: unread ?? null,
  };
}

function jsonUse(
  { tool, via, dir, variable, token, from, where }: Use,
  ours: TokenState,
): UseDocument {
  const isSecret = token instanceof Secret;
  return {
    tool,
    via,
    dir: dir ?? null,
    variable: variable ?? null,
    state: isSecret ? "token" : token,
    fingerprint: isSecret ? token.fingerprint : null,
    isLogin: isSecret && token.isRenewed,
    isThisToken: isSecret && ours.kind === "found" ? token.equals(ours.token) : null,
    from,
    where: where ?? null,
  };
}

/** A document with the fields that all documents have. */
export function jsonDocument(document: object, status: ExitStatus): string {
  return print({ status, ...document });
}

/** A finding in its JSON form. */
export function jsonFinding(finding: Finding, edge: HintEdge): FindingDocument {
  const { id, level, message, fix, where, skippedRoot, environment } = finding;
  const text = fix === undefined ? undefined : hintText(fix, edgeOf(edge, finding));
  return { id, level, message, fix: text, where, setsAside: skippedRoot, environment };
}

/** The document for a run that failed. */
export function jsonError(error: AppError, edge: HintEdge): string {
  const { code, message, hint, status } = error;
  return print({
    status,
    error: { code, message, hint: hint === undefined ? null : hintText(hint, edge) },
  });
}

function howItGetsItsToken(root: TerraformRoot) {
  const { credentials, variable } = needsOf(root);
  return { credentials, variable };
}

function jsonCommand(command: ToolCommand): CommandDocument {
  return { kind: "run", command: title(command), cwd: command.cwd, why: command.why };
}

function print(document: object): string {
  return `${safeJson({ schemaVersion: 1, ...document })}\n`;
}
