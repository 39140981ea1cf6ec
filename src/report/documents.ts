// The documents of --json, which the library returns. This file imports nothing: it is what a caller's
// compiler reads (esbuild.config.mjs). report.schema.json says the same to other programs, and more of each
// field.

/** What `bootstrap` did or would do, and what `check` found. */
export interface ReportDocument {
  /** Grows when a field changes its meaning or goes; not when one is added. */
  readonly schemaVersion: 1;
  readonly command: "init" | "login" | "check" | "rotate" | "logout" | "uninstall" | "ci";
  /** The exit status of the command, as in docs/reference.md: 0 is success. */
  readonly status: number;
  readonly project: string;
  readonly environment: string | null;
  /** Absolute path; null: there is none. */
  readonly configFile: string | null;
  /** null: no token, or not one that can be used; with --all, too. */
  readonly token: TokenDocument | null;
  /** null: `doctl: false` in the config; with --all, too. */
  readonly doctl: DoctlDocument | null;
  /** With --all: empty. */
  readonly terraform: readonly RootDocument[];
  /** Which token each tool takes. With --all: empty. */
  readonly uses: readonly UseDocument[];
  /** Where this machine holds the token; looked at by `check` alone. With --all: empty. */
  readonly places: readonly PlaceDocument[];
  /** With --all: each environment; the findings of all are in `findings`. Absent otherwise. */
  readonly environments?: readonly EnvironmentReportDocument[] | undefined;
  readonly findings: readonly FindingDocument[];
  /** What is left to do. */
  readonly pending: readonly (ChangeDocument | CommandDocument)[];
  /** What was done. */
  readonly applied: readonly ChangeDocument[];
  /** What was run. */
  readonly commands: readonly (CommandDocument & {
    readonly tookMs: number;
    readonly failure: string | null;
  })[];
  /** What failed and does not matter. */
  readonly doubts: readonly string[];
  /** What is left to do, in this order; where nothing is, the command to try. Empty where that is not known. */
  readonly next: readonly string[];
  /** Files for git to have, absolute. */
  readonly commit: readonly string[];
  /** The host that stands for api.digitalocean.com. */
  readonly api: string;
}

/** One environment of a run with --all. */
export interface EnvironmentReportDocument {
  /** null: what a run without --env uses, where that has a token of its own. */
  readonly environment: string | null;
  /** What the command would have ended with for this one alone. */
  readonly status: number;
  readonly token: TokenDocument | null;
  readonly doctl: DoctlDocument | null;
  readonly terraform: readonly RootDocument[];
  readonly uses: readonly UseDocument[];
  readonly places: readonly PlaceDocument[];
}

export interface DoctlDocument {
  readonly installed: boolean;
  readonly configFile: string | null;
  readonly context: string | null;
  readonly selectedContext: string;
}

export interface TokenDocument {
  /** The first 8 hexadecimal digits of the token's SHA-256. */
  readonly fingerprint: string;
  readonly origin:
    | { readonly kind: "stdin" | "prompt" }
    | { readonly kind: "environment"; readonly name: string }
    | { readonly kind: "env-file"; readonly name: string; readonly path: string }
    | { readonly kind: "command"; readonly program: string }
    | { readonly kind: "tfvars" | "code"; readonly path: string }
    | { readonly kind: "doctl"; readonly context: string }
    | { readonly kind: "adopted"; readonly place: string };
  /** It is of a browser login: doctl renews it, and it has another fingerprint then. */
  readonly isLogin: boolean;
  /** What DigitalOcean says of it; "unknown": it could not be asked. */
  readonly state: "alive" | "refused" | "unknown";
  readonly scopes: readonly string[] | null;
  /** Seconds from this call on; null: never, or unknown. */
  readonly expiresInSeconds: number | null;
  readonly team: { readonly uuid: string; readonly name: string } | null;
  readonly email: string | null;
}

export interface RootDocument {
  /** Absolute path. */
  readonly dir: string;
  readonly credentials: "tfvars" | "env" | "own";
  readonly variable: string;
  readonly workspace: string;
  readonly tool: {
    readonly name: "terraform" | "tofu";
    readonly version?: string | undefined;
  } | null;
}

export interface UseDocument {
  readonly tool: "doctl" | "terraform" | "scripts";
  readonly via: "plain" | "exec";
  readonly dir: string | null;
  readonly variable: string | null;
  readonly state: "token" | "none" | "unknown";
  readonly fingerprint: string | null;
  /** As `isLogin` of the token. */
  readonly isLogin: boolean;
  readonly isThisToken: boolean | null;
  readonly from: string;
  readonly where: string | null;
}

export interface PlaceDocument {
  /** shell: `.envrc`. kept: what a run that was killed has left. file: another file that git has or would take. */
  readonly kind: "env-file" | "tfvars" | "shell" | "doctl" | "environment" | "kept" | "file";
  /** The variable of the environment, or doctl's context. */
  readonly name: string | null;
  /** Absolute; null: a variable of the environment. */
  readonly path: string | null;
  /** Permission bits, octal: "0600"; null: none, or not read. */
  readonly mode: string | null;
  /** Who would take the file along; null: not known. */
  readonly takenBy: {
    readonly git: boolean | null;
    readonly docker: boolean | null;
    readonly npm: boolean | null;
  };
  /** Why the file was not read: it may hold the token. null: it holds it. */
  readonly unread: string | null;
}

export interface FindingDocument {
  /** Stable; docs/findings.md lists them. */
  readonly id: string;
  readonly level: "error" | "warning" | "info";
  readonly message: string;
  /** The one command, or the one step, that fixes it. */
  readonly fix?: string | undefined;
  /** A path, with a line where there is one. */
  readonly where?: string | undefined;
  /** The root that is left as it is because of this error. */
  readonly setsAside?: string | undefined;
  /**
   * The environment that it is about, where that is not the document's: with --all, or one that was left as it is. null:
   * what a run without --env uses.
   */
  readonly environment?: string | null | undefined;
}

export type ChangeDocument =
  | {
      readonly kind: "create" | "change";
      readonly path: string;
      /** Permission bits, octal: "0600". */
      readonly mode: string;
      readonly holdsSecret: boolean;
      readonly why: string;
    }
  | { readonly kind: "remove"; readonly path: string; readonly why: string }
  | {
      readonly kind: "doctl-context" | "doctl-removal" | "doctl-selection";
      readonly path: string;
      readonly context: string;
      readonly why: string;
    }
  | { readonly kind: "revoke"; readonly token: string; readonly why: string }
  | { readonly kind: "login"; readonly context: string; readonly why: string };

export interface CommandDocument {
  readonly kind: "run";
  /** As a person would type it. */
  readonly command: string;
  readonly cwd: string;
  readonly why: string;
}

/** What `scopes` found. */
export interface ScopesDocument {
  readonly schemaVersion: 1;
  readonly command: "scopes";
  readonly status: number;
  readonly purpose: "plan" | "apply" | "destroy";
  readonly plan?: string | undefined;
  /** Absolute paths. */
  readonly dirs: readonly string[];
  /** All that the token needs. */
  readonly scopes: readonly string[];
  /** Those that the code asks for. */
  readonly own: readonly NeedDocument[];
  /** Those that others require. */
  readonly required: readonly string[];
  /** What is only known at run time. */
  readonly maybe: readonly (NeedDocument & { readonly why: string })[];
  /** Addresses that need Spaces keys instead of a scope. */
  readonly spaces: readonly string[];
  /** Modules that are not in the repo: what they need is not counted. */
  readonly unseen: readonly string[];
  /** Absent without a token that DigitalOcean has described. */
  readonly token?:
    | {
        readonly fingerprint: string;
        /** Needed and not granted. */
        readonly missing: readonly string[];
        /** Granted and not needed. */
        readonly excess: readonly string[];
      }
    | undefined;
  readonly findings: readonly FindingDocument[];
}

export interface NeedDocument {
  readonly scope: string;
  readonly reasons: readonly {
    /** Such as "module.db.digitalocean_database_cluster.main". */
    readonly address: string;
    readonly operation: string;
    /** The attribute that asks for it; absent: always. */
    readonly when?: string | undefined;
    readonly place: { readonly file: string; readonly line: number };
    /** Scopes that serve as well here, each by itself. */
    readonly instead?: readonly string[] | undefined;
  }[];
}

/** What `explain` made of a text. */
export interface ExplainDocument {
  readonly schemaVersion: 1;
  readonly command: "explain";
  readonly status: number;
  readonly explanations: readonly ExplanationDocument[];
}

export interface ExplanationDocument {
  /** "login", "renewal": of a browser login by doctl. "token-value": no token could have that value. */
  readonly kind:
    | "status"
    | "network"
    | "no-token"
    | "spaces"
    | "login"
    | "renewal"
    | "token-value"
    | "finding";
  /** Of kind "status": the HTTP status. */
  readonly status?: number | undefined;
  /** What failed; of kind "network": "dns", "refused", "timeout", "tls", "proxy" or "closed". */
  readonly why?: string | undefined;
  /** Of kind "login" or "renewal", why "network": what failed there. */
  readonly network?: string | undefined;
  /** Of kind "spaces", why "lock": the lock's ID, where it is known. */
  readonly lock?: string | undefined;
  /** Of kind "finding": what do-bootstrap itself reported. */
  readonly id?: string | undefined;
  /** What the tool said. */
  readonly message: string;
  readonly call?:
    | {
        readonly method?: string | undefined;
        readonly path: string;
        readonly query?: string | undefined;
      }
    | undefined;
  /** Where doctl names no call: what it ran, as far as it is known. */
  readonly command?: string | undefined;
  /** As the API describes the call: "POST /v2/droplets". */
  readonly operation?: string | undefined;
  readonly scopes: readonly {
    readonly scope: string;
    /** Whether this token has it; absent: unknown. */
    readonly granted?: boolean | undefined;
    /** The attribute that asks for it, where the call itself does not. */
    readonly for?: string | undefined;
  }[];
  readonly resources: readonly {
    readonly address: string;
    readonly place?: { readonly file: string; readonly line: number } | undefined;
  }[];
  /** What happened, in a sentence. */
  readonly what: string;
  /** What to do. */
  readonly fix: string;
}

/** What `environment` gives. */
export interface EnvironmentDocument {
  /** By name: the token under its names, TF_VAR_…, keys of Spaces. They are secrets. */
  readonly variables: Readonly<Record<string, string>>;
  /** Why keys of Spaces are kept back; null: they are not. */
  readonly notice: string | null;
}
