import { createHash } from "node:crypto";
import {
  access,
  appendFile,
  chmod,
  chown,
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { describe, it, type TestContext } from "vitest";
import { leaksIn } from "../fixtures/leak-search.ts";
import { onPath } from "../fixtures/on-path.ts";
import { aged, fileTree } from "../fixtures/tree.ts";
import { type RunOptions, randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

const GIT = onPath("git") ?? "";
const ENV = ["env", "--format", "json"];
const RECORDS = ".cache/do-bootstrap/exec";

const CONFIG = "token: { name: ACME_TOKEN }\n";
const BLOCK = "# do-bootstrap: keep secrets and state out of git\n.env\n# do-bootstrap: end\n";
const OWN = 'variable "my_token" {}\nprovider "digitalocean" {\n  token = var.my_token\n}\n';
const OTHER = OWN.replaceAll("my_token", "other");
const SPACES = { SPACES_ACCESS_KEY_ID: "id", SPACES_SECRET_ACCESS_KEY: "key" };
const BACKEND =
  'terraform {\n  backend "s3" {\n    endpoint = "https://nyc3.digitaloceanspaces.com"\n  }\n}\n';
const KEYED =
  'variable "my_id" {}\nvariable "my_key" {}\nprovider "digitalocean" {\n  spaces_access_id  = var.my_id\n  spaces_secret_key = var.my_key\n}\n';
const ENVIRONMENTS =
  "environments: { prod: { token: { envFile: .env.prod } }, dev: { token: { envFile: .env.dev } } }\n";

const recordsOf = async (folder: string) =>
  (await readdir(folder).catch(() => [])).map((name) => join(folder, name)).sort();

/** How often git was called; only the whole program calls it. */
async function gitCalls(bench: Workbench): Promise<number> {
  return (await readFile(join(bench.root, "git.calls"), "utf8").catch(() => "")).length;
}

type Use = "quick" | "slow";

/** Replaces a file or folder with a link. */
async function linked(path: string, to: string): Promise<void> {
  await rm(path, { recursive: true });
  await symlink(to, path);
}

async function runSeen(bench: Workbench, args: readonly string[], options: RunOptions = {}) {
  const before = await gitCalls(bench);
  const result = await bench.run(args, options);
  // Only the whole program calls git, and only it prints an error with its code.
  const isWhole = (await gitCalls(bench)) !== before || /\[[A-Z_]+\]$/m.test(result.stderr);
  const use: Use = isWhole ? "slow" : "quick";
  return { result, use };
}

/** A repo with a token under two names. TF_VAR_file says which env file was read. */
async function repoWith(
  context: Pick<TestContext, "onTestFinished">,
  files: Readonly<Record<string, string>> = {},
  options: { git?: boolean } = {},
): Promise<Workbench> {
  const bench = await workbench({ ...options, onTestFinished: context.onTestFinished });
  const tokens = `DIGITALOCEAN_TOKEN=${bench.token}\nACME_TOKEN=${bench.token}\n`;
  for (const name of [".env", ".env.prod", ".env.dev", "a/.env", "a/b/.env"]) {
    await bench.write(name, `${tokens}TF_VAR_file=${name}\nSPACES_ACCESS_KEY_ID=id\n`, 0o600);
  }
  for (const [path, text] of Object.entries(files)) await bench.write(path, text);
  await aged(bench.repo);
  const calls = join(bench.root, "git.calls");
  await rm(join(bench.bin, "git"));
  const wrapper = `#!/bin/sh\nprintf x >> '${calls}'\nexec '${GIT}' "$@"\n`;
  await writeFile(join(bench.bin, "git"), wrapper, { mode: 0o755 });
  return bench;
}

/** The result without a record: the whole program runs. */
async function afresh(bench: Workbench, args: readonly string[], options: RunOptions) {
  const cache = join(bench.root, "empty-cache");
  await rm(cache, { recursive: true, force: true });
  return bench.run(args, { ...options, env: { ...options.env, XDG_CACHE_HOME: cache } });
}

interface Situation {
  readonly git?: false;
  readonly files?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly args?: readonly string[];
  readonly env?: (bench: Workbench) => RunOptions["env"];
  /** For the second run. */
  readonly later?: { args?: readonly string[]; env?: (bench: Workbench) => RunOptions["env"] };
  /** Between the two runs. */
  readonly change?: (bench: Workbench, record: string) => Promise<unknown>;
}

type Row = readonly [name: string, use: Use, Situation];

const yaml = { ".do-bootstraprc.yaml": CONFIG };
const json = JSON.stringify({ token: { name: "ACME_TOKEN" } });
const packageJson = JSON.stringify({
  name: "x",
  "do-bootstrap": { token: { name: "ACME_TOKEN" } },
});
const deep = { ...yaml, "a/b/x": "" };
const backend = "terraform: { backend: { bucket: acme-tfstate, region: nyc3, key: web } }\n";
const list = "terraform: [{ dir: one }, { dir: two }]\n";
const write = (path: string, text: string) => (bench: Workbench) => bench.write(path, text);
const remove =
  (path: string) =>
  ({ repo }: Workbench) =>
    rm(join(repo, path), { recursive: true });
const record = (text: (before: string) => string) => async (_: Workbench, path: string) =>
  writeFile(path, text(await readFile(path, "utf8")));

const SITUATIONS: readonly Row[] = [
  // Where the config is.
  ["no config", "quick", {}],
  ["config in YAML", "quick", { files: yaml }],
  ["config in package.json", "quick", { files: { "package.json": packageJson } }],
  ["config without a file extension", "quick", { files: { ".do-bootstraprc": CONFIG } }],
  ["config in .config", "quick", { files: { ".config/do-bootstraprc": CONFIG } }],
  ["config two folders up", "quick", { files: deep, cwd: "a/b" }],
  ["no config in a prepared repo", "quick", { files: { ".gitignore": BLOCK }, cwd: "a/b" }],
  ["no config, in a subfolder", "quick", { cwd: "a/b" }],
  ["outside git", "quick", { git: false }],
  ["outside git, below the config", "quick", { git: false, files: deep, cwd: "a" }],
  [
    "an environment",
    "quick",
    { files: { ".do-bootstraprc": ENVIRONMENTS }, args: ["--env", "prod"] },
  ],
  // What the config contains.
  ["a custom token variable", "quick", { files: { "main.tf": OWN } }],
  [
    "terraform.dir",
    "quick",
    { files: { ".do-bootstraprc": "terraform: { dir: one }\n", "one/main.tf": OWN } },
  ],
  [
    "a list of roots",
    "quick",
    { files: { ".do-bootstraprc": list, "one/main.tf": OWN, "two/main.tf": OTHER } },
  ],
  ["a backend", "quick", { files: { ".do-bootstraprc": backend } }],
  ["a backend in the code", "quick", { files: { "main.tf": BACKEND }, env: () => SPACES }],
  ["Spaces keys in variables", "quick", { files: { "main.tf": KEYED }, env: () => SPACES }],
  [
    "a custom env file",
    "quick",
    { files: { ".do-bootstraprc": "token: { envFile: .env.dev }\n" } },
  ],
  ["a token in the environment", "quick", { env: () => ({ DIGITALOCEAN_TOKEN: randomToken() }) }],
  // Changes in the config.
  [
    "a nearer config appears",
    "slow",
    {
      files: deep,
      cwd: "a/b",
      change: write("a/.do-bootstraprc", "token: { name: DIGITALOCEAN_TOKEN }\n"),
    },
  ],
  ["a config in .config appears", "slow", { change: write(".config/do-bootstraprc.json", json) }],
  [
    "a config with higher precedence appears",
    "slow",
    { files: { "do-bootstrap.config.json": "{}" }, change: write(".do-bootstraprc", CONFIG) },
  ],
  [
    "the config is edited",
    "slow",
    {
      files: yaml,
      change: write(".do-bootstraprc.yaml", "token: { name: ACME_TOKEN, envFile: .env.dev }\n"),
    },
  ],
  [
    "the config is edited, same length",
    "slow",
    { files: yaml, change: write(".do-bootstraprc.yaml", "token: { name: NONE_TOKEN }\n") },
  ],
  [
    "the config is edited, same modification time",
    "slow",
    {
      files: yaml,
      change: async (bench) => {
        await bench.write(".do-bootstraprc.yaml", "token: { envFile: .env.dev }\n");
        await aged(bench.repo);
      },
    },
  ],
  [
    "the config becomes invalid",
    "slow",
    { files: yaml, change: write(".do-bootstraprc.yaml", "tokn: {}\n") },
  ],
  ["the config is deleted", "slow", { files: yaml, change: remove(".do-bootstraprc.yaml") }],
  [
    "the config is moved",
    "slow",
    {
      files: deep,
      cwd: "a/b",
      change: ({ repo }) =>
        rename(join(repo, ".do-bootstraprc.yaml"), join(repo, "a/.do-bootstraprc.yaml")),
    },
  ],
  [
    "package.json gets the key",
    "slow",
    { files: { "package.json": '{"name": "x"}' }, change: write("package.json", packageJson) },
  ],
  [
    "a package.json between here and the config gets the key",
    "slow",
    {
      files: { ...deep, "a/package.json": "{}" },
      cwd: "a/b",
      change: write("a/package.json", packageJson),
    },
  ],
  ["the .gitignore block appears", "slow", { cwd: "a/b", change: write(".gitignore", BLOCK) }],
  [
    "the .gitignore block is removed",
    "slow",
    { files: { ".gitignore": BLOCK }, cwd: "a/b", change: write(".gitignore", "") },
  ],
  [
    "another environment",
    "slow",
    {
      files: { ".do-bootstraprc": ENVIRONMENTS },
      args: ["--env", "prod"],
      later: { args: ["--env", "dev"] },
    },
  ],
  // Changes in the Terraform code.
  [
    "a .tf file gets a token variable",
    "slow",
    { files: { "main.tf": "# nothing\n" }, change: write("main.tf", OWN) },
  ],
  [
    "the token variable is renamed, same length",
    "slow",
    { files: { "main.tf": OWN }, change: write("main.tf", OWN.replaceAll("my_token", "do_token")) },
  ],
  ["a .tf file is added", "slow", { change: write("main.tf", OWN) }],
  [
    "the backend changes to another host",
    "slow",
    {
      files: { "main.tf": BACKEND },
      env: () => SPACES,
      change: write("main.tf", BACKEND.replace("https://nyc3.", "https://evil.")),
    },
  ],
  [
    "a variable for a Spaces key gets a value in a new file",
    "slow",
    {
      files: { "main.tf": KEYED },
      env: () => SPACES,
      change: write("terraform.tfvars", 'my_id = "x"\n'),
    },
  ],
  [
    "a variable for a Spaces key loses its value",
    "slow",
    {
      files: { "main.tf": KEYED, "x.auto.tfvars": 'my_id = "x"\n' },
      env: () => SPACES,
      change: remove("x.auto.tfvars"),
    },
  ],
  [
    "a .tofu file is added",
    "slow",
    { files: { "main.tf": "# nothing\n" }, change: write("x.tofu", OWN) },
  ],
  [
    "a version file appears",
    "slow",
    {
      files: { "main.tf": 'variable "do_token" {}\n' },
      change: write(".terraform-version", "1.5.7\n"),
    },
  ],
  ["a .tf file is added in a default folder", "slow", { change: write("infra/main.tf", OWN) }],
  [
    "a .tf file is added in the second root",
    "slow",
    { files: { ".do-bootstraprc": list, "one/main.tf": OWN }, change: write("two/main.tf", OTHER) },
  ],
  [
    "a .tf file is renamed",
    "slow",
    {
      files: { "main.tf": OWN },
      change: ({ repo }) => rename(join(repo, "main.tf"), join(repo, "main.txt")),
    },
  ],
  [
    "other files are added and removed",
    "quick",
    {
      files: { "a.txt": "" },
      change: async (bench) => {
        await bench.write("b.txt", "");
        await remove("a.txt")(bench);
        await bench.git("add", "b.txt");
      },
    },
  ],
  // Changes around the project.
  [
    "git init in a subfolder",
    "slow",
    { files: deep, cwd: "a/b", change: (bench) => bench.git("init", "--quiet", "a") },
  ],
  [
    "git init where there was no repo",
    "slow",
    { git: false, files: deep, cwd: "a/b", change: (bench) => bench.git("init", "--quiet") },
  ],
  ["the repo's .git is deleted", "slow", { files: deep, cwd: "a/b", change: remove(".git") }],
  // Read again on each run.
  [
    "the env file is edited",
    "quick",
    { change: ({ repo }) => appendFile(join(repo, ".env"), "TF_VAR_new=1\n") },
  ],
  [
    "the token is rotated",
    "quick",
    { change: write(".env", `DIGITALOCEAN_TOKEN=${randomToken()}\n`) },
  ],
  ["the env file is deleted", "slow", { change: remove(".env") }],
  ["the token is malformed", "slow", { change: write(".env", "DIGITALOCEAN_TOKEN=dop_v1_x\n") }],
  ["the env file is binary", "slow", { change: write(".env", "DIGITALOCEAN_TOKEN=\0\n") }],
  [
    "the env file is in Latin-1",
    "quick",
    {
      change: async ({ repo, token }) =>
        writeFile(join(repo, ".env"), `DIGITALOCEAN_TOKEN=${token}\nTF_VAR_x=\xe9\n`, "latin1"),
    },
  ],
  [
    "the env file becomes a folder",
    "slow",
    {
      change: async (bench) => {
        await remove(".env")(bench);
        await bench.write(".env/x", "");
      },
    },
  ],
  [
    "the env file becomes a link",
    "quick",
    {
      change: async (bench) => {
        await remove(".env")(bench);
        await symlink(".env.dev", join(bench.repo, ".env"));
      },
    },
  ],
  [
    "the env file becomes a link to itself",
    "slow",
    {
      change: async (bench) => {
        await remove(".env")(bench);
        await symlink(".env", join(bench.repo, ".env"));
      },
    },
  ],
  [
    "the env file becomes a link to a file outside the repo",
    "slow",
    {
      change: async (bench) => {
        await remove(".env")(bench);
        await bench.write("../acme/.env", `DIGITALOCEAN_TOKEN=${randomToken()}\n`);
        await symlink("../acme/.env", join(bench.repo, ".env"));
      },
    },
  ],
  [
    "the secret file is a link to a file outside the repo",
    "slow",
    {
      change: async ({ repo, write }) => {
        const name = "do-bootstrap.secret.auto.tfvars.json";
        await write("../acme/values.json", "{}");
        await symlink("../acme/values.json", join(repo, name));
      },
    },
  ],
  [
    "the secret file is a link to a missing file outside the repo",
    "quick",
    {
      change: ({ repo }) => {
        const name = "do-bootstrap.secret.auto.tfvars.json";
        return symlink("../acme/gone.json", join(repo, name));
      },
    },
  ],
  [
    "another token in the secret file",
    "slow",
    {
      change: write(
        "do-bootstrap.secret.auto.tfvars.json",
        JSON.stringify({ do_token: randomToken() }),
      ),
    },
  ],
  [
    "the secret file is a link to itself",
    "slow",
    {
      change: ({ repo }) => {
        const name = "do-bootstrap.secret.auto.tfvars.json";
        return symlink(name, join(repo, name));
      },
    },
  ],
  [
    "the environment has another token than before",
    "quick",
    { later: { env: () => ({ DIGITALOCEAN_TOKEN: randomToken() }) } },
  ],
  [
    "the environment has two tokens",
    "slow",
    {
      later: {
        env: () => ({
          DIGITALOCEAN_TOKEN: randomToken(),
          DIGITALOCEAN_ACCESS_TOKEN: randomToken(),
        }),
      },
    },
  ],
  [
    "the environment overrides a variable of the env file",
    "quick",
    { later: { env: () => ({ TF_VAR_file: "mine" }) } },
  ],
  ["inside another exec", "slow", { later: { env: () => ({ DO_BOOTSTRAP_EXEC: "prod:/x" }) } }],
  ["--unset without a token", "quick", { change: write(".env", ""), later: { args: ["--unset"] } }],
  [
    "--unset with two tokens",
    "quick",
    {
      later: {
        args: ["--unset"],
        env: () => ({
          DIGITALOCEAN_TOKEN: randomToken(),
          DIGITALOCEAN_ACCESS_TOKEN: randomToken(),
        }),
      },
    },
  ],
  // The cache itself.
  ["HOME is another folder", "slow", { later: { env: ({ tmp }) => ({ HOME: tmp }) } }],
  [
    "HOME becomes the project's folder",
    "slow",
    {
      env: ({ tmp }) => ({ XDG_CACHE_HOME: tmp }),
      later: { env: ({ tmp, repo }) => ({ XDG_CACHE_HOME: tmp, HOME: repo }) },
    },
  ],
  ["HOME is not set", "slow", { later: { env: () => ({ HOME: undefined }) } }],
  ["the record is truncated", "slow", { change: record((text) => text.slice(0, -10)) }],
  ["the record is garbage", "slow", { change: record(() => "\0\xff{]") }],
  ["the record is null", "slow", { change: record(() => "null") }],
  [
    "the record has no config",
    "slow",
    { change: record((text) => JSON.stringify({ ...JSON.parse(text), value: undefined })) },
  ],
  [
    "the record's config is empty",
    "slow",
    { change: record((text) => JSON.stringify({ ...JSON.parse(text), value: {} })) },
  ],
  [
    "the record is from another version",
    "slow",
    { change: record((text) => JSON.stringify({ ...JSON.parse(text), version: "0.0.9" })) },
  ],
  [
    "the record is for another folder",
    "slow",
    { change: record((text) => JSON.stringify({ ...JSON.parse(text), path: "/elsewhere" })) },
  ],
  [
    "the record is for another environment",
    "slow",
    { change: record((text) => JSON.stringify({ ...JSON.parse(text), environment: "prod" })) },
  ],
  [
    "the record is a folder",
    "slow",
    {
      change: async (_, path) => {
        await rm(path);
        await mkdir(path);
      },
    },
  ],
];

describe.concurrent("the result is the same with and without a record", () => {
  it.for(SITUATIONS)("%s: %s", async ([name, use, situation], context) => {
    const { expect } = context;
    const { git, files, cwd = ".", args = [], env, later = {}, change } = situation;
    const bench = await repoWith(context, files, { ...(git === undefined ? {} : { git }) });
    const first = env?.(bench) ?? {};
    const options: RunOptions = { cwd, env: first };
    const before = await bench.run([...ENV, ...args], options);
    expect(before.status, before.stderr).toBe(0);
    const folder = join(first["XDG_CACHE_HOME"] ?? join(bench.home, ".cache"), "do-bootstrap/exec");
    const [path = "", ...more] = await recordsOf(folder);
    expect(more).toEqual([]);
    await access(path);
    await change?.(bench, path);

    const again: RunOptions = { cwd, env: { ...first, ...later.env?.(bench) } };
    const line = [...ENV, ...(later.args ?? args)];
    const remembered = await runSeen(bench, line, again);
    // The first run had no record either.
    const isSame =
      situation.later === undefined && (change === undefined || name.includes("record"));
    expect(remembered.result).toEqual(isSame ? before : await afresh(bench, line, again));
    expect(remembered.use).toBe(use);
  });
});

const quickAgain = async ({ expect }: TestContext, bench: Workbench, options?: RunOptions) => {
  const first = await bench.run(ENV, options);
  expect(first.status, first.stderr).toBe(0);
  expect(await runSeen(bench, ENV, options)).toEqual({ use: "quick", result: first });
};

describe.concurrent("the record", () => {
  it("is rewritten after a change, then used again", async (context) => {
    const bench = await repoWith(context, yaml);
    await quickAgain(context, bench);
    await bench.write(".do-bootstraprc.yaml", "token: { envFile: .env.dev }\n");
    await aged(bench.repo);
    context.expect((await runSeen(bench, ENV)).use).toBe("slow");
    await quickAgain(context, bench);
  });

  it("is used by exec and env with every option but --verify", async (context) => {
    const bench = await repoWith(context, yaml);
    const { expect } = context;
    const print = [process.execPath, "-p", "process.env.DIGITALOCEAN_TOKEN"];
    expect((await runSeen(bench, ["exec", "--", ...print])).use).toBe("slow");
    expect(await runSeen(bench, ["exec", "--", ...print])).toEqual({
      use: "quick",
      result: { status: 0, stdout: `${bench.token}\n`, stderr: "" },
    });
    expect((await runSeen(bench, ["exec", "--all", "--mask", ...print])).use).toBe("quick");
    expect((await runSeen(bench, ["env", "--all", "--yes", "--format=fish"])).use).toBe("quick");
    expect((await runSeen(bench, ["exec", "--verify", ...print])).use).toBe("slow");
  });

  it("contains no token or secret, is private, and is the only change in HOME", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, { ".do-bootstraprc": ENVIRONMENTS, "main.tf": OWN });
    const secrets = { SPACES_SECRET_ACCESS_KEY: "spaces-secret", TF_VAR_db_password: "hunter2" };
    const text = Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`);
    await appendFile(join(bench.repo, ".env"), text.join(""));
    const secretFile = JSON.stringify({ do_token: bench.token });
    await bench.write("do-bootstrap.secret.auto.tfvars.json", secretFile, 0o600);
    await quickAgain(context, bench);
    expect((await bench.run([...ENV, "--env", "prod"])).status).toBe(0);
    const slug = bench.repo.replace(/[^A-Za-z0-9.-]+/g, "_");
    const tree = await fileTree(bench.home);
    expect(
      Object.entries(tree).map(([path, what]) => [relative(bench.home, path), what.split(" ")[0]]),
    ).toEqual([
      [".cache", "700"],
      [".cache/do-bootstrap", "700"],
      [".cache/do-bootstrap/config", "700"],
      [`.cache/do-bootstrap/config/${slug}_.do-bootstraprc.json`, "600"],
      [RECORDS, "700"],
      [`${RECORDS}/${slug}.json`, "600"],
      [`${RECORDS}/${slug}@prod.json`, "600"],
    ]);
    const all = JSON.stringify(tree);
    expect(all).toContain("my_token");
    expect(leaksIn(all, bench.token)).toEqual([]);
    for (const value of Object.values(secrets)) expect(all).not.toContain(value);
    expect(all).not.toContain(createHash("sha256").update(bench.token).digest("hex").slice(0, 8));
  });

  it.for<[name: string, env: (bench: Workbench) => NonNullable<RunOptions["env"]>]>([
    [
      "a file where the cache folder should be",
      ({ repo }) => ({ XDG_CACHE_HOME: join(repo, ".env") }),
    ],
    ["a cache folder that can't exist", () => ({ XDG_CACHE_HOME: "/dev/null/x" })],
    ["a relative XDG_CACHE_HOME", () => ({ XDG_CACHE_HOME: "cache" })],
    ["a relative HOME", () => ({ HOME: "home" })],
    ["neither HOME nor XDG_CACHE_HOME", () => ({ HOME: undefined })],
  ])("%s: each run is slow and gives the same result", async ([, env], context) => {
    const { expect } = context;
    const bench = await repoWith(context);
    const before = await fileTree(bench.root);
    const options = { env: env(bench) };
    const first = await runSeen(bench, ENV, options);
    expect(first).toMatchObject({ use: "slow", result: { status: 0, stderr: "" } });
    expect(await runSeen(bench, ENV, options)).toEqual(first);
    await rm(join(bench.root, "git.calls"));
    expect(await fileTree(bench.root)).toEqual(before);
  });

  it.for<[name: string, cwd: string, files?: Record<string, string>, git?: boolean]>([
    ["at its root", "."],
    ["in a subfolder", "a/b"],
    ["below the config", "a/b", { "a/.do-bootstraprc": "{}" }],
    ["without git", ".", {}, false],
  ])(
    "a cache in the repo, %s: no record is written or read",
    async ([, cwd, files, git], context) => {
      const { expect } = context;
      const bench = await repoWith(context, files, { git: git ?? true });
      const real = await bench.run(ENV, { cwd });
      expect(real.status).toBe(0);
      const before = await fileTree(bench.repo);
      const options = { cwd, env: { XDG_CACHE_HOME: join(bench.repo, "cache") } };
      expect(await bench.run(ENV, options)).toEqual(real);
      expect(await fileTree(bench.repo)).toEqual(before);

      const [path = ""] = await recordsOf(join(bench.home, RECORDS));
      const record = JSON.parse(await readFile(path, "utf8"));
      const value = {
        ...record.value,
        envFile: join(bench.repo, ".env.dev"),
        variables: ["evil"],
      };
      const forged = JSON.stringify({ ...record, stamps: {}, value });
      await bench.write(`cache/do-bootstrap/exec/${basename(path)}`, forged);
      expect(await bench.run(ENV, options)).toEqual(real);
    },
  );

  it.for<[what: string, change: (cache: string, inRepo: string) => Promise<unknown>]>([
    ["is a link into the repo", (cache, inRepo) => linked(cache, inRepo)],
    [
      "contains a link as our folder",
      (cache, inRepo) => linked(`${cache}/do-bootstrap`, `${inRepo}/do-bootstrap`),
    ],
    ["contains our folder, writable by all", (cache) => chmod(`${cache}/do-bootstrap`, 0o777)],
  ])("ignores a cache that %s", async ([, change], context) => {
    const { expect } = context;
    const bench = await repoWith(context);
    await quickAgain(context, bench);
    const { result: real } = await runSeen(bench, ENV);
    const cache = join(bench.home, ".cache");
    await cp(cache, join(bench.repo, "cache"), { recursive: true, preserveTimestamps: true });
    await change(cache, join(bench.repo, "cache"));
    const before = await fileTree(bench.repo);
    expect(await runSeen(bench, ENV)).toEqual({ use: "slow", result: real });
    expect(await fileTree(bench.repo)).toEqual(before);
  });

  const needsRoot = process.getuid?.() === 0 ? "" : " (needs root)";
  it.skipIf(needsRoot)(`ignores a record owned by another user${needsRoot}`, async (context) => {
    const { expect } = context;
    const bench = await repoWith(context);
    await quickAgain(context, bench);
    const { result: real } = await runSeen(bench, ENV);
    const [path = ""] = await recordsOf(join(bench.home, RECORDS));
    const record = JSON.parse(await readFile(path, "utf8"));
    await bench.write("evil.env", `DIGITALOCEAN_TOKEN=${randomToken()}\n`);
    const value = { ...record.value, envFile: join(bench.repo, "evil.env") };
    await writeFile(path, JSON.stringify({ ...record, stamps: {}, value }));
    await chown(path, 65_534, 65_534);
    expect(await runSeen(bench, ENV)).toEqual({ use: "slow", result: real });
  });

  it("two folders with the same record name overwrite each other's record", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, {
      "a b/.do-bootstraprc": "{}",
      "a_b/.do-bootstraprc": "{}",
    });
    for (const cwd of ["a b", "a_b"]) {
      await bench.write(`${cwd}/.env`, `DIGITALOCEAN_TOKEN=${bench.token}\nTF_VAR_dir='${cwd}'\n`);
    }
    const seen: string[] = [];
    for (const cwd of ["a b", "a_b", "a_b", "a b", "a b", "a_b"]) {
      const { result, use } = await runSeen(bench, ENV, { cwd });
      expect(JSON.parse(result.stdout)).toMatchObject({ TF_VAR_dir: cwd });
      seen.push(use);
    }
    expect(seen).toEqual(["slow", "slow", "quick", "slow", "quick", "slow"]);
    expect(await recordsOf(join(bench.home, RECORDS))).toHaveLength(1);
  });

  it("is not written while the config's modification time is not in the past", async (context) => {
    const bench = await repoWith(context, yaml);
    const soon = new Date(Date.now() + 3_600_000);
    await utimes(join(bench.repo, ".do-bootstraprc.yaml"), soon, soon);
    for (const _ of [1, 2]) {
      context.expect((await runSeen(bench, ENV)).use).toBe("slow");
      context.expect(await recordsOf(join(bench.home, RECORDS))).toEqual([]);
    }
  });

  it("there are at most 500 records", async (context) => {
    const bench = await repoWith(context);
    const folder = join(bench.home, RECORDS);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (let i = 0; i < 499; i++) {
      const text = JSON.stringify({ kind: "exec", path: `/gone/${i}` });
      await writeFile(join(folder, `_gone_${i}.json`), text);
    }
    await quickAgain(context, bench);
    context.expect(await recordsOf(folder)).toHaveLength(500);
    // A file that isn't a record with this name stays, and so does a folder.
    await rm(join(folder, "_gone_0.json"));
    await writeFile(join(folder, "theirs.json"), '{"kind":"exec","path":"/mine"}');
    await mkdir(join(folder, "photos"));
    await writeFile(join(folder, "photos", "a.json.1"), "");
    const env = { HOME: bench.home };
    context.expect((await bench.run(ENV, { cwd: "a", env })).status).toBe(0);
    const left = (await recordsOf(folder)).map((path) => basename(path));
    const record = context.expect.stringMatching(/_a\.json$/);
    context.expect(left).toEqual([record, "photos", "theirs.json"]);
    context.expect(await readdir(join(folder, "photos"))).toEqual(["a.json.1"]);
  });

  it.for<[args: string[], leaves: boolean]>([
    [["check"], false],
    [["init", "--dry-run"], false],
    [["init"], true],
  ])("%j writes a record of the config: %s", async ([args, leaves], context) => {
    const bench = await repoWith(context, yaml);
    const before = await fileTree(bench.home);
    await bench.run(args);
    const after = await fileTree(bench.home);
    const left = Object.keys(after).filter((path) => path.includes("/do-bootstrap/config/"));
    if (leaves) context.expect(left).toHaveLength(1);
    else context.expect(after).toEqual(before);
  });

  it("of the config is ignored after the config has changed", async (context) => {
    const bench = await repoWith(context, yaml);
    const report = async () => JSON.parse((await bench.run(["check", "--json"])).stdout).project;
    await bench.write(".do-bootstraprc.yaml", "project: one\n");
    context.expect((await bench.run(["init"])).status).toBe(0);
    context.expect(await report()).toBe("one");
    await bench.write(".do-bootstraprc.yaml", "project: two\n");
    context.expect(await report()).toBe("two");
  });

  it("is also written by a run without a token", async (context) => {
    const bench = await repoWith(context);
    const text = await bench.read(".env");
    await bench.write(".env", "");
    context.expect((await runSeen(bench, ENV)).result.status).toBe(4);
    await bench.write(".env", text);
    const { use, result } = await runSeen(bench, ENV);
    context.expect([use, result.status]).toEqual(["quick", 0]);
  });
});
