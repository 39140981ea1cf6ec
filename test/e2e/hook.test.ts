import { statSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { guardIn, isShell } from "../../src/commands/hook/guard.ts";
import { older } from "../fixtures/generated.ts";
import { OLD_TOKENS } from "../fixtures/old-tokens.ts";
import { onPath } from "../fixtures/on-path.ts";
import { randomToken, unguardedToken, type Workbench, workbench } from "../fixtures/workbench.ts";

const HOOK = ".git/hooks/pre-commit";
const LEFTHOOK = "#!/bin/sh\ncall_lefthook\n";
const awk = onPath("awk") ?? "";
/** The awks on PATH. */
const AWKS: [name: string, command: string][] = [];
for (const [name, ...words] of [["mawk"], ["gawk"], ["original-awk"], ["busybox", "awk"]]) {
  const path = onPath(name ?? "") ?? "";
  if (path) AWKS.push([name ?? "", [path, ...words].join(" ")]);
}

/** A repo with the guard installed and the tools for a commit. */
async function guarded(prepare?: (bench: Workbench) => Promise<unknown>): Promise<Workbench> {
  const bench = await workbench();
  for (const [name, path] of [
    ["awk", awk],
    ["tr", "/usr/bin/tr"],
    ["sh", "/bin/sh"],
  ] as const) {
    await writeFile(join(bench.bin, name), `#!/bin/sh\nexec ${path} "$@"\n`, { mode: 0o755 });
  }
  await prepare?.(bench);
  const { status, stderr } = await bench.run(["hook", "install"]);
  expect(status, stderr).toBe(0);
  return bench;
}

async function commit({ repo, env }: Workbench) {
  await execa("git", ["add", "--all"], { cwd: repo, env, extendEnv: false });
  const result = await execa("git", ["commit", "--quiet", "--message=x"], {
    cwd: repo,
    env,
    extendEnv: false,
    reject: false,
  });
  return { isStopped: result.exitCode !== 0, said: result.stderr };
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** Names from Kubernetes and gRPC, and placeholders. */
const LIKE = [
  "operator_v1_ClusterOperator_spec_with_a_long_name_behind",
  "http_v1_route_configuration_with_a_long_name_behind_it",
  "echo_v1_EchoRequestMessage_with_a_long_name_behind_it",
  "adop_v1_REPLACE_ME_WITH_TOKEN_THAT_YOU_HAVE_FROM_OPS",
  `dop_v1_${"g".repeat(64)}`,
];

describe("the guard", () => {
  it("stops a commit that adds a token in any form, and names each place", async () => {
    const bench = await guarded();
    await bench.write("kept.txt", "a\nb\n");
    expect(await commit(bench)).toEqual({ isStopped: false, said: "" });
    const token = randomToken();
    const oauth = token.replace("dop", "doo");
    await bench.write("plain.tf", `# one\ntoken = "${token}"\n`);
    await bench.write('of three/with "quotes".yaml', `a: ${oauth}\n`);
    await bench.write("binary", Buffer.from(`\0\x01\xff${token}\0`, "latin1"));
    for (const at of [0, 1, 2])
      await bench.write(`base64-${at}`, `x: ${base64("u".repeat(at) + token)}\n`);
    await bench.write("wrapped", `${base64(`${token}\n`).replace(/.{76}/g, "$&\n")}\n`);
    await bench.write(
      "variable",
      `${base64(`DIGITALOCEAN_TOKEN=${token}\n`).replace(/.{76}/g, "$&\n")}\n`,
    );
    await bench.write("nul", Buffer.from(`a\0b ${token}`, "latin1"));
    await bench.write("utf-16", Buffer.from(`TOKEN=${token}\r\n`, "utf16le"));
    await bench.write("no-newline", `++ looks like a header\n${token}`);
    await bench.write("kept.txt", `a\nb\nc ${token}\n`);
    const { isStopped, said } = await commit(bench);
    expect(isStopped).toBe(true);
    expect(said.split("\n").filter((line) => line.startsWith("  "))).toEqual([
      "  base64-0:1",
      "  base64-1:1",
      "  base64-2:1",
      "  binary:1",
      "  kept.txt:3",
      "  no-newline:2",
      "  nul:1",
      '  of three/with \\"quotes\\".yaml:1',
      "  plain.tf:2",
      "  utf-16:1",
      "  variable:1",
      "  wrapped:1",
    ]);
    expect(said).toContain("revoke it first");
    expect(said).not.toContain(token.slice(7, 20));
  });

  const coded = (text: string, write: (code: number) => string, which = /./g) =>
    text.replace(which, (each) => write(each.charCodeAt(0)));
  const hex = (code: number) => code.toString(16);

  it.each(AWKS)(
    "stops a token as character codes, and an old-style token by its name, with %s",
    async (_, command) => {
      const bench = await guarded();
      await writeFile(join(bench.bin, "awk"), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
      const token = randomToken();
      const forms = [
        coded(token, (code) => `\\u00${hex(code)}`, /_/g),
        `{"t": "${coded(token, (code) => `\\u00${hex(code)}`)}"}`,
        `{\\"t\\": \\"${coded(token, (code) => `\\\\u00${hex(code)}`, /[d1]/g)}`,
        coded(token, (code) => `%${hex(code)}`),
        coded(token, (code) => `%25${hex(code).toUpperCase()}`, /_/g),
        coded(token, (code) => `\\x${hex(code)}`, /[v_]/g),
        coded(token, (code) => `\\u{${hex(code)}}`),
        coded(token, (code) => `\\${code.toString(8)}`, /[_p]/g),
        coded(token, (code) => `&#${code};`),
        token.replaceAll("_", "&lowbar;"),
        token.replaceAll("_", "\\_"),
        `"dop_v1_" + "${token.slice(7)}"`,
      ];
      await bench.write("forms", `${forms.join("\n")}\n`);
      await bench.write("wide", Buffer.from(`${forms[1]}\r\n`, "utf16le"));
      const names = OLD_TOKENS.map((_, at) => `old-${10 + at}`);
      for (const [at, text] of OLD_TOKENS.entries()) {
        await bench.write(names[at] ?? "", `# one\n${text.replace("{}", token.slice(7))}\n`);
      }
      await bench.write(
        "harmless",
        [
          `sha256:${token.slice(7)}`,
          ...["", "", "", ""],
          `undo_token = ${token.slice(7)}`,
          ...["", "", "", ""],
          `do_token_sha256 = ${token.slice(7)}`,
          ...["%20", "\\u00e9", "&amp;", "\\", "%"].map((each) => each.repeat(50_000)),
        ].join("\n"),
      );
      const { said } = await commit(bench);
      const found = said.split("\n").filter((line) => line.startsWith("  "));
      const lineOf = (text: string) => text.slice(0, text.indexOf("{}")).split("\n").length + 1;
      expect(found).toEqual([
        ...forms.map((_, at) => `  forms:${at + 1}`),
        ...names.map((name, at) => `  ${name}:${lineOf(OLD_TOKENS[at] ?? "")}`),
        "  wide:1",
      ]);
      expect(said).not.toContain(token.slice(10, 30));
    },
  );

  it("stops a token in wrapped base64, wherever a line ends", async () => {
    const bench = await guarded();
    const token = randomToken();
    const names = Array.from({ length: 80 }, (_, at) => `at-${100 + at}`);
    for (const [at, name] of names.entries()) {
      const text = base64(`${"u".repeat(at)}${token}\n`);
      await bench.write(name, `x:\n  ${text.replace(/.{76}/g, "$&\r\n  ")}\n`);
    }
    const { said } = await commit(bench);
    const found = said.split("\n").filter((line) => line.startsWith("  "));
    // The characters before the first whole group of four depend on the text before the token.
    const lineOf = (at: number) => 2 + Math.floor((Math.ceil(at / 3) * 4) / 76);
    expect(found).toEqual(names.map((name, at) => `  ${name}:${lineOf(at)}`));
  });

  it("stops a file with a token in its name, and does not print the token", async () => {
    const token = unguardedToken();
    const bench = await guarded();
    await bench.write(`keys/${token}`, "");
    await bench.write(`${token}.pem`, `harmless\n${token}\n`);
    await bench.write(`of three/${base64(`at:${token}`).replaceAll("=", "")}`, "harmless\n");
    const { isStopped, said } = await commit(bench);
    expect(isStopped).toBe(true);
    expect(said.split("\n").filter((line) => line.startsWith("  "))).toEqual([
      "  ***.pem, in its name",
      "  ***.pem:2",
      "  keys/***, in its name",
      expect.stringMatching(/^ {2}of three\/\w{4}\*\*\*, in its name$/),
    ]);
  });

  it("stops a rename to a name with a token, but not later changes and the deletion", async () => {
    const bench = await guarded();
    const named = `keys/${unguardedToken()}`;
    await bench.write("a", "harmless\n");
    await commit(bench);
    await mkdir(join(bench.repo, "keys"));
    await rename(join(bench.repo, "a"), join(bench.repo, named));
    expect((await commit(bench)).said).toContain("  keys/***, in its name\n");
    await bench.git("commit", "--quiet", "--no-verify", "--message=x");
    await bench.write(named, "changed\n");
    expect(await commit(bench)).toEqual({ isStopped: false, said: "" });
    await rm(join(bench.repo, named));
    expect(await commit(bench)).toEqual({ isStopped: false, said: "" });
  });

  it("does not need the content of deleted files", async () => {
    const bench = await guarded();
    await bench.write("a", "harmless\n");
    await commit(bench);
    const blob = await bench.git("rev-parse", "HEAD:a");
    await rm(join(bench.repo, ".git/objects", blob.slice(0, 2), blob.slice(2)));
    await rm(join(bench.repo, "a"));
    expect(await commit(bench)).toEqual({ isStopped: false, said: "" });
  });

  it("allows text that only looks like a token, and the removal of a token", async () => {
    const token = randomToken();
    const bench = await guarded(async (bench) => {
      await bench.write("old.tf", `token = "${token}"\n`);
      await commit(bench);
    });
    await bench.write("old.tf", 'token = "gone"\n');
    await bench.write(
      "like.txt",
      [
        "dop_v1_abc",
        `dop_v1_${"g".repeat(64)}`,
        `92MV${"A".repeat(200)}`,
        "a sha256 of a lock file: ".concat("0".repeat(64)),
        ...[0, 1, 2].flatMap((at) => LIKE.map((text) => base64(`${"-".repeat(at)}${text}`))),
      ].join("\n"),
    );
    expect(await commit(bench)).toEqual({ isStopped: false, said: "" });
  });

  it("ignores the diff settings of the repo and the user", async () => {
    const bench = await guarded();
    const settings = {
      "diff.noprefix": "true",
      "diff.external": "false",
      "diff.interHunkContext": "9",
      "diff.renames": "copies",
      "color.ui": "always",
      "core.quotePath": "false",
      "diff.txt.textconv": "false",
    };
    for (const [name, value] of Object.entries(settings)) await bench.git("config", name, value);
    await bench.write(".gitattributes", "* diff=txt\n*.bin binary\n");
    await bench.write("a.bin", randomToken());
    const { isStopped, said } = await commit(bench);
    expect(isStopped).toBe(true);
    expect(said).toContain("  a.bin:1\n");
  });

  it("stops a commit that can't be searched", async () => {
    const bench = await guarded();
    // No work tree: git diff fails.
    const result = await execa(join(bench.repo, HOOK), {
      cwd: bench.tmp,
      env: bench.env,
      extendEnv: false,
      reject: false,
    });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("was not searched for tokens");
  });

  it("takes less than 100 ms of CPU on a normal change in a large repo", async () => {
    const bench = await guarded();
    for (let i = 0; i < 300; i++) await bench.write(`src/f${i}`, `${"line\n".repeat(50)}${i}`);
    await commit(bench);
    await bench.write("src/f1", `${"line\n".repeat(40)}x\n`);
    await bench.git("add", "--all");
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const args = ["-c", '"$0" && times', join(bench.repo, HOOK)];
      const of = { cwd: bench.repo, env: bench.env, extendEnv: false };
      const { stdout } = await execa("/bin/sh", args, of);
      // The second line is the time of its children: 0m0.03s 0m0.01s.
      const all =
        stdout
          .split("\n")
          .at(-1)
          ?.match(/[\d.]+(?=s)/g) ?? [];
      expect(all).toHaveLength(2);
      times.push(all.map(Number).reduce((sum, each) => sum + each));
    }
    expect(Math.min(...times)).toBeLessThan(0.1);
  });
});

it("hook remove does not change a hook without the guard that isn't executable", async () => {
  const bench = await workbench();
  await bench.write(HOOK, "#!/bin/sh\nexit 1\n", 0o644);
  const before = await stat(join(bench.repo, HOOK));
  expect((await bench.run(["hook", "remove"])).status).toBe(0);
  const after = await stat(join(bench.repo, HOOK));
  expect([after.mode, after.mtimeMs]).toEqual([before.mode, before.mtimeMs]);
});

describe("hook install", () => {
  it("creates a hook; a second run changes nothing; hook remove deletes it", async () => {
    const bench = await workbench();
    const run = (...args: string[]) => bench.run(["hook", ...args]);
    expect((await run("install", "--dry-run")).stdout).toContain("7 changes to make");
    expect(await readdir(join(bench.repo, ".git/hooks")).catch(() => [])).toEqual([]);
    expect((await run("install")).status).toBe(0);
    const before = await stat(join(bench.repo, HOOK));
    expect(before.mode & 0o777).toBe(0o755);
    const second = await run("install", "--json");
    expect(JSON.parse(second.stdout)).toMatchObject({ command: "hook", isChanged: false });
    expect((await stat(join(bench.repo, HOOK))).mtimeMs).toBe(before.mtimeMs);
    expect((await run("remove")).status).toBe(0);
    expect(await readdir(join(bench.repo, ".git/hooks"))).toEqual([]);
    expect((await run("remove")).stderr).toContain("Nothing to do");
  });

  const OURS =
    /^#!\/bin\/bash\n# Generated by do-bootstrap.*end of the guard\necho mine; exit 0\n$/s;
  it("goes before the commands of an existing hook, and is removed completely", async () => {
    const mine = "#!/bin/bash\necho mine; exit 0\n";
    const bench = await guarded(async (bench) => {
      await bench.write(HOOK, mine, 0o755);
    });
    expect(await bench.read(HOOK)).toMatch(OURS);
    await bench.write("a", randomToken());
    expect((await commit(bench)).isStopped).toBe(true);
    await bench.run(["hook", "remove"]);
    expect(await bench.read(HOOK)).toBe(mine);
  });

  it.each([
    [HOOK, 0o700, ".git/hooks"],
    [HOOK, 0o744, ".git/hooks"],
    [".husky/pre-commit", 0o644, ".husky/_"],
  ])("%s keeps mode %o with and without the guard", async (path, mode, hooksPath) => {
    const bench = await workbench();
    await bench.git("config", "core.hooksPath", hooksPath);
    await bench.write(path, "#!/bin/sh\n:\n", mode);
    for (const action of ["install", "remove"]) {
      expect((await bench.run(["hook", action])).status).toBe(0);
      expect((await stat(join(bench.repo, path))).mode & 0o777).toBe(mode);
    }
  });

  it("a hook that is not in UTF-8 keeps its bytes", async () => {
    const bench = await workbench();
    const mine = Buffer.from("#!/bin/sh\necho caf\xe9\n", "latin1");
    await bench.write(HOOK, mine, 0o755);
    const bytes = () => readFile(join(bench.repo, HOOK));
    await bench.run(["hook", "install"]);
    expect((await bytes()).toString("latin1")).toMatch(/end of the guard\necho caf\xe9\n$/);
    await bench.run(["hook", "remove"]);
    expect(await bytes()).toEqual(mine);
  });

  it("recognizes a guard with CRLF: updates and removes it", async () => {
    const bench = await guarded();
    const ours = await bench.read(HOOK);
    const crlf = ours.replaceAll("\n", "\r\n");
    await bench.write(HOOK, crlf, 0o755);
    expect((await bench.run(["hook", "install"])).status).toBe(0);
    expect(await bench.read(HOOK)).toBe(ours);
    await bench.write(HOOK, `${crlf}echo mine\r\n`, 0o755);
    await bench.run(["hook", "remove"]);
    expect(await bench.read(HOOK)).toBe("#!/bin/sh\r\necho mine\r\n");
  });

  it.each<[line: string, isShell: boolean]>([
    ["#!/bin/sh", true],
    ["#! /usr/local/bin/bash -e", true],
    ["#!/usr/bin/env bash", true],
    ["#!/usr/bin/env -S A=1 zsh -f", true],
    ["#!/bin/busybox sh", true],
    ["#!C:/tools/sh.exe", true],
    ["#!/usr/bin/perl # sh", false],
    ["#!/opt/my-sh/bin/python3", false],
    ["#!/usr/bin/env python3 -m sh", false],
    ["#!/usr/bin/fish", false],
    ["#!/bin/csh", false],
  ])("%s runs a shell: %s", (line, expected) => {
    expect(isShell(`${line}\nx\n`)).toBe(expected);
  });

  it("updates an old guard, and keeps an edited one", async () => {
    const bench = await guarded();
    const ours = await bench.read(HOOK);
    const guard = guardIn(ours) ?? "";
    const old = ours.replace(guard, () => older(guard, "LC_ALL=C awk", "awk"));
    await bench.write(HOOK, `${old}echo mine\n`, 0o755);
    expect((await bench.run(["hook", "install"])).status).toBe(0);
    expect(await bench.read(HOOK)).toBe(`${ours}echo mine\n`);

    await bench.write(HOOK, ours.replace("git commit --no-verify", "nothing"), 0o755);
    for (const action of ["install", "remove"]) {
      const edited = await bench.run(["hook", action]);
      expect(edited.stderr).toContain("[hook.edited]");
      expect(edited.stderr).not.toMatch(/✓|Nothing to do/);
    }
    expect(await bench.read(HOOK)).not.toBe(ours);
    expect((await bench.run(["hook", "install", "--force"])).status).toBe(0);
    expect(await bench.read(HOOK)).toBe(ours);
  });

  it.each<[manager: string, prepare: (bench: Workbench) => Promise<unknown>, file: string]>([
    [
      "core.hooksPath in the repo",
      (bench) => bench.git("config", "core.hooksPath", ".githooks"),
      ".githooks/pre-commit",
    ],
    [
      "husky",
      async (bench) => {
        await bench.git("config", "core.hooksPath", ".husky/_");
        await bench.write(".husky/_/pre-commit", "#!/bin/sh\nsh -e .husky/pre-commit\n", 0o755);
        await bench.write(".husky/pre-commit", "true\n");
      },
      ".husky/pre-commit",
    ],
    [
      "pre-commit",
      (bench) =>
        bench.write(
          HOOK,
          '#!/bin/sh\n# File generated by pre-commit: https://pre-commit.com\n"$0.legacy"\n',
          0o755,
        ),
      `${HOOK}.legacy`,
    ],
    [
      "lefthook",
      (bench) =>
        bench.write(
          HOOK,
          '#!/bin/sh\ncall_lefthook() { sh "$0.do-bootstrap"; }\ncall_lefthook\n',
          0o755,
        ),
      `${HOOK}.do-bootstrap`,
    ],
  ])("works with %s", async (_, prepare, file) => {
    const bench = await guarded(prepare);
    expect(await bench.read(file)).toContain("end of the guard");
    await bench.write("a", randomToken());
    const { isStopped, said } = await commit(bench);
    expect(said).toContain("  a:1");
    expect(isStopped).toBe(true);
    await bench.run(["hook", "remove"]);
    const names = await readdir(bench.repo);
    expect(names).not.toContain("lefthook-local.yml");
    expect(await bench.read(file).catch(() => "")).not.toContain("end of the guard");
  });

  it.each<
    [what: string, prepare: (bench: Workbench) => Promise<unknown>, id: string, status: number]
  >([
    [
      "a hook in another language",
      (bench) => bench.write(HOOK, "#!/usr/bin/env python3\nprint(1)\n", 0o755),
      "hook.foreign",
      3,
    ],
    [
      "a hook that isn't executable",
      (bench) => bench.write(HOOK, "#!/bin/sh\n:\n", 0o644),
      "hook.foreign",
      3,
    ],
    [
      "a hook with CRLF",
      (bench) => bench.write(HOOK, "#!/bin/sh\r\n:\r\n", 0o755),
      "hook.foreign",
      3,
    ],
    ["an empty core.hooksPath", (bench) => bench.git("config", "core.hooksPath", ""), "USAGE", 2],
    [
      "core.hooksPath in /dev/null",
      (bench) => bench.git("config", "core.hooksPath", "/dev/null"),
      "USAGE",
      2,
    ],
    [
      "two hooks in one file",
      async (bench) => {
        await bench.write("all-hooks", "#!/bin/sh\n:\n", 0o755);
        await mkdir(join(bench.repo, ".git/hooks"), { recursive: true });
        for (const name of ["pre-commit", "pre-push"]) {
          await symlink("../../all-hooks", join(bench.repo, ".git/hooks", name));
        }
      },
      "hook.foreign",
      3,
    ],
    [
      "a hooks folder shared by all repos, without --force",
      async (bench) => {
        await mkdir(join(bench.home, "hooks"));
        await bench.git("config", "core.hooksPath", join(bench.home, "hooks"));
      },
      "file.outside",
      3,
    ],
    ...[
      "lefthook-local.yml",
      "lefthook-local.toml",
      ".lefthook-local.json",
      ".config/lefthook-local.yaml",
    ].map((name): [string, (bench: Workbench) => Promise<unknown>, string, number] => [
      `lefthook settings that are not ours, ${name}`,
      async (bench) => {
        await bench.write(HOOK, LEFTHOOK, 0o755);
        await bench.write(name, "pre-push: {}\n");
      },
      "hook.by-hand",
      0,
    ]),
    ...["lefthook-local.yml", ".git/info/exclude"].map(
      (name): [string, (bench: Workbench) => Promise<unknown>, string, number] => [
        `${name} that is a link outside the repo`,
        async (bench) => {
          await bench.write(HOOK, LEFTHOOK, 0o755);
          await mkdir(join(bench.repo, dirname(name)), { recursive: true });
          await rm(join(bench.repo, name), { force: true });
          await symlink(join(bench.home, "hooks"), join(bench.repo, name));
        },
        "file.outside",
        3,
      ],
    ),
  ])("reports the problem: %s", async (_, prepare, id, status) => {
    const bench = await workbench();
    await prepare(bench);
    const result = await bench.run(["hook", "install"]);
    expect(result.stderr).toContain(`[${id}]`);
    expect(result.status).toBe(status);
    expect(await readdir(join(bench.home, "hooks")).catch(() => [])).toEqual([]);
  });

  it("writes nothing through a link in place of lefthook's settings", async () => {
    const bench = await workbench();
    await bench.write(HOOK, LEFTHOOK, 0o755);
    await writeFile(join(bench.home, ".bash_profile"), "");
    await symlink(join(bench.home, ".bash_profile"), join(bench.repo, "lefthook-local.yml"));
    expect((await bench.run(["hook", "install"])).status).toBe(3);
    expect(await bench.read("../home/.bash_profile")).toBe("");
    expect(await readdir(join(bench.repo, ".git/hooks"))).toEqual(["pre-commit"]);
  });

  describe("lefthook's settings", () => {
    const settings = async (bench: Workbench) => {
      const text = await bench.read("lefthook-local.yml");
      const { run, files } = parse(text)["pre-commit"].commands["do-bootstrap"];
      return { run: run.replace("{files}", ".git/HEAD"), files };
    };
    const lefthook = (bench: Workbench) => bench.write(HOOK, LEFTHOOK, 0o755);
    const sh = (bench: Workbench, command: string, cwd = bench.repo) =>
      execa("sh", ["-c", command], { cwd, env: bench.env, extendEnv: false, reject: false });

    it("are hidden from git, written once, and removed completely", async () => {
      const bench = await workbench();
      await lefthook(bench);
      await bench.write(".git/info/exclude", "# mine\n*.bak");
      await bench.run(["hook", "install"]);
      expect(await bench.git("status", "--porcelain")).toBe("");
      const exclude = await bench.read(".git/info/exclude");
      expect(JSON.parse((await bench.run(["hook", "install", "--json"])).stdout).isChanged).toBe(
        false,
      );
      expect(exclude).toMatch(/^# mine\n\*\.bak\n#.*\n\/lefthook-local\.yml\n$/);
      await bench.run(["hook", "remove"]);
      expect(await bench.read(".git/info/exclude")).toBe("# mine\n*.bak\n");
      expect(await readdir(bench.repo)).toEqual([".git"]);
    });

    it("call the guard if it exists, and let a commit pass if it doesn't", async () => {
      const bench = await guarded(lefthook);
      const { run } = await settings(bench);
      await bench.write("a", randomToken());
      await bench.git("add", "a");
      const stopped = await sh(bench, run);
      expect([stopped.exitCode, stopped.stderr]).toEqual([1, expect.stringContaining("  a:1")]);
      await rm(join(bench.repo, `${HOOK}.do-bootstrap`));
      expect(await sh(bench, run)).toMatchObject({ exitCode: 0, stderr: "" });
    });

    it("name an existing file for any commit, also in a linked work tree", async () => {
      const bench = await guarded(lefthook);
      const { files } = await settings(bench);
      await bench.git("commit", "--quiet", "--no-verify", "--allow-empty", "--message=x");
      await bench.git("worktree", "add", "--quiet", "../linked");
      for (const cwd of [bench.repo, join(bench.root, "linked")]) {
        const names = (await sh(bench, files, cwd)).stdout.split("\n");
        const isFile = (name: string) =>
          statSync(join(cwd, name), { throwIfNoEntry: false })?.isFile();
        expect(names.filter(isFile).length).toBe(1);
      }
    });
  });

  it.each<
    [what: string, prepare: (bench: Workbench) => Promise<unknown>, hooks: string, isOurs: boolean]
  >([
    [
      "an added work tree",
      (bench) => bench.git("worktree", "add", "--quiet", "../tree"),
      HOOK,
      true,
    ],
    [
      "a submodule",
      async (bench) => {
        await mkdir(join(bench.repo, ".git/modules"));
        await bench.git("init", "--quiet", "--separate-git-dir", ".git/modules/tree", "../tree");
        await bench.git("-C", "../tree", "config", "core.worktree", "../../../../tree");
      },
      ".git/modules/tree/hooks/pre-commit",
      true,
    ],
    [
      "a folder whose .git names another repo",
      (bench) => bench.write("../tree/.git", `gitdir: ${bench.repo}/.git\n`),
      HOOK,
      false,
    ],
    [
      "a folder whose .git names another work tree",
      async (bench) => {
        await bench.git("worktree", "add", "--quiet", "../added");
        await bench.write("../tree/.git", `gitdir: ${bench.repo}/.git/worktrees/added\n`);
      },
      HOOK,
      false,
    ],
  ])(
    "in %s: finds git's hooks folder, and needs --force if it is another repo's",
    async (...row) => {
      const [, prepare, hooks, isOurs] = row;
      const bench = await workbench();
      await bench.git("commit", "--quiet", "--allow-empty", "--message=x");
      await prepare(bench);
      const { status, stderr } = await bench.run(["hook", "install"], { cwd: "../tree" });
      expect(status, stderr).toBe(isOurs ? 0 : 3);
      expect(stderr.includes("[file.outside]")).toBe(!isOurs);
      expect((await bench.read(hooks).catch(() => "")).includes("guard")).toBe(isOurs);
      const forced = await bench.run(["hook", "install", "--force"], { cwd: "../tree" });
      expect(forced.status, forced.stderr).toBe(0);
      expect(await bench.read(hooks)).toContain("guard");
    },
  );

  it("needs a git repo and a subcommand", async () => {
    const bench = await workbench({ git: false });
    expect((await bench.run(["hook", "install"])).stderr).toContain("is not in a git repo");
    expect((await bench.run(["hook"])).status).toBe(2);
    expect((await bench.run(["hook", "instal"])).status).toBe(2);
  });
});
