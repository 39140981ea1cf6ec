import type { ExitStatus } from "../errors/exit-status.ts";
import type { Runtime } from "../library/runtime.ts";
import type { ExplainReport } from "../report/explanations.ts";
import type { HookReport } from "../report/hook.ts";
import type { Page } from "../report/paint.ts";
import type { Progress } from "../report/progress.ts";
import type { Report } from "../report/report.ts";
import type { ScopesReport } from "../report/scopes.ts";
import type { Explanation } from "../scopes/explanation.ts";
import type { ArgsOf, Completable, globalOptions, Options } from "./options.ts";

/** What a command may use besides its arguments. */
export interface Context extends Runtime {
  readonly progress: Progress;
  /** Talk: goes to stderr at once. */
  readonly say: (text: string) => void;
  /** Where `say` prints. */
  readonly page: Page;
  readonly isColored: boolean;
  /** Says at once, on stderr, what an error meant. */
  readonly explained: (explanations: readonly Explanation[]) => Promise<void>;
  /** True where what is printed can be read over a shoulder. */
  readonly isScreen: boolean;
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
  /** Other names, as other programs have. */
  readonly aliases?: readonly string[];
  readonly describe: string;
  /** Few people need it: the plain overview has its name only. */
  readonly rare?: true;
  /** What stands behind the options, such as " -- COMMAND". */
  readonly words?: string;
  /** Words that the command takes itself: any number of them, or one of a closed list. */
  readonly positional?: string;
  /** What a shell completes these words with. A list is closed: no other word is taken. */
  readonly completes?: Completable;
  /** Of a closed list, no word will do, too. */
  readonly isOptional?: boolean;
  /** What the word says, for a line without one. */
  readonly needs?: string;
  readonly options: Options;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** Imports the libraries that it needs when it runs. Our own code is one chunk: a dozen small ones
   * take longer to find than all of it to read. */
  readonly run: (args: Args, context: Context) => Promise<Outcome>;
}

/** Arguments of some command; its own handler gets them by its definition. */
export type Args = { readonly [name: string]: Argument } & LineArgs;

type Argument = boolean | string | readonly string[] | undefined;

/** What every command gets. */
type LineArgs = { readonly "--": readonly string[] };

/** What a handler gets for the words that its command takes itself. */
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

/** A command whose handler gets what its options and words say. */
export function command<
  const Of extends Options,
  const Positional extends string = never,
  const Completes extends Completable | undefined = undefined,
  const IsOptional extends boolean = false,
>(definition: Definition<Of, Positional, Completes, IsOptional>): Command {
  // The types say of a definition what read-args.ts makes of it.
  return definition as unknown as Command;
}
