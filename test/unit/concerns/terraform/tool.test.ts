import { describe, expect, it } from "vitest";
import { askTools, locateTools } from "../../../../src/concerns/terraform/root/tool.ts";
import type { ToolCall } from "../../../../src/host/host.ts";
import { facts } from "../../../fixtures/facts.ts";
import { PERSONAL } from "../../samples.ts";

const SHIM = { terraform: "/shims/terraform", tofu: "/shims/tofu" };

interface Machine {
  /** By name: where `which` finds it; with "=" it is the program itself. */
  readonly tools?: Readonly<Partial<Record<"terraform" | "tofu", string>>>;
  readonly env?: Readonly<Record<string, string>>;
  /** By folder: the version that a shim starts there. */
  readonly starts?: Readonly<Record<string, string>>;
  /** Roots in which the repo's files may control a shim. */
  readonly brings?: readonly string[];
}

/** The tools of roots with these files, and the folders where each tool was run. */
async function asked(
  files: Readonly<Record<string, string>>,
  { tools = SHIM, env = {}, starts = {}, brings = [] }: Machine = {},
  config = "terraform: [{ dir: a }, { dir: b }]",
) {
  const { roots } = (await facts({ files, config })).terraform;
  const calls: ToolCall[] = [];
  const host = {
    env,
    records: { recall: () => undefined, keep: () => undefined },
    clock: { now: () => 0, sleep: async () => undefined },
    async which(name: string) {
      const path = tools[name as "terraform" | "tofu"];
      const program = path?.startsWith("=") ? path.slice(1) : undefined;
      return { path: program ?? path, program, skipped: path ? [] : [`/repo/bin/${name}`] };
    },
    async run(call: ToolCall) {
      calls.push(call);
      const stdout = `{"terraform_version":"${starts[call.cwd ?? ""] ?? "1.11.4"}"}`;
      return { end: "exited", exitCode: 0, stdout, stderr: "" } as const;
    },
  };
  const { located, skipped } = await locateTools(host, roots, "/repo");
  const found = await askTools(host, roots, located, (dir) => brings.includes(dir));
  const said = [...found].map(([dir, { name, version }]) => `${dir} ${name} ${version}`);
  return { said, asked: calls.map(({ file, cwd }) => `${file} in ${cwd}`), skipped, calls };
}

describe("finding the tool that will run", () => {
  const two = { "a/.terraform-version": "1.5.7", "b/.terraform-version": "1.11.4" };
  const starts = { "/repo/a": "1.5.7", "/repo/b": "1.11.4" };

  it.each<
    [
      what: string,
      files: Readonly<Record<string, string>>,
      machine: Machine,
      said: string[],
      askedIn: string[],
    ]
  >([
    [
      "runs a shim in each root with a different version file",
      two,
      { starts },
      ["/repo/a terraform 1.5.7", "/repo/b terraform 1.11.4"],
      ["/shims/terraform in /repo/a", "/shims/terraform in /repo/b"],
    ],
    [
      "runs a shim once for roots with the same version file",
      { ".git/HEAD": "x", ".terraform-version": "1.5.7" },
      { starts: { "/repo/a": "1.5.7" } },
      ["/repo/a terraform 1.5.7", "/repo/b terraform 1.5.7"],
      ["/shims/terraform in /repo/a"],
    ],
    [
      "runs a shim in each root with a different required_version",
      { "a/main.tf": 'terraform {\nrequired_version = "~> 1.5.0"\n}\n' },
      { starts },
      ["/repo/a terraform 1.5.7", "/repo/b terraform 1.11.4"],
      ["/shims/terraform in /repo/a", "/shims/terraform in /repo/b"],
    ],
    [
      "does not run a shim that the repo's files may control",
      two,
      { starts, brings: ["/repo/a"] },
      ["/repo/a terraform undefined", "/repo/b terraform 1.11.4"],
      ["/shims/terraform in /repo/b"],
    ],
    [
      "runs the program itself once, outside the repo",
      two,
      { tools: { terraform: "=/bin/terraform" }, brings: ["/repo/a"] },
      ["/repo/a terraform 1.11.4", "/repo/b terraform 1.11.4"],
      ["/bin/terraform in /"],
    ],
    [
      "uses OpenTofu for an OpenTofu root and Terraform for the other",
      { "a/main.tofu": "", "b/main.tf": "" },
      { starts },
      ["/repo/a tofu 1.5.7", "/repo/b terraform 1.11.4"],
      ["/shims/tofu in /repo/a", "/shims/terraform in /repo/b"],
    ],
    [
      "uses the installed tool if none is named",
      { "a/main.tf": "", "b/main.tofu": "" },
      { tools: { tofu: "=/bin/tofu" } },
      ["/repo/a tofu 1.11.4", "/repo/b tofu 1.11.4"],
      ["/bin/tofu in /"],
    ],
    [
      "does not use Terraform for a root with only .tofu files",
      { "a/main.tf": "", "b/main.tofu": "" },
      { tools: { terraform: "=/bin/terraform" } },
      ["/repo/a terraform 1.11.4"],
      ["/bin/terraform in /"],
    ],
  ])("%s", async (_, files, machine, said, askedIn) => {
    const found = await asked(files, machine);
    expect({ said: found.said, asked: found.asked }).toEqual({ said, asked: askedIn });
  });

  it("uses the tool that the config names for each root", async () => {
    const config = "terraform: [{ dir: a, tool: tofu }, { dir: b, tool: terraform }]";
    const { said } = await asked({}, {}, config);
    expect(said).toEqual(["/repo/a tofu 1.11.4", "/repo/b terraform 1.11.4"]);
  });

  it("lists a skipped tool inside the repo once", async () => {
    const { skipped } = await asked({}, { tools: {} });
    expect(skipped).toEqual(["/repo/bin/terraform", "/repo/bin/tofu"]);
  });

  it("passes a version manager's settings, but no token, and allows no download", async () => {
    const kept = {
      ASDF_DATA_DIR: "/a",
      ASDF_TOOL_VERSIONS_FILENAME: ".x",
      ASDF_CONFIG_FILE: "/a/rc",
      MISE_DATA_DIR: "/m",
      MISE_TRUSTED_CONFIG_PATHS: "/m",
      TFENV_CONFIG_DIR: "/t",
      TFENV_TERRAFORM_VERSION: "1.5.7",
      TOFUENV_TOFU_VERSION: "1.9.0",
      TENV_ROOT: "/tenv",
    };
    const refused = {
      MISE_GITHUB_TOKEN: "x",
      MISE_SOPS_AGE_KEY: "x",
      TENV_GITHUB_TOKEN: "x",
      TFENV_REMOTE_PASSWORD: "x",
      MISE_ANY: PERSONAL,
      DIGITALOCEAN_TOKEN: PERSONAL,
      AWS_SECRET_ACCESS_KEY: "x",
    };
    const answers = { MISE_YES: "1", TFENV_AUTO_INSTALL: "true", TOFUENV_AUTO_INSTALL: "true" };
    const { calls } = await asked({}, { env: { ...kept, ...refused, ...answers } });
    const given = calls[0]?.env ?? {};
    expect(given).toMatchObject({
      ...kept,
      ...{ MISE_YES: "false", MISE_EXEC_AUTO_INSTALL: "false", TENV_AUTO_INSTALL: "false" },
      ...{ TFENV_AUTO_INSTALL: "false", TOFUENV_AUTO_INSTALL: "false" },
    });
    expect(Object.keys(given).filter((name) => name in refused)).toEqual([]);
  });
});
