import { join } from "node:path";
import { editText } from "../../core/changes/write-file.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { hasBlock, missingPatterns, patternOf, withPatterns } from "../../core/ignore-block.ts";
import { obstacles } from "../../core/obstacles.ts";
import type { PlanPart } from "../../core/plan.ts";
import { hint, run } from "../../errors/hint.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { GitFacts, RepoFacts } from "./facts.ts";
import { finding } from "./findings.ts";
import { type IgnoreRule, ignoreRules } from "./ignore-rules.ts";

/** The facts that the plan depends on. */
interface Known {
  readonly config: ResolvedConfig;
  readonly repo: RepoFacts;
}

/** Adds the patterns that .gitignore is missing: git decides; outside git, the text does. */
export function planGitignore(known: Known): PlanPart {
  const {
    repo: { gitignore, git },
    config,
  } = known;
  const current = textAt(gitignore);
  const lacking = (...patterns: string[]) => missingPatterns(current?.text ?? "", patterns);
  const rules = ignoreRules(config);
  const isOurs = (probe: string) => git?.nested.has(probe) === false;
  const openIn = ({ probes }: IgnoreRule) =>
    probes.find((probe) => isOurs(probe) && !git?.ignored.has(probe));
  // If one of the user's own rules ignores a whole folder, git reports nothing more about its content.
  const isOnlyHere = ({ probes }: IgnoreRule) =>
    probes.some((probe) => isOurs(probe) && git?.ignoredHere.has(probe));
  const overruled = rules.flatMap((rule) => {
    const open = lacking(rule.pattern).length === 0 ? openIn(rule) : undefined;
    return open === undefined ? [] : [notIgnored(rule.pattern, open)];
  });
  const missing = rules
    .filter((rule) => git === undefined || openIn(rule) !== undefined || isOnlyHere(rule))
    .flatMap(({ pattern }) => lacking(pattern));
  const isOfUse = missing.length > 0 || hasBlock(current?.text ?? "");
  if (isOfUse && git?.ignored.has(gitignore.path) && !git.tracked.has(gitignore.path)) {
    overruled.push(ignoresItself(gitignore.path));
  }
  if (git === undefined) overruled.push(noGit(gitignore.path));
  else overruled.push(...judgeNested(rules, git));
  if (missing.length === 0) return { findings: overruled };

  const obstructed = obstacles(known.repo, gitignore);
  const findings = [...overruled, ...obstructed];
  if (findings.some(({ level }) => level === "error") || current === undefined) return { findings };
  const why = "make git ignore secrets and state";
  const change = editText(gitignore, (text) => withPatterns(text, missing), why);
  return { findings, changes: [change] };
}

/** Our patterns don't apply in a nested repo, and we don't change its .gitignore. */
function judgeNested(rules: readonly IgnoreRule[], { ignored, nested }: GitFacts): Finding[] {
  const missing = new Map<string, Set<string>>();
  for (const { pattern, probes } of rules) {
    for (const probe of probes) {
      const place = ignored.has(probe) ? undefined : nested.get(probe);
      if (place === undefined) continue;
      const isByName = /^[^/]+\/?$/.test(pattern);
      const own = isByName ? pattern : patternOf(place.name);
      missing.set(place.root, (missing.get(place.root) ?? new Set()).add(own));
    }
  }
  return [...missing].map(([root, patterns]) => {
    const message = `${root} is a nested git repo that does not ignore secrets or state.`;
    const fix = hint`Add to its .gitignore: ${[...patterns].join(" ")}`;
    return finding("git.not-ignored", message, { where: join(root, ".gitignore"), fix });
  });
}

function noGit(path: string): Finding {
  return finding("git.none", "This folder is not a git repo. The .gitignore is ready for one.", {
    where: path,
    fix: hint`${run("git", "init")}`,
  });
}

function ignoresItself(path: string): Finding {
  const message = `git ignores ${path}, so colleagues and pipelines don't get its patterns.`;
  const fix = hint`${run("git", "add", "--force", { path })}, then commit it.`;
  return finding("git.rules-ignored", message, { where: path, fix });
}

function notIgnored(pattern: string, path: string): Finding {
  return finding(
    "git.not-ignored",
    `.gitignore has ${pattern}, but another pattern un-ignores ${path}.`,
    {
      where: path,
      fix: hint`Find and fix that pattern: ${run("git", "check-ignore", "-v", "--no-index", { path })}`,
    },
  );
}
