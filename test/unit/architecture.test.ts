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
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map((entry) => {
    const path = relative(SRC, join(entry.parentPath, entry.name));
    const code = withoutComments(readFileSync(join(SRC, path), "utf8"));
    return { path, code, imports: importsIn(path, code) };
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

const DOMAINS = [
  "token/",
  "env-file/",
  "doctl/",
  "terraform/",
  "git/",
  "config/",
  "scopes/",
  "leaks/",
];
const MACHINE = ["host/", "bin.ts", "exec/", "sandbox/"];

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
      expect.arrayContaining(["yargs", "execa", "node:fs/promises", "node:https"]),
    );
    expect(
      seen.filter((to) => to.endsWith(".ts") && !MODULES.some(({ path }) => path === to)),
    ).toEqual([]);
  });
});

describe("the rooms of DESIGN §2", () => {
  it("files, processes and the network are reached in host/, exec/ and sandbox/ only", () => {
    const harmless = ["node:path", "node:crypto", "node:util", "node:url"];
    const reaches = (to: string) =>
      to === "execa" || (to.startsWith("node:") && !harmless.includes(to));
    expect(breaches((from, to) => reaches(to) && !isIn(from, ...MACHINE))).toEqual([]);
  });

  it("the global process is used in host/, exec/, sandbox/, bin.ts and main.ts only", () => {
    const users = MODULES.filter(({ code }) =>
      /(?<![\w.$])process\s*(?:[.[,;)}]|\?\.|$)|globalThis/m.test(
        code.replace(/"(?:\\.|[^"\\\n])*"/g, '""'),
      ),
    ).map(({ path }) => path);
    expect(users).toContain("bin.ts");
    // sha256.ts gets node:crypto late.
    expect(users.filter((path) => !isIn(path, ...MACHINE, "main.ts", "sha256.ts"))).toEqual([]);
  });

  it("yargs lives in cli/", () => {
    expect(breaches((from, to) => isIn(to, "yargs", "yargs/") && !isIn(from, "cli/"))).toEqual([]);
  });

  it("cosmiconfig is known to config/load-file.ts", () => {
    const isIt = (to: string) => isIn(to, "cosmiconfig", "cosmiconfig/");
    expect(breaches((from, to) => isIt(to) && from !== "config/load-file.ts")).toEqual([]);
    expect(breaches((_, to) => isIt(to))).not.toEqual([]);
  });

  it("nothing runs or builds code from text", () => {
    const users = MODULES.filter(({ code }) => /\beval\(|new Function\(|\brequire\(/.test(code));
    expect(users.map(({ path }) => path)).toEqual([]);
  });
});

describe("the small entry", () => {
  /** Everything that is loaded with a module, types not counted. */
  const loadedWith = (path: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(path)) return seen;
    seen.add(path);
    const { imports = [] } = MODULES.find((each) => each.path === path) ?? {};
    for (const { to, typeOnly } of imports) {
      // What bin.ts hands everything else to, it loads only then.
      if (!typeOnly && to !== "main.ts") loadedWith(to, seen);
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
      "ci.ts",
      "content.ts",
      "env-file/read.ts",
      "errors.ts",
      "host/record.ts",
      "paths.ts",
      "sha256.ts",
      "token/format.ts",
      "token/secret.ts",
      "token/sources.ts",
    ]);
  });
});

describe("imports point downwards", () => {
  it.each([
    ["exec", ["exec/"], ["plan/", "cli/", "report/", "sandbox/", "main.ts"]],
    ["domains", DOMAINS, ["plan/", "cli/", "report/", "sandbox/", "main.ts"]],
    ["plan", ["plan/"], ["cli/", "report/", "sandbox/", "main.ts"]],
    ["report", ["report/"], ["cli/", "sandbox/", "main.ts"]],
    ["host", ["host/"], [...DOMAINS, "plan/", "cli/", "report/", "sandbox/", "main.ts"]],
    ["sandbox", ["sandbox/"], ["plan/", "cli/", "report/", "main.ts"]],
    ["cli", ["cli/"], ["main.ts", "bin.ts"]],
  ])("%s", (_, from, above) => {
    expect(breaches((each, to) => isIn(each, ...from) && isIn(to, ...above))).toEqual([]);
  });

  it("domains and plan know of the host its types alone", () => {
    const isHost = (to: string) => isIn(to, "host/");
    const isTypes = (to: string, typeOnly: boolean) => to === "host/host.ts" && typeOnly;
    const above = [...DOMAINS, "plan/", "report/", "cli/"];
    const breach = breaches(
      (from, to, typeOnly) => isIn(from, ...above) && isHost(to) && !isTypes(to, typeOnly),
    );
    expect(breach).toEqual([]);
  });

  it("domains take types of each other, and Secret", () => {
    const room = (path: string) => DOMAINS.find((domain) => isIn(path, domain));
    const crossing = breaches(
      (from, to, typeOnly) =>
        room(from) !== undefined &&
        room(to) !== undefined &&
        room(from) !== room(to) &&
        !typeOnly &&
        to !== "token/secret.ts",
    );
    // What a token looks like and what the secret file is called are said in one place each.
    expect(crossing).toEqual([
      "config/validate.ts -> token/format.ts",
      "git/ignore-rules.ts -> terraform/files.ts",
    ]);
  });

  it("and in no circle", () => {
    const values = new Map(
      MODULES.map(({ path, imports }) => [
        path,
        imports.filter(({ typeOnly }) => !typeOnly).map(({ to }) => to),
      ]),
    );
    const circles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path))
        circles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      else for (const to of values.get(path) ?? []) visit(to, [...trail, path]);
    };
    for (const path of values.keys()) visit(path, []);
    expect(circles).toEqual([]);
  });
});

it("a secret is revealed at the sinks of rule 1 only", () => {
  const users = MODULES.filter(({ code }) =>
    /\.\s*reveal\b|\["reveal"\]|\{[^}]*\breveal\b[^}]*\}\s*=/.test(code),
  );
  expect(users.map(({ path }) => path).sort()).toEqual([
    "content.ts",
    "doctl/auth-init.ts",
    "exec/variables.ts",
    "terraform/lock-test.ts",
    "token/inspect.ts",
    "token/revoke.ts",
  ]);
});
