import { EXIT } from "../../errors/exit-status.ts";
import { isCi } from "../../lib/is-ci.ts";
import { hintText } from "../../report/hint-text.ts";
import { command } from "../command.ts";

export const demo = command({
  name: "demo",
  describe: "Show what do-bootstrap does, in four scenes in a temporary repo; no account needed",
  rare: true,
  options: {},
  examples: [["do-bootstrap demo", "try it without a token"]],
  async run(_args, { host, say, page, isColored }) {
    const { runDemo } = await import("../../commands/demo/demo.ts");
    await runDemo(host, {
      say,
      isColored,
      paint: page.paint,
      line: (line) => hintText(line, page.edge),
      terminal: isCi(host.env) ? undefined : host.terminal,
    });
    return { status: EXIT.ok };
  },
});
