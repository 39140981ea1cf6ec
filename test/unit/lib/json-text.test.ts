import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonNode, readJsonText, withoutProperties } from "../../../src/lib/json-text.ts";

/** The value that JSON.parse returns. */
function plain({ value, properties, items }: JsonNode): unknown {
  if (properties !== undefined) {
    return Object.fromEntries(properties.map((each) => [each.key, plain(each.value)]));
  }
  return items === undefined ? value : items.map(plain);
}

function nodesIn(node: JsonNode): JsonNode[] {
  const { properties = [], items = [] } = node;
  return [node, ...[...properties.map(({ value }) => value), ...items].flatMap(nodesIn)];
}

/** Each value's source text, with its line. */
function places(text: string): string[] {
  const { root } = readJsonText(text);
  return root === undefined
    ? []
    : nodesIn(root).map(({ start, end, line }) => `${line}: ${text.slice(start, end)}`);
}

const DEEP = 200;
const lists = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const objects = (depth: number) => `${'{"a":\n'.repeat(depth)}1${"}".repeat(depth)}`;

describe("valid JSON", () => {
  it.each<[string, unknown]>([
    ["{}", {}],
    ["[]", []],
    ["null", null],
    [" \t\r\n1\n", 1],
    ["-1.5e3", -1500],
    ['""', ""],
    [
      '{"a": [1, "b", true, false, null, {"c": {}}]}',
      { a: [1, "b", true, false, null, { c: {} }] },
    ],
    ['{"a": 1, "a": 2}', { a: 2 }],
    ['{"": 1}', { "": 1 }],
    ['{"\\u0061\\"": "\\u005f\\/\\n\\ud83d\\ude00"}', { 'a"': "_/\n😀" }],
    ['"\\ud800"', "\ud800"],
    ['"\u2028\u007f"', "\u2028\u007f"],
    [`{"${"x".repeat(2000)}": 1}`, { ["x".repeat(2000)]: 1 }],
  ])("%j", (text, expected) => {
    const { root } = readJsonText(text);
    expect(root && plain(root)).toEqual(expected);
    expect(JSON.parse(text)).toEqual(expected);
  });

  it("has each property of the text, in order", () => {
    const { root } = readJsonText('{"b": 1, "a": 2, "1": 3, "b": 4, "__proto__": 5}');
    const all = root?.properties?.map(({ key, value }) => [key, value.value]);
    expect(all).toEqual([
      ["b", 1],
      ["a", 2],
      ["1", 3],
      ["b", 4],
      ["__proto__", 5],
    ]);
  });

  it.each([
    ['{"a": "b"}', ['1: {"a": "b"}', '1: "b"']],
    ['{\n  "a":\n  "b",\n  "c": [\n1\n]\n}\n', ["1: …", '3: "b"', "4: [\n1\n]", "5: 1"]],
    ['{\r\n"a": 1,\r\n"b": 2\r\n}', ["1: …", "2: 1", "3: 2"]],
    ['["é😀", "\\u005f"]', ["1: …", '1: "é😀"', '1: "\\u005f"']],
    ["\n\n -1e5 \n", ["3: -1e5"]],
  ])("has the places in %j", (text, expected) => {
    expect(places(text)).toEqual(expected.map((each) => each.replace("…", text.trim())));
  });

  it("has the offset of a key, including its quote", () => {
    const text = '{\n  "\\u0061" : 1}';
    const [property] = readJsonText(text).root?.properties ?? [];
    expect(text.slice(property?.start, property?.value.end)).toBe('"\\u0061" : 1');
  });

  it("may have 200 levels", () => {
    expect(readJsonText(lists(DEEP)).problem).toBeUndefined();
    expect(readJsonText(objects(DEEP)).problem).toBeUndefined();
  });
});

describe("invalid JSON", () => {
  it.each([
    ["an empty text", "", 1, 1],
    ["white space", " \n\n", 3, 1],
    ["a byte order mark", "\ufeff{}", 1, 1],
    ["two texts", "{}\n{}", 2, 1],
    ["a trailing comma in an object", '{\n"a": 1,\n}', 3, 1],
    ["a trailing comma in a list", "[\n1,\n]", 3, 1],
    ["a missing comma", '{\n"a": 1\n"b": 2}', 3, 1],
    ["a missing value", '{"a": }', 1, 7],
    ["a missing colon", '{"a" 1}', 1, 6],
    ["a missing key", "{1: 2}", 1, 2],
    ["a line comment", '{\n// a\n"b": 1}', 2, 1],
    ["a block comment", '{\r\n"b": 1 /* a */}', 2, 8],
    ["a comment in front", '# a\n{"a": 1}', 1, 1],
    ["an object that never closes", '{"a": {\n"b": 1}\n', 3, 1],
    ["a string that never closes", '{\n"a": "b\n}', 2, 6],
    ["a raw line end in a string", '["a\nb"]', 1, 2],
    ["a raw control character in a string", '["a\tb"]', 1, 2],
    ["single quotes", "{'a': 1}", 1, 2],
    ["a bad escape", '{\n"a": "\\x"}', 2, 6],
    ["a bad number", "[01]", 1, 3],
    ["an incomplete number", "[1.]", 1, 2],
    ["an incomplete word", "[\ntru]", 2, 1],
    ["NaN", "[NaN]", 1, 2],
    ["an unquoted key", "{a: 1}", 1, 2],
    ["a YAML alias", '{"a": *b}', 1, 7],
    ["201 lists", lists(DEEP + 1), 1, DEEP + 1],
    ["201 objects", objects(DEEP + 1), DEEP + 1, 1],
    ["unclosed lists", "[".repeat(1e6), 1, DEEP + 1],
  ])("%s", (_, text, line, column) => {
    expect(readJsonText(text)).toEqual({ root: undefined, problem: { line, column } });
  });
});

it("reads exactly the texts that JSON.parse reads", () => {
  const bit = fc.constantFrom(
    ...'{}[]":,\\/\n\r\t -+.eE019aunb*#',
    ...[
      "true",
      "null",
      '"a":',
      '"x"',
      "\\u00",
      "\\ud800",
      "\ufeff",
      "\u2028",
      "\u00a0",
      "\0",
      "//",
    ],
  );
  const soup = fc.array(bit, { maxLength: 12 }).map((bits) => bits.join(""));
  const nearly = fc
    .tuple(fc.json({ maxDepth: 4 }), fc.nat(), fc.nat(1), bit)
    .map(([text, place, cut, put]) => {
      const at = place % (text.length + 1);
      return text.slice(0, at) + put + text.slice(at + cut);
    });
  const property = fc.property(fc.oneof(soup, nearly, fc.json()), (text) => {
    const { root } = readJsonText(text);
    expect(root === undefined).toBe(parsed(text) === undefined);
    if (root === undefined) return;
    expect(plain(root)).toEqual(parsed(text)?.value);
    for (const node of nodesIn(root)) {
      expect(parsed(text.slice(node.start, node.end))?.value).toEqual(plain(node));
      expect(text.slice(0, node.start).split(/\r\n|\r|\n/)).toHaveLength(node.line);
    }
  });
  fc.assert(property, { numRuns: 3000 });

  function parsed(text: string): { value: unknown } | undefined {
    try {
      return { value: JSON.parse(text) };
    } catch {
      return undefined;
    }
  }
});

describe("removing the properties with value 0", () => {
  it.each([
    ['{"a": 0}', "{}"],
    ['{ "a": 0, "b": 0 }\n', "{}\n"],
    ['{"a": 0, "b": 1}', '{"b": 1}'],
    ['{"a": 1, "b": 0}', '{"a": 1}'],
    ['{"a": 1, "b": 0, "c": 2}', '{"a": 1, "c": 2}'],
    ['{"a": 0, "b": 1, "c": 0}', '{"b": 1}'],
    ['{"a": 1, "b": 0, "c": 0, "d": 2, "e": 0, "f": 0}', '{"a": 1, "d": 2}'],
    ['{"a": 1, "a": 0}', '{"a": 1}'],
    ['{"a": 0, "a": 1}', '{"a": 1}'],
    ['{\n  "a": 0,\n\n  "b"  :1\n}\n', '{\n  "b"  :1\n}\n'],
    ['{\n  "b"  :1,\n\n  "a": 0\n}\n', '{\n  "b"  :1\n}\n'],
    ['{\r\n\t"a": 1,\r\n\t"b": 0,\r\n\t"c": 1\r\n}', '{\r\n\t"a": 1,\r\n\t"c": 1\r\n}'],
    ['{"a": {"b": 0}, "c": [{"d": 0, "e": 1}]}', '{"a": {}, "c": [{"e": 1}]}'],
    ["[0, 1]", "[0, 1]"],
    ["0", "0"],
    ['{"a": 1.0, "b": "\\u005f" }', '{"a": 1.0, "b": "\\u005f" }'],
  ])("%j is %j", (text, expected) => {
    const { root } = readJsonText(text);
    expect(root && withoutProperties(text, root, ({ value }) => value === 0)).toBe(expected);
  });

  it("keeps the rest of any text", () => {
    const property = fc.property(fc.json({ maxDepth: 4 }), fc.nat(3), (given, spaces) => {
      const text = JSON.stringify(JSON.parse(given), null, spaces);
      const { root } = readJsonText(text);
      if (root === undefined) throw new Error("not read");
      const isUnwanted = ({ value }: JsonNode) => typeof value === "boolean";
      const kept = JSON.parse(withoutProperties(text, root, isUnwanted));
      const expected = JSON.parse(text, function (this: unknown, _, value) {
        return typeof value === "boolean" && this !== null && !Array.isArray(this)
          ? undefined
          : value;
      });
      expect(kept).toEqual(typeof JSON.parse(text) === "boolean" ? JSON.parse(text) : expected);
    });
    fc.assert(property, { numRuns: 500 });
  });
});
