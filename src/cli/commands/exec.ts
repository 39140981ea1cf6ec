import { AppError, asAppError } from "../../errors/app-error.ts";
import { exec as execLine, hint } from "../../errors/hint.ts";
import { commandLineOf, execOptions } from "../../exec/command-line.ts";
import type { TokenState } from "../../exec/token-sources.ts";
import { type Context, command } from "../command.ts";

export const exec = command({
  name: "exec",
  describe: "Run a command with the token in its environment",
  words: " -- COMMAND…",
  options: execOptions,
  examples: [
    ["do-bootstrap exec -- terraform plan", "with this repo's token"],
    ["do-bootstrap exec --env prod -- make", "with the token of an environment"],
    ["do-bootstrap exec --explain -- terraform apply", "and explain an error"],
    ["do-bootstrap exec --verify -- terraform apply", "only with a valid token"],
  ],
  async run(args, context) {
    const { host, progress } = context;
    const line = commandLineOf("exec", args);
    if (line.words.length === 0) {
      throw new AppError("USAGE", "exec needs a command to run.", {
        hint: hint`For example: ${execLine(["terraform", "plan"])}`,
      });
    }
    const { openSession } = await import("../../commands/exec-session/session.ts");
    const { executionOf } = await import("../../exec/prepare.ts");
    const facts = await openSession(host, line, progress, context.trust);
    const execution = executionOf(line, facts);
    progress.end();
    // A signal before this point was meant to stop everything.
    if (host.interrupted.aborted) throw new AppError("INTERRUPTED", "Interrupted.");
    if (execution.notice !== "") context.say(execution.notice);
    const { execute } = await import("../../exec/execute.ts");
    const more = args.explain ? { afterFailure: explainer(args.env, context, facts.known) } : {};
    return { status: await execute({ ...execution, ...more }) };
  },
});

/** Prints nothing if the text contains no error from DigitalOcean. */
function explainer(
  environment: string | undefined,
  { host, progress, explained, say }: Context,
  known: TokenState | undefined,
) {
  return async (text: string): Promise<void> => {
    try {
      const { explainText } = await import("../../commands/scopes/explain-error.ts");
      const { FINDING_IDS: findings } = await import("../../report/finding-ids.ts");
      const asked = { environment, text, progress, findings, known };
      const explanations = await explainText(host, asked);
      progress.end();
      if (explanations.length > 0) await explained(explanations);
    } catch (error) {
      progress.end();
      // The exit status remains the command's own.
      say(`do-bootstrap: could not explain the error: ${asAppError(error).message}\n`);
    }
  };
}
