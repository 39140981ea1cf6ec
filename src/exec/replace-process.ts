import { findProgram, isSureToStart } from "./program.ts";

/**
 * Replaces this process with the command, so that no second process remains. Only if Node supports it (22.15 and later,
 * not on Windows), and if the system will certainly start the command, since Node does not survive a failure.
 *
 * @returns only if the process was not replaced.
 */
export function replaceProcess(words: readonly string[], env: NodeJS.ProcessEnv): void {
  const { execve } = process as { execve?: Execve };
  if (execve === undefined) return;
  const file = findProgram(words[0] ?? "", env["PATH"]);
  if (file === undefined || !isSureToStart(file) || !isSureToFit(words, env)) return;
  // Node ignores these two signals, and ignored signals stay ignored after execve. Those with a listener are reset.
  for (const signal of ["SIGPIPE", "SIGXFSZ"]) process.on(signal, () => {});
  execve.call(process, file, words, env);
}

type Execve = (file: string, words: readonly string[], env: NodeJS.ProcessEnv) => void;

/** Every Linux accepts 128 KiB of words and environment in total, and the same for a single one. */
const SURE_BYTES = 100_000;

function isSureToFit(words: readonly string[], env: NodeJS.ProcessEnv): boolean {
  const texts = [...words, ...Object.entries(env).map((entry) => entry.join("="))];
  const bytes = texts.map((text) => Buffer.byteLength(text) + 9);
  return bytes.reduce((sum, each) => sum + each, 0) < SURE_BYTES;
}
