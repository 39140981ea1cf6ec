import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { AppError } from "../errors/app-error.ts";
import type { Host } from "./host.ts";

/** For all packages of a repo together. */
const TIME_LIMIT_MS = 10_000;
const MEMORY_LIMIT = { maxOldGenerationSizeMb: 256 };

/**
 * The files that `npm publish` would take of a folder, as npm itself finds them; no script is run and no
 * .npmrc is read. Its patterns are the repo's, and one may take it for ever: it is asked in a thread that can
 * be ended.
 *
 * @param packageFolder the build puts the thread's file into its dist folder.
 */
export function npmFilesIn(
  packageFolder: string,
  interrupted: AbortSignal,
  timeLimitMs = TIME_LIMIT_MS,
): Host["npmFiles"] {
  let left = timeLimitMs;
  let worker: Worker | undefined;
  return async (folder) => {
    if (left <= 0) return undefined;
    const begun = performance.now();
    worker ??= start();
    const files = await answer(worker, folder, left, interrupted);
    left -= performance.now() - begun;
    if (files === undefined || left <= 0) {
      await worker.terminate();
      worker = undefined;
    }
    if (interrupted.aborted) throw new AppError("INTERRUPTED", "Interrupted.");
    return files;
  };

  function start(): Worker {
    const options = { env: {}, execArgv: [], resourceLimits: MEMORY_LIMIT };
    const started = new Worker(join(packageFolder, "dist", "npm-list.cjs"), {
      ...{ ...options, stdout: true, stderr: true },
    });
    started.unref();
    return started;
  }
}

/** @returns undefined where it fails, is interrupted or takes too long: the thread is to be ended then. */
function answer(
  worker: Worker,
  folder: string,
  timeoutMs: number,
  interrupted: AbortSignal,
): Promise<readonly string[] | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, timeoutMs);
    worker.once("message", end).once("error", fail).once("exit", fail);
    interrupted.addEventListener("abort", fail);
    worker.postMessage(folder);

    function fail(): void {
      end();
    }
    function end(files?: readonly string[]): void {
      clearTimeout(timer);
      worker.off("message", end).off("error", fail).off("exit", fail);
      interrupted.removeEventListener("abort", fail);
      resolve(files);
    }
  });
}
