import { basename, dirname, join } from "node:path";
import { isEnvFile, isTfvars, SECRET_TFVARS } from "../../concerns/config/protected-paths.ts";
import { RemoveContext, StoreContext } from "../../concerns/doctl/changes.ts";
import { judgePlace } from "../../concerns/doctl/plan.ts";
import { redacted, withoutToken, withReplaced } from "../../concerns/env-file/edit.ts";
import { RemoveFile } from "../../core/changes/remove-file.ts";
import { WriteFile } from "../../core/changes/write-file.ts";
import { ownersBits } from "../../core/file-mode.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { obstacles } from "../../core/obstacles.ts";
import { NOTHING, type PlanPart } from "../../core/plan.ts";
import { hint } from "../../errors/hint.ts";
import { ENV_FILE_LOOK, readEnvFile } from "../../exec/read-env-file.ts";
import type { Host, Snapshot } from "../../host/host.ts";
import { type Content, editedText, withOthers } from "../../secret/content.ts";
import { Secret } from "../../secret/secret.ts";
import type { Facts } from "../init/observe.ts";
import {
  type Edit,
  editValues,
  hidden,
  type Parts,
  type TokenFor,
  valuesOf,
} from "./edit-values.ts";
import { finding } from "./findings.ts";

/** A place with a token that this repo or this machine's doctl uses. */
export type TokenPlace = { readonly holds: readonly Secret[] } & (
  | { readonly kind: FileKind; readonly snapshot: Snapshot }
  | { readonly kind: "doctl"; readonly path: string; readonly context: string }
);

type FilePlace = TokenPlace & { readonly kind: FileKind };
type FileKind = "env-file" | "tfvars" | "shell";

/**
 * All places that rotate and logout change: the env files of the config and those next to them, files of Terraform
 * values in the roots, and doctl's contexts. Excludes a browser login that the config does not name: it is the user's
 * own, and a file with its token only has a copy (docs/contracts/doctl-2.md 6.2).
 *
 * @param logins the contexts whose browser login the config names.
 */
export async function readPlaces(
  { files }: Pick<Host, "files">,
  { config, terraform: { roots }, doctl }: Facts,
  logins: readonly (string | undefined)[] = [config.token.doctl],
): Promise<readonly TokenPlace[]> {
  const beside = (await files.list(config.base)).filter(isEnvFile);
  const paths = [...config.envFiles, ...beside.map((name) => join(config.base, name))];
  const envFiles = await Promise.all(
    [...new Set(paths)].map((path) => files.look(path, ENV_FILE_LOOK)),
  );
  const tfvars = roots.flatMap((root) =>
    [SECRET_TFVARS, ...root.tfvars].map((name) => root.at(name)),
  );
  const state = doctl?.config?.state;
  const stored = state?.kind === "known" ? state.config : undefined;
  const contexts = [...(stored?.contexts ?? [])].filter(
    ([context, held]) =>
      !held.isOfSession || !stored?.sessions.has(context) || logins.includes(context),
  );
  return [
    ...eachOnce(envFiles).map((snapshot) => placeAt(snapshot, "env-file")),
    ...eachOnce(tfvars).map((snapshot) => placeAt(snapshot, "tfvars")),
    ...contexts.map(([context, held]) => ({
      kind: "doctl" as const,
      path: doctl?.config?.path ?? "",
      context,
      holds: [held],
    })),
  ];
}

/**
 * Other files for secrets in which the search of the repo found a token: env files in other folders, values of other
 * modules, direnv's file.
 */
export async function placesFound(
  { files }: Pick<Host, "files">,
  found: readonly string[],
  known: readonly TokenPlace[],
): Promise<readonly TokenPlace[]> {
  const targets = new Set(
    known.flatMap((place) => ("snapshot" in place ? place.snapshot.target : [])),
  );
  const others = found.filter((path) => !targets.has(path) && kindOf(path) !== undefined);
  const looked = others.map(async (path) => {
    const blocked = await files.whyNotWritable(dirname(path));
    return blocked === undefined ? placeAt(await files.look(path), kindOf(path) ?? "shell") : [];
  });
  return (await Promise.all(looked)).flat();
}

function kindOf(path: string): FileKind | undefined {
  const name = basename(path);
  if (isEnvFile(name)) return "env-file";
  if (isTfvars(name)) return "tfvars";
  return name === ".envrc" ? "shell" : undefined;
}

function placeAt(snapshot: Snapshot, kind: FileKind): TokenPlace {
  const { path } = snapshot;
  const text = textAt(snapshot)?.text ?? "";
  const holds =
    kind === "tfvars"
      ? valuesOf(text, path)
      : [...readEnvFile(text)].map(
          ([name, value]) => Secret.of(value, { kind: "env-file", name, path }).bare,
        );
  return { kind, snapshot, holds };
}

/** A file and the links to it are one place, under the file's own name if it is in the list. */
function eachOnce(files: readonly Snapshot[]): readonly Snapshot[] {
  const isLink = ({ path, target }: Snapshot) => !target.endsWith(path);
  const byTarget = new Map<string, Snapshot>();
  for (const file of files) {
    const known = byTarget.get(file.target);
    if (known === undefined || isLink(known)) byTarget.set(file.target, file);
  }
  return [...byTarget.values()];
}

/** A place and the tokens in it that should be removed. */
export interface Held {
  readonly place: TokenPlace;
  readonly olds: readonly Secret[];
}

/** The places with a token as a value. */
export function holding(places: readonly TokenPlace[], olds: readonly Secret[]): Held[] {
  return withOlds(places, olds, isHeld);
}

/** These, and the places with a token in a comment or as a part of a value. */
export function naming(places: readonly TokenPlace[], olds: readonly Secret[]): Held[] {
  return withOlds(places, olds, (place, old) => isHeld(place, old) || isNamed(place, old));
}

function withOlds(
  places: readonly TokenPlace[],
  olds: readonly Secret[],
  isIn: (place: TokenPlace, old: Secret) => boolean,
): Held[] {
  return places.flatMap((place) => {
    const held = olds.filter((old) => isIn(place, old));
    return held.length === 0 ? [] : { place, olds: held };
  });
}

function isHeld({ holds }: TokenPlace, old: Secret): boolean {
  return holds.some((each) => old.equals(each));
}

function isNamed(place: TokenPlace, old: Secret): boolean {
  if (place.kind === "doctl") return false;
  return old.piecesOf(textAt(place.snapshot)?.text ?? "").length > 1;
}

/** Drops the part if something blocks it: a place that the config does not name is left unchanged. */
export function changesOf({ changes = [], findings = [] }: PlanPart): PlanPart {
  return findings.length > 0 ? NOTHING : { changes };
}

/** Replaces each of `olds` in a place; without a new token, removes them. */
export function changePlace(
  facts: Pick<Facts, "repo" | "machine" | "doctl">,
  { place, olds }: Held,
  tokenFor: TokenFor | undefined,
  why = tokenFor === undefined ? "remove the token" : "the new token",
): PlanPart {
  if (place.kind === "doctl") {
    const { path, context } = place;
    const taken = tokenFor === undefined ? [] : judgePlace(facts);
    if (taken.length > 0) return { findings: taken };
    const login = { path, context, why };
    // A context contains only one.
    const [old] = olds;
    if (old === undefined) return NOTHING;
    const change =
      tokenFor === undefined
        ? new RemoveContext(login, old)
        : new StoreContext(login, { token: tokenFor(old), replaces: old });
    return { changes: [change] };
  }
  const { snapshot } = place;
  const blocked = obstacles(facts.repo, snapshot);
  const current = textAt(snapshot);
  if (blocked.length > 0 || snapshot.kind !== "file" || current === undefined) {
    return { findings: blocked };
  }
  const { path } = snapshot;
  const { encoding } = current;
  const edited = (text: string) => editValuesOf(place, text, { path, olds, tokenFor });
  const parts = edited(current.text);
  if (parts === undefined) return { findings: [notEditable(path, why)] };
  // Also in comments and longer values.
  const everywhere = (now: Content) => withOthers(now, olds, (old) => tokenFor?.(old));
  // Removing a link would leave the file behind it.
  const isLink = !snapshot.target.endsWith(snapshot.path);
  const after = everywhere({ parts, encoding }).parts.map(String).join("");
  if (place.kind === "tfvars" && !isLink && /^(\{\s*\})?$/.test(after.trim())) {
    return { changes: [new RemoveFile(snapshot, "contained only the token")] };
  }
  const shownBefore = withOthers(
    { encoding, parts: shownOf(place, current.text, olds) },
    olds,
    (old) => old,
  );
  const mode = ownersBits(snapshot);
  const change = new WriteFile({
    ...{ before: snapshot, shownBefore, mode, why, takesAway: tokenFor === undefined },
    edit: (now) => everywhere(editedText(now, (text) => edited(text) ?? text)),
  });
  return { changes: [change] };
}

/** The text with every value that is a token edited; undefined if that would change anything else. */
function editValuesOf(
  place: FilePlace,
  text: string,
  { path, olds, tokenFor }: Edit,
): Parts | undefined {
  // In a shell script, the line may be the only one in an `if`, so it must not be removed.
  if (place.kind === "shell" || holding([place], olds).length === 0) {
    return shownOf(place, text, olds);
  }
  if (place.kind === "tfvars") return editValues(text, { path, olds, tokenFor });
  return tokenFor === undefined
    ? withoutToken(text, path, olds)
    : withReplaced(text, path, { olds, tokenFor });
}

function shownOf(
  { kind, snapshot: { path } }: FilePlace,
  text: string,
  olds: readonly Secret[],
): Parts {
  return kind === "tfvars"
    ? hidden(text, path, (value) => olds.find((old) => old.equals(value)))
    : redacted(text, path);
}

function notEditable(path: string, why: string): Finding {
  return finding("file.unusable", `Can't change only the token in ${path}.`, {
    where: path,
    fix: hint`Edit it by hand (${why}), then run the same command again.`,
  });
}
