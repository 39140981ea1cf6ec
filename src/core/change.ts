import type { Host, Undo } from "../host/host.ts";
import type { Content } from "../secret/content.ts";

/**
 * Something that a plan changes. A kind knows itself: all that the engine, the report and the documents know
 * of a change, they ask it.
 */
export interface Change {
  readonly why: string;
  readonly stage: Stage;
  /** For a person: a file's absolute path, or a name. */
  readonly label: string;
  /** The file that it is about, absolute. */
  readonly file: string | undefined;
  readonly sign: "+" | "~" | "-";
  /** A clone needs the file as it will be: it holds no secret. */
  readonly isForClones: boolean;
  /** A folder that has to be there first. */
  readonly folder?: string;
  /** Where a secret will stand, links not yet followed: git has to ignore it. */
  readonly secretAt?: string | undefined;
  /** What it is about, before and after; absent where there is nothing to see. */
  diff(): Difference | undefined;
  /** As documents have it. */
  json(): object;
  /**
   * Asks those who can refuse, before anything is written.
   *
   * @returns warnings.
   * @throws AppError
   */
  check?(context: ApplyContext): Promise<readonly string[]>;
  /** Makes the change; every part of it goes through `context.step`, so that it can be undone. */
  apply(context: ApplyContext): Promise<void>;
}

export interface Difference {
  readonly before: Content;
  readonly after: Content;
  /** Permission bits, before and after. */
  readonly modes?: readonly [before: number, after: number];
}

/**
 * In this order: files that git may have (ignore rules among them), files with secrets, doctl's logins. What
 * takes a token or its protection away goes last, so that a killed run can be finished.
 */
export const STAGES = ["open", "secret", "login", "removal"] as const;
export type Stage = (typeof STAGES)[number];

export type ApplyHost = Pick<
  Host,
  "files" | "clock" | "steadyClock" | "run" | "which" | "env" | "http" | "locked" | "interrupted"
>;

export interface ApplyContext {
  readonly host: ApplyHost;
  readonly progress: (what: string) => void;
  /** Waits for a part of a change, and remembers what undoes it. @throws AppError INTERRUPTED */
  readonly step: (action: Promise<Undo>) => Promise<void>;
}
