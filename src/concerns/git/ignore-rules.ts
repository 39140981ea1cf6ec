import { dirname, join, relative } from "node:path";
import { patternOf } from "../../core/ignore-block.ts";
import { PROTECTED_IN_ROOTS } from "../config/protected-paths.ts";
import type { ResolvedConfig } from "../config/resolved.ts";

/** A pattern that .gitignore should have, and the paths that tell whether git needs it. */
export interface IgnoreRule {
  readonly pattern: string;
  readonly probes: readonly string[];
}

/**
 * Everything that must stay out of git (docs/design.md §6, Files). `.terraform.lock.hcl` and `.env.example` are
 * committed.
 */
export function ignoreRules({ base, envFiles, roots }: ResolvedConfig): readonly IgnoreRule[] {
  const dirs = roots.map(({ dir }) => dir);
  const everywhere = new Set([base, ...envFiles.map((path) => dirname(path)), ...dirs]);
  const inRoots = (name: string) => dirs.map((dir) => join(dir, name));
  const wanted: IgnoreRule[] = [
    ...envFiles.map((path) => ({ pattern: patternOf(relative(base, path)), probes: [path] })),
    { pattern: ".env.local", probes: [join(base, ".env.local")] },
    {
      pattern: ".env.*.local",
      // This also matches our temporary files, in every folder that may have one.
      probes: [...everywhere].map((folder) => join(folder, ".env.do-bootstrap-0.local")),
    },
    ...PROTECTED_IN_ROOTS.map(({ git, name }) => ({ pattern: git, probes: inRoots(name) })),
    { pattern: ".terraform/", probes: inRoots(join(".terraform", "providers")) },
  ];
  const rules = new Map<string, readonly string[]>();
  for (const { pattern, probes } of wanted) {
    if (probes.length > 0) rules.set(pattern, [...(rules.get(pattern) ?? []), ...probes]);
  }
  return Array.from(rules, ([pattern, probes]) => ({ pattern, probes }));
}
