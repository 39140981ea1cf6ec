// Times whole processes. Each round runs every case once, and a ratio compares two runs of one round,
// since a busy machine slows both. Writes docs/benchmark.md; fails if a limit is exceeded.
// Peers that are not packages of npm take part if they are there: gitleaks and direnv on PATH, and in HCL_PEER a program
// that parses the .tf files of a folder, such as a few lines of Go with hclsyntax.
// --against REF builds another commit and runs it in the same rounds; default: the last release.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir, type } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startSandbox } from "../../scripts/sandbox.mjs";
import { forgetHistory, measureGrowth } from "./growth.mjs";
import { HIDING_PLACES, historyRepo } from "./history-repo.mjs";
import { TERRAFORM, writeRoots } from "./many-roots.mjs";
import { writeTerraformTree } from "./terraform-tree.mjs";

const ROUNDS = Number(process.env.ROUNDS ?? 30);
const EMPTY = "an empty script";
const WRAPPER = "the smallest wrapper";
const EXEC = "do-bootstrap exec";
const LS_FILES = "git ls-files of 50 000 files, tracked and not";
const IN_THEM = "do-bootstrap scopes of one root in them";
const CAT_FILE = "git cat-file --batch-all-objects --batch";
const HISTORY = "do-bootstrap check --history";
const RULE = `[[rules]]
id = "digitalocean"
regex = "do[opr]_v1_[0-9a-f]{64}"
keywords = ["_v1_"]
`;
/** The exponent of a time in the count of what it grows with. */
const MOST_GROWTH = 1.1;
const IDENTITY = Object.fromEntries(
  ["AUTHOR", "COMMITTER"].flatMap((who) => [
    [`GIT_${who}_NAME`, "Sammy"],
    [`GIT_${who}_EMAIL`, "sammy@example.com"],
  ]),
);
const here = (name) => join(import.meta.dirname, name);
const top = here("../..");
const installed = (path) => join(top, "node_modules", path);

const { values: options } = parseArgs({ options: { against: { type: "string" } } });
const root = await mkdtemp(join(tmpdir(), "do-bootstrap-bench-"));
try {
  const sandbox = await startSandbox(root);
  const ref = options.against ?? (await lastRelease());
  const cases = await arrange(sandbox, join(root, "new"), join(top, "dist/bin.cjs"));
  const before = ref && (await build(ref));
  if (before) pair(cases, await arrange(sandbox, join(root, "old"), before));
  const times = await measure(cases);
  const memory = await peaksOf(cases);
  const growth = await growthOf(sandbox, join(root, "growth"));
  await sandbox.close();
  const rows = cases.map((each) => rowOf(each, times, memory));
  await mkdir(join(top, "docs"), { recursive: true });
  await writeFile(join(top, "docs/benchmark.md"), documentOf(rows, growth, ref));
  process.stdout.write(`${tableOf(rows, ref)}\n${growthTable(growth)}`);
  const isOver = [...rows, ...growth].some((row) => row.isOver || row.exponent > MOST_GROWTH);
  process.exitCode = isOver ? 1 : 0;
} finally {
  await rm(root, { recursive: true, force: true });
}

/** @returns undefined if there is no release yet. */
async function lastRelease() {
  const args = ["describe", "--tags", "--abbrev=0", "--match=v*"];
  const said = await outputOf({ file: "git", args, cwd: top, isQuiet: true });
  return said.trim() || undefined;
}

/** The program of another commit, with its own packages. */
async function build(ref) {
  const folder = join(root, "source");
  await mkdir(folder);
  const archive = join(root, "source.tar");
  await run({ file: "git", args: ["archive", "--output", archive, ref], cwd: top });
  await run({ file: "tar", args: ["-xf", archive], cwd: folder });
  const locks = [folder, top].map((each) => readFile(join(each, "package-lock.json"), "utf8"));
  const [theirs, ours] = await Promise.all(locks);
  if (theirs === ours) await symlink(installed(""), join(folder, "node_modules"));
  else await run({ file: await which("npm"), args: ["ci", "--ignore-scripts"], cwd: folder });
  await run({ file: process.execPath, args: ["esbuild.config.mjs"], cwd: folder });
  return join(folder, "dist/bin.cjs");
}

/** Adds to each case of ours the same case of the other commit. */
function pair(cases, others) {
  for (const each of cases) {
    const twin = others.find(({ name }) => name === each.name);
    if (each.isOurs && twin !== undefined) each.twin = twin;
  }
}

/** A repo with its config two folders up, an env file of ten variables and Terraform code. @returns the cases. */
async function arrange(sandbox, root, program) {
  const [repo, home, few] = ["acme-web", "home", "bin"].map((name) => join(root, name));
  const cwd = join(repo, "services/web");
  const config = join(repo, ".do-bootstraprc.yaml");
  const dotenv = join(repo, ".env");
  for (const folder of [cwd, home, few]) await mkdir(folder, { recursive: true });
  const token = `dop_v1_${"0123456789abcdef".repeat(4)}`;
  sandbox.accept(token);
  const others = Array.from({ length: 9 }, (_, i) => `VARIABLE_${i}=value ${i}\n`);
  await writeFile(config, "project: acme-web\n");
  await writeFile(dotenv, `DIGITALOCEAN_TOKEN=${token}\n${others.join("")}`, { mode: 0o600 });
  for (const name of ["git", "true"]) await symlink(await which(name), join(few, name));
  await symlink(process.execPath, join(few, "node"));

  // No tools but git.
  const env = { ...environmentOf(sandbox, home), PATH: few };
  const node = (name, args, more) => ({ name, file: process.execPath, args, env, cwd, ...more });
  const ours = (name, args, more) => node(name, [program, ...args], { isOurs: true, ...more });
  await run({ file: "git", args: ["init", "--quiet"], env, cwd: repo });
  await run(ours("", ["--yes"], { cwd: repo }));
  // What terraform init leaves: without both, a run with terraform on PATH starts it again.
  await mkdir(join(repo, ".terraform/providers"), { recursive: true });
  const provider =
    'provider "registry.terraform.io/digitalocean/digitalocean" {\n  version = "2.99.1"\n}\n';
  await writeFile(join(repo, ".terraform.lock.hcl"), provider);

  const direnv = await which("direnv").catch(() => undefined);
  if (direnv !== undefined) {
    await writeFile(join(cwd, ".envrc"), `dotenv ${dotenv}\n`);
    await symlink(await which("bash"), join(few, "bash"));
    await run({ file: direnv, args: ["allow"], env, cwd });
  }
  const [roots, bin] = ["many-roots", "bin-terraform"].map((name) => join(root, name));
  await mkdir(bin);
  await writeFile(join(bin, "terraform"), TERRAFORM, { mode: 0o755 });
  const withTool = { ...env, PATH: [bin, few].join(delimiter), DIGITALOCEAN_TOKEN: token };
  const code = (files) => join(root, `code-${files}`);
  for (const files of [10, 1000, 5000]) await writeTerraformTree(code(files), files);
  const many = join(root, "many-files");
  await writeManyFiles(many, env);
  const past = join(root, "history");
  await mkdir(past);
  const planted = await historyRepo(past, 10_000, { ...env, ...IDENTITY });
  for (const each of Object.values(planted)) sandbox.accept(each);
  const checking = { cwd: past, env: { ...env, DIGITALOCEAN_TOKEN: token }, status: 3, rounds: 5 };
  await assertFindsAll(ours("", ["check", "--history", "--json"], checking));
  const peer = process.env.HCL_PEER;
  const scopes = (files, more) =>
    ours(`do-bootstrap scopes, ${files} files`, ["scopes", "."], { cwd: code(files), ...more });
  return [
    node(EMPTY, [here("empty.cjs")], {}),
    node(WRAPPER, [here("wrapper.cjs"), "true"], { to: EMPTY }),
    ours(EXEC, ["exec", "--", "true"], {
      to: WRAPPER,
      limit: 1.28,
      peakLimit: 1.15,
    }),
    ours("do-bootstrap exec, the first after a change of the config", ["exec", "--", "true"], {
      to: WRAPPER,
      before: () => utimes(config, new Date(), new Date()),
    }),
    node("env-cmd", [installed("env-cmd/bin/env-cmd.js"), "-f", dotenv, "true"], {
      to: WRAPPER,
      atLeast: [1, EXEC],
    }),
    node("dotenv-cli", [installed("dotenv-cli/cli.js"), "-e", dotenv, "--", "true"], {
      to: WRAPPER,
      atLeast: [1, EXEC],
    }),
    node(
      "dotenvx run",
      [installed("@dotenvx/dotenvx/src/cli/dotenvx.js"), "run", "-q", "-f", dotenv, "--", "true"],
      { to: WRAPPER, atLeast: [5, EXEC] },
    ),
    ...(direnv === undefined
      ? []
      : [
          { name: "direnv exec", file: direnv, args: ["exec", cwd, "true"], env, cwd, to: WRAPPER },
        ]),
    ours("do-bootstrap env", ["env"], { to: EMPTY, limit: 1.2 }),
    ours("do-bootstrap --version", ["--version"], { to: EMPTY, limit: 1.1 }),
    ours("do-bootstrap --help", ["--help"], { to: EMPTY, limit: 3.3 }),
    ours("do-bootstrap in a finished repo", [], { cwd: repo, to: EMPTY, limit: 4 }),
    ours("the same, with the tools on this machine's PATH", [], {
      cwd: repo,
      to: EMPTY,
      limit: 6,
      env: { ...env, PATH: [few, process.env.PATH].join(delimiter) },
    }),
    scopes(10, { to: EMPTY, limit: 4 }),
    scopes(1000, { rounds: 5, limitMs: 1000 }),
    scopes(5000, { rounds: 1, peakLimitMiB: 190 }),
    {
      name: LS_FILES,
      file: await which("git"),
      args: ["ls-files", "--cached", "--others", "--exclude-standard"],
      isQuiet: true,
      env,
      cwd: many,
      rounds: 10,
    },
    ours(IN_THEM, ["scopes", "deploy"], { cwd: many, rounds: 10 }),
    // All roots, which it must find first.
    ours("the search for roots in them", ["scopes"], {
      ...{ cwd: many, rounds: 10, less: IN_THEM, to: LS_FILES, limit: 1.5, isOurs: false },
    }),
    ours("do-bootstrap for 100 new roots", ["--yes", "--save"], {
      cwd: roots,
      env: withTool,
      before: () => writeRoots(roots, env, 100),
      rounds: 5,
      limitMs: 10_000,
      peakLimitMiB: 150,
    }),
    ours("the same, once they are ready", ["--yes", "--save"], {
      cwd: roots,
      env: withTool,
      rounds: 5,
      limitMs: 3000,
      peakLimitMiB: 150,
    }),
    {
      name: CAT_FILE,
      file: await which("git"),
      args: ["cat-file", "--batch-all-objects", "--batch"],
      isQuiet: true,
      env,
      cwd: past,
      rounds: 5,
    },
    ours(HISTORY, ["check", "--history"], {
      ...{ ...checking, to: CAT_FILE, limit: 2 },
      before: () => forgetHistory(env),
    }),
    ours("do-bootstrap check --history, the second time", ["check", "--history"], {
      ...{ ...checking, to: CAT_FILE },
    }),
    ...(await gitleaks(root, past, env)),
    ...(peer === undefined
      ? []
      : [
          {
            ...{ name: "another parser (HCL_PEER), 1000 files", file: peer, args: [code(1000)] },
            ...{ env, cwd, rounds: 5, to: `do-bootstrap scopes, 1000 files` },
            atLeast: [0.5, `do-bootstrap scopes, 1000 files`],
          },
        ]),
  ];
}

/** A fast scan must still find all tokens. */
async function assertFindsAll(check) {
  const { findings } = JSON.parse(await outputOf(check));
  const found = findings.filter(({ id }) => id === "leak.in-history").length;
  if (found === HIDING_PLACES.length) return;
  throw new Error(`--history found ${found} of ${HIDING_PLACES.length} tokens`);
}

/** gitleaks, if it is installed, with only our rule. */
async function gitleaks(root, cwd, env) {
  const file = await which("gitleaks").catch(() => undefined);
  if (file === undefined) return [];
  const [config, report] = ["gitleaks.toml", "gitleaks.json"].map((name) => join(root, name));
  await writeFile(config, RULE);
  const args = ["git", "--no-banner", "--log-level=error", "--config", config];
  const search = { file, args: [...args, "."], env, cwd, status: 1, rounds: 3 };
  await run({ ...search, args: [...args, "--report-path", report, "."] });
  const found = new Set(JSON.parse(await readFile(report, "utf8")).map(({ Secret }) => Secret));
  const name = `gitleaks with one rule, which finds ${found.size} of ${HIDING_PLACES.length}`;
  return [{ ...search, name, to: CAT_FILE, atLeast: [1, HISTORY] }];
}

/** A repo of 50 000 files with one Terraform root and its 40 modules. */
async function writeManyFiles(repo, env) {
  for (let i = 0; i < 500; i++) {
    const folder = join(repo, `src/part-${i}`);
    await mkdir(folder, { recursive: true });
    const names = Array.from({ length: 100 }, (_, j) => join(folder, `${j}.js`));
    await Promise.all(names.map((name) => writeFile(name, "")));
  }
  const modules = Array.from({ length: 40 }, (_, i) => `m${i}`);
  for (const name of modules) {
    await mkdir(join(repo, "deploy", name), { recursive: true });
    const code = 'resource "digitalocean_tag" "a" {\n  name = "a"\n}\n';
    await writeFile(join(repo, "deploy", name, "main.tf"), code);
  }
  const calls = modules.map((name) => `module "${name}" {\n  source = "./${name}"\n}\n`);
  await writeFile(join(repo, "deploy/main.tf"), calls.join(""));
  await run({ file: "git", args: ["init", "--quiet"], env, cwd: repo });
  await run({ file: "git", args: ["add", "."], env, cwd: repo });
}

/** Our program at three sizes, with a home and tools of its own. */
async function growthOf(sandbox, root) {
  const [home, bin] = ["home", "bin"].map((name) => join(root, name));
  for (const folder of [home, bin]) await mkdir(folder, { recursive: true });
  for (const name of ["git", "true"]) await symlink(await which(name), join(bin, name));
  await symlink(process.execPath, join(bin, "node"));
  await writeFile(join(bin, "terraform"), TERRAFORM, { mode: 0o755 });
  const env = { ...environmentOf(sandbox, home), PATH: bin };
  const program = join(top, "dist/bin.cjs");
  const ours = (args, more) => ({ file: process.execPath, args: [program, ...args], ...more });
  return measureGrowth(root, { env, ours, run, sandbox, identity: IDENTITY });
}

/** No NODE_EXTRA_CA_CERTS, which adds 70 ms to every start of Node 20. */
function environmentOf(sandbox, home) {
  return { HOME: home, DIGITALOCEAN_API_URL: sandbox.url, DO_BOOTSTRAP_OAUTH_URL: sandbox.url };
}

/** Milliseconds of every round, by case. */
async function measure(cases) {
  const all = cases.flatMap((each) => [each, ...(each.twin === undefined ? [] : [each.twin])]);
  const times = new Map(all.map((each) => [each, []]));
  for (let round = -2; round < ROUNDS; round++) {
    for (const each of cases) {
      // Slow cases have few rounds and no warm-up.
      if (each.rounds !== undefined && (round < 0 || round >= each.rounds)) continue;
      const both = each.twin === undefined ? [each] : [each, each.twin];
      // Alternates, since the first one has colder caches.
      for (const one of round % 2 === 0 ? both : both.reverse()) {
        await one.before?.();
        // exec does not cache a file that changed just now.
        if (one.before !== undefined) await wait(20);
        const ms = await run(one);
        if (round >= 0) times.get(one).push(ms);
      }
    }
  }
  return times;
}

/** Peak memory in KiB of cases on Node, by name: the median of up to five runs. */
async function peaksOf(cases) {
  const peaks = new Map();
  for (const each of cases.filter(({ file }) => file === process.execPath)) {
    const file = join(root, "peak");
    const args = ["--require", here("peak-memory.cjs"), ...each.args];
    const all = [];
    for (let i = 0; i < Math.min(5, each.rounds ?? 5); i++) {
      await each.before?.();
      await run({ ...each, args, env: { ...each.env, PEAK_MEMORY: file } });
      all.push(Number(await readFile(file, "utf8")));
    }
    peaks.set(each.name, median(all));
  }
  return peaks;
}

/** @returns milliseconds from the start to the end. */
function run({ file, args, env, cwd, input, status: expected = 0, isQuiet = false }) {
  return new Promise((resolve, reject) => {
    const start = process.hrtime.bigint();
    const stdin = input === undefined ? "ignore" : "pipe";
    const stdio = [stdin, isQuiet ? "ignore" : "pipe", "pipe"];
    const child = spawn(file, args, { env, cwd, stdio });
    child.stdin?.end(input);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => (said += text));
    child.on("error", reject);
    child.on("exit", (status) => {
      const ms = Number(process.hrtime.bigint() - start) / 1e6;
      if (status === expected) resolve(ms);
      else reject(new Error(`${[file, ...args].join(" ")}: exit status ${status}\n${said}`));
    });
  });
}

function outputOf({ file, args, env, cwd, isQuiet = false }) {
  return new Promise((resolve, reject) => {
    const stdio = ["ignore", "pipe", isQuiet ? "ignore" : "inherit"];
    const child = spawn(file, args, { env, cwd, stdio });
    let said = "";
    child.stdout.on("data", (text) => (said += text));
    child.on("error", reject).on("close", () => resolve(said));
  });
}

async function which(name) {
  for (const folder of process.env.PATH.split(delimiter)) {
    const path = join(folder, name);
    if ((await run({ file: "test", args: ["-x", path] }).catch(() => undefined)) !== undefined) {
      return path;
    }
  }
  throw new Error(`${name} is not on PATH`);
}

/** `isOver`: above a limit for ratio, time or memory, or below the least ratio to one of our cases. */
function rowOf(each, times, memory) {
  const { name, to, limit, limitMs, peakLimit, peakLimitMiB, atLeast, twin, less } = each;
  const named = (other) => [...times].find(([{ name }]) => name === other)[1];
  const whole = times.get(each);
  const own = less === undefined ? whole : whole.map((ms, round) => ms - named(less)[round]);
  const ratioTo = (others) => median(own.map((ms, round) => ms / others[round]));
  const ratio = to && ratioTo(named(to));
  const against = twin && ratioTo(times.get(twin));
  const peak = memory.get(name);
  const isOver =
    ratio > (limit ?? Infinity) ||
    median(own) > (limitMs ?? Infinity) ||
    peak / 1024 > (peakLimitMiB ?? Infinity) ||
    peak / memory.get(to) > (peakLimit ?? Infinity) ||
    (atLeast !== undefined && ratioTo(named(atLeast[1])) < atLeast[0]);
  const limits = { limit, limitMs, peakLimitMiB, atLeast };
  return { name, to, ...limits, ms: median(own), ratio, against, peak, isOver };
}

function tableOf(rows, ref) {
  const head = ["", "Median", "Ratio", "to", "Limit", "Peak memory", ...(ref ? [`To ${ref}`] : [])];
  const limitOf = ({ limit, limitMs, peakLimitMiB, atLeast, isOver }) => {
    const passed = isOver ? " (over the limit)" : "";
    if (limit !== undefined) return `at most ${limit}${passed}`;
    if (limitMs !== undefined) return `at most ${limitMs} ms${passed}`;
    if (peakLimitMiB !== undefined) return `at most ${peakLimitMiB} MiB${passed}`;
    return atLeast === undefined ? "" : `at least ${atLeast[0]} × ${atLeast[1]}${passed}`;
  };
  const lines = rows.map(({ name, to, ms, ratio, against, peak, ...row }) => [
    name,
    `${ms.toFixed(1)} ms`,
    ratio?.toFixed(2) ?? "",
    to ?? "",
    limitOf(row),
    peak === undefined ? "" : `${(peak / 1024).toFixed(1)} MiB`,
    ...(ref ? [against?.toFixed(3) ?? ""] : []),
  ]);
  return [head, head.map(() => "---"), ...lines]
    .map((line) => `| ${line.join(" | ")} |\n`)
    .join("");
}

function growthTable(rows) {
  const lines = rows.map(({ command, of, counts, ms, exponent }) => [
    command,
    `${counts.join(", ")} ${of}`,
    ms.map((each) => `${each.toFixed(0)} ms`).join(", "),
    `${exponent.toFixed(2)}${exponent > MOST_GROWTH ? " (over the limit)" : ""}`,
  ]);
  const head = ["", "With", "Shortest time", "Exponent"];
  return [head, head.map(() => "---"), ...lines]
    .map((line) => `| ${line.join(" | ")} |\n`)
    .join("");
}

function documentOf(rows, growth, ref) {
  const cpu = `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? "?"}`;
  const date = new Date().toISOString().slice(0, 10);
  return `# Benchmark

How long do-bootstrap takes, and how much memory, beside other tools and an empty Node script. \`npm run bench\` writes this page.

Run on ${cpu}, ${type()}, Node ${process.version}, ${date}; ${ROUNDS} rounds.

- **Rounds**: each round runs every case once, one after the other, as a whole process. A ratio is the median of the ratios of
  the single rounds. Slow cases run less often: 1 000 files and 100 roots five times, 5 000 files once.
- **The repo** has its config (YAML) two folders up, and ten variables in its env file. The wrappers run \`true\`.
- **\`--version\`, \`--help\`, \`env\` and a run in a finished repo** are compared with a script that does nothing. The finished repo
  runs git twice, reads doctl's file and Terraform's files, and asks the API on loopback.
- **\`scopes\`** reads files of 60 lines, ten in a module. Each file has two resources and a data source of DigitalOcean, resources
  of two other providers, a variable, locals, an output and comments. It can skip none of them.
- **\`check --history\`** searches a repo of 10 000 commits with a token in each of ${HIDING_PLACES.length} hiding places, and finds them all:
  ${HIDING_PLACES.join(", ")}. The first time, nothing of it was searched before.
- **The hundred roots** use a terraform that installs nothing, so only our own part is measured.
${ref ? `- **The last column** compares with the program of ${ref}, which runs in the same rounds.\n` : ""}
${tableOf(rows, ref)}
## Growth

Each command with 1, 10 and 100 of what it grows with. The exponent is n in *a + b × count^n*: 1 is twice the time for twice as
much, beside the time of the start. At most ${MOST_GROWTH}.

${growthTable(growth)}`;
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle) - 1]) / 2;
}
