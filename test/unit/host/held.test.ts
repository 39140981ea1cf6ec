import { describe, expect, it } from "vitest";
import { PAUSES, whenFree } from "../../../src/host/held.ts";

/** A file that fails this often, with this code. */
async function tried(times: number, code: string, isWindows: boolean) {
  const slept: number[] = [];
  let calls = 0;
  const act = async () => {
    calls++;
    if (calls <= times) throw Object.assign(new Error(code), { code });
    return "done";
  };
  const sleep = (ms: number) => slept.push(ms);
  const end = await whenFree(act, { isWindows, sleep }).catch((error) => error.code);
  return { end, calls, slept: slept.reduce((sum, ms) => sum + ms, 0) };
}

describe("a file that another process has open", () => {
  it.each(["EPERM", "EACCES", "EBUSY"])("is tried again on Windows after %s", async (code) => {
    expect(await tried(3, code, true)).toEqual({ end: "done", calls: 4, slept: 35 });
  });

  it("is given up after 5 s", async () => {
    const calls = PAUSES.length + 1;
    expect(await tried(Number.POSITIVE_INFINITY, "EBUSY", true)).toEqual({
      ...{ end: "EBUSY", calls, slept: 5000 },
    });
  });

  it.each(["ENOENT", "EEXIST", "ENOSPC", "CHANGED_MEANWHILE"])("%s is final", async (code) => {
    expect(await tried(1, code, true)).toEqual({ end: code, calls: 1, slept: 0 });
  });

  it("is no reason to wait on other systems", async () => {
    expect(await tried(1, "EPERM", false)).toEqual({ end: "EPERM", calls: 1, slept: 0 });
  });
});
