import { basename } from "node:path";
import { revealed } from "../exec/variables.ts";
import type { Host } from "../host/host.ts";
import type { Command } from "./types.ts";

/** A provider is some 10 MB; a slow line may take its time. */
const TIME_LIMIT_MS = 300_000;
const SHOWN_LINES = 12;

export interface CommandResult {
  readonly command: Command;
  /** How long it took, in ms. */
  readonly took: number;
  /** Absent when it succeeded: why not, in words, and the end of what it printed. */
  readonly failure: { readonly why: string; readonly output: readonly string[] } | undefined;
}

/** Runs commands one after the other. A failure is reported, and ends those of the same root. */
export async function runCommands(
  host: Pick<Host, "run" | "env" | "clock">,
  commands: readonly Command[],
  progress: (what: string) => void,
): Promise<readonly CommandResult[]> {
  const results: CommandResult[] = [];
  for (const command of commands) {
    const { tool, args, cwd, without } = command;
    const given = Object.fromEntries(revealed(command.with));
    const failedBefore = results.some((each) => each.failure && each.command.cwd === cwd);
    if (failedBefore) continue;
    progress(`${title(command)} in ${basename(cwd)}`);
    const env = Object.fromEntries(
      Object.entries(host.env).filter(([name]) => !without.includes(name)),
    );
    const start = host.clock.now();
    const result = await host.run({
      file: tool.path,
      args,
      cwd,
      env: { ...env, ...given, CHECKPOINT_DISABLE: "1" },
      timeoutMs: TIME_LIMIT_MS,
    });
    const { end, exitCode, stdout, stderr } = result;
    const isDone = end === "exited" && exitCode === 0;
    const output = (stderr.trim() || stdout.trim()).split("\n").slice(-SHOWN_LINES);
    const why = end === "exited" ? `exit status ${exitCode}` : end;
    results.push({
      command,
      took: host.clock.now() - start,
      failure: isDone ? undefined : { why, output },
    });
  }
  return results;
}

/** As a person would type it. */
export function title({ tool, args }: Command): string {
  const words = args.filter((arg) => arg !== "-no-color" && arg !== "-input=false");
  return [tool.name, ...words].join(" ");
}
