import { join } from "node:path";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import type { Files, Host } from "../../host/host.ts";
import { foldersUp } from "../../lib/paths.ts";
import type { WrittenConfig } from "./schema.ts";

const NAME = "do-bootstrap";

/** Checked in this order in each folder (docs/design.md §6). */
const PLACES = [
  "package.json",
  ...["", ".json", ".yaml", ".yml"].map((ending) => `.${NAME}rc${ending}`),
  ...["", ".json", ".yaml", ".yml"].map((ending) => join(".config", `${NAME}rc${ending}`)),
  ...[".json", ".yaml", ".yml"].map((ending) => `${NAME}.config${ending}`),
];

/**
 * Limit for a config file, except package.json. The YAML reader needs seconds for twice this size of repeated anchors.
 */
const MAX_BYTES = 64 * 1024;

export interface LoadedConfig {
  readonly file: string | undefined;
  readonly written: WrittenConfig;
  /** Folder that the paths in the config are relative to. */
  readonly base: string;
  /** Files that were not cached by an earlier run. The value is null for a package.json without our key. */
  readonly read: readonly { readonly file: string; readonly value: WrittenConfig | null }[];
}

/**
 * Finds and checks the config: the nearest one from `cwd` up to `top`.
 *
 * @param top the git root; outside git, `cwd` itself.
 * @throws AppError CONFIG_UNREADABLE, CONFIG_INVALID, CONFIG_HOLDS_TOKEN.
 */
export async function loadConfig(
  { files, records }: ConfigHost,
  cwd: string,
  top: string,
): Promise<LoadedConfig> {
  const read: { file: string; value: WrittenConfig | null }[] = [];
  for (const folder of foldersUp(cwd, top)) {
    for (const place of await existingPlaces(files, folder)) {
      const file = join(folder, place);
      const known = records.recall(file) as WrittenConfig | null | undefined;
      const written = known === undefined ? await readConfig(files, file, place) : known;
      if (known === undefined) read.push({ file, value: written });
      // A package.json without our key is not a config.
      if (written !== null) return { file, base: folder, written, read };
    }
  }
  return { file: undefined, base: cwd, written: {}, read };
}

export type ConfigHost = Pick<Host, "records"> & {
  readonly files: Pick<Files, "list" | "look">;
};

/** Most repos have no config, and most runs have it cached: these modules are loaded only when needed. */
async function readConfig(
  files: Pick<Files, "look">,
  file: string,
  place: string,
): Promise<WrittenConfig | null> {
  await refuseEndless(files, file, place);
  const [{ loadFile }, { validateConfig }] = await Promise.all([
    import("./load-file.ts"),
    import("./validate.ts"),
  ]);
  const loaded = await loadFile(file, NAME);
  return place === "package.json" && loaded === null ? null : validateConfig(loaded, file);
}

/** cosmiconfig would read a device, or a link to one, forever. */
async function refuseEndless(files: Pick<Files, "look">, file: string, place: string) {
  const limit = place === "package.json" ? {} : { maxBytes: MAX_BYTES };
  const snapshot = await files.look(file, limit);
  if (snapshot.kind !== "unusable") return;
  throw new AppError("CONFIG_UNREADABLE", `${file} is ${snapshot.why}.`, {
    hint: hint`Move it away, or fix it. docs/reference.md has an example of every key.`,
  });
}

/** The paths in a folder where a config may be. */
export function placesIn(folder: string): string[] {
  return PLACES.map((place) => join(folder, place));
}

async function existingPlaces(files: Pick<Files, "list">, folder: string): Promise<string[]> {
  const names = new Set(await files.list(folder));
  const inside = names.has(".config") ? await files.list(join(folder, ".config")) : [];
  for (const name of inside) names.add(join(".config", name));
  refuseOtherCase(names, folder);
  return PLACES.filter((place) => names.has(place));
}

/** Some disks would find the file under our name, and others not: colleagues would have different configs. */
function refuseOtherCase(names: ReadonlySet<string>, folder: string): void {
  for (const name of names) {
    const place = name.toLowerCase();
    if (place === name || place === "package.json" || !PLACES.includes(place)) continue;
    const [file, other] = [name, place].map((each) => join(folder, each)) as [string, string];
    throw new AppError("CONFIG_UNREADABLE", `${file} is not read: its name has to be ${place}.`, {
      hint: hint`${{ rename: { path: file }, into: { path: other } }}`,
    });
  }
}
