import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type Around, choicesOf, namesOf } from "../../../../src/commands/init/environments.ts";
import { resolveConfig } from "../../../../src/concerns/config/resolve.ts";
import { validateConfig } from "../../../../src/concerns/config/validate.ts";
import { tokenInFile } from "../../../../src/exec/token-sources.ts";
import { OTHER, PERSONAL, secret } from "../../samples.ts";

const T = "DIGITALOCEAN_TOKEN";
const TWO =
  "environments: { dev: { token: { envFile: .env.dev } }, prod: { token: { envFile: .env.prod } } }";

/** A config and the contents of its env files. */
function around(yaml: string, files: Readonly<Record<string, Record<string, string>>> = {}) {
  const written = validateConfig(parse(yaml) ?? {}, "/repo/c.yaml");
  const at = { file: "/repo/c.yaml", base: "/repo", packageName: undefined, defaultDirs: ["."] };
  const of = (name?: string): Around => {
    const config = resolveConfig(written, name, at);
    const path = config.token.envFile;
    const values = new Map(Object.entries(files[path.replace("/repo/", "")] ?? {}));
    return { config, held: tokenInFile({ path, values }, config.token.name) };
  };
  return [of(), ...Object.keys(written.environments ?? {}).map(of)] as const;
}

describe("--all: every environment, and the run without --env if it has its own token", () => {
  it.each<[what: string, yaml: string, files: Parameters<typeof around>[1], names: string[]]>([
    ["no environments", "", {}, ["-"]],
    ["no token outside them", TWO, {}, ["dev", "prod"]],
    ["a token outside them", TWO, { ".env": { [T]: PERSONAL } }, ["-", "dev", "prod"]],
    [
      "a token outside them, under its second name",
      TWO,
      { ".env": { DIGITALOCEAN_ACCESS_TOKEN: PERSONAL } },
      ["-", "dev", "prod"],
    ],
    ["an invalid token outside them", TWO, { ".env": { [T]: "dop_v1_0" } }, ["-", "dev", "prod"]],
    ["another variable", TWO, { ".env": { A: PERSONAL } }, ["dev", "prod"]],
    ["a command outside them", `token: { command: [pass, x] }\n${TWO}`, {}, ["-", "dev", "prod"]],
    [
      "a token outside them that an environment shares",
      "environments: { dev: {}, prod: { token: { envFile: .env.prod } } }",
      { ".env": { [T]: PERSONAL } },
      ["dev", "prod"],
    ],
    [
      "the same file, another variable",
      "environments: { dev: { token: { name: DEV_TOKEN } } }",
      { ".env": { [T]: PERSONAL, DEV_TOKEN: OTHER } },
      ["-", "dev"],
    ],
  ])("%s", (_, yaml, files, names) => {
    expect(namesOf(around(yaml, files)).map((name) => name ?? "-")).toEqual(names);
  });
});

describe("the choice of an environment without a token", () => {
  const TEAMS = `environments:
  dev: { token: { envFile: .env.dev } }
  prod: { token: { envFile: .env.prod }, account: { team: abc } }
  ops: { token: { command: [pass, ops] } }
`;
  const lines = (...given: Parameters<typeof around>) =>
    choicesOf(around(...given), new Map([[secret(OTHER).fingerprint, "Acme"]]))?.map(
      ({ environment = "-", label, about }) => [environment, label, about].join(" | "),
    );

  it("offers each environment with its team and token, or none of them", () => {
    expect(lines(TEAMS, { ".env.dev": { [T]: OTHER } })).toEqual([
      `dev | dev | team Acme, token ${secret(OTHER).fingerprint} in .env.dev`,
      "prod | prod | team abc, no token yet",
      "ops | ops | token from token.command",
      "- | none of them | the token is stored in .env",
    ]);
    expect(
      lines(TEAMS, { ".env.prod": { [T]: OTHER }, ".env.dev": { [T]: "x" } })?.slice(0, 2),
    ).toEqual([
      "dev | dev | invalid token in .env.dev",
      `prod | prod | team Acme, token ${secret(OTHER).fingerprint} in .env.prod`,
    ]);
  });

  it.each<[what: string, yaml: string, files: Parameters<typeof around>[1]]>([
    ["no environments", "", {}],
    ["a token outside them", TWO, { ".env": { [T]: PERSONAL } }],
    ["an invalid token outside them", TWO, { ".env": { [T]: "x" } }],
    ["a command outside them", `token: { command: [pass, x] }\n${TWO}`, {}],
    ["an env file that an environment shares", "environments: { dev: {} }", {}],
  ])("is not offered with %s", (_, yaml, files) => {
    expect(lines(yaml, files)).toBeUndefined();
  });
});
