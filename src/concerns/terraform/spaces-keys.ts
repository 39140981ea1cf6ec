import { join, relative } from "node:path";
import { textIn } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import type { Machine } from "../../core/machine.ts";
import { type Hint, hint, own } from "../../errors/hint.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import { KEY_NAMES } from "../../exec/spaces-keys.ts";
import { keysKept, toolVariables } from "../../exec/variables.ts";
import type { SourceLocation } from "../../hcl/syntax.ts";
import { few, listed } from "../../lib/few.ts";
import { Secret } from "../../secret/secret.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { EnvFileFacts } from "../env-file/facts.ts";
import type { RepoFacts } from "../git/facts.ts";
import { makeKeys } from "../spaces/keys.ts";
import type { TokenFacts } from "../token/facts.ts";
import { execConfigOf } from "./exec-config.ts";
import { finding } from "./findings.ts";
import type { TerraformFacts } from "./root/facts.ts";
import { keysProviderOf, keyVariablesOf, valuesInFiles, variableOf } from "./root/keys.ts";
import type { KeyArgument, ProviderBlock } from "./root/module.ts";
import type { TerraformRoot } from "./root/root.ts";

/** The facts that the findings depend on. */
interface Known {
  readonly config: ResolvedConfig;
  readonly machine: Machine;
  readonly repo: Pick<RepoFacts, "git" | "gitignore">;
  readonly token: Pick<TokenFacts, "code">;
  readonly envFile: EnvFileFacts;
  readonly terraform: Pick<TerraformFacts, "roots">;
}

/** Without Spaces keys, a plan or an apply fails at the first bucket. This reports it earlier. */
export function judgeSpacesKeys(known: Known, root: TerraformRoot): Finding[] {
  const { variables, needs, needing } = lackOf(known, root, "exec");
  const envFile = relative(known.config.base, known.config.token.envFile);
  const findings: Finding[] = [];
  const [first] = variables;
  if (first !== undefined) {
    const names = variables.map(({ name }) => `var.${name}`);
    const [need] = needs;
    const [have, them] = names.length === 1 ? ["has", "it"] : ["have", "them"];
    const who = need === undefined ? "" : `, and ${need.address} needs the keys (${need.where})`;
    const message = `${first.where}: ${listed(names)} ${have} no value. The provider reads its Spaces keys from ${them} (${first.argument})${who}.`;
    const fix = fixOf(
      known,
      root,
      variables.map(({ name }) => name),
    );
    findings.push(finding("spaces.no-keys", message, { where: first.where, fix }));
  }
  const [need] = needing;
  if (need !== undefined) {
    const { where } = need;
    const who = few(needing.map(({ address }) => address));
    const message = `${where}: ${who} ${needing.length === 1 ? "needs" : "need"} Spaces keys, but there is no key pair (${KEY_NAMES.join(" and ")}) in the environment or in ${envFile}. terraform plan or apply will fail.`;
    findings.push(finding("spaces.no-keys", message, { where, fix: makeKeys(known, undefined) }));
  }
  return findings;
}

/** The first step for the user; undefined: the root has its keys, or needs none. */
export function stepToKeys(known: Known, root: TerraformRoot): Hint | undefined {
  const { variables, needing } = lackOf(known, root, "exec");
  const names = variables.map(({ name }) => name);
  if (needing.length === 0 && names.length > 0 && !isGivenByExec(known, root, names)) {
    return hint`Set ${listed(names.map((name) => `var.${name}`))}, then run ${own()}`;
  }
  return needing.length + names.length > 0 ? PUT_KEYS : undefined;
}

export const PUT_KEYS = hint`Put SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY into the env file, then run ${own()}`;

/** Terraform finds the keys under `exec`, but not without it. */
export function hasKeysInExecOnly(known: Known, root: TerraformRoot): boolean {
  const isWhole = (via: Via) => {
    const { variables, needing } = lackOf(known, root, via);
    return variables.length + needing.length === 0;
  };
  return !isWhole("plain") && isWhole("exec");
}

function fixOf(known: Known, root: TerraformRoot, names: readonly string[]): Hint {
  if (isGivenByExec(known, root, names)) {
    return hint`${makeKeys(known, undefined)} ${own("exec")} sets ${listed(names.map((name) => `TF_VAR_${name}`))} from them.`;
  }
  const envFile = relative(known.config.base, known.config.token.envFile);
  return hint`Put ${listed(names.map((name) => `TF_VAR_${name}`))} into ${envFile}; ${own("exec")} passes ${names.length === 1 ? "it" : "them"} on.`;
}

/** The names are one pair, and no variable of the pair has another value. */
function isGivenByExec(
  { machine: { env }, envFile: { file } }: Known,
  root: TerraformRoot,
  names: readonly string[],
): boolean {
  const pair = Object.values(keyVariablesOf(root)[0] ?? {});
  const inFile = readEnvFile(textIn(file));
  const isFree = (name: string) => !env[`TF_VAR_${name}`] && !inFile.get(`TF_VAR_${name}`);
  return names.every((name) => pair.includes(name)) && pair.every(isFree);
}

type Via = "plain" | "exec";

interface Lack {
  /** Variables without a value that a provider reads a key from. */
  readonly variables: readonly UnsetVariable[];
  /** All code that needs keys. */
  readonly needs: readonly Need[];
  /** The code that needs keys which are missing for another reason. */
  readonly needing: readonly Need[];
}

interface UnsetVariable {
  readonly name: string;
  /** path:line of its declaration, and of the argument. */
  readonly where: string;
  readonly argument: string;
}

const NO_LACK: Lack = { variables: [], needs: [], needing: [] };

function lackOf(known: Known, root: TerraformRoot, via: Via): Lack {
  const { module } = root;
  const needs = needsIn(known, root);
  const isAny = needs.length > 0 || module.providers.some(({ keys }) => keys.length > 0);
  // HCP Terraform has its own variables.
  if (!isAny || module.cloud !== undefined) return NO_LACK;
  const isSet = shellOf(known, via);
  if (isSet === undefined) return NO_LACK;
  const given = valuesInFiles(root);
  const at = ({ file, line }: SourceLocation) => `${root.at(file).path}:${line}`;
  const variables = new Map<string, UnsetVariable>();
  // Terraform asks for a value of every variable without a default, even if nothing needs the keys.
  for (const block of module.providers) addUnset(block, ["unset"]);
  const needing = needs.filter((need) => {
    const block = providerFor(need, root);
    if (block === "unknown") return false;
    const states = statesOf(block);
    if (states.includes("unknown") || states.every((state) => state === "there")) return false;
    if (block !== undefined) addUnset(block, ["unset", "empty"]);
    return !states.some((state) => state === "unset" || state === "empty");
  });
  return { variables: [...variables.values()], needs, needing };

  function addUnset({ keys }: ProviderBlock, wanted: readonly KeyState[]): void {
    for (const key of keys) {
      const name = variableOf(key);
      const declared = name === undefined ? undefined : module.variables.get(name);
      if (name === undefined || declared === undefined || !wanted.includes(stateOf(key))) continue;
      variables.set(name, { name, where: at(declared.place), argument: at(key.place) });
    }
  }

  function statesOf(block: ProviderBlock | undefined): readonly KeyState[] {
    return (["id", "secret"] as const).map((is, i) => {
      const key = block?.keys.find((each) => each.is === is);
      return key === undefined ? inShell(KEY_NAMES[i] ?? "") : stateOf(key);
    });
  }

  function inShell(name: string): KeyState {
    return isSet?.(name) ? "there" : "missing";
  }

  function stateOf({ is, origin }: KeyArgument): KeyState {
    const fromShell = inShell(KEY_NAMES[is === "id" ? 0 : 1]);
    if (origin.kind === "unknown") return "unknown";
    if (origin.kind === "text") return "there";
    if (origin.kind === "nothing") return origin.isEmpty ? "missing" : fromShell;
    const declared = module.variables.get(origin.name);
    // Another finding reports it.
    if (declared === undefined) return "unknown";
    if (given.has(origin.name) || isSet?.(`TF_VAR_${origin.name}`)) return "there";
    if (!declared.hasDefault) return "unset";
    const { defaultText } = declared;
    const isText = defaultText !== undefined && !defaultText.equals(Secret.of("", NOWHERE));
    if (isText) return "there";
    const goesOn = defaultText === undefined || origin.orNull;
    return goesOn && fromShell === "there" ? "there" : "empty";
  }
}

/**
 * unset: a variable without a value; empty: a variable whose default is not a key; unknown: the value could not be
 * traced.
 */
type KeyState = "there" | "missing" | "unset" | "empty" | "unknown";

const NOWHERE = { kind: "environment", name: "" } as const;

/** @returns whether a variable has a value; undefined: unknown, or another finding reports why keys are not passed on. */
function shellOf(
  { config, machine: { env }, envFile: { file }, terraform: { roots } }: Known,
  via: Via,
): ((name: string) => boolean) | undefined {
  if (["TF_CLI_ARGS", "TF_CLI_ARGS_plan"].some((name) => env[name]?.includes("-var"))) {
    return undefined;
  }
  if (via === "plain") return (name) => Boolean(env[name]);
  const envFile = readEnvFile(textIn(file));
  const execConfig = execConfigOf(config, roots);
  // The keys exist, and another finding reports why they are not passed on.
  const isKept = keysKept({ config: execConfig, env, envFile }).some(
    ({ block }) => block === "provider",
  );
  if (isKept) return undefined;
  const token = Secret.of("", { kind: "stdin" });
  const ours = toolVariables({ config: execConfig, env, envFile, token, all: false });
  return (name) => {
    const value = ours.get(name) ?? env[name];
    return value instanceof Secret || Boolean(value);
  };
}

/** Code of a root, or of a module that it calls, that needs Spaces keys. */
interface Need {
  readonly address: string;
  /** path:line. */
  readonly where: string;
  /** The alias of the provider that the block names; null: it names no provider; undefined: the default one. */
  readonly alias: string | null | undefined;
  /** The code is in a module that the root calls. */
  readonly isInModule: boolean;
  /** A called module has its own provider with key arguments. */
  readonly isBehindOther: boolean;
}

function needsIn({ token: { code }, config }: Known, root: TerraformRoot): readonly Need[] {
  const ofSpaces = new Set(code.needs.spaces);
  if (ofSpaces.size === 0) return [];
  const tree = code.trees.find(({ folders }) => folders[0] === root.real);
  const modules = new Set(tree?.modules);
  const [top, ...called] = tree?.modules ?? [];
  const isBehindOther = called.some(({ blocks }) => blocks.some(({ type }) => type === "provider"));
  // readNeeds uses the same base for file names.
  const base = config.roots.length > 1 ? config.base : root.config.dir;
  const found = new Map<string, Need>();
  for (const { address, place, block, module } of code.actions) {
    if (!ofSpaces.has(address) || !modules.has(module) || found.has(address)) continue;
    const named = block?.attributes.get("provider")?.source.replace(/^"(.*)"$/, "$1");
    found.set(address, {
      ...{ address, where: `${join(base, place.file)}:${place.line}` },
      alias: named === undefined ? null : /^[\w-]+(?:\.([\w-]+))?$/.exec(named)?.[1],
      ...{ isInModule: module !== top, isBehindOther },
    });
  }
  return [...found.values()];
}

/** @returns undefined: there is no block, so the provider reads the environment. */
function providerFor(
  { alias, isInModule, isBehindOther }: Need,
  root: TerraformRoot,
): ProviderBlock | "unknown" | undefined {
  const { providers } = root.module;
  const byDefault = providers.find((each) => each.alias === undefined);
  if (!isInModule) {
    return typeof alias === "string" ? providers.find((each) => each.alias === alias) : byDefault;
  }
  // A call may pass any provider of the root to the module, and the module may have its own.
  const named = keysProviderOf(root);
  const isSure = alias === null && !isBehindOther && (named === undefined || named === byDefault);
  return isSure ? byDefault : "unknown";
}
