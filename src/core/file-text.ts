import type { HintPart } from "../errors/hint.ts";
import type { Snapshot } from "../host/host.ts";
import { type Content, decode } from "../secret/content.ts";

/** The text of a file or a FIFO; "" if there is none. */
export function textIn(snapshot: Snapshot): string {
  return ("bytes" in snapshot ? decode(snapshot.bytes)?.text : undefined) ?? "";
}

/** The text of a file that can be edited: "" if the file is absent; undefined for anything but a text file. */
export function textAt(snapshot: Snapshot): ReturnType<typeof decode> {
  if (snapshot.kind === "absent") return { text: "", encoding: "utf8" };
  return snapshot.kind === "file" ? decode(snapshot.bytes) : undefined;
}

export function contentAt(snapshot: Snapshot): Content {
  return rewritten(snapshot, textAt(snapshot)?.text ?? "");
}

/** New text for a file, in the file's encoding. */
export function rewritten(snapshot: Snapshot, text: string): Content {
  return { parts: [text], encoding: textAt(snapshot)?.encoding ?? "utf8" };
}

/** A step for a person: append a line to a file. */
export function appendTo(file: Snapshot, line: string): HintPart {
  const text = textIn(file);
  return { append: line, file: { path: file.path }, isOpen: text !== "" && !text.endsWith("\n") };
}
