import { jsonObject } from "../../lib/json.ts";
import type { Content } from "../../secret/content.ts";
import { Secret } from "../../secret/secret.ts";

export interface Edit {
  readonly path: string;
  readonly olds: readonly Secret[];
  readonly token: Secret | undefined;
}

export type Parts = Content["parts"];

/** A file of Terraform values with another token, or without it; undefined where that would change more. */
export function editValues(text: string, { path, olds, token }: Edit): Parts | undefined {
  const isOne = (value: Secret) => olds.some((old) => old.equals(value));
  if (token !== undefined) return hidden(text, (value) => (isOne(value) ? token : undefined));
  const isOld = (value: unknown) => typeof value === "string" && isOne(secretOf(value));
  if (!path.endsWith(".json")) {
    const kept = text.replace(ATTRIBUTE, (line, value: string) => (isOld(value) ? "" : line));
    return valuesOf(kept).some(isOld) ? undefined : hidden(kept);
  }
  const values = jsonObject(text);
  if (values === undefined) return undefined;
  const rest = Object.entries(values).filter(([, value]) => !isOld(value));
  return hidden(`${JSON.stringify(Object.fromEntries(rest), undefined, 2)}\n`);
}

/** An attribute that is a text, on a line of its own. */
const ATTRIBUTE = /^[ \t]*[\w-]+[ \t]*=[ \t]*"([^"\n]*)"[ \t]*(?:(?:#|\/\/).*)?(?:\r?\n|$)/gm;
const QUOTED = /"((?:[^"\\\n]|\\.)*)"(\s*:)?/g;

/** Quoted texts but for the keys of JSON. */
function quotedIn(text: string): { at: number; value: string }[] {
  return Array.from(text.matchAll(QUOTED), ({ index, 1: value = "", 2: colon }) =>
    colon === undefined ? [{ at: index + 1, value }] : [],
  ).flat();
}

export function valuesOf(text: string): string[] {
  return quotedIn(text).map(({ value }) => value);
}

/** The text with every quoted value a secret, or what stands in for it. */
export function hidden(
  text: string,
  standIn: (value: Secret) => Secret | undefined = () => undefined,
): Parts {
  const parts: (string | Secret)[] = [];
  let from = 0;
  for (const { at, value } of quotedIn(text)) {
    const held = secretOf(value);
    parts.push(text.slice(from, at), standIn(held) ?? held);
    from = at + value.length;
  }
  return [...parts, text.slice(from)];
}

export function secretOf(value: string): Secret {
  return Secret.of(value, { kind: "stdin" });
}
