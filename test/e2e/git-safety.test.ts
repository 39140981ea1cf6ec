import { mkdir, rm, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { aged, fileTree } from "../fixtures/tree.ts";
import { addToIndex, type RunOptions, type Workbench, workbench } from "../fixtures/workbench.ts";

const BEGIN = "# do-bootstrap: keep secrets and state out of git";
const END = "# do-bootstrap: end";
const ALL = [
  ".env",
  ".env.local",
  ".env.*.local",
  "*.secret.auto.tfvars.json",
  "*.tfstate*",
  "*.tfplan",
  "tfplan",
  ".terraform/",
];
const SECRETS = [".env", "do-bootstrap.secret.auto.tfvars.json"];
const COMMITTED = [".env.example", ".gitignore", "provider.tf", "variables.tf", "versions.tf"];

describe("git sees the generated files, and ignores the secrets", () => {
  it.each([
    ["git is installed", true],
    ["git is not installed", false],
  ])("outside git: writes .gitignore anyway (%s)", async (_, isThere) => {
    const bench = await workbench({ git: false });
    if (!isThere) await rm(join(bench.bin, "git"));
    await succeed(bench);
    expect(await bench.read(".gitignore")).toBe(block(ALL));

    await bench.run([]);
    expect(await bench.read(".gitignore")).toBe(block(ALL));
  });

  it("a git repo without git on PATH: a clear error, and nothing is written", async () => {
    const bench = await workbench();
    await rm(join(bench.bin, "git"));
    const before = await fileTree(bench.root);
    const { status, stderr } = await bench.run(["--token-stdin"], { input: bench.token });
    expect(stderr).toMatch(/is a git repo, but git is not on PATH\. \[GIT_FAILED\]\n {2}→ Install/);
    expect(status).toBe(1);
    expect(await fileTree(bench.root)).toEqual(before);
  });

  it("in a subfolder: uses the config in the root, with paths relative to it", async () => {
    const bench = await workbench();
    await bench.write("do-bootstrap.config.yaml", "token: { envFile: conf/.env }\n");
    await bench.write("apps/web/index.html", "");
    await succeed(bench, { cwd: "apps/web" });
    expect(await standing(bench)).toEqual({
      taken: [...COMMITTED, "apps/web/index.html", "do-bootstrap.config.yaml"].sort(),
      ignored: ["conf/.env", SECRETS[1]],
    });
  });

  it("in a subfolder without a config: writes the files there", async () => {
    const bench = await workbench();
    await mkdir(join(bench.repo, "web"));
    await succeed(bench, { cwd: "web" });
    const inWeb = (name: string) => `web/${name}`;
    expect(await standing(bench)).toEqual({
      taken: COMMITTED.map(inWeb),
      ignored: SECRETS.map(inWeb),
    });
  });

  it("in a linked worktree", async () => {
    const bench = await workbench();
    await bench.git("commit", "--quiet", "--allow-empty", "--message=x");
    await bench.git("worktree", "add", "--quiet", "../linked");
    bench.mayHold("../linked/.env", `../linked/${SECRETS[1]}`);
    await succeed(bench, { cwd: "../linked" });
    expect(await standing(bench, "../linked")).toEqual({ taken: COMMITTED, ignored: SECRETS });
    expect(await standing(bench)).toEqual({ taken: [], ignored: [] });
  });

  it("in a submodule: writes to its repo, and nothing to the outer repo", async () => {
    const bench = await workbench();
    const lib = join(bench.root, "lib");
    await bench.git("init", "--quiet", lib);
    await bench.git("-C", lib, "commit", "--quiet", "--allow-empty", "--message=x");
    // `git submodule` is a shell script, which needs the whole PATH.
    const env = { ...bench.env, PATH: process.env["PATH"] };
    const add = [
      "-c",
      "protocol.file.allow=always",
      "submodule",
      "--quiet",
      "add",
      lib,
      "deps/lib",
    ];
    await execa("git", add, { cwd: bench.repo, env, extendEnv: false });
    await succeed(bench, { cwd: "deps/lib" });
    expect(await standing(bench, "deps/lib")).toEqual({ taken: COMMITTED, ignored: SECRETS });
    expect((await standing(bench)).taken).toEqual([".gitmodules", "deps/lib"]);
  });

  it("ignores GIT_* variables of another repo", async () => {
    const bench = await workbench();
    const other = join(bench.root, "other");
    await bench.git("init", "--quiet", other);
    await bench.write("../other/.git/info/exclude", "*\n");
    await succeed(bench, {
      env: {
        GIT_DIR: join(other, ".git"),
        GIT_WORK_TREE: other,
        GIT_INDEX_FILE: join(other, "index"),
        GIT_CEILING_DIRECTORIES: "/",
        GIT_LITERAL_PATHSPECS: "1",
      },
    });
    expect(await standing(bench)).toEqual({ taken: COMMITTED, ignored: SECRETS });
    expect(await bench.read(".gitignore")).toBe(block(ALL));
  });
});

describe(".gitignore gets only the missing lines, in one block", () => {
  it.each([
    ["the file that core.excludesFile names", "../home/.ignored"],
    [".git/info/exclude", ".git/info/exclude"],
  ])("also writes patterns that are only in %s, which colleagues don't have", async (_, path) => {
    const bench = await workbench();
    await bench.write("../home/.gitconfig", "[core]\nexcludesFile = ~/.ignored\n");
    await bench.write(path, ".env\n.env.*\n!.env.example\n*.tfstate*\n.terraform\n");
    await succeed(bench);
    expect(await bench.read(".gitignore")).toBe(block(ALL));
    expect((await bench.run(["check"])).status).toBe(0);
    await bench.write(path, "");
    expect(await standing(bench)).toEqual({ taken: COMMITTED, ignored: SECRETS });
  });

  it("also writes them, once, in a folder that the user's own rules hide", async () => {
    const bench = await workbench();
    await bench.write(".git/info/exclude", "/scratch/\n");
    await mkdir(join(bench.repo, "scratch"));
    bench.mayHold("scratch/.env", `scratch/${SECRETS[1]}`);
    await succeed(bench, { cwd: "scratch" });
    expect(await bench.read("scratch/.gitignore")).toBe(block(ALL));
    const again = await bench.run(["check"], { cwd: "scratch" });
    expect(again.stdout).toContain(
      "· git ignores .gitignore, so colleagues and pipelines don't get its patterns",
    );
    expect(again.status).toBe(0);
  });

  it("the user's own patterns with the same effect are enough", async () => {
    const bench = await workbench();
    await bench.write(
      ".gitignore",
      ".env*\n!.env.example\n*.tfvars.json\n*.tf[ps]*\ntfplan*\n.terraform\n",
    );
    const before = (await aged(bench.repo))[join(bench.repo, ".gitignore")];
    await succeed(bench);
    expect((await fileTree(bench.repo))[join(bench.repo, ".gitignore")]).toBe(before);
    expect(await standing(bench)).toEqual({ taken: COMMITTED, ignored: SECRETS });
  });

  it.each([
    ["LF", "a\n\n# b\n", `a\n\n# b\n\n${block(ALL)}`],
    ["CRLF", "a\r\nb \r\n", `a\r\nb \r\n\r\n${block(ALL, "\r\n")}`],
    ["no last newline", "a\nb", `a\nb\n\n${block(ALL)}`],
    ["CRLF, no last newline", "a\r\nb", `a\r\nb\r\n\r\n${block(ALL, "\r\n")}`],
    ["empty", "", block(ALL)],
    ["not UTF-8", "caf\xe9\n", `caf\xe9\n\n${block(ALL)}`],
    ["our block in the middle", `a\n${block([".env"])}b\n`, `a\n${block(ALL)}b\n`],
    ["our block with CRLF", block([".env"], "\r\n"), block(ALL, "\r\n")],
    ["our block without its end", `${BEGIN}\n.env\n`, `${BEGIN}\n.env\n\n${block(ALL.slice(1))}`],
  ])("%s: keeps the rest byte for byte, and the mode", async (_, before, after) => {
    const bench = await workbench();
    await bench.write(".gitignore", Buffer.from(before, "latin1"), 0o664);
    await succeed(bench);
    const path = join(bench.repo, ".gitignore");
    expect((await fileTree(bench.repo))[path]?.replace(/^664 \d+ /, "")).toBe(after);
    expect(await standing(bench)).toEqual({ taken: COMMITTED, ignored: SECRETS });
  });

  it("adds later patterns inside the block", async () => {
    const bench = await workbench();
    await succeed(bench);
    await bench.write(".gitignore", `${await bench.read(".gitignore")}dist/\n`);
    await bench.write(".do-bootstraprc", "token: { envFile: .env.staging }\n");
    bench.mayHold(".env.staging");
    await succeed(bench);
    expect(await bench.read(".gitignore")).toBe(`${block([...ALL, ".env.staging"])}dist/\n`);
  });

  it("says that `.env*` also ignores .env.example", async () => {
    const bench = await workbench();
    await bench.write(".gitignore", ".env*\n");
    const { stderr } = await succeed(bench);
    expect(stderr).toMatch(/^· .*\.env\.example.*\[git\.example-ignored\]$/m);
    expect((await standing(bench)).ignored).toEqual([".env", ".env.example", SECRETS[1]]);
  });

  it.each([
    "my env [1]*.txt",
    "#env",
    "!env",
    " lead",
    "trail ",
    "q?.env",
    "back\\slash.env",
    "sub dir/[x]/é.env",
    "-env",
    ":(top)env",
  ])("token.envFile: %j is ignored, and no other file", async (envFile) => {
    const bench = await workbench();
    const lookAlike = envFile.replace(/[[\]*?!#\\]/g, "x");
    if (lookAlike !== envFile) await bench.write(lookAlike, "");
    await bench.write(".do-bootstraprc.json", JSON.stringify({ token: { envFile } }));
    bench.mayHold(envFile);
    await succeed(bench);
    const { taken, ignored } = await standing(bench);
    expect(ignored).toEqual([envFile, SECRETS[1]].sort());
    if (lookAlike !== envFile) expect(taken).toContain(lookAlike);
  });
});

describe("a folder in two spellings (NFC, NFD), of which a Mac's disk has one and its git reads the other", () => {
  const [nfc, nfd] = ["caf\u00e9", "cafe\u0301"];
  const ignores = (bench: Workbench, path: string) =>
    bench.git("check-ignore", "--quiet", "--no-index", path).then(
      () => true,
      () => false,
    );

  it.each([
    ["NFD on the disk, NFC in the index", nfd, nfc],
    ["NFC on the disk, NFD in the index", nfc, nfd],
  ])("%s: the tracked env file gets no token", async (_, onDisk, inIndex) => {
    const bench = await workbench();
    await bench.write(".do-bootstraprc", `token: { envFile: ${onDisk}/.env }\n`);
    await bench.write(`${onDisk}/.env`, "A=1\n");
    await addToIndex(bench, [`${inIndex}/.env`]);
    const before = await aged(bench.root);
    const { status, stderr } = await bench.run(["--token-stdin"], { input: bench.token });
    expect(stderr).toContain("[env-file.tracked]");
    expect(status).toBe(3);
    expect(await fileTree(bench.root)).toEqual(before);
  });

  it("token.envFile in NFD: git ignores both spellings, and the second run changes nothing", async () => {
    const bench = await workbench();
    const envFile = `${nfd}/.env.dev`;
    await bench.write(".do-bootstraprc", `token: { envFile: ${envFile} }\n`);
    bench.mayHold(envFile);
    await succeed(bench);
    expect(await ignores(bench, envFile)).toBe(true);
    expect(await ignores(bench, `${nfc}/.env.dev`)).toBe(true);
    const text = await bench.read(".gitignore");
    expect((await bench.run(["check"])).status).toBe(0);
    await succeed(bench);
    expect(await bench.read(".gitignore")).toBe(text);
  });

  it("token.envFile in NFD: a pattern for one spelling only is not enough", async () => {
    const bench = await workbench();
    const envFile = `${nfd}/.env.dev`;
    await bench.write(".do-bootstraprc", `token: { envFile: ${envFile} }\n`);
    await bench.write(".gitignore", `${envFile}\n`);
    bench.mayHold(envFile);
    await succeed(bench);
    expect(await ignores(bench, `${nfc}/.env.dev`)).toBe(true);
  });

  it("terraform.dir in NFD: the values are not ignored in either spelling", async () => {
    const bench = await workbench();
    const values = "do-bootstrap.auto.tfvars.json";
    await bench.write(
      ".do-bootstraprc",
      `terraform: { dir: ${nfd}, variables: { region: nyc3 } }\n`,
    );
    await bench.write(".gitignore", "*.tfvars.json\n");
    bench.mayHold(`${nfd}/${SECRETS[1]}`);
    await succeed(bench);
    for (const folder of [nfd, nfc]) {
      expect(await ignores(bench, `${folder}/${values}`)).toBe(false);
      expect(await ignores(bench, `${folder}/${SECRETS[1]}`)).toBe(true);
    }
    expect((await bench.run(["check"])).status).toBe(0);
  });
});

describe("values of terraform.variables go into a file that git does not ignore", () => {
  const VALUES = "do-bootstrap.auto.tfvars.json";
  const config = "terraform: { dir: infra, variables: { region: nyc3 } }\n";

  it.each<[name: string, files: Readonly<Record<string, string>>, says: string | undefined]>([
    [
      "the .gitignore template of many repos",
      { ".gitignore": "*.tfvars\n*.tfvars.json\n" },
      undefined,
    ],
    ["a rule in .git/info/exclude", { ".git/info/exclude": "*.json\n" }, undefined],
    [
      "a rule in the root's folder ignores the file",
      { "infra/.gitignore": "*.auto.tfvars.json\n" },
      "git check-ignore -v",
    ],
    [
      "the file has a value that is not in the config",
      { ".gitignore": "*.tfvars.json\n", [`infra/${VALUES}`]: '{ "password": "x" }\n' },
      "the file has values that are not in the config",
    ],
  ])("%s", async (_, files, says) => {
    const bench = await workbench();
    await bench.write(".do-bootstraprc", config);
    for (const [path, text] of Object.entries(files)) await bench.write(path, text);
    bench.mayHold(`infra/${SECRETS[1]}`);
    const { stderr } = await succeed(bench);
    const isTaken = says === undefined;
    expect((await standing(bench)).taken.includes(`infra/${VALUES}`)).toBe(isTaken);
    expect(stderr.includes("[terraform.values-ignored]")).toBe(!isTaken);
    expect(stderr.replace(/\s+/g, " ")).toContain(says ?? "");
    expect((await standing(bench)).ignored).toContain(`infra/${SECRETS[1]}`);
    const again = await bench.run(["check"]);
    expect(again.stdout.includes("[terraform.values-ignored]")).toBe(!isTaken);
    expect(again.status).toBe(0);
  });
});

describe("follows linked folders inside the repo", () => {
  it.each([
    ["token.envFile", { token: { envFile: "link/.env" } }, ["real/.env", SECRETS[1]]],
    ["terraform.dir", { terraform: { dir: "link" } }, [".env", `real/${SECRETS[1]}`]],
  ])("%s", async (_, config, ignored) => {
    const bench = await workbench();
    await mkdir(join(bench.repo, "real"));
    await symlink("real", join(bench.repo, "link"));
    await bench.write(".gitignore", "real/.env\n");
    await bench.write(".do-bootstraprc.json", JSON.stringify(config));
    await succeed(bench);
    expect((await standing(bench)).ignored.sort()).toEqual([...ignored].sort());
  });
});

describe("a file that git does not ignore gets no token", () => {
  const config = "token: { envFile: conf/.env }\nterraform: { dir: infra }\n";
  it.each([
    ["a negation after our block", ".gitignore", `${block(ALL)}!.env\n`],
    ["a nested .gitignore", "conf/.gitignore", "!.env\n"],
    ["a nested .gitignore in a Terraform root", "infra/.gitignore", "!*.json\n"],
  ])("%s: an error, and nothing changes", async (_, path, text) => {
    const bench = await workbench();
    await bench.write(".do-bootstraprc", config);
    await bench.write(path, text, 0o640);
    const before = await aged(bench.root);
    const { status, stderr } = await bench.run(["--token-stdin"], { input: bench.token });
    expect(stderr).toMatch(/\[(NOT_IGNORED|git\.not-ignored)\]\n.*git check-ignore -v/);
    expect(status).toBe(3);
    expect(await fileTree(bench.root)).toEqual(before);
  });

  it.each([
    ["token.envFile", "token: { envFile: app/.env }\n", ".env .env.*.local"],
    [
      "terraform.dir",
      "terraform: { dir: app/infra }\n",
      ".env.*.local *.secret.auto.tfvars.json *.tfstate* *.tfplan tfplan .terraform/",
    ],
    ["a link to such a folder", "token: { envFile: link/.env }\n", ".env .env.*.local"],
  ])("%s in a nested repo, whose own rules count", async (_, config, patterns) => {
    const bench = await workbench();
    await bench.git("init", "--quiet", "app");
    await symlink("app", join(bench.repo, "link"));
    await bench.write(".do-bootstraprc", config);
    const before = await aged(bench.root);
    const { status, stderr } = await bench.run(["--token-stdin"], { input: bench.token });
    expect(stderr).toMatch(
      /app is a nested git repo that does not ignore secrets or state\. \[git\.not-ignored\]$/m,
    );
    expect(stderr).toContain(`Add to its .gitignore: ${patterns}\n`);
    expect(status).toBe(3);
    expect(await fileTree(bench.root)).toEqual(before);

    await bench.write("app/.gitignore", patterns.replaceAll(" ", "\n"));
    const secret = config.startsWith("token") ? ".env" : `infra/${SECRETS[1]}`;
    bench.mayHold(`app/${secret}`);
    await succeed(bench);
    expect((await standing(bench, "app")).ignored).toEqual([secret]);
    expect((await bench.run(["check"])).status).toBe(0);

    await bench.git("-C", "app", "add", "--force", secret);
    const { stdout: said } = await bench.run(["check"]);
    expect(said.includes("[env-file.tracked]")).toBe(secret === ".env");
  });

  it("a link to a file in a nested repo that does not ignore it", async () => {
    const bench = await workbench();
    await bench.git("init", "--quiet", "app");
    await symlink("app/values", join(bench.repo, ".env"));
    const before = await aged(bench.root);
    const { status, stderr } = await bench.run(["--token-stdin"], { input: bench.token });
    expect(stderr).toMatch(
      /app\/values would hold the token, .*\[NOT_IGNORED\]\n.*: git -C app check-ignore -v --no-index -- values\n/,
    );
    expect(status).toBe(3);
    expect(await fileTree(bench.root)).toEqual(before);
  });

  it("a .gitignore that is a symlink, which git does not follow", async () => {
    const bench = await workbench();
    await bench.write("shared.ignore", "dist/\n");
    await symlink("shared.ignore", join(bench.repo, ".gitignore"));
    const before = await aged(bench.root);
    const { status } = await bench.run(["--token-stdin"], { input: bench.token });
    expect(status).toBe(3);
    expect(await fileTree(bench.root)).toEqual(before);
  });

  it.each([".env", "env [x]*"])(
    "a tracked %s is an error only when the token would be written to it",
    async (envFile) => {
      const bench = await workbench();
      await bench.write(".do-bootstraprc.json", JSON.stringify({ token: { envFile } }));
      await bench.write(envFile, "PORT=80\n");
      await bench.git("add", "--all");
      const before = await aged(bench.root);
      const refused = await bench.run(["--token-stdin"], { input: bench.token });
      expect(refused.stderr).toContain("[env-file.tracked]");
      expect(refused.status).toBe(3);
      expect(await fileTree(bench.root)).toEqual(before);

      const { status } = await bench.run([], { env: { DIGITALOCEAN_TOKEN: bench.token } });
      expect(status).toBe(0);
      expect(await bench.read(envFile)).toBe("PORT=80\n");
      expect((await stat(join(bench.repo, envFile))).mode & 0o777).toBe(0o644);
    },
  );

  it("a tracked state is a warning, a tracked secret file an error", async () => {
    const bench = await workbench();
    const full = '{ "resources": [{}] }\n';
    await bench.write("main.tf", "");
    await bench.write("prod.tfstate", full);
    await bench.write("terraform.tfstate.d/prod/terraform.tfstate", full);
    await bench.git("add", "--all");
    await succeed(bench);
    const state = await bench.run(["check"]);
    expect(state.stdout).toMatch(
      /^! git tracks prod\.tfstate, terraform\.tfstate\.d\. Adding them to \.gitignore[^[]*\[terraform\.state-tracked\]$/m,
    );
    expect(state.stdout).toContain("git rm -r --cached prod.tfstate terraform.tfstate.d");
    expect(state.status).toBe(0);

    await bench.git("add", "--force", "--intent-to-add", SECRETS[1] ?? "");
    const secret = await bench.run(["check"]);
    expect(secret.stdout).toContain("[terraform.secret-tracked]");
    expect(secret.status).toBe(3);
  });

  it("a link to a tracked file with a token is an error", async () => {
    const bench = await workbench();
    await bench.write("dev.env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    await symlink("dev.env", join(bench.repo, ".env"));
    await bench.git("add", "dev.env");
    const before = await aged(bench.root);
    const { status, stderr } = await bench.run([]);
    expect(stderr).toContain("[env-file.tracked]");
    expect(status).toBe(3);
    expect(await fileTree(bench.root)).toEqual(before);
  });
});

function block(patterns: readonly string[], lineEnd = "\n"): string {
  return [BEGIN, ...patterns, END, ""].join(lineEnd);
}

async function succeed(bench: Workbench, options: RunOptions = {}) {
  const result = await bench.run(["--token-stdin"], { input: bench.token, ...options });
  expect(result.status, result.stderr).toBe(0);
  return result;
}

/** What git would commit and what it ignores, as git reports it. */
async function standing(bench: Workbench, folder = ".") {
  const status = ["status", "--porcelain", "-z", "-uall", "--ignored"];
  const lines = (await bench.git("-C", folder, ...status)).split("\0").filter(Boolean);
  const named = (isIgnored: boolean) =>
    lines.filter((line) => line.startsWith("!!") === isIgnored).map((line) => line.slice(3));
  return { taken: named(false).sort(), ignored: named(true).sort() };
}
