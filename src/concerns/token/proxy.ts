import type { Finding } from "../../core/finding.ts";
import type { Machine } from "../../core/machine.ts";
import { hint, unset } from "../../errors/hint.ts";
import { type NamedProxy, proxyFor } from "../../lib/proxy.ts";
import type { TokenFacts } from "./facts.ts";
import { finding } from "./findings.ts";

/** The facts that these follow from. */
interface Known {
  readonly machine: Pick<Machine, "env">;
  readonly token: { readonly hosts: Pick<TokenFacts["hosts"], "api"> };
}

/** What is odd about the proxy on the way to DigitalOcean's API. The value may hold a password: it is not said. */
export function judgeProxy({ machine: { env }, token: { hosts } }: Known): Finding[] {
  const proxy = hosts.api.protocol === "https:" ? proxyFor(hosts.api, env) : undefined;
  if (proxy === undefined) return [];
  const { variable, oddities } = proxy;
  if (proxy.url === undefined) {
    const why = oddities.includes("kind") ? "it is neither http nor https" : "it is no address";
    const message = `do-bootstrap cannot use the proxy of ${variable}: ${why}.`;
    const example = { set: variable, to: "http://proxy.example:3128" };
    return [
      finding("proxy.unusable", message, {
        fix: hint`Name one in this form: ${example}. Or use none: ${unset(variable)}`,
      }),
    ];
  }
  return [...judgeScheme(proxy), ...judgePassword(proxy), ...judgeVariable(proxy)];
}

function judgeScheme({ variable, oddities, repaired }: NamedProxy): Finding[] {
  if (!oddities.includes("no-scheme")) return [];
  const fix =
    repaired === undefined
      ? hint`Write http:// in front of its value.`
      : hint`Write the scheme: ${{ set: variable, to: repaired }}`;
  return [finding("proxy.no-scheme", `${variable} has no scheme: it is read as http://.`, { fix })];
}

function judgePassword({ variable, oddities }: NamedProxy): Finding[] {
  if (!oddities.includes("raw-password")) return [];
  const message = `The login in ${variable} has characters that an address cannot have. do-bootstrap reads it all the same; doctl and Terraform do not.`;
  return [
    finding("proxy.raw-password", message, {
      fix: hint`Percent-encode them: # is %23, % is %25, / is %2F, ? is %3F, @ is %40.`,
    }),
  ];
}

function judgeVariable({ variable }: NamedProxy): Finding[] {
  if (!/^all_proxy$/i.test(variable)) return [];
  const message = `The proxy is named by ${variable} alone, which doctl and Terraform do not read.`;
  return [
    finding("proxy.all-proxy", message, {
      fix: hint`Name it for them: ${{ set: "HTTPS_PROXY", from: variable }}`,
    }),
  ];
}
