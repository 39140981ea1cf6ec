/** A text as one word of a shell's line, whatever is in it. */
export function shellWord(text: string): string {
  return /^[\w@%+:,./-][\w@%+=:,./~-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
