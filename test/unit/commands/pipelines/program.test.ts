import { expect, it } from "vitest";
import { findProgram, readLock } from "../../../../src/commands/pipelines/program.ts";
import { generate } from "../../../../src/core/generated.ts";
import { memoryFiles } from "../../memory-files.ts";

const HASH = `sha512-${"A".repeat(86)}==`;
const FILE = "file:vendor/do-bootstrap-1.2.3.tgz";
const ADDRESS = "https://example.com/do-bootstrap-1.2.3.tgz";

interface Lock {
  /** What package.json asks for; undefined: nothing. */
  readonly asks?: unknown;
  /** The package's entry; undefined: none. */
  readonly entry?: Readonly<Record<string, unknown>>;
  readonly more?: Readonly<Record<string, unknown>>;
}

function lock({ asks, entry, more = {} }: Lock): string {
  const devDependencies = asks === undefined ? {} : { "do-bootstrap": asks };
  const packages = {
    "": { devDependencies },
    ...(entry === undefined ? {} : { "node_modules/do-bootstrap": entry }),
    ...more,
  };
  return JSON.stringify({ lockfileVersion: 3, packages });
}

it.each<[name: string, lock: Lock, file: string | undefined]>([
  [
    "a package in the repo",
    { asks: FILE, entry: { resolved: FILE, integrity: HASH } },
    "vendor/do-bootstrap-1.2.3.tgz",
  ],
  [
    "a package at a URL",
    { asks: ADDRESS, entry: { resolved: ADDRESS, integrity: HASH } },
    undefined,
  ],
  [
    "a package at a GitLab release URL",
    {
      asks: "https://gitlab.com/a/b/-/releases/v1/downloads/x.tgz",
      entry: {
        resolved: "https://gitlab.com/a/b/-/releases/v1/downloads/x.tgz",
        integrity: HASH,
      },
    },
    undefined,
  ],
  [
    "requested by a workspace",
    {
      entry: { resolved: FILE, integrity: HASH },
      more: { "apps/web": { dependencies: { "do-bootstrap": "file:../../vendor/x.tgz" } } },
    },
    "vendor/do-bootstrap-1.2.3.tgz",
  ],
])("accepts a lock file: %s", (_, given, file) => {
  expect(readLock(lock(given))).toEqual({ file });
});

const REGISTRY = "https://registry.example.com/do-bootstrap/-/do-bootstrap-1.2.3.tgz";
const PRIVATE = "https://npm.example.com/repository/all/do-bootstrap/-/do-bootstrap-1.2.3.tgz";
const GIT = `git+ssh://git@github.com/a/do-bootstrap.git#${"0".repeat(40)}`;

it.each<[name: string, lock: Lock, said: RegExp]>([
  ["a version", { asks: "^0.1.0", entry: { resolved: REGISTRY, integrity: HASH } }, /name/],
  ["a version without an address", { asks: "0.1.0", entry: { integrity: HASH } }, /name/],
  ["a tag", { asks: "latest", entry: { resolved: ADDRESS, integrity: HASH } }, /name/],
  ["another name", { asks: "npm:other@1", entry: { resolved: FILE, integrity: HASH } }, /name/],
  ["a registry's URL", { asks: REGISTRY, entry: { resolved: REGISTRY, integrity: HASH } }, /na/],
  [
    "a private registry's URL",
    { asks: PRIVATE, entry: { resolved: PRIVATE, integrity: HASH } },
    /name/,
  ],
  [
    "a file that resolves to a registry",
    { asks: FILE, entry: { resolved: REGISTRY, integrity: HASH } },
    /name/,
  ],
  ["git", { asks: GIT, entry: { resolved: GIT, integrity: HASH } }, /git/],
  ["a short form of git", { asks: "a/b", entry: { resolved: GIT } }, /git/],
  [
    "plain http",
    { asks: "http://example.com/x.tgz", entry: { resolved: ADDRESS, integrity: HASH } },
    /name/,
  ],
  ["a folder", { asks: "file:tools", entry: { resolved: "tools", link: true } }, /name/],
  ["not a dependency", { entry: { resolved: FILE, integrity: HASH } }, /name/],
  [
    "a workspace with a version",
    {
      asks: FILE,
      entry: { resolved: FILE, integrity: HASH },
      more: { "apps/web": { optionalDependencies: { "do-bootstrap": "*" } } },
    },
    /name/,
  ],
  ["no hash", { asks: FILE, entry: { resolved: FILE } }, /SHA-512/],
  [
    "a weak hash",
    { asks: FILE, entry: { resolved: FILE, integrity: "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" } },
    /SHA-512/,
  ],
  [
    "one hash of two",
    { asks: FILE, entry: { resolved: FILE, integrity: `${HASH} ${HASH}` } },
    /SHA-512/,
  ],
])("refuses a lock file: %s", (_, given, said) => {
  expect(readLock(lock(given))).toEqual({ refused: expect.stringMatching(said) });
});

it.each([
  ["the package is missing", lock({ asks: FILE })],
  [
    "the package is nested in another one",
    lock({ more: { "node_modules/a/node_modules/do-bootstrap": {} } }),
  ],
  ["npm 6 format", '{"dependencies":{"do-bootstrap":{"version":"1.2.3"}}}'],
  ["not JSON", "{"],
  ["a JSON list", "[]"],
])("finds nothing in a lock file: %s", (_, text) => {
  expect(readLock(text)).toBeUndefined();
});

it.each<[what: string, from: string, kind: string, says: string | undefined]>([
  ["a file of the repo", "vendor/x.tgz", "tarball", undefined],
  ["a URL, which is reported", ADDRESS, "tarball", `from ${ADDRESS} with SHA-512 `],
  [
    "a file with shell syntax in its name",
    "vendor/`id`.tgz",
    "none",
    "This repo does not say where",
  ],
  ["a missing file", "vendor/y.tgz", "none", "This repo does not say where"],
  ["plain http", "http://example.com/x.tgz", "none", "This repo does not say where"],
])("the source named in an existing pipeline: %s", async (_, from, kind, says) => {
  const text = `      package="${from}"\n      sha512="${"a".repeat(128)}"\n`;
  const files = memoryFiles("/repo", { "vendor/x.tgz": "a package", "vendor/`id`.tgz": "another" });
  const facts = { config: { base: "/repo" }, repo: { top: "/repo" } };
  const request = { provider: "gitlab", tarball: undefined, sha512: undefined } as const;
  const { source, findings } = await findProgram(
    { files, cwd: "/repo" } as never,
    facts as never,
    request,
    generate(text, {}),
  );
  expect(source.kind).toBe(kind);
  expect(findings.map(({ message }) => message)).toEqual(
    says === undefined ? [] : [expect.stringContaining(says)],
  );
});
