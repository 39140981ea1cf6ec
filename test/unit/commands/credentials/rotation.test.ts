import { describe, expect, it } from "vitest";
import {
  differentTokens,
  groupsOf,
  type Member,
  oldTokens,
  purposeOf,
  type Rotation,
  refuseChain,
} from "../../../../src/commands/credentials/rotation.ts";
import { said } from "../../../fixtures/hint.ts";
import { LEGACY, OTHER, PERSONAL, secret, thrownBy } from "../../samples.ts";

const VALUES = { A: PERSONAL, B: OTHER, C: PERSONAL.replaceAll("0", "9") } as const;
type Name = keyof typeof VALUES;
const token = (name: Name) => secret(VALUES[name]);
const print = (name: Name) => token(name).fingerprint;

/** "dev A" has token A. "dev B A>B" has an unfinished rotation from A to B. "- A" is a run without --env. */
function member(text: string): Member {
  const [name, current = "", record] = text.split(" ");
  const [old, to] = (record?.split(">") ?? []) as Name[];
  return {
    environment: name === "-" ? undefined : name,
    current: current in VALUES ? token(current as Name) : undefined,
    unfinished:
      old === undefined || to === undefined
        ? undefined
        : { old: [print(old)], new: print(to), revoke: false },
  };
}

describe("environments that share one new token", () => {
  it.each<[what: string, members: string[], groups: string[]]>([
    ["one environment", ["dev A"], ["dev"]],
    ["one token for all", ["- A", "dev A", "prod A"], ["-, dev, prod"]],
    ["different tokens", ["dev A", "prod B"], ["dev", "prod"]],
    ["two of three with one token", ["dev A", "prod B", "qa A"], ["dev, qa", "prod"]],
    ["no tokens", ["dev", "prod"], []],
    ["one without a token", ["dev A", "prod"], ["dev"]],
    ["an unfinished rotation", ["dev B A>B", "prod A A>B"], ["dev, prod"]],
    ["an unfinished rotation of one of two", ["dev B A>B", "prod A"], ["dev, prod"]],
    [
      "an unfinished rotation beside another token",
      ["dev B A>B", "prod A", "qa C"],
      ["dev, prod", "qa"],
    ],
    ["an unfinished rotation, file not written yet", ["dev A A>B"], ["dev"]],
    ["an unfinished rotation, file missing", ["dev - A>B", "prod A"], ["dev, prod"]],
  ])("%s: %j", (_, members, expected) => {
    const groups = groupsOf(members.map(member));
    expect(groups.map((group) => group.map(({ environment = "-" }) => environment).join())).toEqual(
      expected.map((each) => each.replaceAll(", ", ",")),
    );
  });

  it.each<[members: string[], held: Name[], to: Name, olds: Name[]]>([
    [["dev A"], ["A"], "B", ["A"]],
    [["dev A", "prod A"], ["A", "A"], "B", ["A"]],
    [["dev A"], ["A"], "A", []],
    [["dev B A>B", "prod A A>B"], ["A", "B"], "B", ["A"]],
    // The new token differs from the killed run's.
    [["dev B A>B", "prod A A>B"], ["A", "B"], "C", ["B", "A"]],
    [["dev B A>B"], ["B"], "C", ["B"]],
    [["dev A"], ["A", "C"], "B", ["A"]],
  ])("%j with the tokens %j: new token %s replaces %j", (members, held, to, olds) => {
    const found = oldTokens(members.map(member), held.map(token), token(to));
    expect(found.map(({ fingerprint }) => fingerprint)).toEqual(olds.map(print));
  });
});

describe("one place gets one token", () => {
  const rotation = (name: string, olds: Name[], to: Name): Rotation => ({
    environments: [name],
    ...{ token: token(to), olds: olds.map(token), receivers: [], holders: [], isResumed: false },
  });

  it.each<[string, Rotation[]]>([
    [
      "a new token that another rotation replaces",
      [rotation("dev", ["A"], "B"), rotation("prod", ["B"], "C")],
    ],
    ["swapped tokens", [rotation("dev", ["A"], "B"), rotation("prod", ["B"], "A")]],
    ["two new tokens for one old one", [rotation("dev", ["A"], "B"), rotation("prod", ["A"], "C")]],
  ])("%s is refused", (_, rotations) => {
    const refusal = thrownBy(() => refuseChain(rotations));
    expect(refusal).toMatchObject({ code: "USAGE", status: 2 });
    expect(said(refusal.hint)).toMatch(/do-bootstrap rotate --env (dev|prod)$/);
  });

  it.each<[string, Rotation[]]>([
    ["one rotation", [rotation("dev", ["A"], "B")]],
    ["the same new token for both", [rotation("dev", ["A"], "C"), rotation("prod", ["B"], "C")]],
    [
      "an environment that already has the new token",
      [rotation("dev", ["A"], "C"), rotation("prod", [], "C")],
    ],
  ])("%s is allowed", (_, rotations) => {
    expect(() => refuseChain(rotations)).not.toThrow();
  });
});

describe("messages", () => {
  it("list each token's environments, with a command for each", () => {
    const groups = groupsOf(["- A", "dev A", "prod B"].map(member));
    const { message, hint, status } = differentTokens(groups);
    expect(message).toBe(
      `One new token can't replace several different tokens: a run without --env and dev hold ${print("A")}; prod holds ${print("B")}.`,
    );
    expect(said(hint)).toBe(
      "Rotate them one by one: … | do-bootstrap rotate --token-stdin; … | do-bootstrap rotate --env prod --token-stdin. On a terminal, do-bootstrap rotate --all asks for each token.",
    );
    expect(status).toBe(2);
  });

  it.each<[members: string[], team: string | undefined, text: string]>([
    [["dev A"], "Acme", `For dev, team Acme: it replaces ${print("A")}.`],
    [["dev A", "qa A"], undefined, `For dev and qa: it replaces ${print("A")}.`],
    [["- A"], undefined, `For a run without --env: it replaces ${print("A")}.`],
    [
      ["a A", "b A", "c A", "d A", "e A"],
      undefined,
      `For a, b, c and 2 more: it replaces ${print("A")}.`,
    ],
    [["dev B A>B"], undefined, `For dev: it replaces ${print("A")}.`],
  ])("say what a new token is for: %j", (members, team, text) => {
    expect(purposeOf(members.map(member), team)).toBe(text);
    expect(text).not.toContain(LEGACY);
  });
});
