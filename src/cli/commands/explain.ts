import { AppError } from "../../errors/app-error.ts";
import { hint, own, run } from "../../errors/hint.ts";
import type { InputKind } from "../../host/host.ts";
import { command } from "../command.ts";
import { lookOptions } from "../options.ts";

export const explain = command({
  name: "explain",
  describe: "Say what an error of doctl, Terraform or curl means",
  positional: "TEXT",
  options: { env: lookOptions.env },
  examples: [
    ["terraform apply 2>&1 | do-bootstrap explain -", "what failed, and which scope it needs"],
    ['do-bootstrap explain "GET https://api.digitalocean.com/v2/account: 403"', "a text"],
    ["do-bootstrap exec --explain -- terraform apply", "when it fails"],
  ],
  async run({ env: environment, TEXT: words }, { host, progress }) {
    const text =
      words.length === 0 || words[0] === "-" ? await host.readInput(INPUT) : words.join(" ");
    if (text.trim() === "") {
      throw new AppError("USAGE", "There is no text to explain.", {
        hint: hint`For example: ${INPUT.example}`,
      });
    }
    const { explainText } = await import("../../commands/scopes/explain-error.ts");
    const explanations = await explainText(host, { environment, text, progress });
    if (explanations.length === 0) {
      throw new AppError(
        "NOTHING_TO_EXPLAIN",
        "No failure of DigitalOcean's API is in that text.",
        {
          hint: hint`Give it all that the tool printed: ${INPUT.example}`,
        },
      );
    }
    return { status: 0, report: { command: "explain", explanations, cwd: host.cwd } };
  },
});

const INPUT: InputKind = {
  what: "an error text",
  asked: "explain -",
  example: hint`${run("terraform", "apply")} 2>&1 | ${own("explain", "-")}`,
  maxBytes: 64 * 1024 * 1024,
  // It may be that of an apply that has just begun.
  waitMs: 4 * 3_600_000,
};
