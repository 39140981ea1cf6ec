import { basename, join, posix, relative, sep } from "node:path";
import { textIn } from "../../../core/file-text.ts";
import { readTerraform } from "../../../hcl/read.ts";
import type { Block } from "../../../hcl/syntax.ts";
import type { Host } from "../../../host/host.ts";
import { groupedBy } from "../../../lib/grouped.ts";
import { isTerraformFile } from "../../../lib/paths.ts";
import { knownFiles } from "../../git/files.ts";
import type { Git } from "../../git/git.ts";
import { PROVIDER_SOURCE } from "../root/names.ts";
import { type CodeFolder, isBelow, isLibrary, type RepoLayout, rootsAmong } from "./layout.ts";

const UNIT = "terragrunt.hcl";
const STACK = /\.(tfcomponent|tfstack|tfdeploy)\.hcl$/;

const PATTERNS = [
  ...["*.tf", "*.tf.json", "*.tofu", "*.tofu.json"],
  ...["*.tfcomponent.hcl", "*.tfstack.hcl", "*.tfdeploy.hcl", `*${UNIT}`],
];

/** What tools download. */
const PASSED_OVER = /(^|\/)(\.terraform|\.terragrunt-cache|node_modules)(\/|$)/;

/**
 * Where git has Terraform code, or would take some. One question to git; a file is read where it may say which
 * folder is a root, and parsed where there are several.
 *
 * @param base what folders are named from, absolute.
 * @throws AppError GIT_FAILED
 */
export async function searchRoots(
  host: Pick<Host, "files" | "hclParser">,
  git: Git,
  base: string,
): Promise<RepoLayout> {
  const { files } = host;
  const [known, real] = await Promise.all([knownFiles(git, PATTERNS), files.realpath(base)]);
  const code = known.filter(({ name }) => !PASSED_OVER.test(name) && isCode(basename(name)));
  const here = relative(git.root, real).split(sep).join("/");
  const dirOf = (name: string) => posix.relative(`/${here}`, `/${posix.dirname(name)}`) || ".";
  const folders = groupedBy(code, ({ name }) => dirOf(name));
  const below = [...folders].filter(([dir]) => isBelow(dir));
  const having = (is: (name: string) => boolean) =>
    below.flatMap(([dir, all]) => (all.some(({ name }) => is(basename(name))) ? dir : [])).sort();
  const units = having((name) => name === UNIT);
  const inCode = new Set(having(isTerraformFile));
  const notCheckedOut = below.flatMap(([dir, all]) =>
    all.every(({ isAbsent }) => isAbsent) ? dir : [],
  );
  return {
    ...rootsAmong(await described()),
    units: units.filter((dir) => !inCode.has(dir)),
    stacks: having((name) => STACK.test(name)),
    notCheckedOut: notCheckedOut.sort(),
  };

  async function described(): Promise<CodeFolder[]> {
    const saying = new Map<string, readonly string[]>();
    for (const [dir, all] of folders) {
      const here = all.filter(({ isAbsent }) => !isAbsent).map(({ name }) => name);
      const names = await only(here, async (name) => says(await textOf(name), name));
      if (names.length > 0) saying.set(dir, names);
    }
    const [[dir = "", names = []] = [], another] = saying;
    // Nothing to tell apart: the usual case needs no grammar.
    if (another === undefined && inCode.has(dir) && !isLibrary(dir)) {
      const naming = await only(names, async (name) => NAMES.test(await textOf(name)));
      const alone = { isConfigured: true, calls: [], hasCode: true, isOfOtherTool: false };
      return [{ dir, usesDigitalOcean: naming.length > 0, ...alone }];
    }
    const all: CodeFolder[] = [];
    for (const [dir, names] of saying) {
      const blocks = (await Promise.all(names.map(blocksIn))).flat();
      const isOfOtherTool = names.some((name) => name.endsWith(".hcl"));
      all.push({ dir, ...describe(dir, blocks), hasCode: inCode.has(dir), isOfOtherTool });
    }
    return all;
  }

  async function blocksIn(name: string): Promise<readonly Block[]> {
    return (await readTerraform(host.hclParser, await textOf(name), name)).blocks;
  }

  async function textOf(name: string): Promise<string> {
    return textIn(await files.look(join(git.root, name)));
  }
}

/** Terraform does not read names that begin with a dot (docs/contracts/terraform.md 3.7). */
function isCode(name: string): boolean {
  return !name.startsWith(".") && (isTerraformFile(name) || STACK.test(name) || name === UNIT);
}

const NAMES = /digitalocean/i;

/** Whether a text may name DigitalOcean, or call a folder; a name may be written with escapes. */
function says(text: string, name: string): boolean {
  if (NAMES.test(text) || /\\[uU]/.test(text)) return true;
  return (name.endsWith(".hcl") || /\bmodule\b/.test(text)) && /"\.{1,2}["/]/.test(text);
}

function describe(
  dir: string,
  blocks: readonly Block[],
): Pick<CodeFolder, "usesDigitalOcean" | "isConfigured" | "calls"> {
  const settings = blocks.flatMap(({ type, blocks }) => (type === "terraform" ? blocks : []));
  const required = settings.flatMap(({ type, attributes }) =>
    type === "required_providers" ? [...attributes] : [],
  );
  const sources = new Map(
    required.map(([name, { fields }]) => [name, fields?.get("source")?.literal]),
  );
  const isOurs = (name: string) => {
    const source = sources.get(name);
    if (typeof source !== "string") return name === "digitalocean";
    return PROVIDER_SOURCE.test(source);
  };
  const isProvider = ({ type, labels }: Block) => type === "provider" && isOurs(labels[0] ?? "");
  const isResource = ({ type, labels }: Block) =>
    ["resource", "data", "ephemeral", "list", "action"].includes(type) &&
    labels[0]?.startsWith("digitalocean_") === true &&
    isOurs("digitalocean");
  return {
    usesDigitalOcean:
      [...sources.keys()].some(isOurs) || blocks.some(isProvider) || blocks.some(isResource),
    isConfigured:
      blocks.some(isProvider) ||
      settings.some(({ type }) => type === "backend" || type === "cloud"),
    calls: blocks.flatMap((block) => calledBy(block) ?? []).map((call) => posix.join(dir, call)),
  };
}

/** The local folder that a module, a component of a stack or a Terragrunt unit calls. */
function calledBy({ type, attributes }: Block): string | undefined {
  if (!["module", "component", "terraform"].includes(type)) return undefined;
  const source = attributes.get("source")?.literal;
  return typeof source === "string" && /^\.\.?(\/|$)/.test(source)
    ? source.replace(/\/+$/, "") || "."
    : undefined;
}

async function only(
  names: readonly string[],
  isWanted: (name: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const wanted: string[] = [];
  for (const name of names) if (await isWanted(name)) wanted.push(name);
  return wanted;
}
