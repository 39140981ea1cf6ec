import type { Environment } from "./host.ts";

/**
 * The proxy that an https request goes through, by the variables that curl and Go read, in lower case
 * first: `https_proxy` or `all_proxy`, unless `no_proxy` has the host.
 *
 * @returns undefined: none.
 */
export function proxyFor({ hostname, port }: URL, env: Environment): string | undefined {
  const read = (name: string) => env[name] || env[name.toUpperCase()] || undefined;
  const proxy = read("https_proxy") ?? read("all_proxy");
  if (proxy === undefined) return undefined;
  const without =
    read("no_proxy")
      ?.toLowerCase()
      .split(/[,\s]+/) ?? [];
  if (without.some((entry) => fits(entry))) return undefined;
  return proxy.includes("://") ? proxy : `https://${proxy}`;

  function fits(entry: string): boolean {
    if (entry === "*") return true;
    const [, host = entry, only] = /^(.+):(\d+)$/.exec(entry) ?? [];
    if (host === "" || (only !== undefined && only !== (port || "443"))) return false;
    const domain = host.replace(/^\*/, "");
    // A name stands for itself alone; with a dot or a star in front, for all below it.
    return /^[.*]/.test(host) ? hostname.endsWith(domain) : hostname === host;
  }
}
