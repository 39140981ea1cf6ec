import { NEEDLES, PATTERNS } from "./token-form.ts";

export interface FoundToken {
  readonly value: string;
  /** Offset in the bytes, near which it stands. */
  readonly at: number;
}

const { prefix, version, digit, digits, underscore } = PATTERNS;

/** As a URL and as JSON would write the underscores, did they have to. */
const PLAIN_NEEDLES = [
  NEEDLES.plain,
  ...["%5F", "%5f", "\\u005F", "\\u005f"].map((each) => each + version),
];
/** In UTF-16 of either order, as PowerShell redirects. */
const WIDE_NEEDLE = wide(NEEDLES.plain);
const ALL_NEEDLES = [...PLAIN_NEEDLES, ...NEEDLES.base64, WIDE_NEEDLE];
/** What a work tree is asked for, before its files are read: the same as a regular expression. */
export const NEEDLE_PATTERN = [
  String.raw`${NEEDLES.plain}|%5[fF]${version}|\\u005[fF]${version}`,
  [...NEEDLES.plain].join(String.raw`\x00`),
  ...NEEDLES.base64,
].join("|");
const LONGEST_NEEDLE = Math.max(...ALL_NEEDLES.map(({ length }) => length));

const ENCODED_TOKEN = new RegExp(`(${prefix})${underscore}${version}${underscore}(${digits})`, "g");
const TOKEN = new RegExp(`${ENCODED_TOKEN.source}(?!${digit})`, "g");
/** Of either order: the zero before the first character or behind the last is not asked for. */
const WIDE_TOKEN = new RegExp(
  `(d\0o\0[opr])\0${WIDE_NEEDLE}\0((?:${digit}\0){63}${digit})(?!\0${digit})`,
  "g",
);

function wide(text: string): string {
  return [...text].join("\0");
}

/** What base64 consists of, in lines; also as JSON writes the end of a line. */
const BASE64_RUN = /[\w+/\s-]+(?:\\[nr][\w+/\s-]*)*/g;
const BASE64_GAP = /(?:\s|\\[nr])+/g;
/** What a token takes in base64 at least. */
const SHORTEST_BASE64 = Math.ceil((71 * 8) / 6);

/** Around a needle, in bytes: thrice what a token takes in base64, in lines that are indented. */
const REACH = 390;
/** What must be kept of one part of a stream to find a token that ends in the next. */
export const OVERLAP = 2 * REACH;

/**
 * Tells of each chunk of a stream whether it is worth a search, or the one before it was: a few calls for
 * each chunk are cheaper than as many for each object in it.
 */
export function worthSearching(): (chunk: Buffer) => boolean {
  let end: Buffer = Buffer.alloc(0);
  let wasWorth = false;
  return (chunk) => {
    const seam = Buffer.concat([end, chunk.subarray(0, LONGEST_NEEDLE)]);
    const isWorth = ALL_NEEDLES.some((needle) => chunk.includes(needle) || seam.includes(needle));
    const answer = isWorth || wasWorth;
    end = chunk.subarray(-LONGEST_NEEDLE);
    wasWorth = isWorth;
    return answer;
  };
}

/**
 * The DigitalOcean tokens in some bytes, in order, each where it stands first: as it is, in UTF-16, and in
 * base64.
 */
export function tokensIn(bytes: Buffer): readonly FoundToken[] {
  const all = [
    ...foundAround(PLAIN_NEEDLES, bytes, (text) => matchesOf(TOKEN, text)),
    ...foundAround([WIDE_NEEDLE], bytes, (text) => matchesOf(WIDE_TOKEN, text)),
    ...foundAround(NEEDLES.base64, bytes, encodedIn),
  ].sort((a, b) => a.at - b.at);
  const first = new Map<string, FoundToken>();
  for (const token of all) if (!first.has(token.value)) first.set(token.value, token);
  return [...first.values()];
}

function* foundAround(
  needles: readonly string[],
  bytes: Buffer,
  find: (text: string) => Iterable<FoundToken>,
): Generator<FoundToken> {
  for (const needle of needles) {
    for (const { from, to } of regionsAround(needle, bytes)) {
      for (const { value, at } of find(bytes.toString("latin1", from, to)))
        yield { value, at: from + at };
    }
  }
}

/**
 * The parts of the bytes that lie within reach of a needle, each byte once: a file may be full of them. Not
 * every needle is looked up, but each lies in a part by its whole reach.
 */
function* regionsAround(needle: string, bytes: Buffer): Generator<{ from: number; to: number }> {
  let region: { from: number; to: number } | undefined;
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + REACH)) {
    const [from, to] = [Math.max(0, at - REACH), at + 2 * REACH];
    if (region !== undefined && from <= region.to) region.to = to;
    else {
      if (region !== undefined) yield region;
      region = { from, to };
    }
  }
  if (region !== undefined) yield region;
}

function* matchesOf(pattern: RegExp, text: string): Generator<FoundToken> {
  for (const { 1: kind = "", 2: digits = "", index } of text.matchAll(pattern)) {
    yield { value: `${kind}_v1_${digits}`.replaceAll("\0", ""), at: index };
  }
}

/** What stands behind a token in base64 may be a word that is none of it, so one may seem too long. */
function* encodedIn(text: string): Generator<FoundToken> {
  for (const { 0: run, index } of text.matchAll(BASE64_RUN)) {
    const joined = run.replace(BASE64_GAP, "");
    if (joined.length < SHORTEST_BASE64) continue;
    let places: readonly number[] | undefined;
    for (const offset of [0, 1, 2, 3]) {
      const decoded = Buffer.from(joined.slice(offset), "base64").toString("latin1");
      for (const { value, at } of matchesOf(ENCODED_TOKEN, decoded)) {
        places ??= placesOfBase64(run);
        yield { value, at: index + (places[offset + Math.ceil((at * 4) / 3)] ?? 0) };
      }
    }
  }
}

/** Where in a run each character of its base64 stands. */
function placesOfBase64(run: string): readonly number[] {
  const places: number[] = [];
  let from = 0;
  for (const { 0: gap, index } of [...run.matchAll(BASE64_GAP), { 0: "", index: run.length }]) {
    for (let at = from; at < index; at++) places.push(at);
    from = index + gap.length;
  }
  return places;
}
