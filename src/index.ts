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

/** A failure that ends a call: what happened and where (message), and what fixes it. */
export class DoBootstrapError extends Error {
  /** Stable, such as "CONFIG_INVALID". */
  readonly code: string;
  /** The exit status that the command would have had. */
  readonly status: number;
  /** undefined: there is nothing to advise. */
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
 * @throws DoBootstrapError for what no plan can be made from; DECLINED, INTERRUPTED, and what cannot be
 *   written, after which every file is as it was.
 */
export function bootstrap(options: BootstrapOptions = {}): Promise<ReportDocument> {
  return answered(options, async (runtime, edge) => {
    const { report, status } = await tasks.bootstrap(runtime, options);
    // A person may have chosen it on the way.
    const { environment } = report.facts.config;
    return jsonReport(await withUses(report), status, { ...edge, environment });
  });
}

/**
 * Looks at the same things and writes nothing: `do-bootstrap check`.
 *
 * @throws DoBootstrapError for what cannot be looked at.
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
 * @throws DoBootstrapError USAGE for a folder that is not there, PLAN_UNREADABLE, and those of the config.
 */
export function scopes(options: ScopesOptions = {}): Promise<ScopesDocument> {
  return answered(options, async (runtime, edge) => {
    const { report, status } = await tasks.scopes(runtime, options);
    return jsonDocument(scopesDocument(report, edge), status);
  });
}

/**
 * Says what an error of doctl, Terraform or curl means: `do-bootstrap explain`.
 *
 * @param text all that the tool printed.
 * @throws DoBootstrapError NOTHING_TO_EXPLAIN where no failure of DigitalOcean's is in it.
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

/** Runs a task apart from all that runs in this process, and reads the document that it prints. */
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
      const runtime = { host, progress, ...asking(prompter) };
      return JSON.parse(await task(runtime, { ...edge, cwd }));
    } catch (thrown) {
      const { code, message, status, hint } = asAppError(thrown);
      const advice = hint && hintText(hint, { ...edge, cwd });
      throw new DoBootstrapError(message, { code, status, hint: advice });
    }
  });
}

/** Nobody is asked where there is nobody who asks. */
function asking({
  environment,
  token,
  adopt,
  approve,
  roots: askForRoots,
  trust,
}: Prompter = {}): Asking {
  return {
    choose:
      environment &&
      (async (choices) =>
        environment(choices.map((each) => ({ environment: each.environment, about: each.about })))),
    approve: async ({ plan }: Pick<Report, "plan">) => (await approve?.(jsonPending(plan))) ?? true,
    adopt,
    trust,
    askForRoots,
    retry: undefined,
    // It takes a person and a browser.
    offerLogin: undefined,
    loginTalk: undefined,
    replace: undefined,
    makeCurrent: undefined,
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
