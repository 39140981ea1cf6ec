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

describe("compares a stored token with ours, which is of team A", () => {
  it.each<[string, string | undefined, Inspection | undefined, Holding]>([
    ["nothing stored", undefined, undefined, "nothing"],
    ["the same token", PERSONAL, undefined, "this"],
    ["the same token, even if refused", PERSONAL, inspection("refused"), "this"],
    ["refused", OTHER, inspection("refused"), "dead"],
    ["valid, team A", OTHER, inspection("alive", "A"), "same-team"],
    ["valid, team B", OTHER, inspection("alive", "B"), "other"],
    ["valid, team unknown", OTHER, inspection("alive"), "other"],
    ["could not be checked", OTHER, inspection("unknown"), "other"],
    ["could not be checked, team A", OTHER, inspection("unknown", "A"), "other"],
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
    ["its token is gone", PERSONAL, undefined, undefined, "other"],
    ["its token is ours", OAUTH, OAUTH, undefined, "this"],
    ["our token overrides it", PERSONAL, PERSONAL, undefined, "overridden"],
  ])("a browser login, which doctl renews: %s", (_, own, stored, inspected, expected) => {
    const ours = { token: secret(own), inspection: inspection("alive", "A") };
    const token = stored === undefined ? undefined : secret(stored);
    const text = "oauth-tokens: { web: { refresh-token: R } }";
    const session = readDoctlConfig(text)?.sessions.get("web");
    expect(session).toBeDefined();
    expect(compare(ours, { token, session }, inspected)).toBe(expected);
  });

  it.each<[string, Inspection]>([
    ["of an unknown team", inspection("alive")],
    ["of a known team", inspection("alive", "B")],
  ])("with our team unknown, a valid token %s counts as another's", (_, theirs) => {
    const ours = { token: secret(PERSONAL), inspection: inspection("alive") };
    expect(compare(ours, { token: secret(OTHER), session: undefined }, theirs)).toBe("other");
  });
});

describe("chooses the context for a token (rule 5), project acme-web", () => {
  const NONE = "";
  const DEFAULT = "access-token: T";
  const SESSION = "oauth-tokens: { default: { refresh-token: R } }";
  const NAMED = "auth-contexts: { acme-web: P }";

  it.each<[string, string | undefined, string, Holding, string]>([
    ["no token anywhere", undefined, NONE, "nothing", "default"],
    ["an emptied default (auth remove)", undefined, 'access-token: ""', "nothing", "default"],
    ["default holds this token", undefined, DEFAULT, "this", "default"],
    ["default holds a token of the same team", undefined, DEFAULT, "same-team", "default"],
    ["a browser login without a token", undefined, SESSION, "other", "acme-web"],
    ["default holds this token and a browser login", undefined, DEFAULT, "overridden", "default"],
    ["default holds another token", undefined, DEFAULT, "other", "acme-web"],
    ["default holds a refused token", undefined, DEFAULT, "dead", "acme-web"],
    ["only named contexts", undefined, NAMED, "nothing", "acme-web"],
    ["configured, no token anywhere", "prod", NONE, "nothing", "prod"],
    ["configured, default holds this token", "prod", DEFAULT, "this", "prod"],
    ["default is configured", "default", DEFAULT, "other", "default"],
  ])("%s", (_, configured, text, inDefault, expected) => {
    const config = readDoctlConfig(text);
    expect(config && chooseContext(configured, "acme-web", config, inDefault)).toBe(expected);
  });
});
