import { posix } from "node:path";
import { type Glob, globOf } from "../../lib/glob.ts";
import { foldersUp } from "../../lib/paths.ts";
import type { Work } from "../../lib/work.ts";

/** What a `.dockerignore` keeps out of the context of a build. */
export interface DockerIgnore {
  /** @param path of a file or a folder, from the context, with slashes. @throws TooMuchWork */
  ignores(path: string): boolean;
  /** A line with `!` may bring back what is in a folder that another one ignores. */
  readonly hasExceptions: boolean;
}

const DIALECT = { isFull: true, isByFolders: true, hasClasses: true } as const;

/**
 * Reads a `.dockerignore` by the rules of moby's patternmatcher: patterns are of the context's root, of
 * those that match a path or a folder above it the last one counts, letter case matters.
 *
 * @param work what all of its patterns and paths may take.
 * @throws TooMuchWork
 */
export function readDockerIgnore(text: string, work: Work): DockerIgnore {
  const rules: { readonly glob: Glob; readonly isException: boolean }[] = [];
  for (const line of text.replace(/^\ufeff/, "").split(/\r?\n/)) {
    work.spend(1);
    const isException = line.trimStart().startsWith("!");
    const pattern = (isException ? line.replace("!", "") : line).trim();
    if (line.startsWith("#") || pattern === "") continue;
    rules.push({ glob: globOf(cleaned(pattern), DIALECT, work), isException });
  }
  return {
    hasExceptions: rules.some(({ isException }) => isException),
    ignores(path) {
      const paths = foldersUp(path, path.split("/")[0]);
      const isIgnored = ({ glob }: (typeof rules)[number]) =>
        paths.some((each) => glob.matches(each));
      return rules.findLast(isIgnored)?.isException === false;
    },
  };
}

/** As Go's filepath.Clean has it, without the slash of the root. */
function cleaned(pattern: string): string {
  const clean = posix.normalize(pattern);
  return clean === "/" ? clean : clean.replace(/^\//, "").replace(/(?<=.)\/$/, "");
}
