import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { workbench } from "../fixtures/workbench.ts";

describe("the published package", () => {
  it("installs alone, without a registry, and runs", async () => {
    const bench = await workbench();
    const npm = (await execa("which", ["npm"])).stdout;
    const packed = await execa(npm, [
      "pack",
      "--ignore-scripts",
      "--json",
      "--pack-destination",
      bench.root,
    ]);
    const [{ filename, files }] = JSON.parse(packed.stdout);
    const paths: string[] = files.map(({ path }: { path: string }) => path);

    const folders = new Set(paths.map((path) => path.split("/")[0]));
    expect([...folders].sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "SECURITY.md",
      "dist",
      "examples",
      "package.json",
      "report.schema.json",
      "schema.json",
      "templates",
    ]);

    const prefix = join(bench.root, "global");
    await execa(
      npm,
      ["install", "--global", "--offline", "--prefix", prefix, join(bench.root, filename)],
      {
        env: { ...bench.env, PATH: process.env["PATH"] ?? "" },
        extendEnv: false,
      },
    );
    const program = join(prefix, "bin", "do-bootstrap");
    expect((await stat(program)).mode & 0o111).toBe(0o111);
    expect(await readdir(join(prefix, "lib", "node_modules"))).toEqual(["do-bootstrap"]);

    const demo = await execa(program, ["demo"], {
      env: bench.env,
      extendEnv: false,
      cwd: bench.repo,
    });
    expect(demo.stderr).toContain("all is well");
    expect(bench.sandbox.requests).toEqual([]);
  });
});
