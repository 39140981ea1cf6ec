import { describe, expect, it } from "vitest";
import { editValues, hidden, valuesOf } from "../../../../src/commands/credentials/edit-values.ts";
import { content, encode, shown } from "../../../../src/secret/content.ts";
import { OTHER, PERSONAL, secret } from "../../samples.ts";

const JSON_FILE = "a.auto.tfvars.json";
const HCL_FILE = "a.auto.tfvars";

/** OLD is the token, ESCAPED the same one with escapes, NEW the one that replaces it. */
const WORDS: Readonly<Record<string, string>> = {
  OLD: PERSONAL,
  NEW: OTHER,
  ESCAPED: PERSONAL.replaceAll("_", "\\u005f").replace("d", "\\u0064"),
};
const written = (text: string) => text.replace(/OLD|NEW|ESCAPED/g, (word) => WORDS[word] ?? "");

/** The new text; undefined if the file cannot be edited. */
function edited(text: string, path: string, token: string | undefined): string | undefined {
  const tokenFor = token === undefined ? undefined : () => secret(token);
  const edit = { path, olds: [secret()], tokenFor };
  const parts = editValues(written(text), edit);
  return parts && encode(content(...parts)).toString();
}

describe("a .tfvars.json file", () => {
  it.each([
    ["alone", '{"t": "OLD"}', '{"t": "NEW"}', "{}"],
    ["first", '{ "t": "OLD", "a": 1.0 }\n', '{ "t": "NEW", "a": 1.0 }\n', '{ "a": 1.0 }\n'],
    ["last", '{\n\t"a" :1,\n\t"t": "OLD"\n}', '{\n\t"a" :1,\n\t"t": "NEW"\n}', '{\n\t"a" :1\n}'],
    [
      "between others, with CRLF",
      '{\r\n  "a": "x",\r\n  "t": "OLD",\r\n  "b": []\r\n}\r\n',
      '{\r\n  "a": "x",\r\n  "t": "NEW",\r\n  "b": []\r\n}\r\n',
      '{\r\n  "a": "x",\r\n  "b": []\r\n}\r\n',
    ],
    [
      "with escapes",
      '{"a": "\\u0041", "t": "ESCAPED"}',
      '{"a": "\\u0041", "t": "NEW"}',
      '{"a": "\\u0041"}',
    ],
    [
      "under a key with escapes",
      '{"\\u0074": "OLD", "a": 1}',
      '{"\\u0074": "NEW", "a": 1}',
      '{"a": 1}',
    ],
    [
      "twice",
      '{"t": "OLD", "a": 1, "u": "ESCAPED"}',
      '{"t": "NEW", "a": 1, "u": "NEW"}',
      '{"a": 1}',
    ],
    [
      "the second value of a repeated key",
      '{"t": "x", "t": "OLD"}',
      '{"t": "x", "t": "NEW"}',
      '{"t": "x"}',
    ],
    [
      "the first value of a repeated key",
      '{"t": "OLD", "t": "x"}',
      '{"t": "NEW", "t": "x"}',
      '{"t": "x"}',
    ],
    [
      "in an object",
      '{"a": {"t": "OLD", "b": 1}}',
      '{"a": {"t": "NEW", "b": 1}}',
      '{"a": {"b": 1}}',
    ],
    ["in an object of a list", '{"a": [{"t": "OLD"}]}', '{"a": [{"t": "NEW"}]}', '{"a": [{}]}'],
    ["in a list", '{"a": ["OLD", 1]}', '{"a": ["NEW", 1]}', undefined],
    ["outside an object", '["OLD"]', '["NEW"]', undefined],
    [
      "inside a longer text",
      '{"t": "OLD-", "u": "OLD"}',
      '{"t": "OLD-", "u": "NEW"}',
      '{"t": "OLD-"}',
    ],
    ["as a key", '{"OLD": "OLD", "a": 1}', '{"OLD": "NEW", "a": 1}', '{"a": 1}'],
    [
      "between quotes and white space",
      '{"a": "\\"OLD\\"", "t": " OLD\\n"}',
      '{"a": "NEW", "t": "NEW"}',
      "{}",
    ],
    ["after a byte order mark", '\ufeff{"t": "OLD"}', '\ufeff{"t": "NEW"}', undefined],
    ["with a trailing comma", '{"t": "OLD",}', '{"t": "NEW",}', undefined],
    ["after a comment", '// c\n{"t": "OLD"}', '// c\n{"t": "NEW"}', undefined],
    ["in a truncated file", '{"t": "OLD"', '{"t": "NEW"', undefined],
    [
      "nested 500 deep",
      `${"[".repeat(500)}"OLD"${"]".repeat(500)}`,
      `${"[".repeat(500)}"NEW"${"]".repeat(500)}`,
      undefined,
    ],
  ])("the token %s", (_, text, replaced, removed) => {
    expect(valuesOf(written(text), JSON_FILE).filter((each) => each.equals(secret()))).not.toEqual(
      [],
    );
    expect(edited(text, JSON_FILE, OTHER)).toBe(written(replaced));
    expect(edited(text, JSON_FILE, undefined)).toBe(removed && written(removed));
  });

  it.each(["", "\n", "{}", "null", '{"a": 1}', '{"OLD": 1}', '{"t": "OLD-"}'])(
    "no token in %j",
    (text) => {
      expect(valuesOf(written(text), JSON_FILE).filter((each) => each.equals(secret()))).toEqual(
        [],
      );
      expect(edited(text, JSON_FILE, OTHER)).toBe(written(text));
    },
  );
});

describe("a .tfvars file", () => {
  it.each([
    ["alone", 't = "OLD"\n', 't = "NEW"\n', ""],
    [
      "between others",
      'a = 1\r\nt = "OLD" # c\r\nb = ["x"]\r\n',
      'a = 1\r\nt = "NEW" # c\r\nb = ["x"]\r\n',
      'a = 1\r\nb = ["x"]\r\n',
    ],
    ["twice", 't = "OLD"\nu = "OLD"\na = 1', 't = "NEW"\nu = "NEW"\na = 1', "a = 1"],
    ["in an object", 'a = {\n  t = "OLD"\n}\n', 'a = {\n  t = "NEW"\n}\n', "a = {\n}\n"],
    ["in a list", 'a = ["OLD"]\n', 'a = ["NEW"]\n', undefined],
  ])("the token %s", (_, text, replaced, removed) => {
    expect(edited(text, HCL_FILE, OTHER)).toBe(written(replaced));
    expect(edited(text, HCL_FILE, undefined)).toBe(
      removed === undefined ? removed : written(removed),
    );
  });
});

describe("a file shown with its values hidden", () => {
  const [old, other] = [
    `[secret ${secret().fingerprint}]`,
    (text: string) => `[secret ${secret(text).fingerprint}]`,
  ];

  it.each([
    [
      JSON_FILE,
      '{"t": "OLD", "a": ["b", {"c": "\\"d\\n"}], "e": 1}',
      `{"t": "${old}", "a": ["${other("b")}", {"c": "${other('\\"d\\n')}"}], "e": 1}`,
    ],
    [JSON_FILE, '{"a":\n"b: c"}', `{"a":\n"${other("b: c")}"}`],
    [JSON_FILE, '{"t": "OLD"', `{"t": "${old}"`],
    [HCL_FILE, 't = "OLD"\na = { "b" : "c" }\n', `t = "${old}"\na = { "b" : "${other("c")}" }\n`],
  ])("%s: every value is hidden in %j", (path, text, expected) => {
    const parts = hidden(written(text), path);
    expect(shown(content(...parts))).toBe(expected);
    expect(encode(content(...parts)).toString()).toBe(written(text));
  });

  it("a token with escapes has the same fingerprint as without", () => {
    const isOld = (value: ReturnType<typeof secret>) =>
      value.equals(secret()) ? value : undefined;
    const parts = hidden(written('{"t": "ESCAPED"}'), JSON_FILE, isOld);
    expect(shown(content(...parts))).toBe(`{"t": "${old}"}`);
  });
});
