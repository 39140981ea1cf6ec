import { NOTHING_DONE } from "../../core/flow.ts";
import { EXIT } from "../../errors/exit-status.ts";
import { command } from "../command.ts";
import { changeOptions } from "../options.ts";

export const hook = command({
  name: "hook",
  describe: "Add git hooks that block commits, merges and pushes with a token",
  positional: "ACTION",
  completes: ["install", "remove"],
  options: {
    ...changeOptions,
    force: {
      type: "boolean",
      describe: "Also write to a hooks folder shared by all repos, or replace an edited guard",
      rare: true,
    },
  },
  examples: [
    ["do-bootstrap hook install", "works beside husky, lefthook, pre-commit and your own hooks"],
    ["do-bootstrap hook remove", "remove the guard and keep the rest of each hook"],
  ],
  async run({ ACTION: action, force, yes, "dry-run": dryRun }, { host, progress, approve }) {
    const { changeHook } = await import("../../commands/hook/hook.ts");
    const about = { command: "hook", action, dryRun, cwd: host.cwd, home: host.home } as const;
    const done = await changeHook(
      host,
      { action, dryRun, force, progress },
      async (look) => yes || approve({ ...about, ...look, ...NOTHING_DONE }),
    );
    const hasErrors = done.plan.findings.some(({ level }) => level === "error");
    return { report: { ...about, ...done }, status: hasErrors ? EXIT.findings : EXIT.ok };
  },
});
