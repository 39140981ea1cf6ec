import { join } from "node:path";
import type { Consent } from "../../core/consent.ts";
import { isOpen } from "../../core/file-mode.ts";
import type { Finding } from "../../core/finding.ts";
import { patternOf } from "../../core/ignore-block.ts";
import type { Machine } from "../../core/machine.ts";
import { NOTHING, type PlanPart } from "../../core/plan.ts";
import { hint, own, run } from "../../errors/hint.ts";
import { pathFrom } from "../../lib/paths.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { TokenFacts } from "../token/facts.ts";
import { usableToken } from "../token/storing.ts";
import { SelectContext, StoreContext } from "./changes.ts";
import { plainContext } from "./context.ts";
import { finding } from "./findings.ts";
import type { DoctlFacts, DoctlTarget } from "./observe.ts";

/** The facts that the plan depends on. */
interface Known {
  readonly config: ResolvedConfig;
  readonly machine: Machine;
  readonly token: TokenFacts;
  readonly doctl: DoctlFacts | undefined;
}

const INSTALL = "https://docs.digitalocean.com/reference/doctl/how-to/install/";

/** Plans the change of doctl's context. No login is overwritten silently (docs/design.md rule 5). */
export function planDoctl(known: Known, consent: Consent): PlanPart {
  const {
    doctl,
    machine: { isCi: ci },
  } = known;
  if (doctl === undefined) return NOTHING;
  if (doctl.tool === undefined && !consent.doctlConfig) return only(missing());
  if (ci && !consent.save && !consent.doctlConfig) return only(notInCi(known));
  if (doctl.config === undefined) return only(noFolder(known));
  const { path, state, blocked } = doctl.config;
  if (state.kind === "broken") return only(broken(path, state.why));
  if (blocked !== undefined) return only(notWritable(path, blocked));
  const token = usableToken(known.token);
  if (token === undefined || doctl.target === undefined) return NOTHING;
  // The context belongs to a login, and this token does not come from it.
  if (known.config.token.doctl !== undefined && token.origin.kind !== "doctl") return NOTHING;

  const { context, holding, holds } = doctl.target;
  const taken = judgePlace(known);
  if (taken.length > 0) return { findings: taken };
  const selection = consent.use ? selectionIn(known) : [];
  if (holding === "this") return { findings: judgeMode(known), changes: selection };
  const kept = keptBy(doctl.target, consent);
  if (kept !== undefined) return only(kept(doctl.target));
  const asks =
    doctl.tool === undefined
      ? {}
      : { check: { doctl: doctl.tool, hosts: known.token.hosts, asFlag: consent.asFlag } };
  const login = { path, context, why: WHY[holding] };
  return { changes: [new StoreContext(login, { token, replaces: holds, ...asks }), ...selection] };
}

/** If an environment variable selects the context, we don't change the selection. */
function selectionIn({ doctl, machine: { env } }: Known): SelectContext[] {
  const { config, target } = doctl ?? {};
  if (config?.state.kind !== "known" || target === undefined) return [];
  const { selected } = config.state.config;
  if (env["DIGITALOCEAN_CONTEXT"] || selected === target.context) return [];
  return [new SelectContext({ path: config.path, from: selected, to: target.context })];
}

const WHY: Readonly<Record<DoctlTarget["holding"], string>> = {
  nothing: "a new context",
  this: "",
  dead: "DigitalOcean rejects its current token (401)",
  overridden: "--force: ends the browser login, which would replace this token",
  "same-team": "--force: replaces a valid token of the same team",
  other: "replaces another valid login",
};

/** The user may also replace it by answering yes (docs/design.md rule 5). */
export const OTHER_LOGIN = "doctl.other-login";

/** The context holds our token, or will hold it after the plan is applied. */
export function isToHold(target: DoctlTarget, consent: Consent): boolean {
  return target.holding === "this" || keptBy(target, consent) === undefined;
}

function keptBy({ holding }: DoctlTarget, consent: Consent) {
  const mayReplace = consent.force || (consent.replaceLogin && holding === "other");
  return mayReplace ? undefined : KEPT[holding];
}

/** Logins that only --force replaces. */
const KEPT: { readonly [H in DoctlTarget["holding"]]?: (target: DoctlTarget) => Finding } = {
  other: otherLogin,
  "same-team": sameTeam,
  overridden,
};

/** The context that plain `doctl` uses in this folder. */
export function plainDoctl(
  { config }: DoctlFacts,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const known = config?.state.kind === "known" ? config.state.config : { selected: "default" };
  return plainContext(known, env);
}

function missing(): Finding {
  return finding("doctl.missing", "doctl is not on PATH, so its context is skipped.", {
    fix: hint`Install it (${INSTALL}), or write its config anyway: ${own("--doctl-config")}`,
  });
}

function notInCi({ machine: { env }, config }: Known): Finding {
  const write = own("--doctl-config");
  const fix = env["DIGITALOCEAN_ACCESS_TOKEN"]
    ? hint`${write} writes the context anyway.`
    : hint`${{ set: "DIGITALOCEAN_ACCESS_TOKEN", from: config.token.name }}; or write it: ${write}`;
  const message =
    "In CI no secret is written to disk. doctl reads DIGITALOCEAN_ACCESS_TOKEN from the environment.";
  return finding("doctl.not-in-ci", message, { fix });
}

function noFolder({ machine: { platform } }: Pick<Known, "machine">): Finding {
  const name = platform === "win32" ? "APPDATA" : "HOME";
  const message = `doctl's context is skipped: ${name} is missing or not an absolute path.`;
  return finding("doctl.no-config-folder", message, {
    fix: hint`Set ${name} or DIGITALOCEAN_CONFIG.`,
  });
}

/** CI images often have a HOME of / or of another user. Everything else can still be prepared. */
function notWritable(path: string, why: string): Finding {
  return finding("doctl.no-config-folder", `doctl's context is skipped: ${why}.`, {
    where: path,
    fix: hint`Set HOME to a folder that you can write to, and run ${own()} again.`,
  });
}

export function broken(path: string, why: string): Finding {
  return finding("doctl.config-broken", `doctl's config is ${why}: ${path}`, {
    where: path,
    fix: why.startsWith("not readable")
      ? hint`Make it readable: ${{ allow: { path } }}`
      : hint`A killed doctl can leave a broken config. Make sure that no doctl is running, then: ${{ rename: { path }, into: { path, after: ".broken" } }}`,
  });
}

/** In a dotfiles repo, for example, the token would end up in every clone. */
export function judgePlace({ doctl }: Pick<Known, "doctl">): Finding[] {
  if (doctl?.config === undefined || doctl.taken === undefined) return [];
  const { root, isTracked, trackedAs } = doctl.taken;
  const { target } = doctl.config.state.snapshot;
  const name = pathFrom(root, target);
  const ignore = hint`Add to ${join(root, ".gitignore")}: /${patternOf(name)}`;
  const untrack = hint`${run("git", "-C", { path: root }, "rm", "--cached", "--", pathFrom(root, trackedAs ?? target))} (then revoke every token that was committed)`;
  const message = `git ${isTracked ? "tracks" : "does not ignore"} doctl's config, which holds tokens: ${target}`;
  const fix = isTracked ? hint`${untrack}. ${ignore}` : ignore;
  return [finding("doctl.in-git", message, { where: target, fix })];
}

function judgeMode({ doctl }: Known): Finding[] {
  const at = doctl?.config?.state.snapshot;
  if (at?.kind !== "file" || !isOpen(at)) return [];
  const message = `Other users can read doctl's config, which holds the token: ${at.target}`;
  const fix = hint`${run("chmod", "600", { path: at.target })}`;
  return [finding("doctl.readable", message, { where: at.target, fix })];
}

function otherLogin({ context, holds, isRenewed }: DoctlTarget): Finding {
  const login = isRenewed ? "a browser login, which doctl renews" : "another login";
  const shown = holds === undefined || isRenewed ? "" : ` (${holds.fingerprint})`;
  return finding(OTHER_LOGIN, `doctl context ${context} holds ${login}${shown}.`, {
    fix: hint`Set doctl.context to another name in the config, or replace the login: ${own("--force")}`,
  });
}

function sameTeam({ context, holds }: DoctlTarget): Finding {
  return finding(
    "doctl.same-team-login",
    `doctl context ${context} has a different valid token of the same team (${holds?.shortName}).`,
    { fix: hint`To replace it with this token: ${own("--force")}` },
  );
}

function overridden({ context }: DoctlTarget): Finding {
  const message = `doctl context ${context} holds this token and a browser login: doctl will replace the token when it renews the login.`;
  return finding("doctl.session-left", message, {
    fix: hint`To remove the browser login from this context: ${own("--force")}`,
  });
}

function only(found: Finding): PlanPart {
  return { findings: [found] };
}
