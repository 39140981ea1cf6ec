#!/usr/bin/env node
import { dirname } from "node:path";
import { asAppError } from "./errors/app-error.ts";
import { EXIT } from "./errors/exit-status.ts";
import type { Hint } from "./errors/hint.ts";
import { isSystemError, systemHint, systemMessage } from "./errors/system-error.ts";
import { asksVersion, commandFirst } from "./exec/command-line.ts";
import { writeAll } from "./exec/write-all.ts";
import type { CompiledCode } from "./host/compiled-code.ts";
import type { ShowTyping } from "./host/host.ts";
import { isCi } from "./lib/is-ci.ts";
import { safe } from "./secret/safe.ts";

// The small entry point: it answers what needs little code itself, and imports the rest only when it is used.
const argv = commandFirst(process.argv.slice(2));
const isExec = argv[0] === "exec";
// By default, Node prints an uncaught error, such as a stream's, as a stack trace with everything in the error.
process.on("uncaughtException", (error: unknown) => process.exit(failed(error)));
void answer()
  .catch(failed)
  .then((status) => {
    process.exitCode = status;
  });

/** Plain text only: the module that usually prints failures may be the one that failed to load. */
function failed(error: unknown): number {
  process.stderr.write(`do-bootstrap: ${wordsOf(error)}\n`);
  return isExec ? EXIT.exec : EXIT.failed;
}

function wordsOf(error: unknown): string {
  try {
    const { message, hint } = asAppError(error);
    return safe(textOf(message, hint));
  } catch (late) {
    // safe() cannot be loaded either. The load error itself names only our own files, so it is safe to print.
    return isSystemError(late)
      ? textOf(systemMessage(late), systemHint(late.code))
      : "cannot load one of its own files. Install do-bootstrap again.";
  }
}

function textOf(message: string, hint: Hint = []): string {
  const words = hint.map((part) => {
    if (typeof part === "string") return part;
    return "run" in part ? part.run.join(" ") : "";
  });
  return `${message} ${words.join("")}`.trim();
}

async function answer(): Promise<number> {
  if (argv.length === 1 && asksVersion(argv[0])) {
    writeAll(`${__VERSION__}\n`);
    return EXIT.ok;
  }
  let code: CompiledCode | undefined;
  let showTyping: ShowTyping | undefined;
  if (isExec || argv[0] === "env") {
    const { quick } = await import("./exec/quick.ts");
    const answered = quick(argv);
    if (answered !== undefined) return answered;
  } else {
    if (mayAskForToken()) showTyping = (await import("./host/typing.ts")).hideTyping();
    const { compiledCode } = await import("./host/compiled-code.ts");
    code = compiledCode(dirname(__dirname), argv[0], process);
  }
  const { main } =
    (code?.load("main.cjs") as typeof import("./main.ts")) ?? (await import("./main.ts"));
  return main(argv, dirname(__dirname), code, showTyping);
}

/** Decided before anything else is known: whether a person may be about to paste a token. */
function mayAskForToken(): boolean {
  const [first = "-"] = argv;
  const isAsking = first.startsWith("-") || ["init", "login", "rotate"].includes(first);
  // It loads Node's streams and network: a tenth of a start.
  const isTerminal = (fd: number) => process.getBuiltinModule("node:tty").isatty(fd);
  return isAsking && !argv.includes("--help") && !isCi(process.env) && [0, 2].every(isTerminal);
}
