import { NEEDLES } from "./token-form.ts";
import { holdsWritten, mayHoldWide, OVERLAP, REACH } from "./token-search.ts";

/**
 * Tells for each chunk of a stream whether a token may be in it, or may begin or end in it. Looks at each 64th byte of
 * most files, and decodes nothing: 64 digits in a row have one of these bytes. Chunks may end anywhere.
 */
export function worthSearching(): (chunk: Buffer) => boolean {
  /** The end of one chunk and the beginning of the next. */
  const seam = Buffer.alloc(2 * SEAM);
  let length = 0;
  /** How many bytes after the last sign of a token still have to be searched. */
  let left = 0;
  return (chunk) => {
    const added = chunk.copy(seam, length, 0, SEAM);
    const isWorth = mayHoldToken(chunk) || mayHoldToken(seam.subarray(0, length + added));
    const answer = isWorth || left > 0;
    left = isWorth ? OVERLAP : left - chunk.length;
    if (added === SEAM) length = chunk.copy(seam, 0, chunk.length - SEAM);
    else {
      const kept = Math.min(SEAM, length + added);
      seam.copyWithin(0, length + added - kept, length + added);
      length = kept;
    }
    return answer;
  };
}

/** More than 64 digits in UTF-16 with the prefix before them. */
const SEAM = 256;

/** The digits of a token in a row, even as character codes, are at least this many bytes. */
const STEP = 64;

function mayHoldToken(bytes: Buffer): boolean {
  let isWide = false;
  for (let at = 0; at < bytes.length; at += STEP) {
    const byte = bytes[at] ?? 0;
    if (IN_DIGITS[byte] === 1) {
      const { from, to } = runAround(bytes, at);
      if (to - from >= STEP && mayBeDigits(bytes, from, to)) return true;
      // The last step in this run.
      at += Math.floor((to - at - 1) / STEP) * STEP;
    }
    isWide ||= (byte === 0 || bytes[at + 1] === 0) && isWideAt(bytes, at);
  }
  return hasBase64(bytes) || (isWide && mayHoldWide(bytes));
}

/** The characters of hex digits, and of every code for one (token-codes.ts). */
const IN_DIGITS = Uint8Array.from({ length: 256 }, (_, code) =>
  /[0-9a-fA-F\\uUxX{}%&#;]/.test(String.fromCharCode(code)) ? 1 : 0,
);
const IS_DIGIT = Uint8Array.from({ length: 256 }, (_, code) =>
  /[0-9a-fA-F]/.test(String.fromCharCode(code)) ? 1 : 0,
);

function runAround(bytes: Buffer, at: number): { from: number; to: number } {
  let from = at;
  let to = at + 1;
  while (from > 0 && IN_DIGITS[bytes[from - 1] ?? 0] === 1) from--;
  while (to < bytes.length && IN_DIGITS[bytes[to] ?? 0] === 1) to++;
  return { from, to };
}

/** Whether a run is the digits of a token. At the edge of a chunk, nobody can tell: true. */
function mayBeDigits(bytes: Buffer, from: number, to: number): boolean {
  let digits = 0;
  for (let at = from; at < to && digits < STEP; at++) digits += IS_DIGIT[bytes[at] ?? 0] ?? 0;
  if (digits < STEP && from > 0 && to < bytes.length) return false;
  if (from < REACH || to === bytes.length) return true;
  return holdsWritten(bytes.toString("latin1", from - REACH, to + 1));
}

/** UTF-16 and UTF-32 of a token's characters: no two bytes in a row that are not zero, and no four zeros. */
function isWideAt(bytes: Buffer, at: number): boolean {
  let zeros = 0;
  for (let i = at; i < at + 8; i++) {
    if (bytes[i] === 0) zeros++;
    else if (i > at && zeros === 0) return false;
    else zeros = 0;
    if (zeros === 4) return false;
  }
  return true;
}

/**
 * A needle is searched for by the part that begins with a rare character, and what is before that: searching for a byte
 * is many times as fast as searching for a text that begins with a frequent one.
 */
const BASE64 = NEEDLES.base64.map((needle) => {
  const from = needle.search(/[A-Z]/);
  return { rare: Buffer.from(needle.slice(from)), before: Buffer.from(needle.slice(0, from)) };
});

function hasBase64(bytes: Buffer): boolean {
  return BASE64.some(({ rare, before }) => {
    for (let at = bytes.indexOf(rare); at >= 0; at = bytes.indexOf(rare, at + 1)) {
      const from = at - before.length;
      if (from >= 0 && before.every((byte, i) => bytes[from + i] === byte)) return true;
    }
    return false;
  });
}
