import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { heldByOthers } from "../../../../src/commands/credentials/other-environments.ts";
import { readPlaces } from "../../../../src/commands/credentials/token-places.ts";
import { resolveConfig } from "../../../../src/concerns/config/resolve.ts";
import { validateConfig } from "../../../../src/concerns/config/validate.ts";
import { isBlocked, statusOf } from "../../../../src/core/finding.ts";
import { DOCTL_CONFIG, type Entry, facts, filesOf } from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";
import { OAUTH, OTHER, PERSONAL, secret } from "../../samples.ts";

const CONFIG = `environments:
  dev: {}
  prod: { token: { envFile: .env.prod }, doctl: { context: acme-prod } }
  qa: { token: { envFile: conf/.env, name: QA_TOKEN } }
`;
const PROD = ".env.prod";
const T = "DIGITALOCEAN_TOKEN";

/** What a run without --env reports about the environments after it removed PERSONAL. */
async function left(
  files: Readonly<Record<string, Entry>>,
  { environment, config = CONFIG }: { environment?: string; config?: string } = {},
) {
  const given = { config, files, ...(environment === undefined ? {} : { environment }) };
  const known = await facts(given);
  const written = validateConfig({ terraform: false, ...parse(config) }, "/repo/c.yaml");
  const around = {
    file: "/repo/c.yaml",
    base: "/repo",
    packageName: undefined,
    defaultDirs: ["."],
  };
  const places = await readPlaces({ files: filesOf(given) }, known);
  return heldByOthers(known.config, (name) => resolveConfig(written, name, around), places, {
    but: [secret()],
    as: "logout",
  });
}

describe("a run without --env reports environments that still have a token", () => {
  const other = secret(OTHER).fingerprint;
  const doctl = (token: string) => `auth-contexts: { acme-prod: ${token}, mine: ${OAUTH} }\n`;

  it.each<[what: string, files: Readonly<Record<string, Entry>>, named: string[]]>([
    ["none", {}, []],
    ["an env file", { [PROD]: `${T}=${OTHER}\n` }, [`prod ${other} in .env.prod`]],
    [
      "under the second variable name",
      { [PROD]: `DIGITALOCEAN_ACCESS_TOKEN=${OTHER}\n` },
      [`prod ${other} in .env.prod`],
    ],
    [
      "under the environment's own variable name",
      { "conf/.env": `QA_TOKEN=${OTHER}\n` },
      [`qa ${other} in conf/.env`],
    ],
    ["under a variable that it does not read", { "conf/.env": `${T}=${OTHER}\n` }, []],
    ["the same token, which is removed too", { [PROD]: `${T}=${PERSONAL}\n` }, []],
    ["no token", { [PROD]: `${T}=hunter2\nA=${OTHER}\n` }, []],
    [
      "its own doctl context",
      { [DOCTL_CONFIG]: doctl(OTHER) },
      [`prod ${other} in doctl context acme-prod`],
    ],
    ["a doctl context with the same token", { [DOCTL_CONFIG]: doctl(PERSONAL) }, []],
    [
      "two environments",
      { [PROD]: `${T}=${OTHER}\n`, "conf/.env": `QA_TOKEN=${OTHER}\n` },
      [`prod ${other} in .env.prod`, `qa ${other} in conf/.env`],
    ],
  ])("%s", async (_, files, named) => {
    const found = await left(files);
    expect(
      found.map(({ message }) =>
        message.replace(/^Environment (\w+) still has its own token: (.*)\.$/, "$1 $2"),
      ),
    ).toEqual(named);
  });

  it("a shared doctl context is not reported", async () => {
    const shared = `doctl: { context: acme-prod }\n${CONFIG}`;
    expect(await left({ [DOCTL_CONFIG]: doctl(OTHER) }, { config: shared })).toEqual([]);
  });

  it("with --env, tokens of other environments are not reported", async () => {
    expect(await left({ [PROD]: `${T}=${OTHER}\n` }, { environment: "dev" })).toEqual([]);
  });

  it("is an error that does not block, and names the command", async () => {
    const found = await left({ [PROD]: `${T}=${OTHER}\n` });
    expect(isBlocked(found)).toBe(false);
    expect(statusOf(found, false)).toBe(3);
    expect(found.map(({ fix }) => said(fix))).toEqual([
      "do-bootstrap logout --env prod; for all environments: do-bootstrap logout --all",
    ]);
  });
});
