/** The shells that a command line can be pasted into; `posix`: sh, bash, zsh and fish alike. */
export type Shell = "posix" | "powershell" | "cmd";

/** A text as one word of a shell's line, whatever is in it. */
export function shellWord(text: string, shell: Shell = "posix"): string {
  return PLAIN[shell].test(text) ? text : QUOTED[shell](text);
}

const PLAIN: Readonly<Record<Shell, RegExp>> = {
  posix: /^[\w@%+:,./-][\w@%+=:,./~-]*$/,
  // It divides a word that begins with a dash at its first dot.
  powershell: /^(?:[\w/\\:][\w./\\:+=-]*|-[\w=-]*|\.[\w./\\:+=-]*)$/,
  cmd: /^[\w./\\:+-]+$/,
};

const QUOTED: Readonly<Record<Shell, (text: string) => string>> = {
  // Between single quotes fish has escapes with a backslash, and sh has none; between double quotes both do.
  posix: (text) => `'${text.replace(/['\\]/g, (char) => (char === "'" ? `'\\''` : `'"\\\\"'`))}'`,
  // Typographic quotes end a text there, too.
  powershell: (text) => `'${text.replace(/['\u2018-\u201b]/g, "$&$&")}'`,
  // A % between two others names a variable, within quotes as well; a backslash before a quote escapes it.
  cmd: (text) =>
    `"${text
      .replace(/(\\*)"/g, '$1$1""')
      .replace(/\\+$/, "$&$&")
      .replaceAll("%", '"^%"')}"`,
};
