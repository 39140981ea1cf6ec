import type { ExecDoctl } from "./doctl.ts";

/**
 * What `exec` and `env` need to know of a config and its root modules. Free of secrets, as it is
 * kept in the user's cache folder (record.ts).
 */
export interface ExecConfig {
  /** The folder of the config file, else the project's. */
  readonly base: string;
  /** The environment chosen with --env. */
  readonly environment: string | undefined;
  readonly tokenName: string;
  readonly envFile: string;
  /** The doctl context whose login is the token, where nothing stronger gives one. */
  readonly login?: string | undefined;
  /** True where config names a backend on Spaces. */
  readonly hasBackend: boolean;
  /** Backends in the code of a root that may take keys to another host than one of Spaces. */
  readonly strangeBackends: readonly StrangeBackend[];
  /** The token's variables that are the repo's own: TF_VAR_ gives them their value. */
  readonly variables: readonly string[];
  /** What Terraform reads by itself and what beats the environment. */
  readonly secretFiles: readonly { readonly path: string; readonly variable: string }[];
  /** Files that may hold secrets, for --mask: env files of the other environments, and tfvars files. */
  readonly filesToMask: readonly string[];
  /** The roots that have a workspace of this environment's own. */
  readonly workspaces: readonly { readonly dir: string; readonly workspace: string }[];
  /** undefined with `doctl: false`. */
  readonly doctl: ExecDoctl | undefined;
}

export interface StrangeBackend {
  /** path:line. */
  readonly place: string;
  readonly strangers: readonly Stranger[];
}

/** What in a backend is not Spaces alone. */
export interface Stranger {
  /** The setting's name, or in words. */
  readonly setting: string;
  /** It names another host than AWS has: its URL, or "" for what cannot be compared. */
  readonly host?: string;
}
