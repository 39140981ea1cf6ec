/** A config with every default filled in: the inside never asks "was it set?". Paths are absolute. */
export interface ResolvedConfig {
  /** The config file, where there is one. */
  readonly file: string | undefined;
  /** The folder of the config file, else the working directory. */
  readonly base: string;
  readonly project: string;
  /** The environment chosen with --env. */
  readonly environment: string | undefined;
  readonly token: {
    readonly name: string;
    readonly envFile: string;
    /** The doctl context whose login is the token. It is the context of `doctl`, too. */
    readonly doctl: string | undefined;
    /** A program that prints the token, as an argv list. */
    readonly command: readonly string[] | undefined;
    readonly minTtlSeconds: number | undefined;
  };
  /** The doctl context that a login goes to. */
  readonly loginContext: string;
  /** UUID of the only team whose tokens are accepted. */
  readonly team: string | undefined;
  /** `context` undefined: chosen by what doctl holds (docs/design.md rule 5). */
  readonly doctl: false | { readonly context: string | undefined };
  readonly roots: readonly TerraformRootConfig[];
  /** The names of all environments of the config. */
  readonly environments: readonly string[];
  /**
   * Folders of other environments that no root may be, by whatever path: this environment has a backend of its own, or
   * they have.
   */
  readonly othersFolders: readonly string[];
  /** doctl's contexts that other environments name, and this one does not. */
  readonly othersContexts: readonly string[];
  /** Every env file that the config names, of all environments. */
  readonly envFiles: readonly string[];
}

export interface TerraformRootConfig {
  readonly dir: string;
  /** undefined: terraform, else tofu, whichever is installed. */
  readonly tool: "terraform" | "tofu" | undefined;
  /** undefined: decided by what the root declares. */
  readonly credentials: "tfvars" | "env" | undefined;
  /** The token's variable, where the root has none of its own. */
  readonly variable: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The workspace to select; undefined: whichever is selected. */
  readonly workspace: string | undefined;
  /** The other environments that have this folder in the same workspace. */
  readonly sharedWith: readonly string[];
  /** Its state is to be kept there; undefined: config says nothing of where. */
  readonly backend: SpacesBackend | undefined;
  /** Run `terraform init` where the root is not initialised. */
  readonly init: boolean;
}

/** A place for a state on DigitalOcean Spaces. */
export interface SpacesBackend {
  readonly bucket: string;
  /** Such as "nyc3". */
  readonly region: string;
  /** The object's name, that of workspace `default`. */
  readonly key: string;
  /** Keep two runs apart by a lock file beside the state. */
  readonly lock: boolean;
}
