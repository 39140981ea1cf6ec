import { relative } from "node:path";
import { WriteFile } from "../../core/changes/write-file.ts";
import { ownersBits } from "../../core/file-mode.ts";
import { textAt, textIn } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import type { Machine } from "../../core/machine.ts";
import { obstacles } from "../../core/obstacles.ts";
import type { OutsideChange } from "../../core/outside-change.ts";
import { NOTHING, type PlanPart } from "../../core/plan.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint, own, run, unset } from "../../errors/hint.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import { KEY_NAMES, type SpacesKeys } from "../../exec/spaces-keys.ts";
import { listed } from "../../lib/few.ts";
import { type Content, editedText } from "../../secret/content.ts";
import type { Secret } from "../../secret/secret.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { redacted, withToken } from "../env-file/edit.ts";
import type { EnvFileFacts } from "../env-file/facts.ts";
import { pathInIndex, type RepoFacts } from "../git/facts.ts";
import type { TokenFacts } from "../token/facts.ts";
import { TOKEN_FORM } from "../token/hosts.ts";
import { KEY_SCOPES } from "../token/needed-scopes.ts";
import { usableToken } from "../token/storing.ts";
import type { SpacesFacts } from "./facts.ts";
import { finding } from "./findings.ts";
import { PAIRS } from "./in-files.ts";
import type { Bucket } from "./s3.ts";

/** The facts that the plan depends on. */
interface Known {
  readonly config: ResolvedConfig;
  readonly machine: Machine;
  readonly repo: RepoFacts;
  readonly token: TokenFacts;
  readonly envFile: EnvFileFacts;
  readonly spaces: SpacesFacts;
}

/** Plans a new key pair and, if they are to be created, its buckets. */
export function planSpaces(known: Known): PlanPart {
  const { config, spaces, machine, token } = known;
  const { wanted, made, keys, buckets } = spaces;
  if (made !== undefined) return planMade(known, made);
  if (wanted === undefined) return NOTHING;
  const unknown = wanted.create.filter((name) => !buckets.some(({ bucket }) => bucket === name));
  if (buckets.length === 0 || unknown.length > 0) {
    return { findings: [noBackend(buckets, unknown)] };
  }
  if (machine.isCi) return { findings: [inCi()] };
  if (keys.kind === "keys" && wanted.create.length > 0) return NOTHING;
  if (keys.kind === "keys") {
    const message = "This machine has a Spaces key already, so none is created.";
    const fix = hint`To replace it: ${own("rotate", "--spaces")}`;
    return { findings: [finding("spaces.has-keys", message, { fix })] };
  }
  const rivals = judgeRivals(known);
  if (rivals.length > 0) return { findings: rivals };
  // Other findings say what is wrong.
  if (usableToken(token) === undefined) return NOTHING;
  const findings = [...judgeKeyScopes(token), ...blockedBy(known)];
  if (findings.length > 0) return { findings };
  return {
    outside: [
      ...buckets
        .filter(({ bucket }) => wanted.create.includes(bucket))
        .map((place) => creation(place, TO_CREATE)),
      keyFor(buckets, relative(config.base, config.token.envFile)),
    ],
  };
}

export function inCi(): Finding {
  const message = "CI: no Spaces key is created. A pipeline gets its keys from its secrets.";
  return finding("spaces.in-ci", message, { fix: hint`Run this on your machine.` });
}

/** The beginning of a key's name, from which a person sees whose it is. */
export function keyPrefix(
  { project, environment }: Pick<ResolvedConfig, "project" | "environment">,
  email: string | undefined,
): string {
  const who = email?.replace(/@.*/s, "") ?? "";
  const parts = [project, environment ?? "", who].map((part) =>
    part
      .toLowerCase()
      .replace(/[^a-z\d]+/g, "-")
      .replace(/^-|-$/g, ""),
  );
  return ["do-bootstrap", ...parts.filter(Boolean)].join("-").slice(0, LONGEST_PREFIX);
}

const LONGEST_PREFIX = 50;
/** The name of a key that do-bootstrap made, for anybody. */
export const KEY_NAME = /^do-bootstrap-[a-z\d-]*[a-f\d]{8}$/;

/** Whether a key was made for this project, environment and account. */
export function isOwnKey(name: string, prefix: string): boolean {
  return name.startsWith(`${prefix}-`) && /^[a-f\d]{8}$/.test(name.slice(prefix.length + 1));
}

function noBackend(buckets: readonly Bucket[], unknown: readonly string[]): Finding {
  const [name = "acme-tfstate"] = unknown;
  if (buckets.length > 0) {
    const names = listed(buckets.map(({ bucket }) => bucket));
    const message = `--create-backend ${name}: the config's bucket is ${names}.`;
    const fix = hint`${own("--create-backend", buckets[0]?.bucket ?? "")}`;
    return finding("spaces.no-backend", message, { fix });
  }
  const message = "The config names no bucket for the state.";
  const fix = hint`Add it to the config: terraform: { backend: { bucket: ${name}, region: nyc3 } }`;
  return finding("spaces.no-backend", message, { fix });
}

/** What Terraform would use instead of the new pair, or together with a half of it. */
function judgeRivals({ machine: { env }, envFile: { file }, spaces: { keys } }: Known): Finding[] {
  const why = "so Terraform would not use a new Spaces key";
  if (keys.kind === "profile") {
    const message = `AWS_PROFILE is set, ${why}.`;
    return [finding("spaces.half-key", message, { fix: hint`${unset("AWS_PROFILE")}` })];
  }
  const inFile = readEnvFile(textIn(file));
  const all = [...PAIRS.flat(), "AWS_SESSION_TOKEN"];
  const inShell = all.filter((name) => env[name]);
  const written = all.filter((name) => inFile.get(name));
  if (inShell.length + written.length === 0) return [];
  const message = `${listed([...new Set([...inShell, ...written])])} without the other half of the pair, ${why}. Remove it first.`;
  const fix =
    inShell.length > 0
      ? hint`${unset(...inShell)}`
      : hint`Remove ${listed(written)} from ${file.path}`;
  return [finding("spaces.half-key", message, { fix })];
}

/** The API tells the scopes of most tokens. If it does not, the first request tells. */
export function judgeKeyScopes({ inspection }: Pick<TokenFacts, "inspection">): Finding[] {
  const granted = inspection?.scopes;
  if (granted === undefined || granted.includes("write")) return [];
  const lacking = KEY_SCOPES.filter((scope) => !granted.includes(scope));
  if (lacking.length === 0) return [];
  const message = `To create a Spaces key, the token needs ${lacking.length === 1 ? "one more scope" : `${lacking.length} more scopes`}: ${lacking.join(", ")}.`;
  const fix = hint`Create a token with these scopes at ${TOKEN_FORM} (the form adds those that they require), or create the key by hand and put it into the env file.`;
  return [finding("spaces.lacks-scopes", message, { fix })];
}

/** Why the pair cannot be stored. */
function blockedBy({ envFile: { file }, repo }: Known): Finding[] {
  if (repo.git?.tracked.has(file.path)) {
    const message = `git tracks ${file.path}, and the Spaces key would be written to it.`;
    const fix = hint`${run("git", "rm", "--cached", { path: pathInIndex(repo.git, file.path) })}, then commit`;
    return [finding("spaces.tracked", message, { where: file.path, fix })];
  }
  return obstacles(repo, file);
}

/** Made before the other changes, which need the pair (commands/init/bootstrap.ts). */
function madeFirst(
  change: Omit<OutsideChange, "sign" | "apply" | "json">,
  json: object,
): OutsideChange {
  return {
    ...change,
    sign: "+",
    json: () => ({ ...json, why: change.why }),
    apply: async () => [],
  };
}

function creation({ bucket, region }: Bucket, why: string): OutsideChange {
  const change = {
    label: `bucket ${bucket}`,
    why: `in ${region}, ${why}`,
    asked: `create bucket ${bucket} in ${region}`,
  };
  return madeFirst(change, { kind: "bucket", bucket, region });
}

const TO_CREATE =
  "private and versioned, unless it exists; Spaces costs from $5 a month. A temporary key with full access creates it and is deleted at once";

function keyFor(buckets: readonly Bucket[], envFile: string, name?: string): OutsideChange {
  const names = buckets.map(({ bucket }) => bucket);
  const change = {
    label: `Spaces key${name === undefined ? "" : ` ${name}`}`,
    why: `reads and writes ${listed(names)} only; kept in ${envFile}`,
    asked: `create a Spaces key for ${listed(names)}`,
  };
  return madeFirst(change, { kind: "spaces-key", name: name ?? null, buckets: names });
}

/** Stores the pair. */
function planMade(known: Known, made: NonNullable<SpacesFacts["made"]>): PlanPart {
  const { config, envFile } = known;
  const { file } = envFile;
  const findings = made.unversioned.map((bucket) => {
    const message = `Spaces did not turn on versions for bucket ${bucket}, so an overwritten state cannot be restored.`;
    return finding("spaces.unversioned", message);
  });
  const { text, encoding } = textAt(file) ?? { text: "", encoding: "utf8" as const };
  if (made.keys.id.holds(readEnvFile(text).get(KEY_NAMES[0]) ?? "")) return { findings };
  const change = new WriteFile({
    before: file,
    edit: (now) => withKeys(now, file.path, made.keys),
    shownBefore: { parts: redacted(text, file.path), encoding },
    mode: ownersBits(file),
    why: "the Spaces key",
  });
  const { buckets } = known.spaces;
  const isNew = ({ bucket }: Bucket) => made.buckets.includes(bucket);
  const isVersioned = ({ bucket }: Bucket) => !made.unversioned.includes(bucket);
  return {
    findings,
    changes: [change],
    outside: [
      ...buckets
        .filter(isNew)
        .map((place) => creation(place, `private${isVersioned(place) ? " and versioned" : ""}`)),
      keyFor(buckets, relative(config.base, config.token.envFile), made.name),
    ],
  };
}

/** @throws AppError WRITE_FAILED where another variable would be read differently. */
function withKeys(now: Content, path: string, { id, secret }: SpacesKeys): Content {
  const [ofId, ofSecret] = KEY_NAMES;
  const set = (content: Content, name: string, value: Secret) =>
    editedText(content, (text) => {
      const edited = withToken(text, path, name, value);
      if (edited !== undefined) return edited;
      throw new AppError(
        "WRITE_FAILED",
        `Can't set ${name} in ${path} without changing other keys.`,
        {
          hint: hint`Correct the lines of ${path} that are not NAME=value, then run the same command again.`,
        },
      );
    });
  return set(set(now, ofId, id), ofSecret, secret);
}

/**
 * What runs that were stopped may have left. Only a run that may delete it asks DigitalOcean (commands/init/spaces.ts).
 */
export function judgeUnfinished({
  spaces: { unfinished, keys },
}: Pick<Known, "spaces">): Finding[] {
  if (unfinished.length === 0) return [];
  const names = unfinished.flatMap((each) => [...each.keys, ...each.replaces]);
  const buckets = [...new Set(unfinished.flatMap((each) => each.buckets))];
  const what = [
    ...names.map((name) => `Spaces key ${name}`),
    ...buckets.map((name) => `bucket ${name}`),
  ];
  const message = `A run was stopped while it created or replaced a Spaces key. At DigitalOcean there may be: ${listed(what)}.`;
  const [bucket] = buckets;
  const goOn = bucket === undefined ? own("backend", "key") : own("--create-backend", bucket);
  const fix =
    keys.kind === "keys"
      ? hint`${own()} deletes the keys that are not in use.`
      : hint`${goOn} finishes it, and deletes the keys that are not in use.`;
  return [finding("spaces.unfinished", message, { fix })];
}
