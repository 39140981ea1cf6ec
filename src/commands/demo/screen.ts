import { stripVTControlCharacters } from "node:util";

/** Every scene fits on a terminal of this width. */
const COLUMNS = 80;

/** A progress line, which a fast machine does not print. */
const PROGRESS = /^\S.* …$/;

/** The lines of an output that match. Omitted lines become one "…", and empty lines are dropped. */
export function shortened(output: string, keep: RegExp): string {
  const shown: string[] = [];
  for (const line of output.split("\n")) {
    const plain = stripVTControlCharacters(line);
    if (plain.trim() === "" || PROGRESS.test(plain)) continue;
    if (keep.test(plain)) shown.push(line);
    else if (shown.at(-1) !== "…") shown.push("…");
  }
  return shown.join("\n");
}

/** A text with long lines wrapped between words, as the program wraps them on a terminal. */
export function onScreen(text: string): string {
  return text.split("\n").flatMap(broken).join("\n");
}

function broken(line: string): string[] {
  if (widthOf(line) <= COLUMNS) return [line];
  const plain = stripVTControlCharacters(line);
  // Align wrapped lines with the text after the mark.
  const indent = /^\s*([^\w\s.] )?/.exec(plain)?.[0].length ?? 0;
  const lines: string[] = [];
  for (const word of line.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined) lines.push(word);
    else if (widthOf(last) + 1 + widthOf(word) <= COLUMNS) lines[lines.length - 1] += ` ${word}`;
    else lines.push(" ".repeat(indent) + word);
  }
  return lines;
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
