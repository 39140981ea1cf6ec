import { join, resolve } from "node:path";
import { textIn } from "../../../core/file-text.ts";
import { readTfvars } from "../../../hcl/read.ts";
import type { Environment, Host } from "../../../host/host.ts";
import { jsonIn, recordOf } from "../../../lib/json.ts";
import { isTerraformFile } from "../../../lib/paths.ts";
import { mayHoldSecret, secretsIn, secretsInValues } from "./backend.ts";

/** A secret that `terraform init` would copy in plain text (docs/contracts/terraform.md 6.3). */
export interface ExposedSecret {
  /** The setting's name. */
  readonly name: string;
  /** path:line, or the variable that holds it. */
  readonly where: string;
}

/** Usual names of files for -backend-config. */
const BACKEND_CONFIG = /\.tfbackend(\.json)?$|^backend\b.*\.(hcl|conf|config|json|tfvars)$/i;

/**
 * Finds secrets for -backend-config: in files with the usual names in a root module, and in what TF_CLI_ARGS and
 * TF_CLI_ARGS_init name.
 *
 * @param names of the files in the root module's folder.
 */
export async function secretsForInit(
  { files, env }: Pick<Host, "files" | "env">,
  dir: string,
  names: readonly string[],
): Promise<readonly ExposedSecret[]> {
  const given = argumentsIn(env);
  const usual = names.filter(isBackendConfig);
  const named = given.filter(({ value }) => !value.includes("="));
  const paths = [
    ...usual.map((name) => join(dir, name)),
    ...named.map(({ value }) => resolve(dir, value)),
  ];
  const inline = given.flatMap(({ variable, value }) => {
    const [name = "", ...rest] = value.split("=");
    return secretsInValues({ [name]: rest.join("=") }).map((each) => ({
      name: each,
      where: variable,
    }));
  });
  return [...(await secretsInFiles({ files }, paths)), ...inline];
}

/** True for a usual name of a file for -backend-config. */
export function isBackendConfig(name: string): boolean {
  return BACKEND_CONFIG.test(name) && !isTerraformFile(name);
}

/** The secrets in files for -backend-config, whatever their names. */
export async function secretsInFiles(
  { files }: Pick<Host, "files">,
  paths: readonly string[],
): Promise<readonly ExposedSecret[]> {
  const inFiles = [...new Set(paths)].map(async (path): Promise<ExposedSecret[]> => {
    const text = textIn(await files.look(path));
    if (!mayHoldSecret(text)) return [];
    if (path.endsWith(".json")) {
      return secretsInValues(recordOf(jsonIn(text))).map((name) => ({ name, where: path }));
    }
    const values = await readTfvars(text, path);
    const found = values === undefined ? [] : secretsIn(values);
    return found.map(({ name, place }) => ({ name, where: `${path}:${place.line}` }));
  });
  return (await Promise.all(inFiles)).flat();
}

/** The -backend-config arguments in these variables: a file, or a setting with its value. */
function argumentsIn(env: Environment): { variable: string; value: string }[] {
  return ["TF_CLI_ARGS", "TF_CLI_ARGS_init"].flatMap((variable) =>
    Array.from(
      (env[variable] ?? "").matchAll(/-backend-config[= ]\s*("[^"]*"|'[^']*'|[^\s"']+)/g),
      ([, word = ""]) => ({ variable, value: word.replace(/^(["'])(.*)\1$/s, "$2") }),
    ),
  );
}
