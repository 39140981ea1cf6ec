/**
 * Wraps a text, or its words, into lines. Words that do not fit (paths, addresses) are not split, so that they can be
 * copied.
 */
export function wrap(text: string | readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const word of typeof text === "string" ? text.split(" ") : text) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
