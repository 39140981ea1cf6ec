import { longForm } from "../exec/command-line.ts";
import { COMMANDS } from "./commands.ts";
import { globalOptions, type Option, type Options } from "./options.ts";

/** A command line, split into its parts. */
export interface Line {
  readonly given: readonly Given[];
  /** The command first, if one is named. */
  readonly words: readonly string[];
  /** What follows `--`; undefined without it. */
  readonly behind: readonly string[] | undefined;
}

/** An option as it was given. */
export interface Given {
  /** As it was written, without its value if that is a separate word. */
  readonly word: string;
  /** Without dashes, such as `no-color`. */
  readonly name: string;
  /** The opposite name: `color` for `no-color`, and the reverse. */
  readonly opposite: string;
  /** undefined: no value. */
  readonly value: string | undefined;
}

/** Splits a line into options and words. An option takes a value in every command or in none. */
export function divided(argv: readonly string[]): Line {
  const end = argv.indexOf("--");
  const own = end < 0 ? argv : argv.slice(0, end);
  const behind = end < 0 ? undefined : argv.slice(end + 1);
  const given: Given[] = [];
  const words: string[] = [];
  for (let at = 0; at < own.length; at++) {
    const word = longForm(own[at] ?? "");
    if (!word.startsWith("-") || word === "-") {
      words.push(word);
      continue;
    }
    const [, name = "", joined] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const isValued = word.startsWith("--") && typeOf(name) === "string";
    const next = own[at + 1];
    const takesNext =
      isValued &&
      joined === undefined &&
      next !== undefined &&
      (!next.startsWith("-") || next === "-");
    if (takesNext) at++;
    // With one dash there are only the short forms.
    const isOption = word.startsWith("--");
    given.push({
      word,
      name: isOption ? name : `-${name}`,
      opposite: isOption ? name.replace(/^(no-)?/, (no) => (no === "" ? "no-" : "")) : "",
      value: takesNext ? next : joined,
    });
  }
  return { given, words, behind };
}

/** The type of an option of any command. */
export function typeOf(name: string): Option["type"] | undefined {
  const all: readonly Options[] = [globalOptions, ...COMMANDS.map(({ options }) => options)];
  return all.map((options) => typeIn(options, name)).find((type) => type !== undefined);
}

export function typeIn(options: Options, name: string): Option["type"] | undefined {
  return Object.hasOwn(options, name) ? options[name]?.type : undefined;
}
