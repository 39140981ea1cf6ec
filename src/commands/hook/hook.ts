import { basename, dirname, join, resolve } from "node:path";
import { type Git, openGit, outputOf } from "../../concerns/git/git.ts";
import { guardOf } from "../../concerns/git/repos.ts";
import { filesNotHere } from "../../concerns/git/sparse.ts";
import type { ApplyHost, Change } from "../../core/change.ts";
import { RemoveFile } from "../../core/changes/remove-file.ts";
import { WriteFile } from "../../core/changes/write-file.ts";
import { rewritten, textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import {
  type Approve,
  type FlowOptions,
  type Result,
  runTask,
  type Task,
} from "../../core/flow.ts";
import { isSameCode, recognise } from "../../core/generated.ts";
import { obstacles } from "../../core/obstacles.ts";
import { joined, NOTHING, type Plan, type PlanPart } from "../../core/plan.ts";
import type { RunHost } from "../../core/run-commands.ts";
import { AppError } from "../../errors/app-error.ts";
import { type Hint, hint, own, run } from "../../errors/hint.ts";
import type { Host, Snapshot } from "../../host/host.ts";
import { isInside } from "../../lib/paths.ts";
import { commonFolder } from "./common-folder.ts";
import { finding } from "./findings.ts";
import { guardIn, isShell, withGuard, withoutGuard } from "./guard.ts";
import { HOOKS, renderGuard } from "./hooks.ts";
import { lefthookSettings } from "./lefthook.ts";

export interface HookFacts {
  /** The pre-commit hook with the guard, present or planned. The other hooks are in the same folder. Absolute. */
  readonly path: string;
  readonly git: Git;
}

export interface HookRequest {
  readonly action: "install" | "remove";
  /** Write outside the repo, and change an edited guard. */
  readonly force: boolean;
}

/**
 * Installs or removes the guard: the task of `hook`.
 *
 * @throws AppError USAGE outside git, and those of planHook and runTask.
 */
export async function changeHook(
  host: ApplyHost & RunHost & Pick<Host, "which" | "template">,
  request: HookRequest & Pick<FlowOptions, "dryRun" | "progress">,
  approve: Approve<HookFacts>,
): Promise<Result<HookFacts>> {
  const task: Task<HookFacts> = {
    async look() {
      const git = await openGit(host, host.cwd);
      if (git === undefined) {
        throw new AppError("USAGE", `${host.cwd} is not in a git repo.`, {
          hint: hint`${run("git", "init")}`,
        });
      }
      const { path, ...plan } = await planHook(host, git, request);
      return { facts: { path, git }, plan };
    },
    // An earlier run may have been killed directly after it wrote the hook.
    cleanUp: async ({ path }) => host.files.sweep(dirname(await host.files.realpath(path))),
    guard: ({ git }) => guardOf(host, git),
  };
  return runTask(task, host, approve, request);
}

type HookHost = Pick<Host, "files" | "template">;

/**
 * Adds the guard against tokens to the hooks that git runs when commits are created or sent, or removes it. The rest of
 * each hook is kept. With a hook manager, the guard goes where the manager keeps the user's own hooks: husky's script,
 * the legacy hook of pre-commit, lefthook's local settings.
 *
 * @throws AppError GIT_FAILED
 */
export async function planHook(
  host: HookHost,
  git: Git,
  request: HookRequest,
): Promise<Plan & Pick<HookFacts, "path">> {
  const { files, template } = host;
  const folder = await commonFolder(host, git);
  const configured = await configuredFolder(git);
  const places = await Promise.all(
    Object.keys(HOOKS).map(async (name) => ({
      name,
      ...(await placeOfHook(files, hooksIn(folder.path, git, configured), name)),
    })),
  );
  const isRemoval = request.action === "remove";
  const [main] = places;
  const path = main?.path ?? "";
  const byLefthook = places.filter(({ lefthook }) => lefthook);
  const settings =
    byLefthook.length > 0
      ? await lefthookSettings(host, git, {
          template: template("hooks/lefthook-local.yml"),
          hooks: byLefthook,
          isRemoval,
        })
      : { rewrites: [], findings: [] };
  const looks = await Promise.all(
    places.map(async (place) => ({ ...place, hook: await files.look(place.path) })),
  );
  const hooks = looks.map((place) => ({
    ...place,
    isShared: looks.some(
      ({ hook, name }) => hook.target === place.hook.target && name !== place.name,
    ),
  }));
  const touched = [
    ...hooks.map(({ hook }) => hook).filter((hook) => !isRemoval || hook.kind !== "absent"),
    ...settings.rewrites.map(({ before }) => before),
  ];
  const inTheWay = await obstaclesAt(touched);
  if (inTheWay.length > 0) return { path, ...joined([{ findings: inTheWay }]) };
  const guard = template("hooks/guard");
  return {
    path,
    ...joined([
      ...hooks.map((place) => planOne(place, renderGuard(guard, place.name), request)),
      {
        changes: settings.rewrites.flatMap(({ before, text }) =>
          replaced(before, text, modeOf(before) ?? 0o644),
        ),
        findings: settings.findings,
      },
    ]),
  };

  /** Each kind of obstacle once for each folder. */
  async function obstaclesAt(snapshots: readonly Snapshot[]): Promise<Finding[]> {
    const ours = folder.isOurs ? [git.root, folder.path] : [git.root];
    const notHere = await filesNotHere(host, git);
    const found = snapshots.map(async (snapshot) => {
      const parent = dirname(snapshot.target);
      const isIn = ours.some((place) => isInside(snapshot.target, place));
      const why = await files.whyNotWritable(parent);
      const blocked = new Map(why === undefined ? [] : [[parent, why]]);
      const bounds = { blocked, notHere, top: isIn || request.force ? parent : git.root };
      return obstacles(bounds, snapshot);
    });
    const all = (await Promise.all(found)).flat();
    return [
      ...new Map(all.map((each) => [`${each.id} ${dirname(each.where ?? "")}`, each])).values(),
    ];
  }
}

interface Place {
  readonly name: string;
  readonly path: string;
  readonly lefthook: boolean;
  /** git itself runs it, not a hook manager. */
  readonly isRun: boolean;
  readonly hook: Snapshot;
  /** Other hooks are links to the same file, so all of them would share one guard. */
  readonly isShared: boolean;
}

function planOne(
  { name, path, hook, isRun, isShared }: Place,
  guard: string,
  { action, force }: HookRequest,
): PlanPart {
  const isRemoval = action === "remove";
  const text = textAt(hook)?.text ?? "";
  const old = guardIn(text);
  if (old !== undefined && recognise(old) === "edited" && !force) {
    const message = `The guard in ${path} was edited, so it is not changed.`;
    const fix = hint`To replace it: ${own("hook", action, "--force")}`;
    return { findings: [finding("hook.edited", message, { where: path, fix })] };
  }
  if (!isRemoval && !isShell(withoutGuard(text))) {
    const what = text.includes("\r\n") ? "has CRLF line endings" : "is not a shell script";
    return foreign(
      `${path} ${what}, so the guard can't be added.`,
      hint`Rename it and call it from a ${name} hook written in sh, then run the same command again.`,
    );
  }
  if (!isRemoval && isShared) {
    return foreign(
      `${path} is the same file as other hooks, and each hook needs its own guard.`,
      hint`Replace it with an sh script that calls the file, then run the same command again.`,
    );
  }
  const isOff = ((modeOf(hook) ?? 0o755) & 0o100) === 0 && text.trim() !== "";
  if (!isRemoval && isRun && isOff && !force) {
    return foreign(
      `${path} is not executable. Adding the guard would enable the whole hook.`,
      hint`${run("chmod", "+x", { path })}, or delete it, then run the same command again.`,
    );
  }
  // Without a guard, the hook is not ours. One that is not executable is disabled.
  if (isRemoval && old === undefined) return NOTHING;
  // sh can't run a guard with CRLF.
  const isCurrent = old !== undefined && !old.includes("\r") && isSameCode(old, guard) && !force;
  const after = isRemoval ? withoutGuard(text) : withGuard(text, isCurrent ? old : guard);
  return { changes: replaced(hook, after, modeWithGuard()) };

  /** Whoever can read a disabled hook may run it afterwards. The mode of other hooks is kept. */
  function modeWithGuard(): number {
    const mode = modeOf(hook) ?? 0o755;
    return !isRemoval && isRun && (mode & 0o100) === 0 ? mode | 0o111 : mode;
  }

  /** Only commits need the guard. The other hooks are additional. */
  function foreign(message: string, fix: Hint): PlanPart {
    const id = name === "pre-commit" ? "hook.foreign" : "hook.not-covered";
    return { findings: [finding(id, message, { where: path, fix })] };
  }
}

/** The folder of the hooks that git runs. */
function hooksIn(gitFolder: string, git: Git, configured: string | undefined): string {
  return configured === undefined ? join(gitFolder, "hooks") : resolve(git.root, configured);
}

/** The hook that git runs, or the one that this hook calls. */
async function placeOfHook(
  files: Host["files"],
  folder: string,
  name: string,
): Promise<Pick<Place, "path" | "lefthook" | "isRun">> {
  // husky's folder calls the script in the folder above it (husky 9), or contains it (before).
  const isHusky = basename(folder) === "_" && basename(dirname(folder)) === ".husky";
  const path = join(isHusky ? dirname(folder) : folder, name);
  const text = textAt(await files.look(path))?.text ?? "";
  if (text.includes("call_lefthook")) {
    return { path: `${path}.do-bootstrap`, lefthook: true, isRun: false };
  }
  // pre-commit runs the hook that existed before it under this name.
  const isFramework = text.includes("File generated by pre-commit: https://pre-commit.com");
  return { path: isFramework ? `${path}.legacy` : path, lefthook: false, isRun: !isHusky };
}

/** core.hooksPath from the config of the user, the machine or the repo, ignoring what we pass to git ourselves. */
async function configuredFolder(git: Git): Promise<string | undefined> {
  const asked = ["config", "--get-all", "--show-scope", "--type=path", "-z", "core.hooksPath"];
  const words = (await outputOf(git, asked, { fine: [0, 1] })).split("\0");
  const values = words.flatMap((scope, i) =>
    i % 2 === 0 && scope !== "" && scope !== "command" ? [words[i + 1]] : [],
  );
  const last = values.at(-1);
  if (last !== "" && last !== "/dev/null") return last;
  throw new AppError("USAGE", `core.hooksPath is ${last || "empty"}, so git runs no hooks here.`, {
    hint: hint`${run("git", "config", "--unset", "core.hooksPath")} (add --global if it is set globally), then run the same command again.`,
  });
}

/** undefined for a new file, and on Windows, where every hook is executable. */
function modeOf(before: Snapshot): number | undefined {
  return before.kind === "file" ? before.mode : undefined;
}

function replaced(before: Snapshot, text: string, mode: number): Change[] {
  if (text === "") {
    return before.kind === "file" ? [new RemoveFile(before, "contained only the guard")] : [];
  }
  const isDone =
    before.kind === "file" && textAt(before)?.text === text && (before.mode ?? mode) === mode;
  if (isDone) return [];
  const edit = () => rewritten(before, text);
  return [
    new WriteFile({ before, edit, mode, why: "blocks tokens from being committed or pushed" }),
  ];
}
