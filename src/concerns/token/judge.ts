import type { Finding } from "../../core/finding.ts";
import type { Machine } from "../../core/machine.ts";
import { exec, type Hint, hint, own, run, unset } from "../../errors/hint.ts";
import type { TokenState } from "../../exec/token-sources.ts";
import { duration } from "../../lib/duration.ts";
import type { Mistake } from "../../secret/not-a-token.ts";
import { describeOrigin, type Secret } from "../../secret/secret.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { TokenFacts } from "./facts.ts";
import { finding } from "./findings.ts";
import { TOKEN_FORM, TOKEN_LIST } from "./hosts.ts";
import {
  adoptable,
  describeOffer,
  isOfRepo,
  loginOf,
  NO_OFFERS,
  type Offers,
  offered,
  someOf,
  whyNotOffered,
} from "./offers.ts";
import {
  type FoundState,
  fixByUnset,
  type Variables,
  variablesOf,
  whichToUnset,
} from "./variables.ts";
import type { Inspection } from "./verdict.ts";

/** The facts that the findings depend on. */
interface Known {
  readonly config: Pick<ResolvedConfig, "environment" | "environments" | "team" | "token">;
  readonly machine: Pick<Machine, "isCi" | "env">;
  readonly token: Pick<TokenFacts, "state" | "inspection"> & Partial<Pick<TokenFacts, "offers">>;
}

/** How many tokens under other names one finding shows. */
const MOST_SHOWN = 5;

const RUN_AGAIN = hint`run ${own()} on a terminal. In a script: … | ${own("--token-stdin")}`;

/** The findings of judgeToken that are errors: why there is no usable token. */
export function whyUnusable(known: Known): Finding[] {
  return judgeToken(known).filter(({ level }) => level === "error");
}

/** The findings about the token: whether there is one, and whether it can be used. */
export function judgeToken({
  token: { state: token, inspection, offers = NO_OFFERS },
  config,
  machine,
}: Known): Finding[] {
  const { isCi } = machine;
  const { said, about } = judgeOffers(offers, config);
  switch (token.kind) {
    case "missing": {
      const { name, envFile, doctl } = config.token;
      const login =
        doctl === undefined || !isCi
          ? ""
          : ` The browser login ${doctl} (token.doctl) is not used in CI.`;
      const message = `No DigitalOcean token: ${name} is not set in the environment or in ${envFile}.${login}${said}`;
      const first = chooseFirst(config);
      const fix = hint`${first === "" ? "Create" : "create"} one at ${TOKEN_FORM}, then ${RUN_AGAIN}`;
      const step = hint`${first}${about.fix ?? fix}`;
      return [finding("token.missing", message, { ...about, fix: step })];
    }
    case "no-login":
      return [noLogin(token)];
    case "unavailable":
      return [unavailable(token)];
    case "unusable":
      return [
        finding(
          "token.malformed",
          `The value from ${describeOrigin(token.origin)} is not a DigitalOcean token: ${token.why}.${said}`,
          { fix: instead(token.mistake, config), ...about },
        ),
      ];
    case "conflict": {
      const [one, other] = token.tokens.map(
        (secret) => `${describeOrigin(secret.origin)} (${secret.fingerprint})`,
      );
      return [
        finding("token.conflict", `Two different tokens: ${one} and ${other}.`, {
          fix: whichToUnset(token.tokens),
        }),
      ];
    }
    case "beside-login": {
      const { origin, fingerprint } = token.token;
      const message = `Two tokens: ${describeOrigin(origin)} (${fingerprint}) and the login of doctl context ${token.context} (token.doctl).`;
      return [finding("token.conflict", message, { fix: fixFor(token.token) })];
    }
    case "found": {
      const lasting = lastingFor(token.token, config);
      const variables = variablesOf(token, config, machine);
      const judged = judgeInspection(token, inspection, lasting, { said, about, variables });
      const isOfOthers = judged.some(({ id }) => id === "token.wrong-team");
      return [
        ...judged,
        ...judgeSession(token.token, inspection, isCi),
        ...(isCi ? [] : judgeShadow(token.token, config)),
        ...(inspection?.state === "alive" && !isOfOthers
          ? token.shadowed.map((other) => shadowed(token.token, other))
          : []),
      ];
    }
  }
}

/** A login is renewed, so minTtl does not apply to its current token here. `exec` reports the remaining time. */
function lastingFor({ isRenewed }: Secret, config: Known["config"]): Known["config"] {
  if (!isRenewed) return config;
  return { ...config, token: { ...config.token, minTtlSeconds: undefined } };
}

/** The config names a login, but another token overrides it. */
function judgeShadow(token: Secret, { token: { doctl } }: Known["config"]): Finding[] {
  const { origin } = token;
  if (doctl === undefined) return [];
  const message = `${describeOrigin(origin)} (${token.fingerprint}) is used instead of the login of doctl context ${doctl} (token.doctl).`;
  if (origin.kind === "environment") {
    return [finding("token.shadowed", message, { fix: fixFor(token) })];
  }
  if (origin.kind !== "env-file") return [];
  const fix = hint`${own("login")} removes it from the file; or remove it yourself`;
  return [finding("token.shadowed", message, { where: origin.path, fix })];
}

/** doctl renews such a token, but not the copies that we write (docs/contracts/doctl-2.md 6.4). */
function judgeSession(token: Secret, inspection: Inspection | undefined, isCi: boolean): Finding[] {
  const seconds = inspection?.expiresInSeconds;
  if (
    !token.isOfSession ||
    token.isRenewed ||
    typeof seconds !== "number" ||
    seconds >= DAY_SECONDS
  )
    return [];
  const left =
    seconds < 5400 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`;
  const message = `This is the token of a browser login, which expires in ${left}. Files that hold the token will then be out of date.`;
  if (isCi) {
    const fix = hint`Create an API token at ${TOKEN_FORM} and add it to the pipeline's secrets.`;
    const refused = `This is the token of a browser login, which expires in ${left}. A pipeline needs an API token.`;
    return [finding("token.session-in-ci", refused, { fix })];
  }
  const fix = hint`Create an API token at ${TOKEN_FORM}, then ${RUN_AGAIN}`;
  return [finding("token.of-session", message, { fix })];
}

const DAY_SECONDS = 86_400;

/** Tokens under other names: where they are, and how to use one. */
function judgeOffers(
  offers: Offers,
  { team }: Known["config"],
): { readonly said: string; readonly about: Pick<Finding, "fix" | "where"> } {
  const said = sayOffers(offers, team);
  const [only, another] = offered(offers, team);
  if (only === undefined) return { said, about: {} };
  const pipe = hint`… | ${own("--token-stdin")}`;
  if (another !== undefined) {
    const fix = hint`${own()} on a terminal lets you choose. In a script, pipe the right token: ${pipe}`;
    return { said, about: { fix } };
  }
  const login = loginOf(only);
  if (login !== undefined) {
    const fix = hint`It is a browser login. To use it, run ${own()} on a terminal, or set token.doctl: ${login} in the config`;
    return { said, about: { fix } };
  }
  const why = isOfRepo(only) ? "The token is committed in this repo" : "There may be other tokens";
  const fix =
    adoptable(offers, team) === undefined
      ? hint`${why}. On a terminal, ${own()} asks whether to use it. In a script, pipe it if the team is yours: ${pipe}`
      : hint`${own("--adopt")}`;
  const where = only.places.find((place) => place.where !== undefined)?.where;
  return { said, about: where === undefined ? { fix } : { fix, where } };
}

function sayOffers({ found, unsearched }: Offers, team: string | undefined): string {
  const shown = found
    .slice(0, MOST_SHOWN)
    .map((offer) => describeOffer(offer, whyNotOffered(offer, team)));
  const more = found.length - shown.length;
  const list = [...shown, ...(more > 0 ? [`${more} more`] : [])].join("; ");
  const count = found.length === 1 ? "another token" : `${found.length} other tokens`;
  return [
    ...(found.length === 0 ? [] : [` Found ${count}: ${list}.`]),
    ...(unsearched.length === 0 ? [] : [` Not fully searched: ${someOf(unsearched)}.`]),
  ].join("");
}

/** With a token manager, the token already exists. In all other cases, the user needs a new one. */
function instead(mistake: Mistake | undefined, { token: { name } }: Known["config"]): Hint {
  const pipe = own("--token-stdin");
  switch (mistake) {
    case "1password":
      return hint`${run("op", "read", "op://VAULT/ITEM/FIELD")} | ${pipe}. Or set token.command in the config to run it each time`;
    case "dotenvx":
      return hint`${run("dotenvx", "get", name)} | ${pipe}. Or set token.command in the config to run it each time`;
    case "reference":
      return hint`Pipe the actual value: … | ${pipe}. Or set token.command in the config to print it each time`;
    case "spaces-key":
      return hint`A Spaces key belongs in SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY. Create a token at ${TOKEN_FORM}`;
    default:
      return hint`A token is dop_v1_ followed by 64 characters of 0-9a-f. Create a new one at ${TOKEN_FORM}`;
  }
}

/** In a repo with environments, users usually mean one of them. */
function chooseFirst({ environment, environments }: Known["config"]): string {
  if (environment !== undefined || environments.length === 0) return "";
  const options = environments.map((name) => `--env ${name}`).join(" or ");
  return `Choose an environment: ${options}. For a token that belongs to no environment: `;
}

function noLogin({ why, context, detail }: TokenState & { kind: "no-login" }): Finding {
  const login = `the login of doctl context ${context} (token.doctl)`;
  switch (why) {
    case "absent":
      return finding("token.login-missing", `No token: ${detail}.`, {
        fix: hint`Log in: ${own("login")}`,
      });
    case "ended":
      return finding("token.login-ended", `No token: ${login} has ended (${detail}).`, {
        fix: hint`Log in again: ${own("login")}`,
      });
    case "unsure":
      return finding("token.login-unsure", `No token from ${login}: ${detail}.`, {
        fix: hint`Try again. If it keeps failing, log in again: ${own("login")}`,
      });
  }
}

function unavailable({ why, command, detail }: TokenState & { kind: "unavailable" }): Finding {
  const [failed, notRun] = [
    `token.command (${command}) gave no token: ${detail}.`,
    `token.command (${command}) was not run: ${detail}.`,
  ];
  switch (why) {
    case "failed":
      return finding("token.command-failed", failed, {
        fix: hint`Run the command yourself and fix the error that it reports.`,
      });
    case "failed-alone":
      return finding("token.command-failed", failed, {
        fix: hint`Run the command yourself and fix the error that it reports. If it works in the repo, it needs files that were not copied: name them in its script. To run it in the repo once: ${exec(["COMMAND"], "--trust")}`,
      });
    case "untrusted":
      return finding("token.command-untrusted", notRun, {
        fix: hint`To allow it: run ${own()} on a terminal, which asks once. In a script: ${own("--trust")}`,
      });
    case "unpinned":
      return finding("token.command-untrusted", notRun, {
        fix: hint`You must allow it each time: answer yes on a terminal, or in a script use ${own("--trust")} or ${exec(["COMMAND"], "--trust")}`,
      });
  }
}

function shadowed(used: Secret, other: Secret): Finding {
  const name = used.isRenewed
    ? used.shortName
    : `${describeOrigin(used.origin)} (${used.fingerprint})`;
  const message = `${name} is used; ${describeOrigin(other.origin)} holds another token (${other.fingerprint}).`;
  return finding("token.shadows-another", message, { fix: fixFor(other, used) });
}

function fixFor({ origin }: Secret, used?: Secret): Hint {
  if (origin.kind === "environment") return hint`${unset(origin.name)}`;
  // This appears only if --fix moves the token out of the code.
  if (origin.kind === "code") return hint`Revoke it if it was ever committed: ${TOKEN_LIST}`;
  if (used?.isRenewed) return hint`Remove it: ${own("login")}`;
  return hint`${own("--save")} replaces it with the token in use.`;
}

function judgeInspection(
  { token: { isOfSession, isRenewed } }: FoundState,
  inspection: Inspection | undefined,
  config: Known["config"],
  {
    said,
    about,
    variables,
  }: ReturnType<typeof judgeOffers> & { readonly variables: Variables | undefined },
): Finding[] {
  if (inspection === undefined) return [];
  if (inspection.state === "refused") {
    const kind = isOfSession ? " A browser login's token lasts for about an hour." : "";
    const message = `DigitalOcean rejects the token (401): it is revoked, expired or mistyped.${kind}${variables?.behind?.said ?? ""}${said}`;
    const byUnset = fixByUnset(variables);
    if (byUnset !== undefined) return [finding("token.refused", message, { fix: byUnset })];
    if (isRenewed) {
      return [
        finding("token.refused", message, { fix: hint`Log in again: ${own("login")}`, ...about }),
      ];
    }
    const login = isOfSession
      ? hint`To let doctl renew it: ${own("login")}; or create`
      : ["Create"];
    const fix =
      about.fix === undefined
        ? hint`${login} a new one at ${TOKEN_FORM}, then ${again(variables)}`
        : hint`${about.fix}${variables === undefined ? [] : hint`; and ${unset(...variables.names)}`}`;
    return [finding("token.refused", message, { ...about, fix })];
  }
  if (inspection.state === "unknown") {
    return [
      finding(
        "token.unverified",
        `Could not check whether the token works: ${inspection.doubts.join("; ")}.`,
        { fix: hint`Fix the network or the proxy (HTTPS_PROXY), then run the same command again.` },
      ),
    ];
  }
  return [
    ...judgeTeam(inspection, config.team, isRenewed, variables),
    ...judgeExpiry(inspection, config),
    ...doubt(),
  ];

  function doubt(): Finding[] {
    if (inspection === undefined || inspection.doubts.length === 0) return [];
    const what = inspection.doubts.join("; ");
    return [
      finding(
        "token.partly-verified",
        `The token is valid, but some of its details are unknown: ${what}.`,
      ),
    ];
  }
}

export function judgeTeam(
  { team, silentApi }: Pick<Inspection, "team" | "silentApi">,
  wanted: string | undefined,
  isRenewed = false,
  variables?: Variables,
): Finding[] {
  if (wanted === undefined || team?.uuid === wanted) return [];
  if (team === undefined && silentApi !== undefined) {
    const message = `account.team requires ${wanted}, but DigitalOcean's API could not confirm it: ${silentApi.why}.`;
    return [finding("token.unverified", message, { fix: hint`Try again when the API answers.` })];
  }
  if (team === undefined) {
    return [
      finding(
        "token.team-unknown",
        `account.team requires ${wanted}, but the token's team is unknown.`,
        {
          fix: isRenewed
            ? hint`Log in again, with account:read: ${own("login")}`
            : hint`Create a token with account:read at ${TOKEN_FORM}`,
        },
      ),
    ];
  }
  const message = `The token belongs to team ${team.name} (${team.uuid}), but account.team is ${wanted}.${variables?.behind?.said ?? ""}`;
  return [finding("token.wrong-team", message, { fix: fix() })];

  function fix(): Hint {
    if (isRenewed)
      return hint`Log in again, and choose the right team on DigitalOcean's page: ${own("login")}`;
    const make = hint`Switch to the right team in the control panel and create a token at ${TOKEN_FORM}`;
    if (variables === undefined) return make;
    return fixByUnset(variables) ?? hint`${make}, then ${again(variables)}`;
  }
}

/** A variable overrides the stored token, so it must be unset first. */
function again(variables: Variables | undefined): Hint {
  if (variables === undefined) return RUN_AGAIN;
  return hint`${unset(...variables.names)} and ${RUN_AGAIN}`;
}

function judgeExpiry({ expiresInSeconds }: Inspection, { token }: Known["config"]): Finding[] {
  const { minTtlSeconds } = token;
  if (minTtlSeconds === undefined || expiresInSeconds === undefined || expiresInSeconds === null) {
    return [];
  }
  if (expiresInSeconds >= minTtlSeconds) return [];
  return [
    finding(
      "token.expires-soon",
      `The token expires in ${duration(expiresInSeconds)}, sooner than the required ${duration(minTtlSeconds)}.`,
      {
        fix: hint`Create a new one at ${TOKEN_FORM}, then ${RUN_AGAIN}`,
      },
    ),
  ];
}
