/** A folder with Terraform code, as far as it says what is a root. Folders are named from the base. */
export interface CodeFolder {
  /** "." is the base; what lies above it begins with "..". */
  readonly dir: string;
  /** Its own code names DigitalOcean's provider, a resource or a data source of it. */
  readonly usesDigitalOcean: boolean;
  /** It has a backend, a cloud block or a block of DigitalOcean's provider: a module of others has none. */
  readonly isConfigured: boolean;
  /** It has one of the first two: only a root says where its state is. */
  readonly hasBackend: boolean;
  /** Folders that it calls as modules. */
  readonly calls: readonly string[];
  /**
   * Terraform itself finds code in it, and not only such as other folders link to; else it is a Terragrunt unit or a
   * Terraform Stack.
   */
  readonly hasCode: boolean;
  /** It is one of these, with code or without. */
  readonly isOfOtherTool: boolean;
  /** It is a Terragrunt unit, and which folder it calls cannot be followed: by an include, or by a function. */
  readonly isUnclear: boolean;
}

/** Where a repo keeps its Terraform code. All are sorted. */
export interface RepoLayout {
  /** Root modules that use DigitalOcean, themselves or by local modules. */
  readonly roots: readonly string[];
  /** The same in folders such as examples/ and test/, which count only where the config names them. */
  readonly aside: readonly string[];
  /** Folders of the repo that look like roots and are not below the base. */
  readonly beside: readonly string[];
  /** Folders with a terragrunt.hcl and no code: Terragrunt copies its files over those of a module. */
  readonly units: readonly string[];
  /** Folders with the code of a Terraform Stack. */
  readonly stacks: readonly string[];
  /** Modules that use DigitalOcean and that units or stacks call: their roots are not in files. */
  readonly ofOtherTools: readonly string[];
  /** Modules that use DigitalOcean and that a unit may call: which ones units call is not all known. */
  readonly perhapsOfUnits: readonly string[];
  /** Folders whose code git has and this sparse checkout does not. */
  readonly notCheckedOut: readonly string[];
  /** What each folder is called by. */
  readonly callers: ReadonlyMap<string, readonly string[]>;
}

/**
 * Which folders are roots: those that use DigitalOcean and that no other folder calls. An example or a test
 * that calls a folder makes it a module only where it is not configured like a root. Where it is not known what
 * Terragrunt units call, what is not configured like a root may be theirs: what is written there, Terragrunt copies.
 */
export function rootsAmong(
  folders: readonly CodeFolder[],
): Omit<RepoLayout, "units" | "stacks" | "notCheckedOut"> {
  const byDir = new Map(folders.map((folder) => [folder.dir, folder]));
  const callers = new Map<string, string[]>();
  for (const { dir, calls } of folders) {
    for (const called of new Set(calls)) {
      if (called !== dir) callers.set(called, [...(callers.get(called) ?? []), dir]);
    }
  }
  const uses = using();
  // One that has code of its own runs that.
  const hasUnclear = folders.some(({ isUnclear, hasCode }) => isUnclear && !hasCode);
  const candidates = folders.filter(({ dir, hasCode }) => hasCode && isBelow(dir) && uses.has(dir));
  const found = candidates.filter(isRoot);
  const dirs = found.map(({ dir }) => dir).sort();
  return {
    roots: dirs.filter((dir) => !isAside(dir)),
    aside: dirs.filter(isAside),
    beside: folders.flatMap((each) => (isBeside(each) ? each.dir : [])).sort(),
    ofOtherTools: [...callers]
      .filter(([dir, by]) => uses.has(dir) && isBelow(dir) && by.some(isOfOtherTool))
      .map(([dir]) => dir)
      .sort(),
    perhapsOfUnits: hasUnclear
      ? candidates.flatMap((each) => (isRoot(each) ? [] : each.dir)).sort()
      : [],
    callers,
  };

  function isOfOtherTool(dir: string): boolean {
    return byDir.get(dir)?.isOfOtherTool === true;
  }

  function isBeside({ dir, hasCode }: CodeFolder): boolean {
    return hasCode && !isBelow(dir) && uses.has(dir) && mayBeRoot(dir) && !callers.has(dir);
  }

  function isRoot({ dir, isConfigured, hasBackend }: CodeFolder): boolean {
    const by = callers.get(dir) ?? [];
    if (by.some((caller) => !isAside(caller) || isAside(dir))) return false;
    // Modules of old have provider blocks, too.
    if (isLibrary(dir)) return hasBackend;
    return isConfigured || (by.length === 0 && !hasUnclear);
  }

  /** From each folder that names DigitalOcean up to all that call it. */
  function using(): ReadonlySet<string> {
    const found = new Set<string>();
    const next = folders.flatMap(({ dir, usesDigitalOcean }) => (usesDigitalOcean ? dir : []));
    for (const dir of next) {
      if (found.has(dir)) continue;
      found.add(dir);
      for (const caller of callers.get(dir) ?? []) if (byDir.has(caller)) next.push(caller);
    }
    return found;
  }
}

/** True for a folder that counts only where the config names it. */
function isAside(dir: string): boolean {
  return dir.split("/").some((name) => ASIDE.test(name));
}

const ASIDE =
  /^(_*examples?|_*samples?|_*tests?_*|testing|testdata|e2e|_*fixtures?|vendor|third[_-]party|wrappers?)$/i;

/** A module, though nobody in the repo calls it: others do, by the repo's address. */
export function isLibrary(dir: string): boolean {
  return dir.split("/").some((name) => /^modules?$/i.test(name));
}

/** As far as its name says. */
export function mayBeRoot(dir: string): boolean {
  return !isAside(dir) && !isLibrary(dir);
}

export function isBelow(dir: string): boolean {
  return dir !== ".." && !dir.startsWith("../");
}

/** An environment that a root stands for by the name of its folder. */
export interface ProposedEnvironment {
  readonly name: string;
  readonly dir: string;
}

/**
 * The environments that folders beside each other stand for: `environments/dev` and `environments/prod`.
 *
 * @returns none where one of the roots is none.
 */
export function environmentsAmong(roots: readonly string[]): readonly ProposedEnvironment[] {
  if (roots.length < 2) return [];
  const proposed = roots.map((dir): ProposedEnvironment => {
    const names = dir.split("/");
    const last = names.at(-1) ?? "";
    return {
      name: last
        .toLowerCase()
        .replace(/[^a-z0-9_-]+/g, "-")
        .replace(/-+$/, ""),
      dir,
    };
  });
  const parents = new Set(roots.map((dir) => dir.split("/").slice(0, -1).join("/")));
  const parent = [...parents].at(0)?.split("/").at(-1) ?? "";
  const isNamed = proposed.every(({ name }) => ENVIRONMENT.test(name));
  const areBeside = parents.size === 1 && (PARENT.test(parent) || isNamed);
  const areSlugs = proposed.every(({ name }) => /^[a-z0-9]/.test(name));
  const areApart = new Set(proposed.map(({ name }) => name)).size === proposed.length;
  return areBeside && areSlugs && areApart ? proposed : [];
}

const PARENT = /^(environments?|envs?|live|stages?|deployments?|workspaces?|accounts?|teams?)$/i;
const ENVIRONMENT =
  /^(dev|devel|development|test|testing|qa|int|integration|uat|stg|stag|stage|staging|preview|pre-?prod|prd|prod|production|live|sandbox|demo|shared|global|common)\d*$/;
