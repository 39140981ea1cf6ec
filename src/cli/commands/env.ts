import { AppError } from "../../errors/app-error.ts";
import { EXIT } from "../../errors/exit-status.ts";
import { type CommandLine, envOptions } from "../../exec/command-line.ts";
import { writeAll } from "../../exec/write-all.ts";
import type { Command } from "../command.ts";
import { commandLineFrom } from "../options.ts";

export const env: Command = {
  name: "env",
  describe: "Print the same variables, for a shell or a pipeline",
  options: envOptions,
  examples: [
    ['eval "$(do-bootstrap env)"', "in sh, bash and zsh"],
    ['eval "$(do-bootstrap env --unset)"', "takes them away"],
    ["do-bootstrap env --format fish | source", "in fish"],
    ["do-bootstrap env --format powershell | Invoke-Expression", "in PowerShell"],
  ],
  async run(args, { host, progress, say, isScreen }) {
    const given = commandLineFrom("env", args);
    if (given.words.length > 0) {
      throw new AppError("USAGE", "env takes no command.", {
        hint: "To run one with the variables: do-bootstrap exec -- COMMAND",
      });
    }
    const json: CommandLine["options"] = args["json"] === true ? { format: "json" } : {};
    const line = { ...given, options: { ...json, ...given.options } };
    if (isScreen && line.options["yes"] !== true && line.options["unset"] !== true) {
      throw new AppError("USAGE", "env prints the token, and this is a terminal.", {
        hint: 'eval "$(do-bootstrap env)"; to see it all the same: do-bootstrap env --yes',
      });
    }
    const { openSession } = await import("../../commands/exec-session/session.ts");
    const { shellText } = await import("../../exec/prepare.ts");
    const facts = await openSession(host, line, progress);
    const { text, leftOut, masks } = shellText(line, facts);
    progress.end();
    writeAll(masks, 2);
    for (const name of leftOut)
      say(`! ${name} is left out: it is no name for a variable of a shell.\n`);
    return { status: EXIT.ok, output: text };
  },
};
