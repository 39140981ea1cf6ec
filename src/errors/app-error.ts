import { redact } from "../secret/redact.ts";
import { safe } from "../secret/safe.ts";
import { EXIT, type ExitStatus } from "./exit-status.ts";
import { type Hint, hint } from "./hint.ts";
import { isSystemError, systemHint, systemMessage } from "./system-error.ts";

/** Stable codes of errors that end a run. Findings have their own ids (report/finding-ids.ts). */
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
  OTHER_HOST: EXIT.findings,
  OTHER_ROOT: EXIT.findings,
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
  NO_STATE_FOLDER: EXIT.failed,
  SPACES_FAILED: EXIT.failed,
  SPACES_REFUSED: EXIT.failed,
  SPACES_UNREACHABLE: EXIT.network,
  BUCKET_TAKEN: EXIT.failed,
  GH_FAILED: EXIT.failed,
  HCP_FAILED: EXIT.failed,
  DEMO_FAILED: EXIT.failed,
  INTERRUPTED: EXIT.interrupted,
  UNEXPECTED: EXIT.failed,
} as const satisfies Record<string, ExitStatus>;

export type ErrorCode = keyof typeof STATUS_OF;

export const ERROR_CODES: readonly string[] = Object.keys(STATUS_OF);

/** The id and exit status of a finding that ends a run. */
export interface FindingCode {
  readonly id: string;
  readonly status: ExitStatus;
}

/** An error that a user can act on. The message says what happened and where; the hint says how to fix it. */
export class AppError extends Error {
  readonly code: string;
  readonly status: ExitStatus;
  readonly hint: Hint | undefined;

  /**
   * @param message one line. Text from a file, a server or a tool is made safe here.
   * @param options.list lines to print below the message.
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

/** Redacts every text in a hint, including the words of command lines. */
function redactedHint(hint: Hint | undefined): Hint | undefined {
  if (hint === undefined) return undefined;
  return JSON.parse(JSON.stringify(hint), (_, value: unknown) =>
    typeof value === "string" ? redact(value) : value,
  );
}

/**
 * Converts any thrown value to an AppError: SYSTEM for an error of the system, UNEXPECTED for one that we did not
 * foresee.
 */
export function asAppError(error: unknown): AppError {
  // Compared by name: the small entry point is a separate bundle with its own copy of the class.
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
