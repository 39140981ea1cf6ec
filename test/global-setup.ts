import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** The end-to-end tests run what is published, so it is built before them when the source is newer. */
export default function setup(): void {
  const built = statSync("dist/bin.cjs", { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" });
  const inputs = [...sources.map((name) => join("src", name)), "esbuild.config.mjs"];
  if (inputs.every((path) => statSync(path).mtimeMs < built)) return;
  execFileSync(process.execPath, ["esbuild.config.mjs"], { stdio: "inherit" });
}
