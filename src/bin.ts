#!/usr/bin/env node
import { dirname } from "node:path";
import { EXIT } from "./errors.ts";
import { writeAll } from "./exec/write-all.ts";

// The small entry: what needs no machinery is answered here, the rest is imported when used.
const argv = process.argv.slice(2);
if (argv.length === 1 && argv[0] === "--version") writeAll(`${__VERSION__}\n`);
else {
  const isExec = argv[0] === "exec";
  void answer()
    .catch((error: unknown) => {
      process.stderr.write(`do-bootstrap: ${error instanceof Error ? error.message : error}\n`);
      return isExec ? EXIT.exec : EXIT.failed;
    })
    .then((status) => {
      process.exitCode = status;
    });
}

async function answer(): Promise<number> {
  if (argv[0] === "exec" || argv[0] === "env") {
    const { quick } = await import("./exec/quick.ts");
    const answered = quick(argv);
    if (answered !== undefined) return answered;
  }
  const { main } = await import("./main.ts");
  return main(argv, dirname(__dirname));
}
