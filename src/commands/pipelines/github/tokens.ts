import { inspectOnce } from "../../../concerns/token/inspect.ts";
import { judgeTeam } from "../../../concerns/token/judge.ts";
import { allNeeded, compareScopes, readNeeds } from "../../../concerns/token/needed-scopes.ts";
import type { Inspection } from "../../../concerns/token/verdict.ts";
import { type Finding, failureOf } from "../../../core/finding.ts";
import { AppError } from "../../../errors/app-error.ts";
import { type HintPart, hint, own } from "../../../errors/hint.ts";
import { Secret } from "../../../secret/secret.ts";
import type { Facts, ObservingHost } from "../../init/observe.ts";
import type { Prompter } from "../../init/prompter.ts";
import { finding } from "../findings.ts";
import type { Place } from "./places.ts";

/** What is known of a place that gets a token. */
export type PlaceOfToken = Pick<Place, "name" | "purpose" | "config">;

/** A place whose token has to be given. */
export interface AskedPlace extends PlaceOfToken, Pick<Place, "variable"> {
  /** What the token is for; default: as the purpose says. */
  readonly role?: string;
}

/** A token for one place, and what DigitalOcean says about it. */
export interface PipelineToken {
  readonly place: PlaceOfToken;
  readonly token: Secret;
  readonly inspection: Inspection;
}

interface Asking {
  readonly facts: Facts;
  readonly ask: Prompter<Facts>["ask"];
  readonly progress: (what: string) => void;
  /** Whose place it is. */
  readonly on: "GitHub" | "HCP Terraform";
  /** Store tokens that can do more than they should. */
  readonly acceptTokens: boolean;
}

/**
 * Asks for the tokens of a pipeline, or takes them from the environment, and checks them. They go nowhere before that.
 *
 * @param places those that have no token.
 * @throws AppError NO_TOKEN, and the finding of the first token that is wrong.
 */
export async function askForTokens(
  host: ObservingHost,
  places: readonly AskedPlace[],
  { facts, ask, progress, on, acceptTokens }: Asking,
): Promise<readonly PipelineToken[]> {
  const inspections = new Map<string, Promise<Inspection>>();
  const inspect = inspectOnce(host, facts.token.hosts, inspections);
  const all: PipelineToken[] = [];
  for (const place of places) {
    const { config, purpose, role = PURPOSE[purpose] } = place;
    const its = await withNeedsOf(host, facts, place);
    // The guide proposes a name for the token.
    const named: Facts = { ...its, config: { ...config, environment: place.name } };
    const text =
      host.env[place.variable] ??
      (await ask?.(named, inspections, `For ${place.name} on ${on}: ${role}.`));
    if (text === undefined) throw noToken(places, on);
    const token = Secret.of(text, { kind: "prompt" }).tokenInText();
    if (!(token instanceof Secret)) {
      const why = "why" in token ? `: ${token.why}` : "";
      throw new AppError("NO_TOKEN", `The token for ${place.name} is not an API token${why}.`, {
        hint: hint`Create one with the scopes that ${own("scopes", "--for", purpose)} lists.`,
      });
    }
    progress("Asking DigitalOcean about the token");
    const inspection = await inspect(token);
    const accept = acceptTokens ? undefined : own("ci", "github", "--apply", "--accept-tokens");
    const wrong = judgePipelineToken(its, { place, token, inspection }, all, accept);
    if (wrong !== undefined) throw failureOf(wrong);
    all.push({ place, token, inspection });
  }
  return all;
}

const PURPOSE = {
  plan: "a token that only reads",
  apply: "a token that can make changes, which only the protected branch gets",
} as const;

/** The facts of a place's environment, with what its token needs. */
export async function withNeedsOf(
  host: Pick<ObservingHost, "files" | "env">,
  facts: Facts,
  { config, purpose }: PlaceOfToken,
): Promise<Facts> {
  const dirs = config.roots.map(({ dir }) => dir);
  const code = await readNeeds(host, { dirs, purpose, config });
  return { ...facts, config, token: { ...facts.token, code } };
}

/**
 * @param others the tokens that are stored in the same run.
 * @param accept the command that accepts a token that can do more than it should; undefined: it is accepted.
 * @returns why a token must not be stored in its place.
 */
export function judgePipelineToken(
  { token: { code }, config }: Pick<Facts, "token" | "config">,
  { place, token, inspection }: PipelineToken,
  others: readonly PipelineToken[],
  accept: HintPart | undefined,
): Finding | undefined {
  const { name, purpose } = place;
  if (token.isOfSession) {
    const message = `The token for ${name} belongs to a browser login, which ends after about an hour.`;
    return finding("ci.token", message, { fix: hint`Create a token for the pipeline.` });
  }
  if (inspection.state !== "alive") {
    const isRefused = inspection.state === "refused";
    const message = isRefused
      ? `DigitalOcean refuses the token for ${name}.`
      : `DigitalOcean could not confirm the token for ${name}.`;
    const fix = isRefused ? hint`Create a new token for it.` : hint`Try again later.`;
    return finding("ci.token", message, { fix });
  }
  const otherTeam = judgeTeam(inspection, config.team).find(({ level }) => level === "error");
  if (otherTeam !== undefined) {
    return { ...otherTeam, message: `The token for ${name}: ${otherTeam.message}` };
  }
  const lacking = compareScopes(inspection, code)?.findings.find(({ level }) => level === "error");
  if (lacking !== undefined) {
    const message = `The token for ${name}: ${lacking.message}`;
    return { ...lacking, message };
  }
  if (accept === undefined) return undefined;
  const same = others.find((each) => each.place.purpose !== purpose && each.token.equals(token));
  if (same !== undefined) {
    const message = `${same.place.name} and ${name} would have the same token. Then every branch can make changes with it.`;
    const fix = hint`Create two tokens; or, to accept it: ${accept}`;
    return finding("ci.token", message, { fix });
  }
  if (purpose === "apply") return undefined;
  if (inspection.scopes === undefined) {
    const message = `DigitalOcean did not say what the token for ${name} may do, and every branch of the repo gets it.`;
    return finding("ci.token", message, {
      fix: hint`Try again later; or, to accept it: ${accept}`,
    });
  }
  // A plan of some data sources needs a scope that is not called read.
  const needed = allNeeded(code.needs);
  const writing = inspection.scopes.filter(
    (scope) => !/^read$|:read$/.test(scope) && !needed.includes(scope),
  );
  if (writing.length > 0) {
    const message = `The token for ${name} can make changes (${writing.slice(0, 3).join(", ")}${writing.length > 3 ? ", …" : ""}). Every branch of the repo gets it.`;
    const fix = hint`Create one with the scopes that ${own("scopes", "--for", "plan")} lists; or, to accept it: ${accept}`;
    return finding("ci.token", message, { fix });
  }
  return undefined;
}

function noToken(places: readonly AskedPlace[], on: Asking["on"]): AppError {
  const names = places.map(({ variable }) => variable).join(", ");
  return new AppError("NO_TOKEN", `${on} has no token for the pipeline, and none is given.`, {
    hint: hint`On a terminal you are asked for each. In a script, set them for this command only: ${names}`,
  });
}
