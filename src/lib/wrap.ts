/** A text, or its words, in lines that fit; words that do not (paths, addresses) are left whole, to be copied. */
export function wrap(text: string | readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const word of typeof text === "string" ? text.split(" ") : text) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
