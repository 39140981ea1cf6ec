import type { SourceLocation } from "../../../hcl/syntax.ts";
import type { Secret } from "../../../secret/secret.ts";
import type { BackendBlock } from "./backend.ts";
import type { RequiredProviders } from "./local-name.ts";
import type { WrittenToken } from "./written-tokens.ts";

/** What a root module declares of what we would otherwise write. */
export interface RootModule {
  /** The blocks of DigitalOcean's provider, by whichever name. */
  readonly providers: readonly ProviderBlock[];
  /** The names that this provider has here; none: another provider has the usual one. */
  readonly localNames: readonly string[];
  /** The one required_providers block that a module may have. */
  readonly requiredProviders: RequiredProviders | undefined;
  /** Every required_version constraint; all of them hold at once. */
  readonly requiredVersions: readonly string[];
  readonly variables: ReadonlyMap<string, Variable>;
  /** Those that the code reads and no file declares, by where they are read first. */
  readonly undeclared: ReadonlyMap<string, SourceLocation>;
  /** Where the token's variables go that must not be ephemeral there. */
  readonly uses: ReadonlyMap<string, readonly Use[]>;
  readonly backend: BackendBlock | undefined;
  /** A cloud block, or its older form, a backend of type remote: either uploads the folder. */
  readonly cloud: SourceLocation | undefined;
  /** A block of Terraform's own settings that is none of those we know: it may start a program at init. */
  readonly strange: string | undefined;
  /** Secrets written into a backend or cloud block, by the setting's name. */
  readonly backendSecrets: readonly { readonly name: string; readonly place: SourceLocation }[];
  /** Tokens written into the code. */
  readonly hardCoded: readonly WrittenToken[];
  /** Files that the grammar does not read to their end. */
  readonly broken: readonly SourceLocation[];
}

/** A block of DigitalOcean's provider. */
export interface ProviderBlock {
  /** Its local name in this module. */
  readonly name: string;
  readonly alias: string | undefined;
  /** The one variable that its token leads to; undefined: no token, or it was not followed to one. */
  readonly variable: string | undefined;
  /** A choice gives null in the variable's place, such as where that is empty. */
  readonly orNull: boolean;
  /** Why its token was not followed to one variable, in words, and the variables that have a part in it. */
  readonly unclear: { readonly why: string; readonly variables: readonly string[] } | undefined;
  readonly hasToken: boolean;
  /** Its token is an empty text, which is sent. */
  readonly isEmpty: boolean;
  /** Its token is a text in the code: in the block, or in a local that it leads to. */
  readonly written: WrittenToken | undefined;
  readonly place: SourceLocation;
}

export interface Variable {
  readonly ephemeral: boolean;
  readonly sensitive: boolean;
  readonly hasDefault: boolean;
  /** A default that is a text. */
  readonly defaultText: Secret | undefined;
  readonly place: SourceLocation;
}

/** A place that takes a value into a plan or a state, where Terraform allows no ephemeral one. */
export interface Use {
  /** In words: `digitalocean_droplet.web`, `module.network`, `output "token"`. */
  readonly what: string;
  readonly place: SourceLocation;
  /** An output that is not sensitive: it takes no sensitive value either. */
  readonly isShown?: boolean;
  /** Where it is an argument of a module, whose own variable may be ephemeral. */
  readonly module?: { readonly source: string; readonly argument: string };
}

export const NO_MODULE: RootModule = {
  providers: [],
  localNames: ["digitalocean"],
  requiredProviders: undefined,
  requiredVersions: [],
  variables: new Map(),
  undeclared: new Map(),
  uses: new Map(),
  backend: undefined,
  cloud: undefined,
  strange: undefined,
  backendSecrets: [],
  hardCoded: [],
  broken: [],
};

/** In `uses`: the variable that is not there yet, and would take the place of what is written. */
export const OF_WRITTEN = "";
