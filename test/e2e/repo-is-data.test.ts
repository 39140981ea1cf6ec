import { chmod, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { describe, it, type TestContext } from "vitest";
import { type Sandbox, startSandbox } from "../../src/commands/demo/sandbox.ts";
import { leaksIn } from "../fixtures/leak-search.ts";
import { onPath } from "../fixtures/on-path.ts";
import { fakeDoctl, hookTools } from "../fixtures/tools.ts";
import { randomToken, treeHash, type Workbench, workbench } from "../fixtures/workbench.ts";

const GIT = onPath("git") ?? "";
const COSMICONFIG = createRequire(import.meta.url).resolve("cosmiconfig");
const TOOLS = ["doctl", "terraform", "tofu", "git"];
const HOOKS = ["post-checkout", "post-index-change", "pre-commit", "reference-transaction"];
const SCRIPT_CONFIGS = ["config.js", "config.ts", "do-bootstraprc.js", "do-bootstraprc.ts"];
const SCRIPT_ENDINGS = ["js", "cjs", "mjs", "ts"];

interface Trapped {
  readonly bench: Workbench;
  /** Folders of the repo on PATH: npx adds one, direnv another. */
  readonly bins: readonly string[];
  readonly env: { readonly PATH: string };
  /** Only .env names this server. */
  readonly elsewhere: Sandbox;
  /** The traps that were triggered. */
  sprung(): Promise<string[]>;
}

describe.concurrent("no command runs or obeys files in the repo (rule 7)", () => {
  const commands: readonly (readonly [args: string, status: number])[] = [
    ["", 0],
    ["--dry-run", 0],
    ["check", 3],
    ["demo", 0],
    ["--help", 0],
    ["--version", 0],
  ];
  for (const cwd of [".", "src/deep"]) {
    it.for(commands)(`do-bootstrap %s, in ${cwd}`, async ([args, status], context) => {
      const { expect } = context;
      const { bench, env, elsewhere, sprung } = await trapped(context);
      const words = args.split(" ").filter(Boolean);
      await bench.write(join(cwd, ".env"), envFile(bench, elsewhere), 0o600);
      const result = await bench.run(words, { env, cwd });

      expect(await sprung()).toEqual([]);
      expect(elsewhere.requests).toEqual([]);
      expect(result).toMatchObject({ status });
      const talksToGit = !/help|version/.test(args);
      const realGit = await bench.read("../real-git.log").catch(() => "");
      expect(realGit !== "").toBe(talksToGit);
    });

    it.for([["--dry-run"], ["check"]])(
      `%s names the tools that it ignored, in ${cwd}`,
      async (args, context) => {
        const { expect } = context;
        const { bench, bins, env } = await trapped(context);
        await bench.write("do-bootstrap.config.yaml", "terraform: { dir: . }\n");
        const { stdout } = await bench.run([...args, "--json"], { env, cwd });

        const findings: { id: string; where: string }[] = JSON.parse(stdout).findings;
        const named = findings.filter(({ id }) => id === "tool.in-repo").map(({ where }) => where);
        expect(named.sort()).toEqual(
          bins.flatMap((bin) => TOOLS.map((name) => join(bin, name))).sort(),
        );
      },
    );
  }

  it.for([["init"], ["--dry-run"], ["check"]])(
    "%s in a folder that looks like a bare repo",
    async (args, context) => {
      const { expect } = context;
      const { bench, env, sprung } = await trapped(context);
      const { stdout, stderr } = await bench.run(args, { env, cwd: "bare" });

      expect(await sprung()).toEqual([]);
      expect(stdout + stderr).not.toContain("UNEXPECTED");
    },
  );

  const imports: readonly (readonly [file: string, text: string])[] = [
    [".do-bootstraprc", "$import: ../outside.json"],
    [".do-bootstraprc.json", '{"$import": "../outside.json"}'],
    [".do-bootstraprc.yaml", "$import: [../outside.json, ./evil.js]"],
    [".config/do-bootstraprc.yml", "$import: ../evil.js"],
    ["do-bootstrap.config.json", '{"token": {"$import": "../outside.json"}}'],
    ["package.json", '{"do-bootstrap": {"$import": "../outside.json"}}'],
    ["package.json", '{"$import": "../outside.json", "do-bootstrap": {}}'],
    ["package.json", '{"$import": "./evil.js"}'],
  ];
  it.for(imports)("$import in %s: %s", async ([file, text], context) => {
    const { expect } = context;
    const { bench, env, sprung } = await trapped(context);
    await bench.write("../outside.json", '{"project": "from-outside"}');
    await bench.write(file, text);
    const { status, stdout } = await bench.run(["--dry-run", "--json"], { env });

    expect(stdout).not.toContain("from-outside");
    expect(await sprung()).toEqual([]);
    // Outside our own key of package.json, the key is for npm, and we ignore it.
    if (text.startsWith('{"$import') && file === "package.json") expect(status).toBe(0);
    else {
      expect(status).toBe(2);
      expect(JSON.parse(stdout).error).toMatchObject({
        code: "CONFIG_INVALID",
        message: expect.stringMatching(/\$import/),
      });
    }
  });

  it("core.worktree does not turn the user's folders into the repo's", async (context) => {
    const { expect } = context;
    const { bench } = await trapped(context);
    await bench.write("../home/.profile", "umask 022\n", 0o600);
    await bench.write("everything", "*\n");
    await bench.git("config", "core.excludesFile", join(bench.repo, "everything"));
    await bench.git("config", "core.worktree", bench.root);
    await rm(join(bench.repo, ".env"));
    await symlink("../home/.profile", join(bench.repo, ".env"));
    const before = await treeHash(bench.home);
    await bench.run(["--token-stdin", "--yes"], { input: bench.token });

    expect(await treeHash(bench.home)).toBe(before);
  });

  it.for<[link: string, to: string, args: string[]]>([
    [".env.example", ".git/config", []],
    [".env", ".git/env", ["--force"]],
    [".gitignore", ".git/hooks/pre-commit", ["--force"]],
    ["infra", ".git/hooks", ["--force"]],
    [".env.example", "../other/.git/config", ["--force"]],
  ])("%s that links to %s is not written: git would obey it (%s)", async (row, context) => {
    const { expect } = context;
    const [link, to, args] = row;
    const bench = await workbench(context);
    await bench.git("init", "--quiet", "../other");
    await mkdir(join(bench.repo, ".git/hooks"), { recursive: true });
    await bench.write("do-bootstrap.config.yaml", "terraform: { dir: infra }\n");
    await symlink(to, join(bench.repo, link));
    const before = await treeHash(bench.root);
    const { status, stderr } = await bench.run(["--token-stdin", ...args], { input: bench.token });
    expect(stderr).toMatch(/is a link into git's own folder: .*\[file\.in-git\]$/m);
    expect(status).toBe(3);
    expect(await treeHash(bench.root)).toBe(before);
  });

  it("every trap works", async (context) => {
    const { expect } = context;
    const { bench, env, sprung } = await trapped(context);
    await bench.git("status");
    await bench.git("-C", "bare", "status").catch(() => undefined);
    // Commit first: a filter that ends early leaves an index that git fails on.
    await bench.git("commit", "--quiet", "--message=x");
    await bench.git("add", "--all").catch(() => undefined);
    for (const name of TOOLS) await execa(name, [], { env });
    const load = `import("${COSMICONFIG}").then(({ cosmiconfig }) => cosmiconfig("do-bootstrap").search())`;
    for (const cwd of [bench.repo, join(bench.repo, "src", "deep")]) {
      await execa(process.execPath, ["-e", load], { cwd, reject: false });
    }
    await execa(process.execPath, ["-e", ""], {
      env: { NODE_OPTIONS: `--require=${join(bench.repo, "preload.js")}` },
    });

    expect(await sprung()).toEqual(
      expect.arrayContaining([
        "bare core.fsmonitor",
        "config.js",
        "core.fsmonitor",
        "evil.js",
        "filter.clean",
        "hook pre-commit",
        "preload.js",
        ...TOOLS.map((name) => `tool ${name}`),
      ]),
    );
  });
});

describe.concurrent("the demo", () => {
  it("does not touch the user's login, token and API", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    const doctl = await fakeDoctl(bench.bin);
    await hookTools(bench.bin);
    const stored = randomToken();
    await bench.write("../home/.config/doctl/config.yaml", `access-token: ${stored}\n`, 0o600);
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    const before = { home: await treeHash(bench.home), repo: await treeHash(bench.repo) };
    const result = await bench.run(["demo"], {
      env: {
        DIGITALOCEAN_TOKEN: bench.token,
        DIGITALOCEAN_ACCESS_TOKEN: bench.token,
        DIGITALOCEAN_CONTEXT: "prod",
        DIGITALOCEAN_CONFIG: join(bench.home, ".config", "doctl", "config.yaml"),
        XDG_CONFIG_HOME: join(bench.home, ".config"),
        TF_VAR_do_token: bench.token,
      },
    });

    expect(result.stderr).toContain("do-bootstrap check");
    expect(result.status).toBe(0);
    expect({ home: await treeHash(bench.home), repo: await treeHash(bench.repo) }).toEqual(before);
    expect(bench.sandbox.requests).toEqual([]);
    for (const token of [bench.token, stored]) {
      expect(leaksIn(JSON.stringify(result), token)).toEqual([]);
    }
    expect((await doctl.calls()).length).toBeGreaterThan(0);
    expect(await readdir(bench.tmp)).toEqual([]);
  });
});

/** A repo full of files that leave a marker when they run, or send a request when obeyed. */
async function trapped(context: TestContext): Promise<Trapped> {
  const bench = await workbench(context);
  const elsewhere = await startSandbox();
  context.onTestFinished(() => elsewhere.close());
  elsewhere.accept(bench.token);
  const markers = join(bench.root, "markers");
  await mkdir(markers);
  const bins = [join("node_modules", ".bin"), "tools"];
  const script = (name: string) => `#!/bin/sh\n: >"${join(markers, name)}"\n`;
  const common = (name: string) =>
    `require("node:fs").writeFileSync(${JSON.stringify(join(markers, name))}, "");\nmodule.exports = {};\n`;
  const module = (name: string) =>
    `import { writeFileSync } from "node:fs";\nwriteFileSync(${JSON.stringify(join(markers, name))}, "");\nexport default {};\n`;
  const scripted = (path: string, name = path) =>
    bench.write(path, (/\.(mjs|ts)$/.test(path) ? module : common)(name));
  const executable = (path: string, name: string) => bench.write(path, script(name), 0o755);

  await bench.write("README.md", "# acme-web\n");
  await bench.git("add", "README.md");

  for (const name of SCRIPT_CONFIGS) await scripted(join(".config", name), name);
  for (const ending of SCRIPT_ENDINGS) {
    await scripted(`do-bootstrap.config.${ending}`);
    await scripted(`.do-bootstraprc.${ending}`);
  }
  await scripted("evil.js");
  await scripted("preload.js");
  // The key in package.json hides cosmiconfig's other way to load a file.
  await scripted("src/deep/.config/config.js", "config.js");
  const key = { searchPlaces: ["evil.js"] };
  // Documented without the second level, read by cosmiconfig 9 with it.
  const cosmiconfig = { ...key, cosmiconfig: key };
  await bench.write("package.json", JSON.stringify({ name: "acme-web", cosmiconfig }));
  await bench.write(".env", envFile(bench, elsewhere), 0o600);

  for (const bin of bins) {
    for (const name of TOOLS) await executable(join(bin, name), `tool ${name}`);
  }
  await hookTools(bench.bin);
  await rm(join(bench.bin, "git"));
  await writeFile(
    join(bench.bin, "git"),
    `#!/bin/sh\necho "$@" >>"${join(bench.root, "real-git.log")}"\nexec ${GIT} "$@"\n`,
  );
  await chmod(join(bench.bin, "git"), 0o755);

  for (const hook of HOOKS) {
    await executable(join(".git", "hooks", hook), `hook ${hook}`);
    await executable(join("githooks", hook), `hook ${hook}`);
  }
  const programs: Readonly<Record<string, string>> = {
    "core.fsmonitor": "core.fsmonitor",
    "core.pager": "core.pager",
    "core.sshCommand": "core.sshCommand",
    "core.askPass": "core.askPass",
    "core.editor": "core.editor",
    "credential.helper": "credential.helper",
    "diff.external": "diff.external",
    "diff.evil.textconv": "diff.textconv",
    "filter.evil.clean": "filter.clean",
    "filter.evil.smudge": "filter.smudge",
    "filter.other.process": "filter.process",
    "pager.ls-files": "core.pager",
    "pager.check-ignore": "core.pager",
  };
  for (const [key, name] of Object.entries(programs)) {
    const path = join("traps", name);
    await executable(path, name);
    await bench.git("config", key, join(bench.repo, path));
  }
  await bench.git("config", "core.hooksPath", join(bench.repo, "githooks"));
  await bench.write(".gitattributes", "* filter=evil diff=evil\n*.json filter=other\n");

  await executable("traps/bare", "bare core.fsmonitor");
  await bench.write("bare/HEAD", "ref: refs/heads/main\n");
  await bench.write("bare/objects/.keep", "");
  await bench.write("bare/refs/.keep", "");
  await bench.write(
    "bare/config",
    `[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ${bench.repo}/bare\n\tfsmonitor = ${bench.repo}/traps/bare\n`,
  );
  // Setting the traps used git too.
  for (const name of await readdir(markers)) await rm(join(markers, name));
  await rm(join(bench.root, "real-git.log"), { force: true });
  return {
    bench,
    elsewhere,
    bins: bins.map((bin) => join(bench.repo, bin)),
    env: { PATH: [...bins.map((bin) => join(bench.repo, bin)), bench.bin].join(delimiter) },
    sprung: async () => (await readdir(markers)).sort(),
  };
}

/** It contains the token, so no other is needed; the rest must not be obeyed. */
function envFile({ token, repo }: Workbench, { url }: Sandbox): string {
  return `DIGITALOCEAN_TOKEN=${token}
DIGITALOCEAN_API_URL=${url}
DO_BOOTSTRAP_OAUTH_URL=${url}
HTTPS_PROXY=${url}
NODE_OPTIONS=--require=${repo}/preload.js
GIT_SSH_COMMAND=${repo}/traps/core.sshCommand
`;
}
