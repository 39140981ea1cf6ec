import { isAbsolute, join } from "node:path";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import { chooseToken, type TokenSources, type TokenState } from "../../exec/token-sources.ts";
import type { Host, StateKey } from "../../host/host.ts";
import { isInside } from "../../lib/paths.ts";
import { printable } from "../../lib/printable.ts";
import { sha256 } from "../../lib/sha256.ts";
import type { ResolvedConfig } from "../config/resolved.ts";

export type TokenHost = Pick<Host, "env" | "home" | "files" | "run" | "which" | "state">;

/** A token manager may ask its owner first. */
const TIME_LIMIT_MS = 120_000;

/** For this run, or for those to come on this machine too. */
export type TrustGiven = "once" | "kept";

export interface FindTokenOptions {
  readonly config: ResolvedConfig;
  /** The git root; outside git the config's folder. */
  readonly top: string;
  /** undefined: only what was trusted before. */
  readonly trust: TrustGiven | undefined;
  /** What the command said before: its owner is not asked twice in a run. */
  readonly answers?: Map<string, Promise<CommandAnswer>>;
}

/**
 * Chooses the token; the config's command is run where nothing stronger gives one
 * (docs/design.md §6).
 */
export async function findToken(
  host: TokenHost,
  sources: TokenSources,
  question: FindTokenOptions,
): Promise<TokenState> {
  const chosen = chooseToken(sources);
  const { command } = question.config.token;
  if (chosen.kind !== "missing" || command === undefined) return chosen;
  const { answers = new Map<string, Promise<CommandAnswer>>(), trust } = question;
  const asked = answers.get(`${trust}`) ?? askCommand(host, command, question);
  answers.set(`${trust}`, asked);
  const answer = await asked;
  return "text" in answer ? chooseToken({ ...sources, command: answer }) : answer;
}

export type CommandAnswer =
  | NonNullable<TokenSources["command"]>
  | (TokenState & { kind: "unavailable" });

async function askCommand(
  host: TokenHost,
  command: readonly string[],
  { config, top: root, trust }: FindTokenOptions,
): Promise<CommandAnswer> {
  // Who keeps all of HOME in git has his tools in there too.
  const top = host.home !== undefined && isInside(host.home, root) ? config.base : root;
  const [program = "", ...args] = command;
  const shown = printable(command.join(" "));
  const unavailable = (why: "untrusted" | "failed", detail: string): CommandAnswer => ({
    kind: "unavailable",
    why,
    command: shown,
    detail,
  });
  const trusted = await identify(host, command, { base: config.base, top });
  if (trust === undefined && host.state.read(trusted) !== trusted.name) {
    return unavailable("untrusted", "it has not been trusted on this machine");
  }
  if (trust === "kept" && !host.state.write(trusted, trusted.name)) {
    throw new AppError("WRITE_FAILED", "There is no folder to keep trust in.", {
      hint: hint`Set HOME, or XDG_STATE_HOME, to a folder outside the repo that you alone can write to.`,
    });
  }
  const file = await fileOf(host, program, { base: config.base, top });
  if (file === undefined) return unavailable("failed", `there is no ${printable(program)} on PATH`);
  const { end, exitCode, stdout } = await host.run({
    file,
    args,
    cwd: config.base,
    env: host.env,
    stderr: "shown",
    timeoutMs: TIME_LIMIT_MS,
  });
  if (end !== "exited") return unavailable("failed", ENDS[end]);
  if (exitCode !== 0) return unavailable("failed", `exit status ${exitCode}`);
  if (stdout.trim() === "") return unavailable("failed", "it printed nothing");
  return { program, text: stdout };
}

const ENDS = {
  "timed-out": "it took longer than two minutes",
  signalled: "it was ended by a signal",
  stopped: "it was stopped",
  "not-started": "it cannot be started",
} as const;

/** What is trusted: these words, in this repo, with these scripts of the repo's. */
async function identify(
  { files }: TokenHost,
  command: readonly string[],
  { base, top }: { base: string; top: string },
): Promise<StateKey> {
  // A shell's line names scripts too: sh -c "./token.sh read".
  const words = new Set(command.flatMap((word) => [word, ...word.split(/[\s;&|<>()'"`=]+/)]));
  const paths = await Promise.all(
    [...words].filter(Boolean).map(async (word) => {
      const path = isAbsolute(word) ? word : join(base, word);
      const real = await files.realpath(path);
      return isInside(path, top) || !isInside(real, top) ? path : real;
    }),
  );
  const scripts = await Promise.all(
    paths
      .filter((path) => isInside(path, top))
      .map(async (path) => {
        const snapshot = await files.look(path, {
          maxBytes: Number.POSITIVE_INFINITY,
          waitForFifo: false,
        });
        return snapshot.kind === "file" ? [[path, sha256(snapshot.bytes)] as const] : [];
      }),
  );
  const trusted = { folder: base, command, scripts: Object.fromEntries(scripts.flat()) };
  return { kind: "trusted", folder: base, name: `${JSON.stringify(trusted, undefined, 2)}\n` };
}

/** A name is looked for on PATH, outside the repo; a path is what was trusted. */
async function fileOf(
  host: TokenHost,
  program: string,
  { base, top }: { base: string; top: string },
): Promise<string | undefined> {
  if (isAbsolute(program)) return program;
  if (/[/\\]/.test(program)) return join(base, program);
  return (await host.which(program, top)).path;
}
