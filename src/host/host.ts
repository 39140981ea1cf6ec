import type { Hint } from "../errors/hint.ts";
import type { ChildEnvironment } from "../secret/child-environment.ts";

/**
 * What the program may ask of the machine. A function takes only the part that it uses (`Pick<Host, …>`). `node.ts` is
 * the one implementation.
 */
export interface Host {
  readonly env: Environment;
  /** Absolute path of the working directory. */
  readonly cwd: string;
  readonly home: string | undefined;
  readonly platform: NodeJS.Platform;
  /** The folder of this package, or the path of the standalone binary. */
  readonly packageFolder: string;
  /** The words that start this program again, in another process. */
  readonly ownCommand: readonly [file: string, ...args: string[]];
  /** A file of this package's folder `templates`, such as "terraform/versions.tf". */
  readonly template: (name: string) => string;
  readonly files: Files;
  readonly records: Records;
  readonly state: State;
  readonly clock: Clock;
  /** Monotonic, for measuring durations. It continues when the run is interrupted, so that changes can be undone. */
  readonly steadyClock: Clock;
  readonly http: (request: HttpRequest) => Promise<HttpAnswer>;
  readonly run: (call: ToolCall) => Promise<ToolResult>;
  /** This process, for what it leaves behind if it is killed. */
  readonly thisProcess: () => RunningProcess;
  /** True for a process that has certainly ended. */
  readonly isOver: (process: RunningProcess) => boolean;
  /** Finds an executable on PATH, but never inside `notIn`. */
  readonly which: (name: string, notIn: string) => Promise<ToolSearch>;
  /** Runs `action` while no other process holds the lock at `path`. */
  readonly locked: <T>(path: string, wait: LockWait, action: () => Promise<T>) => Promise<T>;
  /**
   * The files of a folder that npm would publish, relative to it. Empty if npm would not publish it; undefined if the
   * list is not available, or not in time.
   *
   * @throws AppError INTERRUPTED
   */
  readonly npmFiles: (folder: string) => Promise<readonly string[] | undefined>;
  /** All of standard input, which must not be a terminal. */
  readonly readInput: (of: InputKind) => Promise<string>;
  /**
   * Tells whether a path is the file that standard input was read from.
   *
   * @returns undefined if it was not a regular file, or has not been read.
   */
  readonly inputFile: () => ((path: string) => boolean) | undefined;
  /** Opens a page in the user's browser, with a tool outside `notIn`. @returns false without such a tool. */
  readonly openPage: (address: string, notIn: string) => Promise<boolean>;
  /** Absent unless both standard input and standard error are terminals. */
  readonly terminal: (() => Promise<Terminal>) | undefined;
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly interrupted: AbortSignal;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What is read from standard input, and the option that asked for it. */
export interface InputKind {
  readonly what: "a token" | "a plan" | "an error text";
  readonly asked: string;
  readonly example: Hint;
  readonly maxBytes: number;
  readonly waitMs: number;
}

/** What earlier runs worked out about a path, in the user's cache folder. Contains no secrets. */
export interface Records {
  /** @returns undefined if nothing is kept, or if something that it depends on has changed since. */
  recall(path: string, kind?: RecordKind): unknown;
  /**
   * @param since when reading began, in milliseconds since the epoch.
   * @param from what the value depends on; by default the file itself.
   */
  keep(
    path: string,
    value: unknown,
    since: number,
    from?: { readonly kind: RecordKind; readonly inputs: readonly string[] },
  ): void;
}

/**
 * config: about a file (a config, a tool). roots: the root modules found for a project's folder. history: the git objects
 * that were searched in a repo.
 */
export type RecordKind = "config" | "roots" | "history";

/** What this machine remembers until it is removed. Contains no secrets. */
export interface State {
  /** @returns undefined if there is no such file that belongs to the user. */
  read(key: StateKey): string | undefined;
  /**
   * @returns false if there is no folder for it outside every checkout.
   * @throws AppError WRITE_FAILED
   */
  write(key: StateKey, text: string): boolean;
  remove(key: StateKey): void;
  /** False if the state of `folder` would be in a checkout, or there is no folder for it. */
  isSafe(folder: string): boolean;
  /**
   * A folder for private folders, outside every checkout. Created if missing.
   *
   * @returns undefined if there is none that belongs to the user.
   * @throws AppError WRITE_FAILED
   */
  runFolder(folder: string): string | undefined;
  /**
   * A file next to the state of `key`, for another program to write. Its folder is created.
   *
   * @returns undefined if there is no folder that belongs to the user.
   * @throws AppError WRITE_FAILED
   */
  fileFor(key: StateKey, ending: string): string | undefined;
  /** Whether that file exists. */
  hasFile(key: StateKey, ending: string): boolean;
}

export interface StateKey {
  readonly kind: "trusted" | "rotation" | "login" | "keys" | "hcp";
  /** The absolute path that it is about: the folder of our config, or doctl's config. */
  readonly folder: string;
  readonly name: string;
}

export interface Clock {
  /** Milliseconds. With `clock`: since the epoch, and a person or a server may set the clock back. */
  now(): number;
  /** Resolves after `ms` milliseconds. With `clock`: rejects with INTERRUPTED when the run is interrupted. */
  sleep(ms: number): Promise<void>;
}

export interface LockWait {
  readonly clock: Clock;
  /** Called after a second with the holder of the lock, such as "process 12 on web-1". */
  readonly waitingFor: (holder: string) => void;
  /** The error code after waiting too long; by default DOCTL_CONFIG_BUSY. */
  readonly busy?: "REPO_BUSY";
  /**
   * Continues without the lock if none can be created in its folder, for example because only another user may write to
   * it.
   */
  readonly ifPossible?: true;
}

/**
 * What is at a path. `target` is where a write would go: symlinks are followed, including dangling ones. If a `link`
 * puts it outside the repo, nothing is read, and nothing may be written (docs/design.md rule 4).
 */
export type Snapshot =
  | {
      readonly kind: "absent";
      readonly path: string;
      readonly target: string;
      /** The link in the path whose target is outside the repo. */
      readonly link?: string;
    }
  | FileSnapshot
  | {
      readonly kind: "fifo";
      readonly path: string;
      readonly target: string;
      readonly bytes: Buffer;
    }
  | {
      readonly kind: "unusable";
      readonly path: string;
      readonly target: string;
      /** In words: "a directory", "a device", "larger than 4 MB", "not readable (EACCES)". */
      readonly why: string;
      /** The link in the path whose target is outside the repo, if the target could be read otherwise. */
      readonly link?: string;
    };

export interface FileSnapshot {
  readonly kind: "file";
  readonly path: string;
  readonly target: string;
  readonly bytes: Buffer;
  /** Permission bits, such as 0o600. undefined on Windows, where a file has the rights of its folder. */
  readonly mode: number | undefined;
  /** The ids of its owner and group; 0 on Windows. */
  readonly uid: number;
  readonly gid: number;
  /** Milliseconds since the epoch. */
  readonly mtimeMs: number;
  readonly atimeMs: number;
}

export interface LookOptions {
  /** A larger file is "unusable"; by default 4 MB. */
  readonly maxBytes?: number;
  /** A file with more lines is "unusable"; by default there is no limit. */
  readonly maxLines?: number;
  /** For a file that may be a FIFO: waits up to 10 s for its writer. Without this, a FIFO is unusable. */
  readonly waitForFifo?: boolean;
}

export interface Files {
  /** The same, but not affected by signals: for undoing changes. */
  readonly steady: Files;
  /** Does not read a path in the repo if a link puts its target outside. Does not apply to git's own folder. */
  look(path: string, options?: LookOptions): Promise<Snapshot>;
  /** Names in a directory, sorted; empty if it doesn't exist. */
  list(directory: string): Promise<readonly string[]>;
  /** The entries of a directory, sorted; links are not followed. @returns the reason if it cannot be listed. */
  entries(directory: string): Promise<readonly Entry[] | string>;
  /** The path with every symlink resolved. For a missing path, the nearest existing ancestor is resolved. */
  realpath(path: string): Promise<string>;
  /** Why nothing can be created in a directory (or its nearest existing ancestor); undefined if it can. */
  whyNotWritable(directory: string): Promise<string | undefined>;
  /**
   * Replaces a file atomically. The bytes are on disk when this returns.
   *
   * @returns a function that undoes it, unless somebody else has written since.
   */
  replace(before: Snapshot, bytes: Uint8Array, mode: number): Promise<Undo>;
  /**
   * Removes a file, if it is unchanged.
   *
   * @param emptyBelow its folder and the folders above are removed too, if they are below this one and then empty.
   * @returns a function that undoes it.
   */
  remove(before: FileSnapshot, emptyBelow?: string): Promise<Undo>;
  /** Creates a directory with its parents. @returns a function that undoes it. */
  makeDirectory(path: string, mode: number): Promise<Undo>;
  /** The files that killed runs left in our private folders in a directory; absolute. */
  leftOvers(directory: string): Promise<readonly string[]>;
  /**
   * Removes the temporary files that a killed run left in a directory, as far as possible. Not if a link puts the
   * directory outside the repo.
   *
   * @returns the names that were in it.
   */
  sweep(directory: string): Promise<readonly string[]>;
  /**
   * Provides the path of a config file that doctl can write, in a private folder (0700) inside `parent`. It is removed
   * when `use` ends.
   *
   * @returns undefined if another user could redirect what doctl writes.
   */
  withDoctlFile<T>(parent: string, use: (path: string) => Promise<T>): Promise<T | undefined>;
  /**
   * A private folder (0700) inside `parent`, removed with its content when `use` ends.
   *
   * @throws AppError WRITE_FAILED where another user could replace what is in `parent`.
   */
  withOwnFolder<T>(parent: string, use: (folder: string) => Promise<T>): Promise<T>;
}

export interface Entry {
  readonly name: string;
  readonly kind: "file" | "directory" | "link" | "other";
}

export type Undo = () => Promise<void>;

export interface HttpRequest {
  readonly url: URL;
  /** By default POST for a form, otherwise GET. */
  readonly method?: "PUT" | "POST" | "PATCH" | "DELETE";
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>;
  /** Sent unchanged. */
  readonly body?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** A redirect is an answer like any other. It is never followed (docs/design.md rule 2). */
export type HttpAnswer =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly contentType: string;
      readonly body: string;
    }
  | {
      readonly kind: "failure";
      readonly why:
        | "timeout"
        | "refused"
        | "dns"
        | "tls"
        | "proxy"
        | "closed"
        | "headers"
        | "too-large";
      readonly detail: string;
      /** For "proxy": the variable that names it. */
      readonly variable?: string;
    };

export interface ToolCall {
  /** Absolute path. */
  readonly file: string;
  readonly args: readonly string[];
  /** The complete environment of the child. */
  readonly env: ChildEnvironment;
  readonly cwd?: string;
  readonly input?: string;
  readonly timeoutMs: number;
  /** "shown": passed on to our standard error immediately, and not kept. */
  readonly stderr?: "shown";
  /** A person interacts with it: it gets our standard input, and its output is shown on our standard error. */
  readonly isDialogue?: true;
  /** Called once it runs. */
  readonly onStart?: (process: RunningProcess) => void;
  /** What it does cannot be repeated: no signal ends it, and an interrupted run waits for it. */
  readonly isSteady?: true;
  /** How much of the end of each stream is kept; by default 256 kB. */
  readonly keptCharacters?: number;
  /** Gets each chunk of standard output, which is then not kept. Return "stop" to end the child. */
  readonly onStdout?: (chunk: Buffer) => unknown;
  /** With onStdout: ends the child if it prints nothing for this long. */
  readonly idleMs?: number;
  /** Ends the child as soon as its standard output so far satisfies this. */
  readonly stopWhen?: (stdout: string) => boolean;
}

/** Identifies a process, so that another run on this machine can find it again. */
export interface RunningProcess {
  readonly pid: number;
  readonly machine: string;
  readonly started?: string;
  /** When it was noted, in ms since the epoch. */
  readonly since?: number;
}

export interface ToolResult {
  readonly end: "exited" | "stopped" | "timed-out" | "signalled" | "not-started";
  /** The system's code, such as EACCES, if `end` is "not-started". */
  readonly code?: string | undefined;
  /** Set when `end` is "exited". */
  readonly exitCode: number | undefined;
  /** The end of each stream. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolSearch {
  readonly path: string | undefined;
  /**
   * The tool itself, links resolved: a binary with its name. undefined for a script, and for a version manager's shim
   * or a snap, which start another program.
   */
  readonly program: string | undefined;
  /** Matches that were skipped because they are inside the repo (docs/design.md rule 7). */
  readonly skipped: readonly string[];
}

/** Turns the terminal's echo on again, if it was turned off. */
export type ShowTyping = () => void;

export interface Terminal {
  /** Shows a text in a box. */
  note(title: string, text: string): void;
  /** Shows a line unchanged, so that it can be copied. */
  line(text: string): void;
  /** Asks for a text that is not shown. @throws AppError INTERRUPTED on Ctrl-C. */
  secret(question: string): Promise<string>;
  /**
   * Shows a text and waits for Enter. Other keys are neither shown nor used.
   *
   * @throws AppError INTERRUPTED on Ctrl-C.
   */
  enter(text: string): Promise<void>;
  /** Explains why an answer is not accepted. */
  complain(text: string): void;
  /**
   * @param isYesFirst whether Enter alone means yes; by default it does.
   * @throws AppError INTERRUPTED on Ctrl-C.
   */
  confirm(question: string, isYesFirst?: boolean): Promise<boolean>;
  /**
   * Lets a person choose at least one item of a list. All are selected at first.
   *
   * @throws AppError INTERRUPTED on Ctrl-C.
   */
  chooseSome(question: string, options: readonly string[]): Promise<readonly string[]>;
  /**
   * Asks for a key.
   *
   * @param answers what each key means. Enter alone means the first.
   * @throws AppError INTERRUPTED on Ctrl-C.
   */
  press(question: string, answers: Readonly<Record<string, string>>): Promise<string>;
  /** Asks for one of several answers. @returns its index. @throws AppError INTERRUPTED on Ctrl-C. */
  choose(question: string, answers: readonly string[]): Promise<number>;
}
