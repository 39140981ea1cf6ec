import { readEnvFile } from "../../exec/read-env-file.ts";
import { encode, isPlaceholder, lineEndOf } from "../../secret/content.ts";
import { Secret } from "../../secret/secret.ts";
import { isPublicName } from "../../secret/variable-names.ts";
import { assignmentsIn } from "./assignments.ts";

/**
 * Sets the token as the value of every assignment of `name`, or appends one assignment. Keeps everything else:
 * comments, order, line ends, quotes, `export`, and whether the text ends with a newline.
 *
 * @param path the file, as the origin of the values: they are secrets, too, so no diff shows them.
 * @returns undefined if the edit would change what dotenv reads for any other key.
 */
export function withToken(
  text: string,
  path: string,
  name: string,
  token: Secret,
): readonly (string | Secret)[] | undefined {
  const place = assignmentsIn(text).some(({ key }) => key === name)
    ? text
    : withNames(text, [name]);
  const parts = split(place, path, (key) => (key === name ? token : undefined));
  const probe = split(place, path, (key) => (key === name ? STAND_IN : undefined));
  return keepsOtherKeys(text, probe, [name]) ? concealed(parts, path) : undefined;
}

/**
 * Replaces the value of every assignment that holds one of `olds`; the rest stays.
 *
 * @returns undefined if the edit would change what dotenv reads for any other key.
 */
export function withReplaced(
  text: string,
  path: string,
  { olds, tokenFor }: { olds: readonly Secret[]; tokenFor: (old: Secret) => Secret },
): readonly (string | Secret)[] | undefined {
  const oldIn = (value: string) => olds.find((old) => old.holds(value));
  const replaced = (standFor: (old: Secret) => Secret) =>
    split(text, path, (_, value) => {
      const old = oldIn(value);
      return old && standFor(old);
    });
  const names = [...readEnvFile(text)].filter(([, value]) => oldIn(value)).map(([name]) => name);
  const isSafe = keepsOtherKeys(
    text,
    replaced(() => STAND_IN),
    names,
  );
  return isSafe ? concealed(replaced(tokenFor), path) : undefined;
}

/**
 * Removes the lines whose value is one of `olds`; the rest stays.
 *
 * @returns undefined if the edit would change what dotenv reads for any other key, or leave one of these values.
 */
export function withoutToken(
  text: string,
  path: string,
  olds: readonly Secret[],
): readonly (string | Secret)[] | undefined {
  return withoutLines(text, path, (_, value) => olds.some((old) => old.holds(value)));
}

/** Like withoutToken, but removes the lines that give one of these names a value. */
export function withoutNames(
  text: string,
  path: string,
  names: readonly string[],
): readonly (string | Secret)[] | undefined {
  return withoutLines(text, path, (name, value) => names.includes(name) && value !== "");
}

function withoutLines(
  text: string,
  path: string,
  isUnwanted: (name: string, value: string) => boolean,
): readonly (string | Secret)[] | undefined {
  let kept = text;
  const gone = new Set<string>();
  for (const { key, valueStart, valueEnd } of assignmentsIn(text).reverse()) {
    if (!isUnwanted(key, text.slice(valueStart, valueEnd))) continue;
    const start = text.lastIndexOf("\n", valueStart - 1) + 1;
    const end = text.indexOf("\n", valueEnd);
    kept = kept.slice(0, start) + (end < 0 ? "" : kept.slice(end + 1));
    gone.add(key);
  }
  const after = readEnvFile(kept);
  const isLeft = [...after].some(([name, value]) => isUnwanted(name, value));
  const isSafe = !isLeft && readsAlike(readEnvFile(text), after, gone);
  return isSafe ? redacted(kept, path) : undefined;
}

/** Appends these names as empty variables, except those that are already there. */
export function withNames(text: string, names: readonly string[]): string {
  const known = readEnvFile(text);
  const added = [...new Set(names)].filter((name) => !known.has(name));
  const lineEnd = lineEndOf(text);
  const onNewLine = text === "" || "\r\n\uFEFF".includes(text.at(-1) ?? "");
  const lines = added.map((name) => (onNewLine ? `${name}=${lineEnd}` : `${lineEnd}${name}=`));
  return text + lines.join("");
}

/** The text with all values hidden, and everything else that is not a plain name, for display. */
export function redacted(text: string, path: string): readonly (string | Secret)[] {
  return concealed(
    split(text, path, () => undefined),
    path,
  );
}

// Uses only characters of a token, so that dotenv parses it the same way.
const STAND_IN = Secret.of("dop_v1_0", { kind: "stdin" });

/** Splits the text into parts. Each value becomes a secret: the result of `replacementFor`, else the value itself. */
function split(
  text: string,
  path: string,
  replacementFor: (key: string, value: string) => Secret | undefined,
): (string | Secret)[] {
  const parts: (string | Secret)[] = [];
  let from = 0;
  for (const { key, valueStart, valueEnd, glue } of assignmentsIn(text)) {
    const current = text.slice(valueStart, valueEnd);
    const held = Secret.of(current, { kind: "env-file", name: key, path });
    const value = replacementFor(key, current);
    const isHidden = valueStart === valueEnd || isPlaceholder(current);
    if (value === undefined && isHidden) continue;
    parts.push(text.slice(from, valueStart) + (current === "" ? glue : ""));
    parts.push(value ?? held);
    from = valueEnd;
  }
  return [...parts, text.slice(from)];
}

/** The text between two values consists of names and comments, or of unknown lines that may be parts of a key. */
function concealed(parts: readonly (string | Secret)[], path: string): (string | Secret)[] {
  const known = new Map<string, boolean>();
  const isShown = (line: string) => {
    const isKnown = known.get(line) ?? (isHead(line) || isTail(line));
    known.set(line, isKnown);
    return isKnown;
  };
  return parts.flatMap((part) => (typeof part === "string" ? between(part, path, isShown) : part));
}

function between(
  text: string,
  path: string,
  isShown: (line: string) => boolean,
): (string | Secret)[] {
  const parts: (string | Secret)[] = [];
  let from = 0;
  for (const { 0: line, index } of text.matchAll(/[^\r\n]+/g)) {
    if (isShown(line)) continue;
    // Text that an earlier edit has hidden stays as it is.
    const pieces = line.split(PLACEHOLDERS);
    const rest = pieces.filter((piece) => !isPlaceholder(piece)).join("");
    if (pieces.length > 1 && isShown(rest)) continue;
    parts.push(text.slice(from, index));
    for (const piece of pieces) {
      const isOpen = piece.trim() === "" || isPlaceholder(piece);
      parts.push(isOpen ? piece : Secret.of(piece, { kind: "env-file", name: "", path }));
    }
    from = index + line.length;
  }
  return [...parts, text.slice(from)];
}

const PLACEHOLDERS = /(\uE000+\d+\uE001)/;

/** `export NAME='`, the text before a value. */
function isHead(piece: string): boolean {
  const [, name] = /^\s*(?:export\s+)?([\w.-]+)\s*[=:]\s*["'`]?$/.exec(piece) ?? [];
  return name !== undefined && isPublicName(name);
}

/** \p{Co}: if the file itself contains the character that marks a hidden secret. */
const WORD = /^[("']?[\p{L}\p{Co}]{0,20}(['’]\p{L}{1,2})?[)"'.,:;!?]*$/u;

/** A closing quote, or a comment of words only: people often keep an old value in a comment. */
function isTail(piece: string): boolean {
  const [whole, comment] = /^["'`]?\s*(?:#+(.*))?$/.exec(piece) ?? [];
  if (comment === undefined) return whole !== undefined;
  return comment.split(/\s+/).every((word) => WORD.test(word));
}

function keepsOtherKeys(
  text: string,
  probe: readonly (string | Secret)[],
  names: readonly string[],
): boolean {
  const edited = encode({ parts: probe, encoding: "utf8" }).toString("utf8");
  const after = readEnvFile(edited);
  if (names.some((name) => after.get(name) !== "dop_v1_0")) return false;
  return readsAlike(readEnvFile(text), after, new Set(names));
}

/** True if both have the same value for every key except these. */
function readsAlike(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  but: ReadonlySet<string>,
): boolean {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].every((key) => but.has(key) || before.get(key) === after.get(key));
}
