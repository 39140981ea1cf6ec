import { mkdir, readdir, rm, symlink } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it, type TestContext } from "vitest";
import { leaksIn } from "../fixtures/leak-search.ts";
import { BINARY, PROGRAM } from "../fixtures/program.ts";
import { expectRestored, needsScript, start } from "../fixtures/terminal.ts";
import { fakeDoctl, hookTools } from "../fixtures/tools.ts";
import { treeHash, type Workbench, workbench } from "../fixtures/workbench.ts";

const ROWS = 24;
const COLUMNS = 80;
const PACKAGE = fileURLToPath(new URL("../..", import.meta.url)).replace(/[\\/]$/, "");
// npm installs a package, not the binary.
const INSTALL = BINARY ? "" : `  npm install --global --install-links ${PACKAGE}\n`;
const ENDING = "  do-bootstrap\n  do-bootstrap hook install\n";
const CTRL_C = "\x03";
const CTRL_D = "\x04";
const TITLES = [
  "Scene 1 of 4: One command sets up a repo.",
  "Scene 2 of 4: A git hook blocks a commit with a token.",
  "Scene 3 of 4: do-bootstrap names the code that needs a missing scope.",
  "Scene 4 of 4: One command replaces the token everywhere.",
];

/** The scenes, and the text after them. */
function partsOf(text: string): { scenes: string[]; ending: string } {
  const [story = "", ending = ""] = text.split(/^Now in your repo:\n/m);
  return { scenes: story.split(/^(?=Scene )/m).filter(Boolean), ending };
}

/** The rows of the terminal for a scene, and one for the question. */
function rowsOf(scene: string): number {
  const lines = scene.trimEnd().split("\n");
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / COLUMNS)), 2);
}

async function machine(context: TestContext): Promise<Workbench> {
  const bench = await workbench(context);
  await hookTools(bench.bin);
  return bench;
}

const leftIn = ({ tmp }: Workbench) => readdir(tmp);

describe.concurrent("the demo in a pipe", () => {
  const machines: readonly (readonly [name: string, doctl: boolean])[] = [
    ["without doctl and terraform", false],
    ["with doctl", true],
  ];
  it.for(machines)("%s: four scenes, each on one screen", async ([, hasDoctl], context) => {
    const { expect } = context;
    const bench = await machine(context);
    if (hasDoctl) await fakeDoctl(bench.bin);
    const before = await Promise.all([bench.home, bench.repo].map(treeHash));
    const { status, stdout, stderr } = await bench.run(["demo"]);

    expect(status, stderr).toBe(0);
    expect(stdout).toBe("");
    const { scenes, ending } = partsOf(stderr);
    expect(scenes.map((scene) => scene.split("\n")[0])).toEqual(TITLES);
    for (const scene of scenes) expect(rowsOf(scene), scene).toBeLessThanOrEqual(ROWS);
    const [setUp = "", blocked = "", missing = "", rotated = ""] = scenes;

    expect(setUp).toMatch(/^\+ \.env +the token; git ignores it$/m);
    expect(setUp).toMatch(
      /status --short\n\?\? \.env\.example\n\?\? \.gitignore\n\?\? do-bo\S+\n$/m,
    );
    expect(blocked).toContain("contains a DigitalOcean token:\n  deploy.sh:1\n");
    expect(blocked).toMatch(/\(exit status 1\)\n\n\$ git log --format=%s\nPrepare\nStart\n/);
    expect(missing).toMatch(
      /^✗ domain:create +first apply +digitalocean_domain\.shop, dns\.tf:1$/m,
    );
    expect(missing).toContain("(exit status 5)");
    const [, first] = /^Token +(\w{8}),/m.exec(setUp) ?? [];
    expect(rotated).toContain(`Old token: ${first}, now in no file in the repo or HOME.\n`);
    expect(rotated).toMatch(
      /^Token stored in:\n {2}\.env +0600 .*\n {2}do-bootstrap\.secret\S+ +0600 /m,
    );
    for (const each of [setUp, rotated]) {
      expect(each.includes("doctl context")).toBe(hasDoctl);
    }
    expect(/^ {2}\S+config\.yaml \(default\) +0600 /m.test(rotated)).toBe(hasDoctl);
    expect(ending).toBe(`${INSTALL}${ENDING}`);

    expect(stderr).not.toMatch(/Press Enter|\x1b/);
    expect(stderr).not.toMatch(/d[o]p_v1_/);
    expect(leaksIn(stderr, bench.token)).toEqual([]);
    expect(await Promise.all([bench.home, bench.repo].map(treeHash))).toEqual(before);
    expect(bench.sandbox.requests).toEqual([]);
    expect(await leftIn(bench)).toEqual([]);
  });

  it("without git: says what it skips", async (context) => {
    const { expect } = context;
    const bench = await machine(context);
    await rm(join(bench.bin, "git"));
    const { status, stderr } = await bench.run(["demo"]);
    expect(status, stderr).toBe(0);
    const { scenes, ending } = partsOf(stderr);
    expect(scenes).toHaveLength(TITLES.length);
    expect(scenes[0]).toContain("Skipped: git is not on PATH");
    expect(scenes[1]).toContain("Skipped: git is not on PATH");
    expect(ending).toContain(ENDING);
  });

  it("with --color, its commands use colours too", async (context) => {
    const bench = await machine(context);
    const { stderr } = await bench.run(["demo", "--color"]);
    context.expect(stderr).toMatch(/^\x1b\[1mScene 1 of 4/m);
    context.expect(stderr).toMatch(/^\x1b\[32m✓\x1b\[39m 5 changes made/m);
    context.expect(stderr).toMatch(/^\x1b\[31m✗\x1b\[39m \x1b\[31mdomain:create/m);
  });

  const installed: readonly (readonly [where: string, path: string, ending: string])[] = [
    ["on PATH", "do-bootstrap", ENDING],
    ["on PATH by npx", "node_modules/.bin/do-bootstrap", `${INSTALL}${ENDING}`],
  ];
  it.for(installed)("%s: the ending lists the commands that remain", async (row, context) => {
    const [, path, ending] = row;
    const bench = await machine(context);
    const link = join(bench.bin, path);
    await mkdir(dirname(link), { recursive: true });
    await symlink(PROGRAM, link);
    const env = { PATH: `${dirname(link)}${delimiter}${bench.bin}` };
    const { stderr } = await bench.run(["demo"], { env });
    context.expect(partsOf(stderr).ending).toBe(ending);
  });
});

describe.skipIf(needsScript !== "").concurrent(`the demo on a terminal${needsScript}`, () => {
  it("waits for Enter after each scene", async (context) => {
    const { expect } = context;
    const bench = await machine(context);
    const terminal = start(context, bench, ["demo"]);
    for (const [at, title] of TITLES.entries()) {
      const isLast = at + 1 === TITLES.length;
      const question = isLast ? "to end the demo" : `for the next scene \\(${at + 2} of 4\\)`;
      const scene = await terminal.until(new RegExp(`Press Enter ${question}…`));
      expect(scene.trim().split("\r\n")[0]).toBe(title);
      expect(scene.trim().split("\r\n").length).toBeLessThanOrEqual(ROWS);
      terminal.type("\r");
    }
    await terminal.waitFor(/Now in your repo:/);
    expect(await terminal.exit).toBe(0);
    await expectRestored(context, terminal);
    expect(await leftIn(bench)).toEqual([]);
  });

  const moments: readonly (readonly [when: string, screen: RegExp, key: string])[] = [
    ["Ctrl-C while a command runs", /Scene 1 of 4/, CTRL_C],
    ["Ctrl-C after a scene", /Press Enter for the next scene \(2 of 4\)…/, CTRL_C],
    ["Ctrl-D after a scene", /Press Enter for the next scene \(2 of 4\)…/, CTRL_D],
  ];
  it.for(moments)("%s ends it and leaves no files", async ([, screen, key], context) => {
    const { expect } = context;
    const bench = await machine(context);
    const terminal = start(context, bench, ["demo"]);
    await terminal.waitFor(screen);
    terminal.type(key);
    expect(await terminal.exit, terminal.screen()).toBe(130);
    expect(terminal.screen()).not.toContain("Scene 2");
    await expectRestored(context, terminal);
    expect(await leftIn(bench)).toEqual([]);
  });

  it("leaves no files when its window is closed", async (context) => {
    const bench = await machine(context);
    const terminal = start(context, bench, ["demo"]);
    await terminal.waitFor(/Press Enter/);
    context.expect(await leftIn(bench)).toHaveLength(1);
    terminal.hangUp();
    await context.expect.poll(() => leftIn(bench)).toEqual([]);
  });

  it("in CI, does not wait", async (context) => {
    const bench = await machine(context);
    const terminal = start(context, bench, ["demo"], { env: { CI: "true" } });
    context.expect(await terminal.exit, terminal.screen()).toBe(0);
    context.expect(terminal.screen()).not.toContain("Press Enter");
  });
});
