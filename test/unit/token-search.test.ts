import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { sightingsIn } from "../../src/leaks/sighting.ts";
import { OVERLAP, tokensIn } from "../../src/leaks/token-search.ts";
import { Secret } from "../../src/token/secret.ts";
import { randomToken } from "../fixtures/workbench.ts";

const token = randomToken();
const base64 = (text: string) => Buffer.from(text).toString("base64");
/** As the characters of its bytes. */
const utf16 = (text: string) => `\0${Buffer.from(text, "utf16le").toString("latin1")}`;
const lines = (text: string, width: number) =>
  text.replace(new RegExp(`.{${width}}`, "g"), "$&\n  ");

describe("a token is found", () => {
  it.each<[form: string, text: string]>([
    ["as it is", token],
    ["in code", `token = "${token}"`],
    ["an OAuth token", token.replace("dop", "doo")],
    ["a refresh token", token.replace("dop", "dor")],
    ["in a URL, each character of doubt encoded", `?t=${token.replaceAll("_", "%5F")}&x`],
    ["in JSON, escaped", `"${token.replaceAll("_", "\\u005f")}"`],
    ["in base64", base64(token)],
    ["in base64 behind one byte", base64(`:${token}:`)],
    ["in base64 behind two bytes", base64(`u:${token}`)],
    ["in base64 for URLs", Buffer.from(`>>>???${token}`).toString("base64url")],
    ["in base64 in lines, indented", lines(base64(`user:${token}\n`), 76)],
    ["in base64 of a whole file", base64(`${"# comment\n".repeat(900)}TOKEN=${token}\n`)],
    ["in UTF-16, as PowerShell has it", utf16(token)],
    ["in UTF-16, big end first", utf16(token).slice(1)],
    ["behind text of the same alphabet", `https://x.example/${base64(token)}`],
  ])("%s", (_, text) => {
    const padded = Buffer.from(`${"é\n".repeat(300)}${text}${"\n".repeat(300)}`);
    const found = tokensIn(padded);
    expect(found.map(({ value }) => value.slice(3))).toEqual([token.slice(3)]);
  });

  it("in no time where a file is full of what looks like one", () => {
    const began = process.cpuUsage();
    expect(tokensIn(Buffer.from("X3YxX".repeat(400_000)))).toEqual([]);
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(1500);
  });

  it("also where a stream is cut", () => {
    const text = Buffer.from(`${"x".repeat(2000)}\n${lines(base64(`${token}\n`), 76)}\n`);
    for (let cut = 1900; cut < text.length; cut += 7) {
      const kept = text.subarray(0, cut).subarray(-OVERLAP);
      const [first, second] = [text.subarray(0, cut), Buffer.concat([kept, text.subarray(cut)])];
      expect([...tokensIn(first), ...tokensIn(second)].length, `${cut}`).toBeGreaterThan(0);
    }
  });
});

it.each([
  ["too short", token.slice(0, -1)],
  ["too long", `${token}0`],
  ["another prefix", token.replace("dop", "dox")],
  ["upper case", token.toUpperCase()],
  ["digits alone", token.slice(7)],
  ["noise with the middle of one", `92MV${"A".repeat(300)} X3YxX${"b".repeat(99)} fdjFf`],
])("is none: %s", (_, text) => {
  expect(tokensIn(Buffer.from(text))).toEqual([]);
});

describe("in a file", () => {
  const own = Secret.of(token, { kind: "stdin" });
  it("each stands once, with its first line", () => {
    const other = randomToken();
    const file = Buffer.from(`one\n${other}\n${token} ${other}\n${base64(token)}\n`);
    expect(sightingsIn(file, own, "f").map(({ kind, line }) => [kind, line])).toEqual([
      ["personal", 2],
      ["own", 3],
    ]);
  });

  it.each([0, 1, 2])("an own token of mere digits is found by its value, in base64 at %i", (at) => {
    const legacy = Secret.of(token.slice(7), { kind: "stdin" });
    const text = (value: string) => Buffer.from(`\n${"u".repeat(at)}${value}`);
    expect(sightingsIn(text(token.slice(7)), legacy, "f")).toMatchObject([
      { kind: "own", line: 2 },
    ]);
    const encoded = Buffer.from(`\n${text(token.slice(7)).toString("base64")}`);
    expect(sightingsIn(encoded, legacy, "f")).toMatchObject([{ kind: "own", line: 2 }]);
    expect(sightingsIn(text("0".repeat(64)), legacy, "f")).toEqual([]);
  });

  it("a saved plan is unpacked; a broken one is no reason to stop", () => {
    const plan = zipSync({ tfplan: Buffer.from(`\x0a${token}`), tfstate: Buffer.from("{}") });
    const found = sightingsIn(Buffer.from(plan), own, "tfplan");
    expect(found).toMatchObject([{ kind: "own", line: undefined }]);
    expect(sightingsIn(Buffer.from(plan.slice(0, 60)), own, "tfplan")).toEqual([]);
  });
});
