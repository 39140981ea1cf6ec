import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { dir } from "tmp-promise";
import { describe, expect, it, onTestFinished } from "vitest";
import { readHcl } from "../../../src/hcl/hcl.ts";
import { readTfJson } from "../../../src/hcl/tf-json.ts";
import { nodeFiles } from "../../../src/host/files.ts";
import { actionsInCode, type Purpose } from "../../../src/scopes/code-actions.ts";
import { loadScopeData } from "../../../src/scopes/data.ts";
import { readModuleTree } from "../../../src/scopes/module-tree.ts";
import { phasesOf, scopesNeeded } from "../../../src/scopes/needed.ts";
import type { ExpectedScopes, Fixture } from "../../fixtures/scopes/fixture.ts";
import { SCOPE_FIXTURES } from "../../fixtures/scopes/index.ts";
import { memoryFiles } from "../memory-files.ts";

const data = await loadScopeData();

const read = async (text: string, name: string) =>
  name.endsWith(".json") ? readTfJson(text, name) : readHcl(text, name);

async function treeOf({ files, tool }: Pick<Fixture, "files" | "tool">) {
  const { path, cleanup } = await dir({ prefix: "do-bootstrap-test-", unsafeCleanup: true });
  onTestFinished(() => cleanup());
  const root = join(path, "root");
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return readModuleTree({ files: nodeFiles }, root, read, { tool: tool ?? "terraform" });
}

const sorted = (texts: Iterable<string>) => [...texts].sort();

it.each<[what: string, text: string, isRead: boolean]>([
  ["our own comment with a variable's name", "# The provider reads DIGITALOCEAN_TOKEN.\n", false],
  ["only the provider", 'provider "digitalocean" {}\n', false],
  ["a resource", 'resource "digitalocean_tag" "a" {}\n', true],
  [
    "a resource written with a short Unicode escape",
    'resource "digital\\u006fcean_tag" "a" {}\n',
    true,
  ],
  [
    "a resource written with a long Unicode escape",
    'resource "digital\\U0000006fcean_tag" "a" {}\n',
    true,
  ],
])("the parser reads only files that may need a scope: %s", async (_, text, isRead) => {
  const read: string[] = [];
  await readModuleTree(
    { files: memoryFiles("/r", { "a.tf": text }) },
    "/r",
    async (_text, name) => {
      read.push(name);
      return readHcl(text, name);
    },
  );
  expect(read).toEqual(isRead ? ["a.tf"] : []);
});

describe("the scopes that code needs", () => {
  it.each(SCOPE_FIXTURES.map((fixture) => [fixture.name, fixture] as const))(
    "%s",
    async (_, it) => {
      const { modules, unseen, broken } = await treeOf(it);
      const found = (purpose: Purpose) => {
        const { own, required, maybe } = scopesNeeded(actionsInCode(modules, purpose), data);
        return {
          own: own.map(({ scope }) => scope),
          required,
          maybe: maybe.map(({ scope }) => scope),
        };
      };
      const expected = ({ own, required, maybe = [] }: ExpectedScopes) => ({
        own: sorted(Object.keys(own)),
        required: sorted(required),
        maybe: sorted(maybe),
      });
      for (const purpose of ["apply", "plan", "destroy"] as const) {
        const set = it[purpose];
        if (set !== undefined)
          expect({ purpose, ...found(purpose) }).toEqual({ purpose, ...expected(set) });
      }
      const all = scopesNeeded(actionsInCode(modules, "apply"), data);
      const first = [...phasesOf(all, data)].flatMap(([scope, at]) =>
        at === "create" ? scope : [],
      );
      const { own, required } = found("create");
      expect(sorted(first)).toEqual(sorted([...own, ...required]));
      const { spaces, unknown } = scopesNeeded(actionsInCode(modules, "apply"), data);
      expect({
        spaces: sorted(spaces),
        unknown: sorted(unknown),
        unseen: sorted(unseen),
        broken: sorted(new Set(broken.map(({ file }) => file))),
      }).toEqual({
        spaces: sorted(it.spaces ?? []),
        unknown: sorted(it.unknown ?? []),
        unseen: sorted(it.unseen ?? []),
        broken: sorted(it.broken ?? []),
      });
    },
  );
});

describe("an expression for a project's resources", () => {
  it.each<[resources: string, isAny: boolean]>([
    ["[for d in digitalocean_droplet.web : d.urn]", false],
    ["concat(values(digitalocean_droplet.web)[*].urn, [])", false],
    ["flatten([digitalocean_droplet.web[*].urn])", false],
    ['concat([digitalocean_droplet.web["a"].urn], ["do:droplet:1"])', false],
    ["[for k, v in digitalocean_droplet.web : v.urn if true]", false],
    ['concat([digitalocean_droplet.web.urn], var["more"])', true],
    ['concat([digitalocean_droplet.web.urn], local["more"])', true],
    ['concat([digitalocean_droplet.web.urn], split(",", file("urns")))', true],
    ['concat([digitalocean_droplet.web.urn], [format("do:%s:x", "space")])', true],
    ['concat([digitalocean_droplet.web.urn], ["do:sp${"ace"}:x"])', true],
    ["concat([digitalocean_droplet.web.urn], [<<E\ndo:space:x\nE\n])", true],
    ['concat([digitalocean_droplet.web.urn], ["\\u0064o:space:x"])', true],
    ["concat([digitalocean_droplet.web.urn], data.digitalocean_projects.all[*].urn)", true],
  ])("%s may be of any kind: %s", async (resources, isAny) => {
    const project = `resource "digitalocean_project" "p" {\n  name = "p"\n  resources = ${resources}\n}\n`;
    const { modules } = await treeOf({ files: { "main.tf": project } });
    const own = scopesNeeded(actionsInCode(modules, "plan"), data).own.map(({ scope }) => scope);
    expect(own).toContain("droplet:read");
    expect(own.includes("spaces:read")).toBe(isAny);
  });
});

describe("credentials that the API returns", () => {
  const CLUSTER_START =
    'resource "digitalocean_database_cluster" "db" {\n  name = "db"\n  engine = "pg"\n  region = "nyc3"\n  size = "s"\n  node_count = 1\n';
  const CLUSTER = `${CLUSTER_START}}\n`;

  it.each<[inside: string, isNeeded: boolean]>([
    ['provisioner "local-exec" {\n  command = "psql ${self.uri}"\n}', true],
    ["connection {\n  password = self.password\n}", true],
    [
      'lifecycle {\n  postcondition {\n    condition = self.user != ""\n    error_message = "x"\n  }\n}',
      true,
    ],
    ['provisioner "local-exec" {\n  command = "${jsonencode(self)}"\n}', true],
    ['provisioner "local-exec" {\n  command = "echo ${self.host}"\n}', false],
  ])("are needed by the cluster itself in %j: %s", async (inside, isNeeded) => {
    const { modules } = await treeOf({ files: { "main.tf": `${CLUSTER_START}${inside}\n}\n` } });
    const own = scopesNeeded(actionsInCode(modules, "plan"), data).own.map(({ scope }) => scope);
    expect(own.includes("database:view_credentials")).toBe(isNeeded);
  });

  it.each<[more: string, isNeeded: boolean]>([
    ["", false],
    ['output "o" {\n  value = digitalocean_database_cluster.db.password\n}', true],
    ['locals {\n  url = "x-${digitalocean_database_cluster.db.private_uri}"\n}', true],
    ['output "o" {\n  value = digitalocean_database_cluster.db.host\n}', false],
    ['output "o" {\n  value = digitalocean_database_cluster.other.password\n}', false],
    ["locals {\n  # digitalocean_database_cluster.db.password\n}", false],
    [
      'resource "digitalocean_tag" "t" {\n  name = "t"\n  depends_on = [digitalocean_database_cluster.db]\n}',
      false,
    ],
  ])("are needed in %j: %s", async (more, isNeeded) => {
    const { modules } = await treeOf({ files: { "main.tf": `${CLUSTER}${more}\n` } });
    const own = scopesNeeded(actionsInCode(modules, "plan"), data).own.map(({ scope }) => scope);
    expect(own.includes("database:view_credentials")).toBe(isNeeded);
  });
});
