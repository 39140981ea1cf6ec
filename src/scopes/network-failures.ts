import { type Hint, hint, run } from "../errors/hint.ts";
import { short } from "./error-text.ts";

export type NetworkFailure = "dns" | "refused" | "timeout" | "tls" | "proxy" | "closed";

/** The first match wins. In Go's texts, the original cause comes last. */
const NETWORK: readonly (readonly [RegExp, NetworkFailure])[] = [
  [
    /proxyconnect|curl: \(5\)|Could not resolve proxy|407 Proxy|Proxy Authentication Required/,
    "proxy",
  ],
  [
    /no such host|server misbehaving|curl: \(6\)|Could not resolve host|ENOTFOUND|EAI_AGAIN|Temporary failure in name resolution|Name or service not known/,
    "dns",
  ],
  [
    /x509:|certificate (?:verify failed|signed by unknown)|tls: |curl: \((?:35|51|58|60|77|83)\)|SSL certificate|SELF_SIGNED_CERT|UNABLE_TO_(?:GET|VERIFY)/,
    "tls",
  ],
  [
    /connection refused|curl: \(7\)|ECONNREFUSED|no route to host|network is unreachable|Could not connect to the endpoint/,
    "refused",
  ],
  [
    /i\/o timeout|TLS handshake timeout|deadline exceeded|Client\.Timeout|curl: \(28\)|ETIMEDOUT|timed out/,
    "timeout",
  ],
  [
    /connection reset|unexpected EOF|: EOF\b|curl: \((?:52|56)\)|ECONNRESET|socket hang up|broken pipe/,
    "closed",
  ],
];

/** Finds a network failure, with the line that reports it. */
export function networkIn(
  text: string,
):
  | { readonly kind: "network"; readonly why: NetworkFailure; readonly message: string }
  | undefined {
  for (const [pattern, why] of NETWORK) {
    const at = pattern.exec(text);
    if (at === null) continue;
    const line = text.slice(text.lastIndexOf("\n", at.index) + 1).split("\n")[0] ?? "";
    return { kind: "network", why, message: short(line) };
  }
  return undefined;
}

export const NETWORK_WORDS: Readonly<
  Record<NetworkFailure, { readonly what: string; readonly fix: Hint }>
> = {
  dns: {
    what: "Could not look up the server's name: the network or DNS is down.",
    fix: hint`Check the network and VPN. To test DNS: ${{ lookUp: "api.digitalocean.com" }}`,
  },
  refused: {
    what: "Nothing answered at that address.",
    fix: hint`Check DIGITALOCEAN_API_URL, the firewall and the proxy (HTTPS_PROXY).`,
  },
  timeout: {
    what: "The server took too long, or a firewall blocks the connection.",
    fix: hint`Run the same command again. Behind a firewall, set HTTPS_PROXY. ${run("doctl", "auth", "init")} also needs cloud.digitalocean.com.`,
  },
  tls: {
    what: "The server's certificate is not trusted: a proxy intercepts TLS, or the clock is wrong.",
    fix: hint`Give the tools your company's certificate: SSL_CERT_FILE (doctl, Terraform), NODE_EXTRA_CA_CERTS (do-bootstrap).`,
  },
  proxy: {
    what: "The proxy blocked the connection.",
    fix: hint`Check HTTPS_PROXY and NO_PROXY, including the user name and password.`,
  },
  closed: {
    what: "The connection was interrupted.",
    fix: hint`Run the same command again. If it happens every time, a proxy or firewall closes the connection.`,
  },
};
