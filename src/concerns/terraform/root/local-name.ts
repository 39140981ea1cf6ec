import type { Block, Expression, SourceLocation } from "../../../hcl/syntax.ts";

/** What a module's required_providers says about DigitalOcean's provider. */
export interface RequiredProviders {
  readonly place: SourceLocation;
  /** The source of the entry `digitalocean`; null: no source, as in Terraform 0.12; undefined: no entry. */
  readonly source: string | null | undefined;
  /** An entry has our provider's address. */
  readonly hasOurs: boolean;
  /** The registries of its entries that are not public ones. */
  readonly mirrors: readonly string[];
}

/** Our provider: in a public registry, or in a private mirror. */
const OURS =
  /^(?:[a-z\d\x80-\uffff][a-z\d\x80-\uffff.-]*(?::\d{1,5})?\/)?digitalocean\/digitalocean$/i;
/** How Terraform completes an entry without a source, and how releases up to 0.13 wrote it. */
const WITHOUT_NAMESPACE =
  /^(?:(?:registry\.(?:terraform\.io|opentofu\.org)\/)?(?:hashicorp|-)\/)?digitalocean$/i;

export function isOurProvider(source: unknown): source is string {
  return typeof source === "string" && OURS.test(source);
}

/**
 * A module's local names for DigitalOcean's provider, from the addresses in its required_providers. Nothing else tells
 * which `provider` block is ours.
 *
 * @returns an empty list if `digitalocean` is another provider and no other name is ours.
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
  // The usual name comes first: our block would use it.
  ours.sort((a, b) => Number(b === NAME) - Number(a === NAME));
  if (ours.length > 0) return { localNames: ours, requiredProviders };
  return { localNames: isAnother(source) ? [] : [NAME], requiredProviders };
}

/** The host of our provider's address, if it is a private registry. */
function mirrorIn({ fields }: Expression): string[] {
  const source = fields?.get("source")?.literal;
  const [host = "", , name] = isOurProvider(source) ? source.split("/") : [];
  return name === undefined || PUBLIC.test(host) ? [] : [host];
}

const PUBLIC = /^registry\.(?:terraform\.io|opentofu\.org)$/i;

const NAME = "digitalocean";

/** Whether a source is a different provider. */
export function isAnother(source: RequiredProviders["source"]): source is string {
  return typeof source === "string" && !isOurProvider(source) && !WITHOUT_NAMESPACE.test(source);
}
