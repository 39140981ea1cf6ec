import type { Block, Expression, SourceLocation } from "../../../hcl/syntax.ts";

/** What a module's required_providers says of DigitalOcean's provider. */
export interface RequiredProviders {
  readonly place: SourceLocation;
  /** The provider that `digitalocean` is; null: an entry without a source, as of 0.12; undefined: no entry. */
  readonly source: string | null | undefined;
  /** An entry has our provider's address. */
  readonly hasOurs: boolean;
  /** Registries that it is taken from and that are not the public ones. */
  readonly mirrors: readonly string[];
}

/** Our provider: in a public registry, or the mirror of it in a private one. */
const OURS =
  /^(?:[a-z\d\x80-\uffff][a-z\d\x80-\uffff.-]*(?::\d{1,5})?\/)?digitalocean\/digitalocean$/i;
/** What Terraform makes of an entry without a source, and how its releases up to 0.13 wrote that. */
const WITHOUT_NAMESPACE =
  /^(?:(?:registry\.(?:terraform\.io|opentofu\.org)\/)?(?:hashicorp|-)\/)?digitalocean$/i;

export function isOurProvider(source: unknown): source is string {
  return typeof source === "string" && OURS.test(source);
}

/**
 * The names by which a module calls DigitalOcean's provider: they follow from the addresses in its
 * required_providers. Nothing else says which `provider` block is ours.
 *
 * @returns none where `digitalocean` is somebody else's provider, and no other name is ours.
 */
export function localNamesIn(blocks: readonly Block[]): {
  readonly localNames: readonly string[];
  readonly requiredProviders: RequiredProviders | undefined;
} {
  const found = blocks
    .filter(({ type }) => type === "terraform")
    .flatMap((settings) => settings.blocks)
    .filter(({ type }) => type === "required_providers");
  const entries = new Map(found.flatMap(({ attributes }) => [...attributes]));
  const ours = [...entries].flatMap(([name, { fields }]) =>
    isOurProvider(fields?.get("source")?.literal) ? name : [],
  );
  const named = entries.get(NAME);
  const written = named?.fields?.get("source")?.literal;
  const source = typeof written === "string" ? written : named && null;
  const [first] = found;
  const mirrors = [...new Set([...entries.values()].flatMap(mirrorIn))];
  const hasOurs = ours.length > 0;
  const requiredProviders = first && { place: first.place, source, hasOurs, mirrors };
  // The usual name goes first: it is what a block of ours would have.
  ours.sort((a, b) => Number(b === NAME) - Number(a === NAME));
  if (ours.length > 0) return { localNames: ours, requiredProviders };
  return { localNames: isAnother(source) ? [] : [NAME], requiredProviders };
}

/** The host of our provider's address, where that is a private registry's. */
function mirrorIn({ fields }: Expression): string[] {
  const source = fields?.get("source")?.literal;
  const [host = "", , name] = isOurProvider(source) ? source.split("/") : [];
  return name === undefined || PUBLIC.test(host) ? [] : [host];
}

const PUBLIC = /^registry\.(?:terraform\.io|opentofu\.org)$/i;

const NAME = "digitalocean";

/** Whether a source is some other provider's. */
export function isAnother(source: RequiredProviders["source"]): source is string {
  return typeof source === "string" && !isOurProvider(source) && !WITHOUT_NAMESPACE.test(source);
}
