import { basename, join, posix } from "node:path";
import { textIn } from "../../../core/file-text.ts";
import { CODE_PATTERNS, isLocalSource } from "../../../hcl/code-files.ts";
import { readTerraform } from "../../../hcl/read.ts";
import type { Block } from "../../../hcl/syntax.ts";
import type { Host } from "../../../host/host.ts";
import { batches } from "../../../lib/batches.ts";
import { groupedBy } from "../../../lib/grouped.ts";
import { isTerraformFile, pathFrom } from "../../../lib/paths.ts";
import { type KnownFile, knownFiles } from "../../git/files.ts";
import type { Git } from "../../git/git.ts";
import { localNamesIn } from "../root/local-name.ts";
import { type CodeFolder, isBelow, isLibrary, type RepoLayout, rootsAmong } from "./layout.ts";

const UNIT = "terragrunt.hcl";
const STACK = /\.(tfcomponent|tfstack|tfdeploy)\.hcl$/;

const PATTERNS = [
  ...CODE_PATTERNS,
  ...["*.tfcomponent.hcl", "*.tfstack.hcl", "*.tfdeploy.hcl", `*${UNIT}`],
];

/** Folders with downloads, or with code generated from another language. */
const PASSED_OVER = /(^|\/)(\.terraform|\.terragrunt-cache|node_modules|cdktf\.out)(\/|$)/;

/**
 * Finds Terraform code that git tracks or would add, with one git call. Reads a file only if it may help to find the
 * roots, and parses it only if there are several.
 *
 * @param base the folder that the names are relative to, absolute.
 * @throws AppError GIT_FAILED
 */
export async function searchRoots(
  host: Pick<Host, "files">,
  git: Git,
  base: string,
): Promise<RepoLayout> {
  const { files } = host;
  const [known, real] = await Promise.all([knownFiles(git, PATTERNS), files.realpath(base)]);
  const code = known.filter(({ name }) => !PASSED_OVER.test(name) && isCode(basename(name)));
  const here = pathFrom(git.root, real);
  const dirOf = (name: string) => posix.relative(`/${here}`, `/${posix.dirname(name)}`) || ".";
  const folders = groupedBy(code, ({ name }) => dirOf(name));
  const below = [...folders].filter(([dir]) => isBelow(dir));
  const left = await leftOut();
  const notCheckedOut = below.flatMap(([dir, all]) =>
    all.every(({ name }) => left.has(name)) ? dir : [],
  );
  /**
   * Files that other folders link to, next to code of their own. A folder with links only is a root like its target.
   */
  const shared = new Set<string>();
  /** Tracked files that were deleted from the work tree. */
  const gone = new Set<string>();
  const having = (is: (name: string) => boolean) =>
    below.flatMap(([dir, all]) => {
      const isOne = ({ name }: KnownFile) => !gone.has(name) && is(basename(name));
      return all.some(isOne) ? dir : [];
    });
  const inCode = new Set(having(isTerraformFile));
  const found = rootsAmong(await described());
  const withCode = new Set(having(isTerraformFile));
  const units = having((name) => name === UNIT).sort();
  return {
    ...found,
    units: units.filter((dir) => !withCode.has(dir)),
    stacks: having((name) => STACK.test(name)).sort(),
    notCheckedOut: notCheckedOut.sort(),
  };

  /** Uses the texts first, which is fast. Parses only if the texts leave a choice. */
  async function described(): Promise<readonly CodeFolder[]> {
    const saying = new Map<string, readonly string[]>();
    const read: Omit<CodeFolder, "hasCode" | "isOfOtherTool">[] = [];
    for (const [dir, all] of folders) {
      const texts = new Map<string, string>();
      const targets: string[] = [];
      for (const { name } of all) {
        if (left.has(name)) continue;
        const path = join(git.root, name);
        const snapshot = await files.look(path);
        if (snapshot.kind === "absent") gone.add(name);
        if (snapshot.target !== path) targets.push(snapshot.target);
        const text = textIn(snapshot);
        if (namesUs(text) || mayCall(text, name)) texts.set(name, text);
      }
      if (targets.length < all.length) for (const target of targets) shared.add(target);
      if (texts.size === 0) continue;
      saying.set(dir, [...texts.keys()]);
      const calling = [...texts].filter(([name, text]) => mayCall(text, name));
      const ofCalls = callsAmong(dir, await blocksOf(calling), inCode);
      const usesDigitalOcean = [...texts.values()].some(namesUs);
      read.push({ dir, usesDigitalOcean, isConfigured: true, hasBackend: true, ...ofCalls });
    }
    const byText = read.map((each) => ({ ...each, ...kindOf(each.dir) }));
    const { roots, callers } = rootsAmong(byText);
    const isClear =
      roots.every((dir) => !callers.has(dir) && !isLibrary(dir)) &&
      !byText.some(({ isUnclear }) => isUnclear);
    if (roots.length < 2 && isClear) return byText;
    return Promise.all(
      Array.from(saying, async ([dir, names]) => {
        const texts = names.map(async (name) => [name, await textOf(name)] as const);
        const blocks = await blocksOf(await Promise.all(texts));
        return { dir, ...describe(blocks), ...callsAmong(dir, blocks, inCode), ...kindOf(dir) };
      }),
    );
  }

  function kindOf(dir: string): Pick<CodeFolder, "hasCode" | "isOfOtherTool"> {
    const all = folders.get(dir) ?? [];
    const isOfOtherTool = all.some(({ name }) => name.endsWith(".hcl"));
    const isItsOwn = (name: string) => isTerraformFile(name) && !shared.has(join(git.root, name));
    return { hasCode: all.some(({ name }) => isItsOwn(name)), isOfOtherTool };
  }

  async function blocksOf(texts: readonly (readonly [name: string, text: string])[]) {
    const parsed = texts.map(([name, text]) => readTerraform(text, name));
    return (await Promise.all(parsed)).flatMap(({ blocks }) => blocks);
  }

  /** A file marked as absent may still be here: the user can set the mark, too. */
  async function leftOut(): Promise<ReadonlySet<string>> {
    const marked = code.flatMap(({ name, isAbsent }) => (isAbsent ? name : []));
    const found = new Set<string>();
    for (const batch of batches(marked)) {
      const looks = await Promise.all(batch.map((name) => files.look(join(git.root, name))));
      for (const [at, { kind }] of looks.entries())
        if (kind === "absent") found.add(batch[at] ?? "");
    }
    return found;
  }

  async function textOf(name: string): Promise<string> {
    return textIn(await files.look(join(git.root, name)));
  }
}

/** Terraform does not read names that begin with a dot (docs/contracts/terraform.md 3.7). */
function isCode(name: string): boolean {
  return !name.startsWith(".") && (isTerraformFile(name) || STACK.test(name) || name === UNIT);
}

/** Whether a text may name DigitalOcean. Escapes count, because a name may be written with them. */
function namesUs(text: string): boolean {
  return /digitalocean|\\u/i.test(text);
}

/** Whether the text may call a folder. */
function mayCall(text: string, name: string): boolean {
  if (posix.basename(name) === UNIT && /\b(source|include)\b/.test(text)) return true;
  const hasCalls = name.endsWith(".hcl") || /\bmodule\b|\\u/i.test(text);
  return hasCalls && /"\.{1,2}["/]|"\$\{|\\u/i.test(text);
}

function describe(
  blocks: readonly Block[],
): Pick<CodeFolder, "usesDigitalOcean" | "isConfigured" | "hasBackend"> {
  const settings = blocks.flatMap(({ type, blocks }) => (type === "terraform" ? blocks : []));
  const { localNames, requiredProviders } = localNamesIn(blocks);
  const isProvider = ({ type, labels }: Block) =>
    type === "provider" && localNames.includes(labels[0] ?? "");
  const isResource = ({ type, labels }: Block) =>
    ["resource", "data", "ephemeral", "list", "action"].includes(type) &&
    labels[0]?.startsWith("digitalocean_") === true &&
    localNames.length > 0;
  const hasBackend = settings.some(({ type }) => type === "backend" || type === "cloud");
  return {
    usesDigitalOcean:
      requiredProviders?.hasOurs === true || blocks.some(isProvider) || blocks.some(isResource),
    isConfigured: hasBackend || blocks.some(isProvider),
    hasBackend,
  };
}

/** The folders that a folder calls, and whether that list may be incomplete. */
function callsAmong(
  dir: string,
  blocks: readonly Block[],
  inCode: ReadonlySet<string>,
): Pick<CodeFolder, "calls" | "isUnclear"> {
  const calls = callsOf(dir, blocks, inCode);
  return { calls, isUnclear: isUnclear(blocks, calls) };
}

/** The folders that a folder's blocks call. */
function callsOf(dir: string, blocks: readonly Block[], inCode: ReadonlySet<string>): string[] {
  return blocks.flatMap((block) => {
    const called = calledFolder(block);
    if (called !== undefined) return posix.join(dir, called);
    // Terragrunt functions return a folder above the unit: get_repo_root(), find_in_parent_folders().
    const [, below] = /^"\$\{[^}]*\}\/+([^"$]+)"$/.exec(sourceOf(block)?.source ?? "") ?? [];
    const places = below === undefined ? [] : foldersAbove(dir).map((at) => posix.join(at, below));
    return places.find((place) => inCode.has(place)) ?? [];
  });
}

/** True for a unit whose called folder is in another file, or comes from a function that we don't evaluate. */
function isUnclear(blocks: readonly Block[], calls: readonly string[]): boolean {
  const sources = blocks.flatMap((block) =>
    block.type === "terraform" ? (sourceOf(block) ?? []) : [],
  );
  if (sources.length === 0) return blocks.some(({ type }) => type === "include");
  return calls.length === 0 && sources.some(({ literal }) => typeof literal !== "string");
}

/** From the folder itself up to the base. */
function foldersAbove(dir: string): string[] {
  const names = dir.split("/");
  return [...names.map((_, at) => names.slice(0, names.length - at).join("/")), "."];
}

/** The local folder that a module, a stack component or a Terragrunt unit calls. */
export function calledFolder(block: Block): string | undefined {
  const source = sourceOf(block)?.literal;
  return isLocalSource(source) ? source.replace(/\/+$/, "") || "." : undefined;
}

function sourceOf({ type, attributes }: Block) {
  return ["module", "component", "terraform"].includes(type) ? attributes.get("source") : undefined;
}
