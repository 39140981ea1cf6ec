import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { dir } from "tmp-promise";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ResolvedConfig } from "../../src/concerns/config/resolved.ts";
import { findToken, type TrustGiven } from "../../src/concerns/token/find-token.ts";
import { nodeFiles } from "../../src/host/files.ts";
import type { Environment } from "../../src/host/host.ts";
import { run } from "../../src/host/run.ts";
import { stateOf } from "../../src/host/state.ts";
import { which } from "../../src/host/which.ts";
import { sha256 } from "../../src/lib/sha256.ts";
import { unguardedToken } from "../fixtures/workbench.ts";

const TOKEN = unguardedToken();
const OTHER = unguardedToken();
const PRINTS = `echo ${TOKEN}\n`;
/** Content added to the repo after the command was trusted. */
const EVIL = `echo ${OTHER}\n`;

const isLinux = process.platform === "linux";

/** A repo whose config in `infra` has a token command. Paths are relative to that folder. */
async function repo(command: readonly string[], files: Readonly<Record<string, string>>) {
  const { path: root, cleanup } = await dir({ prefix: "do-bootstrap-", unsafeCleanup: true });
  onTestFinished(() => cleanup());
  const [home, top] = [join(root, "home"), join(root, "home/src/acme")];
  const base = join(top, "infra");
  await mkdir(join(top, ".git"), { recursive: true });
  await mkdir(base);
  const write = async (path: string, text: string) => {
    const file = join(base, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    await chmod(file, 0o755);
  };
  for (const [path, text] of Object.entries(files)) await write(path, text);
  const config = { base, token: { command } } as unknown as ResolvedConfig;

  /** Whose token it is: "ours", "theirs", or why there is none. */
  async function answer(trust?: TrustGiven, more: Environment = {}): Promise<string> {
    const env = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: home, ...more };
    const host = {
      env,
      home: env.HOME,
      files: nodeFiles,
      state: stateOf({ env, platform: "linux" }),
      run: (call: Parameters<typeof run>[0]) => run(call, new AbortController().signal),
      which: async (name: string, notIn: string) => which(name, notIn, { env, platform: "linux" }),
    };
    const nothing = {
      stdin: undefined,
      prompted: undefined,
      inCode: undefined,
      environment: undefined,
    };
    const envFile = { path: join(base, ".env"), values: new Map<string, string>() };
    const sources = { ...nothing, env: {}, envFile, name: "DIGITALOCEAN_TOKEN" };
    const state = await findToken(host, sources, { config, top, trust });
    if (state.kind === "found") return state.token.holds(TOKEN) ? "ours" : "theirs";
    return state.kind === "unavailable" ? `${state.why}: ${state.detail}` : state.kind;
  }
  return { root, home, top, base, write, answer };
}

const sh = (line: string) => ["sh", "-c", line];
const ASKED = "untrusted: it is not trusted on this machine yet";

describe.runIf(isLinux)("a trusted command", () => {
  it.each<[what: string, command: string[], script: string]>([
    ["a script", ["./token.sh"], PRINTS],
    ["a script run by a shell", ["sh", "token.sh"], PRINTS],
    ["a script in a shell line", sh("./token.sh read"), PRINTS],
    ["a script with a library", ["./token.sh"], `#!/bin/sh\n. "$(dirname "$0")/lib.sh"\n${PRINTS}`],
    [
      "a script that changes to its root",
      ["./token.sh"],
      `#!/bin/sh\ncd "$(dirname "$0")/.."\n. infra/lib.sh\n${PRINTS}`,
    ],
    ["a tool that reads a file", ["cat", "token.txt"], ""],
  ])(
    "gives the token again, and asks again when its file changes: %s",
    async (_, command, script) => {
      const files = { "token.sh": script, "lib.sh": "", "token.txt": TOKEN };
      const { base, home, write, answer } = await repo(command, files);
      expect(await answer()).toBe(ASKED);
      expect(await answer("kept")).toBe("ours");
      expect(await answer()).toBe("ours");
      expect(await readdir(join(home, ".local/state/do-bootstrap/run"))).toEqual([]);
      const changed =
        command[0] === "cat" ? "token.txt" : script.includes("lib") ? "lib.sh" : "token.sh";
      await write(changed, EVIL);
      expect(await answer()).toBe(ASKED);
      expect(await answer("once")).not.toBe("ours");
      expect((await readdir(base)).sort()).toEqual(["lib.sh", "token.sh", "token.txt"]);
    },
  );

  // The text does not name these files, so the script runs without them.
  it.each<[what: string, script: string, evil: string]>([
    ["a computed name", 'n=li; . "./${n}b.sh" || true', "lib.sh"],
    ["a glob pattern", "for f in ./*.sh; do . $f; break; done", "aaa.sh"],
    ["braces", "bash -c '. ./l{i,o}b.sh' || true", "lib.sh"],
    ["a folder from a list", "for d in a b; do (. ./$d/x.sh) 2>/dev/null; done", "a/x.sh"],
    ["decoded base64", 'eval "$(echo LiAuL2xpYi5zaA== | base64 -d)" || true', "lib.sh"],
    ["a name found by a program", ". $(find . -name 'l*b.sh') x || true", "lib.sh"],
    ["a tool's file", "M=ma; ${M}ke -s || true", "Makefile"],
    ["a module", "python3 -c 'import tok_en' || true", "tok_en.py"],
    ["a folder of PATH", "PATH=.:$PATH; ec2 || true", "ec2"],
  ])("does not run files that it does not name: %s", async (_, script, evil) => {
    const { write, answer } = await repo(["sh", "token.sh"], {
      "token.sh": `exec 2>/dev/null\n${script}\n${PRINTS}`,
    });
    const before = await answer("kept");
    expect(["ours", expect.stringMatching(/^failed-alone/)]).toContainEqual(before);
    const ends =
      evil === "Makefile"
        ? `all:\n\t@${EVIL}`
        : evil.endsWith(".py")
          ? `print("${OTHER}")`
          : `${EVIL}exit\n`;
    await write(evil, ends);
    expect([before, ASKED]).toContain(await answer());
  });

  it.each<[what: string, env: (base: string) => Environment]>([
    ["BASH_ENV", (base) => ({ BASH_ENV: `${base}/evil.sh` })],
    ["BASH_ENV with a variable in it", () => ({ BASH_ENV: "$HOME/src/acme/infra/evil.sh" })],
    ["BASH_ENV with a shell expansion", () => ({ BASH_ENV: "${HOME%x}/src/acme/infra/evil.sh" })],
    ["a relative BASH_ENV", () => ({ BASH_ENV: "./evil.sh" })],
    ["BASH_ENV through a link", (base) => ({ BASH_ENV: `${base}/../../../link/evil.sh` })],
    ["PATH", (base) => ({ PATH: [`${base}/bin`, "bin", "", "/usr/bin", "/bin"].join(delimiter) })],
    ["PATH through a link", (base) => ({ PATH: `${base}/../../../link/bin:/usr/bin:/bin` })],
  ])("gets no files of the repo through %s", async (_, env) => {
    const { home, base, write, answer } = await repo(["bash", "token.sh"], {
      "token.sh": `od -An -c </dev/null\n${PRINTS}`,
    });
    await symlink(base, join(home, "link"));
    expect(await answer("kept", env(base))).toBe("ours");
    for (const path of ["evil.sh", "bin/od", "bin/bash"])
      await write(path, `#!/bin/sh\n${EVIL}exit\n`);
    expect(await answer(undefined, env(base))).toBe("ours");
  });

  it("gets the other variables, and the error names the missing ones", async () => {
    const { base, answer } = await repo(["sh", "token.sh"], {
      "token.sh": '[ "$VAULT" = x ] && [ "$STORE" ] && echo yes',
    });
    const env = {
      VAULT: "x",
      STORE: `${base}/store`,
      PWD: base,
      npm_package_json: `${base}/package.json`,
    };
    expect(await answer("kept", env)).toBe(
      "failed-alone: exit status 1 (run in a private folder with token.sh from this repo, without the variables STORE)",
    );
    expect(await answer("once", env)).toBe("unusable");
  });
});

describe.runIf(isLinux)("a command that must be allowed each time", () => {
  it.each<[what: string, command: string[], why: RegExp]>([
    ["a build tool", ["make", "-s", "token"], /^unpinned: do-bootstrap can't tell what make runs$/],
    [
      "a shell line with two commands",
      sh("cd . && ./token.sh"),
      /^unpinned: sh -c runs more than one plain command$/,
    ],
    [
      "a script that uses a build tool",
      ["./uses.sh"],
      /^unpinned: uses.sh uses make, which can run other programs/,
    ],
  ])("runs in the repo, and no trust is stored: %s", async (_, command, why) => {
    const { home, answer } = await repo(command, {
      Makefile: `token:\n\t@${PRINTS}`,
      "token.sh": `#!/bin/sh\n${PRINTS}`,
      "uses.sh": "#!/bin/sh\nmake -s token\n",
    });
    expect(await answer()).toMatch(why);
    expect(await answer("kept")).toBe("ours");
    expect(await answer("once")).toBe("ours");
    expect(await answer()).toMatch(why);
    expect(await readdir(home)).toEqual(["src"]);
  });

  it("a record of an earlier release is not used", async () => {
    const { home, answer } = await repo(["sh", "token.sh"], { "token.sh": PRINTS });
    await answer("kept");
    const folder = join(home, ".local/state/do-bootstrap/trusted");
    const [name = ""] = await readdir(folder);
    const text = await readFile(join(folder, name), "utf8");
    await rm(join(folder, name));
    const old = `${sha256(`${JSON.parse(text).folder}\0${text}`)}.json`;
    await writeFile(join(folder, old), text, { mode: 0o600 });
    expect(await answer()).toBe(ASKED);
  });

  it("if HOME is the checkout, consent is for one run, and a program in it is named", async () => {
    const { top, write, answer } = await repo(["op", "read", "x"], {});
    await write("../.local/bin/op", `#!/bin/sh\n${PRINTS}`);
    const env = { HOME: top, PATH: `${top}/.local/bin:/usr/bin:/bin` };
    expect(await answer(undefined, env)).toBe(
      `unpinned: op (${top}/.local/bin/op) is inside this checkout`,
    );
    expect(await answer("kept", env)).toBe("ours");
    expect(await answer(undefined, { ...env, PATH: "/usr/bin" })).toMatch(
      /^unpinned: HOME is inside this checkout/,
    );
    expect(await readdir(top)).not.toContain("state");
  });

  it("without a folder to store trust, consent is for one run", async () => {
    const { home, answer } = await repo(["sh", "token.sh"], { "token.sh": PRINTS });
    await mkdir(join(home, ".git"));
    expect(await answer()).toMatch(/^unpinned: no folder outside git checkouts/);
    expect(await answer("once")).toBe("ours");
    await expect(answer("kept")).rejects.toThrow("No folder available to store trusted commands.");
  });
});
