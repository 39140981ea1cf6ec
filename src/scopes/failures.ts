import { stripVTControlCharacters } from "node:util";
import { ERROR_CODES } from "../errors/app-error.ts";
import { jsonIn, recordOf } from "../lib/json.ts";
import { redact } from "../secret/redact.ts";
import { doctlCommandIn } from "./doctl-commands.ts";
import { short, statusNumber } from "./error-text.ts";
import { loginIn, type SaidOfLogin } from "./login-failures.ts";
import { type NetworkFailure, networkIn } from "./network-failures.ts";
import { type SaidOfSpaces, spacesIn } from "./spaces-failures.ts";
import { type SaidOfValue, valueFailuresIn } from "./value-failures.ts";

/** An API call, as far as an error text names it. */
export interface Call {
  /** undefined: not in the text. */
  readonly method: string | undefined;
  /** Without the query: "/v2/droplets/123". */
  readonly path: string;
  /** The part of the query that needs another scope. */
  readonly query?: "read_write=true";
}

/** The resource that failed. */
export interface FailingResource {
  /** The address in Terraform: "module.web.digitalocean_droplet.app[0]". */
  readonly address: string;
  readonly place: { readonly file: string; readonly line: number } | undefined;
}

/** One failure in an error text. */
export type Failure = Said & {
  readonly call: Call | undefined;
  /** If doctl does not print the call: the command, as far as it is known ("doctl compute droplet create"). */
  readonly command?: string;
  readonly resource?: FailingResource;
};

type Said =
  | { readonly kind: "status"; readonly status: number; readonly message: string }
  | { readonly kind: "network"; readonly why: NetworkFailure; readonly message: string }
  | { readonly kind: "no-token"; readonly message: string }
  /** Output of do-bootstrap itself: the id of a finding, or the code of an error. */
  | { readonly kind: "finding"; readonly id: string; readonly message: "" }
  | SaidOfSpaces
  | SaidOfLogin
  | SaidOfValue;

/**
 * Finds the failures in an error text of doctl, Terraform, curl or another client, each one once.
 *
 * The formats are those of docs/contracts/api.md 4, docs/contracts/doctl.md 2 and 7, docs/contracts/doctl-2.md 1, 2 and
 * 4, docs/contracts/terraform.md 4 and 6, Go's net package and curl(1).
 *
 * @param findings the ids of our own findings.
 */
export function failuresIn(text: string, findings: ReadonlySet<string> = new Set()): Failure[] {
  const plain = stripVTControlCharacters(text).replace(/\r/g, "");
  const unframed = redact(plain)
    .replace(/^[ \t]*[│|╷╵][ \t]?/gm, "")
    .replace(/^[ \t]*[✗✘×] (?=Error: )/gm, "");
  const found: readonly Failure[] = [
    // Uses the text before the redaction, which hides a header with a value.
    ...valueFailuresIn(plain).map((said) => ({ ...said, call: undefined })),
    ...ownIn(unframed, findings),
    ...diagnosticsIn(unframed).flatMap(failureIn),
  ];
  const known = new Map(found.map((failure) => [JSON.stringify(failure), failure]));
  return withoutEchoes([...known.values()]);
}

const OWN_CODES: ReadonlySet<string> = new Set(ERROR_CODES);

/** An id as we print it: in a text, as JSON, or alone on a line. */
const OWN =
  /(?:\[|"id": "|^[ \t]{0,9})([a-z][a-z.-]{1,60}\.[a-z-]{1,60}|[A-Z][A-Z_]{1,60})(?:\]|"|[ \t]{0,9}$)/gm;

/** do-bootstrap prints the id after the message: "The token is refused. [token.refused]". */
function ownIn(text: string, findings: ReadonlySet<string>): Failure[] {
  // Other programs print codes in brackets, too: [SYSTEM].
  const isOurs = /^(?:✗ |[A-Z_]+\s*$)/m.test(text);
  return Array.from(text.matchAll(OWN), ([, id = ""]) => id)
    .filter((id) => findings.has(id) || (isOurs && OWN_CODES.has(id)))
    .map((id) => ({ kind: "finding", id, message: "", call: undefined }));
}

/** The part of an error text about one error. */
interface Diagnostic {
  /** With the terminal's line breaks. */
  readonly lines: string;
  /** With wrapped lines joined. */
  readonly text: string;
  readonly resource: FailingResource | undefined;
}

function diagnosticsIn(text: string): Diagnostic[] {
  const json = text.split("\n").flatMap(jsonDiagnostics);
  if (json.length > 0) return json;
  const document = text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1);
  const errors = /^\s*"errors"/m.test(document) ? jsonDiagnostics(document) : [];
  if (errors.length > 0) return errors;
  // curl -v prints one call on many lines.
  if (/^[<>] /m.test(text) && /^< HTTP\//m.test(text)) return [asItIs(text, undefined)];
  return text
    .split(/^(?=(?:Error|Warning): )/m)
    .filter((part) => !part.startsWith("Warning: "))
    .map((part) => ({
      lines: part,
      text: part.startsWith("Error: ") ? part.replace(/\n(?=\S)/g, " ") : part,
      resource: resourceIn(part),
    }));
}

function asItIs(text: string, resource: FailingResource | undefined): Diagnostic {
  return { lines: text, text, resource };
}

/**
 * `terraform … -json` prints one document per line, doctl -o json one document of errors
 * (docs/contracts/terraform.md 4.10, docs/contracts/doctl.md 7.4, docs/contracts/doctl-2.md 1.6).
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
    return [asItIs(`${summary}\n${typeof detail === "string" ? detail : ""}`, resource)];
  }
  const list: readonly unknown[] = Array.isArray(errors) ? errors : [];
  return list.flatMap((error) => {
    const { detail: said, title, reason, status, next_step: next } = recordOf(error);
    const lines = [
      ...(typeof title === "string" ? [`Error: ${title}`] : []),
      ...[said, reason].filter((part) => typeof part === "string" && part !== ""),
      ...(typeof status === "number" || typeof status === "string" ? [`status ${status}`] : []),
      ...(typeof next === "string" ? [next] : []),
    ];
    return lines.length === 0 ? [] : [asItIs(lines.join("\n"), undefined)];
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

/**
 * Other providers' errors have the same form (godo is based on go-github). Those that are not DigitalOcean's are
 * ignored.
 */
function isForeign(text: string): boolean {
  if (text.includes("digitalocean.com")) return false;
  const address = /^[ \t]*with (\S+)(?: \([\w-]+\))?,/m.exec(text)?.[1];
  if (address !== undefined) return !address.includes("digitalocean");
  // Except STS: the S3 backend asks AWS who owns the keys.
  return /\boperation error (?!S3\b)/.test(text) && spacesIn(text)?.why !== "sts";
}

/** Every API path begins like this, whatever the host. */
const OF_API = /^\/v[12]\//;

function failureIn({ lines, text, resource }: Diagnostic): Failure[] {
  if (isForeign(text)) return [];
  const more = resource === undefined ? {} : { resource };
  const answers = [...text.matchAll(ANSWERED)].map(
    ([, method = "", url = "", status, message = ""]): Failure & { call: Call } => ({
      kind: "status",
      status: Number(status),
      message: short(message),
      call: { method, ...addressOf(url) },
      ...more,
    }),
  );
  const ofApi = answers.filter(({ call }) => OF_API.test(call.path));
  if (ofApi.length > 0) return ofApi;
  if (answers.length > 0 && !text.includes("digitaloceanspaces.com")) return [];
  const byDoctl = doctlIn(lines);
  if (byDoctl !== undefined) return [byDoctl];
  const said =
    loginIn(lines) ?? spacesIn(text) ?? networkIn(text) ?? statusIn(text) ?? noTokenIn(text);
  return said === undefined ? [] : [{ ...said, call: callIn(text), ...more }];
}

/**
 * Reads an API error of doctl 2, which does not print the call: a title, the API's message, the status, the request id,
 * and a hint that names the command (docs/contracts/doctl-2.md 1.5).
 */
function doctlIn(text: string): Failure | undefined {
  if (!text.startsWith("Error: ")) return undefined;
  const lines = text.split("\n").map((line) => line.trim());
  const at = lines.findIndex((line) => HAS_STATUS.test(line));
  const status = numberIn(HAS_STATUS.exec(lines[at] ?? ""));
  const isDoctl = lines.some((line) => /\bdoctl [a-z]|^\W{0,8}request.id\b/i.test(line));
  if (status === undefined || !isDoctl) return undefined;
  const said = lines.slice(0, at).filter((line) => line !== "" && !/^request.id\b/i.test(line));
  const message = (said[1] ?? said[0] ?? "").replace(/^Error: /, "");
  return {
    kind: "status",
    status,
    message: short(message),
    call: undefined,
    command: commandIn(lines.slice(1)),
  };
}

const HAS_STATUS = /\bstatus:? ([45]\d\d)\b/i;

/** The longest known command in these lines. */
function commandIn(lines: readonly string[]): string {
  const named = lines.flatMap((line) => doctlCommandIn(line) ?? []);
  return named.reduce((best, each) => (each.length > best.length ? each : best), "doctl");
}

/** An error of godo: METHOD URL: STATUS (request "ID") MESSAGE (docs/contracts/api.md 4). */
const ANSWERED =
  /\b(GET|POST|PUT|PATCH|DELETE|HEAD) "?(https?:\/\/\S+?)"?: ([45]\d\d)\b(?: \(request "[^"]*"\))?(.*)/g;

/** The API's own ids. Their letter case varies (docs/contracts/api.md 4). */
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
    statusNumber(text) ??
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

/** Other forms of a call: Go's `Get "URL"`, curl's log or command line, any API address. */
function callIn(text: string): Call | undefined {
  const [, verb, quoted] = /\b(Get|Post|Put|Patch|Delete|Head) "(https?:[^"]+)"/.exec(text) ?? [];
  if (verb !== undefined) return { method: verb.toUpperCase(), ...addressOf(quoted ?? "") };
  const [, sent, path] = /^> ([A-Z]+) (\/\S*) HTTP/m.exec(text) ?? [];
  if (sent !== undefined) return { method: sent, ...addressOf(path ?? "") };
  const url = /https?:\/\/api\.digitalocean\.com(\/v\d\/[^\s"'<>\\)]*)/.exec(text)?.[1];
  if (url === undefined) return undefined;
  const given = /(?:-X ?|--request[ =])['"]?([A-Z]+)/.exec(text)?.[1];
  const isSending = /\s(?:-d|--data\S*|--json)[ =]/.test(text);
  const isCurl = /\bcurl\s+-|\bcurl\s+['"]?http/.test(text);
  return {
    method: given ?? (isCurl ? (isSending ? "POST" : "GET") : undefined),
    ...addressOf(url),
  };
}

function addressOf(url: string): Pick<Call, "path" | "query"> {
  const [address = "", query = ""] = url.replace(/^https?:\/\/[^/]*/, "").split(/[?#]/);
  let end = address.length;
  while (end > 0 && ".,:;)".includes(address[end - 1] ?? " ")) end--;
  const path = address.slice(0, end);
  return /(?:^|&)read_write=true\b/.test(query) ? { path, query: "read_write=true" } : { path };
}

/** Drops a failure without a call if there is the same one with a call. */
function withoutEchoes(failures: readonly Failure[]): Failure[] {
  const isSame = (one: Failure, other: Failure) =>
    one.kind === other.kind &&
    (one.kind !== "status" || (other.kind === "status" && one.status === other.status));
  const isCalled = ({ call, command }: Failure) => call !== undefined || command !== undefined;
  const called = failures.filter(isCalled);
  return failures.filter(
    (failure) =>
      isCalled(failure) ||
      failure.kind === "finding" ||
      !called.some((other) => isSame(failure, other)),
  );
}

function numberIn(match: RegExpExecArray | null): number | undefined {
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
