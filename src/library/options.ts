// The library's parameters. With report/documents.ts it is what a caller's compiler reads: it imports nothing
// else (esbuild.config.mjs).
import type { ReportDocument } from "../report/documents.ts";

/** What every function takes. */
export interface Options {
  /** The folder to work in; the process's where it is not given. */
  readonly cwd?: string | undefined;
  /** All environment variables; the process's where it is not given. Nothing else is read from it. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Ends the call: it throws INTERRUPTED, and every file is as it was or as it was to be. */
  readonly signal?: AbortSignal | undefined;
  /** An environment of the config, as with --env. */
  readonly environment?: string | undefined;
  /**
   * Hears what goes on.
   *
   * @param what such as "Asking DigitalOcean about the token".
   * @param now how far it has got, where that is known.
   */
  readonly progress?: ((what: string, now?: string) => void) | undefined;
  /** Hears what the config's token.command writes to its standard error, which may be a question. */
  readonly commandSays?: ((text: string) => void) | undefined;
}

/** What the functions take that look at the token. */
export interface LookOptions extends Options {
  /** Used before any other; `bootstrap` stores it. */
  readonly token?: string | undefined;
  /** Seconds that the token has to live at least; the config's where it is not given. */
  readonly minTtlSeconds?: number | undefined;
  /** The config's token.command may run. */
  readonly trust?: boolean | undefined;
  /** Warnings count as errors. */
  readonly strict?: boolean | undefined;
}

/** Of the options of `do-bootstrap init`, each under its own name. */
export interface BootstrapOptions extends LookOptions {
  /** Makes the plan and writes nothing. */
  readonly dryRun?: boolean | undefined;
  /** Replaces a login, or writes through a link out of the repo. */
  readonly force?: boolean | undefined;
  /** Writes a token from the environment to disk too. */
  readonly save?: boolean | undefined;
  /**
   * Takes the token that stands under another name, where there is no other: if exactly one is alive and of the
   * config's team, and did not come with the repo.
   */
  readonly adopt?: boolean | undefined;
  /** Writes a commented config of what was chosen. */
  readonly writeConfig?: boolean | undefined;
  /**
   * Where the config names no root module: "all" prepares all that are found and names them in a new config,
   * "new" makes one in a repo that has none, and a list names folders.
   */
  readonly roots?: "all" | "new" | readonly string[] | undefined;
  /** Writes an .envrc for direnv; no secret is in it. */
  readonly envrc?: boolean | undefined;
  /** Makes the token's context the one that plain doctl uses. */
  readonly use?: boolean | undefined;
  /** Moves tokens in Terraform code to a variable. */
  readonly fix?: boolean | undefined;
  /** Writes doctl's context without doctl too, and in CI. */
  readonly doctlConfig?: boolean | undefined;
  /** Hands the token to doctl on its command line, which other users can see. */
  readonly accessTokenFlag?: boolean | undefined;
  /** Nobody is asked where it is not given: what is missing is a finding, and the plan is made. */
  readonly prompter?: Prompter | undefined;
}

/** Asks a person; each of these may be absent. */
export interface Prompter {
  /**
   * Asks which environment is meant, where the config has some and no token is outside them.
   *
   * @param choices the last one is none of them.
   * @returns the name of one; undefined: none of them.
   */
  readonly environment?:
    | ((choices: readonly EnvironmentChoice[]) => Promise<string | undefined>)
    | undefined;
  /**
   * Asks for a token, where there is none or a refused one.
   *
   * @returns what was typed or pasted.
   */
  readonly token?: ((asked: TokenQuestion) => Promise<string>) | undefined;
  /**
   * Asks which of the tokens under other names to use, where there is no other.
   *
   * @returns its fingerprint; undefined: none of them.
   */
  readonly adopt?: ((asked: AdoptQuestion) => Promise<string | undefined>) | undefined;
  /**
   * Shows the changes and asks for leave.
   *
   * @param pending as in the report.
   * @returns false: bootstrap throws DECLINED, and nothing was changed.
   */
  readonly approve?: ((pending: ReportDocument["pending"]) => Promise<boolean>) | undefined;
  /**
   * Asks which root modules to prepare, where the config names none.
   *
   * @returns as the option `roots`; "environments": a config with one for each; undefined: none is chosen.
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
  /** What tells it from the others, such as "team Acme, no token yet". */
  readonly about: string;
}

export interface TokenQuestion {
  readonly project: string;
  /** The scopes that the code needs, as the control panel lists them. */
  readonly scopes: readonly string[];
  /** What of the code could not be counted, in words. */
  readonly unread: readonly string[];
  /** Where the token is that DigitalOcean refused, in words; undefined: there is none. */
  readonly refused: string | undefined;
}

/** Folders are named from the project's. */
export type RootsQuestion =
  | {
      readonly kind: "several";
      readonly dirs: readonly string[];
      /** The environments that they look like; empty: they do not. */
      readonly environments: readonly string[];
    }
  /** There is none: is one to be made? */
  | { readonly kind: "none" };

export interface AdoptQuestion {
  /** The variable that has no value. */
  readonly name: string;
  /** At least one; each is alive, and of the config's team where that names one. */
  readonly tokens: readonly OfferedToken[];
}

export interface OfferedToken {
  readonly fingerprint: string;
  /** Such as "DO_TOKEN in /repo/.env:3". */
  readonly places: readonly string[];
  /** undefined: the token may not read it. */
  readonly team: { readonly uuid: string; readonly name: string } | undefined;
  /** It stands in files that git has, and nowhere else: whoever wrote the repo put it there. */
  readonly isOfRepo: boolean;
}

export interface TrustQuestion {
  /** As a person would type it. */
  readonly command: string;
  /** Why it did not run without a question. */
  readonly why: string;
  /** "kept": a yes counts on this machine until something of it changes; "once": for this call. */
  readonly given: "kept" | "once";
}

export interface CheckOptions extends LookOptions {
  /**
   * Looks at every environment of the config, and at what a call without `environment` uses, where that has a token
   * of its own. Not together with `environment`.
   */
  readonly all?: boolean | undefined;
  /** Also searches all of git, states, Docker contexts and npm files for tokens. */
  readonly history?: boolean | undefined;
}

export interface ScopesOptions extends Options {
  /** Folders of root modules; those of the config where none is given. */
  readonly dirs?: readonly string[] | undefined;
  /** What the token is for; "apply" where it is not given. */
  readonly purpose?: "plan" | "apply" | "destroy" | undefined;
  /** Only what this plan does: the path of a file with the JSON of `terraform show -json`. */
  readonly plan?: string | undefined;
  /** A token that may do more counts as an error. */
  readonly strict?: boolean | undefined;
}

export interface EnvironmentOptions extends Options {
  /** Every variable of the env file. */
  readonly all?: boolean | undefined;
  /** Asks DigitalOcean first whether the token is alive, and of the config's team. */
  readonly verify?: boolean | undefined;
  /** The config's token.command may run. */
  readonly trust?: boolean | undefined;
}
