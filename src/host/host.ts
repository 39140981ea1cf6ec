import type { Hint } from "../errors/hint.ts";
import type { ChildEnvironment } from "../secret/child-environment.ts";

/**
 * What the program may ask of the machine. Domains take the slice they use (`Pick<Host, …>`);
 * `node.ts` is the one implementation.
 */
export interface Host {
  readonly env: Environment;
  /** Absolute path of the working directory. */
  readonly cwd: string;
  readonly home: string | undefined;
  readonly platform: NodeJS.Platform;
  /** The folder of this package: templates and examples stand in it. */
  readonly packageFolder: string;
  /** A file of this package's folder `templates`, such as "terraform/versions.tf". */
  readonly template: (name: string) => string;
  readonly files: Files;
  readonly records: Records;
  readonly state: State;
  readonly clock: Clock;
  /**
   * Counts from no date, and nobody sets it: for how long something takes. Goes on when the run is
   * interrupted: for what has to be put back.
   */
  readonly steadyClock: Clock;
  readonly http: (request: HttpRequest) => Promise<HttpAnswer>;
  readonly run: (call: ToolCall) => Promise<ToolResult>;
  /** True for a process that certainly does not run any more. */
  readonly isOver: (process: RunningProcess) => boolean;
  /** Finds an executable on PATH, never one that lies inside `notIn`. */
  readonly which: (name: string, notIn: string) => Promise<ToolSearch>;
  /** Runs `action` while no other process holds the lock of the same path. */
  readonly locked: <T>(path: string, wait: LockWait, action: () => Promise<T>) => Promise<T>;
  /**
   * The files that npm would publish of a folder, relative to it; empty where it would not; undefined where the
   * list cannot be had, or not in time.
   *
   * @throws AppError INTERRUPTED
   */
  readonly npmFiles: (folder: string) => Promise<readonly string[] | undefined>;
  /** The Terraform grammar, loaded when first asked for. */
  readonly hclParser: () => Promise<ParseHcl>;
  /** Everything that stands in standard input, which must not be a terminal. */
  readonly readInput: (of: InputKind) => Promise<string>;
  /**
   * Tells whether a path is the file that standard input came from.
   *
   * @returns undefined where that was no regular file, or has not been read.
   */
  readonly inputFile: () => ((path: string) => boolean) | undefined;
  /** Opens a page in the user's browser, by a tool outside `notIn`. @returns false without one. */
  readonly openPage: (address: string, notIn: string) => Promise<boolean>;
  /** Absent without a terminal on both ends. */
  readonly terminal: (() => Promise<Terminal>) | undefined;
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly interrupted: AbortSignal;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What is read from standard input, and by which option a person asked for it. */
export interface InputKind {
  readonly what: "a token" | "a plan" | "an error text";
  readonly asked: string;
  readonly example: Hint;
  readonly maxBytes: number;
  readonly waitMs: number;
}

/** What earlier runs made of a path, in the user's cache folder; free of secrets. */
export interface Records {
  /** @returns undefined where nothing is kept, or what it follows from has changed since. */
  recall(path: string, kind?: RecordKind): unknown;
  /**
   * @param since when reading began, in milliseconds since the epoch.
   * @param from what it follows from; the file itself where it is not given.
   */
  keep(
    path: string,
    value: unknown,
    since: number,
    from?: { readonly kind: RecordKind; readonly inputs: readonly string[] },
  ): void;
}

/** config: of a file (a config, a tool). roots: the root modules that were found for a project's folder. */
export type RecordKind = "config" | "roots";

/** What is to be known on this machine until it is taken back; free of secrets. */
export interface State {
  /** @returns undefined where there is none that is the user's own. */
  read(key: StateKey): string | undefined;
  /**
   * @returns false without a folder for it, outside every checkout.
   * @throws AppError WRITE_FAILED
   */
  write(key: StateKey, text: string): boolean;
  remove(key: StateKey): void;
  /** False where what is kept about `folder` would lie in a checkout, or nowhere. */
  isSafe(folder: string): boolean;
  /**
   * A folder for private folders, outside every checkout; made where it is not there.
   *
   * @returns undefined without one that is the user's own.
   * @throws AppError WRITE_FAILED
   */
  runFolder(folder: string): string | undefined;
  /**
   * A file beside what is kept of `key`, for another program to write; its folder is made.
   *
   * @returns undefined without a folder that is the user's own.
   * @throws AppError WRITE_FAILED
   */
  fileFor(key: StateKey, ending: string): string | undefined;
  /** Whether something stands there. */
  hasFile(key: StateKey, ending: string): boolean;
}

export interface StateKey {
  readonly kind: "trusted" | "rotation" | "login";
  /** What it is about, absolute: the folder of a config of ours, or doctl's config. */
  readonly folder: string;
  readonly name: string;
}

export interface Clock {
  /** Milliseconds: of `clock`, since the epoch; a person or a server may set it back. */
  now(): number;
  /** Resolves after `ms` milliseconds; of `clock`, rejects with INTERRUPTED when the run is interrupted. */
  sleep(ms: number): Promise<void>;
}

export interface LockWait {
  readonly clock: Clock;
  /** Told after a second who holds the lock, such as "process 12 on web-1". */
  readonly waitingFor: (holder: string) => void;
  /** The code of the failure where it was waited for in vain; by default DOCTL_CONFIG_BUSY. */
  readonly busy?: "REPO_BUSY";
  /** Goes on without the lock where its folder takes none, such as one that only another user may write to. */
  readonly ifPossible?: true;
}

/**
 * What stands at a path. `target` is where a write lands: symlinks are followed, dangling ones too. With a `link`
 * that leads out of the repo nothing is read, and nothing may be written (docs/design.md rule 4).
 */
export type Snapshot =
  | {
      readonly kind: "absent";
      readonly path: string;
      readonly target: string;
      /** The link on the way that leads out of the repo. */
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
      /** The link on the way that leads out of the repo, of what could be read otherwise. */
      readonly link?: string;
    };

export interface FileSnapshot {
  readonly kind: "file";
  readonly path: string;
  readonly target: string;
  readonly bytes: Buffer;
  /** Permission bits, such as 0o600. */
  readonly mode: number;
  /** Numbers of its owner and group; 0 on Windows. */
  readonly uid: number;
  readonly gid: number;
  /** Milliseconds since the epoch. */
  readonly mtimeMs: number;
  readonly atimeMs: number;
}

export interface LookOptions {
  /** A larger file is "unusable"; 4 MB where it is not said. */
  readonly maxBytes?: number;
  /** A file of more is "unusable"; any number where it is not said. */
  readonly maxLines?: number;
  /** Of a file that may be a FIFO: its writer has 10 s. Else one is unusable at once. */
  readonly waitForFifo?: boolean;
}

export interface Files {
  /** The same, which no signal ends: for what has to be put back. */
  readonly steady: Files;
  /** What is in the repo by its path and elsewhere by a link is not read; git's own folder is git's matter. */
  look(path: string, options?: LookOptions): Promise<Snapshot>;
  /** Names in a directory, sorted; empty where there is none. */
  list(directory: string): Promise<readonly string[]>;
  /** What stands in a directory, sorted, links not followed. @returns why it cannot be listed, else. */
  entries(directory: string): Promise<readonly Entry[] | string>;
  /** The path with every symlink resolved; the nearest existing ancestor counts. */
  realpath(path: string): Promise<string>;
  /** Why nothing can be created in (the nearest existing ancestor of) a directory, else undefined. */
  whyNotWritable(directory: string): Promise<string | undefined>;
  /**
   * Replaces a file atomically; the bytes are on disk when this returns.
   *
   * @returns what undoes it, where nobody else has written since.
   */
  replace(before: Snapshot, bytes: Uint8Array, mode: number): Promise<Undo>;
  /**
   * Removes a file that is as it was.
   *
   * @param emptyBelow its folder and those above it go, too, as far as they are below this one and empty then.
   * @returns what undoes it.
   */
  remove(before: FileSnapshot, emptyBelow?: string): Promise<Undo>;
  /** Creates a directory with its parents. @returns what undoes it. */
  makeDirectory(path: string, mode: number): Promise<Undo>;
  /**
   * Removes temporary files that a killed run left in a directory, as well as it can; not where a link
   * leads out of the repo.
   *
   * @returns the names that were in it.
   */
  sweep(directory: string): Promise<readonly string[]>;
  /**
   * Room for a config that a doctl writes: a file in a private folder (0700) inside `parent`, gone when `use`
   * ends.
   *
   * @returns undefined where another user could lead that doctl elsewhere.
   */
  withDoctlFile<T>(parent: string, use: (path: string) => Promise<T>): Promise<T | undefined>;
  /**
   * A private folder (0700) inside `parent`, gone with all that is in it when `use` ends.
   *
   * @throws AppError WRITE_FAILED where another user could exchange what is in `parent`.
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
  /** Where it is not said: POST for a form, else GET. */
  readonly method?: "PUT" | "DELETE";
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>;
  /** Sent as it is. */
  readonly body?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Redirects are answers like any other: they are never followed (docs/design.md rule 2). */
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
      /** Of "proxy": the variable that names it. */
      readonly variable?: string;
    };

export interface ToolCall {
  /** Absolute path. */
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment of the child. */
  readonly env: ChildEnvironment;
  readonly cwd?: string;
  readonly input?: string;
  readonly timeoutMs: number;
  /** "shown": goes to our own standard error as it comes, and is not kept. */
  readonly stderr?: "shown";
  /** A person talks to it: it has our standard input, and all that it prints is shown on our standard error. */
  readonly isDialogue?: true;
  /** Told of it once it runs. */
  readonly onStart?: (process: RunningProcess) => void;
  /** What it does cannot be done again: no signal ends it, and a run that is interrupted waits for it. */
  readonly isSteady?: true;
  /** How much of the end of each stream is kept; 256 kB where it is not said. */
  readonly keptCharacters?: number;
  /** Gets standard output as it comes, in bytes; nothing of it is kept then. Where it returns "stop", the child is ended. */
  readonly onStdout?: (chunk: Buffer) => unknown;
  /** With onStdout: ends the child where it prints nothing for so long. */
  readonly idleMs?: number;
  /** Ends the child as soon as its standard output so far satisfies this. */
  readonly stopWhen?: (stdout: string) => boolean;
}

/** A process, as another run on this machine can find it again. */
export interface RunningProcess {
  readonly pid: number;
  readonly machine: string;
  readonly started?: string;
}

export interface ToolResult {
  readonly end: "exited" | "stopped" | "timed-out" | "signalled" | "not-started";
  /** Set when `end` is "exited". */
  readonly exitCode: number | undefined;
  /** The end of each stream. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolSearch {
  readonly path: string | undefined;
  /**
   * The tool itself, links resolved: a binary of its name. undefined for a script, and for a version manager's shim or
   * a snap, which start something else.
   */
  readonly program: string | undefined;
  /** Hits that were passed over, as they lie inside the repo (docs/design.md rule 7). */
  readonly skipped: readonly string[];
}

/** Lets the terminal show again what is typed, where that was hidden. */
export type ShowTyping = () => void;

export interface Terminal {
  /** Shows a text in a box. */
  note(title: string, text: string): void;
  /** Shows a line as it is, to be copied. */
  line(text: string): void;
  /** Asks for a text that is not shown. @throws AppError INTERRUPTED on Ctrl-C. */
  secret(question: string): Promise<string>;
  /** Shows a text and waits for Enter; what else is typed is neither shown nor used. @throws AppError INTERRUPTED on Ctrl-C. */
  enter(text: string): Promise<void>;
  /** Says why an answer will not do. */
  complain(text: string): void;
  /**
   * @param isYesFirst what Enter alone answers; yes, unless it is said.
   * @throws AppError INTERRUPTED on Ctrl-C.
   */
  confirm(question: string, isYesFirst?: boolean): Promise<boolean>;
  /** Lets a person take some of a list, one at least; all are taken at first. @throws AppError INTERRUPTED on Ctrl-C. */
  chooseSome(question: string, options: readonly string[]): Promise<readonly string[]>;
  /**
   * Asks for a key.
   *
   * @param answers what each key stands for; Enter alone is the first.
   * @throws AppError INTERRUPTED on Ctrl-C.
   */
  press(question: string, answers: Readonly<Record<string, string>>): Promise<string>;
  /** Asks for one of some answers. @returns its index. @throws AppError INTERRUPTED on Ctrl-C. */
  choose(question: string, answers: readonly string[]): Promise<number>;
}

/**
 * Parses a text and hands the tree's root to `use`; the tree is gone afterwards.
 *
 * @returns undefined for a text that takes the grammar too long.
 */
export type ParseHcl = <T>(text: string, use: (root: HclNode) => T) => T | undefined;

/**
 * A node of the grammar tree-sitter-terraform, as web-tree-sitter has it. Each question but that for
 * the children, asked again, goes into WebAssembly.
 */
export interface HclNode {
  readonly type: string;
  readonly text: string;
  readonly namedChildren: readonly HclNode[];
  readonly parent: HclNode | null;
  /** True where something inside makes no sense to the grammar. */
  readonly hasError: boolean;
  /** True for what the grammar put in to go on. */
  readonly isMissing: boolean;
  readonly startIndex: number;
  readonly endIndex: number;
  /** Rows are from 0. */
  readonly startPosition: { readonly row: number };
  /** The smallest named node inside that covers an offset. */
  namedDescendantForIndex(offset: number): HclNode | null;
}
