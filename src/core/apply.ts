import { dirname, relative } from "node:path";
import { authInit } from "../concerns/doctl/auth-init.ts";
import { removeContext, storeContext } from "../concerns/doctl/store-context.ts";
import type { Git } from "../concerns/git/git.ts";
import { askRepos, wouldTake } from "../concerns/git/repos.ts";
import type { ApiHosts } from "../concerns/token/hosts.ts";
import { AppError } from "../errors/app-error.ts";
import { hint, run } from "../errors/hint.ts";
import { readEnvFile } from "../exec/read-env-file.ts";
import type { Host, Undo } from "../host/host.ts";
import { encode, holdsSecret } from "../secret/content.ts";
import type { Secret } from "../secret/secret.ts";
import { textAt } from "./file-text.ts";
import type { Change, RemoveFile, StoreContext, WriteFile } from "./types.ts";

export type ApplyHost = Pick<
  Host,
  "files" | "clock" | "steadyClock" | "run" | "which" | "env" | "http" | "locked" | "interrupted"
>;

export interface Surroundings {
  readonly git: Git | undefined;
  readonly hosts: ApiHosts;
  /** The token that is stored, where it was found and not given. */
  readonly found?: Secret | undefined;
  /** The token goes to doctl on argv: asked for with --access-token-flag (DESIGN rule 6). */
  readonly asFlag: boolean;
  readonly progress: (what: string) => void;
}

/**
 * Carries out a plan's changes, all or none: the only place that writes to a user's files. What can
 * refuse is asked first (doctl), then .gitignore, then what git may take, then secrets, then doctl's
 * config; what goes, goes last, in the plan's order.
 *
 * @returns what did not go as hoped and does not matter (DESIGN rule 6), in words.
 * @throws AppError; everything is then as it was, but for NotUndone.
 */
export async function apply(
  host: ApplyHost,
  changes: readonly Change[],
  around: Surroundings,
): Promise<readonly string[]> {
  const writes = changes.filter((change) => change.kind === "write");
  const contexts = changes.filter((change) => change.kind === "doctl-context");
  const secret = writes.filter(({ after }) => holdsSecret(after));
  const plain = writes.filter(({ after }) => !holdsSecret(after));
  const puts = ({ takesAway }: WriteFile) => takesAway !== true;
  const undone: Undo[] = [];
  const doubts: string[] = [];
  try {
    for (const change of contexts) doubts.push(...(await verifyWithDoctl(change)));
    for (const folder of new Set(writes.map(({ before }) => dirname(before.target)))) {
      await step(host.files.makeDirectory(folder, 0o755));
      await host.files.sweep(folder);
    }
    for (const change of plain.filter(puts)) await writeFile(change);
    const configs = await Promise.all(contexts.map(({ path }) => host.files.realpath(path)));
    await assertIgnored([...secret.map(({ before }) => before.target), ...configs]);
    for (const change of secret.filter(puts)) await writeFile(change);
    for (const change of contexts) {
      const { context, token, path, replaces } = change;
      const expected = replaces?.fingerprint;
      await step(storeContext(host, { context, token, path, expected, ...around }));
    }
    for (const change of changes) {
      if (change.kind === "doctl-removal") {
        const { context, path, holds } = change;
        const expected = holds.fingerprint;
        await step(removeContext(host, { context, path, expected, ...around }));
      } else if (change.kind === "remove") await removeFile(change);
      else if (change.kind === "write" && !puts(change)) await writeFile(change);
    }
    await assertStillFound();
    return doubts;
  } catch (error) {
    // One that fails must not stop the rest.
    let stuck = 0;
    for (const undo of undone.reverse()) {
      await undo().catch(() => {
        stuck++;
      });
    }
    throw stuck === 0 ? error : new NotUndone(error, stuck);
  }

  async function step(action: Promise<Undo>): Promise<void> {
    undone.push(await action);
    if (host.interrupted.aborted)
      throw new AppError("INTERRUPTED", "Interrupted. Nothing was changed.");
  }

  /** Asked again after .gitignore was written: a pattern further down may undo ours. */
  async function assertIgnored(targets: readonly string[]): Promise<void> {
    const verdicts = [...(await askRepos(host, around.git, targets))];
    const [path, { root } = { root: "" }] =
      verdicts.find(([, verdict]) => wouldTake(verdict)) ?? [];
    if (path === undefined) return;
    const why = ["check-ignore", "-v", "--no-index"];
    const isElsewhere = root !== around.git?.root;
    const ask = isElsewhere
      ? run("git", "-C", { path: root }, ...why, "--", relative(root, path))
      : run("git", ...why, { path });
    throw new AppError("NOT_IGNORED", `git would take ${path}, which is to hold the token.`, {
      hint: hint`Nothing was changed. Find the pattern that lets it in: ${ask}`,
    });
  }

  /**
   * Asked when all is written: a rotate that replaced the token before is seen by us, and one that comes
   * later sees what we wrote.
   */
  async function assertStillFound(): Promise<void> {
    const origin = around.found?.origin;
    if (origin?.kind !== "env-file") return;
    const now = await host.files.look(origin.path, { waitForFifo: false });
    // What is no file, such as a FIFO, no rotate writes to.
    if (now.kind === "unusable") return;
    const value = readEnvFile(textAt(now)?.text ?? "").get(origin.name);
    if (value !== undefined && around.found?.holds(value)) return;
    const what = `${origin.name} in ${origin.path} was changed by somebody else meanwhile.`;
    throw new AppError("CHANGED_MEANWHILE", what, {
      hint: hint`Nothing was changed. Run the same command again.`,
    });
  }

  function writeFile({ before, after, mode }: WriteFile): Promise<void> {
    return step(host.files.replace(before, encode(after), mode));
  }

  async function removeFile({ before, emptyBelow }: RemoveFile): Promise<void> {
    await step(host.files.remove(before));
    if (emptyBelow !== undefined) {
      await step(host.files.removeEmpty(dirname(before.path), emptyBelow));
    }
  }

  async function verifyWithDoctl({ doctl, path, token, context }: StoreContext): Promise<string[]> {
    const folder = dirname(await host.files.realpath(path));
    await step(host.files.makeDirectory(folder, 0o700));
    await host.files.sweep(folder);
    if (doctl === undefined) return [];
    around.progress("Letting doctl check the token");
    const result = await authInit(host, { doctl, folder, token, ...around });
    if (result.kind === "refused") {
      throw new AppError("DOCTL_REFUSED_TOKEN", "doctl's server refuses the token (401).", {
        hint: hint`Nothing was changed. Wait a minute if the token is new, then run the same command again.`,
      });
    }
    return result.kind === "accepted"
      ? []
      : [
          `doctl could not check the token itself (${result.why}); context ${context} was written, as our own check succeeded.`,
        ];
  }
}

/** Not everything is as it was: a full disk has no room for what was there before, either. */
export class NotUndone extends AppError {
  constructor(cause: unknown, many: number) {
    const what = many === 1 ? "one change" : `${many} changes`;
    const message = cause instanceof Error ? cause.message : String(cause);
    super("WRITE_FAILED", `${message} And ${what} could not be taken back.`, {
      hint: hint`Make room on the disk, then run the same command again: it goes on from what is there.`,
      cause,
    });
  }
}
