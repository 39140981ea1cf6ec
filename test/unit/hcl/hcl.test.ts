import { describe, expect, it } from "vitest";
import { readHcl } from "../../../src/hcl/hcl.ts";
import { type Block, type Expression, variableIn } from "../../../src/hcl/syntax.ts";
import { readTfJson } from "../../../src/hcl/tf-json.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { cpuTimer } from "../../fixtures/cpu.ts";
import { PERSONAL } from "../samples.ts";

const hcl = (text: string) => readHcl(text, "a.tf");
const json = (text: string) => readTfJson(text, "a.tf.json");

/** A block as one line: type, labels, attribute names, nested blocks. */
function line({ type, labels, attributes, blocks }: Block): string {
  const inside = [...attributes.keys(), ...blocks.map(line)].join(" ");
  return `${[type, ...labels].join(".")}${inside && `(${inside})`}`;
}

function lines(text: string, read = hcl): string {
  const { blocks, problem } = read(text);
  expect(problem).toBeUndefined();
  return blocks.map(line).join(" ");
}

function valueIn(source: string): Expression | undefined {
  const { blocks, problem } = hcl(`x {\n  a = ${source}\n}\n`);
  expect(problem).toBeUndefined();
  return blocks[0]?.attributes.get("a");
}

describe("blocks", () => {
  it.each([
    ["", ""],
    ["\n\n", ""],
    ["\ufeff", ""],
    ["# a\n// b\n/* c {\n*/", ""],
    ["a = 1\n", ""],
    ["a {}", "a"],
    ["a {\n}\n", "a"],
    ['provider "x" {}', "provider.x"],
    ["provider x {}", "provider.x"],
    ['resource "a" "b" {}', "resource.a.b"],
    ["resource a b {}", "resource.a.b"],
    ['resource "a-b" c_d {}', "resource.a-b.c_d"],
    ['a "" {}', "a."],
    ['variable "x" { default = 1 }', "variable.x(default)"],
    ["a {\n  b = 1\n  c = 2\n}", "a(b c)"],
    ["a {\n  b {\n    c {}\n    d = 1\n  }\n  e = 1\n}", "a(e b(d c))"],
    ["a {}\nb {}", "a b"],
    ["a {\r\n  b = 1\r\n}\r\nc {}\r\n", "a(b) c"],
    ['\ufeffa "b" {}', "a.b"],
    ["é {}", "é"],
    ["a {\n  b = <<EOT\nc {\n}\nEOT\n}\nd {}", "a(b) d"],
    ["a {\n  b = <<-EOT\n    ${var.c} %{ if true }}%{ endif }\n  EOT\n  d = 1\n}", "a(b d)"],
    ["a {\n  b = <<X\nX\n}", "a(b)"],
    ['a {\n  b = "}${"}"}" # {\n}', "a(b)"],
    [
      'a {\n  dynamic "b" {\n    for_each = c\n    content {}\n  }\n}',
      "a(dynamic.b(for_each content))",
    ],
    ["a {\n  b = provider::c::d(1)\n}", "a(b)"],
    ["a {\n  b = { for k, v in c : k => v... if v != null }\n}", "a(b)"],
    ["a {\n  b = [for x in c : x.0]\n  d = e.*.f\n  g = h[*].i[0]\n}", "a(b d g)"],
    ["a {\n  b = (\n    c\n    ? 1 : -2\n  )\n}", "a(b)"],
    ["a {\n  b = merge(c...)\n  d = !e && f || g % 2 == 0\n}", "a(b d)"],
    ["a {\n  b = object({ c = optional(list(map(string)), []) })\n}", "a(b)"],
  ])("%j is %s", (text, expected) => {
    expect(lines(text)).toBe(expected);
  });
});

describe("of a broken file, the intact blocks and arguments are read", () => {
  it.each([
    // The line that Terraform reports.
    ["a {", 1, "a"],
    ["a {}\nb = \n", 2, "a"],
    ["a {}\n\n}\nb {}", 3, "a b"],
    ['a {}\nb "c {\n}\nd {}', 2, "a d"],
    ["<<<<<<< HEAD\na {}\n=======\nb {}\n>>>>>>> x\nc {}", 1, "a b c"],
    ["a {\n  b = <<EOT\n  c\n", 4, "a(b)"],
    ["\u0001\u0002", 1, ""],
    ["a {}\n\nx = = 1\n\nb {}\n", 3, "a b"],
    ["a {\n  b = 1 2\n  c = 3\n}", 2, "a(b c)"],
    ["a {\n  b = f(1\n  c = 2\n}\nd {}", 3, "a(b) d"],
    ["a {\n  b = [1\n  c = 2\n}\nd {\n  e = 1\n}", 3, "a(b) d(e)"],
    ["a {\n  b = {\n  c = 2\n}\nd {}\ne {}", 1, "a(b) d e"],
    ['a {\n  b = "c\n  d = 1\n}\ne {}', 2, "a(b d) e"],
    ['a {\n  b = "${c\n  d = 1\n}\ne {}', 3, "a(b) e"],
    ["a {\n  b = <<X\n  c\n}\nd {}\ne {\n}", 7, "a(b) d e"],
    ["a {\n  b {\n    c = 1\n}\nd {}\ne {\n  f = 1\n}", 1, "a(b(c)) d e(f)"],
    ["a {\n  b = 1\n\nc {\n}\nd {\n}", 1, "a(b) c d"],
    ["a { b = 1, c = 2 }\nd {}", 1, "a(b) d"],
    ["a { b {} }\nc {}", 1, "a(b) c"],
    ["a { b = 1 } c {}\nd {}", 1, "a(b) d"],
    ["a {\n  b = 1\n  b = 2\n}", 3, "a(b)"],
    ['a "${b}" {}\nc {}', 1, "c"],
    ["a\n{\n}\nb {}", 1, "b"],
    ["a = 1;\nb {}", 1, "b"],
    ["a = 'b'\nc {}", 1, "c"],
    ['a = "\\d"\nb {}', 1, "b"],
    ["a = /* b\nc {}", 1, "c"],
    ["a = b.0.1\nc {}", 1, "c"],
    ["a = b.*.c.*.d\nc {}", 1, "c"],
    ["a = 1.2.3\nc {}", 1, "c"],
    ["a = b ? c\nd {}", 1, "d"],
    ["a = {\n  b =\n  1\n}\nc {}", 2, "c"],
    ["a = [for b in c : d => e]\nf {}", 1, "f"],
    ["a = { for b in c : d }\nf {}", 1, "f"],
    ['a = "%{ if b }c"\nd {}', 1, "d"],
    ['a = "%{ else }"\nd {}', 1, "d"],
    ["a = b::c\nd {}", 1, "d"],
    ["a = b(c..., d)\ne {}", 1, "e"],
  ])("%j: line %i, %s", (text, at, expected) => {
    const { blocks, problem } = hcl(text);
    expect(problem).toEqual({ file: "a.tf", line: at });
    expect(blocks.map(line).join(" ")).toBe(expected);
  });

  it("the value of a broken argument ends with its line, and a token in it is hidden", () => {
    const { blocks } = hcl(`a {\n  token = "\${b}${PERSONAL} # c\n  d = f(1 2) # e\n}\n`);
    const values = [...(blocks[0]?.attributes ?? [])];
    expect(values.map(([name, { source }]) => [name, source])).toEqual([
      ["token", ""],
      ["d", "f(1 2) # e"],
    ]);
  });
});

describe("values", () => {
  it.each<[string, Expression["literal"]]>([
    ['"a"', "a"],
    ['""', ""],
    ["1", 1],
    ["1.5e-3", 0.0015],
    ["true", true],
    ["false", false],
    ["null", null],
    ['"a\\"b"', 'a"b'],
    ['"a\\\\n"', "a\\n"],
    ['"a\\n\\r\\tb"', "a\n\r\tb"],
    ['"\\u00e9\\U0001F600"', "é😀"],
    ['"$${a} %%{b} $5 100%"', "${a} %{b} $5 100%"],
    ['"${a}"', undefined],
    ['"a${b}"', undefined],
    ['"%{ if a }b%{ endif }"', undefined],
    ["<<EOT\na\nEOT\n", undefined],
    ["var.a", undefined],
    ["-1", undefined],
    ["f(1)", undefined],
    ["[1]", undefined],
    ["{ a = 1 }", undefined],
  ])("%s is %j", (source, expected) => {
    expect(valueIn(source)?.literal).toBe(expected);
  });

  it.each<[string, Record<string, unknown> | undefined]>([
    ["{}", {}],
    ["{ a = 1, b = null }", { a: 1, b: null }],
    ["{ a : 1 }", { a: 1 }],
    ['{ "a" = "b", "c-d" : true }', { a: "b", "c-d": true }],
    ["{\n    a = 1\n    b = 2\n  }", { a: 1, b: 2 }],
    ["{ a = var.b, }", { a: undefined }],
    ["[{ a = 1 }]", undefined],
    ["f({ a = 1 })", undefined],
    ['"a"', undefined],
  ])("the fields of %s are %j", (source, expected) => {
    const fields = valueIn(source)?.fields;
    const values = fields && [...fields].map(([name, { literal }]) => [name, literal]);
    expect(values && Object.fromEntries(values)).toEqual(expected);
  });

  it("fields may contain fields", () => {
    const inner = valueIn('{ a = { b = "c" } }')?.fields?.get("a")?.fields?.get("b");
    expect(inner?.literal).toBe("c");
  });

  it.each([
    ["var.a", "a"],
    ["var.a-b", "a-b"],
    ['"${var.a}"', "a"],
    ['"${ var.a }"', "a"],
    ['"var.a"', undefined],
    ['"${var.a}b"', undefined],
    ["var.a.b", undefined],
    ["var.a[0]", undefined],
    ["local.a", undefined],
    ['var.a != "" ? var.a : null', undefined],
  ])("%s is the variable %s", (source, expected) => {
    const found = valueIn(source);
    expect(found && variableIn(found)).toBe(expected);
  });

  it.each([
    ['x {\n  a = "TOKEN" # b\n}\n', 2],
    ['# é 😀\r\nx {\r\n\r\n  a="TOKEN"\r\n}', 4],
    ['\ufeffx { a = "TOKEN" }', 1],
    [`y {\n  b = <<EOT\n${"é\n".repeat(9)}EOT\n}\nx {\n  a = "TOKEN"\n}\n`, 15],
  ])("the place of the token in %j", (text, line) => {
    const found = hcl(text).blocks.at(-1)?.attributes.get("a");
    expect(text.slice(found?.start, found?.end)).toBe('"TOKEN"');
    expect(found?.place).toEqual({ file: "a.tf", line });
  });
});

describe("references", () => {
  it.each([
    ["digitalocean_a.b", "resource a.b"],
    ["digitalocean_a.b.c.d", "resource a.b.c.d"],
    ["data.digitalocean_a.b.c", "data a.b.c"],
    ["digitalocean_a.b[0].c", "resource a.b.c"],
    ["digitalocean_a.b[*].c", "resource a.b.c"],
    ["digitalocean_a.b.*.c", "resource a.b.c"],
    ['data.digitalocean_a.b["x"].c', "data a.b.c"],
    ["x[digitalocean_a.b.c].d", "resource a.b.c"],
    ['"-${digitalocean_a.b.c}-"', "resource a.b.c"],
    ["<<EOT\n${digitalocean_a.b.c}\nEOT\n", "resource a.b.c"],
    ["f(digitalocean_a.b.c...)", "resource a.b.c"],
    ["(digitalocean_a.b).c", "resource a.b.c"],
    ["!digitalocean_a.b.c", "resource a.b.c"],
    ["digitalocean_a.b.c == data.digitalocean_d.e.f ? 1 : 2", "resource a.b.c, data d.e.f"],
    ["{ for k, v in x : k => v if v == digitalocean_a.b.c }", "resource a.b.c"],
    ["{ (digitalocean_a.b.c) = 1 }", "resource a.b.c"],
    ["digitalocean_a", ""],
    ["x.digitalocean_a.b", ""],
    ["my_digitalocean_a.b", ""],
    ['"digitalocean_a.b.c"', ""],
    ["1 # digitalocean_a.b.c", ""],
  ])("in %s: %s", (source, expected) => {
    const { references } = hcl(`x {\n  y {\n    a = ${source}\n  }\n}\n`);
    const texts = references.map(({ mode, type, name, attributes }) =>
      [`${mode} ${type.replace("digitalocean_", "")}`, name, ...attributes].join("."),
    );
    expect(texts.toSorted()).toEqual(expected.split(", ").filter(Boolean).toSorted());
  });
});

describe("the JSON syntax", () => {
  it.each([
    ["{}", ""],
    ['{"provider": {"x": {}}}', "provider.x"],
    ['{"provider": {"x": [{"alias": "a"}, {}]}}', "provider.x(alias) provider.x"],
    ['{"provider": [{"x": {}}, {"y": {}}]}', "provider.x provider.y"],
    ['{"resource": {"a": {"b": {"c": 1}}}}', "resource.a.b(c)"],
    ['{"terraform": {"backend": {"s3": {}}}}', "terraform(backend backend.s3)"],
    ['{"terraform": [{"cloud": {}}]}', "terraform(cloud cloud)"],
    ['{"//": "a comment", "variable": {"x": {}}}', "variable.x"],
    ['{"variable": {"a": {}}, "variable": {"b": {}}}', "variable.a variable.b"],
    ['{\n\t"variable": {\n\t\t"x": {}\n\t}\n}', "variable.x"],
    ['\ufeff{"variable": {"x": {}}}', "variable.x"],
    ['{"provider": null, "variable": [null, 1, "x"]}', ""],
    ['{"resource": {"a": {"b": {}}, "a": {"b": {"c": 1}}}}', "resource.a.b resource.a.b(c)"],
    [
      '{"resource": [{"a": [{"b": {}}]}, {"a": {"c": [{}, {}]}}]}',
      "resource.a.b resource.a.c resource.a.c",
    ],
    ['{"vari\\u0061ble": {"\\u0078": {"d\\u0065fault": 1}}}', "variable.x(default)"],
    ['{"locals": {"a": {"b": {"c": 1}}}}', "locals(a a(b b(c)))"],
    ['{\r\n  "variable": {\r\n    "x": {}\r\n  }\r\n}\r\n', "variable.x"],
    [`{"variable": {"${"x".repeat(2000)}": {}}}`, `variable.${"x".repeat(2000)}`],
  ])("%j is %s", (text, expected) => {
    expect(lines(text, json)).toBe(expected);
  });

  it.each([
    ["", 1],
    ["[1]", 1],
    ["[{}, 1]", 1],
    ["null", 1],
    ['{"a": 1', 1],
    ['{"a": 1}}', 1],
    ['{\n"a": 1,\n}', 1],
    ['{"provider": {"x": {"token"}}}', 1],
    ['{"provider": {"x": {"token":}}}', 1],
    ["provider: {}", 1],
    ["{provider: {}}", 1],
    ['{"a": &b {"c": *b}}', 1],
    ["{'a': 1}", 1],
    ['# a\n{"a": 1}', 1],
    ["\u0001", 1],
  ])("%j has a problem", (text, from) => {
    const { problem } = json(text);
    expect(problem?.file).toBe("a.tf.json");
    expect(problem?.line).toBeGreaterThanOrEqual(from);
  });

  it.each([
    ["an empty file", "", 1],
    ["empty lines", "\n\n", 3],
    ["a list of numbers", "\n[1]", 1],
    ["a trailing comma in an object", '{\n"variable": {\n"x": {},\n}\n}', 4],
    ["a trailing comma in a list", '{\r\n"variable": [\r\n{},\r\n]}', 4],
    ["a line comment", '{\n  // the region\n  "variable": {}\n}', 2],
    ["a block comment behind a byte order mark", '\ufeff{\n"variable": {}\n/* end */}', 3],
    ["a comment of HCL", '{\n"variable": {}\n}\n# end\n', 4],
    ["a missing comma", '{\n"variable": {}\n"output": {}\n}', 3],
    ["a missing value", '{\n"variable": {\n"x"\n}}', 4],
    ["a string over two lines", '{\n\n"variable": "a\nb"}', 3],
    ["a truncated file", '{\n"variable": {', 2],
    ["201 levels", `{"a":\n${"[".repeat(199)}\n[1]${"]".repeat(199)}}`, 3],
    ["10 000 levels", `{"a":\n${'{"b":\n'.repeat(10_000)}`, 201],
  ])("%s: the line of the problem", (_, text, line) => {
    expect(json(text)).toEqual({
      blocks: [],
      references: [],
      problem: { file: "a.tf.json", line },
    });
  });

  it("a list of objects is one object in several parts", () => {
    const { blocks, problem } = json('[{"variable": {"a": {}}}, {"variable": {"b": {}}}]');
    expect([blocks.map(({ labels }) => labels[0]), problem]).toEqual([["a", "b"], undefined]);
    expect(json("[]").problem).toBeUndefined();
  });

  it("200 levels are read", () => {
    const text = `{"locals": ${'{"a":'.repeat(199)}1${"}".repeat(199)}}`;
    expect(json(text).problem).toBeUndefined();
  });

  it("the last of two equal arguments wins", () => {
    const text = '{"provider": {"x": {"a": 1,\n"b": {"c": 1, "c": 2},\n"\\u0061": 3}}}';
    const { attributes } = json(text).blocks[0] ?? {};
    expect(attributes?.get("a")).toMatchObject({ literal: 3, place: { line: 3 } });
    expect(attributes?.get("b")?.fields?.get("c")?.literal).toBe(2);
  });

  it.each([
    ['"${digitalocean_a.b.c}"', "resource a.b.c"],
    ['"${data.digitalocean_a.b[\\"x\\"].c}"', "data a.b.c"],
    ['"%{ if digitalocean_a.b.c }x%{ endif }"', "resource a.b.c"],
    ['"\\u0024{digitalocean\\u005fa.b.c}"', "resource a.b.c"],
    ['"a\\n${digitalocean_a.b.c}\\n${digitalocean_d.e}"', "resource a.b.c, resource d.e"],
    ['{"${digitalocean_a.b.c}": ["${digitalocean_d.e}"]}', "resource a.b.c, resource d.e"],
    ['"digitalocean_a.b.c"', ""],
    ['["digitalocean_a.b"]', ""],
  ])("references in %s", (source, expected) => {
    const { references } = json(`{"output": {"x": {"value": ${source}}}}`);
    const texts = references.map(({ mode, type, name, attributes }) =>
      [`${mode} ${type.replace("digitalocean_", "")}`, name, ...attributes].join("."),
    );
    expect(texts.join(", ")).toBe(expected);
  });

  it.each<[string, Expression["literal"], string | undefined]>([
    ['"a"', "a", undefined],
    ['"\\u0024{var.a}"', undefined, undefined],
    ['"a\\\\b\\n\\ud83d\\ude00"', "a\\b\n😀", undefined],
    ["-1.5e-3", -0.0015, undefined],
    ['"\\u00e9\\"\\/"', 'é"/', undefined],
    ['"${var.a}"', undefined, "a"],
    ['"var.a"', "var.a", undefined],
    ['"%{ if a }"', undefined, undefined],
    ["1.5", 1.5, undefined],
    ["true", true, undefined],
    ["null", null, undefined],
    ["[1]", undefined, undefined],
    ["{}", undefined, undefined],
  ])("%s is %j, variable %s", (source, literal, variable) => {
    const found = json(`{"variable": {"x": {\n"a": ${source}}}}`).blocks[0]?.attributes.get("a");
    expect(found?.literal).toBe(literal);
    expect(found && variableIn(found)).toBe(variable);
    expect(found?.place).toEqual({ file: "a.tf.json", line: 2 });
  });

  it("a token's place is its string", () => {
    const text = '\ufeff{"é😀": 1,\r\n "provider": {"x": {"token" : "TOKEN" }}}';
    const found = json(text).blocks.at(-1)?.attributes.get("token");
    expect(text.slice(found?.start, found?.end)).toBe('"TOKEN"');
  });

  it.each([
    [
      "under a key with escapes",
      '{"provider": {"x": {\n"tok\\u0065n": "a\\u005fb"}}}',
      "a_b",
      '"a\\u005fb"',
      2,
    ],
    ["on its own line", '{"provider": {"x": {\r\n"token":\r\n  "a"\r\n}}}', "a", '"a"', 3],
    [
      "as the second value of a repeated key",
      '{"provider": {"x": {"token": "a",\n"token": "b"}}}',
      "b",
      '"b"',
      2,
    ],
  ])("a token %s", (_, text, literal, source, line) => {
    const found = json(text).blocks[0]?.attributes.get("token");
    expect(found).toMatchObject({ source: "", place: { line } });
    const isIt = found?.literal instanceof Secret && found.literal.holds(literal);
    expect(isIt).toBe(true);
    expect(text.slice(found?.start, found?.end)).toBe(source);
  });
});

describe("the reader finishes for any file", () => {
  const DEEP = 10_000;
  const nested = (open: string, middle: string, close: string) =>
    open.repeat(DEEP) + middle + close.repeat(DEEP);
  const bytes = Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * 7919 + (i >> 3)) % 256));
  const long = (text: string) => text.repeat(Math.ceil(1e6 / text.length));

  it.each([
    ["blocks in blocks", nested("a {\n", "", "}\n")],
    ["objects in objects", `a {\n  b = ${nested("{ c = ", "1", " }")}\n}\n`],
    ["lists in lists", `a {\n  b = ${nested("[", "1", "]")}\n}\n`],
    ["parentheses", `a {\n  b = ${nested("(", "1", ")")}\n}\n`],
    ["templates in templates", `a {\n  b = ${nested('"${', "1", '}"')}\n}\n`],
    ["unclosed blocks", "a {\n".repeat(DEEP)],
    ["unclosed objects", `a = ${"{ b = ".repeat(DEEP)}`],
    ["bytes", bytes.toString("latin1")],
    ["many blocks", long('resource "a" "b" {\n  name = "web"\n  tags = { c = "d" }\n}\n')],
    ["a long string", `a {\n  b = "${long("x")}"\n}\n`],
    ["quotes and braces", long('}{"')],
    ["comments", long("# digitalocean_a.b\n")],
    ["references", `a = [${long("digitalocean_a.b.c, ")}]\n`],
  ])("HCL: %s", (_, text) => {
    expect(timed(() => hcl(text))).toBeLessThan(10);
  });

  it.each([
    ["objects in objects", nested('{"a":', "1", "}")],
    ["lists in lists", `{"a": ${nested("[", "1", "]")}}`],
    ["lists of blocks in lists", `{"variable": ${nested("[", "1", "]")}}`],
    ["unclosed lists", `{"a": ${"[".repeat(DEEP)}`],
    ["bytes", bytes.toString("latin1")],
    ["many blocks", `{"output": {${long('"a": {"value": [1, "x"]},')}"b": {}}}`],
    ["a long string", `{"a": "${long("x")}"}`],
    ["a long key", `{"${long("x")}": 1}`],
  ])("JSON: %s", (_, text) => {
    expect(timed(() => json(text))).toBeLessThan(10);
  });

  function timed(action: () => unknown): number {
    const seconds = cpuTimer();
    action();
    return seconds();
  }
});
