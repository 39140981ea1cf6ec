#!/usr/bin/env node
import { dirname } from "node:path";
import { EXIT } from "./errors/exit-status.ts";
import { commandFirst } from "./exec/command-line.ts";
import { writeAll } from "./exec/write-all.ts";
import { printable } from "./lib/printable.ts";
import { redact } from "./secret/redact.ts";

// The small entry: what needs no machinery is answered here, the rest is imported when used.
const argv = commandFirst(process.argv.slice(2));
const isExec = argv[0] === "exec";
void answer()
  .catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`do-bootstrap: ${printable(redact(message))}\n`);
    return isExec ? EXIT.exec : EXIT.failed;
  })
  .then((status) => {
    process.exitCode = status;
  });

async function answer(): Promise<number> {
  if (argv.length === 1 && argv[0] === "--version") {
    writeAll(`${__VERSION__}\n`);
    return EXIT.ok;
  }
  if (argv[0] === "exec" || argv[0] === "env") {
    const { quick } = await import("./exec/quick.ts");
    const answered = quick(argv);
    if (answered !== undefined) return answered;
  }
  const { main } = await import("./main.ts");
  return main(argv, dirname(__dirname));
}
