import { writeSync } from "node:fs";

/** Writes to standard output (or error: 2) without the streams of Node, which take 2 ms to load. */
export function writeAll(text: string, descriptor: 1 | 2 = 1): void {
  let rest: Uint8Array = Buffer.from(text, "utf8");
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // `| head` is no failure.
      if (code === "EPIPE") return;
      // A pipe that somebody else has made non-blocking, and that is full.
      if (code !== "EAGAIN") throw error;
      process[descriptor === 1 ? "stdout" : "stderr"].write(rest);
      return;
    }
  }
}
