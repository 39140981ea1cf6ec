import { describe, expect, it } from "vitest";
import { startOf } from "../../../../src/concerns/token/command-start.ts";
import { pinsOf } from "../../../../src/concerns/token/pins.ts";
import { growthOf, LINEAR } from "../../../fixtures/cpu.ts";
import { type Entry, memoryFiles } from "../../memory-files.ts";

const TOP = "/home/u/src/acme";
const BASE = `${TOP}/infra`;
const PATH = `${TOP}/bin:bin::/home/u/bin:/usr/bin`;

/** "pinned: …" or why not. Paths of files are relative to the repo's top folder, arguments to infra/. */
async function judged(
  command: readonly string[],
  files: Readonly<Record<string, Entry>> = {},
  home = "/home/u",
): Promise<string> {
  const inRepo = memoryFiles(TOP, { "infra/main.tf": "", ...files });
  const pins = await pinsOf(command, { base: BASE, top: TOP, home, path: PATH }, inRepo);
  if (pins.kind === "unpinned") return pins.why;
  const paths = pins.files.map(({ path }) => path.slice(TOP.length + 1));
  return ["pinned:", ...paths.sort()].join(" ");
}

const sh = (line: string) => ["sh", "-c", line];

describe("a program outside the repo", () => {
  it.each<string[]>([
    ["op", "read", "op://Private/DigitalOcean/token"],
    ["op", "--account=acme", "item", "get", "x"],
    ["vault", "kv", "get", "-field=token", "secret/do"],
    ["aws", "secretsmanager", "get-secret-value", "--secret-id", "do", "--profile", "prod"],
    ["doppler", "secrets", "get", "DO_TOKEN", "--plain", "--project", "acme"],
    ["/opt/homebrew/bin/op", "read", "op://a/b"],
    ["cat", "/run/secrets/do"],
    ["sh", "-c", "op read op://Private/DigitalOcean/token"],
  ])("is pinned if its arguments only print a secret: %j", async (...command) => {
    expect(await judged(command)).toBe("pinned:");
  });

  it.each<string[]>([
    ["acme-token"],
    ["/home/u/src/other/bin/op", "read", "x"],
    ["/bin/../home/u/src/other/op", "read", "x"],
    ["op", "run", "--", "make", "token"],
    ["op", "--config", "x", "read", "op://a"],
    ["sops", "exec-env", "x.yaml", "make"],
    ["vault", "agent"],
    ["aws", "ssm", "start-session"],
    ["doppler", "run", "--project=x", "make"],
    ["doppler", "secrets", "get", "TOKEN"],
    ["make", "token"],
    ["npm", "run", "-s", "token"],
    ["npx", "token"],
    ["env", "-C", "scripts", "./x"],
    ["env", "./x"],
    ["xargs", "sh"],
    ["find", ".", "-exec", "sh", "{}", ";"],
    ["git", "token"],
    ["direnv", "exec", ".", "x"],
    ["mise", "exec", "--", "x"],
    ["docker", "exec", "dev", "make"],
    ["ssh", "localhost", "src/acme/x"],
    ["go", "run", "./cmd/token"],
    ["time", "./x"],
    ["sudo", "./x"],
    ["python3", "-m", "token_tool"],
    ["python3", "-c", "import x"],
    ["node", "-e", "require('./x')"],
    ["perl", "-Ilib", "x.pl"],
    ["bash", "-lc", "op read x"],
    ["bash", "--rcfile", "x", "y.sh"],
    ["sh"],
    [""],
  ])("is not pinned if it may start other programs: %j", async (...command) => {
    expect(await judged(command)).toMatch(
      /^do-bootstrap can't tell what .* runs$|^the first argument of \S+ is not a script$/,
    );
  });
});

describe("a shell line", () => {
  it.each([
    "cd scripts && ./x",
    "$PWD/x",
    "./x; ./y",
    "./x | cat",
    "./{x,y}",
    "./x*",
    "./$(cat name)",
    "./`cat name`",
    "~/src/acme/x",
    'eval "./x"',
    ". ./x > /dev/null",
    "op read 'a'\\''b'",
    "./x\n./y",
    "./x #",
    "A=1 ./x",
    "<./x sh",
  ])("is not pinned if it is not a plain command: %j", async (line) => {
    expect(await judged(sh(line), { "infra/x": "" })).toBe(
      "sh -c runs more than one plain command",
    );
  });

  it.each(["cd scripts", ". ./x", "source ./x", "exec ./x", "command ./x", "make x"])(
    "is judged by its program: %s",
    async (line) => {
      expect(await judged(sh(line), { "infra/x": "" })).toBe(
        `do-bootstrap can't tell what ${line.split(" ")[0]} runs`,
      );
    },
  );
});

describe("the repo's files", () => {
  const SCRIPT = "infra/token.sh";
  const LIB = { "infra/lib.sh": "", "lib.sh": "", "scripts/lib.sh": "" };

  it.each<[what: string, command: string[], files: Record<string, Entry>, pinned: string]>([
    ["a script by its path", ["./token.sh"], {}, SCRIPT],
    ["a script that a shell runs", ["sh", "token.sh", "read"], {}, SCRIPT],
    ["a script in a shell line", sh("./token.sh read"), {}, SCRIPT],
    ["a file above the config's folder", ["bash", "../x.sh"], { "x.sh": "" }, "x.sh"],
    [
      "an argument of a script",
      ["./token.sh", "a.txt"],
      { "infra/a.txt": "" },
      `infra/a.txt ${SCRIPT}`,
    ],
    [
      "a file named in a script's argument",
      ["./token.sh", "a.txt"],
      { "infra/a.txt": ". ./y.sh", "infra/y.sh": "" },
      `infra/a.txt ${SCRIPT} infra/y.sh`,
    ],
    ["a file after =", ["age", "-d", "--identity=a.txt"], { "infra/a.txt": "" }, "infra/a.txt"],
    ["a file after @", ["vault", "read", "x", "@a.txt"], { "infra/a.txt": "" }, "infra/a.txt"],
    ["a file after a short option", ["age", "-d", "-ia.txt"], { "infra/a.txt": "" }, "infra/a.txt"],
    ["a file after file:", ["cat", "file:a.txt"], { "infra/a.txt": "" }, "infra/a.txt"],
    [
      "a file with a space in its name",
      ["cat", "a b.txt"],
      { "infra/a b.txt": "" },
      "infra/a b.txt",
    ],
    [
      "a link inside the repo",
      ["cat", "a"],
      { "infra/a": { text: "", leadsTo: `${TOP}/x` } },
      "infra/a",
    ],
    [
      "an executable that an option names",
      ["gpg", "-d", "--agent-program=x"],
      {
        "infra/x": { text: ". ./y.sh", mode: 0o755 },
        "infra/y.sh": "",
      },
      "infra/x infra/y.sh",
    ],
  ])("are pinned: %s", async (_, command, files, pinned) => {
    expect(await judged(command, { [SCRIPT]: "echo", ...files })).toBe(`pinned: ${pinned}`);
  });

  it.each<[text: string, pinned: string]>([
    [". ./lib.sh", "infra/lib.sh lib.sh"],
    ["source $PWD/lib.sh", "infra/lib.sh lib.sh"],
    ['. "$(dirname "$0")/lib.sh"', "infra/lib.sh lib.sh"],
    ['. "${BASH_SOURCE%/*}/../scripts/lib.sh"', "scripts/lib.sh"],
    ["ROOT=`pwd`; bash ${ROOT}/scripts/lib.sh", "scripts/lib.sh"],
    ['cd "$(dirname "$0")/.."; . scripts/lib.sh', "scripts/lib.sh"],
    ["# needs scripts/lib.sh", "scripts/lib.sh"],
    ['require("./lib")', "infra/lib.sh lib.sh"],
    ["x --file=../scripts/lib.sh", "scripts/lib.sh"],
    ["op read op://infra/token # a folder's name is a word", ""],
  ])("are pinned if a script names them: %s", async (text, pinned) => {
    const all = [...pinned.split(" ").filter(Boolean), SCRIPT].sort().join(" ");
    expect(await judged(["sh", "token.sh"], { [SCRIPT]: text, ...LIB })).toBe(`pinned: ${all}`);
  });

  it("are pinned if scripts name each other", async () => {
    const files = { [SCRIPT]: ". ./a.sh", "infra/a.sh": ". ./b.sh", "infra/b.sh": "sh token.sh" };
    expect(await judged(["./token.sh"], files)).toBe(`pinned: infra/a.sh infra/b.sh ${SCRIPT}`);
  });

  it.each<[what: string, command: string[], files: Record<string, Entry>, why: RegExp]>([
    [
      "an argument is a folder",
      ["vault", "read", "keys"],
      { "infra/keys/a": "" },
      /^keys is a directory$/,
    ],
    ["a folder after =", ["gpg", "-d", "--homedir=keys"], { "infra/keys/a": "" }, /^keys is a dir/],
    ["an argument is the config's folder", ["./token.sh", "."], {}, /^\. is a directory$/],
    [
      "a script is a folder",
      ["python3", "app"],
      { "infra/app/__main__.py": "" },
      /^app is a directory/,
    ],
    ["a script does not exist", ["sh", "none.sh"], {}, /^none.sh is not a file of this repo$/],
    ["a script is outside the repo", ["sh", "/opt/x.sh"], {}, /is not a file of this repo$/],
    [
      "an argument is outside the repo",
      ["cat", "../../x"],
      {},
      /^\.\.\/\.\.\/x is outside this repo$/,
    ],
    [
      "a link resolves outside the repo",
      ["./a"],
      { "infra/a": { text: "", leadsTo: "/opt/a" } },
      /^a is a link that leads outside/,
    ],
    [
      "a parent folder is a link to outside the repo",
      ["cat", "d/a"],
      { "infra/d": { leadsTo: "/opt" }, "infra/d/a": "" },
      /is a link that leads outside/,
    ],
    ["a FIFO", ["cat", "a"], { "infra/a": { fifo: "" } }, /^a is a FIFO$/],
    [
      "an unreadable file",
      ["cat", "a"],
      { "infra/a": { unusable: "not readable (EACCES)" } },
      /^a is not readable/,
    ],
    [
      "an absolute path into the repo",
      ["cat", `${TOP}/x`],
      {},
      /by an absolute path or from outside it/,
    ],
    [
      "an absolute path into the repo, in capitals",
      ["cat", `${TOP.toUpperCase()}/x`],
      {},
      /by an absolute path or from outside it/,
    ],
    [
      "an absolute path into the repo, after -f",
      ["cat", `-f${BASE}/x`],
      {},
      /by an absolute path or from outside it/,
    ],
    [
      "a link into the repo",
      ["cat", "/opt/a"],
      { "/opt/a": { text: "", leadsTo: `${TOP}/x` } },
      /by an absolute path or from outside it/,
    ],
    [
      "a program that is a link into the repo",
      ["/usr/bin/op", "read", "x"],
      { "/usr/bin/op": { text: "", leadsTo: `${TOP}/x` } },
      /by an absolute path or from outside it/,
    ],
    [
      "a link with a space into the repo",
      ["cat", "/opt/a b"],
      { "/opt/a b": { text: "", leadsTo: `${TOP}/x` } },
      /^\/opt\/a b refers to this checkout/,
    ],
    [
      "a path from ~ into the repo",
      ["cat", "~/src/acme/x"],
      {},
      /by an absolute path or from outside it/,
    ],
    [
      "too many files",
      ["./token.sh"],
      {
        [SCRIPT]: range(70)
          .map((n) => `f${n}`)
          .join(" "),
        ...Object.fromEntries(range(70).map((n) => [`infra/f${n}`, ""])),
      },
      /too many files/,
    ],
    [
      "too many bytes",
      ["./token.sh", "a", "b", "c"],
      Object.fromEntries(["a", "b", "c"].map((n) => [`infra/${n}`, { text: Buffer.alloc(3e6) }])),
      /too many files/,
    ],
    ["too many words", ["./token.sh"], { [SCRIPT]: range(5000).join(" ") }, /too long to check/],
  ])("are not pinned: %s", async (_, command, files, why) => {
    expect(await judged(command, { [SCRIPT]: "echo", ...files })).toMatch(why);
  });

  it.each<[text: string, why: RegExp]>([
    ["make -s token", /uses make,/],
    ["/usr/bin/make -s token", /uses make,/],
    ['execSync("npm run token")', /uses npm,/],
    ["python3 -m token_tool", /uses python3 -m,/],
    ["cat $(git rev-parse --show-toplevel)/x", /uses git,/],
    ["x && just token", /uses just,/],
    ["docker exec dev make", /uses docker,/],
    ["ssh localhost x", /uses ssh,/],
    ["cd ..; . ./acme/x", /uses cd,/],
    ["process.chdir(process.env.HOME)", /uses chdir,/],
    ["cat /proc/$PPID/cwd/x", /uses PPID,/],
    ["cat /proc/self/cwd", /reads \/proc, which/],
    [
      "for f in ../scripts/*.sh; do . $f; done",
      /mentions \.\.\/scripts\/: \.\.\/scripts is a directory/,
    ],
    [`. ${TOP}/lib.sh`, /by an absolute path or from outside it/],
    [". ~/src/acme/lib.sh", /by an absolute path or from outside it/],
    ['. "$HOME/src/acme/lib.sh"', /by an absolute path or from outside it/],
    [". ${HOME}/src/acme/lib.sh", /by an absolute path or from outside it/],
    ['readFile(homedir() + "/src/acme/lib.sh")', /by an absolute path or from outside it/],
    ['join(homedir(), "src/acme/lib.sh")', /by an absolute path or from outside it/],
    [". ../../../../../src/acme/lib.sh", /by an absolute path or from outside it/],
    ["find /home/u/src -name lib.sh", /by an absolute path or from outside it/],
    ["find ~ -name lib.sh", /by an absolute path or from outside it/],
    ['. ~/sr"c"/ac\\me/lib.sh', /by an absolute path or from outside it/],
    [". ~/src/ac\\\nme/lib.sh", /by an absolute path or from outside it/],
    [". ~/src/ac?e/l?b.sh", /by an absolute path or from outside it/],
    [". ~/src/acm$(echo e)/l?b.sh", /by an absolute path or from outside it/],
    ['require("/home/u/src/acm\\x65/x")', /by an absolute path or from outside it/],
    ["run_path('/home/u/src/' 'acme/l' + 'ib.py')", /by an absolute path or from outside it/],
    ["cat /dev/../proc/*/cwd/l?b.sh", /reads \/proc, which/],
  ])("are not pinned because of a script's text: %s", async (text, why) => {
    expect(await judged(["sh", "token.sh"], { [SCRIPT]: text, ...LIB })).toMatch(why);
  });

  it.each([
    "# we make it, and go on; cd is not used",
    "echo 'no task here: go away'",
    "#!/usr/bin/env bash",
    "cat /home/other /etc/host* ~/.config/x 2>/dev/null | sed 's/a/b/' | tr -d '\"'",
  ])("are pinned if a script's text is harmless: %s", async (text) => {
    expect(await judged(["./token.sh"], { [SCRIPT]: `${text}\n` })).toBe(`pinned: ${SCRIPT}`);
  });

  it.each<[what: string, at: string, leadsTo: string, why: RegExp]>([
    [
      "a link into the repo",
      "/home/u/bin/helper",
      `${TOP}/helper`,
      /uses \/home\/u\/bin\/helper, a link into this repo/,
    ],
    ["a link to outside the repo", "/home/u/bin/helper", "/opt/helper", /^pinned/],
    [
      "a Node package that is a link into the repo",
      "/home/u/node_modules/helper",
      TOP,
      /uses \/home\/u\/node_modules\/helper, a link into this repo/,
    ],
    [
      "a program in the repo, where it is not searched",
      `${TOP}/bin/helper`,
      `${TOP}/bin/helper`,
      /^pinned/,
    ],
  ])("with a script that uses a program on PATH: %s", async (_, at, leadsTo, why) => {
    const files = { [SCRIPT]: "helper read", [at]: { text: "", leadsTo } };
    expect(await judged(["./token.sh"], files)).toMatch(why);
  });

  it.each(["/home/u/src/acme", "/home/u/src/acme/.home"])(
    "are not pinned if HOME is %s",
    async (home) => {
      expect(await judged(["op", "read", "x"], {}, home)).toMatch(/^HOME is inside this checkout/);
    },
  );
});

it("a long text in a repo is checked in linear time", async () => {
  const parts = [" ", "a", "/", "$", "${", "~", "../", "-", ";", "cd ", "python1", "\t#"];
  const judge = async (size: number) => {
    for (const text of parts.map((part) => part.repeat(size))) {
      startOf(sh(text));
      startOf(["doppler", text]);
      await judged(["./t"], { "infra/t": text });
    }
  };
  expect(await growthOf(judge, 10_000)).toBeLessThan(LINEAR);
});

function range(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at);
}
