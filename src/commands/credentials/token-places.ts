import { join } from "node:path";
import { isEnvFile, SECRET_TFVARS } from "../../concerns/config/protected-paths.ts";
import { RemoveContext, StoreContext } from "../../concerns/doctl/changes.ts";
import { judgePlace } from "../../concerns/doctl/plan.ts";
import { redacted, withoutToken, withReplaced } from "../../concerns/env-file/edit.ts";
import { RemoveFile } from "../../core/changes/remove-file.ts";
import { WriteFile } from "../../core/changes/write-file.ts";
import type { Consent } from "../../core/consent.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { obstacles } from "../../core/obstacles.ts";
import { NOTHING, type PlanPart } from "../../core/plan.ts";
import { hint } from "../../errors/hint.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import type { Host, Snapshot } from "../../host/host.ts";
import { editedText } from "../../secret/content.ts";
import { Secret } from "../../secret/secret.ts";
import type { Facts } from "../init/observe.ts";
import { type Edit, editValues, hidden, type Parts, valuesOf } from "./edit-values.ts";
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
  { config, terraform: { roots }, doctl }: Facts,
): Promise<readonly TokenPlace[]> {
  const beside = (await files.list(config.base)).filter(isEnvFile);
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
      holds: [...readEnvFile(textAt(snapshot)?.text ?? "")].map(
        ([name, value]) => Secret.of(value, { kind: "env-file", name, path: snapshot.path }).bare,
      ),
    })),
    ...eachOnce(tfvars).map((snapshot) => ({
      kind: "tfvars" as const,
      snapshot,
      holds: valuesOf(textAt(snapshot)?.text ?? "", snapshot.path),
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

/** A place and the tokens in it that are to go. */
export interface Held {
  readonly place: TokenPlace;
  readonly olds: readonly Secret[];
}

export function holding(places: readonly TokenPlace[], olds: readonly Secret[]): Held[] {
  return places.flatMap((place) => {
    const held = olds.filter((old) => place.holds.some((each) => old.equals(each)));
    return held.length === 0 ? [] : { place, olds: held };
  });
}

/** What puts `token` in a place instead of `olds`; without a token, what takes them away. */
export function changePlace(
  facts: Pick<Facts, "repo" | "machine" | "doctl">,
  { place, olds }: Held,
  { token, force }: { token: Secret | undefined } & Pick<Consent, "force">,
): PlanPart {
  const why = token === undefined ? "without the token" : "the new token";
  if (place.kind === "doctl") {
    const { path, context } = place;
    const taken = token === undefined ? [] : judgePlace(facts);
    if (taken.length > 0) return { findings: taken };
    const login = { path, context, why };
    // A context holds one.
    const [old] = olds;
    if (old === undefined) return NOTHING;
    const change =
      token === undefined
        ? new RemoveContext(login, old)
        : new StoreContext(login, { token, replaces: old });
    return { changes: [change] };
  }
  const { kind, snapshot } = place;
  const blocked = obstacles(facts.repo, snapshot, { force });
  const current = textAt(snapshot);
  if (blocked.length > 0 || snapshot.kind !== "file" || current === undefined) {
    return { findings: blocked };
  }
  const { path } = snapshot;
  const edit = { path, olds, token };
  const edited = (text: string) =>
    kind === "env-file" ? editEnvFile(text, edit) : editValues(text, edit);
  const parts = edited(current.text);
  if (parts === undefined) return { findings: [notEditable(path, why)] };
  // Of a link the file that it leads to would stay.
  const isLink = !snapshot.target.endsWith(snapshot.path);
  if (kind === "tfvars" && !isLink && /^\s*(\{\s*\})?\s*$/.test(parts.map(String).join(""))) {
    return { changes: [new RemoveFile(snapshot, "it held the token alone")] };
  }
  const shownBefore = {
    encoding: current.encoding,
    parts:
      kind === "env-file"
        ? redacted(current.text, path)
        : hidden(current.text, path, (value) => olds.find((old) => old.equals(value))),
  };
  const mode = facts.machine.platform === "win32" ? snapshot.mode : snapshot.mode & 0o700;
  const change = new WriteFile({
    ...{ before: snapshot, shownBefore, mode, why, takesAway: token === undefined },
    edit: (now) => editedText(now, (text) => edited(text) ?? text),
  });
  return { changes: [change] };
}

function editEnvFile(text: string, { path, olds, token }: Edit): Parts | undefined {
  return token === undefined
    ? withoutToken(text, path, olds)
    : withReplaced(text, path, { olds, token });
}

function notEditable(path: string, why: string): Finding {
  return finding("file.unusable", `${path} cannot be edited without changing more.`, {
    where: path,
    fix: hint`Edit it by hand (${why}), then run the same command again.`,
  });
}
