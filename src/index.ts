import { dirname } from "node:path";
import { refusedPlaces } from "./concerns/token/facts.ts";
import { panelRows, unreadIn } from "./concerns/token/needed-scopes.ts";
import { asAppError } from "./errors/app-error.ts";
import { hint } from "./errors/hint.ts";
import { commandLineOf } from "./exec/command-line.ts";
import { givenSurface, nodeHost } from "./host/node.ts";
import type {
  BootstrapOptions,
  CheckOptions,
  EnvironmentOptions,
  Options,
  Prompter,
  ScopesOptions,
} from "./library/options.ts";
import type { Asking, Runtime } from "./library/runtime.ts";
import * as tasks from "./library/tasks.ts";
import type {
  EnvironmentDocument,
  ExplainDocument,
  ReportDocument,
  ScopesDocument,
} from "./report/documents.ts";
import { explainedDocument } from "./report/explanations.ts";
import { type HintEdge, hintText, shellOf } from "./report/hint-text.ts";
import { jsonDocument, jsonPending, jsonReport } from "./report/json.ts";
import { type Report, withUses } from "./report/report.ts";
import { scopesDocument } from "./report/scopes.ts";
import { apart } from "./secret/known.ts";
import { rememberAll } from "./secret/named.ts";

export type * from "./library/options.ts";
export type * from "./report/documents.ts";

/** A failure that ends a call. The message says what happened and where; the hint says how to fix it. */
export class DoBootstrapError extends Error {
  /** Stable, such as "CONFIG_INVALID". */
  readonly code: string;
  /** The exit status that the command would have had. */
  readonly status: number;
  /** undefined: there is no advice. */
  readonly hint: string | undefined;

  constructor(message: string, about: { code: string; status: number; hint: string | undefined }) {
    super(message);
    this.name = "DoBootstrapError";
    this.code = about.code;
    this.status = about.status;
    this.hint = about.hint;
  }
}

/**
 * Prepares a repo: `do-bootstrap init`. A plan with errors is not applied: look at `findings` and `status`.
 *
 * @throws DoBootstrapError where no plan can be made; DECLINED; INTERRUPTED; and where a file cannot be written, after
 *   which every file is as it was before.
 */
export function bootstrap(options: BootstrapOptions = {}): Promise<ReportDocument> {
  return answered(options, async (runtime, edge) => {
    const { report, status } = await tasks.bootstrap(runtime, options);
    // A person may have chosen the environment during the run.
    const { environment } = report.facts.config;
    return jsonReport(await withUses(report), status, { ...edge, environment });
  });
}

/**
 * Checks the same things and writes nothing: `do-bootstrap check`.
 *
 * @throws DoBootstrapError where something cannot be read.
 */
export function check(options: CheckOptions = {}): Promise<ReportDocument> {
  return answered(options, async (runtime, edge) => {
    const { report, status } = await tasks.check(runtime, options);
    return jsonReport(await withUses(report), status, edge);
  });
}

/**
 * Works out the token scopes that Terraform code needs: `do-bootstrap scopes`.
 *
 * @throws DoBootstrapError USAGE for a missing folder, PLAN_UNREADABLE, and the errors of the config.
 */
export function scopes(options: ScopesOptions = {}): Promise<ScopesDocument> {
  return answered(options, async (runtime, edge) => {
    const { report, status } = await tasks.scopes(runtime, options);
    return jsonDocument(scopesDocument(report, edge), status);
  });
}

/**
 * Explains an error of doctl, Terraform or curl: `do-bootstrap explain`.
 *
 * @param text everything that the tool printed.
 * @throws DoBootstrapError NOTHING_TO_EXPLAIN where the text contains no error from DigitalOcean.
 */
export function explain(text: string, options: Options = {}): Promise<ExplainDocument> {
  return answered(options, async (runtime, edge) => {
    const example = hint`the full output of terraform apply`;
    const { report, status } = await tasks.explain(runtime, { ...options, text, example });
    return jsonDocument(explainedDocument(report, edge), status);
  });
}

/**
 * The variables that `do-bootstrap exec` adds for a command. They are secrets.
 *
 * @throws DoBootstrapError with the id of a finding where there is no token to use; OTHER_TOKEN.
 */
export function environment(options: EnvironmentOptions = {}): Promise<EnvironmentDocument> {
  const { environment: env, all, verify, trust } = options;
  const line = commandLineOf("env", { env, format: "json", all, verify, trust });
  return answered(options, async (runtime) => {
    const { text, notice } = await tasks.environment(runtime, line);
    return JSON.stringify({ variables: JSON.parse(text), notice: notice.trim() || null });
  });
}

/** Runs a task isolated from other runs in this process, and parses the document that it prints. */
function answered<Document>(
  options: Options & { readonly prompter?: Prompter | undefined },
  task: (runtime: Runtime, edge: HintEdge) => Promise<string>,
): Promise<Document> {
  return apart(async () => {
    const { environment, prompter, progress = () => undefined, commandSays: toolSays } = options;
    const { cwd: given, env: variables, signal } = options;
    const surface = givenSurface({ cwd: given, env: variables, signal, toolSays });
    const { env, platform } = surface;
    rememberAll(env);
    const edge = { environment, platform, shell: shellOf(platform, env) };
    let cwd: string | undefined;
    try {
      const host = nodeHost(dirname(import.meta.dirname), surface);
      cwd = host.cwd;
      const runtime = { host, progress, ...asking(prompter, platform) };
      return JSON.parse(await task(runtime, { ...edge, cwd }));
    } catch (thrown) {
      const { code, message, status, hint } = asAppError(thrown);
      const advice = hint && hintText(hint, { ...edge, cwd });
      throw new DoBootstrapError(message, { code, status, hint: advice });
    }
  });
}

/** Without a prompter, no question is asked. */
function asking(
  { environment, token, adopt, approve, roots: askForRoots, trust }: Prompter = {},
  platform: NodeJS.Platform,
): Asking {
  return {
    choose:
      environment &&
      (async (choices) =>
        environment(choices.map((each) => ({ environment: each.environment, about: each.about })))),
    approve: async ({ plan }: Pick<Report, "plan">) =>
      (await approve?.(jsonPending(plan, { platform }))) ?? true,
    adopt,
    trust,
    askForRoots,
    retry: undefined,
    // These need a person and a browser.
    offerLogin: undefined,
    loginTalk: undefined,
    replace: undefined,
    makeCurrent: undefined,
    askForKeys: undefined,
    askToSetUp: undefined,
    askForToken:
      token &&
      (async ({ config, token: facts }) => {
        return token({
          project: config.project,
          scopes: panelRows(facts.code).flatMap(([about, actions]) =>
            actions.map((action) => `${about}:${action}`),
          ),
          unread: unreadIn(facts.code),
          refused: refusedPlaces(facts),
        });
      }),
  };
}
