import { AppError } from "../../errors/app-error.ts";
import { EXIT } from "../../errors/exit-status.ts";
import { exec, hint, own } from "../../errors/hint.ts";
import { commandLineOf, envOptions } from "../../exec/command-line.ts";
import { writeAll } from "../../exec/write-all.ts";
import { environment } from "../../library/tasks.ts";
import { command } from "../command.ts";

export const env = command({
  name: "env",
  describe: "Print the variables that exec sets, for a shell or a pipeline",
  options: envOptions,
  examples: [
    ['eval "$(do-bootstrap env)"', "in sh, bash and zsh"],
    ['eval "$(do-bootstrap env --unset)"', "remove them again"],
    ["do-bootstrap env --format fish | source", "in fish"],
    ["do-bootstrap env --format powershell | Invoke-Expression", "in PowerShell (untested)"],
  ],
  async run(args, context) {
    const { progress, say, isScreen } = context;
    if (args["--"].length > 0) {
      throw new AppError("USAGE", "env takes no command.", {
        hint: hint`To run a command with the variables: ${exec(["COMMAND"])}`,
      });
    }
    if (isScreen && !args.yes && !args.unset) {
      throw new AppError("USAGE", "env prints the token, and this is a terminal.", {
        hint: hint`eval "$(${own("env")})". To print it anyway: ${own("env", "--yes")}`,
      });
    }
    const format = args.format ?? (args.json ? "json" : undefined);
    const line = commandLineOf("env", { ...args, format });
    const { text, leftOut, masks, notice } = await environment(context, line);
    progress.end();
    writeAll(notice + masks, 2);
    for (const name of leftOut) say(`! ${name} is skipped: not a valid shell variable name.\n`);
    return { status: EXIT.ok, output: text };
  },
});
