import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import type { Parser } from "web-tree-sitter";
import type { ParseHcl } from "./host.ts";

/** In ms of CPU, for one text: code of the largest size takes a third of a second. */
const TIME_LIMIT_MS = 1500;
/** The same for all texts of a run, some 10 MB of code. */
const ALL_MS = 10_000;

/**
 * How much of the grammar is run, about in bytes of machine code, before V8 optimises it: some tens of
 * files. Its own limit is passed at once, and its optimising compiler takes 70 ms of CPU and 20 MB,
 * for which a short run waits at its end and gets nothing.
 */
const UNOPTIMISED = 1_000_000_000;

/**
 * Loads the Terraform grammar (tree-sitter, WebAssembly), which takes some tens of ms: only where a
 * repo has .tf files that are not ours.
 *
 * @param packageFolder the build puts the two .wasm files into its dist folder.
 */
export async function loadHclParser(packageFolder: string): Promise<ParseHcl> {
  shared ??= load(packageFolder);
  const parser = await shared;
  let left = ALL_MS;
  // Code is read for what it declares and for what it needs: in vain but once.
  const cancelled = new Set<string>();
  return (text, use) => {
    if (left <= 0 || cancelled.has(text)) return undefined;
    const begun = cpuMs();
    // What makes no sense to it can take the square of the time.
    const isTooLong = () => cpuMs() - begun > TIME_LIMIT_MS;
    // Its types say void; what it returns cancels.
    const tree = parser.parse(text, null, { progressCallback: isTooLong as () => void });
    if (tree === null) {
      cancelled.add(text);
      parser.reset();
      left -= cpuMs() - begun;
      return undefined;
    }
    try {
      return use(tree.rootNode);
    } finally {
      // Its memory is outside the reach of the garbage collector.
      tree.delete();
      left -= cpuMs() - begun;
    }
  };
}

/** One for all runs of a process: a second one would take the memory of the first. */
let shared: Promise<Parser> | undefined;

async function load(packageFolder: string): Promise<Parser> {
  const { Language, Parser } = await import("web-tree-sitter");
  const at = (name: string) => join(packageFolder, "dist", name);
  setFlagsFromString(`--wasm-tiering-budget=${UNOPTIMISED}`);
  await Parser.init({ locateFile: at });
  const parser = new Parser();
  parser.setLanguage(await Language.load(at("tree-sitter-terraform.wasm")));
  return parser;
}

function cpuMs(): number {
  return process.cpuUsage().user / 1000;
}
