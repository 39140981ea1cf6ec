import { sep } from "node:path";
import { describe, expect, it } from "vitest";
import {
  blockLines,
  hasBlock,
  patternOf,
  withoutBlock,
  withPatterns,
} from "../../../src/core/ignore-block.ts";

const BEGIN = "# do-bootstrap: keep secrets and state out of git";
const END = "# do-bootstrap: end";

/** A line "B" or "E" is our begin or end mark. */
function add(text: string, ...patterns: string[]): string {
  const marked = text.replace(/^B(?=\r?$)/gm, BEGIN).replace(/^E(?=\r?$)/gm, END);
  return withPatterns(marked, patterns)
    .replace(new RegExp(`^${BEGIN}(?=\r?$)`, "gm"), "B")
    .replace(new RegExp(`^${END}(?=\r?$)`, "gm"), "E");
}

describe("patterns go into our one block", () => {
  it.each([
    ["no file", "", "B\n.env\nE\n"],
    ["other patterns", "dist/\n", "dist/\n\nB\n.env\nE\n"],
    ["no last newline", "dist/", "dist/\n\nB\n.env\nE\n"],
    ["CRLF", "a\r\nb\r\n", "a\r\nb\r\n\r\nB\r\n.env\r\nE\r\n"],
    ["CRLF, no last newline", "a\r\nb", "a\r\nb\r\n\r\nB\r\n.env\r\nE\r\n"],
    ["a block with patterns", "B\nold\nE\n", "B\nold\n.env\nE\n"],
    ["an empty block", "B\nE\n", "B\n.env\nE\n"],
    ["a block in the middle", "a\nB\nold\nE\nz\n", "a\nB\nold\n.env\nE\nz\n"],
    ["a block with CRLF", "B\r\nold\r\nE\r\nz\r\n", "B\r\nold\r\n.env\r\nE\r\nz\r\n"],
    ["a block at the end, no last newline", "B\nold\nE", "B\nold\n.env\nE"],
    ["a block without its end mark", "B\nold\n", "B\nold\n\nB\n.env\nE\n"],
    ["a comment that only mentions the end", `x ${END}\n`, `x ${END}\n\nB\n.env\nE\n`],
  ])("%s", (_, before, after) => {
    expect(add(before, ".env")).toBe(after);
  });

  it("several patterns, in their order", () => {
    expect(add("", ".env", "*.tfplan", ".terraform/")).toBe("B\n.env\n*.tfplan\n.terraform/\nE\n");
  });

  it("a second time, into the same block", () => {
    expect(add(add("a\n", "x"), "y")).toBe("a\n\nB\nx\ny\nE\n");
  });
});

describe("a block is recognised by its first line", () => {
  it.each([
    BEGIN,
    "# do-bootstrap: keep secrets and state out of the upload",
    "# do-bootstrap: secrets and state stay out of git",
    "# do-bootstrap: secrets and state stay out of the upload",
  ])("%s", (begin) => {
    const text = `a\n\n${begin}\n.env\n${END}\nz\n`;
    expect(hasBlock(text)).toBe(true);
    expect(blockLines(text)).toEqual({ from: 3, to: 5 });
    expect(withoutBlock(text)).toBe("a\nz\n");
    expect(withPatterns(text, ["x"])).toBe(`a\n\n${begin}\n.env\nx\n${END}\nz\n`);
  });

  it("not by a similar line", () => {
    expect(hasBlock("# do-bootstrap: something else\n")).toBe(false);
  });
});

describe("a path as a pattern", () => {
  it.each([
    [".env", ".env"],
    ["config/.env.prod", "config/.env.prod"],
    ["a\\b", sep === "\\" ? "a/b" : "a\\\\b"],
    ["a*b?c", "a\\*b\\?c"],
    ["[id].env", "\\[id\\].env"],
    ["#1.env", "\\#1.env"],
    ["!important", "\\!important"],
    ["a#b!c", "a#b!c"],
    ["with space.env", "with space.env"],
    ["ends in spaces  ", "ends in spaces\\ \\ "],
    ["équipe.env", "équipe.env"],
  ])("%s -> %s", (path, pattern) => {
    expect(patternOf(path)).toBe(pattern);
  });
});
