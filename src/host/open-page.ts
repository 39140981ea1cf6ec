import { childEnvironment } from "../secret/child-environment.ts";
import type { Environment } from "./host.ts";
import { ofWindows, start } from "./start.ts";
import { which } from "./which.ts";

const OPENERS: Partial<Record<NodeJS.Platform, string>> = { darwin: "open", linux: "xdg-open" };

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
  if (env["SSH_CONNECTION"]) return false;
  if (platform === "win32") {
    // Not `start` of cmd.exe, which ends an address at its first &.
    return opened(ofWindows("rundll32.exe"), ["url.dll,FileProtocolHandler", address], env);
  }
  const hasScreen = platform !== "linux" || Boolean(env["DISPLAY"] || env["WAYLAND_DISPLAY"]);
  const opener = OPENERS[platform];
  if (!hasScreen || opener === undefined) return false;
  const { path } = await which(opener, notIn, { env, platform });
  return path === undefined ? false : opened(path, [address], env);
}

function opened(file: string, args: readonly string[], env: Environment): Promise<boolean> {
  return new Promise((resolve) => {
    const child = start(file, args, {
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
