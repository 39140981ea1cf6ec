import { readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { dir as temporaryFolder } from "tmp-promise";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { noticesOf } from "../../scripts/notices.mjs";
import { BY_NAME } from "../fixtures/by-name.ts";
import { type Job, stepsOf, unpinned, type Workflow } from "../fixtures/workflow.ts";

const read = (path: string) => readFileSync(path, "utf8");
const json = (path: string) => JSON.parse(read(path));

describe("installed packages", () => {
  const lock = json("package-lock.json");
  const packages = Object.entries<Record<string, unknown>>(lock.packages).filter(
    ([path]) => path !== "",
  );

  it.each([".ci/run", "README.md", "CONTRIBUTING.md"])(
    "are installed without scripts: %s",
    (path) => {
      const installs = read(path).match(/npm ci\b.*/g) ?? [];
      expect(installs.length).toBeGreaterThan(0);
      expect(installs.filter((line) => !line.startsWith("npm ci --ignore-scripts"))).toEqual([]);
    },
  );

  it.each([
    ["node_modules/esbuild", "finds the program that npm put into @esbuild"],
    [
      "node_modules/@tree-sitter-grammars/tree-sitter-hcl",
      "builds for Node what the tests load as .wasm",
    ],
  ])("work without the install script of %s, which %s", (path) => {
    expect(lock.packages[path]).toHaveProperty("hasInstallScript", true);
  });

  it("have no other install scripts", () => {
    const wanting = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    expect(wanting.map(([path]) => path)).toEqual([
      "node_modules/@tree-sitter-grammars/tree-sitter-hcl",
      "node_modules/esbuild",
    ]);
  });

  it("are pinned by a hash and not by a server", () => {
    expect(packages.length).toBeGreaterThan(100);
    expect(packages.filter(([, { integrity }]) => !/^sha512-/.test(String(integrity)))).toEqual([]);
    expect(packages.filter(([, each]) => "resolved" in each)).toEqual([]);
    expect(read(".npmrc").split("\n")).toContain("omit-lockfile-registry-resolved=true");
  });

  it("are all listed in CONTRIBUTING with a reason", () => {
    const [, table = ""] = read("CONTRIBUTING.md").split("\n## Dependencies\n");
    const rows = [...table.matchAll(/^\| (`[^|]+`) +\| +[^| ][^|]+\|$/gm)];
    const named = rows.flatMap(([, names = ""]) => names.match(/[^`, ]+/g) ?? []);
    expect(named.sort()).toEqual(Object.keys(json("package.json").devDependencies).sort());
  });
});

describe("the package", () => {
  const { dependencies, optionalDependencies, peerDependencies, scripts } = json("package.json");

  it("has no dependencies", () => {
    expect([dependencies, optionalDependencies, peerDependencies]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("has no install scripts, and only prepack runs automatically", () => {
    const unasked = /^(pre|post)|^(install|prepare|prepublish|dependencies)$/;
    expect(Object.keys(scripts).filter((name) => unasked.test(name))).toEqual(["prepack"]);
    expect(scripts.prepack).toBe("npm run --silent build");
    expect(read(".npmrc")).not.toMatch(/^ignore-scripts/m);
  });
});

describe("the licences of bundled packages", () => {
  /** Packages that the build replaces, and their dependencies. */
  const REPLACED = [
    "escalade",
    "string-width",
    "wrap-ansi",
    "ansi-styles",
    "emoji-regex",
    "get-east-asian-width",
  ];
  /** The replacements. */
  const ADDED = ["fast-string-width", "fast-wrap-ansi"];

  async function bundled(): Promise<string[]> {
    const { metafile } = await build({
      entryPoints: ["main", "bin", "exec/execute", "host/npm-list"].map((name) => `src/${name}.ts`),
      outdir: "unused",
      write: false,
      metafile: true,
      bundle: true,
      platform: "node",
      format: "esm",
      external: ["typescript"],
      alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" },
    });
    const names = Object.keys(metafile.inputs).flatMap(
      (input) => /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? [],
    );
    return [...new Set(names)].filter((name) => !REPLACED.includes(name)).concat(ADDED);
  }

  it("are all in the package, with their texts", async () => {
    const notices = read("dist/THIRD-PARTY-NOTICES.txt").split(`\n${"-".repeat(72)}\n\n`);
    const names = notices.map((text) => text.split(" ")[0] ?? "");
    expect([...new Set(names)].sort()).toEqual([...new Set(await bundled())].sort());
    const texts = notices.map((text) => text.split("\n").slice(2).join("\n"));
    expect(texts.filter((text) => !/copyright|blue oak/i.test(text) || text.length < 700)).toEqual(
      [],
    );
  });

  it.each<[name: string, files: Record<string, string>, manifest: object, said: RegExp]>([
    ["LICENCE in British spelling", { LICENCE: "Ours." }, {}, /^x 1 \(MIT\)\n\nOurs\.\n$/],
    ["license.md", { "license.md": "Ours." }, {}, /\n\nOurs\.\n$/],
    [
      "a NOTICE file too",
      { "LICENSE.txt": "Ours.", NOTICE: "Theirs." },
      {},
      /Ours\.\n\nTheirs\.\n$/,
    ],
    ["no file but an author", {}, { author: "Ada" }, /Copyright \(c\) Ada\n\nPermission is/],
    ["an author as an object", {}, { author: { name: "Ada" } }, /Copyright \(c\) Ada\n/],
  ])("a package with %s", async (_, files, manifest, said) => {
    expect(await noticesOf([await packageWith(files, manifest)])).toMatch(said);
  });

  it.each<[name: string, files: Record<string, string>, manifest: object]>([
    ["an empty file", { LICENSE: "\n" }, {}],
    ["no file and no author", {}, {}],
    ["no file and an unknown licence", {}, { author: "Ada", license: "WTFPL" }],
    ["a licence that is a property of Object", {}, { author: "Ada", license: "toString" }],
  ])("%s fails the build, and the error names the package", async (_, files, manifest) => {
    const folder = await packageWith(files, manifest);
    await expect(noticesOf([folder])).rejects.toThrow(/^x 1 \(\w+\) has no licence file/);
  });

  async function packageWith(files: Record<string, string>, manifest: object): Promise<string> {
    const { path, cleanup } = await temporaryFolder({ unsafeCleanup: true });
    onTestFinished(() => cleanup());
    const folder = join(path, "x");
    await mkdir(folder);
    const all = { name: "x", version: "1", license: "MIT", ...manifest };
    await writeFile(join(folder, "package.json"), JSON.stringify(all));
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
    return folder;
  }
});

describe("do-bootstrap is never installed by its name", () => {
  const places = [
    "src",
    "templates",
    "examples",
    "docs",
    "scripts",
    "integrations",
    ".github",
    ".ci",
  ];
  const files = places.flatMap((place) =>
    readdirSync(place, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  const all = [...files, ...readdirSync(".").filter((name) => /\.(md|json|mjs|ya?ml)$/.test(name))];

  it("in sources, templates, examples, pages and workflows", () => {
    expect(all.length).toBeGreaterThan(200);
    expect(all).toEqual(expect.arrayContaining(["README.md", "templates/ci/github.yml"]));
    expect(all.filter((path) => BY_NAME.test(read(path)))).toEqual([]);
  });

  it.each([
    ["npx do-bootstrap demo", true],
    ["npx --yes do-bootstrap", true],
    ["npx -p do-bootstrap do-bootstrap", true],
    ["npm exec do-bootstrap", true],
    ["npm exec --yes -- do-bootstrap", true],
    ["npm i -g do-bootstrap", true],
    ["npm install --save-dev do-bootstrap", true],
    ["npm install --global --ignore-scripts --no-audit do-bootstrap@0.1.0", true],
    ["yarn dlx do-bootstrap", true],
    ["pnpm dlx do-bootstrap", true],
    ["pnpm add -D do-bootstrap", true],
    ["bunx do-bootstrap", true],
    ["https://unpkg.com/do-bootstrap@0/schema.json", true],
    ["https://cdn.jsdelivr.net/npm/do-bootstrap/schema.json", true],
    ['"do-bootstrap": "^0.1.0"', true],
    ["npx ./do-bootstrap-*.tgz demo", false],
    ["npm install --save-dev ./vendor/do-bootstrap.tgz", false],
    ["npm install --global ./do-bootstrap-*.tgz", false],
    ["node_modules/.bin/do-bootstrap check", false],
    ["do-bootstrap check", false],
  ])("%s: %s", (line, expected) => {
    expect(BY_NAME.test(line)).toBe(expected);
  });
});

const FOLDER = ".github/workflows";
const WORKFLOWS: [string, Workflow, string][] = readdirSync(FOLDER).map((name) => {
  const text = read(join(FOLDER, name));
  return [name, parse(text), text];
});

describe.each(WORKFLOWS)("%s", (_, workflow, text) => {
  const jobs: [string, Job][] = Object.entries(workflow.jobs);

  it("pins every action by its commit, with the release in a comment", () => {
    expect(unpinned(text)).toEqual([]);
  });

  it("gives each job its own permissions, a timeout and a fixed runner", () => {
    expect(workflow.permissions).toEqual({});
    for (const [name, job] of jobs) {
      expect(job.permissions, name).toEqual(expect.any(Object));
      expect(job["timeout-minutes"], name).toBeLessThanOrEqual(30);
      expect(job["runs-on"], name).not.toMatch(/latest|self-hosted/);
    }
  });

  it("runs only tests on the newest system of somebody else", () => {
    const { test = {}, ...others } = workflow.jobs;
    expect(JSON.stringify(others)).not.toMatch(/-latest/);
    const runs = stepsOf(test).flatMap(({ run }) => run ?? []);
    expect(runs).toEqual("test" in workflow.jobs ? [".ci/run"] : []);
  });

  it("has a concurrency group", () => {
    expect(workflow.concurrency).toHaveProperty("group");
  });

  it("keeps no git credentials and uses no shared cache", () => {
    for (const step of jobs.flatMap(([, job]) => stepsOf(job))) {
      if (step.uses?.startsWith("actions/checkout@")) {
        expect(step.with).toHaveProperty("persist-credentials", false);
      }
      if (step.uses?.startsWith("actions/setup-node@")) {
        expect(step.with).toHaveProperty("package-manager-cache", false);
      }
    }
  });

  it("has no expressions in scripts", () => {
    const scripts = jobs.flatMap(([, job]) => stepsOf(job).flatMap(({ run }) => run ?? []));
    expect(scripts.length).toBeGreaterThan(0);
    expect(scripts.filter((script) => script.includes("${{"))).toEqual([]);
  });

  it("never runs a fork's code with this repo's rights", () => {
    expect(Object.keys(workflow.on)).not.toContain("pull_request_target");
    expect(Object.keys(workflow.on)).not.toContain("workflow_run");
  });
});

describe("a release", () => {
  const { jobs } = parse(read(join(FOLDER, "release.yml"))) as Workflow;
  const steps = (name: string) => stepsOf(jobs[name] ?? {});
  const scripts = (name: string) => steps(name).flatMap(({ run }) => run ?? []);

  it("is tested before it is packed, and packed before it is published", () => {
    const inOrder = [/TAG !== `v\$\{version\}`/, /^\.ci\/run$/, /npm pack/];
    expect(scripts("pack")).toEqual(inOrder.map((each) => expect.stringMatching(each)));
    expect(jobs["binaries"]?.needs).toBe("pack");
    expect(jobs["sign"]?.needs).toEqual(["pack", "binaries"]);
    expect(jobs["publish"]?.needs).toBe("sign");
    expect(jobs["notes"]?.needs).toBe("publish");
  });

  it("is published as packed, with provenance, by a job without the repo's code", () => {
    expect(scripts("publish")).toEqual([
      "sha256sum --check --strict SHA256SUMS",
      expect.stringMatching(
        /^npm publish \.\/do-bootstrap-\S+\.tgz --provenance .*--ignore-scripts/,
      ),
    ]);
    const unsafe = ["sign", "publish", "notes"].filter((name) =>
      steps(name).some(({ uses }) => uses?.includes("checkout")),
    );
    expect(unsafe).toEqual([]);
  });

  it("needs no stored token and one permission per job", () => {
    expect(read(join(FOLDER, "release.yml"))).not.toMatch(/secrets\./);
    expect(Object.entries(jobs).map(([name, job]) => [name, job.permissions])).toEqual([
      ["pack", { contents: "read" }],
      ["binaries", { contents: "read" }],
      ["sign", { "id-token": "write", attestations: "write" }],
      ["publish", { "id-token": "write" }],
      ["notes", { contents: "write" }],
    ]);
  });
});

it("Dependabot proposes new releases of packages and actions every week", () => {
  const { updates } = parse(read(".github/dependabot.yml"));
  const about = updates.map((each: Record<string, unknown>) => [
    each["package-ecosystem"],
    each["schedule"],
  ]);
  expect(about).toEqual([
    ["npm", { interval: "weekly" }],
    ["github-actions", { interval: "weekly" }],
  ]);
});
