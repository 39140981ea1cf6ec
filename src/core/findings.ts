import { AppError } from "../errors/app-error.ts";
import { EXIT, type ExitStatus } from "../errors/exit-status.ts";
import type { Finding } from "./types.ts";

/** Every finding that can be reported: a stable id, its level, and the exit status it stands for. */
export const FINDINGS = {
  "token.missing": ["error", EXIT.token],
  "token.malformed": ["error", EXIT.token],
  "token.command-untrusted": ["error", EXIT.token],
  "token.command-failed": ["error", EXIT.token],
  "token.conflict": ["error", EXIT.token],
  "token.expires-sooner": ["error", EXIT.expiry],
  "token.unchanged": ["info", EXIT.ok],
  "token.unreached": ["info", EXIT.ok],
  "token.still-valid": ["info", EXIT.ok],
  "token.not-revoked": ["warning", EXIT.findings],
  "token.refused": ["error", EXIT.token],
  "token.wrong-team": ["error", EXIT.token],
  "token.team-unknown": ["error", EXIT.scope],
  "token.expires-soon": ["error", EXIT.expiry],
  "token.unverified": ["error", EXIT.network],
  "token.partly-verified": ["warning", EXIT.findings],
  "token.shadows-another": ["warning", EXIT.findings],
  "token.other-in-environment": ["warning", EXIT.findings],
  "token.not-as-it-is": ["warning", EXIT.findings],
  "token.lacks-scopes": ["error", EXIT.scope],
  "token.more-than-needed": ["warning", EXIT.findings],
  "terraform.unseen-module": ["warning", EXIT.findings],
  "terraform.unknown-type": ["warning", EXIT.findings],
  "env-file.unusable": ["error", EXIT.findings],
  "env-file.tracked": ["error", EXIT.findings],
  "env-file.two-tokens": ["warning", EXIT.findings],
  "env-file.stale-local": ["warning", EXIT.findings],
  "env-file.incomplete": ["info", EXIT.ok],
  "file.not-writable": ["error", EXIT.findings],
  "file.in-git": ["error", EXIT.findings],
  "file.outside": ["error", EXIT.findings],
  "file.unusable": ["error", EXIT.findings],
  "git.not-ignored": ["error", EXIT.findings],
  "git.none": ["info", EXIT.ok],
  "git.example-ignored": ["info", EXIT.ok],
  "doctl.missing": ["info", EXIT.ok],
  "doctl.not-in-ci": ["info", EXIT.ok],
  "doctl.no-config-folder": ["warning", EXIT.findings],
  "doctl.config-broken": ["error", EXIT.findings],
  "doctl.in-git": ["error", EXIT.findings],
  "doctl.readable": ["warning", EXIT.findings],
  "doctl.other-login": ["error", EXIT.findings],
  "doctl.same-team-login": ["warning", EXIT.findings],
  "doctl.env-ignored": ["warning", EXIT.findings],
  "doctl.context-case": ["warning", EXIT.findings],
  "doctl.context-missing": ["warning", EXIT.findings],
  "doctl.baked-api-url": ["warning", EXIT.findings],
  "doctl.baked-config": ["warning", EXIT.findings],
  "doctl.baked-output": ["info", EXIT.ok],
  "doctl.snap": ["warning", EXIT.findings],
  "hook.foreign": ["error", EXIT.findings],
  "hook.edited": ["warning", EXIT.findings],
  "hook.by-hand": ["warning", EXIT.findings],
  "leak.in-history": ["error", EXIT.findings],
  "leak.in-work-tree": ["error", EXIT.findings],
  "leak.in-state": ["error", EXIT.findings],
  "leak.in-image": ["error", EXIT.findings],
  "leak.in-package": ["error", EXIT.findings],
  "leak.in-ignored-file": ["warning", EXIT.findings],
  "leak.not-searched": ["warning", EXIT.findings],
  "leak.dead": ["info", EXIT.ok],
  "terraform.missing": ["info", EXIT.ok],
  "terraform.too-old": ["warning", EXIT.findings],
  "terraform.broken": ["warning", EXIT.findings],
  "terraform.hard-coded-token": ["error", EXIT.findings],
  "terraform.committed-token": ["error", EXIT.findings],
  "terraform.cloud-tfvars": ["error", EXIT.usage],
  "terraform.no-source": ["warning", EXIT.findings],
  "terraform.not-ephemeral": ["warning", EXIT.findings],
  "terraform.other-variable": ["info", EXIT.ok],
  "terraform.edited": ["info", EXIT.ok],
  "terraform.outside": ["error", EXIT.findings],
  "terraform.variable-unset": ["error", EXIT.findings],
  "terraform.secret-tracked": ["error", EXIT.findings],
  "terraform.stale-secret": ["error", EXIT.findings],
  "terraform.other-token": ["error", EXIT.findings],
  "terraform.empty-token": ["error", EXIT.findings],
  "terraform.tf-var-ignored": ["warning", EXIT.findings],
  "terraform.failed": ["warning", EXIT.findings],
  "terraform.environment": ["warning", EXIT.findings],
  "backend.no-keys": ["warning", EXIT.findings],
  "backend.other-keys": ["warning", EXIT.findings],
  "backend.secret": ["error", EXIT.findings],
  "backend.other": ["warning", EXIT.findings],
  "backend.shared": ["warning", EXIT.findings],
  "backend.migrate": ["warning", EXIT.findings],
  "backend.lock": ["error", EXIT.findings],
  "backend.lock-untested": ["info", EXIT.ok],
  "cloud.backend": ["error", EXIT.usage],
  "cloud.upload": ["error", EXIT.findings],
  "cloud.variables": ["info", EXIT.ok],
  "tool.in-repo": ["warning", EXIT.findings],
  "ci.local-state": ["error", EXIT.findings],
  "ci.other-backend": ["warning", EXIT.findings],
  "ci.two-stores": ["error", EXIT.findings],
  "ci.too-many-jobs": ["error", EXIT.findings],
  "ci.cloud": ["error", EXIT.findings],
  "ci.tool-version": ["error", EXIT.findings],
  "ci.version-file": ["warning", EXIT.findings],
  "ci.not-ours": ["error", EXIT.findings],
  "ci.no-lock-file": ["warning", EXIT.findings],
  "ci.edited": ["info", EXIT.ok],
  "ci.to-do": ["info", EXIT.ok],
  "file.kept": ["info", EXIT.ok],
  "file.not-ours": ["warning", EXIT.findings],
  "config.exists": ["info", EXIT.ok],
} as const satisfies Record<string, readonly [Finding["level"], ExitStatus]>;

export type FindingId = keyof typeof FINDINGS;

export function finding(
  id: FindingId,
  message: string,
  more: { fix?: string; where?: string } = {},
): Finding {
  return { id, level: FINDINGS[id][0], message, ...more };
}

/** True for an error that nothing can be done with; one that concerns a single root stops no other. */
export function isBlocked(findings: readonly Finding[]): boolean {
  return findings.some(({ level, setsAside }) => level === "error" && setsAside === undefined);
}

/** A finding as the failure of a command that cannot go on with it. */
export function failureOf({ id, message, fix }: Finding): AppError {
  const code = { id, status: FINDINGS[id][1] };
  return new AppError(code, message, fix === undefined ? {} : { hint: fix });
}

/** DESIGN §5: of several, the first in this order. */
const ORDER: readonly ExitStatus[] = [
  EXIT.usage,
  EXIT.token,
  EXIT.expiry,
  EXIT.network,
  EXIT.scope,
  EXIT.findings,
];

/** The exit status of what was found; warnings count with `strict` only. */
export function statusOf(findings: readonly Finding[], strict: boolean): ExitStatus {
  const counted = findings.filter(
    ({ level }) => level === "error" || (strict && level === "warning"),
  );
  const found = new Set<ExitStatus>(counted.map(({ id }) => FINDINGS[id][1]));
  return ORDER.find((status) => found.has(status)) ?? EXIT.ok;
}
