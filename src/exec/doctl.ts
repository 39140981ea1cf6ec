import type { Environment } from "../host/host.ts";
import { isFirst } from "../host/which.ts";
import type { Secret } from "../secret/secret.ts";
import { programOf } from "./program-name.ts";

/** What `exec` knows about doctl without reading its config. Contains no secrets, since it is kept in a record. */
export interface ExecDoctl {
  /** The doctl on PATH; undefined: none. */
  readonly path: string | undefined;
  /** The same with links resolved, if it is a binary (ToolSearch). The record depends on what it said about itself. */
  readonly program: string | undefined;
  /** The variables that decide where its config is, from placesOf. */
  readonly places: string;
  /** Named contexts, by the digest of their token. */
  readonly contexts: Readonly<Record<string, string>>;
}

/** Everything except doctl itself that decides where its config is (docs/contracts/doctl.md 1.1). */
export function placesOf(env: Environment): string {
  const names = ["DIGITALOCEAN_CONFIG", "HOME", "XDG_CONFIG_HOME", "APPDATA"];
  return names.map((name) => `${name}=${env[name] ?? ""}`).join("\n");
}

/** Whether a doctl that is started now reads the same config. */
export function isSameDoctl(
  { path, places, contexts }: ExecDoctl,
  machine: { readonly env: Environment; readonly platform: NodeJS.Platform },
): boolean {
  if (places !== placesOf(machine.env)) return false;
  // Without named contexts only `default` is possible, and a long PATH takes time to search.
  if (Object.keys(contexts).length === 0) return true;
  return path !== undefined && isFirst(path, "doctl", machine);
}

/**
 * The context for a doctl under `exec`. In a named context doctl ignores the environment's token and uses the context's
 * (docs/contracts/doctl.md 5.6), so the context must contain this very token.
 */
export function contextFor(
  doctl: ExecDoctl | undefined,
  token: Secret,
  words: readonly string[],
): string {
  const contexts = Object.entries(doctl?.contexts ?? {});
  const { origin } = token;
  const isLogin = origin.kind === "doctl";
  if ((contexts.length === 0 && !isLogin) || givesToken(words)) return "default";
  if (isLogin) return origin.context;
  const { digest } = token;
  return contexts.find(([held]) => held === digest)?.[1] ?? "default";
}

/** The named context that a doctl command line selects, in lower case, as doctl looks it up. */
export function namedContext([file = "", ...args]: readonly string[]): string | undefined {
  if (programOf(file) !== "doctl") return undefined;
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  const given = own.flatMap((word, at) =>
    word === "--context" ? (own[at + 1] ?? []) : (/^--context=(.*)$/s.exec(word)?.[1] ?? []),
  );
  const name = given.at(-1)?.toLowerCase();
  return name === "" || name === "default" ? undefined : name;
}

/** In a named context doctl ignores the token flag, too. */
function givesToken([file = "", ...args]: readonly string[]): boolean {
  return programOf(file) === "doctl" && args.some((word) => /^(-\w*t|--access-token)/.test(word));
}
