import { Work } from "./work.ts";

/** How a program interprets its patterns. */
export interface GlobDialect {
  /** `?` is any one character except a slash, and a backslash escapes the next character. */
  readonly isFull: boolean;
  /** `**` in the middle of a pattern is any number of whole folders. Otherwise it is any text. */
  readonly isByFolders: boolean;
  /** `[a-z]` and `[^a-z]` are one character. */
  readonly hasClasses?: boolean;
}

/** One step of a pattern. folders: any number of whole folders; deep: any text; star: any text without a slash. */
type Step =
  | "folders"
  | "deep"
  | "star"
  | "any"
  | { readonly char: string }
  | { readonly ranges: readonly (readonly [string, string])[]; readonly isNot: boolean };

export interface Glob {
  /** @throws TooMuchWork */
  matches(path: string): boolean;
}

/**
 * A pattern with `*` and `**`. The time is proportional to pattern times path, even for a malicious pattern, since
 * there is no backtracking.
 *
 * @param work the limit for all patterns of a file together.
 * @throws TooMuchWork
 */
export function globOf(pattern: string, dialect: GlobDialect, work: Work): Glob {
  // The fixed cost of a pattern is about that of 50 characters.
  work.spend(50 + pattern.length);
  const steps = stepsOf(pattern, dialect);
  return { matches: (path) => isMatch(steps, path, work) };
}

/** Like globOf, for one pattern and one path with slashes. @throws TooMuchWork */
export function matchesGlob(
  pattern: string,
  path: string,
  dialect: GlobDialect,
  work = new Work(),
): boolean {
  return globOf(pattern, dialect, work).matches(path);
}

function isMatch(steps: readonly Step[], path: string, work: Work): boolean {
  // A state is the index of the next step. A negative state is inside a folder of a `folders` step.
  let states = reachable(steps, [0]);
  for (const char of path) {
    work.spend(2 + states.size);
    const next = new Set<number>();
    for (const state of states) {
      const isInside = state < 0;
      const at = isInside ? -state - 1 : state;
      const step = steps[at];
      if (step === undefined) continue;
      if (step === "folders") {
        next.add(-at - 1);
        if (char === "/") next.add(at + 1);
      } else if (step === "deep" || (step === "star" && char !== "/")) next.add(at);
      else if (takes(step, char)) next.add(at + 1);
    }
    states = reachable(steps, next);
    if (states.size === 0) return false;
  }
  return states.has(steps.length);
}

function takes(step: Step, char: string): boolean {
  if (step === "any") return char !== "/";
  if (typeof step === "string") return false;
  if ("char" in step) return step.char === char;
  return step.ranges.some(([from, to]) => from <= char && char <= to) !== step.isNot;
}

/** Adds the states that need no character: a step that matches any number of characters may match none. */
function reachable(steps: readonly Step[], from: Iterable<number>): Set<number> {
  const states = new Set(from);
  for (const state of states) {
    const step = state < 0 ? undefined : steps[state];
    if (step === "folders" || step === "deep" || step === "star") states.add(state + 1);
  }
  return states;
}

function stepsOf(pattern: string, dialect: GlobDialect): readonly Step[] {
  const { isFull, isByFolders, hasClasses } = dialect;
  const parts = pattern.match(partsIn(dialect)) ?? [];
  const steps = parts.flatMap((part, i): Step | Step[] => {
    if (part.startsWith("**")) return isByFolders && i < parts.length - 1 ? "folders" : "deep";
    if (part === "*") return "star";
    if (isFull && part === "?") return "any";
    if (hasClasses && part.startsWith("[") && part.length > 1) return classOf(part);
    const text = isFull && part.length > 1 ? part.slice(1) : part;
    return Array.from(text, (char) => ({ char }));
  });
  // Repeating such a step changes nothing.
  return steps.filter((step, i) => step === "any" || step !== steps[i - 1]);
}

function partsIn({ isByFolders, hasClasses }: GlobDialect): RegExp {
  if (!isByFolders) return /\*\*+|\\.|./gsu;
  // A class without an end is not a class. The limit of 200 avoids a search through the whole rest: classes are short.
  return hasClasses ? /\*\*\/?|\\.|\[\^?(?:\\.|[^\]\\]){1,200}\]|./gsu : /\*\*\/?|\\.|./gsu;
}

/** @param part such as "[^a-z_]". */
function classOf(part: string): Step {
  const isNot = part[1] === "^";
  const chars = Array.from(
    part.slice(isNot ? 2 : 1, -1).matchAll(/\\(.)|(.)/gsu),
    ([, escaped, plain]) => ({ char: escaped ?? plain ?? "", isPlain: escaped === undefined }),
  );
  const ranges: [string, string][] = [];
  for (let at = 0; at < chars.length; at++) {
    const [from, dash, to] = chars.slice(at, at + 3);
    const isRange = dash?.char === "-" && dash.isPlain && to !== undefined;
    ranges.push([from?.char ?? "", (isRange ? to : from)?.char ?? ""]);
    if (isRange) at += 2;
  }
  return { ranges, isNot };
}
