/** The shells that a command line can be pasted into; `posix`: sh, bash, zsh and fish alike. */
export type Shell = "posix" | "powershell" | "cmd";

/** A text as one word of a command line, whatever is in it. */
export function shellWord(text: string, shell: Shell = "posix"): string {
  return PLAIN[shell].test(text) ? text : quoted(text, shell);
}

/** The same, with quotes in any case: a value that looks like a number or an option stays a text. */
export function quoted(text: string, shell: Shell): string {
  return QUOTED[shell](text);
}

/** What needs no quotes. */
const PLAIN: Readonly<Record<Shell, RegExp>> = {
  // A tilde behind = or : is a home, and fish has %self.
  posix: /^(?:[\w-]+=)?[\w@+:,./-][\w@%+:,./-]*$/,
  // It divides an option at its first dot or colon, takes -- from a script (npm's of ours), and reads numbers.
  powershell: /^(?:[A-Za-z_.\\/][\w./\\:+=-]*|--?[A-Za-z_][\w=-]*)$/,
  cmd: /^[\w./\\:+-]+$/,
};

const QUOTED: Readonly<Record<Shell, (text: string) => string>> = {
  // Between single quotes a backslash is nothing special in sh, and an escape in fish: it stands outside.
  posix: (text) => `'${text.replace(/['\\]/g, "'\\$&'")}'`,
  // Typographic quotes end a text there, too.
  powershell: (text) => `'${text.replace(/['\u2018-\u201b]/g, "$&$&")}'`,
  // A % between two others names a variable, within quotes as well.
  cmd: (text) => oneLine(text).split("%").map(programWord).join("^%"),
};

/** By the rules of the programs themselves: cmd hands on a line, and a backslash before a quote escapes it. */
function programWord(text: string): string {
  return `"${text.replace(/(?<!\\)(\\*)"/g, '$1$1""').replace(/(?<!\\)\\+$/, "$&$&")}"`;
}

/** A text as the rest of a line of cmd's own commands, such as `echo` and `set`, which know no quotes. */
export function cmdText(text: string): string {
  return oneLine(text).replace(/[&|<>^()%"]/g, "^$&");
}

/** cmd has no way to write a line break, and would run what follows it. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, " ");
}
