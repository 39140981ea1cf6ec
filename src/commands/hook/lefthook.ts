import { basename, join, resolve } from "node:path";
import { type Git, outputOf } from "../../concerns/git/git.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { generate, recognise } from "../../core/generated.ts";
import { hint } from "../../errors/hint.ts";
import type { Host, Snapshot } from "../../host/host.ts";
import { finding } from "./findings.ts";

/** lefthook reads only the first of these that exists. */
const NAMES = [".yml", ".yaml", ".json", ".jsonc", ".toml"].flatMap((extension) =>
  ["lefthook-local", ".lefthook-local", ".config/lefthook-local"].map((name) => name + extension),
);
const [OURS = ""] = NAMES;
const EXCLUDED = `# do-bootstrap: calls a guard that exists only in this clone\n/${OURS}\n`;
/** The old text, in clones where a guard is already installed. */
const EXCLUDED_BEFORE = `# do-bootstrap: it calls a guard that stands in this clone alone\n/${OURS}\n`;
/** Words separated by single spaces, which lefthook needs on Windows. .git is a file in a linked work tree. */
const FILES = "git rev-parse --git-path HEAD -- .git";

/** A file to change, and its new text; "": the file is removed. */
export interface Rewrite {
  readonly before: Snapshot;
  readonly text: string;
}

/**
 * lefthook rewrites its hooks at any time, but reads local settings in addition to the shared ones. The local settings
 * are hidden from git: in another clone they would call a guard that does not exist.
 *
 * @param template of the settings.
 * @param hooks the files with the guard, by the names of git's hooks.
 * @throws AppError GIT_FAILED
 */
export async function lefthookSettings(
  { files }: Pick<Host, "files">,
  git: Git,
  {
    template,
    hooks,
    isRemoval,
  }: {
    template: string;
    hooks: readonly { readonly name: string; readonly path: string }[];
    isRemoval: boolean;
  },
): Promise<{ rewrites: readonly Rewrite[]; findings: readonly Finding[] }> {
  const settings = await Promise.all(NAMES.map((name) => files.look(join(git.root, name))));
  const isTheirs = (each: Snapshot) =>
    each.kind !== "absent" && textOf(each) !== "" && recognise(textOf(each)) !== "generated";
  const theirs = settings.find(isTheirs);
  const ours = settings.filter((each) => each.path === join(git.root, OURS) && each !== theirs);
  const isWanted = !isRemoval && theirs === undefined;
  const text = isWanted ? generate(template, { hooks: hooks.map(settingsOf).join("\n") }) : "";
  const rewrites = [...ours.map((before) => ({ before, text })), await exclusion(isWanted)].filter(
    ({ before, text }) => text !== textOf(before),
  );
  if (theirs === undefined) return { rewrites, findings: [] };
  const { path } = theirs;
  const isCalled = (hook: { path: string }) => textOf(theirs).includes(basename(hook.path));
  const left = hooks.filter((hook) => isCalled(hook) === isRemoval);
  if (left.length === 0) return { rewrites, findings: [] };
  const message = isRemoval
    ? `${path} still tells lefthook to run the guard, which was removed.`
    : `${path} exists, so lefthook runs the guard only if it is listed there.`;
  const verb = isRemoval ? "Remove from" : "Add to";
  const wanted = left.map((hook) => {
    const settings = Object.entries(commandOf(hook)).map(([key, value]) => `${key}: ${value}`);
    return `${hook.name}, commands: do-bootstrap: { ${settings.join(", ")} }`;
  });
  const fix = hint`${verb} ${wanted.join("; ")}`;
  return { rewrites, findings: [finding("hook.by-hand", message, { where: path, fix })] };

  /** The rule that ignores the settings in this clone only. */
  async function exclusion(isWanted: boolean): Promise<Rewrite> {
    const path = (await outputOf(git, ["rev-parse", "--git-path", "info/exclude"])).trim();
    const before = await files.look(resolve(git.root, path));
    const text = textOf(before);
    if (!isWanted) return { before, text: text.replace(EXCLUDED, "").replace(EXCLUDED_BEFORE, "") };
    const isIgnored = (await git.ignored([join(git.root, OURS)])).size > 0;
    const start = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    return { before, text: isIgnored ? text : start + EXCLUDED };
  }
}

function textOf(snapshot: Snapshot): string {
  return textAt(snapshot)?.text ?? "";
}

/** lefthook's settings for one of git's hooks. */
function settingsOf(hook: { readonly name: string; readonly path: string }): string {
  const lines = Object.entries(commandOf(hook)).map(([key, value]) => `      ${key}: ${value}\n`);
  return `${hook.name}:\n  commands:\n    do-bootstrap:\n${lines.join("")}`.trimEnd();
}

/** The guard gets the arguments and the input of the hook. */
function commandOf({ name, path }: { readonly name: string; readonly path: string }) {
  const run = (words: string) =>
    `guard="$(git rev-parse --git-path hooks)/${basename(path)}"; test ! -f "$guard" || sh "$guard" ${words}`;
  if (name === "pre-commit") return { files: FILES, run: run("{files}") };
  return { run: run("{0}"), ...(name === "pre-push" ? { use_stdin: "true" } : {}) };
}
