import { LISTS, namesFor } from "../../commands/completion/names.ts";
import { EXIT } from "../../errors/exit-status.ts";
import { type Command, command } from "../command.ts";
import { needsWord } from "../read-args.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** @param all all commands, including this one. */
export function completionOf(all: () => readonly Command[]): Command {
  return command({
    name: "completion",
    describe: "Print a shell completion script",
    rare: true,
    positional: "SHELL",
    completes: SHELLS,
    isOptional: true,
    options: {
      list: {
        type: "string",
        value: "WHAT",
        describe: "Print the environments or contexts (used by the script)",
        completes: LISTS,
        rare: true,
      },
    },
    examples: [
      ["source <(do-bootstrap completion bash)", "in ~/.bashrc"],
      ["source <(do-bootstrap completion zsh)", "in ~/.zshrc, after compinit"],
      ["do-bootstrap completion fish | source", "in ~/.config/fish/config.fish"],
    ],
    async run({ list, SHELL: shell }, { host }) {
      if (list !== undefined) {
        const names = await namesFor(list, host);
        return { status: EXIT.ok, output: names.map((name) => `${name}\n`).join("") };
      }
      if (shell === undefined) throw needsWord("completion", SHELLS);
      const { completionScript } = await import("../completion/script.ts");
      return { status: EXIT.ok, output: completionScript(shell, all()) };
    },
  });
}
