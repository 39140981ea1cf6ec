import { describe, expect, it } from "vitest";
import { readDoctlConfig } from "../../../../src/concerns/doctl/config-file.ts";
import { chooseContext, compare, type Holding } from "../../../../src/concerns/doctl/context.ts";
import type { Inspection } from "../../../../src/concerns/token/verdict.ts";
import { OTHER, PERSONAL, secret } from "../../samples.ts";

type State = Inspection["state"];
const inspection = (state: State, uuid?: string): Inspection => ({
  state,
  scopes: undefined,
  expiresInSeconds: undefined,
  team: uuid === undefined ? undefined : { uuid, name: uuid },
  email: undefined,
  doubts: [],
});

describe("how a stored token stands to ours, which is of team A", () => {
  it.each<[string, string | undefined, Inspection | undefined, Holding]>([
    ["nothing stored", undefined, undefined, "nothing"],
    ["the same token", PERSONAL, undefined, "this"],
    ["the same token, however it was judged", PERSONAL, inspection("refused"), "this"],
    ["refused", OTHER, inspection("refused"), "dead"],
    ["alive, team A", OTHER, inspection("alive", "A"), "same-team"],
    ["alive, team B", OTHER, inspection("alive", "B"), "other"],
    ["alive, team unknown", OTHER, inspection("alive"), "other"],
    ["unknown", OTHER, inspection("unknown"), "other"],
    ["unknown, though of team A", OTHER, inspection("unknown", "A"), "other"],
    ["not inspected", OTHER, undefined, "other"],
  ])("%s", (_, stored, inspected, expected) => {
    const ours = { token: secret(PERSONAL), inspection: inspection("alive", "A") };
    const token = stored === undefined ? undefined : secret(stored);
    expect(compare(ours, { token, session: undefined }, inspected)).toBe(expected);
  });

  const OAUTH = `doo_v1_${"a1".repeat(32)}`;
  it.each<[string, string, string | undefined, Inspection | undefined, Holding]>([
    ["its token has expired", PERSONAL, OAUTH, inspection("refused"), "other"],
    ["its token is another team's", PERSONAL, OAUTH, inspection("alive", "B"), "other"],
    ["its token is of team A", PERSONAL, OAUTH, inspection("alive", "A"), "same-team"],
    ["it has no token any more", PERSONAL, undefined, undefined, "other"],
    ["its token is ours", OAUTH, OAUTH, undefined, "this"],
    ["ours stands over it", PERSONAL, PERSONAL, undefined, "overridden"],
  ])("a browser login, which doctl renews: %s", (_, own, stored, inspected, expected) => {
    const ours = { token: secret(own), inspection: inspection("alive", "A") };
    const token = stored === undefined ? undefined : secret(stored);
    const text = "oauth-tokens: { web: { refresh-token: R } }";
    const session = readDoctlConfig(text)?.sessions.get("web");
    expect(session).toBeDefined();
    expect(compare(ours, { token, session }, inspected)).toBe(expected);
  });

  it.each<[string, Inspection]>([
    ["of an unknown team too", inspection("alive")],
    ["of a team", inspection("alive", "B")],
  ])("our own team unknown: a live one %s is another's", (_, theirs) => {
    const ours = { token: secret(PERSONAL), inspection: inspection("alive") };
    expect(compare(ours, { token: secret(OTHER), session: undefined }, theirs)).toBe("other");
  });
});

describe("the context that a token belongs in (rule 5), project acme-web", () => {
  const NONE = "";
  const DEFAULT = "access-token: T";
  const SESSION = "oauth-tokens: { default: { refresh-token: R } }";
  const NAMED = "auth-contexts: { acme-web: P }";

  it.each<[string, string | undefined, string, Holding, string]>([
    ["no token anywhere", undefined, NONE, "nothing", "default"],
    ["an emptied default (auth remove)", undefined, 'access-token: ""', "nothing", "default"],
    ["default holds this", undefined, DEFAULT, "this", "default"],
    ["default holds one of the same team", undefined, DEFAULT, "same-team", "default"],
    ["a browser login that lost its token", undefined, SESSION, "other", "acme-web"],
    ["default holds this beside a browser login", undefined, DEFAULT, "overridden", "default"],
    ["default holds another's", undefined, DEFAULT, "other", "acme-web"],
    ["default holds a dead one", undefined, DEFAULT, "dead", "acme-web"],
    ["only named contexts", undefined, NAMED, "nothing", "acme-web"],
    ["configured, no token anywhere", "prod", NONE, "nothing", "prod"],
    ["configured, default holds this", "prod", DEFAULT, "this", "prod"],
    ["configured as default", "default", DEFAULT, "other", "default"],
  ])("%s", (_, configured, text, inDefault, expected) => {
    const config = readDoctlConfig(text);
    expect(config && chooseContext(configured, "acme-web", config, inDefault)).toBe(expected);
  });
});
