import { basename, dirname, join } from "node:path";
import type { Host } from "../../../host/host.ts";
import { isInside } from "../../../lib/paths.ts";
import type { ResolvedConfig } from "../../config/resolved.ts";
import { filesOf } from "../../git/files.ts";
import type { Git } from "../../git/git.ts";
import { isBackendConfig, secretsInFiles } from "../root/backend-secrets.ts";
import type { TerraformRoot } from "../root/root.ts";

/** Other names (backend.json) may be anything, unless the file is next to the code. */
const PATTERNS = ["*.tfbackend", "*.tfbackend.json", "backend*.hcl"].map(
  (name) => `:(icase,glob)**/${name}`,
);
/** More than a project has environments. */
const MOST_FILES = 100;

/**
 * Adds the secrets in files for -backend-config outside a root's own folder, such as backends/prod.s3.tfbackend. A file
 * below a root belongs to that root, any other file to all roots. Files that git ignores are skipped.
 */
export async function withBackendConfigs(
  host: Pick<Host, "files">,
  git: Git,
  { base }: Pick<ResolvedConfig, "base">,
  roots: readonly TerraformRoot[],
): Promise<readonly TerraformRoot[]> {
  const isWith = ({ module, config }: TerraformRoot) => module.backend ?? config.backend;
  if (!roots.some(isWith)) return roots;
  const found = await backendConfigs(host, git, { base }, roots);
  return Promise.all(
    roots.map(async (root) => {
      const paths = found.get(root) ?? [];
      const more = await secretsInFiles(
        host,
        paths.filter((path) => dirname(path) !== root.real),
      );
      return more.length === 0 ? root : { ...root, initSecrets: [...root.initSecrets, ...more] };
    }),
  );
}

/** Files for -backend-config that git tracks or would add, by root. @throws AppError GIT_FAILED */
export async function backendConfigs(
  host: Pick<Host, "files">,
  git: Git,
  { base }: Pick<ResolvedConfig, "base">,
  roots: readonly TerraformRoot[],
): Promise<ReadonlyMap<TerraformRoot, readonly string[]>> {
  const [names, project] = await Promise.all([filesOf(git, PATTERNS), host.files.realpath(base)]);
  const paths = names
    .filter((name) => isBackendConfig(basename(name)))
    .map((name) => join(git.root, name))
    .filter((path) => isInside(path, project));
  const found = new Map<TerraformRoot, string[]>();
  for (const path of paths.slice(0, MOST_FILES)) {
    for (const root of rootsFor(path, roots)) found.set(root, [...(found.get(root) ?? []), path]);
  }
  return found;
}

function rootsFor(path: string, roots: readonly TerraformRoot[]): readonly TerraformRoot[] {
  const above = roots.filter(({ real }) => isInside(path, real));
  const [nearest] = above.sort((a, b) => b.real.length - a.real.length);
  return nearest === undefined ? roots : [nearest];
}
