import { basename, join } from "node:path";
import { textIn } from "../../core/file-text.ts";
import { linkOut } from "../../core/obstacles.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import { tokenNames } from "../../exec/token-sources.ts";
import { readTfvars } from "../../hcl/read.ts";
import type { Expression } from "../../hcl/syntax.ts";
import type { Host, Snapshot } from "../../host/host.ts";
import { jsonIn, recordOf } from "../../lib/json.ts";
import { decode } from "../../secret/content.ts";
import { Secret } from "../../secret/secret.ts";
import { kindOf, NEEDLES, PATTERNS } from "../../secret/token-form.ts";
import { isOurTokenName } from "../../secret/token-name.ts";
import { tokensIn } from "../../secret/token-search.ts";
import { isName } from "../../secret/variable-names.ts";
import { isEnvFile, isTfvars } from "../config/protected-paths.ts";
import type { ResolvedConfig } from "../config/resolved.ts";

/** A token under any name, in a place where we don't look for ours. */
export interface Elsewhere {
  /** Its origin is "adopted", with the first of its places. */
  readonly token: Secret;
  readonly places: readonly Place[];
}

export interface Place {
  /** Such as "DO_TOKEN in /repo/.env:3". */
  readonly words: string;
  /** path:line; undefined: it is not in a file of the repo. */
  readonly where: string | undefined;
  readonly path: string | undefined;
  /** The doctl context with the token. */
  readonly context?: string;
}

export interface ElsewhereQuestion {
  readonly config: Pick<
    ResolvedConfig,
    "base" | "token" | "envFiles" | "roots" | "environment" | "environments" | "othersContexts"
  >;
  /** The git root; outside git, the config's folder. */
  readonly top: string;
  /** The env file, which may be a FIFO that can be read only once. */
  readonly envFile: Snapshot;
  /** The tokens of doctl's contexts by name. */
  readonly contexts: ReadonlyMap<string, Secret>;
}

export interface Search {
  readonly found: readonly Elsewhere[];
  /** What may hold more tokens: an unreadable file, or where the search stopped. */
  readonly unsearched: readonly string[];
}

/** A repo may have any number of files, and a file any number of tokens. The rest is not searched. */
const MOST = { files: 200, characters: 1024 * 1024, places: 100 };
const SIZE = { maxBytes: 1024 * 1024, maxLines: 20_000 };

/**
 * Searches for tokens under other names: in the environment; in env files, .envrc and Terraform value files of the
 * repo's known folders; and in doctl's contexts. Skips what another environment names, and what is named after one:
 * that token belongs to the other environment.
 */
export async function findElsewhere(
  { env, files }: Pick<Host, "env" | "files">,
  { config, top, envFile, contexts }: ElsewhereQuestion,
): Promise<Search> {
  const { base, token, envFiles, roots } = config;
  const own = tokenNames(token.name);
  const found: Elsewhere[] = [];
  const unsearched = new Set<string>();
  let [characters, count] = [0, 0];
  for (const [name, value] of Object.entries(env)) {
    if (own.includes(name) || value === undefined || endsWithAnother(name, config)) continue;
    add(name, value, { in: "the environment" });
    if (holdsOther(value)) unsearched.add(`${shownName(name)} in the environment`);
  }
  for (const [at, path] of (await paths()).entries()) {
    if (at === MOST.files) {
      unsearched.add(path);
      break;
    }
    const isOurs = path === token.envFile;
    const snapshot = isOurs ? envFile : await files.look(path, SIZE);
    const text = textIn(snapshot);
    if (isUnread(snapshot) || isOtherText(snapshot)) unsearched.add(path);
    if (!mayHold(text)) continue;
    characters += text.length;
    if (characters > MOST.characters) {
      unsearched.add(path);
      break;
    }
    const skipped: Named[1][] = [];
    for (const [name, value] of await valuesIn(path, text)) {
      const isSkipped = (isOurs && own.includes(name)) || endsWithAnother(name, config);
      if (isSkipped) skipped.push(value);
      else add(name, value, { in: path, text });
    }
    if (holdsOther(withoutComments(text), skipped)) unsearched.add(path);
  }
  for (const [context, value] of contexts) {
    if (config.othersContexts.includes(context) || isNamedAfterAnother(context, config)) continue;
    const words = `doctl context ${context}`;
    const secret = value.from({ kind: "adopted", place: words }).asToken();
    if (secret instanceof Secret)
      put(secret, { words, where: undefined, path: undefined, context });
  }
  return { found, unsearched: [...unsearched] };

  /** Whether a text holds a token that was not read: one of several in a value, or one without a name before it. */
  function holdsOther(text: string, skipped: readonly Named[1][] = []): boolean {
    return prefixedIn(text).some(
      (token) =>
        !found.some((each) => each.token.holds(token)) &&
        !skipped.some((value) =>
          value instanceof Secret ? value.holds(token) : value.includes(token),
        ),
    );
  }

  /** Files in the config's folder, at the top of the repo, and in the root modules. */
  async function paths(): Promise<readonly string[]> {
    const others = new Set(envFiles.filter((path) => path !== token.envFile));
    const folders = [...new Set([base, top, ...roots.map(({ dir }) => dir)])];
    const names = await Promise.all(
      folders.map(async (folder) =>
        (await files.list(folder))
          .filter((name) => holdsValues(name) && !isNamedAfterAnother(name, config))
          .map((name) => join(folder, name)),
      ),
    );
    const all = new Set([token.envFile, ...names.flat()]);
    return [...all].filter((path) => !others.has(path)).slice(0, MOST.files + 1);
  }

  async function valuesIn(path: string, text: string): Promise<readonly Named[]> {
    if (path.endsWith(".json")) {
      const value = jsonIn(text);
      if (value === undefined) unsearched.add(path);
      return inJson(value);
    }
    if (!isTfvars(path)) {
      const isShell = basename(path).startsWith(".envrc");
      return [...[...readEnvFile(text)].map(nearest), ...(isShell ? assignedIn(text) : [])];
    }
    const values = await readTfvars(text, path);
    if (values === undefined) unsearched.add(path);
    return [...(values ?? [])].flatMap(([name, value]) => inExpression(value, name));
  }

  function add(name: string, value: string | Secret, at: { in: string; text?: string }): void {
    if (count >= MOST.places) return void unsearched.add(at.in);
    // Old tokens look like the output of `openssl rand -hex 32`. Other secrets of that form are not sent to
    // DigitalOcean.
    const mayBeOld = own.includes(name) || isOurTokenName(name);
    if (typeof value === "string" && !(mayBeOld ? mayHold : mayHoldNew)(value)) return;
    const shown = shownName(name);
    const origin = { kind: "adopted", place: `${shown} in ${at.in}` } as const;
    const given = value instanceof Secret ? value.from(origin) : Secret.of(value, origin);
    const token = given.tokenInText();
    if (!(token instanceof Secret)) return;
    if (!token.hasPrefix && !mayBeOld) return;
    count++;
    const path = at.text === undefined ? undefined : at.in;
    const line = at.text === undefined ? undefined : lineOf(at.text, token, name);
    const where = path && (line === undefined ? path : `${path}:${line}`);
    put(token, { words: `${shown} in ${where ?? at.in}`, where, path });
  }

  function put(token: Secret, place: Place): void {
    const at = found.findIndex((each) => each.token.equals(token));
    const before = found[at];
    if (before?.places.some(({ words }) => words === place.words)) return;
    if (before !== undefined) found[at] = { ...before, places: [...before.places, place] };
    else
      found.push({ token: token.from({ kind: "adopted", place: place.words }), places: [place] });
  }
}

/** A link out of the repo is never followed (docs/design.md rule 4). */
function isUnread(snapshot: Snapshot): boolean {
  return snapshot.kind === "unusable" && snapshot.why !== "a directory" && !linkOut(snapshot);
}

/** True for a UTF-16 file, as PowerShell writes, or a binary, if it holds a token: no variables can be read from it. */
function isOtherText(snapshot: Snapshot): boolean {
  if (!("bytes" in snapshot) || decode(snapshot.bytes) !== undefined) return false;
  return !linkOut(snapshot) && tokensIn(snapshot.bytes, 1).length > 0;
}

/** Tokens that are recognizable by their prefix. */
function prefixedIn(text: string): readonly string[] {
  if (!mayHoldNew(text)) return [];
  const values = tokensIn(Buffer.from(text)).map(({ value }) => value);
  return values.filter((value) => ["personal", "oauth"].includes(kindOf(value) ?? ""));
}

function withoutComments(text: string): string {
  return text.replace(/(^|\s)(?:#|\/\/).*$/gm, "$1");
}

function shownName(name: string): string {
  return isName(name) ? name : "a variable";
}

type Named = readonly [name: string, value: string | Secret];

function holdsValues(name: string): boolean {
  return isEnvFile(name) || isTfvars(name) || /^\.envrc(\.|$)|.\.env$/.test(name);
}

/**
 * Such as `prod.tfvars`, `.env.prod.local` or a context `acme-prod`, unless prod is chosen. The longest match counts.
 */
function isNamedAfterAnother(name: string, config: OfEnvironments): boolean {
  const padded = `-${partsOf(name)}-`;
  return isAnothers(config, (each) => padded.includes(`-${partsOf(each)}-`));
}

/** Such as `DO_TOKEN_PROD`. At the start, the word may be the token's purpose instead: `API_TOKEN`. */
function endsWithAnother(name: string, config: OfEnvironments): boolean {
  const parts = partsOf(name);
  return isAnothers(config, (each) => parts.endsWith(`-${partsOf(each)}`));
}

type OfEnvironments = Pick<ResolvedConfig, "environment" | "environments">;

function isAnothers(
  { environment, environments }: OfEnvironments,
  isIn: (environment: string) => boolean,
): boolean {
  const [whose] = environments.filter(isIn).sort((a, b) => b.length - a.length);
  return whose !== undefined && whose !== environment;
}

function partsOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z\d]/g, "-");
}

/** A quick check: most values and files contain no token. */
function mayHold(text: string): boolean {
  return mayHoldNew(text) || OLD.test(text);
}

function mayHoldNew(text: string): boolean {
  return text.includes(NEEDLES.plain);
}

const OLD = new RegExp(PATTERNS.digits);

/** In the shell's `export A=1 B=…`, the name is B. */
function nearest([name, value]: readonly [string, string]): Named {
  const [, near] = /(?:^|[\s;&])([A-Za-z_]\w{0,99})=["']?do[op]_v1_/.exec(value) ?? [];
  return [near ?? name, value];
}

/** A shell may assign after other words: `if …; then export A=…; fi`. */
function assignedIn(text: string): readonly Named[] {
  const all = withoutComments(text).matchAll(ASSIGNED);
  return Array.from(all, ([, name = "", token = ""]) => [name, token] as const);
}

const ASSIGNED = new RegExp(
  `(?:^|[\\s;&|({])([A-Za-z_]\\w{0,99})=["']?(${PATTERNS.token})(?![0-9A-Za-z_])`,
  "gm",
);

/** Deeper than any real values. */
const MAX_DEPTH = 64;

function inJson(value: unknown, name = "", depth = 0): readonly Named[] {
  if (typeof value === "string") return [[name, value]];
  if (depth > MAX_DEPTH) return [];
  if (Array.isArray(value)) return value.flatMap((each) => inJson(each, name, depth + 1));
  return Object.entries(recordOf(value)).flatMap(([key, each]) =>
    inJson(each, below(name, key), depth + 1),
  );
}

function inExpression({ literal, fields, items }: Expression, name: string): readonly Named[] {
  if (typeof literal === "string" || literal instanceof Secret) return [[name, literal]];
  return [
    ...(items ?? []).flatMap((item) => inExpression(item, name)),
    ...[...(fields ?? [])].flatMap(([key, field]) => inExpression(field, below(name, key))),
  ];
}

function below(name: string, key: string): string {
  return name === "" ? key : `${name}.${key}`;
}

/** The line, from 1, where the token first follows its name, outside comments. */
function lineOf(text: string, token: Secret, name: string): number | undefined {
  const own = name.split(".").at(-1) ?? "";
  const places: { line: number; words: readonly string[] }[] = [];
  let line = 1;
  for (const piece of token.piecesOf(text).slice(0, -1)) {
    const lines = piece.split("\n");
    line += lines.length - 1;
    const before = lines.at(-1) ?? "";
    if (!/^\s*(?:#|\/\/)/.test(before)) places.push({ line, words: before.split(/[^\w-]+/) });
  }
  return (places.find(({ words }) => words.includes(own)) ?? places[0])?.line;
}
