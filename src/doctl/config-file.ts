import { isMap, isScalar, type Pair, parseDocument, Scalar, YAMLMap } from "yaml";
import { content } from "../content.ts";
import { Secret } from "../token/secret.ts";

/** What doctl's config holds that concerns us (contracts/doctl.md 5 and 6). */
export interface DoctlConfig {
  /** Token of each stored context; "default" is the top-level access-token. */
  readonly contexts: ReadonlyMap<string, Secret>;
  /** The context that a plain doctl uses. */
  readonly selected: string;
}

/** @returns undefined for what doctl cannot read either. */
export function readDoctlConfig(text: string): DoctlConfig | undefined {
  const root = parse(text);
  if (root === undefined) return undefined;
  const contexts = new Map<string, Secret>();
  const keep = (context: string, value: unknown) => {
    const token = tokenIn(value);
    if (token !== undefined) contexts.set(context, Secret.of(token, { kind: "doctl", context }));
  };
  keep("default", last(root, "access-token")?.value);
  const named = last(root, "auth-contexts")?.value;
  for (const pair of isMap(named) ? named.items : []) {
    // `default: "true"` is what `auth switch` leaves there (contracts/doctl.md 3.11).
    if (keyOf(pair) !== "default") keep(keyOf(pair), pair.value);
  }
  return { contexts, selected: scalarText(last(root, "context")?.value) || "default" };
}

/**
 * The config with one context's token set. Other contexts, unknown keys and comments stay; the
 * stale `config:` key goes, since doctl would write to the file that it names (contracts 3.10).
 *
 * @returns undefined for a text that doctl cannot read either.
 */
export function withContext(text: string, context: string, token: Secret) {
  const document = parseDocument(text, OPTIONS);
  if (document.errors.length > 0) return undefined;
  if (document.contents === null || isEmptyScalar(document.contents)) {
    document.contents = new YAMLMap() as typeof document.contents;
  }
  const root: unknown = document.contents;
  if (!isMap(root)) return undefined;

  root.items = root.items.filter((pair) => keyOf(pair) !== "config");
  if (context === "default") put(root, "access-token", PLACE);
  else {
    const section = last(root, "auth-contexts");
    const named = isMap(section?.value) ? section.value : new YAMLMap();
    named.flow = false;
    put(named, context, PLACE);
    put(root, "auth-contexts", named);
  }
  const [before = "", after = ""] = document.toString({ lineWidth: 0 }).split(PLACE);
  return content(before, token, after);
}

// A stand-in for the token, so that the secret itself is put in by the file's writer.
const PLACE = "do-bootstrap-token-goes-here";

// Every plain scalar is a text to us: a legacy token of digits is no number.
const OPTIONS = { schema: "failsafe", uniqueKeys: false, logLevel: "silent" } as const;

function parse(text: string): YAMLMap | undefined {
  const document = parseDocument(text, OPTIONS);
  if (document.errors.length > 0) return undefined;
  const { contents } = document;
  if (contents === null || isEmptyScalar(contents)) return new YAMLMap();
  return isMap(contents) ? (contents as YAMLMap) : undefined;
}

function put(map: YAMLMap, key: string, value: unknown): void {
  const scalar = typeof value === "string" ? new Scalar(value) : value;
  if (scalar instanceof Scalar) scalar.type = Scalar.QUOTE_DOUBLE;
  // doctl takes the last of several, so all but one go.
  const existing = last(map, key);
  map.items = map.items.filter((pair) => keyOf(pair) !== key || pair === existing);
  if (existing !== undefined) existing.value = scalar;
  else {
    const name = new Scalar(key);
    // A context called no or 12 would be read as false or a number.
    if (!/^[a-z]+-[a-z]+$/.test(key)) name.type = Scalar.QUOTE_DOUBLE;
    map.set(name, scalar);
  }
}

/** Keys are lower-cased by doctl's reader; of duplicates the last wins (contracts 4). */
function last(map: YAMLMap, key: string): Pair | undefined {
  return map.items.findLast((pair) => keyOf(pair) === key);
}

function keyOf(pair: Pair): string {
  return scalarText(pair.key).toLowerCase();
}

function tokenIn(value: unknown): string | undefined {
  const text = scalarText(value).trim();
  const isNull = isScalar(value) && value.type === Scalar.PLAIN && /^(~|null)?$/i.test(text);
  return text === "" || isNull ? undefined : text;
}

function scalarText(node: unknown): string {
  return isScalar(node) ? String(node.value ?? "") : "";
}

function isEmptyScalar(node: unknown): boolean {
  return isScalar(node) && scalarText(node) === "";
}
