import { writeSync } from "node:fs";

/** Writes to standard output (or error: 2) without Node's streams, which take 2 ms to load. */
export function writeAll(text: string, descriptor: 1 | 2 = 1): void {
  let rest: Uint8Array = Buffer.from(text, "utf8");
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // `| head` is not a failure.
      if (code === "EPIPE") return;
      // The pipe is full, and another process has made it non-blocking.
      if (code !== "EAGAIN") throw error;
      process[descriptor === 1 ? "stdout" : "stderr"].write(rest);
      return;
    }
  }
}
