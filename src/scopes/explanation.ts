import { exec, type Hint, hint, own, run, unset } from "../errors/hint.ts";
import { type Action, withoutIndexes } from "./action.ts";
import { requiredBy } from "./closure.ts";
import type { ScopeData } from "./data.ts";
import { operationOfCommand } from "./doctl-commands.ts";
import type { Words } from "./error-text.ts";
import type { FailingResource, Failure } from "./failures.ts";
import { isGranted } from "./granted.ts";
import { loginWords } from "./login-failures.ts";
import { scopesNeeded } from "./needed.ts";
import { NETWORK_WORDS } from "./network-failures.ts";
import { type KnownOperation, type Operations, operationsOf } from "./operations.ts";
import { spacesWords } from "./spaces-failures.ts";
import { valueWords } from "./value-failures.ts";

/** Facts besides the text. */
export interface ExplainFacts {
  readonly data: ScopeData;
  readonly operations: Operations;
  /** The actions that the repo's Terraform code may take. */
  readonly actions: readonly Action[];
  readonly token: KnownToken;
}

export interface KnownToken {
  readonly state: "missing" | "alive" | "refused" | "unknown";
  /** undefined: DigitalOcean did not report them. */
  readonly granted: readonly string[] | undefined;
}

export interface ScopeCheck {
  readonly scope: string;
  /** undefined: unknown. */
  readonly granted: boolean | undefined;
  /** The attribute that needs the scope, if the call itself does not. */
  readonly for?: string;
}

export interface Explanation {
  readonly failure: Failure;
  /** The operation in the API's documentation: "POST /v2/droplets". */
  readonly operation: string | undefined;
  readonly scopes: readonly ScopeCheck[];
  readonly resources: readonly FailingResource[];
  /** What happened, in one sentence. */
  readonly what: string;
  /** What to do. */
  readonly fix: Hint;
}

/** Explains what a failure means for a repo and its token. */
export function explain(failure: Failure, facts: ExplainFacts): Explanation {
  const { call } = failure;
  const known = operationBehind(failure, facts.operations);
  const name =
    known?.name ??
    (call === undefined ? undefined : [call.method, call.path].filter(Boolean).join(" "));
  const plain = { failure, operation: name, scopes: [], resources: resourcesOf(failure) };
  switch (failure.kind) {
    case "network":
      return { ...plain, ...NETWORK_WORDS[failure.why] };
    case "no-token":
      return {
        ...plain,
        what: "The tool had no token.",
        fix: hint`${exec(["COMMAND"])} passes this repo's token; ${own()} sets up the tools. If doctl is already set up, another doctl may have been writing its config at that moment: run the command again.`,
      };
    case "spaces":
      return { ...plain, ...spacesWords(failure) };
    case "login":
    case "renewal":
      return { ...plain, ...loginWords(failure) };
    case "token-value":
      return { ...plain, ...valueWords(failure) };
    case "finding":
      return { ...plain, ...findingWords(failure.id) };
    case "status":
      if (failure.status === 403) return forbidden(failure, { facts, known, plain });
      return { ...plain, ...answered(failure, facts.token) };
  }
}

/** The operation that failed; undefined if the text does not tell. */
function operationBehind(
  { call, command }: Failure,
  operations: Operations,
): KnownOperation | undefined {
  if (call === undefined) {
    return command === undefined ? undefined : operationOfCommand(command, operations);
  }
  const [known, ...others] = operationsOf(call, operations);
  return others.length > 0 ? undefined : known;
}

/** For do-bootstrap's own output, nothing has to be guessed. */
function findingWords(id: string): Words {
  const again = /^leak\./.test(id) ? own("check", "--history") : own("check");
  return /^[A-Z]/.test(id)
    ? {
        what: `This is an error from do-bootstrap itself (${id}).`,
        fix: hint`The line starting with → after the error says how to fix it. ${own("check")} shows whether anything else is wrong.`,
      }
    : {
        what: `This is the do-bootstrap finding ${id}.`,
        fix: hint`The line starting with → below it says how to fix it. ${again} prints it again. docs/findings.md in do-bootstrap's repo describes each finding.`,
      };
}

type Plain = Omit<Explanation, "what" | "fix">;

/** Explains a 403: usually, a scope is missing. */
function forbidden(
  failure: Failure,
  { facts, known, plain }: { facts: ExplainFacts; known: KnownOperation | undefined; plain: Plain },
): Explanation {
  const { token, data } = facts;
  const wanted = known?.scopes ?? [];
  const { command } = failure;
  // A doctl command is not related to the code's actions.
  const makers = command === undefined ? actionsBehind(failure, wanted, facts) : [];
  const resources = failure.resource === undefined ? placesOf(makers) : plain.resources;
  const { granted } = token;
  const ofCall: ScopeCheck[] = wanted.map((scope) => ({
    scope,
    granted: granted && isGranted(granted, scope, data),
  }));
  const isMissing = (check: ScopeCheck) => check.granted === false;
  const isLacking = known?.isAny ? ofCall.every(isMissing) : ofCall.some(isMissing);
  // The API needs more scopes if a field refers to another kind of resource: tags, a VPC.
  const more = isLacking ? [] : furtherScopes(makers, { wanted, token, data });
  const scopes = [...ofCall, ...more];
  const lacking = scopes.filter(isMissing).map(({ scope }) => scope);
  const base = { ...plain, scopes, resources };
  if (wanted.length === 0) {
    if (known === undefined && command !== undefined) {
      return {
        ...base,
        what: "DigitalOcean rejected an API call (403), usually because the token lacks a scope. doctl does not print which call.",
        fix: hint`Run the command again with -o json, which shows the call, and pipe the output to ${own("explain", "-")}. ${own("scopes")} compares the token with what the code needs.`,
      };
    }
    const what =
      known === undefined
        ? "DigitalOcean rejected the call (403), usually because the token lacks a scope. do-bootstrap does not know which one."
        : "DigitalOcean rejected the call (403). DigitalOcean documents no scope for this call.";
    return {
      ...base,
      what,
      fix: hint`${own("scopes")} compares the token with what the code needs.`,
    };
  }
  if ((isLacking || more.length > 0) && lacking.length > 0) {
    const asked = known?.isAny ? weaker(lacking, data) : lacking;
    const required = requiredBy(asked, data).filter(
      (scope) => granted !== undefined && !isGranted(granted, scope, data),
    );
    const all = [...asked, ...required].sort().join(", ");
    return {
      ...base,
      what: `The token lacks ${lacking.join(known?.isAny ? " or " : " and ")}.`,
      fix: hint`Scopes cannot be edited: create a new token that also has ${all}. ${own("scopes")} lists what the code needs.`,
    };
  }
  if (granted === undefined) {
    return {
      ...base,
      what: `DigitalOcean rejected the call (403), usually because the token lacks ${wanted.join(known?.isAny ? " or " : " and ")}.`,
      fix: NOT_ASKED[token.state],
    };
  }
  if (command !== undefined) {
    return {
      ...base,
      what: "This repo's token has the scope for this command, but DigitalOcean still rejected a call (403).",
      fix: hint`doctl may have used another token: see ${own("check")}, or use ${exec(["COMMAND"])} to pass this repo's. Or doctl made another call, such as a name lookup: run the command with -o json and pipe the output to ${own("explain", "-")}.`,
    };
  }
  return {
    ...base,
    what: "This repo's token has the scope, but DigitalOcean still rejected the call (403).",
    fix: hint`Perhaps another token was used: see ${own("check")}, or use ${own("exec")} to pass this repo's. Or the team role of the token's owner does not allow the call.`,
  };
}

/** Of alternative scopes, the weaker ones, if the data names any. */
function weaker(scopes: readonly string[], { resources }: ScopeData): readonly string[] {
  const alternatives = Object.values(resources).flatMap((type) =>
    scopes.flatMap((scope) => type.alternatives?.[scope] ?? []),
  );
  const named = scopes.filter((scope) => alternatives.includes(scope));
  return named.length > 0 ? named : scopes;
}

const NOT_ASKED: Readonly<Record<KnownToken["state"], Hint>> = {
  missing: hint`This repo has no token to check. ${own()} helps you create one with this scope.`,
  refused: hint`This repo's token is revoked, expired or mistyped (401), so another token was used: ${own("check")}`,
  unknown: hint`DigitalOcean did not report the scopes of this repo's token: ${own("scopes")} asks again.`,
  alive: hint`DigitalOcean did not report the scopes of this repo's token: compare with ${own("scopes")}.`,
};

/** The actions that may have made the call: those that need its scopes, of the named resource or of all. */
function actionsBehind(
  { resource }: Failure,
  wanted: readonly string[],
  { actions, data }: ExplainFacts,
): Action[] {
  const address = resource && withoutIndexes(resource.address);
  const named = actions.filter((action) => address === undefined || action.address === address);
  // A folder that several modules call is read once, under the name of the first.
  const candidates =
    named.length > 0 || address === undefined
      ? named
      : actions.filter((action) => inModule(action.address) === inModule(address));
  return candidates.filter((action) =>
    scopesNeeded([action], data).own.some(({ scope }) => wanted.includes(scope)),
  );
}

function inModule(address: string): string {
  return address.replace(/^(?:module\.[^.]+\.)+/, "");
}

/** Scopes that the attributes of a single resource need and the token lacks. */
function furtherScopes(
  makers: readonly Action[],
  { wanted, token, data }: { wanted: readonly string[]; token: KnownToken; data: ScopeData },
): ScopeCheck[] {
  const { granted } = token;
  const isOne = new Set(makers.map(({ address }) => address)).size === 1;
  if (granted === undefined || !isOne) return [];
  return scopesNeeded(makers, data)
    .own.filter(({ scope }) => !wanted.includes(scope) && !isGranted(granted, scope, data))
    .map(({ scope, reasons }) => {
      const when = reasons.find((reason) => reason.when !== undefined)?.when;
      return { scope, granted: false, ...(when === undefined ? {} : { for: when }) };
    });
}

function placesOf(actions: readonly Action[]): FailingResource[] {
  const places = new Map(actions.map(({ address, place }) => [address, { address, place }]));
  return [...places.values()];
}

function resourcesOf({ resource }: Failure): FailingResource[] {
  return resource === undefined ? [] : [resource];
}

function answered(
  { status, command }: { readonly status: number; readonly command?: string },
  token: KnownToken,
): Words {
  if (status === 401) {
    const words = UNAUTHORIZED[token.state];
    if (command === undefined) return words;
    // docs/contracts/doctl-2.md 4.7.
    const more = hint`doctl renews a browser login only if no token is set: ${unset("DIGITALOCEAN_ACCESS_TOKEN")}.`;
    return { ...words, fix: hint`${words.fix} ${more}` };
  }
  if (status === 404) {
    return {
      what: "Not found (404), or it belongs to a different team from the token.",
      fix: hint`${own("check")} shows the token's team; ${run("terraform", "plan")} shows what was deleted elsewhere.`,
    };
  }
  if (status === 429) {
    return {
      what: "Too many requests (429): 5 000 per hour or 250 per minute for each token.",
      fix: hint`Wait, and run the same command again; ${run("terraform", "apply", "-parallelism=3")} sends fewer requests at a time. A separate token has its own limit.`,
    };
  }
  if (status >= 500) {
    return {
      what: `DigitalOcean had an error (${status}). The token and the code are not the cause.`,
      fix: hint`Run the same command again in a few minutes. https://status.digitalocean.com shows outages.`,
    };
  }
  return {
    what: `DigitalOcean accepted the token but rejected the request (${status}).`,
    fix: hint`See the message for the reason. It is not about scopes.`,
  };
}

const UNAUTHORIZED: Readonly<Record<KnownToken["state"], Words>> = {
  missing: {
    what: "The token that was used is revoked, expired or mistyped (401). This repo has no token.",
    fix: hint`${own()} helps you create one.`,
  },
  refused: {
    what: "This repo's token is revoked, expired or mistyped (401).",
    fix: hint`${own()} helps you create a new one and stores it.`,
  },
  alive: {
    what: "The token that was used is revoked or expired (401). This repo's token is valid, so another one was used.",
    fix: hint`${exec(["COMMAND"])} passes this repo's token; ${own("check")} shows where the other one is.`,
  },
  unknown: {
    what: "The token that was used is revoked, expired or mistyped (401).",
    fix: hint`${own("check")} tests this repo's token.`,
  },
};
