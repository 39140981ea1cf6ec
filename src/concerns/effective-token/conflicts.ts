import { join } from "node:path";
import type { Consent } from "../../core/consent.ts";
import { textIn } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import type { Machine } from "../../core/machine.ts";
import { type Hint, hint, own, run, unset } from "../../errors/hint.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import { STANDARD_NAMES, tokenNames } from "../../exec/token-sources.ts";
import { Secret } from "../../secret/secret.ts";
import { readToken } from "../../secret/token-form.ts";
import { SECRET_TFVARS } from "../config/protected-paths.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { Setting } from "../doctl/config-file.ts";
import type { DoctlFacts } from "../doctl/observe.ts";
import { isToHold } from "../doctl/plan.ts";
import type { EnvFileFacts } from "../env-file/facts.ts";
import { needsOf } from "../terraform/root/needs.ts";
import type { TerraformRoot } from "../terraform/root/root.ts";
import type { TokenSource } from "../terraform/root/token-source.ts";
import type { TokenFacts } from "../token/facts.ts";
import { mayStore, usableToken } from "../token/storing.ts";
import type { Inspection } from "../token/verdict.ts";
import { finding } from "./findings.ts";
import {
  doctlTakes,
  lineIn,
  plainShell,
  type Shell,
  selectedContext,
  terraformTakes,
} from "./uses.ts";

/** The facts that the findings depend on. */
interface Known {
  readonly config: ResolvedConfig;
  readonly machine: Machine;
  readonly token: TokenFacts;
  readonly envFile: EnvFileFacts;
  readonly doctl: DoctlFacts | undefined;
}

/**
 * Finds the cases in which a tool would silently use another token, or none: every trap in the contracts. Leaves out
 * what the plan is about to fix.
 */
export function judgeConflicts(known: Known, consent: Consent): Finding[] {
  const {
    token: { state: token, inspection },
  } = known;
  const isMeant = token.kind === "found" && inspection?.state !== "refused";
  return [
    ...notAsItIs(known),
    ...(isMeant ? otherTokens(known, token.token) : []),
    ...aboutDoctl(known, consent),
  ];
}

/** doctl and Terraform send the value unchanged, including white space and quotes (docs/contracts/doctl.md 2.5). */
function notAsItIs({ machine: { env }, config }: Known): Finding[] {
  const names = new Set([...STANDARD_NAMES, config.token.name]);
  return [...names].flatMap((name) => {
    const given = env[name] ?? "";
    const format = readToken(given);
    if (!("value" in format) || format.value === given) return [];
    const message = `${name} in the environment has white space or quotes around the token. doctl and Terraform send them as part of the token.`;
    return [finding("token.not-as-it-is", message, { fix: hint`${{ trim: name }}` })];
  });
}

/** Other tokens in the variables that tools, shells and frameworks read. */
function otherTokens(known: Known, token: Secret): Finding[] {
  const {
    machine: { env },
    config,
    envFile: { file: envFile, local: envLocal },
  } = known;
  const own = tokenNames(config.token.name);
  const [first = config.token.name, ...more] = own;
  return [...inEnvironment(), ...inEnvFile(), ...inLocal()];

  function inEnvironment(): Finding[] {
    return STANDARD_NAMES.filter((name) => !own.includes(name)).flatMap((name) => {
      const other = otherThan(token, env[name]);
      if (other === undefined) return [];
      const message = `${name} in the environment (${other}) differs from ${first} (${token.fingerprint}). Without exec, tools use ${name}.`;
      return [finding("token.other-in-environment", message, { fix: hint`${unset(name)}` })];
    });
  }

  function inEnvFile(): Finding[] {
    const values = readEnvFile(textIn(envFile));
    const origin = { kind: "env-file", name: first, path: envFile.path } as const;
    const held = Secret.of(values.get(first) ?? "", origin).asToken();
    if (!(held instanceof Secret)) return [];
    return more.flatMap((name) => {
      const other = otherThan(held, values.get(name));
      if (other === undefined) return [];
      const where = `${envFile.path}:${lineIn(envFile, name)}`;
      const message = `${where}: ${name} (${other}) and ${first} (${held.fingerprint}) are different tokens in the same file.`;
      const fix = hint`${{ withoutVariable: name, file: { path: envFile.path } }}`;
      return [finding("env-file.two-tokens", message, { where, fix })];
    });
  }

  function inLocal(): Finding[] {
    if (envLocal.path === envFile.path) return [];
    const values = readEnvFile(textIn(envLocal));
    return [...new Set([...own, ...STANDARD_NAMES])].flatMap((name) => {
      const other = otherThan(token, values.get(name));
      if (other === undefined) return [];
      const where = `${envLocal.path}:${lineIn(envLocal, name)}`;
      const message = `${where}: ${name} (${other}) is not the token in use (${token.fingerprint}). Many frameworks prefer .env.local.`;
      const fix = hint`${{ withoutVariable: name, file: { path: envLocal.path } }}`;
      return [finding("env-file.stale-local", message, { where, fix })];
    });
  }
}

/** The fingerprint of the value, if it is a different token. */
function otherThan(token: Secret, text: string | undefined): string | undefined {
  const other = Secret.of(text ?? "", token.origin).asToken();
  return !(other instanceof Secret) || other.equals(token) ? undefined : other.fingerprint;
}

function aboutDoctl(known: Known, consent: Consent): Finding[] {
  const {
    doctl,
    machine: { env },
  } = known;
  if (doctl?.tool === undefined || doctl.config === undefined) return [];
  const { path, state } = doctl.config;
  const shell = plainShell(env);
  return [...aboutSnap(), ...aboutContext(), ...bakedIn()];

  function aboutSnap(): Finding[] {
    if (doctl?.snap?.isBlind) {
      const message = `DIGITALOCEAN_CONFIG is ${path}, which the doctl snap can't read.`;
      const fix = hint`${unset("DIGITALOCEAN_CONFIG")}`;
      return [finding("doctl.snap", message, { where: path, fix })];
    }
    const unread = doctl?.snap?.unread;
    if (unread === undefined) return [];
    const message = `The doctl snap reads ${path}. The logins in ${unread} are not used.`;
    const fix = hint`${{ remove: { path: unread } }} (if nothing else uses it)`;
    return [finding("doctl.snap", message, { where: unread, fix })];
  }

  function aboutContext(): Finding[] {
    if (state.kind === "broken") return [];
    const { contexts } = state.config;
    const selected = selectedContext({ path }, state.config, shell);
    const { name, where } = selected;
    const lower = name.toLowerCase();
    const more = where === undefined ? {} : { where };
    const switchTo = (context: string) =>
      where === undefined
        ? hint`${{ set: "DIGITALOCEAN_CONTEXT", to: context }}`
        : hint`${{ line: run("doctl", "auth", "switch", "--context", context), without: "DIGITALOCEAN_ACCESS_TOKEN" }}`;
    if (name !== lower) {
      const message = `doctl stores names in lower case, so it cannot find context ${name}.`;
      return [finding("doctl.context-case", message, { ...more, fix: switchTo(lower) })];
    }
    const target = doctl?.target?.context;
    if (name !== "default" && !contexts.has(name) && name !== target) {
      const message = `doctl's selected context ${name === "" ? '""' : name} holds no token, so doctl fails without --context.`;
      const fix =
        where === undefined
          ? hint`${unset("DIGITALOCEAN_CONTEXT")}`
          : switchTo(target ?? "default");
      return [finding("doctl.context-missing", message, { ...more, fix })];
    }
    const given = env["DIGITALOCEAN_ACCESS_TOKEN"];
    const { token } = doctlTakes(known, shell);
    const ignored = token instanceof Secret ? otherThan(token, given) : undefined;
    if (name === "default" || ignored === undefined) return otherAccount(name, token);
    const message = `doctl's selected context ${name} (${shortNameOf(token)}) overrides DIGITALOCEAN_ACCESS_TOKEN (${ignored}) and --access-token.`;
    return [
      finding("doctl.env-ignored", message, {
        ...more,
        fix: hint`${{ set: "DIGITALOCEAN_CONTEXT", to: "default" }}`,
      }),
    ];
  }

  /** The setup is fine, but plain `doctl` uses another account or fails. */
  function otherAccount(name: string, token: ReturnType<typeof doctlTakes>["token"]): Finding[] {
    const { state: ours, inspection } = known.token;
    const { target, plain } = doctl ?? {};
    if (ours.kind !== "found" || inspection?.state !== "alive" || consent.use) return [];
    if (target === undefined || name === target.context || !isToHold(target, consent)) return [];
    // Only one context is current, but a repo with environments has several.
    if (known.config.othersContexts.includes(name)) return [];
    const fix = env["DIGITALOCEAN_CONTEXT"]
      ? hint`${unset("DIGITALOCEAN_CONTEXT")}`
      : hint`To make ${target.context} doctl's current context: ${own("--use")}`;
    const lacks =
      token === "none" ? "no token" : plain?.state === "refused" ? "a refused token" : "";
    if (lacks !== "") {
      const message = `doctl's current context is ${name}, which holds ${lacks}: doctl works only with --context ${target.context}.`;
      const isOneOfMany = known.config.environment !== undefined;
      return isOneOfMany ? [] : [finding("doctl.no-account", message, { fix })];
    }
    if (plain?.state !== "alive" || isSameAccount(plain, inspection)) return [];
    const message = `doctl's current context is ${name} (${accountOf(plain)}). Without --context ${target.context}, doctl uses that account.`;
    return [finding("doctl.other-account", message, { fix })];
  }

  /** docs/contracts/doctl.md 3.8 and 3.10. */
  function bakedIn(): Finding[] {
    if (state.kind === "broken") return [];
    const { settings } = state.config;
    const unless = env["DIGITALOCEAN_API_URL"] ? ", unless DIGITALOCEAN_API_URL overrides it" : "";
    const judged: readonly Baked[] = [
      {
        ...{ name: "api-url", id: "doctl.baked-api-url", isRight: isDigitalOcean },
        effect: () => `doctl sends its token there${unless}`,
      },
      {
        ...{ name: "config", id: "doctl.baked-config" },
        isRight: (value) => value === path || value === state.snapshot.target,
        effect: () => "doctl reads this file but writes to the other one",
      },
      {
        ...{ name: "output", id: "doctl.baked-output", isRight: (value) => value === "text" },
        effect: (form) => `doctl prints ${form} instead of text`,
      },
    ];
    const wrong = judged.flatMap(({ name, id, isRight, effect }) => {
      const { value = "", line } = settings.get(name) ?? {};
      return value === "" || isRight(value) ? [] : { name, id, value, line, effect: effect(value) };
    });
    // One step removes all of them.
    const fix = hint`${{ withoutKeys: wrong.map(({ name }) => name), file: { path } }}`;
    const title = "doctl's config has settings saved by an old doctl";
    return wrong.map(({ name, id, value, line, effect }) =>
      finding(id, `doctl's config has ${name}: ${value}: ${effect}.`, {
        ...{ where: `${path}:${line}`, fix },
        paragraph: { title, item: `${name}: ${value} (${effect})` },
      }),
    );
  }
}

/** Plain doctl uses another account, or none. */
export function isOfOtherAccount(id: string): boolean {
  return id === "doctl.other-account" || id === "doctl.no-account";
}

/** Unknown accounts count as different. */
function isSameAccount(one: Inspection, other: Inspection): boolean {
  return one.team === undefined || other.team === undefined
    ? one.email !== undefined && one.email === other.email
    : one.team.uuid === other.team.uuid;
}

function accountOf({ email, team }: Inspection): string {
  return [email, team && `team ${team.name}`].filter(Boolean).join(", ") || "another account";
}

/** A setting that should not be in doctl's config, unless its value is right. */
interface Baked {
  readonly name: Setting;
  readonly id: Parameters<typeof finding>[0];
  readonly isRight: (value: string) => boolean;
  /** The effect of the setting. */
  readonly effect: (value: string) => string;
}

function isDigitalOcean(url: string): boolean {
  return URL.canParse(url) && /(^|\.)digitalocean\.com$/.test(new URL(url).hostname);
}

/**
 * Like judgeConflicts, for one root module. A file overrides TF_VAR_, and an empty value is sent
 * (docs/contracts/terraform.md 2).
 */
export function judgeRootConflicts(
  known: Known,
  root: TerraformRoot,
  source: TokenSource | undefined,
  consent: Consent,
): Finding[] {
  if (source?.kind === "code" && source.value === "empty") return [emptyInCode(source.where)];
  if (source?.kind !== "variable") return [];
  const {
    token: { state: token, inspection },
    envFile: { file: envFile },
    machine: { env },
  } = known;
  const { name } = source;
  const variable = `TF_VAR_${name}`;
  const shell = plainShell(env);
  const { token: used, from, where } = terraformTakes(asPlanned(), shell, envFile);
  const place = where ?? variable;
  const more = { ...(where === undefined ? {} : { where }), fix: fixFor(where) };
  if (used === "none" && / is empty/.test(from)) {
    const message = `${place}: var.${name} is empty, so Terraform sends no token and does not read the environment.`;
    return [finding("terraform.empty-token", message, more)];
  }
  if (!(used instanceof Secret)) return [];
  const isOurSecret = where?.startsWith(join(root.config.dir, SECRET_TFVARS));
  const isOther =
    token.kind === "found" && inspection?.state === "alive" && !used.equals(token.token);
  const isOfVariable =
    where !== undefined || (used.origin.kind === "environment" && used.origin.name === variable);
  // A stale token in our secret file is reported as terraform.stale-secret.
  if (isOther && isOfVariable && !isOurSecret) {
    const message = `${place}: var.${name} (${used.fingerprint}) is not the token in use (${token.token.fingerprint}). Without exec, Terraform uses var.${name}.`;
    return [finding("terraform.other-token", message, more)];
  }
  return beaten(used, where, shell);

  /** Assumes that the secret file of this plan is already written. */
  function asPlanned(): TokenSource {
    const ours = usableToken(known.token);
    const needs = needsOf(root);
    const isWritten = needs.credentials === "tfvars" && needs.variable === name;
    if (source?.kind !== "variable" || ours === undefined || !isWritten)
      return source ?? { kind: "environment" };
    if (!mayStore(ours, known.machine, consent)) return source;
    const where = `${join(root.config.dir, SECRET_TFVARS)}:1`;
    const written = { name: SECRET_TFVARS, value: ours, where };
    const others = source.files.filter((file) => file.name !== SECRET_TFVARS);
    const later = others.filter((file) => /\.auto\./.test(file.name) && file.name > SECRET_TFVARS);
    return {
      ...source,
      files: [...others.filter((file) => !later.includes(file)), written, ...later],
    };
  }

  function beaten(winner: Secret, by: string | undefined, { token: read }: Shell): Finding[] {
    const loser = read(variable);
    if (by === undefined || !loser || loser.equals(winner)) return [];
    const message = `${by} overrides ${variable} in the environment (${loser.fingerprint}).`;
    const fix = hint`${unset(variable)}`;
    return [finding("terraform.tf-var-ignored", message, { where: by, fix })];
  }

  function fixFor(where: string | undefined): Hint {
    if (where === undefined) return hint`${unset(variable)}`;
    if (source?.kind === "variable" && where === source.declaredAt) {
      return hint`Set default = null. The provider then reads the environment.`;
    }
    const path = where.replace(/:\d+$/, "");
    if (path.endsWith(".tfvars")) return hint`${{ withoutVariable: name, file: { path } }}`;
    return hint`Remove ${name} from ${where}`;
  }
}

function emptyInCode(where: string): Finding {
  const message = `${where}: the provider's token is empty, so Terraform sends no token and does not read the environment.`;
  const fix = hint`Delete the argument. The provider then reads the environment.`;
  return finding("terraform.empty-token", message, { where, fix });
}

function shortNameOf(token: Secret | string): string {
  return token instanceof Secret ? token.shortName : token;
}
