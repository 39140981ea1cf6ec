import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generate } from "../../src/core/generated.ts";
import { fakeTerraform } from "../fixtures/tools.ts";
import { randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

const SHARED = 'backend "s3" {\n    shared_config_files = ["aws.config"]\n  }';
const inTerraform = (block: string) => `terraform {\n  ${block}\n}\n`;
const PLUGIN = "registry.terraform.io/digitalocean/digitalocean/2.0.0/linux_amd64/x";

interface Scene {
  readonly files?: Readonly<Record<string, string>>;
  readonly tracked?: readonly string[];
  readonly env?: (bench: Workbench) => Readonly<Record<string, string>>;
}

/** Files in a repo that Terraform would run or obey. */
const BROUGHT: readonly (readonly [string, Scene, RegExp])[] = [
  ["a backend that runs a program", { files: { "main.tf": inTerraform(SHARED) } }, /\(s3\)/],
  ["a backend over HTTP", { files: { "b.tf": inTerraform('backend "http" {}') } }, /\(http\)/],
  [
    "a backend in JSON",
    { files: { "b.tf.json": '{"terraform": {"backend": {"pg": {}}}}' } },
    /\(pg\)/,
  ],
  [
    "a backend in an override file",
    { files: { "a.tf": "", "a_override.tf": inTerraform('backend "consul" {}') } },
    /\(consul\)/,
  ],
  [
    "a backend in a file with our header",
    { files: { "state.tf": generate(inTerraform(SHARED), {}) } },
    /the code has its own backend/,
  ],
  ["a cloud block", { files: { "main.tf": inTerraform("cloud {}") } }, /HCP Terraform/],
  ["plugins", { files: { [`terraform.d/plugins/${PLUGIN}`]: "" } }, /terraform\.d\/plugins comes/],
  [
    "a .terraform folder in git",
    { tracked: [".terraform/providers/x"], files: { ".terraform/providers/x": "" } },
    /its \.terraform folder is committed to git/,
  ],
  [
    "a TF_DATA_DIR in git",
    {
      tracked: ["ci/data/x"],
      files: { "ci/data/x": "" },
      env: ({ repo }) => ({ TF_DATA_DIR: join(repo, "ci/data") }),
    },
    /its ci\/data folder is committed to git/,
  ],
  [
    "a CLI config that a variable names",
    {
      files: { "ci/rc": "" },
      env: ({ repo }) => ({ TF_CLI_CONFIG_FILE: join(repo, "ci/rc") }),
    },
    /ci\/rc comes from the repo/,
  ],
  [
    "a CLI config with a path relative to the root",
    { files: { rc: "" }, env: () => ({ TF_CLI_CONFIG_FILE: "rc" }) },
    /rc comes from the repo/,
  ],
  [
    "a plugin cache",
    {
      files: { "cache/x": "" },
      env: ({ repo }) => ({ TF_PLUGIN_CACHE_DIR: join(repo, "cache") }),
    },
    /cache comes from the repo/,
  ],
  [
    "a HOME in the repo with .terraformrc",
    { files: { "h/.terraformrc": "" }, env: ({ repo }) => ({ HOME: join(repo, "h") }) },
    /h\/\.terraformrc comes/,
  ],
  [
    "a HOME in the repo with a CLI config of another name",
    { files: { "h/.terraform.d/a.tfrc": "" }, env: ({ repo }) => ({ HOME: join(repo, "h") }) },
    /h comes from the repo/,
  ],
  [
    "options that name a folder of plugins",
    { files: { "plugins/x": "" }, env: () => ({ TF_CLI_ARGS_init: "-plugin-dir=plugins" }) },
    /plugins comes from the repo/,
  ],
  [
    "a HOME in the repo with OpenTofu's plugins",
    {
      files: { [`h/.local/share/opentofu/plugins/${PLUGIN}`]: "" },
      env: ({ repo }) => ({ HOME: join(repo, "h") }),
    },
    /opentofu\/plugins comes/,
  ],
  [
    "XDG_DATA_DIRS with plugins",
    {
      files: { [`d/terraform/plugins/${PLUGIN}`]: "" },
      env: ({ repo }) => ({ XDG_DATA_DIRS: `/usr/share:${join(repo, "d")}` }),
    },
    /d\/terraform\/plugins comes/,
  ],
];

async function arrange({ files = {}, tracked = [] }: Scene) {
  const bench = await workbench();
  const fake = await fakeTerraform(bench.bin);
  const config = {
    terraform: { dir: "." },
    environments: { prod: { terraform: { workspace: "prod" } } },
  };
  await bench.write(".do-bootstraprc", JSON.stringify(config));
  for (const [path, text] of Object.entries(files)) await bench.write(path, text);
  for (const path of tracked) await bench.git("add", "--force", path);
  return { bench, fake };
}

describe("terraform in a cloned repo (rule 7)", () => {
  it.each(BROUGHT)("is not run with %s", async (_, scene, why) => {
    const { bench, fake } = await arrange(scene);
    const env = scene.env?.(bench) ?? {};
    const options = { input: bench.token, env };
    const { status, stderr } = await bench.run(["--env", "prod", "--token-stdin"], options);
    expect(stderr.replace(/\s+/g, " ")).toMatch(why);
    expect(stderr).toMatch(
      /\[terraform\.by-hand\]\n {2}→ If you trust this, run .*workspace select/,
    );
    expect(await fake.calls()).toEqual([]);
    expect(status).toBe(0);
  });

  it.each<[string, Scene]>([
    ["no backend", {}],
    ["a local backend", { files: { "main.tf": inTerraform('backend "local" {}') } }],
    ["an untracked .terraform", { files: { ".terraform/modules/x": "" } }],
    ["an empty terraform.d", { files: { "terraform.d/README": "" } }],
    [
      "the user's own CLI config",
      { env: ({ home }) => ({ TF_CLI_CONFIG_FILE: join(home, ".terraformrc") }) },
    ],
  ])("prepares a workspace with %s", async (_, scene) => {
    const { bench, fake } = await arrange(scene);
    const env = scene.env?.(bench) ?? {};
    const options = { input: bench.token, env };
    const { status } = await bench.run(["--env", "prod", "--token-stdin"], options);
    expect((await fake.calls()).map((call) => call.split(" ")[1])).toEqual([
      ...["init", "init"],
      ...["workspace", "workspace"],
    ]);
    expect(status).toBe(0);
  });
});

it("terraform gets no token and no key from us, whatever their names", async () => {
  const bench = await workbench();
  const seen = join(bench.root, "seen");
  const fake = await fakeTerraform(bench.bin, { script: `/usr/bin/env >> '${seen}'` });
  const other = randomToken();
  await bench.write(
    ".env",
    "SPACES_SECRET_ACCESS_KEY=of-the-bucket\nDB_PASSWORD=of-the-database\n",
  );
  const env = {
    PROD_TOKEN: other,
    DO_PAT: `Bearer ${other}`,
    TF_VAR_token: bench.token,
    CLONE_URL: `https://x:${other}@git.example`,
    CI_AUTH: Buffer.from(`sammy:${other}`).toString("base64"),
    BUCKET: "of-the-bucket",
    PGPASSWORD: "of-the-database",
    KEPT: "yes",
  };
  const { status, stderr } = await bench.run(["--token-stdin"], { input: bench.token, env });
  expect(status, stderr).toBe(0);
  expect(await fake.calls()).toEqual(["start init acme-web", "end init acme-web"]);
  const names = (await readFile(seen, "utf8")).split("\n").map((line) => line.split("=")[0]);
  expect(names.filter((name) => name !== undefined && name in env)).toEqual(["KEPT"]);
});
