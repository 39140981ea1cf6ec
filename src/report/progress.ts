import { safe } from "../secret/safe.ts";
import type { Paint } from "./paint.ts";

const QUIET_MS = 300;
const FRAME_MS = 80;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

export interface Progress {
  /**
   * Names the current task. It is shown if it takes longer than 300 ms.
   *
   * @param now the current progress, shown instead of `what` where the terminal can redraw a line. Elsewhere `what` is
   *   printed once.
   */
  (what: string, now?: string): void;
  /** Ends the task and clears the line. */
  end(): void;
}

/** A spinner on a terminal, a line elsewhere, and nothing for a quick task. */
export function progressOn(
  stream: {
    write(text: string): unknown;
    readonly isTTY?: boolean;
    readonly columns?: number;
  },
  paint: Paint,
  quiet: boolean,
): Progress {
  let timer: NodeJS.Timeout | undefined;
  let isDrawn = false;
  let current: string | undefined;
  let text = "";

  const show = (task: string, now = task): void => {
    if (quiet) return;
    const what = safe(task);
    text = safe(now);
    if (what === current) return;
    end();
    current = what;
    timer = setTimeout(() => (stream.isTTY ? spin() : stream.write(`${what} …\n`)), QUIET_MS);
    timer.unref();
  };
  const spin = (frame = 0): void => {
    // A wrapped line cannot be cleared.
    const most = (stream.columns || 80) - 3;
    const shown = text.length > most ? `${text.slice(0, most - 1)}…` : text;
    stream.write(`\r\x1b[2K${paint("cyan", FRAMES[frame] ?? "")} ${shown}`);
    isDrawn = true;
    timer = setTimeout(() => spin((frame + 1) % FRAMES.length), FRAME_MS);
    timer.unref();
  };
  const end = (): void => {
    clearTimeout(timer);
    if (isDrawn) stream.write("\r\x1b[2K");
    isDrawn = false;
    current = undefined;
  };
  return Object.assign(show, { end });
}
