import { expect, it } from "vitest";
import { readDockerIgnore } from "../../../../src/commands/leaks/docker-ignore.ts";
import { Work } from "../../../../src/lib/work.ts";

// The rules of moby's patternmatcher and its tests.
it.each<[text: string, path: string, isIgnored: boolean]>([
  ["", ".env", false],
  [".env", ".env", true],
  [".env", "a/.env", false],
  ["**/.env", "a/b/.env", true],
  ["**/.env", ".env", true],
  ["/.env", ".env", true],
  ["./.env", ".env", true],
  ["a/../.env", ".env", true],
  [".ENV", ".env", false],
  ["  .env  ", ".env", true],
  ["\ufeff.env", ".env", true],
  ["# .env", ".env", false],
  ["a", "a/b/c", true],
  ["a/", "a/b/c", true],
  ["*/c", "a/c", true],
  ["*/c", "a/b/c", false],
  ["a*", "a/b", true],
  ["?.env", "a.env", true],
  ["?.env", "/.env", false],
  ["[a-c].env", "b.env", true],
  ["[a-c].env", "d.env", false],
  ["[^a-c].env", "d.env", true],
  ["[^a-c].env", "a.env", false],
  ["[\\]a].env", "].env", true],
  ["[a", "[a", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "axb", false],
  ["(a|b)+", "(a|b)+", true],
  ["(a|b)+", "ab", false],
  ["(((", "x", false],
  ["*\n!.env", ".env", false],
  ["*\n! .env", ".env", false],
  ["!.env\n*", ".env", true],
  ["a\n!a/.env", "a/.env", false],
  ["a\n!a/b\na/b/c", "a/b/c", true],
  ["**\n!**/.env", "a/.env", false],
])("%j ignores %s: %s", (text, path, isIgnored) => {
  expect(readDockerIgnore(text, new Work()).ignores(path)).toBe(isIgnored);
});
