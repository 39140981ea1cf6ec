import type { HttpAnswer } from "../../host/host.ts";

/** The answer of one endpoint. */
export type EndpointAnswer =
  | { readonly kind: "json"; readonly status: number; readonly body: unknown }
  /**
   * An answer without information: HTML, a redirect, broken JSON, 429, 5xx; or no answer, because the network failed.
   */
  | { readonly kind: "nothing"; readonly why: string; readonly isUnreached?: true };

export interface Team {
  readonly uuid: string;
  readonly name: string;
}

/** What the API says about a token. Missing facts are undefined: unknown, never "no". */
export interface Inspection {
  readonly state: "alive" | "refused" | "unknown";
  readonly scopes: readonly string[] | undefined;
  /** Counted from the answer; undefined: unknown; null: it does not expire. */
  readonly expiresInSeconds: number | null | undefined;
  readonly team: Team | undefined;
  readonly email: string | undefined;
  /** Why some facts are unknown. */
  readonly doubts: readonly string[];
  /** Only for an unknown state: the reason. */
  readonly unverified?: Unverified;
  /** Only for a valid token: the reason why the API itself, which tools call, said nothing about it. */
  readonly silentApi?: Unverified;
}

export interface Unverified {
  /** Without a full stop, such as "DNS cannot resolve its name". In a message, it follows the API's host. */
  readonly why: string;
  /** No answer came at all. */
  readonly isUnreached: boolean;
}

/** Reduces an HTTP answer to what it can prove (docs/contracts/api.md §5). */
export function readAnswer(answer: HttpAnswer): EndpointAnswer {
  if (answer.kind === "failure") {
    const { why, variable = "HTTPS_PROXY" } = answer;
    const ofProxy = `the proxy in ${variable} blocks the connection`;
    const words = why === "proxy" ? ofProxy : FAILURES[why];
    if (why === "headers" || why === "too-large") return { kind: "nothing", why: words };
    return { kind: "nothing", why: words, isUnreached: true };
  }
  const { status } = answer;
  if (status >= 300 && status < 400) {
    return { kind: "nothing", why: `it redirects (${status}), perhaps a captive portal or proxy` };
  }
  if (status === 401) return { kind: "json", status, body: undefined };
  if (status === 429) return { kind: "nothing", why: "the rate limit is reached (429)" };
  if (status >= 500) return { kind: "nothing", why: `the server failed (${status})` };
  if (!/^application\/([\w.+-]+\+)?json\b/i.test(answer.contentType)) {
    return { kind: "nothing", why: `it answered ${status} with a response that is not JSON` };
  }
  try {
    return { kind: "json", status, body: JSON.parse(answer.body) };
  } catch {
    return { kind: "nothing", why: `it answered ${status} with invalid JSON` };
  }
}

/** Applies the first matching row of the table in docs/contracts/api.md §7. */
export function judge(account: EndpointAnswer, info: EndpointAnswer): Inspection {
  const facts = { ...readAccount(account), ...readInfo(info) };
  const isAlive = facts.accountKnown || isForbidden(account);
  const doubts = [
    ...doubtsAbout("the account (GET /v2/account)", account, isAlive),
    ...doubtsAbout("the token (GET /v1/oauth/token/info)", info, facts.infoKnown),
  ];
  const inspection = (state: Inspection["state"]): Inspection => ({
    state,
    scopes: state === "refused" ? undefined : facts.scopes,
    expiresInSeconds: state === "refused" ? undefined : facts.expiresInSeconds,
    team: facts.team,
    email: facts.email,
    doubts: state === "refused" ? [] : doubts,
  });
  if (is(account, 401)) return inspection("refused");
  if (isAlive) return inspection("alive");
  if (is(info, 401)) return inspection("refused");
  if (facts.infoKnown) return { ...inspection("alive"), silentApi: reasonOf(account) };
  return { ...inspection("unknown"), unverified: reasonOf(account) };
}

/** Why the token could not be verified, as a sentence with the API's host; undefined: its state is known. */
export function whyUnverified({ unverified }: Inspection, api: URL): string | undefined {
  if (unverified === undefined) return undefined;
  const { why, isUnreached } = unverified;
  return isUnreached
    ? `Can't reach ${api.host}: ${why}.`
    : `${api.host} can't verify the token: ${why}.`;
}

function reasonOf(account: EndpointAnswer): Unverified {
  if (account.kind === "json") return { why: oddAnswer(account), isUnreached: false };
  return { why: account.why, isUnreached: account.isUnreached === true };
}

const FAILURES = {
  timeout: "no answer in time",
  refused: "the connection was refused",
  dns: "DNS cannot resolve its name",
  tls: "its certificate is not trusted (behind a company proxy: NODE_EXTRA_CA_CERTS)",
  closed: "the connection was closed",
  headers: "it answered with more than 16 kB of headers",
  "too-large": "it answered with more than 1 MB",
} as const;

function is(answer: EndpointAnswer, status: number): answer is EndpointAnswer & { kind: "json" } {
  return answer.kind === "json" && answer.status === status;
}

/** 403 on the account: the token is valid but lacks account:read (docs/contracts/api.md §4). */
function isForbidden(answer: EndpointAnswer): boolean {
  return is(answer, 403) && text(record(answer.body)?.["message"]) !== undefined;
}

function readAccount(answer: EndpointAnswer) {
  const account = is(answer, 200) ? record(record(answer.body)?.["account"]) : undefined;
  const team = record(account?.["team"]);
  const uuid = text(team?.["uuid"]);
  return {
    accountKnown: account !== undefined,
    team: uuid === undefined ? undefined : { uuid, name: text(team?.["name"]) ?? uuid },
    email: text(account?.["email"]),
  };
}

function readInfo(answer: EndpointAnswer) {
  const info = is(answer, 200) ? record(answer.body) : undefined;
  const scopes = info?.["scopes"];
  const known = Array.isArray(scopes) && scopes.every((scope) => typeof scope === "string");
  if (!known) return { infoKnown: false, scopes: undefined, expiresInSeconds: undefined };
  const expires = info?.["expires_in_seconds"];
  return {
    infoKnown: true,
    scopes: scopes as string[],
    expiresInSeconds: typeof expires === "number" && expires > 0 ? expires : null,
  };
}

function doubtsAbout(what: string, answer: EndpointAnswer, known: boolean): string[] {
  if (known) return [];
  if (answer.kind === "nothing") return [`${what}: ${answer.why}`];
  return [`${what}: ${oddAnswer(answer)}`];
}

function oddAnswer({ status }: EndpointAnswer & { kind: "json" }): string {
  return `it answered ${status} with an unknown response format`;
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
