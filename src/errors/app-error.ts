import { redact } from "../secret/redact.ts";
import { safe } from "../secret/safe.ts";
import { EXIT, type ExitStatus } from "./exit-status.ts";
import { type Hint, hint } from "./hint.ts";
import { isSystemError, systemHint, systemMessage } from "./system-error.ts";

/** Stable codes of failures that end a run; findings have ids of their own (plan/findings.ts). */
const STATUS_OF = {
  USAGE: EXIT.usage,
  CONFIG_UNREADABLE: EXIT.usage,
  CONFIG_INVALID: EXIT.usage,
  CONFIG_HOLDS_TOKEN: EXIT.usage,
  NO_TOKEN: EXIT.token,
  NO_LOGIN: EXIT.token,
  LOGIN_FAILED: EXIT.token,
  OTHER_TOKEN: EXIT.findings,
  OTHER_WORKSPACE: EXIT.findings,
  DOCTL_LOGIN: EXIT.usage,
  NESTED_EXEC: EXIT.usage,
  NOT_REPRESENTABLE: EXIT.usage,
  DOCTL_REFUSED_TOKEN: EXIT.token,
  DOCTL_CONFIG_BUSY: EXIT.failed,
  REPO_BUSY: EXIT.failed,
  GIT_FAILED: EXIT.failed,
  PLAN_UNREADABLE: EXIT.usage,
  NOTHING_TO_EXPLAIN: EXIT.failed,
  NOT_IGNORED: EXIT.findings,
  CHANGED_MEANWHILE: EXIT.failed,
  WRITE_FAILED: EXIT.failed,
  SYSTEM: EXIT.failed,
  NOT_CONVERGED: EXIT.failed,
  DECLINED: EXIT.failed,
  DEMO_FAILED: EXIT.failed,
  INTERRUPTED: EXIT.interrupted,
  UNEXPECTED: EXIT.failed,
} as const satisfies Record<string, ExitStatus>;

export type ErrorCode = keyof typeof STATUS_OF;

export const ERROR_CODES: readonly string[] = Object.keys(STATUS_OF);

/** A finding that ends a run brings its own id and exit status. */
export interface FindingCode {
  readonly id: string;
  readonly status: ExitStatus;
}

/** A failure a user can act on: what happened and where (message), and what fixes it (hint). */
export class AppError extends Error {
  readonly code: string;
  readonly status: ExitStatus;
  readonly hint: Hint | undefined;

  /**
   * @param message of one line; what it repeats of a file, a server or a tool is made safe.
   * @param options.list what is said on lines of its own below the message.
   */
  constructor(
    code: ErrorCode | FindingCode,
    message: string,
    options: { hint?: Hint; cause?: unknown; list?: readonly string[] } = {},
  ) {
    const lines = (options.list ?? []).map((each) => `\n  ${safe(each)}`);
    super(safe(message) + lines.join(""), { cause: options.cause });
    const { id, status } = typeof code === "string" ? { id: code, status: STATUS_OF[code] } : code;
    this.name = "AppError";
    this.code = id;
    this.status = status;
    this.hint = redactedHint(options.hint);
  }
}

/** Every text in it, the words of command lines too. */
function redactedHint(hint: Hint | undefined): Hint | undefined {
  if (hint === undefined) return undefined;
  return JSON.parse(JSON.stringify(hint), (_, value: unknown) =>
    typeof value === "string" ? redact(value) : value,
  );
}

/** Any thrown value as an AppError: what the system refused is SYSTEM, what we did not foresee UNEXPECTED. */
export function asAppError(error: unknown): AppError {
  // By its name: the small entry has a class of its own.
  if (error instanceof Error && error.name === "AppError") return error as AppError;
  if (isSystemError(error)) {
    return new AppError("SYSTEM", systemMessage(error), {
      hint: systemHint(error.code),
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new AppError("UNEXPECTED", message, {
    hint: hint`This is a bug in do-bootstrap. Please report it with the output of --debug, which holds no secrets.`,
    cause: error,
  });
}
