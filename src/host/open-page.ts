import { spawn } from "node:child_process";
import type { Environment } from "./host.ts";

const OPENERS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
  linux: ["xdg-open"],
};

/** Opens a page in the browser of the person at this machine. @returns false where there is none. */
export async function openPage(
  address: string,
  { env, platform }: { env: Environment; platform: NodeJS.Platform },
): Promise<boolean> {
  const hasScreen = platform !== "linux" || Boolean(env["DISPLAY"] || env["WAYLAND_DISPLAY"]);
  const [opener, ...args] = OPENERS[platform] ?? [];
  if (!hasScreen || env["SSH_CONNECTION"] || opener === undefined) return false;
  return new Promise((resolve) => {
    const child = spawn(opener, [...args, address], { stdio: "ignore", detached: true });
    child.once("error", () => resolve(false));
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
}
