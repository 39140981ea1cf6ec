import { isAbsolute, join, resolve } from "node:path";
import { toldBefore, toldBy } from "../../core/told.ts";
import { toolEnvironment } from "../../core/tool-environment.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import { placesOf } from "../../exec/doctl.ts";
import type { Environment, Host, ToolSearch } from "../../host/host.ts";
import { isFull } from "../../lib/paths.ts";

/**
 * Finds doctl's config: from DIGITALOCEAN_CONFIG, else from the output of `doctl --help` (a snap has its own home),
 * else computed like doctl does (docs/contracts/doctl.md 1.1).
 *
 * @param doctl without a path, it is not installed.
 * @returns undefined if doctl itself could not locate it (docs/contracts/doctl.md 1.2).
 */
export async function findDoctlConfig(
  host: Pick<Host, "env" | "home" | "platform" | "cwd" | "run" | "records" | "clock">,
  { path: doctl, program }: Pick<ToolSearch, "path" | "program">,
): Promise<string | undefined> {
  const { env, cwd } = host;
  if (env["DIGITALOCEAN_CONFIG"]) return resolve(cwd, env["DIGITALOCEAN_CONFIG"]);
  if (doctl === undefined) return computedPath(host);
  const printed = await toldBy(host, program, questionIn(env), async () => {
    const { stdout } = await host.run({
      ...{ file: doctl, args: ["--help"], env: toolEnvironment(env), timeoutMs: 10_000 },
      // A version manager's shim would read the repo's settings.
      cwd: "/",
    });
    return printedPath(stdout);
  });
  return printed !== undefined && isFull(printed, host.platform) ? printed : computedPath(host);
}

/**
 * Up to 1.x `(default "PATH")`, quoted by Go's %q, since 2.0 `[default: PATH]` (docs/contracts/doctl-2.md 1.3).
 *
 * @returns undefined for a path that cannot be read, such as one with a control character.
 */
function printedPath(help: string): string | undefined {
  const [, older, newer] =
    /^[ \t]*-c, --config string\b[^\n([]*(?:\(default ("(?:[^"\\\n]|\\.)+")\)|\[default: ([^\n]+?)\](?=\s|$))/m.exec(
      help,
    ) ?? [];
  return older === undefined ? newer : unquoted(older);
}

/** JSON has the escapes of %q that a path can need. */
function unquoted(text: string): string | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The answer depends on the variables that Go's os.UserConfigDir reads. */
function questionIn(env: Environment): string {
  return `config\n${placesOf(env)}`;
}

/**
 * Like findDoctlConfig, but does not start doctl: returns a path only if it is certain that doctl will read that file
 * when a command starts it.
 *
 * @returns undefined if only doctl can tell and has not been asked yet. A snap has to be asked each time.
 */
export function knownDoctlConfig(
  { env, platform, records }: Pick<Host, "env" | "platform" | "records">,
  { path: doctl, program, skipped }: ToolSearch,
): string | undefined {
  // A command starts the first doctl on PATH, even one inside the repo.
  if (skipped.length > 0) return undefined;
  const given = env["DIGITALOCEAN_CONFIG"];
  // A relative path names another file after a script changes its folder, and a snap may not be able to read the file.
  if (given)
    return doctl !== undefined && !isSnap(doctl) && isFull(given, platform) ? given : undefined;
  const printed = program && toldBefore({ records }, program, questionIn(env));
  return printed && isFull(printed, platform) ? printed : undefined;
}

export function isSnap(doctl: string): boolean {
  return /\/snap\/(bin\/)?doctl$/.test(doctl);
}

/** Where an unconfined doctl keeps its config. */
export function computedPath({
  env,
  home,
  platform,
}: Pick<Host, "env" | "home" | "platform">): string | undefined {
  const file = join("doctl", "config.yaml");
  if (platform === "win32") {
    const { APPDATA: folder = "" } = env;
    return isFull(folder, platform) ? join(folder, file) : undefined;
  }
  if (platform === "darwin") return home && join(home, "Library", "Application Support", file);
  const xdg = env["XDG_CONFIG_HOME"];
  if (xdg && !isAbsolute(xdg)) {
    throw new AppError(
      "USAGE",
      "XDG_CONFIG_HOME is a relative path, which doctl does not accept.",
      {
        hint: hint`Unset XDG_CONFIG_HOME or set it to an absolute path.`,
      },
    );
  }
  return xdg ? join(xdg, file) : home && join(home, ".config", file);
}
