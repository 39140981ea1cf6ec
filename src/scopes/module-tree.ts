import { join, relative, sep } from "node:path";
import type { Block, ParsedFile, Problem, Reference } from "../hcl/syntax.ts";
import type { Host, Snapshot } from "../host/host.ts";
import { batches } from "../lib/batches.ts";
import { groupedBy } from "../lib/grouped.ts";
import { isTerraformFile } from "../lib/paths.ts";
import { unlessTooMuch, Work } from "../lib/work.ts";
import { decode } from "../secret/content.ts";
import { isForgotten, isLeftOut, OTHER_MODES } from "./set.ts";

/** A module of a root, with what its files say. */
export interface Module {
  /** "" for the root, "module.network." below it. */
  readonly prefix: string;
  readonly blocks: readonly Block[];
  readonly references: ParsedFile["references"];
  /** The blocks of all modules of the tree; absent where there is but one. */
  readonly everywhere?: readonly Block[];
}

export interface ModuleTree {
  readonly modules: readonly Module[];
  /** Modules that are elsewhere: "module.NAME (SOURCE)". */
  readonly unseen: readonly string[];
  /**
   * What init may fetch, or work out where to fetch: every call but those of a local folder that was read,
   * also of a module that is left out; and the modules of tests.
   */
  readonly fetched: readonly string[];
  /** Files that could not be read, or not in full. */
  readonly broken: readonly Problem[];
  /** Of the modules, without symlinks. */
  readonly folders: readonly string[];
}

/** Terraform and OpenTofu install what their tests call, too. */
const TEST_FILE = /\.(tf|tofu)test\.(hcl|json)$/;

/** Reads texts into blocks; the grammar is behind it. */
export type ReadFile = (text: string, name: string) => Promise<ParsedFile>;

/**
 * Reads a root module and the local modules that it calls, each folder once. Files that have no word
 * of DigitalOcean and call no module are not parsed.
 *
 * @param root absolute path.
 * @param base what places name files from.
 */
export async function readModuleTree(
  { files }: Pick<Host, "files">,
  root: string,
  read: ReadFile,
  base = root,
): Promise<ModuleTree> {
  const modules: Module[] = [];
  const everywhere: Block[] = [];
  const unseen = new Set<string>();
  const fetched = new Set<string>();
  const broken: Problem[] = [];
  const seen = new Set<string>();
  const work = new Work(50_000_000);
  await visit(root, "");
  for (const folder of [root, join(root, "tests")]) {
    for (const name of await files.list(folder)) if (TEST_FILE.test(name)) fetched.add(name);
  }
  return {
    ...{ modules, broken, folders: [...seen] },
    ...{ unseen: [...unseen].sort(), fetched: [...fetched].sort() },
  };

  async function visit(folder: string, prefix: string): Promise<void> {
    const real = await files.realpath(folder);
    if (seen.has(real)) return;
    seen.add(real);
    const blocks: Block[] = [];
    const references: Reference[] = [];
    const found = await namesIn(folder);
    if (typeof found === "string") {
      broken.push({ file: relative(base, folder) || ".", line: 1, why: found });
      return;
    }
    for (const names of batches(found)) {
      for (const file of await Promise.all(names.map((name) => parse(folder, name)))) {
        for (const block of file.blocks) if (matters(block)) blocks.push(block);
        for (const reference of file.references) references.push(reference);
        if (file.problem !== undefined) broken.push(file.problem);
      }
    }
    for (const block of blocks) {
      everywhere.push(block);
      for (const name of removedModules(block)) unseen.add(`${prefix}${name} (removed)`);
    }
    modules.push({ prefix, blocks, references, everywhere });
    // A file of overrides may say another count, and need not say the source again.
    const calls = groupedBy(
      blocks.filter(({ type }) => type === "module"),
      ({ labels }) => labels[0] ?? "",
    );
    for (const [label, parts] of calls) {
      const name = `${prefix}module.${label}`;
      if (parts.every(isLeftOut)) {
        fetched.add(name);
        continue;
      }
      const saying = parts.filter(({ attributes }) => attributes.has("source"));
      for (const { attributes } of saying.length > 0 ? saying : parts.slice(0, 1)) {
        const source = attributes.get("source")?.literal;
        const isLocal = typeof source === "string" && /^\.\.?(\/|$)/.test(source);
        const called = isLocal ? join(folder, source) : undefined;
        if (called !== undefined && (await isModule(called))) await visit(called, `${name}.`);
        else {
          fetched.add(name);
          unseen.add(`${name} (${source ?? attributes.get("source")?.source ?? "?"})`);
        }
      }
    }
  }

  async function isModule(folder: string): Promise<boolean> {
    // Its path is resolved folder by folder, a few times.
    const depth = folder.split(sep).length;
    const isWithin = unlessTooMuch(() => {
      work.spend(2000 + 10 * depth ** 2);
      return true;
    });
    if (!isWithin) return false;
    const names = await namesIn(folder);
    return typeof names === "string" || names.length > 0;
  }

  /** @returns why they cannot be listed, else. */
  async function namesIn(folder: string): Promise<readonly string[] | string> {
    const found = await files.entries(folder);
    if (typeof found === "string") return found;
    const names = found.map(({ name }) => name);
    return names.filter((name) => isTerraformFile(name) && !name.startsWith("."));
  }

  async function parse(folder: string, name: string): Promise<ParsedFile> {
    const file = relative(base, join(folder, name));
    const snapshot = await files.look(join(folder, name));
    // A folder of such a name is nothing to Terraform.
    if (snapshot.kind === "unusable" && snapshot.why === "a directory") return NOTHING;
    const text = snapshot.kind === "file" ? decode(snapshot.bytes)?.text : undefined;
    if (text === undefined) {
      return { ...NOTHING, problem: { file, line: 1, why: whyNot(snapshot) } };
    }
    // A name may be written with escapes.
    return /digitalocean_|\bmodule\b|\\[uU]/.test(text) ? read(text, file) : NOTHING;
  }
}

/** Whether a block may say something about scopes; thousands of others would fill the memory. */
function matters({ type, labels }: Block): boolean {
  if (type === "resource" || type === "data")
    return labels[0]?.startsWith("digitalocean_") === true;
  if (OTHER_MODES.includes(type)) return labels[0]?.startsWith("digitalocean_") === true;
  return ["module", "import", "removed", "check"].includes(type);
}

/** The modules that a block takes out as a whole: what was in them is not in the code any more. */
function removedModules(block: Block): string[] {
  if (block.type !== "removed" || isForgotten(block)) return [];
  const source = block.attributes.get("from")?.source ?? "";
  return (
    /^"?(module\.[\w.-]+)"?$/
      .exec(source)
      ?.slice(1)
      .filter((name) => !name.includes("digitalocean_")) ?? []
  );
}

const NOTHING: ParsedFile = { blocks: [], references: [], problem: undefined };

function whyNot(snapshot: Snapshot): string {
  if (snapshot.kind === "absent") return "its link leads nowhere";
  return snapshot.kind === "unusable" ? snapshot.why : "not a text";
}
