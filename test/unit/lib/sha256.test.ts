import fc from "fast-check";
import { expect, it } from "vitest";
import { quickSha256, sha256 } from "../../../src/lib/sha256.ts";

it.each([
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
])("the SHA-256 of %j matches the standard", (text, digest) => {
  expect(quickSha256(text)).toBe(digest);
});

it("matches Node's result for any length up to four blocks", () => {
  for (let length = 0; length < 256; length++) {
    const text = "dop_v1_é".repeat(40).slice(0, length);
    expect(quickSha256(text)).toBe(sha256(text));
  }
});

it("matches Node's result for any text", () => {
  const check = (text: string) => quickSha256(text) === sha256(text);
  fc.assert(fc.property(fc.string({ unit: "binary" }), check));
});
