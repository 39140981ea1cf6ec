import type { TokenState } from "../../exec/token-sources.ts";
import type { Secret } from "../../secret/secret.ts";
import type { Elsewhere, Place } from "./elsewhere.ts";
import type { Inspection } from "./verdict.ts";

/** A token under another name, with its places and its inspection. */
export interface Offer extends Pick<Elsewhere, "token"> {
  readonly places: readonly OfferedPlace[];
  /** undefined: not checked, because there are too many tokens. */
  readonly inspection: Inspection | undefined;
}

export interface OfferedPlace extends Place {
  /** "tracked": every clone of the repo has the token; "open": the next commit may include it; undefined: neither. */
  readonly git: "tracked" | "open" | undefined;
}

export interface Offers {
  readonly found: readonly Offer[];
  /** Files that may hold more tokens. */
  readonly unsearched: readonly string[];
}

export const NO_OFFERS: Offers = { found: [], unsearched: [] };

/** How many tokens are checked with DigitalOcean. */
export const MOST_ASKED = 10;

/**
 * Whether no token can work and another one may replace it: there is none, or the env file has the placeholder from
 * `.env.example` or a token that DigitalOcean refuses.
 */
export function lacksToken({ state, inspection }: Looked): boolean {
  if (state.kind === "missing") return true;
  if (state.kind === "unusable") {
    return state.mistake === "placeholder" && state.origin.kind === "env-file";
  }
  const isRefused = state.kind === "found" && inspection?.state === "refused";
  return isRefused && state.token.origin.kind === "env-file";
}

interface Looked {
  readonly state: TokenState;
  readonly inspection: Inspection | undefined;
}

/**
 * Why a token is not offered, shown next to its fingerprint; undefined: it is offered.
 *
 * @param team UUID of the only team whose tokens the config accepts.
 */
export function whyNotOffered({ inspection }: Offer, team: string | undefined): string | undefined {
  switch (inspection?.state) {
    case undefined:
      return "not checked";
    case "refused":
      return "rejected by DigitalOcean (401): expired, revoked or mistyped";
    case "unknown":
      return "could not be checked";
    case "alive":
      if (team === undefined || inspection?.team?.uuid === team) return undefined;
      return inspection?.team === undefined
        ? "but account.team in the config requires a team"
        : "not the team in account.team";
  }
}

/** The tokens that the user may choose from. */
export function offered({ found }: Offers, team: string | undefined): readonly Offer[] {
  return found.filter((offer) => whyNotOffered(offer, team) === undefined);
}

/**
 * The token that --adopt takes: the only one on offer, if there is certainly no other. A token that came with the repo
 * is excluded: somebody may have planted it, so the user has to see it.
 */
export function adoptable(offers: Offers, team: string | undefined): Secret | undefined {
  const [only, another] = offered(offers, team);
  const isKnown = ({ inspection }: Offer) => (inspection?.state ?? "unknown") !== "unknown";
  const isSure = offers.unsearched.length === 0 && offers.found.every(isKnown);
  if (only === undefined || another !== undefined || !isSure || isOfRepo(only)) return undefined;
  return loginOf(only) === undefined ? only.token : undefined;
}

/** The doctl context of a browser login. The config then names the login: its token is never written to a file. */
export function loginOf({ token, places }: Offer): string | undefined {
  if (!token.isOfSession) return undefined;
  const contexts = places.flatMap(({ context }) => context ?? []);
  // A config cannot name other contexts, and a colleague's `default` may be any account.
  return contexts.find((context) => context !== "default" && /^[a-z0-9][a-z0-9_-]*$/.test(context));
}

/** True for a token that is only in files that git tracks. */
export function isOfRepo({ places }: Offer): boolean {
  return places.every(({ git }) => git === "tracked");
}

export interface AdoptQuestion {
  /** The variable that has no value. */
  readonly name: string;
  /** At least one. Each is valid, and of the config's team if the config names one. */
  readonly tokens: readonly OfferedToken[];
}

export interface OfferedToken {
  readonly fingerprint: string;
  /** Such as "DO_TOKEN in /repo/.env:3". */
  readonly places: readonly string[];
  /** undefined: the token has no permission to read it. */
  readonly team: { readonly uuid: string; readonly name: string } | undefined;
  /** It is only in files that git tracks, so it came with the repo. */
  readonly isOfRepo: boolean;
}

const SAID = { tracked: "git tracks this file", open: "git does not ignore this file" } as const;

/** The details of an offer that the user sees. */
export function shownOffer(offer: Offer): OfferedToken {
  const { token, places, inspection } = offer;
  return {
    fingerprint: token.fingerprint,
    places: places.map(({ words, git }) => (git === undefined ? words : `${words} (${SAID[git]})`)),
    team: inspection?.team,
    isOfRepo: isOfRepo(offer),
  };
}

const MOST_PLACES = 3;

/**
 * Such as "DO_TOKEN in /repo/.env:3 (1a2b3c4d, team Acme)".
 *
 * @param why the reason why it is not offered.
 */
export function describeOffer(offer: Offer, why: string | undefined): string {
  const { fingerprint, places, team } = shownOffer(offer);
  const isAlive = offer.inspection?.state === "alive";
  const about = [
    loginOf(offer) === undefined ? fingerprint : "a browser login",
    ...(isAlive ? [`team ${team?.name ?? "unknown"}`] : []),
    ...(why === undefined ? [] : [why]),
  ];
  return `${someOf(places)} (${about.join(", ")})`;
}

/** @returns at most three of them, and the number of the others. */
export function someOf(places: readonly string[]): string {
  const more = places.length - MOST_PLACES;
  return [...places.slice(0, MOST_PLACES), ...(more > 0 ? [`${more} more`] : [])].join(" and ");
}
