import { dirname, join, posix } from "node:path";
import type { Script } from "node:vm";
import { ownFile } from "./package.ts";

/**
 * Loads files of this package's dist folder in place of Node, with what they load in turn.
 *
 * @param packageFolder absolute.
 * @param compile gets the file's name in dist, and its text as a function.
 * @returns a function that runs a file once and returns its exports.
 */
export function loaderIn(
  packageFolder: string,
  compile: (path: string, text: string, filename: string) => Script,
): (path: string) => unknown {
  const loaded = new Map<string, { exports: unknown }>();
  return load;

  function load(path: string): unknown {
    const known = loaded.get(path);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    loaded.set(path, module);
    const filename = join(packageFolder, "dist", path);
    // A function has no first line for the system.
    const text = ownFile(packageFolder, `dist/${path}`).toString("utf8").replace(/^#!.*/, "");
    const wrapped = `(function(exports,require,module,__filename,__dirname){${text}\n})`;
    const needs = (id: string) =>
      id.startsWith(".") ? load(posix.join(dirname(path), id)) : process.getBuiltinModule(id);
    const run = compile(path, wrapped, filename).runInThisContext();
    run(module.exports, needs, module, filename, dirname(filename));
    return module.exports;
  }
}
