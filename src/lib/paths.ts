import native, { dirname, relative, resolve, sep } from "node:path";

/**
 * True if `path` is `folder` or is below it. Both are absolute and without symlinks.
 *
 * @param of the rules for paths; by default this system's.
 */
export function isInside(path: string, folder: string, of = native): boolean {
  const steps = of.relative(folder, path);
  return steps === "" || (!/^\.\.(?:[\\/]|$)/.test(steps) && !of.isAbsolute(steps));
}

/** True if both absolute paths are the same, on Windows in any case. Links are not followed. */
export function isSamePath(one: string, other: string, of = native): boolean {
  return of.relative(one, other) === "";
}

/** True for a Windows path with a drive or a server. `\tools` is a folder of whichever drive is current. */
export function isRooted(path: string): boolean {
  return /^(?:[a-z]:[\\/]|[\\/]{2}[^\\/])/i.test(path);
}

/** True for a path that names one place, whatever the current folder and drive are. */
export function isFull(path: string, platform: NodeJS.Platform): boolean {
  return platform === "win32" ? isRooted(path) : native.isAbsolute(path);
}

/** True for a name that Windows may read as a device, a stream of another file, or another name. */
export function isOtherOnWindows(name: string): boolean {
  const isDevice =
    /^(?:con|prn|aux|nul|(?:com|lpt)[\d\u00b9\u00b2\u00b3]|con(?:in|out)\$) *(?:\.|$)/i.test(name);
  // git and its patterns know only the long name of a file.
  const isShort = /^(?=[^.]{3,8}(?:\.|$))[^.]+~\d+(?:\.[^.]{0,3})?$/.test(name);
  return isDevice || isShort || name.includes(":") || (/[. ]$/.test(name) && name !== ".");
}

/** True if a text contains the path or one below it, ignoring case. */
export function namesPath(text: string, path: string): boolean {
  const [lower, part] = [text.toLowerCase(), path.toLowerCase()];
  for (let at = lower.indexOf(part); at !== -1; at = lower.indexOf(part, at + 1)) {
    if (!/[\w-]/.test(lower.charAt(at + part.length))) return true;
  }
  return false;
}

/** A relative path with slashes, as in git and configs on every system; "" for the folder itself. */
export function pathFrom(folder: string, path: string): string {
  return relative(folder, path).split(sep).join("/");
}

/** A path as a person would write it in `base`. */
export function shortPath(path: string, base: string, home?: string): string {
  if (isInside(path, base)) return relative(base, path) || ".";
  if (home !== undefined && isInside(path, home)) return `~${sep}${relative(home, path)}`;
  return path;
}

/**
 * The folder whose tools are not run: the repo. If all of HOME, with its tools, is one git repo, then only the
 * project's folder.
 */
export function toolsNotIn(home: string | undefined, top: string, base: string): string {
  return home !== undefined && isInside(home, top) ? base : top;
}

/** A folder and its parents, up to `top` or the root. */
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

/** Where Terraform installs providers and modules for a root module (docs/contracts/terraform.md 7.6). */
export function dataFolder(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return resolve(root, env["TF_DATA_DIR"] || ".terraform");
}

/** Node writes a link's absolute target with this prefix on Windows. Others don't, and then it is the same target. */
export function withoutLongPrefix(target: string): string {
  return target.replace(/^\\\\\?\\(?:(UNC)\\)?/, (_, isServer) => (isServer ? "\\\\" : ""));
}
