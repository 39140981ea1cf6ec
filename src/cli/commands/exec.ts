import { AppError } from "../../errors.ts";
import { execOptions } from "../../exec/command-line.ts";
import { executionOf } from "../../exec/prepare.ts";
import { openSession } from "../../plan/exec.ts";
import type { Command } from "../command.ts";
import { commandLineFrom } from "../options.ts";

export const exec: Command = {
  name: "exec",
  describe: "Run a command with the token in its environment",
  words: " -- COMMAND…",
  options: execOptions,
  examples: [
    ["do-bootstrap exec -- terraform plan", "with this repo's token"],
    ["do-bootstrap exec --env prod -- make", "with that of an environment"],
    ["do-bootstrap exec --verify -- terraform apply", "only with a token that is alive"],
  ],
  async run(args, { host, progress }) {
    const line = commandLineFrom("exec", args);
    if (line.words.length === 0) {
      throw new AppError("USAGE", "exec runs a command, and there is none.", {
        hint: "For example: do-bootstrap exec -- terraform plan",
      });
    }
    const execution = executionOf(line, await openSession(host, line, progress));
    progress.end();
    // A signal that came meanwhile was meant to end it all.
    if (host.interrupted.aborted) throw new AppError("INTERRUPTED", "Interrupted.");
    const { execute } = await import("../../exec/execute.ts");
    return { status: await execute(execution) };
  },
};
