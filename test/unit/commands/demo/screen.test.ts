import { describe, expect, it } from "vitest";
import { onScreen, shortened } from "../../../../src/commands/demo/screen.ts";

const GREEN = (text: string) => `\x1b[32m${text}\x1b[39m`;

describe("output in a demo scene", () => {
  it.each([
    ["all of it", "+ a\n+ b\n", "+ a\n+ b"],
    ["a gap becomes one line", "x\ny\n+ a\n\nz\n+ b\nz\n", "…\n+ a\n…\n+ b\n…"],
    ["empty lines are not a gap", "+ a\n\n+ b\n\n", "+ a\n+ b"],
    ["progress lines are not a gap", "Reading the Terraform code …\n+ a\n", "+ a"],
    ["colours are kept and don't affect the match", `${GREEN("+")} a\n`, `${GREEN("+")} a`],
  ])("shortened: %s", (_, output, shown) => {
    expect(shortened(output, /^\+/)).toBe(shown);
  });

  const word = "nine-long";
  const words = (count: number) => Array(count).fill(word).join(" ");
  it.each([
    ["79 characters fit", words(8), words(8)],
    ["wraps under the text after a mark", `✓ ${words(9)}`, `✓ ${words(7)}\n  ${words(2)}`],
    ["wraps under an indented mark", `  → ${words(8)}`, `  → ${words(7)}\n    ${word}`],
    ["wraps without a mark", words(9), `${words(8)}\n${word}`],
    ["colours have no width", GREEN(words(8)), GREEN(words(8))],
    ["an address is not split", `a https://${"x".repeat(80)}`, `a\nhttps://${"x".repeat(80)}`],
  ])("at 80 columns: %s", (_, text, shown) => {
    expect(onScreen(text)).toBe(shown);
  });
});
