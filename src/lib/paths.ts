import { dirname, isAbsolute, relative, resolve, sep } from "node:path";

/** True when `path` is `folder` or lies below it; both absolute and without symlinks. */
export function isInside(path: string, folder: string): boolean {
  const steps = relative(folder, path);
  return steps === "" || (!/^\.\.(?:[\\/]|$)/.test(steps) && !isAbsolute(steps));
}

/** True when a text holds the path itself or one below it, in any case of its letters. */
export function namesPath(text: string, path: string): boolean {
  const [lower, part] = [text.toLowerCase(), path.toLowerCase()];
  for (let at = lower.indexOf(part); at !== -1; at = lower.indexOf(part, at + 1)) {
    if (!/[\w-]/.test(lower.charAt(at + part.length))) return true;
  }
  return false;
}

/** A path from a folder with slashes, as git and configs have it on every system; "" for the folder itself. */
export function pathFrom(folder: string, path: string): string {
  return relative(folder, path).split(sep).join("/");
}

/** A path as a person at `base` would write it. */
export function shortPath(path: string, base: string, home?: string): string {
  if (isInside(path, base)) return relative(base, path) || ".";
  if (home !== undefined && isInside(path, home)) return `~/${relative(home, path)}`;
  return path;
}

/**
 * The folder that brings no tool: the repo, and where somebody keeps all of HOME in git, with the tools in it, the
 * project's own.
 */
export function toolsNotIn(home: string | undefined, top: string, base: string): string {
  return home !== undefined && isInside(home, top) ? base : top;
}

/** A folder and those above it, up to `top` or else the root. */
export function foldersUp(folder: string, top?: string): string[] {
  const folders = [folder];
  let last = folder;
  for (let parent = dirname(last); last !== top && parent !== last; parent = dirname(last)) {
    folders.push(parent);
    last = parent;
  }
  return folders;
}

/** True for the name of a file that Terraform or OpenTofu reads as configuration. */
export function isTerraformFile(name: string): boolean {
  return /\.(tf|tofu)(\.json)?$/.test(name);
}

/** Where Terraform keeps what it installs for a root module (docs/contracts/terraform.md 7.6). */
export function dataFolder(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return resolve(root, env["TF_DATA_DIR"] || ".terraform");
}
