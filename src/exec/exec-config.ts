import type { ExecDoctl } from "./doctl.ts";

/**
 * What `exec` and `env` need to know about a config and its root modules. Contains no secrets, since it is kept in the
 * user's cache folder (record.ts).
 */
export interface ExecConfig {
  /** The folder of the config file, or the project's. */
  readonly base: string;
  /** The environment chosen with --env. */
  readonly environment: string | undefined;
  readonly tokenName: string;
  readonly envFile: string;
  /** The doctl context whose login provides the token, if no source with a higher priority does. */
  readonly login?: string | undefined;
  /** True if the config names a backend on Spaces, or the code has one, even one that may send keys elsewhere. */
  readonly hasBackend: boolean;
  /** Backends in the code that may send keys to a host other than Spaces. */
  readonly strangeBackends: readonly StrangeBlock[];
  /** Providers in the code that may send Spaces keys to a host other than Spaces. */
  readonly strangeProviders: readonly StrangeBlock[];
  /** Providers in the code that may send the token to a host other than DigitalOcean's. */
  readonly otherApis: readonly StrangeBlock[];
  /** The variables that each root's provider reads its Spaces keys from, which are set through TF_VAR_. */
  readonly keyVariables: readonly KeyVariables[];
  /** The repo's own variables for the token, which are set through TF_VAR_. */
  readonly variables: readonly string[];
  /** Files that Terraform reads automatically and that override the environment. */
  readonly secretFiles: readonly { readonly path: string; readonly variable: string }[];
  /** Files that may contain secrets, for --mask: env files of the other environments, and tfvars files. */
  readonly filesToMask: readonly string[];
  /** The roots with a separate workspace for this environment. */
  readonly workspaces: readonly { readonly dir: string; readonly workspace: string }[];
  /** The roots that only other environments have, if an environment is chosen. */
  readonly othersRoots: readonly { readonly environment: string; readonly dir: string }[];
  /** undefined with `doctl: false`. */
  readonly doctl: ExecDoctl | undefined;
}

/** The variables for one key pair. */
export interface KeyVariables {
  readonly id?: string;
  readonly secret?: string;
}

export interface StrangeBlock {
  /** path:line. */
  readonly place: string;
  readonly strangers: readonly Stranger[];
}

/** A setting of a block that may send keys or the token to another host. */
export interface Stranger {
  /** The setting's name, or a description. */
  readonly setting: string;
  /** It names a host of its own, which is not AWS: its URL, or "" if it cannot be compared. */
  readonly host?: string;
}
