import { describe, expect, it } from "vitest";
import { judgeToken } from "../../../../src/concerns/token/judge.ts";
import type { TokenState } from "../../../../src/exec/token-sources.ts";
import type { HintEdge } from "../../../../src/report/hint-text.ts";
import type { Mistake } from "../../../../src/secret/not-a-token.ts";
import { Secret } from "../../../../src/secret/secret.ts";
import {
  alive,
  type FoundToken,
  facts,
  found,
  type Given,
  MISSING,
  planned,
  secretFrom,
} from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";
import { OTHER } from "../../samples.ts";

const judged = async (given: Given) => judgeToken(await facts(given));

const DAY = 86_400;
const ACME = { uuid: "acme", name: "Acme" };
const TEAM = "account: { team: acme }";
const WEEK = "token: { minTtl: 7d }";
type Why = (TokenState & { kind: "unavailable" })["why"];
const unavailable = (why: Why): FoundToken => ({
  state: { kind: "unavailable", why, command: "pass show do", detail: "exit status 1" },
  inspection: undefined,
});
const unusable: FoundToken = {
  state: { kind: "unusable", origin: { kind: "stdin" }, why: "it is empty" },
  inspection: undefined,
};
const instead = (mistake: Mistake): FoundToken => ({
  state: { kind: "unusable", origin: { kind: "stdin" }, why: "it is no token", mistake },
  inspection: undefined,
});
const conflict: FoundToken = {
  state: { kind: "conflict", tokens: [secretFrom("environment"), secretFrom("env-file", OTHER)] },
  inspection: undefined,
};
const shadowed = [secretFrom("env-file", OTHER)];

describe("the token of a browser login", () => {
  const lasting = (value: string, expiresInSeconds: number | null): FoundToken => {
    const { inspection } = alive("env-file", { expiresInSeconds });
    return {
      state: { kind: "found", token: secretFrom("env-file", value), shadowed: [] },
      inspection,
    };
  };
  const OAUTH = `doo_v1_${"a1".repeat(32)}`;

  it.each<[string, FoundToken, readonly string[]]>([
    ["an hour left", lasting(OAUTH, 3540), ["warning token.of-session"]],
    ["just under a day", lasting(OAUTH, 86_399), ["warning token.of-session"]],
    ["thirty days, as another application's token", lasting(OAUTH, 30 * 86_400), []],
    ["no expiry", lasting(OAUTH, null), []],
    ["a personal token with an hour left", lasting(OTHER, 3540), []],
  ])("%s", async (_, token, expected) => {
    expect(planned({ findings: judgeToken(await facts({ token })) })).toEqual(expected);
  });
});

describe("findings about the token", () => {
  it.each<[string, Given, readonly string[]]>([
    ["valid", {}, []],
    ["missing", { token: MISSING }, ["error token.missing"]],
    [
      "its command is not trusted",
      { token: unavailable("untrusted") },
      ["error token.command-untrusted"],
    ],
    [
      "its command needs approval each time",
      { token: unavailable("unpinned") },
      ["error token.command-untrusted"],
    ],
    [
      "its command failed outside the repo",
      { token: unavailable("failed-alone") },
      ["error token.command-failed"],
    ],
    ["its command failed", { token: unavailable("failed") }, ["error token.command-failed"]],
    ["not a token by its form", { token: unusable }, ["error token.malformed"]],
    ["two tokens", { token: conflict }, ["error token.conflict"]],
    ["refused", { token: found("refused", "env-file") }, ["error token.refused"]],
    ["could not be checked", { token: found("unknown", "env-file") }, ["error token.unverified"]],
    ["not checked", { token: { ...alive("env-file"), inspection: undefined } }, []],
    [
      "valid, but not fully verified",
      { token: alive("env-file", { doubts: ["x"] }) },
      ["warning token.partly-verified"],
    ],
    [
      "overrides another token",
      { token: alive("environment", { shadowed }) },
      ["warning token.shadows-another"],
    ],
    [
      "overrides two tokens",
      { token: alive("environment", { shadowed: [...shadowed, ...shadowed] }) },
      ["warning token.shadows-another", "warning token.shadows-another"],
    ],
    [
      "overrides another token, and refused: only that is reported",
      { token: found("refused", "stdin", { shadowed }) },
      ["error token.refused"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned({ findings: await judged(given) })).toEqual(expected);
  });
});

describe("the team", () => {
  it.each<[string, Given, readonly string[]]>([
    ["no team in the config", { token: alive("env-file", { team: ACME }) }, []],
    ["the team in the config", { config: TEAM, token: alive("env-file", { team: ACME }) }, []],
    [
      "another team",
      { config: TEAM, token: alive("env-file", { team: { uuid: "b", name: "acme" } }) },
      ["error token.wrong-team"],
    ],
    ["unknown", { config: TEAM }, ["error token.team-unknown"]],
    [
      "of a refused token",
      { config: TEAM, token: found("refused", "env-file") },
      ["error token.refused"],
    ],
    [
      "unknown, and other facts too",
      { config: TEAM, token: alive("env-file", { doubts: ["x"] }) },
      ["error token.team-unknown", "warning token.partly-verified"],
    ],
    [
      "another team than the environment's",
      {
        config: "environments: { prod: { account: { team: b } } }",
        environment: "prod",
        token: alive("env-file", { team: ACME }),
      },
      ["error token.wrong-team"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned({ findings: await judged(given) })).toEqual(expected);
  });
});

describe("the token's expiry", () => {
  const expires = (expiresInSeconds: number | null | undefined, config = WEEK): Given => ({
    config,
    token: alive("env-file", { expiresInSeconds }),
  });

  it.each<[string, Given, readonly string[]]>([
    ["no minTtl in the config", expires(1, ""), []],
    ["later than minTtl", expires(8 * DAY), []],
    ["exactly at minTtl", expires(7 * DAY), []],
    ["a second before minTtl", expires(7 * DAY - 1), ["error token.expires-soon"]],
    ["never", expires(null), []],
    ["unknown", expires(undefined), []],
  ])("%s", async (_, given, expected) => {
    expect(planned({ findings: await judged(given) })).toEqual(expected);
  });

  it.each([
    [DAY, "1 day"],
    [2 * DAY, "2 days"],
    [1.55 * DAY, "1.5 days"],
    [7 * DAY - 1, "6.9 days"],
    [DAY - 1, "23.9 hours"],
    [3600, "1 hour"],
    [90, "1.5 minutes"],
    [1, "1 second"],
    [0, "0 seconds"],
  ])("in %i s: %s", async (seconds, words) => {
    const [finding] = await judged(expires(seconds));
    expect(finding?.message).toContain(`in ${words}, sooner`);
    expect(finding?.message).toContain("7 days");
  });
});

describe("how to fix it", () => {
  const PROD = "environments: { prod: {}, qa: {} }";

  it.each<[string, Given, RegExp]>([
    [
      "missing",
      { token: MISSING },
      /^Create one at https:\S+\/tokens\/new, then run do-bootstrap on/,
    ],
    [
      "missing, with environments to choose from",
      { token: MISSING, config: PROD },
      /^Choose an environment: --env prod or --env qa\. /,
    ],
    [
      "missing in an environment",
      { token: MISSING, config: PROD, environment: "qa" },
      /^Create one at/,
    ],
    ["untrusted", { token: unavailable("untrusted") }, /do-bootstrap --trust$/],
    [
      "a 1Password reference",
      { token: instead("1password") },
      /^op read \S+ \| do-bootstrap --tok/,
    ],
    [
      "encrypted by dotenvx",
      { token: instead("dotenvx") },
      /^dotenvx get DIGITALOCEAN_TOKEN \| do/,
    ],
    [
      "a reference",
      { token: instead("reference") },
      /do-bootstrap --token-stdin\. Or set token\.com/,
    ],
    [
      "a Spaces key",
      { token: instead("spaces-key") },
      /^A Spaces key belongs in SPACES_ACCESS_KEY/,
    ],
    [
      "a placeholder",
      { token: instead("placeholder") },
      /^A token is dop_v1_ followed by 64 characters/,
    ],
    [
      "overrides a variable",
      { token: alive("stdin", { shadowed: [secretFrom("environment", OTHER)] }) },
      /^unset DIGITALOCEAN_TOKEN$/,
    ],
    ["overrides a file", { token: alive("stdin", { shadowed }) }, /^do-bootstrap --save /],
    [
      "overrides a token in the code",
      { token: alive("environment", { shadowed: [secretFrom("code", OTHER)] }) },
      /^Revoke it if it was ever committed: https:/,
    ],
    ["the team is unknown", { config: TEAM }, /account:read/],
  ])("%s", async (_, given, step) => {
    const [finding] = await judged(given);
    expect(said(finding?.fix)).toMatch(step);
  });
});

describe("how to fix a token in the environment, which overrides stored tokens", () => {
  const NAME = "DIGITALOCEAN_TOKEN";
  const wrong = { team: { uuid: "b", name: "Other" } };
  const stored = [secretFrom("env-file", OTHER)];
  const both = Object.fromEntries(
    [NAME, "DIGITALOCEAN_ACCESS_TOKEN"].map((name) => [name, secretFrom("environment").reveal()]),
  );
  const LEADS = "run do-bootstrap on a terminal. In a script: … | do-bootstrap --token-stdin";
  const MAKE = "Create a new one at https://cloud.digitalocean.com/account/api/tokens/new";
  const SWITCH =
    "Switch to the right team in the control panel and create a token at https://cloud.digitalocean.com/account/api/tokens/new";
  const refused = (more: Parameters<typeof found>[2] = {}) => found("refused", "environment", more);
  const ofOthers = (more: Parameters<typeof found>[2] = {}) =>
    alive("environment", { ...wrong, ...more });

  it.each<[string, Given, Partial<HintEdge>, string]>([
    [
      "wrong team, .env has another",
      { config: TEAM, token: ofOthers({ shadowed: stored }) },
      {},
      `To use the other token: unset ${NAME}`,
    ],
    [
      "wrong team, .env has another, in PowerShell",
      { config: TEAM, token: ofOthers({ shadowed: stored }) },
      { shell: "powershell", platform: "win32" },
      `To use the other token: Remove-Item Env:${NAME}`,
    ],
    [
      "wrong team, .env has another, in cmd",
      { config: TEAM, token: ofOthers({ shadowed: stored }) },
      { shell: "cmd", platform: "win32" },
      `To use the other token: set "${NAME}="`,
    ],
    [
      "wrong team, the token under both names",
      { config: TEAM, token: ofOthers({ shadowed: stored }), env: both },
      {},
      `To use the other token: unset ${NAME} DIGITALOCEAN_ACCESS_TOKEN`,
    ],
    [
      "wrong team, the other name holds another token",
      { config: TEAM, token: ofOthers(), env: { DIGITALOCEAN_ACCESS_TOKEN: OTHER } },
      {},
      `${SWITCH}, then unset ${NAME} and ${LEADS}`,
    ],
    [
      "wrong team, no .env",
      { config: TEAM, token: ofOthers() },
      {},
      `${SWITCH}, then unset ${NAME} and ${LEADS}`,
    ],
    [
      "wrong team, and the config names a login",
      { config: `${TEAM}\ntoken: { doctl: work }`, token: ofOthers() },
      {},
      `To use the login of doctl context work: unset ${NAME}`,
    ],
    [
      "wrong team, and the config names a command",
      { config: `${TEAM}\ntoken: { command: [pass, show, do] }`, token: ofOthers() },
      {},
      `To use the token of token.command: unset ${NAME}`,
    ],
    [
      "refused, .env has another",
      { token: refused({ shadowed: stored }) },
      {},
      `To use the other token: unset ${NAME}`,
    ],
    ["refused, no .env", { token: refused() }, {}, `${MAKE}, then unset ${NAME} and ${LEADS}`],
    ["refused, in CI", { token: refused(), isCi: true }, {}, `${MAKE}, then ${LEADS}`],
    [
      "wrong team, in CI",
      { config: TEAM, token: ofOthers({ shadowed: stored }), isCi: true },
      {},
      SWITCH,
    ],
    [
      "--token-stdin, wrong team",
      { config: TEAM, token: alive("stdin", { ...wrong, shadowed: stored }) },
      {},
      SWITCH,
    ],
    [
      "--token-stdin, refused",
      { token: found("refused", "stdin", { shadowed: stored }) },
      {},
      `${MAKE}, then ${LEADS}`,
    ],
    [".env, wrong team", { config: TEAM, token: alive("env-file", wrong) }, {}, SWITCH],
    [
      "two tokens in the environment",
      {
        token: {
          ...conflict,
          state: {
            kind: "conflict",
            tokens: [
              secretFrom("environment"),
              Secret.of(OTHER, { kind: "environment", name: "DIGITALOCEAN_ACCESS_TOKEN" }),
            ],
          },
        },
      },
      {},
      `Unset the wrong one: unset ${NAME} or unset DIGITALOCEAN_ACCESS_TOKEN`,
    ],
    [
      "one token in the environment, one in an env file",
      { token: conflict },
      {},
      `Unset the token in the environment, or remove the other one from its file: unset ${NAME}`,
    ],
  ])("%s", async (_, given, edge, step) => {
    const [finding, ...more] = await judged(given);
    expect(said(finding?.fix, edge)).toBe(step);
    // No other finding suggests a step that overwrites the right token with this one.
    expect(more.map(({ id }) => id)).not.toContain("token.shadows-another");
  });

  it.each<[string, Given]>([
    ["wrong team", { config: TEAM, token: ofOthers({ shadowed: stored }) }],
    ["refused", { token: refused({ shadowed: stored }) }],
  ])("%s: the message names the other token", async (_, given) => {
    const [finding] = await judged(given);
    expect(finding?.message).toContain(
      ` ${NAME} in /repo/.env holds another token (${stored[0]?.fingerprint}).`,
    );
  });
});

it.each<[string, FoundToken]>([
  ["two tokens", conflict],
  ["a token that overrides another", alive("environment", { shadowed })],
])("shows fingerprints, not tokens: %s", async (_, token) => {
  const text = JSON.stringify(await judged({ token }));
  for (const secret of [secretFrom("environment"), ...shadowed]) {
    expect(text).toContain(secret.fingerprint);
    expect(text).not.toContain(secret.reveal());
  }
});
