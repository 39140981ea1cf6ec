import { join, relative, sep } from "node:path";
import { codeFiles, isLocalSource, type ToolName, tofuFiles } from "../hcl/code-files.ts";
import type { Block, ParsedFile, Problem, Reference } from "../hcl/syntax.ts";
import type { Host, Snapshot } from "../host/host.ts";
import { batches } from "../lib/batches.ts";
import { groupedBy } from "../lib/grouped.ts";
import { isInside } from "../lib/paths.ts";
import { unlessTooMuch, Work } from "../lib/work.ts";
import { decode } from "../secret/content.ts";
import { type InstalledModules, installedModules } from "./installed-modules.ts";
import { isForgotten, isLeftOut, OTHER_MODES } from "./set.ts";

/** A module in the tree of a root, with the content of its files. */
export interface Module {
  /** "" for the root, "module.network." for a module below it. */
  readonly prefix: string;
  readonly blocks: readonly Block[];
  readonly references: ParsedFile["references"];
  /** The blocks of all modules in the tree; undefined if there is only one module. */
  readonly everywhere?: readonly Block[];
}

export interface ModuleTree {
  /** The tool whose files were read. */
  readonly tool: ToolName;
  readonly modules: readonly Module[];
  /** Remote modules that init has not installed: "module.NAME (SOURCE)". */
  readonly unseen: readonly string[];
  /**
   * Modules for which init may fetch or evaluate a source: every call except those of a local folder that was read,
   * even if the module has no instance or is installed; and the modules of tests.
   */
  readonly fetched: readonly string[];
  /** Files that only OpenTofu reads, if it is not certain which tool is used. */
  readonly contested: readonly string[];
  /** Files that could not be read completely. */
  readonly broken: readonly Problem[];
  /** The folders of the modules, without symlinks. */
  readonly folders: readonly string[];
}

/** Terraform and OpenTofu also install the modules that their tests call. */
const TEST_FILE = /\.(tf|tofu)test\.(hcl|json)$/;

/** Parses a text into blocks. */
export type ReadFile = (text: string, name: string) => Promise<ParsedFile>;

/** Options for reading a tree. */
export interface ReadTree {
  /** The folder that file names are relative to. Default: the root. */
  readonly base?: string | undefined;
  /** The tool whose files count. */
  readonly tool?: ToolName;
  /** The user may run the other tool. */
  readonly isUncertain?: boolean;
  /** Where `terraform init` installs remote modules. Without it, they are not read. */
  readonly data?: string;
}

/**
 * Reads a root module, the local modules that it calls, and installed remote modules, each folder once. Files that
 * don't mention DigitalOcean and call no module are not parsed.
 *
 * @param root absolute path.
 */
export async function readModuleTree(
  { files }: Pick<Host, "files">,
  root: string,
  read: ReadFile,
  { base = root, tool = "terraform", isUncertain = false, data }: ReadTree = {},
): Promise<ModuleTree> {
  const modules: Module[] = [];
  const everywhere: Block[] = [];
  const unseen = new Set<string>();
  const fetched = new Set<string>();
  const contested: string[] = [];
  let installed: Promise<InstalledModules> | undefined;
  const broken: Problem[] = [];
  const seen = new Set<string>();
  const work = new Work(50_000_000);
  // The limit for other people's code: some 2 MB, which take 5 s.
  const workOnInstalled = new Work(100_000_000);
  await visit(root, "");
  for (const folder of [root, join(root, "tests")]) {
    for (const name of await files.list(folder)) if (TEST_FILE.test(name)) fetched.add(name);
  }
  return {
    ...{ tool, modules, broken, contested, folders: [...seen] },
    ...{ unseen: [...unseen].sort(), fetched: [...fetched].sort() },
  };

  /** @param within for an installed module: the folder that its links must stay in. */
  async function visit(folder: string, prefix: string, within?: string): Promise<void> {
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
    if (isUncertain) {
      contested.push(...tofuFiles(found).map((name) => relative(base, join(folder, name))));
    }
    for (const names of batches(codeFiles(found, tool))) {
      for (const file of await Promise.all(names.map((name) => parse(folder, name, within)))) {
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
    // An override file may set another count, and may omit the source.
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
        const isLocal = isLocalSource(source);
        const called = isLocal ? join(folder, source) : undefined;
        if (called !== undefined && (await isModule(called, within))) {
          await visit(called, `${name}.`, within);
          continue;
        }
        fetched.add(name);
        const brought = isLocal ? undefined : await broughtBy(attributes, name);
        if (brought !== undefined && (await isModule(brought.folder, brought.within))) {
          await visit(brought.folder, `${name}.`, brought.within);
        } else unseen.add(`${name} (${source ?? attributes.get("source")?.source ?? "?"})`);
      }
    }
  }

  /** The installed module for a call, if it matches the call in the code. */
  async function broughtBy(
    attributes: Block["attributes"],
    address: string,
  ): Promise<{ folder: string; within: string } | undefined> {
    const source = attributes.get("source")?.literal;
    const constraint = attributes.get("version");
    const version = constraint?.literal ?? undefined;
    if (data === undefined || typeof source !== "string") return undefined;
    if (constraint !== undefined && typeof version !== "string") return undefined;
    installed ??= installedModules(files, root, data);
    const { folderOf, within } = await installed;
    const call = { address, source, version: typeof version === "string" ? version : undefined };
    const folder = await folderOf(call);
    return folder === undefined ? undefined : { folder, within };
  }

  async function isModule(folder: string, within?: string): Promise<boolean> {
    if (within !== undefined && !isInside(await files.realpath(folder), within)) return false;
    // Resolving the path takes several lookups for each of its folders.
    const depth = folder.split(sep).length;
    const isWithin = unlessTooMuch(() => {
      work.spend(2000 + 10 * depth ** 2);
      return true;
    });
    if (!isWithin) return false;
    const names = await namesIn(folder);
    return typeof names === "string" || codeFiles(names, tool).length > 0;
  }

  /** Terraform ignores folders with a file's name. @returns the files' names, or why the folder cannot be listed. */
  async function namesIn(folder: string): Promise<readonly string[] | string> {
    const found = await files.entries(folder);
    if (typeof found === "string") return found;
    return found.flatMap(({ name, kind }) => (kind === "directory" ? [] : name));
  }

  async function parse(folder: string, name: string, within?: string): Promise<ParsedFile> {
    const file = relative(base, join(folder, name));
    const why = within === undefined ? undefined : await whyNotRead(join(folder, name), within);
    if (why !== undefined) return { ...NOTHING, problem: { file, line: 1, why } };
    const snapshot = await files.look(join(folder, name));
    // Terraform ignores a link to a folder, too.
    if (snapshot.kind === "unusable" && snapshot.why === "a directory") return NOTHING;
    const text = snapshot.kind === "file" ? decode(snapshot.bytes)?.text : undefined;
    if (text === undefined) {
      return { ...NOTHING, problem: { file, line: 1, why: whyNot(snapshot) } };
    }
    // A name may be written with escapes.
    if (!/digitalocean_|\bmodule\b|\bspaces_|\\[uU]/.test(text)) return NOTHING;
    const isWithin = within === undefined || spentOn(text.length * 40);
    return isWithin ? read(text, file) : { ...NOTHING, problem: { file, line: 1, why: TOO_MUCH } };
  }

  /** For a file of an installed module. */
  async function whyNotRead(path: string, within: string): Promise<string | undefined> {
    if (!isInside(await files.realpath(path), within))
      return "it is a link that leads outside the module";
    return spentOn(10_000) ? undefined : TOO_MUCH;
  }

  function spentOn(steps: number): boolean {
    const spent = unlessTooMuch(() => {
      workOnInstalled.spend(steps);
      return true;
    });
    return spent === true;
  }
}

/** Whether a block matters for scopes or keys. Thousands of others would fill the memory. */
function matters({ type, labels, attributes }: Block): boolean {
  if (type === "provider")
    return attributes.has("spaces_access_id") || attributes.has("spaces_secret_key");
  if (type === "resource" || type === "data")
    return labels[0]?.startsWith("digitalocean_") === true;
  if (OTHER_MODES.includes(type)) return labels[0]?.startsWith("digitalocean_") === true;
  return ["module", "import", "removed", "check"].includes(type);
}

/** The modules that a block removes entirely: their content is no longer in the code. */
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

const TOO_MUCH = "the installed modules are too large to read";

const NOTHING: ParsedFile = { blocks: [], references: [], problem: undefined };

function whyNot(snapshot: Snapshot): string {
  if (snapshot.kind === "absent") return "it is a broken link";
  return snapshot.kind === "unusable" ? snapshot.why : "not a text file";
}
