import { content } from "../content.ts";
import { withPatterns } from "../git/ignore-block.ts";
import { ignoreRules } from "../git/ignore-rules.ts";
import { obstacles, plainWrite, textAt } from "./existing.ts";
import { finding } from "./findings.ts";
import type { Observation } from "./observe.ts";
import type { Consent, Finding, PlanPart } from "./types.ts";

/** The patterns that .gitignore lacks: by git's own answer, outside git by the text. */
export function planGitignore(observation: Observation, consent: Consent): PlanPart {
  const { gitignore, git, config } = observation;
  const current = textAt(gitignore);
  const lines = new Set(current?.text.split(/\r?\n/).map((line) => line.trim()));
  const needed = ignoreRules(config).filter(({ pattern, probes }) =>
    git === undefined ? !lines.has(pattern) : probes.some((probe) => !git.ignored.has(probe)),
  );
  const overruled = needed
    .filter(({ pattern }) => lines.has(pattern))
    .map(({ pattern, probes }) => notIgnored(pattern, probes[0] ?? ""));
  const missing = needed.filter(({ pattern }) => !lines.has(pattern)).map(({ pattern }) => pattern);
  if (git === undefined) overruled.push(noGit(gitignore.path));
  if (missing.length === 0) return { findings: overruled };

  const obstructed = obstacles(observation, gitignore, consent);
  const findings = [...overruled, ...obstructed];
  if (findings.some(({ level }) => level === "error") || current === undefined) return { findings };
  const after = content(withPatterns(current.text, missing));
  const { encoding } = current;
  const why = "keeps secrets and state out of git";
  return { findings, changes: [plainWrite(gitignore, { ...after, encoding }, why)] };
}

function noGit(path: string): Finding {
  return finding("git.none", "There is no git repo here: .gitignore is ready for one.", {
    where: path,
    fix: "git init",
  });
}

function notIgnored(pattern: string, path: string): Finding {
  return finding(
    "git.not-ignored",
    `.gitignore has ${pattern}, but another pattern lets git take ${path}.`,
    { where: path, fix: `Find and mend it: git check-ignore -v --no-index ${path}` },
  );
}
