import type { Secret } from "./secret.ts";

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

/** The bytes of a content, secrets included: for a file's writer only. */
export function encode({ parts, encoding }: Content): Buffer {
  const text = parts.map((part) => (typeof part === "string" ? part : part.reveal())).join("");
  return Buffer.from(text, encoding);
}

/** A content as it may be seen. */
export function shown({ parts, encoding }: Content): string {
  const text = parts.map(String).join("");
  return encoding === "utf8" ? text : Buffer.from(text, encoding).toString("utf8");
}

export function holdsSecret({ parts }: Content): boolean {
  return parts.some((part) => typeof part !== "string");
}

/** The line end that a text uses. */
export function lineEndOf(text: string): "\n" | "\r\n" {
  return text.includes("\r\n") ? "\r\n" : "\n";
}
