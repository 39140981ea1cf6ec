import { isOverrideFile } from "../../../hcl/code-files.ts";
import { type Locals, originOf } from "../../../hcl/origin.ts";
import type { Block, Expression, ParsedFile } from "../../../hcl/syntax.ts";
import { Secret } from "../../../secret/secret.ts";
import { describeBackends, secretsInBlock } from "./backend.ts";
import { describeCloud } from "./cloud-block.ts";
import { localNamesIn } from "./local-name.ts";
import type { KeyArgument, ProviderBlock, RootModule, Variable } from "./module.ts";
import { localCallsIn, providerHostsIn } from "./provider-hosts.ts";
import { undeclaredIn } from "./undeclared.ts";
import { usesInWay, usesOf } from "./uses.ts";
import {
  tokensElsewhere,
  tokenValuesIn,
  type WrittenToken,
  writtenToken,
} from "./written-tokens.ts";

/**
 * The facts of a root module, from its files and their texts, in the same order.
 *
 * @param ephemeralIn returns the variables that a local module declares as ephemeral, by its source.
 */
export async function describeRoot(
  files: readonly ParsedFile[],
  {
    texts,
    tokenVariable,
    ephemeralIn,
  }: {
    readonly texts: readonly (readonly [name: string, text: string])[];
    readonly tokenVariable: string;
    readonly ephemeralIn: (source: string) => Promise<ReadonlySet<string>>;
  },
): Promise<RootModule> {
  const module = describeModule(files, tokenVariable);
  const { hardCoded } = module;
  const more = texts.flatMap(([name, text], i) => {
    const file = files[i];
    return file === undefined ? [] : tokensElsewhere(text, name, file, hardCoded);
  });
  const uses = await usesInWay(module.uses, ephemeralIn);
  return { ...module, uses, hardCoded: [...hardCoded, ...more] };
}

/**
 * The facts of a root module from its files alone.
 *
 * @param tokenVariable the token's variable in the config.
 */
export function describeModule(files: readonly ParsedFile[], tokenVariable?: string): RootModule {
  const all = files.flatMap(({ blocks }) => blocks);
  const blocks = [false, true].flatMap((is) =>
    all.filter((block) => isOverrideFile(block.place.file) === is),
  );
  const settings = blocks.filter(({ type }) => type === "terraform");
  const parts = settings.flatMap(({ blocks }) => blocks);
  const { localNames, requiredProviders } = localNamesIn(blocks);
  const locals = localsIn(blocks);
  const values = tokenValuesIn(blocks);
  const ofProvider = blocks.filter(
    ({ type, labels: [name = ""] }) => type === "provider" && localNames.includes(name),
  );
  const providers = ofProvider.map((block) => providerBlock(block, locals));
  const isHcp = ({ type, labels }: Block) =>
    type === "cloud" || (type === "backend" && labels[0] === "remote");
  const clouds = parts.filter(isHcp);
  const backends = parts.filter((block) => block.type === "backend" && !isHcp(block));
  const variables = new Map(
    blocks
      .filter(({ type }) => type === "variable")
      .map((block) => [block.labels[0] ?? "", variable(block)]),
  );
  return {
    providers,
    localNames,
    requiredProviders,
    requiredVersions: settings.flatMap(({ attributes }) => {
      const constraint = attributes.get("required_version")?.literal;
      return typeof constraint === "string" ? constraint : [];
    }),
    variables,
    undeclared: undeclaredIn(blocks, variables),
    uses: usesOf(
      blocks,
      locals,
      [tokenVariable, ...providers.map(({ variable }) => variable)].flatMap((each) => each ?? []),
      new Set(values.map(({ value }) => value)),
    ),
    backend: describeBackends(backends),
    ...providerHostsIn(blocks),
    calls: localCallsIn(blocks),
    cloud: describeCloud(clouds),
    strange: parts.find(({ type }) => !SETTINGS.has(type))?.type,
    backendSecrets: [...backends, ...clouds].flatMap(secretsInBlock),
    hardCoded: oncePerPlace([...providers.flatMap(({ written }) => written ?? []), ...values]),
    broken: files.flatMap(({ problem }) => problem ?? []),
  };
}

/** OpenTofu's `encryption` can start programs, and so may future blocks. */
const SETTINGS: ReadonlySet<string> = new Set([
  "backend",
  "cloud",
  "required_providers",
  "provider_meta",
]);

/** The last definition wins: override files come last. */
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
    orNull: origin?.kind === "variable" && origin.orNull,
    unclear: origin?.kind === "unknown" ? origin : undefined,
    hasToken: token !== undefined && token.literal !== null,
    isEmpty: origin?.kind === "nothing" && origin.isEmpty,
    written:
      origin?.kind === "text"
        ? writtenToken(
            origin.written,
            textOf(origin.written),
            isLocal ? "local" : "provider",
            `${isLocal ? "a local that holds the token of " : ""}provider "${name}"`,
          )
        : undefined,
    keys: [
      ...keyArgument("id", attributes.get("spaces_access_id"), locals),
      ...keyArgument("secret", attributes.get("spaces_secret_key"), locals),
    ],
    place,
  };
}

function keyArgument(
  is: KeyArgument["is"],
  value: Expression | undefined,
  locals: Locals,
): KeyArgument[] {
  return value === undefined ? [] : [{ is, origin: originOf(value, locals), place: value.place }];
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

/** Keeps one token per place. Any text as a provider's token counts, whatever it looks like, so those come first. */
function oncePerPlace(tokens: readonly WrittenToken[]): readonly WrittenToken[] {
  const first = new Map<string, WrittenToken>();
  for (const { kind, place, where, token, span } of tokens) {
    const key = `${place.file}:${span.start}`;
    if (!first.has(key)) first.set(key, { kind, place, where, token, span });
  }
  return [...first.values()];
}
