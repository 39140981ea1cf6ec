import { chmod, lstat, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { hasProc } from "../fixtures/proc.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { aged, fileTree } from "../fixtures/tree.ts";
import {
  randomToken,
  treeHash,
  type Workbench,
  withoutProgress,
  workbench,
} from "../fixtures/workbench.ts";

describe("changes only the token in an env file", () => {
  // T is the token.
  it.each([
    ["absent", undefined, "DIGITALOCEAN_TOKEN=T\n"],
    ["empty", "", "DIGITALOCEAN_TOKEN=T\n"],
    ["other keys", "# ours\nPORT=80\n\n", "# ours\nPORT=80\n\nDIGITALOCEAN_TOKEN=T\n"],
    ["no last newline", "PORT=80", "PORT=80\nDIGITALOCEAN_TOKEN=T"],
    ["CRLF", "A=1\r\nB=2\r\n", "A=1\r\nB=2\r\nDIGITALOCEAN_TOKEN=T\r\n"],
    ["CRLF, no last newline", "A=1\r\nB=2", "A=1\r\nB=2\r\nDIGITALOCEAN_TOKEN=T"],
    ["CRLF, in place", "DIGITALOCEAN_TOKEN=x\r\nB=2\r\n", "DIGITALOCEAN_TOKEN=T\r\nB=2\r\n"],
    ["BOM", "\uFEFFDIGITALOCEAN_TOKEN=x\nA=1\n", "\uFEFFDIGITALOCEAN_TOKEN=T\nA=1\n"],
    ["BOM alone", "\uFEFF", "\uFEFFDIGITALOCEAN_TOKEN=T\n"],
    ["an empty value", "DIGITALOCEAN_TOKEN=\nA=1\n", "DIGITALOCEAN_TOKEN=T\nA=1\n"],
    ["an empty value at the end", "DIGITALOCEAN_TOKEN=", "DIGITALOCEAN_TOKEN=T"],
    ["empty quotes", "DIGITALOCEAN_TOKEN=''\n", "DIGITALOCEAN_TOKEN='T'\n"],
    ["export", "export DIGITALOCEAN_TOKEN=x # old\n", "export DIGITALOCEAN_TOKEN=T # old\n"],
    ["double quotes", '  DIGITALOCEAN_TOKEN = "x"  # old\n', '  DIGITALOCEAN_TOKEN = "T"  # old\n'],
    ["backticks", "DIGITALOCEAN_TOKEN=`x`\n", "DIGITALOCEAN_TOKEN=`T`\n"],
    ["a colon", "DIGITALOCEAN_TOKEN: x\n", "DIGITALOCEAN_TOKEN: T\n"],
    [
      "every assignment",
      "DIGITALOCEAN_TOKEN=x\nA=1\nDIGITALOCEAN_TOKEN='y'\n",
      "DIGITALOCEAN_TOKEN=T\nA=1\nDIGITALOCEAN_TOKEN='T'\n",
    ],
    [
      "multi-line values",
      'KEY="-----BEGIN-----\nDIGITALOCEAN_TOKEN=no\n-----END-----"\nDIGITALOCEAN_TOKEN=x\n',
      'KEY="-----BEGIN-----\nDIGITALOCEAN_TOKEN=no\n-----END-----"\nDIGITALOCEAN_TOKEN=T\n',
    ],
    [
      "a commented assignment",
      "#DIGITALOCEAN_TOKEN=x\nA=1\n",
      "#DIGITALOCEAN_TOKEN=x\nA=1\nDIGITALOCEAN_TOKEN=T\n",
    ],
    [
      "a longer name",
      "MY_DIGITALOCEAN_TOKEN=x\nDIGITALOCEAN_TOKEN_2=y\n",
      "MY_DIGITALOCEAN_TOKEN=x\nDIGITALOCEAN_TOKEN_2=y\nDIGITALOCEAN_TOKEN=T\n",
    ],
    ["no UTF-8", "A=caf\xe9\n", "A=caf\xe9\nDIGITALOCEAN_TOKEN=T\n"],
    ["an odd line", "what is this\nA=1\n", "what is this\nA=1\nDIGITALOCEAN_TOKEN=T\n"],
  ])("%s", async (name, before, after) => {
    const bench = await workbench();
    const encoding = name === "no UTF-8" ? "latin1" : "utf8";
    if (before !== undefined) await bench.write(".env", Buffer.from(before, encoding), 0o600);
    await withStdin(bench);
    const path = join(bench.repo, ".env");
    expect(await readFile(path, encoding)).toBe(
      after.replaceAll("=T", `=${bench.token}`).replace(/(["'`]|: )T/g, `$1${bench.token}`),
    );
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("after an open quote, changes only the token or nothing", async () => {
    const bench = await workbench();
    await bench.write(".env", 'A="x\nDIGITALOCEAN_TOKEN=y\n', 0o600);
    const before = await treeHash(bench.root);
    const { status } = await bench.run(["--token-stdin"], { input: bench.token });
    const after = await bench.read(".env");
    if (status === 0) expect(after).toBe(`A="x\nDIGITALOCEAN_TOKEN=${bench.token}\n`);
    else expect(await treeHash(bench.root)).toBe(before);
  });

  it.each([
    [0o644, 0o600],
    [0o640, 0o600],
    [0o400, 0o400],
    [0o700, 0o700],
  ])("mode %o becomes %o, which --dry-run shows", async (before, after) => {
    const bench = await workbench();
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, before);
    const { stdout } = await bench.run(["--dry-run"]);
    if (before === after) expect(stdout).not.toContain("mode 0");
    else
      expect(stdout).toContain(`  - mode 0${before.toString(8)}\n  + mode 0${after.toString(8)}\n`);
    await bench.run([]);
    expect((await stat(join(bench.repo, ".env"))).mode & 0o777).toBe(after);
    expect(await bench.read(".env")).toBe(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
  });

  it("custom token.envFile and token.name", async () => {
    const bench = await workbench();
    await bench.write(".env", "PORT=80\n");
    await bench.write(".do-bootstraprc", "token: { envFile: .env.local, name: ACME_TOKEN }\n");
    bench.mayHold(".env.local");
    await withStdin(bench);
    expect(await bench.read(".env.local")).toBe(`ACME_TOKEN=${bench.token}\n`);
    expect(await bench.read(".env")).toBe("PORT=80\n");
    expect(await bench.read(".env.example")).toMatch(/^ACME_TOKEN=$/m);
  });
});

const OF_PROC: [string, string, string, RegExp] = [
  "a file of /proc",
  "conf/.env",
  "/proc/self/environ",
  /resolves outside the repo: \/proc\/\d+\/environ\./,
];

describe("an env file that is a link", () => {
  it("inside the repo is followed, and stays a link", async () => {
    const bench = await workbench();
    await bench.write(".gitignore", "secrets/\n");
    await bench.write("secrets/dev.env", "A=1\n", 0o644);
    bench.mayHold("secrets/dev.env");
    await symlink("secrets/dev.env", join(bench.repo, ".env"));
    await withStdin(bench);
    expect((await lstat(join(bench.repo, ".env"))).isSymbolicLink()).toBe(true);
    expect(await bench.read("secrets/dev.env")).toBe(`A=1\nDIGITALOCEAN_TOKEN=${bench.token}\n`);
    expect((await stat(join(bench.repo, ".env"))).mode & 0o777).toBe(0o600);
  });

  it("to a file that git does not ignore: writes nothing", async () => {
    const bench = await workbench();
    await bench.write("secrets/dev.env", "A=1\n");
    await symlink("secrets/dev.env", join(bench.repo, ".env"));
    const before = await aged(bench.root);
    const { status, stderr } = await bench.run(["--token-stdin"], { input: bench.token });
    expect(stderr).toMatch(/secrets\/dev\.env would hold the token, and git does not ignore it/);
    expect(status).toBe(3);
    expect(await fileTree(bench.root)).toEqual(before);
  });

  it.each(["there", "dangling"])("to a file outside the repo (%s) is not written", async (kind) => {
    const bench = await workbench();
    const target = join(bench.root, "shared.env");
    if (kind === "there") await writeFile(target, "A=1\n");
    await symlink(target, join(bench.repo, ".env"));
    const before = await treeHash(bench.root);
    for (const more of [[], ["--force", "--yes"]]) {
      const refused = await bench.run(["--token-stdin", ...more], { input: bench.token });
      expect(refused.stderr).toMatch(
        /\.env resolves outside the repo: \S*shared\.env\. \[file\.outside\]/,
      );
      expect(refused.stderr).toMatch(/Remove the link \(rm \.env\) and put a real file there/);
      expect(refused.status).toBe(3);
      expect(await treeHash(bench.root)).toBe(before);
    }
  });

  it.each<[what: string, link: string, to: string, named: RegExp]>([
    [
      "the file itself",
      "conf/.env",
      "../../acme/.env",
      /resolves outside the repo: \S*acme\/\.env\./,
    ],
    [
      "its folder",
      "conf",
      "../acme",
      /resolves outside the repo: \S*acme\/\.env \(through the link \S*conf\)\./,
    ],
    [
      "a chain of links through the repo",
      "conf",
      "in",
      /resolves outside the repo: \S*acme\/\.env \(through the link \S*conf\)\./,
    ],
    ...(hasProc ? [OF_PROC] : []),
  ])("to a file outside the repo is not read: %s", async (_, link, to, named) => {
    const bench = await workbench();
    await bench.write("../acme/.env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    await symlink("../acme", join(bench.repo, "in"));
    await bench.write(".do-bootstraprc", "token: { envFile: conf/.env }\n");
    await bench.write("conf/x", "");
    await rm(join(bench.repo, link), { recursive: true, force: true });
    await symlink(to, join(bench.repo, link));
    const before = await treeHash(bench.repo);
    const other = { DIGITALOCEAN_TOKEN: bench.token };
    for (const [args, env, status] of [
      [["init", "--yes"], {}, 4],
      [["check"], {}, 4],
      [["check"], other, 3],
      [["exec", "--", "env"], {}, 125],
      [["exec", "--", "env"], other, 125],
      [["env", "--yes"], {}, 3],
    ] as const) {
      const result = await bench.run(args, { env });
      const what = `${args.join(" ")} ${result.stdout}${result.stderr}`;
      expect(what).toContain("[file.outside]");
      expect(what).toMatch(named);
      expect(result.status, what).toBe(status);
      expect(result.stdout).not.toContain(bench.token);
    }
    expect(await treeHash(bench.repo)).toBe(before);
  });

  it("that replaces the file later, to outside the repo, is not read by the next exec", async () => {
    const bench = await workbench();
    await withStdin(bench);
    const show = ["exec", "--", process.execPath, "-p", "process.env.DIGITALOCEAN_TOKEN"];
    for (const _ of [1, 2]) expect((await bench.run(show)).stdout).toBe(`${bench.token}\n`);
    await bench.write("../acme/.env", `DIGITALOCEAN_TOKEN=${randomToken()}\n`, 0o600);
    await rm(join(bench.repo, ".env"));
    await symlink("../acme/.env", join(bench.repo, ".env"));
    const { status, stdout, stderr } = await bench.run(show);
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
    expect(stderr).toContain("[file.outside]");
  });

  it("to a repo inside the repo is followed, also in a linked work tree", async () => {
    const bench = await workbench();
    await bench.git("commit", "--quiet", "--allow-empty", "--message=x");
    await bench.git("init", "--quiet", "module");
    await bench.git("worktree", "add", "--quiet", "../tree");
    for (const repo of [".", "../tree"]) {
      await bench.write(`${repo}/module/.env`, `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
      await symlink("module/.env", join(bench.repo, repo, ".env"));
      const { status, stderr } = await bench.run(["exec", "--", process.execPath, "-e", ""], {
        cwd: repo,
      });
      expect(status, stderr).toBe(0);
    }
  });
});

describe("an env file that is a FIFO", () => {
  it("is read, and never written", async () => {
    const bench = await workbench();
    await fifo(bench, `DIGITALOCEAN_TOKEN=${bench.token}\nOTHER=1\n`);
    expect((await bench.run([])).status).toBe(0);
    expect((await lstat(join(bench.repo, ".env"))).isFIFO()).toBe(true);
    expect((await bench.run(["check"])).status).toBe(0);

    const other = randomToken();
    bench.sandbox.accept(other);
    const { status, stderr } = await bench.run(["--token-stdin"], { input: other });
    expect(stderr).toMatch(/\.env is a FIFO.*\[file\.unusable\]/);
    expect(status).toBe(3);
  });

  /** As 1Password mounts a .env: every reader gets the text. */
  async function fifo(bench: Workbench, text: string): Promise<void> {
    const path = join(bench.repo, ".env");
    await execa("mkfifo", [path]);
    await chmod(path, 0o600);
    const loop = 'while [ -p "$1" ]; do printf %s "$TEXT" > "$1"; sleep 0.02; done';
    const writer = execa("sh", ["-c", loop, "sh", path], { reject: false, env: { TEXT: text } });
    onTestFinished(() => void writer.kill("SIGKILL"));
  }
});

describe("the token's source decides where it is saved", () => {
  it("a token from the environment is not saved without --save", async () => {
    const bench = await workbench();
    const env = { DIGITALOCEAN_ACCESS_TOKEN: bench.token };
    expect((await bench.run([], { env })).status).toBe(0);
    const written = await fileTree(bench.root);
    expect(Object.keys(written)).not.toContain(join(bench.repo, ".env"));
    expect(JSON.stringify(written)).not.toContain(bench.token);

    expect((await bench.run(["--save"], { env })).status).toBe(0);
    expect(await bench.read(".env")).toBe(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
    expect((await bench.run(["check"])).status).toBe(0);
  });

  it("--save replaces another token in the env file", async () => {
    const bench = await workbench();
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${randomToken()}\n`, 0o600);
    const env = { DIGITALOCEAN_TOKEN: bench.token };
    expect((await bench.run([], { env })).stderr).toContain("[token.shadows-another]");
    expect((await bench.run(["--save"], { env })).status).toBe(0);
    expect(await bench.read(".env")).toBe(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
  });

  it("--env prod has its own env file, doctl context and Terraform credentials", async () => {
    const bench = await workbench();
    await fakeDoctl(bench.bin, { writeDelayMs: 0 });
    const prod = { token: { envFile: ".env.prod" }, doctl: { context: "acme-prod" } };
    bench.mayHold(".env.prod");
    await bench.write("do-bootstrap.config.json", JSON.stringify({ environments: { prod } }));
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${randomToken()}\n`, 0o600);
    const before = await bench.read(".env");
    await withStdin(bench, "--env", "prod");
    expect(await bench.read(".env.prod")).toBe(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
    expect(await bench.read(".env")).toBe(before);
    const config = await bench.read("../home/.config/doctl/config.yaml");
    expect(parse(config)).toEqual({ "auth-contexts": { "acme-prod": bench.token } });
    expect(await bench.read("provider.tf")).toContain('provider "digitalocean" {}');
    expect(await bench.git("ls-files", "--others", "--exclude-standard")).not.toMatch(/env\.prod/);
    expect((await bench.run(["check", "--env", "prod"])).status).toBe(0);
  });
});

describe("--dry-run", () => {
  it("shows a diff without any secret value, and writes nothing", async () => {
    const bench = await workbench();
    await fakeDoctl(bench.bin);
    const values = ["hunter2", "line one", "line two", randomToken(), "tail-secret"];
    const [password, one, two, token, tail] = values;
    const text = `PASSWORD=${password}\nKEY="${one}\n${two}"\nDIGITALOCEAN_TOKEN=${token}\nTAIL=${tail}`;
    await bench.write(".env", text, 0o644);
    const before = await fileTree(bench.repo);
    const args = ["--token-stdin", "--dry-run"];
    const { status, stdout, stderr } = await bench.run(args, { input: bench.token });
    expect({ status, stderr: withoutProgress(stderr) }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^ {2}- DIGITALOCEAN_TOKEN=\[secret [0-9a-f]{8}\]$/m);
    expect(stdout).toMatch(/^ {2}\+ DIGITALOCEAN_TOKEN=\[secret [0-9a-f]{8}\]$/m);
    expect(stdout).toContain("doctl context default");
    for (const value of [...values, bench.token]) expect(stdout).not.toContain(value);
    expect(await fileTree(bench.repo)).toEqual(before);
    expect(await fileTree(bench.home)).toEqual({});
  });
});

describe("check of an env file", () => {
  const ids = async (bench: Workbench, ...args: string[]) => {
    const { stdout } = await bench.run(["check", "--json", ...args]);
    const { findings } = JSON.parse(stdout) as {
      findings: { id: string; message: string; fix?: string }[];
    };
    return new Map(findings.map((each) => [each.id, each]));
  };

  it("names variables of .env.example that are missing", async () => {
    const bench = await workbench();
    await bench.write(
      ".env.example",
      "DIGITALOCEAN_TOKEN=\nSTRIPE_KEY=\nPORT=80\nDATABASE_URL=\nHOST=\n",
    );
    await bench.write(".env", `HOST=\nDIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    expect((await ids(bench)).get("env-file.incomplete")?.message).toBe(
      ".env is missing STRIPE_KEY, DATABASE_URL, listed in .env.example.",
    );
  });

  it("reports Spaces keys while git does not ignore the file", async () => {
    const bench = await workbench();
    await bench.write(
      ".env",
      "SPACES_ACCESS_KEY_ID=DO00EXAMPLE\nSPACES_SECRET_ACCESS_KEY=secret\n",
    );
    expect((await ids(bench)).get("git.not-ignored")?.fix).toMatch(/^echo \.env >> \.gitignore;/);
    await bench.write(".gitignore", ".env\n");
    expect([...(await ids(bench)).keys()]).not.toContain("git.not-ignored");
  });

  it("without a token, names the environments to choose, and hints use --env", async () => {
    const bench = await workbench();
    const config = { environments: { staging: {}, prod: { token: { envFile: ".env.prod" } } } };
    await bench.write(".do-bootstraprc.json", JSON.stringify(config));
    const fix = async (...args: string[]) => (await ids(bench, ...args)).get("token.missing")?.fix;
    expect(await fix()).toMatch(/^Choose an environment: --env staging or --env prod\./);
    expect(await fix("--env", "prod")).toMatch(/ \| do-bootstrap --env prod --token-stdin$/);
    await bench.write(".env.prod", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    const { stdout } = await bench.run(["check", "--env", "prod"]);
    expect(stdout).toContain("Remaining (run do-bootstrap --env prod):");
  });

  it("outside git, does not say that git ignores the file", async () => {
    const bench = await workbench({ git: false });
    const { stdout } = await bench.run(["--dry-run", "--token-stdin"], { input: bench.token });
    expect(stdout).toMatch(/\.env +the token\n/);
  });
});

async function withStdin(bench: Workbench, ...more: string[]): Promise<void> {
  const result = await bench.run(["--token-stdin", ...more], { input: bench.token });
  expect(result.status, result.stderr).toBe(0);
}
