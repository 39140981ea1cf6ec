import { hasOthersCode, type WantedRoots } from "../../concerns/terraform/search/choose.ts";
import { environmentsAmong } from "../../concerns/terraform/search/layout.ts";
import type { TrustGiven } from "../../concerns/token/find-token.ts";
import {
  type AdoptQuestion,
  lacksToken,
  loginOf,
  offered,
  shownOffer,
} from "../../concerns/token/offers.ts";
import type { Inspection } from "../../concerns/token/verdict.ts";
import { textIn } from "../../core/file-text.ts";
import type { Approve } from "../../core/flow.ts";
import { hasBlock } from "../../core/ignore-block.ts";
import type { TokenState } from "../../exec/token-sources.ts";
import type { Secret } from "../../secret/secret.ts";
import type { Choice } from "./environments.ts";
import type { LoginTalk } from "./log-in.ts";
import type { Facts } from "./observe.ts";

/** Asks a person. Questions that nobody can be asked are absent. */
export interface Prompter<F> {
  /**
   * Helps a person to create a token and asks for it.
   *
   * @param inspections cached answers about tokens, extended here.
   * @param purpose what the token is for, if that is not just the environment of the facts.
   */
  readonly ask:
    | ((
        facts: F,
        inspections: Map<string, Promise<Inspection>>,
        purpose?: string,
      ) => Promise<string>)
    | undefined;
  /**
   * Waits until a person wants to ask DigitalOcean again about an unverified token.
   *
   * @param why in a sentence.
   */
  readonly retry: ((why: string) => Promise<void>) | undefined;
  /** Offers a login in the browser instead of pasting a token. @returns whether it is wanted. */
  readonly offerLogin: ((facts: F) => Promise<boolean>) | undefined;
  /** What a person sees and is asked during a login. Absent if no login is offered. */
  readonly loginTalk: ((facts: F) => LoginTalk) | undefined;
  /** Asks which environment to use. @returns undefined: none of them. */
  readonly choose: ((choices: readonly Choice[]) => Promise<string | undefined>) | undefined;
  /** Asks which of the tokens under other names to use. @returns its fingerprint; undefined: none of them. */
  readonly adopt: ((asked: AdoptQuestion) => Promise<string | undefined>) | undefined;
  /** Shows a plan and asks for approval. */
  readonly approve: Approve<F>;
  /** Asks whether to make a context doctl's current one. */
  readonly makeCurrent: ((context: string, why: CurrentContext) => Promise<boolean>) | undefined;
  /** Asks whether to replace another login, which the sentence describes. */
  readonly replace: ((message: string) => Promise<boolean>) | undefined;
  /** Asks which root modules to prepare, if the config names none. */
  readonly roots: ((asked: RootsQuestion) => Promise<RootsAnswer>) | undefined;
  /** Asks whether to make a Spaces key for the state, and its bucket. @returns undefined: neither. */
  readonly keys: ((asked: KeysQuestion) => Promise<"key" | "bucket" | undefined>) | undefined;
  /** Asks whether the config's command may run. */
  readonly trust: ((asked: TrustQuestion) => Promise<boolean>) | undefined;
}

export interface KeysQuestion {
  /** The names of the buckets that hold the state. */
  readonly buckets: readonly string[];
  /** The config proposes to create them. */
  readonly proposed: boolean;
}

/** Describes doctl's current context. */
export interface CurrentContext {
  readonly message: string;
  /** The current context is not used for anything. */
  readonly isHarmless: boolean;
}

/** A person's choice: a token, or the doctl context of a login. */
export interface Adopted {
  readonly token: Secret;
  readonly login: string | undefined;
}

/** @returns undefined after a no, or if there is nothing to ask. */
export async function askToAdopt(
  ask: Prompter<never>["adopt"],
  { token, config }: Pick<Facts, "token" | "config">,
): Promise<Adopted | undefined> {
  const choice = lacksToken(token) ? offered(token.offers, config.team) : [];
  if (ask === undefined || choice.length === 0) return undefined;
  const chosen = await ask({ name: config.token.name, tokens: choice.map(shownOffer) });
  const offer = choice.find(({ token }) => token.fingerprint === chosen);
  return offer && { token: offer.token, login: loginOf(offer) };
}

export interface TrustQuestion {
  /** As a person would type it. */
  readonly command: string;
  /** What a yes allows. */
  readonly given: TrustGiven;
  /** Why the command needs approval; a sentence without its full stop. */
  readonly why: string;
}

/** Folders are relative to the project's. */
export type RootsQuestion =
  | {
      readonly kind: "several";
      readonly dirs: readonly string[];
      /** The environments that the folders seem to be; none: they don't. */
      readonly environments: readonly string[];
    }
  /** There is no root module: should one be created? */
  | { readonly kind: "none" };

/** environments: write a config with one environment for each. undefined: none is chosen. */
export type RootsAnswer = WantedRoots | "environments" | undefined;

/** @returns undefined also if there is nothing to ask. After a no to a new root, the question is not repeated. */
export async function askForRoots(
  ask: Prompter<never>["roots"],
  { search, config, repo }: Pick<Facts, "search" | "config" | "repo">,
): Promise<RootsAnswer> {
  const { kind, dirs = [] } = search?.choice ?? {};
  if (kind === "several") {
    const found = config.file === undefined ? environmentsAmong(dirs) : [];
    return ask?.({ kind, dirs, environments: found.map(({ name }) => name) });
  }
  if (search === undefined || kind !== "none" || hasOthersCode(search.layout)) return undefined;
  return hasBlock(textIn(repo.gitignore)) ? undefined : ask?.({ kind });
}

/** @returns what a person allowed; undefined after a no, or if there is nothing to ask. */
export async function askForTrust(
  ask: Prompter<never>["trust"],
  state: TokenState,
): Promise<TrustGiven | undefined> {
  if (state.kind !== "unavailable") return undefined;
  const given = GIVEN[state.why];
  if (given === undefined) return undefined;
  return (await ask?.({ command: state.command, given, why: state.detail })) ? given : undefined;
}

const GIVEN: { readonly [Why in Unavailable["why"]]?: TrustGiven } = {
  untrusted: "kept",
  unpinned: "once",
};

type Unavailable = TokenState & { kind: "unavailable" };
