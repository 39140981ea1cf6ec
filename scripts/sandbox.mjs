import { join } from "node:path";
import { build } from "esbuild";

/**
 * The API on loopback of the demo and the tests, from its source.
 *
 * @param folder where it is built.
 */
export async function startSandbox(folder) {
  const outfile = join(folder, "sandbox.mjs");
  const entryPoints = [join(import.meta.dirname, "../src/commands/demo/sandbox.ts")];
  await build({ entryPoints, outfile, bundle: true, platform: "node", format: "esm" });
  return (await import(outfile)).startSandbox();
}
