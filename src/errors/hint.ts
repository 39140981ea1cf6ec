/**
 * What a person can do next: words, and command lines as data. The code that prints it adds the environment, shortens
 * paths relative to the current folder, and quotes every word for the shell.
 */
export type Hint = readonly HintPart[];

export type HintPart =
  /** Words for a person, printed unchanged. Never a command line. */
  | string
  /** One of our own command lines, without the program: `["rotate", "--revoke"]`. */
  | { readonly own: readonly Word[] }
  /** A command line of another program. */
  | { readonly run: readonly Word[] }
  | ShellStep;

/** A command line that a hint names. */
export type CommandPart = Extract<HintPart, { readonly own: unknown } | { readonly run: unknown }>;

/** Steps that each shell writes differently. */
export type ShellStep =
  /** The second command line only if the first succeeds. */
  | { readonly inTurn: readonly [CommandPart, CommandPart] }
  /** A command line that reads a file in the home folder. */
  | { readonly line: CommandPart; readonly input: string }
  /** A command line without this variable. */
  | { readonly line: CommandPart; readonly without: string }
  /** Shows who may use a file or folder. */
  | { readonly listing: Word; readonly isFolder?: true }
  /** Lets the user read and write a file. */
  | { readonly allow: Word }
  /** Asks DNS. */
  | { readonly lookUp: string }
  | { readonly unset: readonly string[] }
  | { readonly set: string; readonly to: string }
  /** Sets one variable to the value of another. */
  | { readonly set: string; readonly from: string }
  /** Appends a line to a file. `isOpen`: the file's last line has no line end. */
  | { readonly append: string; readonly file: Word; readonly isOpen: boolean }
  | { readonly remove: Word }
  | { readonly rename: Word; readonly into: Word }
  /** Removes the lines that set this variable. */
  | { readonly withoutVariable: string; readonly file: Word }
  /** Removes top-level YAML keys. */
  | { readonly withoutKeys: readonly string[]; readonly file: Word }
  /** Trims white space and quotes from a variable's value. */
  | { readonly trim: string };

/** A word of a command line. A path is absolute here. */
export type Word = string | PathWord;

export interface PathWord {
  /** Absolute. */
  readonly path: string;
  /** Text before it in the same word, such as `-chdir=`. The path is then always printed relative. */
  readonly before?: string;
  /** Text after it in the same word, such as `.broken`. */
  readonly after?: string;
}

/**
 * A hint as a template: hint`First: ${run("git", "init")}. Then: ${own("check")}`. Strings in it are words for a
 * person.
 */
export function hint(
  words: TemplateStringsArray,
  ...values: readonly (HintPart | number | Hint)[]
): Hint {
  return words
    .flatMap((text, at) => [text, ...partsOf(values[at] ?? "")])
    .filter((part) => part !== "");
}

function partsOf(value: HintPart | number | Hint): Hint {
  if (isHint(value)) return value;
  return [typeof value === "number" ? String(value) : value];
}

function isHint(value: HintPart | number | Hint): value is Hint {
  return Array.isArray(value);
}

/** One of our own command lines. `--env` is added when it is printed. */
export function own(...words: readonly Word[]): CommandPart {
  return { own: words };
}

/** A command line of another program. */
export function run(...words: readonly Word[]): CommandPart {
  return { run: words };
}

/** Another program's command line, run with our variables. @param options of exec itself. */
export function exec(words: readonly Word[], ...options: readonly string[]): HintPart {
  return own("exec", ...options, "--", ...words);
}

export function unset(...names: readonly string[]): HintPart {
  return { unset: names };
}
