#!/usr/bin/env node
import { fileURLToPath } from "node:url";

// The small entry: what needs no machinery is answered here, the rest is imported when used.
const argv = process.argv.slice(2);
if (argv.length === 1 && argv[0] === "--version") {
  process.stdout.write(`${__VERSION__}\n`);
} else {
  const { main } = await import("./main.ts");
  process.exitCode = await main(argv, fileURLToPath(new URL("..", import.meta.url)));
}
