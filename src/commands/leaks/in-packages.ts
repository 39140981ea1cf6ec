import { basename, dirname, join, relative } from "node:path";
import { filesOf } from "../../concerns/git/files.ts";
import type { Git } from "../../concerns/git/git.ts";
import { textIn } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { hint, run } from "../../errors/hint.ts";
import type { Host } from "../../host/host.ts";
import { batches } from "../../lib/batches.ts";
import { isInside, pathFrom } from "../../lib/paths.ts";
import { unlessTooMuch, Work } from "../../lib/work.ts";
import { type DockerIgnore, readDockerIgnore } from "./docker-ignore.ts";
import { finding } from "./findings.ts";
import { type FileLeak, type FileSearch, type Gap, holdersIn } from "./in-files.ts";

const DOCKERFILE = /^(Dockerfile|Containerfile)(\.|$)|\.(Dockerfile|Containerfile)$/i;

export function isDockerfile(name: string): boolean {
  return DOCKERFILE.test(name) && !name.endsWith(".dockerignore");
}

/**
 * The files with a token that Docker would send to its builder, and those that npm would publish. Neither asks git what
 * is ignored.
 *
 * @param leaks every file with a token, including files that are meant to contain it.
 * @param notEntered folders that were not searched, relative to the root.
 */
export async function leaksInPackages(
  host: Pick<Host, "files" | "npmFiles">,
  git: Git,
  { leaks, notEntered }: { leaks: readonly FileLeak[]; notEntered: readonly string[] },
  search: Pick<FileSearch, "own" | "unpacking">,
): Promise<{ readonly findings: readonly Finding[]; readonly gaps: readonly Gap[] }> {
  const names = await filesOf(git, [
    ":(icase)*dockerfile*",
    ":(icase)*containerfile*",
    "*package.json",
  ]);
  const paths = names.map((name) => join(git.root, name));
  const work = new Work(20_000_000);
  const contexts: Context[] = [];
  for (const some of batches(paths.filter((path) => isDockerfile(basename(path))))) {
    contexts.push(...(await Promise.all(some.map((path) => contextOf(host, path, work)))));
  }
  const packages = paths.filter((path) => basename(path) === "package.json").map(dirname);
  if (contexts.length + packages.length === 0) return { findings: [], gaps: [] };

  // Folders that git ignores completely were not searched, but they often contain what is built.
  const isTaken = (folder: string) =>
    contexts.some((context) => mayTake(context, folder)) ||
    packages.some((each) => isInside(folder, each) && basename(folder) !== "node_modules");
  const folders = notEntered.filter((name) => isTaken(join(git.root, name)));
  const { holders: hidden, gaps } = await holdersIn(host, git, folders, search);
  const holders = [...new Set([...leaks.map(({ path }) => path), ...hidden])];
  const findings = contexts.flatMap((context) => inContext(context, holders));
  for (const folder of packages) findings.push(...(await inPackage(host, folder, holders)));
  return { findings, gaps };
}

/** The context that `docker build` sends. */
export interface Context {
  readonly folder: string;
  readonly ignoreFile: string;
  /** undefined: its patterns need too much work. */
  readonly ignored: DockerIgnore | undefined;
}

/** The folder of a Dockerfile counts as its context. Its own ignore file overrides the context's. */
export async function contextOf(
  { files }: Pick<Host, "files">,
  dockerfile: string,
  work: Work,
): Promise<Context> {
  const folder = dirname(dockerfile);
  const [own, general] = await Promise.all([
    files.look(`${dockerfile}.dockerignore`),
    files.look(join(folder, ".dockerignore")),
  ]);
  const file = own.kind === "file" ? own : general;
  const ignored = unlessTooMuch(() => readDockerIgnore(textIn(file), work));
  return { folder, ignoreFile: file.path, ignored };
}

/** Whether something in a folder may be sent. */
function mayTake({ folder, ignored }: Context, path: string): boolean {
  if (!isInside(path, folder)) return false;
  const isOut = unlessTooMuch(() => ignored?.ignores(pathFrom(folder, path)));
  return isOut !== true || ignored?.hasExceptions === true;
}

/** Whether a file is sent; undefined: that needs too much work. */
export function sends({ folder, ignored }: Context, path: string): boolean | undefined {
  if (!isInside(path, folder)) return false;
  const isOut = unlessTooMuch(() => ignored?.ignores(pathFrom(folder, path)));
  return isOut === undefined ? undefined : !isOut;
}

function inContext(
  { folder, ignoreFile, ignored }: Context,
  holders: readonly string[],
): Finding[] {
  const near = holders.filter((path) => isInside(path, folder));
  const taken = unlessTooMuch(() =>
    near.filter((path) => ignored?.ignores(pathFrom(folder, path)) === false),
  );
  if (near.length > 0 && (taken === undefined || ignored === undefined)) {
    const message = `Could not search the \`docker build\` context of ${folder} for tokens: the patterns in ${ignoreFile} are too many or too long.`;
    return [
      finding("leak.not-searched", message, {
        where: ignoreFile,
        fix: hint`Simplify the ignore file.`,
      }),
    ];
  }
  return (taken ?? []).map((path) => {
    const message = `${path} holds a token and is in the \`docker build\` context of ${folder}: COPY could put it into the image.`;
    const fix = hint`Add a line to ${ignoreFile}: ${relative(folder, path)}`;
    return finding("leak.in-image", message, { where: path, fix });
  });
}

async function inPackage(
  { npmFiles }: Pick<Host, "npmFiles">,
  folder: string,
  holders: readonly string[],
): Promise<Finding[]> {
  const near = holders.filter((path) => isInside(path, folder));
  if (near.length === 0) return [];
  const names = await npmFiles(folder);
  if (names === undefined) {
    const path = join(folder, "package.json");
    const message = `Could not search the files that \`npm publish\` would pack in ${folder} for tokens: npm's rules fail on ${path} or take too long.`;
    return [
      finding("leak.not-searched", message, {
        where: path,
        fix: hint`${run("npm", "pack", "--dry-run")} lists what npm would publish.`,
      }),
    ];
  }
  const published = new Set(names.map((name) => join(folder, name)));
  return near
    .filter((path) => published.has(path))
    .map((path) =>
      finding("leak.in-package", `${path} holds a token, and \`npm publish\` would include it.`, {
        where: path,
        fix: hint`List the files to publish under "files" in ${join(folder, "package.json")}.`,
      }),
    );
}
