import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type Hint, hint, own, run } from "../../errors/hint.ts";
import type { Host, Terminal } from "../../host/host.ts";
import { withOwnFolder } from "../../host/private-folder.ts";
import { isInside } from "../../lib/paths.ts";
import { SCENES, type Show } from "./scenes.ts";
import { onScreen, shortened } from "./screen.ts";
import { failed, openStage } from "./stage.ts";

/** Where the demo is shown. */
export interface Screen {
  readonly say: (text: string) => void;
  readonly paint: (style: "bold" | "dim", text: string) => string;
  readonly isColored: boolean;
  /** Formats a command line for the person's shell. */
  readonly line: (line: Hint) => string;
  /** Waits for Enter after each scene. Absent if nobody is watching. */
  readonly terminal: (() => Promise<Pick<Terminal, "enter">>) | undefined;
}

/**
 * Plays the scenes in a temporary repo with the sandbox API. Nothing of the user's is read or written, and nothing
 * leaves this machine.
 *
 * @throws AppError DEMO_FAILED; INTERRUPTED; WRITE_FAILED where others can replace what is in TMPDIR.
 */
export async function runDemo(host: Host, screen: Screen): Promise<void> {
  const { say, paint, terminal } = screen;
  await withOwnFolder(tmpdir(), (folder) => playIn(folder, host, screen)).catch((error) => {
    // A new line after the terminal's ^C. Only after the folder was removed, since the terminal may no longer exist.
    if (terminal !== undefined) say("\n");
    throw error;
  });
  const install = [...INSTALL, ...ownPrefix(host), host.packageFolder];
  // npm can't install the standalone binary.
  const isReady = host.ownCommand.length === 1 || (await isInstalled(host));
  const lines = isReady ? [] : [run("npm", ...install)];
  const next = [...lines, own(), own("hook", "install")].map((each) => screen.line(hint`${each}`));
  say(`${paint("bold", "Now in your repo:")}\n${next.map((each) => `  ${each}\n`).join("")}`);
}

async function playIn(folder: string, host: Host, screen: Screen): Promise<void> {
  const { say, paint, isColored } = screen;
  const stage = await openStage(host, folder, { isColored });
  try {
    for (const [at, { title, play }] of SCENES.entries()) {
      const place = (number: number) => `${number} of ${SCENES.length}`;
      if (at > 0) await enter(screen, `Press Enter for the next scene (${place(at + 1)})…`);
      say(`${paint("bold", `Scene ${place(at + 1)}: ${title}`)}\n`);
      await play(stage, { show: shownOn(screen), note: (text) => say(`${onScreen(text)}\n`) });
    }
    await enter(screen, "Press Enter to end the demo…");
  } finally {
    await stage.close();
  }
}

/** npm makes a copy, from a clone or from npx's folder. */
const INSTALL = ["install", "--global", "--install-links"];

/** If npm's own folder belongs to root: a prefix that a normal user can write to. */
function ownPrefix({ env, home }: Host): string[] {
  const isOnPath = env["PATH"]?.split(delimiter).includes(join(home ?? "", ".local/bin"));
  return isOnPath && home !== undefined ? ["--prefix", join(home, ".local")] : [];
}

/** Whether do-bootstrap on PATH is this package. */
async function isInstalled({ which, cwd, files, packageFolder }: Host): Promise<boolean> {
  const { path } = await which("do-bootstrap", cwd);
  // npx adds its own copy to PATH for one run.
  if (path === undefined || /[\\/]node_modules[\\/]\.bin[\\/]/.test(path)) return false;
  const [found, own] = await Promise.all([path, packageFolder].map((each) => files.realpath(each)));
  return isInside(found ?? "", own ?? "");
}

async function enter({ terminal, say }: Screen, text: string): Promise<void> {
  say("\n");
  if (terminal === undefined) return;
  await (await terminal()).enter(text);
  say("\n");
}

/** Commands without output are shown in one block. */
function shownOn({ say, paint }: Screen): Show {
  let hasPrinted = true;
  return async (line, running, { keep, exitCode = 0 } = {}) => {
    say(`${hasPrinted ? "\n" : ""}${paint("dim", "$")} ${paint("bold", line)}\n`);
    hasPrinted = false;
    const result = await running;
    if (result === undefined) return;
    const { end, exitCode: actual, stdout, stderr } = result;
    const isExpected = end === "exited" && actual === exitCode;
    const output = `${stdout}${stderr}`;
    const lines = isExpected && keep !== undefined ? shortened(output, keep) : output.trimEnd();
    hasPrinted = lines !== "";
    if (hasPrinted) say(`${onScreen(lines)}\n`);
    if (!isExpected) throw failed(line, result);
    if (exitCode !== 0) say(`${paint("dim", `(exit status ${exitCode})`)}\n`);
  };
}
