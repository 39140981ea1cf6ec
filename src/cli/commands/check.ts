import { EXIT } from "../../errors.ts";
import { look, NOTHING_DONE } from "../../plan/bootstrap.ts";
import { statusOf } from "../../plan/findings.ts";
import type { Plan } from "../../plan/types.ts";
import type { Command } from "../command.ts";
import { lookOptions, requestFrom } from "../options.ts";

export const check: Command = {
  name: "check",
  describe: "Look at the same things as init, change nothing, and say what is wrong",
  options: lookOptions,
  examples: [
    ["do-bootstrap check", "is this repo ready?"],
    ["do-bootstrap check --json --strict", "for a script"],
  ],
  async run(args, context) {
    const { host } = context;
    const found = await look(host, {
      ...(await requestFrom(args, context)),
      ...(args["trust"] === true ? { trust: "once" } : {}),
    });
    const status = statusOf(found.plan.findings, args["strict"] === true);
    return {
      report: {
        ...found,
        command: "check",
        dryRun: false,
        ...NOTHING_DONE,
        env: host.env,
        cwd: host.cwd,
        home: host.home,
      },
      status: status === EXIT.ok && isLeft(found.plan) ? EXIT.findings : status,
    };
  },
};

function isLeft({ changes, commands = [] }: Plan): boolean {
  return changes.length + commands.length > 0;
}
