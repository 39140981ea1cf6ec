import { setFlagsFromString } from "node:v8";
import type { Parser } from "web-tree-sitter";
import type { ParseHcl } from "./host.ts";
import { ownFile } from "./package.ts";

/** CPU time in ms for one text. Code of the largest size takes a third of a second. */
const TIME_LIMIT_MS = 1500;
/** CPU time in ms for all texts of a run, about 10 MB of code. */
const ALL_MS = 10_000;

/**
 * How much of the grammar runs, roughly in bytes of machine code, before V8 optimises it: some tens of files. V8's own
 * limit is exceeded immediately. Its optimising compiler takes 70 ms of CPU and 20 MB, and a short run would wait for
 * it at its end without any benefit.
 */
const UNOPTIMISED = 1_000_000_000;

/**
 * Loads the Terraform grammar (tree-sitter, WebAssembly). This takes some tens of ms, so it is done only for a repo
 * with .tf files that are not ours.
 *
 * @param packageFolder its dist folder contains the two .wasm files.
 */
export async function loadHclParser(packageFolder: string): Promise<ParseHcl> {
  shared ??= load(packageFolder);
  const parser = await shared;
  let left = ALL_MS;
  // Code is read twice, for its declarations and for its scopes. A text that takes too long should fail only once.
  const cancelled = new Set<string>();
  return (text, use) => {
    if (left <= 0 || cancelled.has(text)) return undefined;
    const begun = cpuMs();
    // Text that the grammar cannot parse can take quadratic time.
    const isTooLong = () => cpuMs() - begun > TIME_LIMIT_MS;
    // The types say void, but a true return value cancels.
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
      // The garbage collector cannot free its memory.
      tree.delete();
      left -= cpuMs() - begun;
    }
  };
}

/** Shared by all runs in a process: a second parser would take over the memory of the first. */
let shared: Promise<Parser> | undefined;

async function load(packageFolder: string): Promise<Parser> {
  const { Language, Parser } = await import("web-tree-sitter");
  const bytesOf = (name: string) => ownFile(packageFolder, `dist/${name}`);
  setFlagsFromString(`--wasm-tiering-budget=${UNOPTIMISED}`);
  await Parser.init({ wasmBinary: bytesOf("web-tree-sitter.wasm") });
  const parser = new Parser();
  parser.setLanguage(await Language.load(bytesOf("tree-sitter-terraform.wasm")));
  return parser;
}

/** At most this many ms too early. */
const CLOCK_TICK_MS = 10;
let measured = { at: Number.NEGATIVE_INFINITY, cpuMs: 0 };

/**
 * The CPU time of this process. The grammar asks often, and the system takes as long for one answer as for the parsing of
 * some lines.
 */
function cpuMs(): number {
  const at = performance.now();
  if (at - measured.at > CLOCK_TICK_MS) measured = { at, cpuMs: process.cpuUsage().user / 1000 };
  return measured.cpuMs;
}
