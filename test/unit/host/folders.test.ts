import { normalize } from "node:path";
import { expect, it } from "vitest";
import type { Environment } from "../../../src/host/host.ts";
import { cacheFolder } from "../../../src/host/record.ts";
import { stateFolder } from "../../../src/host/state.ts";

const XDG = { XDG_CACHE_HOME: "/xdg/cache", XDG_STATE_HOME: "/xdg/state" };

it.each<[NodeJS.Platform, Environment, cache: string | undefined, state: string | undefined]>([
  ["linux", { HOME: "/home/sammy" }, "/home/sammy/.cache", "/home/sammy/.local/state"],
  ["linux", { HOME: "/home/sammy", ...XDG }, "/xdg/cache", "/xdg/state"],
  ["linux", { XDG_CACHE_HOME: "", HOME: "/h" }, "/h/.cache", "/h/.local/state"],
  [
    "darwin",
    { HOME: "/Users/sammy" },
    "/Users/sammy/Library/Caches",
    "/Users/sammy/Library/Application Support",
  ],
  ["darwin", { HOME: "/Users/sammy", ...XDG }, "/xdg/cache", "/xdg/state"],
  ["win32", { LOCALAPPDATA: "C:\\local", HOME: "/h", ...XDG }, "C:\\local", "C:\\local"],
  ["win32", { LOCALAPPDATA: "c:/local" }, "c:/local", "c:/local"],
  ["win32", { LOCALAPPDATA: "\\\\nas\\sammy" }, "\\\\nas\\sammy", "\\\\nas\\sammy"],
  // In the current folder of a drive, or of whichever drive is current.
  ["win32", { LOCALAPPDATA: "C:local" }, undefined, undefined],
  ["win32", { LOCALAPPDATA: "\\local" }, undefined, undefined],
  ["win32", { LOCALAPPDATA: "" }, undefined, undefined],
  ["win32", { HOME: "/h", APPDATA: "/roaming" }, undefined, undefined],
  ["linux", { HOME: "home" }, undefined, undefined],
  ["darwin", {}, undefined, undefined],
])("%s with %j keeps records in %s and state in %s", (platform, env, cache, state) => {
  const found = [cacheFolder({ env, platform }), stateFolder({ env, platform })];
  expect(found.map((each) => each && normalize(each))).toEqual(
    [cache, state].map((each) => each && normalize(each)),
  );
});
