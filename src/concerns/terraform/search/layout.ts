/** A folder with Terraform code, and the facts that tell whether it is a root. Folders are relative to the base. */
export interface CodeFolder {
  /** "." is the base; a folder outside the base begins with "..". */
  readonly dir: string;
  /** Its own code names DigitalOcean's provider, or one of its resources or data sources. */
  readonly usesDigitalOcean: boolean;
  /** It has a backend, a cloud block or a block of DigitalOcean's provider. A called module has none. */
  readonly isConfigured: boolean;
  /** It has a backend or a cloud block: only a root configures its state. */
  readonly hasBackend: boolean;
  /** Folders that it calls as modules. */
  readonly calls: readonly string[];
  /**
   * Terraform finds code in it, and not only files that other folders link to. Otherwise it is a Terragrunt unit or a
   * Terraform Stack.
   */
  readonly hasCode: boolean;
  /** It is a Terragrunt unit or a Terraform Stack, with or without code. */
  readonly isOfOtherTool: boolean;
  /** It is a Terragrunt unit, and the folder that it calls is unknown, because of an include or a function. */
  readonly isUnclear: boolean;
}

/** Where a repo keeps its Terraform code. All lists are sorted. */
export interface RepoLayout {
  /** Root modules that use DigitalOcean, directly or through local modules. */
  readonly roots: readonly string[];
  /** The same in folders such as examples/ and test/, which count only if the config names them. */
  readonly aside: readonly string[];
  /** Folders of the repo that look like roots but are not below the base. */
  readonly beside: readonly string[];
  /** Folders with a terragrunt.hcl and no code: Terragrunt copies its files over those of a module. */
  readonly units: readonly string[];
  /** Folders with the code of a Terraform Stack. */
  readonly stacks: readonly string[];
  /** Modules that use DigitalOcean and that units or stacks call: their roots are not files. */
  readonly ofOtherTools: readonly string[];
  /** Modules that use DigitalOcean and that a unit may call: not all calls of the units are known. */
  readonly perhapsOfUnits: readonly string[];
  /** Folders whose code git tracks but this sparse checkout leaves out. */
  readonly notCheckedOut: readonly string[];
  /** The callers of each folder. */
  readonly callers: ReadonlyMap<string, readonly string[]>;
}

/**
 * Finds the roots: folders that use DigitalOcean and that no other folder calls. A call from an example or a test
 * counts only if the called folder is not configured like a root. If some calls of Terragrunt units are unknown, a
 * folder that is not configured like a root may be called by one, and Terragrunt would copy what we write there.
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
  // A unit with its own code runs that code.
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
    // Old modules may have provider blocks, too, so only a backend shows that it is a root.
    if (isLibrary(dir)) return hasBackend;
    return isConfigured || (by.length === 0 && !hasUnclear);
  }

  /** All folders that name DigitalOcean, and all that call them, directly or indirectly. */
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

/** True for a folder that counts only if the config names it. */
function isAside(dir: string): boolean {
  return dir.split("/").some((name) => ASIDE.test(name));
}

const ASIDE =
  /^(_*examples?|_*samples?|_*tests?_*|testing|testdata|e2e|_*fixtures?|vendor|third[_-]party|wrappers?)$/i;

/** A module even if no folder of the repo calls it: other repos may. */
export function isLibrary(dir: string): boolean {
  return dir.split("/").some((name) => /^modules?$/i.test(name));
}

/** Judged only by its name. */
export function mayBeRoot(dir: string): boolean {
  return !isAside(dir) && !isLibrary(dir);
}

export function isBelow(dir: string): boolean {
  return dir !== ".." && !dir.startsWith("../");
}

/** An environment, named after a root's folder. */
export interface ProposedEnvironment {
  readonly name: string;
  readonly dir: string;
}

/**
 * Derives environments from sibling folders: `environments/dev` and `environments/prod`.
 *
 * @returns an empty list if one of the roots does not look like an environment.
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
