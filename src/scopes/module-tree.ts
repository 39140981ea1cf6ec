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
  /** Whose files were read. */
  readonly tool: ToolName;
  readonly modules: readonly Module[];
  /** Modules that are elsewhere, and that init has not brought: "module.NAME (SOURCE)". */
  readonly unseen: readonly string[];
  /**
   * What init may fetch, or work out where to fetch: every call but those of a local folder that was read,
   * also of a module that is left out, or that is there; and the modules of tests.
   */
  readonly fetched: readonly string[];
  /** Files that only OpenTofu reads, where it is not certain which tool is used. */
  readonly contested: readonly string[];
  /** Files that could not be read, or not in full. */
  readonly broken: readonly Problem[];
  /** Of the modules, without symlinks. */
  readonly folders: readonly string[];
}

/** Terraform and OpenTofu install what their tests call, too. */
const TEST_FILE = /\.(tf|tofu)test\.(hcl|json)$/;

/** Reads texts into blocks; the grammar is behind it. */
export type ReadFile = (text: string, name: string) => Promise<ParsedFile>;

/** How a tree is read. */
export interface ReadTree {
  /** What places name files from; where it is not said, the root. */
  readonly base?: string | undefined;
  /** Whose files count. */
  readonly tool?: ToolName;
  /** A person may start the other tool. */
  readonly isUncertain?: boolean;
  /** Where `terraform init` puts modules from elsewhere; where it is not said, they are not looked for. */
  readonly data?: string;
}

/**
 * Reads a root module, the local modules that it calls and those that `terraform init` has brought, each folder once.
 * Files that have no word of DigitalOcean and call no module are not parsed.
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
  // Others wrote these: some 2 MB of them, which take 5 s.
  const workOnInstalled = new Work(100_000_000);
  await visit(root, "");
  for (const folder of [root, join(root, "tests")]) {
    for (const name of await files.list(folder)) if (TEST_FILE.test(name)) fetched.add(name);
  }
  return {
    ...{ tool, modules, broken, contested, folders: [...seen] },
    ...{ unseen: [...unseen].sort(), fetched: [...fetched].sort() },
  };

  /** @param within of a module that init has brought: the folder whose files its links may name. */
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

  /** What init has brought for a call, where it is what the code asks for. */
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
    // Its path is resolved folder by folder, a few times.
    const depth = folder.split(sep).length;
    const isWithin = unlessTooMuch(() => {
      work.spend(2000 + 10 * depth ** 2);
      return true;
    });
    if (!isWithin) return false;
    const names = await namesIn(folder);
    return typeof names === "string" || codeFiles(names, tool).length > 0;
  }

  /** A folder of a file's name is nothing to Terraform. @returns why they cannot be listed, else. */
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
    // A link to a folder is nothing to Terraform, either.
    if (snapshot.kind === "unusable" && snapshot.why === "a directory") return NOTHING;
    const text = snapshot.kind === "file" ? decode(snapshot.bytes)?.text : undefined;
    if (text === undefined) {
      return { ...NOTHING, problem: { file, line: 1, why: whyNot(snapshot) } };
    }
    // A name may be written with escapes.
    if (!/digitalocean_|\bmodule\b|\\[uU]/.test(text)) return NOTHING;
    const isWithin = within === undefined || spentOn(text.length * 40);
    return isWithin ? read(text, file) : { ...NOTHING, problem: { file, line: 1, why: TOO_MUCH } };
  }

  /** Of a file of a module that init has brought. */
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

const TOO_MUCH = "the installed modules are too large to read";

const NOTHING: ParsedFile = { blocks: [], references: [], problem: undefined };

function whyNot(snapshot: Snapshot): string {
  if (snapshot.kind === "absent") return "it is a broken link";
  return snapshot.kind === "unusable" ? snapshot.why : "not a text file";
}
