import type { Expression, ParsedFile } from "./syntax.ts";

/** In characters; some 20 000 lines. Parsing that much code takes 0.2 s; text that is not code at all, up to 0.5 s. */
const MAX_LENGTH = 512 * 1024;

/** Parses a text in the syntax of its file name. */
export async function readTerraform(text: string, name: string): Promise<ParsedFile> {
  if (text.length > MAX_LENGTH) {
    const why = `larger than ${MAX_LENGTH / 1024} kB`;
    return { blocks: [], references: [], problem: { file: name, line: 1, why } };
  }
  if (!name.endsWith(".json")) {
    const { readHcl } = await import("./hcl.ts");
    return readHcl(text, name);
  }
  const { readTfJson } = await import("./tf-json.ts");
  return readTfJson(text, name);
}

/** The values of a .tfvars text by name; undefined if it is broken or too large. */
export async function readTfvars(
  text: string,
  name: string,
): Promise<ReadonlyMap<string, Expression> | undefined> {
  if (text.length > MAX_LENGTH) return undefined;
  const { readHclValues } = await import("./hcl.ts");
  return readHclValues(text, name);
}
