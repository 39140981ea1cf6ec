import { type JsonNode, readJsonText, withoutProperties } from "../../lib/json-text.ts";
import type { Content } from "../../secret/content.ts";
import { Secret } from "../../secret/secret.ts";

export interface Edit {
  readonly path: string;
  readonly olds: readonly Secret[];
  /** undefined: the tokens are removed. */
  readonly tokenFor: TokenFor | undefined;
}

/** Returns the replacement for an old token. */
export type TokenFor = (old: Secret) => Secret;

export type Parts = Content["parts"];

/** Replaces or removes tokens in a file of Terraform values; undefined if that would change anything else. */
export function editValues(text: string, { path, olds, tokenFor }: Edit): Parts | undefined {
  const oldIn = (value: Secret) => olds.find((old) => old.equals(value));
  if (tokenFor !== undefined) {
    return hidden(text, path, (value) => {
      const old = oldIn(value);
      return old && tokenFor(old);
    });
  }
  const isOld = (value: Secret) => oldIn(value) !== undefined;
  const kept = without(text, path, isOld);
  const isLeft = kept === undefined || valuesOf(kept, path).some(isOld);
  return isLeft ? undefined : hidden(kept, path);
}

/** Removes the attributes and properties whose value is such a secret; undefined: broken JSON. */
function without(
  text: string,
  path: string,
  isOld: (value: Secret) => boolean,
): string | undefined {
  if (!isJson(path)) {
    return text.replace(ATTRIBUTE, (line, value: string) =>
      isOld(secretOf(value).bare) ? "" : line,
    );
  }
  const { root } = readJsonText(text);
  const isUnwanted = ({ value }: JsonNode) =>
    typeof value === "string" && isOld(secretOf(value).bare);
  return root && withoutProperties(text, root, isUnwanted);
}

/** An attribute with a string value, on its own line. */
const ATTRIBUTE = /^[ \t]*[\w-]+[ \t]*=[ \t]*"([^"\n]*)"[ \t]*(?:(?:#|\/\/).*)?(?:\r?\n|$)/gm;
/** Also matches a string without an end. Otherwise the search would start again at each quote in it. */
const QUOTED = /"((?:[^"\\\n]|\\.)*)("(\s*:)?)?/g;

/** A quoted string that is a value, not a key. */
interface Quoted {
  readonly at: number;
  /** Its text in the file. */
  readonly source: string;
  /** With JSON escapes decoded, since a token may contain them. */
  readonly value: Secret;
}

function quotedIn(text: string, path: string): Quoted[] {
  const { root } = isJson(path) ? readJsonText(text) : {};
  if (root !== undefined) return stringsIn(root, text);
  // Broken JSON is searched, too: a token in it is still a token.
  return Array.from(text.matchAll(QUOTED), ({ index, 1: source = "", 2: end, 3: colon }) =>
    end !== undefined && colon === undefined
      ? [{ at: index + 1, source, value: secretOf(source).bare }]
      : [],
  ).flat();
}

function stringsIn(node: JsonNode, text: string): Quoted[] {
  const { start, end, value, properties = [], items = [] } = node;
  if (typeof value === "string") {
    return [{ at: start + 1, source: text.slice(start + 1, end - 1), value: secretOf(value).bare }];
  }
  const inside = [...properties.map((property) => property.value), ...items];
  return inside.flatMap((each) => stringsIn(each, text));
}

function isJson(path: string): boolean {
  return path.endsWith(".json");
}

export function valuesOf(text: string, path: string): Secret[] {
  return quotedIn(text, path).map(({ value }) => value);
}

/** The text with every quoted value hidden as a secret or replaced. */
export function hidden(
  text: string,
  path: string,
  standIn: (value: Secret) => Secret | undefined = () => undefined,
): Parts {
  const parts: (string | Secret)[] = [];
  let from = 0;
  for (const { at, source, value } of quotedIn(text, path)) {
    // Values that are not replaced keep their escapes.
    parts.push(text.slice(from, at), standIn(value) ?? secretOf(source));
    from = at + source.length;
  }
  return [...parts, text.slice(from)];
}

function secretOf(value: string): Secret {
  return Secret.of(value, { kind: "stdin" });
}
