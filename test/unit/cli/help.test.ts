import { describe, expect, it } from "vitest";
import { COMMANDS, MAIN } from "../../../src/cli/commands.ts";
import { helpFor } from "../../../src/cli/help.ts";
import { globalOptions } from "../../../src/cli/options.ts";

const helpOf = (...argv: readonly string[]) => helpFor(argv, 80) ?? "";
const PLAIN = helpOf("--help");
const WHOLE = helpOf("help", "--all");

/** The options that have a row, in their order. */
const rowsIn = (help: string) =>
  [...help.matchAll(/^ {2}(?:-\w, )?--([a-z-]+)(?: |$)/gm)].map(([, name]) => name);

/** The commands that have a row. */
const namesIn = (help: string) =>
  [...help.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name);

const RARE = COMMANDS.flatMap(({ name, options }) =>
  Object.entries(options).flatMap(([option, { rare }]) => (rare ? [`${name} --${option}`] : [])),
);

describe.each(COMMANDS.map((command) => [command.name, command] as const))(
  "do-bootstrap %s --help",
  (name, { options, examples, describe: purpose }) => {
    const help = helpOf(name, "--help");
    const whole = helpOf(name, "--help", "--all");
    const rare = Object.keys(options).filter((option) => options[option]?.rare);

    it("fits a screen", () => {
      const lines = help.trimEnd().split("\n");
      expect(lines.length).toBeLessThanOrEqual(24);
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
    });

    it("says what it is for, and shows an example", () => {
      expect(help.replace(/\s+/g, " ")).toContain(purpose);
      expect(help).toContain("\nExamples:\n");
    });

    it("shows no rare option, and says how many there are and how to see them", () => {
      expect(rowsIn(help)).toEqual(Object.keys(options).filter((option) => !rare.includes(option)));
      const [shown = ""] = help.split("\nTo see ");
      for (const option of rare) {
        // exec --all is rare; with --help it has another meaning.
        expect(shown).not.toMatch(new RegExp(`--${option}\\b`));
      }
      const { length } = rare;
      const what = length === 1 ? "1 rare option" : `${length} rare options`;
      const last = help.trimEnd().split("\n").at(-1);
      if (length > 0) expect(last).toBe(`To see ${what}: do-bootstrap help ${name} --all`);
      else expect(help).not.toContain("rare");
    });

    it("with --all shows every option and every example", () => {
      expect(rowsIn(whole)).toEqual(Object.keys(options));
      expect(whole).not.toContain("To see ");
      for (const [example] of examples) expect(whole).toContain(`  ${example}`);
      expect(helpOf("help", name, "--all")).toBe(whole);
      expect(helpOf(name, "--all", "-h")).toBe(whole);
    });

    it("uses only its own options in its examples", () => {
      const known = [...Object.keys(options), ...Object.keys(globalOptions), "no-color"];
      const named = examples
        .filter(([line]) => line.includes(`do-bootstrap ${name}`) || name === "init")
        .flatMap(([line]) => line.replace(/ -- .*/, "").match(/(?<=\s--)[a-z-]+/g) ?? []);
      expect(named.filter((option) => !known.includes(option))).toEqual([]);
    });
  },
);

it.each<[command: string, options: string]>([
  ["init", "env token-stdin dry-run yes"],
  ["check", "env token-stdin all history"],
  ["exec", "env explain"],
  ["login", "env for no-browser dry-run yes"],
  ["scopes", "env for plan"],
  ["env", "env format unset"],
  ["hook", "dry-run yes"],
  ["rotate", "env all token-stdin revoke dry-run yes"],
  ["logout", "env all dry-run yes"],
  ["explain", "env"],
  ["uninstall", "env all dry-run yes"],
  ["ci", "apply dry-run yes"],
  ["completion", ""],
  ["demo", ""],
])("the plain help of %s shows these options: %s", (command, options) => {
  expect(rowsIn(helpOf("help", command)).join(" ")).toBe(options);
});

describe("do-bootstrap --help", () => {
  it("starts with three commands, each with an example", () => {
    const [, lead = ""] = /^Start here:\n(.*?)\n\n/ms.exec(PLAIN) ?? [];
    expect(namesIn(lead)).toEqual(["init", "check", "exec"]);
    expect(lead.match(/(?<=^ {9})do-bootstrap.*(?= # )/gm)?.map((line) => line.trim())).toEqual([
      "do-bootstrap",
      "do-bootstrap check",
      "do-bootstrap exec -- terraform plan",
    ]);
    expect(MAIN.map(({ name }) => name)).toEqual(namesIn(lead));
  });

  it("has a row for every common command and names the rare ones", () => {
    const rare = COMMANDS.filter((command) => command.rare).map(({ name }) => name);
    const common = COMMANDS.filter((command) => !command.rare).map(({ name }) => name);
    expect(namesIn(PLAIN)).toEqual(common);
    expect(PLAIN).toContain(`\n  Also: ${rare.join(", ")}\n`);
    for (const option of Object.keys(globalOptions)) expect(PLAIN).toContain(`--${option}`);
  });

  it("has at most 26 lines of 80 columns", () => {
    const lines = PLAIN.trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(26);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it("says how many rare options there are", () => {
    expect(RARE.length).toBeGreaterThan(30);
    const last = PLAIN.trimEnd().split("\n").at(-1);
    expect(last).toBe(`To see ${RARE.length} rare options: do-bootstrap help --all`);
  });

  it("with --all has every command and every rare option", () => {
    expect(namesIn(WHOLE)).toEqual(COMMANDS.map(({ name }) => name));
    const parts = [...WHOLE.matchAll(/^Rare options of (\w+):\n(.*?)\n\n/gms)];
    const shown = parts.flatMap(([, name, rows = ""]) =>
      rowsIn(rows).map((option) => `${name} --${option}`),
    );
    expect(shown).toEqual(RARE);
    expect(WHOLE).not.toContain("To see ");
    expect(helpOf("--help", "--all")).toBe(WHOLE);
    expect(WHOLE.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it.each([
    ["-h", "do-bootstrap [COMMAND]"],
    ["--debug --help", "do-bootstrap [COMMAND]"],
    ["nonsense --help", "do-bootstrap [COMMAND]"],
    ["exec -h", "do-bootstrap exec"],
    ["ci -h", "do-bootstrap ci github|gitlab|hcp"],
    ["hook -h", "do-bootstrap hook install|remove"],
    ["scopes -h", "do-bootstrap scopes [DIR…]"],
    ["--no-color exec --help", "do-bootstrap exec"],
    ["exec --env prod --help", "do-bootstrap exec"],
    ["exec -- ls --help", undefined],
    ["exec ls -h", undefined],
    ["exec ls --help --all", undefined],
    ["check --all", undefined],
    ["check", undefined],
  ])("%s", (line, usage) => {
    const help = helpFor(line.split(" "), 80);
    expect(help && /^Usage: (.*?)(?= \[options)/m.exec(help)?.[1]).toBe(usage);
  });
});
