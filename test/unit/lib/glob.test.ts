import { describe, expect, it } from "vitest";
import { type GlobDialect, matchesGlob } from "../../../src/lib/glob.ts";

const SLUG = { isFull: true, isByFolders: true };
const GITLAB = { isFull: false, isByFolders: false };

it.each<[pattern: string, path: string, dialect: GlobDialect, expected: boolean]>([
  ["", "", SLUG, true],
  ["", "a", SLUG, false],
  ["a", "", SLUG, false],
  ["*", "", SLUG, true],
  ["*", "a/b", SLUG, false],
  ["*b", "ab", SLUG, true],
  ["a*b*c", "a1b2b3c", SLUG, true],
  ["a*b*c", "a1b2b3", SLUG, false],
  ["?", "é", SLUG, true],
  ["?", "😀", SLUG, true],
  ["?", "/", SLUG, false],
  ["?", "a", GITLAB, false],
  ["?", "?", GITLAB, true],
  ["\\*", "*", SLUG, true],
  ["\\*", "a", SLUG, false],
  ["\\", "\\", SLUG, true],
  ["**/x", "x", SLUG, true],
  ["**/x", "a/b/x", SLUG, true],
  ["**/x", "ax", SLUG, false],
  ["a**b", "a/b", SLUG, true],
  ["a**b", "ac/b", SLUG, true],
  ["a**b", "acb", SLUG, false],
  ["a**b", "acb", GITLAB, true],
  ["a**b", "a/c/b", GITLAB, true],
  ["a/**", "a/", SLUG, true],
  ["a/**", "a", SLUG, false],
  ["[a]", "a", SLUG, false],
  ["(a|b)", "(a|b)", GITLAB, true],
  ["a.c", "abc", GITLAB, false],
])("%j matches %j in %j: %s", (pattern, path, dialect, expected) => {
  expect(matchesGlob(pattern, path, dialect)).toBe(expected);
});

describe("a hostile pattern is matched", () => {
  it.each<[what: string, pattern: string, slug: boolean, gitlab: boolean]>([
    ["pairs of * and ?", "*?".repeat(500), false, false],
    ["stars and letters", "*o".repeat(500), false, false],
    ["double stars and letters", "**o".repeat(500), false, false],
    ["folders", "**/".repeat(500), true, false],
    ["100 000 stars", "*".repeat(100_000), true, true],
  ])("%s", (_, pattern, slug, gitlab) => {
    const path = `${"o".repeat(200)}x`;
    expect(matchesGlob(pattern, path, SLUG)).toBe(slug);
    expect(matchesGlob(pattern, path, GITLAB)).toBe(gitlab);
  });
});
