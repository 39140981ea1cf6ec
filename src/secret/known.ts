import { encodedForms, isTelling, plainForms } from "./forms.ts";
import { hiderOf } from "./mask.ts";
import { kindOf } from "./token-form.ts";

/** Characters of all together: far more than a machine has, and what a file can make us look for. */
const MOST = 16 * 1024;

/**
 * The secrets that a run has met and that cannot be told by their form: passwords, keys of other services. It
 * is one list for the whole process, so that no text passes the gate because somebody has not handed it on.
 */
const KNOWN = new Set<string>();
let length = 0;
let hide: ReturnType<typeof hiderOf> | undefined;

/** From now on `redact` hides this text, in every form; but for what occurs by chance. */
export function remember(secret: string): void {
  // A token is told by its form.
  if (KNOWN.has(secret) || kindOf(secret) !== undefined || !isTelling(secret.trim())) return;
  if (length + secret.length > MOST) return;
  length += secret.length;
  KNOWN.add(secret);
  hide = undefined;
}

export function withoutKnown(text: string): string {
  const all = [...KNOWN];
  hide ??= hiderOf(all.flatMap(plainForms), all.flatMap(encodedForms), "[redacted]");
  return hide(text, true);
}
