import { AppError } from "../../errors/app-error.ts";
import { type Hint, hint, own } from "../../errors/hint.ts";
import type { StateKey } from "../../host/host.ts";
import { listed } from "../../lib/few.ts";
import { onceEach } from "../../lib/grouped.ts";
import type { Secret } from "../../secret/secret.ts";
import type { RemoteSecret } from "../pipelines/remote-secrets.ts";

/** The data of one rotation, from its first look on. */
export interface Rotation {
  /** The environments with an old token; undefined: what a run without --env uses. */
  readonly environments: readonly (string | undefined)[];
  /** The new token. */
  readonly token: Secret;
  readonly olds: readonly Secret[];
  /** The secrets of pipelines that get the new token. */
  readonly receivers: readonly RemoteSecret[];
  /** The secrets of pipelines that may hold an old token. */
  readonly holders: readonly RemoteSecret[];
  /** An earlier run started it and was killed. */
  readonly isResumed: boolean;
}

/** What a run keeps before its first change; fingerprints. */
export interface RotationRecord {
  readonly old: readonly string[];
  readonly new: string;
  readonly revoke: boolean;
}

/** An environment, and what is known about its token before the rotation. */
export interface Member {
  /** undefined: what a run without --env uses. */
  readonly environment: string | undefined;
  /** Its current token. */
  readonly current: Secret | undefined;
  /** The record of an unfinished rotation. */
  readonly unfinished: RotationRecord | undefined;
}

export function rotationKey(folder: string, environment: string | undefined): StateKey {
  return { kind: "rotation", folder, name: environment ?? "" };
}

export function readRecord(text: string | undefined): RotationRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const { old, new: to, revoke } = JSON.parse(text) as Partial<RotationRecord>;
    const isRecord = Array.isArray(old) && typeof to === "string";
    return isRecord ? { old, new: to, revoke: revoke === true } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The environments that share a new token: those with the same token, and those that already got the new one from an
 * unfinished rotation. An environment without a token is in no group.
 */
export function groupsOf(members: readonly Member[]): readonly (readonly Member[])[] {
  const goals = new Map(
    members.flatMap(({ unfinished }) =>
      (unfinished?.old ?? []).map((old) => [old, unfinished?.new] as const),
    ),
  );
  const groups = new Map<string, Member[]>();
  for (const member of members) {
    const { current, unfinished } = member;
    const fingerprint = current?.fingerprint;
    const goal = unfinished?.new ?? (fingerprint && (goals.get(fingerprint) ?? fingerprint));
    if (goal !== undefined) groups.set(goal, [...(groups.get(goal) ?? []), member]);
  }
  return [...groups.values()];
}

/**
 * The tokens that a group's new one replaces: its current ones, and those of an unfinished rotation.
 *
 * @param held the tokens in all places.
 */
export function oldTokens(
  group: readonly Member[],
  held: readonly Secret[],
  token: Secret,
): readonly Secret[] {
  const known = group.flatMap(({ unfinished }) => [...(unfinished?.old ?? []), unfinished?.new]);
  const left = held.filter(({ fingerprint }) => known.includes(fingerprint));
  const all = [...group.flatMap(({ current }) => current ?? []), ...left].filter(
    (old) => !old.equals(token),
  );
  return onceEach(all, ({ digest }) => digest);
}

/** Refuses a new token that another rotation of this run would replace again. @throws AppError USAGE */
export function refuseChain(
  rotations: readonly Pick<Rotation, "environments" | "token" | "olds">[],
): void {
  for (const [at, { environments, token, olds }] of rotations.entries()) {
    const isIn = (tokens: readonly Secret[], each: Secret) =>
      tokens.some((old) => old.equals(each));
    const other = rotations.find(
      (each, there) =>
        there !== at && (isIn(each.olds, token) || olds.some((old) => isIn(each.olds, old))),
    );
    if (other === undefined) continue;
    const message = `The new token for ${namesIn(environments)} (${token.fingerprint}) is a token that this run would replace in ${namesIn(other.environments)}.`;
    throw new AppError("USAGE", message, {
      hint: hint`Nothing was changed. Rotate one environment at a time: ${rotateOne(environments)}`,
    });
  }
}

/** @param groups at least two. */
export function differentTokens(groups: readonly (readonly Member[])[]): AppError {
  const held = groups.map((group) => {
    const names = group.map(({ environment }) => environment);
    return `${namesIn(names)} ${names.length === 1 ? "holds" : "hold"} ${oldIn(group)}`;
  });
  const lines = groups.flatMap((group, at): Hint => {
    const line = rotateOne(
      group.map(({ environment }) => environment),
      "--token-stdin",
    );
    return [`${at === 0 ? "" : "; "}… | `, line];
  });
  return new AppError(
    "USAGE",
    `One new token can't replace several different tokens: ${held.join("; ")}.`,
    {
      hint: hint`Rotate them one by one: ${lines}. On a terminal, ${own("rotate", "--all")} asks for each token.`,
    },
  );
}

/** The command for one environment, which also changes the others with the same token. */
function rotateOne([first]: readonly (string | undefined)[], ...more: readonly string[]) {
  return own("rotate", ...(first === undefined ? [] : ["--env", first]), ...more);
}

/** Tells a person which new token is needed. */
export function purposeOf(group: readonly Member[], team: string | undefined): string {
  const names = namesIn(group.map(({ environment }) => environment));
  const whose = team === undefined ? "" : `, team ${team}`;
  return `For ${names}${whose}: it replaces ${oldIn(group)}.`;
}

function oldIn(group: readonly Member[]): string {
  const [first] = group.flatMap(
    ({ unfinished, current }) => unfinished?.old ?? current?.fingerprint ?? [],
  );
  return first ?? "";
}

/** How many are listed one by one. */
const MOST_NAMED = 4;

function namesIn(environments: readonly (string | undefined)[]): string {
  const all = environments.map((name) => name ?? "a run without --env");
  if (all.length > MOST_NAMED) {
    return `${all.slice(0, MOST_NAMED - 1).join(", ")} and ${all.length - MOST_NAMED + 1} more`;
  }
  return listed(all);
}
