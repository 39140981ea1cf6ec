import { chmod, readdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { fileTree } from "../fixtures/tree.ts";
import { randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

/** The text or bytes of each file. */
type Files = Readonly<Record<string, string | Buffer>>;

async function repoWith(files: (token: string) => Files): Promise<Workbench> {
  const bench = await workbench();
  for (const [path, text] of Object.entries(files(bench.token))) await bench.write(path, text);
  return bench;
}

async function rotated(bench: Workbench, ...args: string[]) {
  const fresh = randomToken();
  bench.sandbox.accept(fresh);
  const run = await bench.run(["rotate", "--token-stdin", ...args], { input: fresh });
  expect(run.status, run.stderr).toBe(0);
  return { ...run, fresh };
}

/** The places that findings name, relative to the repo. */
const placesIn = (stderr: string) =>
  Array.from(stderr.replace(/\s+/g, " ").matchAll(/still in (\S+?)\.(?= )/g), ([, at]) => at);
const ENV = (token: string) => `DIGITALOCEAN_TOKEN=${token}\n`;
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("rotate when the old token is in other places too", () => {
  it("replaces it in comments, longer values and other files for secrets", async () => {
    const texts = (token: string) => ({
      ".env": `#DIGITALOCEAN_TOKEN=${token}\r\n${ENV(token)}AUTH=Bearer ${token} # ${token}\nURL="https://${token}:${token}@x/"\n`,
      ".envrc": `if true; then\n  export DIGITALOCEAN_TOKEN="${token}"\nfi\n`,
      "sub/.env.local": `# mine\nX='${token}'\n`,
      ".env.bak": ENV(token),
      "other/a.tfvars": `# was ${token}\nt = "${token}"\nh = { a = "Bearer ${token}" }\n`,
    });
    const bench = await repoWith((token) => ({
      ...texts(token),
      ".gitignore": ".env*\n.envrc\n*.tfvars\n",
    }));
    const { stdout, stderr, fresh } = await rotated(bench);
    for (const [path, text] of Object.entries(texts(fresh)))
      expect(await bench.read(path)).toBe(text);
    expect(stderr).toContain("made and checked");
    expect(stdout + stderr).not.toContain(fresh.slice(7, 23));
  });

  it("names every place that it keeps, in any form, and does not report success", async () => {
    const bench = await repoWith((token) => ({
      ".env": ENV(token),
      "notes.md": `a\nb ${token} ${token}\n\nc ${token}\n`,
      "docker-compose.yml": `x:\n  DIGITALOCEAN_TOKEN: ${token}\n`,
      "sub/.env": ENV(token),
      ".gitignore": ".env\n!sub/.env\n*.ipynb\n.terraform/\n*.tfplan\n",
      "a.ipynb": JSON.stringify({ s: token.replaceAll("_", "\\u005f") }),
      ".env~": ENV(token),
      "url.txt": token.replace("dop", "%64op"),
      "auth.json": `{"auth":"${base64(`x:${token}`)}"}`,
      "wide.txt": Buffer.from(`t ${token}`, "utf16le"),
      ".terraform/terraform.tfstate": `{"t": "${token}"}`,
      "p.tfplan": Buffer.from(zipSync({ tfplan: Buffer.from(token) })),
      "node_modules/x/a.js": token,
      ".terraform/providers/x": token,
      "large.bin": Buffer.alloc(33 * 1024 * 1024),
    }));
    await bench.write("inner/.git/HEAD", "");
    await bench.write("inner/a", `\n${bench.token}`);
    await bench.write("home/closed", bench.token);
    await symlink(join(bench.repo, "..", "home"), join(bench.repo, "out"));
    bench.mayHold("node_modules/x/a.js");
    const { stderr } = await rotated(bench);
    expect(placesIn(stderr).sort()).toEqual(
      [
        ".env~:1",
        ".terraform/terraform.tfstate:1",
        "a.ipynb:1",
        "auth.json:1",
        "docker-compose.yml:2",
        "home/closed:1",
        "inner/a:2",
        "notes.md:2,4",
        "p.tfplan",
        // git does not ignore it, so the new token is not written there.
        "sub/.env:1",
        "url.txt:1",
        "wide.txt:1",
      ].sort(),
    );
    expect(stderr).toContain("Could not search large.bin for the token: it is larger than 32 MB");
    expect(stderr).not.toContain("made and checked");
  });
});

describe("logout when the token is in other places too", () => {
  it("removes it from files for secrets, and names the other places", async () => {
    const bench = await repoWith((token) => ({
      ".env": `# ${token}!\n#T=${token}\nA=1\n${ENV(token)}B="Bearer ${token}"\n`,
      ".envrc": `if true; then\n  export T="${token}"\nfi\n`,
      "sub/.env": `A=1\n${ENV(token)}`,
      "config.json": `{"t":"${token}"}`,
      ".gitignore": ".env*\nsub/closed\n",
    }));
    const { stderr } = await bench.run(["logout"]);
    expect(await bench.read(".env")).toBe('# !\n#T=\nA=1\nB="Bearer "\n');
    expect(await bench.read(".envrc")).toBe('if true; then\n  export T=""\nfi\n');
    expect(await bench.read("sub/.env")).toBe("A=1\n");
    expect(placesIn(stderr)).toEqual(["config.json:1"]);
    expect(stderr).not.toContain("made and checked");
    expect(stderr).not.toContain("Commit:");
  });

  it("--dry-run names the places", async () => {
    const bench = await repoWith((token) => ({ ".env": ENV(token), "a.yml": `t: ${token}\n` }));
    await bench.write(".gitignore", ".env\n");
    const { stdout } = await bench.run(["logout", "--dry-run"]);
    expect(placesIn(stdout)).toEqual(["a.yml:1"]);
  });

  it.skipIf(process.getuid?.() !== 0)("names files and folders that can't be read", async () => {
    const bench = await repoWith((token) => ({ ".env": ENV(token), "closed/a": "", b: "" }));
    await bench.write(".gitignore", ".env\n");
    await chmod(join(bench.repo, "closed"), 0);
    await chmod(join(bench.repo, "b"), 0);
    for (const path of [bench.root, bench.repo, bench.home, bench.tmp]) await chmod(path, 0o777);
    await chmod(join(bench.repo, ".env"), 0o666);
    const { stdout } = await bench.run(["logout", "--dry-run"], {
      uid: 65_534,
      env: { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "safe.directory", GIT_CONFIG_VALUE_0: "*" },
    });
    const text = stdout.replace(/\s+/g, " ");
    expect(text).toContain("Could not search closed for the token: it is not readable (EACCES)");
    expect(text).toContain("Could not search b for the token: it is not readable (EACCES)");
  });
});

describe("uninstall", () => {
  const other = randomToken();
  it.each<readonly [what: string, files: Files, after: RegExp]>([
    ["another token in a comment", { ".env": `#T=${other}\n` }, /protects \.env\./],
    [
      "a saved plan",
      { "sub/tfplan": Buffer.from(zipSync({ tfplan: Buffer.from("x") })) },
      /sub\/tfplan/,
    ],
    [
      "a state in a folder that is not a root",
      { "a/terraform.tfstate.d/x/terraform.tfstate": "{}" },
      /tfstate\.d/,
    ],
    ["a copy of the backend's settings", { ".terraform/terraform.tfstate": "{}" }, /\.terraform/],
    [
      "providers, which are not searched",
      { ".terraform/providers/x": "" },
      /\.terraform\/providers/,
    ],
    ["an env file of another folder", { "sub/.env.local": `T=${other}\n` }, /sub\/\.env\.local/],
    ["a short secret of another service", { "sub/.env": "PIN=1\n" }, /sub\/\.env/],
    ["a comment of the env file", { ".env": "# pin: 1\n" }, /protects \.env\./],
    ["text in UTF-16", { ".env.local": Buffer.from("P=hunter2", "utf16le") }, /\.env\.local/],
    ["any file with such a name", { "tfplan/a": "x", "x.tfstate_old": "x" }, /tfplan\/a/],
    [
      "a value of the env file in another file",
      { ".env": "K=hunter2hunter2\n", "x/a.secret.auto.tfvars.json": '{"k":"hunter2hunter2"}' },
      /x\/a\.secret/,
    ],
  ])("keeps our lines in .gitignore when they hide %s", async (_, files, says) => {
    const bench = await workbench();
    await bench.run(["--token-stdin"], { input: bench.token });
    for (const [path, text] of Object.entries(files)) {
      const before = path === ".env" ? await bench.read(path) : "";
      await bench.write(path, Buffer.concat([Buffer.from(before), Buffer.from(text)]), 0o600);
    }
    const { status, stderr } = await bench.run(["uninstall"]);
    expect(status, stderr).toBe(0);
    expect(stderr.replace(/\s+/g, " ")).toMatch(says);
    expect(await bench.read(".gitignore")).toContain("# do-bootstrap");
    expect(stderr.replace(/\s+/g, " ")).not.toMatch(/Commit:.*\.env/);
    for (const path of Object.keys(files)) {
      expect(await bench.git("status", "--porcelain", "-uall", "--", path)).toBe("");
    }
  });

  it("keeps no line for values of the config, which it removes too", async () => {
    const bench = await workbench();
    await bench.write(".do-bootstraprc", "terraform: { variables: { region: nyc3 } }\n");
    await bench.write("main.tf", 'variable "region" {}\n');
    await bench.run(["--token-stdin"], { input: bench.token });
    const { status, stderr } = await bench.run(["uninstall"]);
    expect(status, stderr).toBe(0);
    const left = (await readdir(bench.repo)).sort();
    expect(left).toEqual([".do-bootstraprc", ".env", ".git", "main.tf"]);
  });

  it("asks a submodule's own git, and keeps no line for files that it ignores", async () => {
    const bench = await workbench();
    await bench.run(["--token-stdin"], { input: bench.token });
    await bench.git("init", "-q", "lib");
    await bench.git("-C", "lib", "commit", "-q", "--allow-empty", "-m", "a");
    await bench.git("add", "lib");
    await bench.write("lib/.gitignore", ".env\n");
    await bench.write("lib/.env", `A=1\nT=${bench.token}\nU=${other}\n`);
    const { status, stderr } = await bench.run(["uninstall"]);
    expect(status, stderr).toBe(0);
    expect(await bench.read("lib/.env")).toBe(`A=1\nU=${other}\n`);
    expect(stderr).not.toContain("block stays in .gitignore");
  });

  it("keeps no line for tracked files, or for files that the user's own line hides", async () => {
    const bench = await workbench();
    await bench.run(["--token-stdin"], { input: bench.token });
    await bench.write("terraform.tfvars", 'region = "fra1"\n');
    await bench.git("add", "terraform.tfvars");
    await bench.write(".gitignore", `${await bench.read(".gitignore")}.env\n`);
    await bench.write(".env", `${await bench.read(".env")}PIN=1\n`);
    const { status, stderr } = await bench.run(["uninstall"]);
    expect(status, stderr).toBe(0);
    expect(stderr).not.toContain("block stays in .gitignore");
    expect(await bench.read(".gitignore")).toBe(".env\n");
  });

  it("changes nothing if git would no longer ignore a secret without the lines", async () => {
    const bench = await workbench();
    await bench.run(["--token-stdin"], { input: bench.token });
    await bench.write("tfplan", "x");
    const git = join(bench.bin, "git");
    const real = await readlink(git);
    await rm(git);
    // This git does not say which line hides a file: the number is 0.
    const zero =
      'process.stdout.write(fs.readFileSync(0, "latin1").replace(/\\0\\d+\\0/g, "\\0000\\0"))';
    const script = `#!/bin/sh
case "$*" in
  *check-ignore*) "${real}" "$@" | "${process.execPath}" -e '${zero}' ;;
  *) exec "${real}" "$@" ;;
esac
`;
    await writeFile(git, script, { mode: 0o755 });
    await bench.write("sub/tfplan", "x");
    await bench.write(".do-bootstraprc", "terraform: false\n");
    const before = await fileTree(bench.repo);
    const { status, stderr } = await bench.run(["uninstall"]);
    expect(stderr).toContain("[NOT_IGNORED]");
    expect(status).toBe(3);
    expect(await fileTree(bench.repo)).toEqual(before);
  });

  it("removes lines that hide nothing, and lists what to commit, with deletions", async () => {
    const bench = await workbench();
    await bench.run(["--token-stdin"], { input: bench.token });
    // Secrets that other lines hide, or that nothing hides.
    await bench.write("mine/.gitignore", "*\n");
    await bench.write("mine/a.txt", other);
    await bench.write("b.txt", other);
    await bench.write(".git/info/exclude", "versions.tf\n");
    await bench.git("add", "provider.tf", ".gitignore");
    await bench.git("commit", "-qm", "a");
    const { stderr } = await bench.run(["uninstall"]);
    expect(stderr.replace(/\s+/g, " ")).toMatch(
      /Commit: (provider\.tf \.gitignore|\.gitignore provider\.tf) ?$/,
    );
  });
});
