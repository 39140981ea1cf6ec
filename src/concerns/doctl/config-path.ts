import { isAbsolute, join, resolve } from "node:path";
import { toldBefore, toldBy } from "../../core/told.ts";
import { toolEnvironment } from "../../core/tool-environment.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import { placesOf } from "../../exec/doctl.ts";
import type { Environment, Host, ToolSearch } from "../../host/host.ts";

/**
 * Where doctl's config is: as DIGITALOCEAN_CONFIG says, else as `doctl --help` prints it (a snap has
 * a home of its own), else as doctl would compute it (docs/contracts/doctl.md 1.1).
 *
 * @param doctl without a path it is not installed.
 * @returns undefined where doctl itself would not know (docs/contracts/doctl.md 1.2).
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
      // A version manager's shim would obey what the repo brings.
      cwd: "/",
    });
    return printedPath(stdout);
  });
  return printed !== undefined && isAbsolute(printed) ? printed : computedPath(host);
}

/** Up to 1.x `(default "PATH")`, since 2.0 `[default: PATH]` (docs/contracts/doctl-2.md 1.3). */
function printedPath(help: string): string | undefined {
  const [, older, newer] =
    /^[ \t]*-c, --config string\b[^\n([]*(?:\(default "([^"\n]+)"\)|\[default: ([^\n]+?)\](?=\s|$))/m.exec(
      help,
    ) ?? [];
  return older ?? newer;
}

/** The answer depends on what Go's os.UserConfigDir reads. */
function questionIn(env: Environment): string {
  return `config\n${placesOf(env)}`;
}

/**
 * The same without starting doctl: where it is known which file the doctl that a command starts will read.
 *
 * @returns undefined where that takes doctl's own answer, and it has not been asked yet. A snap is asked each time.
 */
export function knownDoctlConfig(
  { env, records }: Pick<Host, "env" | "records">,
  { path: doctl, program, skipped }: ToolSearch,
): string | undefined {
  // A command starts whichever is first on PATH, also one inside the repo.
  if (skipped.length > 0) return undefined;
  const given = env["DIGITALOCEAN_CONFIG"];
  // A relative one is another file once a script has changed its folder, and a snap may not be able to read it.
  if (given) return doctl !== undefined && !isSnap(doctl) && isAbsolute(given) ? given : undefined;
  const printed = program && toldBefore({ records }, program, questionIn(env));
  return printed && isAbsolute(printed) ? printed : undefined;
}

export function isSnap(doctl: string): boolean {
  return /\/snap\/(bin\/)?doctl$/.test(doctl);
}

/** Where a doctl that is not confined keeps its config. */
export function computedPath({
  env,
  home,
  platform,
}: Pick<Host, "env" | "home" | "platform">): string | undefined {
  const file = join("doctl", "config.yaml");
  if (platform === "win32") return env["APPDATA"] && join(env["APPDATA"], file);
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
