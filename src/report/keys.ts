import type { ListedKey } from "../commands/backend/keys.ts";
import { duration } from "../lib/duration.ts";
import { safe } from "../secret/safe.ts";
import type { Page } from "./paint.ts";

/** The result of `backend keys`. */
export interface KeysReport {
  readonly command: "backend";
  readonly keys: readonly ListedKey[];
}

export function keysText({ keys }: KeysReport, page: Page): string {
  if (keys.length === 0) return "do-bootstrap has created no Spaces key for this.\n";
  const width = Math.max(...keys.map(({ name }) => safe(name).length));
  return keys
    .map(({ name, grants, ageSeconds, isLeft, isHere }) => {
      const age = ageSeconds === undefined ? "" : `, ${duration(ageSeconds)} old`;
      const here = isHere ? ", used here" : "";
      const left = isLeft ? ", left by a run that was stopped: delete it" : "";
      const what = safe(`${grants.join(", ")}${age}${here}${left}`);
      return `${safe(name).padEnd(width)}  ${page.paint("dim", what)}\n`;
    })
    .join("");
}

/** The document that --json prints, without its frame. */
export function keysDocument({ keys }: KeysReport): object {
  return {
    command: "backend",
    keys: keys.map(({ name, grants, ageSeconds = null, isLeft, isHere }) => ({
      ...{ name, grants, ageSeconds, isLeft, isHere },
    })),
  };
}
