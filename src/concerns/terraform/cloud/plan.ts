import { basename, relative } from "node:path";
import { editText } from "../../../core/changes/write-file.ts";
import { textAt } from "../../../core/file-text.ts";
import type { Finding } from "../../../core/finding.ts";
import { patternOf, withPatterns } from "../../../core/ignore-block.ts";
import { type Bounds, obstacles } from "../../../core/obstacles.ts";
import { joined, type PlanPart } from "../../../core/plan.ts";
import { hint, own, run } from "../../../errors/hint.ts";
import { KEY_NAMES } from "../../../exec/spaces-keys.ts";
import type { Snapshot } from "../../../host/host.ts";
import { isInside } from "../../../lib/paths.ts";
import { unlessTooMuch, Work } from "../../../lib/work.ts";
import { PROTECTED_IN_ROOTS } from "../../config/protected-paths.ts";
import type { ResolvedConfig } from "../../config/resolved.ts";
import type { TokenFacts } from "../../token/facts.ts";
import type { TerraformFacts } from "../root/facts.ts";
import { UPLOAD_IGNORE } from "../root/names.ts";
import { needsOf } from "../root/needs.ts";
import { providerOf } from "../root/provider.ts";
import type { TerraformRoot } from "../root/root.ts";
import { terraformWords } from "../root/typed.ts";
import { namesIn, readsByItself } from "../root/values.ts";
import { finding } from "./findings.ts";
import { isUploaded } from "./upload-ignore.ts";

/** The facts that the plan depends on. */
interface Known {
  readonly config: ResolvedConfig;
  readonly repo: Bounds;
  readonly token: TokenFacts;
  readonly terraform: TerraformFacts;
}

/**
 * Plans what HCP Terraform needs: a .terraformignore that keeps secrets out of the upload, and variables in the
 * workspace. The upload is the root's folder, or one above it if the workspace has a working directory. Only HCP
 * Terraform knows that folder, so we assume the config's.
 */
export function planCloud(known: Known): PlanPart {
  const roots = known.terraform.roots.filter(({ module }) => module.cloud !== undefined);
  if (roots.length === 0) return {};
  const tops = [known.terraform.uploadIgnore, ...roots.map((root) => root.at(UPLOAD_IGNORE))];
  const files = new Map(tops.map((snapshot) => [snapshot.path, snapshot]));
  return joined([
    ...[...files.values()].map((snapshot) => planIgnore(known, snapshot)),
    ...roots.map((root) => ({
      findings: [...unreadValues(root), workspaceVariables(known, root)],
    })),
  ]);
}

function planIgnore(known: Known, before: Snapshot): PlanPart {
  const work = new Work();
  return (
    unlessTooMuch(() => planPatterns(known, before, work)) ?? {
      findings: [
        finding(
          "cloud.upload",
          `${before.path} can't be checked: its patterns are too many or too long.`,
          {
            where: before.path,
            fix: hint`Simplify the file. Until then, the upload to HCP Terraform may include a secret.`,
          },
        ),
      ],
    }
  );
}

function planPatterns(known: Known, before: Snapshot, work: Work): PlanPart {
  const current = textAt(before);
  const { text = "" } = current ?? {};
  const lines = new Set(text.split(/\r?\n/).map((line) => line.trim()));
  const needed = rulesFor(known, before.path).filter(({ probe }) => isUploaded(text, probe, work));
  const overruled = needed.filter(({ pattern }) => lines.has(pattern)).map(takesAllTheSame);
  const missing = needed.filter(({ pattern }) => !lines.has(pattern)).map(({ pattern }) => pattern);
  if (missing.length === 0) return { findings: overruled };
  const findings = [...overruled, ...obstacles(known.repo, before)];
  if (findings.length > 0 || current === undefined) return { findings };
  const edit = (now: string) => withPatterns(now, missing, "the upload");
  const after = edit(text);
  const reincluded = rulesFor(known, before.path).filter(({ probe }) =>
    isUploaded(after, probe, work),
  );
  if (reincluded.length > 0) return { findings: reincluded.map(takesAllTheSame) };
  const why = "exclude secrets and state from HCP Terraform uploads";
  return { changes: [editText(before, edit, why)] };

  function takesAllTheSame({ probe }: UploadRule): Finding {
    const message = `${before.path}: a later rule re-includes ${probe} in the HCP Terraform upload.`;
    const fix = hint`Remove or narrow the line with ! that matches it.`;
    return finding("cloud.upload", message, { where: before.path, fix });
  }
}

interface UploadRule {
  readonly pattern: string;
  /** A file that the pattern excludes, relative to the top of the upload. */
  readonly probe: string;
}

/** The upload ignores git's ignore files and takes everything in the folder. */
function rulesFor({ config }: Known, file: string): readonly UploadRule[] {
  const top = file.slice(0, -basename(file).length - 1);
  const envFiles = config.envFiles
    .filter((path) => isInside(path, top))
    .map((path) => relative(top, path).replaceAll("\\", "/"))
    .filter((path) => !/^(.*\/)?\.env(\..*)?$/s.test(path));
  return [
    { pattern: ".env", probe: ".env" },
    { pattern: ".env.*", probe: ".env.local" },
    ...envFiles.map((probe) => ({ pattern: patternOf(probe), probe })),
    ...PROTECTED_IN_ROOTS.map(({ upload, name }) => ({ pattern: upload, probe: name })),
  ];
}

function workspaceVariables({ token: { code } }: Known, root: TerraformRoot): Finding {
  const { module, config } = root;
  const ofToken = providerOf(root).block?.variable;
  const { variable } = needsOf(root);
  const namesOf = (file: string) => namesIn(file, textAt(root.at(file))?.text ?? "");
  const given = new Set(root.tfvars.filter(readsByItself).flatMap(namesOf));
  const others = [...module.variables].flatMap(([name, { hasDefault }]) => {
    const isGiven = hasDefault || Object.hasOwn(config.variables, name) || given.has(name);
    return isGiven || name === (ofToken ?? variable) ? [] : name;
  });
  const wanted = [
    ofToken === undefined
      ? "DIGITALOCEAN_TOKEN (environment variable, sensitive)"
      : `${ofToken} (Terraform variable, sensitive)`,
    ...(code.needs.spaces.length > 0
      ? KEY_NAMES.map((name) => `${name} (environment variable, sensitive)`)
      : []),
    ...others.map((name) => `${name} (Terraform variable)`),
  ];
  const where = `${root.at(module.cloud?.file ?? "").path}:${module.cloud?.line}`;
  const message = `${where}: HCP Terraform runs can't see local variables. Set these in its workspace: ${wanted.join(", ")}.`;
  const fix = hint`${own("ci", "hcp", "--apply")} stores a token there. Set the others under Variables in the workspace, or in a variable set of the project.`;
  return finding("cloud.variables", message, { where, fix });
}

/** Value files for -var-file: a run on HCP Terraform does not know them. */
function unreadValues(root: TerraformRoot): Finding[] {
  const others = root.tfvars.filter((name) => !readsByItself(name));
  return others.flatMap((file) => {
    const { path } = root.at(file);
    const given = new Set(namesIn(file, textAt(root.at(file))?.text ?? ""));
    const names = [...root.module.variables.keys()].filter((name) => given.has(name));
    if (names.length === 0) return [];
    const message = `${path}: HCP Terraform reads only terraform.tfvars and *.auto.tfvars, so it gets no ${names.join(", ")} from this file.`;
    const fix = hint`Set them under Variables in the workspace. For a plan that you start yourself, pass the file: ${run(...terraformWords(root.config.dir, root.config.tool ?? "terraform", ["plan", `-var-file=${file}`]))}`;
    return [finding("cloud.values", message, { where: path, fix })];
  });
}
