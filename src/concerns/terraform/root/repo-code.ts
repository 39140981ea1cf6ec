import { delimiter, isAbsolute, join, resolve } from "node:path";
import { textAt, textIn } from "../../../core/file-text.ts";
import type { Host, Snapshot } from "../../../host/host.ts";
import { foldersUp, isInside } from "../../../lib/paths.ts";

type LookingHost = Pick<Host, "files" | "env" | "home">;

/**
 * Finds programs and settings in the repo that Terraform would use when it starts in a root module: plugins, CLI
 * configs (which name plugins), and files that make a version manager's shim start another program
 * (docs/design.md rule 7).
 *
 * @param dirs the root modules.
 * @param top the repo; a path outside it belongs to the user.
 * @param startsShim whether a version manager's shim may be started in a root module.
 * @returns absolute paths, by root module.
 */
export async function repoCodeFor(
  host: LookingHost,
  dirs: readonly string[],
  top: string,
  startsShim: (dir: string) => boolean = () => true,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { files, env } = host;
  const named = Object.entries(env).flatMap(([name, value = ""]) => {
    if (SETTINGS.includes(name)) return value || [];
    return OPTIONS.test(name) ? value.split(/[\s=,"']+/).filter(Boolean) : [];
  });
  const isRepos = async (path: string) =>
    (await files.look(path)).kind !== "absent" && isInside(await files.realpath(path), top);
  const usual = usualPlaces(host);
  // A link from the user's own folder into a repo was the user's decision.
  const bases = await only([...usual.keys()], async (base) =>
    isInside(await files.realpath(base), top),
  );
  const ofMachine = [
    ...named.filter((path) => isAbsolute(path)),
    ...bases.flatMap((base) => usual.get(base)?.map((name) => join(base, name)) ?? []),
  ];
  const everywhere = await only(ofMachine, isRepos);
  const found = await Promise.all(
    dirs.map(async (dir) => {
      const inRoot = named.filter((path) => !isAbsolute(path)).map((path) => resolve(dir, path));
      const own = await Promise.all([only(inRoot, isRepos), pluginsIn(dir), releasesFor(dir)]);
      return [dir, [...everywhere, ...own.flat()]] as const;
    }),
  );
  return new Map(found);

  async function releasesFor(dir: string): Promise<string[]> {
    const folders = foldersUp(dir, isInside(dir, top) ? top : dir);
    const places = folders.flatMap((folder) => RELEASES.map((name) => join(folder, name)));
    const programs = await only(places, async (path) =>
      STARTS_PROGRAM.test(textIn(await files.look(path))),
    );
    if (programs.length > 0 || !startsShim(dir)) return programs;
    const configs = (await Promise.all(folders.map(miseConfigs))).flat();
    return only(configs, async (path) => !isHarmless(await files.look(path)));
  }

  /** The mise configs of a folder, tracked by git or not. */
  async function miseConfigs(folder: string): Promise<string[]> {
    const names = await files.list(folder);
    const own = names.filter((name) => MISE_CONFIG.test(name)).map((name) => join(folder, name));
    const inner = MISE_FOLDERS.filter(([name = ""]) => names.includes(name)).map(
      async (path): Promise<string[]> => {
        const below = join(folder, ...path);
        const isOther = path.at(-1) === ".config";
        const found = (await files.list(below)).filter((name) =>
          isOther ? MISE_CONFIG.test(name) : name.endsWith(".toml"),
        );
        return found.map((name) => join(below, name));
      },
    );
    return [...own, ...(await Promise.all(inner)).flat()];
  }

  /** A link in the repo counts as part of it, wherever it points. */
  async function pluginsIn(dir: string): Promise<string[]> {
    if (!(await files.list(dir)).includes("terraform.d")) return [];
    const has = (await files.list(join(dir, "terraform.d"))).includes("plugins");
    return has ? [join(dir, "terraform.d", "plugins")] : [];
  }
}

/** Version files for shims, in a root or above it. */
const RELEASES = [".tool-versions", ".terraform-version", ".opentofu-version"];

/**
 * `terraform path:./tools` starts a program from the repo. mise also evaluates templates here, which may start
 * programs.
 */
const STARTS_PROGRAM = /(^|\s)path:|\{[{%#]/m;

const MISE_CONFIG = /^\.?mise(\.[\w.-]+)?\.toml$/;
const MISE_FOLDERS = [
  ["mise"],
  ["mise", "conf.d"],
  [".mise"],
  [".mise", "conf.d"],
  [".config"],
  [".config", "mise"],
  [".config", "mise", "conf.d"],
];

/**
 * True for a mise config with only tool releases and tasks. Templates, `env` and settings may start programs as soon as
 * a shim runs, and mise treats a command run through a shim as trust in the config.
 */
function isHarmless(config: Snapshot): boolean {
  if (config.kind === "absent") return true;
  const text = textAt(config)?.text;
  if (text === undefined || /\{[{%#]|path:/.test(text)) return false;
  let section = "";
  return text.split("\n").every((written) => {
    const line = written.trim();
    if (line === "" || line.startsWith("#")) return true;
    const header = /^\[(tools|tasks)\b/.exec(line)?.[1];
    if (line.startsWith("[")) section = header ?? "";
    if (line.startsWith("[")) return header !== undefined && !/^\[tools[^\]]/.test(line);
    if (section === "tasks") return true;
    return section === "tools"
      ? PLAIN_RELEASE.test(line.replaceAll(/\s/g, ""))
      : /^min_version\s*=/.test(line);
  });
}

/** `terraform = "1.11"` or `terraform = ["1.11", "1.9"]`, without options. White space is already removed. */
const PLAIN_RELEASE = /^["']?[\w.:/@-]+["']?=\[?["'][^"'\\]*["'](,["'][^"'\\]*["'])*,?\]?(#.*)?$/;

const SETTINGS = ["TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG", "TF_PLUGIN_CACHE_DIR"];

/** For options of init and workspace, such as -plugin-dir and -backend-config. */
const OPTIONS = /^TF_CLI_ARGS(_init|_workspace\w*)?$/;

/** Where Terraform and OpenTofu look by default, outside the root module: names by folder. */
function usualPlaces({ env, home }: LookingHost): ReadonlyMap<string, readonly string[]> {
  const data = [env["XDG_DATA_HOME"], ...(env["XDG_DATA_DIRS"]?.split(delimiter) ?? [])];
  const plugins = [join("terraform", "plugins"), join("opentofu", "plugins")];
  const places: readonly (readonly [string | undefined, readonly string[]])[] = [
    [home, [".terraformrc", ".tofurc", join(".terraform.d", "plugins")]],
    [home, [join(".config", "opentofu", "tofurc"), ...plugins.map(inShare)]],
    [env["XDG_CONFIG_HOME"], [join("opentofu", "tofurc")]],
    ...data.map((base) => [base, plugins] as const),
    [env["APPDATA"], ["terraform.rc", "tofu.rc", join("terraform.d", "plugins")]],
    // .terraform.d/*.tfrc, .gitconfig, .ssh: if the repo contains the whole folder, it controls what Terraform starts.
    [home, ["."]],
    [env["APPDATA"], ["."]],
  ];
  const known = new Map<string, readonly string[]>();
  for (const [base, names] of places) {
    if (base && isAbsolute(base)) known.set(base, [...(known.get(base) ?? []), ...names]);
  }
  return known;
}

function inShare(name: string): string {
  return join(".local", "share", name);
}

async function only(
  paths: readonly string[],
  isWanted: (path: string) => Promise<boolean>,
): Promise<string[]> {
  const found = await Promise.all(paths.map(async (path) => ((await isWanted(path)) ? path : [])));
  return found.flat();
}
