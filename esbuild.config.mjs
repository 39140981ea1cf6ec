// Bundles the program and the library into lazy chunks, and writes what is derived from the source beside
// them: the library's types, the JSON Schemas and the notices of the bundled packages.
import { execFile } from "node:child_process";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { build, transform } from "esbuild";
import { noticesOf } from "./scripts/notices.mjs";

const { version } = JSON.parse(await readFile("package.json", "utf8"));
const shared = {
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "esm",
  legalComments: "none",
  logLevel: "warning",
  // cosmiconfig requires typescript for config files in TypeScript, which we never load.
  external: ["typescript"],
  // Its main file is UMD, which esbuild cannot bundle. These are the same modules.
  alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" },
};

// yargs measures its help with two packages that build an Intl.Segmenter and try patterns of emoji:
// 30 ms. Those of the same work that @clack/prompts uses do without; our help is plain text.
const quickWidths = {
  name: "quick-widths",
  setup({ onResolve, onLoad, resolve }) {
    const options = { kind: "import-statement", resolveDir: process.cwd() };
    onResolve({ filter: /^string-width$/ }, () => resolve("fast-string-width", options));
    onResolve({ filter: /^wrap-ansi$/ }, ({ path }) => ({ path, namespace: "quick-widths" }));
    onLoad({ filter: /.*/, namespace: "quick-widths" }, () => ({
      contents: 'export { wrapAnsi as default } from "fast-wrap-ansi";',
      resolveDir: process.cwd(),
    }));
  },
};

// yargs looks for a version of its own in the package.json of the folder that it runs in, which may be a
// FIFO, or a link to a device. We tell it ours.
const noPackageJson = {
  name: "no-package-json",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^escalade\/sync$/ }, ({ path }) => ({ path, namespace: "nothing" }));
    onLoad({ filter: /.*/, namespace: "nothing" }, () => ({
      contents: "export default () => undefined;",
    }));
  },
};

// A chunk is what the same entries share, which would make a dozen small files of what every run
// loads: half a millisecond each. With all of main.ts behind every entry, it is one.
const oneChunk = {
  name: "one-chunk",
  async setup({ onResolve, onLoad }) {
    const lazy = await lazyFiles();
    // It stands beside the entry; see below.
    onResolve({ filter: /\/execute\.ts$/ }, () => ({ path: "../execute.cjs", external: true }));
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (!lazy.has(path)) return undefined;
      const text = await readFile(path, "utf8");
      return {
        contents: `${text}\nimport ${JSON.stringify(resolve("src/main.ts"))};`,
        loader: "ts",
      };
    });
  },
};

/** Those that some file of ours imports when it needs them. */
async function lazyFiles() {
  const files = await readdir("src", { recursive: true });
  const all = files.filter((name) => name.endsWith(".ts")).map((name) => resolve("src", name));
  const texts = await Promise.all(all.map((file) => readFile(file, "utf8")));
  const found = texts.flatMap((text, i) =>
    Array.from(text.matchAll(/import\("(\.[^"]+\.ts)"\)/g), ([, path]) =>
      join(dirname(all[i]), path),
    ),
  );
  return new Set(found);
}

// What a text passes on its way out, and what names a value that is no token. The small entry and what starts
// commands most often say nothing: there these stand in a file beside them, which the first call loads. That
// saves 2 ms.
const LATE = [
  ...["src/secret/mask.ts", "src/secret/redact.ts", "src/secret/safe.ts"],
  "src/secret/not-a-token.ts",
];
const late = {
  name: "late",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.ts$/ }, ({ resolveDir, path: named }) => {
      const path = LATE.find((each) => resolve(each) === resolve(resolveDir, named));
      return path && { path, namespace: "late" };
    });
    onResolve({ filter: /./, namespace: "late" }, ({ path }) => ({ path, external: true }));
    onLoad({ filter: /./, namespace: "late" }, async ({ path }) => {
      const names = (await readFile(path, "utf8")).matchAll(/^export function (\w+)/gm);
      const calls = Array.from(names, ([, name]) => {
        return `export const ${name} = (...all) => require("./late.cjs").${name}(...all);`;
      });
      return { contents: calls.join("\n") };
    });
  },
};

/** What .pre-commit-hooks.yaml names. It is in git, since pre-commit builds nothing. */
const PRE_COMMIT = "integrations/pre-commit";
const outdir = `dist.${process.pid}`;
const program = {
  ...shared,
  outdir,
  minify: true,
  metafile: true,
  define: { __VERSION__: JSON.stringify(version) },
};
// The whole program and the library, in chunks that are loaded when used.
const whole = await build({
  ...program,
  entryPoints: ["src/main.ts", "src/index.ts"],
  plugins: [quickWidths, noPackageJson, oneChunk],
  chunkNames: "chunks/[name]-[hash]",
  splitting: true,
  outExtension: { ".js": ".cjs" },
});
await Promise.all(Object.keys(whole.metafile.outputs).map(toCommonJs));
// The small entry, in CommonJS, which starts 3 ms sooner than a module. What starts commands stands
// beside it, as `env` does without, and so does what loads the whole program.
const entry = await build({
  ...program,
  entryPoints: {
    bin: "src/bin.ts",
    execute: "src/exec/execute.ts",
    "compiled-code": "src/host/compiled-code.ts",
  },
  format: "cjs",
  outExtension: { ".js": ".cjs" },
  plugins: [
    late,
    {
      name: "beside-the-entry",
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /\/(main|execute|compiled-code)\.ts$/ }, ({ path, kind }) =>
          kind === "dynamic-import"
            ? { path: `./${basename(path, ".ts")}.cjs`, namespace: "required" }
            : undefined,
        );
        onResolve({ filter: /./, namespace: "required" }, ({ path }) => ({ path, external: true }));
        // import() would load the machinery of modules, too.
        onLoad({ filter: /./, namespace: "required" }, ({ path }) => ({
          contents: `module.exports = require(${JSON.stringify(path)});`,
        }));
        // dotenv loads it for a folder that parse() never asks for.
        onResolve({ filter: /^os$/ }, ({ path }) => ({ path, namespace: "no-folder" }));
        onResolve({ filter: /^node:os$/, namespace: "no-folder" }, () => ({ external: true }));
        onLoad({ filter: /^os$/, namespace: "no-folder" }, () => ({
          contents: 'exports.homedir = () => require("node:os").homedir();',
        }));
      },
    },
  ],
});
await build({
  ...program,
  stdin: {
    contents: LATE.map((path) => `export * from "./${path}";`).join("\n"),
    resolveDir: process.cwd(),
  },
  entryNames: "late",
  format: "cjs",
  outExtension: { ".js": ".cjs" },
});
// What is loaded as a thread of its own.
const thread = await build({
  ...program,
  entryPoints: { "npm-list": "src/host/npm-list.ts" },
  format: "cjs",
  outExtension: { ".js": ".cjs" },
});
const inputs = { ...whole.metafile.inputs, ...entry.metafile.inputs, ...thread.metafile.inputs };
await writeFile(`${outdir}/THIRD-PARTY-NOTICES.txt`, await notices(inputs));
await writeFile(`${outdir}/index.d.cts`, await types());
await writeFile("schema.json", await schema("src/concerns/config/json-schema.ts", "jsonSchema"));
await writeFile("report.schema.json", await schema("src/report/json-schema.ts", "reportSchema"));
await writeFile(PRE_COMMIT, await preCommitScript(), { mode: 0o755 });
// Swapped in whole: a run that is under way never sees half a build.
await rm("dist", { recursive: true, force: true });
await rename(outdir, "dist");

/** esbuild splits modules alone. In CommonJS they start sooner, and what V8 makes of them can be kept. */
async function toCommonJs(path) {
  const { code } = await transform(await readFile(path, "utf8"), {
    ...{ format: "cjs", platform: "node", target: shared.target, minify: true },
    supported: { "dynamic-import": false },
    define: { "import.meta.dirname": "__dirname", "import.meta.url": "__address" },
  });
  const address = 'const __address=require("node:url").pathToFileURL(__filename).href;';
  await writeFile(path, (code.includes("__address") ? address : "") + code);
}

/** What src/index.ts exports, in one file: what it imports stands in two that import nothing else. */
async function types() {
  const folder = `${outdir}/types`;
  const compiler = "node_modules/typescript/bin/tsc";
  const args = [compiler, "-p", "scripts/types.json", "--outDir", folder];
  await promisify(execFile)(process.execPath, args);
  const names = ["report/documents.d.ts", "library/options.d.ts", "index.d.ts"];
  const texts = await Promise.all(names.map((name) => readFile(`${folder}/${name}`, "utf8")));
  await rm(folder, { recursive: true });
  return texts.join("").replace(/^(?:import|export) type .* from "\.[^"]+";\n/gm, "");
}

async function schema(entryPoint, name) {
  const make = await functionOf(entryPoint, name);
  return `${JSON.stringify(make(), null, 2)}\n`;
}

async function preCommitScript() {
  const make = await functionOf("src/commands/hook/hooks.ts", "preCommitScript");
  return make(await readFile("templates/hooks/guard", "utf8"));
}

async function functionOf(entryPoint, name) {
  const outfile = `${outdir}/${name}.js`;
  await build({ ...shared, entryPoints: [entryPoint], outfile });
  const { [name]: made } = await import(`./${outfile}`);
  await rm(outfile);
  return made;
}

function notices(inputs) {
  return noticesOf(
    new Set(
      Object.keys(inputs).flatMap(
        (input) => input.match(/^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? [],
      ),
    ),
  );
}
