import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { dirSync } from "tmp-promise";
import { afterAll, describe, expect, it } from "vitest";
import { readOperations } from "../../../scripts/operations/openapi.mjs";
import { refresh } from "../../../scripts/operations/refresh.mjs";

const TOP = join(import.meta.dirname, "..", "..", "..");
const SPECIFICATION = "specification/DigitalOcean-public.v2.yaml";
const ONE_PATH = 'paths:\n  /v2/things:\n    get:\n      $ref: "resources/get.yml"\n';
const COMMIT_DATE = "2026-02-03";

const folders = dirSync({ prefix: "do-bootstrap-test-", unsafeCleanup: true });
afterAll(() => folders.removeCallback());
let count = 0;

function folderOf(files: Record<string, string>): string {
  const folder = join(folders.name, `${count++}`);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

function commitIn(folder: string): string {
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@t.test", ...args], {
      encoding: "utf8",
      env: { ...process.env, GIT_COMMITTER_DATE: `${COMMIT_DATE}T12:00:00Z` },
    }).trim();
  git("init", "--quiet");
  git("add", ".");
  git("commit", "--quiet", "--no-gpg-sign", "--message", "specification");
  return git("rev-parse", "HEAD");
}

const textOf = (data: unknown) => `${JSON.stringify(data, null, 2)}\n`;

describe("the scopes of an operation", () => {
  it.each<[security: string, scopes: unknown]>([
    ["security: [{bearer_auth: [thing:read]}]", "thing:read"],
    ["security:\n  - bearer_auth:\n    - b:read\n    - a:read\n", ["a:read", "b:read"]],
    ["security: [{bearer_auth: [a:read, a:read]}]", "a:read"],
    [
      "security: [{bearer_auth: [b:read]}, {bearer_auth: [a:read]}]",
      { any_of: ["a:read", "b:read"] },
    ],
    [
      "security: [{bearer_auth: [c:read]}, {bearer_auth: [b:read, a:read]}]",
      { any_of: [["a:read", "b:read"], "c:read"] },
    ],
    ["security: [{bearer_auth: [a:read]}, {bearer_auth: []}]", null],
    ["security: [{bearer_auth: [a:read]}, {inference_bearer_auth: []}]", "a:read"],
    ["security: [{bearer_auth: []}]", null],
    ["security: [{inference_bearer_auth: []}]", null],
    ["security: []", null],
    ["summary: the security of the whole specification", "all:read"],
  ])("%j: %j", (operation, scopes) => {
    const checkout = folderOf({
      [SPECIFICATION]: `${ONE_PATH}security: [{bearer_auth: [all:read]}]\n`,
      "specification/resources/get.yml": operation,
    });
    expect(readOperations(checkout)).toEqual({ "GET /v2/things": scopes });
  });
});

describe("the place of an operation", () => {
  const OPERATION = "security: [{bearer_auth: [thing:read]}]";
  it.each<[where: string, paths: string, more: Record<string, string>]>([
    ["in place", `{/a: {get: {${OPERATION}}}}`, {}],
    ["beside keys that are not methods", `{/a: {parameters: [], get: {${OPERATION}}}}`, {}],
    ["in a file", "{/a: {get: {$ref: x/y.yml}}}", { "x/y.yml": OPERATION }],
    [
      "in a second file, relative to the first",
      "{/a: {get: {$ref: x/y.yml}}}",
      { "x/y.yml": "$ref: z.yml", "x/z.yml": OPERATION },
    ],
    [
      "below a pointer",
      "{/a: {get: {$ref: 'y.yml#/~1a/b%20c'}}}",
      { "y.yml": `/a: {b c: {${OPERATION}}}` },
    ],
    ["in the same file", `{/a: {get: {$ref: '#/x-get'}}}\nx-get: {${OPERATION}}`, {}],
    [
      "with its path in a file",
      "{/a: {$ref: p/a.yml}}",
      { "p/a.yml": "get: {$ref: g.yml}", "p/g.yml": OPERATION },
    ],
  ])("%s", (_, paths, more) => {
    const resources = Object.entries(more).map(([name, text]) => [`specification/${name}`, text]);
    const checkout = folderOf({
      [SPECIFICATION]: `paths: ${paths}\n`,
      ...Object.fromEntries(resources),
    });
    expect(readOperations(checkout)).toEqual({ "GET /a": "thing:read" });
  });

  it("does not affect the order, which is by method and path", () => {
    const get = `{${OPERATION}}`;
    const checkout = folderOf({
      [SPECIFICATION]: `paths: {/b: {put: ${get}, get: ${get}}, /a: {put: ${get}, delete: ${get}}}`,
    });
    expect(Object.keys(readOperations(checkout))).toEqual([
      "DELETE /a",
      "GET /b",
      "PUT /a",
      "PUT /b",
    ]);
  });
});

describe("an error in the specification", () => {
  const GET = "specification/resources/get.yml";
  it.each<[files: Record<string, string>, message: RegExp]>([
    [
      { "README.md": "" },
      /\d is not a checkout of digitalocean\/openapi: no paths in specification/,
    ],
    [{ [SPECIFICATION]: "openapi: 3.0.0" }, /is not a checkout of digitalocean\/openapi/],
    [{ [SPECIFICATION]: "paths: {}" }, /is not a checkout of digitalocean\/openapi/],
    [
      { [SPECIFICATION]: "paths: [" },
      /^specification\/Digital.*\.yaml is not YAML: .* at line 1, column \d+$/,
    ],
    [
      { [SPECIFICATION]: ONE_PATH },
      /^specification\/Digital.*: the \$ref "resources\/get.yml" leads nowhere\.$/,
    ],
    [
      { [SPECIFICATION]: "paths: {/a: {get: {$ref: '#/x/y'}}}" },
      /the \$ref "#\/x\/y" leads nowhere/,
    ],
    [
      { [SPECIFICATION]: ONE_PATH, [GET]: "$ref: get.yml" },
      /get\.yml: the \$ref "get.yml" leads nowhere/,
    ],
    [
      { [SPECIFICATION]: ONE_PATH, [GET]: "a: b: c" },
      /^specification\/resources\/get\.yml is not YAML: /,
    ],
    [
      { [SPECIFICATION]: ONE_PATH, [GET]: "- a" },
      /^specification\/resources\/get\.yml: an operation is expected here\.$/,
    ],
    [
      { [SPECIFICATION]: ONE_PATH, [GET]: "security: {bearer_auth: [a:read]}" },
      /get\.yml: security is not/,
    ],
    [
      { [SPECIFICATION]: ONE_PATH, [GET]: "security: [{bearer_auth: a:read}]" },
      /get\.yml: security is not/,
    ],
    [
      { [SPECIFICATION]: ONE_PATH, [GET]: "security: [{bearer_auth: [a: read]}]" },
      /get\.yml: security is not/,
    ],
  ])("%j: %s", (files, message) => {
    const checkout = folderOf(files);
    expect(() => readOperations(checkout)).toThrow(message);
  });
});

const CHECKOUT = folderOf({
  [SPECIFICATION]: `paths:
  /v2/things:
    get: {security: [{bearer_auth: [thing:read]}]}
    put: {security: [{bearer_auth: [thing:update]}]}
`,
});
const COMMIT = commitIn(CHECKOUT);
const REPO = "digitalocean/openapi";
const LISTED = { "GET /v2/things": "thing:read", "PUT /v2/things": "thing:update" };
const SOURCE = { commit: COMMIT, date: COMMIT_DATE, repo: REPO };

interface Data {
  readonly operations: Record<string, unknown>;
  readonly scopes: readonly string[];
  /** Old and new value, by operation. */
  readonly corrections: Record<string, readonly [unknown, unknown]>;
  readonly source: typeof SOURCE;
}

const UP_TO_DATE: Data = {
  operations: LISTED,
  scopes: ["thing:read", "thing:update"],
  corrections: {},
  source: SOURCE,
};

function filesOf(changes: Partial<Data>): Record<string, string> {
  const { operations, scopes, corrections, source } = { ...UP_TO_DATE, ...changes };
  const corrected = Object.entries(corrections).map(([name, [was, now]]) => [name, { was, now }]);
  return {
    "operations.json": textOf(operations),
    "scopes.json": textOf({ scopes: Object.fromEntries(scopes.map((scope) => [scope, {}])) }),
    "corrections.json": textOf([
      { source: "s", date: "d", reason: "r", operations: Object.fromEntries(corrected) },
    ]),
    "sources.json": textOf({ "operations.json": { openapi: source }, other: 1 }),
  };
}

const written = (folder: string) =>
  JSON.parse(readFileSync(join(folder, "operations.json"), "utf8"));

describe("a refresh", () => {
  const [GET, PUT] = ["GET /v2/things", "PUT /v2/things"];
  it.each<[change: string, Partial<Data>, lines: string[], operations?: Record<string, unknown>]>([
    ["no change", {}, []],
    ["added", { operations: { [GET]: "thing:read" } }, ["added: 1", `  ${PUT}: thing:update`]],
    [
      "removed",
      { operations: { ...LISTED, "GET /v2/x": ["a", "b"] } },
      ["removed: 1", "  GET /v2/x: a + b"],
    ],
    [
      "changed",
      { operations: { ...LISTED, [GET]: { any_of: ["a", "b"] }, [PUT]: null } },
      ["changed: 2", `  ${GET}: a or b -> thing:read`, `  ${PUT}: none -> thing:update`],
    ],
    [
      "an unknown scope",
      { scopes: ["thing:read"] },
      ["with a scope that scopes.json does not know: 1", `  ${PUT}: thing:update`],
    ],
    [
      "known scopes that are no longer used",
      {
        scopes: [...UP_TO_DATE.scopes, "a:read", "b:read", "never:read"],
        operations: { ...LISTED, [GET]: ["b:read", "a:read", "unknown:read"] },
      },
      [
        "changed: 1",
        `  ${GET}: b:read + a:read + unknown:read -> thing:read`,
        "scopes that no operation uses any more: 2",
        "  a:read",
        "  b:read",
      ],
    ],
    [
      "a correction that applies",
      {
        operations: { ...LISTED, [PUT]: { any_of: ["thing:read", "thing:update"] } },
        corrections: { [PUT]: ["thing:update", { any_of: ["thing:read", "thing:update"] }] },
      },
      [],
      { ...LISTED, [PUT]: { any_of: ["thing:read", "thing:update"] } },
    ],
    [
      "a correction that the source agrees with",
      { corrections: { [PUT]: ["thing:write", "thing:update"] } },
      ["corrections no longer needed: 1", `  ${PUT}: thing:update`],
    ],
    [
      "a correction of an outdated source value",
      { corrections: { [PUT]: ["thing:write", "thing:change"] } },
      ["corrections not applied, as the source says something new: 1", `  ${PUT}: thing:update`],
    ],
    [
      "a correction of a removed operation",
      { corrections: { "GET /v2/x": ["a", "b"] } },
      ["corrections of operations that are gone: 1", "  GET /v2/x"],
    ],
  ])("%s", (_, changes, lines, operations = LISTED) => {
    const folder = folderOf(filesOf(changes));
    const { report, isChanged } = refresh({ checkout: CHECKOUT, folder, isCheck: false });
    const isSame = textOf(operations) === filesOf(changes)["operations.json"];
    expect(report.split("\n")).toEqual([
      `2 operations; ${REPO} ${COMMIT.slice(0, 7)} (${COMMIT_DATE})`,
      ...lines,
      `operations.json: ${isSame ? "unchanged" : "written"}`,
      "",
    ]);
    expect(isChanged).toBe(!isSame);
    expect(readFileSync(join(folder, "operations.json"), "utf8")).toBe(textOf(operations));
  });

  it.each<[isCheck: boolean, operations: Record<string, unknown>, outcome: string]>([
    [false, LISTED, "unchanged"],
    [false, {}, "written"],
    [true, LISTED, "unchanged"],
    [true, {}, "would change"],
  ])("check %s, with %j before: %s", (isCheck, operations, outcome) => {
    const before = { commit: "0123456789", date: "2026-01-01", repo: REPO };
    const files = filesOf({ operations, source: before });
    const folder = folderOf(files);
    const { report } = refresh({ checkout: CHECKOUT, folder, isCheck });
    expect(report).toContain(
      `; ${REPO} 0123456 (2026-01-01) -> ${REPO} ${COMMIT.slice(0, 7)} (${COMMIT_DATE})\n`,
    );
    expect(report).toContain(`operations.json: ${outcome}\n`);
    const after = isCheck ? files : filesOf({ operations: LISTED });
    for (const [name, text] of Object.entries(after))
      expect([name, readFileSync(join(folder, name), "utf8")]).toEqual([name, text]);
  });

  it("refuses a specification that is not committed", () => {
    const folder = folderOf(filesOf({ operations: {} }));
    const [bare, edited] = [folderOf({}), folderOf({})];
    cpSync(CHECKOUT, bare, { recursive: true });
    rmSync(join(bare, ".git"), { recursive: true });
    cpSync(CHECKOUT, edited, { recursive: true });
    writeFileSync(join(edited, "specification", "new.yml"), "");
    expect(() => refresh({ checkout: bare, folder, isCheck: false })).toThrow(/not a git checkout/);
    expect(() => refresh({ checkout: edited, folder, isCheck: false })).toThrow(/that no commit/);
    expect(written(folder)).toEqual({});
  });
});

describe("the script", () => {
  it("reports the result in its exit status", () => {
    const root = folderOf({});
    cpSync(join(TOP, "scripts"), join(root, "scripts"), { recursive: true });
    symlinkSync(join(TOP, "node_modules"), join(root, "node_modules"), "junction");
    const folder = join(root, "src/scopes/data");
    cpSync(folderOf(filesOf({ operations: {} })), folder, { recursive: true });
    const run = (...args: string[]) => {
      const script = join(root, "scripts/refresh-operations.mjs");
      const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
        encoding: "utf8",
      });
      return [status, stdout.trim().split("\n").at(-1), stderr];
    };
    expect(run(CHECKOUT, "--check")).toEqual([1, "operations.json: would change", ""]);
    expect(written(folder)).toEqual({});
    expect(run(CHECKOUT)).toEqual([0, "operations.json: written", ""]);
    expect(written(folder)).toEqual(LISTED);
    expect(run(CHECKOUT, "--check")).toEqual([0, "operations.json: unchanged", ""]);
    expect(run()).toEqual([2, "", "usage: npm run data -- PATH_TO_OPENAPI [--check]\n"]);
  });
});
