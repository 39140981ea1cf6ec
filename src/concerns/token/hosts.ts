import { AppError } from "../../errors/app-error.ts";
import { hint, unset } from "../../errors/hint.ts";
import type { Environment } from "../../host/host.ts";

/** The control panel's form for a new token: the API cannot create one (docs/contracts/api.md 8). */
export const TOKEN_FORM = "https://cloud.digitalocean.com/account/api/tokens/new";

/** The page for deleting tokens. */
export const TOKEN_LIST = "https://cloud.digitalocean.com/account/api/tokens";

/** The hosts that may receive a token. Taken only from the process environment, never from a file (rule 2). */
export interface ApiHosts {
  /** Default: https://api.digitalocean.com. */
  readonly api: URL;
  /** Default: https://cloud.digitalocean.com. */
  readonly oauth: URL;
  /** True if the environment names a host other than DigitalOcean's. */
  readonly redirected: boolean;
}

/** @throws AppError USAGE for a URL that is neither https nor http on loopback. */
export function apiHosts(env: Environment): ApiHosts {
  const api = hostFrom(env, "DIGITALOCEAN_API_URL", "https://api.digitalocean.com");
  const oauth = hostFrom(env, "DO_BOOTSTRAP_OAUTH_URL", "https://cloud.digitalocean.com");
  return { api, oauth, redirected: otherHosts({ api, oauth }).length > 0 };
}

/** Hosts other than DigitalOcean's that get the token: each once, with its port. */
export function otherHosts({ api, oauth }: Pick<ApiHosts, "api" | "oauth">): readonly string[] {
  return [...new Set([api, oauth].filter((url) => !isOurs(url)).map(({ host }) => host))];
}

function isOurs({ hostname }: URL): boolean {
  return /(^|\.)digitalocean\.com$/.test(hostname);
}

/**
 * Whether a token may be sent to an address from a file: a DigitalOcean host, or the one that the environment names.
 */
export function isOfDigitalOcean(address: string, { oauth }: Pick<ApiHosts, "oauth">): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return url.origin === oauth.origin || (url.protocol === "https:" && isOurs(url));
}

function hostFrom(env: Environment, name: string, standard: string): URL {
  const given = env[name]?.trim() || standard;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url !== undefined && isSafe(url) && url.username === "" && url.password === "") return url;
  throw new AppError(
    "USAGE",
    `${name} in the environment is not a URL that may receive the token.`,
    {
      hint: hint`Use https (or http on loopback), or ${unset(name)}.`,
    },
  );
}

function isSafe({ protocol, hostname }: URL): boolean {
  if (protocol === "https:") return true;
  return protocol === "http:" && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}
