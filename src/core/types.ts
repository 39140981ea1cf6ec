import type { LockTest } from "../concerns/spaces/lock-test.ts";
import type { FileSnapshot, Snapshot } from "../host/host.ts";
import type { Content } from "../secret/content.ts";
import type { Secret } from "../secret/secret.ts";
import type { Variables } from "../secret/variables.ts";
import type { Finding } from "./finding.ts";

export interface WriteFile {
  readonly kind: "write";
  readonly before: Snapshot;
  readonly after: Content;
  /** `before` as it may be seen. */
  readonly shownBefore: Content;
  readonly mode: number;
  readonly why: string;
  /** Takes a token or what protects it away: goes last, so that a killed run can be finished. */
  readonly takesAway?: true;
  /** What has to be tried first; a plan is applied without such a change. */
  readonly lockTest?: LockTest;
}

export interface StoreContext {
  readonly kind: "doctl-context";
  /** doctl's config file. */
  readonly path: string;
  readonly context: string;
  readonly token: Secret;
  /** What the context held when the plan was made. */
  readonly replaces: Secret | undefined;
  /** The executable; undefined: the context is stored without asking doctl. */
  readonly doctl: string | undefined;
  readonly why: string;
}

export interface RemoveContext {
  readonly kind: "doctl-removal";
  /** doctl's config file. */
  readonly path: string;
  readonly context: string;
  /** What the context holds. */
  readonly holds: Secret;
  readonly why: string;
}

export interface RemoveFile {
  readonly kind: "remove";
  readonly before: FileSnapshot;
  readonly why: string;
  /** Folders below this one go, too, where they are empty then. */
  readonly emptyBelow?: string;
}

export type Change = WriteFile | StoreContext | RemoveContext | RemoveFile;

/** Runs after the changes, is reported, and never rolls them back (DESIGN rule 10). */
export interface Command {
  /** terraform or tofu: name for the report, and absolute path. */
  readonly tool: { readonly name: string; readonly path: string };
  readonly args: readonly string[];
  /** The root module. */
  readonly cwd: string;
  readonly why: string;
  /** Variables that it must not inherit. */
  readonly without: readonly string[];
  /** Variables that it needs: the keys of the state's bucket. */
  readonly with: Variables;
}

export interface Plan {
  readonly findings: readonly Finding[];
  readonly changes: readonly Change[];
  readonly commands: readonly Command[];
}

/** What one domain adds to a plan. */
export type PlanPart = Partial<Plan>;

/** What the user allows on the command line. */
export interface Consent {
  /** Replace logins and files that are not ours. */
  readonly force: boolean;
  /** Write a token from the environment into the repo's env file. */
  readonly save: boolean;
  /** Move tokens that stand in Terraform code to a variable. */
  readonly fix: boolean;
  /** Write a config of what was chosen. */
  readonly writeConfig: boolean;
  /** Write direnv's file. */
  readonly envrc: boolean;
  /** Write doctl's config even where doctl is not installed. */
  readonly doctlConfig: boolean;
}

export const NOTHING: PlanPart = {};

export function joined(parts: readonly PlanPart[]): Plan {
  return {
    findings: onceEach(parts.flatMap(({ findings = [] }) => findings)),
    changes: parts.flatMap(({ changes = [] }) => changes),
    commands: parts.flatMap(({ commands = [] }) => commands),
  };
}

/** What is true of the machine, every root says. */
function onceEach(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Map<string, Finding>();
  for (const each of findings) {
    const key = JSON.stringify([each.id, each.message, each.where]);
    if (!seen.has(key)) seen.set(key, each);
  }
  return [...seen.values()];
}
