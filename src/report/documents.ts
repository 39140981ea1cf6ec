// The documents of --json, which the library returns. A caller's compiler reads this file, so it imports nothing
// (esbuild.config.mjs). report.schema.json describes the same for other programs, with more detail.

/** What `bootstrap` did or would do, and what `check` found. */
export interface ReportDocument {
  /** Increases when a field changes its meaning or is removed, not when one is added. */
  readonly schemaVersion: 1;
  readonly command: "init" | "login" | "check" | "rotate" | "logout" | "uninstall" | "ci";
  /** The exit status of the command, as in docs/reference.md. 0 is success. */
  readonly status: number;
  readonly project: string;
  readonly environment: string | null;
  /** Absolute path; null: no config file. */
  readonly configFile: string | null;
  /** null: no usable token. Also null with --all. */
  readonly token: TokenDocument | null;
  /** null: `doctl: false` in the config. Also null with --all. */
  readonly doctl: DoctlDocument | null;
  /** Empty with --all. */
  readonly terraform: readonly RootDocument[];
  /** Which token each tool uses. Empty with --all. */
  readonly uses: readonly UseDocument[];
  /** Where this machine stores the token; only `check` fills this. Empty with --all. */
  readonly places: readonly PlaceDocument[];
  /** With --all: each environment. Their findings are all in `findings`. Otherwise absent. */
  readonly environments?: readonly EnvironmentReportDocument[] | undefined;
  readonly findings: readonly FindingDocument[];
  /** Changes still to make. */
  readonly pending: readonly (ChangeDocument | CommandDocument)[];
  /** Changes that were made. */
  readonly applied: readonly ChangeDocument[];
  /** Commands that were run. */
  readonly commands: readonly (CommandDocument & {
    readonly tookMs: number;
    readonly failure: string | null;
    /** The last lines that a failed command printed. */
    readonly output: readonly string[];
  })[];
  /** Minor problems that do not affect the result. */
  readonly doubts: readonly string[];
  /** The remaining steps, in order. If there are none, a command to try. Empty if unknown. */
  readonly next: readonly string[];
  /** Files to commit, as absolute paths. */
  readonly commit: readonly string[];
  /** The API host that is used instead of api.digitalocean.com. */
  readonly api: string;
}

/** One environment of a run with --all. */
export interface EnvironmentReportDocument {
  /** null: what a run without --env uses, if it has its own token. */
  readonly environment: string | null;
  /** The exit status for this environment alone. */
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
  /** It belongs to a browser login. doctl renews it, which changes the fingerprint. */
  readonly isLogin: boolean;
  /** Its state at DigitalOcean; "unknown": DigitalOcean could not be reached. */
  readonly state: "alive" | "refused" | "unknown";
  readonly scopes: readonly string[] | null;
  /** Seconds from this call; null: never or unknown. */
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
  /** Like `isLogin` of the token. */
  readonly isLogin: boolean;
  readonly isThisToken: boolean | null;
  readonly from: string;
  readonly where: string | null;
}

export interface PlaceDocument {
  /** shell: `.envrc`. kept: left behind by a killed run. file: another file that git tracks or does not ignore. */
  readonly kind: "env-file" | "tfvars" | "shell" | "doctl" | "environment" | "kept" | "file";
  /** The environment variable, or doctl's context. */
  readonly name: string | null;
  /** Absolute; null: an environment variable. */
  readonly path: string | null;
  /** Permission bits, octal: "0600"; null: none (Windows) or not read. */
  readonly mode: string | null;
  /** Whether git, Docker and npm would include the file; null: unknown. */
  readonly takenBy: {
    readonly git: boolean | null;
    readonly docker: boolean | null;
    readonly npm: boolean | null;
  };
  /** Why the file was not read, so it may contain the token. null: it contains the token. */
  readonly unread: string | null;
}

export interface FindingDocument {
  /** Stable; docs/findings.md lists them. */
  readonly id: string;
  readonly level: "error" | "warning" | "info";
  readonly message: string;
  /** The one command or step that fixes it. */
  readonly fix?: string | undefined;
  /** A path, with a line if there is one. */
  readonly where?: string | undefined;
  /** The root that is skipped because of this error. */
  readonly setsAside?: string | undefined;
  /**
   * The environment of this finding, if it is not the document's: with --all, or for one that was left unchanged. null:
   * what a run without --env uses.
   */
  readonly environment?: string | null | undefined;
}

export type ChangeDocument =
  | {
      readonly kind: "create" | "change";
      readonly path: string;
      /** Permission bits, octal: "0600"; null: none (Windows). */
      readonly mode: string | null;
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
  | { readonly kind: "login"; readonly context: string; readonly why: string }
  /** A bucket for the state, made only if it did not exist. */
  | {
      readonly kind: "bucket";
      readonly bucket: string;
      readonly region: string;
      readonly why: string;
    }
  | {
      readonly kind: "spaces-key";
      /** null: not made yet. */
      readonly name: string | null;
      /** It opens only these. */
      readonly buckets: readonly string[];
      readonly why: string;
    }
  | { readonly kind: "spaces-key-removal"; readonly name: string; readonly why: string }
  | {
      readonly kind: "github-environment";
      /** Host, owner and name. */
      readonly repo: string;
      readonly environment: string;
      readonly why: string;
    }
  /** The only branch that may use the environment. */
  | {
      readonly kind: "github-branch";
      readonly repo: string;
      readonly environment: string;
      readonly branch: string;
      readonly why: string;
    }
  | {
      readonly kind: "github-secret" | "github-secret-removal";
      readonly repo: string;
      readonly environment: string;
      /** The names of the secrets. */
      readonly names: readonly string[];
      readonly why: string;
    }
  | {
      readonly kind: "hcp-variable" | "hcp-variable-removal";
      /** HOST/ORGANIZATION. */
      readonly organization: string;
      readonly workspace: string;
      /** The names of the variables. */
      readonly names: readonly string[];
      readonly why: string;
    };

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
  readonly purpose: "plan" | "create" | "apply" | "destroy";
  readonly plan?: string | undefined;
  /** Absolute paths. */
  readonly dirs: readonly string[];
  /** All scopes that the token needs. */
  readonly scopes: readonly string[];
  /** The scopes that the code needs directly. */
  readonly own: readonly NeedDocument[];
  /** The scopes that other scopes require. */
  readonly required: readonly string[];
  /** When each scope is needed first. Only for "apply", without a plan. */
  readonly phases?:
    | {
        /** The first apply needs these, and nothing else. */
        readonly create: readonly string[];
        /** Later changes also need these. */
        readonly change: readonly string[];
        /** To delete something, also these: to destroy or replace it, or after it is removed from the code. */
        readonly destroy: readonly string[];
      }
    | undefined;
  /** Scopes whose need is only known at run time. */
  readonly maybe: readonly (NeedDocument & { readonly why: string })[];
  /** Addresses that need Spaces keys instead of a scope. */
  readonly spaces: readonly string[];
  /** Modules that are not in the repo. Their scopes are not counted. */
  readonly unseen: readonly string[];
  /** Absent if there is no token, or DigitalOcean did not describe it. */
  readonly token?:
    | {
        readonly fingerprint: string;
        /** Needed but not granted. */
        readonly missing: readonly string[];
        /** Granted but not needed. */
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
    /** The attribute that needs it; absent: always needed. */
    readonly when?: string | undefined;
    readonly place: { readonly file: string; readonly line: number };
    /** Alternative scopes. Each of them alone is enough here. */
    readonly instead?: readonly string[] | undefined;
  }[];
}

/** The explanations of a text. */
export interface ExplainDocument {
  readonly schemaVersion: 1;
  readonly command: "explain";
  readonly status: number;
  readonly explanations: readonly ExplanationDocument[];
}

export interface ExplanationDocument {
  /** "login", "renewal": of a browser login with doctl. "token-value": no token can have this value. */
  readonly kind:
    | "status"
    | "network"
    | "no-token"
    | "spaces"
    | "login"
    | "renewal"
    | "token-value"
    | "finding";
  /** For kind "status": the HTTP status. */
  readonly status?: number | undefined;
  /** What failed. For kind "network": "dns", "refused", "timeout", "tls", "proxy" or "closed". */
  readonly why?: string | undefined;
  /** For kind "login" or "renewal" with why "network": what failed there. */
  readonly network?: string | undefined;
  /** For kind "spaces" with why "lock": the lock's ID, if known. */
  readonly lock?: string | undefined;
  /** For kind "finding": the id that do-bootstrap reported. */
  readonly id?: string | undefined;
  /** The message of the tool. */
  readonly message: string;
  readonly call?:
    | {
        readonly method?: string | undefined;
        readonly path: string;
        readonly query?: string | undefined;
      }
    | undefined;
  /** If doctl's message names no call: the command that was run, if known. */
  readonly command?: string | undefined;
  /** The operation as in the API reference: "POST /v2/droplets". */
  readonly operation?: string | undefined;
  readonly scopes: readonly {
    readonly scope: string;
    /** Whether this token has it; absent: unknown. */
    readonly granted?: boolean | undefined;
    /** The attribute that needs it, if the call itself does not. */
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

/** The variables from `environment`. */
export interface EnvironmentDocument {
  /** By name: the token under its names, TF_VAR_…, Spaces keys. They are secrets. */
  readonly variables: Readonly<Record<string, string>>;
  /** A warning, such as why Spaces keys are not passed on; null: none. */
  readonly notice: string | null;
}
