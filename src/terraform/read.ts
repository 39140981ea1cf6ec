import type { Host } from "../host/host.ts";
import { readHcl } from "./hcl.ts";
import type { ParsedFile } from "./syntax.ts";

/** Reads a text in the syntax that its name says; the grammar is loaded for the first in HCL. */
export async function readTerraform(
  hclParser: Host["hclParser"],
  text: string,
  name: string,
): Promise<ParsedFile> {
  if (!name.endsWith(".json")) return readHcl(await hclParser(), text, name);
  const { readTfJson } = await import("./tf-json.ts");
  return readTfJson(text, name);
}
