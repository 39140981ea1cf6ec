import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { needsScript, start } from "../fixtures/terminal.ts";
import { fakeTerraform } from "../fixtures/tools.ts";
import { aged, fileTree } from "../fixtures/tree.ts";
import { type RunOptions, type Workbench, workbench } from "../fixtures/workbench.ts";

const CODE = 'resource "digitalocean_domain" "a" {\n  name = "example.com"\n}\n';
const HARD_CODED = `provider "digitalocean" {\n  token = "dop_v1_${"0123456789abcdef".repeat(4)}"\n}\n`;
const BROKEN = 'resource "digitalocean_domain" {{{\n';
const FAILS =
  '/bin/mkdir -p .terraform/modules; { echo "$root: one"; echo "$root: two"; } >&2; exit 1';

describe("many roots", () => {
  it("12 roots, 2 fail: prepares the others, and prints each failure in config order", async () => {
    const bench = await rootsBench(12);
    // The first to start is the last to fail.
    const script = `case $root in r02) ${until("end init r11")}; ${FAILS};; r09) ${FAILS};; esac`;
    const { calls } = await fakeTerraform(bench.bin, { script });
    const { status, stderr } = await init(bench);
    expect(status).toBe(0);
    expect(stderr).toContain(
      [
        "▸ terraform init in 10 roots  install the provider, at most S s each",
        "▸ terraform init in r02  install the provider, S s",
        "    r02: one",
        "    r02: two",
        "▸ terraform init in r09  install the provider, S s",
        "    r09: one",
        "    r09: two",
        "",
      ].join("\n"),
    );
    expect(stderr).toMatch(
      /! terraform init failed in r02: .*\[terraform.failed\]\n.*\n! .* in r09:/,
    );
    expect((await calls()).filter((call) => call.startsWith("end"))).toHaveLength(10);
    expect((await init(bench, ["--strict"])).status).toBe(3);
    // Only the failed roots run again.
    const again = (await calls()).slice(22).map((call) => call.replace(/^\w+ /, ""));
    expect(again.sort()).toEqual(["init r02", "init r09"]);
  });

  it("runs four roots at a time, and one command at a time in each root", async () => {
    const bench = await rootsBench(6, (dir) => ({ dir, workspace: "prod" }));
    // No call ends before four have started.
    const script = `if [ $1 = init ]; then ${until("start", 4)}; fi`;
    const { calls } = await fakeTerraform(bench.bin, { script });
    expect((await init(bench)).status).toBe(0);
    expect(mostAtOnce(await calls())).toBe(4);
    for (const root of rootNames(6)) {
      expect((await calls()).filter((call) => call.endsWith(root))).toEqual(
        ["start init", "end init", "start workspace", "end workspace"].map((of) => `${of} ${root}`),
      );
    }
  });

  it.each([
    ["TF_PLUGIN_CACHE_DIR", { TF_PLUGIN_CACHE_DIR: "/cache" }, "", {}, 1],
    ["plugin_cache_dir in ~/.terraformrc", {}, 'plugin_cache_dir = "/cache"\n', {}, 1],
    ["a comment in ~/.terraformrc", {}, '# plugin_cache_dir = "/cache"\n', {}, 3],
    ["a TF_DATA_DIR for all", { TF_DATA_DIR: "/nowhere" }, "", {}, 1],
    ["OpenTofu 1.10", { TF_PLUGIN_CACHE_DIR: "/cache" }, "", tofu("1.10.4"), 1],
    ["OpenTofu 1.11", { TF_PLUGIN_CACHE_DIR: "/cache" }, "", tofu("1.11.0"), 3],
  ])("how many run at once with a shared folder (%s)", async (_, env, rc, tool, atOnce) => {
    const bench = await rootsBench(3);
    await bench.write("../home/.terraformrc", rc);
    const script = atOnce > 1 ? until("start", atOnce) : "";
    const { calls } = await fakeTerraform(bench.bin, { ...tool, script });
    expect((await init(bench, [], { env })).status).toBe(0);
    expect(mostAtOnce(await calls())).toBe(atOnce);
  });

  it("SIGINT ends every child, keeps the files, and the next run continues", async () => {
    const bench = await rootsBench(6);
    const hangs = "echo $$ >> ../pids; exec /bin/sleep 600";
    const { calls } = await fakeTerraform(bench.bin, { script: hangs });
    const child = bench.start(["--token-stdin"]);
    const exit = new Promise((resolve) => child.on("close", resolve));
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.stdin?.end(bench.token);
    await untilTrue(async () => (await calls()).length === 4);
    child.kill("SIGINT");
    expect(await exit).toBe(130);
    expect(said).toContain("Interrupted. The files are written");
    const pids = (await bench.read("pids")).trim().split("\n").map(Number);
    expect(pids).toHaveLength(4);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await bench.read("r06/do-bootstrap.tf")).toContain("provider");

    await fakeTerraform(bench.bin);
    expect((await init(bench)).stderr).toContain("▸ terraform init in 6 roots");
  });

  it("100 roots: the report fits one screen, and check passes", async () => {
    const bench = await rootsBench(100);
    await fakeTerraform(bench.bin);
    const { status, stderr } = await init(bench);
    expect(status).toBe(0);
    expect(stderr).toContain(
      "Terraform   100 roots: r001, r002, r003 and 97 more, terraform 1.11.4",
    );
    expect(stderr).toMatch(/^\+ do-bootstrap\.tf in 100 roots {2,}blocks that were missing$/m);
    expect(stderr.replace(/\s+/g, " ")).toContain(
      "Commit: .gitignore, .env.example, do-bootstrap.tf in 100 roots, .terraform.lock.hcl in 100 roots, .do-bootstraprc.json",
    );
    // A terminal has 24 rows, and the last is for the prompt. Only tests print the API line.
    const lines = stderr.trimEnd().split("\n");
    expect(lines.filter((line) => !line.startsWith("API ")).length).toBeLessThan(24);
    const check = await bench.run(["check"]);
    expect(check.stdout).toMatch(/terraform: [0-9a-f]{8}, var\.do_token, in 100 roots$/m);
    expect(check.status).toBe(0);
  });

  it("a warning in many roots is printed once; an error once, with all its places", async () => {
    const bench = await rootsBench(6);
    for (const root of rootNames(5)) {
      await bench.write(`${root}/v.tf`, 'variable "do_token" {}\n');
      await bench.write(`${root}/p.tf`, HARD_CODED);
    }
    const { stdout } = await bench.run(["check"], { env: { DIGITALOCEAN_TOKEN: bench.token } });
    expect(stdout.match(/\[terraform\.hard-coded-token\]/g)).toHaveLength(1);
    const [first, ...others] = rootNames(5).map((root) => `${root}/p.tf:2`);
    expect(stdout).toMatch(
      new RegExp(`^✗ ${first}: provider "digitalocean" contains a token`, "m"),
    );
    expect(stdout).toContain(`  Same in 4 more places: ${others.join(", ")}\n`);
    for (const root of rootNames(5)) await rm(join(bench.repo, `${root}/p.tf`));
    const warned = await bench.run(["check"], { env: { DIGITALOCEAN_TOKEN: bench.token } });
    expect(warned.stdout.match(/\[terraform\.not-ephemeral\]/g)).toHaveLength(1);
    expect(warned.stdout).toContain("  4 more like this; --json lists all\n");
  });

  it("--dry-run shows the same change once, with the name of each root", async () => {
    const bench = await rootsBench(5);
    await bench.write("r03/b.tf", 'variable "do_token" {}\n');
    const { stdout } = await init(bench, ["--dry-run"]);
    expect(stdout).toContain(
      "+ do-bootstrap.tf in 4 roots  blocks that were missing\n  r01, r02, r04, r05\n",
    );
    expect(stdout.match(/^ {2}\+ provider "digitalocean" \{$/gm)).toHaveLength(2);
  });
});

describe("a root that cannot be prepared", () => {
  it.each([
    [
      "a token in its code",
      (bench: Workbench) => bench.write("r02/p.tf", HARD_CODED),
      "terraform.hard-coded-token",
    ],
    [
      "a folder in place of our file",
      (bench: Workbench) => mkdir(join(bench.repo, "r02/do-bootstrap.tf")),
      "file.unusable",
    ],
    ["a folder outside the repo", outside, "terraform.outside"],
  ])("%s: skips it, prepares the others, and exits with 3", async (_, spoil, id) => {
    const bench = await rootsBench(3);
    const { calls } = await fakeTerraform(bench.bin);
    await spoil(bench);
    const folder = join(bench.repo, id === "terraform.outside" ? "../elsewhere" : "r02");
    const before = await aged(folder);
    const rehearsed = await init(bench, ["--dry-run"]);
    const { status, stderr } = await init(bench);
    expect([rehearsed.status, status]).toEqual([3, 3]);
    expect(stderr).toContain(`[${id}]`);
    expect(stderr).toContain("✗ 1 of 3 roots was skipped: r02.\n");
    expect(await fileTree(folder)).toEqual(before);
    expect((await calls()).filter((call) => call.startsWith("end")).sort()).toEqual([
      "end init r01",
      "end init r03",
    ]);
    const { findings } = JSON.parse((await bench.run(["check", "--json"])).stdout);
    const error = findings.find((each: { id: string }) => each.id === id);
    expect(error.setsAside).toBe(join(bench.repo, "r02"));
  });

  it("invalid code: adds nothing there, and prepares the others", async () => {
    const bench = await rootsBench(3);
    const { calls } = await fakeTerraform(bench.bin);
    await bench.write("r02/main.tf", BROKEN);
    const { status, stderr } = await init(bench);
    expect(stderr).toContain("[terraform.broken]");
    expect(status).toBe(0);
    expect((await calls()).filter((call) => call.startsWith("end")).sort()).toEqual([
      "end init r01",
      "end init r03",
    ]);
  });

  it("every root: writes nothing", async () => {
    const bench = await rootsBench(2);
    for (const root of rootNames(2)) await bench.write(`${root}/p.tf`, HARD_CODED);
    const before = await aged(bench.repo);
    const { status, stderr } = await init(bench);
    expect(stderr).toContain("Nothing was changed.");
    expect(status).toBe(3);
    expect(await fileTree(bench.repo)).toEqual(before);
  });

  it.each([
    ["twice", ["a", "./a"], "terraform lists a twice."],
    ["through a link", ["a", "b"], "terraform lists the same folder twice: a and b."],
  ])("a root that is listed %s: exit status 2", async (_, dirs, message) => {
    const bench = await workbench();
    await bench.write("a/main.tf", CODE);
    await symlink("a", join(bench.repo, "b"));
    await configure(
      bench,
      dirs.map((dir) => ({ dir })),
    );
    const { status, stderr } = await init(bench);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });

  it("a root inside another root is prepared too", async () => {
    const bench = await workbench();
    await configure(bench, [{ dir: "." }, { dir: "a" }, { dir: "a/b" }]);
    expect((await init(bench)).status).toBe(0);
    for (const dir of [".", "a", "a/b"]) await bench.read(`${dir}/provider.tf`);
    expect((await bench.run(["check"])).status).toBe(0);
  });
});

describe.skipIf(needsScript)(`on a terminal${needsScript}`, () => {
  it("one line shows the progress, and is removed at the end", async (context) => {
    const bench = await rootsBench(5, undefined, context);
    await fakeTerraform(bench.bin, { script: `case $root in r05) ${until("go")};; esac` });
    const env = { DIGITALOCEAN_TOKEN: bench.token };
    const terminal = start(context, bench, ["--yes"], { env });
    await terminal.waitFor(/terraform: 4 of 5 roots, now r05/);
    await bench.write("../bin/terraform.calls", "go\n");
    expect(await terminal.exit).toBe(0);
    expect(terminal.raw()).toMatch(/now r05\r\x1b\[2K/);
  });
});

async function rootsBench(
  count: number,
  rootOf: (dir: string) => object = (dir) => ({ dir }),
  context: Parameters<typeof workbench>[0] = {},
): Promise<Workbench> {
  const bench = await workbench(context);
  const names = rootNames(count);
  await configure(bench, names.map(rootOf));
  await Promise.all(names.map((name) => bench.write(`${name}/main.tf`, CODE)));
  return bench;
}

function rootNames(count: number): string[] {
  const width = String(count).length < 3 ? 2 : 3;
  return Array.from({ length: count }, (_, i) => `r${String(i + 1).padStart(width, "0")}`);
}

function configure(bench: Workbench, terraform: unknown): Promise<void> {
  return bench.write(".do-bootstraprc.json", JSON.stringify({ doctl: false, terraform }));
}

/** Replaces times with S, because they differ. */
async function init(bench: Workbench, args: readonly string[] = [], options: RunOptions = {}) {
  const result = await bench.run(["--token-stdin", ...args], { input: bench.token, ...options });
  return { ...result, stderr: result.stderr.replace(/\d+\.\d s\b/g, "S s") };
}

function tofu(version: string) {
  return { name: "tofu", version } as const;
}

/** For sh: waits until so many calls start with these words, at most ten seconds. */
function until(words: string, count = 1): string {
  return `for i in $(/usr/bin/seq 500); do n=0; while read -r line; do case "$line" in '${words}'*) n=$((n + 1));; esac; done < "$log"; [ $n -ge ${count} ] && break; /bin/sleep 0.02; done`;
}

async function untilTrue(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await wait(20);
}

/** How many calls ran at the same time. */
function mostAtOnce(calls: readonly string[]): number {
  let [now, most] = [0, 0];
  for (const call of calls) {
    now += call.startsWith("start") ? 1 : -1;
    most = Math.max(most, now);
  }
  return most;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function outside(bench: Workbench): Promise<void> {
  await mkdir(join(bench.repo, "../elsewhere"));
  await bench.write("../elsewhere/main.tf", CODE);
  await rm(join(bench.repo, "r02"), { recursive: true });
  await symlink("../elsewhere", join(bench.repo, "r02"));
}
