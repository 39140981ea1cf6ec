import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import { login as logIn } from "../../library/tasks.ts";
import { command } from "../command.ts";
import { changeOptions, lookOptions } from "../options.ts";

export const login = command({
  name: "login",
  describe: "Log in with your browser, with the scopes that the code needs",
  options: {
    env: lookOptions.env,
    for: {
      type: "string",
      value: "WHAT",
      describe: "Request scopes for: plan or apply (default)",
      completes: ["plan", "apply"],
    },
    "no-browser": { type: "boolean", describe: "Print the URL instead of opening a browser" },
    "callback-port": {
      type: "string",
      value: "PORT",
      describe: "Local port for the browser's redirect; over ssh, forward this port",
      rare: true,
    },
    force: {
      type: "boolean",
      describe: "Replace another login in the doctl context",
      rare: true,
    },
    ...changeOptions,
    strict: lookOptions.strict,
  },
  examples: [
    ["do-bootstrap login", "nothing to copy, no token in the repo"],
    ["do-bootstrap login --env prod", "for an environment of the config"],
    ["do-bootstrap login --for plan", "a read-only login"],
  ],
  async run(args, context) {
    const {
      env: environment,
      for: purpose = "apply",
      force,
      yes,
      strict,
      "dry-run": dryRun,
    } = args;
    const port = portFrom(args["callback-port"]);
    return logIn(context, {
      ...{ environment, purpose, dryRun, yes, strict },
      login: { isPrinted: args["no-browser"], port, force },
    });
  },
});

/** @throws AppError USAGE */
function portFrom(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const port = /^\d{1,5}$/.test(given) ? Number(given) : 0;
  if (port > 0 && port < 65_536) return port;
  throw new AppError("USAGE", `--callback-port ${given}: invalid port.`, {
    hint: hint`Use a number from 1 to 65535, such as --callback-port 49190`,
  });
}
