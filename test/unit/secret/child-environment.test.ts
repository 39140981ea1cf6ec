import { describe, expect, it } from "vitest";
import { childEnvironment } from "../../../src/secret/child-environment.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { LEGACY, OAUTH, PERSONAL, REFRESH, secret } from "../samples.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const KEY = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";

describe("a child process does not get these values under any name", () => {
  it.each<[string, string]>([
    ["a token", PERSONAL],
    ["an OAuth token", OAUTH],
    ["a refresh token", REFRESH],
    ["a token of before 2022", LEGACY],
    ["a token in capitals", PERSONAL.toUpperCase()],
    ["a token in a header", `Authorization: Bearer ${PERSONAL}`],
    ["an old token in a header", `Bearer ${LEGACY}`],
    ["a token in a URL", `https://x:${PERSONAL}@api.example/v2`],
    ["a token in a URL's query", `https://api.example/?t=${PERSONAL.replaceAll("_", "%5F")}`],
    ["a token in JSON", JSON.stringify({ token: PERSONAL })],
    ["a token in base64", base64(PERSONAL)],
    ["a token in base64, after a name", base64(`sammy:${PERSONAL}`)],
    ["a secret of the run", KEY],
    ["a secret of the run in a longer text", `key=${KEY};`],
    ["a secret of the run in base64", base64(`id:${KEY}`)],
    ["a short secret of the run", "hunter2"],
  ])("%s", (_, value) => {
    const secrets = [KEY, "hunter2", "", "on"].map((each) => secret(each));
    expect(childEnvironment({ PROD: value, TF_VAR_x: value, A: "1" }, { secrets })).toEqual({
      A: "1",
    });
  });

  it.each<[string, Record<string, string>]>([
    ["an image digest", { IMAGE: `registry.example/a@sha256:${LEGACY}` }],
    ["a folder with a checksum", { PATH: `/nix/${LEGACY}/bin:/bin`, HOME: `/home/${LEGACY}` }],
    ["a path with a checksum", { CACHE: `/var/${LEGACY}/x` }],
    ["the password of a proxy", { HTTPS_PROXY: "http://u:secret@proxy.example:3128" }],
    ["another service's token", { TF_TOKEN_app_terraform_io: "x.atlasv1.y" }],
    ["a word that is a secret elsewhere", { CI: "on", EMPTY: "" }],
    ["a text that contains a short secret", { TITLE: "hunter2 was here" }],
  ])("%s is passed", (_, env) => {
    const secrets = ["on", "hunter2", ""].map((each) => secret(each));
    expect(childEnvironment(env, { secrets })).toEqual(env);
  });

  it("GIT_CONFIG values are emptied, not removed, so that git's count stays right", () => {
    const env = {
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "http.extraHeader",
      GIT_CONFIG_VALUE_0: `Authorization: Bearer ${PERSONAL}`,
    };
    expect(childEnvironment(env)).toEqual({ ...env, GIT_CONFIG_VALUE_0: "" });
  });

  it("a value given explicitly is passed", () => {
    const given = { DIGITALOCEAN_ACCESS_TOKEN: PERSONAL };
    const may = (name: string) => name === "A";
    expect(childEnvironment({ A: "1", B: "2", X: PERSONAL }, { may, given })).toEqual({
      A: "1",
      ...given,
    });
  });
});

it.each<[string, string, boolean]>([
  ["on", "on", false],
  ["hunter2", "hunter2", true],
  ["hunter2", " 'hunter2' ", false],
  ["hunter2", "hunter22", false],
  [KEY, `a${KEY}b`, true],
  [KEY, base64(`abc${KEY}`), true],
  [KEY, KEY.slice(1), false],
])("%s is in %j: %s", (value, text, expected) => {
  expect(Secret.of(value, { kind: "stdin" }).isIn(text)).toBe(expected);
});
