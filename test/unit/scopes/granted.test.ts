import { describe, expect, it } from "vitest";
import { readTfJson } from "../../../src/hcl/tf-json.ts";
import { actionsInCode, type Purpose } from "../../../src/scopes/code-actions.ts";
import { loadScopeData } from "../../../src/scopes/data.ts";
import { compare } from "../../../src/scopes/granted.ts";
import { scopesNeeded } from "../../../src/scopes/needed.ts";

const data = await loadScopeData();

const RECORD = { digitalocean_record: { www: { domain: "a.example", type: "A" } } };
const ZONE = { digitalocean_domain: { main: { name: "a.example" } } };
const HELD = { digitalocean_project_resources: { all: { project: "1", resources: [] } } };

function compared(resource: object, purpose: Purpose, granted: string) {
  const { blocks, references } = readTfJson(JSON.stringify({ resource }), "main.tf.json");
  const needs = scopesNeeded(actionsInCode([{ prefix: "", blocks, references }], purpose), data);
  const { missing, excess } = compare(granted.split(" "), needs, [], data);
  return `-${missing.join(" ")} +${excess.join(" ")}`;
}

describe("a token's scopes compared with the code's: missing (-) and excess (+)", () => {
  it.each<readonly [what: string, resource: object, purpose: Purpose, has: string, is: string]>([
    ["exactly the needed scopes", RECORD, "apply", "domain:read domain:update", "- +"],
    ["exactly the needed scopes", RECORD, "destroy", "domain:read domain:update", "- +"],
    [
      "none of the needed scopes",
      RECORD,
      "apply",
      "account:read",
      "-domain:read domain:update +account:read",
    ],
    // A stronger scope is enough, and allows more.
    ["a stronger scope", RECORD, "destroy", "domain:read domain:delete", "- +domain:delete"],
    [
      "another scope",
      RECORD,
      "destroy",
      "domain:read domain:create",
      "-domain:update +domain:create",
    ],
    [
      "stronger scopes",
      RECORD,
      "apply",
      "domain:read domain:create domain:delete",
      // Only this scope allows changing a record.
      "-domain:update +domain:create domain:delete",
    ],
    [
      "all scopes of domains",
      RECORD,
      "apply",
      "domain:create domain:delete domain:read domain:update",
      "- +domain:create domain:delete",
    ],
    ["full access", RECORD, "apply", "write", "- +write"],
    [
      "the scopes that a zone needs",
      { ...ZONE, ...RECORD },
      "apply",
      "domain:create domain:delete domain:read domain:update",
      "- +",
    ],
    [
      "the scopes that a zone needs",
      { ...ZONE, ...RECORD },
      "destroy",
      "domain:delete domain:read",
      "- +",
    ],
    [
      "the scopes that a record needs",
      { ...ZONE, ...RECORD },
      "destroy",
      "domain:read domain:update",
      "-domain:delete +domain:update",
    ],
    ["exactly the needed scopes", HELD, "apply", "project:read project:assign_resource", "- +"],
    ["a scope that includes it", HELD, "apply", "project:read project:update", "- +project:update"],
    [
      "a scope that does not include it",
      HELD,
      "apply",
      "project:read project:delete",
      "-project:assign_resource +project:delete",
    ],
  ])("%s, of %j for %s: %s", (_, resource, purpose, has, is) => {
    expect(compared(resource, purpose, has)).toBe(is);
  });
});

const OPERATIONS = ["create", "read", "update", "delete", "import"] as const;
const STRENGTH = ["read", "assign_resource", "update", "create", "delete"];
const strength = (scope: string) => STRENGTH.indexOf(scope.split(":")[1] ?? "");

describe("the alternatives in the data", () => {
  const all = Object.entries(data.resources).flatMap(([type, facts]) =>
    Object.entries(facts.alternatives ?? {}).map(
      ([scope, others]) => [type, scope, others] as const,
    ),
  );
  it.each(all)("%s: %s has one alternative, which is weaker", (type, scope, others) => {
    const always = OPERATIONS.flatMap((operation) => data.resources[type]?.[operation] ?? []);
    expect(always).toContain(scope);
    expect(others).toHaveLength(1);
    expect(others.map(strength)).toEqual([expect.any(Number)]);
    expect(strength(others[0] ?? "")).toBeGreaterThan(0);
    expect(strength(others[0] ?? "")).toBeLessThan(strength(scope));
  });
});
