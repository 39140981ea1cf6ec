import type { Finding } from "../../core/finding.ts";
import type { Machine } from "../../core/machine.ts";
import { hint, unset } from "../../errors/hint.ts";
import { type NamedProxy, proxyFor } from "../../lib/proxy.ts";
import type { TokenFacts } from "./facts.ts";
import { finding } from "./findings.ts";

/** The facts that the findings depend on. */
interface Known {
  readonly machine: Pick<Machine, "env">;
  readonly token: { readonly hosts: Pick<TokenFacts["hosts"], "api"> };
}

/** Problems with the proxy for DigitalOcean's API. The value may contain a password, so it is not shown. */
export function judgeProxy({ machine: { env }, token: { hosts } }: Known): Finding[] {
  const proxy = hosts.api.protocol === "https:" ? proxyFor(hosts.api, env) : undefined;
  if (proxy === undefined) return [];
  const { variable, oddities } = proxy;
  if (proxy.url === undefined) {
    const why = oddities.includes("kind") ? "it is neither http nor https" : "it is not a URL";
    const message = `do-bootstrap can't use the proxy in ${variable}: ${why}.`;
    const example = { set: variable, to: "http://proxy.example:3128" };
    return [
      finding("proxy.unusable", message, {
        fix: hint`Use this form: ${example}. To use no proxy: ${unset(variable)}`,
      }),
    ];
  }
  return [...judgeScheme(proxy), ...judgePassword(proxy), ...judgeVariable(proxy)];
}

function judgeScheme({ variable, oddities, repaired }: NamedProxy): Finding[] {
  if (!oddities.includes("no-scheme")) return [];
  const fix =
    repaired === undefined
      ? hint`Add http:// in front of its value.`
      : hint`Add the scheme: ${{ set: variable, to: repaired }}`;
  return [
    finding("proxy.no-scheme", `${variable} has no scheme, so do-bootstrap assumes http://.`, {
      fix,
    }),
  ];
}

function judgePassword({ variable, oddities }: NamedProxy): Finding[] {
  if (!oddities.includes("raw-password")) return [];
  const message = `The login in ${variable} has characters that are not allowed in a URL. do-bootstrap accepts them, but doctl and Terraform don't.`;
  return [
    finding("proxy.raw-password", message, {
      fix: hint`Percent-encode them: # is %23, % is %25, / is %2F, ? is %3F, @ is %40.`,
    }),
  ];
}

function judgeVariable({ variable }: NamedProxy): Finding[] {
  if (!/^all_proxy$/i.test(variable)) return [];
  const message = `The proxy is set only in ${variable}, which doctl and Terraform don't read.`;
  return [
    finding("proxy.all-proxy", message, {
      fix: hint`Also set it for them: ${{ set: "HTTPS_PROXY", from: variable }}`,
    }),
  ];
}
