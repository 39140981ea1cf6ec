import type { AsyncLocalStorage } from "node:async_hooks";
import { encodedForms, isTelling, plainForms } from "./forms.ts";
import { hiderOf } from "./mask.ts";
import { kindOf } from "./token-form.ts";

/** Characters of all together: far more than a machine has, and what a file can make us look for. */
const MOST = 16 * 1024;

/** The secrets of one run. */
interface Known {
  readonly secrets: Set<string>;
  /** Characters of all together. */
  length: number;
  hide: ReturnType<typeof hiderOf> | undefined;
}

/** Made with the first run: the small entry has none, and is quicker without. */
let runs: AsyncLocalStorage<Known> | undefined;
const OF_PROCESS = nothingKnown();

function nothingKnown(): Known {
  return { secrets: new Set(), length: 0, hide: undefined };
}

/** Runs something that knows no secret of what else runs in this process. */
export function apart<T>(run: () => T): T {
  runs ??= new (process.getBuiltinModule("node:async_hooks").AsyncLocalStorage)<Known>();
  return runs.run(nothingKnown(), run);
}

/**
 * From now on `redact` hides this text, in every form, wherever it is met in this run; but for what occurs by
 * chance. A password cannot be told by its form, and no text passes because somebody has not handed it on.
 */
export function remember(secret: string): void {
  const known = runs?.getStore() ?? OF_PROCESS;
  // A token is told by its form.
  if (known.secrets.has(secret) || kindOf(secret) !== undefined || !isTelling(secret.trim()))
    return;
  if (known.length + secret.length > MOST) return;
  known.length += secret.length;
  known.secrets.add(secret);
  known.hide = undefined;
}

export function withoutKnown(text: string): string {
  const known = runs?.getStore() ?? OF_PROCESS;
  if (known.secrets.size === 0) return text;
  const all = [...known.secrets];
  known.hide ??= hiderOf(all.flatMap(plainForms), all.flatMap(encodedForms), "[redacted]");
  return known.hide(text, true);
}
