import { stripVTControlCharacters } from "node:util";
import { jsonIn, recordOf } from "../lib/json.ts";
import { redact } from "../secret/redact.ts";

/** A call of the API, as far as an error text names it. */
export interface Call {
  /** undefined: not said. */
  readonly method: string | undefined;
  /** Without the query: "/v2/droplets/123". */
  readonly path: string;
}

/** Where in a repo it failed. */
export interface FailingResource {
  /** As Terraform names it: "module.web.digitalocean_droplet.app[0]". */
  readonly address: string;
  readonly place: { readonly file: string; readonly line: number } | undefined;
}

export type NetworkFailure = "dns" | "refused" | "timeout" | "tls" | "proxy" | "closed";

/** One thing that an error text says went wrong. */
export type Failure = Said & {
  readonly call: Call | undefined;
  readonly resource?: FailingResource;
};

type Said =
  | { readonly kind: "status"; readonly status: number; readonly message: string }
  | { readonly kind: "network"; readonly why: NetworkFailure; readonly message: string }
  | { readonly kind: "no-token" | "spaces"; readonly message: string };

/**
 * What an error text of doctl, Terraform, curl or another client says, each thing once.
 *
 * The forms are those of docs/contracts/api.md 4, docs/contracts/doctl.md 2 and 7,
 * docs/contracts/terraform.md 4, Go's net package and curl(1).
 */
export function failuresIn(text: string): Failure[] {
  const unframed = redact(stripVTControlCharacters(text))
    .replace(/^[ \t]*[│|╷╵][ \t]?/gm, "")
    .replace(/\r/g, "");
  const found = diagnosticsIn(unframed).flatMap(failureIn);
  const known = new Map(found.map((failure) => [JSON.stringify(failure), failure]));
  return withoutEchoes([...known.values()]);
}

/** Part of an error text that is about one thing. */
interface Diagnostic {
  readonly text: string;
  readonly resource: FailingResource | undefined;
}

function diagnosticsIn(text: string): Diagnostic[] {
  const json = text.split("\n").flatMap(jsonDiagnostics);
  if (json.length > 0) return json;
  // curl -v tells one call in many lines.
  if (/^[<>] /m.test(text) && /^< HTTP\//m.test(text)) return [{ text, resource: undefined }];
  return text
    .split(/^(?=(?:Error|Warning): )/m)
    .filter((part) => !part.startsWith("Warning: "))
    .flatMap((part) => {
      const resource = resourceIn(part);
      const isOne = part.startsWith("Error: ");
      const texts = isOne ? [part.replace(/\n(?=\S)/g, " ")] : [part];
      return texts.map((each) => ({ text: each, resource }));
    });
}

/**
 * `terraform … -json` prints a document a line, doctl -o json one of errors
 * (docs/contracts/terraform.md 4.10, docs/contracts/doctl.md 7.4).
 */
function jsonDiagnostics(line: string): Diagnostic[] {
  if (!line.trimStart().startsWith("{")) return [];
  const value = jsonIn(line);
  const { diagnostic, errors } = recordOf(value);
  const { severity, summary, detail, address, range } = recordOf(diagnostic);
  if (typeof summary === "string") {
    if (severity === "warning") return [];
    const { filename, start } = recordOf(range);
    const { line: at } = recordOf(start);
    const place =
      typeof filename === "string" && typeof at === "number"
        ? { file: filename, line: at }
        : undefined;
    const resource = typeof address === "string" ? { address, place } : undefined;
    return [{ text: `${summary}\n${typeof detail === "string" ? detail : ""}`, resource }];
  }
  const list: readonly unknown[] = Array.isArray(errors) ? errors : [];
  return list.flatMap((error) => {
    const { detail: said } = recordOf(error);
    return typeof said === "string" ? [{ text: said, resource: undefined }] : [];
  });
}

function resourceIn(text: string): FailingResource | undefined {
  const address = /^[ \t]*with ((?:(?!digitalocean_)\S)*digitalocean_[^,\n\u2028\u2029]+),/m.exec(
    text,
  )?.[1];
  if (address === undefined) return undefined;
  const [, file, line] = /\bon (\S+) line (\d+)/.exec(text) ?? [];
  return { address, place: file === undefined ? undefined : { file, line: Number(line) } };
}

/** Other providers say it in the same words (godo's are go-github's): what is not DigitalOcean's is left alone. */
function isForeign(text: string): boolean {
  if (text.includes("digitalocean.com")) return false;
  const address = /^[ \t]*with (\S+)(?: \([\w-]+\))?,/m.exec(text)?.[1];
  if (address !== undefined && !address.includes("digitalocean")) return true;
  return /\boperation error (?!S3\b)/.test(text);
}

/** Every path of the API begins so, whatever its host. */
const OF_API = /^\/v[12]\//;

function failureIn({ text, resource }: Diagnostic): Failure[] {
  if (isForeign(text)) return [];
  const more = resource === undefined ? {} : { resource };
  const answers = [...text.matchAll(ANSWERED)].map(
    ([, method = "", url = "", status, message = ""]): Failure & { call: Call } => ({
      kind: "status",
      status: Number(status),
      message: short(message),
      call: { method, path: pathOf(url) },
      ...more,
    }),
  );
  if (answers.length > 0) return answers.filter(({ call }) => OF_API.test(call.path));
  const said = spacesIn(text) ?? networkIn(text) ?? statusIn(text) ?? noTokenIn(text);
  return said === undefined ? [] : [{ ...said, call: callIn(text), ...more }];
}

/** As godo prints it: METHOD URL: STATUS (request "ID") MESSAGE (docs/contracts/api.md 4). */
const ANSWERED =
  /\b(GET|POST|PUT|PATCH|DELETE|HEAD) "?(https?:\/\/\S+?)"?: ([45]\d\d)\b(?: \(request "[^"]*"\))?(.*)/g;

function spacesIn(text: string): Said | undefined {
  const code =
    /\b(InvalidAccessKeyId|SignatureDoesNotMatch|NoSuchBucket|No valid credential sources found)\b/.exec(
      text,
    )?.[1];
  // Terraform's S3 backend has a sentence of its own for it (docs/contracts/terraform.md 6.5).
  if (/S3 bucket "[^"]*" does not exist/.test(text))
    return { kind: "spaces", message: "NoSuchBucket" };
  const isS3 = /api error|operation error S3|<Code>|credential sources/.test(text);
  const s3 = text.indexOf("operation error S3");
  const denied =
    s3 < 0 ? undefined : /\b(AccessDenied|StatusCode: 403)\b/.exec(text.slice(s3))?.[1];
  const said = isS3 ? (code ?? denied) : denied;
  return said === undefined ? undefined : { kind: "spaces", message: said };
}

/** The first that fits: what happened first is said last in Go's texts. */
const NETWORK: readonly (readonly [RegExp, NetworkFailure])[] = [
  [
    /proxyconnect|curl: \(5\)|Could not resolve proxy|407 Proxy|Proxy Authentication Required/,
    "proxy",
  ],
  [
    /no such host|server misbehaving|curl: \(6\)|Could not resolve host|ENOTFOUND|EAI_AGAIN|Temporary failure in name resolution|Name or service not known/,
    "dns",
  ],
  [
    /x509:|certificate (?:verify failed|signed by unknown)|tls: |curl: \((?:35|51|58|60|77|83)\)|SSL certificate|SELF_SIGNED_CERT|UNABLE_TO_(?:GET|VERIFY)/,
    "tls",
  ],
  [
    /connection refused|curl: \(7\)|ECONNREFUSED|no route to host|network is unreachable/,
    "refused",
  ],
  [
    /i\/o timeout|TLS handshake timeout|deadline exceeded|Client\.Timeout|curl: \(28\)|ETIMEDOUT|timed out/,
    "timeout",
  ],
  [
    /connection reset|unexpected EOF|: EOF\b|curl: \((?:52|56)\)|ECONNRESET|socket hang up|broken pipe/,
    "closed",
  ],
];

function networkIn(text: string): Said | undefined {
  for (const [pattern, why] of NETWORK) {
    const at = pattern.exec(text);
    if (at === null) continue;
    const line = text.slice(text.lastIndexOf("\n", at.index) + 1).split("\n")[0] ?? "";
    return { kind: "network", why, message: short(line) };
  }
  return undefined;
}

/** The API's own ids; their letter case is not fixed (docs/contracts/api.md 4). */
const IDS: Readonly<Record<string, number>> = {
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  unprocessable_entity: 422,
  too_many_requests: 429,
  server_error: 500,
  service_unavailable: 503,
};

const MESSAGES: readonly (readonly [RegExp, number])[] = [
  [/Unable to authenticate you/i, 401],
  [/not authorized to perform this operation|do not have permission to perform this action/i, 403],
  [/API rate limit exceeded|Too many requests/i, 429],
  [/Unexpected server-side error/i, 500],
];

function statusIn(text: string): Said | undefined {
  const body = /"id"\s*:\s*"(\w+)"/.exec(text)?.[1];
  const message = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? "";
  const status =
    IDS[(body ?? "").toLowerCase()] ??
    numberIn(/^< HTTP\/\S+ (\d{3})/m.exec(text)) ??
    numberIn(/returned error: (\d{3})/.exec(text)) ??
    numberIn(/\b(?:HTTP(?:\/[\d.]+)?|status(?: ?code)?)[ :=]{1,3}(\d{3})\b/i.exec(text)) ??
    numberIn(
      /\b(\d{3}) (?:Client Error|Server Error|Unauthorized|Forbidden|Not Found|Too Many|Bad Gateway|Service Unavailable|Internal Server|Gateway)/i.exec(
        text,
      ),
    ) ??
    MESSAGES.find(([pattern]) => pattern.test(text))?.[1];
  if (status === undefined || status < 400 || status > 599) return undefined;
  const own = MESSAGES.map(([pattern]) => pattern.exec(text)?.[0]).find(
    (said) => said !== undefined,
  );
  return { kind: "status", status, message: short(message || (own ?? "")) };
}

function noTokenIn(text: string): Said | undefined {
  const said = /access token is required|Unable to read DigitalOcean access token/.exec(text)?.[0];
  return said === undefined ? undefined : { kind: "no-token", message: said };
}

/** Without godo's form: Go's `Get "URL"`, curl's log or command line, any address of the API. */
function callIn(text: string): Call | undefined {
  const [, verb, quoted] = /\b(Get|Post|Put|Patch|Delete|Head) "(https?:[^"]+)"/.exec(text) ?? [];
  if (verb !== undefined) return { method: verb.toUpperCase(), path: pathOf(quoted ?? "") };
  const [, sent, path] = /^> ([A-Z]+) (\/\S*) HTTP/m.exec(text) ?? [];
  if (sent !== undefined) return { method: sent, path: pathOf(path ?? "") };
  const url = /https?:\/\/api\.digitalocean\.com(\/v\d\/[^\s"'<>\\)]*)/.exec(text)?.[1];
  if (url === undefined) return undefined;
  const given = /(?:-X ?|--request[ =])['"]?([A-Z]+)/.exec(text)?.[1];
  const isSending = /\s(?:-d|--data\S*|--json)[ =]/.test(text);
  const isCurl = /\bcurl\s+-|\bcurl\s+['"]?http/.test(text);
  return {
    method: given ?? (isCurl ? (isSending ? "POST" : "GET") : undefined),
    path: pathOf(url),
  };
}

function pathOf(url: string): string {
  const path = url.replace(/^https?:\/\/[^/]*/, "").split(/[?#]/)[0] ?? "";
  let end = path.length;
  while (end > 0 && ".,:;)".includes(path[end - 1] ?? " ")) end--;
  return path.slice(0, end);
}

/** A text without a call says again what one with a call has said. */
function withoutEchoes(failures: readonly Failure[]): Failure[] {
  const isSame = (one: Failure, other: Failure) =>
    one.kind === other.kind &&
    (one.kind !== "status" || (other.kind === "status" && one.status === other.status));
  const called = failures.filter(({ call }) => call !== undefined);
  return failures.filter(
    (failure) => failure.call !== undefined || !called.some((other) => isSame(failure, other)),
  );
}

const MAX_MESSAGE = 200;

function short(message: string): string {
  const line = message.trim().split("\n")[0] ?? "";
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}…` : line;
}

function numberIn(match: RegExpExecArray | null): number | undefined {
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
