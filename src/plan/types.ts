import type { Content } from "../content.ts";
import type { Snapshot } from "../host/host.ts";
import type { Secret } from "../token/secret.ts";
import type { FindingId } from "./findings.ts";

export interface Finding {
  readonly id: FindingId;
  readonly level: "error" | "warning" | "info";
  readonly message: string;
  /** The one command, or the one step, that mends it. */
  readonly fix?: string;
  /** A path. */
  readonly where?: string;
}

export interface WriteFile {
  readonly kind: "write";
  readonly before: Snapshot;
  readonly after: Content;
  /** `before` as it may be seen. */
  readonly shownBefore: Content;
  readonly mode: number;
  readonly why: string;
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

export type Change = WriteFile | StoreContext;

export interface Plan {
  readonly findings: readonly Finding[];
  readonly changes: readonly Change[];
}

/** What the user allows on the command line. */
export interface Consent {
  /** Replace logins and files that are not ours. */
  readonly force: boolean;
  /** Write a token from the environment into the repo's env file. */
  readonly save: boolean;
  /** Write doctl's config even where doctl is not installed. */
  readonly doctlConfig: boolean;
}

export const NOTHING: Plan = { findings: [], changes: [] };

export function joined(plans: readonly Plan[]): Plan {
  return {
    findings: plans.flatMap(({ findings }) => findings),
    changes: plans.flatMap(({ changes }) => changes),
  };
}
