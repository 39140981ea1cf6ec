import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ASKS, CONFIRMS, needsScript, start } from "../fixtures/terminal.ts";
import { fileTree } from "../fixtures/tree.ts";
import { type Workbench, workbench } from "../fixtures/workbench.ts";

const DO = 'resource "digitalocean_droplet" "web" {}\n';
const CONFIG = "do-bootstrap.config.yaml";

describe("roots that the config does not name", () => {
  it("prepares the only root in its folder, and env sets its variable", async () => {
    const bench = await workbench();
    const token = 'provider "digitalocean" {\n  token = var.key\n}\nvariable "key" {}\n';
    await bench.write("deploy/cloud/main.tf", token + DO);
    await bench.write("app.js", "");
    expect((await init(bench)).status).toBe(0);
    expect(await ours(bench)).toEqual(["deploy/cloud/do-bootstrap.tf"]);
    expect((await check(bench)).status).toBe(0);
    const { stdout } = await bench.run(["env", "--format", "json"]);
    expect(Object.keys(JSON.parse(stdout))).toContain("TF_VAR_key");
  });

  it("several: exits with 3 and writes nothing; --all-roots prepares and lists all", async () => {
    const bench = await workbench();
    await bench.write("dns/main.tf", DO);
    await bench.write("web/main.tf", DO);
    const refused = await init(bench);
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain("[terraform.several-roots]");
    expect(await bench.git("status", "--porcelain")).toBe("?? dns/\n?? web/");
    expect((await init(bench, "--all-roots")).status).toBe(0);
    const { terraform } = parse(await bench.read(CONFIG));
    expect(terraform).toEqual([{ dir: "dns" }, { dir: "web" }]);
    expect(await ours(bench)).toEqual(["dns/do-bootstrap.tf", "web/do-bootstrap.tf"]);
    const again = await bench.run([]);
    expect([again.status, again.stderr]).toEqual([0, expect.stringContaining("Nothing to change")]);
  });

  it("a folder for each environment: --write-config adds them, without a token", async () => {
    const bench = await workbench();
    for (const name of ["dev", "prod"]) await bench.write(`environments/${name}/main.tf`, DO);
    const { status, stderr } = await bench.run(["--write-config", "--yes"]);
    expect(status).toBe(0);
    expect(stderr).toContain("then run do-bootstrap --env dev");
    expect(stderr).not.toMatch(/nothing is left to do|Next:/);
    expect(await bench.git("status", "--porcelain")).toBe(`?? ${CONFIG}\n?? environments/`);
    const { environments, terraform } = parse(await bench.read(CONFIG));
    expect(terraform).toBeUndefined();
    expect(environments.dev).toEqual({
      token: { envFile: ".env.dev" },
      doctl: { context: "acme-web-dev" },
      terraform: { dir: "environments/dev" },
    });
    bench.mayHold(".env.prod");
    expect((await init(bench, "--env", "prod")).status).toBe(0);
    expect(await ours(bench)).toEqual(["environments/prod/do-bootstrap.tf"]);
  });

  it("logout removes the token from all roots", async () => {
    const bench = await workbench();
    for (const dir of ["a", "b"]) await bench.write(`${dir}/main.tf`, DO);
    await init(bench, "--all-roots");
    await rm(join(bench.repo, CONFIG));
    await bench.run(["logout", "--yes"]);
    const texts = Object.values(await fileTree(bench.repo));
    expect(texts.filter((text) => text?.includes(bench.token))).toEqual([]);
  });

  it("a sparse checkout: creates nothing that the checkout leaves out", async () => {
    const bench = await workbench();
    await bench.write("infra/main.tf", DO);
    await bench.write("app/a.js", "");
    await bench.git("add", ".");
    await bench.git("commit", "--quiet", "-m", "a");
    await bench.git("sparse-checkout", "set", "app");
    const found = await init(bench);
    expect(found.stderr).toContain("git sparse-checkout add infra");
    expect(await ours(bench)).toEqual([]);
    await bench.write(CONFIG, "terraform: { dir: infra }\n");
    const named = await bench.run([]);
    expect(named.stderr).toContain("[file.not-checked-out]");
    expect(named.status).toBe(3);
    await bench.git("sparse-checkout", "add", "infra");
    expect((await bench.run([])).status).toBe(0);
    expect(await ours(bench)).toEqual(["infra/do-bootstrap.tf"]);
  });

  it.skipIf(needsScript)(`on a terminal the user chooses${needsScript}`, async (context) => {
    const bench = await workbench(context);
    for (const name of ["dns", "web"]) await bench.write(`${name}/main.tf`, DO);
    const terminal = start(context, bench, []);
    await terminal.waitFor(/Which root modules should share one token\?/);
    terminal.type(" \r");
    await terminal.waitFor(ASKS);
    terminal.type(`${bench.token}\r`);
    await terminal.waitFor(CONFIRMS);
    terminal.type("y");
    expect(await terminal.exit, terminal.screen()).toBe(0);
    expect(parse(await bench.read(CONFIG)).terraform).toEqual({ dir: "web" });
    expect(await ours(bench)).toEqual(["web/do-bootstrap.tf"]);
  });
});

it.skipIf(needsScript)(
  `on a terminal, writes a config for folders that look like environments${needsScript}`,
  async (context) => {
    const bench = await workbench(context);
    for (const name of ["dev", "prod"]) await bench.write(`envs/${name}/main.tf`, DO);
    const terminal = start(context, bench, []);
    await terminal.waitFor(/an environment and its own token for each\?/);
    terminal.type("y");
    await terminal.waitFor(CONFIRMS);
    terminal.type("y");
    expect(await terminal.exit, terminal.screen()).toBe(0);
    expect(Object.keys(parse(await bench.read(CONFIG)).environments)).toEqual(["dev", "prod"]);
  },
);

// The layouts of public repos, rewritten: where code is, which module calls which, how each is
// configured.
const PROVIDER = `terraform {
  required_providers {
    digitalocean = {
      source = "digitalocean/digitalocean"
    }
  }
}

provider "digitalocean" {}
`;
const calling = (...sources: readonly string[]) =>
  sources.map((source, at) => `module "m${at}" {\n  source = "${source}"\n}\n`).join("\n");
const PUBLIC: Readonly<
  Record<string, readonly [tree: Readonly<Record<string, string>>, status: number]>
> = {
  "ArtiomL/terraform-do": [
    {
      "env/prod/main.tf": `# DigitalOcean\n${calling("github.com/ArtiomL/terraform-do/modules")}`,
      "modules/main.tf": `provider "digitalocean" {}\n${calling("./droplet", "./image")}`,
      "modules/droplet/main.tf": DO,
      "modules/image/main.tf": 'data "digitalocean_image" "i" {}\n',
    },
    0,
  ],
  "mmorancassy/terraform-do-k8infra": [
    { "main.tf": PROVIDER + calling("./modules/droplet"), "modules/droplet/main.tf": DO },
    0,
  ],
  "dibuyo/terraform-do-k8s-app": [
    {
      "main.tf": PROVIDER + calling("./k8s/do", "./dns/do", "./storage/aws"),
      "k8s/do/main.tf": DO,
      "dns/do/main.tf": DO,
      "storage/aws/main.tf": 'resource "aws_s3_bucket" "b" {}\n',
    },
    0,
  ],
  "DO-Solutions/gtc-2026-doks": [
    { "terraform/infra/main.tf": PROVIDER + DO, "terraform/cluster-config/main.tf": PROVIDER + DO },
    3,
  ],
  "digitalocean/scale-with-simplicity": [
    {
      "infrastructure/project.tf": DO,
      "reference-architectures/nat-gateway/terraform/1-infra/main.tf": DO,
      "reference-architectures/nat-gateway/terraform/2-routes/main.tf": DO,
    },
    3,
  ],
  "leb4r/terraform-do-components": [
    { "modules/domain/main.tf": DO, "modules/droplet/main.tf": DO },
    0,
  ],
};

describe("creates no root next to the existing code, in the layout of a public repo", () => {
  it.each(Object.keys(PUBLIC))("%s", async (name) => {
    const [tree, status] = PUBLIC[name] ?? [{}, 0];
    const bench = await workbench();
    for (const [path, text] of Object.entries(tree)) await bench.write(path, text);
    expect((await init(bench)).status).toBe(status);
    expect(await ours(bench)).toEqual([]);
  });
});

function init(bench: Workbench, ...args: readonly string[]) {
  return bench.run(["--token-stdin", ...args], { input: bench.token });
}

async function check(bench: Workbench) {
  return bench.run(["check"]);
}

/** The .tf files that we wrote. */
async function ours(bench: Workbench): Promise<readonly string[]> {
  const all = await bench.git("ls-files", "--others", "--cached", "--", "*.tf");
  return all
    .split("\n")
    .filter((name) => /(do-bootstrap|versions|provider|variables)\.tf$/.test(name));
}
