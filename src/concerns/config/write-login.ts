import { basename } from "node:path";
import { type Document, isMap, isScalar, parseDocument, type YAMLMap } from "yaml";
import { jsonIn, recordOf } from "../../lib/json.ts";
import { withValue } from "../../lib/json-text.ts";
import { isTooMuchYaml } from "../../lib/yaml-size.ts";
import { lineEndOf } from "../../secret/content.ts";

/**
 * Adds `token.doctl` to a config or to one of its environments. All other bytes stay the same; in JSON, except for the
 * white space around the key.
 *
 * @param file the config's path. In a package.json, the config is under its own key.
 * @returns undefined if the key cannot be added without changing more.
 */
export function withLogin(
  file: string,
  text: string,
  { environment, context }: { environment: string | undefined; context: string },
): string | undefined {
  const own = basename(file) === "package.json" ? ["do-bootstrap"] : [];
  const section = [...own, ...(environment === undefined ? [] : ["environments", environment])];
  const path = [...section, "token", "doctl"];
  const json = jsonIn(text);
  const edited = json === undefined ? inYaml(text, path, context) : withValue(text, path, context);
  if (edited === undefined) return undefined;
  const [before, after] =
    json === undefined ? [readYaml(text), readYaml(edited)] : [json, jsonIn(edited)];
  return isSame(after, set(before, path, context)) ? edited : undefined;
}

/** Adds the key to the deepest existing section, before its first key. */
function inYaml(text: string, path: readonly string[], context: string): string | undefined {
  const document = documentOf(text);
  if (document === undefined) return undefined;
  const { contents } = document;
  const isEmpty = contents === null || (isScalar(contents) && contents.value === null);
  if (isEmpty) return `${withLineEnd(text)}${blockOf(path, context, lineEndOf(text), "")}`;
  if (!isMap(contents)) return undefined;
  let section = contents as YAMLMap;
  let left = path;
  for (const key of path.slice(0, -1)) {
    const inside = section.get(key, true);
    if (!isMap(inside)) break;
    section = inside;
    left = left.slice(1);
  }
  const [first] = left;
  // A section without a value, or with another login, is left for the user to edit.
  if (first === undefined || section.has(first)) return undefined;
  return section.flow
    ? inFlow(text, section, left, context)
    : inBlock(text, section, left, context);
}

function inFlow(
  text: string,
  { range, items }: YAMLMap,
  path: readonly string[],
  context: string,
): string | undefined {
  if (!range) return undefined;
  const at = range[0] + 1;
  const more = items.length > 0 ? "," : " ";
  return `${text.slice(0, at)} ${flowOf(path, context)}${more}${text.slice(at)}`;
}

function inBlock(
  text: string,
  { items }: YAMLMap,
  path: readonly string[],
  context: string,
): string | undefined {
  const [first] = items;
  const start = isScalar(first?.key) ? first.key.range?.[0] : undefined;
  if (start === undefined) return undefined;
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const indent = text.slice(lineStart, start);
  if (!/^ *$/.test(indent)) return undefined;
  const block = blockOf(path, context, lineEndOf(text), indent);
  // At the top level, the block goes at the end: the user's keys stay first.
  if (indent === "") return `${withLineEnd(text)}${block}`;
  return text.slice(0, lineStart) + block + text.slice(lineStart);
}

function blockOf(
  path: readonly string[],
  context: string,
  lineEnd: string,
  indent: string,
): string {
  return path
    .map((key, depth) => {
      const value = depth === path.length - 1 ? ` ${scalar(context)}` : "";
      return `${indent}${"  ".repeat(depth)}${key}:${value}${lineEnd}`;
    })
    .join("");
}

function flowOf(path: readonly string[], context: string): string {
  const [key = "", ...more] = path;
  return more.length === 0 ? `${key}: ${scalar(context)}` : `${key}: { ${flowOf(more, context)} }`;
}

/** Unquoted if every YAML reader takes it for a string. */
function scalar(name: string): string {
  return /^(?!(true|false|null|yes|no|on|off|y|n)$)[a-z]/.test(name) ? name : JSON.stringify(name);
}

function withLineEnd(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}${lineEndOf(text)}`;
}

function documentOf(text: string): Document | undefined {
  if (isTooMuchYaml(text)) return undefined;
  const document = parseDocument(text, { logLevel: "error" });
  return document.errors.length > 0 ? undefined : document;
}

function readYaml(text: string): unknown {
  return documentOf(text)?.toJS({ maxAliasCount: 100 });
}

function set(value: unknown, path: readonly string[], context: string): unknown {
  const [key, ...more] = path;
  return key === undefined
    ? context
    : { ...recordOf(value), [key]: set(recordOf(value)[key], more, context) };
}

/** The order of keys does not matter. */
function isSame(one: unknown, other: unknown): boolean {
  return sorted(one) === sorted(other);
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
