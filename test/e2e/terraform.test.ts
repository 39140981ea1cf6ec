import { createHash } from "node:crypto";
import { mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generate } from "../../src/core/generated.ts";
import { planFile, TERRAFORM, TF_MIRROR, terraform } from "../fixtures/terraform.ts";
import { fakeTerraform } from "../fixtures/tools.ts";
import { aged, fileTree } from "../fixtures/tree.ts";
import { type RunOptions, randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

const SECRET = "do-bootstrap.secret.auto.tfvars.json";
const PUBLIC = "do-bootstrap.auto.tfvars.json";
const THREE = ["provider.tf", "variables.tf", "versions.tf"];
const VARIABLES = { region: "nyc3", size: 2.5, public: true, zones: ["a"], tags: { a: "b" } };

describe("the next steps", () => {
  const PROD = { environments: { prod: { terraform: { workspace: "w" } } } };

  it.each<[string, object, string[], string]>([
    ["a variable", { terraform: { dir: "infra" } }, [], "terraform -chdir=infra plan"],
    [
      "a folder with a space",
      { terraform: { dir: "my infra" } },
      [],
      "terraform '-chdir=my infra' plan",
    ],
    [
      "credentials: env",
      { terraform: { credentials: "env" } },
      [],
      "do-bootstrap exec -- terraform plan",
    ],
    [
      "an environment",
      { terraform: { dir: "infra" }, ...PROD },
      ["--env", "prod"],
      "do-bootstrap exec --env prod -- terraform -chdir=infra plan",
    ],
  ])("%s", async (_, config, options, next) => {
    const bench = await workbench();
    await fakeTerraform(bench.bin);
    await bench.write(".do-bootstraprc", JSON.stringify(config));
    const result = await bench.run(["--token-stdin", ...options], { input: bench.token });
    expect([result.status, /Next: (.*)/.exec(result.stderr)?.[1]]).toEqual([0, next]);
  });

  it.each<[string, string, string[], object, string[]]>([
    ["written by init", "", [], { dir: "infra" }, ["infra/.terraform.lock.hcl"]],
    ["that git tracks", "", ["infra/.terraform.lock.hcl"], { dir: "infra" }, []],
    ["that git ignores", ".terraform.lock.hcl\n", [], { dir: "infra" }, []],
    [
      "of many roots",
      "",
      [],
      ["a", "b", "c", "d"].map((dir) => ({ dir })),
      [".terraform.lock.hcl in 4 roots"],
    ],
  ])("to commit: a lock file %s", async (_, ignores, tracked, terraform, said) => {
    const bench = await workbench();
    await fakeTerraform(bench.bin, { script: ": > .terraform.lock.hcl" });
    await configure(bench, terraform);
    if (ignores !== "") await bench.write(".gitignore", ignores);
    for (const path of tracked) {
      await bench.write(path, "");
      await bench.git("add", path);
    }
    const { status, stderr } = await bench.run(["--token-stdin"], { input: bench.token });
    const [, toCommit = ""] = stderr.replace(/\s+/g, " ").split("Commit: ");
    expect(toCommit.match(/\S*lock\.hcl( in \d roots)?/g) ?? []).toEqual(said);
    expect(status).toBe(0);
  });

  it("to commit: shell-quoted words, and nothing that git ignores", async () => {
    const bench = await workbench();
    await configure(bench, { dir: "a; touch PWNED" });
    const { stderr } = await bench.run(["--token-stdin"], { input: bench.token });
    const words = stderr.split("Commit: ").at(-1) ?? "";
    expect(words.replace(/\s+/g, " ")).toContain("'a; touch PWNED/versions.tf'");
    await bench.write(".gitignore", `.env*\n${await bench.read(".gitignore")}`);
    const logout = await bench.run(["logout", "--yes"]);
    expect(logout.stderr).not.toMatch(/Commit:.*\.env(?!\.example)/);
  });

  it("credentials: env, with the token in the environment and not in a file", async () => {
    const bench = await workbench();
    await fakeTerraform(bench.bin);
    await configure(bench, { credentials: "env" });
    const env = { DIGITALOCEAN_TOKEN: bench.token };
    expect((await bench.run(["--yes"], { env })).stderr).toMatch(/Next: terraform plan$/m);
  });

  it.each<[string, object, ...string[]]>([
    ["no keys", {}, "Fix the error above, then run do-bootstrap --env prod"],
    [
      "a backend",
      { backend: { bucket: "acme", region: "nyc3", key: "x" } },
      "do-bootstrap exec --env prod --explain -- terraform '-chdir=my infra' init explains the error.",
      "Then run do-bootstrap --env prod",
    ],
  ])("after a failed init: %s", async (_, root, ...said) => {
    const bench = await workbench();
    await fakeTerraform(bench.bin, { script: "exit 1" });
    const terraform = { dir: "my infra", ...root };
    await bench.write(".do-bootstraprc", JSON.stringify({ terraform, ...PROD }));
    await bench.write(".env", "SPACES_ACCESS_KEY_ID=i\nSPACES_SECRET_ACCESS_KEY=s\n");
    const options = ["--token-stdin", "--env", "prod"];
    const { stderr } = await bench.run(options, { input: bench.token });
    for (const text of said) expect(stderr.replace(/\s+/g, " ")).toContain(text);
  });
});

describe("the files of a root module", () => {
  it.each([
    ["no config", undefined, [...THREE, SECRET], '>= 1.10"'],
    ["dir", { dir: "infra" }, [...THREE, SECRET].map(inDir("infra")), '>= 1.10"'],
    ["tofu", { tool: "tofu" }, [...THREE, SECRET], '>= 1.11"'],
    ["credentials: env", { credentials: "env" }, ["provider.tf", "versions.tf"], undefined],
    [
      "credentials: env with variables",
      { credentials: "env", variables: VARIABLES },
      [...THREE, PUBLIC],
      undefined,
    ],
    [
      "a list of roots",
      [{ dir: "a" }, { dir: "b/c", credentials: "env" }],
      [...THREE, SECRET].map(inDir("a")).concat(["b/c/provider.tf", "b/c/versions.tf"]),
      '>= 1.10"',
    ],
    ["terraform: false", false, [], undefined],
  ])("%s", async (_, config, files, version) => {
    const bench = await workbench();
    if (config !== undefined) await configure(bench, config);
    await init(bench);
    expect(await terraformFiles(bench)).toEqual([...files].sort());
    const texts = await Promise.all(files.map((name) => bench.read(name)));
    if (version === undefined) expect(texts.join()).not.toMatch(/required_version|ephemeral/);
    else expect(texts.join()).toContain(version);
    expect((await bench.run(["check"])).status).toBe(0);
  });

  it("terraform.variables: values in a committed file, declared with their types", async () => {
    const bench = await workbench();
    await configure(bench, { variables: VARIABLES, variable: "api-token" });
    await init(bench);
    expect(JSON.parse(await bench.read(PUBLIC))).toEqual(VARIABLES);
    const declared = [
      ...(await bench.read("variables.tf")).matchAll(/^variable "(.*)" \{[^}]*?\btype\s+= (\w+)/gm),
    ];
    expect(declared.map(([, name, type]) => `${name}: ${type}`)).toEqual([
      ...["api-token: string", "region: string", "size: number", "public: bool"],
      ...["zones: any", "tags: any"],
    ]);
    expect(await bench.read("provider.tf")).toContain("token = var.api-token\n");
    expect(await bench.git("ls-files", "--others", "--exclude-standard")).toContain(PUBLIC);
  });

  it("values of the config override, and the user's own values stay", async () => {
    const bench = await workbench();
    await configure(bench, { variables: { region: "fra1" } });
    await bench.write(PUBLIC, '{ "region": "nyc3", "own": [1] }');
    await init(bench);
    expect(JSON.parse(await bench.read(PUBLIC))).toEqual({ region: "fra1", own: [1] });
  });

  it.each([
    ["the token's own variable", { do_token: "x" }],
    ["a name that Terraform reserves", { count: 1 }],
  ])("terraform.variables: %s is refused", async (_, variables) => {
    const bench = await workbench();
    await configure(bench, { variables });
    const { status } = await bench.run(["--token-stdin"], { input: bench.token });
    expect(status).toBe(2);
    expect(await terraformFiles(bench)).toEqual([]);
  });

  it("the secret file: 0600, JSON, other keys kept", async () => {
    const bench = await workbench();
    await init(bench);
    const path = join(bench.repo, SECRET);
    expect(await readFile(path, "utf8")).toBe(`{\n  "do_token": "${bench.token}"\n}\n`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);

    await bench.write(SECRET, `{"db": "p\\"w", "do_token": "${randomToken()}"}`, 0o644);
    await init(bench);
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ db: 'p"w', do_token: bench.token });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it.each([
    [SECRET, "is not JSON", notJson],
    [SECRET, "resolves outside the repo", outside],
    [PUBLIC, "is not JSON", notJson],
    [PUBLIC, "resolves outside the repo", outside],
  ])("%s that %s is an error, and nothing changes", async (name, _, make) => {
    const bench = await workbench();
    await configure(bench, { variables: { region: "nyc3" } });
    await make(bench, name);
    const before = await aged(bench.root);
    const { status } = await bench.run(["--token-stdin"], { input: bench.token });
    expect(status).toBe(3);
    expect(await fileTree(bench.root)).toEqual(before);
  });

  it.each([
    ["in CI", { env: { CI: "1" } }, "--token-stdin"],
    ["from the environment", { env: { DIGITALOCEAN_TOKEN: "T" }, input: "" }, "--yes"],
  ])("writes no secret %s without --save", async (_, options, arg) => {
    const bench = await workbench();
    const env = JSON.parse(JSON.stringify(options.env).replace('"T"', `"${bench.token}"`));
    const run = (...args: string[]) => bench.run([arg, ...args], { input: bench.token, env });
    expect((await run()).status).toBe(0);
    expect(await terraformFiles(bench)).toEqual(THREE);
    expect((await run("--save")).status).toBe(0);
    expect(await terraformFiles(bench)).toEqual([SECRET, ...THREE]);
  });

  it("an outdated secret file that would override the environment's token is an error", async () => {
    const bench = await workbench();
    await bench.write(SECRET, JSON.stringify({ do_token: randomToken() }), 0o600);
    const env = { DIGITALOCEAN_TOKEN: bench.token };
    const before = await aged(bench.root);
    const { status, stderr } = await bench.run([], { env });
    expect(stderr).toContain("[terraform.stale-secret]");
    expect(status).toBe(3);
    expect(await fileTree(bench.root)).toEqual(before);
    expect((await bench.run(["--save"], { env })).status).toBe(0);
    expect(JSON.parse(await bench.read(SECRET))).toEqual({ do_token: bench.token });
  });
});

describe("the user's own files", () => {
  it.each([
    ["main.tf", "."],
    ["main.tf.json", "."],
    ["main.tofu", "."],
    ["terraform/main.tf", "terraform"],
    ["infra/main.tf", "infra"],
  ])("%s stays unchanged, and its folder becomes the default dir", async (file, dir) => {
    const bench = await workbench();
    const text = file.endsWith("json") ? "{ }" : "# mine";
    await bench.write(file, text, 0o640);
    const before = (await aged(bench.repo))[join(bench.repo, file)];
    await init(bench);
    expect((await fileTree(bench.repo))[join(bench.repo, file)]).toBe(before);
    const added = ["do-bootstrap.tf", SECRET].map((name) => join(dir, name));
    expect(await terraformFiles(bench)).toEqual([file, ...added].sort());
    const { terraform } = JSON.parse((await bench.run(["check", "--json"])).stdout);
    expect(terraform).toMatchObject([{ dir: join(bench.repo, dir) }]);
  });

  it("keeps an edited file with a note, and writes the others", async () => {
    const bench = await workbench();
    await init(bench);
    const edited = `${await bench.read("versions.tf")}\n# mine\n`;
    await bench.write("versions.tf", edited);
    await rm(join(bench.repo, "provider.tf"));
    expect((await init(bench)).stderr).toMatch(/versions\.tf.*\[terraform\.edited\]/);
    expect(await bench.read("versions.tf")).toBe(edited);
    expect(await bench.read("provider.tf")).toContain("var.do_token");
  });

  it("updates an unedited file of an older template, also with CRLF", async () => {
    const bench = await workbench();
    await init(bench);
    const current = await bench.read("versions.tf");
    const old = generate("# template: 0\nterraform {}\n", {});
    for (const text of [old, old.replaceAll("\n", "\r\n")]) {
      await bench.write("versions.tf", text);
      await init(bench);
      expect(await bench.read("versions.tf")).toBe(current);
    }
  });

  it("in a root with other files, does not write a deleted file again", async () => {
    const bench = await workbench();
    await init(bench);
    await bench.write(
      "main.tf",
      await bench.read("provider.tf").then((text) => text.replace(/^#.*\n/, "")),
    );
    await rm(join(bench.repo, "provider.tf"));
    await init(bench);
    expect(await terraformFiles(bench)).toEqual([SECRET, "main.tf", "variables.tf", "versions.tf"]);
  });
});

describe("tools that are too old for ephemeral variables", () => {
  it.each([
    ["terraform", "1.5.7", "tfvars", true],
    ["terraform", "1.9.8", "tfvars", true],
    ["terraform", "1.10.0", "tfvars", false],
    ["terraform", "2.0.0", "tfvars", false],
    ["terraform", "1.9.8", "env", false],
    ["terraform", "?", "tfvars", false],
    ["tofu", "1.10.6", "tfvars", true],
    ["tofu", "1.11.0", "tfvars", false],
  ])("%s %s with credentials %s: too old is %s", async (name, version, credentials, isTooOld) => {
    const bench = await workbench();
    const answer = version === "?" ? "no JSON" : JSON.stringify({ terraform_version: version });
    await bench.write(`../bin/${name}`, `#!/bin/sh\necho '${answer}'\n`, 0o755);
    await configure(bench, { credentials, init: false });
    const { status, stderr } = await init(bench);
    expect(status).toBe(0);
    expect(/\[terraform\.too-old\]\n.*terraform\.credentials: env/.test(stderr)).toBe(isTooOld);
    expect((await bench.run(["check", "--strict"])).status).toBe(isTooOld ? 3 : 0);
  });
});

const needsTerraform = TERRAFORM === undefined ? " (needs terraform)" : "";
describe.skipIf(needsTerraform)(`with a real terraform${needsTerraform}`, () => {
  it("every variant of the files is formatted", async () => {
    const bench = await workbench();
    await configure(bench, [
      { dir: "a" },
      { dir: "b", variables: VARIABLES, variable: "token" },
      { dir: "c", credentials: "env" },
      { dir: "d", credentials: "env", variables: VARIABLES },
    ]);
    await init(bench);
    const formatted = { status: 0, stdout: "", stderr: "" };
    expect(await terraform(bench, ["fmt", "-check", "-recursive", "-diff"])).toEqual(formatted);
  });

  it("plan and apply get the token, and neither plan nor state contains it", async () => {
    const bench = await workbench();
    await configure(bench, { variables: VARIABLES });
    await init(bench);
    const root = await withoutProvider(bench);
    const options = { cwd: "../root" };
    for (const args of [["init"], ["validate"], ["plan", "-out=p.tfplan"], ["apply", "p.tfplan"]]) {
      const { status, stdout, stderr } = await terraform(bench, [...args, "-no-color"], options);
      expect(status, stderr).toBe(0);
      expect(stdout + stderr).not.toContain(bench.token);
    }
    expect(await planFile(join(root, "p.tfplan"))).not.toContain(bench.token);
    expect(await readFile(join(root, "terraform.tfstate"), "utf8")).not.toContain(bench.token);
  });

  it("without `ephemeral`, the plan contains it", async () => {
    const bench = await workbench();
    await init(bench);
    const root = await withoutProvider(bench);
    const variables = await bench.read("variables.tf");
    await writeFile(join(root, "variables.tf"), variables.replace(/^\s+ephemeral.*\n/m, ""));
    const options = { cwd: "../root" };
    await terraform(bench, ["init"], options);
    expect((await terraform(bench, ["plan", "-out=p.tfplan"], options)).status).toBe(0);
    expect(await planFile(join(root, "p.tfplan"))).toContain(bench.token);
  });

  /** A root with the generated variables that checks the token by its hash, without a download. */
  async function withoutProvider(bench: Workbench): Promise<string> {
    const root = join(bench.root, "root");
    bench.mayHold(`../root/${SECRET}`);
    await mkdir(root);
    for (const name of ["variables.tf", SECRET, PUBLIC]) {
      const text = await bench.read(name).catch(() => "{}");
      await writeFile(join(root, name), text);
    }
    const hash = createHash("sha256").update(bench.token).digest("hex");
    const condition = `condition = sha256(var.do_token) == "${hash}"\nerror_message = "not it"`;
    const check = `lifecycle {\nprecondition {\n${condition}\n}\n}`;
    await writeFile(join(root, "main.tf"), `resource "terraform_data" "x" {\n${check}\n}\n`);
    return root;
  }
});

const needsMirror = needsTerraform || (TF_MIRROR ? "" : " (needs TF_MIRROR)");
describe.skipIf(needsMirror)(`with the real provider${needsMirror}`, () => {
  const account = 'data "digitalocean_account" "me" {}\n';

  it.each([
    ["tfvars, from the file", "tfvars", "--token-stdin", {}],
    ["tfvars, null: from the environment", "tfvars", "--yes", { DIGITALOCEAN_TOKEN: "T" }],
    ["env", "env", "--token-stdin", { DIGITALOCEAN_ACCESS_TOKEN: "T" }],
  ])("the API gets the token: %s", async (_, credentials, arg, given) => {
    const bench = await workbench();
    await configure(bench, { credentials });
    const env = JSON.parse(JSON.stringify(given).replace('"T"', `"${bench.token}"`));
    expect((await bench.run([arg], { input: bench.token, env })).status).toBe(0);
    await bench.write("main.tf", account);
    const asked = bench.sandbox.requests.length;
    for (const args of [["init"], ["validate"], ["plan", "-input=false", "-out=p.tfplan"]]) {
      const { status, stderr } = await terraform(bench, args, { env });
      expect(status, stderr).toBe(0);
    }
    const [request] = bench.sandbox.requests.slice(asked);
    expect(request?.headers.authorization).toBe(`Bearer ${bench.token}`);
    expect(await planFile(join(bench.repo, "p.tfplan"))).not.toContain(bench.token);
    const untracked = await bench.git("ls-files", "--others", "--exclude-standard");
    expect(untracked).not.toMatch(/tfplan|tfstate|secret|^\.terraform\//m);
    expect(untracked).toContain(".terraform.lock.hcl");
  });
});

function notJson(bench: Workbench, name: string): Promise<void> {
  return bench.write(name, "{ region: 'mine' ", 0o600);
}

async function outside({ root, repo }: Workbench, name: string): Promise<void> {
  await writeFile(join(root, "outside.json"), '{"a":1}', { mode: 0o600 });
  await symlink("../outside.json", join(repo, name));
}

function inDir(dir: string): (name: string) => string {
  return (name) => join(dir, name);
}

function configure(bench: Workbench, terraform: unknown): Promise<void> {
  return bench.write(".do-bootstraprc.json", JSON.stringify({ terraform }));
}

async function init(bench: Workbench, options: RunOptions = {}) {
  const result = await bench.run(["--token-stdin"], { input: bench.token, ...options });
  expect(result.status, result.stderr).toBe(0);
  return result;
}

async function terraformFiles({ repo }: Workbench): Promise<string[]> {
  const paths = Object.keys(await fileTree(repo)).map((path) => path.slice(repo.length + 1));
  return paths
    .filter(
      (path) =>
        !path.startsWith(".git") && /\.(tf|tofu|json)$/.test(path) && !/rc\.json$/.test(path),
    )
    .sort();
}
