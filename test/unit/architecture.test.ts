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

/** Layers and rooms, lowest first. A file imports only from its own room and from rooms earlier in this list. */
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
/** An unlisted room goes after the listed rooms of its layer: none of them imports it yet. */
const newIn = (layer: string) =>
  readdirSync(join(SRC, layer))
    .map((name) => `${layer}/${name}/`)
    .filter((room) => !NAMED.includes(room));
const ROOMS = NAMED.flatMap((room) => {
  if (room === "commands/init/") return [...newIn("concerns"), room];
  return room === "report/" ? [...newIn("commands"), room] : [room];
});

/** Rooms that use the machine directly: the fast path, and the demo's API on loopback. */
const MACHINE = ["host/", "bin.ts", "exec/", "commands/demo/"];

/** The innermost room that contains the file. */
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
    expect(seen).toEqual(expect.arrayContaining(["yargs", "node:fs/promises", "node:https"]));
    expect(
      seen.filter((to) => to.endsWith(".ts") && !MODULES.some(({ path }) => path === to)),
    ).toEqual([]);
  });
});

describe("the structure of docs/design.md §2", () => {
  it("only host/, exec/ and commands/demo/ use files, processes and the network", () => {
    const harmless = [
      "node:async_hooks",
      "node:path",
      "node:crypto",
      "node:util",
      "node:url",
      "node:zlib",
    ];
    const reaches = (to: string) => to.startsWith("node:") && !harmless.includes(to);
    expect(breaches((from, to) => reaches(to) && !isIn(from, ...MACHINE))).toEqual([]);
  });

  it("only host/, exec/, commands/demo/, bin.ts and main.ts use the global process", () => {
    const users = MODULES.filter(({ code }) =>
      /(?<![\w.$])process\s*(?:[.[,;)}]|\?\.|$)|globalThis/m.test(
        code.replace(/"(?:\\.|[^"\\\n])*"/g, '""'),
      ),
    ).map(({ path }) => path);
    expect(users).toContain("bin.ts");
    // lib/sha256.ts loads node:crypto late. secret/known.ts shares one list between the files of the build.
    const late = ["main.ts", "lib/sha256.ts", "secret/known.ts"];
    expect(users.filter((path) => !isIn(path, ...MACHINE, ...late))).toEqual([]);
  });

  it("only cli/ imports yargs", () => {
    expect(breaches((from, to) => isIn(to, "yargs", "yargs/") && !isIn(from, "cli/"))).toEqual([]);
  });

  it("only concerns/config/load-file.ts imports cosmiconfig", () => {
    const isIt = (to: string) => isIn(to, "cosmiconfig", "cosmiconfig/");
    expect(breaches((from, to) => isIt(to) && from !== "concerns/config/load-file.ts")).toEqual([]);
    expect(breaches((_, to) => isIt(to))).not.toEqual([]);
  });

  it("only lib/json-text.ts imports jsonc-parser", () => {
    const isIt = (to: string) => isIn(to, "jsonc-parser", "jsonc-parser/");
    expect(breaches((_, to) => isIt(to))).toEqual(["lib/json-text.ts -> jsonc-parser"]);
  });

  it("only what loads this program's own files imports node:vm", () => {
    expect(breaches((_, to) => to === "node:vm").sort()).toEqual([
      "host/binary.ts -> node:vm",
      "host/compiled-code.ts -> node:vm",
      "host/load.ts -> node:vm",
    ]);
  });

  it("no file uses eval, new Function or require", () => {
    const users = MODULES.filter(({ code }) => /\beval\(|new Function\(|\brequire\(/.test(code));
    expect(users.map(({ path }) => path)).toEqual([]);
  });
});

describe("command lines for the user to type", () => {
  const TOOLS = "do-bootstrap|doctl|git|terraform|tofu|gh|glab|npm|npx|chmod|rm|mv|unset|export";
  const hintsIn = (code: string) =>
    Array.from(
      code.matchAll(/\bhint`((?:\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\}|[^`\\]|\\.)*)`/g),
      (found) => (found[1] ?? "").replace(/\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\}/g, "…"),
    );

  /** "…" is a value. A tool followed by a value or an option is a command line written as text. */
  const pasted = new RegExp(`(?<![\\w./-])(?:${TOOLS}) (?:-|…|(?:[a-z-]+ )?-{1,2}\\w)`);

  it("are built from data in every hint", () => {
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
  ])("%s is written as text: %s", (code, isPasted) => {
    expect(hintsIn(code).some((text) => pasted.test(text))).toBe(isPasted);
  });

  it("start with do-bootstrap as text only in help, completion and the demo", () => {
    const names =
      "init|check|scopes|explain|exec|env|hook|rotate|logout|uninstall|ci|completion|demo";
    const line = new RegExp(`["'\`][^"'\`\\n]*\\bdo-bootstrap (?:${names}|--?\\w)`);
    const writers = MODULES.filter(({ code }) => line.test(code)).map(({ path }) => path);
    const allowed = ["cli/commands/", "cli/completion/", "commands/demo/", "report/json-schema.ts"];
    expect(writers.filter((path) => !isIn(path, ...allowed))).toEqual([
      // Names its own command.
      "exec/guards.ts",
    ]);
  });
});

describe("output", () => {
  const writes = /(?:std(?:out|err)|stream)\.write\(|writeSync\(|writeAll\(|console\./;

  it("is written only by these files", () => {
    const writers = MODULES.filter(({ code }) => writes.test(code)).map(({ path }) => path);
    expect(writers.sort()).toEqual([
      "bin.ts",
      // Prints the requested data.
      "cli/commands/env.ts",
      "exec/execute.ts",
      "exec/quick.ts",
      "exec/write-all.ts",
      // The prompt library draws texts that are already safe.
      "host/node.ts",
      "main.ts",
      // Makes its one line safe.
      "report/progress.ts",
    ]);
  });

  it("of main.ts is made safe, except help and data", () => {
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
  /** Modules that the build splits off; they load only when a text is printed. */
  const build = readFileSync(join(SRC, "..", "esbuild.config.mjs"), "utf8");
  const [, list = ""] = /const LATE = \[(.*?)\n?\];/s.exec(build) ?? [];
  const late = Array.from(list.matchAll(/"src\/([^"]+)"/g), ([, path = ""]) => path);

  /** All modules that load with this one, without type imports. */
  const loadedWith = (path: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(path)) return seen;
    seen.add(path);
    const { imports = [] } = MODULES.find((each) => each.path === path) ?? {};
    for (const { to, typeOnly } of imports) {
      // bin.ts loads main.ts only for the lines that it cannot read itself.
      if (!typeOnly && to !== "main.ts" && !late.includes(to)) loadedWith(to, seen);
    }
    return seen;
  };

  it("loads no package except dotenv", () => {
    const packages = [...loadedWith("bin.ts")].filter((to) => !/^node:|\.ts$/.test(to));
    expect(packages.sort()).toEqual(["dotenv"]);
  });

  it("loads only these modules of the whole program", () => {
    const modules = [...loadedWith("bin.ts")].filter((to) => to.endsWith(".ts"));
    expect(modules.filter((to) => !isIn(to, "bin.ts", "exec/")).sort()).toEqual([
      "errors/app-error.ts",
      "errors/exit-status.ts",
      "errors/hint.ts",
      "errors/system-error.ts",
      "host/compiled-code.ts",
      "host/load.ts",
      "host/ours.ts",
      "host/package.ts",
      "host/places.ts",
      "host/processes.ts",
      "host/record.ts",
      "host/start.ts",
      "host/typing.ts",
      "host/which.ts",
      "lib/is-ci.ts",
      "lib/json.ts",
      "lib/paths.ts",
      "lib/sha256.ts",
      "lib/shell-word.ts",
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

  it("loads masking, redaction and token diagnosis only when needed", () => {
    const printing = ["secret/mask.ts", "secret/redact.ts", "secret/safe.ts"];
    expect(late).toEqual([...printing, "secret/not-a-token.ts"]);
  });
});

describe("imports point downwards", () => {
  it("every file belongs to a room", () => {
    expect(MODULES.filter(({ path }) => roomOf(path) === undefined)).toEqual([]);
  });

  it("no file imports from a later room, type imports included", () => {
    expect(breaches((from, to) => isOurs(to) && orderOf(to) > orderOf(from))).toEqual([]);
  });

  it("other rooms import only the host's types", () => {
    const isTypes = (to: string, typeOnly: boolean) => to === "host/host.ts" && typeOnly;
    const starters = [...MACHINE, "main.ts", "index.ts"];
    const breach = breaches(
      (from, to, typeOnly) =>
        isIn(to, "host/") && !isIn(from, ...starters) && !isTypes(to, typeOnly),
    );
    expect(breach).toEqual([]);
  });

  it("there are no import cycles, type imports included", () => {
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

it("only commands that the user trusts get the whole environment", () => {
  const users = MODULES.filter(({ code }) => /\bwholeEnvironment\(/.test(code));
  expect(users.map(({ path }) => path).sort()).toEqual([
    "concerns/token/find-token.ts",
    // Everything except paths into the repo.
    "concerns/token/run-alone.ts",
    "secret/child-environment.ts",
  ]);
  // On Windows, `spawn` alone would start a program of the current folder.
  const spawners = MODULES.filter(({ code }) => /\b(spawn|execa|fork|execFile)\(/.test(code));
  expect(spawners.map(({ path }) => path)).toEqual(["host/start.ts"]);
  // exec runs the user's own command.
  expect(breaches((_, to) => to === "host/start.ts")).toEqual([
    "exec/execute.ts -> host/start.ts",
    "host/open-page.ts -> host/start.ts",
    "host/run.ts -> host/start.ts",
  ]);
});

it("only the sinks of rule 1 reveal a secret", () => {
  const users = MODULES.filter(({ code }) =>
    /\.\s*reveal\b|\["reveal"\]|\{[^}]*\breveal\b[^}]*\}\s*=/.test(code),
  );
  expect(users.map(({ path }) => path).sort()).toEqual([
    "commands/pipelines/github/gh.ts",
    "commands/pipelines/hcp/api.ts",
    "concerns/doctl/auth-init.ts",
    "concerns/spaces/access-keys.ts",
    "concerns/spaces/s3.ts",
    "concerns/token/inspect.ts",
    "concerns/token/revoke.ts",
    "secret/content.ts",
    "secret/variables.ts",
  ]);
});

it("only host/places.ts asks for the current folder, which has several paths on Windows", () => {
  const users = MODULES.filter(({ code }) => /\bcwd\(\)/.test(code)).map(({ path }) => path);
  expect(users.filter((path) => path !== "host/node.ts")).toEqual(["host/places.ts"]);
  const own = MODULES.find(({ path }) => path === "host/node.ts")?.code ?? "";
  expect(own).not.toContain("process.cwd");
});

it("only host/held.ts replaces and removes files, which others may have open on Windows", () => {
  const takes = /\bfs\.(?:rename|link|unlink|rm|rmdir)\(|\b(?:rename|link|unlink|rm|rmdir)Sync\(/;
  const users = MODULES.filter(({ code }) => takes.test(code)).map(({ path }) => path);
  expect(users).toEqual(["host/held.ts"]);
});

it("only host/private-folder.ts removes a folder with its contents", () => {
  const recursive =
    /\b(?:rm|rmdir|rimraf|emptyDir|remove)(?:Sync)?\([^;]*\brecursive\b|unsafeCleanup/s;
  const users = MODULES.filter(({ code }) => recursive.test(code));
  expect(users.map(({ path }) => path)).toEqual(["host/private-folder.ts"]);
});
