import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dir } from "tmp-promise";
import { expect, it, onTestFinished } from "vitest";
import { readConfig } from "../../src/concerns/doctl/read-config.ts";
import { storeContext } from "../../src/concerns/doctl/store-context.ts";
import { nodeFiles } from "../../src/host/files.ts";
import type { Clock } from "../../src/host/host.ts";
import { locked } from "../../src/host/lock.ts";
import { ourselves } from "../../src/host/owner.ts";
import { Secret } from "../../src/secret/secret.ts";

const HOUR = 3_600_000;

/** Two clocks where sleeping takes no time; each sleep sets the first one by `set` ms. */
function clocks(set: number) {
  let [now, passed] = [Date.now(), 0];
  const sleep: Clock["sleep"] = async (ms) => {
    passed += ms;
    now += ms + set;
  };
  const clock: Clock = { now: () => now, sleep };
  const steadyClock: Clock = { now: () => passed, sleep };
  return { files: nodeFiles, clock, steadyClock, locked, passed: () => passed };
}

async function configOf(text: string): Promise<string> {
  const { path, cleanup } = await dir({ prefix: "do-bootstrap-", unsafeCleanup: true });
  onTestFinished(() => cleanup());
  await writeFile(join(path, "config.yaml"), text, { mode: 0o600 });
  return join(path, "config.yaml");
}

it.each([
  ["of now", 0, 0, [29_000, 30_500]],
  ["of ten seconds ago", -10_000, 0, [19_000, 20_500]],
  ["of an hour ago", -HOUR, 0, [0, 0]],
  ["of tomorrow", 24 * HOUR, 0, [29_000, 30_500]],
  ["of now, with a clock that is set back", 0, -HOUR, [29_000, 30_500]],
  ["of now, with a clock that is set forward", 0, HOUR, [29_000, 30_500]],
])("waits for an empty config %s while doctl may be writing it", async (...row) => {
  const [, age, set, [least, most]] = row;
  const path = await configOf("");
  const host = clocks(set);
  const time = new Date(host.clock.now() + age);
  await utimes(path, time, time);
  const { kind } = await readConfig(host, path, () => undefined);
  expect(kind).toBe("broken");
  expect(host.passed()).toBeGreaterThanOrEqual(least ?? 0);
  expect(host.passed()).toBeLessThanOrEqual(most ?? 0);
});

it.each([-HOUR, 0])("waits 60 s for a lock, with a clock that is set by %d ms", async (set) => {
  const path = await configOf("access-token: OLD\n");
  const holder = { ...ourselves(), host: "web-1", id: "x" };
  await writeFile(join(path, "../.do-bootstrap.lock"), JSON.stringify(holder));
  const host = clocks(set);
  const token = Secret.of("NEW", { kind: "stdin" });
  const edit = { path, context: "web", token, expected: undefined, progress: () => undefined };
  await expect(storeContext(host, edit)).rejects.toMatchObject({ code: "DOCTL_CONFIG_BUSY" });
  expect(host.passed()).toBeGreaterThanOrEqual(60_000);
  expect(host.passed()).toBeLessThan(61_000);
});
