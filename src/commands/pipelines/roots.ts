import { dirname } from "node:path";
import { DEFAULT_DIRS } from "../../concerns/config/find-config.ts";
import type { ResolvedConfig } from "../../concerns/config/resolved.ts";
import { judgeSharing } from "../../concerns/terraform/backend/plan.ts";
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

/** What a pipeline installs where the repo does not say: releases of the day this was written. */
const RELEASES = { terraform: "1.15.9", tofu: "1.12.6" } as const;

/** The file that a person is to write, where there is none. */
const VERSION_FILES = { terraform: ".terraform-version", tofu: ".opentofu-version" } as const;

/** By config and repo alone: a pipeline does not depend on the machine that wrote it. */
export function toolOf({ root }: Root): ToolName {
  return root.tool;
}

/** A release, such as 1.11.4, that a pipeline installs. */
export interface ToolVersion {
  readonly release: string;
  /** The version file that names none, and what it says; "none" where there is no file. */
  readonly unused?: VersionFile | "none";
}

/** The release of its tool for each root: what the repo's version files say of it. */
export function toolVersions(roots: readonly Root[]): ReadonlyMap<Root, ToolVersion> {
  return new Map(roots.map((each) => [each, versionOf(each)]));
}

function versionOf({ root: { tool, versionFiles } }: Root): ToolVersion {
  const release = versionFiles.flatMap((file) => releaseIn(file) ?? [])[0];
  if (release !== undefined) return { release };
  const [unused = "none" as const] = versionFiles;
  return { release: RELEASES[tool], unused };
}

/** GitHub refuses a workflow whose matrix makes more jobs. */
const MOST_JOBS = 256;

export function judgeCount(provider: "github" | "gitlab", roots: readonly Root[]): Finding[] {
  if (provider !== "github" || roots.length <= MOST_JOBS) return [];
  const message = `Roots times environments are ${roots.length} jobs, and GitHub takes ${MOST_JOBS} of a kind.`;
  const fix = hint`Divide the list: a config in each of two folders has a pipeline of its own.`;
  return [finding("ci.too-many-jobs", message, { fix })];
}

/** `exec` does not search for roots, and a pipeline has no record of an earlier run. */
export function judgeNamed(facts: Pick<Facts, "config" | "search">): Finding[] {
  const { choice } = facts.search ?? {};
  if (choice?.kind === "several") return judgeLayout(facts);
  const [dir = "."] = choice?.dirs ?? [];
  if (choice?.kind !== "found" || DEFAULT_DIRS.includes(dir)) return [];
  const message = `No config names the root module ${dir}, so the pipeline could not find it.`;
  const fix = hint`${own("--write-config")} writes a config that names it.`;
  return [finding("ci.unnamed-root", message, { where: dir, fix })];
}

/**
 * Why a pipeline would not do for these roots.
 *
 * @param unlocked the lock files that git does not have, and whether it ignores them.
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
    const message = `git does not have ${path}, and a pipeline takes only the providers that are in it.`;
    const root = roots.find((each) => each.root.config.dir === dirname(path));
    const tool = root === undefined ? "terraform" : toolOf(root);
    const lock = run(tool, "providers", "lock", "-platform=linux_amd64");
    const make = hint`In its folder: ${run(tool, "init")} && ${lock}; then commit it`;
    const fix = isIgnored
      ? hint`${make}, with ${run("git", "add", "--force", { path })}, as git ignores it.`
      : hint`${make}.`;
    found.set(path, finding("ci.no-lock-file", message, { where: path, fix }));
  }
  return [...found.values()];
}

/** Each step of a pipeline has one pair of keys, for every root: those of Spaces must not go to AWS. */
function judgeKeys(roots: readonly Root[]): Finding[] {
  const onSpaces = roots.find(({ root }) => root.config.backend !== undefined);
  const elsewhere = roots.find(({ root: { config, module } }) => {
    const { type, endpoint = "" } = module.backend ?? {};
    return config.backend === undefined && type === "s3" && !SPACES_HOST.test(endpoint);
  });
  if (onSpaces === undefined || elsewhere === undefined) return [];
  const [ours, theirs] = [onSpaces.root.config.dir, elsewhere.root.config.dir];
  const message = `${theirs} has an S3 backend of its own, and ${ours} a terraform.backend on Spaces: one pipeline has the keys of one store.`;
  const fix = hint`Take ${theirs} out of this config, and give it a config in a folder of its own.`;
  return [finding("ci.two-stores", message, { where: theirs, fix })];
}

const SPACES_HOST = /\.digitaloceanspaces\.com$/;

function judgeRoot(each: Root, { release = "", unused }: Partial<ToolVersion> = {}): Finding[] {
  const { dir, backend: ours } = each.root.config;
  const { cloud, backend, requiredVersions } = each.root.module;
  const findings: Finding[] = judgeSharing(each.config, each.root);
  if (cloud !== undefined) {
    const message = `${dir} is on HCP Terraform, which runs plan and apply itself.`;
    const fix = hint`Connect the repo there: https://developer.hashicorp.com/terraform/cloud-docs/vcs`;
    findings.push(finding("ci.cloud", message, { where: dir, fix }));
  } else if (ours === undefined && (backend === undefined || backend.type === "local")) {
    const message = `${dir} keeps its state in a local file. CI would lose it, and the next apply would create everything again.`;
    const fix = hint`Give it a backend: terraform.backend in the config, or a backend block.`;
    findings.push(finding("ci.local-state", message, { where: dir, fix }));
  }
  if (backend !== undefined && !/^(local|s3)$/.test(backend.type)) {
    const message = `${dir} keeps its state in a backend of type ${backend.type}, and the pipeline has keys for S3 and Spaces alone.`;
    const fix = hint`Give the steps of the file that is written what this backend reads; it is yours then.`;
    findings.push(finding("ci.other-backend", message, { where: dir, fix }));
  }
  const tool = toolOf(each);
  if (unused === "none") {
    const name = VERSION_FILES[tool];
    const message = `There is no ${name}: the pipeline installs ${tool} ${release}, and an older one cannot read the state that it writes.`;
    const fix = hint`Put the release that all of you use into ${name}, and run this again.`;
    findings.push(finding("ci.to-do", message, { fix }));
  } else if (unused !== undefined) {
    const { path, says } = unused;
    const message = `${path} says ${says}, which names no single release: the pipeline installs ${release}.`;
    const fix = hint`Write the release that you use into it, such as 1.11.4.`;
    findings.push(finding("ci.version-file", message, { where: path, fix }));
  }
  if (!allows(requiredVersions, release)) {
    const message = `${dir} asks for ${tool} ${requiredVersions.join(", ")}, and the pipeline would install ${release}.`;
    const fix = hint`Write the release that you use into ${VERSION_FILES[tool]}, such as 1.11.4.`;
    findings.push(finding("ci.tool-version", message, { where: dir, fix }));
  }
  return findings;
}
