import { describe, expect, it } from "vitest";
import { chooseTool, constraintsIn, releaseIn, versionPlaces } from "../../../src/hcl/releases.ts";
import { allowsFrom } from "../../../src/lib/version.ts";
import { growthOf, LINEAR } from "../../fixtures/cpu.ts";
import { memoryFiles } from "../memory-files.ts";

type Named = "terraform" | "tofu" | undefined;
type Tree = Readonly<Record<string, string>>;

/** The tool of /repo/infra, "?" if it is not certain, and the version files. */
async function chosen(tree: Tree, named?: Named): Promise<string> {
  const files = memoryFiles("/repo", tree);
  const { tool, isCertain, versionFiles } = await chooseTool(files, "/repo/infra", named);
  const said = versionFiles.map(({ path, says }) => `${path.replace("/repo/", "")} ${says}`);
  return [`${tool}${isCertain ? "" : "?"}`, ...said].join(", ");
}

const GIT = { ".git/HEAD": "x", "infra/main.tf": "" };

describe("a root's tool and its version files", () => {
  it.each<[what: string, tree: Tree, named: Named, expected: string]>([
    ["no hints", {}, undefined, "terraform?"],
    ["config", {}, "tofu", "tofu"],
    [
      "only .tofu files",
      { "infra/main.tf": undefined as never, "infra/main.tofu": "" },
      undefined,
      "tofu",
    ],
    ["both kinds of files", { "infra/main.tofu": "" }, undefined, "terraform?"],
    [
      "tfenv",
      { "infra/.terraform-version": "1.5.7\n" },
      undefined,
      "terraform?, infra/.terraform-version 1.5.7",
    ],
    ["tofuenv", { ".opentofu-version": "1.9.0\n" }, undefined, "tofu?, .opentofu-version 1.9.0"],
    [
      "both version files, without config",
      { ".opentofu-version": "1.9.0", ".terraform-version": "1.5.7" },
      undefined,
      "terraform?, .terraform-version 1.5.7",
    ],
    [
      "both version files, for OpenTofu",
      { ".opentofu-version": "1.9.0", ".terraform-version": "1.5.7" },
      "tofu",
      "tofu, .opentofu-version 1.9.0",
    ],
    ["only another tool's version file", { ".terraform-version": "1.5.7" }, "tofu", "tofu"],
    [
      "comments and empty lines",
      { ".terraform-version": "# ours\n\n v1.5.7 # old\n" },
      undefined,
      "terraform?, .terraform-version v1.5.7",
    ],
    ["an empty file", { ".terraform-version": "\n" }, undefined, "terraform?"],
    [
      "the nearest of two",
      { ".terraform-version": "1.5.7", "infra/.terraform-version": "1.11.4" },
      undefined,
      "terraform?, infra/.terraform-version 1.11.4",
    ],
    ["above the repo", { "../.terraform-version": "1.5.7" }, undefined, "terraform?"],
    ["tfswitch", { ".tfswitchrc": "1.5.7" }, undefined, "terraform?, .tfswitchrc 1.5.7"],
    [
      "tfswitch's table",
      { ".tfswitch.toml": 'bin = "/x"\nversion = "1.5.7"\n' },
      undefined,
      "terraform?, .tfswitch.toml 1.5.7",
    ],
    [
      "asdf",
      { ".tool-versions": "nodejs 24.0.0\nterraform 1.5.7 1.4.0\n" },
      undefined,
      "terraform?, .tool-versions 1.5.7",
    ],
    [
      "asdf's file in mise's syntax",
      { ".tool-versions": "aqua:opentofu/opentofu 1.9.0\nterraform: 1.5.7\n" },
      "terraform",
      "terraform, .tool-versions 1.5.7",
    ],
    [
      "asdf, OpenTofu",
      { ".tool-versions": "opentofu 1.9.0\n" },
      undefined,
      "tofu?, .tool-versions 1.9.0",
    ],
    [
      "asdf, of other tools",
      { ".tool-versions": "terraform-docs 0.19.0\n" },
      undefined,
      "terraform?",
    ],
    [
      "asdf, the tool in a parent folder's file",
      { ".tool-versions": "terraform 1.5.7\n", "infra/.tool-versions": "nodejs 24\n" },
      undefined,
      "terraform?, .tool-versions 1.5.7",
    ],
    [
      "mise",
      { "mise.toml": '[tools]\nterraform = "1.5"\n' },
      undefined,
      "terraform?, mise.toml 1.5",
    ],
    [
      "mise, hidden",
      { ".mise.toml": "[tools]\n'terraform' = '1.5.7' # old\n" },
      undefined,
      "terraform?, .mise.toml 1.5.7",
    ],
    [
      "mise, in a folder",
      { ".config/mise/config.toml": '[tools]\nterraform = "1.5"\n' },
      undefined,
      "terraform?, .config/mise/config.toml 1.5",
    ],
    [
      "mise, a list",
      { "mise.toml": '[tools]\nterraform = ["1.5.7", "1.4"]\n' },
      undefined,
      "terraform?, mise.toml 1.5.7",
    ],
    [
      "mise, options",
      { "mise.toml": '[tools]\nterraform = { version = "1.5.7", os = ["linux"] }\n' },
      undefined,
      "terraform?, mise.toml 1.5.7",
    ],
    [
      "mise, a table",
      { "mise.toml": '[tools.terraform]\nversion = "1.5.7"\n' },
      undefined,
      "terraform?, mise.toml 1.5.7",
    ],
    [
      "mise, a dotted key",
      { "mise.toml": 'tools.terraform = "1.5.7"\n' },
      undefined,
      "terraform?, mise.toml 1.5.7",
    ],
    [
      "mise, a backend",
      { "mise.toml": '[tools]\n"aqua:opentofu/opentofu" = "1.9.0"\n' },
      undefined,
      "tofu?, mise.toml 1.9.0",
    ],
    [
      "mise, another section",
      { "mise.toml": '[env]\nterraform = "1.5.7"\n[[x]]\nterraform = "1"\n' },
      undefined,
      "terraform?",
    ],
    [
      "mise, other tools",
      { "mise.toml": '[tools]\n"ubi:terraform-linters/tflint" = "0.1"\n' },
      undefined,
      "terraform?",
    ],
  ])("%s", async (_, tree, named, expected) => {
    expect(await chosen({ ...GIT, ...tree }, named)).toBe(expected);
  });

  it("outside a repo only the root's own folder is searched", async () => {
    const tree = { "infra/main.tf": "", ".terraform-version": "1.5.7" };
    expect(await chosen(tree)).toBe("terraform?");
    expect(await chosen({ ...tree, "infra/.terraform-version": "1.9.0" })).toBe(
      "terraform?, infra/.terraform-version 1.9.0",
    );
  });

  it("lists every place searched, even if no file is there", async () => {
    const { searched } = await chooseTool(memoryFiles("/repo", GIT), "/repo/infra", undefined);
    expect(searched).toEqual(["/repo/infra", "/repo"]);
    expect(searched.flatMap(versionPlaces)).toEqual(
      expect.arrayContaining(["/repo/infra/.terraform-version", "/repo/.config/mise.toml"]),
    );
  });
});

describe("the content of a version file", () => {
  it.each<[says: string, required: string, hasEphemeral: boolean, release: string | undefined]>([
    ["1.5.7", "", false, "1.5.7"],
    ["v1.11.4", "", true, "1.11.4"],
    ["1.10.0-rc1", "", true, undefined],
    ["1.5", "", false, undefined],
    ["1.11", "", true, undefined],
    ["prefix:1.9", "", false, undefined],
    ["1", "", true, undefined],
    ["0", "", false, undefined],
    ["~> 1.5", "", true, undefined],
    ["~> 1.5.0", "", false, undefined],
    [">= 1.3, < 1.9", "", false, undefined],
    ["latest", "", true, undefined],
    ["latest:^1.5", "", false, undefined],
    ["latest:^1\\.9\\.", "", false, undefined],
    ["latest:1.9", "", false, undefined],
    ["latest:^1.1", "", true, undefined],
    ["latest:^1.1.", "", false, undefined],
    ["latest:^0", "", false, undefined],
    ["min-required", ">= 1.3", false, undefined],
    ["min-required", "~> 1.11", true, undefined],
    ["min-required", "", true, undefined],
    ["latest-allowed", ">= 1.3", true, undefined],
    ["system", "", true, undefined],
    ["ref:main", "", true, undefined],
    ["path:./bin", "", true, undefined],
    ["no release", "", true, undefined],
  ])(
    "%j with required_version %j: 1.10 or later is %s, release %s",
    (says, required, has, release) => {
      const all = required === "" ? [] : [required];
      expect(allowsFrom([...all, ...constraintsIn({ says }, all)], "1.10")).toBe(has);
      expect(releaseIn({ says })).toBe(release);
    },
  );

  it.each<[what: string, text: (size: number) => string]>([
    ["an unclosed table", (size) => "terraform = { version ".repeat(size)],
    ["many sections", (size) => '[tools]\nx = "\n'.repeat(size)],
    ["an unclosed header", (size) => `[${"a ".repeat(size)}`],
    ["many spaces", (size) => `[tools]\nterraform =${" ".repeat(20 * size)}x\n`],
    ["a long release", (size) => `latest:^${"1.".repeat(10 * size)}`],
  ])("%s is read in linear time", async (_, text) => {
    const run = (size: number) => {
      const given = { "mise.toml": text(size), ".terraform-version": text(size) };
      constraintsIn({ says: text(size) }, [text(size)]);
      return chosen({ ...GIT, ...given });
    };
    expect(await growthOf(run, 1000)).toBeLessThan(LINEAR);
  });
});
