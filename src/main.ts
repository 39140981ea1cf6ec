import { isCi } from "./ci.ts";
import type { Context, Outcome } from "./cli/command.ts";
import { type AppError, asAppError, EXIT, type ExitStatus, redact } from "./errors.ts";
import { nodeHost } from "./host/node.ts";
import { traced } from "./host/trace.ts";
import { pageOn } from "./report/paint.ts";
import { progressOn } from "./report/progress.ts";
import type { Report } from "./report/report.ts";
import { describeOrigin } from "./token/secret.ts";

/**
 * Runs one command line: parse, run, report. The only place that catches and prints.
 *
 * @param argv without node and the script.
 * @param packageFolder absolute path of this package.
 */
export async function main(argv: readonly string[], packageFolder: string): Promise<ExitStatus> {
  const { stdout, stderr, env } = process;
  for (const stream of [stdout, stderr]) stream.on("error", ignoreClosedPipe);
  const isJson = argv.includes("--json");
  const flag = argv.includes("--no-color") ? false : argv.includes("--color") || undefined;
  const pages = { stdout: pageOn(stdout, env, flag), stderr: pageOn(stderr, env, flag) };
  const say = (text: string): void => void stderr.write(redact(text));
  const progress = progressOn(stderr, pages.stderr.paint, isJson || argv.includes("--debug"));
  let shown: Report | undefined;
  try {
    const { parse } = await import("./cli/parser.ts");
    const parsed = await parse(argv, stdout.columns || 80);
    if (parsed.kind === "print") {
      stdout.write(parsed.text);
      return EXIT.ok;
    }
    const host = nodeHost(packageFolder);
    const context: Context = {
      host: parsed.args["debug"] === true ? traced(host, say) : host,
      progress,
      say,
      approve,
      askForToken: host.terminal === undefined || isCi(env) ? undefined : askForToken,
    };
    const outcome = await parsed.command.run(parsed.args, context);
    progress.end();
    await print(outcome);
    return outcome.status;

    async function approve(report: Report): Promise<boolean> {
      if (host.terminal === undefined || report.observation.ci) return true;
      progress.end();
      const { humanPlan } = await import("./report/human.ts");
      say(`${humanPlan(report, pages.stderr)}\n`);
      shown = report;
      const { changes, commands } = report.plan;
      const many = changes.length + commands.length;
      const question = many === 1 ? "Make this change?" : `Make these ${many} changes?`;
      return (await host.terminal()).confirm(question);
    }

    async function askForToken(...[observation, inspections]: Parameters<Ask>): Promise<string> {
      progress.end();
      const { guide } = await import("./token/guide.ts");
      const { token } = observation;
      const refused = token.kind === "found" ? describeOrigin(token.token.origin) : undefined;
      return guide(host, progress, { ...observation, inspections, refused });
    }
  } catch (thrown) {
    progress.end();
    const error = asAppError(thrown);
    await printError(error);
    if (argv.includes("--debug") && error.cause instanceof Error) {
      say(`${error.cause.stack ?? error.cause.message}\n`);
    }
    return error.status;
  }

  async function print({ report, status }: Outcome): Promise<void> {
    if (report === undefined) return;
    if (isJson) {
      const { jsonReport } = await import("./report/json.ts");
      stdout.write(jsonReport(report, status));
      return;
    }
    const { humanReport } = await import("./report/human.ts");
    // What was asked for is data; the story of a run that wrote something is talk.
    const isData = report.command === "check" || report.dryRun;
    const text = humanReport(report, isData ? pages.stdout : pages.stderr, { status, shown });
    if (isData) stdout.write(redact(text));
    else say(text);
  }

  async function printError(error: AppError): Promise<void> {
    if (isJson) {
      const { jsonError } = await import("./report/json.ts");
      stdout.write(jsonError(error));
      return;
    }
    const { humanError } = await import("./report/human.ts");
    say(humanError(error, pages.stderr));
  }
}

type Ask = NonNullable<Context["askForToken"]>;

/** `do-bootstrap check | head` is no failure. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}
