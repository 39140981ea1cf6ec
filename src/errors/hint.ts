/**
 * What a person can do next: words, and command lines as data. The edge that prints it adds the environment
 * that was asked about, shortens paths to the folder of the person, and quotes every word for the shell.
 */
export type Hint = readonly HintPart[];

export type HintPart =
  /** Words for a person, printed as they are: never a command line. */
  | string
  /** A command line of ours, without the program: `["rotate", "--revoke"]`. */
  | { readonly own: readonly Word[] }
  /** A command line of another program. */
  | { readonly run: readonly Word[] }
  | ShellStep;

/** What each shell has words of its own for. */
export type ShellStep =
  | { readonly unset: readonly string[] }
  | { readonly set: string; readonly to: string }
  /** One variable gets the value of another. */
  | { readonly set: string; readonly from: string }
  /** A line at the end of a file. `isOpen`: the last one there has no end. */
  | { readonly append: string; readonly file: Word; readonly isOpen: boolean }
  | { readonly remove: Word }
  | { readonly rename: Word; readonly into: Word }
  /** Takes the lines out that set this variable. */
  | { readonly withoutVariable: string; readonly file: Word }
  /** Takes keys of YAML's top level out. */
  | { readonly withoutKeys: readonly string[]; readonly file: Word }
  /** Takes white space and quotes out of a variable's value. */
  | { readonly trim: string };

/** A word of a command line; a path is given as the machine knows it. */
export type Word = string | PathWord;

export interface PathWord {
  /** Absolute. */
  readonly path: string;
  /** What stands before it in the same word, such as `-chdir=`; it is then printed relative everywhere. */
  readonly before?: string;
  /** What stands behind it in the same word, such as `.broken`. */
  readonly after?: string;
}

/**
 * A hint, as a template: hint`First: ${run("git", "init")}. Then: ${own("check")}`. Texts that are put in
 * are words for a person.
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

/** A command line of ours. `--env` is added where it is printed. */
export function own(...words: readonly Word[]): HintPart {
  return { own: words };
}

/** A command line of another program. */
export function run(...words: readonly Word[]): HintPart {
  return { run: words };
}

/** Another program's command line with our variables. @param options of exec's own. */
export function exec(words: readonly Word[], ...options: readonly string[]): HintPart {
  return own("exec", ...options, "--", ...words);
}

export function unset(...names: readonly string[]): HintPart {
  return { unset: names };
}
