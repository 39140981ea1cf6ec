import { join, relative } from "node:path";
import type { Observation } from "../../commands/init/observe.ts";
import type { Finding } from "../../core/finding.ts";
import { patternOf } from "../../core/ignore-block.ts";
import { type Consent, NOTHING, type PlanPart, type StoreContext } from "../../core/types.ts";
import { usableToken } from "../token/storing.ts";
import { finding } from "./findings.ts";
import type { DoctlObservation, DoctlTarget } from "./observe.ts";

const INSTALL = "https://docs.digitalocean.com/reference/doctl/how-to/install/";

/** doctl's context. Nobody's login is overwritten in silence (DESIGN rule 5). */
export function planDoctl(observation: Observation, consent: Consent): PlanPart {
  const { doctl, ci } = observation;
  if (doctl === undefined) return NOTHING;
  if (doctl.tool === undefined && !consent.doctlConfig) return only(missing());
  if (ci && !consent.save && !consent.doctlConfig) return only(notInCi(observation));
  if (doctl.config === undefined) return only(noFolder());
  const { path, state } = doctl.config;
  if (state.kind === "broken") return only(broken(path, state.why));
  const token = usableToken(observation);
  if (token === undefined || doctl.target === undefined) return NOTHING;

  const { context, holding, holds } = doctl.target;
  const taken = judgePlace(observation);
  if (taken.length > 0) return { findings: taken };
  if (holding === "this") return { findings: judgeMode(observation) };
  if ((holding === "other" || holding === "same-team") && !consent.force) {
    return only(holding === "other" ? otherLogin(doctl.target) : sameTeam(doctl.target));
  }
  const change: StoreContext = {
    kind: "doctl-context",
    path,
    context,
    token,
    replaces: holds,
    doctl: doctl.tool,
    why: WHY[holding],
  };
  return { changes: [change] };
}

const WHY: Readonly<Record<DoctlTarget["holding"], string>> = {
  nothing: "a new context",
  this: "",
  dead: "its token is refused by DigitalOcean (401)",
  "same-team": "--force: replaces a living token of the same team",
  other: "--force: replaces another living login",
};

/** What a plain `doctl` uses in this folder, and how to make it the token's context. */
export function plainDoctl(
  { config }: DoctlObservation,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const selected = config?.state.kind === "known" ? config.state.config.selected : "default";
  return env["DIGITALOCEAN_CONTEXT"] || selected;
}

function missing(): Finding {
  return finding("doctl.missing", "doctl is not on PATH: its context was skipped.", {
    fix: `Install it (${INSTALL}), or write its config all the same: do-bootstrap --doctl-config`,
  });
}

function notInCi({ env, config }: Observation): Finding {
  const fix = env["DIGITALOCEAN_ACCESS_TOKEN"]
    ? "do-bootstrap --doctl-config writes the context all the same."
    : `export DIGITALOCEAN_ACCESS_TOKEN="$${config.token.name}"; or, to write it: do-bootstrap --doctl-config`;
  const message =
    "CI: no secret is written to disk. doctl takes DIGITALOCEAN_ACCESS_TOKEN from the environment.";
  return finding("doctl.not-in-ci", message, { fix });
}

function noFolder(): Finding {
  return finding("doctl.no-config-folder", "doctl's config has no place: HOME is not set.", {
    fix: "Set HOME or DIGITALOCEAN_CONFIG.",
  });
}

export function broken(path: string, why: string): Finding {
  return finding("doctl.config-broken", `doctl's config is ${why}: ${path}`, {
    where: path,
    fix: why.startsWith("not readable")
      ? `Let yourself read it: chmod u+rw ${path}`
      : `A doctl that was killed leaves it like that. When none is running: mv ${path} ${path}.broken`,
  });
}

/** In a repo of dotfiles, for one, the token would go where everybody's clone has it. */
export function judgePlace({
  doctl,
  doctlTaken,
}: Pick<Observation, "doctl" | "doctlTaken">): Finding[] {
  if (doctl?.config === undefined || doctlTaken === undefined) return [];
  const { root, isTracked } = doctlTaken;
  const { target } = doctl.config.state.snapshot;
  const name = relative(root, target);
  const ignore = `Add to ${join(root, ".gitignore")}: /${patternOf(name)}`;
  const untrack = `git -C ${root} rm --cached ${name} (then revoke whatever was ever committed)`;
  const message = `git ${isTracked ? "tracks" : "would take"} doctl's config, which holds tokens: ${target}`;
  const fix = isTracked ? `${untrack}. ${ignore}` : ignore;
  return [finding("doctl.in-git", message, { where: target, fix })];
}

function judgeMode({ doctl, platform }: Observation): Finding[] {
  const at = doctl?.config?.state.snapshot;
  // Windows knows no such bits.
  if (at?.kind !== "file" || (at.mode & 0o077) === 0 || platform === "win32") return [];
  const message = `Other users can read doctl's config, which holds the token: ${at.target}`;
  return [finding("doctl.readable", message, { where: at.target, fix: `chmod 600 ${at.target}` })];
}

function otherLogin({ context, holds }: DoctlTarget): Finding {
  return finding(
    "doctl.other-login",
    `doctl context ${context} holds another login (${holds?.fingerprint}).`,
    { fix: "Set doctl.context to another name in the config; or replace it: do-bootstrap --force" },
  );
}

function sameTeam({ context, holds }: DoctlTarget): Finding {
  return finding(
    "doctl.same-team-login",
    `doctl context ${context} keeps its own living token of the same team (${holds?.fingerprint}).`,
    { fix: "To put this token in its place: do-bootstrap --force" },
  );
}

function only(found: Finding): PlanPart {
  return { findings: [found] };
}
