import { dirname, join, resolve } from "node:path";
import { findConfig } from "../../concerns/config/find-config.ts";
import type { ResolvedConfig } from "../../concerns/config/resolved.ts";
import { loginSource } from "../../concerns/doctl/login-source.ts";
import { type Git, openGit } from "../../concerns/git/git.ts";
import { terraformWords } from "../../concerns/terraform/root/typed.ts";
import { RootSearch } from "../../concerns/terraform/search/find.ts";
import { judgeOtherTools } from "../../concerns/terraform/search/judge.ts";
import { judgeToken } from "../../concerns/token/judge.ts";
import {
  type CodeNeeds,
  compareScopes,
  hasExcess,
  NOT_SEARCHED,
  readNeeds,
} from "../../concerns/token/needed-scopes.ts";
import { inspectRepoToken } from "../../concerns/token/repo-token.ts";
import type { Finding } from "../../core/finding.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint, own, run } from "../../errors/hint.ts";
import { isOfLogin } from "../../exec/token-sources.ts";
import type { Host } from "../../host/host.ts";
import { isCi } from "../../lib/is-ci.ts";
import { isInside, isTerraformFile, toolsNotIn } from "../../lib/paths.ts";
import type { Action } from "../../scopes/action.ts";
import type { Purpose } from "../../scopes/code-actions.ts";
import type { Comparison } from "../../scopes/granted.ts";
import type { Secret } from "../../secret/secret.ts";
import { codeElsewhere } from "../init/code-elsewhere.ts";
import type { ObservingHost } from "../init/observe.ts";
import { finding } from "./findings.ts";

export interface ScopesRequest {
  readonly environment: string | undefined;
  /** Folders of root modules, as given by a person; none: those of the config. */
  readonly dirs: readonly string[];
  readonly purpose: Purpose;
  /** A plan, as given by a person. Only its actions count. "-" for standard input. */
  readonly plan: string | undefined;
  readonly progress: (what: string) => void;
}

export interface ScopesLook {
  readonly purpose: Purpose;
  readonly plan: string | undefined;
  /** Absolute. */
  readonly dirs: readonly string[];
  readonly code: CodeNeeds;
  readonly findings: readonly Finding[];
  /** Absent if there is no token, or the API did not describe it. */
  readonly token: { readonly token: Secret; readonly comparison: Comparison } | undefined;
}

type ScopesHost = ObservingHost & Pick<Host, "readInput">;

/**
 * Works out the scopes that Terraform code or a plan needs, and compares them with the token's.
 *
 * @throws AppError those of openGit, findConfig and readPlanFile; USAGE for a missing folder.
 */
export async function lookAtScopes(host: ScopesHost, request: ScopesRequest): Promise<ScopesLook> {
  const { environment, purpose, plan, progress } = request;
  const git = await openGit(host, host.cwd);
  const search = new RootSearch(host, git, "all");
  const rootsIn = request.dirs.length > 0 ? undefined : search.rootsIn;
  const { config } = await findConfig(host, git?.root ?? host.cwd, environment, rootsIn);
  await git?.confirmed;
  const named = config.roots.map(({ dir }) => dir);
  const configured = [...new Set([...named, ...foundBy(search, environment)])];
  const dirs = await rootsOf(host, request, configured);
  progress("Reading the Terraform code");
  const asked = { dirs, purpose, config };
  const code =
    plan === undefined
      ? await readNeeds(host, asked)
      : await readNeeds(host, asked, await readPlan(host, plan, { dirs, config }));
  const { token, findings } = await lookAtToken(host, { git, config, code, progress });
  const aboutCode = plan === undefined ? judgeCode(code) : judgeTypes(code);
  const aboutTools = search.found === undefined ? [] : judgeOtherTools(search.found.layout);
  return { purpose, plan, dirs, code, token, findings: [...findings, ...aboutCode, ...aboutTools] };
}

/**
 * Modules that a Terragrunt unit or a Terraform Stack uses as roots. Without --env, also the roots that environments
 * name.
 */
function foundBy({ found }: RootSearch, environment: string | undefined): readonly string[] {
  if (found === undefined) return [];
  const { roots, ofOtherTools } = found.layout;
  const dirs = environment === undefined ? [...roots, ...ofOtherTools] : ofOtherTools;
  return dirs.map((dir) => join(found.base, dir));
}

/** The folders that are given; for a plan, the root that contains it; otherwise those of the config. */
async function rootsOf(
  host: ScopesHost,
  { dirs, plan }: ScopesRequest,
  configured: readonly string[],
): Promise<readonly string[]> {
  const absolute = dirs.map((dir) => resolve(host.cwd, dir));
  for (const [at, dir] of dirs.entries()) {
    if ((await host.files.list(absolute[at] ?? "")).length > 0) continue;
    throw new AppError("USAGE", `${dir} is not a folder, or is empty.`, {
      hint: hint`Give the folder of a root module: ${own("scopes", "infra")}`,
    });
  }
  if (absolute.length > 0) return absolute;
  if (plan === undefined) return configured;
  const folder = plan === "-" ? host.cwd : dirname(resolve(host.cwd, plan));
  if (configured.includes(folder)) return [folder];
  const isRoot = (await host.files.list(folder)).some(isTerraformFile);
  if (isRoot) return [folder];
  const around = configured.filter((dir) => isInside(folder, dir));
  return around.length > 0 ? around : configured;
}

type Choice = NonNullable<Parameters<typeof readNeeds>[2]>;

/** @returns a function that replaces the code's actions with the plan's. */
async function readPlan(
  host: ScopesHost,
  plan: string,
  { dirs, config }: { readonly dirs: readonly string[]; readonly config: ResolvedConfig },
): Promise<Choice> {
  const [root, another] = dirs;
  if (root === undefined || another !== undefined) {
    throw new AppError("USAGE", "Can't tell which root module the plan belongs to.", {
      hint: hint`Give its folder: ${own("scopes", "--plan", plan, "DIR")}`,
    });
  }
  const { noPlan, readPlanFile } = await import("./read-plan.ts");
  const { actionsInPlan } = await import("../../scopes/plan-file.ts");
  const tool = config.roots.find(({ dir }) => dir === root)?.tool;
  const file = plan === "-" ? plan : resolve(host.cwd, plan);
  const text = await readPlanFile(host, { file, root, tool });
  const name = plan === "-" ? "the plan" : plan;
  return (inCode: readonly Action[]): readonly Action[] => {
    const actions = actionsInPlan(text, name, inCode);
    if (actions === undefined) throw noPlan();
    return actions;
  };
}

async function lookAtToken(
  host: ScopesHost,
  {
    git,
    config,
    code,
    progress,
  }: {
    git: Git | undefined;
    config: ResolvedConfig;
    code: CodeNeeds;
    progress: ScopesRequest["progress"];
  },
): Promise<Pick<ScopesLook, "token" | "findings">> {
  const top = git?.root ?? config.base;
  const repo = toolsNotIn(host.home, top, config.base);
  const login = loginSource(host, { repo, progress });
  const { state, inspection } = await inspectRepoToken(host, { config, top, login, progress });
  // The needed scopes can be listed without a token.
  if (state.kind === "missing") return { token: undefined, findings: [] };
  const findings = judgeToken({
    token: { state, inspection },
    config,
    machine: { env: host.env, isCi: isCi(host.env) },
  });
  const elsewhere = hasExcess(inspection, code)
    ? await codeElsewhere(host, { git, top }, code)
    : NOT_SEARCHED;
  const compared = compareScopes(inspection, { ...code, elsewhere }, isOfLogin(state));
  if (state.kind !== "found" || compared === undefined) return { token: undefined, findings };
  return {
    token: { token: state.token, comparison: compared.comparison },
    findings: [...findings, ...compared.findings],
  };
}

function judgeCode({ trees, needs }: CodeNeeds): Finding[] {
  const broken = trees.flatMap((tree) => tree.broken);
  const unseen = trees.flatMap(({ unseen, folders: [dir = ""], tool }) =>
    unseen.map((module) => ({ module, init: terraformWords(dir, tool, ["init"]) })),
  );
  const contested = trees.flatMap((tree) => tree.contested);
  return [
    ...broken.map(({ file, line, why }) =>
      finding(
        "terraform.broken",
        `${file}:${line} could not be read in full${why === undefined ? "" : `: ${why}`}.`,
        {
          where: `${file}:${line}`,
          fix:
            why === undefined
              ? hint`${run("terraform", "validate")} shows the error.`
              : hint`Its scopes are not counted.`,
        },
      ),
    ),
    ...unseen.map(({ module, init }) =>
      finding(
        "terraform.unseen-module",
        `${module} is not installed here, so its scopes are not counted.`,
        {
          fix: hint`${run(...init)} installs remote modules, which are then counted. Otherwise check its code, or give the folder of a copy: ${own("scopes", "DIR")}`,
        },
      ),
    ),
    ...contested.map((file) =>
      finding(
        "terraform.tool-unsaid",
        `Only OpenTofu reads ${file}, and the config does not say which tool you use.`,
        {
          where: file,
          fix: hint`Set terraform.tool in the config: tofu or terraform`,
        },
      ),
    ),
    ...judgeTypes({ needs }),
  ];
}

function judgeTypes({ needs: { unknown } }: Pick<CodeNeeds, "needs">): Finding[] {
  return unknown.map((address) =>
    finding(
      "terraform.unknown-type",
      `${address} has a resource type that do-bootstrap does not know.`,
    ),
  );
}
