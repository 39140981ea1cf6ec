import { AppError } from "../../errors.ts";
import { execOptions } from "../../exec/command-line.ts";
import { prepare } from "../../exec/prepare.ts";
import { revealed, secretsIn } from "../../exec/variables.ts";
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
    const facts = await openSession(host, line, progress);
    const variables = prepare(line, facts);
    progress.end();
    // A signal that came meanwhile was meant to end it all.
    if (host.interrupted.aborted) throw new AppError("INTERRUPTED", "Interrupted.");
    const { execute } = await import("../../exec/execute.ts");
    const status = await execute({
      words: line.words,
      env: { ...host.env, ...Object.fromEntries(revealed(variables)) },
      secrets: line.options["mask"] === true ? secretsIn(variables, host.env) : undefined,
    });
    return { status };
  },
};
