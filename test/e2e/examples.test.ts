import { cp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv } from "ajv";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { OPENSSL } from "../fixtures/certificate.ts";
import { startCloud } from "../fixtures/cloud/cloud.ts";
import { holdersOn } from "../fixtures/leak-search.ts";
import { START } from "../fixtures/program.ts";
import { type Spaces, startSpaces } from "../fixtures/spaces/spaces.ts";
import { emptyMirror, TERRAFORM, TF_MIRROR, terraform } from "../fixtures/terraform.ts";
import {
  type RunOptions,
  type RunResult,
  treeHash,
  type Workbench,
  workbench,
} from "../fixtures/workbench.ts";

interface Example {
  /** The Terraform roots. */
  readonly roots: readonly string[];
  /** Files that its commands write, except those that every run writes. */
  readonly writes: readonly string[];
  /** Warnings that remain. */
  readonly findings?: readonly string[];
  /** Env files that contain Spaces keys before the first command. */
  readonly keys?: readonly string[];
  readonly environments?: readonly string[];
  /** The environment has the token. */
  readonly hasToken?: boolean;
  /** A generated file that is part of the example, for reading. */
  readonly shown?: string;
}

const EXAMPLES: Readonly<Record<string, Example>> = {
  devcontainer: { roots: ["infra"], writes: ["infra/do-bootstrap.tf"], hasToken: true },
  dns: { roots: ["."], writes: [".env", ...inEach(["."], "tfvars", "values")] },
  droplet: { roots: ["infra"], writes: [".env", ...inEach(["infra"], "tfvars", "values")] },
  "existing-repo": {
    roots: ["terraform"],
    writes: [".env", "terraform/do-bootstrap.secret.auto.tfvars.json"],
    findings: ["terraform.not-ephemeral"],
  },
  "github-actions": {
    roots: ["infra"],
    writes: inEach(["infra"], "tfvars", "backend"),
    keys: [".env"],
    shown: ".github/workflows/do-bootstrap.yml",
  },
  "gitlab-ci": {
    roots: ["infra"],
    writes: inEach(["infra"], "tfvars", "backend"),
    keys: [".env"],
    shown: ".gitlab-ci.yml",
  },
  kubernetes: { roots: ["cluster"], writes: [".env", ...inEach(["cluster"])] },
  monorepo: {
    roots: ["network", "apps/shop", "apps/blog"],
    writes: inEach(["network", "apps/shop", "apps/blog"], "tfvars", "values", "backend"),
    keys: [".env"],
  },
  "multi-environment": {
    roots: ["infra"],
    writes: inEach(["infra"], "backend"),
    keys: [".env.prod", ".env.staging"],
    environments: ["staging", "prod"],
  },
};

function inEach(roots: string[], ...kinds: ("tfvars" | "values" | "backend")[]): string[] {
  const files = { tfvars: "secret.auto.tfvars.json", values: "auto.tfvars.json" };
  const names = kinds.map((kind) =>
    kind === "backend" ? "backend.tf" : `do-bootstrap.${files[kind]}`,
  );
  return roots.flatMap((root) =>
    ["do-bootstrap.tf", ...names].map((name) => (root === "." ? name : `${root}/${name}`)),
  );
}

const SCHEMA = "./node_modules/do-bootstrap/schema.json";
const FOLDER = join(import.meta.dirname, "../../examples");
const needsTerraform = TERRAFORM === undefined ? " (needs terraform)" : "";
const needsMirror = needsTerraform || (TF_MIRROR ? "" : " (needs TF_MIRROR)");
const needsOpenssl = OPENSSL ? "" : " (needs openssl)";

let spaces: Spaces;
beforeAll(async () => {
  if (OPENSSL) spaces = await startSpaces();
  return () => spaces?.close();
});

it("every example is tested", async () => {
  // examples/library is tested in package.test.ts, because it needs the package.
  expect((await readdir(FOLDER)).sort()).toEqual([...Object.keys(EXAMPLES), "library"].sort());
});

describe.each(Object.entries(EXAMPLES))("examples/%s", (name, example) => {
  it("has a short README, and a config that editors can check", async () => {
    const readme = await read(name, "README.md");
    const [title, ...prose] = readme
      .replace(/```sh\n.*?```\n/s, "")
      .split("\n")
      .filter(Boolean);
    expect(title).toMatch(/^# ./);
    expect(prose.length).toBeLessThanOrEqual(5);

    const [file = ""] = (await readdir(join(FOLDER, name))).filter((each) => /config\./.test(each));
    const text = await read(name, file);
    const ajv = new Ajv({ strict: true, allowUnionTypes: true });
    ajv.validate(JSON.parse(await readFile("schema.json", "utf8")), parse(text));
    expect(ajv.errors).toBeNull();
    // By a path, if at all: a package name could belong to anybody.
    const [, schema] =
      /^(?:# yaml-language-server: \$schema=|\s*"\$schema": ")([^\s"]+)/m.exec(text) ?? [];
    expect(schema ?? SCHEMA).toBe(SCHEMA);
  });

  const needs = example.keys === undefined ? "" : needsOpenssl;
  describe.skipIf(needs)(`the commands of its README${needs}`, () => {
    let bench: Workbench;
    let results: RunResult[];
    const cleanups: (() => Promise<void>)[] = [];
    afterAll(async () => {
      for (const cleanup of cleanups) await cleanup();
    });
    beforeAll(async () => {
      bench = await copyOf(name, { onTestFinished: (each) => void cleanups.push(each) });
      results = [];
      for (const words of commandsOf(await bench.read("README.md"))) {
        results.push(await bench.run(words, { input: bench.token }));
      }
    });
    const eachEnvironment = (example.environments ?? [undefined]).map((environment) =>
      environment === undefined ? [] : ["--env", environment],
    );

    it("write the expected files, and check passes", async () => {
      expect(results.length).toBeGreaterThan(0);
      for (const { status, stderr } of results) expect(status, stderr).toBe(0);
      const { writes, keys = [], findings = [] } = example;
      const tracked = (await bench.git("ls-files")).split("\n");
      const written = (await files(bench)).filter((path) => !tracked.includes(path));
      const always = [".env.example", ".gitignore"];
      expect(written).toEqual([...always, ...keys, ...writes].sort());
      expect(await bench.git("diff", "--stat")).toBe("");

      for (const options of eachEnvironment) {
        const { status, stdout } = await bench.run(["check", "--json", ...options]);
        const found = (JSON.parse(stdout).findings as { id: string }[]).map(({ id }) => id);
        const tools = ["terraform.missing", "doctl.missing"];
        expect(found.filter((id) => !tools.includes(id))).toEqual(findings);
        expect(status).toBe(0);
      }
    });

    it("change nothing the second time", async () => {
      const before = await treeHash(bench.repo);
      for (const options of eachEnvironment) {
        const { status, stderr } = await bench.run(options);
        expect(stderr).toMatch(/^(✓ .*: all is well|· .*: nothing to change|! )/m);
        expect(status).toBe(0);
      }
      expect(await treeHash(bench.repo)).toBe(before);
    });

    it("need the scopes that the README lists", async () => {
      const { stdout } = await bench.run(["scopes", "--json", ...(eachEnvironment[0] ?? [])]);
      expect(JSON.parse(stdout).scopes).toEqual(scopesIn(await bench.read("README.md")));
    });

    if (example.roots.length > 1) {
      it("need scopes in files that are shown with their root", async () => {
        const { stdout } = await bench.run(["scopes"]);
        expect(stdout).toContain("digitalocean_vpc.main, network/main.tf:1");
        expect(stdout).toContain("module.web.digitalocean_droplet.web, modules/web/main.tf:13");
      });
    }

    if (name === "gitlab-ci") {
      it("name the tool of the config", async () => {
        const { stdout } = await bench.run(["check"]);
        expect(stdout).toContain("tofu is not on PATH");
        expect(stdout).toContain("Install OpenTofu");
      });
    }

    const { shown } = example;
    // vitest -u updates it.
    if (shown !== undefined) {
      it(`write ${shown} as in the example`, async () => {
        await rm(join(bench.repo, shown));
        const ci = commandsOf(await bench.read("README.md")).filter(([word]) => word === "ci");
        expect((await bench.run(ci.flat())).status).toBe(0);
        await expect(await bench.read(shown)).toMatchFileSnapshot(join(FOLDER, name, shown));
      });
    }

    it.skipIf(needsTerraform)(`generate formatted code${needsTerraform}`, async () => {
      const { status, stdout } = await terraform(bench, ["fmt", "-check", "-recursive", "-diff"]);
      expect([stdout, status]).toEqual(["", 0]);
    });

    it.skipIf(needsMirror)(`generate code that the provider accepts${needsMirror}`, async () => {
      for (const cwd of example.roots) {
        const init = await terraform(bench, ["init", "-backend=false", "-no-color"], { cwd });
        expect(init.status, init.stderr).toBe(0);
        const { stdout } = await terraform(bench, ["validate", "-json"], { cwd });
        expect(JSON.parse(stdout).diagnostics).toEqual([]);
      }
    });
  });
});

describe("the postCreateCommand of examples/devcontainer", () => {
  const create = async (secret?: string) => {
    const bench = await copyOf("devcontainer");
    const env = secret === undefined ? {} : { [secret]: bench.token };
    const text = await bench.read(".devcontainer/devcontainer.json");
    const program = join(bench.repo, "node_modules/.bin");
    // npm installs what the lock file names.
    const npm = `#!/bin/sh\n[ "$*" = "ci --ignore-scripts" ] || exit 9
/bin/mkdir -p '${program}'; printf '%s\\n' '#!/bin/sh' 'exec ${START.join(" ")} "$@"' > '${program}/do-bootstrap'
/bin/chmod 755 '${program}/do-bootstrap'\n`;
    await writeFile(join(bench.bin, "npm"), npm, { mode: 0o755 });
    const line = ["-c", JSON.parse(text).postCreateCommand];
    const at = { cwd: bench.repo, env: { ...bench.env, ...env }, extendEnv: false } as const;
    const { exitCode, all } = await execa("/bin/sh", line, { ...at, reject: false, all: true });
    return { bench, status: exitCode, said: all };
  };

  it.each(["DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"])(
    "prepares the container from the secret %s, and writes it into no file",
    async (name) => {
      const { bench, status, said } = await create(name);
      expect(status, said).toBe(0);
      expect(await bench.read("infra/do-bootstrap.tf")).toContain("provider");
      expect(await holdersOn(bench, bench.token)).toEqual([]);
    },
  );

  it("without the secret: says that there is no token", async () => {
    const { status, said } = await create();
    expect(status).toBe(4);
    expect(said).toContain("[token.missing]");
  });
});

const needsBoth = needsTerraform || needsOpenssl;
describe.skipIf(needsBoth)(`examples/multi-environment with the real terraform${needsBoth}`, () => {
  const STATE = "acme-tfstate/env:/*/shop/infra/terraform.tfstate";
  const stateOf = (environment: string) => spaces.objects.get(STATE.replace("*", environment));

  it("each environment has a workspace with its state on Spaces", async () => {
    const { bench, env } = await withTerraform(false);
    for (const environment of ["staging", "prod"]) {
      const args = ["--env", environment, "--token-stdin"];
      const { status, stderr } = await bench.run(args, { input: bench.token, env });
      expect(stderr).toMatch(new RegExp(`▸ terraform workspace select .*${environment}`));
      expect([status, stderr]).toEqual([0, expect.not.stringContaining("[terraform.failed]")]);
      expect(await bench.read("infra/.terraform/environment")).toBe(environment);
      expect(stateOf(environment)).toBeInstanceOf(Buffer);
      expect((await bench.run(["check", "--env", environment], { env })).status).toBe(0);
    }
  });

  it.skipIf(needsMirror)(
    `both environments can be applied, and are kept apart${needsMirror}`,
    { timeout: 120_000 },
    async () => {
      const { bench, env } = await withTerraform(true);
      const cloud = await startCloud();
      cloud.grant(bench.token, scopesIn(await bench.read("README.md")));
      const exec = (environment: string, ...args: string[]) =>
        bench.run(
          ["exec", "--env", environment, "--", "terraform", "-chdir=infra", ...args, "-no-color"],
          { env: { ...env, DIGITALOCEAN_API_URL: cloud.url } },
        );
      try {
        for (const [environment, size] of [
          ["staging", "s-1vcpu-1gb"],
          ["prod", "s-2vcpu-4gb"],
        ] as const) {
          const args = ["--env", environment, "--token-stdin"];
          expect((await bench.run(args, { input: bench.token, env })).status).toBe(0);
          const applied = await exec(environment, "apply", "-auto-approve");
          expect(applied.status, applied.stderr).toBe(0);
          expect(String(stateOf(environment))).toContain(`"size": "${size}"`);
          expect((await exec(environment, "plan", "-detailed-exitcode")).status).toBe(0);
        }
        expect(cloud.unexpected).toEqual([]);
        const mixed = await exec("staging", "plan");
        expect([mixed.status, mixed.stderr]).toEqual([
          125,
          expect.stringContaining("[OTHER_WORKSPACE]\n  → do-bootstrap --env staging"),
        ]);
        env["TF_WORKSPACE"] = "default";
        const refused = await exec("prod", "plan");
        expect([refused.status, refused.stderr]).toEqual([
          1,
          expect.stringContaining("Choose an environment: do-bootstrap --env staging"),
        ]);
      } finally {
        await cloud.close();
      }
    },
  );

  async function withTerraform(hasProvider: boolean) {
    const bench = await copyOf("multi-environment");
    await symlink(TERRAFORM ?? "", join(bench.bin, "terraform"));
    const mirror = hasProvider ? (TF_MIRROR ?? "") : await emptyMirror(bench.root);
    const rc = join(bench.root, "mirror.tfrc");
    const installation = `filesystem_mirror {\n path = ${JSON.stringify(mirror)}\n }`;
    await writeFile(rc, `provider_installation {\n ${installation}\n}\n`);
    const env: Record<string, string> = { TF_CLI_CONFIG_FILE: rc, CHECKPOINT_DISABLE: "1" };
    return { bench, env };
  }
});

function read(name: string, file: string): Promise<string> {
  return readFile(join(FOLDER, name, file), "utf8");
}

/** A user's machine with the example committed, and the env files that its README asks for. */
async function copyOf(
  name: string,
  ...[options]: Parameters<typeof workbench>
): Promise<Workbench> {
  const bench = await workbench(options);
  await cp(join(FOLDER, name), bench.repo, { recursive: true });
  if (EXAMPLES[name]?.shown !== undefined) await vendor(bench);
  await bench.git("add", "--all");
  await bench.git("commit", "--quiet", "--message", name);
  bench.sandbox.accept(bench.token, { scopes: scopesIn(await read(name, "README.md")) });
  const { keys, hasToken } = EXAMPLES[name] ?? {};
  if (hasToken) {
    const env = { DIGITALOCEAN_TOKEN: bench.token };
    return { ...bench, run: (args, given) => bench.run(args, { ...given, env }) };
  }
  if (keys === undefined) return bench;
  const { id, secret } = spaces.keys;
  const lines = `SPACES_ACCESS_KEY_ID=${id}\nSPACES_SECRET_ACCESS_KEY=${secret}\n`;
  for (const file of keys) await bench.write(file, lines);
  const run = (args: readonly string[], options: RunOptions = {}) =>
    bench.run(args, { ...options, env: { ...spaces.env, ...options.env } });
  return { ...bench, run };
}

/** The files that `npm install --save-dev ./vendor/do-bootstrap.tgz` writes. */
async function vendor(bench: Workbench): Promise<void> {
  const from = "file:vendor/do-bootstrap.tgz";
  const devDependencies = { "do-bootstrap": from };
  const entry = { resolved: from, integrity: `sha512-${"A".repeat(86)}==` };
  const packages = { "": { devDependencies }, "node_modules/do-bootstrap": entry };
  await bench.write("vendor/do-bootstrap.tgz", "");
  await bench.write("package.json", JSON.stringify({ devDependencies }));
  await bench.write("package-lock.json", JSON.stringify({ lockfileVersion: 3, packages }));
}

/** The arguments of our own commands in a README, except those that run another program. */
function commandsOf(readme: string): string[][] {
  const [, block = ""] = /```sh\n(.*?)```/s.exec(readme) ?? [];
  // The test pipes in the token itself.
  const piped = block.split("\n").map((line) => line.replace(/^op read \S+ \| /, ""));
  const lines = piped.filter((line) => line.startsWith("do-bootstrap "));
  return lines.filter((line) => !line.includes(" exec ")).map((line) => line.split(" ").slice(1));
}

/** "droplet (create, read)" is two scopes. */
function scopesIn(readme: string): string[] {
  const [, list = ""] = /^Scopes: (.*)\.$/ms.exec(readme) ?? [];
  return [...list.matchAll(/(\w+)\s\(([^)]+)\)/g)].flatMap(([, name, actions = ""]) =>
    actions.split(/,\s/).map((action) => `${name}:${action}`),
  );
}

async function files(bench: Workbench): Promise<string[]> {
  const entries = await readdir(bench.repo, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(bench.repo.length + 1))
    .filter((path) => !path.startsWith(".git/"))
    .sort();
}
