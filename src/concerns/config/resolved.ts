/** A config with every default filled in, so that no other code asks "was it set?". Paths are absolute. */
export interface ResolvedConfig {
  /** The config file, if any. */
  readonly file: string | undefined;
  /** The folder of the config file; without one, the working directory. */
  readonly base: string;
  readonly project: string;
  /** The environment chosen with --env. */
  readonly environment: string | undefined;
  readonly token: {
    readonly name: string;
    readonly envFile: string;
    /** The doctl context whose login provides the token. `doctl.context` is then the same. */
    readonly doctl: string | undefined;
    /** A program that prints the token, as an argv list. */
    readonly command: readonly string[] | undefined;
    readonly minTtlSeconds: number | undefined;
  };
  /** The doctl context that `login` stores to. */
  readonly loginContext: string;
  /** UUID of the only team whose tokens are accepted. */
  readonly team: string | undefined;
  /** `context` undefined: chosen from doctl's contexts (docs/design.md rule 5). */
  readonly doctl: false | { readonly context: string | undefined };
  readonly roots: readonly TerraformRootConfig[];
  /** The names of all environments of the config. */
  readonly environments: readonly string[];
  /**
   * Folders of other environments that no root may be, whatever path it uses, because this environment or the other one
   * has its own backend.
   */
  readonly othersFolders: readonly string[];
  /** The roots that only other environments have. */
  readonly othersRoots: readonly { readonly environment: string; readonly dir: string }[];
  /** doctl contexts that other environments name and this one does not. */
  readonly othersContexts: readonly string[];
  /** Every env file that the config names, in all environments. */
  readonly envFiles: readonly string[];
}

export interface TerraformRootConfig {
  readonly dir: string;
  /** undefined: terraform if installed, else tofu. */
  readonly tool: "terraform" | "tofu" | undefined;
  /** undefined: depends on what the root declares. */
  readonly credentials: "tfvars" | "env" | undefined;
  /** The token's variable, if the root does not declare one. */
  readonly variable: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The workspace to select; undefined: keep the selected one. */
  readonly workspace: string | undefined;
  /** The other environments that use this folder with the same workspace. */
  readonly sharedWith: readonly string[];
  /** Where to keep the state; undefined: not set in the config. */
  readonly backend: SpacesBackend | undefined;
  /** Run `terraform init` if the root is not initialised. */
  readonly init: boolean;
}

/** Where to store a state on DigitalOcean Spaces. */
export interface SpacesBackend {
  readonly bucket: string;
  /** Such as "nyc3". */
  readonly region: string;
  /** The object's name for workspace `default`. */
  readonly key: string;
  /** Use a lock file next to the state, so that only one run changes it. */
  readonly lock: boolean;
  /** On a terminal, propose to create the bucket. */
  readonly create?: boolean;
}
