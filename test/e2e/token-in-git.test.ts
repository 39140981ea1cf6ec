import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { FindingDocument } from "../../src/report/documents.ts";
import { START } from "../fixtures/program.ts";
import { randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

/** A ready repo with everything from init committed. */
async function prepared(context?: Parameters<typeof workbench>[0]): Promise<Workbench> {
  const bench = await workbench(context);
  await bench.run(["--token-stdin"], { input: bench.token });
  await commit(bench);
  return bench;
}

async function commit(bench: Workbench, ...paths: string[]): Promise<void> {
  await bench.git("add", ...(paths.length === 0 ? ["--all"] : paths));
  await bench.git("commit", "--quiet", "--message=x");
}

async function check(bench: Workbench, ...args: string[]) {
  const { status, stdout } = await bench.run(["check", "--json", ...args]);
  expect(stdout).not.toContain(bench.token);
  const { findings } = JSON.parse(stdout) as { findings: readonly FindingDocument[] };
  return { status, found: findings.filter(({ id }) => id.startsWith("leak.")) };
}

/** A finding without its fingerprint and the folder of this test. */
const told = ({ repo }: Workbench, { message, fix }: FindingDocument) =>
  `${message} → ${fix}`.replaceAll(`${repo}/`, "").replace(/\(\w{8}\)/, "(#)");

const TITLE = "This repo's token (#) is in";
const TAKE = "which git does not ignore.";
const NEXT = "which is staged for the next commit.";
const HAS = "which is committed to git.";

const rows: readonly (readonly [string, (bench: Workbench) => Promise<unknown>, string[]])[] = [
  [
    "a file with only the token",
    (bench) => bench.write("token.txt", `${bench.token}\n`),
    [`${TITLE} token.txt:1, ${TAKE} → Delete the file: rm token.txt`],
  ],
  [
    "another extension, in a subfolder, with other text",
    (bench) => bench.write("docs/old/note.bak", `a\nb: '${bench.token}'\n`),
    [`${TITLE} docs/old/note.bak:2, ${TAKE} → Remove the token from note.bak.`],
  ],
  [
    "in base64",
    (bench) => bench.write("secret.yaml", `t: ${Buffer.from(bench.token).toString("base64")}\n`),
    [`${TITLE} secret.yaml:1, ${TAKE} → Remove the token from secret.yaml.`],
  ],
  [
    "in UTF-16, as PowerShell writes it",
    (bench) => bench.write("t.txt", Buffer.from(`\ufeff${bench.token}\r\n`, "utf16le")),
    [`${TITLE} t.txt:1, ${TAKE} → Remove the token from t.txt.`],
  ],
  [
    "staged, and deleted from the work tree",
    async (bench) => {
      await bench.write("token.txt", bench.token);
      await bench.git("add", "token.txt");
      await rm(join(bench.repo, "token.txt"));
    },
    [`${TITLE} token.txt, ${NEXT} → git rm --cached token.txt`],
  ],
  [
    "committed",
    async (bench) => {
      await bench.write("token.txt", bench.token);
      await commit(bench);
    },
    [
      `${TITLE} token.txt:1, ${HAS} → Anyone with a clone has the token, so rotate it first: do-bootstrap rotate --revoke. Then: git rm --cached token.txt`,
    ],
  ],
  [
    "added to git with --force, although ignored",
    async (bench) => {
      await bench.write(".gitignore", `${await bench.read(".gitignore")}*.key\n`);
      await bench.write("do.key", bench.token);
      await bench.git("add", "--force", "do.key");
    },
    [`${TITLE} do.key:1, ${NEXT} → git rm --cached do.key`],
  ],
  [
    "a name with spaces and Cyrillic letters",
    (bench) => bench.write("мой token.txt", bench.token),
    [`${TITLE} мой token.txt:1, ${TAKE} → Delete the file: rm 'мой token.txt'`],
  ],
  [
    "in a submodule",
    async (bench) => {
      const inner = join(bench.repo, "lib");
      await mkdir(inner);
      await execa("git", ["init", "--quiet"], { cwd: inner, env: bench.env, extendEnv: false });
      await bench.write("lib/a", "a");
      for (const args of [
        ["add", "a"],
        ["commit", "-qm", "x"],
      ]) {
        await execa("git", args, { cwd: inner, env: bench.env, extendEnv: false });
      }
      await commit(bench, "lib");
      await bench.write("lib/t.sh", `x ${bench.token}\n`);
    },
    [`${TITLE} lib/t.sh:1, ${TAKE} → Remove the token from t.sh.`],
  ],
  ["only the env file", async () => undefined, []],
  [
    "a link to the env file, of which git stores only the path",
    async (bench) => {
      await symlink(".env", join(bench.repo, "link"));
      await bench.git("add", "link");
    },
    [],
  ],
  [
    "an ignored file",
    async (bench) => {
      await bench.write(".gitignore", `${await bench.read(".gitignore")}tmp/\n`);
      await bench.write("tmp/token.txt", bench.token);
    },
    [],
  ],
  [
    "another token",
    (bench) => bench.write("other.txt", `dop_v1_${"0123456789abcdef".repeat(4)}`),
    [],
  ],
];

describe("check finds this repo's token in files that git has or does not ignore", () => {
  it.concurrent.for(rows)("%s", async ([, arrange, expected], context) => {
    const { expect } = context;
    const bench = await prepared(context);
    await arrange(bench);
    const { status, found } = await check(bench);
    expect(found.map((each) => told(bench, each))).toEqual(expected);
    expect(found.every(({ id, level }) => id === "leak.in-work-tree" && level === "error")).toBe(
      true,
    );
    expect(status).toBe(expected.length > 0 ? 3 : 0);
  });

  it("says that there is nothing to change only after the fix", async () => {
    const bench = await prepared();
    await bench.write("token.txt", bench.token);
    const { stdout } = await bench.run(["check"]);
    expect(stdout).not.toContain("Nothing to");
    expect(stdout).toContain("→ Delete the file: rm token.txt");
    await rm(join(bench.repo, "token.txt"));
    expect((await bench.run(["check"])).stdout).toContain("Nothing to change");
  });

  it("reports a file that is too large to search", async () => {
    const bench = await prepared();
    await bench.write("huge.bin", `${bench.token}\n${"x".repeat(33 * 1024 * 1024)}`);
    const { found } = await check(bench);
    expect(found).toMatchObject([{ id: "leak.not-searched", level: "warning" }]);
    expect(found[0]?.message).toMatch(/Could not search \S*huge\.bin for the token: it is larger/);
  });

  it("with --all, finds the token of an environment", async () => {
    const bench = await workbench();
    const envFiles = ["dev", "prod"].map((name) => `${name}: { token: { envFile: .env.${name} } }`);
    await bench.write(".do-bootstraprc.yaml", `environments: { ${envFiles.join(", ")} }\n`);
    await bench.run(["--env", "prod", "--token-stdin"], { input: bench.token });
    await bench.write("token.txt", bench.token);
    const { found } = await check(bench, "--all");
    expect(found.map(({ where }) => where)).toEqual([join(bench.repo, "token.txt:1")]);
  });
});

describe("--token-stdin names the file of the repo that the token came from", () => {
  async function runWith(bench: Workbench, path: string, ...args: string[]) {
    const line = [...START, ...args, "--token-stdin", "--json"];
    const { exitCode, stdout } = await execa("/bin/sh", ["-c", `"$@" <"$0"`, path, ...line], {
      ...{ cwd: bench.repo, env: bench.env, extendEnv: false, reject: false },
    });
    expect(stdout).not.toContain(bench.token);
    const { findings } = JSON.parse(stdout) as { findings: readonly FindingDocument[] };
    return { exitCode, found: findings.filter(({ id }) => id.startsWith("leak.")) };
  }

  const files: readonly (readonly [string, string, string | undefined])[] = [
    ["in the repo", "token.txt", "token.txt"],
    ["in a subfolder", "a/b/key", "a/b/key"],
    ["outside the repo", "../token.txt", undefined],
    ["ignored", "tmp/token.txt", undefined],
  ];
  it.for(files)("a file %s", async ([, path, named], { expect }) => {
    const bench = await workbench();
    await bench.write(".gitignore", "tmp/\n");
    await bench.write("../token.txt", "");
    await bench.write(path, `${bench.token}\n`);
    const { exitCode, found } = await runWith(bench, path);
    expect(exitCode).toBe(0);
    expect(found.map((each) => told(bench, each))).toEqual(
      named === undefined
        ? []
        : [`The token came from ${named}, ${TAKE} → Delete the file: rm ${named}`],
    );
    expect(await bench.read(".env")).toContain(bench.token);
  });

  it("rotate names it too", async () => {
    const bench = await prepared();
    const file = join("next", "new.txt");
    const next = randomToken();
    bench.sandbox.accept(next);
    await bench.write(file, next);
    const { found } = await runWith(bench, file, "rotate");
    expect(found.map(({ id }) => id)).toEqual(["leak.token-file"]);
  });
});
