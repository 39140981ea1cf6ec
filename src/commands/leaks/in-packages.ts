import { basename, dirname, join, relative, sep } from "node:path";
import dockerignore from "@balena/dockerignore";
import { filesOf } from "../../concerns/git/files.ts";
import type { Git } from "../../concerns/git/git.ts";
import { textIn } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { hint, run } from "../../errors/hint.ts";
import type { Host } from "../../host/host.ts";
import { isInside } from "../../lib/paths.ts";
import type { Secret } from "../../secret/secret.ts";
import { finding } from "./findings.ts";
import { type FileLeak, holdersIn } from "./in-files.ts";

const DOCKERFILE = /^(Dockerfile|Containerfile)(\.|$)|\.(Dockerfile|Containerfile)$/i;

/**
 * The files with a token that Docker would send to its builder, and those that npm would publish: neither
 * asks git what is ignored.
 *
 * @param leaks every file that holds a token, those that are meant to hold it too.
 * @param notEntered folders that were not searched, from the root.
 * @param own the repo's token.
 */
export async function leaksInPackages(
  host: Pick<Host, "files" | "npmFiles">,
  git: Git,
  { leaks, notEntered }: { leaks: readonly FileLeak[]; notEntered: readonly string[] },
  own: Secret | undefined,
): Promise<readonly Finding[]> {
  const names = await filesOf(git, [
    ":(icase)*dockerfile*",
    ":(icase)*containerfile*",
    "*package.json",
  ]);
  const paths = names.map((name) => join(git.root, name));
  const isDockerfile = (path: string) =>
    DOCKERFILE.test(basename(path)) && !path.endsWith(".dockerignore");
  const contexts = await Promise.all(
    paths.filter(isDockerfile).map((path) => contextOf(host, path)),
  );
  const packages = paths.filter((path) => basename(path) === "package.json").map(dirname);
  if (contexts.length + packages.length === 0) return [];

  // What git ignores as a whole was not searched, and is what is built as often as not.
  const isTaken = (folder: string) =>
    contexts.some((context) => context.takes(folder)) ||
    packages.some((each) => isInside(folder, each) && basename(folder) !== "node_modules");
  const folders = notEntered.filter((name) => isTaken(join(git.root, name)));
  const hidden = await holdersIn(host, git, folders, own);
  const holders = [...new Set([...leaks.map(({ path }) => path), ...hidden])];
  const found = contexts.flatMap((context) => inContext(context, holders));
  for (const folder of packages) found.push(...(await inPackage(host, folder, holders)));
  return found;
}

/** What `docker build` sends. */
interface Context {
  readonly folder: string;
  readonly ignoreFile: string;
  /** Whether a file or a folder of this path is sent. */
  readonly takes: (path: string) => boolean;
}

/** A Dockerfile's folder is taken for its context. Its own ignore file comes before the context's. */
async function contextOf({ files }: Pick<Host, "files">, dockerfile: string): Promise<Context> {
  const folder = dirname(dockerfile);
  const [own, general] = await Promise.all([
    files.look(`${dockerfile}.dockerignore`),
    files.look(join(folder, ".dockerignore")),
  ]);
  const ignoreFile = own.kind === "file" ? own : general;
  const ignored = dockerignore().add(textIn(ignoreFile));
  const takes = (path: string) =>
    isInside(path, folder) && !ignored.ignores(relative(folder, path).split(sep).join("/"));
  return { folder, ignoreFile: ignoreFile.path, takes };
}

function inContext({ folder, ignoreFile, takes }: Context, holders: readonly string[]): Finding[] {
  return holders.filter(takes).map((path) => {
    const message = `${path} holds a token, and \`docker build\` in ${folder} takes it along: COPY puts it into the image.`;
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
    const message = `What \`npm publish\` would take of ${folder} was not searched for tokens: npm's own rules fail on ${path}.`;
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
      finding("leak.in-package", `${path} holds a token, and \`npm publish\` would take it.`, {
        where: path,
        fix: hint`Name what is published as "files" in ${join(folder, "package.json")}.`,
      }),
    );
}
