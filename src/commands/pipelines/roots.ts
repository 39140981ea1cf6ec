import { dirname } from "node:path";
import { DEFAULT_DIRS } from "../../concerns/config/find-config.ts";
import type { ResolvedConfig } from "../../concerns/config/resolved.ts";
import { judgeSharing } from "../../concerns/terraform/backend/plan.ts";
import { judgeOtherHosts } from "../../concerns/terraform/plan.ts";
import type { TerraformRoot } from "../../concerns/terraform/root/root.ts";
import { judgeLayout } from "../../concerns/terraform/search/judge.ts";
import type { Finding } from "../../core/finding.ts";
import { hint, own, run } from "../../errors/hint.ts";
import type { ToolName } from "../../hcl/code-files.ts";
import { releaseIn, type VersionFile } from "../../hcl/releases.ts";
import { allows } from "../../lib/version.ts";
import type { Facts } from "../init/observe.ts";
import { finding } from "./findings.ts";

/** A root module in one environment. */
export interface Root {
  readonly config: ResolvedConfig;
  readonly root: TerraformRoot;
}

/** The releases that a pipeline installs by default: those that were current when this was written. */
const RELEASES = { terraform: "1.15.9", tofu: "1.12.6" } as const;

/** The version file that a person should write if there is none. */
const VERSION_FILES = { terraform: ".terraform-version", tofu: ".opentofu-version" } as const;

/** Depends only on config and repo, so that a pipeline does not depend on the machine that wrote it. */
export function toolOf({ root }: Root): ToolName {
  return root.tool;
}

/** A release, such as 1.11.4, that a pipeline installs. */
export interface ToolVersion {
  readonly release: string;
  /** The version file that names no exact release, with its content; "none" if there is no file. */
  readonly unused?: VersionFile | "none";
}

/** The tool's release for each root, from the repo's version files. */
export function toolVersions(roots: readonly Root[]): ReadonlyMap<Root, ToolVersion> {
  return new Map(roots.map((each) => [each, versionOf(each)]));
}

function versionOf({ root: { tool, versionFiles } }: Root): ToolVersion {
  const release = versionFiles.flatMap((file) => releaseIn(file) ?? [])[0];
  if (release !== undefined) return { release };
  const [unused = "none" as const] = versionFiles;
  return { release: RELEASES[tool], unused };
}

/** GitHub refuses a matrix with more jobs. */
const MOST_JOBS = 256;

export function judgeCount(provider: "github" | "gitlab", roots: readonly Root[]): Finding[] {
  if (provider !== "github" || roots.length <= MOST_JOBS) return [];
  const message = `All roots in all environments make ${roots.length} jobs. GitHub allows ${MOST_JOBS} in a matrix.`;
  const fix = hint`Split the list: put a config in each of two folders. Each config gets its own pipeline.`;
  return [finding("ci.too-many-jobs", message, { fix })];
}

/** Reports a root that no config names: `exec` does not search for roots, and CI has no record of an earlier run. */
export function judgeNamed(facts: Pick<Facts, "config" | "search">): Finding[] {
  const { choice } = facts.search ?? {};
  if (choice?.kind === "several") return judgeLayout(facts);
  const [dir = "."] = choice?.dirs ?? [];
  if (choice?.kind !== "found" || DEFAULT_DIRS.includes(dir)) return [];
  const message = `No config lists the root module ${dir}, so the pipeline can't find it.`;
  const fix = hint`${own("--write-config")} writes a config that lists it.`;
  return [finding("ci.unnamed-root", message, { where: dir, fix })];
}

/**
 * Reports why a pipeline would not work for these roots.
 *
 * @param unlocked the lock files that are not in git, and whether git ignores them.
 */
export function judgeRoots(
  roots: readonly Root[],
  versions: ReadonlyMap<Root, ToolVersion>,
  unlocked: ReadonlyMap<string, boolean>,
): Finding[] {
  const found = new Map<string, Finding>();
  for (const item of judgeKeys(roots)) found.set(item.message, item);
  for (const each of roots) {
    for (const item of judgeRoot(each, versions.get(each))) found.set(item.message, item);
  }
  for (const [path, isIgnored] of unlocked) {
    const message = `${path} is not in git. The pipeline installs only providers listed in this file.`;
    const root = roots.find((each) => each.root.config.dir === dirname(path));
    const tool = root === undefined ? "terraform" : toolOf(root);
    const lock = run(tool, "providers", "lock", "-platform=linux_amd64");
    const make = hint`In its folder, run ${{ inTurn: [run(tool, "init"), lock] }}, then commit the lock file`;
    const fix = isIgnored
      ? hint`${make}, with ${run("git", "add", "--force", { path })} because git ignores it.`
      : hint`${make}.`;
    found.set(path, finding("ci.no-lock-file", message, { where: path, fix }));
  }
  return [...found.values()];
}

/** Each step of a pipeline has one pair of keys for all roots. Spaces keys must not be sent to AWS. */
function judgeKeys(roots: readonly Root[]): Finding[] {
  const onSpaces = roots.find(({ root }) => root.config.backend !== undefined);
  const elsewhere = roots.find(({ root: { config, module } }) => {
    const { type, endpoint = "" } = module.backend ?? {};
    return config.backend === undefined && type === "s3" && !SPACES_HOST.test(endpoint);
  });
  if (onSpaces === undefined || elsewhere === undefined) return [];
  const [ours, theirs] = [onSpaces.root.config.dir, elsewhere.root.config.dir];
  const message = `${theirs} has its own S3 backend and ${ours} uses terraform.backend on Spaces. A pipeline can hold keys for only one of them.`;
  const fix = hint`Remove ${theirs} from this config and give it its own config in another folder.`;
  return [finding("ci.two-stores", message, { where: theirs, fix })];
}

const SPACES_HOST = /\.digitaloceanspaces\.com$/;

function judgeRoot(each: Root, { release = "", unused }: Partial<ToolVersion> = {}): Finding[] {
  const { dir, backend: ours } = each.root.config;
  const { cloud, backend, requiredVersions } = each.root.module;
  // A runner has its own environment.
  const ofRunner = { config: each.config, machine: { env: {} } };
  const findings: Finding[] = [
    ...judgeSharing(each.config, each.root),
    ...judgeOtherHosts(ofRunner, each.root),
  ];
  if (cloud !== undefined) {
    const message = `${dir} uses HCP Terraform, which runs plan and apply itself.`;
    const fix = hint`Connect the repo there: https://developer.hashicorp.com/terraform/cloud-docs/vcs. Its token: ${own("ci", "hcp", "--apply")}`;
    findings.push(finding("ci.cloud", message, { where: dir, fix }));
  } else if (ours === undefined && (backend === undefined || backend.type === "local")) {
    const message = `${dir} keeps its state in a local file. CI would lose it, and the next apply would create everything again.`;
    const fix = hint`Add a backend: set terraform.backend in the config, or write a backend block.`;
    findings.push(finding("ci.local-state", message, { where: dir, fix }));
  }
  if (backend !== undefined && !/^(local|s3)$/.test(backend.type)) {
    const message = `${dir} uses a backend of type ${backend.type}. The pipeline has keys for S3 and Spaces only.`;
    const fix = hint`Edit the generated pipeline: add the credentials of this backend to its steps.`;
    findings.push(finding("ci.other-backend", message, { where: dir, fix }));
  }
  const tool = toolOf(each);
  if (unused === "none") {
    const name = VERSION_FILES[tool];
    const message = `${name} is missing, so the pipeline installs ${tool} ${release}. Older versions may not be able to read the state that it writes.`;
    const fix = hint`Write the version that your team uses into ${name}, then run this again.`;
    findings.push(finding("ci.to-do", message, { fix }));
  } else if (unused !== undefined) {
    const { path, says } = unused;
    const message = `${path} says ${says}, which is not one exact version. The pipeline installs ${release}.`;
    const fix = hint`Write the exact version that you use into it, such as 1.11.4.`;
    findings.push(finding("ci.version-file", message, { where: path, fix }));
  }
  if (!allows(requiredVersions, release)) {
    const message = `${dir} requires ${tool} ${requiredVersions.join(", ")}, but the pipeline would install ${release}.`;
    const fix = hint`Write the exact version that you use into ${VERSION_FILES[tool]}, such as 1.11.4.`;
    findings.push(finding("ci.tool-version", message, { where: dir, fix }));
  }
  return findings;
}
