import { describe, expect, it } from "vitest";
import { readHcl } from "../../../src/hcl/hcl.ts";
import { readTfJson } from "../../../src/hcl/tf-json.ts";
import data from "../../../src/scopes/data/scopes.json" with { type: "json" };
import type { ExpectedScopes } from "../../fixtures/scopes/fixture.ts";
import { SCOPE_FIXTURES } from "../../fixtures/scopes/index.ts";

interface Scope {
  readonly documented: boolean;
  readonly requires: readonly string[];
  readonly requires_inferred?: readonly string[];
}

const SCOPES: ReadonlyMap<string, Scope> = new Map(Object.entries(data.scopes));

function isBroken([path, text]: readonly [string, string]): boolean {
  if (/\.(tf|tofu)\.json$/.test(path)) return readTfJson(text, path).problem !== undefined;
  return /\.(tf|tofu)$/.test(path) && readHcl(text, path).problem !== undefined;
}

/** The scopes that a scope requires: documented, or else inferred. */
function requiredBy(name: string): readonly string[] {
  const scope = SCOPES.get(name);
  if (scope === undefined) return [];
  return scope.documented ? scope.requires : (scope.requires_inferred ?? scope.requires);
}

function closed(own: readonly string[]): Set<string> {
  const all = new Set(own);
  // The loop also visits items that are added during it.
  for (const name of all) for (const each of requiredBy(name)) all.add(each);
  return all;
}

const CASES = SCOPE_FIXTURES.flatMap(({ name, apply, plan, destroy }) =>
  Object.entries({ apply, plan, destroy }).flatMap(([purpose, expected]) =>
    expected === undefined
      ? []
      : [[`${name}: ${purpose}`, expected] as readonly [string, ExpectedScopes]],
  ),
);

describe("scope fixtures", () => {
  it("have unique names", () => {
    const names = SCOPE_FIXTURES.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it.each(SCOPE_FIXTURES.map(({ name, files }) => [name, files] as const))(
    "%s: has a Terraform file",
    (_, files) => {
      expect(Object.keys(files).some((path) => /\.(tf|tofu)(\.json)?$/.test(path))).toBe(true);
    },
  );

  it.each(SCOPE_FIXTURES.map((fixture) => [fixture.name, fixture] as const))(
    "%s: lists its broken files and only existing modules",
    (_, { files, broken = [], unseen = [] }) => {
      const texts = Object.values(files).join("\n");
      const unread = Object.entries(files).filter(isBroken);
      expect(unread.map(([path]) => path)).toEqual(broken);
      expect(unseen.filter((each) => !texts.includes(/\((.*)\)$/.exec(each)?.[1] ?? each))).toEqual(
        [],
      );
    },
  );

  it.each(CASES)("%s: every scope exists", (_, { own, required, maybe = [] }) => {
    const names = [...Object.keys(own), ...required, ...maybe];
    expect(names.filter((name) => !SCOPES.has(name))).toEqual([]);
  });

  it.each(CASES)("%s: required is everything that the scopes require", (_, { own, required }) => {
    const rest = [...closed(Object.keys(own))].filter((name) => own[name] === undefined);
    expect([...required].sort()).toEqual(rest.sort());
  });

  it.each(SCOPE_FIXTURES.map((fixture) => [fixture.name, fixture] as const))(
    "%s: apply needs what plan and destroy need",
    (_, { apply, plan, destroy }) => {
      const all = Object.keys(apply.own);
      const others = Object.keys({ ...plan?.own, ...destroy?.own });
      expect(others.filter((name) => !all.includes(name))).toEqual([]);
    },
  );

  it.each(CASES)("%s: no scope is listed twice", (_, { own, required, maybe = [] }) => {
    const names = [...Object.keys(own), ...required, ...maybe];
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});
