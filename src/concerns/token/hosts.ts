import { AppError } from "../../errors/app-error.ts";
import { hint, unset } from "../../errors/hint.ts";
import type { Environment } from "../../host/host.ts";

/** The form of the control panel: a token cannot be made by API (docs/contracts/api.md 8). */
export const TOKEN_FORM = "https://cloud.digitalocean.com/account/api/tokens/new";

/** Where tokens are deleted. */
export const TOKEN_LIST = "https://cloud.digitalocean.com/account/api/tokens";

/** Where a token may be sent. Taken from the process environment only, never from a file (rule 2). */
export interface ApiHosts {
  /** Stands for https://api.digitalocean.com. */
  readonly api: URL;
  /** Stands for https://cloud.digitalocean.com. */
  readonly oauth: URL;
  /** True where the environment names another host than DigitalOcean's. */
  readonly redirected: boolean;
}

/** @throws AppError USAGE for what is not https, nor http on loopback. */
export function apiHosts(env: Environment): ApiHosts {
  const api = hostFrom(env, "DIGITALOCEAN_API_URL", "https://api.digitalocean.com");
  const oauth = hostFrom(env, "DO_BOOTSTRAP_OAUTH_URL", "https://cloud.digitalocean.com");
  return { api, oauth, redirected: otherHosts({ api, oauth }).length > 0 };
}

/** The hosts that get the token in place of DigitalOcean's: each once, with its port. */
export function otherHosts({ api, oauth }: Pick<ApiHosts, "api" | "oauth">): readonly string[] {
  return [...new Set([api, oauth].filter((url) => !isOurs(url)).map(({ host }) => host))];
}

function isOurs({ hostname }: URL): boolean {
  return /(^|\.)digitalocean\.com$/.test(hostname);
}

/** Whether a token may be sent to an address that a file names: DigitalOcean's, or one that the environment names. */
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
