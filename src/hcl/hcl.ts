import { parseHcl } from "./parser.ts";
import { referencesInBlocks, referencesInText } from "./reads.ts";
import type { Expression, ParsedFile } from "./syntax.ts";

/** Reads a .tf text. Never throws: a broken part is reported as a problem with its line. */
export function readHcl(text: string, file: string): ParsedFile {
  const { blocks, problem } = parseHcl(text, file);
  const references = [
    ...referencesInBlocks(blocks, text),
    // Parts of a broken file are in no block.
    ...(problem === undefined ? [] : referencesInText(text)),
  ];
  return { blocks, references, problem };
}

/** The values of a .tfvars text by name; undefined if it is broken. */
export function readHclValues(
  text: string,
  file: string,
): ReadonlyMap<string, Expression> | undefined {
  const { attributes, problem } = parseHcl(text, file);
  return problem === undefined ? attributes : undefined;
}
