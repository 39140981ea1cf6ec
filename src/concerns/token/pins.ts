import {
  basename,
  delimiter,
  dirname,
  extname,
  isAbsolute,
  join,
  relative,
  resolve,
  sep,
} from "node:path";
import type { FileSnapshot, Files } from "../../host/host.ts";
import { foldersUp, isInside, namesPath } from "../../lib/paths.ts";
import { startOf } from "./command-start.ts";

/** All repo files that a command runs or reads, or why they cannot be determined. */
export type Pins =
  | { readonly kind: "pinned"; readonly files: readonly FileSnapshot[] }
  /** `why`: a short sentence without a full stop. */
  | { readonly kind: "unpinned"; readonly why: string };

export interface Around {
  /** The folder that the command's words are relative to, absolute. */
  readonly base: string;
  /** The git root; outside git, the same folder. Both are without symlinks. */
  readonly top: string;
  readonly home: string | undefined;
  /** The value of PATH. */
  readonly path: string | undefined;
}

/**
 * The repo files that a command needs: its script, files that its words name, files that the script's text names, and
 * so on. A trusted command gets only these files of the repo (run-alone.ts), so a file that is missed here is missing
 * then and does not run unnoticed.
 *
 * @param files reads each file once, so the returned content is the content that was checked.
 */
export async function pinsOf(
  command: readonly string[],
  around: Around,
  files: Pick<Files, "look" | "list" | "realpath">,
): Promise<Pins> {
  const { base, top, path: searched = "" } = around;
  const home = around.home === undefined ? undefined : await files.realpath(around.home);
  const start = startOf(command);
  const pinned = new Map<string, FileSnapshot>();
  const texts: FileSnapshot[] = [];
  const names = new Map<string, Promise<ReadonlySet<string>>>();
  const why = await whyNot();
  return why === undefined
    ? { kind: "pinned", files: [...pinned.values()] }
    : { kind: "unpinned", why };

  async function whyNot(): Promise<string | undefined> {
    if (home !== undefined && isInside(home, top)) {
      return "HOME is inside this checkout, and programs load code from HOME";
    }
    if ("why" in start) return start.why;
    const script = "script" in start ? resolve(base, start.script) : undefined;
    if (script !== undefined) {
      const why = await pin(script, { runs: true, folder: "refused" });
      if (why !== undefined) return why;
      if (!pinned.has(script)) return `${shown(script)} is not a file of this repo`;
    }
    for (const word of command) {
      const outside = await whyFromOutside(word);
      if (outside !== undefined) return `${word} ${outside}`;
      const why = await pinWord(word, script !== undefined);
      if (why !== undefined) return why;
    }
    for (let next = texts.shift(); next !== undefined; next = texts.shift()) {
      const why = await follow(next);
      if (why !== undefined) return `${shown(next.path)} ${why}`;
    }
    return undefined;
  }

  async function pinWord(word: string, runs: boolean): Promise<string | undefined> {
    for (const piece of new Set([word, ...piecesOf(word)])) {
      const path = resolve(base, piece);
      if (/(^|[/\\])\.\.([/\\]|$)/.test(piece) && !isInside(path, top)) {
        return `${piece} is outside this repo`;
      }
      const why = await pin(path, { runs, folder: "refused" });
      if (why !== undefined) return why;
    }
    return undefined;
  }

  /** Follows what the text of a script names. @returns the reason for a refusal, without its subject. */
  async function follow({ path, bytes }: FileSnapshot): Promise<string | undefined> {
    // Nobody reads the names inside a binary, so they are not followed.
    if (bytes.includes(0)) return undefined;
    const text = bytes.toString("utf8");
    const starter = starterIn(text);
    if (starter !== undefined) return `uses ${starter}, which can run other programs`;
    const plain = asAWord(text);
    const outside = (await whyFromOutside(text)) ?? (await whyFromOutside(plain));
    if (outside !== undefined) return outside;
    const pieces = [...new Set([...piecesOf(text), ...piecesOf(plain)])];
    if (pieces.length > MAX_PIECES) return "is too long to check";
    const link = await linkedProgram(pieces);
    if (link !== undefined) return `uses ${link}, a link into this repo`;
    const ending = extname(path);
    for (const piece of new Set(pieces.flatMap((each) => [each, `${each}${ending}`]))) {
      for (const folder of new Set([base, dirname(path), top])) {
        if (!(await canBeIn(folder, piece))) continue;
        // Ordinary words can be names of folders, too.
        const ofFolder = piece.includes("/") && /[^./]/.test(piece) ? "refused" : "skipped";
        const why = await pin(resolve(folder, piece), { runs: true, folder: ofFolder });
        if (why !== undefined) return `mentions ${piece}: ${why}`;
      }
    }
    return undefined;
  }

  /** A program on PATH, or a Node package, that is a link into the repo, for example from npm link. */
  async function linkedProgram(pieces: readonly string[]): Promise<string | undefined> {
    const packages = home === undefined ? [] : NODE_FOLDERS.map((name) => join(home, name));
    for (const folder of [...searched.split(delimiter).filter(isAbsolute), ...packages]) {
      for (const piece of pieces) {
        if (piece.includes("/") || !(await canBeIn(folder, piece))) continue;
        const program = join(folder, piece);
        // A PATH folder inside the repo is removed from the command's PATH.
        if (isInside(await files.realpath(folder), top)) break;
        if (isInside(await files.realpath(program), top)) return program;
      }
    }
    return undefined;
  }

  /** @param as `runs`: follow its text, too. A missing file is not a reason to refuse. */
  async function pin(
    path: string,
    as: { runs: boolean; folder: "refused" | "skipped" },
  ): Promise<string | undefined> {
    if (pinned.has(path) || !isInside(path, top)) return undefined;
    const found = await files.look(path);
    if (found.kind === "absent") return undefined;
    if (!isInside(found.target, top))
      return `${shown(path)} is a link that leads outside this repo`;
    if (found.kind !== "file") {
      const what = found.kind === "fifo" ? "a FIFO" : found.why;
      if (what === "a directory" && as.folder === "skipped") return undefined;
      return `${shown(path)} is ${what}`;
    }
    pinned.set(path, found);
    const sum = [...pinned.values()].reduce((bytes, each) => bytes + each.bytes.length, 0);
    if (pinned.size > MAX_FILES || sum > MAX_BYTES)
      return "the command uses too many files from this repo";
    const isProgram =
      ((found.mode ?? 0o700) & 0o111) !== 0 || found.bytes.subarray(0, 2).toString() === "#!";
    if (as.runs || isProgram) texts.push(found);
    return undefined;
  }

  /** Uses the folder's listing to rule out most pieces without a lookup. */
  async function canBeIn(folder: string, piece: string): Promise<boolean> {
    const [first = ""] = piece.replace(/^\.\//, "").split("/");
    if (first === "" || first === "." || first === "..") return /[^./]/.test(piece);
    const listed = names.get(folder) ?? listing(folder);
    names.set(folder, listed);
    return (await listed).has(first.toLowerCase());
  }

  async function listing(folder: string): Promise<ReadonlySet<string>> {
    return new Set((await files.list(folder)).map((name) => name.toLowerCase()));
  }

  /** Whether a text points into the repo by a path that starts outside. @returns the reason, without its subject. */
  async function whyFromOutside(text: string): Promise<string | undefined> {
    const inFull = home === undefined ? text : withHome(text, home);
    const why = "refers to this checkout by an absolute path or from outside it";
    if (namesPath(inFull, top)) return why;
    const whole = isAbsolute(text) && text.length <= MAX_TOKEN ? [text] : [];
    for (const token of [...whole, ...tokensOf(inFull)]) {
      const [, absolute] = /^(?:--?[\w-]*)?(\/.*)$/.exec(token) ?? [];
      if (absolute !== undefined) {
        if (/^\/proc\b/.test(resolve(absolute)))
          return "reads /proc, which gives access to other folders";
        const real = await files.realpath(absolute);
        const holdsRepo = isInside(top, real) && dirname(real) !== real;
        if (holdsRepo || isInside(real, top)) return why;
        // The rest of the name may be a pattern, a variable or in other quotes.
        const stem = resolve(absolute.replace(/\\.*/s, ""));
        const begun = join(await files.realpath(dirname(stem)), basename(stem));
        const isDeep = dirname(dirname(begun)) !== dirname(begun);
        if (isDeep && top.toLowerCase().startsWith(begun.toLowerCase())) return why;
      }
      const steps = token.replace(/^(?:\.\.?\/)+/, "");
      if (!steps.includes("/")) continue;
      for (const folder of foldersUp(dirname(top))) {
        const path = join(folder, steps);
        const isThere = isInside(path, top) && (await files.look(path)).kind !== "absent";
        if (isThere) return why;
      }
    }
    return undefined;
  }

  function shown(path: string): string {
    return relative(base, path) || ".";
  }
}

/** Where Node looks for packages from the private folder, which is usually below HOME. */
const NODE_FOLDERS = ["node_modules", ".node_modules", ".node_libraries"];

const MAX_FILES = 64;
const MAX_BYTES = 8 * 1024 * 1024;
/** In one file. */
const MAX_PIECES = 4000;

/** The parts of a text that may be paths. Drops variables, but keeps the rest of their paths. */
function tokensOf(text: string): string[] {
  const tokens = text
    .replace(/\$\w+|\$\{\w+/g, " ")
    .split(/[^\p{L}\p{M}\p{N}_.+@%~/\\-]+/u)
    .map((token) => (sep === "\\" ? token.replaceAll("\\", "/") : token));
  return [...new Set(tokens)].filter((token) => token !== "" && token.length <= MAX_TOKEN);
}

const MAX_TOKEN = 1024;

/** Includes each token without a leading option, @ or slash: -f./x, @x, $PWD/x. */
function piecesOf(text: string): string[] {
  const pieces = tokensOf(text).flatMap((token) => [
    token,
    token.replace(/^[^\p{L}\p{N}_.]+/u, ""),
    token.replace(/^-\w/, ""),
  ]);
  return [...new Set(pieces)].filter(Boolean);
}

/** Joins quoted parts as a shell does: ./li"b".sh and ./li\b.sh are ./lib.sh. */
function asAWord(text: string): string {
  return text.replace(/\\\n|\\(?=\w)|(?<=[\w/.~-])["']+|["']+(?=[\w/.-])/g, "");
}

function withHome(text: string, home: string): string {
  return text
    .replace(/\$HOME\b|\$\{HOME\}/g, () => home)
    .replace(/(?<![\w/.~])~(?![\w~])/g, () => home);
}

/**
 * Finds a word that runs something the script does not name, or leaves the folder of its copy: build tools, package
 * runners, containers, other machines, another folder.
 */
function starterIn(text: string): string | undefined {
  const code = text.replace(/^[ \t]*#(?!!).*$/gm, "");
  const [, away] = /\b(cd|pushd|chdir)\b(?![ \t]+(?:--[ \t]+)?"?\$\(dirname\b)/.exec(code) ?? [];
  const [, word] = STARTERS.exec(code) ?? [];
  const [, english] = /(?:^|[;&|({`'"])[ \t]*(go|just|task)[ \t]/m.exec(code) ?? [];
  const [, module] = /\b(python[\d.]*[ \t]+-m)\b/.exec(code) ?? [];
  return away ?? word ?? english ?? module;
}

const STARTERS = new RegExp(
  `(?<![\\w.-])(${[
    ...["make", "gmake", "npm", "npx", "pnpm", "yarn", "bun", "bunx", "deno", "corepack"],
    ...["cargo", "gradle", "gradlew", "mvn", "mvnw", "ant", "rake", "bundle", "composer", "dotnet"],
    ...[
      "bazel",
      "nix",
      "nix-shell",
      "poetry",
      "pipenv",
      "pipx",
      "uv",
      "uvx",
      "tox",
      "nox",
      "hatch",
    ],
    ...["direnv", "mise", "asdf", "git", "terraform", "tofu", "terragrunt", "pulumi", "ansible"],
    ...["docker", "docker-compose", "podman", "nerdctl", "devcontainer", "vagrant", "wsl", "lima"],
    ...[
      "limactl",
      "lxc",
      "multipass",
      "distrobox",
      "toolbox",
      "flatpak-spawn",
      "chroot",
      "nsenter",
    ],
    ...["ssh", "kubectl", "tmux", "osascript", "systemd-run", "PPID", "ppid", "getppid"],
    ...["lsof", "pwdx"],
  ].join("|")})(?![\\w-])`,
);
