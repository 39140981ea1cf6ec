import {
  type Document,
  isMap,
  isScalar,
  type Node,
  type Pair,
  parseDocument,
  Scalar,
  visit,
  YAMLMap,
} from "yaml";
import { isTooMuchYaml } from "../../lib/yaml-size.ts";
import { type Content, content, lineEndOf } from "../../secret/content.ts";
import { Secret } from "../../secret/secret.ts";

/** The parts of doctl's config that we use (docs/contracts/doctl.md 5 and 6). */
export interface DoctlConfig {
  /** The token of each stored context; "default" is the top-level access-token. */
  readonly contexts: ReadonlyMap<string, Secret>;
  /** The browser logins by context. doctl renews them by itself (docs/contracts/doctl-2.md 3 and 4). */
  readonly sessions: ReadonlyMap<string, Session>;
  /** The context that plain doctl uses. */
  readonly selected: string;
  /** The line of each context's token, counted from 1. */
  readonly lines: ReadonlyMap<string, number>;
  /** Flags and environment variables that an earlier doctl saved (docs/contracts/doctl.md 3.8). */
  readonly settings: ReadonlyMap<Setting, { readonly value: string; readonly line: number }>;
}

/**
 * A browser login. Its refresh token gets new tokens, and doctl overwrites the context's token with them, whatever it
 * is (docs/contracts/doctl-2.md 3.7).
 */
export class Session {
  readonly refreshToken: Secret;
  readonly #entry: Pair<unknown, YAMLMap>;

  constructor(refreshToken: Secret, entry: Pair<unknown, YAMLMap>) {
    this.refreshToken = refreshToken;
    this.#entry = entry;
  }

  /**
   * When its access token expires, in ms since the epoch; undefined: doctl will not renew it
   * (docs/contracts/doctl-2.md 4.8).
   */
  get expiresAt(): number | undefined {
    const text = this.#textOf("expires-at");
    const time = text !== undefined && RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
    return Number.isNaN(time) ? undefined : time;
  }

  /** Where doctl sends the refresh token (docs/contracts/doctl-2.md 4.4). */
  get tokenEndpoint(): string | undefined {
    return this.#textOf("token-endpoint");
  }

  #textOf(key: string): string | undefined {
    return textIn(this.#entry.value && last(this.#entry.value, key)?.value);
  }

  /** A copy with an expired access token, so that doctl renews it before its next call. */
  get due(): Session {
    const entry = this.#entry.clone() as Pair<unknown, YAMLMap>;
    if (entry.value) put(entry.value, "expires-at", new Date(0).toISOString());
    return new Session(this.refreshToken, entry);
  }

  equals(other: Session | undefined): boolean {
    return other !== undefined && this.refreshToken.equals(other.refreshToken);
  }

  /** Adds the entry exactly as it was in the file. */
  putInto(sessions: YAMLMap): void {
    sessions.items.push(this.#entry);
  }
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

/** What a context holds or will hold. */
export interface Login {
  readonly token: Secret | undefined;
  readonly session: Session | undefined;
}

const REGISTRATION = "registration-access-token";
const SETTINGS = ["context", "api-url", "output", "config"] as const;
export type Setting = (typeof SETTINGS)[number];

/** @returns undefined if doctl cannot read it either. */
export function readDoctlConfig(text: string): DoctlConfig | undefined {
  const root = parse(text)?.root;
  if (root === undefined) return undefined;
  const contexts = new Map<string, Secret>();
  const lines = new Map<string, number>();
  const keep = (context: string, pair: Pair | undefined) => {
    const token = textIn(pair?.value);
    if (pair === undefined || token === undefined) return;
    contexts.set(context, Secret.of(token, { kind: "doctl", context }));
    lines.set(context, lineOf(text, pair));
  };
  keep("default", last(root, "access-token"));
  const named = last(root, "auth-contexts")?.value;
  for (const pair of itemsOf(named)) {
    // `auth switch` leaves `default: "true"` there (docs/contracts/doctl.md 3.11).
    if (keyOf(pair) !== "default") keep(keyOf(pair), pair);
  }
  const sessions = new Map<string, Session>();
  for (const pair of itemsOf(last(root, "oauth-tokens")?.value)) {
    if (!isMap(pair.value)) continue;
    const entry = pair as Pair<unknown, YAMLMap>;
    const refresh = textIn(last(entry.value as YAMLMap, "refresh-token")?.value);
    if (refresh === undefined) continue;
    const context = keyOf(pair);
    sessions.set(context, new Session(Secret.of(refresh, { kind: "doctl", context }), entry));
  }
  // This token registers DigitalOcean clients. We don't use it, but it must be redacted (docs/contracts/doctl-2.md).
  const client = last(root, "oauth-client")?.value;
  const registration = isMap(client) && textIn(last(client as YAMLMap, REGISTRATION)?.value);
  if (registration) Secret.of(registration, { kind: "doctl", context: "oauth-client" });
  const settings = SETTINGS.flatMap((name) => {
    const pair = last(root, name);
    if (pair === undefined || !isScalar(pair.value) || isNull(pair.value)) return [];
    return [[name, { value: scalarText(pair.value), line: lineOf(text, pair) }] as const];
  });
  const selected = textIn(last(root, "context")?.value) ?? "default";
  return { contexts, sessions, selected, lines, settings: new Map(settings) };
}

function lineOf(text: string, { key }: Pair): number {
  const start = isScalar(key) ? key.range?.[0] : undefined;
  return text.slice(0, start ?? 0).split("\n").length;
}

/**
 * Sets the token of one context. Removes the context's browser login, because doctl would overwrite this token with its
 * own (docs/contracts/doctl-2.md 3.7), and the stale `config:` key, because doctl would write to the file that it names
 * (docs/contracts/doctl.md 3.10). Keeps other contexts, unknown keys and comments.
 *
 * @param session the browser login to put back.
 * @returns undefined if doctl cannot read the text either.
 */
export function withContext(
  text: string,
  context: string,
  token: Secret,
  session?: Session,
): Content | undefined {
  const bom = text.startsWith("\uFEFF") ? "\uFEFF" : "";
  const lineEnd = lineEndOf(text);
  const document = parse(text.slice(bom.length).replaceAll("\r\n", "\n"));
  if (document === undefined) return undefined;
  const { root } = document;
  const place = placeFor(text);
  root.items = root.items.filter((pair) => keyOf(pair) !== "config");
  putSession(root, context, session);
  if (context === "default") put(root, "access-token", place);
  else {
    const section = last(root, "auth-contexts");
    const named = isMap(section?.value) ? section.value : new YAMLMap();
    named.flow = false;
    put(named, context, place);
    put(root, "auth-contexts", named);
  }
  const [before = "", after = ""] = document.written().replaceAll("\n", lineEnd).split(place);
  return content(bom + before, token, after);
}

/**
 * Removes one context's token and browser login. If the context is selected, selects `default`: doctl would otherwise
 * fail from then on (docs/contracts/doctl.md 5.9).
 *
 * @returns undefined if doctl cannot read the text either.
 */
export function withoutContext(
  text: string,
  context: string,
  session?: Session,
): Content | undefined {
  const bom = text.startsWith("\uFEFF") ? "\uFEFF" : "";
  const lineEnd = lineEndOf(text);
  const document = parse(text.slice(bom.length).replaceAll("\r\n", "\n"));
  if (document === undefined) return undefined;
  const { root } = document;
  root.items = root.items.filter((pair) => keyOf(pair) !== "config");
  putSession(root, context, session);
  if (context === "default") put(root, "access-token", "");
  else {
    const named = last(root, "auth-contexts")?.value;
    if (isMap(named)) named.items = named.items.filter((pair) => keyOf(pair) !== context);
    if (textIn(last(root, "context")?.value) === context) put(root, "context", "default");
  }
  return content(bom + document.written().replaceAll("\n", lineEnd));
}

/** Selects another context. Its name must be in lower case. @returns undefined if doctl cannot read the text either. */
export function withSelected(text: string, context: string): Content | undefined {
  const bom = text.startsWith("\uFEFF") ? "\uFEFF" : "";
  const lineEnd = lineEndOf(text);
  const document = parse(text.slice(bom.length).replaceAll("\r\n", "\n"));
  if (document === undefined) return undefined;
  put(document.root, "context", context);
  return content(bom + document.written().replaceAll("\n", lineEnd));
}

function putSession(root: YAMLMap, context: string, session: Session | undefined): void {
  const all = last(root, "oauth-tokens");
  const isThere = isMap(all?.value);
  if (!isThere && session === undefined) return;
  const sessions = (isThere ? all?.value : new YAMLMap()) as YAMLMap;
  sessions.items = sessions.items.filter((pair) => keyOf(pair) !== context);
  session?.putInto(sessions);
  if (sessions.items.length > 0) put(root, "oauth-tokens", sessions);
  else root.items = root.items.filter((pair) => keyOf(pair) !== "oauth-tokens");
}

function itemsOf(value: unknown): readonly Pair[] {
  return isMap(value) ? (value.items as Pair[]) : [];
}

/** A placeholder for the token: only the file's writer inserts the secret itself. */
function placeFor(text: string): string {
  let place = "do-bootstrap-token-goes-here";
  while (text.includes(place)) place += "-";
  return place;
}

// Reads every plain scalar as a string: a legacy token that consists of digits is not a number.
const OPTIONS = { schema: "failsafe", uniqueKeys: false, logLevel: "error" } as const;

function parse(text: string): { root: YAMLMap; written(): string } | undefined {
  if (isTooMuchYaml(text)) return undefined;
  const document = parseDocument(text, OPTIONS) as Document;
  if (document.errors.length > 0 || !isPlain(document)) return undefined;
  if (document.contents === null || isEmptyScalar(document.contents)) {
    document.contents = new YAMLMap();
  }
  if (!isMap(document.contents)) return undefined;
  return {
    root: document.contents as YAMLMap,
    written: () => document.toString({ lineWidth: 0 }),
  };
}

/**
 * Replaces aliases with copies, so that a change in one place does not affect another, and adds missing values as null.
 *
 * @returns false for an unresolved alias or a missing key.
 */
function isPlain(document: Document): boolean {
  let isWhole = true;
  visit(document, {
    Alias(_, alias) {
      const copy = alias.resolve(document)?.clone() as Node | undefined;
      isWhole &&= copy !== undefined;
      // The original's comments do not apply to the copy.
      if (copy !== undefined) Object.assign(copy, { comment: null, commentBefore: null });
      return copy;
    },
  });
  visit(document, {
    Node(_, node) {
      if ("anchor" in node) delete node.anchor;
    },
    Pair(_, pair) {
      isWhole &&= pair.key !== null;
      pair.value ??= Object.assign(new Scalar("~"), { type: Scalar.PLAIN });
    },
  });
  return isWhole;
}

function put(map: YAMLMap, key: string, value: string | YAMLMap): void {
  // doctl uses the last of several equal keys, so the others are removed.
  const existing = last(map, key);
  map.items = map.items.filter((pair) => keyOf(pair) !== key || pair === existing);
  if (existing === undefined)
    map.set(keyFor(key), typeof value === "string" ? quoted(value) : value);
  else if (typeof value !== "string") existing.value = value;
  else if (isScalar(existing.value)) Object.assign(existing.value, quotedAs(value));
  else existing.value = quoted(value);
}

const quotedAs = (value: string) => ({ value, type: Scalar.QUOTE_DOUBLE }) as const;

function quoted(value: string): Scalar {
  return Object.assign(new Scalar(value), quotedAs(value));
}

function keyFor(key: string): Scalar {
  // Unquoted, a context called no or 12 would be read as false or a number.
  return /^[a-z]+-[a-z]+$/.test(key) ? new Scalar(key) : quoted(key);
}

/** doctl's reader lower-cases keys and uses the last of duplicates (docs/contracts/doctl.md 4). */
function last(map: YAMLMap, key: string): Pair | undefined {
  return map.items.findLast((pair) => keyOf(pair) === key);
}

function keyOf(pair: Pair): string {
  return scalarText(pair.key).toLowerCase();
}

/** The string value, if it is neither empty nor null. */
function textIn(value: unknown): string | undefined {
  const text = scalarText(value).trim();
  return text === "" || isNull(value) ? undefined : text;
}

function isNull(value: unknown): boolean {
  const isPlain = isScalar(value) && value.type === Scalar.PLAIN;
  return isPlain && /^(~|null)?$/i.test(scalarText(value).trim());
}

function scalarText(node: unknown): string {
  return isScalar(node) ? String(node.value ?? "") : "";
}

function isEmptyScalar(node: unknown): boolean {
  return isScalar(node) && scalarText(node) === "";
}
