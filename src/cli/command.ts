import type { ExitStatus } from "../errors/exit-status.ts";
import type { Runtime } from "../library/runtime.ts";
import type { ExplainReport } from "../report/explanations.ts";
import type { HookReport } from "../report/hook.ts";
import type { KeysReport } from "../report/keys.ts";
import type { Page } from "../report/paint.ts";
import type { Progress } from "../report/progress.ts";
import type { Report } from "../report/report.ts";
import type { ScopesReport } from "../report/scopes.ts";
import type { Explanation } from "../scopes/explanation.ts";
import type { ArgsOf, Completable, globalOptions, Options } from "./options.ts";

/** What a command can use in addition to its arguments. */
export interface Context extends Runtime {
  readonly progress: Progress;
  /** Prints a message on stderr immediately. */
  readonly say: (text: string) => void;
  /** Where `say` prints. */
  readonly page: Page;
  readonly isColored: boolean;
  /** Prints the explanation of an error on stderr immediately. */
  readonly explained: (explanations: readonly Explanation[]) => Promise<void>;
  /** True if standard output is a terminal, where others may see it. */
  readonly isScreen: boolean;
}

/** Whether a person will see the plan, and answer. */
export function isAsked(args: { readonly yes: boolean }, context: Context): boolean {
  return !args.yes && context.askForToken !== undefined;
}

export type Outcome =
  | {
      readonly status: ExitStatus;
      readonly report: Report | ScopesReport | ExplainReport | HookReport | KeysReport;
    }
  | {
      /** For `exec`, the command's status. */
      readonly status: number;
      /** Data for standard output, unchanged. Absent if everything was printed while the command ran. */
      readonly output?: string;
    };

/** A command is plain data. It returns an outcome and prints nothing itself. */
export interface Command {
  readonly name: string;
  /** Names that other programs use for it. */
  readonly aliases?: readonly string[];
  readonly describe: string;
  /** Few people need it: the short overview only lists its name. */
  readonly rare?: true;
  /** What follows the options, such as " -- COMMAND". */
  readonly words?: string;
  /** The command's own words: any number of them, or one of a closed list. */
  readonly positional?: string;
  /** What a shell completes these words with. A list is closed: other words are refused. */
  readonly completes?: Completable;
  /** With a closed list: the word may be omitted. */
  readonly isOptional?: boolean;
  /** What the word means, for the error if it is missing. */
  readonly needs?: string;
  readonly options: Options;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /**
   * Imports the libraries that it needs when it runs. Our own code is one chunk, since a dozen small ones take longer
   * to find than all of it takes to read.
   */
  readonly run: (args: Args, context: Context) => Promise<Outcome>;
}

/** Arguments of any command. Its handler gets them typed by its definition. */
export type Args = { readonly [name: string]: Argument } & LineArgs;

type Argument = boolean | string | readonly string[] | undefined;

/** The arguments of every command. */
type LineArgs = { readonly "--": readonly string[] };

/** The type of the command's own words for its handler. */
type PositionalArgs<Positional extends string, Completes, IsOptional> = {
  readonly [Name in Positional]: Completes extends readonly (infer Word)[]
    ? Word | (IsOptional extends true ? undefined : never)
    : readonly string[];
};

type Definition<
  Of extends Options,
  Positional extends string,
  Completes extends Completable | undefined,
  IsOptional extends boolean,
> = Omit<Command, "positional" | "completes" | "isOptional" | "options" | "run"> & {
  readonly positional?: Positional;
  readonly completes?: Completes;
  readonly isOptional?: IsOptional;
  readonly options: Of;
  readonly run: (
    args: ArgsOf<typeof globalOptions> &
      ArgsOf<Of> &
      PositionalArgs<Positional, Completes, IsOptional> &
      LineArgs,
    context: Context,
  ) => Promise<Outcome>;
};

/** A command whose handler's arguments are typed by its options and words. */
export function command<
  const Of extends Options,
  const Positional extends string = never,
  const Completes extends Completable | undefined = undefined,
  const IsOptional extends boolean = false,
>(definition: Definition<Of, Positional, Completes, IsOptional>): Command {
  // read-args.ts makes these arguments from the definition, as the types say.
  return definition as unknown as Command;
}
