import { findConfig } from "../../concerns/config/find-config.ts";
import { heldIn } from "../../concerns/doctl/context.ts";
import { openGit } from "../../concerns/git/git.ts";
import type { ApplyHost } from "../../core/change.ts";
import type { Finding } from "../../core/finding.ts";
import type { Result } from "../../core/flow.ts";
import { NOTHING, type PlanPart } from "../../core/plan.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint, own } from "../../errors/hint.ts";
import type { Secret } from "../../secret/secret.ts";
import { bootstrap, type Request } from "../init/bootstrap.ts";
import { type Facts, type ObservingHost, observe } from "../init/observe.ts";
import type { Prompter } from "../init/prompter.ts";
import { finding } from "./findings.ts";
import { revocation } from "./rotate.ts";

/** Whether this repo's token is a login in doctl. @throws AppError those of findConfig. */
export async function isOfLogin(
  host: ObservingHost,
  environment: string | undefined,
): Promise<boolean> {
  const top = (await openGit(host, host.cwd))?.root ?? host.cwd;
  return (await findConfig(host, top, environment)).config.token.doctl !== undefined;
}

/** The error for a given token where the repo uses a login. */
export function tokenForLogin(): AppError {
  const message = "This repo uses a doctl browser login (token.doctl). rotate starts a new login.";
  return new AppError("USAGE", message, {
    hint: hint`${own("rotate")}. To use a token instead, remove token.doctl from the config, then: … | ${own("--token-stdin")}`,
  });
}

/**
 * Logs in again, checks the new login, and then the one that it replaces.
 *
 * @throws AppError those of bootstrap.
 */
export async function rotateLogin(
  host: ObservingHost & ApplyHost,
  { revoke, ...request }: Request & { readonly revoke: boolean },
  prompter: Prompter<Facts>,
  dryRun: boolean,
): Promise<Result<Facts>> {
  const { environment, progress } = request;
  const { facts } = await observe(host, { environment, progress, keepLogin: true });
  const config = facts.doctl?.config?.state;
  const held =
    config?.kind === "known" ? heldIn(config.config, facts.config.loginContext) : undefined;
  // A permanent token is not part of this login, and may be used elsewhere.
  const old = held?.token?.isOfSession ? held.token : undefined;
  const also = (now: Facts): PlanPart => {
    const token = newToken(now, old);
    if (!revoke || old === undefined || token === undefined) return NOTHING;
    return { outside: [revocation(host, now, { old, token, progress, whyNot: () => undefined })] };
  };
  const result = await bootstrap(host, { ...request, also }, prompter, dryRun);
  const isReplaced = !dryRun && newToken(result.facts, old) !== undefined;
  const left = old === undefined || revoke || !isReplaced ? [] : [stillValid()];
  return { ...result, plan: { ...result.plan, findings: [...result.plan.findings, ...left] } };
}

function newToken({ token: { state } }: Facts, old: Secret | undefined): Secret | undefined {
  return state.kind === "found" && !state.token.equals(old) ? state.token : undefined;
}

/** docs/contracts/doctl-2.md 6.3. */
function stillValid(): Finding {
  const message =
    "The previous login was removed from doctl's config. Its token works until it expires.";
  const fix = hint`To revoke it now: revoke doctl under Authorized Applications in the control panel`;
  return finding("token.still-valid", message, { fix });
}
