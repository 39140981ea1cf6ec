import { execFileSync } from "node:child_process";

/** The end-to-end tests run what is published, so it is built once before them. */
export default function setup(): void {
  execFileSync(process.execPath, ["esbuild.config.mjs"], { stdio: "inherit" });
}
