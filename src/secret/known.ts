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

interface Shared {
  /** Where no run is told from another. */
  readonly process: Known;
  /** Made with the first run: the small entry has none, and is quicker without. */
  runs?: AsyncLocalStorage<Known>;
}

const SHARED = shared();

/** Each file of the built program has this module for itself. */
function shared(): Shared {
  const name = Symbol.for("do-bootstrap: known secrets");
  const all = globalThis as { [name]?: Shared };
  all[name] ??= { process: nothingKnown() };
  return all[name];
}

function nothingKnown(): Known {
  return { secrets: new Set(), length: 0, hide: undefined };
}

/** Runs something that knows no secret of what else runs in this process. */
export function apart<T>(run: () => T): T {
  SHARED.runs ??= new (process.getBuiltinModule("node:async_hooks").AsyncLocalStorage)();
  return SHARED.runs.run(nothingKnown(), run);
}

function known(): Known {
  return SHARED.runs?.getStore() ?? SHARED.process;
}

/**
 * From now on `redact` hides this text, in every form, wherever it is met in this run; but for what occurs by
 * chance. A password cannot be told by its form, and no text passes because somebody has not handed it on.
 */
export function remember(secret: string): void {
  const all = known();
  // A token is told by its form.
  if (all.secrets.has(secret) || kindOf(secret) !== undefined || !isTelling(secret.trim())) return;
  if (all.length + secret.length > MOST) return;
  all.length += secret.length;
  all.secrets.add(secret);
  all.hide = undefined;
}

export function withoutKnown(text: string): string {
  const all = known();
  if (all.secrets.size === 0) return text;
  const secrets = [...all.secrets];
  all.hide ??= hiderOf(secrets.flatMap(plainForms), secrets.flatMap(encodedForms), "[redacted]");
  return all.hide(text, true);
}
