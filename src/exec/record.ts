import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { isInside } from "../paths.ts";
import type { ExecConfig } from "./exec-config.ts";
import type { Environment } from "./variables.ts";

/** The question that a record answers. */
export interface Question {
  readonly cwd: string;
  readonly environment: string | undefined;
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
}

/** What was found out once, and the stamps of all that it follows from. Holds no secret. */
interface Record {
  readonly version: string;
  readonly cwd: string;
  readonly environment: string | null;
  /** Of files and folders by path; of a folder, which ends with a slash, its Terraform files. */
  readonly stamps: Readonly<{ [path: string]: string }>;
  readonly config: ExecConfig;
}

/** Beyond that, somebody makes a folder for each run. */
const MAX_RECORDS = 500;

/** The config that was found here before, if nothing has changed since that it follows from. */
export function recall(question: Question): ExecConfig | undefined {
  try {
    const path = pathOf(question);
    if (path === undefined) return undefined;
    const { version, cwd, environment, stamps, config } = JSON.parse(
      readFileSync(path, "utf8"),
    ) as Record;
    const isMeant =
      version === __VERSION__ &&
      cwd === question.cwd &&
      environment === (question.environment ?? null);
    if (!isMeant) return undefined;
    for (const [each, stamp] of Object.entries(stamps)) {
      // Most of them say that there is nothing, which is quicker to ask.
      if (stamp === "" ? existsSync(each) : stampOf(each) !== stamp) return undefined;
    }
    // JSON has no undefined.
    return { ...config, environment: question.environment };
  } catch {
    // No record, or none of ours: the slow path will do.
    return undefined;
  }
}

/**
 * Keeps a config for the next run. Where that is not possible, the next run is slow again.
 *
 * @param inputs paths of all that the config follows from; a folder's ends with a slash.
 * @param since when reading them began, in milliseconds since the epoch.
 */
export function remember(
  question: Question,
  config: ExecConfig,
  { inputs, since }: { inputs: readonly string[]; since: number },
): void {
  const path = pathOf(question);
  // A repo is data: it must not bring its own records.
  if (path === undefined || isInside(path, config.base)) return;
  const { cwd, environment = null } = question;
  try {
    const stamps = Object.fromEntries(inputs.map((input) => [input, stampOf(input)]));
    if (newestOf(Object.values(stamps)) > since - CLOCK_TICK_MS) return;
    const record: Record = { version: __VERSION__, cwd, environment, stamps, config };
    const folder = dirname(path);
    if (existsSync(folder) && readdirSync(folder).length >= MAX_RECORDS) {
      rmSync(folder, { recursive: true });
    }
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const temporary = `${path}.${process.pid}`;
    writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
    renameSync(temporary, path);
  } catch {
    // A home without room or leave to write.
  }
}

/** A file's time is that of the last tick of the kernel's clock. */
const CLOCK_TICK_MS = 10;

/** What was changed while it was read may have been read before the change. */
function newestOf(stamps: readonly string[]): number {
  const times = stamps.flatMap((stamp) => stamp.split(",")).map((each) => each.split(":").at(-1));
  return Math.max(0, ...times.map(Number).filter(Number.isFinite));
}

/** Readable, so that a person can find it; two folders of the same name take turns. */
function pathOf({ cwd, environment = "", env, platform }: Question): string | undefined {
  const folder = cacheFolder(env, platform);
  if (folder === undefined) return undefined;
  const name = cwd.replace(/[^A-Za-z0-9.-]+/g, "_").slice(-150);
  return join(folder, "do-bootstrap", "exec", `${name}@${environment}.json`);
}

function cacheFolder(env: Environment, platform: NodeJS.Platform): string | undefined {
  const home = env["HOME"] || undefined;
  const own = platform === "darwin" ? "Library/Caches" : ".cache";
  const folder =
    platform === "win32" ? env["LOCALAPPDATA"] : env["XDG_CACHE_HOME"] || (home && join(home, own));
  return folder !== undefined && isAbsolute(folder) ? folder : undefined;
}

const FOLDER = "folder";
const CONFIGURATION = /\.(tf|tofu)(\.json)?$/;

/** Changes when the file, or the Terraform code in the folder, does. */
function stampOf(path: string): string {
  if (!path.endsWith("/")) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return "";
    // git changes its folder's time at every turn.
    return stats.isDirectory() ? FOLDER : `${stats.size}:${stats.mtimeMs}`;
  }
  let names: string[];
  try {
    names = readdirSync(path);
  } catch {
    return "";
  }
  return [FOLDER, ...names.filter((name) => CONFIGURATION.test(name)).sort()]
    .map((name) => (name === FOLDER ? name : `${name}:${stampOf(path + name)}`))
    .join();
}
