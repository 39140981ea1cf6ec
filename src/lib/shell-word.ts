/** The shells that a command line can be pasted into. `posix`: sh, bash, zsh and fish. */
export type Shell = "posix" | "powershell" | "cmd";

/** Quotes a text as one word of a command line, if needed. */
export function shellWord(text: string, shell: Shell = "posix"): string {
  return PLAIN[shell].test(text) ? text : quoted(text, shell);
}

/** Always quotes: a value that looks like a number or an option remains a text. */
export function quoted(text: string, shell: Shell): string {
  return QUOTED[shell](text);
}

/** Words that need no quotes. */
const PLAIN: Readonly<Record<Shell, RegExp>> = {
  // A tilde after = or : is the home folder, and fish has %self.
  posix: /^(?:[\w-]+=)?[\w@+:,./-][\w@%+:,./-]*$/,
  // PowerShell splits an option at its first dot or colon, takes -- from a script (such as npm's for us), and parses
  // numbers.
  powershell: /^(?:[A-Za-z_.\\/][\w./\\:+=-]*|--?[A-Za-z_][\w=-]*)$/,
  cmd: /^[\w./\\:+-]+$/,
};

const QUOTED: Readonly<Record<Shell, (text: string) => string>> = {
  // In single quotes a backslash is literal in sh but an escape in fish, so it is put outside of them.
  posix: (text) => `'${text.replace(/['\\]/g, "'\\$&'")}'`,
  // In PowerShell, typographic quotes also end a string.
  powershell: (text) => `'${text.replace(/['\u2018-\u201b]/g, "$&$&")}'`,
  // A % between two others names a variable, even in quotes.
  cmd: (text) => oneLine(text).split("%").map(programWord).join("^%"),
};

/** The programs themselves parse the line that cmd passes on. In it, a backslash before a quote escapes the quote. */
function programWord(text: string): string {
  return `"${text.replace(/(?<!\\)(\\*)"/g, '$1$1""').replace(/(?<!\\)\\+$/, "$&$&")}"`;
}

/**
 * A command line for `cmd /c` that starts a .cmd or .bat file. Such a file hands its words on, and cmd reads them a
 * second time: they stay quoted even then, and no variable is replaced (`%cd:~,%` is empty).
 *
 * @param words without line breaks.
 */
export function batchLine(words: readonly string[]): string {
  return words.map((word) => programWord(word).replaceAll("%", "%%cd:~,%")).join(" ");
}

/** A text for cmd's built-in commands, such as `echo` and `set`, which don't know quotes. */
export function cmdText(text: string): string {
  return oneLine(text).replace(/[&|<>^()%"]/g, "^$&");
}

/** cmd cannot express a line break, and would run what follows it. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, " ");
}
