import { Secret } from "./secret.ts";

/** A file's content in parts. A part that is a `Secret` is never shown, so a diff is always redacted. */
export interface Content {
  readonly parts: readonly (string | Secret)[];
  readonly encoding: "utf8" | "latin1";
}

export function content(...parts: readonly (string | Secret)[]): Content {
  return { parts, encoding: "utf8" };
}

/**
 * Decodes bytes as text that encodes to the same bytes again: UTF-8, or latin1 if they are not valid UTF-8.
 *
 * @returns undefined for what is not text (a NUL byte: UTF-16, binary).
 */
export function decode(bytes: Buffer): { text: string; encoding: Content["encoding"] } | undefined {
  if (bytes.includes(0)) return undefined;
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes)
    ? { text, encoding: "utf8" }
    : { text: bytes.toString("latin1"), encoding: "latin1" };
}

/** The bytes of a content, including secrets: for writing a file, and for searching what would be written. */
export function encode({ parts, encoding }: Content): Buffer {
  const text = parts.map((part) => (typeof part === "string" ? part : part.reveal())).join("");
  return Buffer.from(text, encoding);
}

/** A content as it may be shown. */
export function shown({ parts, encoding }: Content): string {
  const text = parts.map(String).join("");
  return encoding === "utf8" ? text : Buffer.from(text, encoding).toString("utf8");
}

/** Enclose the number of a placeholder for a secret while a text is edited. Private-use characters. */
const OPEN = "\uE000";
const CLOSE = "\uE001";

/** True for the placeholder of a secret that is already hidden. */
export function isPlaceholder(text: string): boolean {
  return /^\uE000+\d+\uE001$/.test(text);
}

/**
 * Edits a content as a text. Secrets in it are kept: the edit sees placeholders.
 *
 * @param edit gets a text, and returns a text or its parts.
 */
export function editedText(
  now: Content,
  edit: (text: string) => string | Content["parts"],
): Content {
  const secrets = now.parts.filter((part) => typeof part !== "string");
  let open = OPEN;
  while (now.parts.some((part) => typeof part === "string" && part.includes(open))) open += OPEN;
  let count = 0;
  const text = now.parts
    .map((part) => (typeof part === "string" ? part : `${open}${count++}${CLOSE}`))
    .join("");
  const result = edit(text);
  const placeholder = new RegExp(`${open}(\\d+)${CLOSE}`);
  const restored = (part: string) =>
    part.split(placeholder).map((piece, at) => (at % 2 === 0 ? piece : secrets[Number(piece)]));
  const parts = [result]
    .flat()
    .flatMap((part) => (typeof part === "string" ? restored(part) : part));
  return { ...now, parts: parts.filter((part) => part !== undefined) };
}

/**
 * Replaces secrets in a content, wherever they occur literally: also in a comment or inside a longer value.
 *
 * @param standIn returns the replacement; undefined: the secret is removed.
 */
export function withOthers(
  { parts, encoding }: Content,
  olds: readonly Secret[],
  standIn: (old: Secret) => Secret | undefined,
): Content {
  const replaced = olds.reduce<Content["parts"]>(
    (now, old) => now.flatMap((part) => around(part, old, standIn(old))),
    parts,
  );
  return { parts: replaced, encoding };
}

function around(part: string | Secret, old: Secret, other: Secret | undefined): Content["parts"] {
  const isHidden = typeof part !== "string";
  const pieces = old.piecesOf(isHidden ? part.reveal() : part);
  if (pieces.length === 1) return [part];
  return pieces.flatMap((piece, at) => [
    ...(at === 0 || other === undefined ? [] : [other]),
    ...(piece === "" ? [] : [isHidden ? Secret.of(piece, part.origin) : piece]),
  ]);
}

export function holdsSecret({ parts }: Content): boolean {
  return parts.some((part) => typeof part !== "string");
}

/** The line ending that a text uses. */
export function lineEndOf(text: string): "\n" | "\r\n" {
  return text.includes("\r\n") ? "\r\n" : "\n";
}
