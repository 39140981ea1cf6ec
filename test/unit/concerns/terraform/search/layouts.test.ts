import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Git } from "../../../../../src/concerns/git/git.ts";
import type {
  RootsChoice,
  WantedRoots,
} from "../../../../../src/concerns/terraform/search/choose.ts";
import { RootSearch } from "../../../../../src/concerns/terraform/search/find.ts";
import { judgeLayout } from "../../../../../src/concerns/terraform/search/judge.ts";
import { environmentsAmong } from "../../../../../src/concerns/terraform/search/layout.ts";
import { type Entry, memoryFiles } from "../../../memory-files.ts";

// The layouts are those of public DigitalOcean repos, rebuilt in our own words: single roots in odd places
// (deploy/, ops/terraform/, iac/), kubernetes and app repos with one folder of code, folders by environment
// (environments/, envs/, live/), by region and by stack, published modules with examples, Terragrunt and Stacks.

const DO = 'resource "digitalocean_droplet" "web" {}';
const NEEDS = 'terraform { required_providers { do = { source = "digitalocean/digitalocean" } } }';
const CONFIGURED = `provider "digitalocean" {}\n${DO}`;
const AWS = 'provider "aws" {}\nresource "aws_instance" "web" {}';
const BLOCK = "# do-bootstrap: keep secrets and state out of git\n.env\n# do-bootstrap: end\n";
const calls = (...sources: readonly string[]) =>
  sources.map((source, at) => `module "m${at}" { source = "${source}" }`).join("\n");

/** Files by path from the repo's top folder. */
type Tree = Readonly<Record<string, Entry>>;
type Kind = RootsChoice["kind"];

describe("which roots are found", () => {
  it.each<[string, Tree, Kind, readonly string[], ids?: readonly string[]]>([
    // One root.
    ["at the top", { "main.tf": DO }, "found", ["."]],
    ["in terraform/", { "terraform/main.tf": DO }, "found", ["terraform"]],
    ["in a folder with another name", { "deploy/main.tf": DO, "app.js": "" }, "found", ["deploy"]],
    ["in a deep folder", { "ops/cloud/do/main.tf": DO }, "found", ["ops/cloud/do"]],
    ["in a folder with a dot", { ".infra/main.tf": DO }, "found", [".infra"]],
    ["in JSON", { "iac/main.tf.json": '{"provider":{"digitalocean":{}}}' }, "found", ["iac"]],
    ["in OpenTofu's files", { "iac/main.tofu": DO }, "found", ["iac"]],
    ["only the provider's source", { "iac/versions.tf": NEEDS }, "found", ["iac"]],
    ["only a data source", { "iac/a.tf": 'data "digitalocean_account" "a" {}' }, "found", ["iac"]],
    ["with a module inside", { "iac/a.tf": calls("./web"), "iac/web/a.tf": DO }, "found", ["iac"]],
    [
      "with modules next to it",
      { "iac/a.tf": calls("../modules/web"), "modules/web/a.tf": DO },
      "found",
      ["iac"],
    ],
    [
      "through a module of a module",
      { "iac/a.tf": calls("../a"), "a/a.tf": calls("../b"), "b/b.tf": DO },
      "found",
      ["iac"],
    ],
    [
      "through a source with //",
      { "iac/a.tf": calls("../modules//web"), "modules/web/a.tf": DO },
      "found",
      ["iac"],
    ],
    ["next to a root for another cloud", { "aws/a.tf": AWS, "do/a.tf": DO }, "found", ["do"]],
    [
      "not: a module that nothing calls",
      { "iac/a.tf": DO, "modules/web/a.tf": DO },
      "found",
      ["iac"],
    ],
    [
      "not: two modules that call each other",
      { "iac/a.tf": DO, "a/a.tf": calls("../b"), "b/a.tf": `${calls("../a")}\n${DO}` },
      "found",
      ["iac"],
    ],
    [
      "not: downloaded modules that git tracks",
      { "iac/a.tf": DO, "iac/.terraform/modules/x/a.tf": DO },
      "found",
      ["iac"],
    ],
    [
      "not: a file whose name starts with a dot",
      { "iac/a.tf": DO, "x/.a.tf": DO },
      "found",
      ["iac"],
    ],
    [
      "not: code with DigitalOcean only in a comment",
      { "iac/a.tf": DO, "aws/a.tf": `# as on digitalocean\n${AWS}` },
      "found",
      ["iac"],
    ],
    [
      "not: another provider with that name",
      {
        "iac/a.tf": DO,
        "x/a.tf": `terraform { required_providers { digitalocean = { source = "acme/digitalocean" } } }\n${DO}`,
      },
      "found",
      ["iac"],
    ],
    ["broken code", { "iac/a.tf": `${DO}\nresource "x" {` }, "found", ["iac"]],
    // Folders that count only if the config names them.
    [
      "with an example",
      { "iac/a.tf": CONFIGURED, "examples/a/a.tf": CONFIGURED },
      "found",
      ["iac"],
    ],
    [
      "with a test that calls it",
      { "main.tf": CONFIGURED, "test/a.tf": calls("..") },
      "found",
      ["."],
    ],
    [
      "with fixtures and vendored code",
      { "iac/a.tf": DO, "fixtures/a.tf": DO, "vendor/a/a.tf": DO },
      "found",
      ["iac"],
    ],
    [
      "only an example, in an app",
      { "examples/a/a.tf": DO, "app.js": "" },
      "none",
      [],
      ["info terraform.no-root"],
    ],
    // As in terraform-do-modules/terraform-digitalocean-kubernetes.
    [
      "a published module with wrappers",
      { "main.tf": DO, "wrappers/a.tf": calls("../"), "_examples/a/a.tf": calls("../..") },
      "usual",
      ["."],
    ],
    ["a published module", { "main.tf": DO, "examples/a/a.tf": calls("../..") }, "usual", ["."]],
    [
      "not: a folder with only the target of a link",
      {
        "iac/main.tf": DO,
        "iac/providers.tf": { text: CONFIGURED, leadsTo: "/repo/shared/providers.tf" },
        "shared/providers.tf": CONFIGURED,
      },
      "found",
      ["iac"],
    ],
    // Several roots.
    [
      "one that links to all files of another",
      { "dev/a.tf": DO, "prod/a.tf": { text: DO, leadsTo: "/repo/dev/a.tf" } },
      "several",
      ["dev", "prod"],
      ["error terraform.several-roots"],
    ],
    [
      "infra/ comes before other folders",
      { "infra/a.tf": DO, "other/a.tf": DO },
      "found",
      ["infra"],
      ["info terraform.other-roots"],
    ],
    [
      "the top folder comes before other folders",
      { "a.tf": DO, "other/a.tf": DO, "more/a.tf": DO },
      "found",
      ["."],
      ["info terraform.other-roots"],
    ],
    [
      "two usual folders",
      { "infra/a.tf": DO, "terraform/a.tf": DO },
      "several",
      ["infra", "terraform"],
      ["error terraform.several-roots"],
    ],
    [
      "no usual folder",
      { "a/a.tf": DO, "b/a.tf": DO },
      "several",
      ["a", "b"],
      ["error terraform.several-roots"],
    ],
    [
      "one per environment",
      { "environments/dev/a.tf": DO, "environments/prod/a.tf": DO },
      "several",
      ["environments/dev", "environments/prod"],
      ["error terraform.several-roots"],
    ],
    [
      "one per environment, with one module",
      { "envs/dev/a.tf": calls("../../app"), "envs/prod/a.tf": calls("../../app"), "app/a.tf": DO },
      "several",
      ["envs/dev", "envs/prod"],
      ["error terraform.several-roots"],
    ],
    [
      "one per region",
      { "nyc/a.tf": DO, "ams/a.tf": DO, "modules/a/a.tf": DO },
      "several",
      ["ams", "nyc"],
      ["error terraform.several-roots"],
    ],
    [
      "infra/ as a module of other roots",
      { "infra/a.tf": DO, "dev/a.tf": calls("../infra"), "prod/a.tf": calls("../infra") },
      "several",
      ["dev", "prod"],
      ["error terraform.several-roots"],
    ],
    [
      "one with a backend, even if another one calls it",
      {
        "a/a.tf": `terraform { backend "s3" {} }\n${DO}`,
        "test/x/a.tf": calls("../../a"),
        "b/a.tf": DO,
      },
      "several",
      ["a", "b"],
      ["error terraform.several-roots"],
    ],
    // No root.
    ["an empty repo", {}, "usual", ["."]],
    [
      "the files of a new repo",
      { "README.md": "", LICENSE: "", ".editorconfig": "", "package.json": "{}" },
      "usual",
      ["."],
    ],
    [
      "an app",
      { "package.json": "{}", "src/index.ts": "" },
      "none",
      [],
      ["info terraform.no-root"],
    ],
    [
      "code for another cloud, in another folder",
      { "aws/a.tf": AWS },
      "none",
      [],
      ["info terraform.no-root"],
    ],
    ["code for another cloud, in infra/", { "infra/a.tf": AWS }, "usual", ["infra"]],
    [
      "only a variable, in terraform/",
      { "terraform/a.tf": 'variable "x" {}' },
      "usual",
      ["terraform"],
    ],
    ["a new repo with empty folders", { "infra/.gitkeep": "", "README.md": "" }, "usual", ["."]],
    [
      "infra/ without Terraform",
      { "infra/playbook.yml": "", "README.md": "" },
      "none",
      [],
      ["info terraform.no-root"],
    ],
    [
      "a new repo with a submodule",
      { "README.md": "", ".gitmodules": "" },
      "none",
      [],
      ["info terraform.no-root"],
    ],
    [
      "the output of CDK for Terraform",
      { "main.ts": "", "cdktf.out/stacks/x/cdk.tf.json": '{"provider":{"digitalocean":{}}}' },
      "none",
      [],
      ["info terraform.no-root"],
    ],
    ["only modules", { "modules/web/a.tf": DO }, "none", [], ["info terraform.no-root"]],
    // As in ArtiomL/terraform-do: env/prod calls modules/ by the repo's address.
    [
      "a module that is called by the repo's address",
      {
        "env/prod/a.tf": 'module "do" { source = "github.com/a/tf/modules" }',
        "modules/a.tf": `${CONFIGURED}\n${calls("./web")}`,
        "modules/web/a.tf": DO,
      },
      "none",
      [],
      ["info terraform.no-root"],
    ],
    [
      "a root in modules/, which has a backend",
      { "modules/a.tf": `terraform { backend "s3" {} }\n${CONFIGURED}` },
      "found",
      ["modules"],
    ],
    // Other tools.
    [
      "Terragrunt units of a module",
      { "live/dev/terragrunt.hcl": 'terraform { source = "../../app" }', "app/a.tf": DO },
      "none",
      [],
      ["info terraform.terragrunt"],
    ],
    [
      "Terragrunt units of a module in infra/",
      { "live/dev/terragrunt.hcl": 'terraform { source = "../../infra" }', "infra/a.tf": DO },
      "none",
      [],
      ["info terraform.terragrunt"],
    ],
    [
      "Terragrunt units with a module path from the repo's top folder",
      {
        "live/dev/terragrunt.hcl": 'terraform { source = "${get_repo_root()}//app/web" }',
        "app/web/a.tf": DO,
        "boot/a.tf": CONFIGURED,
      },
      "found",
      ["boot"],
      ["info terraform.terragrunt"],
    ],
    [
      "Terragrunt units that include the module's source",
      {
        "live/dev/terragrunt.hcl": 'include "web" { path = find_in_parent_folders("web.hcl") }',
        "app/a.tf": DO,
        "terraform/a.tf": DO,
      },
      "none",
      [],
      ["info terraform.terragrunt"],
    ],
    [
      "a root with a provider, next to Terragrunt units",
      {
        "live/dev/terragrunt.hcl": 'terraform { source = "${local.modules}//app" }',
        "app/a.tf": DO,
        "boot/a.tf": CONFIGURED,
      },
      "found",
      ["boot"],
      ["info terraform.terragrunt"],
    ],
    [
      "Terragrunt units of remote modules",
      {
        "live/dev/terragrunt.hcl":
          'include "root" { path = "x.hcl" }\nterraform { source = "git::https://git.example/m.git" }',
        "boot/a.tf": DO,
      },
      "found",
      ["boot"],
      ["info terraform.terragrunt"],
    ],
    [
      "a Terragrunt unit with code and an include",
      { "live/a/terragrunt.hcl": 'include "root" { path = "../../root.hcl" }', "live/a/a.tf": DO },
      "found",
      ["live/a"],
    ],
    [
      "a stack's component in infra/",
      { "s/a.tfcomponent.hcl": 'component "web" { source = "../infra" }', "infra/a.tf": DO },
      "none",
      [],
      ["info terraform.stack"],
    ],
    [
      "a Terragrunt config in the folder above a root",
      { "terragrunt.hcl": "", "iac/a.tf": DO },
      "found",
      ["iac"],
      ["info terraform.terragrunt"],
    ],
    [
      "a root with a terragrunt.hcl next to its code",
      { "iac/terragrunt.hcl": "", "iac/a.tf": DO },
      "found",
      ["iac"],
    ],
    [
      "a stack",
      { "main.tfcomponent.hcl": 'component "web" { source = "./web" }', "web/a.tf": DO },
      "none",
      [],
      ["info terraform.stack"],
    ],
    [
      "a stack with the older file names",
      { "s/a.tfstack.hcl": "", "s/b.tfdeploy.hcl": "" },
      "none",
      [],
      ["info terraform.stack"],
    ],
  ])("%s", async (_, tree, kind, dirs, ids = []) => {
    const { found, said } = await search(tree);
    expect([found?.choice.kind, found?.choice.dirs]).toEqual([kind, dirs]);
    expect(said).toEqual(ids);
  });

  it.each<[string, Tree, boolean]>([
    [
      "the only usual folder has do-bootstrap.tf",
      { "infra/do-bootstrap.tf": DO, "other/a.tf": DO },
      false,
    ],
    [
      "the only usual folder is a link to the code",
      { infra: { leadsTo: "/repo/iac" }, "infra/do-bootstrap.tf": DO, "iac/do-bootstrap.tf": DO },
      true,
    ],
    [
      "the only usual folder of a prepared repo has a provider block",
      { ".gitignore": BLOCK, "infra/a.tf": CONFIGURED, "other/a.tf": DO },
      false,
    ],
    [
      "the only usual folder of a prepared repo is a link",
      {
        ".gitignore": BLOCK,
        infra: { leadsTo: "/repo/iac" },
        "infra/a.tf": CONFIGURED,
        "iac/a.tf": CONFIGURED,
      },
      true,
    ],
    [
      "a usual folder with a provider block, in an unprepared repo",
      { "infra/a.tf": CONFIGURED },
      true,
    ],
    [
      "a usual folder without a provider block, in a prepared repo",
      { ".gitignore": BLOCK, "infra/a.tf": DO + NEEDS },
      true,
    ],
    [
      "a usual folder for another cloud, in a prepared repo",
      { ".gitignore": BLOCK, "infra/a.tf": AWS },
      true,
    ],
    [
      "two usual folders, one of them with do-bootstrap.tf",
      { "infra/do-bootstrap.tf": DO, "terraform/a.tf": DO },
      true,
    ],
    ["a usual folder without do-bootstrap.tf", { "infra/provider.tf": DO }, true],
    ["another folder with do-bootstrap.tf", { "iac/do-bootstrap.tf": DO }, true],
  ])("whether a search is needed: %s", async (_, tree, isNeeded) => {
    const { found, dirs } = await search(tree);
    expect(found !== undefined).toBe(isNeeded);
    if (!isNeeded) expect(dirs).toEqual(["infra"]);
  });

  it.each<[string, Tree, Kind, readonly string[]]>([
    ["next to the repo's root", { "infra/a.tf": DO }, "none", ["info terraform.no-root"]],
    [
      "next to a root in JSON",
      { "x/iac/a.tf.json": '{"provider":{"digitalocean":{}}}' },
      "none",
      ["info terraform.no-root"],
    ],
    ["next to modules only", { "modules/web/a.tf": DO }, "usual", []],
    ["next to a root for another cloud", { "infra/a.tf": AWS }, "usual", []],
    ["next to an example", { "examples/a/a.tf": CONFIGURED }, "usual", []],
  ])("a run in a new folder: %s", async (_, tree, kind, ids) => {
    const { found, said } = await search({ "docs/README.md": "", ...tree }, { base: "docs" });
    expect([found?.choice.kind, said]).toEqual([kind, ids]);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ["another root", ["infra/a.tf"], ["info terraform.not-here"]],
    ["a module that the root calls", ["app/a.tf"], []],
    ["a module that the root does not call", ["modules/x/a.tf"], []],
    ["an example", ["examples/a/a.tf"], []],
  ])("a sparse checkout with the root, but without %s", async (_, absent, ids) => {
    const tree = {
      "iac/a.tf": `${DO}\n${calls("../app")}`,
      ...Object.fromEntries(absent.map((name) => [name, DO])),
    };
    const { found, said } = await search(tree, { absent });
    expect([found?.choice.dirs, said]).toEqual([["iac"], ids]);
  });

  it("deleted Terragrunt units that git still tracks do not count", async () => {
    const tree = { "live/a/terragrunt.hcl": 'terraform { source = "../../iac" }', "iac/a.tf": DO };
    const removed = { absent: ["live/a/terragrunt.hcl"], marked: [] };
    const { found, said } = await search(tree, removed);
    expect([found?.choice.dirs, said]).toEqual([["iac"], []]);
  });

  it("a file with git's skip-worktree bit counts if it exists", async () => {
    const tree = { "iac/a.tf": DO };
    const { found } = await search(tree, { marked: ["iac/a.tf"] });
    expect([found?.choice.dirs, found?.layout.notCheckedOut]).toEqual([["iac"], []]);
  });

  it("a sparse checkout without the code", async () => {
    const { found, said } = await search(
      { "app.js": "", "infra/main.tf": DO },
      { absent: ["infra/main.tf"] },
    );
    expect(found?.choice).toEqual({ kind: "none", dirs: [] });
    expect(said).toEqual(["info terraform.not-here"]);
  });

  // As in jyojith/do-terraform.
  it.each([
    "${get_repo_root()}/stacks/dns",
    "${get_repo_root()}//stacks/dns",
    '${dirname(find_in_parent_folders("root.hcl"))}/../stacks/dns',
    "${get_terragrunt_dir()}/../../../stacks/dns",
  ])("a unit's source with Terragrunt functions: %s", async (source) => {
    const { found } = await search({
      "environments/root.hcl": "",
      "environments/dev/dns/terragrunt.hcl": `terraform {\n  source = "${source}"\n}\n`,
      "stacks/dns/a.tf": CONFIGURED,
      "variables.tf": "# nothing",
    });
    expect(found?.choice).toEqual({ kind: "none", dirs: [] });
    expect(found?.layout.ofOtherTools).toEqual(["stacks/dns"]);
  });

  it("lists the modules that Terragrunt and stacks use as roots", async () => {
    const { found } = await search({
      "live/terragrunt.hcl": 'terraform { source = "..//app" }',
      "app/a.tf": DO,
      "s/a.tfcomponent.hcl": 'component "web" { source = "../web" }',
      "web/a.tf": DO,
      "aws/a.tf": AWS,
    });
    expect(found?.layout.ofOtherTools).toEqual(["app", "web"]);
  });
});

describe("roots that the user asks for", () => {
  const two = { "a/a.tf": DO, "b/a.tf": DO };
  const app = { "app.js": "" };

  it.each<[string, Tree, WantedRoots, Kind, readonly string[]]>([
    ["all of two", two, "all", "chosen", ["a", "b"]],
    ["all of one", { "a/a.tf": DO }, "all", "found", ["a"]],
    [
      "all, with a usual folder",
      { ...two, "infra/a.tf": DO },
      "all",
      "chosen",
      ["a", "b", "infra"],
    ],
    ["one of two", two, ["b"], "chosen", ["b"]],
    ["a new one, in an app without roots", app, "new", "usual", ["."]],
    ["a new one, in a repo with one", { "a/a.tf": DO }, "new", "found", ["a"]],
    ["all, without any", app, "all", "none", []],
  ])("%s", async (_, tree, wanted, kind, dirs) => {
    const { found } = await search(tree, { wanted });
    expect([found?.choice.kind, found?.choice.dirs]).toEqual([kind, dirs]);
  });
});

describe("roots that the config does not name", () => {
  const two = { "dev/a.tf": DO, "prod/a.tf": DO };

  it.each<
    [
      string,
      Tree,
      { claimed?: readonly string[]; isWanted?: boolean; hasConfig?: boolean },
      Kind,
      readonly string[],
      ids?: readonly string[],
    ]
  >([
    [
      "every root belongs to an environment",
      two,
      { claimed: ["dev", "prod"] },
      "claimed",
      [],
      ["info terraform.no-root"],
    ],
    ["one root belongs to no environment", two, { claimed: ["dev"] }, "found", ["prod"]],
    [
      "roots of environments, and other code in the top folder",
      { ...two, "a.tf": AWS },
      { claimed: ["dev", "prod"] },
      "usual",
      ["."],
    ],
    [
      "a config without terraform, in an app",
      { "app.js": "" },
      { hasConfig: true },
      "usual",
      ["."],
    ],
    ["a config that needs a root, in an app", { "app.js": "" }, { isWanted: true }, "usual", ["."]],
  ])("%s", async (_, tree, asked, kind, dirs, ids = []) => {
    const { found, said } = await search(tree, asked);
    expect([found?.choice.kind, found?.choice.dirs, said]).toEqual([kind, dirs, ids]);
  });

  it.each<[string, string, string | undefined]>([
    ["a missing letter", "infr", "infra"],
    ["a missing letter in the parent folder", "enviroments/prod", "environments/prod"],
    ["a missing parent folder", "prod", "environments/prod"],
    ["example instead of examples", "example/basic", "examples/basic"],
    ["a missing folder in between", "environments/a", "environments/eu/a"],
    ["no suggestion: another environment", "environments/qa", undefined],
    ["no suggestion: a similar folder of another environment", "test/a", undefined],
    ["no suggestion: the next number", "web2", undefined],
    [
      "no suggestion: the next number after another environment's folder",
      "environments/qa2",
      undefined,
    ],
    ["no suggestion: a new name", "website", undefined],
  ])("a missing folder: %s", async (_, dir, meant) => {
    const there = [
      "infra",
      "environments/prod",
      "environments/dev",
      "environments/qa1",
      "examples/basic",
      "environments/eu/a",
      "web1",
    ];
    const tree = Object.fromEntries(there.map((folder) => [`${folder}/a.tf`, DO]));
    const { search: found } = searchIn(tree);
    const others = () => [{ dir: `${REPO}/environments/qa1` }];
    await found.lookFor({ base: REPO, roots: [{ dir: `${REPO}/${dir}` }] }, others);
    const [finding] = judgeLayout({
      config: { file: "x", base: REPO, environments: [] },
      search: found.found,
    });
    expect(finding?.message.match(/Did you mean (.+)\?/)?.[1]).toBe(meant);
  });
});

it.each([
  ["a YAML config", "/repo/.do-bootstraprc.yaml", 'terraform: [{ dir: "a" }, { dir: "b" }].'],
  ["a JSON config", "/repo/x.json", '"terraform": [{ "dir": "a" }, { "dir": "b" }].'],
  [
    "a key in package.json",
    "/repo/package.json",
    '"terraform": [{ "dir": "a" }, { "dir": "b" }], in "do-bootstrap".',
  ],
])("the fix for several roots in %s", async (_, file, expected) => {
  const { found } = await search({ "a/a.tf": DO, "b/a.tf": DO });
  const [several] = judgeLayout({ config: { file, base: REPO, environments: [] }, search: found });
  expect(several?.fix?.filter((part) => typeof part === "string").join("")).toContain(expected);
});

describe("environment names from folders", () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ["in environments/", ["environments/a", "environments/b"], ["a", "b"]],
    ["in a deeper folder", ["tf/envs/dev", "tf/envs/prod"], ["dev", "prod"]],
    ["by name", ["dev", "prod"], ["dev", "prod"]],
    ["numbered", ["tf/prod1", "tf/prod2"], ["prod1", "prod2"]],
    ["in capitals", ["envs/Dev", "envs/PROD"], ["dev", "prod"]],
    ["with special characters", ["envs/Dev 1", "envs/prod (eu)"], ["dev-1", "prod-eu"]],
    ["not: only one folder", ["environments/prod"], []],
    ["not: stacks", ["network", "app"], []],
    ["not: two levels", ["environments/dev/app", "environments/prod/app"], []],
    ["not: one folder without an environment's name", ["dev", "prod", "network"], []],
    ["not: two with the same name", ["envs/Dev", "envs/dev"], []],
  ])("%s", (_, dirs, names) => {
    expect(environmentsAmong(dirs).map(({ name }) => name)).toEqual(names);
  });
});

const REPO = "/repo";

/** A git for this tree that ignores nothing. It lists only files that match the search's patterns. */
function gitOf(tree: Tree, absent: readonly string[] = []): Git {
  const refuse = () => expect.unreachable();
  return {
    ...{ root: REPO, skipped: [], confirmed: Promise.resolve() },
    ...{ ignored: refuse, tracked: refuse, spell: async (name: string) => name },
    async ask(args, more) {
      expect(args.slice(0, 3)).toEqual(["ls-files", "-t", "--cached"]);
      const names = Object.keys(tree).filter((name) => /\.(tf|tofu|hcl)(\.json)?$/.test(name));
      const lines = names.map((name) => `${absent.includes(name) ? "S" : "H"} ${name}\0`);
      more?.onStdout?.(Buffer.from(lines.join("")));
      return { end: "exited", exitCode: 0, stdout: "", stderr: "" };
    },
  };
}

function searchIn(
  tree: Tree,
  {
    absent,
    marked = absent,
    wanted,
  }: { absent?: readonly string[]; marked?: readonly string[]; wanted?: WantedRoots } = {},
) {
  const here = Object.entries(tree).filter(([name]) => !absent?.includes(name));
  const files = memoryFiles(REPO, Object.fromEntries(here));
  const unused = () => expect.unreachable();
  const host = {
    files,
    records: { recall: unused, keep: unused },
    clock: { now: unused, sleep: unused },
  };
  return { files, search: new RootSearch(host, gitOf(tree, marked), wanted) };
}

async function search(
  tree: Tree,
  {
    claimed = [],
    isWanted = false,
    hasConfig = false,
    base = "",
    ...options
  }: {
    base?: string;
    absent?: readonly string[];
    marked?: readonly string[];
    wanted?: WantedRoots;
    claimed?: readonly string[];
    isWanted?: boolean;
    hasConfig?: boolean;
  } = {},
) {
  const { files, search } = searchIn(tree, options);
  const dirs = await search.rootsIn(files, {
    base: join(REPO, base),
    hasConfig,
    isWanted,
    claimed: new Set(claimed),
  });
  const { found } = search;
  const said = judgeLayout({
    config: { file: undefined, base: REPO, environments: [...claimed] },
    search: found,
  });
  return { found, dirs, said: said.map(({ level, id }) => `${level} ${id}`) };
}
