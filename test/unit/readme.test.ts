import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { COMMANDS } from "../../src/cli/commands.ts";
import { globalOptions, lookOptions } from "../../src/cli/options.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { validateConfig } from "../../src/config/validate.ts";
import { EXIT } from "../../src/errors.ts";
import { FINDINGS } from "../../src/plan/findings.ts";

const readme = await readFile("README.md", "utf8");
const findings = await readFile("docs/findings.md", "utf8");

describe("the README is true", () => {
  it("its config is valid, and each of its environments resolves", () => {
    const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
    const written = validateConfig(parse(yaml), "README.md");
    const around = { file: "README.md", base: "/repo", packageName: undefined, defaultDir: "." };
    for (const environment of [undefined, ...Object.keys(written.environments ?? {})]) {
      expect(resolveConfig(written, environment, around).environment).toBe(environment);
    }
  });

  it("every option that it names exists", () => {
    const known = [globalOptions, lookOptions, ...COMMANDS.map(({ options }) => options)].flatMap(
      Object.keys,
    );
    const ours = readme.replace(/npm [^\n]*|git [^\n`]*|doctl auth[^\n`]*/g, "");
    const named = [...ours.matchAll(/--([a-z][a-z-]+)/g)].map(([, name]) => name);
    expect(named.filter((name) => !known.includes(name ?? ""))).toEqual(["help"]);
  });

  it("every exit status is in its table", () => {
    const rows = [...readme.matchAll(/^\| (\d+)\s+\|/gm)].map(([, status]) => Number(status));
    expect(rows).toEqual(Object.values(EXIT));
  });

  it("every finding is in docs/findings.md, with its level", () => {
    const rows = [...findings.matchAll(/^\| `([a-z-]+\.[a-z-]+)` +\| (\w+) +\| (.+) \|$/gm)];
    expect(rows.map(([, id, level]) => [id, level])).toEqual(
      Object.entries(FINDINGS).map(([id, [level]]) => [id, level]),
    );
  });
});
