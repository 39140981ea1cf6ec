import { join, relative } from "node:path";
import type { Stranger } from "../../../exec/exec-config.ts";
import { isLocalSource } from "../../../hcl/code-files.ts";
import { readTerraform } from "../../../hcl/read.ts";
import type { Block, SourceLocation } from "../../../hcl/syntax.ts";
import type { Host } from "../../../host/host.ts";
import { batches } from "../../../lib/batches.ts";
import { isTerraformFile } from "../../../lib/paths.ts";
import { decode } from "../../../secret/content.ts";
import { PLAIN_URL } from "./backend.ts";
import { localNamesIn } from "./local-name.ts";

/** The hosts that blocks of DigitalOcean's provider name (docs/design.md rule 2). */
export interface ProviderHosts {
  /** Blocks that may send Spaces keys to a host other than Spaces. */
  readonly strangeProviders: readonly StrangeProvider[];
  /** Blocks that may send the token to a host other than DigitalOcean's. */
  readonly otherApis: readonly StrangeProvider[];
}

export interface StrangeProvider {
  /** The file is relative to the root. */
  readonly place: SourceLocation;
  readonly strangers: readonly Stranger[];
}

/** The hosts that the provider blocks of one module name. */
export function providerHostsIn(blocks: readonly Block[]): ProviderHosts {
  const { localNames } = localNamesIn(blocks);
  const names = new Set([...localNames, ...unclearNamesIn(blocks)]);
  const ours = blocks.filter(
    ({ type, labels: [name = ""] }) => type === "provider" && names.has(name),
  );
  const strange = (setting: string, isUsual: (url: string) => boolean) =>
    ours.flatMap(({ attributes, place }): StrangeProvider[] => {
      const { literal } = attributes.get(setting) ?? { literal: null };
      if (literal === null || (typeof literal === "string" && isUsual(literal))) return [];
      const host = typeof literal === "string" && PLAIN_URL.test(literal) ? literal : "";
      return [{ place, strangers: [{ setting, host }] }];
    });
  return {
    strangeProviders: strange("spaces_endpoint", (url) => SPACES_URL.test(url)),
    otherApis: strange("api_endpoint", (url) => API_URL.test(url)),
  };
}

/** The provider replaces the placeholder with a region (docs/contracts/terraform.md 1). */
const SPACES_URL = /^https:\/\/(\{\{ ?\.Region ?\}\}|[a-z]{3}\d)\.digitaloceanspaces\.com\/?$/;
const API_URL = /^https:\/\/([a-z\d-]+\.)*digitalocean\.com\/?$/;

/** Local names of providers whose address is not a plain string. Any of them may be ours. */
function unclearNamesIn(blocks: readonly Block[]): string[] {
  return blocks
    .flatMap(({ type, blocks: parts }) => (type === "terraform" ? parts : []))
    .filter(({ type }) => type === "required_providers")
    .flatMap(({ attributes }) => [...attributes])
    .flatMap(([name, { literal, fields }]) => {
      const isPlain = typeof (fields?.get("source")?.literal ?? literal) === "string";
      return isPlain || (fields !== undefined && fields.size === 0) ? [] : name;
    });
}

/**
 * The hosts that provider blocks in called modules name: Terraform allows such a block in a module, too. Only local
 * modules are read, each folder once.
 *
 * @param root the root's folder, absolute.
 * @param sources the local modules that the root calls.
 * @returns also the folders that were read, and the links to them, relative to the root.
 */
export async function providerHostsBelow(
  { files }: Pick<Host, "files">,
  root: string,
  sources: readonly string[],
): Promise<ProviderHosts & { readonly folders: readonly string[] }> {
  const folders = new Set<string>();
  const links = new Set<string>();
  const found: ProviderHosts[] = [];
  const waiting = [...sources];
  for (let source = waiting.shift(); source !== undefined; source = waiting.shift()) {
    const link = join(source);
    if (links.has(link)) continue;
    links.add(link);
    if (links.size > MOST_FOLDERS) {
      found.push(TOO_MANY);
      break;
    }
    // Terraform follows links before it resolves what a module calls.
    const folder = relative(await files.realpath(root), await files.realpath(join(root, source)));
    if (folders.has(folder)) continue;
    folders.add(folder);
    const blocks = await blocksIn(folder);
    found.push(providerHostsIn(blocks));
    waiting.push(...localCallsIn(blocks).map((each) => join(folder, each)));
  }
  return {
    strangeProviders: found.flatMap(({ strangeProviders }) => strangeProviders),
    otherApis: found.flatMap(({ otherApis }) => otherApis),
    folders: [...new Set([...links, ...folders])],
  };

  /** Most modules name no host, so only their calls are parsed. */
  async function blocksIn(folder: string): Promise<Block[]> {
    const names = (await files.list(join(root, folder))).filter(isTerraformFile);
    const texts: (readonly [name: string, text: string])[] = [];
    for (const batch of batches(names)) {
      const looks = await Promise.all(batch.map((name) => files.look(join(root, folder, name))));
      for (const [at, look] of looks.entries()) {
        const text = look.kind === "file" ? decode(look.bytes)?.text : undefined;
        if (text !== undefined) texts.push([join(folder, batch[at] ?? ""), text]);
      }
    }
    const namesHost = texts.some(([name, text]) => isJson(name) || /_endpoint\b/.test(text));
    const read = texts.filter(
      ([name, text]) => namesHost || isJson(name) || /\bmodule\b/.test(text),
    );
    const parsed = await Promise.all(read.map(([name, text]) => readTerraform(text, name)));
    return parsed.flatMap(({ blocks }) => blocks);
  }
}

/** Other people's code may have any number. What is not read may name a host. */
const MOST_FOLDERS = 1_000;
const UNREAD = [
  {
    place: { file: ".", line: 1 },
    strangers: [{ setting: `more than ${MOST_FOLDERS} local modules`, host: "" }],
  },
];
const TOO_MANY: ProviderHosts = { strangeProviders: UNREAD, otherApis: UNREAD };

/** The sources of the local modules that these blocks call; of an expression, each that it may give. */
export function localCallsIn(blocks: readonly Block[]): readonly string[] {
  return blocks.flatMap(({ type, attributes }) => {
    const { literal, source = "" } = (type === "module" && attributes.get("source")) || {};
    if (literal !== undefined) return isLocalSource(literal) ? literal : [];
    return [...source.matchAll(/"(\.\.?(?:\/[^"$%]*)?)"/g)].map(([, path = ""]) => path);
  });
}

/** JSON can write any name with escapes. */
function isJson(name: string): boolean {
  return name.endsWith(".json");
}
