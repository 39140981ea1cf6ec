import { readFile, readlink } from "node:fs/promises";
import { execa } from "execa";
import { describe, it, type TestContext } from "vitest";
import {
  type ExecBench,
  execBench,
  needsBash,
  PATHS,
  type Path,
  SIGNALS,
} from "../fixtures/exec.ts";
import { hasProc, needsProc } from "../fixtures/proc.ts";
import { needsScript, start, type Terminal } from "../fixtures/terminal.ts";

const CTRL_C = "\x03";
const CTRL_BACKSLASH = "\x1c";
const CTRL_Z = "\x1a";
const SLEEPS = `sh -c 'ulimit -c 0; echo "slee""ping"; exec sleep 100'`;

describe.skipIf(needsScript !== "").concurrent.each(PATHS)(
  `on a terminal, %s${needsScript}`,
  (path) => {
    it("the command gets the terminal: its streams, size and modes", async (context) => {
      const line = `do-bootstrap exec -- sh -c 'test -t 0 && test -t 1 && test -t 2 && stty size'`;
      const { terminal } = await typing(context, path, line, 97);
      context.expect(await terminal.exit, terminal.screen()).toBe(0);
      context.expect(terminal.screen()).toBe("50 97\r\n");
      const { before, after } = await terminal.modes();
      context.expect(after).toBe(before);
    });

    it("the terminal modes that the command sets stay", async (context) => {
      const { terminal } = await typing(context, path, "do-bootstrap exec -- stty -echo");
      context.expect(await terminal.exit, terminal.screen()).toBe(0);
      const { before, after } = await terminal.modes();
      context.expect(after).toBe(before.replace(/(?<= )echo /, "-echo "));
    });

    it.for([
      ["Ctrl-C", CTRL_C, "SIGINT"],
      ["Ctrl-\\", CTRL_BACKSLASH, "SIGQUIT"],
    ])(
      "the command gets %s once each time, and can continue",
      async ([, key = "", signal = ""], context) => {
        const { terminal } = await typing(context, path, `do-bootstrap exec ${SIGNALS.join(" ")}`);
        await terminal.waitFor(/ready \d+ \d+/);
        for (let i = 0; i < 3; i++) {
          terminal.type(key);
          await terminal.waitFor(new RegExp(signal));
        }
        terminal.type("\r");
        context.expect(await terminal.exit, terminal.screen()).toBe(0);
        context.expect(terminal.screen().match(/SIG\w+/g)).toEqual([signal, signal, signal]);
      },
    );

    it.for([
      ["Ctrl-C", CTRL_C, 130],
      ["Ctrl-\\", CTRL_BACKSLASH, 131],
    ] as const)("the exit status of a command ended by %s", async ([, key, status], context) => {
      const line = `do-bootstrap exec -- ${SLEEPS}`;
      const { terminal } = await typing(context, path, line);
      await terminal.waitFor(/sleeping/);
      terminal.type(key);
      context.expect(await terminal.exit, terminal.screen()).toBe(status);
      context.expect(terminal.screen()).not.toMatch(/do-bootstrap|✗/);
    });

    it.skipIf(!hasProc)(`a window resize reaches the command once${needsProc}`, async (context) => {
      const { terminal } = await typing(context, path, `do-bootstrap exec ${SIGNALS.join(" ")}`);
      const [, pid] = /ready (\d+)/.exec(await terminal.until(/ready \d+ \d+/)) ?? [];
      await execa("stty", ["-F", await readlink(`/proc/${pid}/fd/0`), "cols", "61"]);
      await terminal.waitFor(/SIGWINCH/);
      terminal.type("\r");
      context.expect(await terminal.exit, terminal.screen()).toBe(0);
      context.expect(terminal.screen().match(/SIG\w+/g)).toEqual(["SIGWINCH"]);
    });
  },
);

describe
  .skipIf((needsScript || needsBash) !== "")
  .concurrent(`Ctrl-C in a shell loop${needsScript || needsBash}`, () => {
    const loop = (command: string) =>
      `bash -c 'for i in 1 2; do echo "round $i"; do-bootstrap exec -- ${command}; done; echo over'`;

    it.for([
      ["on the terminal", ""],
      ["with redirected streams", "</dev/null >/dev/null 2>&1"],
    ])("ends the loop when it ends the command, %s", async ([, redirect = ""], context) => {
      const command = `sh -c "echo slee""ping >/dev/tty; exec sleep 100" ${redirect}`;
      const { terminal } = await typing(context, "quick", loop(command));
      await terminal.waitFor(/sleeping/);
      terminal.type(CTRL_C);
      context.expect(await terminal.exit, terminal.screen()).toBe(130);
      context.expect(terminal.screen()).not.toMatch(/round 2|over/);
    });

    it("the loop continues when the command handles it", async (context) => {
      const { terminal } = await typing(context, "quick", loop(SIGNALS.join(" ")));
      for (const round of [1, 2]) {
        await terminal.waitFor(new RegExp(`round ${round}`));
        await terminal.waitFor(/ready/);
        terminal.type(CTRL_C);
        await terminal.waitFor(/SIGINT/);
        terminal.type("\r");
      }
      await terminal.waitFor(/over/);
      context.expect(await terminal.exit, terminal.screen()).toBe(0);
    });
  });

describe
  .skipIf((needsScript || needsBash) !== "")
  .concurrent(`job control in a shell${needsScript || needsBash}`, () => {
    /** Prints its own and exec's process ID, reads a line, and prints that line. */
    const READER = `sh -c 'echo "pids" $$ $PPID; read x; echo "got:$x"; exit 7'`;
    const pidsIn = (text: string) => (/pids (\d+) (\d+)/.exec(text) ?? []).slice(1).map(Number);

    it.skipIf(!hasProc)(
      `Ctrl-Z stops exec and the command, and fg continues both${needsProc}`,
      async (context) => {
        const terminal = await interactive(context);
        terminal.type(`do-bootstrap exec -- ${READER}\r`);
        const pids = pidsIn(await terminal.until(/pids \d+ \d+/));
        for (let i = 0; i < 2; i++) {
          terminal.type(CTRL_Z);
          await terminal.waitFor(/Stopped/);
          await context.expect.poll(() => Promise.all(pids.map(stateOf))).toEqual(["T", "T"]);
          terminal.type("fg\r");
          await context.expect.poll(() => Promise.all(pids.map(stateOf))).not.toContain("T");
        }
        terminal.type("on\r");
        await terminal.waitFor(/got:on/);
        await ends(context, terminal, 7);
      },
    );

    it.skipIf(!hasProc)(
      `a background job stops when it reads from the terminal, and fg continues it${needsProc}`,
      async (context) => {
        const terminal = await interactive(context);
        terminal.type(`do-bootstrap exec -- ${READER} &\r`);
        const pids = pidsIn(await terminal.until(/pids \d+ \d+/));
        // Wait until the shell reports it: one part of exec may stop before the others.
        await terminal.waitFor(/Stopped/);
        await context.expect.poll(() => Promise.all(pids.map(stateOf))).toEqual(["T", "T"]);
        terminal.type("fg\r");
        await context.expect.poll(() => Promise.all(pids.map(stateOf))).not.toContain("T");
        terminal.type("on\r");
        await terminal.waitFor(/got:on/);
        await ends(context, terminal, 7);
      },
    );

    it("kill %1 ends a job", async (context) => {
      const terminal = await interactive(context);
      terminal.type(`do-bootstrap exec -- ${SLEEPS} &\r`);
      await terminal.waitFor(/sleeping/);
      terminal.type("kill %1; wait %1\r");
      await ends(context, terminal, 143);
    });

    it("an interactive shell as the command gives the terminal back", async (context) => {
      const terminal = await interactive(context);
      terminal.type("do-bootstrap exec -- bash --norc --noprofile -i\r");
      await terminal.waitFor(/inner> /);
      terminal.type(`${SLEEPS}\r`);
      await terminal.waitFor(/sleeping/);
      terminal.type(CTRL_C);
      await terminal.waitFor(/inner> /);
      terminal.type("exit 9\r");
      await ends(context, terminal, 9);
    });
  });

/** Runs a line in sh on a terminal; do-bootstrap takes the given path. */
async function typing(
  context: TestContext,
  path: Path,
  line: string,
  columns = 80,
): Promise<{ bench: ExecBench; terminal: Terminal }> {
  const bench = await execBench(context);
  const env = await bench.environmentFor(path);
  // Ctrl-\ also reaches the outer shell.
  const terminal = start(context, bench, [], { line: `trap : QUIT; ${line}`, env, columns });
  return { bench, terminal };
}

async function interactive(context: TestContext): Promise<Terminal> {
  // -b reports jobs at once. The inner shell takes its prompt from the environment.
  const line = "PS1='inner> ' TERM=dumb bash --norc --noprofile -bi";
  const { terminal } = await typing(context, "quick", line);
  await terminal.waitFor(/inner> /);
  return terminal;
}

/** Checks the last command's exit status, and that the shell still works. */
async function ends({ expect }: TestContext, terminal: Terminal, status: number): Promise<void> {
  terminal.type('echo "<$?>"\r');
  expect(await terminal.until(/<\d+>/)).toMatch(new RegExp(`<${status}>$`));
  terminal.type("exit 0\r");
  expect(await terminal.exit, terminal.screen()).toBe(0);
}

/** A state of proc(5): R, S, T and so on. */
async function stateOf(pid: number): Promise<string | undefined> {
  return /^State:\t(.)/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
}
