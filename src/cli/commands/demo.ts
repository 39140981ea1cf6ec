import { EXIT } from "../../errors/exit-status.ts";
import type { Command } from "../command.ts";

export const demo: Command = {
  name: "demo",
  describe: "See the whole job in a temporary repo; no account needed",
  options: {},
  examples: [["npx do-bootstrap demo", "see it before you use it"]],
  async run(_args, { host, say }) {
    const { runDemo } = await import("../../commands/demo/demo.ts");
    await runDemo(host, say);
    return { status: EXIT.ok };
  },
};
