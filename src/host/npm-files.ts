import { Worker } from "node:worker_threads";
import { AppError } from "../errors/app-error.ts";
import type { Host } from "./host.ts";
import { ownFile } from "./package.ts";

/** For all packages of a repo together. */
const TIME_LIMIT_MS = 10_000;
const MEMORY_LIMIT = { maxOldGenerationSizeMb: 256 };

/**
 * The files of a folder that `npm publish` would include, from npm's own code. No script is run and no .npmrc is read.
 * The patterns come from the repo, and a malicious one may run forever, so this runs in a thread that can be ended.
 *
 * @param packageFolder its dist folder contains the thread's file.
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
    const options = { eval: true, env: {}, execArgv: [], resourceLimits: MEMORY_LIMIT };
    const started = new Worker(ownFile(packageFolder, "dist/npm-list.cjs").toString(), {
      ...{ ...options, stdout: true, stderr: true },
    });
    started.unref();
    return started;
  }
}

/** @returns undefined if it fails, is interrupted or takes too long. The thread must be ended then. */
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
