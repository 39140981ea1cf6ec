import { Explorer } from "cosmiconfig/dist/Explorer.js";
import { parse as parseYaml, YAMLParseError } from "yaml";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import { isTooMuchYaml } from "../../lib/yaml-size.ts";

/**
 * Loads one config file. For a package.json, returns the key `name`, or null if it is missing.
 *
 * Given one path, cosmiconfig's Explorer reads only that file. Its public API would first look for `.config/config.js`
 * and a `cosmiconfig` key below the working directory, and run what it finds. We never run code from a repo
 * (docs/design.md rule 7).
 */
export async function loadFile(file: string, name: string): Promise<unknown> {
  const explorer = new Explorer({
    moduleName: name,
    packageProp: [name],
    searchPlaces: [],
    searchStrategy: "none",
    ignoreEmptySearchPlaces: false,
    applyPackagePropertyPathToConfiguration: false,
    cache: false,
    mergeImportArrays: false,
    mergeSearchPlaces: false,
    metaConfigFilePath: null,
    transform: (result: unknown) => result,
    loaders: {
      ".json": (path: string, text: string) => readJson(path, text, name),
      ".yaml": readYaml,
      ".yml": readYaml,
      noExt: readYaml,
    },
  });
  try {
    const result = await explorer.load(file);
    return result?.config ?? null;
  } catch (error) {
    if (error instanceof AppError) throw error;
    const reason = error instanceof NotReadable ? error.message : codeOf(error);
    throw new AppError("CONFIG_UNREADABLE", `${file}: ${reason}`, {
      hint: hint`Fix the file. docs/reference.md has an example of every key.`,
      cause: error,
    });
  }
}

async function readJson(file: string, text: string, name: string): Promise<unknown> {
  const value = await parseJson(text);
  if (!file.endsWith("package.json")) return refuseImport(file, value);
  // In a package.json, only our own key is checked.
  refuseImport(file, (value as Readonly<Record<string, unknown>> | null)?.[name]);
  return value;
}

/** The message of JSON.parse quotes the text, which may contain a secret. */
async function parseJson(text: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch {
    const { readJsonText } = await import("../../lib/json-text.ts");
    const { line, column } = readJsonText(text).problem ?? { line: 1, column: 1 };
    throw new NotReadable(`not valid JSON at line ${line}, column ${column}`);
  }
}

function readYaml(file: string, text: string): unknown {
  if (isTooMuchYaml(text)) throw new NotReadable("too large or nested too deep");
  try {
    const options = { maxAliasCount: 100, prettyErrors: false, logLevel: "error" } as const;
    return refuseImport(file, parseYaml(text, options));
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (!(error instanceof YAMLParseError)) {
      // An alias error has no position, and its message quotes the file.
      throw new NotReadable("not valid YAML: undefined alias, or too many aliases", {
        cause: error,
      });
    }
    const before = text.slice(0, error.pos[0]).split("\n");
    const place = `line ${before.length}, column ${(before.at(-1) ?? "").length + 1}`;
    throw new NotReadable(`not valid YAML at ${place} (${error.code})`, { cause: error });
  }
}

/**
 * Why a config cannot be read, in our own words: a library's message may quote the text, and the file may be a link to
 * any other file.
 */
class NotReadable extends Error {}

function codeOf(error: unknown): string {
  const { code = "" } = error as NodeJS.ErrnoException;
  return `it cannot be read (${code || "unknown reason"})`;
}

/** cosmiconfig would follow $import, even out of the repo. */
function refuseImport(file: string, value: unknown): unknown {
  if (typeof value === "object" && value !== null && Object.hasOwn(value, "$import")) {
    throw new AppError("CONFIG_INVALID", `${file}: $import is not supported.`, {
      hint: hint`Put the keys directly into this file.`,
    });
  }
  return value;
}
