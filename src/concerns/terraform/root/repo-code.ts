import { delimiter, isAbsolute, join, resolve } from "node:path";
import type { Host } from "../../../host/host.ts";
import { isInside } from "../../../lib/paths.ts";

/**
 * Where Terraform would find programs or settings of its own in the repo, as soon as it is started in a
 * root module: plugins, and command-line configs, which name plugins (docs/design.md rule 7).
 *
 * @param dir the root module.
 * @param top the repo; what leads out of it is the user's own.
 * @returns absolute paths.
 */
export async function repoCodeFor(
  { files, env, home }: Pick<Host, "files" | "env" | "home">,
  dir: string,
  top: string,
): Promise<readonly string[]> {
  const named = SETTINGS.flatMap((name) => (env[name] ? [resolve(dir, env[name])] : []));
  const data = [env["XDG_DATA_HOME"], ...(env["XDG_DATA_DIRS"]?.split(delimiter) ?? [])];
  const bases: readonly (readonly [string | undefined, readonly string[]])[] = [
    [dir, [join("terraform.d", "plugins")]],
    [home, [".terraformrc", ".tofurc", join(".terraform.d", "plugins")]],
    [env["XDG_CONFIG_HOME"] || (home && join(home, ".config")), [join("opentofu", "tofurc")]],
    ...data.map((base) => [base, ["terraform", "opentofu"].map(plugins)] as const),
    [home && join(home, ".local", "share"), ["terraform", "opentofu"].map(plugins)],
    [env["APPDATA"], ["terraform.rc", "tofu.rc", join("terraform.d", "plugins")]],
  ];
  const usual = bases.flatMap(([base, names]) =>
    base && isAbsolute(base) ? names.map((name) => join(base, name)) : [],
  );
  const found = await Promise.all(
    [...new Set([...named, ...usual])].map(async (path) => {
      const [real, link] = await Promise.all([files.realpath(path), files.look(path)]);
      const isThere = link.kind !== "absent";
      // A link in the repo is the repo's, wherever it leads.
      return isThere && (isInside(real, top) || isInside(path, dir)) ? path : [];
    }),
  );
  return found.flat();
}

const SETTINGS = ["TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG", "TF_PLUGIN_CACHE_DIR"];

function plugins(tool: string): string {
  return join(tool, "plugins");
}
