import { type Locals, originOf } from "../../../hcl/origin.ts";
import type { Block, Expression, ParsedFile, SourceLocation } from "../../../hcl/syntax.ts";
import { Secret } from "../../../secret/secret.ts";
import { type BackendBlock, describeBackends, secretsInBlock } from "./backend.ts";
import { localNamesIn, type RequiredProviders } from "./local-name.ts";
import { type Use, usesOf } from "./uses.ts";
import { tokenValuesIn, type WrittenToken, writtenToken } from "./written-tokens.ts";

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
  /** Why its token was not followed to one variable, in words, and the variables that have a part in it. */
  readonly unclear: { readonly why: string; readonly variables: readonly string[] } | undefined;
  readonly hasToken: boolean;
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

export const NO_MODULE: RootModule = {
  providers: [],
  localNames: ["digitalocean"],
  requiredProviders: undefined,
  requiredVersions: [],
  variables: new Map(),
  uses: new Map(),
  backend: undefined,
  cloud: undefined,
  strange: undefined,
  backendSecrets: [],
  hardCoded: [],
  broken: [],
};

/**
 * The facts of a root module, from all of its files.
 *
 * @param tokenVariable the one that the config names.
 */
export function describeModule(files: readonly ParsedFile[], tokenVariable?: string): RootModule {
  const blocks = files.flatMap(({ blocks }) => blocks);
  const settings = blocks.filter(({ type }) => type === "terraform");
  const parts = settings.flatMap(({ blocks }) => blocks);
  const { localNames, requiredProviders } = localNamesIn(blocks);
  const locals = localsIn(blocks);
  const values = tokenValuesIn(blocks);
  const providers = blocks
    .filter(({ type, labels: [name = ""] }) => type === "provider" && localNames.includes(name))
    .map((block) => providerBlock(block, locals));
  const isHcp = ({ type, labels }: Block) =>
    type === "cloud" || (type === "backend" && labels[0] === "remote");
  const cloud = parts.find(isHcp);
  const backends = parts.filter((block) => block.type === "backend" && !isHcp(block));
  return {
    providers,
    localNames,
    requiredProviders,
    requiredVersions: settings.flatMap(({ attributes }) => {
      const constraint = attributes.get("required_version")?.literal;
      return typeof constraint === "string" ? constraint : [];
    }),
    variables: new Map(
      blocks
        .filter(({ type }) => type === "variable")
        .map((block) => [block.labels[0] ?? "", variable(block)]),
    ),
    uses: usesOf(
      blocks,
      locals,
      [tokenVariable, ...providers.map(({ variable }) => variable)].flatMap((each) => each ?? []),
      new Set(values.map(({ value }) => value)),
    ),
    backend: describeBackends(backends),
    cloud: cloud?.place,
    strange: parts.find(({ type }) => !SETTINGS.has(type))?.type,
    backendSecrets: [...backends, cloud].flatMap((block) => (block ? secretsInBlock(block) : [])),
    hardCoded: oncePerPlace([...providers.flatMap(({ written }) => written ?? []), ...values]),
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

/** Of overrides, the last. */
function localsIn(blocks: readonly Block[]): Locals {
  return new Map(
    blocks.flatMap(({ type, attributes }) => (type === "locals" ? [...attributes] : [])),
  );
}

function providerBlock({ labels, attributes, place }: Block, locals: Locals): ProviderBlock {
  const [name = ""] = labels;
  const token = attributes.get("token");
  const alias = attributes.get("alias")?.literal;
  const origin = token && originOf(token, locals);
  const isLocal = origin?.kind === "text" && origin.written !== token;
  return {
    name,
    alias: typeof alias === "string" ? alias : undefined,
    variable: origin?.kind === "variable" ? origin.name : undefined,
    unclear: origin?.kind === "unknown" ? origin : undefined,
    hasToken: token !== undefined && token.literal !== null,
    written:
      origin?.kind === "text"
        ? writtenToken(
            origin.written,
            textOf(origin.written),
            isLocal ? "local" : "provider",
            `${isLocal ? "a local that is the token of " : ""}provider "${name}"`,
          )
        : undefined,
    place,
  };
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

function textOf({ literal, place }: Expression): Secret {
  if (literal instanceof Secret) return literal;
  return Secret.of(String(literal), { kind: "code", path: place.file });
}

/** Any text as a provider's token is one too many, whatever it looks like: these come first. */
function oncePerPlace(tokens: readonly WrittenToken[]): readonly WrittenToken[] {
  const first = new Map<string, WrittenToken>();
  for (const { kind, place, where, token, span } of tokens) {
    const key = `${place.file}:${span.start}`;
    if (!first.has(key)) first.set(key, { kind, place, where, token, span });
  }
  return [...first.values()];
}
