import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { dir } from "tmp-promise";
import { describe, expect, it, onTestFinished } from "vitest";
import { findDoctlConfig } from "../../src/concerns/doctl/config-path.ts";
import { observeForExec } from "../../src/concerns/doctl/for-exec.ts";
import { contextFor } from "../../src/exec/doctl.ts";
import { recallConfig } from "../../src/exec/record.ts";
import { rememberConfig } from "../../src/exec/remember.ts";
import { filesOf } from "../../src/host/files.ts";
import { keep } from "../../src/host/keep.ts";
import { recall } from "../../src/host/record.ts";
import { which } from "../../src/host/which.ts";
import { EXEC_CONFIG, OTHER, PERSONAL, secret } from "../unit/samples.ts";

const BINARY = "\x7fELF";
const WEB = `auth-contexts:\n  web: ${PERSONAL}\n`;

/** A doctl on PATH whose config has the token, and the record that `exec` keeps between runs. */
async function scene() {
  const { path: root, cleanup } = await dir({ prefix: "do-bootstrap-", unsafeCleanup: true });
  onTestFinished(() => cleanup());
  const at = (path: string) => join(root, path);
  for (const folder of ["repo/.git", "bin", "first", "doctl"])
    await mkdir(at(folder), { recursive: true });
  const write = async (path: string, text: string) => {
    await writeFile(at(path), text, { mode: 0o755 });
  };
  await write("bin/doctl", BINARY);
  await write("doctl/config.yaml", WEB);
  const env: Record<string, string> = { HOME: root, PATH: at("bin") };
  const [cwd, platform] = [at("repo"), "linux"] as const;
  const machine = { env, platform };
  const host = {
    ...{ env, home: root, platform, cwd, files: filesOf(cwd) },
    records: {
      recall: (path: string) => recall(machine, { kind: "config", path }),
      keep: (path: string, value: unknown, since: number) =>
        keep(machine, { kind: "config", path }, value, { inputs: [path], since }),
    },
    // Makes new files look old.
    clock: { now: () => Date.now() + 1000, sleep: () => expect.unreachable() },
    run: async () => {
      const stdout = `  -c, --config string  [default: ${at("doctl/config.yaml")}]\n`;
      return { end: "exited", exitCode: 0, stdout, stderr: "" } as const;
    },
  };
  const context = { ...{ cwd, env, platform }, environment: undefined };
  return {
    ...{ at, write, env },
    /** Asks doctl, like `check` and `init`. */
    ask: () => findDoctlConfig(host, which("doctl", cwd, machine)),
    /** Like the whole program for `exec`. @returns the context of the token. */
    async look() {
      const config = { doctl: { context: undefined }, project: "acme" };
      const since = host.clock.now();
      const found = await observeForExec(host, which("doctl", cwd, machine), config);
      const exec = { ...EXEC_CONFIG, base: cwd, doctl: found.doctl };
      rememberConfig(context, exec, { inputs: found.inputs, since });
      return contextFor(found.doctl, secret(), []);
    },
    kept: () => recall(machine, { kind: "config", path: at("doctl/config.yaml") }),
    /** Like the small entry. */
    recalled() {
      const config = recallConfig(context);
      return config === undefined ? "looks again" : contextFor(config.doctl, secret(), []);
    },
  };
}

type Scene = Awaited<ReturnType<typeof scene>>;
const oauth = "oauth-tokens: { web: { refresh-token: R } }\n";

describe("the context of the token, from a record", () => {
  it.each<
    [what: string, change: (scene: Scene) => Promise<unknown>, recalled: string, again: string]
  >([
    ["nothing changes", async () => {}, "web", "web"],
    [
      "the context gets another token",
      ({ write }) => write("doctl/config.yaml", WEB.replace(PERSONAL, OTHER)),
      "looks again",
      "default",
    ],
    [
      "the context gets another name",
      ({ write }) => write("doctl/config.yaml", WEB.replace("web", "abc")),
      "looks again",
      "abc",
    ],
    [
      "the context gets a browser login",
      ({ write }) => write("doctl/config.yaml", WEB + oauth),
      "looks again",
      "default",
    ],
    [
      "doctl is writing its config",
      ({ write }) => write("doctl/config.yaml", ""),
      "looks again",
      "default",
    ],
    [
      "doctl's config is removed",
      ({ at }) => rm(at("doctl/config.yaml")),
      "looks again",
      "default",
    ],
    [
      "only its mode changes",
      ({ at }) => chmod(at("doctl/config.yaml"), 0o600),
      "looks again",
      "web",
    ],
    [
      "a new doctl binary, not asked yet",
      ({ write }) => write("bin/doctl", `${BINARY}2`),
      "looks again",
      "default",
    ],
    ["doctl is removed", ({ at }) => rm(at("bin/doctl")), "looks again", "default"],
    ["a doctl in the repo is first on PATH", ofRepo, "looks again", "default"],
    ["another doctl is first on PATH", moved, "looks again", "default"],
    [
      "a doctl file that is not executable is first on PATH",
      async ({ at, write, env }) => {
        await write("first/doctl", BINARY);
        await chmod(at("first/doctl"), 0o644);
        env["PATH"] = [at("first"), at("bin")].join(delimiter);
      },
      "web",
      "web",
    ],
    [
      "PATH changes, but finds the same doctl",
      async ({ at, env }) => {
        env["PATH"] = [at("first"), at("bin")].join(delimiter);
      },
      "web",
      "web",
    ],
    [
      "DIGITALOCEAN_CONFIG names another file",
      async ({ at, write, env }) => {
        await write("own.yaml", WEB.replace("web", "own"));
        env["DIGITALOCEAN_CONFIG"] = at("own.yaml");
      },
      "looks again",
      "own",
    ],
  ])("%s", async (_, change, recalled, again) => {
    const all = await scene();
    await all.ask();
    expect([await all.look(), all.recalled()]).toEqual(["web", "web"]);
    await change(all);
    expect([all.recalled(), await all.look(), all.recalled()]).toEqual([recalled, again, again]);
  });

  async function ofRepo({ at, write, env }: Scene): Promise<void> {
    await write("repo/doctl", BINARY);
    env["PATH"] = [at("repo"), at("bin")].join(delimiter);
  }

  async function moved({ at, write, env }: Scene): Promise<void> {
    await write("first/doctl", BINARY);
    env["PATH"] = [at("first"), at("bin")].join(delimiter);
  }

  it("stores names and digests from doctl's config, parsed again only after a change", async () => {
    const { ask, look, kept, write } = await scene();
    await ask();
    await look();
    expect(kept()).toEqual({ holders: { web: secret().digest } });
    await write("doctl/config.yaml", WEB.replace("web", "abc"));
    expect([kept(), await look(), kept()]).toEqual([
      undefined,
      "abc",
      { holders: { abc: secret().digest } },
    ]);
  });

  it("is determined again after doctl has named its config", async () => {
    const { ask, look, recalled } = await scene();
    expect([await look(), recalled()]).toEqual(["default", "default"]);
    await ask();
    expect([recalled(), await look(), recalled()]).toEqual(["looks again", "web", "web"]);
  });
});
