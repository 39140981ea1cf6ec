import { describe, expect, it } from "vitest";
import { execConfigOf } from "../../../../src/concerns/terraform/exec-config.ts";
import { planTerraform } from "../../../../src/concerns/terraform/plan.ts";
import { refuseOtherHost } from "../../../../src/exec/guards.ts";
import { consent, facts, type Given } from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";
import { thrownBy } from "../../samples.ts";

const EVIL = "https://evil.example";
const provider = (endpoint: string, name = "digitalocean") =>
  `provider "${name}" {\n  api_endpoint = ${endpoint}\n}\n`;
const call = (source: string) => `module "m" {\n  source = "${source}"\n}\n`;
const rename =
  'terraform {\n required_providers {\n o = { source = "digitalocean/digitalocean" }\n }\n}\n';

/** Files of /repo, and the environment. */
type Case = [what: string, files: Record<string, string>, places: string, env?: Given["env"]];

async function judged([, files, , env = {}]: Case) {
  const known = await facts({ config: "terraform: { dir: infra }", files, env });
  const { findings = [], changes = [] } = planRoot();
  const config = execConfigOf(known.config, known.terraform.roots);
  return { found: findings.filter(({ id }) => id === "terraform.other-host"), changes, config };

  function planRoot() {
    const [root] = known.terraform.roots;
    if (root === undefined) throw new Error("There is no root.");
    return planTerraform(known, root, consent());
  }
}

const STRANGE: Case[] = [
  ["another host", { "infra/main.tf": provider(`"${EVIL}"`) }, "infra/main.tf:1"],
  [
    "a host that only looks like DigitalOcean's",
    { "infra/main.tf": provider('"https://api.digitalocean.com.evil.example"') },
    "infra/main.tf:1",
  ],
  [
    "DigitalOcean's host after a user name",
    { "infra/main.tf": provider('"https://api.digitalocean.com@evil.example"') },
    "infra/main.tf:1",
  ],
  ["plain http", { "infra/main.tf": provider('"http://api.digitalocean.com"') }, "infra/main.tf:1"],
  ["a variable", { "infra/main.tf": provider("var.api") }, "infra/main.tf:1"],
  ["a template", { "infra/main.tf": provider('"https://${var.api}/"') }, "infra/main.tf:1"],
  [
    "an alias, in an override file",
    { "infra/main_override.tf": `\n${provider(`"${EVIL}"\n  alias = "b"`)}` },
    "infra/main_override.tf:2",
  ],
  [
    "the provider under another name",
    { "infra/main.tf": rename + provider(`"${EVIL}"`, "o") },
    "infra/main.tf:6",
  ],
  [
    "JSON",
    { "infra/a.tf.json": `{"provider":{"digitalocean":{"api_endpoint":"${EVIL}"}}}` },
    "infra/a.tf.json:1",
  ],
  [
    "a called module",
    { "infra/main.tf": call("../modules/a"), "modules/a/main.tf": provider(`"${EVIL}"`) },
    "modules/a/main.tf:1",
  ],
  [
    "a module that a module calls, with the name in another file",
    {
      "infra/main.tf": call("../modules/a"),
      "modules/a/main.tf": call("./b"),
      "modules/a/b/main.tf": provider(`"${EVIL}"`, "o"),
      "modules/a/b/versions.tf": rename,
    },
    "modules/a/b/main.tf:1",
  ],
  [
    "JSON with escapes, in a called module",
    {
      "infra/main.tf": call("./a"),
      "infra/a/a.tf.json": `{"provider":{"digitalocean":{"api\\u005fendpoint":"${EVIL}"}}}`,
    },
    "infra/a/a.tf.json:1",
  ],
  [
    "a list of objects in JSON",
    { "infra/a.tf.json": `[{"provider":{"digitalocean":{"api_endpoint":"${EVIL}"}}}]` },
    "infra/a.tf.json:1",
  ],
  [
    "a module whose source is a template",
    {
      "infra/main.tf": 'module "m" {\n  source = "${"./a"}"\n}\n',
      "infra/a/main.tf": provider(`"${EVIL}"`),
    },
    "infra/a/main.tf:1",
  ],
  [
    "one of two modules",
    {
      "infra/main.tf": 'module "m" {\n  source = true ? "./a" : "./b"\n}\n',
      "infra/b/main.tf": provider(`"${EVIL}"`),
    },
    "infra/b/main.tf:1",
  ],
  [
    "a module called after a comment",
    {
      "infra/main.tf": call("./a"),
      "infra/a/main.tf": `/* */ ${call("../b")}`,
      "infra/b/main.tf": provider(`"${EVIL}"`),
    },
    "infra/b/main.tf:1",
  ],
  [
    "the provider under a name whose address is a template",
    {
      "infra/main.tf": `${rename.replace('"digitalocean/', '"${"digitalocean"}/')}${provider(`"${EVIL}"`, "o")}`,
    },
    "infra/main.tf:6",
  ],
  [
    "modules that call each other",
    {
      "infra/main.tf": call("./a"),
      "infra/a/main.tf": call("../b"),
      "infra/b/main.tf": call("../a") + provider(`"${EVIL}"`),
    },
    "infra/b/main.tf:4",
  ],
  [
    "another host than the environment's",
    { "infra/main.tf": provider(`"${EVIL}"`) },
    "infra/main.tf:1",
    { DIGITALOCEAN_API_URL: "https://other.example" },
  ],
  [
    "a variable, with a host in the environment",
    { "infra/main.tf": provider("var.api") },
    "infra/main.tf:1",
    { DIGITALOCEAN_API_URL: EVIL },
  ],
  [
    "a host that only the env file names",
    { "infra/main.tf": provider(`"${EVIL}"`), ".env": `DIGITALOCEAN_API_URL=${EVIL}\n` },
    "infra/main.tf:1",
  ],
];

describe("the token is kept back from a host that a provider block names", () => {
  it.each(STRANGE)("%s", async (...given) => {
    const [, , places, env = {}] = given;
    const { found, config } = await judged(given);
    expect(found.map(({ where = "" }) => where.replace("/repo/", "")).join(" ")).toBe(places);
    expect(found[0]?.level).toBe("error");
    const refusal = thrownBy(() => refuseOtherHost(config, env));
    expect(refusal.code).toBe("OTHER_HOST");
    expect(refusal.message).toContain(places);
  });
});

describe("the token is passed on", () => {
  it.each<Case>([
    ["to DigitalOcean's API", { "infra/main.tf": provider('"https://api.digitalocean.com"') }, ""],
    [
      "to the same with a slash",
      { "infra/main.tf": provider('"https://api.digitalocean.com/"') },
      "",
    ],
    ["where no host is named", { "infra/main.tf": provider("null") }, ""],
    [
      "to the host that the environment names",
      { "infra/main.tf": provider(`"${EVIL}/"`) },
      "",
      { DIGITALOCEAN_API_URL: EVIL },
    ],
    ["where another provider names a host", { "infra/main.tf": provider(`"${EVIL}"`, "x") }, ""],
    [
      "where a folder that is not called names a host",
      { "infra/main.tf": "", "infra/a/main.tf": provider(`"${EVIL}"`) },
      "",
    ],
  ])("%s", async (...given) => {
    const { found, config } = await judged(given);
    expect(found).toEqual([]);
    expect(() => refuseOtherHost(config, given[3] ?? {})).not.toThrow();
  });
});

it("too many modules to read: the token is kept back", async () => {
  const chain = Array.from({ length: 1_002 }, (_, at) => [
    `infra/m${at}/main.tf`,
    call(`../m${at + 1}`),
  ]);
  const { found } = await judged([
    "",
    { "infra/main.tf": call("./m0"), ...Object.fromEntries(chain) },
    "",
  ]);
  expect(found.map(({ message }) => message).join()).toContain("more than 1000 local modules");
});

describe("the fix", () => {
  it.each([
    [`"${EVIL}"`, `set it in the environment: export DIGITALOCEAN_API_URL=${EVIL}`],
    ["var.api", "Remove api_endpoint, so that the token goes to DigitalOcean."],
  ])("for %s", async (endpoint, expected) => {
    const { found } = await judged(["", { "infra/main.tf": provider(endpoint) }, ""]);
    expect(said(found[0]?.fix)).toContain(expected);
  });
});

it("finds a spaces_endpoint in a called module, too", async () => {
  const code = 'provider "digitalocean" {\n  spaces_endpoint = "https://evil.example"\n}\n';
  const { config } = await judged([
    "",
    { "infra/main.tf": call("./a"), "infra/a/main.tf": code },
    "",
  ]);
  expect(config.strangeProviders.map(({ place }) => place)).toEqual(["/repo/infra/a/main.tf:1"]);
});
