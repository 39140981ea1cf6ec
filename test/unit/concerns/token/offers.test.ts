import { describe, expect, it } from "vitest";
import { refusedPlaces } from "../../../../src/concerns/token/facts.ts";
import { chooseOffer } from "../../../../src/concerns/token/guide.ts";
import { judgeToken } from "../../../../src/concerns/token/judge.ts";
import {
  adoptable,
  lacksToken,
  type Offer,
  offered,
  shownOffer,
} from "../../../../src/concerns/token/offers.ts";
import type { Mistake } from "../../../../src/secret/not-a-token.ts";
import { Secret } from "../../../../src/secret/secret.ts";
import {
  alive,
  type FoundToken,
  facts,
  found,
  type Given,
  inspection,
  MISSING,
  secretFrom,
} from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";
import { OAUTH, OTHER, PERSONAL } from "../../samples.ts";

type Origin = Secret["origin"]["kind"];
const ACME = { uuid: "acme", name: "Acme" };
const OF_ACME = inspection("alive", { team: ACME });
const CONFIG = "account: { team: acme }";
const PROD = "environments: { prod: {}, qa: {} }";

function offer(
  value: string,
  words: string,
  known: Offer["inspection"] = OF_ACME,
  ...git: readonly Offer["places"][number]["git"][]
): Offer {
  const place = { words, where: "/repo/.env:3", path: "/repo/.env", git: undefined };
  const places = git.length === 0 ? [place] : git.map((each) => ({ ...place, git: each }));
  return { token: Secret.of(value, { kind: "adopted", place: words }), places, inspection: known };
}

const P = offer(PERSONAL, "DO_TOKEN in /repo/.env:3");
const O = offer(OTHER, "doctl context acme");
const REFUSED = offer(OTHER, "DO_PAT in the environment", inspection("refused"));
const DOWN = offer(OTHER, "DO_PAT in the environment", inspection("unknown"));
const NOT_ASKED: Offer = { ...O, inspection: undefined };
const STRANGER = offer(
  OAUTH,
  "X in /repo/.env:1",
  inspection("alive", { team: { ...ACME, uuid: "b" } }),
);
const TEAMLESS = offer(OTHER, "Y in the environment", inspection("alive"));
const CAME = offer(PERSONAL, "DO_TOKEN in /repo/.env:3", OF_ACME, "tracked");
const OPEN = offer(PERSONAL, "DO_TOKEN in /repo/.env:3", OF_ACME, "open");
const BOTH = offer(PERSONAL, "DO_TOKEN in /repo/.env:3", OF_ACME, "tracked", "open");

describe("which tokens are offered, and which one --adopt uses", () => {
  it.each<[what: string, offers: Offer[], team: string | undefined, expected: string]>([
    ["none", [], undefined, "0"],
    ["one token", [P], undefined, "1, taken"],
    ["a token of the team", [P], "acme", "1, taken"],
    ["a token of another team", [STRANGER], "acme", "0"],
    ["a token of any team, with no team in the config", [STRANGER], undefined, "1, taken"],
    ["a token of an unknown team, with a team in the config", [TEAMLESS], "acme", "0"],
    ["a token of an unknown team", [TEAMLESS], undefined, "1, taken"],
    ["a refused token", [REFUSED], undefined, "0"],
    ["a token that could not be checked", [DOWN], undefined, "0"],
    ["a token that was not checked", [NOT_ASKED], undefined, "0"],
    ["a valid token and a refused one", [REFUSED, P], undefined, "1, taken"],
    ["a token of the team and one of another team", [STRANGER, P], "acme", "1, taken"],
    ["a valid token and one that could not be checked", [P, DOWN], undefined, "1"],
    ["a valid token and one that was not checked", [P, NOT_ASKED], undefined, "1"],
    ["two tokens", [P, O], undefined, "2"],
    ["a token that is committed in the repo", [CAME], undefined, "1"],
    ["a token in a file that git does not ignore", [OPEN], undefined, "1, taken"],
    ["a token in a committed file and in one that is not", [BOTH], undefined, "1, taken"],
    ["a committed token and another one", [CAME, O], undefined, "2"],
  ])("%s", (_, offers, team, expected) => {
    const all = { found: offers, unsearched: [] };
    const taken = adoptable(all, team) === undefined ? "" : ", taken";
    expect(`${offered(all, team).length}${taken}`).toBe(expected);
  });
});

describe("whether other tokens are searched for", () => {
  const unusable = (from: Origin, mistake?: Mistake): FoundToken => {
    const { origin } = secretFrom(from);
    const state = {
      kind: "unusable",
      why: "it is …",
      origin,
      ...(mistake && { mistake }),
    } as const;
    return { state, inspection: undefined };
  };

  it.each<[what: string, token: FoundToken, expected: boolean]>([
    ["no token", MISSING, true],
    ["a placeholder in the env file", unusable("env-file", "placeholder"), true],
    ["a placeholder in the environment", unusable("environment", "placeholder"), false],
    ["a placeholder on standard input", unusable("stdin", "placeholder"), false],
    ["a reference in the env file", unusable("env-file", "1password"), false],
    ["half a token in the env file", unusable("env-file"), false],
    ["a token", alive("env-file"), false],
    ["a refused token in the env file", found("refused", "env-file"), true],
    ["a refused token in the environment", found("refused", "environment"), false],
    ["a refused token on standard input", found("refused", "stdin"), false],
    ["a token that could not be checked", found("unknown", "env-file"), false],
  ])("%s", (_, token, expected) => {
    expect(lacksToken(token)).toBe(expected);
  });
});

describe("findings about the tokens", () => {
  const judged = async (found: Offer[], given: Given = {}, ...unsearched: string[]) => {
    const offers = { found, unsearched };
    const known = await facts({ ...given, token: { ...MISSING, offers } });
    const [finding] = judgeToken(known);
    return finding;
  };

  it.each<[what: string, offers: Offer[], given: Given, message: RegExp, fix: RegExp]>([
    ["none", [], {}, / or in \/repo\/\.env\.$/, /^Create one at/],
    [
      "one token",
      [P],
      {},
      /Found another token: DO_TOKEN in \/repo\/\.env:3 \([0-9a-f]{8}, team Acme\)\.$/,
      /^do-bootstrap --adopt$/,
    ],
    [
      "one token, with environments to choose from",
      [P],
      { config: PROD },
      /DO_TOKEN/,
      /^Choose an environment: .* For a token that belongs to no environment: do-bootstrap --adopt$/,
    ],
    [
      "one token, in an environment",
      [P],
      { config: PROD, environment: "qa" },
      /DO_TOKEN/,
      /^do-bootstrap --adopt$/,
    ],
    [
      "two tokens",
      [P, O],
      {},
      /Found 2 other tokens: DO_TOKEN in \S+:3 \(.*\); doctl context acme \(/,
      /^do-bootstrap on a terminal lets you choose/,
    ],
    [
      "a refused token",
      [REFUSED],
      {},
      /DO_PAT in the environment \([0-9a-f]{8}, rejected by DigitalOcean \(401\): expired, /,
      /^Create one at/,
    ],
    [
      "a valid token and a refused one",
      [P, REFUSED],
      {},
      /Found 2 other tokens: .*, rejected by/,
      /^do-bootstrap --adopt$/,
    ],
    [
      "a token that could not be checked",
      [DOWN],
      {},
      /, could not be checked\)\.$/,
      /^Create one at/,
    ],
    [
      "a token of another team",
      [STRANGER],
      { config: CONFIG },
      /team Acme, not the team in account\.team\)\.$/,
      /^Create one at/,
    ],
    [
      "a token of an unknown team",
      [TEAMLESS],
      { config: CONFIG },
      /team unknown, but account\.team in the config requires a team/,
      /^Create one at/,
    ],
    [
      "a token that is committed in the repo",
      [CAME],
      {},
      /\.env:3 \(git tracks this file\) \(/,
      /^The token is committed in this repo\. On a terminal, do-bootstrap asks/,
    ],
    [
      "a token in a file that git does not ignore",
      [OPEN],
      {},
      /\.env:3 \(git does not ignore this file\) \(/,
      /^do-bootstrap --adopt$/,
    ],
    [
      "too many to list",
      Array.from({ length: 9 }, () => P),
      {},
      /Found 9 other tokens: .*; 4 more\.$/,
      /^do-bootstrap on/,
    ],
  ])("%s", async (_, offers, given, message, fix) => {
    const finding = await judged(offers, given);
    expect(finding).toMatchObject({ id: "token.missing", status: 4 });
    expect(finding?.message).toMatch(message);
    expect(said(finding?.fix)).toMatch(fix);
    expect(JSON.stringify(finding)).not.toMatch(/do[op]_v1_\w/);
  });

  it("places that were not searched are listed, and --adopt is not suggested", async () => {
    const finding = await judged([P], {}, "/repo/infra/a.tfvars");
    expect(finding?.message).toMatch(/Not fully searched: \/repo\/infra\/a\.tfvars\.$/);
    expect(said(finding?.fix)).toMatch(
      /^There may be other tokens\. On a terminal, do-bootstrap asks/,
    );
    expect(adoptable({ found: [P], unsearched: ["/repo/infra/a.tfvars"] }, undefined)).toBe(
      undefined,
    );
  });

  it("the finding is at the place of the only token", async () => {
    expect(await judged([P])).toMatchObject({ where: "/repo/.env:3" });
    expect(await judged([P, O])).not.toHaveProperty("where");
  });

  it("also with a placeholder in the env file", async () => {
    const origin = { kind: "env-file", name: "DIGITALOCEAN_TOKEN", path: "/repo/.env" } as const;
    const state = { kind: "unusable", origin, why: "it is a placeholder" } as const;
    const token = { state: { ...state, mistake: "placeholder" as const }, inspection: undefined };
    const [finding] = judgeToken(
      await facts({ token: { ...token, offers: { found: [P], unsearched: [] } } }),
    );
    expect(finding?.message).toMatch(/it is a placeholder\. Found another token: DO_TOKEN/);
    expect(said(finding?.fix)).toBe("do-bootstrap --adopt");
  });

  it("also with a refused token in the env file", async () => {
    const token = {
      ...found("refused", "env-file", { value: OAUTH }),
      offers: { found: [P], unsearched: [] },
    };
    const [finding] = judgeToken(await facts({ token }));
    expect(finding).toMatchObject({ id: "token.refused", where: "/repo/.env:3" });
    expect(finding?.message).toMatch(/mistyped\..* Found another token: DO_TOKEN in/);
    expect(said(finding?.fix)).toBe("do-bootstrap --adopt");
  });

  it.each<[what: string, offers: Offer[], expected: string | undefined]>([
    ["no refused token", [P], undefined],
    ["one refused token", [P, REFUSED], "DO_PAT in the environment"],
    [
      "two refused tokens",
      [REFUSED, { ...REFUSED, places: P.places }],
      "DO_PAT in the environment and DO_TOKEN in /repo/.env:3",
    ],
  ])("lists the places of refused tokens: %s", (_, offers, expected) => {
    expect(refusedPlaces({ ...MISSING, offers: { found: offers, unsearched: [] } })).toBe(expected);
  });
});

describe("the question on a terminal", () => {
  const NAME = "DIGITALOCEAN_TOKEN";
  const ask = async (offers: Offer[], answer: boolean | number) => {
    const asked: string[] = [];
    const terminal = {
      async confirm(question: string, isYesFirst = true) {
        asked.push(question, isYesFirst ? "[Y/n]" : "[y/N]");
        return answer === true;
      },
      async choose(question: string, answers: readonly string[]) {
        asked.push(question, ...answers);
        return Number(answer);
      },
    };
    const chosen = await chooseOffer(
      terminal,
      { name: NAME, tokens: offers.map(shownOffer) },
      (text) => text.replace("/repo/", ""),
    );
    return { asked: asked.join("\n"), chosen };
  };

  it.each<[what: string, offers: Offer[], answer: boolean | number, chosen: Offer | undefined]>([
    ["one, yes", [P], true, P],
    ["one, no", [P], false, undefined],
    ["the first of two", [P, O], 0, P],
    ["the second of two", [P, O], 1, O],
    ["none of two", [P, O], 2, undefined],
    ["none of them, listed before a committed token", [CAME, O], 1, undefined],
    ["a committed token, listed last", [CAME, O], 2, CAME],
  ])("%s", async (_, offers, answer, chosen) => {
    expect((await ask(offers, answer)).chosen).toBe(chosen?.token.fingerprint);
  });

  it.each<[what: string, offers: Offer[], expected: RegExp]>([
    [
      "place, fingerprint and team",
      [P],
      /\nDO_TOKEN in \.env:3 \([0-9a-f]{8}, team Acme\)\nUse it\?\n\[Y\/n]$/,
    ],
    [
      "that a token is committed in the repo",
      [CAME],
      /git tracks this file.*committed in the repo: use it only if this is your team.*\nUse it\?\n\[y\/N]$/,
    ],
    [
      "a committed token last",
      [CAME, O],
      /\ndoctl context acme .*\nNone of them\nDO_TOKEN in .*committed in the repo/,
    ],
    [
      "each token on one line",
      [offer(PERSONAL, "A in /repo/.env.\n\n\n:1", OF_ACME, "tracked")],
      /\nA in \.env\.\\x0a\\x0a\\x0a:1 .*committed in the repo.*\nUse it\?\n/,
    ],
    [
      "each of several tokens",
      [P, O],
      /one of them\?\nDO_TOKEN in .*\ndoctl context acme .*\nNone of them$/,
    ],
    ["an unknown team", [TEAMLESS], /team unknown/],
  ])("shows %s", async (_, offers, expected) => {
    expect((await ask(offers, 0)).asked).toMatch(expected);
  });
});
