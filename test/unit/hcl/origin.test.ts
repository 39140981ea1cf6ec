import { describe, expect, it } from "vitest";
import { readHcl } from "../../../src/hcl/hcl.ts";
import { mentionsOf, originOf } from "../../../src/hcl/origin.ts";
import type { Expression, ParsedFile } from "../../../src/hcl/syntax.ts";
import { readTfJson } from "../../../src/hcl/tf-json.ts";

const LOCALS = `locals {
  a       = var.x
  b       = (local.a)
  ring    = local.ring2
  ring2   = try(local.ring, null)
  map     = { t = trimspace(var.x), "q" = "hm", deep = { t = var.y } }
  nothing = null
  text    = "text"
  decoded = jsondecode(var.z).token
  pair    = "\${var.x}\${var.y}"
}
`;

function localsIn({ blocks }: ParsedFile): ReadonlyMap<string, Expression> {
  return new Map(
    blocks.flatMap(({ type, attributes }) => (type === "locals" ? [...attributes] : [])),
  );
}

/** "var.x", "text", "nothing", or why it is unknown, with the variables involved. */
function told(file: ParsedFile): string {
  const token = file.blocks.find(({ type }) => type === "provider")?.attributes.get("token");
  if (file.problem !== undefined || token === undefined) return "broken";
  const origin = originOf(token, localsIn(file));
  if (origin.kind === "variable") return `var.${origin.name}${origin.orNull ? " or null" : ""}`;
  if (origin.kind === "nothing") return origin.isEmpty ? "empty" : "nothing";
  return origin.kind === "unknown" ? `${origin.why} [${origin.variables}]` : origin.kind;
}

describe("the origin of an expression's value", () => {
  it.each([
    ["var.x", "var.x"],
    ["var.do-token", "var.do-token"],
    ["(var.x)", "var.x"],
    ["((\n  var.x # mine\n))", "var.x"],
    ['"${var.x}"', "var.x"],
    ['"${ var.x ~}"', "var.x"],
    ['"${"${var.x}"}"', "var.x"],
    ["trimspace(var.x)", "var.x"],
    ["core::trimspace(/* mine */ var.x)", "var.x"],
    ['"${trimspace(var.x)}"', "var.x"],
    ["nonsensitive(sensitive(var.x))", "var.x"],
    ['trimsuffix(var.x, "\\n")', "var.x"],
    ['coalesce(var.x, "")', "var.x"],
    ["coalesce(var.x, var.x)", "var.x"],
    ["try(var.x, null)", "var.x"],
    ['var.x == "" ? null : var.x', "var.x or null"],
    ['var.env == "prod" ? var.x : null', "var.x or null"],
    ["var.a ? var.b ? var.x : null : var.x", "var.x or null"],
    ["coalesce(var.a ? var.x : null, var.x)", "var.x"],
    ['var.a ? var.x : ""', "var.x"],
    ["local.a", "var.x"],
    ["local.b", "var.x"],
    ["local.map.t", "var.x"],
    ['local.map["t"]', "var.x"],
    ["local.map.deep.t", "var.y"],
    ["coalesce(local.a, local.b)", "var.x"],
    ["null", "nothing"],
    ['""', "empty"],
    ['("")', "empty"],
    ['var.x ? null : ""', "nothing"],
    ['var["x; true"]', "it could not be parsed []"],
    ["local.nothing", "nothing"],
    ['"x"', "text"],
    ["local.text", "text"],
    ["local.map.q", "text"],
    ["coalesce(var.a, var.b)", "it uses several variables (var.a and var.b) [a,b]"],
    ["var.p ? var.a : var.b", "it uses several variables (var.a and var.b) [a,b]"],
    [
      "coalesce(var.a, local.map.deep.t, var.c)",
      "it uses several variables (var.a, var.y and var.c) [a,y,c]",
    ],
    ['coalesce(var.x, "y")', "it uses a string value in the code [x]"],
    ["coalesce(var.x, local.text)", "it uses both var.x and a string value in the code [x]"],
    ["local.ring", "local.ring refers to itself []"],
    ["local.none", "local.none has no plain value in a locals block []"],
    ["local.map.none", "local.map.none has no plain value in a locals block []"],
    ["local.map", "it is not a string []"],
    ["local.decoded", "it is computed from other values [z]"],
    ["local.pair", "it is built from several parts [x,y]"],
    ["var.x.y", "it is an attribute of var.x [x]"],
    ['var.x["y"]', "it is an attribute of var.x [x]"],
    ["var.x[0]", "it is computed from other values [x]"],
    ["data.vault_kv.do.data", "it comes from data.vault_kv.do []"],
    ["module.secrets.token", "it comes from module.secrets.token []"],
    ['file("token")', "it uses file(), which do-bootstrap does not evaluate []"],
    ["upper(var.x)", "it uses upper(), which do-bootstrap does not evaluate [x]"],
    [
      "provider::x::trimspace(var.x)",
      "it uses provider::x::trimspace(), which do-bootstrap does not evaluate [x]",
    ],
    ['"a${var.x}"', "it is built from several parts [x]"],
    ["coalesce([var.a, var.x]...)", "it is computed from other values [a,x]"],
    ["[var.x][0]", "it is computed from other values [x]"],
    ["<<EOT\n${var.x}\nEOT\n", "it is built from several parts [x]"],
  ])("%s: %s", (source, expected) => {
    const text = `provider "digitalocean" {\n  token = ${source}\n}\n${LOCALS}`;
    expect(told(readHcl(text, "a.tf"))).toBe(expected);
  });

  it.each([
    ["${var.x}", "var.x"],
    ['${coalesce("", local.o.t)}', "var.x"],
    ["${trimspace(var.x)}", "var.x"],
    ["var.x", "text"],
    ["${var.a}${var.b}", "it is built from several parts [a,b]"],
  ])("in JSON %s: %s", (token, expected) => {
    const code = { provider: { digitalocean: { token } }, locals: { o: { t: "${var.x}" } } };
    expect(told(readTfJson(JSON.stringify(code), "a.tf.json"))).toBe(expected);
  });

  it("a doubling chain and deep nesting stop at a limit", () => {
    const chain = Array.from(
      { length: 300 },
      (_, i) => `a${i} = coalesce(local.a${i + 1}, local.a${i + 1})`,
    );
    const text = `provider "x" {\n  token = local.a0\n}\nlocals {\n${chain.join("\n")}\n}\n`;
    expect(told(readHcl(text, "a.tf"))).toBe("it is nested too deep []");
    const deep = `${"(".repeat(60)}var.x${")".repeat(60)}`;
    const nested = `provider "x" {\n  token = ${deep}\n}\n`;
    expect(told(readHcl(nested, "a.tf"))).toBe("it is nested too deep []");
  });
});

describe("the variables and locals that an expression mentions", () => {
  it.each([
    ["var.a", "var.a"],
    ["[var.a, local.b]", "var.a, local.b"],
    ['"x ${var.a} $${var.b} var.c"', "var.a"],
    ["<<-EOT\n  ${var.a} var.b\n  EOT\n", "var.a"],
    ["<<EOT\n%{ if var.a }\n EOT2 ${local.b}%{ endif }\nEOT\n", "var.a, local.b"],
    ["{ a = var.a, (var.b) = { c = local.c } }", "var.a, var.b, local.c"],
    ['[for k, v in var.a : "${k}${local.b}"]', "var.a, local.b"],
    ["1 # var.a", ""],
    ["x.var.a", ""],
    ["ephemeralasnull(var.a)", ""],
    ["[ephemeralasnull(f(var.a)), var.b]", "var.b"],
    [`[var.a, "dop_v1_${"0a".repeat(32)}"]`, "var.a"],
  ])("%s: %s", (source, expected) => {
    const file = readHcl(`x {\n  a = ${source}\n}\n`, "a.tf");
    const value = file.blocks[0]?.attributes.get("a");
    const found = value === undefined ? [] : mentionsOf(value);
    expect(found.map(({ kind, name }) => `${kind}.${name}`).join(", ")).toBe(expected);
  });

  it("in JSON: those in template strings", () => {
    const code = { output: { x: { value: { a: ["${var.a}", "var.b"], b: '-${f(local.c)}"' } } } };
    const [block] = readTfJson(JSON.stringify(code), "a.tf.json").blocks;
    const value = block?.attributes.get("value");
    expect(value === undefined ? [] : mentionsOf(value)).toEqual([
      { kind: "var", name: "a" },
      { kind: "local", name: "c" },
    ]);
  });
});
