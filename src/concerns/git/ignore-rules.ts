import { dirname, join, relative } from "node:path";
import { patternOf } from "../../core/ignore-block.ts";
import { SECRET_TFVARS } from "../config/protected-paths.ts";
import type { ResolvedConfig } from "../config/resolved.ts";

/** A pattern that .gitignore should have, and the paths by which git is asked whether it is needed. */
export interface IgnoreRule {
  readonly pattern: string;
  readonly probes: readonly string[];
}

/**
 * What has to stay out of git (docs/design.md §6, Files). `.terraform.lock.hcl` and `.env.example`
 * belong in it.
 */
export function ignoreRules({ base, envFiles, roots }: ResolvedConfig): readonly IgnoreRule[] {
  const dirs = roots.map(({ dir }) => dir);
  const everywhere = new Set([base, ...envFiles.map((path) => dirname(path)), ...dirs]);
  const inRoots = (pattern: string, ...names: string[]): IgnoreRule => ({
    pattern,
    probes: dirs.flatMap((dir) => names.map((name) => join(dir, name))),
  });
  const rules: IgnoreRule[] = [
    ...envFiles.map((path) => ({ pattern: patternOf(relative(base, path)), probes: [path] })),
    { pattern: ".env.local", probes: [join(base, ".env.local")] },
    {
      pattern: ".env.*.local",
      // Also the form of our temporary files, wherever one may come to stand.
      probes: [...everywhere].map((folder) => join(folder, ".env.do-bootstrap-0.local")),
    },
    inRoots("*.secret.auto.tfvars.json", SECRET_TFVARS),
    inRoots("*.tfstate*", "terraform.tfstate", "terraform.tfstate.backup"),
    inRoots("*.tfplan", "plan.tfplan"),
    inRoots("tfplan", "tfplan"),
    inRoots(".terraform/", join(".terraform", "providers")),
  ];
  const seen = new Set<string>();
  return rules.filter(({ pattern, probes }) => {
    if (probes.length === 0 || seen.has(pattern)) return false;
    seen.add(pattern);
    return true;
  });
}
