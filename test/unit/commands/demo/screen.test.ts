import { describe, expect, it } from "vitest";
import { onScreen, shortened } from "../../../../src/commands/demo/screen.ts";

const GREEN = (text: string) => `\x1b[32m${text}\x1b[39m`;

describe("an output in a scene", () => {
  it.each([
    ["all of it", "+ a\n+ b\n", "+ a\n+ b"],
    ["a gap is one line", "x\ny\n+ a\n\nz\n+ b\nz\n", "…\n+ a\n…\n+ b\n…"],
    ["empty lines are no gap", "+ a\n\n+ b\n\n", "+ a\n+ b"],
    ["nor is progress", "Reading the Terraform code …\n+ a\n", "+ a"],
    ["colours are kept, and are no text", `${GREEN("+")} a\n`, `${GREEN("+")} a`],
  ])("shortened: %s", (_, output, shown) => {
    expect(shortened(output, /^\+/)).toBe(shown);
  });

  const word = "nine-long";
  const words = (count: number) => Array(count).fill(word).join(" ");
  it.each([
    ["79 characters", words(8), words(8)],
    ["under the text behind a mark", `✓ ${words(9)}`, `✓ ${words(7)}\n  ${words(2)}`],
    ["under an indented mark", `  → ${words(8)}`, `  → ${words(7)}\n    ${word}`],
    ["without a mark", words(9), `${words(8)}\n${word}`],
    ["colours have no width", GREEN(words(8)), GREEN(words(8))],
    ["an address is left whole", `a https://${"x".repeat(80)}`, `a\nhttps://${"x".repeat(80)}`],
  ])("at 80 columns: %s", (_, text, shown) => {
    expect(onScreen(text)).toBe(shown);
  });
});
