import { ALPHABET, codeOf, inCodes, NAMED } from "./token-codes.ts";
import { NEEDLES, PATTERNS } from "./token-form.ts";

export interface FoundToken {
  readonly value: string;
  /** Its approximate offset in the bytes. */
  readonly at: number;
}

const { prefix, version, digits, digit, joint } = PATTERNS;

const TOKEN = new RegExp(`${inCodes.start}${joint}{0,8}?${inCodes.digit}{64}(?!${digit})`, "g");
const OLD_TOKEN = new RegExp(`${NAMED}(${digits})(?![0-9A-Za-z])`, "g");
const IN_BASE64 = new RegExp(`${prefix}_${version}_${digits}`, "g");

/** The middle part that every token in a text has. */
const TEXT_NEEDLE = `${NEEDLES.plain}|${codeOf(`_${version}`)}`;
const BASE64_NEEDLE = NEEDLES.base64.join("|");
/** The pattern to search a work tree for, if only tokens with a prefix are searched for. */
export const PREFIX_PATTERN = [
  TEXT_NEEDLE,
  BASE64_NEEDLE,
  // UTF-16 of either byte order, as PowerShell redirects.
  [...NEEDLES.plain].join(String.raw`\x00`),
].join("|");
/**
 * The pattern to search a work tree for, before its files are read: what every digit, or code for one, can be made of,
 * 64 times. git finds that in half the time that it needs for the codes themselves.
 */
export const NEEDLE_PATTERN = [
  String.raw`[0-9a-fA-F\\uUxX{}%&#;]{64}`,
  BASE64_NEEDLE,
  String.raw`(${digit}\x00){63}${digit}`,
].join("|");

/** The ways to find a token: the pattern to locate a region, and the search in that region. */
const SEARCHES: readonly (readonly [RegExp, (text: string) => Iterable<FoundToken>])[] = [
  [new RegExp(TEXT_NEEDLE, "g"), (text) => matchesOf(TOKEN, text)],
  [new RegExp(BASE64_NEEDLE, "g"), inBase64],
];

/** Everything that decides what is a token: two equal texts find the same tokens. */
export const SEARCH = [TOKEN, OLD_TOKEN, IN_BASE64, TEXT_NEEDLE, BASE64_NEEDLE].join(" ");

/** The characters of base64 in lines, including the line ends of JSON. */
const BASE64_RUN = /[\w+/\s-]+(?:\\[nr][\w+/\s-]*)*/g;
const BASE64_GAP = /(?:\s|\\[nr])+/g;
/** The shortest length of a token in base64. */
const SHORTEST_BASE64 = Math.ceil((71 * 8) / 6);

/**
 * The distance searched around a needle: more than the length of a token with codes of nine characters, or in base64 in
 * indented lines.
 */
export const REACH = 600;
/** How much of one part of a stream must be kept to find a token that ends in the next. */
export const OVERLAP = 2 * REACH;

/** Whether a text has a token literally, as character codes, or as 64 digits next to its name. */
export function holdsWritten(text: string): boolean {
  return text.search(TOKEN) >= 0 || oldTokensIn(text).next().done !== true;
}

/** Whether a part in UTF-16 or UTF-32 has anything that every token has. */
export function mayHoldWide(bytes: Buffer): boolean {
  for (const { text } of wideTextsIn(bytes.toString("latin1"))) {
    if (SEARCHES.some(([needle]) => text.search(needle) >= 0)) return true;
    if (longDigits(text).next().done !== true) return true;
  }
  return false;
}

/** The limit for one file. More than that are not real tokens. */
export const MOST_TOKENS = 1000;

/**
 * The DigitalOcean tokens in some bytes, in order of their first occurrence: literal, as character codes, in UTF-16 and
 * in base64; and 64 digits next to the name of a token.
 *
 * @param most the search ends after this many.
 */
export function tokensIn(bytes: Buffer, most = MOST_TOKENS): readonly FoundToken[] {
  const first = new Map<string, FoundToken>();
  for (const token of allIn(bytes)) {
    if (token.at < (first.get(token.value)?.at ?? Number.POSITIVE_INFINITY)) {
      first.set(token.value, token);
    }
    if (first.size >= most) break;
  }
  return [...first.values()].sort((a, b) => a.at - b.at);
}

function* allIn(bytes: Buffer): Generator<FoundToken> {
  for (const { text, from, width } of textsIn(bytes)) {
    for (const { value, at } of foundIn(text)) yield { value, at: from + at * width };
  }
}

/** A text with one character for each byte, or for each `width` bytes from an offset. */
interface Text {
  readonly text: string;
  readonly from: number;
  readonly width: number;
}

/** The bytes as text, and the parts in UTF-16 or UTF-32 of either byte order, as PowerShell redirects. */
function* textsIn(bytes: Buffer): Generator<Text> {
  const text = bytes.toString("latin1");
  yield { text, from: 0, width: 1 };
  if (bytes.includes(0)) yield* wideTextsIn(text);
}

/** @param text one character for each byte. */
function* wideTextsIn(text: string): Generator<Text> {
  for (const { 0: wide, index: from } of text.matchAll(WIDE_RUN)) {
    const narrow = wide.replaceAll("\0", "");
    yield { text: narrow, from, width: wide.length / narrow.length };
  }
}

/** Matches either byte order, since the zeros before the first and after the last character are optional. */
const WIDE_RUN = /(?:[\t\n\r -~]\0(?:\0\0)?){40,}[ -~]?/g;

function* foundIn(text: string): Generator<FoundToken> {
  for (const [needle, find] of SEARCHES) {
    for (const { from, to } of regionsAround(needle, text)) {
      for (const { value, at } of find(text.slice(from, to))) yield { value, at: from + at };
    }
  }
  yield* oldTokensIn(text);
}

/**
 * The parts of a text within reach of a needle, without overlap: a file may be full of needles. Some needles are
 * skipped, but each is inside a part together with its whole reach.
 */
function* regionsAround(needle: RegExp, text: string): Generator<{ from: number; to: number }> {
  let region: { from: number; to: number } | undefined;
  for (needle.lastIndex = 0; ; ) {
    const found = needle.exec(text);
    if (found === null) break;
    const [from, to] = [Math.max(0, found.index - REACH), found.index + 2 * REACH];
    if (region !== undefined && from <= region.to) region.to = to;
    else {
      if (region !== undefined) yield region;
      region = { from, to };
    }
    needle.lastIndex = found.index + REACH;
  }
  if (region !== undefined) yield region;
}

function* matchesOf(pattern: RegExp, text: string): Generator<FoundToken> {
  for (const { 0: token, index } of text.matchAll(pattern)) {
    yield { value: decoded(token), at: index };
  }
}

const CODES = ALPHABET.flatMap((group) => [...group]).map(
  (one) => [new RegExp(String.raw`\\{0,7}${codeOf(one)}`, "g"), one] as const,
);
const PLAIN = new RegExp(`^${PATTERNS.token}$`);

/** Decodes a token that was found. */
function decoded(token: string): string {
  if (PLAIN.test(token)) return token;
  const plain = CODES.reduce((text, [code, one]) => text.replace(code, one), token);
  return plain.slice(0, "dop_v1_".length) + plain.slice(-64);
}

/** After a token in base64, a separate word may follow directly, so it may seem too long. */
function* inBase64(text: string): Generator<FoundToken> {
  for (const { 0: run, index } of text.matchAll(BASE64_RUN)) {
    const joined = run.replace(BASE64_GAP, "");
    if (joined.length < SHORTEST_BASE64) continue;
    let places: readonly number[] | undefined;
    for (const offset of [0, 1, 2, 3]) {
      const text = Buffer.from(joined.slice(offset), "base64").toString("latin1");
      for (const { 0: value, index: at } of text.matchAll(IN_BASE64)) {
        places ??= placesOfBase64(run);
        yield { value, at: index + (places[offset + Math.ceil((at * 4) / 3)] ?? 0) };
      }
    }
  }
}

/** The position in a run of each character of its base64. */
function placesOfBase64(run: string): readonly number[] {
  const places: number[] = [];
  let from = 0;
  for (const { 0: gap, index } of [...run.matchAll(BASE64_GAP), { 0: "", index: run.length }]) {
    for (let at = from; at < index; at++) places.push(at);
    from = index + gap.length;
  }
  return places;
}

/** Distance before the digits of an old token: its name and the text between them, on a few lines. */
const NAME_REACH = 200;

/** Their form proves nothing, since a checksum also has 64 digits. Their name does. */
function* oldTokensIn(text: string): Generator<FoundToken> {
  for (const at of longDigits(text)) {
    const from = Math.max(0, at - NAME_REACH);
    for (const match of text.slice(from, at + 65).matchAll(OLD_TOKEN)) {
      const value = match.at(-1) ?? "";
      yield { value, at: from + match.index + match[0].length - value.length };
    }
  }
}

const IS_DIGIT = Uint8Array.from({ length: 256 }, (_, code) =>
  /[0-9a-f]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/** The starts of runs of exactly 64 digits. A search in steps of 32 meets such a run twice. */
function* longDigits(text: string): Generator<number> {
  const isDigit = (at: number) => IS_DIGIT[text.charCodeAt(at)] === 1;
  for (let at = 31; at < text.length; at += 32) {
    if (!isDigit(at) || !isDigit(at + 1) || !isDigit(at - 1)) continue;
    let [from, to] = [at, at + 1];
    while (from > 0 && isDigit(from - 1)) from--;
    while (isDigit(to)) to++;
    if (to - from === 64) yield from;
    // Continue with the last step in this run.
    if (to > at + 32) at += Math.floor((to - at - 1) / 32) * 32;
  }
}
