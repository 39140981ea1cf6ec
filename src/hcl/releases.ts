import { join } from "node:path";
import { recognise } from "../core/generated.ts";
import type { Files, Snapshot } from "../host/host.ts";
import { foldersUp } from "../lib/paths.ts";
import { decode } from "../secret/content.ts";
import { codeFiles, type ToolName, tofuFiles } from "./code-files.ts";

/** A file in the repo that tells a version manager which release of a tool to start. */
export interface VersionFile {
  readonly tool: ToolName;
  readonly path: string;
  /** The requirement as written: "1.11.4", "latest:^1.5", "~> 1.9". */
  readonly says: string;
}

/** The tool that a root module is for, and the repo's requirements for its release. */
export interface ToolChoice {
  readonly tool: ToolName;
  /**
   * The config names the tool, or all files of the root except ours are OpenTofu's. Otherwise the user may run either
   * tool.
   */
  readonly isCertain: boolean;
  /** The version files of this tool. */
  readonly versionFiles: readonly VersionFile[];
  /** The folders in which version files count; absolute. */
  readonly searched: readonly string[];
}

/**
 * Chooses the tool by config and repo only, never by the machine (docs/design.md §6). Version files count from the
 * root's folder up to the top of the repo; the nearest file of each name wins.
 *
 * @param dir the root module, absolute.
 * @param named the tool in the config.
 */
export async function chooseTool(
  files: Pick<Files, "list" | "look">,
  dir: string,
  named: ToolName | undefined,
): Promise<ToolChoice> {
  const folders: { folder: string; names: readonly string[] }[] = [];
  for (const folder of foldersUp(dir)) {
    folders.push({ folder, names: await files.list(folder) });
    if (folders.at(-1)?.names.includes(".git")) break;
  }
  // Outside a repo, the parent folders belong to the user.
  const isRepo = folders.at(-1)?.names.includes(".git") === true;
  const within = isRepo ? folders : folders.slice(0, 1);
  const found = new Map<string, VersionFile>();
  for (const { folder, names } of within) {
    const known = names.filter((name) => FIRST_NAMES.has(name));
    if (known.length === 0) continue;
    for (const { place, tools, read } of PLACES) {
      if (!known.includes(place[0] ?? "")) continue;
      const path = join(folder, ...place);
      const text = textOf(await files.look(path));
      for (const tool of tools) {
        const says = read(text, tool)?.slice(0, MOST_SHOWN);
        const key = `${tool} ${place.join("/")}`;
        if (says !== undefined && !found.has(key)) found.set(key, { tool, path, says });
      }
    }
  }
  const all = [...found.values()];
  const names = folders[0]?.names ?? [];
  const isTofus = tofuFiles(names).length > 0 && (await areOurs(codeFiles(names, "terraform")));
  const isReleased = (tool: ToolName) => all.some((each) => each.tool === tool);
  const likely = isReleased("tofu") && !isReleased("terraform") ? "tofu" : "terraform";
  const tool = named ?? (isTofus ? "tofu" : likely);
  return {
    tool,
    isCertain: named !== undefined || isTofus,
    versionFiles: all.filter((each) => each.tool === tool),
    searched: within.map(({ folder }) => folder),
  };

  /** Our own .tf files next to .tofu files do not show which tool is used. */
  async function areOurs(written: readonly string[]): Promise<boolean> {
    if (written.length > MOST_OURS) return false;
    const looks = written.map((name) => files.look(join(dir, name)));
    return (await Promise.all(looks)).every((each) => recognise(textOf(each)) !== "foreign");
  }
}

const MOST_OURS = 5;

/** Limits the shown text. A real one is a release or a pattern. */
const MOST_SHOWN = 100;

interface Place {
  /** Folders and file name, relative to the folder that the file applies to. */
  readonly place: readonly string[];
  readonly tools: readonly ToolName[];
  readonly read: (text: string, tool: ToolName) => string | undefined;
}

const BOTH = ["terraform", "tofu"] as const;

/** The files of tfenv, tofuenv, tenv, tfswitch, asdf and mise. */
const PLACES: readonly Place[] = [
  { place: [".terraform-version"], tools: ["terraform"], read: firstLine },
  { place: [".opentofu-version"], tools: ["tofu"], read: firstLine },
  { place: [".tfswitchrc"], tools: ["terraform"], read: firstLine },
  {
    place: [".tfswitch.toml"],
    tools: ["terraform"],
    read: (text) => inToml(text, (key) => key === "version"),
  },
  { place: [".tool-versions"], tools: BOTH, read: inToolVersions },
  ...[
    ["mise.toml"],
    [".mise.toml"],
    ["mise", "config.toml"],
    [".mise", "config.toml"],
    [".config", "mise.toml"],
    [".config", "mise", "config.toml"],
  ].map((place) => ({ place, tools: BOTH, read: inMise })),
];

const FIRST_NAMES: ReadonlySet<string> = new Set(PLACES.flatMap(({ place }) => place[0] ?? []));

/** All paths in a folder where a version file may be. */
export function versionPlaces(folder: string): string[] {
  return PLACES.map(({ place }) => join(folder, ...place));
}

function textOf(snapshot: Snapshot): string {
  return (snapshot.kind === "file" ? decode(snapshot.bytes)?.text : undefined) ?? "";
}

/** Reads like tfenv: without comments. */
function firstLine(text: string): string | undefined {
  return linesOf(text).find((line) => line !== "");
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).map((line) => line.replace(/#.*/, "").trim());
}

const NAMES: Readonly<Record<ToolName, readonly string[]>> = {
  terraform: ["terraform"],
  tofu: ["opentofu", "tofu"],
};

/** Also matches a name with the prefix of a mise backend, or with a colon at the end, which mise ignores. */
function isNameOf(tool: ToolName, name: string): boolean {
  const [last = ""] = name.split(/[:/]/).filter(Boolean).slice(-1);
  return NAMES[tool].includes(last);
}

/** `terraform 1.11.4 1.9.8`: the first installed one is started. */
function inToolVersions(text: string, tool: ToolName): string | undefined {
  const words = linesOf(text).map((line) => line.split(/\s+/));
  return words.find(([name = ""]) => isNameOf(tool, name))?.[1];
}

/** `terraform = "1.11"` in [tools], also with the prefix of a backend: `"aqua:hashicorp/terraform"`. */
function inMise(text: string, tool: ToolName): string | undefined {
  return inToml(text, (key) => {
    const [section, ...rest] = key.split(".");
    const name = rest.join(".").replace(/\.version$/, "");
    return section === "tools" && isNameOf(tool, name);
  });
}

/** The string at a key such as "tools.terraform", the first of a list, or the `version` of a table. */
function inToml(text: string, isWanted: (key: string) => boolean): string | undefined {
  let section = "";
  for (const written of text.split("\n")) {
    const line = written.trim().slice(0, 500);
    const header = /^\[+([^[\]]*)\]/.exec(line)?.[1];
    if (header !== undefined) section = `${header.trim().replaceAll(/["']/g, "")}.`;
    const [, name = "", value = ""] = /^["']?([\w.:/@-]+)["']?\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === "" || !isWanted(section + name)) continue;
    return /^(?:\[\s*)?(?:\{.*?\bversion\s*=\s*)?["']([^"']*)["']/.exec(value)?.[1];
  }
  return undefined;
}

/** The release in a version file, if it names exactly one, such as "1.11.4". */
export function releaseIn({ says }: Pick<VersionFile, "says">): string | undefined {
  return /^v?(\d+\.\d+\.\d+)$/.exec(says)?.[1];
}

/**
 * The requirement of a version file as Terraform constraints; an empty list for an unknown format.
 *
 * @param required the constraints in the code, which some formats refer to.
 */
export function constraintsIn(
  { says }: Pick<VersionFile, "says">,
  required: readonly string[],
): readonly string[] {
  if (/^(=|!=|>=?|<=?|~>)\s*v?\d/.test(says)) return [says];
  // With several bounds, tfenv uses the first one.
  const lowest = /\d+(?:\.\d+){0,2}/.exec(required.join(","))?.[0];
  if (says === "min-required") return lowest === undefined ? [] : [`= ${whole(lowest)}`];
  const newest = /^latest:\^?v?(\d+(?:\\?\.\d+)*)(\\?\.)?/.exec(says);
  const [, first = "", end] =
    newest ?? /^(?:prefix:)?v?(\d+(?:\.\d+){0,2})([-+].*)?$/.exec(says) ?? [];
  const parts = first.replaceAll("\\", "").split(".").filter(Boolean);
  const [major, minor] = parts;
  if (major === undefined) return [];
  if (minor === undefined) return [`>= ${major}.0, < ${Number(major) + 1}.0`];
  if (parts.length > 2) return [`= ${parts.join(".")}`];
  // `latest:^1.1` is a prefix match: its newest match is 1.15, for example, not 1.1.
  if (newest !== null && minor === "1" && end === undefined) {
    return [`>= ${major}.10, < ${major}.20`];
  }
  return [`~> ${major}.${minor}.0`];
}

function whole(release: string): string {
  return [...release.split("."), "0", "0"].slice(0, 3).join(".");
}
