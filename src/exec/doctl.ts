import type { Environment } from "../host/host.ts";
import { isFirst } from "../host/which.ts";
import type { Secret } from "../secret/secret.ts";
import { programOf } from "./program-name.ts";

/** What `exec` knows of doctl without reading its config. Free of secrets: it is kept in a record. */
export interface ExecDoctl {
  /** The doctl on PATH; undefined: none. */
  readonly path: string | undefined;
  /** The same with links resolved, where that can be said (ToolSearch): the record follows from what it has said. */
  readonly program: string | undefined;
  /** What the environment says of where its config is, by placesOf. */
  readonly places: string;
  /** Named contexts by the digest of the token that they hold. */
  readonly contexts: Readonly<Record<string, string>>;
}

/** All that decides, beside doctl itself, where its config is (docs/contracts/doctl.md 1.1). */
export function placesOf(env: Environment): string {
  const names = ["DIGITALOCEAN_CONFIG", "HOME", "XDG_CONFIG_HOME", "APPDATA"];
  return names.map((name) => `${name}=${env[name] ?? ""}`).join("\n");
}

/** Whether a doctl that is started now reads the config that this was found in. */
export function isSameDoctl(
  { path, places, contexts }: ExecDoctl,
  machine: { readonly env: Environment; readonly platform: NodeJS.Platform },
): boolean {
  if (places !== placesOf(machine.env)) return false;
  // `default` is right for each doctl, and a long PATH takes time.
  if (Object.keys(contexts).length === 0) return true;
  return path !== undefined && isFirst(path, "doctl", machine);
}

/**
 * The context that a doctl under `exec` uses. In a named one it ignores the environment's token and uses its own
 * (docs/contracts/doctl.md 5.6), so the context has to hold this very token.
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

/** The named context that a line tells doctl to use, in the letters that doctl looks for. */
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

/** In a named context doctl ignores the flag, too. */
function givesToken([file = "", ...args]: readonly string[]): boolean {
  return programOf(file) === "doctl" && args.some((word) => /^(-\w*t|--access-token)/.test(word));
}
