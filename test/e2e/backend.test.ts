import { readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { OPENSSL } from "../fixtures/certificate.ts";
import { older } from "../fixtures/generated.ts";
import { type Spaces, type SpacesOptions, startSpaces } from "../fixtures/spaces/spaces.ts";
import { emptyMirror, planFile, TERRAFORM, terraform } from "../fixtures/terraform.ts";
import { type RunOptions, treeHash, type Workbench, workbench } from "../fixtures/workbench.ts";

const BACKEND = { bucket: "acme-tfstate", region: "nyc3", key: "web/terraform.tfstate" };
const LOCKED = { ...BACKEND, lock: true };
const OBJECT = `${BACKEND.bucket}/${BACKEND.key}`;
const TEST_OBJECT = "web/terraform.tfstate.do-bootstrap-lock-test-*";
const real = TERRAFORM === undefined || !OPENSSL ? " (needs terraform and openssl)" : "";
const withTls = OPENSSL ? "" : " (needs openssl)";

interface Store extends Workbench {
  readonly spaces: Spaces;
}

/** A workbench in which digitaloceanspaces.com is this machine. */
async function storeBench(config: object, options: SpacesOptions = {}): Promise<Store> {
  const bench = await workbench();
  const spaces = await startSpaces(options);
  onTestFinished(() => spaces.close());
  await bench.write(".do-bootstraprc", JSON.stringify(config));
  await bench.write(".env", envLines(spaces.keys));
  const run = (args: readonly string[], options: RunOptions = {}) =>
    bench.run(args, { ...options, env: { ...spaces.env, ...options.env } });
  return { ...bench, run, spaces };
}

function envLines({ id, secret }: Spaces["keys"]): string {
  return `SPACES_ACCESS_KEY_ID=${id}\nSPACES_SECRET_ACCESS_KEY=${secret}\n`;
}

const init = (bench: Workbench, ...args: string[]) =>
  bench.run(["--token-stdin", "--yes", ...args], { input: bench.token });

/** The installed Terraform, with a mirror whose provider is an empty file. */
async function installTerraform(bench: Store): Promise<Readonly<Record<string, string>>> {
  await symlink(TERRAFORM ?? "", join(bench.bin, "terraform"));
  const mirror = await emptyMirror(bench.root);
  const rc = join(bench.root, "mirror.tfrc");
  const installation = `filesystem_mirror {\n path = ${JSON.stringify(mirror)}\n }`;
  await writeFile(rc, `provider_installation {\n ${installation}\n}\n`);
  return { TF_CLI_CONFIG_FILE: rc };
}

const ids = ({ stdout }: { stdout: string }): string[] =>
  (JSON.parse(stdout) as { findings: { id: string }[] }).findings
    .map(({ id }) => id)
    .filter((id) => /^(backend|cloud|terraform)\./.test(id) && id !== "terraform.missing");

/** What `check` finds about Terraform's state; the token is in the environment. */
async function checked(bench: Workbench, env: Readonly<Record<string, string>> = {}) {
  const result = await bench.run(["check", "--json"], {
    env: { DIGITALOCEAN_TOKEN: bench.token, ...env },
  });
  return { ...result, ids: ids(result) };
}

describe.skipIf(real !== "")(`with the real terraform${real}`, () => {
  it("stores the state on Spaces: init, apply, plan, lock, and keys in no file", async () => {
    const bench = await storeBench({ terraform: { backend: LOCKED, workspace: "prod" } });
    const { keys, objects, requests } = bench.spaces;
    const env = await installTerraform(bench);
    const first = await bench.run(["--token-stdin", "--yes"], { input: bench.token, env });
    expect(first).toMatchObject({ status: 0 });
    expect(first.stderr).toMatch(/terraform init {2}install the provider, connect the state/);
    expect(first.stderr).toContain("Next: do-bootstrap exec -- terraform plan");
    expect(requests.slice(0, 3)).toEqual([
      `PUT ${TEST_OBJECT} 200`,
      `PUT ${TEST_OBJECT} 412`,
      `DELETE ${TEST_OBJECT} 204`,
    ]);
    expect((await terraform(bench, ["fmt", "-check", "-diff", "backend.tf"])).stdout).toBe("");

    requests.length = 0;
    const tree = await treeHash(bench.repo);
    const again = await bench.run([], { env });
    expect([again.status, again.stderr]).toEqual([0, expect.stringContaining("all is well")]);
    expect((await bench.run(["check"], { env })).status).toBe(0);
    expect([await treeHash(bench.repo), requests]).toEqual([tree, []]);

    // Another setting for the same place: Terraform has to run init again.
    const unlocked = { terraform: { backend: BACKEND, workspace: "prod" } };
    await bench.write(".do-bootstraprc", JSON.stringify(unlocked));
    const changed = await bench.run(["--yes"], { env });
    expect([changed.status, changed.stderr]).toEqual([
      0,
      expect.stringMatching(/▸ terraform init -reconfigure {2}(?![\s\S]*terraform\.failed)/),
    ]);
    await bench.write(
      ".do-bootstraprc",
      JSON.stringify({ terraform: { backend: LOCKED, workspace: "prod" } }),
    );
    expect(await bench.run(["--yes"], { env })).toMatchObject({ status: 0 });
    expect((await bench.run(["check"], { env })).status).toBe(0);

    // Without the provider, which is only a file here.
    for (const name of ["provider.tf", "versions.tf"]) await rm(join(bench.repo, name));
    await bench.write("main.tf", 'resource "terraform_data" "x" {\n  input = "state"\n}\n');
    const exec = (verb: string, ...rest: string[]) =>
      bench.run(["exec", "--", "terraform", verb, "-no-color", "-input=false", ...rest], { env });
    expect(await exec("plan", "-out=x.tfplan")).toMatchObject({ status: 0 });
    expect(await exec("apply", "x.tfplan")).toMatchObject({ status: 0 });
    expect(await exec("plan", "-detailed-exitcode")).toMatchObject({ status: 0 });
    const state = objects.get(`${BACKEND.bucket}/env:/prod/${BACKEND.key}`);
    expect(JSON.parse(String(state))).toMatchObject({ resources: [{ type: "terraform_data" }] });

    const lock = `${BACKEND.bucket}/env:/prod/${BACKEND.key}.tflock`;
    objects.set(lock, Buffer.from('{"ID":"5f5a","Operation":"OperationTypeApply","Who":"ada@x"}'));
    const locked = await exec("plan");
    expect([locked.status, locked.stderr]).toEqual([
      1,
      expect.stringMatching(/Error acquiring the state lock[\s\S]*412[\s\S]*ada@x/),
    ]);

    const kept = [
      await readFile(join(bench.repo, ".terraform", "terraform.tfstate"), "utf8"),
      await planFile(join(bench.repo, "x.tfplan")),
      await bench.read("backend.tf"),
    ].join("\n");
    const said = [first, again, changed, locked].map((run) => run.stdout + run.stderr).join("\n");
    for (const key of [keys.id, keys.secret, bench.token]) {
      expect(kept).not.toContain(key);
      expect(said).not.toContain(key);
    }
  });

  it("a local state is moved only by the command that is shown", async () => {
    const bench = await storeBench({ terraform: { backend: BACKEND } });
    const env = await installTerraform(bench);
    await bench.write("main.tf", 'resource "terraform_data" "x" {}\n');
    for (const verb of [["init"], ["apply", "-auto-approve"]]) {
      expect(await terraform(bench, verb)).toMatchObject({ status: 0 });
    }
    const { status, stderr } = await bench.run(["--token-stdin", "--yes"], {
      input: bench.token,
      env,
    });
    expect([status, stderr]).toEqual([0, expect.stringContaining("[backend.migrate]")]);
    expect(stderr).not.toContain("▸");
    expect(bench.spaces.requests).toEqual([]);
    const shown = /do-bootstrap exec -- (terraform init -migrate-state)/.exec(stderr)?.[1] ?? "";

    await rm(join(bench.repo, "do-bootstrap.tf"));
    const words = ["exec", "--", ...shown.split(" "), "-force-copy", "-no-color"];
    expect(await bench.run(words, { env })).toMatchObject({ status: 0 });
    const state = String(bench.spaces.objects.get(OBJECT));
    expect(JSON.parse(state)).toMatchObject({ resources: [{ type: "terraform_data" }] });
    expect((await checked(bench, env)).ids).not.toContain("backend.migrate");

    await bench.write(
      ".do-bootstraprc",
      JSON.stringify({ terraform: { backend: { ...BACKEND, key: "other" } } }),
    );
    expect((await checked(bench, env)).ids).toContain("backend.migrate");
  });

  it("a backend in the code gets the keys with exec, and only on Spaces", async () => {
    const bench = await storeBench({ terraform: { credentials: "env" } });
    const { keys, objects, env: spacesEnv } = bench.spaces;
    const env = { ...(await installTerraform(bench)), DIGITALOCEAN_TOKEN: bench.token };
    const write = (endpoint: string) =>
      bench.write(
        "main.tf",
        `terraform {
  backend "s3" {
    endpoints                   = { s3 = "${endpoint}" }
    bucket                      = "${BACKEND.bucket}"
    key                         = "${BACKEND.key}"
    region                      = "us-east-1"
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
    skip_s3_checksum            = true
  }
}
resource "terraform_data" "x" {
  input = "state"
}
`,
      );
    const exec = (verb: string, ...rest: string[]) =>
      bench.run(["exec", "--", "terraform", verb, "-no-color", ...rest], { env });
    await write("https://nyc3.digitaloceanspaces.com");
    const plain = await terraform(bench, ["init", "-no-color"], { env: spacesEnv });
    expect([plain.status, plain.stderr]).toEqual([
      1,
      expect.stringContaining("No valid credential sources found"),
    ]);
    expect((await checked(bench, env)).ids).not.toContain("backend.no-keys");
    expect(await exec("init", "-input=false")).toMatchObject({ status: 0 });
    expect(await exec("apply", "-auto-approve", "-input=false")).toMatchObject({ status: 0 });
    expect(JSON.parse(String(objects.get(OBJECT)))).toMatchObject({
      resources: [{ type: "terraform_data" }],
    });

    await bench.write(".env", "");
    expect((await checked(bench, env)).ids).toContain("backend.no-keys");
    await bench.write(".env", envLines(keys));
    await rm(join(bench.repo, ".terraform"), { recursive: true });
    await write("https://evil.example");
    const kept = await exec("init", "-input=false");
    expect([kept.status, kept.stderr]).toEqual([
      1,
      expect.stringContaining("No valid credential sources found"),
    ]);
    for (const key of [keys.id, keys.secret]) expect(kept.stdout + kept.stderr).not.toContain(key);
  });

  it("a failed init names the explain command, and the next run tries again", async () => {
    const bench = await storeBench({ terraform: { backend: BACKEND } }, { buckets: [] });
    const env = await installTerraform(bench);
    const { status, stderr } = await bench.run(["--token-stdin", "--yes"], {
      input: bench.token,
      env,
    });
    expect([status, stderr]).toEqual([0, expect.stringContaining("[terraform.failed]")]);
    const shown =
      /do-bootstrap (exec --explain -- terraform init) explains/.exec(stderr)?.[1] ?? "";
    const explained = await bench.run([...shown.split(" "), "-no-color"], { env });
    expect(explained.stderr).toMatch(/The bucket does not exist/);
    expect((await bench.run([], { env })).stderr).toMatch(/▸ terraform init/);
  });
});

describe("code that needs Spaces keys", () => {
  const BUCKET = 'resource "digitalocean_spaces_bucket" "a" {\n  name = "a"\n}\n';
  const VARIABLES = `provider "digitalocean" {
  spaces_access_id  = var.a
  spaces_secret_key = var.b
}
variable "a" {}
variable "b" {}
`;
  const KEYS = "SPACES_ACCESS_KEY_ID=id\nSPACES_SECRET_ACCESS_KEY=s3cr3t-key\n";

  it.each([
    ["a bucket", BUCKET, 1],
    ["a bucket, and variables of the provider", `${VARIABLES}${BUCKET}`, 5],
  ])("%s: check names the line, and the next steps name the keys", async (_, code, line) => {
    const bench = await workbench();
    const env = { DIGITALOCEAN_TOKEN: bench.token };
    await bench.write("main.tf", code);
    const before = await bench.run(["check"], { env });
    const text = (before.stdout + before.stderr).replace(/\s+/g, " ");
    expect(text).toContain("[spaces.no-keys]");
    expect(text).toContain(`main.tf:${line}:`);
    const first = await bench.run(["--yes"], { env });
    expect(first.stderr.replace(/\s+/g, " ")).toContain(
      "Put SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY into the env file, then run do-bootstrap",
    );
    expect(first.stderr).not.toMatch(/Next: .*terraform plan/);
    await bench.write(".env", KEYS);
    const after = await bench.run(["check"], { env });
    expect(after.stdout + after.stderr).not.toContain("spaces.no-keys");
    expect(after.stdout + after.stderr).not.toContain("s3cr3t-key");
  });
});

describe.skipIf(!OPENSSL)(`a lock${withTls}`, () => {
  it.each<[string, SpacesOptions, (env: string) => string, RegExp, string[]]>([
    [
      "a store that ignores If-None-Match",
      { ignoresConditions: true },
      (env) => env,
      /ignores If-None-Match/,
      [`PUT ${TEST_OBJECT} 200`, `PUT ${TEST_OBJECT} 200`, `DELETE ${TEST_OBJECT} 204`],
    ],
    [
      "a missing bucket",
      { buckets: ["another"] },
      (env) => env,
      /bucket acme-tfstate in nyc3 does not exist/,
      [`PUT ${TEST_OBJECT} 404`],
    ],
    [
      "another secret key",
      {},
      (env) => env.replace("/+", "++"),
      /the secret key does not belong/,
      [`PUT ${TEST_OBJECT} 403`],
    ],
    [
      "an unknown key",
      {},
      (env) => env.replace("=DO00", "=DO99"),
      /does not know the access key id/,
      [`PUT ${TEST_OBJECT} 403`],
    ],
    ["no keys", {}, () => "", /there are no Spaces keys/, []],
    // An env file must not choose a login of this machine.
    ["a profile in the env file", {}, () => "AWS_PROFILE=work\n", /there are no Spaces keys/, []],
  ])("is not written: %s", async (_, options, edit, why, requests) => {
    const bench = await storeBench({ terraform: { backend: LOCKED } }, options);
    await bench.write(".env", edit(await bench.read(".env")));
    const tree = await treeHash(bench.repo);
    const { status, stderr } = await init(bench);
    expect([status, stderr.replace(/\s+/g, " ")]).toEqual([3, expect.stringMatching(why)]);
    expect(stderr).toContain("[backend.lock]");
    expect(await treeHash(bench.repo)).toBe(tree);
    expect(bench.spaces.requests).toEqual(requests);
    expect([...bench.spaces.objects]).toEqual([]);
  });

  it("fails in one of two roots: skips that root, prepares the other", async () => {
    const terraform = [
      { dir: "a", backend: { ...LOCKED, bucket: "missing", key: "a" } },
      { dir: "b", backend: { ...LOCKED, key: "b" } },
    ];
    const bench = await storeBench({ terraform });
    const { status, stderr } = await init(bench);
    expect([status, stderr.replace(/\s+/g, " ")]).toEqual([
      3,
      expect.stringContaining("No lock for missing: bucket missing in nyc3 does not exist."),
    ]);
    expect(stderr).toContain("✗ 1 of 2 roots was skipped: a.\n");
    expect(await readdir(join(bench.repo, "b"))).toContain("backend.tf");
    await expect(readdir(join(bench.repo, "a"))).rejects.toThrow("ENOENT");
    expect([...bench.spaces.objects]).toEqual([]);
  });

  it("is not written: no network", async () => {
    const bench = await storeBench({ terraform: { backend: LOCKED } });
    const env = { HTTPS_PROXY: "http://127.0.0.1:9" };
    const { status, stderr } = await bench.run(["--token-stdin", "--yes"], {
      input: bench.token,
      env,
    });
    expect([status, stderr.replace(/\s+/g, " ")]).toEqual([
      3,
      expect.stringMatching(/nyc3\.digitaloceanspaces\.com is unreachable \(proxy/),
    ]);
    expect(stderr).not.toContain("test object");
  });

  it("is tested only by init, once; --dry-run and check report it as untested", async () => {
    const bench = await storeBench({ terraform: { backend: LOCKED } });
    const rehearsal = await init(bench, "--dry-run");
    expect(rehearsal).toMatchObject({ status: 0 });
    expect(rehearsal.stdout).toContain("+     use_lockfile                = true");
    expect(rehearsal.stdout).toContain("[backend.lock-untested]");
    expect((await checked(bench)).ids).toEqual(["backend.lock-untested"]);
    expect(bench.spaces.requests).toEqual([]);

    expect(await init(bench)).toMatchObject({ status: 0 });
    expect(bench.spaces.requests).toHaveLength(3);
    expect((await checked(bench)).ids).toEqual([]);
    expect(await init(bench)).toMatchObject({ status: 0 });
    expect(bench.spaces.requests).toHaveLength(3);
  });

  it("is tested with AWS_* keys when they are set", async () => {
    const bench = await storeBench({ terraform: { backend: LOCKED } });
    const { id, secret } = bench.spaces.keys;
    await bench.write(".env", "SPACES_ACCESS_KEY_ID=other\nSPACES_SECRET_ACCESS_KEY=other\n");
    const env = { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: "t" };
    const result = await bench.run(["--token-stdin", "--yes"], { input: bench.token, env });
    expect(result).toMatchObject({ status: 0 });
    expect(result.stderr).toContain("[backend.other-keys]");
    expect(bench.spaces.requests).toHaveLength(3);
  });
});

describe("backend.tf", () => {
  it("comes from the config; .env.example lists the keys, missing keys are a warning", async () => {
    const bench = await workbench();
    await bench.write(".do-bootstraprc", JSON.stringify({ terraform: { backend: BACKEND } }));
    const before = await bench.run(["check"]);
    expect(before.stdout).toContain("By hand: echo .env >> .gitignore, then create a key pair");
    const { status, stderr } = await init(bench);
    expect([status, stderr]).toEqual([0, expect.stringContaining("[backend.no-keys]")]);
    expect(stderr.replace(/\s+/g, " ")).toContain("By hand: create a key pair");
    expect(stderr.replace(/\s+/g, " ")).toContain("They are not the API token");
    expect(await bench.read(".env.example")).toMatch(
      /^DIGITALOCEAN_TOKEN=\nSPACES_ACCESS_KEY_ID=\nSPACES_SECRET_ACCESS_KEY=\n/m,
    );
    const text = await bench.read("backend.tf");
    expect(text).toContain('required_version = ">= 1.6.3"');
    expect(text).toContain('endpoints = { s3 = "https://nyc3.digitaloceanspaces.com" }');
    expect(text).not.toMatch(/use_lockfile|\{\{/);
    const found = await checked(bench);
    expect([found.status, found.ids]).toEqual([0, ["backend.no-keys"]]);
  });

  it.skipIf(process.platform === "win32")(
    "keys in the env file: mode 0600, and an error when git tracks the file",
    async () => {
      const bench = await workbench();
      await bench.write(".env", envLines({ id: "i", secret: "s" }), 0o644);
      const env = { DIGITALOCEAN_TOKEN: bench.token };
      expect(await bench.run(["--yes"], { env })).toMatchObject({ status: 0 });
      expect((await stat(join(bench.repo, ".env"))).mode & 0o777).toBe(0o600);
      expect(await bench.read(".env")).toBe(envLines({ id: "i", secret: "s" }));

      await bench.git("add", "--force", ".env");
      const { status, stdout } = await bench.run(["check"], { env });
      expect([status, stdout]).toEqual([3, expect.stringMatching(/git tracks.*a Spaces\s+key/)]);
    },
  );

  it("updates an unedited file of an older template, and keeps an edited one", async () => {
    const bench = await workbench();
    await bench.write(".do-bootstraprc", JSON.stringify({ terraform: { backend: BACKEND } }));
    await init(bench);
    const current = await bench.read("backend.tf");
    await bench.write("backend.tf", older(current, "skip_s3_checksum            = true\n", "\n"));
    expect((await init(bench)).stderr).toMatch(/^~ backend\.tf /m);
    expect(await bench.read("backend.tf")).toBe(current);

    const withoutBlock = current.replace(/^ {2}backend [\s\S]*^ {2}\}\n/m, "");
    for (const edited of [
      current.replace("skip_s3_checksum ", "use_path_style   "),
      withoutBlock,
    ]) {
      await bench.write("backend.tf", edited);
      expect((await init(bench)).stderr).toMatch(/backend\.tf was edited.*\[terraform\.edited\]/s);
      expect(await bench.read("backend.tf")).toBe(edited);
    }
  });

  it("is removed only by hand, because the state would stay behind", async () => {
    const bench = await workbench();
    await bench.write(".do-bootstraprc", JSON.stringify({ terraform: { backend: BACKEND } }));
    await init(bench);
    const { stderr } = await bench.run(["uninstall", "--yes"]);
    expect(stderr).toContain("backend.tf (says where the state is)");
    const text = await bench.read("backend.tf");
    await expect(bench.read("provider.tf")).rejects.toThrow("ENOENT");
    await expect(bench.read(".env.example")).rejects.toThrow("ENOENT");

    await bench.write(".do-bootstraprc", "{}");
    expect((await init(bench)).stderr).toContain("[backend.other]");
    expect(await bench.read("backend.tf")).toBe(text);
  });

  /** What a root contains, what the config says, and what check finds. */
  const TAKEN: Readonly<Record<string, [file: string, text: string, object, string[]]>> = {
    "the same place in another file": ["main.tf", s3(""), BACKEND, []],
    "values that are not literals": ["main.tf", s3("", "local.b"), BACKEND, []],
    "another bucket": ["main.tf", s3("", '"other"'), BACKEND, ["backend.other"]],
    "no lock, but the config wants one": ["main.tf", s3(""), LOCKED, ["backend.other"]],
    "a lock, as in the config": ["main.tf", s3("use_lockfile = true"), LOCKED, []],
    "another type": ["main.tf", 'terraform {\n  backend "gcs" {}\n}\n', BACKEND, ["backend.other"]],
    "code for an older Terraform": [
      "main.tf",
      'terraform {\n  required_version = "~> 1.5.0"\n}\n',
      BACKEND,
      ["terraform.too-old"],
    ],
    "a backend.tf without a backend": ["backend.tf", "# here\n", BACKEND, ["backend.other"]],
    "a cloud block": [
      "main.tf",
      'terraform {\n  cloud {\n    organization = "a"\n  }\n}\n',
      BACKEND,
      ["cloud.backend", "cloud.variables"],
    ],
    "a backend of type remote": [
      "main.tf",
      'terraform {\n  backend "remote" {\n    organization = "a"\n  }\n}\n',
      BACKEND,
      ["cloud.backend", "cloud.variables"],
    ],
  };

  it("is not written over existing settings", async () => {
    const bench = await workbench();
    const roots = Object.entries(TAKEN);
    const terraform = roots.map(([, [, , backend]], i) => ({
      dir: `r${i}`,
      backend: { ...backend, key: `r${i}/terraform.tfstate` },
    }));
    await bench.write(".do-bootstraprc", JSON.stringify({ terraform }));
    await bench.write(".env", envLines({ id: "i", secret: "s" }));
    for (const [i, [, [file, text]]] of roots.entries()) {
      await bench.write(`r${i}/${file}`, text.replace("web/terraform", `r${i}/terraform`));
    }
    const { status, stdout } = await checked(bench);
    const { findings, pending } = JSON.parse(stdout) as {
      findings: { id: string; where?: string }[];
      pending: { path?: string }[];
    };
    const found = roots.map(([name], i) => [
      name,
      findings
        .filter(({ where }) => where?.startsWith(join(bench.repo, `r${i}/`)))
        .map(({ id }) => id)
        .sort(),
    ]);
    const expected = roots.map(([name, [, , , finds]]) => [name, finds]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    expect(pending.filter(({ path }) => path?.endsWith("backend.tf"))).toEqual([]);
    expect(status).toBe(2);
  });
});

describe("two environments in one workspace", () => {
  const backend = (type: string, text = "") => `terraform {\n  backend "${type}" {${text}}\n}\n`;
  const PLACE = '\n    bucket = "a"\n    key = "b"\n  ';
  const APART = { prod: { terraform: { workspace: "prod" } }, staging: {} };
  const TOGETHER = { prod: {}, staging: {} };

  it.each<[string, string, object, string[], string[]]>([
    ["a local state", "", TOGETHER, ["--env", "prod"], ["backend.shared"]],
    [
      "a backend block in the code",
      backend("s3", PLACE),
      TOGETHER,
      ["--env", "prod"],
      ["backend.shared"],
    ],
    ["separate workspaces", backend("s3", PLACE), APART, ["--env", "prod"], []],
    ["a block that -backend-config completes", backend("s3"), TOGETHER, ["--env", "prod"], []],
    ["no --env", "", TOGETHER, [], []],
  ])("%s", async (_, text, environments, options, found) => {
    const bench = await workbench();
    await bench.write(".do-bootstraprc", JSON.stringify({ environments }));
    await bench.write("main.tf", text);
    const env = { DIGITALOCEAN_TOKEN: bench.token };
    expect(ids(await bench.run(["check", "--json", ...options], { env }))).toEqual(found);
  });

  it("with one terraform.backend: exit status 2, and nothing is written", async () => {
    const bench = await workbench();
    const config = { terraform: { backend: BACKEND }, environments: TOGETHER };
    await bench.write(".do-bootstraprc", JSON.stringify(config));
    const tree = await treeHash(bench.repo);
    const { status, stderr } = await init(bench, "--env", "prod");
    expect([status, stderr.replace(/\s+/g, " ")]).toEqual([
      2,
      expect.stringContaining("environments prod and staging have the same state"),
    ]);
    expect(stderr).toContain("environments.staging.terraform.workspace: staging");
    expect(await treeHash(bench.repo)).toBe(tree);
  });
});

describe("two environments, each with a folder and a backend", () => {
  const own = (dir: string, bucket: string) => ({
    token: { envFile: `.env.${dir}` },
    terraform: { dir: `envs/${dir}`, backend: { bucket, region: "nyc3" } },
  });
  const CONFIG = {
    project: "shop",
    environments: { dev: own("dev", "acme-dev"), prod: own("prod", "acme-prod") },
  };

  it("each writes its own backend.tf, and the pipeline has a job for each", async () => {
    const bench = await workbench();
    await bench.write("do-bootstrap.config.json", JSON.stringify(CONFIG));
    bench.mayHold(".env.dev", ".env.prod");
    for (const name of ["dev", "prod"]) {
      const { status, stderr } = await init(bench, "--env", name);
      expect(status, stderr).toBe(0);
    }
    for (const name of ["dev", "prod"]) {
      const text = await bench.read(`envs/${name}/backend.tf`);
      expect(text).toMatch(new RegExp(`bucket += "acme-${name}"`));
      expect(text).toMatch(new RegExp(`key += "shop/envs/${name}/terraform.tfstate"`));
    }
    const { stdout } = await bench.run(["ci", "github", "--dry-run"]);
    expect(stdout).toContain('{ environment: "dev", dir: "envs/dev"');
    expect(stdout).toContain('{ environment: "prod", dir: "envs/prod"');
    expect(stdout).not.toContain("[ci.local-state]");
  });

  it("one folder is a link to the other: exit status 2, and nothing is written", async () => {
    const bench = await workbench();
    await bench.write("do-bootstrap.config.json", JSON.stringify(CONFIG));
    await bench.write("envs/dev/main.tf", "");
    await symlink("dev", join(bench.repo, "envs/prod"));
    const tree = await treeHash(bench.repo);
    const { status, stderr } = await init(bench, "--env", "prod");
    expect(stderr.replace(/\s+/g, " ")).toContain(
      "envs/prod and envs/dev are the same folder, which can have only one backend.tf",
    );
    expect(status).toBe(2);
    expect(await treeHash(bench.repo)).toBe(tree);
  });
});

function s3(more: string, bucket = '"acme-tfstate"'): string {
  return `terraform {
  backend "s3" {
    bucket    = ${bucket}
    key       = "web/terraform.tfstate"
    endpoints = { s3 = "https://nyc3.digitaloceanspaces.com/" }
    ${more}
  }
}
`;
}

describe("keys in places that Terraform copies", () => {
  const STORED = {
    version: 3,
    backend: { type: "s3", config: { access_key: "A1", secret_key: "S3CRET", token: null } },
  };
  const dirty = 'access_key = "A1"\nsecret_key = "S3CRET"\n';
  const role = 'assume_role_with_web_identity = { web_identity_token = "S3CRET" }';
  /** What a root contains: a file, its text, and the places that check names. */
  const ROOTS: Readonly<Record<string, [file: string, text: string, places: string[]]>> = {
    "a backend block": ["main.tf", s3('secret_key = "S3CRET"'), ["main.tf:6"]],
    JSON: [
      "main.tf.json",
      '{"terraform":{"backend":{"s3":{"access_key":"S3CRET"}}}}',
      ["main.tf.json:1"],
    ],
    "a nested setting": ["main.tf", s3(role), ["main.tf:6"]],
    "a cloud block": [
      "main.tf",
      'terraform {\n  cloud {\n    token = "S3CRET"\n  }\n}\n',
      ["main.tf:3"],
    ],
    "a backend of type remote": [
      "main.tf",
      'terraform {\n  backend "remote" {\n    token = "S3CRET"\n  }\n}\n',
      ["main.tf:3"],
    ],
    "*.tfbackend": ["prod.s3.tfbackend", dirty, ["prod.s3.tfbackend:1", "prod.s3.tfbackend:2"]],
    "backend*.hcl": ["backend-prod.hcl", 'token = "S3CRET"', ["backend-prod.hcl:1"]],
    "JSON for -backend-config": ["x.tfbackend.json", '{"token":"S3CRET"}', ["x.tfbackend.json"]],
    "the backend that an earlier init saved": [
      ".terraform/terraform.tfstate",
      JSON.stringify(STORED),
      [".terraform/terraform.tfstate"],
    ],
    "a partial configuration": ["prod.s3.tfbackend", 'bucket = "b"\nkey = "k"\n', []],
    "a variable": ["main.tf", s3("secret_key = var.x"), []],
    "an empty string": ["main.tf", s3('secret_key = ""'), []],
    "another file": ["keys.hcl", dirty, []],
  };

  it("are reported with their place, and not shown", async () => {
    const bench = await workbench();
    const roots = Object.entries(ROOTS);
    const terraform = roots.map((_, i) => ({ dir: `r${i}` }));
    await bench.write(".do-bootstraprc", JSON.stringify({ terraform }));
    for (const [i, [, [file, text]]] of roots.entries()) await bench.write(`r${i}/${file}`, text);
    const { status, stdout, places } = await secretsFound(bench);
    const found = roots.map(([name], i) => [
      name,
      places
        .filter((place) => place.startsWith(`r${i}/`))
        .map((place) => place.slice(`r${i}/`.length)),
    ]);
    const expected = roots.map(([name, [, , at]]) => [name, at]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    expect(status).toBe(3);
    expect(stdout).not.toContain("S3CRET");
  });

  it.each<[string, string, string, string[]]>([
    [
      "in a folder below the root",
      "infra/backends/prod.s3.tfbackend",
      "infra",
      ["infra/backends/prod.s3.tfbackend:1"],
    ],
    [
      "deeper, as .hcl",
      "infra/config/prod/backend.hcl",
      "infra",
      ["infra/config/prod/backend.hcl:1"],
    ],
    [
      "next to the root's folder",
      "backends/prod.tfbackend",
      "infra",
      ["backends/prod.tfbackend:1"],
    ],
    ["below another root", "dns/env/x.tfbackend", "dns", ["dns/env/x.tfbackend:1"]],
    ["of another tool, by its name", "src/backend.json", "infra", []],
    ["that git ignores", "infra/ignored/x.tfbackend", "infra", []],
  ])("a file for -backend-config %s", async (_, file, dir, expected) => {
    const bench = await workbench();
    const terraform = [{ dir: "infra" }, { dir: "dns" }];
    await bench.write(".do-bootstraprc", JSON.stringify({ terraform }));
    for (const root of ["infra", "dns"]) await bench.write(`${root}/main.tf`, s3(""));
    await bench.write(".gitignore", "ignored/\n");
    await bench.write(file, file.endsWith(".json") ? '{"token":"S3CRET"}' : 'token = "S3CRET"\n');
    const { places, asides, stdout } = await secretsFound(bench);
    expect(places).toEqual(expected);
    // A file that may be for any root is an error for all roots.
    const isOfOne = file.startsWith(`${dir}/`) && expected.length > 0;
    expect(asides).toEqual(isOfOne ? [dir] : []);
    expect(stdout).not.toContain("S3CRET");
  });

  it("files and keys in TF_CLI_ARGS and TF_CLI_ARGS_init are checked", async () => {
    const bench = await workbench();
    await bench.write("main.tf", s3(""));
    await bench.write("conf/keys", 'secret_key = "S3CRET"');
    const { status, stdout, places } = await secretsFound(bench, {
      TF_CLI_ARGS: "-backend-config=secret_key=S3CRET",
      TF_CLI_ARGS_init: '-backend-config="conf/keys" -backend-config=bucket=b -upgrade',
    });
    expect([status, places]).toEqual([3, ["conf/keys:1", "TF_CLI_ARGS"]]);
    expect(stdout).not.toContain("S3CRET");
  });

  async function secretsFound(bench: Workbench, env: Readonly<Record<string, string>> = {}) {
    const { status, stdout } = await checked(bench, env);
    const { findings } = JSON.parse(stdout) as {
      findings: { id: string; where: string; setsAside?: string }[];
    };
    const asides = findings.flatMap(
      ({ setsAside }) => setsAside?.replace(`${bench.repo}/`, "") ?? [],
    );
    const places = findings
      .filter(({ id }) => id === "backend.secret")
      .map(({ where }) => where.replace(`${bench.repo}/`, ""));
    return { status, stdout, places, asides };
  }
});

describe("HCP Terraform", () => {
  const CLOUD = 'terraform {\n  cloud {\n    organization = "acme"\n  }\n}\n';

  const REMOTE = CLOUD.replace("cloud", 'backend "remote"');

  it.each([
    ["a cloud block", CLOUD],
    ["the older form, a backend", REMOTE],
  ])(
    "%s: the upload excludes secrets, and check lists the workspace's variables",
    async (_, block) => {
      const bench = await workbench();
      const config = { token: { envFile: "conf/do.env" }, terraform: { dir: "infra" } };
      await bench.write(".do-bootstraprc", JSON.stringify(config));
      await bench.write("infra/main.tf", `${block}variable "region" {}\nvariable "size" {}\n`);
      await bench.write("infra/x.tfvars", 'size = "s"\n');
      const { status, stderr } = await init(bench);
      expect(status).toBe(0);
      expect(stderr.replace(/\s+/g, " ")).toContain(
        "Set these in its workspace: DIGITALOCEAN_TOKEN (environment variable, sensitive), region (Terraform variable), size (Terraform variable).",
      );
      expect(stderr.replace(/\s+/g, " ")).toMatch(
        /gets no size from this file\. \[cloud\.values\]/,
      );
      const own = [".env", ".env.*", "*.secret.auto.tfvars.json", "*.tfstate", "*.tfstate.*"];
      const plans = ["*.tfplan", "tfplan"];
      expect(await lines(bench, ".terraformignore")).toEqual([
        ...own.slice(0, 2),
        "conf/do.env",
        ...own.slice(2),
        ...plans,
      ]);
      expect(await lines(bench, "infra/.terraformignore")).toEqual([...own, ...plans]);
      expect((await checked(bench)).status).toBe(0);

      await rm(join(bench.repo, "infra", "x.tfvars"));
      const gone = await bench.run(["uninstall", "--yes"]);
      expect(gone.status).toBe(0);
      await expect(bench.read(".terraformignore")).rejects.toThrow("ENOENT");
    },
  );

  it("keeps existing lines; a later line that includes secrets is an error", async () => {
    const bench = await workbench();
    await bench.write("main.tf", CLOUD);
    await bench.write(".terraformignore", "docs/\n*.tf*\n!*.tf\n");
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`);
    expect(await bench.run(["--yes"])).toMatchObject({ status: 0 });
    const text = await bench.read(".terraformignore");
    expect(text).toMatch(/^docs\/\n\*\.tf\*\n!\*\.tf\n\n# do-bootstrap: .*upload\n\.env\n/);
    await bench.write(".terraformignore", `${text}!.env\n`);
    const found = await checked(bench);
    expect([found.status, found.ids]).toEqual([3, ["cloud.upload", "cloud.variables"]]);
  });

  async function lines(bench: Workbench, name: string): Promise<string[]> {
    return (await bench.read(name)).split("\n").filter((line) => line !== "" && line[0] !== "#");
  }
});
