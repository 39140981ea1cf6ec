import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import {
  execBench,
  execBenchWith,
  NODE_BINS,
  needsNodeBins,
  sharedExecBench,
} from "../fixtures/exec.ts";

const SH = "/bin/sh";
const RUNS = [SH, "-c", "echo ran"];
const ALL_STATUSES = `
const { execute } = require(process.env.EXECUTE);
(async () => {
  const statuses = [];
  for (let status = 0; status < 256; status++) {
    const words = ["/bin/sh", "-c", "exit " + status];
    statuses.push(await execute({ words, env: process.env, secrets: undefined }));
  }
  console.log(JSON.stringify(statuses));
})();
`;

describe("exec with and without a record", () => {
  it("the first run writes a record, the next run only reads it", async () => {
    const bench = await execBench();
    expect(await bench.exec(RUNS)).toEqual({ status: 0, stdout: "ran\n", stderr: "" });
  });

  it.each([
    ["a config", ".do-bootstraprc", "token: { envFile: .env.local }\n", "from-local"],
    [
      "a nearer config",
      "package.json",
      '{"do-bootstrap":{"token":{"envFile":".env.local"}}}',
      "from-local",
    ],
    ["an env file, which is not in the record", ".env", "TF_VAR_x=changed\n", "changed"],
  ])("%s that is added later is used at once", async (_, path, text, expected) => {
    const bench = await execBench();
    await bench.write(".env", "TF_VAR_x=from-env\n");
    await bench.write(".env.local", "TF_VAR_x=from-local\n");
    const show = [SH, "-c", 'echo "$TF_VAR_x"'];
    expect((await bench.by("quick", show)).stdout).toBe("from-env\n");
    await bench.write(path, text);
    expect((await bench.fail(show)).stdout).toBe(`${expected}\n`);
  });

  it("a record holds no secret", async () => {
    const bench = await execBench();
    await bench.write(".env", "SPACES_SECRET_ACCESS_KEY=hunter2-hunter2\n");
    await bench.exec(RUNS);
    const { stdout } = await bench.by("quick", [SH, "-c", 'cat "$XDG_CACHE_HOME"/*/exec/*']);
    expect(stdout).toContain('"tokenName":"DIGITALOCEAN_TOKEN"');
    expect(stdout).not.toMatch(/hunter2|dop_v1_/);
  });
});

describe("exec exits with the command's status", () => {
  const bench = sharedExecBench();

  // One process runs them all; a process for each takes 10 s.
  it("0 to 255, in one process", async () => {
    const { stdout } = await execa(process.execPath, ["-e", ALL_STATUSES], {
      env: { EXECUTE: join(import.meta.dirname, "../../dist/execute.cjs") },
    });
    expect(JSON.parse(stdout)).toEqual(Array.from({ length: 256 }, (_, status) => status));
  });

  it.each(["quick", "slow"] as const)("%s: some of 0 to 255", async (path) => {
    const some = [0, 1, 2, 3, 4, 77, 125, 126, 127, 128, 130, 137, 143, 192, 255];
    expect(await statusesOf(path, some)).toEqual(some);
  });

  async function statusesOf(path: "quick" | "slow", statuses: readonly number[]) {
    const results: unknown[] = [];
    const left = [...statuses.entries()];
    const worker = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const [at, status] = next;
        const { stdout, stderr, ...ended } = await bench().by(path, [SH, "-c", `exit ${status}`]);
        results[at] = stdout + stderr || ended.status;
      }
    };
    await Promise.all([worker(), worker(), worker()]);
    return results;
  }
});

describe.concurrent("a command that can't start: exit status 127 or 126, and one line", () => {
  const bench = sharedExecBench(async (bench) => {
    await bench.write("plain", "echo hi\n", 0o644);
    await bench.write("folder/file", "");
    await bench.write("without-shebang", 'echo "by a shell: $1"\nexit 3\n', 0o755);
    await bench.write("without-interpreter", "#!/no/such/interpreter\n", 0o755);
    await bench.write("bin/plain-on-path", "", 0o644);
    await symlink("loop", join(bench.repo, "loop"));
  });
  const MISSING = "command not found";
  const DENIED = "it cannot be started (EACCES)";

  it.for<[words: string[], status: number, why: string]>([
    [["no-such-command"], 127, `no-such-command: ${MISSING}`],
    [["./no-such-command", "--help"], 127, `./no-such-command: ${MISSING}`],
    [["--no-such-command"], 127, `--no-such-command: ${MISSING}`],
    [["./without-interpreter"], 127, `./without-interpreter: ${MISSING}`],
    [["./plain"], 126, `./plain: ${DENIED}`],
    [["plain-on-path"], 126, `plain-on-path: ${DENIED}`],
    [["./folder"], 126, `./folder: ${DENIED}`],
    [["/"], 126, `/: ${DENIED}`],
    [["\x1b[31mred\x07"], 127, `\\x1b[31mred\\x07: ${MISSING}`],
    [[""], 127, `'': ${MISSING}`],
    [[`dop_v1_${"b".repeat(64)}`], 127, `dop_v1_[redacted]: ${MISSING}`],
    [["./plain/file"], 126, "./plain/file: it cannot be started (ENOTDIR)"],
    [["./loop"], 126, "./loop: it cannot be started (ELOOP)"],
    [["a".repeat(300)], 126, `${"a".repeat(300)}: it cannot be started (ENAMETOOLONG)`],
    [["a\nb"], 127, `a\\x0ab: ${MISSING}`],
    [["\u202egnp.exe"], 127, `\\x202egnp.exe: ${MISSING}`],
  ])("%j: %i", async ([words, status, why], { expect }) => {
    const env = { PATH: `${bench().repo}/bin:${bench().environment()["PATH"]}` };
    const stderr = `do-bootstrap: ${why}\n`;
    expect(await bench().exec(words, { env })).toEqual({ status, stdout: "", stderr });
  });

  it("an environment that is too large", async ({ expect, onTestFinished }) => {
    const bench = await execBenchWith(
      { ".env": `TF_VAR_x=${"x".repeat(200_000)}\n` },
      onTestFinished,
    );
    const stderr = "do-bootstrap: /bin/sh: it cannot be started (E2BIG)\n";
    expect(await bench.exec(RUNS)).toEqual({ status: 126, stdout: "", stderr });
  });

  it("a deleted working folder: 125", async ({ expect, onTestFinished }) => {
    const bench = await execBench({ onTestFinished });
    const line = "mkdir gone && cd gone && rmdir ../gone && do-bootstrap exec -- echo ran";
    const { status, stdout } = await bench.fail([SH, "-c", line]);
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  });

  it("runs a script without a shebang in sh, as a shell does", async ({ expect }) => {
    const result = await bench().exec(["./without-shebang", "it"]);
    expect(result).toEqual({ status: 3, stdout: "by a shell: it\n", stderr: "" });
  });
});

describe.concurrent("options of exec and options of the command", () => {
  const bench = sharedExecBench();
  const ECHO = ["/usr/bin/printf", "[%s]"];

  it.for([
    [["--json"]],
    [["--env", "prod", "--all", "--mask", "--verify", "--debug", "--help", "--version"]],
    [["--"]],
    [["a", "--", "b", "--"]],
    [["007", "1e3", "0x10", "-0", "-1.50", "12345678901234567890"]],
    [["", " ", "a b", "a\nb", "'", '"', "\\", "$HOME", "*", "é", "🐳"]],
  ])("passes %j to the command", async ([words = []], { expect }) => {
    const stdout = words.map((word) => `[${word}]`).join("");
    expect(await bench().exec([...ECHO, ...words])).toEqual({ status: 0, stdout, stderr: "" });
  });

  it("without --, the first word that isn't an option is the command", async ({ expect }) => {
    const line = "do-bootstrap exec --all printf [%s] --all --json -- x";
    const { stdout } = await bench().exec([SH, "-c", line]);
    expect(stdout).toBe("[--all][--json][--][x]");
  });

  it("--json before -- is exec's option, and prints nothing when the command ran", async ({
    expect,
  }) => {
    const result = await bench().by("slow", RUNS, { own: ["--json"] });
    expect(result).toEqual({ status: 0, stdout: "ran\n", stderr: "" });
  });

  it("a failure with --json prints one JSON document", async ({ expect }) => {
    const env = { DIGITALOCEAN_TOKEN: undefined };
    const { status, stdout, stderr } = await bench().fail(RUNS, { own: ["--json"], env });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "token.missing" } });
    expect({ status, stderr }).toEqual({ status: 125, stderr: "" });
  });

  it("a failure with --json in the command prints text", async ({ expect }) => {
    const env = { DIGITALOCEAN_TOKEN: undefined };
    const { stdout, stderr } = await bench().fail([...RUNS, "--json"], { env });
    expect(stderr).toMatch(/^✗ .*\[token\.missing\]/);
    expect(stdout).toBe("");
  });
});

describe.skipIf(needsNodeBins !== "")(`other Node versions${needsNodeBins}`, () => {
  const bench = sharedExecBench(async (bench) => {
    await bench.write("without-shebang", 'echo "by a shell: $1"\n', 0o755);
    await bench.write("zeroth", '#!/bin/sh\necho "$0 $1"\n', 0o755);
    const program = (await readFile("/usr/bin/env")).toString("latin1");
    const elsewhere = program.replace(/(\/ld-linux[^\0]*)\d\0/, "$19\0");
    await bench.write("no-loader", Buffer.from(elsewhere, "latin1"), 0o755);
    await bench.write("with-env", "#!/usr/bin/env -S sh -u\necho with env\n", 0o755);
  });

  describe.each(NODE_BINS)("%s", (node) => {
    it("the command replaces the exec process where Node supports it", async () => {
      const { child, ended } = await bench().launch("quick", [SH, "-c", "echo $$"], { node });
      const version = /^v(\d+)\.(\d+)/.exec(
        (await bench().by("quick", [node, "--version"])).stdout,
      );
      const [, major = 0, minor = 0] = version?.map(Number) ?? [];
      const canReplace =
        major > 23 || (major === 23 && minor >= 11) || (major === 22 && minor >= 15);
      expect((await ended).stdout.trim() === String(child.pid)).toBe(canReplace);
    });

    it.each([0, 1, 77, 255])("exit status %i", async (status) => {
      const result = await bench().exec([SH, "-c", `exit ${status}`], { node });
      expect(result).toEqual({ status, stdout: "", stderr: "" });
    });

    it("no signal is ignored or blocked in the command", async () => {
      const { stdout } = await bench().exec(["grep", "-E", "Sig(Ign|Blk)", "/proc/self/status"], {
        node,
      });
      expect(stdout).toBe(`SigBlk:\t${"0".repeat(16)}\nSigIgn:\t${"0".repeat(16)}\n`);
    });

    it.each([
      [["./without-shebang", "it"], 0, "by a shell: it\n", ""],
      [["./with-env"], 0, "with env\n", ""],
      [["./zeroth", "a"], 0, "./zeroth a\n", ""],
      [["./no-loader"], 127, "", "do-bootstrap: ./no-loader: command not found\n"],
      [["no-such"], 127, "", "do-bootstrap: no-such: command not found\n"],
      [["./no-such"], 127, "", "do-bootstrap: ./no-such: command not found\n"],
      [["/"], 126, "", "do-bootstrap: /: it cannot be started (EACCES)\n"],
    ])("%j: %i", async (words, status, stdout, stderr) => {
      expect(await bench().exec(words, { node })).toEqual({ status, stdout, stderr });
    });
  });
});
