import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { resolveConfig } from "../../../../src/concerns/config/resolve.ts";
import { validateConfig } from "../../../../src/concerns/config/validate.ts";
import { said } from "../../../fixtures/hint.ts";
import { thrownBy } from "../../samples.ts";
import { EXAMPLE } from "./design-example.ts";

const FILE = "/repo/.do-bootstraprc";
const AROUND = { file: FILE, base: "/repo", packageName: undefined, defaultDirs: ["."] };

function resolve(yaml: string, environment?: string, around: object = {}) {
  return resolveConfig(validateConfig(parse(yaml), FILE), environment, { ...AROUND, ...around });
}

it("every key has a default", () => {
  expect(resolve("")).toMatchObject({
    file: FILE,
    base: "/repo",
    environment: undefined,
    project: "repo",
    token: { name: "DIGITALOCEAN_TOKEN", envFile: "/repo/.env", minTtlSeconds: undefined },
    team: undefined,
    doctl: { context: undefined },
    envFiles: ["/repo/.env"],
  });
  expect(resolve("").roots).toEqual([
    expect.objectContaining({ dir: "/repo", tool: undefined, variable: "do_token", variables: {} }),
  ]);
});

describe("the example in docs/design.md §6", () => {
  const mended = EXAMPLE.replace("credentials: tfvars", "credentials: env");

  it("resolves every key", () => {
    const { roots, ...rest } = resolve(mended);
    expect(rest).toMatchObject({
      project: "acme-web",
      token: { name: "DIGITALOCEAN_TOKEN", envFile: "/repo/.env", minTtlSeconds: 604_800 },
      team: "5df3e300-4a17-4e24-8b7c-20ca6c9fc25b",
      doctl: { context: "acme-web" },
      envFiles: ["/repo/.env", "/repo/.env.prod"],
    });
    const root = {
      dir: "/repo/infra",
      tool: "terraform",
      credentials: "env",
      variable: "do_token",
    };
    expect(roots).toEqual([expect.objectContaining({ ...root, variables: { region: "nyc3" } })]);
    const backend = { bucket: "acme-tfstate", region: "nyc3", key: "web.tfstate", lock: false };
    expect(roots[0]?.backend).toEqual(backend);
  });

  it("with --env prod", () => {
    expect(resolve(mended, "prod")).toMatchObject({
      environment: "prod",
      project: "acme-web",
      token: { name: "DIGITALOCEAN_TOKEN", envFile: "/repo/.env.prod", minTtlSeconds: 604_800 },
      doctl: { context: "acme-prod" },
      envFiles: ["/repo/.env", "/repo/.env.prod"],
      roots: [{ dir: "/repo/infra" }],
    });
  });
});

it("lists every environment, whichever is selected", () => {
  const yaml = "environments: { prod: {}, staging: {} }";
  expect(resolve("").environments).toEqual([]);
  expect(resolve(yaml).environments).toEqual(["prod", "staging"]);
  expect(resolve(yaml, "prod").environments).toEqual(["prod", "staging"]);
});

describe("doctl", () => {
  const prod = "environments: { prod: { doctl:";

  it.each([
    ["", undefined, { context: undefined }],
    ["doctl: {}", undefined, { context: undefined }],
    ["doctl: { context: a }", undefined, { context: "a" }],
    ["doctl: false", undefined, false],
    ["doctl: { context: a }\nenvironments: { prod: {} }", "prod", { context: "a" }],
    [`doctl: { context: a }\n${prod} { context: b } } }`, "prod", { context: "b" }],
    [`doctl: { context: a }\n${prod} { context: b } } }`, undefined, { context: "a" }],
    [`doctl: false\n${prod} { context: b } } }`, "prod", { context: "b" }],
    [`doctl: { context: a }\n${prod} false } }`, "prod", false],
  ])("%j with --env %s", (yaml, environment, expected) => {
    expect(resolve(yaml, environment).doctl).toEqual(expected);
  });
});

describe("roots", () => {
  const dirs = (yaml: string, environment?: string, around?: object) =>
    resolve(yaml, environment, around).roots.map(({ dir }) => dir);
  const prod = "environments: { prod: { terraform:";

  it.each([
    ["", undefined, ["/repo/infra"]],
    ["terraform: {}", undefined, ["/repo/infra"]],
    ["terraform: { dir: tf }", undefined, ["/repo/tf"]],
    ["terraform: { dir: . }", undefined, ["/repo"]],
    ["terraform: [{ dir: a }, { dir: b/c }]", undefined, ["/repo/a", "/repo/b/c"]],
    ["terraform: false", undefined, []],
    [`terraform: { dir: tf }\n${prod} false } }`, "prod", []],
    [`terraform: { dir: tf }\n${prod} false } }`, undefined, ["/repo/tf"]],
    [`terraform: { dir: tf }\n${prod} { dir: live } } }`, "prod", ["/repo/live"]],
    [`terraform: { dir: tf }\n${prod} { tool: tofu } } }`, "prod", ["/repo/tf"]],
    [`terraform: false\n${prod} { dir: live } } }`, "prod", ["/repo/live"]],
    [`terraform: false\n${prod} { dir: live } } }`, undefined, []],
  ])("%j with --env %s", (yaml, environment, expected) => {
    expect(dirs(yaml, environment, { defaultDirs: ["infra"] })).toEqual(expected);
  });

  it("an environment overrides the keys that it sets and keeps the rest", () => {
    const yaml = `terraform: { tool: tofu, variable: t, variables: { a: 1 } }\n${prod} { variable: u } } }`;
    const root = { tool: "tofu", variable: "u", variables: { a: 1 } };
    expect(resolve(yaml, "prod").roots).toEqual([expect.objectContaining(root)]);
  });

  it.each([
    ["terraform: { credentials: env }", "env"],
    ["terraform: { credentials: tfvars }", "tfvars"],
    ["environments: { prod: {} }", "env"],
    ["terraform: { credentials: env }\nenvironments: { prod: {} }", "env"],
    ["terraform: { credentials: tfvars }\nenvironments: {}", "tfvars"],
  ])("%j: credentials %s", (yaml, credentials) => {
    expect(resolve(yaml).roots.map((root) => root.credentials)).toEqual([credentials]);
  });

  it.each([
    ["in the root", "terraform: { credentials: tfvars }\nenvironments: { prod: {} }", undefined],
    [
      "in a list",
      "terraform: [{}, { credentials: tfvars }]\nenvironments: { prod: {} }",
      undefined,
    ],
    ["in an environment", `${prod} { credentials: tfvars } } }`, "prod"],
  ])("refuses tfvars %s together with environments", (_, yaml, environment) => {
    const { code, status, hint } = thrownBy(() => resolve(yaml, environment));
    expect({ code, status }).toEqual({ code: "CONFIG_INVALID", status: 2 });
    expect(said(hint)).toContain("credentials: env");
  });
});

describe("a backend on Spaces", () => {
  const backend = "bucket: acme, region: nyc3";
  const keys = (yaml: string, around?: object) =>
    resolve(yaml, undefined, around).roots.map((root) => root.backend?.key);

  it.each([
    [`project: web\nterraform: { backend: { ${backend} } }`, {}, ["web/terraform.tfstate"]],
    [`terraform: { backend: { ${backend} } }`, { packageName: "@a/b" }, ["a-b/terraform.tfstate"]],
    [
      `project: web\nterraform: { backend: { ${backend} } }`,
      { defaultDirs: ["infra"] },
      ["web/infra/terraform.tfstate"],
    ],
    [
      `project: web\nterraform: [{ dir: a, backend: { ${backend} } }, { dir: ./b, backend: { ${backend} } }, {}]`,
      {},
      ["web/a/terraform.tfstate", "web/b/terraform.tfstate", undefined],
    ],
    [`terraform: { backend: { ${backend}, key: x } }`, {}, ["x"]],
  ])("the state key of %j in %j", (yaml, around, expected) => {
    expect(keys(yaml, around)).toEqual(expected);
  });

  it.each([
    [
      "a backend with neither a key nor a project name",
      `terraform: { backend: { ${backend} } }`,
      /has no key/,
    ],
    [
      "two roots with the same state",
      `terraform: [{ backend: { ${backend}, key: x } }, { dir: b, backend: { ${backend}, key: x } }]`,
      /two roots have the same state, acme\/x/,
    ],
    [
      "two environments with the same state",
      `project: web\nterraform: { backend: { ${backend} } }\nenvironments: { staging: {}, prod: {} }`,
      /environments staging and prod have the same state, workspace default of acme\/web\/terraform\.tfstate/,
    ],
    [
      "two of three environments in the same workspace",
      `terraform: { backend: { ${backend}, key: x } }\nenvironments: { a: { terraform: { workspace: w } }, b: {}, c: { terraform: { workspace: w } } }`,
      /environments a and c have the same state, workspace w of acme\/x/,
    ],
    [
      "an explicit and an implicit workspace default",
      `terraform: { backend: { ${backend}, key: x } }\nenvironments: { a: { terraform: { workspace: default } }, b: {} }`,
      /environments a and b have the same state/,
    ],
    [
      "two environments with the same second root",
      `terraform: [{ dir: a }, { dir: b, backend: { ${backend}, key: x } }]\nenvironments: { a: {}, b: {} }`,
      /environments a and b have the same state/,
    ],
  ])("refuses %s", (_, yaml, message) => {
    const refusal = { code: "CONFIG_INVALID", message: expect.stringMatching(message) };
    expect(() => resolve(yaml)).toThrow(expect.objectContaining(refusal));
  });

  it.each([
    ["one environment, in workspace default", "environments: { prod: {} }"],
    ["a workspace per environment", `environments: { a: { terraform: { workspace: a } }, b: {} }`],
    [
      "a folder per environment",
      "environments: { a: { terraform: { dir: a } }, b: { terraform: { dir: b } } }",
    ],
    ["one environment without Terraform", "environments: { a: { terraform: false }, b: {} }"],
  ])("accepts %s", (_, environments) => {
    const yaml = `project: web\nterraform: { backend: { ${backend} } }\n${environments}`;
    expect(resolve(yaml).roots).toHaveLength(1);
  });
});

describe("an environment's own backend", () => {
  const own = (more: string) => `{ terraform: { ${more} } }`;
  const at = (name: string, more = "") => `backend: { bucket: ${name}, region: nyc3${more} }`;
  const of = (yaml: string, environment?: string, around?: object) =>
    resolve(yaml, environment, around).roots.map(({ backend }) => backend);

  it("is accepted in a folder that no other environment uses; the key names it", () => {
    const yaml = `project: web\nenvironments: { dev: ${own(`dir: envs/dev, ${at("one")}`)}, prod: ${own(`dir: ./envs/prod/, ${at("one")}`)} }`;
    const one = { bucket: "one", region: "nyc3", lock: false };
    expect(of(yaml)).toEqual([undefined]);
    expect(of(yaml, "dev")).toEqual([{ ...one, key: "web/envs/dev/terraform.tfstate" }]);
    expect(of(yaml, "prod")).toEqual([{ ...one, key: "web/envs/prod/terraform.tfstate" }]);
  });

  it.each([
    [
      "next to a shared backend",
      `project: w\nterraform: { dir: tf, ${at("one")} }\nenvironments: { dev: ${own("workspace: d")}, prod: ${own(`dir: p, ${at("two")}`)} }`,
    ],
    [
      "next to environments without a backend",
      `project: w\nenvironments: { dev: ${own("dir: d")}, prod: ${own(`dir: p, ${at("two")}`)} }`,
    ],
    [
      "next to an environment without Terraform",
      `project: w\nterraform: false\nenvironments: { dev: {}, prod: ${own(`dir: p, ${at("two")}`)} }`,
    ],
    [
      "with the same key in another bucket",
      `environments: { a: ${own(`dir: a, ${at("one", ", key: k")}`)}, b: ${own(`dir: b, ${at("two", ", key: k")}`)} }`,
    ],
    [
      "with the same key in another workspace",
      `environments: { a: ${own(`dir: a, workspace: a, ${at("one", ", key: k")}`)}, b: ${own(`dir: b, ${at("one", ", key: k")}`)} }`,
    ],
    [
      "in the default folder of a run without --env",
      `project: w\nenvironments: { prod: ${own(`dir: ., ${at("two")}`)} }`,
    ],
  ])("is accepted %s", (_, yaml) => {
    expect(resolve(yaml).environments).not.toEqual([]);
  });

  it.each([
    [
      "without its own folder",
      `terraform: { dir: tf }\nenvironments: { prod: ${own(at("one", ", key: x"))} }`,
      "a run without --env uses tf too, and a folder has only one backend.tf",
    ],
    [
      "in another environment's folder",
      `environments: { prod: ${own(`dir: tf, ${at("one", ", key: x")}`)}, qa: ${own("dir: ./tf/")} }`,
      "environment qa uses tf too, and a folder has only one backend.tf",
    ],
    [
      "without its own folder, like another environment",
      `environments: { prod: ${own(at("one", ", key: x"))}, qa: ${own(at("two", ", key: x"))} }`,
      "environment qa uses . too, and a folder has only one backend.tf",
    ],
    [
      "in a root from the list",
      `project: w\nterraform: [{ dir: a }, { dir: b }]\nenvironments: { prod: ${own(at("one"))} }`,
      "a run without --env uses a too, and a folder has only one backend.tf",
    ],
    [
      "with another environment's state",
      `environments: { a: ${own(`dir: a, ${at("one", ", key: k")}`)}, b: ${own(`dir: b, ${at("one", ", key: k")}`)} }`,
      "environments a and b have the same state, workspace default of one/k",
    ],
    [
      "with the shared backend's state",
      `terraform: { dir: tf, ${at("one", ", key: k")} }\nenvironments: { a: ${own("workspace: a")}, b: ${own(`dir: b, ${at("one", ", key: k")}`)} }`,
      "environment b and a run without --env have the same state, workspace default of one/k",
    ],
    [
      "with the state of an environment in the shared backend",
      `terraform: { dir: tf, ${at("one", ", key: k")} }\nenvironments: { a: ${own("workspace: w")}, b: ${own(`dir: b, workspace: w, ${at("one", ", key: k")}`)} }`,
      "environments a and b have the same state, workspace w of one/k",
    ],
  ])("is refused %s", (_, yaml, message) => {
    for (const environment of [undefined, ...Object.keys(parse(yaml).environments)]) {
      const refusal = { code: "CONFIG_INVALID", message: expect.stringContaining(message) };
      expect(() => resolve(yaml, environment)).toThrow(expect.objectContaining(refusal));
    }
  });

  it.each([
    [undefined, ["/repo/p"]],
    ["dev", ["/repo/p"]],
    ["prod", ["/repo/tf"]],
  ])("--env %s: lists the folders of the other environments", (environment, folders) => {
    const yaml = `project: w\nterraform: { dir: tf }\nenvironments: { dev: {}, prod: ${own(`dir: p, ${at("two")}`)} }`;
    expect(resolve(yaml, environment).othersFolders).toEqual(folders);
  });

  it("without one, there are no other folders to compare", () => {
    expect(resolve("environments: { a: {}, b: { terraform: { dir: b } } }").othersFolders).toEqual(
      [],
    );
  });
});

it.each([
  ["in a list", "terraform: [{ dir: a }, { dir: ./a }]", undefined, "terraform lists a twice."],
  [
    "through an environment's dir",
    "terraform: [{ dir: a }, { dir: b }]\nenvironments: { prod: { terraform: { dir: c } } }",
    undefined,
    "with --env prod, terraform lists c twice.",
  ],
])("refuses the same folder twice %s", (_, yaml, environment, message) => {
  const refusal = { code: "CONFIG_INVALID", message: `${FILE}: ${message}` };
  expect(() => resolve(yaml, environment)).toThrow(expect.objectContaining(refusal));
});

it.each([
  [1001, 0, "1001"],
  [40, 26, "1040"],
])("%i roots in %i environments are too many", (roots, environments, count) => {
  const list = Array.from({ length: roots }, (_, i) => `{ dir: d${i} }`).join(", ");
  const names = Array.from({ length: environments }, (_, i) => `e${i}: {}`).join(", ");
  expect(() => resolve(`terraform: [${list}]\nenvironments: { ${names} }`)).toThrow(
    `all roots in all environments make ${count} root modules; the limit is 1000`,
  );
});

it.each([
  ["environments: { a: {}, b: {} }", undefined, []],
  ["environments: { a: {}, b: {} }", "a", ["b"]],
  ["environments: { a: {}, b: {}, c: {} }", "b", ["a", "c"]],
  ["environments: { a: { terraform: { workspace: a } }, b: {} }", "a", []],
  ["environments: { a: { terraform: { workspace: default } }, b: {} }", "a", ["b"]],
  ["environments: { a: { terraform: { dir: a } }, b: {} }", "a", []],
  ["environments: { a: {}, b: { terraform: false } }", "a", []],
])("%s with --env %s shares its folder and workspace with %j", (yaml, environment, names) => {
  expect(resolve(yaml, environment).roots.map(({ sharedWith }) => sharedWith)).toEqual([names]);
});

it.each([
  "terraform: { variables: { do_token: x } }",
  "terraform: { variable: t, variables: { t: x } }",
  "terraform: [{}, { variables: { do_token: x } }]",
])("refuses the token's variable in terraform.variables: %s", (yaml) => {
  expect(() => resolve(yaml)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
});

describe("environments", () => {
  const yaml =
    "token: { name: DO_TOKEN, envFile: .env.dev, minTtl: 1d }\naccount: { team: A }\nenvironments:\n  prod:\n    token: { envFile: conf/.env.prod }\n    account: { team: B }\n  staging: {}";

  it.each([
    [undefined, { name: "DO_TOKEN", envFile: "/repo/.env.dev", minTtlSeconds: 86_400 }, "A"],
    ["prod", { name: "DO_TOKEN", envFile: "/repo/conf/.env.prod", minTtlSeconds: 86_400 }, "B"],
    ["staging", { name: "DO_TOKEN", envFile: "/repo/.env.dev", minTtlSeconds: 86_400 }, "A"],
  ])("--env %s", (environment, token, team) => {
    const config = resolve(yaml, environment);
    expect(config).toMatchObject({ environment, token, team });
    expect(config.envFiles).toEqual(["/repo/.env.dev", "/repo/conf/.env.prod"]);
  });

  it.each([
    ["prd", yaml, `--env prd: ${FILE} has no such environment.`, "Did you mean --env prod?"],
    ["qa", yaml, `--env qa: ${FILE} has no such environment.`, "Environments: prod, staging."],
    ["prod", "", `--env prod: ${FILE} has no such environment.`, "Environments: none."],
    ["constructor", yaml, expect.stringContaining("no such"), "Environments: prod, staging."],
    ["__proto__", yaml, expect.stringContaining("no such"), "Environments: prod, staging."],
  ])("--env %s is unknown: %#", (environment, config, message, step) => {
    const refusal = thrownBy(() => resolve(config, environment));
    expect(refusal).toMatchObject({ code: "USAGE", status: 2, message });
    expect(said(refusal.hint)).toBe(step);
  });

  it("--env without a config is refused", () => {
    const message = "--env prod: there is no config.";
    expect(() => resolve("", "prod", { file: undefined })).toThrow(message);
  });
});

describe("token.doctl", () => {
  const login = "token: { doctl: acme }";
  const prod = "environments: { prod: { token: { doctl: acme-prod }";

  it.each([
    [login, undefined, "acme", { context: "acme" }],
    [`${login}\ndoctl: { context: acme }`, undefined, "acme", { context: "acme" }],
    [`${login}\n${prod} } }`, "prod", "acme-prod", { context: "acme-prod" }],
    [`doctl: { context: acme }\n${prod} } }`, "prod", "acme-prod", { context: "acme-prod" }],
    [`doctl: false\n${prod} } }`, "prod", "acme-prod", { context: "acme-prod" }],
    [`${login}\nenvironments: { prod: {} }`, "prod", undefined, { context: undefined }],
  ])("%j with --env %s", (yaml, environment, source, doctl) => {
    const config = resolve(yaml, environment);
    expect([config.token.doctl, config.doctl]).toEqual([source, doctl]);
  });

  it("sets credentials to env", () => {
    expect(resolve(login).roots.map(({ credentials }) => credentials)).toEqual(["env"]);
  });

  it.each([
    ["another context", `${login}\ndoctl: { context: web }`, undefined],
    ["doctl: false", `${login}\ndoctl: false`, undefined],
    ["another context in the environment", `${prod}, doctl: { context: web } } }`, "prod"],
    ["doctl: false in the environment", `${prod}, doctl: false } }`, "prod"],
    ["credentials: tfvars", `${login}\nterraform: { credentials: tfvars }`, undefined],
  ])("can't be combined with %s", (_, yaml, environment) => {
    expect(thrownBy(() => resolve(yaml, environment))).toMatchObject({
      code: "CONFIG_INVALID",
      status: 2,
      message: expect.stringContaining("can't be combined with"),
    });
  });

  it("gives an environment a context that others must not use, and its own env file", () => {
    const yaml = `${prod} }, dev: {} }`;
    expect(resolve(yaml, "dev").othersContexts).toEqual(["acme-prod"]);
    expect(resolve(yaml, "prod").token.envFile).toBe("/repo/.env.prod");
  });
});
