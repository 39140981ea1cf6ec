import type { Hint } from "../errors/hint.ts";

/** What a failure means, in one sentence, and how to fix it. */
export interface Words {
  readonly what: string;
  readonly fix: Hint;
}

const MAX_MESSAGE = 200;

/** The first line of a tool's message, shortened. */
export function short(message: string): string {
  const line = message.trim().split("\n")[0] ?? "";
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}…` : line;
}

/** The HTTP status in an error text of any client. */
export function statusNumber(text: string): number | undefined {
  for (const pattern of STATUSES) {
    const status = pattern.exec(text)?.[1];
    if (status !== undefined) return Number(status);
  }
  return undefined;
}

const STATUSES: readonly RegExp[] = [
  /^< HTTP\/\S+ (\d{3})/m,
  /returned error: (\d{3})/,
  /\b(?:HTTP(?:\/[\d.]+)?|status(?: ?code)?)[ :=]{1,3}(\d{3})\b/i,
  /\b(\d{3}) (?:Client Error|Server Error|Unauthorized|Forbidden|Not Found|Too Many|Bad Gateway|Service Unavailable|Internal Server|Gateway)/i,
];
