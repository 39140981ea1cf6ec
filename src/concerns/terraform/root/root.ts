import { join } from "node:path";
import { isSameCode, recognise } from "../../../core/generated.ts";
import { linkOut, unreadByLink } from "../../../core/obstacles.ts";
import { codeFiles, tofuFiles } from "../../../hcl/code-files.ts";
import { readTerraform } from "../../../hcl/read.ts";
import { chooseTool, type ToolChoice } from "../../../hcl/releases.ts";
import type { ParsedFile } from "../../../hcl/syntax.ts";
import type { Files, Host, Snapshot } from "../../../host/host.ts";
import { batches } from "../../../lib/batches.ts";
import { jsonObject, recordOf } from "../../../lib/json.ts";
import { dataFolder, isTerraformFile } from "../../../lib/paths.ts";
import { decode } from "../../../secret/content.ts";
import { isStateOrPlan, isTfvars, SECRET_TFVARS } from "../../config/protected-paths.ts";
import type { TerraformRootConfig } from "../../config/resolved.ts";
import { readStoredBackend, type StoredBackend } from "./backend.ts";
import { type ExposedSecret, secretsForInit } from "./backend-secrets.ts";
import { NO_MODULE, type RootModule } from "./module.ts";
import { CODE_FILES, LOCK_FILE, PUBLIC_TFVARS, UPLOAD_IGNORE } from "./names.ts";
import { type OwnFile, renderedFile, writtenFile } from "./own-file.ts";

/** The content of a root module's folder. */
export interface TerraformRoot extends ToolChoice {
  readonly config: TerraformRootConfig;
  /** The real path of its folder. */
  readonly real: string;
  /** Why its folder is not writable, if so. */
  readonly blocked: string | undefined;
  /** Names of the configuration files that its tool reads and that are not ours. */
  readonly foreign: readonly string[];
  /** Names of the files that only OpenTofu reads, if it is not certain which tool is used. */
  readonly contested: readonly string[];
  /** Our files, by name. */
  readonly own: ReadonlyMap<string, OwnFile>;
  /** What the files declare that are not ours, or no longer ours. */
  readonly module: RootModule;
  /** Calls of this folder as a module, each as path:line. Our blocks would break these callers. */
  readonly calledBy: readonly string[];
  /** Files of variable values, except the secret one that we write. */
  readonly tfvars: readonly string[];
  /** States and plans in the folder, and a folder of states. */
  readonly states: readonly string[];
  /** The folder has a state that is not empty, of any workspace. */
  readonly hasLocalState: boolean;
  /** Where Terraform installs providers and modules: .terraform or TF_DATA_DIR; absolute. */
  readonly data: string;
  /** The backend that the last `terraform init` recorded. */
  readonly storedBackend: (StoredBackend & { readonly path: string }) | undefined;
  /** Secrets in the files and arguments for -backend-config. */
  readonly initSecrets: readonly ExposedSecret[];
  /** The selected providers are recorded for colleagues and pipelines. */
  readonly hasLockFile: boolean;
  /** Providers and modules are installed, as far as can be seen without running the tool. */
  readonly isInitialised: boolean;
  /** Providers are installed, by whomever. */
  readonly hasProviders: boolean;
  /** The selected workspace (docs/contracts/terraform.md 7.5). */
  readonly workspace: string;
  /** Files that Terraform would read but we don't: links out of the repo. */
  readonly outside: readonly Snapshot[];
  /** A Terragrunt unit without its own code. */
  readonly isUnit: boolean;
  /** A link out of the repo that Terraform itself would read or write through. */
  readonly linkOut: string | undefined;
  /** The file with one of the names that we know. */
  readonly at: (name: string) => Snapshot;
}

const WRITTEN = [...CODE_FILES, SECRET_TFVARS, PUBLIC_TFVARS, UPLOAD_IGNORE];
const STATE = "terraform.tfstate";

type NamedText = readonly [name: string, text: string];

/**
 * Reads a root module's folder. Every file's content is read, whoever seems to have written it. Only a text that we
 * would write now, apart from comments, needs no parsing (docs/design.md rule 4).
 *
 * @param render returns the texts of our files as we would write them now, by name.
 */
export async function readRoot(
  host: Pick<Host, "files" | "env">,
  config: TerraformRootConfig,
  render: (root: TerraformRoot) => ReadonlyMap<string, string>,
): Promise<TerraformRoot> {
  const { files, env } = host;
  // Terraform does not read names that begin with a dot (docs/contracts/terraform.md 3.7).
  const all = await files.list(config.dir);
  const names = all.filter((name) => !name.startsWith("."));
  const candidates = names.filter(isTerraformFile);
  const tfvars = names.filter((name) => isTfvars(name) && name !== SECRET_TFVARS);
  const snapshots = await lookAtAll(files, config.dir, [...WRITTEN, ...candidates, ...tfvars]);
  // Terraform ignores a folder with such a name.
  const configuration = candidates.filter((name) => !isFolder(at(name)));
  const choice = await chooseTool(files, config.dir, config.tool);
  // If the tool is not certain, nothing may be declared twice for either of them.
  const { tool, isCertain } = choice;
  const counted = new Set(isCertain ? codeFiles(configuration, tool) : configuration);

  const foreign: string[] = [];
  const own = new Map<string, OwnFile>();
  const generated: NamedText[] = [];
  const toRead: NamedText[] = [];
  for (const name of configuration) {
    const text = textOf(at(name));
    const isNameOfOurs = CODE_FILES.includes(name);
    const kind = text === undefined || !isNameOfOurs ? "foreign" : recognise(text);
    if (kind === "foreign" && counted.has(name)) foreign.push(name);
    if (kind === "edited") own.set(name, { edited: true });
    if (kind === "generated") own.set(name, renderedFile(text ?? ""));
    // A broken file gets its own finding.
    (kind === "generated" ? generated : toRead).push([name, text ?? "{"]);
  }
  // With TF_DATA_DIR, selection and providers are in another folder (docs/contracts/terraform.md 7.6).
  const data = dataFolder(config.dir, env);
  const inData = await files.list(data);
  const [stored, workspace, real, initSecrets, blocked, links, read] = await Promise.all([
    inData.includes(STATE) ? files.look(join(data, STATE)).then(textOf) : undefined,
    inData.includes("environment") ? files.look(join(data, "environment")).then(textOf) : undefined,
    files.realpath(config.dir),
    secretsForInit(host, config.dir, names),
    files.whyNotWritable(config.dir),
    linksOut(files, [
      ...OF_TERRAFORM.flatMap(([name, file]) => (all.includes(name) ? join(config.dir, file) : [])),
      ...IN_DATA.map((name) => join(data, name)),
    ]),
    readAll(toRead),
  ]);
  const storedBackend = readStoredBackend(stored ?? "");
  const root: TerraformRoot = {
    config,
    real,
    data,
    foreign,
    own,
    ...choice,
    contested: isCertain ? [] : tofuFiles(configuration),
    module: await moduleOf(read, toRead),
    calledBy: [],
    tfvars,
    hasLocalState:
      names.includes("terraform.tfstate.d") ||
      (names.includes(STATE) && !isEmptyState(textOf(await files.look(join(config.dir, STATE))))),
    storedBackend: storedBackend && { ...storedBackend, path: join(data, STATE) },
    initSecrets,
    states: names.filter((name) => isStateOrPlan(name) && !isTerraformFile(name)),
    outside: [...snapshots].flatMap(([name, each]) => {
      const link = configuration.includes(name) ? linkOut(each) : unreadByLink(each);
      return link === undefined ? [] : each;
    }),
    isUnit: configuration.length === 0 && names.includes("terragrunt.hcl"),
    linkOut: links[0],
    at,
    hasLockFile: all.includes(LOCK_FILE),
    // init installs modules first and writes the lock file last, so a failed init may leave the earlier parts.
    isInitialised: inData.includes("providers") && all.includes(LOCK_FILE),
    hasProviders: inData.includes("providers"),
    workspace: workspace?.trim() || "default",
    blocked,
  };
  if (generated.length === 0) return root;
  const known = render(root);
  const others = generated.filter(([name, text]) => !isSameCode(text, known.get(name) ?? "{"));
  const texts = [...toRead];
  for (const [name, file] of await readAll(others)) {
    const found = writtenFile(name, file);
    own.set(name, found);
    if (!found.edited) continue;
    read.push([name, file]);
    texts.push([name, textOf(at(name)) ?? ""]);
  }
  return texts.length === toRead.length ? root : { ...root, module: await moduleOf(read, texts) };

  /**
   * Describes what the tool reads. The user may run the other tool instead, so anything that may send data or start
   * programs counts in every file. The code analysis is loaded only if there is code.
   *
   * @param texts the texts of the files, in the same order.
   */
  async function moduleOf(
    read: readonly NamedFile[],
    texts: readonly NamedText[],
  ): Promise<RootModule> {
    if (read.length === 0) return NO_MODULE;
    const { describeRoot } = await import("./describe-module.ts");
    const describing = (isWanted: (name: string) => boolean) =>
      describeRoot(
        read.flatMap(([name, file]) => (isWanted(name) ? file : [])),
        {
          texts: texts.filter(([name]) => isWanted(name)),
          tokenVariable: config.variable,
          ephemeralIn,
        },
      );
    const module = await describing((name) => counted.has(name));
    if (read.every(([name]) => counted.has(name))) return withCalled(module);
    const all = await describing(() => true);
    const { backend, strangeProviders, otherApis, cloud, strange, backendSecrets, hardCoded } = all;
    const ofAll = { backend, strangeProviders, otherApis, cloud, strange };
    return withCalled({ ...module, ...ofAll, backendSecrets, hardCoded, calls: all.calls });
  }

  /** Adds the hosts that called modules name. */
  async function withCalled(module: RootModule): Promise<RootModule> {
    if (module.calls.length === 0) return module;
    const { providerHostsBelow } = await import("./provider-hosts.ts");
    const below = await providerHostsBelow(host, config.dir, module.calls);
    const strangeProviders = [...module.strangeProviders, ...below.strangeProviders];
    const otherApis = [...module.otherApis, ...below.otherApis];
    return { ...module, strangeProviders, otherApis, calls: below.folders };
  }

  async function ephemeralIn(source: string): Promise<ReadonlySet<string>> {
    const folder = join(config.dir, source);
    const theirs = codeFiles(await files.list(folder), tool);
    const looks = await lookAtAll(files, folder, theirs);
    const texts = [...looks].flatMap(([name, each]): NamedText[] => {
      const text = textOf(each);
      return text?.includes("ephemeral") ? [[name, text]] : [];
    });
    const { describeModule } = await import("./describe-module.ts");
    const parsed = await readAll(texts);
    const { variables } = describeModule(parsed.map(([, file]) => file));
    return new Set([...variables].flatMap(([name, each]) => (each.ephemeral ? name : [])));
  }

  function at(name: string): Snapshot {
    const path = join(config.dir, name);
    return snapshots.get(name) ?? { kind: "absent", path, target: path };
  }
}

/** True for a state without resources and outputs. An unreadable one counts as not empty. */
function isEmptyState(text: string | undefined): boolean {
  const state = jsonObject(text ?? "?");
  if (state === undefined) return false;
  const { resources, outputs } = state;
  const isNone = (list: unknown) => Object.keys(recordOf(list)).length === 0;
  return isNone(outputs) && (!Array.isArray(resources) || resources.length === 0);
}

/** What Terraform writes next to the code: the name to look for, and the path to check. */
const OF_TERRAFORM = [
  [LOCK_FILE, LOCK_FILE],
  [STATE, STATE],
  [`${STATE}.backup`, `${STATE}.backup`],
  [`${STATE}.d`, join(`${STATE}.d`, "-")],
] as const;
/** The same for its data folder. */
const IN_DATA = [STATE, "environment", join("modules", "modules.json"), join("providers", "-")];

async function linksOut(files: Files, paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => files.look(path)));
  return found.flatMap((each) => linkOut(each) ?? []);
}

async function lookAtAll(
  files: Files,
  folder: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, Snapshot>> {
  const snapshots = new Map<string, Snapshot>();
  for (const batch of batches([...new Set(names)])) {
    const looks = batch.map(async (name) => [name, await files.look(join(folder, name))] as const);
    for (const [name, snapshot] of await Promise.all(looks)) snapshots.set(name, snapshot);
  }
  return snapshots;
}

type NamedFile = readonly [name: string, file: ParsedFile];

function readAll(texts: readonly NamedText[]): Promise<NamedFile[]> {
  return Promise.all(
    texts.map(async ([name, text]) => [name, await readTerraform(text, name)] as const),
  );
}

function isFolder(snapshot: Snapshot): boolean {
  return snapshot.kind === "unusable" && snapshot.why === "a directory";
}

function textOf(snapshot: Snapshot): string | undefined {
  return snapshot.kind === "file" ? decode(snapshot.bytes)?.text : undefined;
}
