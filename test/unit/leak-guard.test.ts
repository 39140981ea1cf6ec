import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";
import { dir } from "tmp-promise";
import { expect, it, onTestFinished } from "vitest";
import { type LeakGuard, leakGuard } from "../fixtures/leak-guard.ts";
import { leaksOfRun } from "../fixtures/leaks-of-run.ts";
import { randomToken, unguardedToken } from "../fixtures/workbench.ts";

// What the leak search after a run reports. These tokens have the mark of another run, so that
// they do not fail this one.
const MARK = "feedc0ffee42";
const HALF = `0123456789${MARK}abcdef0123`;
const TOKEN = `dop_v1_${HALF}${HALF}`;

type Plant = (guard: LeakGuard, root: string) => unknown;
const file =
  (path: string, text: string | Buffer = TOKEN): Plant =>
  async (_, root) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
const said =
  (args: string[], stdout: string, stderr = ""): Plant =>
  (guard) =>
    guard.said(args, { stdout, stderr });
const both =
  (...plants: Plant[]): Plant =>
  async (guard, root) => {
    for (const plant of plants) await plant(guard, root);
  };
const object = (text: string): Plant =>
  file(`acme-web/.git/objects/ab/${"c".repeat(38)}`, deflateSync(`blob ${text.length}\0${text}`));
const may =
  (path: string): Plant =>
  (guard) =>
    guard.mayHold(path);
const LEFT = "acme-web/.env.do-bootstrap-01234567-1-abcdef.local/.env";
const base64 = Buffer.from(`user:${TOKEN}`).toString("base64");

it.each<[what: string, plant: Plant, leaks: string[]]>([
  ["nothing", () => {}, []],
  [
    "places that may hold a token",
    both(file("acme-web/.env"), file("home/.config/doctl/config.yaml")),
    [],
  ],
  ["a file", file("acme-web/notes.txt"), ["acme-web/notes.txt: a token"]],
  ["half a token", file("tmp/x", HALF), ["tmp/x: a token"]],
  [
    "base64",
    file("home/.netrc", base64),
    [0, 1].map((at) => `home/.netrc: a token, base64 at ${at}`),
  ],
  ["a file's name", file(`tmp/${TOKEN}`, ""), [`the name tmp/${TOKEN}: a token`]],
  ["a link", (_, root) => symlink(TOKEN, join(root, "link")), ["link: a token"]],
  ["a file that the test allows", both(file("acme-web/.env.prod"), may("acme-web/.env.prod")), []],
  ["a git object", object(TOKEN), [`acme-web/.git/objects/ab/${"c".repeat(38)}: a token`]],
  ["a git object of an allowed file", both(file("main.tf"), may("main.tf"), object(TOKEN)), []],
  ["standard output", said(["check"], TOKEN), ["stdout of check: a token"]],
  ["standard error", said(["env"], "", TOKEN), ["stderr of env: a token"]],
  ["the output of env", said(["env"], TOKEN), []],
  ["the output of exec's command", said(["exec", "--", "x"], TOKEN), []],
  [
    "the output of exec --mask",
    said(["exec", "--mask", "x"], TOKEN),
    ["stdout of exec --mask x: a token"],
  ],
  ["a temporary file", file(LEFT), [`${LEFT}: a token`]],
  ["a temporary file of a killed run", both(file(LEFT), (guard) => guard.killed()), []],
])("%s", async (_, plant, leaks) => {
  const root = await folder();
  const guard = leakGuard(root, { mark: MARK });
  await plant(guard, root);
  const here = "test/unit/leak-guard.test.ts: ";
  expect(guard.search().leaks).toEqual(leaks.map((leak) => here + leak));
});

it.each<[what: string, left: { tmp?: string; home?: string; argv?: string; found?: string }]>([
  ["TMPDIR of the suite: x: a token", { tmp: TOKEN }],
  ["HOME of the suite: x: a token", { home: TOKEN }],
  [`argv doctl auth init -t ${TOKEN}: a token`, { argv: `doctl\0auth\0init\0-t\0${TOKEN}\0` }],
  ["some.test.ts: notes.txt: a token", { found: "some.test.ts: notes.txt: a token" }],
  ["", { tmp: "A=1", home: "B=2", argv: "git\0status\0" }],
])("at the end of a run: %s", async (leak, { tmp = "", home = "", argv = "", found }) => {
  const suite = { tmp: await folder(), home: await folder(), mark: MARK };
  await writeFile(join(suite.tmp, "x"), tmp);
  await writeFile(join(suite.home, "x"), home);
  const searched = [{ files: 3, outputs: 2, leaks: found === undefined ? [] : [found] }];
  const { leaks, figures } = leaksOfRun({ suite, searched, argv: [argv] });
  expect(leaks).toEqual(leak === "" ? [] : [leak]);
  expect(figures).toBe(
    `searched for tokens: 5 files, 2 outputs and 1 command lines, ${leaks.length} leaks`,
  );
});

it("every token of this run has the mark in both halves; unguarded tokens don't", () => {
  const [one, other] = [randomToken(), randomToken()].map((token) => token.slice(-64));
  const mark = one?.slice(10, 22) ?? "";
  expect(one?.slice(42, 54)).toBe(mark);
  expect(other?.slice(10, 22)).toBe(mark);
  expect(unguardedToken()).not.toContain(mark);
  expect(one).not.toBe(other);
});

async function folder(): Promise<string> {
  const { path, cleanup } = await dir({ unsafeCleanup: true });
  onTestFinished(() => cleanup());
  return path;
}
