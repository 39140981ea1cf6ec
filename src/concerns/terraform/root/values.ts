import { jsonObject } from "../../../lib/json.ts";

/** True for a value file that Terraform reads without -var-file. */
export function readsByItself(name: string): boolean {
  return /^terraform\.tfvars(\.json)?$|\.auto\.tfvars(\.json)?$/.test(name);
}

/** The variables that a value file sets: its top-level keys, found without parsing HCL. */
export function namesIn(file: string, text: string): readonly string[] {
  if (file.endsWith(".json")) return Object.keys(jsonObject(text) ?? {});
  const names: string[] = [];
  let depth = 0;
  for (const line of text.split("\n")) {
    const bare = line.replace(/"(?:\\.|[^"\\])*"/g, '""').replace(/(?:#|\/\/).*/, "");
    const name = /^\s*([\w-]+)\s*=/.exec(bare)?.[1];
    if (depth === 0 && name !== undefined) names.push(name);
    depth += count(bare, /[{[(]/g) - count(bare, /[}\])]/g);
  }
  return names;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
