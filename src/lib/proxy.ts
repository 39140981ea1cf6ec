/** The proxy for an https request. */
export interface NamedProxy {
  /** The variable that names it. */
  readonly variable: string;
  /** undefined if it cannot be used. */
  readonly url: URL | undefined;
  /** What is unusual about the value. */
  readonly oddities: readonly ProxyOddity[];
  /** The value with a scheme added, if the scheme is missing and there is no password in it. */
  readonly repaired?: string;
}

export type ProxyOddity =
  /** `proxy.example:3128`. */
  | "no-scheme"
  /** A name or password with characters that should be percent-encoded. */
  | "raw-password"
  /** Not http or https. */
  | "kind"
  /** No host, or an invalid port. */
  | "address";

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for an https request, from the variables that curl reads, lower case first: `https_proxy` or `all_proxy`,
 * unless `no_proxy` contains the host. A value with small errors is accepted: without a scheme it is http, as in curl
 * and Go.
 *
 * @returns undefined: none.
 */
export function proxyFor({ hostname, port }: URL, env: Variables): NamedProxy | undefined {
  const find = (name: string) =>
    [name, name.toUpperCase()].find((each) => (env[each] ?? "").trim() !== "");
  const variable = find("https_proxy") ?? find("all_proxy");
  if (variable === undefined) return undefined;
  const without = (env[find("no_proxy") ?? ""] ?? "").toLowerCase().split(/[,\s]+/);
  if (without.some((entry) => fits(entry))) return undefined;
  return { variable, ...read((env[variable] ?? "").trim()) };

  function fits(entry: string): boolean {
    if (entry === "*") return true;
    const [, host = entry, only] = /^(.+):(\d+)$/.exec(entry) ?? [];
    if (host === "" || (only !== undefined && only !== (port || "443"))) return false;
    const domain = host.replace(/^\*/, "");
    // A name matches only itself. With a leading dot or star it matches everything below.
    return /^[.*]/.test(host) ? hostname.endsWith(domain) : hostname === host;
  }
}

function read(value: string): Omit<NamedProxy, "variable"> {
  const [, scheme] = /^([a-z][a-z\d+.-]*):\/\//i.exec(value) ?? [];
  const rest = scheme === undefined ? value : value.slice(scheme.length + 3);
  const kind = (scheme ?? "http").toLowerCase();
  if (kind !== "http" && kind !== "https") return { url: undefined, oddities: ["kind"] };
  // A password may contain any of these characters, so the last @ ends it.
  const end = rest.lastIndexOf("@");
  const login = rest.slice(0, Math.max(end, 0));
  const host = rest.slice(end + 1).replace(/[/?#].*$/s, "");
  const address = `${kind}://${host}`;
  if (host === "" || !URL.canParse(address)) return { url: undefined, oddities: ["address"] };
  const url = new URL(address);
  const [, user = "", password = ""] = /^([^:]*):?(.*)$/s.exec(login) ?? [];
  url.username = encoded(user);
  url.password = encoded(password);
  const bare: readonly ProxyOddity[] = scheme === undefined ? ["no-scheme"] : [];
  const raw: readonly ProxyOddity[] =
    isEncoded(user) && isEncoded(password) ? [] : ["raw-password"];
  const isRepaired = scheme === undefined && login === "";
  return { url, oddities: [...bare, ...raw], ...(isRepaired ? { repaired: address } : {}) };
}

function isEncoded(part: string): boolean {
  return decoded(part) !== undefined && !/[#/?@\\[\]\s"<>^`{|}]/.test(part);
}

/** Percent-encoded, whether or not the input already was. */
function encoded(part: string): string {
  return encodeURIComponent(decoded(part) ?? wellFormed(part));
}

/** undefined: a % in it is a literal %. */
function decoded(part: string): string | undefined {
  try {
    return wellFormed(decodeURIComponent(part));
  } catch {
    return undefined;
  }
}

/** A lone surrogate cannot be encoded. */
function wellFormed(part: string): string {
  return part.replace(/\p{Surrogate}/gu, "\ufffd");
}
