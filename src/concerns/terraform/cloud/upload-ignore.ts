import { posix } from "node:path";
import { matchesGlob } from "../../../lib/glob.ts";
import { Work } from "../../../lib/work.ts";

/**
 * Whether HCP Terraform's upload takes a file, by the text of the `.terraformignore` at its top. The
 * rules are go-slug's: what matches last wins; a pattern matches at any depth unless it begins with a
 * slash; git and its ignore files are not asked; `.git/` and `.terraform/` always stay behind.
 *
 * @param path relative to the folder that is uploaded, with slashes.
 * @param work what all questions about a file may take together.
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
