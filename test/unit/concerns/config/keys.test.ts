import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { validateConfig } from "../../../../src/concerns/config/validate.ts";
import { AppError } from "../../../../src/errors/app-error.ts";
import { said } from "../../../fixtures/hint.ts";
import { at, LEGACY, OAUTH, PERSONAL, REFRESH, thrownBy } from "../../samples.ts";

const FILE = "/repo/.do-bootstraprc";
const refusal = (loaded: unknown) => thrownBy(() => validateConfig(loaded, FILE));

describe("an unknown key", () => {
  it.each([
    ["projct: x", "projct", "project"],
    ["Project: x", "Project", "project"],
    ["token: { env_file: x }", "token.env_file", "token.envFile"],
    ["doctl: { contxt: x }", "doctl.contxt", "doctl.context"],
    ["terraform: { credential: env }", "terraform.credential", "terraform.credentials"],
    [
      "terraform: { backend: { bucket: acme, region: nyc3, kex: c } }",
      "terraform.backend.kex",
      "terraform.backend.key",
    ],
    ["terraform: [{ dir: a }, { dirr: b }]", "terraform.1.dirr", "terraform.1.dir"],
    ["environments: { prod: { tokn: {} } }", "environments.prod.tokn", "environments.prod.token"],
    [
      "environments: { prod: { doctl: { contexts: a } } }",
      "environments.prod.doctl.contexts",
      "environments.prod.doctl.context",
    ],
  ])("gets a suggestion: %s", (yaml, path, meant) => {
    const { code, message, hint } = refusal(parse(yaml));
    expect({ code, hint: said(hint) }).toEqual({
      code: "CONFIG_INVALID",
      hint: `Did you mean ${meant}?`,
    });
    expect(message).toBe(`${FILE} is not a valid config:\n  ${path}: unknown key`);
  });

  it("without a similar key gets a hint to the list of keys", () => {
    expect(said(refusal({ kubernetes: 1 }).hint)).toBe(
      "docs/reference.md and schema.json have all keys.",
    );
  });

  it.each([
    '{"__proto__": {"project": "x"}}',
    '{"constructor": {"name": "x"}}',
    '{"toString": 1}',
    '{"token": {"__proto__": {"name": "x"}}}',
    '{"token": {"hasOwnProperty": 1}}',
    '{"environments": {"prod": {"__proto__": {}}}}',
    '{"environments": {"__proto__": {}}}',
  ])("is refused if it is named like a prototype property: %s", (json) => {
    expect(refusal(JSON.parse(json)).code).toBe("CONFIG_INVALID");
  });

  it.each([
    ["environments", '{"environments": {"constructor": {}}}'],
    ["environments", '{"environments": {"prototype": {}}}'],
    ["terraform.variables", '{"terraform": {"variables": {"constructor": "x"}}}'],
  ])("in %s is kept or refused, never dropped: %s", (_, json) => {
    const loaded = JSON.parse(json);
    expect(keptOrRefused(loaded)).toBe(true);
  });

  it("has its control characters escaped in the message", () => {
    expect(refusal({ "\u001b[31mred": 1 }).message).toMatch(/\n {2}\\x1b\[31mred: unknown key$/);
  });
});

describe("a token in a config", () => {
  it.each([
    ["a personal token", at("project", PERSONAL), "project"],
    ["an OAuth token", at("token.name", OAUTH), "token.name"],
    ["a refresh token", at("token.envFile", REFRESH), "token.envFile"],
    ["a legacy token", at("terraform.variables.do_token", LEGACY), "terraform.variables.do_token"],
    [
      "deep in a variable",
      at("terraform.variables.a", [{ b: { c: PERSONAL } }]),
      "terraform.variables.a.0.b.c",
    ],
    [
      "in an environment",
      at("environments.prod.token.name", PERSONAL),
      "environments.prod.token.name",
    ],
    ["in an argument", at("token.command", ["echo", `x=${PERSONAL}`]), "token.command.1"],
    ["at an unknown key", at("secrets.digitalocean", PERSONAL), "secrets.digitalocean"],
    [
      "in a list of roots",
      { terraform: [{ variables: { t: PERSONAL } }] },
      "terraform.0.variables.t",
    ],
  ])("is refused: %s", (_, loaded, path) => {
    const { code, status, message, hint } = refusal(loaded);
    expect({ code, status }).toEqual({ code: "CONFIG_HOLDS_TOKEN", status: 2 });
    expect(message).toBe(`${FILE}: ${path} looks like a token, and a config is committed.`);
    expect(message + said(hint)).not.toMatch(/[0-9a-f]{16}/);
  });

  it.each([
    ["a key that is a token", { [PERSONAL]: 1 }],
    ["a truncated token", { doctl: PERSONAL.slice(0, 40) }],
  ])("is not printed: %s", (_, loaded) => {
    const { message, hint } = refusal(loaded);
    expect(message + said(hint)).not.toMatch(/[0-9a-f]{16}/);
  });
});

it("too many values are refused", () => {
  const loaded = { terraform: { variables: { a: Array.from({ length: 20_000 }, () => 1) } } };
  expect(refusal(loaded).message).toBe(`${FILE} expands to too many values.`);
});

function keptOrRefused(loaded: unknown): boolean {
  try {
    return JSON.stringify(validateConfig(loaded, FILE)) === JSON.stringify(loaded);
  } catch (error) {
    return error instanceof AppError && error.code === "CONFIG_INVALID";
  }
}
