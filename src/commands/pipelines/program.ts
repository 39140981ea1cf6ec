import { createHash } from "node:crypto";
import { join, relative, resolve } from "node:path";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { recognise } from "../../core/generated.ts";
import { AppError } from "../../errors/app-error.ts";
import { type Hint, hint, own, run } from "../../errors/hint.ts";
import { isRecord, jsonIn, recordOf } from "../../lib/json.ts";
import { foldersUp, isInside } from "../../lib/paths.ts";
import type { Facts, ObservingHost } from "../init/observe.ts";
import { isPlainPath, plainPath } from "./files.ts";
import { finding } from "./findings.ts";

/**
 * Where a pipeline installs do-bootstrap from. Never by name: anybody who registered the name would get the token.
 * Paths are relative to the repo's root, with slashes.
 */
export type Source =
  /** npm ci, in the folder of a package.json whose lock file contains the hash. */
  | { readonly kind: "lockfile"; readonly folder: string }
  /** A package from `npm pack`: a file in the repo, or a URL. */
  | { readonly kind: "tarball"; readonly from: string; readonly sha512: string }
  /** Unknown: the jobs fail before they use a token. */
  | { readonly kind: "none" };

export interface Program {
  readonly source: Source;
  /** The files of the repo that the pipeline reads, absolute. */
  readonly files: readonly string[];
  readonly findings: readonly Finding[];
}

export interface ProgramRequest {
  readonly provider: "github" | "gitlab";
  /** A file or an https URL. */
  readonly tarball: string | undefined;
  /** The hash of the package at a URL, in hex. */
  readonly sha512: string | undefined;
}

/**
 * The source from the options, or from the existing pipeline, or from the repo's lock file.
 *
 * @param existing the text of the existing pipeline.
 * @throws AppError USAGE for options that name no package.
 */
export async function findProgram(
  host: Pick<ObservingHost, "files" | "cwd">,
  facts: Pick<Facts, "config" | "repo">,
  request: ProgramRequest,
  existing: string,
): Promise<Program> {
  const { top } = facts.repo;
  if (request.tarball !== undefined) {
    return given(host, top, { ...request, tarball: request.tarball });
  }
  if (request.sha512 !== undefined) {
    throw new AppError("USAGE", "--hash needs --tarball with a URL.", {
      hint: hint`Add --tarball https://…`,
    });
  }
  return (
    (await remembered(host, top, existing, request.provider)) ??
    (await locked(host, facts, request.provider))
  );
}

const ADDRESS = /^https:\/\/[\w.-]+(?::\d+)?\/[\w./~%+@=-]+$/;
const DIGEST = /^[0-9a-f]{128}$/;

async function given(
  { files, cwd }: Pick<ObservingHost, "files" | "cwd">,
  top: string,
  { tarball, sha512 }: ProgramRequest & { readonly tarball: string },
): Promise<Program> {
  const usage = (message: string, fix: Hint) => new AppError("USAGE", message, { hint: fix });
  if (sha512 !== undefined && !DIGEST.test(sha512)) {
    throw usage(
      "--hash is not a SHA-512 in hex (128 characters of 0-9a-f).",
      hint`Compute it from a package that you trust: ${run("sha512sum", "FILE")}`,
    );
  }
  if (/^\w+:\/\//.test(tarball)) {
    if (!ADDRESS.test(tarball)) {
      const fix = hint`Use an https URL with letters, digits and . _ / ~ % + @ = - only.`;
      throw usage("--tarball: this URL is not supported in a pipeline.", fix);
    }
    if (sha512 === undefined) {
      throw usage(
        "--tarball with a URL needs --hash, the SHA-512 of the package.",
        hint`Compute it from a package that you trust: ${run("sha512sum", "FILE")}`,
      );
    }
    return { source: { kind: "tarball", from: tarball, sha512 }, files: [], findings: [] };
  }
  const path = resolve(cwd, tarball);
  const found = await files.look(path);
  if (found.kind !== "file" || !isInside(found.target, top)) {
    const why = found.kind === "file" ? "is outside the repo" : "is not a file";
    throw usage(
      `--tarball: ${path} ${why}.`,
      hint`Put the package into the repo, for example in vendor`,
    );
  }
  const digest = sha512Of(found.bytes);
  if (sha512 !== undefined && sha512 !== digest) {
    throw usage(
      `--tarball: the SHA-512 of ${path} does not match --hash.`,
      hint`Download the package again from a source that you trust.`,
    );
  }
  const from = plainPath(relative(top, path));
  return { source: { kind: "tarball", from, sha512: digest }, files: [path], findings: [] };
}

function sha512Of(bytes: Uint8Array): string {
  return createHash("sha512").update(bytes).digest("hex");
}

/**
 * The package in a pipeline that we wrote. Anybody can write one with our header, so a URL in it is shown to a person.
 */
async function remembered(
  { files }: Pick<ObservingHost, "files">,
  top: string,
  existing: string,
  provider: ProgramRequest["provider"],
): Promise<Program | undefined> {
  if (recognise(existing) !== "generated") return undefined;
  const from = /^ +package="([^"$]+)"\r?$/m.exec(existing)?.[1] ?? "";
  const sha512 = /^ +sha512="([0-9a-f]{128})"\r?$/m.exec(existing)?.[1] ?? "";
  if (sha512 === "") return undefined;
  if (ADDRESS.test(from)) {
    const message = `The pipeline still installs do-bootstrap from ${from} with SHA-512 ${sha512}.`;
    const fix = hint`Check that both are correct. To use another package: ${own("ci", provider, "--tarball", FILE)}`;
    const findings = [finding("ci.to-do", message, { fix })];
    return { source: { kind: "tarball", from, sha512 }, files: [], findings };
  }
  if (!isPlainPath(from)) return undefined;
  const path = join(top, from);
  const found = await files.look(path);
  if (found.kind !== "file" || !isInside(found.target, top)) return undefined;
  const source = { kind: "tarball", from, sha512: sha512Of(found.bytes) } as const;
  return { source, files: [path], findings: [] };
}

/** npm uses the first of these that exists. */
const LOCK_FILES = ["npm-shrinkwrap.json", "package-lock.json"] as const;
const LOCK_BYTES = 64 * 1024 * 1024;

async function locked(
  { files }: Pick<ObservingHost, "files">,
  { config: { base }, repo: { top } }: Pick<Facts, "config" | "repo">,
  provider: "github" | "gitlab",
): Promise<Program> {
  const why = (message: string, isPackage: boolean, where?: string): Program => ({
    source: { kind: "none" },
    files: [],
    findings: [
      finding("ci.no-package", `${message} The jobs will fail before they use a token.`, {
        ...(where === undefined ? {} : { where }),
        fix: isPackage
          ? FROM_TARBALL
          : hint`${FROM_REPO} ${own("ci", provider, "--tarball", FILE)}`,
      }),
    ],
  });
  let hasManifest = false;
  for (const folder of foldersUp(base, top)) {
    const manifest = join(folder, "package.json");
    if ((await files.look(manifest)).kind !== "file") continue;
    hasManifest = true;
    for (const name of LOCK_FILES) {
      const path = join(folder, name);
      const text = textAt(await files.look(path, { maxBytes: LOCK_BYTES }))?.text ?? "";
      if (text === "") continue;
      const entry = readLock(text);
      if (entry === undefined) break;
      if ("refused" in entry) return why(`${path} ${entry.refused}.`, true, path);
      const tarball = resolve(folder, entry.file ?? ".");
      if (!isInside(tarball, top)) {
        return why(`${path} installs do-bootstrap from outside the repo.`, true, path);
      }
      const source = { kind: "lockfile", folder: plainPath(relative(top, folder) || ".") } as const;
      const read = [manifest, path, ...(entry.file === undefined ? [] : [tarball])];
      return { source, files: read, findings: [] };
    }
  }
  return why(
    "This repo does not say where a pipeline should install do-bootstrap from.",
    hasManifest,
  );
}

const FILE = "vendor/do-bootstrap.tgz";
const FROM_REPO = hint`Put the package into the repo (to build it, run ${run("npm", "pack")} in a clone of do-bootstrap), then:`;
const FROM_TARBALL = hint`${FROM_REPO} ${run("npm", "install", "--save-dev", "--ignore-scripts", `./${FILE}`)}`;

type Locked = { readonly file: string | undefined } | { readonly refused: string };

/**
 * The entry for do-bootstrap in an npm lock file.
 *
 * @returns undefined if there is none; `file`: the path of the package, relative to the lock file's folder.
 */
export function readLock(text: string): Locked | undefined {
  const packages = recordOf(recordOf(jsonIn(text))["packages"]);
  const entry = packages["node_modules/do-bootstrap"];
  if (!isRecord(entry)) return undefined;
  const { resolved, integrity, link } = entry;
  const asked = Object.entries(packages)
    .filter(([path]) => !/(?:^|\/)node_modules\//.test(path))
    .flatMap(([, each]) =>
      ["dependencies", "devDependencies", "optionalDependencies"].flatMap(
        (kind) => recordOf(recordOf(each)[kind])["do-bootstrap"] ?? [],
      ),
    );
  // A version, a tag or another name is looked up in a registry. A git commit has no hash, and is not built.
  const isNamed = (from: unknown) =>
    typeof from !== "string" || !/^(?:file:|https:\/\/)/.test(from) || REGISTRY.test(from);
  if (link === true || asked.length === 0 || [...asked, resolved].some(isNamed)) {
    return {
      refused: "installs do-bootstrap by name or from git instead of from a package that you chose",
    };
  }
  if (typeof integrity !== "string" || !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity)) {
    return { refused: "has no SHA-512 for do-bootstrap" };
  }
  const file = String(resolved).startsWith("file:") ? String(resolved).slice(5) : undefined;
  return { file };
}

/** URLs of registry packages. In GitLab, other URLs also contain `/-/`. */
const REGISTRY = /\/-\/[^/]+$/;
