import { spawn } from "node:child_process";
import { childEnvironment } from "../secret/child-environment.ts";
import type { Environment } from "./host.ts";
import { which } from "./which.ts";

const OPENERS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
  linux: ["xdg-open"],
};

/**
 * Opens a page in the browser of the person at this machine.
 *
 * @param notIn a repo. Its tools are not run (docs/design.md rule 7).
 * @returns false if there is no browser.
 */
export async function openPage(
  address: string,
  notIn: string,
  { env, platform }: { env: Environment; platform: NodeJS.Platform },
): Promise<boolean> {
  const hasScreen = platform !== "linux" || Boolean(env["DISPLAY"] || env["WAYLAND_DISPLAY"]);
  const [opener, ...args] = OPENERS[platform] ?? [];
  if (!hasScreen || env["SSH_CONNECTION"] || opener === undefined) return false;
  const { path } = await which(opener, notIn, { env, platform });
  if (path === undefined) return false;
  return new Promise((resolve) => {
    const child = spawn(path, [...args, address], {
      env: childEnvironment(env),
      stdio: "ignore",
      detached: true,
    });
    child.once("error", () => resolve(false));
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
}
