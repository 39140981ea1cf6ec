import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "..", "..", "src");

interface Import {
  /** A path below src/, or the name of a package. */
  readonly to: string;
  readonly typeOnly: boolean;
}

interface Module {
  readonly path: string;
  /** Without comments. */
  readonly code: string;
  readonly lines: number;
  readonly imports: readonly Import[];
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<=^|[\s;{}(,])\/\/.*$/gm, "");
}

function importsIn(path: string, code: string): Import[] {
  const found = code.matchAll(
    /(?:^|\n)\s*(?:import|export)\s+(type\s)?([^;"']*?\sfrom\s*)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/g,
  );
  return Array.from(found, ([, type, names = "", from, dynamic]) => {
    const to = from ?? dynamic ?? "";
    const named = /\{([^}]*)\}/
      .exec(names)?.[1]
      ?.split(",")
      .filter((each) => each.trim() !== "");
    const allTypes =
      named?.every((each) => each.trim().startsWith("type ")) && !/\w\s*,\s*\{/.test(names);
    return {
      to: to.startsWith(".") ? posix.join(dirname(path), to) : to,
      typeOnly: type !== undefined || allTypes === true,
    };
  });
}

const MODULES: Module[] = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /(?<!\.d)\.ts$/.test(entry.name))
  .map((entry) => {
    const path = relative(SRC, join(entry.parentPath, entry.name));
    const text = readFileSync(join(SRC, path), "utf8");
    const code = withoutComments(text);
    return { path, code, lines: text.split("\n").length, imports: importsIn(path, code) };
  });

/** "a.ts -> b.ts" for every import that breaks a rule. */
function breaches(isBreach: (from: string, to: string, typeOnly: boolean) => boolean): string[] {
  return MODULES.flatMap(({ path, imports }) =>
    imports
      .filter(({ to, typeOnly }) => isBreach(path, to, typeOnly))
      .map(({ to }) => `${path} -> ${to}`),
  );
}

const isIn = (path: string, ...places: string[]) =>
  places.some((place) => path === place || (place.endsWith("/") && path.startsWith(place)));

/** The layers and rooms of the house, the lowest first: a file imports from its own room and from those above it in this list. */
const NAMED = [
  "lib/",
  "secret/",
  "errors/",
  "host/",
  "core/",
  "hcl/",
  "scopes/",
  "exec/",
  "concerns/config/",
  "concerns/token/",
  "concerns/git/",
  "concerns/env-file/",
  "concerns/spaces/",
  "concerns/terraform/root/",
  "concerns/terraform/backend/",
  "concerns/terraform/cloud/",
  "concerns/terraform/search/",
  "concerns/terraform/",
  "concerns/doctl/",
  "concerns/effective-token/",
  "commands/init/",
  "commands/hook/",
  "commands/pipelines/",
  "commands/leaks/",
  "commands/scopes/",
  "commands/exec-session/",
  "commands/credentials/",
  "commands/completion/",
  "commands/demo/",
  "report/",
  "library/",
  "cli/",
  "index.ts",
  "main.ts",
  "bin.ts",
];
/** A room that no other of its layer needs yet stands above those that are named, without a line here. */
const newIn = (layer: string) =>
  readdirSync(join(SRC, layer))
    .map((name) => `${layer}/${name}/`)
    .filter((room) => !NAMED.includes(room));
const ROOMS = NAMED.flatMap((room) => {
  if (room === "commands/init/") return [...newIn("concerns"), room];
  return room === "report/" ? [...newIn("commands"), room] : [room];
});

/** Rooms that reach the machine themselves: the hot path, and the API on loopback. */
const MACHINE = ["host/", "bin.ts", "exec/", "commands/demo/"];

/** The room of a file: of two that fit, the inner one. */
function roomOf(path: string): string | undefined {
  const fitting = ROOMS.filter((room) => isIn(path, room));
  return fitting.sort((a, b) => b.length - a.length)[0];
}

const isOurs = (to: string) => /^[^:]*\.ts$/.test(to);
const orderOf = (path: string) => ROOMS.indexOf(roomOf(path) ?? "");

describe("the scan", () => {
  it.each([
    ['import a from "a";', [{ to: "a", typeOnly: false }]],
    ['import type { A } from "./a.ts";', [{ to: "x/a.ts", typeOnly: true }]],
    ['import { type A, type B } from "../a.ts";', [{ to: "a.ts", typeOnly: true }]],
    ['import { type A, b } from "../a.ts";', [{ to: "a.ts", typeOnly: false }]],
    ['import a, { type B } from "a";', [{ to: "a", typeOnly: false }]],
    ['import {\n  a,\n  b,\n} from "node:fs";', [{ to: "node:fs", typeOnly: false }]],
    ['import "node:fs";', [{ to: "node:fs", typeOnly: false }]],
    ['export * from "./b.ts";', [{ to: "x/b.ts", typeOnly: false }]],
    ['export { a } from "b";', [{ to: "b", typeOnly: false }]],
    ['const { a } = await import("execa");', [{ to: "execa", typeOnly: false }]],
    ['// import a from "a";\n/* import b from "b"; */', []],
    ['export const a = "from";', []],
  ])("reads %j", (text, expected) => {
    expect(importsIn("x/y.ts", withoutComments(text))).toEqual(expected);
  });

  it("sees the whole program", () => {
    const seen = MODULES.flatMap(({ imports }) => imports.map(({ to }) => to));
    expect(MODULES.length).toBeGreaterThan(40);
    expect(seen).toEqual(
      expect.arrayContaining(["yargs", "cross-spawn", "node:fs/promises", "node:https"]),
    );
    expect(
      seen.filter((to) => to.endsWith(".ts") && !MODULES.some(({ path }) => path === to)),
    ).toEqual([]);
  });
});

describe("the house of docs/design.md §2", () => {
  it("files, processes and the network are reached in host/, exec/ and commands/demo/ only", () => {
    const harmless = [
      "node:async_hooks",
      "node:path",
      "node:crypto",
      "node:util",
      "node:url",
      "node:zlib",
    ];
    const reaches = (to: string) =>
      to === "cross-spawn" || (to.startsWith("node:") && !harmless.includes(to));
    expect(breaches((from, to) => reaches(to) && !isIn(from, ...MACHINE))).toEqual([]);
  });

  it("the global process is used in host/, exec/, commands/demo/, bin.ts and main.ts only", () => {
    const users = MODULES.filter(({ code }) =>
      /(?<![\w.$])process\s*(?:[.[,;)}]|\?\.|$)|globalThis/m.test(
        code.replace(/"(?:\\.|[^"\\\n])*"/g, '""'),
      ),
    ).map(({ path }) => path);
    expect(users).toContain("bin.ts");
    // lib/sha256.ts gets node:crypto late, and secret/known.ts has one list for all files of the built program.
    const late = ["main.ts", "lib/sha256.ts", "secret/known.ts"];
    expect(users.filter((path) => !isIn(path, ...MACHINE, ...late))).toEqual([]);
  });

  it("yargs lives in cli/", () => {
    expect(breaches((from, to) => isIn(to, "yargs", "yargs/") && !isIn(from, "cli/"))).toEqual([]);
  });

  it("cosmiconfig is known to concerns/config/load-file.ts", () => {
    const isIt = (to: string) => isIn(to, "cosmiconfig", "cosmiconfig/");
    expect(breaches((from, to) => isIt(to) && from !== "concerns/config/load-file.ts")).toEqual([]);
    expect(breaches((_, to) => isIt(to))).not.toEqual([]);
  });

  it("jsonc-parser is known to lib/json-text.ts", () => {
    const isIt = (to: string) => isIn(to, "jsonc-parser", "jsonc-parser/");
    expect(breaches((_, to) => isIt(to))).toEqual(["lib/json-text.ts -> jsonc-parser"]);
  });

  it("compiled code is run in host/compiled-code.ts, which says when", () => {
    expect(breaches((_, to) => to === "node:vm")).toEqual(["host/compiled-code.ts -> node:vm"]);
  });

  it("nothing runs or builds code from text", () => {
    const users = MODULES.filter(({ code }) => /\beval\(|new Function\(|\brequire\(/.test(code));
    expect(users.map(({ path }) => path)).toEqual([]);
  });
});

describe("a command line that a person is to type", () => {
  const TOOLS = "do-bootstrap|doctl|git|terraform|tofu|gh|glab|npm|npx|chmod|rm|mv|unset|export";
  const hintsIn = (code: string) =>
    Array.from(
      code.matchAll(/\bhint`((?:\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\}|[^`\\]|\\.)*)`/g),
      (found) => (found[1] ?? "").replace(/\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\}/g, "…"),
    );

  /** "…" is a value. With a tool before it, or an option behind a tool, somebody writes a line. */
  const pasted = new RegExp(`(?<![\\w./-])(?:${TOOLS}) (?:-|…|(?:[a-z-]+ )?-{1,2}\\w)`);

  it("is data in every hint", () => {
    const hints = MODULES.flatMap(({ path, code }) =>
      hintsIn(code).map((text) => `${path}: ${text}`),
    );
    expect(hints.length).toBeGreaterThan(150);
    expect(hints.filter((text) => pasted.test(text))).toEqual([]);
  });

  it.each([
    ["hint`Run git rm --cached ${path}`", true],
    ["hint`Run ${run('git', 'rm', { path })}`", false],
    ["hint`chmod ${mode} it`", true],
    ["hint`Install git: only git can say.`", false],
  ])("%s: pasted %s", (code, isPasted) => {
    expect(hintsIn(code).some((text) => pasted.test(text))).toBe(isPasted);
  });

  it("of ours is written out in the help, in shells' completion and in the demo only", () => {
    const names =
      "init|check|scopes|explain|exec|env|hook|rotate|logout|uninstall|ci|completion|demo";
    const line = new RegExp(`["'\`][^"'\`\\n]*\\bdo-bootstrap (?:${names}|--?\\w)`);
    const writers = MODULES.filter(({ code }) => line.test(code)).map(({ path }) => path);
    const allowed = ["cli/commands/", "cli/completion/", "commands/demo/", "report/json-schema.ts"];
    expect(writers.filter((path) => !isIn(path, ...allowed))).toEqual([
      // A word about itself.
      "exec/guards.ts",
    ]);
  });
});

describe("what is printed", () => {
  const writes = /(?:std(?:out|err)|stream)\.write\(|writeSync\(|writeAll\(|console\./;

  it("is written in these files only", () => {
    const writers = MODULES.filter(({ code }) => writes.test(code)).map(({ path }) => path);
    expect(writers.sort()).toEqual([
      "bin.ts",
      // The data that was asked for.
      "cli/commands/env.ts",
      "exec/execute.ts",
      "exec/quick.ts",
      "exec/write-all.ts",
      // What the prompt library draws of texts that were made safe.
      "host/node.ts",
      "main.ts",
      // One line, which it makes safe.
      "report/progress.ts",
    ]);
  });

  it("by main.ts goes through a gate, but for help and data", () => {
    const { code = "" } = MODULES.find(({ path }) => path === "main.ts") ?? {};
    const written = Array.from(
      code.matchAll(/std(?:out|err)\.write\((\w+(?:\.\w+)?)/g),
      ([, what]) => what,
    );
    expect([...new Set(written)].sort()).toEqual([
      "jsonDocument",
      "jsonError",
      "jsonReport",
      "outcome.output",
      "parsed.text",
      "safeLines",
    ]);
  });
});

describe("the small entry", () => {
  /** What the build takes out of it, to load it when a text is on its way out. */
  const build = readFileSync(join(SRC, "..", "esbuild.config.mjs"), "utf8");
  const [, list = ""] = /const LATE = \[(.*?)\n?\];/s.exec(build) ?? [];
  const late = Array.from(list.matchAll(/"src\/([^"]+)"/g), ([, path = ""]) => path);

  /** Everything that is loaded with a module, types not counted. */
  const loadedWith = (path: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(path)) return seen;
    seen.add(path);
    const { imports = [] } = MODULES.find((each) => each.path === path) ?? {};
    for (const { to, typeOnly } of imports) {
      // What bin.ts hands everything else to, it loads only then.
      if (!typeOnly && to !== "main.ts" && !late.includes(to)) loadedWith(to, seen);
    }
    return seen;
  };

  it("loads dotenv and, for Windows, cross-spawn: no other package", () => {
    const packages = [...loadedWith("bin.ts")].filter((to) => !/^node:|\.ts$/.test(to));
    expect(packages.sort()).toEqual(["cross-spawn", "dotenv"]);
  });

  it("loads nothing of the whole program but what it shares with it", () => {
    const modules = [...loadedWith("bin.ts")].filter((to) => to.endsWith(".ts"));
    expect(modules.filter((to) => !isIn(to, "bin.ts", "exec/")).sort()).toEqual([
      "errors/app-error.ts",
      "errors/exit-status.ts",
      "errors/hint.ts",
      "errors/system-error.ts",
      "host/compiled-code.ts",
      "host/ours.ts",
      "host/record.ts",
      "host/typing.ts",
      "host/which.ts",
      "lib/is-ci.ts",
      "lib/json.ts",
      "lib/paths.ts",
      "lib/sha256.ts",
      "lib/unicode-escapes.ts",
      "secret/content.ts",
      "secret/forms.ts",
      "secret/known.ts",
      "secret/named.ts",
      "secret/secret.ts",
      "secret/token-form.ts",
      "secret/variable-names.ts",
      "secret/variables.ts",
    ]);
  });

  it("loads late what a text passes on its way out, and what names a mistake", () => {
    const printing = ["secret/mask.ts", "secret/redact.ts", "secret/safe.ts"];
    expect(late).toEqual([...printing, "secret/not-a-token.ts"]);
  });
});

describe("imports point downwards", () => {
  it("every file stands in a room", () => {
    expect(MODULES.filter(({ path }) => roomOf(path) === undefined)).toEqual([]);
  });

  it("between layers and between rooms, types included", () => {
    expect(breaches((from, to) => isOurs(to) && orderOf(to) > orderOf(from))).toEqual([]);
  });

  it("above the host its types alone are known", () => {
    const isTypes = (to: string, typeOnly: boolean) => to === "host/host.ts" && typeOnly;
    const starters = [...MACHINE, "main.ts", "index.ts"];
    const breach = breaches(
      (from, to, typeOnly) =>
        isIn(to, "host/") && !isIn(from, ...starters) && !isTypes(to, typeOnly),
    );
    expect(breach).toEqual([]);
  });

  it("and in no circle, types included", () => {
    const edges = new Map(MODULES.map(({ path, imports }) => [path, imports.map(({ to }) => to)]));
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path))
        circles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      else if (!done.has(path)) {
        for (const to of edges.get(path) ?? []) visit(to, [...trail, path]);
        done.add(path);
      }
    };
    for (const path of edges.keys()) visit(path, []);
    expect(circles).toEqual([]);
  });
});

it("no room has more than 15 % of the lines", () => {
  const total = MODULES.reduce((sum, { lines }) => sum + lines, 0);
  const shares = ROOMS.map((room) => {
    const own = MODULES.filter(({ path }) => roomOf(path) === room);
    return { room, share: own.reduce((sum, { lines }) => sum + lines, 0) / total };
  });
  expect(shares.filter(({ share }) => share > 0.15)).toEqual([]);
  expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
});

it("a child of ours gets the whole environment only where a person trusts it", () => {
  const users = MODULES.filter(({ code }) => /\bwholeEnvironment\(/.test(code));
  expect(users.map(({ path }) => path).sort()).toEqual([
    "concerns/token/find-token.ts",
    // All but what leads into the repo.
    "concerns/token/run-alone.ts",
    "secret/child-environment.ts",
  ]);
  // Behind exec the command is the person's own.
  const starters = MODULES.filter(({ code }) =>
    /\b(spawn|execa|spawnIt|fork|execFile)\(/.test(code),
  );
  expect(starters.map(({ path }) => path).sort()).toEqual([
    "exec/execute.ts",
    "host/open-page.ts",
    "host/run.ts",
  ]);
});

it("a secret is revealed at the sinks of rule 1 only", () => {
  const users = MODULES.filter(({ code }) =>
    /\.\s*reveal\b|\["reveal"\]|\{[^}]*\breveal\b[^}]*\}\s*=/.test(code),
  );
  expect(users.map(({ path }) => path).sort()).toEqual([
    "concerns/doctl/auth-init.ts",
    "concerns/spaces/access-keys.ts",
    "concerns/spaces/s3.ts",
    "concerns/token/inspect.ts",
    "concerns/token/revoke.ts",
    "secret/content.ts",
    "secret/variables.ts",
  ]);
});

it("a folder is removed with all that is in it in one place, which no other user can reach", () => {
  const recursive =
    /\b(?:rm|rmdir|rimraf|emptyDir|remove)(?:Sync)?\([^;]*\brecursive\b|unsafeCleanup/s;
  const users = MODULES.filter(({ code }) => recursive.test(code));
  expect(users.map(({ path }) => path)).toEqual(["host/private-folder.ts"]);
});
