import { basename, join, resolve } from "node:path";
import { type Git, outputOf } from "../../concerns/git/git.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { generate, recognise } from "../../core/generated.ts";
import { hint } from "../../errors/hint.ts";
import type { Host, Snapshot } from "../../host/host.ts";
import { finding } from "./findings.ts";

/** lefthook reads the first of them that is there, and no other. */
const NAMES = [".yml", ".yaml", ".json", ".jsonc", ".toml"].flatMap((extension) =>
  ["lefthook-local", ".lefthook-local", ".config/lefthook-local"].map((name) => name + extension),
);
const [OURS = ""] = NAMES;
const EXCLUDED = `# do-bootstrap: it calls a guard that stands in this clone alone\n/${OURS}\n`;
/** In words that are parted by one space each, as lefthook takes it on Windows; .git is a file in a linked work tree. */
const FILES = "git rev-parse --git-path HEAD -- .git";

/** A file that changes, and the text that it is to have; "": it goes. */
export interface Rewrite {
  readonly before: Snapshot;
  readonly text: string;
}

/**
 * lefthook writes its hooks anew as it likes, but reads local settings beside its own. They are hidden from
 * git: in another clone they would call a guard that is not there.
 *
 * @param template of the settings.
 * @param hook the file with the guard.
 * @throws AppError GIT_FAILED
 */
export async function lefthookSettings(
  { files }: Pick<Host, "files">,
  git: Git,
  { template, hook, isRemoval }: { template: string; hook: string; isRemoval: boolean },
): Promise<{ rewrites: readonly Rewrite[]; findings: readonly Finding[] }> {
  const run = `guard="$(git rev-parse --git-path hooks)/${basename(hook)}"; test ! -f "$guard" || sh "$guard" {files}`;
  const settings = await Promise.all(NAMES.map((name) => files.look(join(git.root, name))));
  const isTheirs = (each: Snapshot) =>
    each.kind !== "absent" && textOf(each) !== "" && recognise(textOf(each)) !== "generated";
  const theirs = settings.find(isTheirs);
  const ours = settings.filter((each) => each.path === join(git.root, OURS) && each !== theirs);
  const isWanted = !isRemoval && theirs === undefined;
  const text = isWanted ? generate(template, { files: FILES, run }) : "";
  const rewrites = [...ours.map((before) => ({ before, text })), await exclusion(isWanted)].filter(
    ({ before, text }) => text !== textOf(before),
  );
  const isCalled = theirs !== undefined && textOf(theirs).includes(basename(hook));
  if (theirs === undefined || isCalled !== isRemoval) return { rewrites, findings: [] };
  const { path } = theirs;
  const message = isRemoval
    ? `${path} still has lefthook run the guard, which is gone.`
    : `${path} exists, and lefthook runs the guard only where that says so.`;
  const verb = isRemoval ? "Take out of" : "Add to";
  const fix = hint`${verb} pre-commit, commands: do-bootstrap: { files: '${FILES}', run: '${run}' }`;
  return { rewrites, findings: [finding("hook.by-hand", message, { where: path, fix })] };

  /** Ignored in this clone alone. */
  async function exclusion(isWanted: boolean): Promise<Rewrite> {
    const path = (await outputOf(git, ["rev-parse", "--git-path", "info/exclude"])).trim();
    const before = await files.look(resolve(git.root, path));
    const text = textOf(before);
    if (!isWanted) return { before, text: text.replace(EXCLUDED, "") };
    const isIgnored = (await git.ignored([join(git.root, OURS)])).size > 0;
    const start = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    return { before, text: isIgnored ? text : start + EXCLUDED };
  }
}

function textOf(snapshot: Snapshot): string {
  return textAt(snapshot)?.text ?? "";
}
