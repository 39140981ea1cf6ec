import { expect, it } from "vitest";
import { apiHosts } from "../../../../src/concerns/token/hosts.ts";
import { judgeProxy } from "../../../../src/concerns/token/proxy.ts";
import { said } from "../../../fixtures/hint.ts";

it.each<[env: Record<string, string>, expected: readonly string[]]>([
  [{}, []],
  [{ HTTPS_PROXY: "http://proxy.corp:3128" }, []],
  [
    { HTTPS_PROXY: "proxy.corp:3128" },
    ["proxy.no-scheme: Add the scheme: export HTTPS_PROXY=http://proxy.corp:3128"],
  ],
  [
    { https_proxy: "me:hunter2@proxy.corp:3128" },
    ["proxy.no-scheme: Add http:// in front of its value."],
  ],
  [{ HTTPS_PROXY: "http://me:hunter2%23@proxy.corp:3128" }, []],
  [
    { HTTPS_PROXY: "http://me:hunter2#@proxy.corp:3128" },
    ["proxy.raw-password: Percent-encode them: # is %23, % is %25, / is %2F, ? is %3F, @ is %40."],
  ],
  [
    { ALL_PROXY: "http://proxy.corp:3128" },
    ['proxy.all-proxy: Also set it for them: export HTTPS_PROXY="$ALL_PROXY"'],
  ],
  [{ ALL_PROXY: "http://proxy.corp:3128", https_proxy: "http://proxy.corp:3128" }, []],
  [{ ALL_PROXY: "proxy.corp", NO_PROXY: "api.digitalocean.com" }, []],
  [{ ALL_PROXY: "proxy.corp", DIGITALOCEAN_API_URL: "http://127.0.0.1:1" }, []],
  [
    { all_proxy: "socks5://me:hunter2@proxy.corp" },
    [
      "proxy.unusable: Use this form: export all_proxy=http://proxy.example:3128. To use no proxy: unset all_proxy",
    ],
  ],
])("findings for %j", (env, expected) => {
  const findings = judgeProxy({ machine: { env }, token: { hosts: apiHosts(env) } });
  expect(findings.map(({ id, fix }) => `${id}: ${said(fix)}`)).toEqual(expected);
  expect(JSON.stringify(findings)).not.toContain("hunter2");
});
