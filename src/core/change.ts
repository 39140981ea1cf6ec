import type { Host, Undo } from "../host/host.ts";
import type { Content } from "../secret/content.ts";

/**
 * Something that a plan changes. The engine, the report and the documents know nothing about the kinds of changes: they
 * ask the change.
 */
export interface Change {
  readonly why: string;
  readonly stage: Stage;
  /** For a person: a file's absolute path, or a name. */
  readonly label: string;
  /** The absolute path of the file that is changed. */
  readonly file: string | undefined;
  readonly sign: "+" | "~" | "-";
  /** A clone needs the new content of the file, and the file holds no secret. */
  readonly isForClones: boolean;
  /** A folder that must exist first. */
  readonly folder?: string;
  /** Where a secret will be written, before links are resolved. git must ignore it. */
  readonly secretAt?: string | undefined;
  /** The content before and after; absent where there is nothing to show. */
  diff(): Difference | undefined;
  /** The JSON in documents. */
  json(): object;
  /**
   * Checks whether anything refuses the change, before anything is written.
   *
   * @returns warnings.
   * @throws AppError
   */
  check?(context: ApplyContext): Promise<readonly string[]>;
  /** Makes the change. Every part goes through `context.step`, so that it can be undone. */
  apply(context: ApplyContext): Promise<void>;
}

export interface Difference {
  readonly before: Content;
  readonly after: Content;
  /** Permission bits, before and after. */
  readonly modes?: readonly [before: number, after: number];
}

/**
 * In this order: files that git may track (including ignore rules), files with secrets, doctl's logins. Changes that
 * remove a token or its protection come last, so that a killed run can be finished.
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
  /** Waits for a part of a change, and remembers how to undo it. @throws AppError INTERRUPTED */
  readonly step: (action: Promise<Undo>) => Promise<void>;
}
