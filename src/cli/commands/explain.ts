import { hint, own, run } from "../../errors/hint.ts";
import type { InputKind } from "../../host/host.ts";
import { explain as explainText } from "../../library/tasks.ts";
import { command } from "../command.ts";
import { lookOptions } from "../options.ts";

export const explain = command({
  name: "explain",
  describe: "Explain an error of doctl, Terraform or curl",
  rare: true,
  positional: "TEXT",
  options: { env: lookOptions.env },
  examples: [
    ["do-bootstrap exec --explain -- terraform apply", "run it, and explain its error"],
    ["terraform apply 2>&1 | do-bootstrap explain -", "explain what another command prints"],
    ['do-bootstrap explain "GET https://api.digitalocean.com/v2/account: 403"', "a text"],
  ],
  async run({ env: environment, TEXT: words }, context) {
    const isInput = words.length === 0 || words[0] === "-";
    const text = isInput ? await context.host.readInput(INPUT) : words.join(" ");
    return explainText(context, { environment, text, example: INPUT.example });
  },
});

const INPUT: InputKind = {
  what: "an error text",
  asked: "explain -",
  example: hint`${run("terraform", "apply")} 2>&1 | ${own("explain", "-")}`,
  maxBytes: 64 * 1024 * 1024,
  // It may come from an apply that has just started.
  waitMs: 4 * 3_600_000,
};
