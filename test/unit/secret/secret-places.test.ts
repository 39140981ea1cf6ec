import { describe, expect, it } from "vitest";
import { type Content, content, encode, shown, withOthers } from "../../../src/secret/content.ts";
import { growthOf, LINEAR } from "../../fixtures/cpu.ts";
import { LEGACY, OTHER, PERSONAL, secret } from "../samples.ts";

/** T is the token, L a token without a prefix. */
const written = (text: string) => text.replaceAll("T", PERSONAL).replaceAll("L", LEGACY);
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("the places of a secret in bytes", () => {
  it.each<readonly [form: string, bytes: string | Buffer, token: string, at: number]>([
    ["unencoded", `a ${PERSONAL}`, PERSONAL, 2],
    ["inside a word", `Bearer:${LEGACY}x`, LEGACY, 7],
    ["in UTF-16", Buffer.from(`a ${LEGACY}`, "utf16le"), LEGACY, 4],
    ["in big-endian UTF-16", Buffer.from(`a${PERSONAL}`, "utf16le").swap16(), PERSONAL, 3],
    ["URL-encoded in part", `=${PERSONAL.replaceAll("_", "%5F")}`, PERSONAL, 1],
    ["URL-encoded in another part", `=%64${PERSONAL.slice(1)}`, PERSONAL, 1],
    ["escaped in JSON", `"\\u0064${PERSONAL.slice(1).replace("_", "\\u005f")}"`, PERSONAL, 1],
    ["in hex", `a ${Buffer.from(PERSONAL).toString("hex")}`, PERSONAL, 2],
    ["in upper-case hex", Buffer.from(LEGACY).toString("hex").toUpperCase(), LEGACY, 0],
    ["escaped in JSON in JSON", `\\"${LEGACY.replace("a", "\\\\u0061")}`, LEGACY, 2],
    ["escaped in a shell", `$'${PERSONAL.replaceAll("_", "\\x5f")}'`, PERSONAL, 2],
  ])("%s", (_, bytes, token, at) => {
    expect(secret(token).placesIn(Buffer.from(bytes))).toEqual([at]);
  });

  it.each([0, 1, 2, 3])("in base64, after %i characters", (count) => {
    const text = base64(`${"x".repeat(count)}${PERSONAL}:y`);
    expect(secret().placesIn(Buffer.from(text))).not.toEqual([]);
  });

  it.each([OTHER, PERSONAL.slice(0, -1), "%", "\\u0064op", ""])("nowhere in %j", (text) => {
    expect(secret().placesIn(Buffer.from(text))).toEqual([]);
  });

  it("a file of backslashes and partial tokens takes linear time", async () => {
    const search = (size: number) => {
      const halves = PERSONAL.slice(0, 60).repeat(size / 60);
      expect(secret().placesIn(Buffer.from("\\".repeat(size) + halves))).toEqual([]);
    };
    expect(await growthOf(search, 100_000)).toBeLessThan(LINEAR);
  });
});

describe("replacing a secret in a content", () => {
  const hidden = (text: string) => secret(written(text));
  it.each<readonly [what: string, before: Content, replaced: string, cut: string]>([
    ["in a comment", content(written("# T\n")), `# ${OTHER}\n`, "# \n"],
    ["twice in a line", content(written("T:T")), `${OTHER}:${OTHER}`, ":"],
    ["in a hidden value", content("A=", hidden("Bearer T")), `A=Bearer ${OTHER}`, "A=Bearer "],
    ["as a hidden value", content("A=", hidden("T"), "\r\n"), `A=${OTHER}\r\n`, "A=\r\n"],
    ["before more digits", content(written("T0")), written("T0"), written("T0")],
    ["nowhere", content("a", hidden("b")), "ab", "ab"],
  ])("%s", (_, before, replaced, cut) => {
    const other = secret(OTHER);
    const after = withOthers(before, [secret()], () => other);
    expect(encode(after).toString()).toBe(replaced);
    expect(encode(withOthers(before, [secret()], () => undefined)).toString()).toBe(cut);
    // Neither the new secret nor the hidden value is shown.
    expect(shown(after)).not.toContain(OTHER);
    expect(shown(after)).not.toContain("Bearer");
  });

  it.each([
    ["L", OTHER],
    ["=L.", `=${OTHER}.`],
    ["aL", "aL"],
    ["La", "La"],
    ["%3DL", `%3D${OTHER}`],
  ])("a token without a prefix in %j, but not in a longer run of digits", (text, expected) => {
    const after = withOthers(content(written(text)), [secret(LEGACY)], () => secret(OTHER));
    expect(encode(after).toString()).toBe(written(expected));
  });
});
