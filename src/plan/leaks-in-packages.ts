import { basename, dirname, join, relative, sep } from "node:path";
import dockerignore from "@balena/dockerignore";
import { textIn } from "../content.ts";
import { filesOf } from "../git/files.ts";
import type { Git } from "../git/git.ts";

import type { Host } from "../host/host.ts";
import { isInside } from "../paths.ts";
import { finding } from "./findings.ts";
import type { FileLeak } from "./leaks-in-files.ts";
import type { Finding } from "./types.ts";

const DOCKERFILE = /^(Dockerfile|Containerfile)(\.|$)|\.(Dockerfile|Containerfile)$/i;

/**
 * The files with a token that Docker would send to its builder, and those that npm would publish: neither
 * asks git what is ignored.
 *
 * @param leaks every file that holds a token, those that are meant to hold it too.
 */
export async function leaksInPackages(
  host: Pick<Host, "files" | "npmFiles">,
  git: Git,
  leaks: readonly FileLeak[],
): Promise<readonly Finding[]> {
  const holders = [...new Set(leaks.map(({ path }) => path))];
  if (holders.length === 0) return [];
  const names = await filesOf(git, [
    ":(icase)*dockerfile*",
    ":(icase)*containerfile*",
    "*package.json",
  ]);
  const found: Finding[] = [];
  for (const path of names.map((name) => join(git.root, name))) {
    if (DOCKERFILE.test(basename(path)) && !path.endsWith(".dockerignore")) {
      found.push(...(await inContext(host, path, holders)));
    } else if (basename(path) === "package.json") {
      found.push(...(await inPackage(host, dirname(path), holders)));
    }
  }
  return found;
}

/** A Dockerfile's folder is taken for its context. Its own ignore file comes before the context's. */
async function inContext(
  { files }: Pick<Host, "files">,
  dockerfile: string,
  holders: readonly string[],
): Promise<Finding[]> {
  const context = dirname(dockerfile);
  const [own, general] = await Promise.all([
    files.look(`${dockerfile}.dockerignore`),
    files.look(join(context, ".dockerignore")),
  ]);
  const ignoreFile = own.kind === "file" ? own : general;
  const ignored = dockerignore().add(textIn(ignoreFile));
  return holders
    .filter((path) => isInside(path, context))
    .filter((path) => !ignored.ignores(relative(context, path).split(sep).join("/")))
    .map((path) => {
      const name = relative(context, path);
      const message = `${path} holds a token, and \`docker build\` in ${context} takes it along: COPY puts it into the image.`;
      const fix = `Add a line to ${ignoreFile.path}: ${name}`;
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
        fix: "npm pack --dry-run says what it would take.",
      }),
    ];
  }
  const published = new Set(names.map((name) => join(folder, name)));
  return near
    .filter((path) => published.has(path))
    .map((path) =>
      finding("leak.in-package", `${path} holds a token, and \`npm publish\` would take it.`, {
        where: path,
        fix: `Name what is published as "files" in ${join(folder, "package.json")}.`,
      }),
    );
}
