import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { resolveConfig, secondsOf, slugOf } from "../../../../src/concerns/config/resolve.ts";
import { validateConfig } from "../../../../src/concerns/config/validate.ts";

function projectOf(yaml: string, packageName: string | undefined, base: string): string {
  const around = { file: undefined, base, packageName, defaultDirs: ["."] };
  return resolveConfig(validateConfig(parse(yaml), "x"), undefined, around).project;
}

describe("the project", () => {
  it.each([
    ["from the config", "project: acme", "@x/y", "/home/me/folder", "acme"],
    ["the package's name", "", "acme-web", "/home/me/folder", "acme-web"],
    ["the package's name with its scope", "", "@Acme/Web App", "/home/me/folder", "acme-web-app"],
    ["the folder's name", "", undefined, "/home/me/My Project", "my-project"],
    [
      "the folder's name, as the package's has no usable letters",
      "",
      "@",
      "/home/me/folder",
      "folder",
    ],
    ["a default, as there is no name", "", undefined, "/", "project"],
  ])("%s", (_, yaml, packageName, base, expected) => {
    expect(projectOf(yaml, packageName, base)).toBe(expected);
  });

  it.each([
    [undefined, undefined],
    ["", undefined],
    ["/", undefined],
    ["---", undefined],
    ["日本", undefined],
    ["acme", "acme"],
    ["acme.web", "acme-web"],
    ["_private", "private"],
    ["Équipe", "quipe"],
    ["a__b", "a__b"],
    ["a  b--c", "a-b-c"],
    ["trailing-", "trailing"],
    ["C:\\work\\Acme", "acme"],
    ["@acme/web", "acme-web"],
  ])("the slug of %j is %j", (name, slug) => {
    expect(slugOf(name)).toBe(slug);
    if (slug !== undefined) expect(projectOf(`project: ${slug}`, undefined, "/x")).toBe(slug);
  });
});

describe("durations", () => {
  it.each([
    ["0s", 0],
    ["45s", 45],
    ["90m", 5400],
    ["12h", 43_200],
    ["7d", 604_800],
    ["2w", 1_209_600],
    ["007d", 604_800],
  ])("%s is %d seconds", (duration, seconds) => {
    expect(secondsOf(duration)).toBe(seconds);
  });
});
