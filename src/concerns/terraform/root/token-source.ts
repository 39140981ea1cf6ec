import { join } from "node:path";
import { readTfvars } from "../../../hcl/read.ts";
import type { SourceLocation } from "../../../hcl/syntax.ts";
import { jsonIn, recordOf } from "../../../lib/json.ts";
import { decode } from "../../../secret/content.ts";
import { safe } from "../../../secret/safe.ts";
import { Secret, type TokenOrigin } from "../../../secret/secret.ts";
import { SECRET_TFVARS } from "../../config/protected-paths.ts";
import { providerOf } from "./provider.ts";
import type { TerraformRoot } from "./root.ts";

/** Where a root module's provider gets its token from, according to its current files. */
export type TokenSource =
  /** The provider reads the environment. */
  | { readonly kind: "environment" }
  | { readonly kind: "code"; readonly value: Value; readonly where: string }
  | {
      readonly kind: "variable";
      readonly name: string;
      /** Automatically loaded value files that set it: the last one wins. */
      readonly files: readonly FileValue[];
      /** The default; undefined: none. */
      readonly byDefault: Value | undefined;
      /** path:line of its block; undefined: one of our files declares it. */
      readonly declaredAt?: string | undefined;
      /** If it is empty, the provider gets null. */
      readonly orNull?: boolean;
    }
  | { readonly kind: "unknown"; readonly why: string; readonly where: string | undefined };

/** The value of a variable or an argument. "empty" is sent as it is, so the provider has no token. */
export type Value = Secret | "empty" | "null" | "unknown";

export interface FileValue {
  /** The file's name in the root module. */
  readonly name: string;
  readonly value: Value;
  /** path:line */
  readonly where: string;
}

/** Reads what Terraform would read. A native file is parsed only if it mentions the variable. */
export async function tokenSourceOf(root: TerraformRoot): Promise<TokenSource> {
  const { module, config } = root;
  const at = ({ file, line }: SourceLocation) => `${join(config.dir, file)}:${line}`;
  const unknown = (why: string, place: SourceLocation | undefined): TokenSource => ({
    kind: "unknown",
    why,
    where: place && at(place),
  });
  if (module.broken.length > 0) return unknown("the code could not be parsed", module.broken[0]);
  if (module.cloud !== undefined)
    return unknown("HCP Terraform has its own variables", module.cloud);

  const { block: provider, generated } = providerOf(root);
  if (provider === undefined) {
    return generated?.variable === undefined
      ? { kind: "environment" }
      : variable(generated.variable);
  }
  if (provider.variable !== undefined) return variable(provider.variable, provider.orNull);
  if (!provider.hasToken) return { kind: "environment" };
  if (provider.isEmpty) return { kind: "code", value: "empty", where: at(provider.place) };
  const { written, unclear } = provider;
  if (written === undefined) {
    return unknown(
      `can't tell where its token comes from: ${safe(unclear?.why ?? "it is null")}`,
      provider.place,
    );
  }
  const where = at(written.place);
  return { kind: "code", value: written.token.from({ kind: "code", path: where }), where };

  async function variable(name: string, orNull = false): Promise<TokenSource> {
    const declared = module.variables.get(name);
    const files = [];
    for (const file of inOrder(root.tfvars)) files.push(await valueIn(file, name));
    return {
      kind: "variable",
      name,
      files: files.flat(),
      byDefault: defaultOf(declared),
      declaredAt: declared && at(declared.place),
      orNull,
    };
  }

  function defaultOf(declared: ReturnType<typeof module.variables.get>): Value | undefined {
    // Declared in one of our files, with the default null.
    if (declared === undefined) return "null";
    if (!declared.hasDefault) return undefined;
    const text = declared.defaultText;
    if (text === undefined) return "null";
    return text.equals(Secret.of("", text.origin)) ? "empty" : text;
  }

  async function valueIn(file: string, name: string): Promise<FileValue[]> {
    const snapshot = root.at(file);
    const path = snapshot.path;
    const text = snapshot.kind === "file" ? decode(snapshot.bytes)?.text : undefined;
    if (text === undefined) return [];
    const origin = { kind: "tfvars", path } as const;
    if (file.endsWith(".json")) {
      // Terraform reports a broken file itself.
      const values = recordOf(jsonIn(text));
      if (!Object.hasOwn(values, name)) return [];
      const where = `${path}:${await lineOfKey(text, name)}`;
      return [{ name: file, value: readValue(values[name], origin), where }];
    }
    if (!text.includes(name)) return [];
    const values = await readTfvars(text, file);
    if (values === undefined) return [{ name: file, value: "unknown", where: `${path}:1` }];
    const found = values.get(name);
    if (found === undefined) return [];
    const where = at(found.place);
    return [{ name: file, value: readValue(found.literal, origin), where }];
  }
}

/** Lowest priority first (docs/contracts/terraform.md 2). */
function inOrder(tfvars: readonly string[]): readonly string[] {
  const auto = [...tfvars, SECRET_TFVARS].filter((name) => /\.auto\.tfvars(\.json)?$/.test(name));
  return ["terraform.tfvars", "terraform.tfvars.json", ...auto.sort()];
}

function readValue(literal: unknown, origin: TokenOrigin): Value {
  if (literal instanceof Secret) return literal.from(origin);
  if (literal === null) return "null";
  if (typeof literal !== "string") return "unknown";
  return literal === "" ? "empty" : Secret.of(literal, origin);
}

/** The line of a key in a JSON object. The JSON reader with positions is loaded only if the text is ambiguous. */
async function lineOfKey(text: string, key: string): Promise<number> {
  const [before = "", after, another] = text.split(`"${key}"`);
  const isSure = after !== undefined && another === undefined && !text.includes("\\");
  if (isSure) return before.split("\n").length;
  const { readJsonText } = await import("../../../lib/json-text.ts");
  const { properties = [] } = readJsonText(text).root ?? {};
  // The last of duplicate keys.
  const found = properties.findLast((property) => property.key === key);
  return text.slice(0, found?.start ?? 0).split("\n").length;
}
