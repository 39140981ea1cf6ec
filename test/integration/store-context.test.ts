import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dir } from "tmp-promise";
import { describe, expect, it, onTestFinished } from "vitest";
import { readDoctlConfig } from "../../src/concerns/doctl/config-file.ts";
import {
  removeContext,
  selectContext,
  storeContext,
} from "../../src/concerns/doctl/store-context.ts";
import { nodeFiles } from "../../src/host/files.ts";
import type { Clock, Host } from "../../src/host/host.ts";
import { locked } from "../../src/host/lock.ts";
import { Secret } from "../../src/secret/secret.ts";

type EditingHost = Parameters<typeof storeContext>[0];

const BEFORE = "# mine\nauth-contexts:\n  web: OLD\ncontext: web\n";
const clock: Clock = {
  now: Date.now,
  sleep: (ms) => new Promise((wake) => setTimeout(wake, ms)),
};
const host: EditingHost = { files: nodeFiles, clock, steadyClock: clock, locked };
const secret = (value: string) => Secret.of(value, { kind: "stdin" });

async function scene(text: string | undefined = BEFORE) {
  const { path: folder, cleanup } = await dir({ prefix: "do-bootstrap-", unsafeCleanup: true });
  onTestFinished(() => cleanup());
  const path = join(folder, "config.yaml");
  if (text !== undefined) await writeFile(path, text, { mode: 0o600 });
  const about = { path, progress: () => undefined };
  return {
    path,
    read: () => readFile(path, "utf8"),
    store: (context: string, token: string, held?: string, on = host) => {
      const expected = held === undefined ? undefined : secret(held).fingerprint;
      return storeContext(on, { ...about, context, token: secret(token), expected });
    },
    select: (context: string, expected: string) =>
      selectContext(host, { ...about, context, expected }),
    remove: (context: string, held: string) =>
      removeContext(host, { ...about, context, expected: secret(held).fingerprint }),
  };
}

describe("undo", () => {
  it("restores every byte if nobody wrote meanwhile", async () => {
    const { store, read } = await scene();
    await (await store("web", "NEW", "OLD"))();
    expect(await read()).toBe(BEFORE);
  });

  it.each([
    ["a new context", "api", "NEW", undefined, "web: OLD\n  theirs: T\ncontext: web\n"],
    ["another token", "web", "NEW", "OLD", "web: OLD\n  theirs: T\ncontext: web\n"],
    // The removed context is not selected again; the user selects.
    ["a removal", "web", undefined, "OLD", "theirs: T\n  web: OLD\ncontext: default\n"],
  ])(
    "of %s keeps the context that another run stored meanwhile",
    async (_, context, token, held, expected) => {
      const { store, remove, read } = await scene();
      const undo = await (token ? store(context, token, held) : remove(context, held ?? ""));
      await store("theirs", "T");
      await undo();
      const text = (await read()).replaceAll('"', "");
      expect(text).toBe(`# mine\nauth-contexts:\n  ${expected}`);
    },
  );

  it.each([
    ["a token in its place", "NEW"],
    ["a removal", undefined],
  ])("restores a browser login with its token after another run's write: %s", async (_, token) => {
    const session = "    expires-at: E\n    refresh-token: R\n";
    const text = `${BEFORE}oauth-tokens:\n  web:\n${session}  other:\n${session}`;
    const { store, remove, read } = await scene(text);
    const undo = await (token ? store("web", token, "OLD") : remove("web", "OLD"));
    const between = await read();
    expect([...(readDoctlConfig(between)?.sessions.keys() ?? [])]).toEqual(["other"]);
    await store("theirs", "T");
    await undo();
    const { contexts, sessions } = readDoctlConfig(await read()) ?? {};
    expect([...(contexts?.keys() ?? [])].sort()).toEqual(["theirs", "web"]);
    expect([...(sessions?.keys() ?? [])].sort()).toEqual(["other", "web"]);
    expect(await read()).toContain(`  web:\n${session}`);
  });

  it.each([
    ["if nobody wrote meanwhile", undefined, `${BEFORE}`],
    ["and keeps what another run stored meanwhile", "theirs", "theirs: T\ncontext: web\n"],
  ])("restores the selected context, %s", async (_, stored, expected) => {
    const { select, store, read } = await scene();
    const undo = await select("mine", "web");
    expect(readDoctlConfig(await read())?.selected).toBe("mine");
    if (stored !== undefined) await store(stored, "T");
    await undo();
    expect((await read()).replaceAll('"', "")).toContain(expected);
  });

  it("does not change another run's selection", async () => {
    const { select, read } = await scene();
    await expect(select("mine", "other")).rejects.toMatchObject({ code: "CHANGED_MEANWHILE" });
    expect(await read()).toBe(BEFORE);
    const undo = await select("mine", "web");
    await await select("theirs", "mine");
    await expect(undo()).rejects.toMatchObject({ code: "CHANGED_MEANWHILE" });
    expect(readDoctlConfig(await read())?.selected).toBe("theirs");
  });

  it("fails if the context has a third token", async () => {
    const { store, read } = await scene();
    const undo = await store("web", "NEW", "OLD");
    await store("web", "THIRD", "NEW");
    await expect(undo()).rejects.toMatchObject({ code: "CHANGED_MEANWHILE" });
    expect(await read()).toContain("THIRD");
  });

  it("works when the run is interrupted and the lock is held", async () => {
    const { store, path, read } = await scene();
    const interrupted = { now: Date.now, sleep: () => Promise.reject(new Error("interrupted")) };
    const undo = await store("web", "NEW", "OLD", { ...host, clock: interrupted });
    const lock = join(path, "..", ".do-bootstrap.lock");
    const wait = { clock, waitingFor: () => undefined };
    const held = await locked(lock, wait, async () => {
      const undone = undo();
      await clock.sleep(60);
      return { undone };
    });
    await held.undone;
    expect(await read()).toBe(BEFORE);
  });
});

describe("a doctl that writes between our read and our write", () => {
  const meddling = (path: string, texts: string[]): EditingHost => {
    const replace: Host["files"]["replace"] = async (before, bytes, mode) => {
      const text = texts.shift();
      if (text !== undefined) await writeFile(path, text);
      return nodeFiles.replace(before, bytes, mode);
    };
    return { ...host, files: { ...nodeFiles, replace } };
  };

  it("is read again, and its changes are kept", async () => {
    const { store, path, read } = await scene();
    const theirs = BEFORE.replace("context: web", "context: default");
    await store("api", "NEW", undefined, meddling(path, [theirs]));
    expect((await read()).replaceAll('"', "")).toBe(theirs.replace("OLD\n", "OLD\n  api: NEW\n"));
  });

  it("is an error after a few attempts", async () => {
    const { store, path } = await scene();
    const texts = Array.from({ length: 9 }, (_, i) => `${BEFORE}# ${i}\n`);
    const storing = store("api", "NEW", undefined, meddling(path, texts));
    await expect(storing).rejects.toMatchObject({ code: "CHANGED_MEANWHILE" });
    expect(texts).toHaveLength(3);
  });

  it("keeps a token that it gave to our context", async () => {
    const { store, path, read } = await scene();
    const theirs = BEFORE.replace("OLD", "THEIRS");
    const storing = store("web", "NEW", "OLD", meddling(path, [theirs]));
    await expect(storing).rejects.toMatchObject({ code: "CHANGED_MEANWHILE" });
    expect(await read()).toBe(theirs);
  });
});
