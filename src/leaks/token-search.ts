export interface FoundToken {
  readonly value: string;
  /** Offset in the bytes, near which it stands. */
  readonly at: number;
  readonly isEncoded: boolean;
}

/**
 * What every token has in the middle (contracts/api.md §6): as it is, and in base64 by where the
 * group of three bytes begins; then as a URL and as JSON would write an underscore, did they have to.
 * Where there is a choice they begin with a rare character, which is what the search goes by.
 */
const PLAIN_NEEDLES = ["_v1_", "%5Fv1", "%5fv1", "\\u005Fv1", "\\u005fv1"];
const BASE64_NEEDLES = ["X3YxX", "92MV", "fdjFf"];
/** In UTF-16 of either order, as PowerShell redirects. */
const WIDE_NEEDLE = "_\0v\x001\0_";
const NEEDLES = [...PLAIN_NEEDLES, ...BASE64_NEEDLES, WIDE_NEEDLE];
/** What a work tree is asked for, before its files are read: the same as a regular expression. */
export const NEEDLE_PATTERN = [
  String.raw`_v1_|%5[fF]v1|\\u005[fF]v1|_\x00v\x001\x00_`,
  ...BASE64_NEEDLES,
].join("|");
const LONGEST_NEEDLE = Math.max(...NEEDLES.map(({ length }) => length));

const UNDERSCORE = String.raw`(?:_|%5[fF]|\\u005[fF])`;
const TOKEN = new RegExp(`(do[opr])${UNDERSCORE}v1${UNDERSCORE}([0-9a-f]{64})(?![0-9a-f])`, "g");

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
    const isWorth = NEEDLES.some((needle) => chunk.includes(needle) || seam.includes(needle));
    const answer = isWorth || wasWorth;
    end = chunk.subarray(-LONGEST_NEEDLE);
    wasWorth = isWorth;
    return answer;
  };
}

/** The DigitalOcean tokens in some bytes, in order: as they are, in UTF-16, and in base64. */
export function tokensIn(bytes: Buffer): readonly FoundToken[] {
  const found = new Map<number, FoundToken>();
  for (const needle of PLAIN_NEEDLES) {
    for (const at of placesOf(needle, bytes)) {
      const from = Math.max(0, at - REACH);
      for (const match of bytes.toString("latin1", from, at + REACH).matchAll(TOKEN)) {
        add({ value: textOf(match), at: from + match.index, isEncoded: false });
      }
    }
  }
  for (const at of placesOf(WIDE_NEEDLE, bytes)) {
    const wide = bytes.toString("latin1", Math.max(0, at - REACH), at + REACH);
    for (const match of wide.replaceAll("\0", "").matchAll(TOKEN)) {
      add({ value: textOf(match), at, isEncoded: true });
    }
  }
  for (const needle of BASE64_NEEDLES) {
    for (const at of placesOf(needle, bytes)) {
      for (const value of encodedAround(bytes, at)) add({ value, at, isEncoded: true });
    }
  }
  return [...found.values()].sort((a, b) => a.at - b.at);

  function add(token: FoundToken): void {
    found.set(token.at, token);
  }
}

/** Not those so near to the one before that they were searched with it: a file may be full of them. */
function* placesOf(needle: string, bytes: Buffer): Generator<number> {
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + REACH / 3))
    yield at;
}

function encodedAround(bytes: Buffer, at: number): Set<string> {
  const before = bytes.toString("latin1", Math.max(0, at - REACH), at);
  const after = bytes.toString("latin1", at, at + REACH);
  const run = `${/[\w+/\s-]*$/.exec(before)?.[0]}${/^[\w+/\s-]*/.exec(after)?.[0]}`;
  const text = run.replace(/\s+/g, "");
  const values = new Set<string>();
  for (const offset of [0, 1, 2, 3]) {
    const decoded = Buffer.from(text.slice(offset), "base64").toString("latin1");
    for (const match of decoded.matchAll(TOKEN)) values.add(textOf(match));
  }
  return values;
}

function textOf([, kind, digits]: RegExpMatchArray): string {
  return `${kind}_v1_${digits}`;
}
