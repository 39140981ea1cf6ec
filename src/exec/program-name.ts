import { basename } from "node:path";

/** The name of the program that a command's first word starts. */
export function programOf(file: string): string {
  return basename(file.replaceAll("\\", "/"))
    .toLowerCase()
    .replace(/\.(com|exe|bat|cmd)$/, "");
}
