import { EXIT } from "../../errors/exit-status.ts";
import { bootstrap } from "../../library/tasks.ts";
import { command } from "../command.ts";
import { changeOptions, lookOptions } from "../options.ts";
import { lookFrom } from "../request.ts";

export const backend = command({
  name: "backend",
  describe: "Create a Spaces key for the state's bucket, or list the keys",
  rare: true,
  positional: "ACTION",
  completes: ["key", "keys"],
  options: {
    env: lookOptions.env,
    "token-stdin": lookOptions["token-stdin"],
    ...changeOptions,
  },
  examples: [
    ["do-bootstrap backend key", "a key of your own, for this bucket only"],
    ["do-bootstrap backend keys", "the keys that do-bootstrap created, by age"],
  ],
  async run({ ACTION: action, yes, "dry-run": dryRun, ...args }, context) {
    const look = await lookFrom({ ...args, "min-ttl": undefined }, context);
    if (action === "key") return bootstrap(context, { ...look, yes, dryRun, spacesKey: true });
    const { listKeys } = await import("../../commands/backend/keys.ts");
    const { environment, token: stdin } = look;
    const { host, progress } = context;
    const keys = await listKeys(host, { environment, stdin, progress });
    return { status: EXIT.ok, report: { command: "backend", keys } };
  },
});
