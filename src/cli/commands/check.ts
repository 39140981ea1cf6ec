import { look } from "../../commands/init/bootstrap.ts";
import type { Facts } from "../../commands/init/observe.ts";
import type { Consent } from "../../core/consent.ts";
import { statusOf } from "../../core/finding.ts";
import { type Look, NOTHING_DONE } from "../../core/flow.ts";
import { isEmpty, type Plan } from "../../core/plan.ts";
import { EXIT } from "../../errors/exit-status.ts";
import { type Context, command } from "../command.ts";
import { lookOptions } from "../options.ts";
import { requestFrom } from "../request.ts";

const NO_CONSENT: Consent = {
  force: false,
  save: false,
  fix: false,
  writeConfig: false,
  envrc: false,
  doctlConfig: false,
  asFlag: false,
};

export const check = command({
  name: "check",
  describe: "Look at the same things as init, change nothing, and say what is wrong",
  options: {
    ...lookOptions,
    history: {
      type: "boolean",
      describe: "Also search all of git, states, Docker contexts and npm files for tokens",
    },
  },
  examples: [
    ["do-bootstrap check", "is this repo ready?"],
    ["do-bootstrap check --json --strict", "for a script"],
    ["do-bootstrap check --history", "has a token ever been committed?"],
  ],
  async run(args, context) {
    const { host } = context;
    const found = await look(host, {
      ...(await requestFrom(args, context)),
      ...(args.trust ? { trust: "once" } : {}),
      consent: NO_CONSENT,
    });
    const plan = args.history ? await withLeaks(found, context) : found.plan;
    const status = statusOf(plan.findings, args.strict);
    return {
      report: {
        ...found,
        plan,
        command: "check",
        dryRun: false,
        ...NOTHING_DONE,
        env: host.env,
        cwd: host.cwd,
        home: host.home,
      },
      status: status === EXIT.ok && !isEmpty(plan) ? EXIT.findings : status,
    };
  },
});

async function withLeaks({ facts, plan }: Look<Facts>, { host, progress }: Context): Promise<Plan> {
  const { findLeaks } = await import("../../commands/leaks/leaks.ts");
  const leaks = await findLeaks(host, facts, progress);
  return { ...plan, findings: [...plan.findings, ...leaks] };
}
