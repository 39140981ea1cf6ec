import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { needsBash, PATHS, SIGNALS, sharedExecBench, signalNumbers } from "../fixtures/exec.ts";
import { hasDevFd, hasProc, needsDevFd, needsProc } from "../fixtures/proc.ts";
import { BINARY, PROGRAM } from "../fixtures/program.ts";

const NUMBERS = signalNumbers();
const STOPS: readonly string[] = ["SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"];
const IGNORED: readonly string[] = ["SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH"];
/** Signals of exec itself or of the child's end: they are not passed on. */
const OURS: readonly string[] = [
  "SIGKILL",
  "SIGCHLD",
  "SIGPROF",
  "SIGBUS",
  "SIGFPE",
  "SIGSEGV",
  "SIGILL",
];

describe.each(PATHS)("%s: a signal ends the command: exec exits with 128 + its number", (path) => {
  const bench = sharedExecBench();
  const all = [...NUMBERS].filter(([name]) => ![...STOPS, ...IGNORED].includes(name));
  const usual = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGABRT", "SIGKILL", "SIGSEGV", "SIGPIPE"];
  const some = path === "quick" ? all : all.filter(([name]) => usual.includes(name));

  it.concurrent.for(some)("%s: 128 + %i", async ([, number], { expect }) => {
    const result = await bench().by(path, ["sh", "-c", `ulimit -c 0; kill -${number} $$`]);
    expect(result).toEqual({ status: 128 + number, stdout: "", stderr: "" });
  });

  it("signals that are ignored by default don't end the command", async () => {
    const lines = IGNORED.map((name) => `kill -${NUMBERS.get(name as NodeJS.Signals)} $$`);
    const result = await bench().by(path, ["sh", "-c", [...lines, "exit 7"].join(";")]);
    expect(result).toEqual({ status: 7, stdout: "", stderr: "" });
  });
});

describe.each(PATHS)("%s: exec passes signals on to the command", (path) => {
  const bench = sharedExecBench();

  it("each signal, once", async () => {
    const sent = [...NUMBERS.keys()].filter((name) => ![...OURS, ...STOPS].includes(name));
    const { child, line, ended } = await bench().launch(path, SIGNALS);
    const ready = await line();
    for (const signal of sent) {
      child.kill(signal);
      expect(await line()).toBe(signal);
    }
    child.stdin?.end();
    const stdout = [ready, ...sent, ""].join("\n");
    expect(await ended).toEqual({ status: 0, stdout, stderr: "" });
  });

  // From Node 22 on, NODE_OPTIONS may say so, too.
  it.skipIf(BINARY)("except V8's own: a profile of exec", async () => {
    const profile = ["--cpu-prof", "--cpu-prof-interval=50", `--cpu-prof-dir=${path}`];
    const line = [process.execPath, ...profile, PROGRAM, "exec echo 7"].join(" ");
    const result = await bench().shell(path, `${line} && ls ${path}`);
    expect(result).toMatchObject({ status: 0, stdout: expect.stringMatching(/^7\nCPU\./) });
  });

  // Some signals have two names; exec listens for each.
  it.each(["SIGTERM", "SIGABRT", "SIGIO"] as const)("%s, each time it is sent", async (signal) => {
    const { child, line, ended } = await bench().launch(path, SIGNALS);
    await line();
    for (let i = 0; i < 20; i++) {
      child.kill(signal);
      expect(await line()).toBe(signal);
    }
    child.stdin?.end();
    expect((await ended).stdout.match(/SIG\w+/g)).toHaveLength(20);
  });

  it.concurrent.for([
    ["SIGHUP", 129],
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends exec and the command: %i", async ([signal, status], { expect }) => {
    const { child, line, ended } = await bench().launch(path, [
      "sh",
      "-c",
      "echo $$; exec sleep 100",
    ]);
    const pid = Number(await line());
    child.kill(signal);
    expect(await ended).toEqual({ status, stdout: `${pid}\n`, stderr: "" });
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("the command can handle a signal itself", async () => {
    const line = 'trap "echo caught; exit 3" TERM; echo ready; read x';
    const run = await bench().launch(path, ["sh", "-c", line]);
    await run.line();
    run.child.kill("SIGTERM");
    expect(await run.ended).toEqual({ status: 3, stdout: "ready\ncaught\n", stderr: "" });
  });
});

describe.skipIf(needsBash !== "" || !hasProc)(
  `exec and the command stop together${needsBash || needsProc}`,
  () => {
    const bench = sharedExecBench();

    it.concurrent.for(STOPS.filter((name) => name !== "SIGSTOP"))(
      "%s",
      async (signal, { expect }) => {
        // With job control each job is its own process group; an orphaned group does not stop.
        const job = `sh -c 'echo $$ $PPID; read x; echo "got $x"; exit 7'`;
        const line = `set -m; { do-bootstrap exec -- ${job}; echo "<$?>"; } <&0 & wait`;
        const run = await bench().launchShell("quick", line);
        const both = (await run.line()).split(" ").map(Number);
        process.kill(both[1] ?? 0, signal);
        await expect.poll(() => Promise.all(both.map(stateOf))).toEqual(["T", "T"]);
        process.kill(both[1] ?? 0, "SIGCONT");
        await expect.poll(() => Promise.all(both.map(stateOf))).not.toContain("T");
        run.child.stdin?.end("on\n");
        expect(await run.line()).toBe("got on");
        expect(await run.line()).toBe("<7>");
        await run.ended;
      },
    );
  },
);

/** A state of proc(5): R, S, T and so on. */
async function stateOf(pid: number): Promise<string | undefined> {
  return /^State:\t(.)/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
}

describe.each(PATHS)("%s: the command uses exec's own streams", (path) => {
  const bench = sharedExecBench();
  const MEGABYTES = 100;
  // Every byte value, so it isn't text.
  const megabyte = Buffer.from(Array.from({ length: 1024 * 1024 }, (_, at) => at ^ (at >> 8)));
  const hash = createHash("sha256");
  for (let i = 0; i < MEGABYTES; i++) hash.update(megabyte);
  const digest = hash.digest("hex");

  it("reads 100 MB", async () => {
    const { child, ended } = await bench().launchShell(path, "cat | do-bootstrap exec sha256sum");
    if (child.stdin === null) throw new Error("The child has no standard input.");
    Readable.from(Array.from({ length: MEGABYTES }, () => megabyte)).pipe(child.stdin);
    expect(await ended).toEqual({ status: 0, stdout: `${digest}  -\n`, stderr: "" });
  });

  it("writes 100 MB, and no write needs a retry", async () => {
    await bench().write("megabyte", megabyte);
    const write = `const { readFileSync, writeSync } = require("node:fs");
      const megabyte = readFileSync("megabyte");
      for (let i = 0; i < ${MEGABYTES}; i++) {
        for (let at = 0; at < megabyte.length; ) at += writeSync(1, megabyte, at);
      }`;
    const line = `do-bootstrap exec ${process.execPath} -e '${write}' | sha256sum`;
    const result = await bench().shell(path, line);
    expect(result).toEqual({ status: 0, stdout: `${digest}  -\n`, stderr: "" });
  });

  it("writes 100 MB to a socket", async () => {
    const line = `for i in $(seq ${MEGABYTES}); do cat megabyte; done`;
    await bench().write("megabyte", megabyte);
    const result = await bench().by(path, ["sh", "-c", line], { digest: true });
    expect(result).toEqual({ status: 0, stdout: digest, stderr: "" });
  });

  it("keeps standard error apart from standard output", async () => {
    const result = await bench().by(path, ["sh", "-c", "echo out; echo err >&2; exit 1"]);
    expect(result).toEqual({ status: 1, stdout: "out\n", stderr: "err\n" });
  });

  it("the command reads only the start of its input", async () => {
    const input = "x".repeat(10_000_000);
    const result = await bench().by(path, ["head", "-c", "1"], { input });
    expect(result).toEqual({ status: 0, stdout: "x", stderr: "" });
  });

  it("a closed reader ends the command with SIGPIPE", async () => {
    const line = '{ do-bootstrap exec -- yes; echo "<$?>" >&2; } | head -n 1';
    const result = await bench().shell(path, line);
    expect(result).toEqual({ status: 0, stdout: "y\n", stderr: "<141>\n" });
  });

  it("input that the command doesn't read is left for the next command", async () => {
    const line = "cat | { do-bootstrap exec -- sh -c 'read x; echo \"first $x\"'; cat; }";
    const result = await bench().shell(path, line, { input: "a\nb\nc\n" });
    expect(result).toEqual({ status: 0, stdout: "first a\nb\nc\n", stderr: "" });
  });

  // zsh opens the descriptors of <(…) lower than bash does, where Node would not pass them on.
  it.skipIf(!hasDevFd)(
    `passes on a file descriptor that an argument names${needsDevFd}`,
    async () => {
      const line = "do-bootstrap exec -- cat /dev/fd/3 /dev/fd/11 3<three 11<eleven";
      await bench().write("three", "3\n");
      await bench().write("eleven", "11\n");
      expect(await bench().shell(path, line)).toEqual({ status: 0, stdout: "3\n11\n", stderr: "" });
    },
  );

  it.each([
    ["input", "<&-", "ran\n"],
    ["output", ">&-", ""],
    ["error output", "2>&-", "ran\n"],
  ])("works without standard %s", async (_, redirect, stdout) => {
    const line = `do-bootstrap exec -- echo ran ${redirect}`;
    expect(await bench().shell(path, line)).toEqual({ status: 0, stdout, stderr: "" });
  });
});
