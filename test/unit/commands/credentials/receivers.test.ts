import { describe, expect, it } from "vitest";
import { stillIn, withReceivers } from "../../../../src/commands/credentials/pipeline-secrets.ts";
import type { RemoteSecret } from "../../../../src/commands/pipelines/remote-secrets.ts";
import { LEGACY, OTHER, PERSONAL, secret } from "../../samples.ts";

const TOKENS = { A: PERSONAL, B: OTHER, C: LEGACY, N: PERSONAL.replaceAll("0", "9") } as const;
type Name = keyof typeof TOKENS;
const print = (name: string) => secret(TOKENS[name as Name]).fingerprint;

const GONE = { seen: { isThere: false } } as RemoteSecret["place"];
const THERE = { seen: { isThere: true } } as RemoteSecret["place"];

/** "older A<B": it should hold A, and may still hold B. */
function remote(text: string): RemoteSecret {
  const [state = "", tokens = ""] = text.split(" ");
  const [token = "", ...replaces] = tokens.split("<");
  const place = { unreached: undefined, gone: GONE }[state] ?? THERE;
  return {
    stored: {
      ...{
        kind: "github" as const,
        repo: "github.com/acme/web",
        environment: `${text}-apply`,
        name: "TOKEN",
      },
      ...{ token: print(token), replaces: replaces.map(print) },
    },
    state: state === "gone" ? "missing" : (state as RemoteSecret["state"]),
    place: state === "unreached" ? undefined : place,
  };
}

describe("the secrets of a pipeline that get a new token", () => {
  it.each<[secret: string, rotations: string[], receivers: string[], mayHold: string[]]>([
    ["stored A", ["A>N"], ["A>N"], ["A>N"]],
    ["stored B", ["A>N"], [], []],
    ["changed A", ["A>N"], ["A>N"], ["A>N"]],
    // It may hold B, but should hold A: one rotation stores, and B is not revoked before that.
    ["older A<B", ["B>C", "A>N"], ["A>N"], ["B>C", "A>N"]],
    ["older A<B", ["B>N"], ["B>N"], ["B>N"]],
    ["stored A<B", ["B>N"], [], []],
    ["unreached A<B", ["B>N"], ["B>N"], ["B>N"]],
    // An earlier run has decided on the new token.
    ["older N<A", ["A>N"], ["A>N"], ["A>N"]],
    ["unsure N<A", ["A>N"], ["A>N"], ["A>N"]],
    ["unsure A<B", ["B>N"], ["B>N"], ["B>N"]],
    ["missing N<A", ["A>N"], ["A>N"], ["A>N"]],
    ["stored N", ["A>N"], [], []],
    ["unreached N<A", ["A>N"], [], ["A>N"]],
    ["gone A", ["A>N"], [], []],
  ])("%s, with the rotations %j: %j, may hold the old token of %j", (text, names, ...expected) => {
    const rotations = names.map((each) => {
      const [old = "", to = ""] = each.split(">");
      const tokens = { token: secret(TOKENS[to as Name]), olds: [secret(TOKENS[old as Name])] };
      return { environments: [each], isResumed: false, ...tokens };
    });
    const all = withReceivers([remote(text)], rotations);
    const named = (key: "receivers" | "holders") =>
      all.filter((each) => each[key].length > 0).flatMap(({ environments }) => environments);
    expect([named("receivers"), named("holders")]).toEqual(expected);
    const isKept = all.filter((each) => stillIn(each, new Set()) !== undefined);
    expect(isKept.flatMap(({ environments }) => environments)).toEqual(
      [...new Set(expected.flat())].sort((a, b) => names.indexOf(a) - names.indexOf(b)),
    );
  });
});
