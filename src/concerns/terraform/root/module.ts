import {
  type Block,
  type Expression,
  type ParsedFile,
  type SourceLocation,
  variableIn,
} from "../../../hcl/syntax.ts";
import { Secret } from "../../../secret/secret.ts";
import { type BackendBlock, describeBackends, secretsInBlock } from "./backend.ts";

/** What a root module declares of what we would otherwise write. */
export interface RootModule {
  readonly providers: readonly ProviderBlock[];
  /** The one required_providers block that a module may have. */
  readonly requiredProviders: RequiredProviders | undefined;
  /** Every required_version constraint; all of them hold at once. */
  readonly requiredVersions: readonly string[];
  readonly variables: ReadonlyMap<string, Variable>;
  readonly backend: BackendBlock | undefined;
  /** A cloud block, or its older form, a backend of type remote: either uploads the folder. */
  readonly cloud: SourceLocation | undefined;
  /** A block of Terraform's own settings that is none of those we know: it may start a program at init. */
  readonly strange: string | undefined;
  /** Secrets written into a backend or cloud block, by the setting's name. */
  readonly backendSecrets: readonly { readonly name: string; readonly place: SourceLocation }[];
  /** Tokens written into the code. */
  readonly hardCoded: readonly HardCoded[];
  /** Files that the grammar does not read to their end. */
  readonly broken: readonly SourceLocation[];
}

/** A `provider "digitalocean"` block. */
export interface ProviderBlock {
  readonly alias: string | undefined;
  /** The variable that its token is; undefined: no token, or another expression. */
  readonly variable: string | undefined;
  readonly hasToken: boolean;
  /** Its token is a text in the code. */
  readonly isHardCoded: boolean;
  readonly place: SourceLocation;
}

export interface RequiredProviders {
  readonly place: SourceLocation;
  /** `source` of digitalocean; null: an entry without one, as of 0.12; undefined: no entry. */
  readonly source: string | null | undefined;
}

export interface Variable {
  readonly ephemeral: boolean;
  readonly sensitive: boolean;
  readonly hasDefault: boolean;
  /** A default that is a text. */
  readonly defaultText: Secret | undefined;
  readonly place: SourceLocation;
}

export interface HardCoded {
  readonly place: SourceLocation;
  /** In words: `provider "digitalocean"`, `variable "do_token"`. */
  readonly where: string;
  readonly token: Secret;
  /** Its offsets in the file, with its quotes. */
  readonly span: Pick<Expression, "start" | "end">;
}

export const NO_MODULE: RootModule = {
  providers: [],
  requiredProviders: undefined,
  requiredVersions: [],
  variables: new Map(),
  backend: undefined,
  cloud: undefined,
  strange: undefined,
  backendSecrets: [],
  hardCoded: [],
  broken: [],
};

/** The facts of a root module, from all of its files. */
export function describeModule(files: readonly ParsedFile[]): RootModule {
  const blocks = files.flatMap(({ blocks }) => blocks);
  const settings = blocks.filter(({ type }) => type === "terraform");
  const parts = settings.flatMap(({ blocks }) => blocks);
  const inSettings = (type: string) => parts.find((block) => block.type === type);
  const providers = blocks.filter(
    ({ type, labels }) => type === "provider" && labels[0] === "digitalocean",
  );
  const isHcp = ({ type, labels }: Block) =>
    type === "cloud" || (type === "backend" && labels[0] === "remote");
  const cloud = parts.find(isHcp);
  const backends = parts.filter((block) => block.type === "backend" && !isHcp(block));
  return {
    providers: providers.map(providerBlock),
    requiredProviders: requiredProviders(inSettings("required_providers")),
    requiredVersions: settings.flatMap(({ attributes }) => {
      const constraint = attributes.get("required_version")?.literal;
      return typeof constraint === "string" ? constraint : [];
    }),
    variables: new Map(
      blocks
        .filter(({ type }) => type === "variable")
        .map((block) => [block.labels[0] ?? "", variable(block)]),
    ),
    backend: describeBackends(backends),
    cloud: cloud?.place,
    strange: parts.find(({ type }) => !SETTINGS.has(type))?.type,
    backendSecrets: [...backends, cloud].flatMap((block) => (block ? secretsInBlock(block) : [])),
    hardCoded: [...providers.flatMap(tokenInProvider), ...blocks.flatMap(tokenInDefault)],
    broken: files.flatMap(({ problem }) => problem ?? []),
  };
}

/** OpenTofu's `encryption` names programs, and so may what comes after it. */
const SETTINGS: ReadonlySet<string> = new Set([
  "backend",
  "cloud",
  "required_providers",
  "provider_meta",
]);

function providerBlock({ attributes, place }: Block): ProviderBlock {
  const token = attributes.get("token");
  const alias = attributes.get("alias")?.literal;
  return {
    alias: typeof alias === "string" ? alias : undefined,
    variable: token && variableIn(token),
    hasToken: token !== undefined && token.literal !== null,
    isHardCoded: token?.literal instanceof Secret,
    place,
  };
}

function requiredProviders(block: Block | undefined): RequiredProviders | undefined {
  if (block === undefined) return undefined;
  const entry = block.attributes.get("digitalocean");
  const source = entry?.fields?.get("source")?.literal;
  const known = typeof source === "string" ? source : null;
  return { place: block.place, source: entry === undefined ? undefined : known };
}

function variable({ attributes, place }: Block): Variable {
  const is = (name: string) => attributes.get(name)?.literal === true;
  const value = attributes.get("default")?.literal;
  const origin = { kind: "code", path: place.file } as const;
  const text = typeof value === "string" ? Secret.of(value, origin) : value;
  return {
    ephemeral: is("ephemeral"),
    sensitive: is("sensitive"),
    hasDefault: attributes.has("default"),
    defaultText: text instanceof Secret ? text : undefined,
    place,
  };
}

/** Any text as a provider's token is one too many, whatever it looks like. */
function tokenInProvider({ attributes }: Block): HardCoded[] {
  return hardCoded(attributes.get("token"), 'provider "digitalocean"');
}

function tokenInDefault({ type, labels, attributes }: Block): HardCoded[] {
  const [found] = hardCoded(attributes.get("default"), `variable "${labels[0]}"`);
  return type === "variable" && found?.token.isToken ? [found] : [];
}

function hardCoded(expression: Expression | undefined, where: string): HardCoded[] {
  if (!(expression?.literal instanceof Secret)) return [];
  const { literal: token, place } = expression;
  return [{ token, place, where, span: expression }];
}
