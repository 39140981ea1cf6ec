import { isAbsolute, join } from "node:path";
import { textIn } from "../../core/file-text.ts";
import type { Host } from "../../host/host.ts";
import { isOlder } from "../../lib/version.ts";
import type { TerraformTool } from "./root/tool.ts";

/**
 * Measured with Terraform 1.11 and a 45 MB provider on two cores: four at a time take a third of the time of one; eight
 * are slower again. Each needs 60 MB.
 */
const AT_ONCE = 4;

/**
 * How many roots `init` can prepare at a time: only one if they share a folder that is not safe for concurrent use.
 * Terraform's documentation says that its plugin cache is not (hashicorp/terraform#31964, open). OpenTofu has locked it
 * since 1.10, reliably since 1.10.5.
 */
export async function rootsAtOnce(
  host: Pick<Host, "env" | "home" | "files">,
  tools: readonly Pick<TerraformTool, "name" | "version">[],
): Promise<number> {
  // With a relative path, each root has its own folder.
  if (isAbsolute(host.env["TF_DATA_DIR"] ?? "")) return 1;
  if (tools.length > 0 && tools.every(locksCache)) return AT_ONCE;
  return (await hasCache(host)) ? 1 : AT_ONCE;
}

function locksCache({ name, version }: Pick<TerraformTool, "name" | "version">): boolean {
  return name === "tofu" && version !== undefined && !isOlder(version, "1.11");
}

/** Whether the environment or the user's CLI settings configure a plugin cache. */
async function hasCache(host: Pick<Host, "env" | "home" | "files">): Promise<boolean> {
  if (host.env["TF_PLUGIN_CACHE_DIR"]) return true;
  const texts = (await settingsFiles(host)).map(async (path) =>
    textIn(await host.files.look(path)),
  );
  return (await Promise.all(texts)).some((text) => /^[ \t]*plugin_cache_dir\s*=/m.test(text));
}

async function settingsFiles({
  env,
  home,
  files,
}: Pick<Host, "env" | "home" | "files">): Promise<string[]> {
  const named = env["TF_CLI_CONFIG_FILE"] || env["TERRAFORM_CONFIG"];
  if (named) return [named];
  const { APPDATA: windows, XDG_CONFIG_HOME: xdg = home && join(home, ".config") } = env;
  const folder = home && join(home, ".terraform.d");
  const more = folder === undefined ? [] : await files.list(folder);
  return [
    ...(home === undefined ? [] : [".terraformrc", ".tofurc"].map((name) => join(home, name))),
    ...(windows === undefined
      ? []
      : ["terraform.rc", "tofu.rc"].map((name) => join(windows, name))),
    ...(xdg === undefined ? [] : [join(xdg, "opentofu", "tofurc")]),
    ...more.filter((name) => name.endsWith(".tfrc")).map((name) => join(folder ?? "", name)),
  ];
}
