import { AppError } from "../../errors/app-error.ts";
import { EXIT } from "../../errors/exit-status.ts";
import type { Command } from "../command.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** @param all the commands, this one too. */
export function completionOf(all: () => readonly Command[]): Command {
  return {
    name: "completion",
    describe: "Print a script that completes this program's lines in a shell",
    positional: "SHELL",
    completes: SHELLS,
    options: {
      list: {
        type: "string",
        value: "WHAT",
        describe: "Print what the script asks for: environments or contexts",
      },
    },
    examples: [
      ["source <(do-bootstrap completion bash)", "in ~/.bashrc"],
      ["source <(do-bootstrap completion zsh)", "in ~/.zshrc, after compinit"],
      ["do-bootstrap completion fish | source", "in ~/.config/fish/config.fish"],
    ],
    async run(args, { host }) {
      const { LISTS, namesFor } = await import("../../commands/completion/names.ts");
      const list = LISTS.find((each) => each === args["list"]);
      if (list !== undefined) {
        const names = await namesFor(list, host);
        return { status: EXIT.ok, output: names.map((name) => `${name}\n`).join("") };
      }
      const words = Array.isArray(args["SHELL"]) ? args["SHELL"].map(String) : [];
      const shell = SHELLS.find((each) => each === words[0]);
      if (shell === undefined || words.length > 1 || args["list"] !== undefined) {
        throw new AppError("USAGE", "completion takes the name of a shell.", {
          hint: `Use one of: ${SHELLS.map((each) => `do-bootstrap completion ${each}`).join(", ")}`,
        });
      }
      const { completionScript } = await import("../completion/script.ts");
      return { status: EXIT.ok, output: completionScript(shell, all()) };
    },
  };
}
