import { posix } from "node:path";
import { type Glob, globOf } from "../../lib/glob.ts";
import { foldersUp } from "../../lib/paths.ts";
import type { Work } from "../../lib/work.ts";

/** What a `.dockerignore` excludes from a build context. */
export interface DockerIgnore {
  /** @param path of a file or a folder, relative to the context, with slashes. @throws TooMuchWork */
  ignores(path: string): boolean;
  /** A line with `!` may include a file in a folder that another line ignores. */
  readonly hasExceptions: boolean;
}

const DIALECT = { isFull: true, isByFolders: true, hasClasses: true } as const;

/**
 * Reads a `.dockerignore` by the rules of moby's patternmatcher: patterns are relative to the context's root, the last
 * pattern that matches a path or a folder above it counts, and case matters.
 *
 * @param work the limit for all of its patterns and paths.
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

/** Like Go's filepath.Clean, without the leading slash. */
function cleaned(pattern: string): string {
  const clean = posix.normalize(pattern);
  return clean === "/" ? clean : clean.replace(/^\//, "").replace(/(?<=.)\/$/, "");
}
