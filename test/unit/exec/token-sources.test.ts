import { describe, expect, it } from "vitest";
import { chooseToken, type TokenState, tokenNames } from "../../../src/exec/token-sources.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { LEGACY, OTHER, PERSONAL, REFRESH } from "../samples.ts";

const TOKEN = "DIGITALOCEAN_TOKEN";
const ACCESS = "DIGITALOCEAN_ACCESS_TOKEN";

// Notation of the cases: "env.T=P file.A=X --env" is place, name (T, A or a full name) and value.
const NAMES: Record<string, string> = { T: TOKEN, A: ACCESS };
const VALUES: Record<string, string> = {
  P: PERSONAL,
  X: OTHER,
  L: LEGACY,
  refresh: REFRESH,
  quoted: `"${PERSONAL}"`,
  padded: ` '${PERSONAL}'\r\n`,
  empty: "",
  blank: " \n",
};

function stateOf(given: string): TokenState {
  const places: Record<string, Record<string, string>> = {};
  const words = given.split(" ");
  for (const word of words.filter((word) => word.includes("="))) {
    const [place = "", name = "", value = ""] = word.split(/[.=]/);
    const [key, text] = value === "" ? ["it", name] : [NAMES[name] ?? name, value];
    places[place] = { ...places[place], [key]: VALUES[text] ?? NAMES[text] ?? text };
  }
  const { stdin, env = {}, file = {}, name, code, prompt } = places;
  return chooseToken({
    stdin: stdin?.["it"],
    env,
    envFile: { path: ".env", values: new Map(Object.entries(file)) },
    name: name?.["it"] ?? TOKEN,
    inCode: code && Secret.of(code["it"] ?? "", { kind: "code", path: "main.tf" }),
    prompted: prompt?.["it"],
    environment: words.includes("--env") ? "prod" : undefined,
  });
}

/** "P env.T, over X file.T" */
function choose(given: string): string {
  const state = stateOf(given);
  if (state.kind === "missing") return "missing";
  if (state.kind === "unusable") return `unusable ${placeOf(state.origin)}: ${state.why}`;
  if (state.kind === "conflict") return `conflict: ${state.tokens.map(say).join(" / ")}`;
  if (state.kind === "beside-login") return `${say(state.token)}, beside a login`;
  if (state.kind === "unavailable" || state.kind === "no-login")
    return `${state.kind}: ${state.why}`;
  return [say(state.token), ...state.shadowed.map(say)].join(", over ");
}

function say(secret: Secret): string {
  const value = secret.reveal();
  return `${Object.keys(VALUES).find((word) => VALUES[word] === value)} ${placeOf(secret.origin)}`;
}

function placeOf(origin: Secret["origin"]): string {
  if (origin.kind !== "environment" && origin.kind !== "env-file") return origin.kind;
  const name = Object.keys(NAMES).find((word) => NAMES[word] === origin.name) ?? origin.name;
  return origin.kind === "environment" ? `env.${name}` : `file.${name}`;
}

describe("the order of the sources", () => {
  it.each([
    ["", "missing"],
    ["stdin=P", "P stdin"],
    ["env.T=P", "P env.T"],
    ["file.T=P", "P file.T"],
    ["stdin=P env.T=X", "P stdin, over X env.T"],
    ["stdin=P file.T=X", "P stdin, over X file.T"],
    ["env.T=P file.T=X", "P env.T, over X file.T"],
    ["stdin=P env.T=X file.T=L", "P stdin, over X env.T, over L file.T"],
    ["stdin=P env.T=P env.A=P file.T=P code=P", "P stdin"],
    ["code=P", "P code"],
    ["prompt=P", "P prompt"],
    ["prompt=P file.T=X", "P prompt, over X file.T"],
    ["code=P file.T=X", "X file.T, over P code"],
    ["code=P env.T=X --env", "X env.T, over P code"],
  ])("%s -> %s", (given, expected) => {
    expect(choose(given)).toBe(expected);
  });
});

describe("the variable names", () => {
  it.each([
    [TOKEN, [TOKEN, ACCESS]],
    [ACCESS, [ACCESS, TOKEN]],
    ["ACME_DO_TOKEN", ["ACME_DO_TOKEN"]],
    ["DO_TOKEN", ["DO_TOKEN"]],
  ])("%s is read as %j", (name, names) => {
    expect(tokenNames(name)).toEqual(names);
  });

  it.each([
    ["env.A=P", "P env.A"],
    ["file.A=P", "P file.A"],
    ["env.T=P env.A=P", "P env.T"],
    ["name=A env.T=P env.A=P", "P env.A"],
    ["name=A file.T=X file.A=P", "P file.A"],
    ["file.A=X file.T=P", "P file.T"],
    ["env.DO_TOKEN=P", "missing"],
    ["name=ACME env.ACME=P env.T=X", "P env.ACME"],
    ["name=ACME env.T=X file.A=X", "missing"],
  ])("%s -> %s", (given, expected) => {
    expect(choose(given)).toBe(expected);
  });
});

describe("conflicts", () => {
  it.each([
    ["env.T=P env.A=X", "conflict: P env.T / X env.A"],
    ["name=A env.T=P env.A=X", "conflict: X env.A / P env.T"],
    ["env.T=padded env.A=P", "P env.T"],
    ["stdin=L env.T=P env.A=X", "L stdin, over P env.T, over X env.A"],
    ["--env env.T=P file.T=X", "conflict: P env.T / X file.T"],
    ["--env env.A=P file.T=X", "conflict: P env.A / X file.T"],
    ["--env env.T=P file.T=P", "P env.T"],
    ["--env env.T=P file.T=quoted", "P env.T"],
    ["--env env.T=P", "P env.T"],
    ["--env env.T=P file.T=empty", "P env.T"],
    ["--env file.T=X", "X file.T"],
    ["--env stdin=P file.T=X", "P stdin, over X file.T"],
  ])("%s -> %s", (given, expected) => {
    expect(choose(given)).toBe(expected);
  });

  it("shows both fingerprints and neither token", () => {
    const text = JSON.stringify(stateOf("env.T=P env.A=X"));
    expect(text.match(/\[secret [0-9a-f]{8}\]/g)).toHaveLength(2);
    expect(text).not.toContain("dop_v1_");
  });
});

const JUNK = "it has 4 characters and no known token format";
const NO_REFRESH = "it is an OAuth refresh token (dor_v1_), which the API does not accept";

describe("a value that is empty, quoted or not a token", () => {
  it.each([
    ["env.T=empty env.A=P", "P env.A"],
    ["env.T=blank file.T=P", "P file.T"],
    ["file.T=empty file.A=P", "P file.A"],
    ["env.T=empty file.T=blank", "missing"],
    ["stdin=padded", "P stdin"],
    ["env.T=quoted", "P env.T"],
    ["file.T=padded", "P file.T"],
    ["stdin=empty", "unusable stdin: it is empty"],
    ["stdin=blank", "unusable stdin: it is empty"],
    // --token-stdin was given, so no other source is used.
    ["stdin=empty env.T=P", "unusable stdin: it is empty"],
    ["stdin=blank file.T=P", "unusable stdin: it is empty"],
    ["prompt=junk", `unusable prompt: ${JUNK}`],
    ["stdin=junk", `unusable stdin: ${JUNK}`],
    ["stdin=junk env.T=P", `unusable stdin: ${JUNK}`],
    ["env.T=junk file.T=P", `unusable env.T: ${JUNK}`],
    ["env.T=refresh", `unusable env.T: ${NO_REFRESH}`],
    ["file.A=refresh", `unusable file.A: ${NO_REFRESH}`],
    ["env.T=P file.T=junk", "P env.T"],
  ])("%s -> %s", (given, expected) => {
    expect(choose(given)).toBe(expected);
  });
});
