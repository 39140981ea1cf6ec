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

describe("a token, and what code needs: what is missing (-), and what is too much (+)", () => {
  it.each<readonly [what: string, resource: object, purpose: Purpose, has: string, is: string]>([
    ["the least", RECORD, "apply", "domain:read domain:update", "- +"],
    ["the least", RECORD, "destroy", "domain:read domain:update", "- +"],
    ["nothing", RECORD, "apply", "account:read", "-domain:read domain:update +account:read"],
    // The stronger one serves, and may do more.
    ["the stronger", RECORD, "destroy", "domain:read domain:delete", "- +domain:delete"],
    ["another", RECORD, "destroy", "domain:read domain:create", "-domain:update +domain:create"],
    [
      "the stronger ones",
      RECORD,
      "apply",
      "domain:read domain:create domain:delete",
      // A record is changed with this one alone.
      "-domain:update +domain:create domain:delete",
    ],
    [
      "all of them",
      RECORD,
      "apply",
      "domain:create domain:delete domain:read domain:update",
      "- +domain:create domain:delete",
    ],
    ["full access", RECORD, "apply", "write", "- +write"],
    [
      "what a zone needs",
      { ...ZONE, ...RECORD },
      "apply",
      "domain:create domain:delete domain:read domain:update",
      "- +",
    ],
    ["what a zone needs", { ...ZONE, ...RECORD }, "destroy", "domain:delete domain:read", "- +"],
    [
      "what a record needs",
      { ...ZONE, ...RECORD },
      "destroy",
      "domain:read domain:update",
      "-domain:delete +domain:update",
    ],
    ["the least", HELD, "apply", "project:read project:assign_resource", "- +"],
    ["one that grants it", HELD, "apply", "project:read project:update", "- +project:update"],
    [
      "one that does not",
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

describe("the alternatives of the data", () => {
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
