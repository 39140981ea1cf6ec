import { cp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Ajv } from "ajv";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NODE_BINS, needsNodeBins } from "../fixtures/exec.ts";
import { needsNpm, onPath } from "../fixtures/on-path.ts";
import { needsProc } from "../fixtures/proc.ts";
import { hookTools } from "../fixtures/tools.ts";
import { type Workbench, workbench } from "../fixtures/workbench.ts";

const SOURCE = join(import.meta.dirname, "../..");
const NPM = onPath("npm") ?? "";

interface Packed {
  readonly filename: string;
  /** Bytes. */
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** npm pack builds, and the compiler, a Go program, finds itself there. */
const needs = needsProc || needsNpm;

describe.skipIf(needs)(`the published package${needs}`, () => {
  const cleanups: (() => Promise<void>)[] = [];
  let bench: Workbench;
  let packed: Packed;
  /** Where the package is installed. */
  let folder: string;
  let program: string;

  beforeAll(async () => {
    bench = await workbench({ onTestFinished: (each) => void cleanups.push(each) });
    await hookTools(bench.bin);
    packed = await pack();
    const prefix = join(bench.root, "global");
    await npm(["install", "--global", "--prefix", prefix, `./${packed.filename}`]);
    folder = join(prefix, "lib", "node_modules", "do-bootstrap");
    program = join(prefix, "bin", "do-bootstrap");
  });
  afterAll(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  /** Packs a fresh clone with its node_modules; npm pack has to build it. */
  async function pack(): Promise<Packed> {
    const clone = join(bench.root, "clone");
    const left = /^(node_modules|dist.*|\.git|test)$/;
    await cp(SOURCE, clone, {
      recursive: true,
      filter: (path) => dirname(path) !== SOURCE || !left.test(basename(path)),
    });
    await symlink(join(SOURCE, "node_modules"), join(clone, "node_modules"));
    const { stdout } = await npm(["pack", "--json", "--pack-destination", bench.root], clone);
    await rm(clone, { recursive: true });
    return JSON.parse(stdout)[0];
  }

  /** Runs npm offline and without this user's settings. */
  function npm(args: readonly string[], cwd = bench.root) {
    return execa(NPM, [...args, "--offline"], { cwd, env: npmEnv(), extendEnv: false });
  }

  function npmEnv(): Record<string, string> {
    return { ...bench.env, PATH: [bench.bin, dirname(NPM), "/usr/bin", "/bin"].join(":") };
  }

  function run(args: readonly string[], options: { node?: string; cwd?: string } = {}) {
    const { node = process.execPath, cwd = bench.repo } = options;
    const env = { ...bench.env, DIGITALOCEAN_TOKEN: bench.token };
    return execa(node, [program, ...args], { env, extendEnv: false, cwd, reject: false });
  }

  it("contains the program, its templates, examples and documents, and nothing else", async () => {
    const listed = async (name: string) => {
      const entries = await readdir(name, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
    };
    const paths = packed.files.map(({ path }) =>
      path.replace(/^(dist\/chunks\/).+\.cjs$/, "$1*.cjs"),
    );
    expect([...new Set(paths)].sort()).toEqual(
      [
        ...(await listed("examples")),
        ...(await listed("templates")),
        "docs/reference.md",
        ...["LICENSE", "README.md", "SECURITY.md", "package.json"],
        ...["schema.json", "report.schema.json"],
        "dist/bin.cjs",
        "dist/compiled-code.cjs",
        "dist/execute.cjs",
        "dist/index.cjs",
        "dist/index.d.cts",
        "dist/late.cjs",
        "dist/main.cjs",
        "dist/npm-list.cjs",
        "dist/chunks/*.cjs",
        "dist/THIRD-PARTY-NOTICES.txt",
      ].sort(),
    );
    expect(packed.size).toBeLessThan(625_000);
  });

  it("installs without dependencies, and contains no path of the build folder", async () => {
    expect((await stat(program)).mode & 0o111).toBe(0o111);
    expect(await readdir(dirname(folder))).toEqual(["do-bootstrap"]);
    // Not the checkout's own path, which may be as short as /work.
    const places = [join(SOURCE, "node_modules"), join(SOURCE, "src"), bench.root];
    const traces: string[] = [];
    for (const { path } of packed.files) {
      const text = await readFile(join(folder, path), "latin1");
      if (places.some((place) => text.includes(place))) traces.push(path);
    }
    expect(traces).toEqual([]);
  });

  it("prints its version, and checks a repo", async () => {
    const { version } = JSON.parse(await readFile("package.json", "utf8"));
    expect((await run(["--version"])).stdout).toBe(version);
    const { exitCode, stdout } = await run(["check", "--json"]);
    const ajv = new Ajv({ strict: true, allowUnionTypes: true });
    ajv.validate(
      JSON.parse(await readFile(join(folder, "report.schema.json"), "utf8")),
      JSON.parse(stdout),
    );
    expect(ajv.errors).toBeNull();
    // The token is valid, but the repo is not prepared.
    expect(exitCode).toBe(3);
  });

  it("works as a library for JavaScript and TypeScript", async () => {
    const user = join(bench.root, "user");
    await cp(join(folder, "examples", "library"), user, { recursive: true });
    const [at, env] = [
      { cwd: user, extendEnv: false },
      { ...npmEnv(), HOME: bench.home },
    ];
    await writeFile(join(user, "package.json"), '{ "private": true }');
    await npm(["install", "--ignore-scripts", join(bench.root, packed.filename)], user);
    await writeFile(
      join(user, "a.cjs"),
      'require("do-bootstrap").check().then(({ status }) => console.log(status));',
    );
    await writeFile(
      join(user, "a.mts"),
      `import { bootstrap, type BootstrapOptions, check, DoBootstrapError, type ReportDocument } from "do-bootstrap";
      const options: BootstrapOptions = { cwd: ".", token: "a", signal: AbortSignal.timeout(1000) };
      const report: ReportDocument = await bootstrap(options);
      const path: string | undefined = report.pending.flatMap((each) => each.kind === "create" ? each.path : [])[0];
      console.log(path, (await check()).findings[0]?.fix, new DoBootstrapError("", { code: "", status: 1, hint: undefined }).code);
      // @ts-expect-error there is no such option
      await check({ dryRun: true });\n`,
    );
    const asked = await execa(process.execPath, ["a.cjs"], { ...at, env });
    expect(asked.stdout).toBe("4");
    const compiler = [
      ...[join(SOURCE, "node_modules/typescript/bin/tsc"), "a.mts", "--strict", "--noEmit"],
      ...["--module", "nodenext", "--target", "es2023", "--exactOptionalPropertyTypes"],
      ...["--types", "node", "--typeRoots", join(SOURCE, "node_modules/@types")],
    ];
    const compiled = await execa(process.execPath, compiler, { ...at, env, reject: false });
    expect(compiled).toMatchObject({ exitCode: 0, stdout: "" });

    // The example's terraform must get the token.
    const tool = `#!/bin/sh\ncase "$1" in plan) echo "$DIGITALOCEAN_TOKEN" >"${bench.root}/got";; esac\n`;
    await writeFile(join(bench.bin, "terraform"), tool, { mode: 0o755 });
    const given = { ...env, PATH: bench.env["PATH"], DIGITALOCEAN_TOKEN: bench.token };
    const script = join(user, "onboard.mjs");
    const run = await execa(process.execPath, [script], {
      cwd: bench.repo,
      env: given,
      extendEnv: false,
    });
    expect(run.stderr).toMatch(/^acme-web: \d+ changes made\.$/m);
    expect(await readFile(join(bench.root, "got"), "utf8")).toBe(`${bench.token}\n`);
    bench.mayHold("../got");
  });

  it("runs with npx from the packed file", async () => {
    const asked = bench.sandbox.requests.length;
    const { stderr } = await execa("sh", ["-c", "npx --offline --yes ./do-bootstrap-*.tgz demo"], {
      cwd: bench.root,
      env: npmEnv(),
      extendEnv: false,
    });
    expect(bench.sandbox.requests).toHaveLength(asked);

    const [, install = ""] = /^Now in your repo:\n +(npm .+)$/m.exec(stderr) ?? [];
    const prefix = join(bench.root, "pasted");
    await execa("sh", ["-c", `${install} --offline --prefix ${prefix}`], {
      cwd: bench.root,
      env: npmEnv(),
      extendEnv: false,
    });
    const { stdout } = await execa(join(prefix, "bin", "do-bootstrap"), ["--version"], {
      env: npmEnv(),
      extendEnv: false,
    });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+$/);
  });

  describe.skipIf(needsNodeBins)(`on other Node versions${needsNodeBins}`, () => {
    it.each(NODE_BINS)("%s", async (node) => {
      const demo = await run(["demo"], { node, cwd: bench.tmp });
      expect(demo.exitCode, demo.stderr).toBe(0);
      expect(demo.stderr).toContain("Now in your repo:");
    });
  });

  it("contains the schema at the path that the reference gives to editors", async () => {
    const reference = await readFile(join(folder, "docs/reference.md"), "utf8");
    const [, file = ""] =
      /\$schema=\.\/node_modules\/do-bootstrap\/([^\s`]+)`/.exec(reference) ?? [];
    expect(packed.files.map(({ path }) => path)).toContain(file);
  });
});
