import type { Context, Outcome } from "./cli/command.ts";
import type { Parsed } from "./cli/parser.ts";
import { readPlainLine } from "./cli/plain-line.ts";
import { refusedPlaces } from "./concerns/token/facts.ts";
import { panelRows, unreadIn } from "./concerns/token/needed-scopes.ts";
import { title } from "./core/run-commands.ts";
import { type AppError, asAppError } from "./errors/app-error.ts";
import { EXIT } from "./errors/exit-status.ts";
import { ownPart } from "./exec/command-line.ts";
import type { CompiledCode } from "./host/compiled-code.ts";
import type { ShowTyping, Terminal } from "./host/host.ts";
import { nodeHost, type Output, ownProcess, type Surface } from "./host/node.ts";
import { isCi } from "./lib/is-ci.ts";
import { wrap } from "./lib/wrap.ts";
import type { Asking } from "./library/runtime.ts";
import { type HintEdge, shellOf } from "./report/hint-text.ts";
import type { HookReport } from "./report/hook.ts";
import { jsonDocument, jsonError, jsonReport } from "./report/json.ts";
import { type Page, pageOn, wantsColor } from "./report/paint.ts";
import { progressOn } from "./report/progress.ts";
import { type Report, shortened, withUses } from "./report/report.ts";
import { isUnchanged, unchanged } from "./report/unchanged.ts";
import { apart } from "./secret/known.ts";
import { rememberAll } from "./secret/named.ts";
import { safe, safeLines } from "./secret/safe.ts";

/**
 * Runs the command line of this process.
 *
 * @param code code that is already loaded and should be kept.
 * @param showTyping set where the terminal's echo was turned off.
 */
export async function main(
  argv: readonly string[],
  packageFolder: string,
  code?: CompiledCode,
  showTyping?: ShowTyping,
): Promise<number> {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", endUnlessClosed);
  // The only run in this process, so it skips `apart`, which slows every promise down.
  const status = await runHere(argv, packageFolder, { ...ownProcess(), showTyping });
  // A usage error or --help loads other code than a command does, so that is not kept.
  const isWhole = status !== EXIT.usage && !ownPart(argv).includes("--help");
  if (code?.isNew === true && isWhole) (await import("./host/keep-code.ts")).keepCode(code);
  return status;
}

/**
 * Runs one command line: parse, run, report. The only place that catches and prints. Several can run at once in a
 * process, each with its own surface.
 *
 * @param argv without node and the script.
 * @param packageFolder absolute path of this package.
 * @returns the exit status.
 */
export function runLine(
  argv: readonly string[],
  packageFolder: string,
  surface: Surface,
): Promise<number> {
  return apart(() => runHere(argv, packageFolder, surface));
}

async function runHere(
  argv: readonly string[],
  packageFolder: string,
  surface: Surface,
): Promise<number> {
  const { stdout, stderr, env, platform } = surface;
  const own = ownPart(argv);
  const isJson = own.includes("--json");
  const isDebug = own.includes("--debug");
  const flag = own.includes("--no-color") ? false : own.includes("--color") || undefined;
  let cwd: string | undefined;
  let environment: string | undefined;
  const edge = (): HintEdge => {
    return { environment, cwd, platform, shell: shellOf(platform, env) };
  };
  const pageOf = (stream: Output): Page => pageOn(stream, env, flag, edge());
  rememberAll(env);
  // Everything is printed through these two and jsonDocument. Only requested data is printed unchanged.
  const say = (text: string): void => void stderr.write(safeLines(text));
  const show = (text: string): void => void stdout.write(safeLines(text));
  const progress = progressOn(stderr, pageOf(stderr).paint, isJson || isDebug);
  let shown: Pick<Report, "plan"> | undefined;
  try {
    const parsed = readPlainLine(argv) ?? (await parseWithYargs());
    if (parsed.kind === "print") {
      stdout.write(parsed.text);
      return EXIT.ok;
    }
    environment = typeof parsed.args["env"] === "string" ? parsed.args["env"] : undefined;
    const isPlain = !wantsColor(stderr, env, flag);
    const host = nodeHost(packageFolder, { ...surface, isPlain });
    cwd = host.cwd;
    // CI may have a terminal, but nobody is there to answer.
    const terminal = isCi(env) ? undefined : host.terminal;
    const context: Context = {
      loginTalk: talkTo(terminal),
      host: isDebug ? (await import("./host/trace.ts")).traced(host, say) : host,
      progress,
      say,
      page: pageOf(stderr),
      isColored: !isPlain,
      async explained(explanations) {
        const { explainedText } = await import("./report/explanations.ts");
        say(`\n${explainedText(explanations, pageOf(stderr))}`);
      },
      isScreen: stdout.isTTY === true,
      ...(terminal === undefined ? NOBODY : asking(terminal)),
    };
    const outcome = await parsed.command.run(parsed.args, context);
    progress.end();
    await print(outcome);
    return outcome.status;

    async function parseWithYargs(): Promise<Parsed> {
      const { parse } = await import("./cli/parser.ts");
      return parse(argv, stdout.columns || 80);
    }

    function talkTo(open: (() => Promise<Terminal>) | undefined): Asking["loginTalk"] {
      return (facts) => ({
        progress,
        confirm:
          open &&
          (async (question) => {
            progress.end();
            return (await open()).confirm(question, false);
          }),
        async announce(scopes, browser) {
          progress.end();
          const { loginText } = await import("./report/login.ts");
          say(loginText(facts, { scopes, browser, env }, pageOf(stderr)));
        },
      });
    }

    function asking(open: () => Promise<Terminal>): Omit<Asking, "loginTalk"> {
      return {
        async approve(report) {
          progress.end();
          const { plan, diff } = await planText(report);
          say(`${plan}\n`);
          shown = report;
          const isYes = await isAllowed(await open(), questionOf(report.plan), diff);
          say("\n");
          return isYes;
        },
        async trust({ command, given, why }) {
          progress.end();
          const may =
            given === "kept"
              ? "Allow it on this machine?"
              : `You are asked each time, because ${safe(why)}.\nAllow it this time?`;
          const question = `To get the token, this repo's config runs: ${safe(command)}\n${may}`;
          return (await open()).confirm(question, false);
        },
        async askForRoots(asked) {
          progress.end();
          const { askForRoots } = await import("./commands/init/ask-for-roots.ts");
          return askForRoots(await open(), asked);
        },
        async adopt(asked) {
          progress.end();
          const { chooseOffer } = await import("./concerns/token/guide.ts");
          const shown = (text: string) => shortened(text, edge());
          return chooseOffer(await open(), asked, shown);
        },
        async choose(choices) {
          progress.end();
          const width = Math.max(...choices.map(({ label }) => label.length));
          const lines = choices.map(({ label, about }) => `${label.padEnd(width)}  ${about}`);
          const question = "This repo has environments. Which one do you want to set up?";
          const at = await (await open()).choose(question, lines);
          // Later advice is about this environment.
          environment = choices[at]?.environment;
          return environment;
        },
        async replace(message) {
          progress.end();
          return (await open()).confirm(`${message}\nReplace it with this token?`, false);
        },
        async makeCurrent(context, { message, isHarmless }) {
          progress.end();
          const why = wrap(message, pageOf(stderr).columns - 4).join("\n");
          const question = `${why}\nMake ${safe(context)} doctl's current context?`;
          return (await open()).confirm(question, isHarmless);
        },
        async askForKeys({ buckets, proposed }) {
          progress.end();
          const names = buckets.map(safe).join(" and ");
          const answers = [
            { text: `Create a key for it (opens nothing else; goes into the env file)`, is: "key" },
            {
              text: "Create the bucket too (Spaces costs from $5 a month), and the key",
              is: "bucket",
            },
            { text: "Not now", is: undefined },
          ] as const;
          const shown = proposed ? [answers[1], answers[0], answers[2]] : answers;
          const question = `The state is kept in bucket ${names}, and this machine has no Spaces key.`;
          const at = await (await open()).choose(
            question,
            shown.map(({ text }) => text),
          );
          return shown[at]?.is;
        },
        async askToSetUp(repo) {
          progress.end();
          const question = `Also create the environments and secrets on ${safe(repo)}, with your own gh?`;
          return (await open()).confirm(question, false);
        },
        async retry(why) {
          progress.end();
          const { retryQuestion } = await import("./concerns/token/guide.ts");
          await (await open()).enter(retryQuestion(why));
        },
        async offerLogin(facts) {
          progress.end();
          const { loginOffer } = await import("./commands/init/log-in.ts");
          const offer = await loginOffer(host, facts);
          const person = await open();
          if (offer === "old") {
            const text =
              "With doctl 2.5 or newer you can log in with your browser and copy nothing.";
            person.line(wrap(text, pageOf(stderr).columns - 4).join("\n"));
          }
          if (offer !== "yes") return false;
          const answers = [
            "Log in with your browser (nothing to copy; doctl renews the login)",
            "Paste a token",
          ];
          return (
            (await person.choose("How do you want to sign in to DigitalOcean?", answers)) === 0
          );
        },
        async askForToken(facts, inspections, purpose) {
          progress.end();
          const { hosts, code } = facts.token;
          const { guide } = await import("./concerns/token/guide.ts");
          const text = await guide(host, progress, {
            config: facts.config,
            top: facts.repo.top,
            hosts,
            rows: panelRows(code),
            unread: unreadIn(code),
            inspections,
            purpose,
            refused: refusedPlaces(facts.token),
          });
          // An empty line separates the questions from the rest.
          say("\n");
          return text;
        },
      };
    }
  } catch (thrown) {
    progress.end();
    const error = asAppError(thrown);
    await printError(error);
    if (isDebug && error.cause instanceof Error) say(traceOf(error.cause));
    return argv[0] === "exec" ? EXIT.exec : error.status;
  }

  async function planText(report: Report | HookReport): Promise<{ plan: string; diff: string }> {
    const page = pageOf(stderr);
    if (report.command === "hook") {
      const { hookDiff, hookPlan } = await import("./report/hook.ts");
      return { plan: hookPlan(report, page), diff: hookDiff(report, page) };
    }
    const { humanDiff, humanPlan } = await import("./report/human.ts");
    return { plan: humanPlan(report, page), diff: humanDiff(report, page) };
  }

  /** @param diff shown if the person asks for it first. */
  async function isAllowed(person: Terminal, question: string, diff: string): Promise<boolean> {
    if (diff === "") return person.confirm(question);
    const key = await person.press(question, { y: "Yes", n: "No", d: "Show the diff" });
    if (key !== "d") return key === "y";
    say(`\n${diff}\n`);
    return (await person.press(question, { y: "Yes", n: "No" })) === "y";
  }

  async function print(outcome: Outcome): Promise<void> {
    if (!("report" in outcome)) {
      if (outcome.output !== undefined) stdout.write(outcome.output);
      return;
    }
    const { report, status } = outcome;
    if (report.command === "scopes") {
      const { scopesDocument, scopesMarkdown, scopesText } = await import("./report/scopes.ts");
      if (isJson) stdout.write(jsonDocument(scopesDocument(report, edge()), status));
      else if (report.format === "markdown") show(scopesMarkdown(report));
      else show(scopesText(report, pageOf(stdout)));
      return;
    }
    if (report.command === "hook") {
      const { hookDocument, hookText } = await import("./report/hook.ts");
      if (isJson) stdout.write(jsonDocument(hookDocument(report, edge()), status));
      else if (report.dryRun) show(hookText(report, pageOf(stdout)));
      else say(hookText(report, pageOf(stderr)));
      return;
    }
    if (report.command === "backend") {
      const { keysDocument, keysText } = await import("./report/keys.ts");
      if (isJson) stdout.write(jsonDocument(keysDocument(report), status));
      else show(keysText(report, pageOf(stdout)));
      return;
    }
    if (report.command === "explain") {
      const { explainedDocument, explainedText } = await import("./report/explanations.ts");
      if (isJson) stdout.write(jsonDocument(explainedDocument(report, edge()), status));
      else show(explainedText(report.explanations, pageOf(stdout)));
      return;
    }
    if (isJson) {
      stdout.write(jsonReport(await withUses(report), status, edge()));
      return;
    }
    // Requested output is data. Messages about a run that wrote something go to stderr.
    const isData = report.command === "check" || report.dryRun;
    const whole = report.command === "check" ? await withUses(report) : report;
    if (isUnchanged(report)) return say(unchanged(report, pageOf(stderr)));
    const { humanReport } = await import("./report/human.ts");
    const text = humanReport(whole, pageOf(isData ? stdout : stderr), { status, shown });
    if (isData) show(text);
    else say(text);
  }

  async function printError(error: AppError): Promise<void> {
    if (isJson) {
      stdout.write(jsonError(error, edge()));
      return;
    }
    const { humanError } = await import("./report/human.ts");
    say(humanError(error, pageOf(stderr)));
  }
}

/**
 * Where a library failed, and its error code. Its message is left out: it may repeat its input (docs/design.md rule 1).
 */
function traceOf({ name, message, stack = "", ...more }: Error): string {
  const code = "code" in more && typeof more.code === "string" ? ` ${more.code}` : "";
  const frames = stack
    .replace(message, "")
    .split("\n")
    .filter((line) => /^ +at /.test(line));
  return `${[safe(name + code), ...frames.map(safe)].join("\n")}\n`;
}

/** Counts the changes as planned, as if all were made. */
function questionOf({ changes, commands, outside }: Report["plan"]): string {
  const [only, ...more] = commands;
  const runs = more.length === 0 ? only && title(only) : `${commands.length} commands`;
  const isLong = outside.length > MOST_NAMED;
  const made = changes.length + (isLong ? outside.length : 0);
  const parts = [
    ...(made === 0 ? [] : [made === 1 ? "make this change" : `make these ${made} changes`]),
    ...(isLong ? [`${outside.length} of them outside this machine`] : []),
    ...(runs === undefined ? [] : [`run ${runs}`]),
    ...(isLong ? [] : outside.map(({ asked }) => asked)),
  ];
  const question = parts.join(isLong ? ", " : ", and ");
  return `${question.charAt(0).toUpperCase()}${question.slice(1)}?`;
}

/** More changes outside this machine are only counted: their names are in the list above the question. */
const MOST_NAMED = 3;

const NOBODY: Omit<Asking, "loginTalk"> = {
  approve: async () => true,
  trust: undefined,
  adopt: undefined,
  askForToken: undefined,
  retry: undefined,
  offerLogin: undefined,
  replace: undefined,
  makeCurrent: undefined,
  askForKeys: undefined,
  askToSetUp: undefined,
  askForRoots: undefined,
  choose: undefined,
};

/** `do-bootstrap check | head` is not a failure. A full disk is, and it may have no room for this message either. */
function endUnlessClosed({ code }: NodeJS.ErrnoException): void {
  if (code === "EPIPE") return;
  process.stderr.off("error", endUnlessClosed).on("error", () => undefined);
  process.stderr.write(`do-bootstrap: could not write the output (${code}).\n`);
  process.exit(EXIT.failed);
}
