import { findProgram, isSureToStart } from "./program.ts";

/**
 * Lets the command take our place, so that no second process stays: where Node can (22.15 and
 * later, not on Windows), and where the system is sure to start it, as Node does not survive a
 * failure.
 *
 * @returns where it did not.
 */
export function replaceProcess(words: readonly string[], env: NodeJS.ProcessEnv): void {
  const { execve } = process as { execve?: Execve };
  if (execve === undefined) return;
  const file = findProgram(words[0] ?? "", env["PATH"]);
  if (file === undefined || !isSureToStart(file) || !isSureToFit(words, env)) return;
  // Node ignores these two, and what is ignored stays so; what is listened to is reset.
  for (const signal of ["SIGPIPE", "SIGXFSZ"]) process.on(signal, () => {});
  execve.call(process, file, words, env);
}

type Execve = (file: string, words: readonly string[], env: NodeJS.ProcessEnv) => void;

/** Every Linux takes 128 KiB of words and environment, and as much in one of them. */
const SURE_BYTES = 100_000;

function isSureToFit(words: readonly string[], env: NodeJS.ProcessEnv): boolean {
  const texts = [...words, ...Object.entries(env).map((entry) => entry.join("="))];
  const bytes = texts.map((text) => Buffer.byteLength(text) + 9);
  return bytes.reduce((sum, each) => sum + each, 0) < SURE_BYTES;
}
