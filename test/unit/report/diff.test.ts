import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redacted, withToken } from "../../../src/concerns/env-file/edit.ts";
import { WriteFile } from "../../../src/core/changes/write-file.ts";
import { diffOf } from "../../../src/report/diff.ts";
import { type Content, content } from "../../../src/secret/content.ts";
import { LEGACY, OTHER, PERSONAL, secret } from "../samples.ts";

const KEY = "DIGITALOCEAN_TOKEN";
const utf8 = (parts: Content["parts"] | undefined): Content => ({
  parts: parts ?? [],
  encoding: "utf8",
});

function diff(before: Content, after: Content, modes: [number, number] = [0o600, 0o600]): string[] {
  const lines = diffOf({ before, after, modes });
  return lines.map(({ kind, text }) => `${{ added: "+", removed: "-", kept: " " }[kind]}${text}`);
}

/** The diff of writing the token into a .env. */
const envDiff = (text: string, token = PERSONAL) =>
  diff(utf8(redacted(text, ".env")), utf8(withToken(text, ".env", KEY, secret(token))));

const P = secret(PERSONAL).fingerprint;
const X = secret(OTHER).fingerprint;

describe("a diff shows changes, with secrets as fingerprints", () => {
  it.each([
    ["a new file", "", [`+${KEY}=[secret ${P}]`]],
    ["a token added", "# mine\nA=1\n", [`+${KEY}=[secret ${P}]`]],
    ["a token replaced", `${KEY}=${OTHER}\n`, [`-${KEY}=[secret ${X}]`, `+${KEY}=[secret ${P}]`]],
    ["the same token", `${KEY}=${PERSONAL}\n`, []],
    [
      "one of two",
      `${KEY}=${PERSONAL}\nA=1\n${KEY}=${OTHER}\n`,
      [`-${KEY}=[secret ${X}]`, `+${KEY}=[secret ${P}]`],
    ],
    [
      "quotes and comments",
      `export ${KEY}='${OTHER}' # x\n`,
      [`-export ${KEY}='[secret ${X}]' # x`, `+export ${KEY}='[secret ${P}]' # x`],
    ],
  ])("%s", (_, text, expected) => {
    expect(envDiff(text)).toEqual(expected);
  });

  it.each<[string, Content, Content, string[]]>([
    ["plain text", content("a\nb\n"), content("a\nc\n"), ["-b", "+c"]],
    [
      "a line that looks like a diff line",
      content("-a\n+b\n"),
      content("-a\n+c\n"),
      ["-+b", "++c"],
    ],
    ["a line that begins with a backslash", content(""), content("\\a\n"), ["+\\a"]],
    ["no last newline", content("a"), content("a\nb"), ["-a", "+a", "+b"]],
    ["nothing", content("a\n"), content("a\n"), []],
    [
      "Latin-1 bytes of UTF-8 text",
      content(""),
      { parts: ["caf\xc3\xa9\n"], encoding: "latin1" },
      ["+café"],
    ],
  ])("%s", (_, before, after, expected) => {
    expect(diff(before, after)).toEqual(expected);
  });

  it.each<[string, [number, number], string[]]>([
    ["tightened", [0o644, 0o600], ["-mode 0644", "+mode 0600"]],
    ["kept", [0o600, 0o600], []],
    ["read only", [0o400, 0o600], ["-mode 0400", "+mode 0600"]],
  ])("a mode that is %s", (_, modes, expected) => {
    expect(diff(content("a\n"), content("a\n"), modes)).toEqual(expected);
  });

  it("shows no mode for a new file", () => {
    const before = { kind: "absent", path: "/r/x", target: "/r/x" } as const;
    const change = new WriteFile({ before, edit: () => content("a\n"), mode: 0o600, why: "" });
    expect(diffOf(change.diff())).toEqual([{ kind: "added", text: "a" }]);
  });
});

describe("no line of a diff holds a secret", () => {
  const value = fc.constantFrom(
    OTHER,
    LEGACY,
    "hunter2",
    "'hunter2'",
    '"a\nhunter2\nb"',
    "hunter2 # why",
    "`hunter2`",
  );
  const line = fc.tuple(
    fc.constantFrom("", "export "),
    fc.constantFrom(KEY, "DB_PASSWORD", "A"),
    fc.constantFrom("=", " = ", ": "),
    value,
  );
  const text = fc
    .array(line, { maxLength: 6 })
    .map((lines) => lines.map((each) => `${each.join("")}\n`).join(""));

  it("of any .env", () => {
    fc.assert(
      fc.property(text, (before) => {
        const lines = envDiff(before).join("\n");
        for (const each of [PERSONAL, OTHER, LEGACY])
          expect(lines).not.toContain(each.slice(8, 24));
        expect(lines).not.toContain("hunter2");
      }),
    );
  });
});
