import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { COMMANDS } from "../../src/cli/commands.ts";
import { globalOptions, lookOptions } from "../../src/cli/options.ts";
import { resolveConfig } from "../../src/concerns/config/resolve.ts";
import { validateConfig } from "../../src/concerns/config/validate.ts";
import { EXIT } from "../../src/errors/exit-status.ts";
import { FINDINGS } from "../../src/report/finding-ids.ts";

const folder = (await readdir("docs")).filter((name) => name.endsWith(".md"));
const PAGES = ["README.md", ...folder.map((name) => join("docs", name))];
const texts = new Map(
  await Promise.all(PAGES.map(async (path) => [path, await readFile(path, "utf8")] as const)),
);
const reference = texts.get("docs/reference.md") ?? "";
const findings = texts.get("docs/findings.md") ?? "";

describe("the docs match the program", () => {
  it("the config of the reference is valid, and each of its environments resolves", () => {
    const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(reference) ?? [];
    const written = validateConfig(parse(yaml), "reference.md");
    const around = {
      file: "reference.md",
      base: "/repo",
      packageName: undefined,
      defaultDirs: ["."],
    };
    for (const environment of [undefined, ...Object.keys(written.environments ?? {})]) {
      expect(resolveConfig(written, environment, around).environment).toBe(environment);
    }
  });

  // The design also names options that are not built yet.
  it.each(PAGES.filter((path) => path !== "docs/design.md"))(
    "every option that %s names exists",
    (path) => {
      const known = [globalOptions, lookOptions, ...COMMANDS.map(({ options }) => options)].flatMap(
        Object.keys,
      );
      const ours = texts
        .get(path)
        ?.replace(/(npm|git|terraform|tofu) [^\n`]*|doctl auth[^\n`]*/g, "");
      const named = [...(ours?.matchAll(/--([a-z][a-z-]+)/g) ?? [])].map(([, name]) => name ?? "");
      // Our options, and those of git and pre-commit where their commands are named.
      const others = ["no-verify", "amend", "squash", "apply", "all-files", "from-ref", "to-ref"];
      const all = ["help", "version", ...known, ...(path === "docs/leaks.md" ? others : [])];
      expect(named.filter((name) => !all.includes(name))).toEqual([]);
    },
  );

  it.each(PAGES)("every link of %s has a target", (path) => {
    const links = [...(texts.get(path)?.matchAll(/\]\((?!https?:)([^)#]+)/g) ?? [])];
    const places = links.map(([, link]) => join(dirname(path), link ?? ""));
    expect(places.filter((place) => !existsSync(place))).toEqual([]);
  });

  it("every exit status is in the reference", () => {
    const rows = [...reference.matchAll(/^\| (\d+)\s+\|/gm)].map(([, status]) => Number(status));
    expect(rows).toEqual(Object.values(EXIT));
  });

  it("every finding is in docs/findings.md, with its level", () => {
    const rows = [...findings.matchAll(/^\| `([a-z-]+\.[a-z-]+)` +\| (\w+) +\| (.+) \|$/gm)];
    const known = Object.entries(FINDINGS).map(([id, [level]]) => [id, level]);
    expect(rows.map(([, id, level]) => [id, level])).toEqual(known.sort());
  });
});
