import type { ExitStatus } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { Person } from "../plan/bootstrap.ts";
import type { Report } from "../report/report.ts";

/** An option as data; the parser's quirks have their home in parser.ts. */
export interface Option {
  readonly type: "boolean" | "string";
  readonly describe: string;
  /** Name of the value in the help. */
  readonly value?: string;
}

export type Args = Readonly<Record<string, unknown>>;

/** What a command may use besides its arguments. */
export interface Context {
  readonly host: Host;
  readonly progress: (what: string) => void;
  /** Talk: goes to stderr at once. */
  readonly say: (text: string) => void;
  /** Leads a person to a token; absent where nobody can be asked. */
  readonly askForToken: Person["ask"];
  /** Shows a plan and asks for leave; true at once where nobody can be asked. */
  readonly approve: (report: Report) => Promise<boolean>;
}

export interface Outcome {
  readonly status: ExitStatus;
  /** Absent for a command that says all it has to say while it runs. */
  readonly report?: Report;
}

/** A command is plain data; it returns an outcome and prints nothing itself. */
export interface Command {
  readonly name: string;
  readonly describe: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** Imports what it needs when it runs: `--help` pays for nothing. */
  readonly run: (args: Args, context: Context) => Promise<Outcome>;
}
