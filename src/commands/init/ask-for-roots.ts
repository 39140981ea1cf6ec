import type { Terminal } from "../../host/host.ts";
import type { RootsAnswer, RootsQuestion } from "./prompter.ts";

/** Asks a person which root modules to prepare. */
export async function askForRoots(
  terminal: Pick<Terminal, "confirm" | "chooseSome">,
  asked: RootsQuestion,
): Promise<RootsAnswer> {
  if (asked.kind === "none") {
    const question =
      "This repo has no Terraform code for DigitalOcean.\nWrite a root module here (versions.tf, provider.tf, variables.tf)?";
    return (await terminal.confirm(question)) ? "new" : undefined;
  }
  const { dirs, environments } = asked;
  if (environments.length > 0) {
    const names = environments.join(", ");
    const question = `The root modules of this repo look like environments: ${names}.\nWrite a config with an environment and its own token for each?`;
    if (await terminal.confirm(question)) return "environments";
  }
  const question = "Which root modules should share one token? Your choice is saved in a config.";
  return terminal.chooseSome(question, dirs);
}
