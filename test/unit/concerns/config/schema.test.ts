import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import published from "../../../../schema.json" with { type: "json" };
import { jsonSchema } from "../../../../src/concerns/config/json-schema.ts";
import { validateConfig } from "../../../../src/concerns/config/validate.ts";
import { EXAMPLE } from "./design-example.ts";

const check = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(published);

/** Every key in a value, as "terraform.backend.key"; the keys inside `variables` are the user's. */
function keysOf(value: unknown, prefix = ""): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    key === "variables" ? [prefix + key] : [prefix + key, ...keysOf(child, `${prefix}${key}.`)],
  );
}

interface Schema {
  properties?: Record<string, Schema>;
  anyOf?: Schema[];
  additionalProperties?: boolean | Schema;
}

function schemaAt(schema: Schema, path: string): Schema[] {
  return path
    .split(".")
    .reduce<Schema[]>(
      (here, key) => here.flatMap(open).flatMap((each) => inside(each, key)),
      [schema],
    );
}
const open = (schema: Schema): Schema[] => schema.anyOf?.flatMap(open) ?? [schema];
function inside({ properties, additionalProperties: more }: Schema, key: string): Schema[] {
  const found = properties?.[key] ?? (typeof more === "object" ? more : undefined);
  return found === undefined ? [] : [found];
}

describe("schema.json", () => {
  it("matches the schema in the source", () => {
    expect(published).toEqual(JSON.parse(JSON.stringify(jsonSchema())));
  });

  it.each(keysOf(parse(EXAMPLE)))("has the key %s", (path) => {
    expect(schemaAt(published as Schema, path)).not.toEqual([]);
  });

  it("accepts the example in docs/design.md §6", () => {
    check(parse(EXAMPLE));
    expect(check.errors).toBeNull();
  });

  it.each(keysOf(parse(EXAMPLE)).filter((path) => path !== "environments.prod"))(
    "refuses the example with %s misspelt",
    (path) => {
      expect(check(misspelt(path))).toBe(false);
    },
  );
});

function misspelt(path: string): unknown {
  const config = parse(EXAMPLE);
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const section = keys.reduce((here, key) => here[key], config);
  section[`${last}x`] = section[last];
  delete section[last];
  return config;
}

describe("schema.json and our own check agree", () => {
  it.each([
    "{}",
    "doctl: false",
    "doctl: true",
    "doctl: { context: Prod }",
    "terraform: false",
    "terraform: []",
    "terraform: [{ dir: a }, { dir: b }]",
    "terraform: { tool: opentofu }",
    "terraform: { variables: { 9a: 1 } }",
    "terraform: { variables: { a: [1, { b: null }] } }",
    "terraform: { backend: { bucket: acme } }",
    "terraform: { backend: { bucket: acme, region: nyc3 } }",
    "terraform: { backend: { bucket: acme, region: nyc3, key: a/.b/c } }",
    "terraform: { backend: { bucket: acme, region: nyc3, key: a/../b } }",
    "terraform: { backend: { bucket: acme, region: nyc } }",
    "terraform: { workspace: a/b }",
    "token: { command: [] }",
    "token: { minTtl: 7 }",
    "token: { minTtl: 7d }",
    "token: { envFile: /etc/x }",
    "token: { envFile: '' }",
    "environments: { Prod: {} }",
    "environments: { prod: { terraform: [{}] } }",
    "project:",
    "[]",
  ])("%s", (yaml) => {
    const loaded = parse(yaml);
    const isTaken = () => validateConfig(loaded, "x");
    if (check(loaded)) expect(isTaken).not.toThrow();
    else expect(isTaken).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});
