import { join } from "node:path";
import { SECRET_TFVARS } from "../../concerns/config/protected-paths.ts";
import { judgePlace } from "../../concerns/doctl/plan.ts";
import { redacted, withoutToken, withReplaced } from "../../concerns/env-file/edit.ts";
import { obstacles } from "../../core/existing.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import type { Change, Consent, PlanPart } from "../../core/types.ts";
import { hint } from "../../errors/hint.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import type { Host, Snapshot } from "../../host/host.ts";
import { Secret } from "../../secret/secret.ts";
import type { Observation } from "../init/observe.ts";
import { type Edit, editValues, hidden, type Parts, secretOf, valuesOf } from "./edit-values.ts";
import { finding } from "./findings.ts";

/** Where a token stands that this repo or this machine's doctl uses. */
export type TokenPlace = { readonly holds: readonly Secret[] } & (
  | { readonly kind: "env-file" | "tfvars"; readonly snapshot: Snapshot }
  | { readonly kind: "doctl"; readonly path: string; readonly context: string }
);

/**
 * All places that rotate and logout reach: the env files of the config and those beside them, files
 * of Terraform values in the roots, doctl's contexts.
 */
export async function readPlaces(
  { files }: Pick<Host, "files">,
  { config, roots, doctl }: Observation,
): Promise<readonly TokenPlace[]> {
  const beside = (await files.list(config.base)).filter((name) => ENV_FILE.test(name));
  const paths = [...config.envFiles, ...beside.map((name) => join(config.base, name))];
  const envFiles = await Promise.all([...new Set(paths)].map((path) => files.look(path)));
  const tfvars = roots.flatMap((root) =>
    [SECRET_TFVARS, ...root.tfvars].map((name) => root.at(name)),
  );
  const state = doctl?.config?.state;
  const contexts = state?.kind === "known" ? [...state.config.contexts] : [];
  return [
    ...eachOnce(envFiles).map((snapshot) => ({
      kind: "env-file" as const,
      snapshot,
      holds: [...readEnvFile(textAt(snapshot)?.text ?? "")].map(([name, value]) =>
        Secret.of(value, { kind: "env-file", name, path: snapshot.path }),
      ),
    })),
    ...eachOnce(tfvars).map((snapshot) => ({
      kind: "tfvars" as const,
      snapshot,
      holds: valuesOf(textAt(snapshot)?.text ?? "").map(secretOf),
    })),
    ...contexts.map(([context, held]) => ({
      kind: "doctl" as const,
      path: doctl?.config?.path ?? "",
      context,
      holds: [held],
    })),
  ];
}

/** A file that a link leads to is one place, under its own name where that is among them. */
function eachOnce(files: readonly Snapshot[]): readonly Snapshot[] {
  const isLink = ({ path, target }: Snapshot) => !target.endsWith(path);
  const byTarget = new Map<string, Snapshot>();
  for (const file of files) {
    const known = byTarget.get(file.target);
    if (known === undefined || isLink(known)) byTarget.set(file.target, file);
  }
  return [...byTarget.values()];
}

/** A temporary file of a run is none: it goes by itself. */
const ENV_FILE = /^\.env(?:\.(?!(?:example|sample|template|dist)$|do-bootstrap-)[\w.-]+)?$/;

/** A place and the token in it that is to go. */
export interface Held {
  readonly place: TokenPlace;
  readonly old: Secret;
}

export function holding(places: readonly TokenPlace[], olds: readonly Secret[]): Held[] {
  return places.flatMap((place) =>
    olds
      .filter((old) => place.holds.some((held) => old.equals(held)))
      .map((old) => ({ place, old })),
  );
}

/** What puts `token` in a place instead of `old`; without a token, what takes `old` away. */
export function changePlace(
  observation: Observation,
  place: TokenPlace,
  { old, token, force }: { old: Secret; token: Secret | undefined } & Pick<Consent, "force">,
): PlanPart {
  const why = token === undefined ? "without the token" : "the new token";
  if (place.kind === "doctl") {
    const { path, context } = place;
    const taken = token === undefined ? [] : judgePlace(observation);
    if (taken.length > 0) return { findings: taken };
    const change: Change =
      token === undefined
        ? { kind: "doctl-removal", path, context, holds: old, why }
        : { kind: "doctl-context", path, context, token, replaces: old, doctl: undefined, why };
    return { changes: [change] };
  }
  const { kind, snapshot } = place;
  const blocked = obstacles(observation, snapshot, { force });
  const current = textAt(snapshot);
  if (blocked.length > 0 || snapshot.kind !== "file" || current === undefined) {
    return { findings: blocked };
  }
  const { text, encoding } = current;
  const { path } = snapshot;
  const edit = { path, old, token };
  const parts = kind === "env-file" ? editEnvFile(text, edit) : editValues(text, edit);
  if (parts === undefined) return { findings: [notEditable(path, why)] };
  // Of a link the file that it leads to would stay.
  const isLink = !snapshot.target.endsWith(snapshot.path);
  if (kind === "tfvars" && !isLink && /^\s*(\{\s*\})?\s*$/.test(parts.map(String).join(""))) {
    return { changes: [{ kind: "remove", before: snapshot, why: "it held the token alone" }] };
  }
  const shownBefore = {
    parts: kind === "env-file" ? redacted(text, path) : hidden(text),
    encoding,
  };
  const mode = observation.platform === "win32" ? snapshot.mode : snapshot.mode & 0o700;
  const after = { parts, encoding };
  const write = { kind: "write", before: snapshot, after, shownBefore, mode, why } as const;
  return { changes: [token === undefined ? { ...write, takesAway: true } : write] };
}

function editEnvFile(text: string, { path, old, token }: Edit): Parts | undefined {
  return token === undefined
    ? withoutToken(text, path, old)
    : withReplaced(text, path, { old, token });
}

function notEditable(path: string, why: string): Finding {
  return finding("file.unusable", `${path} cannot be edited without changing more.`, {
    where: path,
    fix: hint`Edit it by hand (${why}), then run the same command again.`,
  });
}
