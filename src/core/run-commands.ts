import { basename } from "node:path";
import { AppError } from "../errors/app-error.ts";
import { hint, own } from "../errors/hint.ts";
import type { Host } from "../host/host.ts";
import { shortPath } from "../lib/paths.ts";
import { childEnvironment } from "../secret/child-environment.ts";
import { redact } from "../secret/redact.ts";
import type { Secret } from "../secret/secret.ts";
import { revealed, type Variables } from "../secret/variables.ts";

/** Runs after the changes, is reported, and is never a reason to undo them (docs/design.md rule 10). */
export interface ToolCommand {
  /** terraform or tofu: name for the report, and absolute path. */
  readonly tool: { readonly name: string; readonly path: string };
  readonly args: readonly string[];
  /** The root module. */
  readonly cwd: string;
  readonly why: string;
  /** Variables that the command must not inherit. */
  readonly without: readonly string[];
  /** Values that it must not inherit under any name, in addition to every token. */
  readonly secrets: readonly Secret[];
  /** Variables that it needs: the keys of the state's bucket. */
  readonly with: Variables;
}

/** A provider is some 10 MB, and the connection may be slow. */
const TIME_LIMIT_MS = 300_000;
const SHOWN_LINES = 12;
/** How many roots the progress line names. */
const SHOWN_ROOTS = 3;

export interface CommandResult {
  readonly command: ToolCommand;
  /** Duration in ms. */
  readonly took: number;
  /** Absent when it succeeded. Otherwise the reason, in words, and the end of the output. */
  readonly failure: { readonly why: string; readonly output: readonly string[] } | undefined;
}

export type RunHost = Pick<Host, "run" | "env" | "clock" | "cwd">;

/**
 * Runs commands: those of one root in order, up to `atOnce` roots at a time. A failure stops the commands of its own
 * root only. Outputs are not mixed.
 *
 * @returns the results in the order of the commands. Commands that did not run because of a failure are left out.
 * @throws AppError INTERRUPTED once every child has ended.
 */
export async function runCommands(
  host: RunHost,
  commands: readonly ToolCommand[],
  { atOnce, progress }: { atOnce: number; progress: (what: string, now?: string) => void },
): Promise<readonly CommandResult[]> {
  const roots = [...byRoot(commands)];
  const results = new Map<ToolCommand, CommandResult>();
  const underWay = new Set<string>();
  const left = roots.values();
  let done = 0;
  // Each worker takes the next root from the shared iterator until it is empty.
  const workers = Array.from({ length: Math.min(atOnce, roots.length) }, async () => {
    for (const [cwd, own] of left) {
      underWay.add(cwd);
      for (const command of own) {
        say(command);
        const result = await runOne(host, command);
        results.set(command, result);
        if (result.failure !== undefined) break;
      }
      underWay.delete(cwd);
      done++;
      const [last] = own;
      if (last !== undefined && underWay.size > 0) say(last);
    }
  });
  const ends = await Promise.allSettled(workers);
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw interrupted(failed.reason);
  return commands.flatMap((command) => results.get(command) ?? []);

  function say(command: ToolCommand): void {
    const names = [...underWay].slice(0, SHOWN_ROOTS).map((cwd) => shortPath(cwd, host.cwd));
    const { name } = command.tool;
    const all = `${roots.length} roots`;
    if (roots.length === 1) progress(`${title(command)} in ${basename(command.cwd)}`);
    else progress(`${name} in ${all}`, `${name}: ${done} of ${all}, now ${names.join(", ")}`);
  }
}

function byRoot(commands: readonly ToolCommand[]): ReadonlyMap<string, readonly ToolCommand[]> {
  const roots = new Map<string, ToolCommand[]>();
  for (const command of commands) {
    const own = roots.get(command.cwd) ?? [];
    own.push(command);
    roots.set(command.cwd, own);
  }
  return roots;
}

/** Mercurial, which downloads modules, would load code named in the folder's .hg/hgrc. */
const OF_TOOLS = { CHECKPOINT_DISABLE: "1", HGRCSKIPREPO: "1" };

async function runOne(host: RunHost, command: ToolCommand): Promise<CommandResult> {
  const { tool, args, cwd, without, secrets } = command;
  const given = { ...Object.fromEntries(revealed(command.with)), ...OF_TOOLS };
  const start = host.clock.now();
  const { end, exitCode, stdout, stderr } = await host.run({
    file: tool.path,
    args,
    cwd,
    env: childEnvironment(host.env, { may: (name) => !without.includes(name), secrets, given }),
    timeoutMs: TIME_LIMIT_MS,
  });
  const isDone = end === "exited" && exitCode === 0;
  // Redact the whole output first: a private key is recognised by its first line.
  const output = redact(stderr.trim() || stdout.trim())
    .split("\n")
    .slice(-SHOWN_LINES);
  const why = end === "exited" ? `exit status ${exitCode}` : end;
  return {
    command,
    took: host.clock.now() - start,
    failure: isDone ? undefined : { why, output },
  };
}

/** The files are already written, and they stay (docs/design.md rule 10). */
function interrupted(error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== "INTERRUPTED") return error;
  return new AppError(
    "INTERRUPTED",
    "Interrupted. The files are written; the last command did not finish.",
    {
      hint: hint`To continue: ${own()}`,
    },
  );
}

/** As a person would type it. */
export function title(command: ToolCommand): string {
  return [command.tool.name, ...wordsOf(command)].join(" ");
}

/** Without the arguments that only a program passes. */
export function wordsOf({ args }: Pick<ToolCommand, "args">): readonly string[] {
  return args.filter((arg) => !/^(-no-color|-input=false|-var=.*)$/.test(arg));
}
