import { describe, expect, it } from "vitest";
import { readTfJson } from "../../../src/hcl/tf-json.ts";
import { actionsInCode } from "../../../src/scopes/code-actions.ts";
import { loadScopeData } from "../../../src/scopes/data.ts";
import { scopesNeeded } from "../../../src/scopes/needed.ts";
import { actionsInPlan } from "../../../src/scopes/plan-file.ts";

const data = await loadScopeData();

interface Change {
  readonly actions: readonly string[];
  readonly before?: object;
  readonly after?: object;
  readonly after_unknown?: object;
  readonly importing?: object;
}

/** As `terraform show -json` prints it: address "module.m[0].digitalocean_x.y" or "data.….z". */
const entry = (address: string, change: Change) => {
  const [, data, type, name] = /(data\.)?(\w+)\.(\w+)(?:\[[^\]]*\])?$/.exec(address) ?? [];
  return { address, mode: data === undefined ? "managed" : "data", type, name, change };
};

const planOf = (...changes: (readonly [address: string, change: Change])[]) =>
  JSON.stringify({
    format_version: "1.2",
    resource_changes: changes.map(([address, change]) => entry(address, change)),
  });

function own(plan: string, code: object = {}): string[] {
  const { blocks, references } = readTfJson(JSON.stringify(code), "main.tf.json");
  const inCode = actionsInCode([{ prefix: "", blocks, references }], "apply");
  const actions = actionsInPlan(plan, "tfplan", inCode) ?? [];
  return scopesNeeded(actions, data).own.map(({ scope }) => scope);
}

const KEY = "digitalocean_ssh_key.me";
const RECORD = "digitalocean_record.www";
const ZONE = "digitalocean_domain.main";
const VOLUME = "digitalocean_volume.data";
const RESERVED = "digitalocean_reserved_ip.ip";
const FIREWALL = "digitalocean_firewall.web";
const BALANCER = "digitalocean_loadbalancer.lb";
const DROPLET = "digitalocean_droplet.web";

const create = (after: object, after_unknown: object = {}): Change => ({
  actions: ["create"],
  after,
  after_unknown,
});
const update = (before: object, after: object): Change => ({ actions: ["update"], before, after });

describe("the scopes of a plan's actions", () => {
  it.each<readonly [what: string, plan: string, own: readonly string[]]>([
    ["nothing to do", planOf([KEY, { actions: ["no-op"], before: {}, after: {} }]), []],
    [
      "create",
      planOf([KEY, { actions: ["create"], after: {} }]),
      ["ssh_key:create", "ssh_key:read"],
    ],
    ["delete", planOf([KEY, { actions: ["delete"], before: {} }]), ["ssh_key:delete"]],
    [
      "update",
      planOf([KEY, { actions: ["update"], before: { name: "a" }, after: { name: "b" } }]),
      ["ssh_key:read", "ssh_key:update"],
    ],
    [
      "replace",
      planOf([KEY, { actions: ["delete", "create"], before: {}, after: {} }]),
      ["ssh_key:create", "ssh_key:delete", "ssh_key:read"],
    ],
    ["a record", planOf([RECORD, create({})]), ["domain:read", "domain:update"]],
    ["deleting a record", planOf([RECORD, { actions: ["delete"], before: {} }]), ["domain:update"]],
    [
      "a record and its zone",
      planOf([RECORD, create({})], [ZONE, create({})]),
      ["domain:create", "domain:read"],
    ],
    [
      "deleting a record, and a zone",
      planOf([RECORD, { actions: ["delete"], before: {} }], [ZONE, create({})]),
      ["domain:create", "domain:read", "domain:update"],
    ],
    ["forget", planOf([KEY, { actions: ["forget"], before: {} }]), []],
    [
      "import",
      planOf([KEY, { actions: ["no-op"], before: {}, after: {}, importing: { id: "1" } }]),
      ["ssh_key:read"],
    ],
    [
      "a data source that is read later",
      planOf(["data.digitalocean_domain.d", { actions: ["read"], after: {} }]),
      ["domain:read"],
    ],
    [
      "an instance in a module with a key that looks like more",
      planOf(['module.m["a.b]"].digitalocean_ssh_key.me[0]', { actions: ["delete"], before: {} }]),
      ["ssh_key:delete"],
    ],
    ["a type of another provider", planOf(["aws_instance.x", { actions: ["create"] }]), []],
    [
      "update: only the size",
      planOf([VOLUME, update({ size: 1, tags: [] }, { size: 2, tags: null })]),
      ["actions:read", "block_storage:read", "block_storage_action:create"],
    ],
    [
      "update: the order of a set does not matter",
      planOf([VOLUME, update({ tags: ["a", "b"], size: 1 }, { tags: ["b", "a"], size: 2 })]),
      ["actions:read", "block_storage:read", "block_storage_action:create", "tag:read"],
    ],
    [
      "update: a request that repeats all fields",
      planOf([FIREWALL, update({ name: "a", tags: ["web"] }, { name: "b", tags: ["web"] })]),
      ["firewall:read", "firewall:update", "tag:create", "tag:read"],
    ],
    [
      "update: resources removed from a project",
      planOf([
        "digitalocean_project.p",
        update({ resources: ["do:volume:1", "do:domain:a"] }, { resources: ["do:domain:a"] }),
      ]),
      [
        ...["block_storage:read", "domain:read", "project:assign_resource"],
        ...["project:read", "project:update"],
      ],
    ],
    [
      "update: an unknown value",
      planOf([RESERVED, { ...update({ droplet_id: 1 }, {}), after_unknown: { droplet_id: true } }]),
      ["droplet:read", "reserved_ip:read", "reserved_ip:update"],
    ],
    [
      "delete: values from the state",
      planOf([RESERVED, { actions: ["delete"], before: { droplet_id: 1 } }]),
      ["reserved_ip:delete", "reserved_ip:read", "reserved_ip:update"],
    ],
    [
      "a nested attribute that is set",
      planOf([BALANCER, create({ forwarding_rule: [{ certificate_name: "c" }] })]),
      ["certificate:read", "load_balancer:create", "load_balancer:read"],
    ],
    [
      "an unknown nested attribute, without code",
      planOf([BALANCER, create({}, { forwarding_rule: [{ certificate_name: true }] })]),
      ["certificate:read", "load_balancer:create", "load_balancer:read"],
    ],
    [
      "kinds of a project's resources",
      planOf(["digitalocean_project.p", create({ resources: ["do:droplet:1"] })]),
      ["droplet:read", "project:assign_resource", "project:create", "project:read"],
    ],
    [
      "deleting a project with the resources that the plan shows",
      planOf(
        ["digitalocean_project.p", { actions: ["delete"], before: { resources: ["do:volume:1"] } }],
        ["digitalocean_app.a", { actions: ["no-op"], before: { project_id: "x" } }],
      ),
      [
        "app:read",
        "block_storage:read",
        "project:assign_resource",
        "project:delete",
        "project:read",
      ],
    ],
  ])("%s", (_, plan, expected) => {
    expect(own(plan)).toEqual(expected);
  });
});

describe("parts of a plan without scope data", () => {
  const change = (actions: string[]) => ({
    ...{ address: "digitalocean_tag.t", mode: "managed", type: "digitalocean_tag", name: "t" },
    change: { actions, before: { name: "t" }, after: { name: "t" } },
  });
  it.each<[what: string, plan: object, unknown: readonly string[]]>([
    [
      "an action of a later Terraform",
      { resource_changes: [change(["mend"])] },
      ["digitalocean_tag.t"],
    ],
    [
      "an action block that is invoked",
      { action_invocations: [{ address: "action.digitalocean_x.a", type: "digitalocean_x" }] },
      ["action.digitalocean_x.a"],
    ],
    [
      "resources that are forgotten or unchanged",
      { resource_changes: [change(["forget"]), change(["no-op"])] },
      [],
    ],
  ])("%s", (_, plan, unknown) => {
    const text = JSON.stringify({ format_version: "1.2", ...plan });
    const needs = scopesNeeded(actionsInPlan(text, "plan.json", []) ?? [], data);
    expect(needs).toMatchObject({ own: [], unknown });
  });
});

describe("a value that is unknown in the plan", () => {
  const unknown = { vpc_uuid: true, volume_ids: true, tags: true };
  const droplet = (body: object) => ({ resource: { digitalocean_droplet: { web: body } } });
  const plan = planOf(["digitalocean_droplet.web[1]", create({ name: "w" }, unknown)]);
  const always = ["droplet:create", "droplet:read", "image:read"];

  it.each<readonly [what: string, code: object, more: readonly string[]]>([
    ["counts without the code", {}, ["block_storage:read", "tag:create", "tag:read", "vpc:read"]],
    ["does not count if the code omits it, since the API sets it", droplet({ name: "w" }), []],
    ["counts if the code sets it", droplet({ tags: "${var.tags}" }), ["tag:create", "tag:read"]],
  ])("%s", (_, code, more) => {
    expect(own(plan, code)).toEqual([...always, ...more].sort());
  });

  it("known values of the plan count, whatever the code says", () => {
    const stated = planOf([DROPLET, create({ name: "w", tags: ["x"] })]);
    expect(own(stated, droplet({ name: "w" }))).toContain("tag:create");
  });

  it("is not looked up in the code for a deleted resource", () => {
    const gone = planOf([DROPLET, { actions: ["delete"], before: { volume_ids: ["x"] } }]);
    expect(own(gone, droplet({ name: "w" }))).toEqual([
      "actions:read",
      "block_storage_action:create",
      "droplet:delete",
      "droplet:read",
    ]);
  });
});

describe("a value nested 50,000 deep", () => {
  it.each([
    ["lists", '{"name":', "[", "]"],
    ["maps", '{"name":', '{"a":', "}"],
  ])("%s: the plan is still read", (_, start, open, close) => {
    const deep = `${start}${open.repeat(50_000)}1${close.repeat(50_000)}}`;
    const text = planOf([DROPLET, create({ deep: 1 })]).replace('{"deep":1}', deep);
    expect(text.length).toBeGreaterThan(100_000);
    expect(actionsInPlan(text, "tfplan", [])?.length).toBe(2);
  });
});

describe("a text that is not a plan", () => {
  it.each([
    ["", "an empty text"],
    ["{", "a truncated plan"],
    ["[]", "a list"],
    ['{"format_version":"0.1"}', "a format before Terraform 1"],
    ['{"format_version":"2.0"}', "a future format"],
    ['{"format_version":"1.0","values":{}}', "a state"],
    ['{"format_version":"1.2","errored":true}', "a failed plan"],
    ['{"format_version":"1.2","resource_changes":[1]}', "invalid changes"],
    [
      '{"format_version":"1.2","resource_changes":[{"address":"a"}]}',
      "a resource without a change",
    ],
  ])("%s: %s", (text) => {
    expect(actionsInPlan(text, "tfplan", [])).toBeUndefined();
  });

  it("a plan without changes is valid", () => {
    expect(actionsInPlan('{"format_version":"1.0"}', "tfplan", [])).toEqual([]);
  });
});
