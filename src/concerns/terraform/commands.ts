import { relative } from "node:path";
import { textIn } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import type { Machine } from "../../core/machine.ts";
import { NOTHING, type Plan, type PlanPart } from "../../core/plan.ts";
import type { ToolCommand } from "../../core/run-commands.ts";
import { hint, run, unset } from "../../errors/hint.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import { envFileSecrets, toolVariables } from "../../exec/variables.ts";
import { Secret } from "../../secret/secret.ts";
import type { Variables } from "../../secret/variables.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { EnvFileFacts } from "../env-file/facts.ts";
import type { RepoFacts } from "../git/facts.ts";
import { type SpacesFacts, willHaveKeys } from "../spaces/facts.ts";
import type { TokenFacts } from "../token/facts.ts";
import { stateElsewhere } from "./backend/plan.ts";
import { execConfigOf } from "./exec-config.ts";
import { finding } from "./findings.ts";
import type { TerraformFacts } from "./root/facts.ts";
import { variableOf } from "./root/keys.ts";
import { BACKEND_TF, MISSING_TF } from "./root/names.ts";
import { needsOf, type RootNeeds } from "./root/needs.ts";
import type { TerraformRoot } from "./root/root.ts";
import { isToolOlder, type TerraformTool } from "./root/tool.ts";
import { terraformWords } from "./root/typed.ts";

/** The facts that the plan depends on. */
interface Known {
  readonly config: ResolvedConfig;
  readonly machine: Machine;
  readonly repo: RepoFacts;
  readonly token: TokenFacts;
  readonly envFile: EnvFileFacts;
  readonly spaces: SpacesFacts;
  readonly terraform: TerraformFacts;
}

/** Plans `init` and `workspace select` for one root, if they are needed (docs/design.md rule 10). */
export function planCommands(known: Known, root: TerraformRoot, files: Plan): PlanPart {
  const {
    config,
    machine: { env },
  } = known;
  const { dir, init, workspace } = root.config;
  const terraform = known.terraform.tools.get(dir);
  if (terraform === undefined || root.calledBy.length > 0) return NOTHING;
  const isConfigured = root.foreign.length + root.own.size > 0 || files.changes.length > 0;
  if (!isConfigured || root.module.broken.length > 0) return NOTHING;

  const needs = needsOf(root);
  const judged = { findings: judgeEnvironment(known, root, needs) };
  if (!mayReachState(known, root)) return judged;
  const variables = new Map([...pathOutside(known), ...backendKeys(known, root)]);
  const secrets = secretsOf(known);
  const command = (args: readonly string[], why: string): ToolCommand => ({
    tool: terraform,
    args: [...args, "-no-color"],
    cwd: dir,
    why,
    with: variables,
    secrets,
    // These commands need no token. With TF_WORKSPACE, init fails on a backend that has other workspaces
    // (docs/contracts/terraform.md 7.4).
    without: [
      "TF_WORKSPACE",
      `TF_VAR_${needs.variable}`,
      ...root.module.providers.flatMap(({ variable, unclear, keys }) =>
        [variable ?? [], unclear?.variables ?? [], keys.flatMap((key) => variableOf(key) ?? [])]
          .flat()
          .map((name) => `TF_VAR_${name}`),
      ),
      config.token.name,
      ...Object.keys(env).filter((name) => name.startsWith("DIGITALOCEAN_")),
      ...leadingIn(known),
    ],
  });
  const requirementsChange = files.changes.some(({ file }) =>
    REQUIREMENTS.some((name) => file === root.at(name).path),
  );
  const commands: ToolCommand[] = [];
  // Terraform's own notes decide: a failed init leaves none.
  const isOurs = root.config.backend !== undefined && root.module.backend === undefined;
  const isConnected = !isOurs || root.storedBackend !== undefined;
  const isChanged = hasOtherSettings(root, files);
  if (init && (!root.isInitialised || !isConnected || isChanged || requirementsChange)) {
    const installs = root.isInitialised ? "run again" : "install the provider";
    const what = isConnected ? installs : `${installs}, connect the state`;
    const flags = [...(isChanged ? ["-reconfigure"] : []), ...withoutToken(terraform, root, needs)];
    commands.push(command(["init", "-input=false", ...flags], what));
  }
  if (workspace !== undefined && workspace !== root.workspace) {
    commands.push(
      command(["workspace", "select", "-or-create", workspace], `workspace ${workspace}`),
    );
  }
  const byHand = commands.length === 0 ? undefined : whyByHand(known, root, files, commands);
  if (byHand === undefined) return { ...judged, commands };
  const typed = commands.map(({ args: [...words] }) =>
    run(
      ...terraformWords(
        dir,
        terraform.name,
        words.filter((word) => !QUIET.includes(word)),
      ),
    ),
  );
  const here = relative(config.base, dir) || ".";
  const message = `${here}: ${terraform.name} is not started here: ${byHand}.`;
  const fix = hint`If you trust this, run ${typed.flatMap((each, at) => [at === 0 ? "" : ", then ", each])}`;
  return {
    findings: [...judged.findings, finding("terraform.by-hand", message, { where: dir, fix })],
  };
}

/**
 * Variables that point into the repo, such as GIT_CONFIG_GLOBAL: git would obey them. TF_DATA_DIR is not in the list,
 * because the data folder itself is checked.
 */
function leadingIn({ machine: { env }, terraform }: Known): string[] {
  return Object.keys(env).filter((name) => !(name in terraform.env) && name !== "TF_DATA_DIR");
}

/** PATH without the repo's folders: Terraform starts git, hg and ssh by name. */
function pathOutside({ machine: { env }, terraform }: Known): [string, string][] {
  return Object.entries(terraform.env).flatMap(([name, value = ""]) =>
    /^path$/i.test(name) && value !== env[name] ? [[name, value]] : [],
  );
}

/** Options for scripts only. */
const QUIET = ["-no-color", "-input=false"];

/**
 * Why the user has to start Terraform here: something from the repo would run, or would get secrets of this machine
 * (docs/design.md rule 7).
 */
function whyByHand(
  known: Known,
  root: TerraformRoot,
  files: Plan,
  commands: readonly ToolCommand[],
): string | undefined {
  const {
    repo: { git },
    terraform: { repoCode, tools },
    token: { code },
    config: { base },
  } = known;
  const { config, module, own, at } = root;
  const tool = tools.get(config.dir);
  const [brought] = repoCode.get(config.dir) ?? [];
  if (brought !== undefined)
    return `${relative(base, brought)} comes from the repo and would control it`;
  if (root.linkOut !== undefined)
    return `${relative(base, root.linkOut)} is a link out of the repo, and it would write there`;
  if (git?.tracked.has(root.data))
    return `its ${relative(config.dir, root.data)} folder is committed to git`;
  if (module.cloud !== undefined) return "it would contact HCP Terraform";
  if (module.strange !== undefined) {
    return `its settings contain a block that may start programs (${module.strange})`;
  }
  const isInit = commands.some(({ args }) => args[0] === "init");
  // A local backend may keep its state in any folder.
  const hasState = root.hasLocalState || module.backend?.type === "local";
  // init may ask the providers of a state for their schemas, and it is unknown who installed those.
  if (root.hasProviders && hasState && isInit) {
    return "it may start the providers installed in this folder";
  }
  if (isInit && tool !== undefined && worksOutSources(tool)) {
    const tree = code.trees.find(({ folders }) => folders[0] === root.real);
    const [unread] = tree?.broken ?? [];
    // The scan did not follow the other tool's files.
    const others = tool.name === tree?.tool ? [] : (tree?.contested ?? []);
    const sources = [...others, ...(tree?.fetched ?? ["its code"])];
    const [fetched] = unread === undefined ? sources : [unread.file];
    if (fetched !== undefined) {
      return `it evaluates module sources, which may read files and send them elsewhere (${fetched})`;
    }
  }
  // The hash may match our block while the settings are different, and Terraform uses the settings.
  const { storedBackend } = root;
  if (storedBackend && (storedBackend.type !== "s3" || storedBackend.strangers.length > 0)) {
    return `${relative(config.dir, storedBackend.path)} says that the state is not only on Spaces`;
  }
  const { backend } = module;
  if (backend !== undefined && backend.type !== "local") {
    return `the code has its own backend (${backend.type})`;
  }
  const [unexpected] = [...own].flatMap(([name, file]) => {
    const isRewritten = files.changes.some(({ file }) => file === at(name).path);
    return file.backend === undefined || isRewritten ? [] : name;
  });
  return unexpected && `${unexpected} has a different backend from the config`;
}

/**
 * In these tools, a module source may be an expression with functions, which can read any file. The same is true for
 * the modules that it calls.
 */
function worksOutSources(tool: TerraformTool): boolean {
  return tool.name === "tofu" || !isToolOlder(tool, "1.15");
}

/**
 * OpenTofu evaluates module sources during installation, with values from tfvars files, so a source could send the
 * token or a Spaces key to any host. A -var option overrides the files.
 */
function withoutToken(tool: TerraformTool, { module }: TerraformRoot, needs: RootNeeds): string[] {
  if (tool.name !== "tofu") return [];
  const names = [
    needs.credentials === "tfvars" ? needs.variable : undefined,
    ...module.providers.map(({ variable }) => variable),
    ...module.providers
      .flatMap(({ keys }) => keys.map(variableOf))
      .filter((name) => name !== undefined && module.variables.has(name)),
  ];
  return [...new Set(names)].flatMap((name) => (name === undefined ? [] : [`-var=${name}=`]));
}

/**
 * Terraform rejects any change of backend.tf (docs/contracts/terraform.md 6.4). If the state stays in its place,
 * -reconfigure only makes it record the change.
 */
function hasOtherSettings(
  { config, module, storedBackend, at }: TerraformRoot,
  files: Plan,
): boolean {
  if (config.backend === undefined || module.backend !== undefined) return false;
  if (storedBackend === undefined) return false;
  const { path } = at(BACKEND_TF);
  const isRewritten = files.changes.some(({ file }) => file === path);
  return isRewritten || storedBackend.lock !== config.backend.lock;
}

/** Otherwise init would ask whether to copy the state, or fail without keys. Both cases are findings. */
function mayReachState(known: Known, root: TerraformRoot): boolean {
  if (root.config.backend === undefined) return true;
  return (
    stateElsewhere(root) === undefined &&
    (known.spaces.keys.kind !== "none" || willHaveKeys(known.spaces))
  );
}

/** The bucket's keys, and the variables that turn off checksums that Spaces does not support. */
function backendKeys(
  { config, machine: { env }, envFile: { file: envFile }, spaces: { keys: found } }: Known,
  root: TerraformRoot,
): Variables {
  if (root.config.backend === undefined) return new Map();
  const variables = toolVariables({
    config: execConfigOf(config, [root]),
    env,
    envFile: readEnvFile(textIn(envFile)),
    token: Secret.of("", { kind: "stdin" }),
    all: false,
  });
  const ofAws = [...variables].filter(([name]) => name.startsWith("AWS_"));
  if (found.kind !== "keys") return new Map(ofAws);
  const { id, secret, session } = found.keys;
  const keys = [
    ["AWS_ACCESS_KEY_ID", id],
    ["AWS_SECRET_ACCESS_KEY", secret],
    ...(session === undefined ? [] : [["AWS_SESSION_TOKEN", session] as const]),
  ] as const;
  return new Map([...ofAws, ...keys]);
}

/** Secrets that Terraform does not need to install a provider: the tokens, the env file's secrets, the Spaces keys. */
function secretsOf({ config, token: { state }, envFile: { file }, machine: { env } }: Known) {
  const origin = { kind: "environment", name: "" } as const;
  const spaces = Object.entries(env).filter(([name]) => name.startsWith("SPACES_"));
  return [
    ...(state.kind === "found" ? [state.token, ...state.shadowed] : []),
    ...envFileSecrets(readEnvFile(textIn(file)), config.token.envFile),
    ...spaces.map(([name, value]) => Secret.of(value ?? "", { ...origin, name })),
  ];
}

const REQUIREMENTS = ["versions.tf", MISSING_TF, BACKEND_TF];

/** Inherited variables that change what Terraform does here (docs/contracts/terraform.md 2 and 7). */
function judgeEnvironment(
  { machine: { env } }: Known,
  root: TerraformRoot,
  { credentials, variable }: RootNeeds,
): Finding[] {
  const { workspace } = root.config;
  const findings: Finding[] = [];
  const say = (name: string, what: string) =>
    findings.push(
      finding("terraform.environment", `${name} is set: ${what}`, { fix: hint`${unset(name)}` }),
    );

  const selected = env["TF_WORKSPACE"];
  if (selected && workspace !== undefined && selected !== workspace) {
    say("TF_WORKSPACE", `Terraform will use workspace ${selected}, not ${workspace}.`);
  }
  if (env["TF_DATA_DIR"])
    say(
      "TF_DATA_DIR",
      "Terraform will not find what init installs if you run it without this variable.",
    );
  for (const name of Object.keys(env).filter((name) => /^TF_CLI_ARGS(_|$)/.test(name))) {
    if (env[name]) say(name, `Terraform adds its arguments to ${commandsOf(name)}.`);
  }
  const given = `TF_VAR_${variable}`;
  if (credentials === "tfvars" && env[given] !== undefined) {
    say(given, "every tfvars file overrides it.");
  }
  return findings;
}

/** TF_CLI_ARGS is for every command, TF_CLI_ARGS_init for one. */
function commandsOf(name: string): string {
  const [, command] = /^TF_CLI_ARGS_(.+)$/.exec(name) ?? [];
  return command === undefined ? "every command" : `terraform ${command}`;
}
