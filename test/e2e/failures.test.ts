import type { ChildProcess } from "node:child_process";
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import { describe, type ExpectStatic, it, type TestContext } from "vitest";
import { tryToMount } from "../fixtures/mount.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { fileTree } from "../fixtures/tree.ts";
import { type RunOptions, randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

const IS_ROOT = process.getuid?.() === 0;
const OTHER_TEAM = { uuid: "0af1c3de-other", name: "Other Team" };
const OTHER = randomToken();
const STDIN = ["--token-stdin"];

describe.concurrent("odd states of doctl's config (docs/contracts/doctl.md 4)", () => {
  /** T is our token, O is another team's; `after` undefined: not a byte changes. */
  type Row = readonly [
    name: string,
    before: string | Buffer,
    status: number,
    says: RegExp,
    after?: string,
  ];
  const broken =
    /doctl's config is not YAML that doctl can read: \S+config\.yaml[\s\S]*\[doctl\.config-broken\]/;
  const rows: Row[] = [
    [
      "BOM",
      "\uFEFFaccess-token: O\n",
      0,
      /made/,
      '\uFEFFaccess-token: O\nauth-contexts:\n  acme-web: "T"\n',
    ],
    [
      "CRLF",
      "access-token: O\r\noutput: text\r\n",
      0,
      /made/,
      'access-token: O\r\noutput: text\r\nauth-contexts:\r\n  acme-web: "T"\r\n',
    ],
    [
      "a duplicate key: the last one counts",
      "access-token: x\naccess-token: O\n",
      0,
      /made/,
      'access-token: x\naccess-token: O\nauth-contexts:\n  acme-web: "T"\n',
    ],
    [
      "a number",
      "access-token: 12345\nauth-contexts:\n  other: O\n",
      0,
      /made/,
      'access-token: 12345\nauth-contexts:\n  other: O\n  acme-web: "T"\n',
    ],
    [
      "true",
      "access-token: true\nauth-contexts:\n  other: O\n",
      0,
      /made/,
      'access-token: true\nauth-contexts:\n  other: O\n  acme-web: "T"\n',
    ],
    [
      "null",
      "access-token: ~\nauth-contexts:\n  other: O\n",
      0,
      /made/,
      'access-token: ~\nauth-contexts:\n  other: O\n  acme-web: "T"\n',
    ],
    [
      "a list as the token",
      "access-token: [ a ]\nauth-contexts:\n  other: O\n",
      0,
      /made/,
      'access-token: [ a ]\nauth-contexts:\n  other: O\n  acme-web: "T"\n',
    ],
    ["only null: counts as no token", "access-token: ~\n", 0, /made/, 'access-token: "T"\n'],
    ["not valid UTF-8", Buffer.from("access-token: \xff\xfe\n", "latin1"), 3, broken],
    ["a top-level list", "- access-token: O\n", 3, broken],
    ["a tab as an indent", "auth-contexts:\n\tother: O\n", 3, broken],
    ["malformed", "access-token: 'O\n", 3, broken],
  ];
  for (const [name, before, status, says, after] of rows) {
    it(`${name} (${status})`, async (context) => {
      const { bench, config, init, fill, expect } = await arrange(context);
      const bytes = typeof before === "string" ? Buffer.from(fill(before)) : before;
      await put(config, bytes);
      await execa("touch", ["-d", "2 minutes ago", config]);
      const result = await init();
      expect(result.stderr).toMatch(says);
      expect(result.status, result.stderr).toBe(status);
      const now = await readFile(config);
      expect(now.toString()).toBe(after === undefined ? bytes.toString() : fill(after));
      if (status !== 0) await expectNoSecret(expect, bench);
      else expect((await bench.run(["check"])).status).toBe(0);
    });
  }

  it("a directory (3)", async (context) => {
    const { bench, config, init, expect } = await arrange(context);
    await mkdir(config, { recursive: true });
    const { status, stderr } = await init();
    expect(stderr).toMatch(
      /doctl's config is a directory: \S+config\.yaml\s+\[doctl\.config-broken\]/,
    );
    expect(status).toBe(3);
    await expectNoSecret(expect, bench);
  });

  it("not readable by this user (3)", async (context) => {
    const { bench, config, init, fill, expect } = await arrange(context);
    await put(config, fill("access-token: O\n"));
    await chmod(config, 0);
    const { status, stderr } = await init(STDIN, await asSomebody(bench));
    expect(stderr).toMatch(
      /doctl's config is not readable \(EACCES\): \S+\s+\[doctl\.config-broken\]/,
    );
    expect(stderr).not.toMatch(/killed doctl can leave a broken config/);
    expect(status).toBe(3);
    if (IS_ROOT) expect(await readFile(config, "utf8")).toBe(fill("access-token: O\n"));
    await expectNoSecret(expect, bench);
  });

  it("in a folder that is not writable (1 or 3): nothing changes", async (context) => {
    const { bench, config, init, fill, expect } = await arrange(context);
    await put(config, fill("access-token: O\n"));
    const who = await asSomebody(bench);
    await chmod(dirname(config), 0o500);
    context.onTestFinished(() => chmod(dirname(config), 0o700));
    const { status, stderr } = await init(STDIN, who);
    expect(stderr).toMatch(
      /\S*\.config\/doctl\S* (could not be created|is not writable)[\s\S]*EACCES/,
    );
    expect(stderr).toMatch(/→ /);
    expect(stderr).not.toContain("bug in do-bootstrap");
    expect([1, 3]).toContain(status);
    expect(await readFile(config, "utf8")).toBe(fill("access-token: O\n"));
    await expectNoSecret(expect, bench);
  });

  it("a link: stays a link, and its target gets both logins", async (context) => {
    const { bench, config, init, fill, expect } = await arrange(context);
    const target = join(bench.home, "dotfiles", "doctl.yaml");
    bench.mayHold("../home/dotfiles/doctl.yaml");
    await put(target, fill("access-token: O\n"));
    await mkdir(dirname(config), { recursive: true });
    await symlink(target, config);
    expect((await init()).status).toBe(0);
    expect((await lstat(config)).isSymbolicLink()).toBe(true);
    expect(await readFile(target, "utf8")).toBe(
      fill('access-token: O\nauth-contexts:\n  acme-web: "T"\n'),
    );
  });

  it.for(["there", "missing"])(
    "a dangling link, its folder %s: the target is created",
    async (folder, context) => {
      const { bench, config, init, fill, expect } = await arrange(context);
      const target = join(bench.home, "dotfiles", "doctl.yaml");
      bench.mayHold("../home/dotfiles/doctl.yaml");
      if (folder === "there") await mkdir(dirname(target));
      await mkdir(dirname(config), { recursive: true });
      await symlink(target, config);
      const { status, stderr } = await init();
      expect(status, stderr).toBe(0);
      expect((await lstat(config)).isSymbolicLink()).toBe(true);
      expect(await readFile(target, "utf8")).toBe(fill('access-token: "T"\n'));
      expect((await lstat(target)).mode & 0o777).toBe(0o600);
    },
  );

  it("a hard link: stores both logins; the other name keeps the old content", async (context) => {
    const { bench, config, init, fill, expect } = await arrange(context);
    const other = join(bench.home, "backup.yaml");
    bench.mayHold("../home/backup.yaml");
    await put(other, fill("access-token: O\n"));
    await mkdir(dirname(config), { recursive: true });
    await link(other, config);
    expect((await init()).status).toBe(0);
    expect(await readFile(config, "utf8")).toBe(
      fill('access-token: O\nauth-contexts:\n  acme-web: "T"\n'),
    );
    expect(await readFile(other, "utf8")).toContain(OTHER);
  });

  it("0 bytes for 3 s: waits, says so, and keeps the contexts", async (context) => {
    const { bench, config, fill, expect } = await arrange(context);
    await put(config, "");
    const run = underWay(bench, STDIN, bench.token);
    await run.says(/Waiting for doctl to finish writing its config …\n/);
    await expectNoSecret(expect, bench);
    await new Promise((later) => setTimeout(later, 3000));
    await writeFile(config, fill("access-token: O\nauth-contexts:\n  more: O\n"));
    expect(await run.exit).toBe(0);
    expect(await readFile(config, "utf8")).toBe(
      fill('access-token: O\nauth-contexts:\n  more: O\n  acme-web: "T"\n'),
    );
  });
});

describe.concurrent("a tool that misbehaves", () => {
  it("a doctl that hangs: says so; Ctrl-C exits with 130 and changes nothing", async (context) => {
    const { bench, config, fill, expect } = await arrange(context, { mode: "hang" });
    await put(config, fill("access-token: O\n"));
    const before = await userFiles(bench);
    const run = underWay(bench, STDIN, bench.token);
    await run.says(/Checking the token with doctl …\n/);
    run.child.kill("SIGINT");
    expect(await run.exit).toBe(130);
    expect(run.text()).toMatch(/✗ Interrupted/);
    expect(await userFiles(bench)).toEqual(before);
  });

  it.for(["megabytes", "die-by-signal"] as const)(
    "a doctl with %s: other logins stay",
    async (mode, context) => {
      const { bench, config, init, fill, expect } = await arrange(context, {
        mode,
        writeDelayMs: 0,
      });
      await put(config, fill("access-token: O\n"));
      const { status, stderr } = await init();
      expect(status, stderr).toBe(0);
      expect(stderr.length).toBeLessThan(5000);
      if (mode === "die-by-signal") expect(stderr).toMatch(/! doctl could not check the token \(/);
      expect(await readFile(config, "utf8")).toBe(
        fill('access-token: O\nauth-contexts:\n  acme-web: "T"\n'),
      );
      expect(Object.keys(await fileTree(bench.tmp))).toEqual([]);
    },
  );

  const says = (what: string) =>
    `for (let i = 0; i < 50_000; i++) process.${what}.write("terraform has much to say\\n");`;
  it.for([
    ["prints megabytes and works", says("stdout"), undefined],
    [
      "prints megabytes and fails",
      `${says("stderr")} process.exitCode = 1;`,
      /terraform init[\s\S]*failed: exit status 1/,
    ],
    [
      "is killed by a signal",
      'process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 99);',
      /failed: .*signal/,
    ],
    [
      "prints escape codes",
      'process.stderr.write("\\x1b]0;owned\\x07\\x1b[31mred\\n"); process.exitCode = 1;',
      /\\x1b\]0;owned\\x07/,
    ],
    [
      "prints another service's secret",
      'process.stderr.write("aws: AK" + "IAIOSFODNN7EXAMPLE is no key of https://me:p4ss@host/\\n"); process.exitCode = 1;',
      /aws: \[redacted\] is no key of https:\/\/me:\[redacted\]@host/,
    ],
    [
      "prints a token",
      `process.stderr.write("token=${OTHER}\\n"); process.exitCode = 1;`,
      /failed: exit status 1/,
    ],
  ] as const)("a terraform that %s: the files stay", async ([, code, warning], context) => {
    const { bench, init, expect } = await arrange(context);
    await fakeTerraform(bench, code);
    const { status, stderr } = await init();
    expect(status, stderr).toBe(0);
    expect(stderr.length).toBeLessThan(5000);
    expect(stderr).not.toMatch(/[\x00-\x08\x0b-\x1f]/);
    expect(stderr).not.toContain(OTHER.slice(7, 23));
    if (warning) expect(stderr).toMatch(warning);
    if (warning)
      expect(stderr).toMatch(/! [\s\S]*The files are written\.[\s\S]*\[terraform\.failed\]/);
    else expect(stderr).not.toContain("terraform.failed");
    expect(await bench.read(".env")).toContain(bench.token);
    expect(await bench.read("versions.tf")).toContain("required_providers");
  });

  it("a terraform that hangs: says so; Ctrl-C exits with 130 and keeps the files", async (context) => {
    const { bench, expect } = await arrange(context);
    await fakeTerraform(bench, "setInterval(() => {}, 99);");
    const run = underWay(bench, STDIN, bench.token);
    await run.says(/terraform init.* in acme-web …\n/);
    run.child.kill("SIGINT");
    expect(await run.exit).toBe(130);
    expect(await bench.read(".env")).toContain(bench.token);
    expect(run.text()).toMatch(/✗ Interrupted/);
    expect(run.text()).not.toContain("Nothing was changed");
  });
});

const OK = { account: { uuid: "u", team: { uuid: "t", name: "Team" } } };
const JSON_TYPE = { "content-type": "application/json" };

describe.concurrent("an API that misbehaves", () => {
  type Answer = (response: ServerResponse) => void;
  const drip: Answer = (response) => {
    response.writeHead(200, JSON_TYPE).write("{");
    const timer = setInterval(() => response.write(" "), 100);
    response.on("close", () => clearInterval(timer));
  };
  const flood: Answer = (response) => {
    response.writeHead(200, JSON_TYPE);
    const chunk = " ".repeat(1024 * 1024);
    let left = 100;
    const more = (): void => {
      while (left-- > 0) if (!response.write(chunk)) return void response.once("drain", more);
      response.end(JSON.stringify(OK));
    };
    more();
  };
  const headers: Answer = (response) => {
    const many = Array.from({ length: 500 }, (_, i) => [`x-${i}`, "x".repeat(400)]);
    response.writeHead(200, { ...JSON_TYPE, ...Object.fromEntries(many) }).end(JSON.stringify(OK));
  };
  const zipped: Answer = (response) =>
    response
      .writeHead(200, { ...JSON_TYPE, "content-encoding": "gzip" })
      .end(gzipSync(JSON.stringify(OK)));
  const rows: readonly (readonly [name: string, answer: Answer, says: RegExp])[] = [
    ["sends spaces forever", drip, /GET \/v2\/account\): no answer in time/],
    ["answers with 100 MB", flood, /it answered with more than 1 MB/],
    ["answers with gzip without being asked", zipped, /it answered 200 (with invalid JSON|.*gzip)/],
    ["answers with huge headers", headers, /headers/],
  ];
  for (const [name, answer, says] of rows) {
    it(`${name}: exits with 7 and writes nothing`, async (context) => {
      const { bench, init, expect } = await arrange(context);
      const env = await server(context, answer);
      const before = await userFiles(bench);
      const { status, stderr } = await init(STDIN, { env });
      expect(stderr).toMatch(says);
      expect(stderr).toMatch(/\[token\.unverified\]\s+→ Fix the network/);
      expect(status).toBe(7);
      expect(await userFiles(bench)).toEqual(before);
    });
  }

  it.for([
    [
      "escape codes",
      Buffer.from("\\u001b[2J\\u001b]0;owned\\u0007\\r\\n\\u009b31m"),
      /\\x1b\[2J\\x1b\]0;owned/,
    ],
    ["a right-to-left override", Buffer.from("\\u202egro"), /\\x202egro/],
    ["invalid UTF-8", Buffer.from([0xff, 0xfe, 0x41]), /\uFFFD+A/],
  ] as const)(
    "a team name with %s is printed without control characters",
    async ([, name, shown], context) => {
      const { bench, init, expect } = await arrange(context);
      const body = Buffer.concat([
        Buffer.from('{"account":{"uuid":"u","team":{"uuid":"t","name":"'),
        name,
        Buffer.from('"}}}'),
      ]);
      bench.sandbox.answer("GET /v2/account", { status: 200, headers: JSON_TYPE, body });
      const first = await init();
      const again = await bench.run([]);
      const json = await bench.run(["check", "--json"]);
      expect(first.status, first.stderr).toBe(0);
      for (const { stdout, stderr } of [first, again, await bench.run(["check"])]) {
        expect(stdout + stderr).toMatch(shown);
        expect(stdout + stderr).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
      }
      expect(json.stdout).toMatch(/^[^\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]+$/);
    },
  );
});

const [MOUNT, UMOUNT] = ["mount", "umount"] as const;
const canMount = IS_ROOT && process.platform === "linux" && (await tryToMount());
const needsMount = canMount
  ? ""
  : " (needs root and a mount, for which mount and umount read /proc)";

describe.skipIf(!canMount).concurrent(`disk errors${needsMount}`, () => {
  it.for([0, 1, 2, 3, 4])(
    "the repo's disk has %i free pages: exits with 1 and changes nothing",
    async (pages, context) => {
      const { bench, init, expect } = await arrange(context);
      await mounted(context, bench.repo, "size=256k");
      await bench.git("init", "--quiet");
      await bench.write(".gitignore", "*.log\n");
      await bench.write(".env", "PORT=80\n", 0o644);
      await fillUp(bench.repo, pages);
      const before = await userFiles(bench);
      const { status, stderr } = await init();
      expect(stderr).toMatch(/could not be (written|created) \(ENOSPC\)\. /);
      expect(stderr).toMatch(/\[WRITE_FAILED\]\s+→ /);
      expect(status).toBe(1);
      expect(await userFiles(bench)).toEqual(before);
    },
  );

  it.for([0, 1, 2])(
    "doctl's disk has %i free pages: exits with 1 and changes nothing",
    async (pages, context) => {
      const { bench, config, init, fill, expect } = await arrange(context, { writeDelayMs: 0 });
      await mkdir(dirname(config), { recursive: true });
      await mounted(context, dirname(config), "size=64k");
      await put(config, fill(`access-token: O\n${"# much\n".repeat(1200)}`));
      await fillUp(dirname(config), pages);
      const before = await userFiles(bench);
      const { status, stderr } = await init();
      expect(stderr).toMatch(/could not be (written|created) \(ENOSPC\)\. /);
      expect(stderr).toMatch(/\[WRITE_FAILED\]\s+→ /);
      expect(status).toBe(1);
      expect(await userFiles(bench)).toEqual(before);
    },
  );

  it("doctl's disk has no free inode: exits with 1 and changes nothing", async (context) => {
    const { bench, config, init, fill, expect } = await arrange(context);
    await mkdir(dirname(config), { recursive: true });
    await mounted(context, dirname(config), "size=64k,nr_inodes=2");
    await put(config, fill("access-token: O\n"));
    const before = await userFiles(bench);
    const { status, stderr } = await init();
    expect(stderr).toMatch(/could not be (written|created) \(ENOSPC\)\. /);
    expect(stderr).toMatch(/\[WRITE_FAILED\]\s+→ /);
    expect(status).toBe(1);
    expect(await userFiles(bench)).toEqual(before);
  });

  it.for([
    [
      "the repo",
      (bench: Workbench) => bench.repo,
      3,
      /\S* is not writable \(EROFS\)[\s\S]*\[file\.not-writable\]/,
    ],
    [
      "doctl's folder",
      (bench: Workbench) => join(bench.home, ".config/doctl"),
      1,
      /EROFS[\s\S]*\[WRITE_FAILED\]\s+→ /,
    ],
  ] as const)("%s is read-only: nothing changes", async ([, place, status, says], context) => {
    const { bench, config, init, fill, expect } = await arrange(context);
    await put(config, fill("access-token: O\n"));
    const folder = place(bench);
    await execa(MOUNT, ["--bind", folder, folder]);
    context.onTestFinished(
      async () => void (await execa(UMOUNT, ["-l", folder], { reject: false })),
    );
    await execa(MOUNT, ["-o", "remount,bind,ro", folder]);
    const before = await userFiles(bench);
    const result = await init();
    expect(result.stderr).toMatch(says);
    expect(result.status).toBe(status);
    expect(await userFiles(bench)).toEqual(before);
    expect((await bench.run(["check"], { env: { DIGITALOCEAN_TOKEN: bench.token } })).status).toBe(
      3,
    );
  });
});

async function arrange(context: TestContext, settings: Parameters<typeof fakeDoctl>[1] = {}) {
  const bench = await workbench(context);
  await fakeDoctl(bench.bin, settings);
  bench.sandbox.accept(OTHER, { team: OTHER_TEAM });
  return {
    bench,
    expect: context.expect,
    config: join(bench.home, ".config", "doctl", "config.yaml"),
    init: (args: readonly string[] = STDIN, options: RunOptions = {}) =>
      bench.run(args, { input: bench.token, ...options }),
    fill: (text: string) =>
      text.replace(/(?<=[ "])T(?=["\r\n])/g, bench.token).replace(/(?<=[ '])O(?=\r?\n)/g, OTHER),
  };
}

async function put(file: string, text: string | Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { mode: 0o600 });
}

async function userFiles({ repo, home }: Workbench): Promise<object> {
  return { ...(await fileTree(repo)), ...(await fileTree(home)) };
}

async function expectNoSecret(expect: ExpectStatic, bench: Workbench): Promise<void> {
  expect(JSON.stringify(await userFiles(bench))).not.toContain(bench.token);
}

/** Permissions don't stop root: another user gets the files and runs the program. */
async function asSomebody({ root }: Workbench): Promise<RunOptions> {
  if (!IS_ROOT) return {};
  for (const name of ["", ...(await readdir(root, { recursive: true }))]) {
    const path = join(root, name);
    if (!(await lstat(path)).isSymbolicLink()) await chown(path, 65_534, 65_534);
  }
  return { uid: 65_534 };
}

interface UnderWay {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  text(): string;
  says(what: RegExp): Promise<void>;
}

function underWay(bench: Workbench, args: readonly string[], input: string): UnderWay {
  const child = bench.start(args);
  child.stdin?.end(input);
  let said = "";
  let look = (): void => {};
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    look();
  });
  const exit = new Promise<number | null>((done) => child.on("close", done));
  return {
    child,
    exit,
    text: () => said,
    says: (what) =>
      new Promise((resolve, reject) => {
        look = () => what.test(said) && resolve();
        look();
        void exit.then(() => reject(new Error(`expected ${what} on stderr, got:\n${said}`)));
      }),
  };
}

async function fakeTerraform(bench: Workbench, init: string): Promise<void> {
  const version = 'process.stdout.write(JSON.stringify({ terraform_version: "1.11.4" }))';
  const text = `#!${process.execPath}\nif (process.argv[2] === "version") ${version};\nelse { ${init} }\n`;
  await bench.write("../bin/terraform", text, 0o755);
}

async function server(context: TestContext, answer: (response: ServerResponse) => void) {
  const api = createServer((_, response) => answer(response));
  await new Promise<void>((done) => api.listen(0, "127.0.0.1", done));
  context.onTestFinished(() => {
    api.close();
    api.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  return { DIGITALOCEAN_API_URL: url, DO_BOOTSTRAP_OAUTH_URL: url };
}

async function mounted(context: TestContext, folder: string, options: string): Promise<void> {
  await execa(MOUNT, ["-t", "tmpfs", "-o", options, "tmpfs", folder]);
  context.onTestFinished(async () => void (await execa(UMOUNT, ["-l", folder], { reject: false })));
}

/** Fills a small disk except for some pages. */
async function fillUp(folder: string, pages: number): Promise<void> {
  const page = Buffer.alloc(4096);
  let count = 0;
  const name = (i: number) => join(folder, `.full.${i}`);
  for (;;) {
    try {
      await writeFile(name(count), page);
      count++;
    } catch {
      await execa("rm", ["-f", name(count)]);
      break;
    }
  }
  for (let i = 0; i < pages; i++) await execa("rm", [name(--count)]);
}
