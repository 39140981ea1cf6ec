import { describe, expect, it } from "vitest";
import corrections from "../../../src/scopes/data/corrections.json" with { type: "json" };
import operations from "../../../src/scopes/data/operations.json" with { type: "json" };
import sources from "../../../src/scopes/data/sources.json" with { type: "json" };
import { loadScopeData, type TypeScopes } from "../../../src/scopes/data.ts";

/** Every string in data that contains only scopes. */
function stringsIn(data: unknown): string[] {
  if (typeof data === "string") return [data];
  return typeof data === "object" && data !== null ? Object.values(data).flatMap(stringsIn) : [];
}

function scopesOfType(type: TypeScopes): string[] {
  const { create, read, update, delete: destroy, import: adopt, conditional, maybe = [] } = type;
  const alternatives = Object.entries(type.alternatives ?? {});
  const some = [...conditional, ...maybe].map(({ scope }) => scope);
  return [...stringsIn([create, read, update, destroy, adopt, alternatives]), ...some];
}

const { scopes, resources, dataSources } = await loadScopeData();
const KNOWN = new Set(Object.keys(scopes));
const LISTED: ReadonlyMap<string, unknown> = new Map(Object.entries(operations));
const TYPES = [...Object.values(resources), ...Object.values(dataSources)];
const NAMED: Record<string, string[]> = {
  "operations.json": stringsIn(operations),
  "scopes.json": Object.values(scopes).flatMap((each) =>
    stringsIn([
      each.requires,
      each.requires_inferred,
      each.granted_by,
      "associated" in each && each.associated,
    ]),
  ),
  "terraform-scopes.json": TYPES.flatMap(scopesOfType),
};

describe("the scopes named by a data file", () => {
  it.each(Object.entries(NAMED))("%s: all are in scopes.json", (_, names) => {
    expect(names.length).toBeGreaterThan(100);
    expect([...new Set(names)].filter((name) => !KNOWN.has(name))).toEqual([]);
  });
});

describe("a correction", () => {
  const ALL = corrections.flatMap((each) => Object.entries(each.operations));
  it.each(ALL)("of %s is in operations.json", (operation, { was, now }) => {
    expect(LISTED.get(operation)).toEqual(now);
    expect(was).not.toEqual(now);
  });

  it("is listed once, with its source, date and reason", () => {
    const names = ALL.map(([name]) => name);
    expect(names).toEqual([...new Set(names)]);
    for (const { source, date, reason } of corrections) {
      expect(date).toMatch(/^\d{4}-\d\d-\d\d$/);
      expect([source, reason]).not.toContain("");
    }
  });
});

describe("the sources", () => {
  it("cover every data file", () => {
    expect(Object.keys(sources)).toEqual(Object.keys(NAMED));
  });

  it("name commits by their full id", () => {
    const commits = [
      sources["operations.json"],
      ...Object.values(sources["terraform-scopes.json"]),
    ];
    const ids = JSON.stringify(commits).match(/"commit":"[^"]*"/g) ?? [];
    expect(ids).toHaveLength(3);
    expect(ids.filter((id) => !/"[0-9a-f]{40}"$/.test(id))).toEqual([]);
  });
});
