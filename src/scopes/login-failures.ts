import { type Hint, hint, own, run, unset } from "../errors/hint.ts";
import { short, type Words } from "./error-text.ts";
import { NETWORK_WORDS, type NetworkFailure, networkIn } from "./network-failures.ts";

/** Why a browser login of doctl, or its renewal, failed (docs/contracts/doctl-2.md 2, 4.9 to 4.12). */
export type LoginFailure =
  | "denied"
  | "scopes"
  | "client"
  | "state"
  | "no-code"
  | "expired"
  | "port"
  | "browser"
  | "spent"
  | "network"
  | "answer"
  | "limited"
  | "server"
  | "config"
  | "unknown";

export interface SaidOfLogin {
  readonly kind: "login" | "renewal";
  readonly why: LoginFailure;
  /** For "network": what failed. */
  readonly network?: NetworkFailure;
  readonly message: string;
}

/** The first match wins. */
const CAUSES: readonly (readonly [RegExp, LoginFailure])[] = [
  [/\baccess_denied\b/, "denied"],
  [/\binvalid_scope\b/, "scopes"],
  [
    /rejected (?:the doctl application|this client)|\b(?:invalid_client|unauthorized_client|invalid_redirect_uri)\b/,
    "client",
  ],
  [/\binvalid_grant\b/, "spent"],
  [/did not match/, "state"],
  [/did not include/, "no-code"],
  [/waiting for browser authorization|timed out after/, "expired"],
  [/listening for/, "port"],
  [/\bbrowser: |executable file not found|xdg-open|www-browser/, "browser"],
  [
    /\bopen [^\n]{1,400}: (?:permission denied|read-only file system|Access is denied)|no space left|Unable to write configuration/,
    "config",
  ],
  [/\b(?:too_many_requests|returned 429)\b/, "limited"],
  [
    /\b(?:server_error|temporarily_unavailable|service_unavailable|internal_server_error|bad_gateway|gateway_timeout)\b|returned 5\d\d\b/,
    "server",
  ],
  [/decoding the token|did not return|invalid character/, "answer"],
];

/** Phrases of a failed login. One of them must be in the text. */
const LOGIN =
  /Unable to authenticate with DigitalOcean|rejected the doctl application|exchanging the authorization code|waiting for browser authorization|listening for the authorization|the authorization response |the authorization URL in a browser|the authorization server (?:rejected this client|did not return|returned \d)/;

/** A doctl config that could not be opened: "open PATH: permission denied". */
const CONFIG =
  /Unable to write configuration\.|\bopen [^\n]{1,400}?\.ya?ml: (?:permission denied|read-only file system|no such file or directory|Access is denied)/;

/** Finds a failed login of doctl, or a failed renewal. */
export function loginIn(text: string): SaidOfLogin | undefined {
  const renewal = text.indexOf("could not be renewed");
  // Certificates can be renewed, too.
  const isRenewal =
    renewal >= 0 &&
    (text.includes("auth login") || /session [^\n]{0,60}could not be renewed/.test(text));
  const at = isRenewal ? renewal : (LOGIN.exec(text)?.index ?? -1);
  if (at < 0) return configIn(text);
  // The text before it is not the cause, nor is the line about "doctl auth login".
  const rest = text.slice(isRenewal ? at : text.lastIndexOf("\n", at) + 1);
  const cause = rest.split(/\n\s*\n|Run [`']?doctl auth login/)[0] ?? "";
  const kind = isRenewal ? "renewal" : "login";
  const message = short(cause.replace(/^Error: /, ""));
  const why = CAUSES.find(([pattern]) => pattern.test(cause))?.[1];
  if (why !== undefined) return { kind, why, message };
  const network = networkIn(cause)?.why;
  if (network !== undefined) return { kind, why: "network", network, message };
  return { kind, why: "unknown", message };
}

function configIn(text: string): SaidOfLogin | undefined {
  const said = CONFIG.exec(text)?.[0];
  if (said === undefined) return undefined;
  if (!text.includes("doctl") && !said.startsWith("Unable")) return undefined;
  return { kind: "renewal", why: "config", message: short(said) };
}

/**
 * With a token in the environment, doctl would overwrite the default context with it. Without --context, the login
 * would replace that context (docs/contracts/doctl-2.md 2.5, 3.4).
 */
function logIn(...options: readonly string[]): Hint {
  return hint`${unset("DIGITALOCEAN_ACCESS_TOKEN")}, then ${run("doctl", "auth", "login", "--context", "NAME", ...options)}. Without --context it replaces the login of the context "default".`;
}

const LOG_IN = logIn();
const OVER_SSH = hint`Over ssh, also use --callback-port PORT and connect with ssh -L PORT:127.0.0.1:PORT.`;
const AGAIN = hint`Run the same command again.`;

/** Explains a failed login or renewal. */
export function loginWords({ kind, why, network }: SaidOfLogin): Words {
  if (why === "network" && network !== undefined) {
    const { what, fix } = NETWORK_WORDS[network];
    return kind === "renewal"
      ? {
          what: `doctl could not reach DigitalOcean to renew its login. The login may still be valid. ${what}`,
          fix: hint`${fix} Then run the same command again. If it then says invalid_grant: ${LOG_IN}`,
        }
      : { what: `doctl could not complete the login. ${what}`, fix: hint`${fix} Then: ${LOG_IN}` };
  }
  return (kind === "renewal" ? RENEWAL[why] : undefined) ?? LOGIN_WORDS[why];
}

/** Explanations for a renewal, if they differ from those for a login. */
const RENEWAL: Readonly<Partial<Record<LoginFailure, Words>>> = {
  spent: {
    what: "DigitalOcean rejected doctl's refresh token (invalid_grant). A refresh token works once: another doctl may have just renewed the login, or the login has ended.",
    fix: hint`Run the same command again once. It works if another doctl has renewed the login. If it fails the same way, log in again: ${LOG_IN}`,
  },
  client: {
    what: "DigitalOcean rejected doctl's application during the login renewal.",
    fix: hint`Update doctl, and log in again: ${LOG_IN}`,
  },
  config: {
    what: "doctl could not open or write its config. If it was storing or renewing a login, the new tokens are lost and the old refresh token no longer works.",
    fix: hint`Make the config and its folder writable for this user (${run("doctl", "--help")} names the path). If the config must be read-only, such as a mounted secret, use a personal access token. If doctl then says invalid_grant: ${LOG_IN}`,
  },
  server: {
    what: "DigitalOcean had an error while doctl renewed its login. The login may still be valid.",
    fix: hint`${AGAIN} https://status.digitalocean.com shows outages.`,
  },
  limited: {
    what: "DigitalOcean's rate limit stopped the login renewal. The login may still be valid.",
    fix: hint`Wait a few minutes. ${AGAIN}`,
  },
  answer: {
    what: "While doctl renewed its login, it got an answer that is not from DigitalOcean, usually from a proxy or a captive portal.",
    fix: hint`Open any page in a browser on this network. ${AGAIN} If it then says invalid_grant: ${LOG_IN}`,
  },
  unknown: {
    what: "doctl could not renew its login. The text does not show whether the login has ended.",
    fix: hint`Run the same command once more. If it fails the same way, log in again: ${LOG_IN}`,
  },
};

const LOGIN_WORDS: Readonly<Record<LoginFailure, Words>> = {
  denied: {
    what: "The login was denied on DigitalOcean's page in the browser.",
    fix: hint`Log in again, and approve it there: ${LOG_IN}`,
  },
  scopes: {
    what: "DigitalOcean rejected a scope that the login requested.",
    fix: hint`Separate the names after --scopes with spaces, not commas. ${own("scopes")} prints the scopes that the code needs.`,
  },
  client: {
    what: "DigitalOcean rejected doctl's application or its redirect address, not you.",
    fix: hint`Update doctl. If --client-id or --oauth-server was given, leave it out. Then log in again: ${LOG_IN}`,
  },
  state: {
    what: "doctl got an answer that belongs to another login, perhaps from an older browser tab.",
    fix: hint`Close older login tabs and log in again: ${LOG_IN}`,
  },
  "no-code": {
    what: "The browser came back without a code: the URL was opened by hand or was incomplete.",
    fix: hint`Log in again: ${LOG_IN}`,
  },
  expired: {
    what: "Nobody finished the login in time. DigitalOcean's page may have shown an error instead (such as an invalid scope or redirect), or the browser runs on a different machine from doctl.",
    fix: hint`Check what the browser shows and log in again: ${logIn("--no-browser", "--timeout", "10m")} ${OVER_SSH}`,
  },
  port: {
    what: "doctl could not listen for the browser's answer: the port is in use or invalid.",
    fix: hint`Omit --callback-port, or use a free port above 1023: ${LOG_IN}`,
  },
  browser: {
    what: "doctl could not open a browser, so it stopped the login.",
    fix: hint`Open the URL that this command prints, on this machine: ${logIn("--no-browser")} ${OVER_SSH}`,
  },
  spent: {
    what: "DigitalOcean rejected the login code (invalid_grant): it was already used or has expired.",
    fix: hint`Log in again: ${LOG_IN}`,
  },
  network: {
    what: "doctl could not reach DigitalOcean to complete the login.",
    fix: hint`Check the network. Then: ${LOG_IN}`,
  },
  answer: {
    what: "The answer did not come from DigitalOcean, usually because of a proxy or a captive portal.",
    fix: hint`Open any page in a browser on this network. Then: ${LOG_IN}`,
  },
  limited: {
    what: "DigitalOcean's rate limit is reached.",
    fix: hint`Wait a few minutes. Then: ${LOG_IN}`,
  },
  server: {
    what: "DigitalOcean had an error while completing the login.",
    fix: hint`https://status.digitalocean.com shows outages. Later: ${LOG_IN}`,
  },
  config: {
    what: "doctl could not write its config after the login, so the login is lost.",
    fix: hint`Make the config and its folder writable for this user (${run("doctl", "--help")} names the path). Then: ${LOG_IN}`,
  },
  unknown: {
    what: "The doctl login failed for an unknown reason.",
    fix: hint`See doctl's output above. Try again: ${LOG_IN}`,
  },
} satisfies Readonly<Record<LoginFailure, { what: string; fix: Hint }>>;
