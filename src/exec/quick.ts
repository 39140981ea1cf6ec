import { fstatSync, readFileSync, realpathSync, statSync } from "node:fs";
import { workingDirectory } from "../host/places.ts";
import { repoAround } from "../host/record.ts";
import { isInside } from "../lib/paths.ts";
import { decode } from "../secret/content.ts";
import { type CommandLine, readCommandLine } from "./command-line.ts";
import type { Facts } from "./facts.ts";
import { executionOf, shellText } from "./prepare.ts";
import { ENV_FILE_LOOK, readEnvFile } from "./read-env-file.ts";
import { recallConfig } from "./record.ts";
import { writeAll } from "./write-all.ts";

/**
 * Answers a line of `exec` or `env` from the record of an earlier run, without any library except dotenv. Prints no
 * errors: unusual input and errors are left to the main program, which finds them again and reports them.
 *
 * @returns the exit status; undefined for a line that is left to the main program.
 */
export function quick(argv: readonly string[]): Promise<number> | undefined {
  const line = readCommandLine(argv);
  if (line === undefined) return undefined;
  if (line.options["verify"] === true || line.options["explain"] === true) return undefined;
  const act = prepared(line);
  return act?.();
}

function prepared(line: CommandLine): (() => Promise<number>) | undefined {
  const { env, platform } = process;
  const environment = line.options["env"];
  try {
    const cwd = workingDirectory();
    const config = recallConfig({
      cwd,
      environment: typeof environment === "string" ? environment : undefined,
      env,
      platform,
    });
    if (config === undefined) return undefined;
    const textAt = (path: string) => plainText(path, cwd);
    const envFile = readEnvFile(textAt(config.envFile));
    const facts: Facts = { config, env, cwd, envFile, textAt };
    return line.command === "exec" ? forCommand(line, facts) : forShell(line, facts);
  } catch {
    // A file that cannot be read, or a missing folder: the main program reports it.
    return undefined;
  }
}

function forCommand(line: CommandLine, facts: Facts): () => Promise<number> {
  const execution = executionOf(line, facts);
  const { words, env, secrets, notice } = execution;
  return async () => {
    writeAll(notice, 2);
    // child_process takes 4 ms to load, which `env` does not need.
    const { execute, namedDescriptors, replaceProcess } = await import("./execute.ts");
    if (secrets === undefined && namedDescriptors(words).length === 0) replaceProcess(words, env);
    return execute(execution);
  };
}

function forShell(line: CommandLine, facts: Facts): (() => Promise<number>) | undefined {
  const isSafe = line.options["yes"] === true || line.options["unset"] === true || !isDevice(1);
  const { text, leftOut, masks, notice } = shellText(line, facts);
  if (!isSafe || leftOut.length > 0) return undefined;
  return async () => {
    writeAll(notice + masks, 2);
    writeAll(text);
    return 0;
  };
}

/** True for a terminal, and for other devices: node:tty could tell them apart, but is slow to load. */
function isDevice(descriptor: number): boolean {
  return fstatSync(descriptor).isCharacterDevice();
}

/** @throws Error for anything that is not a plain text file. */
function plainText(path: string, cwd: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return "";
  const real = realpathSync.native(path);
  if (real !== path) assertInRepo(real, cwd);
  const isRead = stats.isFile() && stats.size <= ENV_FILE_LOOK.maxBytes;
  const bytes = isRead ? readFileSync(real) : undefined;
  const text = bytes && decode(bytes)?.text;
  if (text === undefined) throw new Error(`${path} is no plain text`);
  return text;
}

/** @throws Error if a link puts the file outside the repo: it is then not read (docs/design.md rule 4). */
function assertInRepo(real: string, cwd: string): void {
  const repo = realpathSync.native(repoAround(cwd));
  if (!isInside(real, repo)) throw new Error(`${real} is not in ${repo}`);
}
