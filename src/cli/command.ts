import type { Person } from "../commands/init/bootstrap.ts";
import type { ExitStatus } from "../errors/exit-status.ts";
import type { Host } from "../host/host.ts";
import type { ExplainReport } from "../report/explain.ts";
import type { HookReport } from "../report/hook.ts";
import type { Progress } from "../report/progress.ts";
import type { Report } from "../report/report.ts";
import type { ScopesReport } from "../report/scopes.ts";
import type { Explanation } from "../scopes/explain.ts";

/** An option as data; the parser's quirks have their home in parser.ts. */
export interface Option {
  readonly type: "boolean" | "string";
  readonly describe: string;
  /** Name of the value in the help. */
  readonly value?: string;
  /** What a shell can complete its value with. */
  readonly completes?: Completable;
}

/** Words to choose from, or where they are found. */
export type Completable = readonly string[] | "environments" | "files" | "folders";

export type Args = Readonly<Record<string, unknown>>;

/** What a command may use besides its arguments. */
export interface Context {
  readonly host: Host;
  readonly progress: Progress;
  /** Talk: goes to stderr at once. */
  readonly say: (text: string) => void;
  /** Says at once, on stderr, what an error meant. */
  readonly explained: (explanations: readonly Explanation[]) => Promise<void>;
  /** True where what is printed can be read over a shoulder. */
  readonly isScreen: boolean;
  /** Leads a person to a token; absent where nobody can be asked. */
  readonly askForToken: Person["ask"];
  /** Asks whether a command of the repo's config may run. */
  readonly trust: Person["trust"];
  /** Shows a plan and asks for leave; true at once where nobody can be asked. */
  readonly approve: (report: Report) => Promise<boolean>;
}

export type Outcome =
  | {
      readonly status: ExitStatus;
      readonly report: Report | ScopesReport | ExplainReport | HookReport;
    }
  | {
      /** For `exec`, the command's. */
      readonly status: number;
      /** Data for standard output as it is; absent where all was said while the command ran. */
      readonly output?: string;
    };

/** A command is plain data; it returns an outcome and prints nothing itself. */
export interface Command {
  readonly name: string;
  readonly describe: string;
  /** What stands behind the options, such as " -- COMMAND". */
  readonly words?: string;
  /** Words that the command takes itself, any number of them. */
  readonly positional?: string;
  /** What a shell can complete these words with. */
  readonly completes?: Completable;
  readonly options: Readonly<Record<string, Option>>;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** Imports the libraries that it needs when it runs. Our own code is one chunk: a dozen small ones
   * take longer to find than all of it to read. */
  readonly run: (args: Args, context: Context) => Promise<Outcome>;
}
