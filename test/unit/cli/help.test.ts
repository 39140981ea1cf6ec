import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { helpFor } from "../../../src/cli/help.ts";
import { globalOptions } from "../../../src/cli/options.ts";

/** A screen of 80 × 24 has a line for the prompt. init has more options than lines. */
const LINES: Readonly<Record<string, number>> = { init: 40 };
const WHOLE = helpFor(["--help"], 80) ?? "";

describe.each(COMMANDS.map((command) => [command.name, command] as const))(
  "do-bootstrap %s --help",
  (name, { options, examples, describe: purpose }) => {
    const help = helpFor([name, "--help"], 80) ?? "";

    it("fits a screen", () => {
      const lines = help.trimEnd().split("\n");
      expect(lines.length).toBeLessThanOrEqual(LINES[name] ?? 24);
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
    });

    it("says what it is for, names every option and shows an example", () => {
      expect(help.replace(/\s+/g, " ")).toContain(purpose);
      for (const option of Object.keys(options))
        expect(help).toMatch(new RegExp(`(?:  |, )--${option} `));
      expect(examples.length).toBeGreaterThan(0);
      for (const [example] of examples) expect(help).toContain(`  ${example}`);
    });

    it("names options that are its own only", () => {
      const known = [...Object.keys(options), ...Object.keys(globalOptions), "no-color"];
      const named = examples
        .filter(([line]) => line.includes(`do-bootstrap ${name}`) || name === "init")
        .flatMap(([line]) => line.replace(/ -- .*/, "").match(/(?<=\s--)[a-z-]+/g) ?? []);
      expect(named.filter((option) => !known.includes(option))).toEqual([]);
    });
  },
);

describe("do-bootstrap --help", () => {
  it("names every command and every option that all have", () => {
    const names = [...WHOLE.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name);
    expect(names).toEqual(COMMANDS.map(({ name }) => name));
    for (const option of Object.keys(globalOptions)) expect(WHOLE).toContain(`--${option}`);
  });

  it("fits a screen but for a few lines", () => {
    const lines = WHOLE.trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(32);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it.each([
    ["-h", "do-bootstrap [COMMAND]"],
    ["--debug --help", "do-bootstrap [COMMAND]"],
    ["nonsense --help", "do-bootstrap [COMMAND]"],
    ["exec -h", "do-bootstrap exec"],
    ["ci -h", "do-bootstrap ci github|gitlab"],
    ["hook -h", "do-bootstrap hook install|remove"],
    ["scopes -h", "do-bootstrap scopes [DIR…]"],
    ["--no-color exec --help", "do-bootstrap exec"],
    ["exec --env prod --help", "do-bootstrap exec"],
    ["exec -- ls --help", undefined],
    ["exec ls -h", undefined],
    ["check", undefined],
  ])("%s", (line, usage) => {
    const help = helpFor(line.split(" "), 80);
    expect(help && /^Usage: (.*?)(?= \[options)/m.exec(help)?.[1]).toBe(usage);
  });
});
