import { describe, expect, it } from "vitest";
import { apiHosts, otherHosts } from "../../../../src/concerns/token/hosts.ts";
import { thrownBy } from "../../samples.ts";

const API = "DIGITALOCEAN_API_URL";
const OAUTH = "DO_BOOTSTRAP_OAUTH_URL";

describe("hosts that may receive a token (rule 2)", () => {
  it.each([
    ["nothing set", {}],
    ["empty values", { [API]: "", [OAUTH]: "  " }],
    ["other variables", { DO_API_URL: "https://evil.example", HTTPS_PROXY: "http://proxy:3128" }],
  ])("DigitalOcean by default: %s", (_, env) => {
    const { api, oauth, redirected } = apiHosts(env);
    expect([api.href, oauth.href]).toEqual([
      "https://api.digitalocean.com/",
      "https://cloud.digitalocean.com/",
    ]);
    expect(redirected).toBe(false);
  });

  it.each([
    ["https://api.digitalocean.com", "api.digitalocean.com", false],
    ["https://API.DigitalOcean.com", "api.digitalocean.com", false],
    ["https://api.eu.digitalocean.com", "api.eu.digitalocean.com", false],
    ["https://api.digitalocean.com:8443", "api.digitalocean.com:8443", false],
    ["https://digitalocean.com.evil.example", "digitalocean.com.evil.example", true],
    ["https://evildigitalocean.com", "evildigitalocean.com", true],
    ["https://mock.example/prefix/", "mock.example", true],
    ["http://localhost:8080", "localhost:8080", true],
    ["http://127.0.0.1:1", "127.0.0.1:1", true],
    ["http://127.1.2.3:1", "127.1.2.3:1", true],
    ["http://[::1]:8080", "[::1]:8080", true],
    [" http://localhost:1 ", "localhost:1", true],
  ])("accepts %s", (url, host, redirected) => {
    expect(apiHosts({ [API]: url }).api.host).toBe(host);
    expect(apiHosts({ [API]: url }).redirected).toBe(redirected);
    expect(apiHosts({ [OAUTH]: url }).oauth.host).toBe(host);
    expect(apiHosts({ [OAUTH]: url }).redirected).toBe(redirected);
  });

  it.each<[Readonly<Record<string, string>>, readonly string[]]>([
    [{}, []],
    [{ [API]: "https://mock.example" }, ["mock.example"]],
    [{ [OAUTH]: "http://localhost:80/x" }, ["localhost"]],
    [{ [API]: "http://[::1]:8", [OAUTH]: "http://[::1]:8" }, ["[::1]:8"]],
    [{ [API]: "https://a.example", [OAUTH]: "https://b.example" }, ["a.example", "b.example"]],
    [{ [API]: "https://api.eu.digitalocean.com" }, []],
  ])("hosts other than DigitalOcean's in %j: %j", (env, expected) => {
    expect(otherHosts(apiHosts(env))).toEqual(expected);
  });

  it.each([
    "http://api.digitalocean.com",
    "http://10.0.0.1",
    "http://192.168.0.1",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://evil.example#localhost",
    "http://0.0.0.0:1",
    "http://[::2]",
    "ftp://localhost",
    "file:///etc/passwd",
    "javascript:0",
    "https://user:pass@api.digitalocean.com",
    "https://user@api.digitalocean.com",
    "https://api.digitalocean.com@evil.example",
    "http://localhost@evil.example",
    "api.digitalocean.com",
    "localhost:8080",
    "::bad",
    "https://",
  ])("refuses %s", (url) => {
    for (const name of [API, OAUTH]) {
      expect(() => apiHosts({ [name]: url })).toThrow(
        expect.objectContaining({
          code: "USAGE",
          status: 2,
          message: `${name} in the environment is not a URL that may receive the token.`,
        }),
      );
    }
  });

  it("does not print a URL that holds a password", () => {
    const refusal = thrownBy(() => apiHosts({ [API]: "https://user:hunter2@evil.example" }));
    expect(`${refusal.message} ${refusal.hint}`).not.toContain("hunter2");
  });
});
