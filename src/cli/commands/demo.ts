import { EXIT } from "../../errors/exit-status.ts";
import { command } from "../command.ts";

export const demo = command({
  name: "demo",
  describe: "See the whole job in a temporary repo; no account needed",
  rare: true,
  options: {},
  examples: [["do-bootstrap demo", "see it before you use it"]],
  async run(_args, { host, say }) {
    const { runDemo } = await import("../../commands/demo/demo.ts");
    await runDemo(host, say);
    return { status: EXIT.ok };
  },
});
