/**
 * The exit statuses of DESIGN §5, by what they mean.
 */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  findings: 3,
  token: 4,
  scope: 5,
  expiry: 6,
  network: 7,
  /** `exec` could not do its part; every other status is the command's own. */
  exec: 125,
  interrupted: 130,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** Stable codes of failures that end a run; findings have ids of their own (plan/findings.ts). */
const STATUS_OF = {
  USAGE: EXIT.usage,
  CONFIG_UNREADABLE: EXIT.usage,
  CONFIG_INVALID: EXIT.usage,
  CONFIG_HOLDS_TOKEN: EXIT.usage,
  NO_TOKEN: EXIT.token,
  OTHER_TOKEN: EXIT.findings,
  OTHER_WORKSPACE: EXIT.findings,
  DOCTL_LOGIN: EXIT.usage,
  NESTED_EXEC: EXIT.usage,
  NOT_REPRESENTABLE: EXIT.usage,
  DOCTL_REFUSED_TOKEN: EXIT.token,
  DOCTL_CONFIG_BUSY: EXIT.failed,
  GIT_FAILED: EXIT.failed,
  PLAN_UNREADABLE: EXIT.usage,
  NOTHING_TO_EXPLAIN: EXIT.failed,
  NOT_IGNORED: EXIT.findings,
  CHANGED_MEANWHILE: EXIT.failed,
  WRITE_FAILED: EXIT.failed,
  NOT_CONVERGED: EXIT.failed,
  DECLINED: EXIT.failed,
  DEMO_FAILED: EXIT.failed,
  INTERRUPTED: EXIT.interrupted,
  UNEXPECTED: EXIT.failed,
} as const satisfies Record<string, ExitStatus>;

export type ErrorCode = keyof typeof STATUS_OF;

/** A finding that ends a run brings its own id and exit status. */
export interface FindingCode {
  readonly id: string;
  readonly status: ExitStatus;
}

/** A failure a user can act on: what happened and where (message), and what mends it (hint). */
export class AppError extends Error {
  readonly code: string;
  readonly status: ExitStatus;
  readonly hint: string | undefined;

  constructor(
    code: ErrorCode | FindingCode,
    message: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(redact(message), { cause: options.cause });
    const { id, status } = typeof code === "string" ? { id: code, status: STATUS_OF[code] } : code;
    this.name = "AppError";
    this.code = id;
    this.status = status;
    this.hint = options.hint === undefined ? undefined : redact(options.hint);
  }
}

/** Any thrown value as an AppError; what we did not foresee becomes UNEXPECTED. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AppError("UNEXPECTED", message, {
    hint: "This is a bug in do-bootstrap. Please report it with the output of --debug, which holds no secrets.",
    cause: error,
  });
}

/** How a token begins in base64, by where in the text it stands, and what follows. */
const IN_BASE64 =
  /(?:ZG9[wvy]X3YxX[z2]|(?:cF92|b192|cl92)MV[89]|(?:b3Bf|b29f|b3Jf)djFf)[\w+/-]{20,}/g;

/**
 * The second line of defence behind `Secret`: whatever looks like a DigitalOcean token
 * (contracts/api.md §6), also as a URL, JSON or base64 has it, is replaced in text on its way out.
 */
export function redact(text: string): string {
  return text
    .replace(/(do[opr])(?:_|%5f|\\+u005f)v1(?:_|%5f|\\+u005f)[0-9a-f]{8,}/gi, "$1_v1_[redacted]")
    .replace(IN_BASE64, "[redacted]")
    .replace(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/gi, "[redacted]");
}

/** Text of others (files, servers, tools) with control characters shown instead of obeyed. */
export function printable(text: string): string {
  return text.replace(
    // C0 and C1 controls, and the marks that reorder a line.
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
