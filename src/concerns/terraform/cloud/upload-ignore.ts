import { posix } from "node:path";
import { matchesGlob } from "../../../lib/glob.ts";
import { Work } from "../../../lib/work.ts";

/**
 * Whether HCP Terraform uploads a file, according to the `.terraformignore` at the top of the upload. The rules are
 * those of go-slug: the last match wins; a pattern matches at any depth unless it begins with a slash; git's ignore
 * files don't count; `.git/` and `.terraform/` are never uploaded.
 *
 * @param path relative to the uploaded folder, with slashes.
 * @param work the shared limit for all checks of a file.
 * @throws TooMuchWork
 */
export function isUploaded(text: string, path: string, work = new Work()): boolean {
  const rules = [...DEFAULTS, ...text.split(/\r?\n/)].map((line) => line.trim()).filter(isRule);
  const isExcluded = (each: string) =>
    rules.reduce(
      (excluded, rule) =>
        matches(rule.replace(/^!/, ""), each, work) ? rule[0] !== "!" : excluded,
      false,
    );
  const above = posix.dirname(path);
  return !isExcluded(path) && (above === "." || isUploaded(text, above, work));
}

const DEFAULTS = [".git/", ".terraform/", "!.terraform/modules/"];

function isRule(line: string): boolean {
  return line !== "" && !line.startsWith("#") && line !== "!";
}

function matches(pattern: string, path: string, work: Work): boolean {
  const whole = pattern.endsWith("/") ? `${pattern}**` : pattern;
  const anchored = whole.startsWith("/") ? whole.slice(1) : `**/${whole}`;
  return matchesGlob(anchored, path, { isFull: true, isByFolders: true }, work);
}
