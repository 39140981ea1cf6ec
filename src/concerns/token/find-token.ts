import { isAbsolute, join, relative, resolve } from "node:path";
import { linkOut } from "../../core/obstacles.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import { chooseToken, type TokenSources, type TokenState } from "../../exec/token-sources.ts";
import type { FileSnapshot, Host, Snapshot, ToolResult } from "../../host/host.ts";
import { isInside } from "../../lib/paths.ts";
import { sha256 } from "../../lib/sha256.ts";
import { shellWord } from "../../lib/shell-word.ts";
import { wholeEnvironment } from "../../secret/child-environment.ts";
import type { Secret } from "../../secret/secret.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { pinsOf } from "./pins.ts";
import { runAlone } from "./run-alone.ts";

export type TokenHost = Pick<Host, "env" | "home" | "files" | "run" | "which" | "state">;

/** A token manager may ask the user first. */
const TIME_LIMIT_MS = 120_000;

/** "once": for this run; "kept": for later runs on this machine, too. */
export type TrustGiven = "once" | "kept";

/** The token of a doctl context, renewed if it was due; or why there is none. */
export type LoginAnswer =
  | { readonly token: Secret; readonly expiresAt: number | undefined }
  | Pick<TokenState & { kind: "no-login" }, "why" | "detail">;

export interface FindTokenOptions {
  readonly config: ResolvedConfig;
  /** Reads the login of `token.doctl` from doctl's config; undefined if logins are not used: in CI. */
  readonly login?: ((context: string) => Promise<LoginAnswer>) | undefined;
  /** The git root; outside git, the config's folder. */
  readonly top: string;
  /** undefined: run only a command that is already trusted. "kept" applies to this run only if it cannot be stored. */
  readonly trust: TrustGiven | undefined;
  /** Answers of the command in this run, so that the user is not asked twice. */
  readonly answers?: Map<string, Promise<CommandAnswer>>;
}

/**
 * Chooses the token. Runs the config's command only if no source with a higher priority has one (docs/design.md §6).
 */
export async function findToken(
  host: TokenHost,
  sources: TokenSources,
  question: FindTokenOptions,
): Promise<TokenState> {
  const chosen = chooseToken(sources);
  const { command, doctl: context } = question.config.token;
  if (chosen.kind !== "missing") return chosen;
  if (context !== undefined && question.login !== undefined) {
    const login = await question.login(context);
    if (!("token" in login)) return { kind: "no-login", context, ...login };
    const { token, expiresAt } = login;
    const state = chooseToken({ ...sources, login: token });
    return state.kind === "found" && expiresAt !== undefined ? { ...state, expiresAt } : state;
  }
  if (command === undefined) return chosen;
  const { answers = new Map<string, Promise<CommandAnswer>>(), trust } = question;
  const asked = answers.get(`${trust}`) ?? askCommand(host, command, question);
  answers.set(`${trust}`, asked);
  const answer = await asked;
  return "text" in answer ? chooseToken({ ...sources, command: answer }) : answer;
}

export type CommandAnswer = NonNullable<TokenSources["command"]> | Unavailable;

type Unavailable = TokenState & { kind: "unavailable" };

async function askCommand(
  host: TokenHost,
  command: readonly string[],
  { config: { base }, top, trust }: FindTokenOptions,
): Promise<CommandAnswer> {
  const [program = "", ...args] = command;
  const unavailable = (why: Unavailable["why"], detail: string): CommandAnswer => ({
    kind: "unavailable",
    why,
    command: command.map((word) => shellWord(word)).join(" "),
    detail,
  });
  const outside = await scriptOutside(host.files, command, base);
  if (outside !== undefined) {
    return unavailable("failed", `${outside.path} resolves outside the repo: ${outside.target}`);
  }
  // If all of HOME is in git, so are the user's tools. The user is then asked each time.
  const isHomeIn = host.home !== undefined && isInside(await host.files.realpath(host.home), top);
  const around = { base, top, home: host.home, path: host.env["PATH"] };
  const pins = await pinsOf(command, around, host.files);
  const file = await fileOf(host, program, isHomeIn ? base : top);
  if (trust === undefined) {
    const isBrought = file !== undefined && isAbsolute(file) && isInside(file, top);
    if (isBrought) return unavailable("unpinned", `${program} (${file}) is inside this checkout`);
    if (pins.kind === "unpinned") return unavailable("unpinned", pins.why);
    if (!host.state.isSafe(base)) return unavailable("unpinned", NO_FOLDER);
  }
  if (pins.kind === "pinned" && trust !== "once") {
    const { key, text } = recordOf(command, base, pins.files);
    if (trust === undefined && host.state.read(key) !== text) {
      return unavailable("untrusted", "it is not trusted on this machine yet");
    }
    if (trust === "kept" && !host.state.write(key, text)) throw noFolder();
  }
  if (file === undefined) return unavailable("failed", `${program} is not on PATH`);
  const call = { args, stderr: "shown", timeoutMs: TIME_LIMIT_MS } as const;
  if (pins.kind === "unpinned" || trust === "once") {
    const path = isAbsolute(file) ? file : join(base, file);
    // A token manager needs its own secrets, and the user trusts it with them.
    const env = wholeEnvironment(host.env);
    const result = await host.run({ ...call, file: path, cwd: base, env });
    const failure = failureOf(result);
    return failure === undefined
      ? { program, text: result.stdout }
      : unavailable("failed", failure);
  }
  const parent = host.state.runFolder(base);
  if (parent === undefined) throw noFolder();
  const result = await runAlone(host, file, call, { base, top, files: pins.files, parent });
  const failure = failureOf(result);
  if (failure === undefined) return { program, text: result.stdout };
  const copied = pins.files.map(({ path }) => relative(base, path)).join(", ") || "nothing";
  const without = result.withheld.filter((name) => !NOBODY_MISSES.test(name)).join(", ");
  const where = `run in a private folder with ${copied} from this repo`;
  return unavailable(
    "failed-alone",
    `${failure} (${where}${without && `, without the variables ${without}`})`,
  );
}

/** Finds a word, even inside a shell line, that is a link out of the repo: it is not run (docs/design.md rule 4). */
async function scriptOutside(
  files: Pick<Host["files"], "look">,
  command: readonly string[],
  base: string,
): Promise<Snapshot | undefined> {
  const words = new Set(command.flatMap((word) => word.split(/[\s;&|<>()'"`=]+/)).filter(Boolean));
  const looks = [...words].map((word) => files.look(resolve(base, word)));
  return (await Promise.all(looks)).find((each) => linkOut(each) !== undefined);
}

const NOBODY_MISSES = /^(?:PWD|OLDPWD|INIT_CWD|_|npm_\w+)$/i;

const NO_FOLDER = "no folder outside git checkouts is available to store your decision";

function noFolder(): AppError {
  return new AppError("WRITE_FAILED", "No folder available to store trusted commands.", {
    hint: hint`Set HOME, or XDG_STATE_HOME, to a folder that only you can write to and that is outside any git checkout.`,
  });
}

/** @returns why there is no token in the output. */
function failureOf({ end, exitCode, stdout }: ToolResult): string | undefined {
  if (end !== "exited") return ENDS[end];
  if (exitCode !== 0) return `exit status ${exitCode}`;
  return stdout.trim() === "" ? "it printed nothing" : undefined;
}

const ENDS = {
  "timed-out": "it took longer than two minutes",
  signalled: "it was killed by a signal",
  stopped: "it was stopped",
  "not-started": "it could not be started",
} as const;

/** The record of what is trusted: this command, in this folder, with these files of the repo. */
function recordOf(command: readonly string[], folder: string, files: readonly FileSnapshot[]) {
  const hashes = files.map(({ path, bytes }) => [path, sha256(bytes)] as const);
  const scripts = Object.fromEntries(hashes.sort(([one], [other]) => (one < other ? -1 : 1)));
  const text = `${JSON.stringify({ folder, command, scripts }, undefined, 2)}\n`;
  // The name differs from the records of releases that ran the command in the repo itself.
  return { key: { kind: "trusted", folder, name: `alone\n${text}` } as const, text };
}

/** Looks up a name on PATH, outside the repo. A path stays unchanged. */
async function fileOf(
  host: TokenHost,
  program: string,
  notIn: string,
): Promise<string | undefined> {
  return /[/\\]/.test(program) ? program : (await host.which(program, notIn)).path;
}
