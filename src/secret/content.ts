import { Secret } from "./secret.ts";

/** A file's content in parts. A part that is a `Secret` is never shown, so a diff redacts itself. */
export interface Content {
  readonly parts: readonly (string | Secret)[];
  readonly encoding: "utf8" | "latin1";
}

export function content(...parts: readonly (string | Secret)[]): Content {
  return { parts, encoding: "utf8" };
}

/**
 * Bytes as text that encodes to the same bytes again: as UTF-8, or byte by byte where they are not.
 *
 * @returns undefined for what is no text (a NUL byte: UTF-16, binary).
 */
export function decode(bytes: Buffer): { text: string; encoding: Content["encoding"] } | undefined {
  if (bytes.includes(0)) return undefined;
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes)
    ? { text, encoding: "utf8" }
    : { text: bytes.toString("latin1"), encoding: "latin1" };
}

/** The bytes of a content, secrets included: for a file's writer, and for a search of what it would write. */
export function encode({ parts, encoding }: Content): Buffer {
  const text = parts.map((part) => (typeof part === "string" ? part : part.reveal())).join("");
  return Buffer.from(text, encoding);
}

/** A content as it may be seen. */
export function shown({ parts, encoding }: Content): string {
  const text = parts.map(String).join("");
  return encoding === "utf8" ? text : Buffer.from(text, encoding).toString("utf8");
}

/** What stands for a secret of an earlier edit while a text is edited: a private character, and a number. */
const OPEN = "\uE000";
const CLOSE = "\uE001";

/** True for what stands for a secret: it is hidden already. */
export function isPlaceholder(text: string): boolean {
  return /^\uE000+\d+\uE001$/.test(text);
}

/**
 * A content that is edited as a text. A secret in it stays what it is, and the edit sees a placeholder.
 *
 * @param edit gets a text, and returns one or its parts.
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
 * A content with other secrets in place of some, wherever they stand as they are: also in a comment or as a
 * part of a longer value.
 *
 * @param standIn undefined: the secret is cut out.
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

/** The line end that a text uses. */
export function lineEndOf(text: string): "\n" | "\r\n" {
  return text.includes("\r\n") ? "\r\n" : "\n";
}
