import { join } from "node:path";
import { textIn } from "../../../core/file-text.ts";
import { hasBlock } from "../../../core/ignore-block.ts";
import type { Files, Host } from "../../../host/host.ts";
import { isTerraformFile, pathFrom } from "../../../lib/paths.ts";
import {
  DEFAULT_DIRS,
  type FindRoots,
  isLink,
  usualDirs,
  usualRoot,
} from "../../config/find-config.ts";
import type { Git } from "../../git/git.ts";
import { chooseRoots, type RootsChoice, type WantedRoots } from "./choose.ts";
import type { RepoLayout } from "./layout.ts";
import { searchRoots } from "./search.ts";

type SearchingHost = Pick<Host, "files" | "records" | "clock">;

/** The result of a search for roots; undefined if the config names the roots, and outside git. */
export interface FoundRoots {
  /** The folder that all names are relative to, absolute. */
  readonly base: string;
  readonly choice: RootsChoice;
  readonly layout: RepoLayout;
  /** Records the result, so that `exec` needs no search. */
  readonly keepRecord: () => void;
}

/** A root that the config names. */
interface Named {
  readonly dir: string;
}

/** Finds the roots of a repo, and keeps what else the search has found. */
export class RootSearch {
  readonly #host: SearchingHost;
  readonly #git: Git | undefined;
  readonly #wanted: WantedRoots | undefined;
  found: FoundRoots | undefined;

  constructor(host: SearchingHost, git: Git | undefined, wanted?: WantedRoots) {
    this.#host = host;
    this.#git = git;
    this.#wanted = wanted;
  }

  readonly rootsIn: FindRoots = async (files, asked) => {
    if (this.#git === undefined) return usualRoot(files, asked);
    const { base, claimed } = asked;
    const { dirs, settled = await configuredDir(files, base, dirs) } = await usualDirs(files, base);
    if (settled !== undefined && this.#wanted === undefined) return without([settled], claimed);
    const [layout, isNew] = await Promise.all([
      searchRoots(this.#host, this.#git, base),
      isNewRepo(files, base),
    ]);
    const usual = dirs.find((dir) => !isOthersModule(layout, dir));
    const choice = chooseRoots(layout, { usual, isNew }, asked, this.#wanted);
    this.found = { base, choice, layout, keepRecord: () => keepRoots(this.#host, base, choice) };
    return choice.dirs;
  };

  /**
   * Searches for a folder that the config names but that does not exist.
   *
   * @param others the roots of its other environments.
   */
  async lookFor(
    { base, roots }: { readonly base: string; readonly roots: readonly Named[] },
    others: () => readonly Named[] = () => [],
  ): Promise<void> {
    if (this.#git === undefined || this.found !== undefined) return;
    const namesOf = (all: readonly Named[]) => all.map(({ dir }) => pathFrom(base, dir) || ".");
    const dirs = namesOf(roots);
    const looks = await Promise.all(roots.map(({ dir }) => this.#host.files.look(dir)));
    const absent = dirs.filter((_, at) => looks[at]?.kind === "absent");
    if (absent.length === 0) return;
    const layout = await searchRoots(this.#host, this.#git, base);
    const named = new Set([...dirs, ...namesOf(others())]);
    const unnamed = [...layout.roots, ...layout.aside].filter((dir) => !named.has(dir));
    const choice = { kind: "config", dirs, absent, unnamed } as const;
    this.found = { base, choice, layout, keepRecord: () => undefined };
  }
}

/**
 * In a prepared repo, the only usual folder with code, if it configures our provider itself. A module that others call
 * does not.
 */
async function configuredDir(
  files: Pick<Files, "list" | "look" | "realpath">,
  base: string,
  [dir, another]: readonly string[],
): Promise<string | undefined> {
  if (dir === undefined || another !== undefined) return undefined;
  if (!hasBlock(textIn(await files.look(join(base, ".gitignore"))))) return undefined;
  if (await isLink(files, base, dir)) return undefined;
  const names = (await files.list(join(base, dir))).filter(isTerraformFile);
  const texts = await Promise.all(names.map((name) => files.look(join(base, dir, name))));
  const isOurs = (text: string) =>
    /\bprovider\b[\s"[{:]+\w/.test(text) && /digitalocean/i.test(text);
  return texts.some((each) => isOurs(textIn(each))) ? dir : undefined;
}

/** For `exec`, which does not search: uses the result of the last search. */
export function recalledRoots({ records }: Pick<Host, "records">): FindRoots {
  return async (files, asked) => {
    const { settled } = await usualDirs(files, asked.base);
    const kept = settled === undefined ? records.recall(asked.base, "roots") : undefined;
    if (!Array.isArray(kept)) return usualRoot(files, asked);
    return without(
      kept.filter((dir) => typeof dir === "string"),
      asked.claimed,
    );
  };
}

/** Terragrunt or a stack uses this folder as a module, so our files would conflict with theirs. */
function isOthersModule({ ofOtherTools, perhapsOfUnits }: RepoLayout, dir: string): boolean {
  return ofOtherTools.includes(dir) || perhapsOfUnits.includes(dir);
}

function without(dirs: readonly string[], claimed: ReadonlySet<string>): readonly string[] {
  return dirs.filter((dir) => !claimed.has(dir));
}

/** null: the usual folder. */
function keepRoots(
  { records, clock }: Pick<Host, "records" | "clock">,
  base: string,
  { kind, dirs }: RootsChoice,
): void {
  const value = kind === "usual" ? null : dirs;
  const kept = records.recall(base, "roots");
  if (JSON.stringify(kept ?? null) === JSON.stringify(value)) return;
  const inputs = dirs.map((dir) => join(base, dir));
  records.keep(base, value, clock.now(), { kind: "roots", inputs });
}

/** True for a folder that contains only what a new repo has. */
async function isNewRepo(files: Pick<Host["files"], "list">, base: string): Promise<boolean> {
  const names = await files.list(base);
  const usual = names.filter((name) => DEFAULT_DIRS.includes(name));
  const inside = await Promise.all(usual.map((name) => files.list(join(base, name))));
  const others = names.filter((name) => !usual.includes(name));
  return [...others, ...inside.flat()].every((name) => FURNITURE.test(name));
}

// The content of a submodule is unknown if it is not checked out.
const FURNITURE =
  /^(\.(?!gitmodules$).*|(readme|licen[cs]e|copying|notice|changelog|contributing|code_of_conduct|security|codeowners|authors)(\.\w+)?|do-bootstrap\.config\.\w+|package(-lock)?\.json|(pnpm-lock|pnpm-workspace)\.yaml|yarn\.lock|bun\.lockb?|node_modules)$/i;
