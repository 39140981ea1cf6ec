import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it, onTestFinished } from "vitest";
import { onPath } from "../fixtures/on-path.ts";
import { type Workbench, workbench } from "../fixtures/workbench.ts";

const SCRIPT = "integrations/install.sh";
const NAME = `do-bootstrap-${process.platform}-${process.arch}`;
const BINARY = "#!/bin/sh\necho 1.2.3\n";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const sums = (sum: string) => `${sha256("x")}  do-bootstrap-1.2.3.tgz\n${sum}  ${NAME}\n`;
const RELEASE = { SHA256SUMS: sums(sha256(BINARY)), [NAME]: BINARY };

const SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "sh"]].flatMap(
  ([name = "", ...words]) => {
    const path = onPath(name);
    return path ? [[name, [path, ...words]] as const] : [];
  },
);
const tools = ["curl", "sha256sum", "uname", "mkdir", "chmod", "mv", "rm"];
const missing = tools.filter((name) => !onPath(name));
const needs = missing.length > 0 || SHELLS.length === 0 ? ` (needs ${missing} and a shell)` : "";

describe.skipIf(needs)(`install.sh${needs}`, () => {
  it.each(SHELLS)(
    "installs the binary for this system with a right checksum: %s",
    async (_, shell) => {
      const { install, folder } = await machine(RELEASE);
      const { status, said } = await install({ shell });
      expect(said).toContain(`Installed do-bootstrap 1.2.3: ${folder}/do-bootstrap\n`);
      expect(said).toContain(`export PATH="${folder}:$PATH"`);
      expect(status).toBe(0);
      expect(await readdir(folder)).toEqual(["do-bootstrap"]);
      expect((await stat(join(folder, "do-bootstrap"))).mode & 0o777).toBe(0o755);
      expect((await install({ shell })).status).toBe(0);
    },
  );

  it("installs into the folder that is named, also with spaces", async () => {
    const { install, bench } = await machine(RELEASE);
    const folder = join(bench.root, "my tools");
    expect((await install({ args: [folder] })).status).toBe(0);
    expect(await readdir(folder)).toEqual(["do-bootstrap"]);
  });

  it("with DO_BOOTSTRAP_SHA256: needs no list of the release", async () => {
    const { install } = await machine({ [NAME]: BINARY });
    expect((await install({ env: { DO_BOOTSTRAP_SHA256: sha256(BINARY) } })).status).toBe(0);
  });

  it.each<[what: string, files: Record<string, string>, env: Record<string, string>, said: string]>(
    [
      [
        "another checksum",
        { ...RELEASE, [NAME]: `${BINARY}#` },
        {},
        "has the wrong checksum, so it was not installed",
      ],
      [
        "another checksum than DO_BOOTSTRAP_SHA256",
        RELEASE,
        { DO_BOOTSTRAP_SHA256: sha256("x") },
        "wrong checksum",
      ],
      [
        "a list without the binary",
        { ...RELEASE, SHA256SUMS: "" },
        {},
        "The release has no binary",
      ],
      ["no list", { [NAME]: BINARY }, {}, "Could not download"],
      ["no binary", { SHA256SUMS: sums(sha256(BINARY)) }, {}, "Could not download"],
      [
        "a binary that does not start",
        { SHA256SUMS: sums(sha256("#!/nowhere\n")), [NAME]: "#!/nowhere\n" },
        {},
        "does not start on this system",
      ],
      ["no address", RELEASE, { DO_BOOTSTRAP_RELEASE: "" }, "Set DO_BOOTSTRAP_RELEASE"],
      [
        "plain http to another host",
        RELEASE,
        { DO_BOOTSTRAP_RELEASE: "http://example.com/x" },
        "starts with https://",
      ],
      [
        "another host behind an @",
        RELEASE,
        { DO_BOOTSTRAP_RELEASE: "http://127.0.0.1:1@example.com/x" },
        "must not contain @",
      ],
      [
        "another host behind the port",
        RELEASE,
        { DO_BOOTSTRAP_RELEASE: "http://127.0.0.1:1.example.com/x" },
        "no valid port",
      ],
      ["a file", RELEASE, { DO_BOOTSTRAP_RELEASE: "file:///etc" }, "starts with https://"],
    ],
  )("installs nothing and keeps the old binary: %s", async (_, files, env, text) => {
    const { install, folder, asked } = await machine(files);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "do-bootstrap"), "old");
    const { status, said } = await install({ env });
    expect(said).toContain(text);
    expect(status).toBe(1);
    expect(await readdir(folder)).toEqual(["do-bootstrap"]);
    expect(await readFile(join(folder, "do-bootstrap"), "utf8")).toBe("old");
    if ("DO_BOOTSTRAP_RELEASE" in env) expect(asked).toEqual([]);
  });

  it("ignores the user's .curlrc and proxy", async () => {
    const { install, bench } = await machine(RELEASE);
    await writeFile(
      join(bench.home, ".curlrc"),
      'url = "http://127.0.0.1:9/"\nproxy = "127.0.0.1:9"\n',
    );
    expect((await install({ env: { http_proxy: "http://127.0.0.1:9" } })).status).toBe(0);
  });

  it.each([
    ["SunOS", "x86_64", "There is no binary for SunOS"],
    ["Linux", "riscv64", "There is no binary for riscv64"],
    ["Darwin", "arm64", "The release has no binary do-bootstrap-darwin-arm64."],
    ["MINGW64_NT-10.0", "x86_64", "The release has no binary do-bootstrap-win32-x64.exe."],
  ])("on %s %s: %s", async (system, machineName, text) => {
    const { install, bench } = await machine(RELEASE);
    const uname = `#!/bin/sh\ncase $1 in -s) echo ${system} ;; -m) echo ${machineName} ;; *) exit 9 ;; esac\n`;
    await writeFile(join(bench.bin, "uname"), uname);
    await chmod(join(bench.bin, "uname"), 0o755);
    expect((await install()).said).toContain(text);
  });
});

interface Call {
  readonly shell?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A machine with a release on loopback. PATH has only the tools that the script says it needs. */
async function machine(files: Readonly<Record<string, string>>) {
  const bench: Workbench = await workbench({ git: false });
  const asked: string[] = [];
  const server = createServer(({ url = "" }, answer) => {
    asked.push(url);
    const text = files[url.replace("/v1.2.3/", "")];
    answer.writeHead(text === undefined ? 404 : 200).end(text);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  const bin = join(bench.root, "tools");
  await mkdir(bin);
  for (const name of tools) {
    const text = `#!/bin/sh\nexec ${onPath(name)} "$@"\n`;
    await writeFile(join(bin, name), text, { mode: 0o755 });
  }
  const release = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1.2.3`;
  const base = { HOME: bench.home, PATH: `${bench.bin}:${bin}`, DO_BOOTSTRAP_RELEASE: release };
  return {
    ...{ asked, bench, folder: join(bench.home, ".local/bin") },
    async install({ shell = SHELLS[0]?.[1] ?? [], args = [], env = {} }: Call = {}) {
      const [file = "", ...words] = shell;
      const { exitCode, all } = await execa(file, [...words, SCRIPT, ...args], {
        ...{ env: { ...base, ...env }, extendEnv: false, reject: false, all: true },
        stripFinalNewline: false,
      });
      return { status: exitCode, said: all };
    },
  };
}
