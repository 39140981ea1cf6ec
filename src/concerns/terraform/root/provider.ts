import type { ProviderBlock } from "./module.ts";
import type { OwnFile } from "./own-file.ts";
import type { TerraformRoot } from "./root.ts";

/**
 * The provider block that gets a root's token: the default one, else the one in our own file, else the first with an
 * alias.
 */
export function providerOf({ module, own }: Pick<TerraformRoot, "module" | "own">): {
  readonly block: ProviderBlock | undefined;
  /** Set if a generated file declares it. */
  readonly generated: OwnFile["provider"];
} {
  const byDefault = module.providers.find(({ alias }) => alias === undefined);
  if (byDefault !== undefined) return { block: byDefault, generated: undefined };
  const generated = [...own.values()].find(({ provider }) => provider !== undefined)?.provider;
  return { block: generated === undefined ? module.providers[0] : undefined, generated };
}
