import type { AsyncLocalStorage } from "node:async_hooks";
import { encodedForms, isTelling, plainForms } from "./forms.ts";
import { hiderOf } from "./mask.ts";
import { kindOf } from "./token-form.ts";

/** The total length in characters: far more than a machine has, and a limit on what a file can make us search for. */
const MOST = 16 * 1024;

/** The secrets of one run. */
interface Known {
  readonly secrets: Set<string>;
  /** Total length in characters. */
  length: number;
  hide: ReturnType<typeof hiderOf> | undefined;
}

interface Shared {
  /** Used outside of any run. */
  readonly process: Known;
  /** Created with the first run. The small entry point has none, and is faster without it. */
  runs?: AsyncLocalStorage<Known>;
}

const SHARED = shared();

/** Each file of the built program has its own copy of this module. */
function shared(): Shared {
  const name = Symbol.for("do-bootstrap: known secrets");
  const all = globalThis as { [name]?: Shared };
  all[name] ??= { process: nothingKnown() };
  return all[name];
}

function nothingKnown(): Known {
  return { secrets: new Set(), length: 0, hide: undefined };
}

/** Runs something with its own set of known secrets, isolated from other runs in this process. */
export function apart<T>(run: () => T): T {
  SHARED.runs ??= new (process.getBuiltinModule("node:async_hooks").AsyncLocalStorage)();
  return SHARED.runs.run(nothingKnown(), run);
}

function known(): Known {
  return SHARED.runs?.getStore() ?? SHARED.process;
}

/**
 * From now on, `redact` hides this text in every form and everywhere in this run, unless it may occur by chance. A
 * password has no recognisable form, and code that forgets to pass a secret on must not reveal it.
 */
export function remember(secret: string): void {
  const all = known();
  // A token is recognised by its form.
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
