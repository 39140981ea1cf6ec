import { dirname, join } from "node:path";
import { keptConfigs } from "../../concerns/doctl/private-config.ts";
import { askRepos, wouldTake } from "../../concerns/git/repos.ts";
import type { Host, Snapshot } from "../../host/host.ts";
import { jsonIn, recordOf } from "../../lib/json.ts";
import { foldersUp, isInside } from "../../lib/paths.ts";
import { Work } from "../../lib/work.ts";
import type { Secret } from "../../secret/secret.ts";
import type { Facts } from "../init/observe.ts";
import type { ExposedFile } from "../leaks/in-git.ts";
import { type Context, contextOf, isDockerfile, sends } from "../leaks/in-packages.ts";
import { placesOfSecret } from "../leaks/token-match.ts";
import { readPlaces } from "./token-places.ts";

/** A place on this machine that contains the repo's token, or may contain it. */
export interface Whereabouts {
  /** shell: `.envrc`. kept: left behind by a killed run. file: another file of the repo. */
  readonly kind: "env-file" | "tfvars" | "shell" | "doctl" | "environment" | "kept" | "file";
  /** The environment variable, or the doctl context. */
  readonly name: string | undefined;
  /** Absolute. */
  readonly path: string | undefined;
  /** Permission bits; undefined if there are none, as on Windows. */
  readonly mode: number | undefined;
  /** Whether git, Docker and npm would include the file; undefined: unknown. */
  readonly takenBy: { readonly [Taker in "git" | "docker" | "npm"]: boolean | undefined };
  /** Why it could not be read, in words. It may contain the token. */
  readonly unread: string | undefined;
}

type WhereHost = Pick<Host, "env" | "platform" | "files" | "run" | "which" | "state" | "npmFiles">;

const NOWHERE = { git: false, docker: false, npm: false };

/**
 * Every place with the token of this repo. Facts that the run already has are not read again, and nothing is written.
 *
 * @param exposed files that git tracks or does not ignore.
 */
export async function whereTokenIs(
  host: WhereHost,
  facts: Facts,
  exposed: readonly ExposedFile[],
): Promise<readonly Whereabouts[]> {
  const { state } = facts.token;
  const left = await leftOvers(host, facts);
  // A first run that was killed has stored its token nowhere else.
  if (state.kind !== "found") return placesOf(host, facts, left);
  const { token } = state;
  const [files, kept] = await Promise.all([
    filesOf(host, facts, token, exposed),
    keptOf(host, facts, token),
  ]);
  const variables = Object.keys(host.env).filter((name) => token.holds(host.env[name] ?? ""));
  const ofToken = left.filter(({ snapshot }) => holds(snapshot, token));
  const inDoctl = await doctlOf(host, facts, token);
  return [
    ...(await placesOf(host, facts, [...files, ...inDoctl, ...kept, ...ofToken])),
    ...variables.map(
      (name): Whereabouts => ({
        ...{ kind: "environment", name, path: undefined, mode: undefined },
        ...{ takenBy: NOWHERE, unread: undefined },
      }),
    ),
  ];
}

async function placesOf(
  host: WhereHost,
  facts: Facts,
  found: readonly Found[],
): Promise<readonly Whereabouts[]> {
  const takers = await takersOf(host, facts, found);
  return found.map(({ kind, name, snapshot }, at) => ({
    ...{ kind, name, path: snapshot.path },
    mode: snapshot.kind === "file" ? snapshot.mode : undefined,
    takenBy: takers[at] ?? NOWHERE,
    unread: snapshot.kind === "unusable" ? snapshot.why : undefined,
  }));
}

/** Files that killed runs left beside the files that they wrote. */
async function leftOvers(
  { files }: Pick<Host, "files">,
  { config: { base, envFiles, roots }, doctl }: Facts,
): Promise<readonly Found[]> {
  const folders = new Set([
    base,
    ...envFiles.map((path) => dirname(path)),
    ...roots.map(({ dir }) => dir),
    ...(doctl?.config ? [dirname(doctl.config.path)] : []),
  ]);
  const paths = await Promise.all([...folders].map((folder) => files.leftOvers(folder)));
  const snapshots = await Promise.all(paths.flat().map((path) => files.look(path)));
  return snapshots
    .filter((each) => each.kind === "file" && each.bytes.length > 0)
    .map((snapshot) => ({ kind: "kept", name: undefined, snapshot }));
}

interface Found extends Pick<Whereabouts, "kind" | "name"> {
  readonly snapshot: Snapshot;
}

function holds(snapshot: Snapshot, token: Secret): boolean {
  return "bytes" in snapshot && placesOfSecret(snapshot.bytes, token).isThere;
}

/** Files for secrets, read or not, and other files that git tracks or does not ignore. */
async function filesOf(
  host: WhereHost,
  facts: Facts,
  token: Secret,
  exposed: readonly ExposedFile[],
): Promise<readonly Found[]> {
  const { envFile, config, repo } = facts;
  const known = [envFile.file, envFile.local, envFile.envrc];
  const files = {
    ...host.files,
    // A FIFO was already read, and this does not wait for one.
    look: async (path: string) => known.find((each) => each.path === path) ?? host.files.look(path),
  };
  const places = (await readPlaces({ files }, facts)).flatMap((place) =>
    place.kind === "doctl" ? [] : [{ kind: place.kind, snapshot: place.snapshot }],
  );
  const envrcs = [...new Set([config.base, repo.top])].map((folder) => join(folder, ".envrc"));
  const shell = await Promise.all(envrcs.map((path) => files.look(path)));
  const others = exposed.filter((each) => each.token.equals(token)).map(({ path }) => path);
  const all = [
    ...places,
    ...shell.map((snapshot) => ({ kind: "shell" as const, snapshot })),
    ...(await Promise.all(
      others.map(async (path) => ({ kind: "file" as const, snapshot: await files.look(path) })),
    )),
  ];
  const byTarget = new Map<string, Found>();
  for (const { kind, snapshot } of all) {
    const isToShow = snapshot.kind === "unusable" || holds(snapshot, token);
    if (!isToShow || byTarget.has(snapshot.target)) continue;
    byTarget.set(snapshot.target, { kind, name: undefined, snapshot });
  }
  return [...byTarget.values()];
}

/** Each context with the token; or the config, if it contains the token elsewhere. */
async function doctlOf(
  { files }: Pick<Host, "files">,
  { doctl }: Facts,
  token: Secret,
): Promise<readonly Found[]> {
  const config = doctl?.config;
  if (config === undefined) return [];
  if (config.state.kind === "broken") {
    const snapshot = await files.look(config.path);
    const { why } = config.state;
    const { path, target } = snapshot;
    return [{ kind: "doctl", name: undefined, snapshot: { kind: "unusable", path, target, why } }];
  }
  const { snapshot } = config.state;
  const names = [...config.state.config.contexts].flatMap(([name, held]) =>
    token.equals(held) ? name : [],
  );
  if (names.length > 0) return names.map((name) => ({ kind: "doctl" as const, name, snapshot }));
  return holds(snapshot, token) ? [{ kind: "doctl", name: undefined, snapshot }] : [];
}

async function keptOf(
  host: Pick<Host, "files" | "state">,
  { doctl, config }: Facts,
  token: Secret,
): Promise<readonly Found[]> {
  const at = doctl?.config;
  if (at === undefined) return [];
  const stored = at.state.kind === "known" ? [...at.state.config.contexts.keys()] : [];
  const named = [doctl?.target?.context, config.token.doctl].flatMap((each) => each ?? []);
  const snapshots = await keptConfigs(host, at.path, [...new Set([...stored, ...named])]);
  return snapshots
    .filter((each) => each.kind === "unusable" || holds(each, token))
    .map((snapshot) => ({ kind: "kept", name: undefined, snapshot }));
}

/** From git's own answer, and the rules of Docker and npm for the folders above each file. */
async function takersOf(
  host: WhereHost,
  { repo: { git, top } }: Facts,
  found: readonly Found[],
): Promise<readonly Whereabouts["takenBy"][]> {
  // git only has the text of a link.
  const targets = found.map(({ snapshot }) => snapshot.target);
  const verdicts = await askRepos(host, git?.git, [...new Set(targets)]);
  const packers = new Packers(host, top, targets);
  return Promise.all(
    targets.map(async (path) => {
      const verdict = verdicts.get(path);
      const [docker, npm] = await Promise.all([packers.docker(path), packers.npm(path)]);
      return { git: verdict !== undefined && wouldTake(verdict), docker, npm };
    }),
  );
}

/** The Docker contexts and npm packages in the folders above a file. */
class Packers {
  readonly #host: WhereHost;
  readonly #top: string;
  readonly #paths: readonly string[];
  readonly #work = new Work(20_000_000);
  readonly #folders = new Map<string, Promise<Packer>>();

  /** @param paths the files that will be asked about. */
  constructor(host: WhereHost, top: string, paths: readonly string[]) {
    this.#host = host;
    this.#top = top;
    this.#paths = paths;
  }

  async docker(path: string): Promise<boolean | undefined> {
    const contexts = (await this.#above(path)).flatMap(({ contexts }) => contexts);
    return anyOf(contexts.map((context) => sends(context, path)));
  }

  async npm(path: string): Promise<boolean | undefined> {
    const lists = (await this.#above(path)).map(({ published }) => published);
    return anyOf(lists.map((list) => (list === "unknown" ? undefined : list.has(path))));
  }

  async #above(path: string): Promise<readonly Packer[]> {
    if (!isInside(path, this.#top)) return [];
    return Promise.all(
      foldersUp(dirname(path), this.#top).map((folder) => {
        const packer = this.#folders.get(folder) ?? this.#look(folder);
        this.#folders.set(folder, packer);
        return packer;
      }),
    );
  }

  async #look(folder: string): Promise<Packer> {
    const names = await this.#host.files.list(folder);
    const dockerfiles = names.filter(isDockerfile).map((name) => join(folder, name));
    const [contexts, published] = await Promise.all([
      Promise.all(dockerfiles.map((path) => contextOf(this.#host, path, this.#work))),
      names.includes("package.json") ? this.#published(folder) : new Set<string>(),
    ]);
    return { contexts, published };
  }

  async #published(folder: string): Promise<Packer["published"]> {
    const none = new Set<string>();
    const paths = this.#paths;
    const file = await this.#host.files.look(join(folder, "package.json"));
    const manifest = recordOf(jsonIn(file.kind === "file" ? file.bytes.toString("utf8") : ""));
    // npm refuses to publish it.
    if (manifest["private"] === true) return none;
    // npm's own rules are slow to load, so they are used only if a file may be among those listed.
    const listed = plainNames(manifest);
    const isNear = (path: string) => listed?.some((each) => isInside(path, join(folder, each)));
    if (listed !== undefined && !paths.some(isNear)) return none;
    const names = await this.#host.npmFiles(folder);
    return names === undefined ? "unknown" : new Set(names.map((name) => join(folder, name)));
  }
}

interface Packer {
  readonly contexts: readonly Context[];
  /** Absolute paths; "unknown": npm's own rules fail or take too long. */
  readonly published: ReadonlySet<string> | "unknown";
}

/** The entries of `files`, if all are plain names of files and folders; undefined: only npm can tell. */
function plainNames({ files, directories }: Readonly<Record<string, unknown>>) {
  if (!Array.isArray(files) || directories !== undefined) return undefined;
  const isPlain = (each: unknown): each is string =>
    typeof each === "string" && /^\w[\w./-]*$/.test(each) && !each.includes("..");
  return files.every(isPlain) ? files : undefined;
}

function anyOf(answers: readonly (boolean | undefined)[]): boolean | undefined {
  if (answers.includes(true)) return true;
  return answers.includes(undefined) ? undefined : false;
}
