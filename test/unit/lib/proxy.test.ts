import { describe, expect, it } from "vitest";
import { proxyFor } from "../../../src/lib/proxy.ts";

const P = "http://proxy.example:3128";

it.each<[env: Record<string, string>, address: string, proxy: string | undefined]>([
  [{}, "https://api.digitalocean.com", undefined],
  [{ https_proxy: P }, "https://api.digitalocean.com", P],
  [{ HTTPS_PROXY: P }, "https://api.digitalocean.com", P],
  [{ https_proxy: P, HTTPS_PROXY: "http://b" }, "https://api.digitalocean.com", P],
  [{ https_proxy: "", HTTPS_PROXY: P }, "https://api.digitalocean.com", P],
  [{ all_proxy: P }, "https://api.digitalocean.com", P],
  [{ all_proxy: "http://b", HTTPS_PROXY: P }, "https://api.digitalocean.com", P],
  [{ http_proxy: P }, "https://api.digitalocean.com", undefined],
  [{ https_proxy: "proxy.example:3128" }, "https://a.example", "http://proxy.example:3128"],
  [{ https_proxy: P, no_proxy: "a.example" }, "https://a.example", undefined],
  [{ https_proxy: P, NO_PROXY: "A.example" }, "https://a.EXAMPLE", undefined],
  [{ https_proxy: P, no_proxy: "b, a.example" }, "https://a.example", undefined],
  [{ https_proxy: P, no_proxy: "b a.example" }, "https://a.example", undefined],
  [{ https_proxy: P, no_proxy: "a.example" }, "https://b.a.example", P],
  [{ https_proxy: P, no_proxy: ".a.example" }, "https://b.a.example", undefined],
  [{ https_proxy: P, no_proxy: "*.a.example" }, "https://b.a.example", undefined],
  [{ https_proxy: P, no_proxy: ".a.example" }, "https://a.example", P],
  [{ https_proxy: P, no_proxy: ".example" }, "https://notexample", P],
  [{ https_proxy: P, no_proxy: "*" }, "https://a.example", undefined],
  [{ https_proxy: P, no_proxy: "a.example:443" }, "https://a.example", undefined],
  [{ https_proxy: P, no_proxy: "a.example:8443" }, "https://a.example", P],
  [{ https_proxy: P, no_proxy: "a.example:8443" }, "https://a.example:8443", undefined],
  [{ https_proxy: P, no_proxy: "127.0.0.1" }, "https://127.0.0.1", undefined],
  [{ https_proxy: P, no_proxy: "[::1]" }, "https://[::1]", undefined],
  [{ https_proxy: P, no_proxy: "" }, "https://a.example", P],
  [{ https_proxy: P, no_proxy: "," }, "https://a.example", P],
])("%j %s: %s", (env, address, proxy) => {
  expect(proxyFor(new URL(address), env)?.url?.href).toBe(proxy && new URL(proxy).href);
});

describe("a proxy value with common mistakes is understood", () => {
  const LOGIN = (user: string, password: string) => `${user}:${password}`;

  it.each<[value: string, href: string, login: string, oddities: string[]]>([
    ["http://a.example:1", "http://a.example:1/", ":", []],
    ["https://a.example", "https://a.example/", ":", []],
    ["HTTP://a.example:1/", "http://a.example:1/", ":", []],
    [" a.example:1 ", "http://a.example:1/", ":", ["no-scheme"]],
    ["localhost:1", "http://localhost:1/", ":", ["no-scheme"]],
    ["[::1]:1", "http://[::1]:1/", ":", ["no-scheme"]],
    ["me:p@a.example:1", "http://a.example:1/", "me:p", ["no-scheme"]],
    ["me:p#s@a.example:1", "http://a.example:1/", "me:p#s", ["no-scheme", "raw-password"]],
    ["http://me@a.example:1", "http://a.example:1/", "me:", []],
    ["http://me:p%23s@a.example:1", "http://a.example:1/", "me:p#s", []],
    ["http://me:p#s@a.example:1", "http://a.example:1/", "me:p#s", ["raw-password"]],
    ["http://me:p@s@a.example:1", "http://a.example:1/", "me:p@s", ["raw-password"]],
    ["http://me:p%s@a.example:1", "http://a.example:1/", "me:p%s", ["raw-password"]],
    ["http://me:p%ff@a.example:1", "http://a.example:1/", "me:p%ff", ["raw-password"]],
    ["http://me:p/s?@a.example:1", "http://a.example:1/", "me:p/s?", ["raw-password"]],
    ["http://d\\\\me:a:b@a.example:1", "http://a.example:1/", "d\\\\me:a:b", ["raw-password"]],
    ["http://me:\ud800@a.example:1", "http://a.example:1/", "me:\ufffd", []],
  ])("%j", (value, href, login, oddities) => {
    const proxy = proxyFor(new URL("https://a"), { HTTPS_PROXY: value });
    const { username = "", password = "" } = proxy?.url ?? {};
    const bare = new URL(proxy?.url?.href ?? "http://none");
    [bare.username, bare.password] = ["", ""];
    expect(bare.href).toBe(href);
    expect(LOGIN(decodeURIComponent(username), decodeURIComponent(password))).toBe(login);
    expect(proxy?.oddities).toEqual(oddities);
  });

  it.each<[value: string, oddity: string]>([
    ["socks5://127.0.0.1:1", "kind"],
    ["ftp://a", "kind"],
    ["http://", "address"],
    [":::", "address"],
    ["http://a.example:99999", "address"],
    ["me:p@", "address"],
    ["a b", "address"],
  ])("%j cannot be used", (value, oddity) => {
    const proxy = proxyFor(new URL("https://a"), { ALL_PROXY: value });
    expect(proxy).toEqual({ variable: "ALL_PROXY", url: undefined, oddities: [oddity] });
  });
});
