import { join } from "node:path";
import type { TerraformRootConfig } from "../config/resolved.ts";
import { decode } from "../content.ts";
import type { Files, Snapshot } from "../host/host.ts";
import { PUBLIC_TFVARS, SECRET_TFVARS } from "./files.ts";
import { recognise } from "./generated.ts";

/** What stands in a root module's folder. */
export interface TerraformRoot {
  readonly config: TerraformRootConfig;
  /** Why its folder cannot be written to, if so. */
  readonly blocked: string | undefined;
  /** Names of the configuration files that are not ours. */
  readonly foreign: readonly string[];
  /** Ours, by name. */
  readonly own: ReadonlyMap<string, { snapshot: Snapshot; edited: boolean }>;
  /** The file at a name that we may write. */
  readonly at: (name: string) => Snapshot;
}

const CONFIGURATION = /\.(tf|tofu)(\.json)?$/;
const WRITTEN = ["versions.tf", "provider.tf", "variables.tf", SECRET_TFVARS, PUBLIC_TFVARS];

export async function observeRoot(
  files: Files,
  config: TerraformRootConfig,
): Promise<TerraformRoot> {
  const names = (await files.list(config.dir)).filter((name) => CONFIGURATION.test(name));
  const wanted = [...new Set([...WRITTEN, ...names])];
  const snapshots = new Map(
    await Promise.all(
      wanted.map(async (name) => [name, await files.look(join(config.dir, name))] as const),
    ),
  );
  const foreign: string[] = [];
  const own = new Map<string, { snapshot: Snapshot; edited: boolean }>();
  for (const name of names) {
    const snapshot = at(name);
    const text = snapshot.kind === "file" ? decode(snapshot.bytes)?.text : undefined;
    const kind = text === undefined ? "foreign" : recognise(text);
    if (kind === "foreign") foreign.push(name);
    else own.set(name, { snapshot, edited: kind === "edited" });
  }
  return { config, blocked: await files.whyNotWritable(config.dir), foreign, own, at };

  function at(name: string): Snapshot {
    const path = join(config.dir, name);
    return snapshots.get(name) ?? { kind: "absent", path, target: path };
  }
}

/** True for a root whose files are ours, or that has none yet. */
export function isOurs({ foreign, own }: TerraformRoot): boolean {
  return foreign.length === 0 || own.size > 0;
}
