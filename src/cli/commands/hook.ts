import { EXIT } from "../../errors/exit-status.ts";
import { command } from "../command.ts";
import { changeOptions } from "../options.ts";

export const hook = command({
  name: "hook",
  describe: "Put a guard against committed tokens into git's pre-commit hook",
  positional: "ACTION",
  completes: ["install", "remove"],
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
  async run({ ACTION: action, force, "dry-run": dryRun }, { host, progress }) {
    const { changeHook } = await import("../../commands/hook/hook.ts");
    const done = await changeHook(host, { action, dryRun, force, progress });
    const hasErrors = done.findings.some(({ level }) => level === "error");
    return {
      report: { ...done, command: "hook", action, dryRun, cwd: host.cwd, home: host.home },
      status: hasErrors ? EXIT.findings : EXIT.ok,
    };
  },
});
