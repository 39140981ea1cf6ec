import * as v from "valibot";
import { AppError } from "../../errors/app-error.ts";
import { type Hint, hint } from "../../errors/hint.ts";
import { nearest } from "../../lib/nearest.ts";
import { looksLikeToken } from "../../secret/token-form.ts";
import { type WrittenConfig, writtenConfig } from "./schema.ts";

/** Far more than a config needs. Limits what a few YAML aliases can expand to. */
const MAX_NODES = 10_000;
const MAX_DEPTH = 64;
/** Far longer than any key or name. Each key is compared with all known ones. */
const MAX_KEY = 1000;

/**
 * Checks a loaded config.
 *
 * @param file the config's path, for the message.
 * @throws AppError CONFIG_INVALID with file, key path and a suggestion; CONFIG_HOLDS_TOKEN.
 */
export function validateConfig(loaded: unknown, file: string): WrittenConfig {
  refuseBeforehand(loaded, file);
  const result = v.safeParse(writtenConfig, loaded ?? {});
  if (result.success) return result.output;
  const problems = result.issues.flatMap(deepest).map(describe);
  throw new AppError("CONFIG_INVALID", `${file} is not a valid config:`, {
    list: problems.map(({ text }) => text),
    hint: problems.find((each) => each.hint)?.hint ?? HELP,
  });
}

// valibot drops these keys silently.
const UNSAFE = ["__proto__", "constructor", "prototype"];

/** Where a list is allowed. valibot accepts an empty list as a section with keys. */
const LISTS = /^((environments\.[^.]+\.)?token\.command|terraform|(.+\.)?variables\..+)$/s;

/** Checks that the schema cannot express: no token anywhere, no list in place of a section, no huge config. */
function refuseBeforehand(loaded: unknown, file: string): void {
  let nodes = 0;
  visit(loaded, []);

  function visit(value: unknown, path: readonly string[]): void {
    if (++nodes > MAX_NODES || path.length > MAX_DEPTH) {
      throw new AppError("CONFIG_INVALID", `${file} expands to too many values.`, {
        hint: HELP,
      });
    }
    if (typeof value === "string" && looksLikeToken(value)) {
      throw new AppError(
        "CONFIG_HOLDS_TOKEN",
        `${file}: ${keyPath(path)} looks like a token, and a config is committed.`,
        {
          hint: hint`Remove the token from the file. If it was ever committed, delete it in DigitalOcean's control panel.`,
        },
      );
    }
    if (typeof value === "number" && !isExact(value)) {
      throw invalid(`${keyPath(path)}: a number that YAML may round; put it in quotes`);
    }
    if (typeof value !== "object" || value === null) return;
    const where = path.join(".");
    if (Array.isArray(value) && !LISTS.test(where)) {
      throw invalid(`${keyPath(path) || "the config"}: expected a section with keys, found a list`);
    }
    if (where === "terraform" && Array.isArray(value) && value.length === 0) {
      throw invalid("terraform: list a root, or set false");
    }
    for (const [key, child] of Object.entries(value)) {
      if (key.length > MAX_KEY) throw invalid(`a key of ${key.length} characters: unknown key`);
      if (UNSAFE.includes(key)) throw invalid(`${keyPath([...path, key])}: unknown key`);
      visit(child, [...path, key]);
    }
  }

  function invalid(problem: string): AppError {
    return new AppError("CONFIG_INVALID", `${file} is not a valid config:`, {
      list: [problem],
      hint: HELP,
    });
  }
}

/** False for a number that the reader rounded, and for numbers that JSON does not have. */
function isExact(value: number): boolean {
  return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
}

const HELP = hint`docs/reference.md and schema.json have all keys.`;

type Issue = v.GenericIssue;

/** In a union (`false` or an object), the deepest issue is the relevant one. */
function deepest(issue: Issue): Issue[] {
  if (issue.type !== "union" || issue.issues === undefined) return [issue];
  const prefix = issue.path ?? [];
  const nested = issue.issues.flatMap((each) => {
    const path = [...prefix, ...(each.path ?? [])] as unknown as Issue["path"];
    return deepest({ ...each, ...(path === undefined ? {} : { path }) } as Issue);
  });
  const depth = Math.max(...nested.map(({ path }) => path?.length ?? 0));
  return depth > prefix.length ? nested.filter(({ path }) => path?.length === depth) : [issue];
}

function describe(issue: Issue): { text: string; hint?: Hint } {
  const path = (issue.path ?? []).map(({ key }) => String(key));
  const where = keyPath(path) || "the config";
  const last = path.at(-1) ?? "";
  if (issue.type === "strict_object" && issue.expected === "never") {
    const similar = nearest(last, knownKeysAt(path.slice(0, -1)));
    return {
      text: `${where}: unknown key`,
      ...(similar === undefined
        ? {}
        : { hint: hint`Did you mean ${keyPath([...path.slice(0, -1), similar])}?` }),
    };
  }
  if (issue.type === "strict_object" && issue.expected?.startsWith('"')) {
    return { text: `${where}: missing` };
  }
  if (issue.kind === "validation" || issue.type === "picklist") {
    const given = typeof issue.input === "string" ? ` (it is ${JSON.stringify(issue.input)})` : "";
    const rule = issue.type === "picklist" ? `use ${issue.expected}` : issue.message;
    return { text: `${where}: ${rule}${given}` };
  }
  // If the whole config is a string, it may be any file that a link points to, so it is not quoted.
  const isWhole = path.length === 0 && typeof issue.input === "string";
  const found = isWhole ? "a text" : kindOf(issue.input);
  return { text: `${where}: expected ${expectation(issue)}, found ${found}` };
}

/** The keys that the schema allows at a path. */
function knownKeysAt(path: readonly string[]): string[] {
  let here: v.GenericSchema[] = [writtenConfig];
  for (const key of path) {
    here = here.flatMap((schema) => children(schema, key)).flatMap(alternatives);
  }
  return here.flatMap(alternatives).flatMap((schema) => Object.keys(entriesOf(schema)));
}

function alternatives(schema: v.GenericSchema): v.GenericSchema[] {
  const inner = schema as { wrapped?: v.GenericSchema; options?: v.GenericSchema[] };
  if (inner.wrapped !== undefined) return alternatives(inner.wrapped);
  if (schema.type === "union") return (inner.options ?? []).flatMap(alternatives);
  return [schema];
}

function children(schema: v.GenericSchema, key: string): v.GenericSchema[] {
  const inner = schema as { value?: v.GenericSchema; item?: v.GenericSchema };
  const entry = Object.hasOwn(entriesOf(schema), key) ? entriesOf(schema)[key] : undefined;
  const generic = schema.type === "record" ? inner.value : inner.item;
  return [entry ?? generic].filter((each) => each !== undefined);
}

function entriesOf(schema: v.GenericSchema): Record<string, v.GenericSchema> {
  return (schema as { entries?: Record<string, v.GenericSchema> }).entries ?? {};
}

function keyPath(path: readonly string[]): string {
  return path.join(".");
}

function expectation(issue: Issue): string {
  if (issue.type === "union") return "false or a section with keys";
  return (
    { strict_object: "a section with keys", array: "a list", record: "a section with keys" }[
      issue.type
    ] ?? `a ${issue.expected}`
  );
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a section with keys";
  return JSON.stringify(value);
}
