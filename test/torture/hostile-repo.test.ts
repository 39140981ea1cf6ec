import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join, relative } from "node:path";
import { execa } from "execa";
import fc from "fast-check";
import { describe, type ExpectStatic, it, type TestContext } from "vitest";
import { type Sandbox, startSandbox } from "../../src/commands/demo/sandbox.ts";
import { generate } from "../../src/core/generated.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { fileTree } from "../fixtures/tree.ts";
import { type RunResult, randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";
import { COUNT, figures, SEED } from "./figures.ts";

const PROGRAM = join(import.meta.dirname, "../../dist/bin.cjs");
const PEAK_MEMORY = join(import.meta.dirname, "../bench/peak-memory.cjs");
const SECRET = "do-bootstrap.secret.auto.tfvars.json";
const VALUES = "do-bootstrap.auto.tfvars.json";
/** All files that a run may write in a repo, except the env file, which has its own tests. */
const WRITTEN = [
  ".gitignore",
  ".env.example",
  "versions.tf",
  "provider.tf",
  "variables.tf",
  SECRET,
  VALUES,
];
const CONFIG = "terraform: { variables: { region: nyc3 } }\n";
/** Escape codes, a newline and a text-direction override. */
const EVIL = "m\x1b]0;owned\x07\n\x9b31m\u202ex";

interface Stage {
  readonly bench: Workbench;
  readonly expect: ExpectStatic;
  /** A folder beside the repo, where a run must not write. */
  readonly outside: string;
  /** The server to which the repo's files try to send the token. */
  readonly elsewhere: Sandbox;
  /** Runs a command and checks what must be true for all commands. */
  readonly run: (args: string, env?: Record<string, string>) => Promise<RunResult>;
}

async function stage(context: Pick<TestContext, "expect" | "onTestFinished">): Promise<Stage> {
  const { expect } = context;
  const bench = await workbench(context);
  const elsewhere = await startSandbox();
  context.onTestFinished(() => elsewhere.close());
  elsewhere.accept(bench.token);
  const outside = join(bench.root, "outside");
  await mkdir(outside);
  for (const name of WRITTEN) await writeFile(join(outside, name), theirs(name));
  const before = await fileTree(outside);
  return {
    bench,
    expect,
    outside,
    elsewhere,
    async run(args, env = {}) {
      const input = args.includes("--token-stdin") ? bench.token : "";
      const result = await bench.run(args.split(" "), { input, env });
      expectHarmless(expect, result, bench.token);
      expect(await fileTree(outside)).toEqual(before);
      expect(elsewhere.requests).toEqual([]);
      expect(await temporaryIn(bench)).toEqual([]);
      return result;
    },
  };
}

/** A file of another repo from an older release, which a run would update. */
function theirs(name: string): string {
  if (name.endsWith(".tf")) return generate("# template: 0\n# old\n", {});
  return name.endsWith(".json") ? "{}\n" : "THEIRS=\n";
}

/** No unexpected error, no control characters, no token. */
function expectHarmless(expect: ExpectStatic, { stdout, stderr }: RunResult, token: string): void {
  expect(stdout + stderr).not.toContain("[UNEXPECTED]");
  expect(stdout + stderr).not.toMatch(
    /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/,
  );
  expect(stdout + stderr).not.toContain(token.slice(7, 23));
}

async function temporaryIn({ root }: Workbench): Promise<string[]> {
  const names = await readdir(root, { recursive: true });
  return names.filter((name) => /\.do-bootstrap-[^/]*$|\.do-bootstrap\.lock/.test(name));
}

describe.concurrent("files that are links out of the repo", () => {
  it.for(WRITTEN)("%s: a run does not write through the link", async (name, context) => {
    const { bench, expect, outside, run } = await stage(context);
    await bench.write(".do-bootstraprc", CONFIG);
    await symlink(join("..", "outside", name), join(bench.repo, name));
    const before = await fileTree(bench.repo);
    const { status, stderr } = await run("--token-stdin");
    expect(stderr).toMatch(/\[file\.outside\]/);
    expect(status).toBe(3);
    expect(await fileTree(bench.repo)).toEqual(before);

    await execa("rm", [join(bench.repo, name)]);
    await symlink(join(outside, "not-there", name), join(bench.repo, name));
    const dangling = await run("--token-stdin");
    expect(dangling.stderr).toMatch(/\[(file\.outside|terraform\.broken)\]/);
    // A file that can't be read is skipped, and the rest of the repo is prepared.
    expect(dangling.status).toBe(dangling.stderr.includes("terraform.broken") ? 0 : 3);
  });

  it("terraform.dir: nothing is written or removed there", async (context) => {
    const { bench, expect, outside } = await stage(context);
    bench.mayHold("../outside/.env", "../outside/do-bootstrap.secret.auto.tfvars.json");
    const theirs = await bench.run(["--token-stdin"], { input: bench.token, cwd: "../outside" });
    // Files that uninstall would remove if they were in this repo.
    expect(theirs.stderr).toContain("provider.tf");
    const before = await fileTree(outside);
    await symlink("../outside", join(bench.repo, "infra"));
    await bench.write(".do-bootstraprc", "terraform: { dir: infra }\n");
    for (const args of [
      "--token-stdin",
      "check --token-stdin",
      "uninstall --yes",
      "logout --yes",
    ]) {
      const result = await bench.run(args.split(" "), { input: bench.token });
      expectHarmless(expect, result, bench.token);
      if (args.includes("stdin")) {
        expect(result.stdout + result.stderr).toContain("[terraform.outside]");
        expect(result.status).toBe(3);
      }
      expect(await fileTree(outside), args).toEqual(before);
    }
  });

  it("a parent folder of token.envFile", async (context) => {
    const { bench, expect, run } = await stage(context);
    await symlink("../outside", join(bench.repo, "conf"));
    await bench.write(".do-bootstraprc", "token: { envFile: conf/new.env }\n");
    const { status, stderr } = await run("--token-stdin");
    expect(stderr).toContain("[file.outside]");
    expect(status).toBe(3);
  });

  it("a config: its content is not printed", async (context) => {
    const { bench, expect, run, outside } = await stage(context);
    for (const [text, says, to] of [
      ["hunter2-hunter2", /expected a section with keys, found a text/, "secret"],
      [
        "[default]\naws_secret_access_key = hunter2-hunter2\n",
        /\[CONFIG_(UNREADABLE|INVALID)\]/,
        "secret",
      ],
      ["login: hunter2-hunter2\n", /login: unknown key/, "secret"],
      [
        "login: hunter2-hunter2\n",
        /\.do-bootstraprc resolves to \S*secret\. \[CONFIG_UNREADABLE\]/,
        "../secret",
      ],
    ] as const) {
      await execa("rm", ["-rf", join(bench.repo, ".do-bootstraprc"), join(bench.repo, to)]);
      await writeFile(join(bench.repo, to), text);
      await symlink(to, join(bench.repo, ".do-bootstraprc"));
      const { status, stdout, stderr } = await run("check");
      expect(stderr).toMatch(says);
      expect(stdout + stderr).not.toContain("hunter2");
      expect(status).toBe(2);
    }
    expect(Object.keys(await fileTree(outside))).toHaveLength(WRITTEN.length);
  });
});

describe.concurrent("another kind of entry in place of a file", () => {
  const kinds: Readonly<Record<string, (path: string, context: TestContext) => Promise<unknown>>> =
    {
      "a loop of links": (path) => symlink(path, path),
      "a directory": (path) => mkdir(path),
      "a link to /dev/tty": (path) => symlink("/dev/tty", path),
      "a link to /dev/zero": (path) => symlink("/dev/zero", path),
      "a socket": (path, { onTestFinished }) =>
        new Promise<void>((resolve) => {
          const server = createServer().listen(path, resolve);
          onTestFinished(() => void server.close());
        }),
    };
  it.for(Object.keys(kinds))("%s: is reported, for every file", async (kind, context) => {
    const { bench, expect, run } = await stage(context);
    await bench.write(".do-bootstraprc", CONFIG);
    for (const name of ["provider.tf", "versions.tf", SECRET]) {
      const path = join(bench.repo, name);
      await kinds[kind]?.(path, context);
      const { status, stderr } = await run("--token-stdin");
      expect(stderr, name).toMatch(/\[(file\.unusable|terraform\.broken)\]/);
      expect(status).toBe(stderr.includes("terraform.broken") ? 0 : 3);
      await execa("rm", ["-rf", path]);
      await bench.git("clean", "-fdxq", "-e", ".do-bootstraprc");
    }
    await execa("rm", [join(bench.repo, ".do-bootstraprc")]);
    await kinds[kind]?.(join(bench.repo, ".do-bootstraprc"), context);
    const { status, stderr } = await run("check");
    expect(stderr).toMatch(/\.do-bootstraprc.* is \S.*\. \[CONFIG_UNREADABLE\]\n {2}→ /);
    expect(status).toBe(2);
  });
});

const laughs = Array.from(
  { length: 9 },
  (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(", ")}]`,
);

describe.concurrent("a hostile config: exit status 2, quickly and within 200 MB", () => {
  it.for<[what: string, file: string, text: string]>([
    [
      "a billion laughs",
      ".do-bootstraprc",
      `l0: &l0 [${Array(9).fill("lol")}]\n${laughs.join("\n")}`,
    ],
    ["5 MB", ".do-bootstraprc", "- x\n".repeat(1_250_000)],
    ["5 MB of JSON", ".do-bootstraprc.json", `{"a":[${"1,".repeat(2_500_000)}1]}`],
    ["deeply nested lists", ".do-bootstraprc", "[".repeat(60_000)],
    [
      "deeply nested objects",
      ".do-bootstraprc.json",
      `{"terraform":${'{"a":'.repeat(9000)}1${"}".repeat(9001)}`,
    ],
    [
      "__proto__ as a key",
      ".do-bootstraprc.json",
      '{"terraform":{"variables":{"__proto__":{"a":1}}}}',
    ],
    [
      "constructor as a key",
      ".do-bootstraprc",
      "terraform: { variables: { constructor: { a: 1 } } }",
    ],
    ["an API URL", ".do-bootstraprc", "api: { url: https://evil.example }"],
    ["a path above the repo", ".do-bootstraprc", "terraform: { dir: infra/../../outside }"],
    ["an absolute path", ".do-bootstraprc", "token: { envFile: /etc/cron.d/x }"],
    ["escape codes", ".do-bootstraprc", 'project: "\\e]0;owned\\a\\N\\u202e"'],
    ["a YAML tag", ".do-bootstraprc", `project: !!js/function "X" # ${EVIL.replace("\n", "")}`],
  ])("%s", async ([, file, text], context) => {
    const { bench, expect, run } = await stage(context);
    await bench.write(file, text);
    const peak = join(bench.root, "peak");
    const { status, stderr } = await run("check", {
      NODE_OPTIONS: `--require ${PEAK_MEMORY}`,
      PEAK_MEMORY: peak,
    });
    expect(Number(await readFile(peak, "utf8")) / 1024).toBeLessThan(200);
    expect(stderr).toMatch(/\[CONFIG_(INVALID|UNREADABLE)\]\n {2}→ /);
    expect(status).toBe(2);
  });
});

describe.concurrent("names with escape codes and newlines are shown escaped", () => {
  it("of files", async (context) => {
    const { bench, expect, run } = await stage(context);
    await bench.write(`${EVIL}.tf`, 'resource "digitalocean_tag" "a" {\n  name = \n}\n');
    await bench.write(`${EVIL}.auto.tfvars`, `do_token = "${randomToken()}"\n`);
    await bench.write(`.env.${"x".repeat(9)}`, `A=${bench.token}\n`);
    await bench.write("main.tf", `# ${EVIL}\nresource "digitalocean_tag" "${EVIL}" {}\n`);
    await bench.write(".terraform/environment", `${EVIL}\n`);
    await bench.write("package.json", JSON.stringify({ name: EVIL }));
    for (const args of [
      "--token-stdin",
      "check",
      "scopes",
      "scopes --format markdown",
      "check --debug",
      "logout --dry-run",
    ]) {
      const { stdout, stderr } = await run(args);
      expect(stdout + stderr, args).toContain(args.startsWith("logout") ? "" : "\\x1b");
    }
  });

  it("of folders, also in errors", async (context) => {
    const { bench, expect } = await stage(context);
    const folder = `a/${EVIL}`;
    await mkdir(join(bench.repo, folder), { recursive: true });
    const go = async (args: string, cwd = folder) => {
      const result = await bench.run(args.split(" "), { cwd, input: bench.token });
      expectHarmless(expect, result, bench.token);
      return result;
    };
    expect((await go("--token-stdin --dry-run")).status).toBe(0);
    await bench.write(
      `${folder}/.gitignore`,
      `# do-bootstrap: keep secrets and state out of git\n.env\n# do-bootstrap: end\n!.env\n`,
    );
    await bench.write(`${folder}/.do-bootstraprc`, "environments: { prod: {} }\n");
    expect((await go("check --env prd")).stderr).toMatch(/\\x1b.*\[USAGE\]/);
    await bench.write(`${folder}/.do-bootstraprc`, "token: [\n");
    expect((await go("check --debug")).stderr).toMatch(/\\x1b.*\[CONFIG_UNREADABLE\]/);
    await bench.write(`${folder}/.do-bootstraprc`, "");
    const exposed = await go("--token-stdin");
    expect(exposed.stderr).toMatch(/\[(NOT_IGNORED|git\.not-ignored)\]/);
    await execa("rm", [join(bench.bin, "git")]);
    await bench.write(`${folder}/.git`, "");
    expect((await go("check")).stderr).toMatch(/\\x1b.*\[GIT_FAILED\]/);
  });
});

describe.concurrent("a repo with very much content", () => {
  it("more Terraform files than the open-file limit are all read", async (context) => {
    const { bench, expect } = await stage(context);
    const write = (i: number) => bench.write(`f${i}.tf`, `# ${i}\n`);
    await Promise.all(Array.from({ length: 400 }, (_, i) => write(i)));
    const { stdout } = await execa(
      "sh",
      ["-c", 'ulimit -n 128; exec "$0" "$@"', process.execPath, PROGRAM, "check", "--json"],
      {
        cwd: bench.repo,
        env: { ...bench.env, PATH: `${bench.bin}:/usr/bin:/bin`, DIGITALOCEAN_TOKEN: bench.token },
        extendEnv: false,
        reject: false,
      },
    );
    const ids = JSON.parse(stdout).findings.map(({ id }: { id: string }) => id);
    expect(ids).not.toContain("terraform.broken");
  });

  it("an env file of a million empty lines is read", async (context) => {
    const { bench, expect, run } = await stage(context);
    await bench.write(".env", "\n".repeat(1_000_000), 0o600);
    expect((await run("check")).status).toBe(4);
  });
});

describe.concurrent("a file with size 0 and endless content", () => {
  it.for([".env", ".do-bootstraprc", "package.json", ".gitignore", "main.tf"])(
    "%s",
    async (name, context) => {
      const { bench, run, expect } = await stage(context);
      await symlink("/proc/self/pagemap", join(bench.repo, name));
      expect((await run("check")).status).toBeGreaterThan(0);
    },
  );
});

describe.concurrent("an env file with variables that redirect requests and writes", () => {
  it("does not change where we send or write", async (context) => {
    const { bench, expect, run, elsewhere, outside } = await stage(context);
    const doctl = await fakeDoctl(bench.bin, { writeDelayMs: 0 });
    const { url } = elsewhere;
    const folders = ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "TMPDIR"];
    const lines = [
      ...["DIGITALOCEAN_API_URL", "DO_BOOTSTRAP_OAUTH_URL", "DO_API_URL"].map((n) => `${n}=${url}`),
      ...["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "http_proxy"].map((n) => `${n}=${url}`),
      "NODE_TLS_REJECT_UNAUTHORIZED=0",
      `NODE_OPTIONS=--require=${outside}/x.cjs`,
      `DIGITALOCEAN_CONFIG=${outside}/config.yaml`,
      `PATH=${outside}`,
      `GIT_DIR=${outside}`,
      `TF_DATA_DIR=${outside}`,
      ...folders.map((name) => `${name}=${outside}`),
      `DIGITALOCEAN_TOKEN=${bench.token}`,
    ];
    await bench.write(".env", `${lines.join("\n")}\n`, 0o600);
    for (const args of ["init", "check"]) {
      const { status, stderr } = await run(args);
      expect(status, stderr).toBe(0);
    }
    expect(await readFile(join(bench.home, ".config/doctl/config.yaml"), "utf8")).toContain(
      bench.token,
    );
    expect(bench.sandbox.requests.length).toBeGreaterThan(0);
    const calls = await doctl.calls();
    expect(calls.flatMap(({ env }) => env)).not.toContain("DIGITALOCEAN_API_URL");
  });
});

type Place = (typeof PLACES)[number];
const PLACES = [
  ...WRITTEN,
  ".env",
  ".env.local",
  ".do-bootstraprc",
  "package.json",
  "main.tf",
  "other.tf.json",
  "terraform.tfvars",
  "terraform.tfstate",
  ".terraform/environment",
  ".gitattributes",
  `${EVIL}.tf`,
  `${EVIL}.auto.tfvars.json`,
] as const;
type Hostility = (typeof HOSTILITIES)[number];
const HOSTILITIES = [
  "link out",
  "dangling link out",
  "loop",
  "directory",
  "device",
  "tty",
  "bytes",
  "escape codes",
  "deep",
  "empty",
] as const;

async function place(path: string, kind: Hostility, outside: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const bytes = Buffer.from(Array.from({ length: 999 }, (_, i) => (i * 7919 + (i >> 3)) % 256));
  const acts: Readonly<Record<Hostility, () => Promise<unknown>>> = {
    "link out": () => symlink(join(outside, ".gitignore"), path),
    "dangling link out": () => symlink(join(outside, "not/there"), path),
    loop: () => symlink(path, path),
    directory: () => mkdir(path),
    device: () => symlink("/dev/zero", path),
    tty: () => symlink("/dev/tty", path),
    bytes: () => writeFile(path, bytes),
    "escape codes": () => writeFile(path, `A="${EVIL}\n{ b = "${EVIL}" : ${EVIL}`),
    deep: () => writeFile(path, `{"a":${"[".repeat(5000)}`),
    empty: () => writeFile(path, ""),
  };
  await acts[kind]();
}

describe("hostile files in combination", () => {
  const hostile = fc.uniqueArray(
    fc.tuple(fc.constantFrom(...PLACES), fc.constantFrom(...HOSTILITIES)),
    { selector: ([name]) => name, minLength: 1, maxLength: 4 },
  );
  const runs = 5 * COUNT;
  it(
    `${runs} random repos (seed ${SEED}): everything is done or nothing, and nothing outside`,
    async (context) => {
      let [faults, halfWritten] = [0, 0];
      const property = fc.asyncProperty(hostile, async (placed: [Place, Hostility][]) => {
        const finished: (() => unknown)[] = [];
        const onTestFinished = ((fn: () => unknown) => void finished.push(fn)) as never;
        try {
          const { bench, expect, run, outside } = await stage({
            expect: context.expect,
            onTestFinished,
          });
          for (const [name, kind] of placed) await place(join(bench.repo, name), kind, outside);
          faults += placed.length;
          const before = await fileTree(bench.repo);
          const { status, stderr } = await run("--token-stdin");
          if (status !== 0) {
            const isSame = JSON.stringify(await fileTree(bench.repo)) === JSON.stringify(before);
            if (!isSame) halfWritten++;
            expect(isSame, stderr).toBe(true);
            expect(stderr).toMatch(/✗ [\s\S]*\[[\w.-]+\]/i);
          } else {
            expect((await run("check")).status).toBe(0);
            const logout = await run("logout --yes");
            expect(logout.status).toBe(/\[(env-)?file\.unusable\]/.test(logout.stderr) ? 3 : 0);
          }
          expect([0, 2, 3]).toContain(status);
          for (const path of Object.keys(await fileTree(bench.home))) {
            expect(relative(bench.home, path)).toMatch(/^\.(cache|local|config)/);
          }
        } finally {
          for (const each of finished.reverse()) await each();
        }
      });
      await fc.assert(property, { seed: SEED, numRuns: runs, endOnFailure: true });
      figures("hostile repo", { runs, faults, lost: 0, halfWritten, leftOver: 0 });
    },
    60_000 * COUNT,
  );
});
