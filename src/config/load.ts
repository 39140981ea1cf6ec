import { dirname, join } from "node:path";
import { Explorer } from "cosmiconfig/dist/Explorer.js";
import { parse as parseYaml } from "yaml";
import { AppError, printable } from "../errors.ts";
import type { Files } from "../host/host.ts";
import type { WrittenConfig } from "./schema.ts";
import { validateConfig } from "./validate.ts";

const NAME = "do-bootstrap";

/** In each folder, in this order (DESIGN §6). */
const PLACES = [
  "package.json",
  ...["", ".json", ".yaml", ".yml"].map((ending) => `.${NAME}rc${ending}`),
  ...["", ".json", ".yaml", ".yml"].map((ending) => join(".config", `${NAME}rc${ending}`)),
  ...[".json", ".yaml", ".yml"].map((ending) => `${NAME}.config${ending}`),
];

export interface LoadedConfig {
  readonly file: string | undefined;
  readonly written: WrittenConfig;
  /** Folder that the paths in the config are relative to. */
  readonly base: string;
}

/**
 * Finds and checks the config: the nearest one from `cwd` up to `top`.
 *
 * @param top the git root; outside git, `cwd` itself.
 * @throws AppError CONFIG_UNREADABLE, CONFIG_INVALID, CONFIG_HOLDS_TOKEN.
 */
export async function loadConfig(
  files: Pick<Files, "list">,
  cwd: string,
  top: string,
): Promise<LoadedConfig> {
  for (const folder of foldersUp(cwd, top)) {
    for (const place of await existingPlaces(files, folder)) {
      const file = join(folder, place);
      const loaded = await load(file);
      // A package.json without our key is nobody's config.
      if (place === "package.json" && loaded === null) continue;
      return { file, base: folder, written: validateConfig(loaded, file) };
    }
  }
  return { file: undefined, base: cwd, written: {} };
}

function foldersUp(cwd: string, top: string): string[] {
  const folders = [cwd];
  for (let here = cwd; here !== top && here !== dirname(here); ) {
    here = dirname(here);
    folders.push(here);
  }
  return folders;
}

async function existingPlaces(files: Pick<Files, "list">, folder: string): Promise<string[]> {
  const names = new Set(await files.list(folder));
  const inside = names.has(".config") ? await files.list(join(folder, ".config")) : [];
  for (const name of inside) names.add(join(".config", name));
  return PLACES.filter((place) => names.has(place));
}

/**
 * Given one path, cosmiconfig's Explorer reads that file and nothing else. Its public entry would
 * first look for `.config/config.js` and a `cosmiconfig` key below the working directory, and run
 * the one it finds: a repo is data (DESIGN rule 7).
 */
async function load(file: string): Promise<unknown> {
  const explorer = new Explorer({
    moduleName: NAME,
    packageProp: [NAME],
    searchPlaces: [],
    searchStrategy: "none",
    ignoreEmptySearchPlaces: false,
    applyPackagePropertyPathToConfiguration: false,
    cache: false,
    mergeImportArrays: false,
    mergeSearchPlaces: false,
    metaConfigFilePath: null,
    transform: (result: unknown) => result,
    loaders: { ".json": readJson, ".yaml": readYaml, ".yml": readYaml, noExt: readYaml },
  });
  try {
    const result = await explorer.load(file);
    return result?.config ?? null;
  } catch (error) {
    if (error instanceof AppError) throw error;
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new AppError("CONFIG_UNREADABLE", `${printable(file)}: ${printable(reason)}`, {
      hint: "Mend the file; its form is in the README under Configuration.",
      cause: error,
    });
  }
}

function readJson(file: string, text: string): unknown {
  const value = parseJson(text);
  if (!file.endsWith("package.json")) return refuseImport(file, value);
  // Only our own key of a package.json is ours to judge.
  refuseImport(file, (value as Readonly<Record<string, unknown>> | null)?.[NAME]);
  return value;
}

/** JSON.parse puts a piece of the text into its message, and the text may hold a secret. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const offset = /position (\d+)/.exec(String(error))?.[1];
    const lines = text.slice(0, Number(offset ?? text.length)).split("\n");
    throw new Error(
      `not valid JSON at line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`,
    );
  }
}

function readYaml(file: string, text: string): unknown {
  return refuseImport(file, parseYaml(text, { maxAliasCount: 100, prettyErrors: true }));
}

/** cosmiconfig would follow $import, out of the repo too. */
function refuseImport(file: string, value: unknown): unknown {
  if (typeof value === "object" && value !== null && Object.hasOwn(value, "$import")) {
    throw new AppError("CONFIG_INVALID", `${printable(file)}: $import is not supported.`, {
      hint: "Write the keys into this file.",
    });
  }
  return value;
}
