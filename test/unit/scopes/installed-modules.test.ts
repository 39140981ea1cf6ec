import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { dir } from "tmp-promise";
import { describe, expect, it, onTestFinished } from "vitest";
import { readHcl } from "../../../src/hcl/hcl.ts";
import { nodeFiles } from "../../../src/host/files.ts";
import { dataFolder } from "../../../src/lib/paths.ts";
import { type ReadFile, readModuleTree } from "../../../src/scopes/module-tree.ts";

const read = async (text: string, name: string) => readHcl(text, name);

interface Entry {
  readonly Key: string;
  readonly Source: string;
  readonly Version?: string;
  readonly Dir: string;
}

const TAG = 'resource "digitalocean_tag" "t" {}\n';
const SOURCE = "git::https://example.com/net.git?ref=v1";

function call(source: string, more = ""): string {
  return `module "net" {\n  source = "${source}"\n${more}}\n`;
}

function noted(Source: string, more: Partial<Entry> = {}): Entry {
  return { Key: "net", Source, Dir: ".terraform/modules/net", ...more };
}

interface Given {
  /** By path from the root. */
  readonly files: Readonly<Record<string, string>>;
  readonly entries?: readonly Entry[];
  /** By path: the link's target, relative to its folder. */
  readonly links?: Readonly<Record<string, string>>;
  /** The value of TF_DATA_DIR; beside the root if it is absolute. */
  readonly data?: string;
}

/** The counted and uncounted parts of a tree, and the modules that init may fetch. */
async function counted(
  { files, entries, links = {}, data = ".terraform" }: Given,
  reading: ReadFile = read,
) {
  const { path, cleanup } = await dir({ prefix: "do-bootstrap-test-", unsafeCleanup: true });
  onTestFinished(() => cleanup());
  const root = join(path, "repo/root");
  const env = data === ".terraform" ? {} : { TF_DATA_DIR: data.replace("TOP", path) };
  const folder = dataFolder(root, env);
  const list = join(folder, "modules/modules.json");
  const texts = Object.entries(files).map(([name, text]) => [
    name.startsWith("DATA/") ? name.replace("DATA", folder) : join(root, name),
    text,
  ]);
  if (entries !== undefined) {
    texts.push([list, JSON.stringify({ Modules: entries }).replaceAll("TOP", path)]);
  }
  for (const [at = "", text = ""] of texts) {
    await mkdir(dirname(at), { recursive: true });
    await writeFile(at, text);
  }
  for (const [name, target] of Object.entries(links)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await symlink(target, join(root, name));
  }
  const tree = await readModuleTree({ files: nodeFiles }, root, reading, { data: folder });
  const { unseen, fetched, modules, broken } = tree;
  const resources = modules.flatMap(({ prefix, blocks }) =>
    blocks.filter(({ type }) => type === "resource").map(({ labels }) => prefix + labels[1]),
  );
  return { resources, unseen, fetched, broken: broken.map(({ why }) => why) };
}

const IN_NET = { ".terraform/modules/net/main.tf": TAG };

describe("a remote module that init installed is counted, and init may fetch it again", () => {
  it.each<[what: string, source: string, entry: Entry, more?: string]>([
    ["git", SOURCE, noted(SOURCE)],
    [
      "git, over SSH",
      "git@github.com:a/net.git?ref=v1",
      noted("git::ssh://git@github.com/a/net.git?ref=v1"),
    ],
    [
      "GitHub",
      "github.com/a/net//sub?ref=v1",
      noted("git::https://github.com/a/net.git//sub?ref=v1"),
    ],
    [
      "GitHub, with a slash at its end",
      "github.com/a/net//sub/?ref=v1",
      noted("git::https://github.com/a/net.git//sub?ref=v1"),
    ],
    ["GitHub, with .git", "github.com/a/net.git", noted("git::https://github.com/a/net.git")],
    ["Bitbucket", "bitbucket.org/a/net", noted("git::https://bitbucket.org/a/net.git")],
    ["an archive", "https://example.com/net.zip", noted("https://example.com/net.zip")],
    [
      "Terraform's registry",
      "a/net/digitalocean",
      noted("registry.terraform.io/a/net/digitalocean", { Version: "1.2.3" }),
    ],
    [
      "OpenTofu's registry",
      "a/net/digitalocean",
      noted("registry.opentofu.org/a/net/digitalocean", { Version: "1.2.3" }),
    ],
    [
      "another registry",
      "tf.acme.example/a/net/digitalocean",
      noted("tf.acme.example/a/net/digitalocean", { Version: "1.2.3" }),
    ],
    [
      "as an old release records it",
      "a/net/digitalocean",
      noted("a/net/digitalocean", { Version: "1.2.3" }),
    ],
    [
      "a release that the code allows",
      "a/net/digitalocean",
      noted("a/net/digitalocean", { Version: "1.2.3" }),
      '  version = "~> 1.2"\n',
    ],
    [
      "a path inside the installed modules",
      `${SOURCE}`,
      noted(SOURCE, { Dir: ".terraform/modules/net/../net" }),
    ],
  ])("%s", async (_, source, entry, more) => {
    expect(
      await counted({ files: { "main.tf": call(source, more), ...IN_NET }, entries: [entry] }),
    ).toEqual({
      resources: ["module.net.t"],
      unseen: [],
      fetched: ["module.net"],
      broken: [],
    });
  });

  it("with the local and remote modules that it calls", async () => {
    const files = {
      "main.tf": 'module "a" {\n  source = "./a"\n}\n',
      "a/main.tf": call(SOURCE),
      ".terraform/modules/a.net/main.tf":
        'module "in" {\n  source = "./in"\n}\nmodule "far" {\n  source = "x/far/y"\n}\n',
      ".terraform/modules/a.net/in/main.tf": TAG,
      ".terraform/modules/a.net.far/main.tf": TAG,
    };
    const entries = [
      { Key: "a.net", Source: SOURCE, Dir: ".terraform/modules/a.net" },
      {
        Key: "a.net.far",
        Source: "registry.terraform.io/x/far/y",
        Version: "1.0.0",
        Dir: ".terraform/modules/a.net.far",
      },
    ];
    expect(await counted({ files, entries })).toEqual({
      resources: ["module.a.module.net.module.in.t", "module.a.module.net.module.far.t"],
      unseen: [],
      fetched: ["module.a.module.net", "module.a.module.net.module.far"],
      broken: [],
    });
  });

  it.each<[what: string, data: string]>([
    ["in the root", "data"],
    ["elsewhere", "TOP/data"],
  ])("with TF_DATA_DIR %s", async (_, data) => {
    const files = { "main.tf": call(SOURCE), "DATA/modules/net/main.tf": TAG };
    const entries = [noted(SOURCE, { Dir: `${data}/modules/net` })];
    const { resources, unseen } = await counted({ files, entries, data });
    expect({ resources, unseen }).toEqual({ resources: ["module.net.t"], unseen: [] });
  });
});

describe("a module that does not match the code stays unseen", () => {
  const far = "a/net/digitalocean";
  it.each<[what: string, source: string, entries: readonly Entry[] | undefined, more?: string]>([
    ["nothing installed", SOURCE, undefined],
    ["no such module", SOURCE, [noted(SOURCE, { Key: "other" })]],
    ["another source", SOURCE, [noted("git::https://example.com/old.git?ref=v1")]],
    ["another ref", SOURCE, [noted("git::https://example.com/net.git?ref=v0")]],
    ["another host", "github.com/a/net", [noted("git::https://github.com.example.com/a/net.git")]],
    [
      "a release that the code does not allow",
      far,
      [noted(far, { Version: "1.2.3" })],
      '  version = "~> 2.0"\n',
    ],
    ["a prerelease", far, [noted(far, { Version: "1.2.3-rc1" })], '  version = "~> 1.0"\n'],
    ["no release", far, [noted(far)], '  version = "~> 1.0"\n'],
    ["an invalid constraint", far, [noted(far, { Version: "1.2.3" })], '  version = "newest"\n'],
    ["a computed constraint", far, [noted(far, { Version: "1.2.3" })], "  version = var.v\n"],
    ["a folder of the repo", SOURCE, [noted(SOURCE, { Dir: "mine" })]],
    ["a folder above", SOURCE, [noted(SOURCE, { Dir: "../../out" })]],
    ["an absolute folder", SOURCE, [noted(SOURCE, { Dir: "TOP/out" })]],
    ["a link outside the repo", SOURCE, [noted(SOURCE, { Dir: ".terraform/modules/link" })]],
    ["the folder of all modules", SOURCE, [noted(SOURCE, { Dir: ".terraform/modules" })]],
    ["a missing folder", SOURCE, [noted(SOURCE, { Dir: ".terraform/modules/gone" })]],
    [
      "a very long path",
      SOURCE,
      [noted(SOURCE, { Dir: `.terraform/modules/${"a/".repeat(50_000)}` })],
    ],
    ["a folder that is not a string", SOURCE, [noted(SOURCE, { Dir: 7 as never })]],
    ["entries that are not objects", SOURCE, [null as never, 3 as never]],
  ])("%s", async (_, source, entries, more) => {
    const outside = {
      "../../out/main.tf": TAG,
      "mine/main.tf": TAG,
      ".terraform/modules/main.tf": TAG,
    };
    const files = { "main.tf": call(source, more), ...IN_NET, ...outside };
    const links = { ".terraform/modules/link": "../../../../out" };
    const given = entries === undefined ? { files, links } : { files, entries, links };
    const { resources, unseen, fetched } = await counted(given);
    expect({ resources, unseen, fetched }).toEqual({
      resources: [],
      unseen: [`module.net (${source})`],
      fetched: ["module.net"],
    });
  });

  it.each<[what: string, source: string]>([
    ["a variable", "var.source"],
    ["a text with a variable", '"git::https://example.com/${var.net}.git"'],
    ["a function", 'file("source.txt")'],
  ])("a computed source: %s", async (_, source) => {
    const files = { "main.tf": `module "net" {\n  source = ${source}\n}\n`, ...IN_NET };
    const { resources, unseen } = await counted({ files, entries: [noted(source), noted(SOURCE)] });
    expect({ resources, unseen }).toEqual({
      resources: [],
      unseen: [expect.stringContaining("module.net (")],
    });
  });

  it("a module with count = 0 needs nothing, and init may fetch it", async () => {
    const files = { "main.tf": call(SOURCE, "  count = 0\n"), ...IN_NET };
    expect(await counted({ files, entries: [noted(SOURCE)] })).toEqual({
      ...{ resources: [], unseen: [], broken: [] },
      fetched: ["module.net"],
    });
  });
});

describe("an installed module can't refer to files outside it", () => {
  it("a file that links outside the module", async () => {
    const files = {
      "main.tf": call(SOURCE),
      "../../out/main.tf": TAG,
      ".terraform/modules/net/a.tf": TAG,
    };
    const links = { ".terraform/modules/net/b.tf": "../../../../../out/main.tf" };
    expect(await counted({ files, entries: [noted(SOURCE)], links })).toEqual({
      ...{ resources: ["module.net.t"], unseen: [], fetched: ["module.net"] },
      broken: ["it is a link that leads outside the module"],
    });
  });

  it("a module source above the installed modules", async () => {
    const files = {
      "main.tf": call(SOURCE),
      ".terraform/modules/net/a.tf": 'module "up" {\n  source = "../../../../../out"\n}\n',
      "../../out/main.tf": TAG,
    };
    const { resources, unseen } = await counted({ files, entries: [noted(SOURCE)] });
    expect({ resources, unseen }).toEqual({
      resources: [],
      unseen: ["module.net.module.up (../../../../../out)"],
    });
  });

  it("reports files that are too large and stops reading", async () => {
    const large = "# module\n".repeat(40_000);
    const many = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [`.terraform/modules/net/${i}.tf`, large]),
    );
    const given = { files: { "main.tf": call(SOURCE), ...many }, entries: [noted(SOURCE)] };
    const seen: string[] = [];
    const { broken } = await counted(given, async (text, name) => {
      seen.push(name);
      return name === "main.tf"
        ? read(text, name)
        : { blocks: [], references: [], problem: undefined };
    });
    expect(seen.length).toBeLessThan(10);
    expect(broken.filter((why) => /too large/.test(why ?? "")).length).toBeGreaterThan(0);
  });
});
