import type { Origin } from "../../../hcl/origin.ts";
import type { SourceLocation } from "../../../hcl/syntax.ts";
import type { Secret } from "../../../secret/secret.ts";
import type { BackendBlock } from "./backend.ts";
import type { CloudBlock } from "./cloud-block.ts";
import type { RequiredProviders } from "./local-name.ts";
import type { ProviderHosts } from "./provider-hosts.ts";
import type { WrittenToken } from "./written-tokens.ts";

/** The declarations of a root module that decide what we write. The hosts include those of called modules. */
export interface RootModule extends ProviderHosts {
  /** The blocks of DigitalOcean's provider, under any local name. */
  readonly providers: readonly ProviderBlock[];
  /** The local names of DigitalOcean's provider; empty: another provider uses the usual name. */
  readonly localNames: readonly string[];
  /** A module may have only one required_providers block. */
  readonly requiredProviders: RequiredProviders | undefined;
  /** Every required_version constraint; all of them apply. */
  readonly requiredVersions: readonly string[];
  readonly variables: ReadonlyMap<string, Variable>;
  /** Variables that the code reads but no file declares, with their first use. */
  readonly undeclared: ReadonlyMap<string, SourceLocation>;
  /** Uses of the token's variables where an ephemeral value is not allowed. */
  readonly uses: ReadonlyMap<string, readonly Use[]>;
  readonly backend: BackendBlock | undefined;
  /** The local modules that it calls, as folders relative to the root. With those that they call, once they are read. */
  readonly calls: readonly string[];
  /** A cloud block, or its older form, a backend of type remote. Both upload the folder. */
  readonly cloud: CloudBlock | undefined;
  /** An unknown block in Terraform's settings, which may start a program at init. */
  readonly strange: string | undefined;
  /** Secrets written into a backend or cloud block, by the setting's name. */
  readonly backendSecrets: readonly { readonly name: string; readonly place: SourceLocation }[];
  /** Tokens written into the code. */
  readonly hardCoded: readonly WrittenToken[];
  /** Files that could not be parsed completely. */
  readonly broken: readonly SourceLocation[];
}

/** A block of DigitalOcean's provider. */
export interface ProviderBlock {
  /** Its local name in this module. */
  readonly name: string;
  readonly alias: string | undefined;
  /** The variable that its token comes from; undefined: no token, or no single variable. */
  readonly variable: string | undefined;
  /** The expression may give null instead of the variable, for example if it is empty. */
  readonly orNull: boolean;
  /** Why its token could not be traced to one variable, as text, and the variables in the expression. */
  readonly unclear: { readonly why: string; readonly variables: readonly string[] } | undefined;
  readonly hasToken: boolean;
  /** Its token is an empty string, which is sent. */
  readonly isEmpty: boolean;
  /** Its token is a string in the code: in the block, or in a local that the block refers to. */
  readonly written: WrittenToken | undefined;
  /** Its arguments for Spaces keys: none, one or both. */
  readonly keys: readonly KeyArgument[];
  readonly place: SourceLocation;
}

/** An argument for one key of a Spaces key pair. */
export interface KeyArgument {
  readonly is: "id" | "secret";
  readonly origin: Origin;
  readonly place: SourceLocation;
}

export interface Variable {
  readonly ephemeral: boolean;
  readonly sensitive: boolean;
  readonly hasDefault: boolean;
  /** The default, if it is a string. */
  readonly defaultText: Secret | undefined;
  readonly place: SourceLocation;
}

/** A use that stores a value in a plan or state, where Terraform does not allow an ephemeral one. */
export interface Use {
  /** As text: `digitalocean_droplet.web`, `module.network`, `output "token"`. */
  readonly what: string;
  readonly place: SourceLocation;
  /** An output without `sensitive`: it does not allow a sensitive value either. */
  readonly isShown?: boolean;
  /** Set for a module argument: the module's variable may be ephemeral. */
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
  strangeProviders: [],
  otherApis: [],
  calls: [],
  cloud: undefined,
  strange: undefined,
  backendSecrets: [],
  hardCoded: [],
  broken: [],
};

/** In `uses`: the future variable that would replace written tokens. */
export const OF_WRITTEN = "";
