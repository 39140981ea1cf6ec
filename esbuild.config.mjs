// Bundles the program into lazy chunks, and writes what is derived from the source beside it:
// schema.json and the notices of the bundled packages.
import { copyFile, readFile, rename, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

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
};

const outdir = `dist.${process.pid}`;
const program = {
  ...shared,
  outdir,
  minify: true,
  metafile: true,
  define: { __VERSION__: JSON.stringify(version) },
};
// The whole program, in chunks that are loaded when used.
const whole = await build({
  ...program,
  entryPoints: ["src/main.ts"],
  chunkNames: "chunks/[name]-[hash]",
  splitting: true,
  keepNames: true,
  // Bundled CommonJS packages call require() for Node's own modules.
  banner: {
    js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);',
  },
});
// The small entry, in one file: CommonJS starts 3 ms sooner than a module.
const entry = await build({
  ...program,
  entryPoints: ["src/bin.ts"],
  format: "cjs",
  outExtension: { ".js": ".cjs" },
  plugins: [
    {
      name: "the-whole-program",
      setup: ({ onResolve }) =>
        onResolve({ filter: /\/main\.ts$/ }, () => ({ path: "./main.js", external: true })),
    },
  ],
});
for (const wasm of [
  "web-tree-sitter/web-tree-sitter.wasm",
  "@tree-sitter-grammars/tree-sitter-hcl/tree-sitter-terraform.wasm",
]) {
  await copyFile(`node_modules/${wasm}`, `${outdir}/${wasm.split("/").at(-1)}`);
}
const inputs = { ...whole.metafile.inputs, ...entry.metafile.inputs };
await writeFile(`${outdir}/THIRD-PARTY-NOTICES.txt`, await notices(inputs));
await writeFile("schema.json", await schema());
// Swapped in whole: a run that is under way never sees half a build.
await rm("dist", { recursive: true, force: true });
await rename(outdir, "dist");

async function schema() {
  const outfile = `${outdir}/json-schema.js`;
  await build({ ...shared, entryPoints: ["src/config/json-schema.ts"], outfile });
  const { jsonSchema } = await import(`./${outfile}`);
  await rm(outfile);
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
}

async function notices(inputs) {
  const folders = new Set([
    // Copied, not bundled.
    "node_modules/@tree-sitter-grammars/tree-sitter-hcl",
    ...Object.keys(inputs).flatMap(
      (input) => input.match(/^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? [],
    ),
  ]);
  const texts = [...folders].sort().map(async (folder) => {
    const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
    const names = [
      "LICENSE",
      "LICENSE.md",
      "LICENSE.txt",
      "license",
      "LICENSE-MIT",
      "LICENSE-MIT.txt",
    ];
    for (const file of names) {
      const text = await readFile(`${folder}/${file}`, "utf8").catch(() => undefined);
      if (text !== undefined) return `${name} ${version} (${license})\n\n${text.trim()}\n`;
    }
    return `${name} ${version} (${license})\n`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(72)}\n\n`);
}
