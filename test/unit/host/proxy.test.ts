import { expect, it } from "vitest";
import { proxyFor } from "../../../src/host/proxy.ts";

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
  [{ https_proxy: "proxy.example:3128" }, "https://a.example", "https://proxy.example:3128"],
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
  expect(proxyFor(new URL(address), env)).toBe(proxy);
});
