import { describe, expect, it } from "vitest";
import {
  redacted,
  withNames,
  withoutToken,
  withToken,
} from "../../../../src/concerns/env-file/edit.ts";
import { readEnvFile } from "../../../../src/exec/read-env-file.ts";
import { decode, encode, holdsSecret, shown } from "../../../../src/secret/content.ts";
import { cpuTimer } from "../../../fixtures/cpu.ts";
import { PERSONAL, secret } from "../../samples.ts";

const KEY = "DIGITALOCEAN_TOKEN";
const NEW = "dop_v1_new";

/** The edited text; K is the key, N is the new value. */
function edit(text: string): string | undefined {
  const full = text.replaceAll("K", KEY);
  const parts = withToken(full, ".env", KEY, secret(NEW));
  return (
    parts &&
    encode({ parts, encoding: "utf8" }).toString().replaceAll(NEW, "N").replaceAll(KEY, "K")
  );
}

describe("a token in a .env", () => {
  it.each([
    ["an empty file", "", "K=N\n"],
    ["only a BOM", "\uFEFF", "\uFEFFK=N\n"],
    ["only a newline", "\n", "\nK=N\n"],
    ["only a comment", "# hello\n", "# hello\nK=N\n"],
    ["other keys", "A=1\nB=2\n", "A=1\nB=2\nK=N\n"],
    ["a file without a last newline", "A=1", "A=1\nK=N"],
    ["a file with CRLF", "A=1\r\n", "A=1\r\nK=N\r\n"],
    ["a file with CRLF and without a last newline", "A=1\r\nB=2", "A=1\r\nB=2\r\nK=N"],
    ["a key with the same ending", "MY_K=1\n", "MY_K=1\nK=N\n"],
    ["a key with the same start", "K_OLD=1\n", "K_OLD=1\nK=N\n"],
    ["the key in a comment", "# K=old\n", "# K=old\nK=N\n"],
    ["the key in a comment after a value", "A=1 # K=old\n", "A=1 # K=old\nK=N\n"],
    ["the key in a value", "A='K=old'\n", "A='K=old'\nK=N\n"],
    ["the key in a multi-line value", 'A="\nK=old\n"\n', 'A="\nK=old\n"\nK=N\n'],
    ["the key alone on a line", "K\n", "K\nK=N\n"],
  ])("adds the token: %s", (_, before, after) => {
    expect(edit(before)).toBe(after);
  });

  it.each([
    ["a bare value", "K=old\n", "K=N\n"],
    ["no last newline", "K=old", "K=N"],
    ["an empty value", "K=\n", "K=N\n"],
    ["an empty value at the end", "K=", "K=N"],
    ["an empty value before other keys", "K=\nA=1\n", "K=N\nA=1\n"],
    ["an empty value and CRLF", "K=\r\nA=1\r\n", "K=N\r\nA=1\r\n"],
    ["empty quotes", 'K=""\n', 'K="N"\n'],
    ["spaces around =", "K = old\n", "K = N\n"],
    ["spaces before the key", "  K=old\n", "  K=N\n"],
    ["spaces after the value", "K=old  \n", "K=N  \n"],
    ["export", "export K=old\n", "export K=N\n"],
    ["export and many spaces", "export   K=old\n", "export   K=N\n"],
    ["double quotes", 'K="old"\n', 'K="N"\n'],
    ["single quotes", "K='old'\n", "K='N'\n"],
    ["back quotes", "K=`old`\n", "K=`N`\n"],
    ["quotes after a space", 'K= "old"\n', 'K= "N"\n'],
    ["escaped quotes", 'K="a\\"b"\n', 'K="N"\n'],
    ["a multi-line value", 'K="a\nb"\nA=1\n', 'K="N"\nA=1\n'],
    ["a colon", "K: old\n", "K: N\n"],
    ["a colon and quotes", 'K: "old"\n', 'K: "N"\n'],
    ["a colon and no value", "K: \n", "K: N\n"],
    ["a colon without a space", "K:\n", "K: N\n"],
    ["a colon without a space, and CRLF", "K:\r\n", "K: N\r\n"],
    ["a trailing comment", "K=old # mine\n", "K=N # mine\n"],
    ["a trailing comment after quotes", 'K="old" # mine\n', 'K="N" # mine\n'],
    ["a trailing comment after an empty value", "K= # mine\n", "K=N # mine\n"],
    ["a comment without a space", "K=old#mine\n", "K=N#mine\n"],
    ["CRLF", "A=1\r\nK=old\r\nB=2\r\n", "A=1\r\nK=N\r\nB=2\r\n"],
    ["a BOM", "\uFEFFK=old\n", "\uFEFFK=N\n"],
    ["a key between other keys", "A=1\nK=old\nB=2\n", "A=1\nK=N\nB=2\n"],
    ["every assignment", "K=a\nA=1\nexport K='b'\n", "K=N\nA=1\nexport K='N'\n"],
    ["every assignment except in comments", "# K=a\nK=b\n#K=c\n", "# K=a\nK=N\n#K=c\n"],
    ["a key after a multi-line value", "A='x\nK=y'\nK=old\n", "A='x\nK=y'\nK=N\n"],
    ["a value with dollars", "K=$1$&$`\n", "K=N\n"],
    ["a value with =", "K=a=b=c\n", "K=N\n"],
    ["the same value", `K=${NEW}\n`, "K=N\n"],
  ])("replaces a value: %s", (_, before, after) => {
    expect(edit(before)).toBe(after);
  });

  it.each([
    ["an unclosed quote", 'K="old\nA=1\n', "K=N\nA=1\n"],
    ["an unclosed quote that seems to end further down", "K='a\nA='1'\n", "K=N\nA='1'\n"],
    ["a stray quote further up", 'A="x\nK=\n', 'A="x\nK=N\n'],
    ["text after the closing quote", 'K="a" b\n', "K=N\n"],
    ["a value on the next line", "K=\n'old'\n", "K=\n'N'\n"],
    ["export on a separate line", "export\nK=old\n", "export\nK=N\n"],
    ["CR line endings", "K=old\rA=1\r", "K=N\rA=1\r"],
  ])("reads odd text as dotenv does: %s", (_, before, after) => {
    expect(edit(before)).toBe(after);
  });

  it("sets name and file as the origin of the values that it keeps", () => {
    const parts = withToken("A=1\n", "/r/.env", KEY, secret(NEW)) ?? [];
    const origins = parts.flatMap((part) => (typeof part === "string" ? [] : part.origin));
    expect(origins).toEqual([{ kind: "env-file", name: "A", path: "/r/.env" }, { kind: "stdin" }]);
  });

  it("keeps bytes that are not UTF-8", () => {
    const bytes = Buffer.concat([
      Buffer.from("# caf"),
      Buffer.from([0xe9]),
      Buffer.from(`\n${KEY}=old\nN=\xfc\n`, "latin1"),
    ]);
    const { text, encoding } = decode(bytes) ?? { text: "", encoding: "utf8" };
    const after = encode({ parts: withToken(text, ".env", KEY, secret(NEW)) ?? [], encoding });
    expect(encoding).toBe("latin1");
    expect(after.toString("latin1")).toBe(`# café\n${KEY}=${NEW}\nN=ü\n`);
  });
});

describe("decode", () => {
  it.each([
    ["UTF-8", Buffer.from("é"), { text: "é", encoding: "utf8" }],
    ["Latin-1", Buffer.from([0xe9]), { text: "é", encoding: "latin1" }],
    ["a BOM", Buffer.from("\uFEFFA"), { text: "\uFEFFA", encoding: "utf8" }],
    ["an empty file", Buffer.alloc(0), { text: "", encoding: "utf8" }],
    ["UTF-16", Buffer.from("A=1", "utf16le"), undefined],
    ["a NUL byte", Buffer.from([65, 0]), undefined],
  ])("%s", (_, bytes, expected) => {
    expect(decode(bytes)).toEqual(expected);
  });
});

describe("adding a name to .env.example", () => {
  it.each([
    ["", "K=\n"],
    ["A=1\n", "A=1\nK=\n"],
    ["A=1", "A=1\nK="],
    ["A=1\r\n", "A=1\r\nK=\r\n"],
    ["K=\n", "K=\n"],
    ["K=here\n", "K=here\n"],
    ["export K=\n", "export K=\n"],
    ["# K=\n", "# K=\nK=\n"],
  ])("%j -> %j", (before, after) => {
    expect(withNames(before.replaceAll("K", KEY), [KEY])).toBe(after.replaceAll("K", KEY));
  });
});

describe("redacted values", () => {
  it.each([
    ["A=hunter2\n", /^A=\[secret \w{8}\]\n$/],
    ["A='hunter2' # why\r\n", /^A='\[secret \w{8}\]' # why\r\n$/],
    ['A="hunter2\nhunter2"\n', /^A="\[secret \w{8}\]"\n$/],
    ["export A: hunter2", /^export A: \[secret \w{8}\]$/],
    ["A=\n# B\n", /^A=\n# B\n$/],
  ])("%j", (text, expected) => {
    const seen = { parts: redacted(text, ".env"), encoding: "utf8" } as const;
    expect(shown(seen)).toMatch(expected);
    expect(holdsSecret(seen)).toBe(text.includes("hunter2"));
  });

  // Names and plain words are shown, but nothing that may be part of a value.
  it.each<[string, string]>([
    [
      "# Production, of the team's own account.\nPORT=\n",
      "# Production, of the team's own account.\nPORT=\n",
    ],
    ["# DB_PASSWORD=hunter2\n", "?\n"],
    ["# was hunter2\n", "?\n"],
    [`${PERSONAL}: the token of production\n`, "??\n"],
    ["hunter2: my password\n", "??\n"],
    ["KEY=-----BEGIN KEY-----\nMIIEabc\n+a/b\nabcQ==\n-----END KEY-----\n", "KEY=?\n?\n?\n??\n?\n"],
    [
      "just hunter2\r\n  export STRIPE_KEY='x' # it's old\r\n",
      "?\r\n  export STRIPE_KEY='?' # it's old\r\n",
    ],
    ["A=1 # hunter2\n", "A=??\n"],
    ["\uFEFFA=1\n", "\uFEFFA=?\n"],
  ])("%j is shown as %j", (text, expected) => {
    const parts = redacted(text, ".env");
    const seen = shown({ parts, encoding: "utf8" });
    expect(seen.replaceAll(/\[secret \w{8}\]/g, "?")).toBe(expected);
    expect(encode({ parts, encoding: "utf8" }).toString()).toBe(text);
  });

  it("the last of several assignments is read", () => {
    expect(readEnvFile("A=1\nA='2'\nB=\n")).toEqual(
      new Map([
        ["A", "2"],
        ["B", ""],
      ]),
    );
  });
});

describe("an edit takes linear time", () => {
  it.each([
    ["empty lines", "\n".repeat(500_000)],
    ["spaces", `A=${" ".repeat(500_000)}'`],
    ["names", Array.from({ length: 20_000 }, (_, i) => `A${i}=\n`).join("")],
    ["quotes", "A='\n".repeat(50_000)],
    ["escaped quotes", "A='\\'x\n".repeat(50_000)],
  ])("%s", (_, text) => {
    const seconds = cpuTimer();
    expect(withToken(text, ".env", KEY, secret())).toBeDefined();
    withNames(KEY, [...readEnvFile(text).keys()]);
    withoutToken(text, ".env", [secret()]);
    expect(seconds()).toBeLessThan(2);
  });
});
