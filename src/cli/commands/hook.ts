import { AppError } from "../../errors/app-error.ts";
import { EXIT } from "../../errors/exit-status.ts";
import type { Command } from "../command.ts";
import { changeOptions } from "../options.ts";

const ACTIONS = ["install", "remove"] as const;

export const hook: Command = {
  name: "hook",
  describe: "Put a guard against committed tokens into git's pre-commit hook",
  positional: "ACTION",
  completes: ACTIONS,
  options: {
    "dry-run": changeOptions["dry-run"],
    force: {
      type: "boolean",
      describe: "Also where hooks of all repos lie, or the guard was edited",
    },
  },
  examples: [
    ["do-bootstrap hook install", "beside husky, lefthook, pre-commit or hooks of your own"],
    ["do-bootstrap hook remove", "and leave the rest of the hook as it is"],
  ],
  async run(args, { host, progress }) {
    const [word, ...more] = Array.isArray(args["ACTION"]) ? args["ACTION"] : [];
    const action = ACTIONS.find((each) => each === word);
    if (action === undefined || more.length > 0) {
      throw new AppError("USAGE", "hook needs one word: install or remove.", {
        hint: "do-bootstrap hook install",
      });
    }
    const { changeHook } = await import("../../commands/hook/hook.ts");
    const dryRun = args["dry-run"] === true;
    const done = await changeHook(host, {
      action,
      dryRun,
      force: args["force"] === true,
      progress,
    });
    const hasErrors = done.findings.some(({ level }) => level === "error");
    return {
      report: { ...done, command: "hook", action, dryRun, cwd: host.cwd, home: host.home },
      status: hasErrors ? EXIT.findings : EXIT.ok,
    };
  },
};
