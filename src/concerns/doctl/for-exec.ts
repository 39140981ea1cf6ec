import { textIn } from "../../core/file-text.ts";
import { type ExecDoctl, placesOf } from "../../exec/doctl.ts";
import type { Host, ToolSearch } from "../../host/host.ts";
import { recordOf } from "../../lib/json.ts";
import { Secret } from "../../secret/secret.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { DoctlConfig } from "./config-file.ts";
import { knownDoctlConfig } from "./config-path.ts";

/** The digests of the tokens by context; cached until doctl's config changes. */
type Holders = Readonly<Record<string, string>>;

/**
 * Contexts whose token changes only if the user logs in again. Contexts with a browser login are left out: doctl
 * replaces their token by itself, even while a command runs (docs/contracts/doctl-2.md 3.7).
 */
export function holdersIn({ contexts, sessions }: DoctlConfig): Holders {
  const steady = [...contexts].filter(
    ([name, token]) =>
      !sessions.has(name) &&
      // doctl cannot look up every name that it stores (docs/contracts/doctl.md 5, Names).
      /^[a-z0-9][a-z0-9_-]*$/.test(name) &&
      // A password could be guessed from its digest.
      token.asToken() instanceof Secret,
  );
  return Object.fromEntries(steady.map(([name, token]) => [name, token.digest]));
}

/** Maps each token to its context. If several contexts hold it, docs/design.md rule 5 decides. */
export function contextsFor(
  holders: Holders,
  { doctl, project }: Pick<ResolvedConfig, "doctl" | "project">,
): ExecDoctl["contexts"] {
  const configured = doctl === false ? undefined : doctl.context;
  const first = [configured, "default", project].filter((name) => name !== undefined);
  const names = [...first.filter((name) => Object.hasOwn(holders, name)), ...Object.keys(holders)];
  // The last of equal keys wins.
  const pairs = names.reverse().map((name) => [holders[name], name]);
  const contexts: Record<string, string> = Object.fromEntries(pairs);
  const named = Object.entries(contexts).filter(([, name]) => name !== "default");
  return Object.fromEntries(named);
}

/**
 * What `exec` needs to know about doctl, and the files that this depends on. Does not start doctl: if doctl has not
 * reported its config path before, no context is known.
 */
export async function observeForExec(
  host: Pick<Host, "env" | "platform" | "files" | "records" | "clock">,
  search: ToolSearch,
  config: Pick<ResolvedConfig, "doctl" | "project">,
): Promise<{ doctl: ExecDoctl | undefined; inputs: readonly string[] }> {
  if (config.doctl === false) return { doctl: undefined, inputs: [] };
  const path = knownDoctlConfig(host, search);
  const holders = path === undefined ? {} : await holdersAt(host, path);
  const inputs = [search.path, path].filter((input) => input !== undefined);
  return { doctl: execDoctlOf(host, search, contextsFor(holders, config)), inputs };
}

export function execDoctlOf(
  { env }: Pick<Host, "env">,
  { path, program }: Pick<ToolSearch, "path" | "program">,
  contexts: ExecDoctl["contexts"],
): ExecDoctl {
  return { path, program, places: placesOf(env), contexts };
}

/** Parsing a config that doctl 1.x wrote takes 0.2 s. */
async function holdersAt(
  { files, records, clock }: Pick<Host, "files" | "records" | "clock">,
  path: string,
): Promise<Holders> {
  const kept = recordOf(records.recall(path))["holders"];
  if (kept !== undefined) return recordOf(kept) as Holders;
  const since = clock.now();
  const text = textIn(await files.look(path));
  if (!/auth-contexts/i.test(text)) return {};
  const { readDoctlConfig } = await import("./config-file.ts");
  const config = readDoctlConfig(text);
  // For example, a running doctl is writing it.
  if (config === undefined) return {};
  const holders = holdersIn(config);
  records.keep(path, { holders }, since);
  return holders;
}
