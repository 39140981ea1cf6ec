import { parse } from "dotenv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FORMATS, type Format, quote, quoteUnset } from "../../../src/exec/quoting.ts";
import { said } from "../../fixtures/hint.ts";
import { thrownBy } from "../samples.ts";

const one = (format: Format, value: string, name = "V") =>
  quote(format, new Map([[name, value]])).text;
const refusal = (format: Format, value: string) => {
  const { code, status, message, hint } = thrownBy(() => one(format, value));
  return { code, status, message, hint: said(hint) };
};

/** Every ASCII character that a variable can hold. */
const ASCII = Array.from({ length: 127 }, (_, i) => String.fromCharCode(i + 1));

const ODD = [
  "",
  " ",
  "a b",
  " a",
  "a ",
  "\t",
  "it's",
  "'",
  "''",
  '"',
  '"a"',
  "`id`",
  "`",
  "$(id)",
  "$HOME",
  "${A}",
  "!x",
  "%PATH%",
  "~",
  "#a",
  "a#b",
  "a;id",
  "a&b|c>d<e",
  "\\",
  "\\\\",
  "a\\",
  "\\'",
  "\\n",
  "\\r",
  "a\\\nb",
  "\n",
  "a\n",
  "\na",
  "a\nb",
  "a\n\nb\n\n",
  "\r",
  "a\rb",
  "a\r\nb\r\n",
  "A=B",
  "export A=B",
  "x\nB=evil",
  "x'\nB='evil",
  'x"\nB="evil',
  "x\nEOF_do_bootstrap\nB=evil",
  "EOF_do_bootstrap",
  "EOF_do_bootstrap_",
  "B<<EOF",
  "‘’“”‚„",
  "é e\u0301",
  "𝔘😀",
  "\u2028",
  "a\u2029b",
  "\u00a0",
  "\ufeff",
  "\u0085",
  "\u200e\u202e",
  "'\"`",
  "'\"`\n\\",
];

describe("a line of each format", () => {
  it.each<[Format, string, string]>([
    ["sh", "a", "export V='a'"],
    ["sh", "", "export V=''"],
    ["sh", "$(id) `id` !x \\", "export V='$(id) `id` !x \\'"],
    ["sh", "it's", "export V='it'\\''s'"],
    ["sh", "'", "export V=''\\'''"],
    ["sh", "a\nb", "export V='a\nb'"],
    ["fish", "a", "set -gx V 'a'"],
    ["fish", "", "set -gx V ''"],
    ["fish", "it's", "set -gx V 'it\\'s'"],
    ["fish", "a\\nb\\", "set -gx V 'a\\\\nb\\\\'"],
    ["fish", "$(id) (id)\nb", "set -gx V '$(id) (id)\nb'"],
    ["powershell", "a B_1.-/%~", '${Env:V} = "a B_1.-/%~"'],
    ["powershell", "", '${Env:V} = ""'],
    ["powershell", '"', '${Env:V} = "$([char]34)"'],
    ["powershell", "$x`'", '${Env:V} = "$([char]36)x$([char]96)$([char]39)"'],
    ["powershell", "“”", '${Env:V} = "$([char]8220)$([char]8221)"'],
    ["powershell", "a\r\nb", '${Env:V} = "a$([char]13)$([char]10)b"'],
    ["powershell", "😀", '${Env:V} = "$([char]55357)$([char]56832)"'],
    ["dotenv", "a", "V=a"],
    ["dotenv", "", "V="],
    ["dotenv", "https://a.b/c?d=e", "V='https://a.b/c?d=e'"],
    ["dotenv", "a b", "V='a b'"],
    ["dotenv", "a#b", "V='a#b'"],
    ["dotenv", "it's", 'V="it\'s"'],
    ["dotenv", "a\nb", "V='a\nb'"],
    ["dotenv", "a\r\nb", 'V="a\\r\nb"'],
    ["json", 'a"\n', '{\n  "V": "a\\"\\n"\n}'],
    ["github", "a", "V<<EOF_do_bootstrap\na\nEOF_do_bootstrap"],
    ["github", "", "V<<EOF_do_bootstrap\n\nEOF_do_bootstrap"],
    ["github", "a\n", "V<<EOF_do_bootstrap\na\n\nEOF_do_bootstrap"],
    ["github", "EOF_do_bootstrap", "V<<EOF_do_bootstrap_\nEOF_do_bootstrap\nEOF_do_bootstrap_"],
    ["gitlab", "a", "V=a"],
    ["gitlab", "", "V="],
    ["gitlab", "a 'b' \"c\" $d #e=f\\", "V=a 'b' \"c\" $d #e=f\\"],
  ])("%s: %j is %j", (format, value, line) => {
    expect(one(format, value)).toBe(`${line}\n`);
  });

  it.each(FORMATS)("%s: no variables give no lines", (format) => {
    expect(quote(format, new Map())).toEqual({
      text: format === "json" ? "{}\n" : "",
      leftOut: [],
    });
  });

  it.each(["sh", "fish", "github", "gitlab"] as const)("%s keeps the order", (format) => {
    const names = ["C", "A", "B"];
    const { text } = quote(format, new Map(names.map((name) => [name, name.toLowerCase()])));
    expect(text.match(/[ABC](?=[= <])/g)).toEqual(names);
  });
});

describe("a value that a format cannot hold is refused, not changed", () => {
  it.each<[Format, string]>([
    ["gitlab", "a\nb"],
    ["gitlab", "a\r"],
    ["gitlab", "a\rb"],
    ["gitlab", " a"],
    ["gitlab", "a\t"],
    ["gitlab", " "],
    ["dotenv", "a'b\"c`d#e"],
    ["dotenv", "'\"`#a'"],
    ["dotenv", "'\"\\r`\r"],
  ])("%s: %j", (format, value) => {
    expect(refusal(format, value)).toEqual({
      code: "NOT_REPRESENTABLE",
      status: 2,
      message: `The format ${format} can't represent the value of V.`,
      hint: "Use another format: do-bootstrap env --format json",
    });
  });

  it("and the error does not show the value", () => {
    expect(JSON.stringify(refusal("gitlab", "hunter2\nhunter3"))).not.toContain("hunter");
  });
});

describe("a name that is invalid in the format is skipped and reported", () => {
  const NAMES = ["TF_VAR_a-b", "a.b", "1A", "_", "TF_VAR_x", "a1"];
  const HELD = ["_", "TF_VAR_x", "a1"];
  it.each<[Format, readonly string[]]>([
    ["sh", HELD],
    ["fish", HELD],
    ["github", HELD],
    ["gitlab", HELD],
    ["powershell", NAMES],
    ["dotenv", NAMES],
    ["json", NAMES],
  ])("%s holds %j", (format, held) => {
    const { leftOut, text } = quote(format, new Map(NAMES.map((name) => [name, "x"])));
    expect(leftOut).toEqual(NAMES.filter((name) => !held.includes(name)));
    for (const name of ["TF_VAR_a-b", "a.b"]) {
      expect(text.includes(name), name).toBe(held.includes(name));
    }
  });
});

describe("a name that is not a valid identifier is never printed for a shell", () => {
  it.each(["", "A B", "A\n", "A;id", "A=B", "A$(id)", "é", "A\0"])("%j", (name) => {
    for (const format of ["sh", "fish", "github", "gitlab"] as const) {
      expect(quote(format, new Map([[name, "x"]]))).toEqual({ text: "", leftOut: [name] });
    }
    for (const format of ["sh", "fish"] as const) expect(quoteUnset(format, [name])).toBe("");
  });
});

describe("unset", () => {
  const names = ["A", "TF_VAR_a-b", "B_1"];
  it.each<[Format, string]>([
    ["sh", "unset A\nunset B_1\n"],
    ["fish", "set -e A\nset -e B_1\n"],
    ["powershell", names.map((name) => `Remove-Item -ErrorAction Ignore "Env:${name}"\n`).join("")],
    ["json", '{\n  "A": null,\n  "TF_VAR_a-b": null,\n  "B_1": null\n}\n'],
  ])("%s", (format, text) => {
    expect(quoteUnset(format, names)).toBe(text);
  });

  it.each<Format>(["dotenv", "github", "gitlab"])("%s does not support it", (format) => {
    const { code, message } = thrownBy(() => quoteUnset(format, names));
    expect(code).toBe("NOT_REPRESENTABLE");
    expect(message).toBe(`The format ${format} cannot unset a variable.`);
  });
});

// Parsers for the output, with the rules of the programs that read it.
type Read = (text: string) => Record<string, string>;

const readers: Record<Exclude<Format, "fish">, Read> = {
  dotenv: (text) => parse(text),
  json: (text) => JSON.parse(text),
  sh: (text) => quotedLines(text, /export (\w+)=((?:'[^']*'|\\')+)\n/y, /'([^']*)'|\\(')/g),
  powershell: (text) =>
    quotedLines(text, /\$\{Env:([^}]+)\} = "([^"\n]*)"\n/y, /\$\(\[char\](\d+)\)|([^$`'])/g),
  github: readGithub,
  gitlab: readGitlab,
};

function quotedLines(text: string, line: RegExp, part: RegExp): Record<string, string> {
  const read: Record<string, string> = {};
  for (line.lastIndex = 0; line.lastIndex < text.length; ) {
    const [, name, quoted] = line.exec(text) ?? [];
    if (name === undefined || quoted === undefined) throw new Error(`no line at: ${text}`);
    expect(quoted.replace(part, "")).toBe("");
    read[name] = [...quoted.matchAll(part)]
      .map(([whole, first = "", second = ""]) =>
        whole.startsWith("$") ? String.fromCharCode(Number(first)) : first + second,
      )
      .join("");
  }
  return read;
}

/** docs.github.com, "Workflow commands": {name}<<{delimiter}, the value, the delimiter. */
function readGithub(text: string): Record<string, string> {
  const lines = text.split("\n");
  expect(lines.pop()).toBe("");
  const read: Record<string, string> = {};
  while (lines.length > 0) {
    const [, name, delimiter] = /^([^=<]+)<<(.+)$/.exec(lines.shift() ?? "") ?? [];
    const end = delimiter === undefined ? -1 : lines.indexOf(delimiter);
    if (name === undefined || end < 0) throw new Error(`Invalid format: ${text}`);
    read[name] = lines
      .splice(0, end + 1)
      .slice(0, -1)
      .join("\n");
  }
  return read;
}

/** docs.gitlab.com, artifacts:reports:dotenv: a variable a line, both sides trimmed. */
function readGitlab(text: string): Record<string, string> {
  const lines = text.split("\n");
  expect(lines.pop()).toBe("");
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = "", value = ""] = /^(.*?)=(.*)$/s.exec(line) ?? [];
      return [name.trim(), value.trim()];
    }),
  );
}

/** Checks that the values read back the same, or that one is refused. */
function checked(format: keyof typeof readers, values: Record<string, string>): "read" | "refused" {
  let text: string;
  try {
    text = quote(format, new Map(Object.entries(values))).text;
  } catch (error) {
    expect(error).toMatchObject({ code: "NOT_REPRESENTABLE" });
    return "refused";
  }
  expect(readers[format](text)).toEqual(values);
  return "read";
}

const READABLE = Object.keys(readers) as (keyof typeof readers)[];
const EXACT = ["sh", "powershell", "json", "github"] as const;

describe.each(READABLE)("%s reads back the same", (format) => {
  const isExact = (EXACT as readonly string[]).includes(format);

  it("each ASCII character: alone, twice, in the middle, at the start and the end", () => {
    for (const char of ASCII) {
      for (const value of [char, char + char, `a${char}b`, `${char}a`, `a${char}`]) {
        const result = checked(format, { V: value });
        if (isExact) expect(result, JSON.stringify(value)).toBe("read");
      }
    }
  });

  it("all ASCII characters in one value", () => {
    const result = checked(format, { V: ASCII.join("") });
    expect(result).toBe(isExact ? "read" : "refused");
  });

  it.each(ODD)("%j", (value) => {
    const result = checked(format, { V: value, W: "w" });
    if (isExact) expect(result).toBe("read");
  });

  it("several random values", () => {
    const text = fc.oneof(
      fc.constantFrom(...ODD),
      fc.string({ unit: fc.constantFrom(..."aA= \\'\"`#$\n\r\t"), maxLength: 8 }),
      fc.string({ unit: "binary", maxLength: 12 }).map(wellFormed),
      fc.string({ unit: "grapheme", maxLength: 6 }),
    );
    const values = fc.array(text, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(values, (list) => {
        const result = checked(
          format,
          Object.fromEntries(list.map((value, i) => [`V${i}`, value])),
        );
        if (isExact) expect(result).toBe("read");
      }),
      { numRuns: 800 },
    );
  });
});

/** Without NUL, which a variable can't hold, and without lone surrogates. */
function wellFormed(text: string): string {
  return Buffer.from(text.replaceAll("\0", "")).toString("utf8");
}

describe("dotenv", () => {
  it.each(["A", "B", "C", "a.b", "TF_VAR_a-b"])("a variable may be called %s", (name) => {
    expect(checked("dotenv", { [name]: "x y" })).toBe("read");
  });

  it("the end of one value and the start of the next don't form another value", () => {
    const value = "x'\nfoo";
    expect(checked("dotenv", { V: "\\", W: value })).toBe("read");
    expect(checked("dotenv", { V: "\\", W: "w", X: value })).toBe("read");
  });

  const accepts = (value: string) => checked("dotenv", { V: value }) === "read";

  it.each(["plain", "a b", "it's", '{"a": "b"}', "a\nb", "a\r\nb", " a ", "`a`", "$(id)", "\\"])(
    "can represent %j",
    (value) => {
      expect(accepts(value)).toBe(true);
    },
  );

  it("refuses a common value only if it contains several kinds of quotes", () => {
    const common = fc.string({ unit: fc.constantFrom(..."aZ09+/=-_.:@ #$%&'\"!?"), maxLength: 40 });
    fc.assert(
      fc.property(common, (value) => {
        if (!/'/.test(value) || !/"/.test(value)) expect(accepts(value)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("powershell", () => {
  it("prints one line of ASCII per variable, without $ or quotes of the value", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const [, inner] = /^\$\{Env:V\} = "(.*)"\n$/.exec(one("powershell", value)) ?? [];
        expect(inner).toMatch(/^([ -~]*)$/);
        expect(inner?.replace(/\$\(\[char\]\d+\)/g, "")).not.toMatch(/["'`$]/);
      }),
    );
  });
});
