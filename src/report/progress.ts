import { type Paint, safe } from "./paint.ts";

const QUIET_MS = 300;
const FRAME_MS = 80;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

export interface Progress {
  /** Names what goes on now; shown once it takes longer than 300 ms. */
  (what: string): void;
  /** Nothing goes on any more; the line is cleared. */
  end(): void;
}

/** A spinner on a terminal, a line elsewhere; nothing at all for what is quick. */
export function progressOn(
  stream: { write(text: string): unknown; readonly isTTY?: boolean },
  paint: Paint,
  quiet: boolean,
): Progress {
  let timer: NodeJS.Timeout | undefined;
  let isDrawn = false;
  let current: string | undefined;

  const show = (task: string): void => {
    const what = safe(task);
    if (quiet || what === current) return;
    end();
    current = what;
    timer = setTimeout(() => (stream.isTTY ? spin(what) : stream.write(`${what} …\n`)), QUIET_MS);
    timer.unref();
  };
  const spin = (what: string, frame = 0): void => {
    stream.write(`\r\x1b[2K${paint("cyan", FRAMES[frame] ?? "")} ${what}`);
    isDrawn = true;
    timer = setTimeout(() => spin(what, (frame + 1) % FRAMES.length), FRAME_MS);
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
