// The library's parameters. A caller's compiler reads this file and report/documents.ts, so they import nothing else
// (esbuild.config.mjs).
import type { ReportDocument } from "../report/documents.ts";

/** The options of every function. */
export interface Options {
  /** The folder to work in; by default the process's. */
  readonly cwd?: string | undefined;
  /** All environment variables; by default the process's. Nothing else is read from the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Ends the call: it throws INTERRUPTED. The changes are either all made or all undone. */
  readonly signal?: AbortSignal | undefined;
  /** An environment of the config, as with --env. */
  readonly environment?: string | undefined;
  /**
   * Called with the current progress.
   *
   * @param what such as "Asking DigitalOcean about the token".
   * @param now how much is done, if known.
   */
  readonly progress?: ((what: string, now?: string) => void) | undefined;
  /** Called with what the config's token.command writes to standard error, which may be a question. */
  readonly commandSays?: ((text: string) => void) | undefined;
}

/** The options of functions that check the token. */
export interface LookOptions extends Options {
  /** Used before any other token. `bootstrap` stores it. */
  readonly token?: string | undefined;
  /** The token must be valid for at least this many seconds; by default the config's value. */
  readonly minTtlSeconds?: number | undefined;
  /** The config's token.command may run. */
  readonly trust?: boolean | undefined;
  /** Warnings count as errors. */
  readonly strict?: boolean | undefined;
}

/** The options of `do-bootstrap init`, under the same names. */
export interface BootstrapOptions extends LookOptions {
  /** Makes the plan but writes nothing. */
  readonly dryRun?: boolean | undefined;
  /** Replaces a login, or writes through a link out of the repo. */
  readonly force?: boolean | undefined;
  /** Writes a token from the environment to disk, too. */
  readonly save?: boolean | undefined;
  /**
   * Uses a token under another name if there is no other: only if exactly one is valid, belongs to the config's team,
   * and is not part of the repo.
   */
  readonly adopt?: boolean | undefined;
  /** Writes a commented config with what was chosen. */
  readonly writeConfig?: boolean | undefined;
  /**
   * For a config that names no root module: "all" prepares all that are found and names them in a new config, "new"
   * creates one in a repo without any, and a list names folders.
   */
  readonly roots?: "all" | "new" | readonly string[] | undefined;
  /**
   * Creates a Spaces key that opens only the buckets of terraform.backend, and writes it to the env file. Not in CI, and
   * not if there is a key.
   */
  readonly spacesKey?: boolean | undefined;
  /** Also creates these buckets of terraform.backend, if they do not exist. Spaces costs money. */
  readonly createBackend?: readonly string[] | undefined;
  /** Writes an .envrc for direnv. It contains no secret. */
  readonly envrc?: boolean | undefined;
  /** Makes the token's context doctl's current context. */
  readonly use?: boolean | undefined;
  /** Moves tokens in Terraform code to a variable. */
  readonly fix?: boolean | undefined;
  /** Writes doctl's context even without doctl, and in CI. */
  readonly doctlConfig?: boolean | undefined;
  /** Passes the token to doctl on its command line, where other users can see it. */
  readonly accessTokenFlag?: boolean | undefined;
  /** Without it nobody is asked: what is missing becomes a finding, and the plan is made. */
  readonly prompter?: Prompter | undefined;
}

/** Asks a person. Each of these is optional. */
export interface Prompter {
  /**
   * Asks which environment to use, if the config has some and no token is outside them.
   *
   * @param choices the last one is none of them.
   * @returns the name of one; undefined: none of them.
   */
  readonly environment?:
    | ((choices: readonly EnvironmentChoice[]) => Promise<string | undefined>)
    | undefined;
  /**
   * Asks for a token, if there is none or DigitalOcean refused it.
   *
   * @returns what was typed or pasted.
   */
  readonly token?: ((asked: TokenQuestion) => Promise<string>) | undefined;
  /**
   * Asks which of the tokens under other names to use, if there is no other.
   *
   * @returns its fingerprint; undefined: none of them.
   */
  readonly adopt?: ((asked: AdoptQuestion) => Promise<string | undefined>) | undefined;
  /**
   * Shows the changes and asks for approval.
   *
   * @param pending as in the report.
   * @returns false: bootstrap throws DECLINED, and nothing was changed.
   */
  readonly approve?: ((pending: ReportDocument["pending"]) => Promise<boolean>) | undefined;
  /**
   * Asks which root modules to prepare, if the config names none.
   *
   * @returns as the option `roots`; "environments": a config with one environment for each; undefined: none is chosen.
   */
  readonly roots?:
    | ((asked: RootsQuestion) => Promise<"environments" | BootstrapOptions["roots"]>)
    | undefined;
  /** Asks whether the config's token.command may run. */
  readonly trust?: ((asked: TrustQuestion) => Promise<boolean>) | undefined;
}

export interface EnvironmentChoice {
  /** undefined: none of them. */
  readonly environment: string | undefined;
  /** How it differs from the others, such as "team Acme, no token yet". */
  readonly about: string;
}

export interface TokenQuestion {
  readonly project: string;
  /** The scopes that the code needs, as the control panel lists them. */
  readonly scopes: readonly string[];
  /** The parts of the code whose scopes could not be worked out, in words. */
  readonly unread: readonly string[];
  /** Where the token that DigitalOcean refused is, in words; undefined: none was refused. */
  readonly refused: string | undefined;
}

/** Folders are relative to the project's. */
export type RootsQuestion =
  | {
      readonly kind: "several";
      readonly dirs: readonly string[];
      /** The environments that the folders seem to be; empty: none. */
      readonly environments: readonly string[];
    }
  /** There is no root module: should one be created? */
  | { readonly kind: "none" };

export interface AdoptQuestion {
  /** The variable that has no value. */
  readonly name: string;
  /** At least one. Each is valid, and belongs to the config's team if the config names one. */
  readonly tokens: readonly OfferedToken[];
}

export interface OfferedToken {
  readonly fingerprint: string;
  /** Such as "DO_TOKEN in /repo/.env:3". */
  readonly places: readonly string[];
  /** undefined: the token may not read it. */
  readonly team: { readonly uuid: string; readonly name: string } | undefined;
  /** It is only in files that git has, so whoever wrote the repo put it there. */
  readonly isOfRepo: boolean;
}

export interface TrustQuestion {
  /** As a person would type it. */
  readonly command: string;
  /** Why it needs approval. */
  readonly why: string;
  /**
   * "kept": a yes is remembered on this machine until something about it changes; "once": a yes is for this call only.
   */
  readonly given: "kept" | "once";
}

export interface CheckOptions extends LookOptions {
  /**
   * Checks every environment of the config, and also what a call without `environment` uses, if that has its own token.
   * Cannot be combined with `environment`.
   */
  readonly all?: boolean | undefined;
  /** Also searches git history, states, Docker contexts and npm files for tokens. */
  readonly history?: boolean | undefined;
  /** Also asks GitHub, through the user's gh, about the secrets that `ci --apply` has stored for a pipeline. */
  readonly remote?: boolean | undefined;
}

export interface ScopesOptions extends Options {
  /** Folders of root modules; by default the config's. */
  readonly dirs?: readonly string[] | undefined;
  /** What the token is for; by default "apply". "create" is the first apply, before anything exists. */
  readonly purpose?: "plan" | "create" | "apply" | "destroy" | undefined;
  /** Only the scopes that this plan needs: the path of a file with the JSON of `terraform show -json`. */
  readonly plan?: string | undefined;
  /** A token with more scopes than needed counts as an error. */
  readonly strict?: boolean | undefined;
}

export interface EnvironmentOptions extends Options {
  /** Every variable of the env file. */
  readonly all?: boolean | undefined;
  /** First asks DigitalOcean whether the token is valid and belongs to the config's team. */
  readonly verify?: boolean | undefined;
  /** The config's token.command may run. */
  readonly trust?: boolean | undefined;
}
