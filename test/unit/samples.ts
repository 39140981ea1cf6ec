import { AppError } from "../../src/errors/app-error.ts";
import type { ExecConfig } from "../../src/exec/exec-config.ts";
import { Secret } from "../../src/secret/secret.ts";

// Built at run time, so that secret scanners don't report this file.
const HEX = "0123456789abcdef".repeat(4);

export const PERSONAL = `dop_v1_${HEX}`;
export const OTHER = `dop_v1_${HEX.replaceAll("0", "f")}`;
export const OAUTH = `doo_v1_${HEX}`;
export const REFRESH = `dor_v1_${HEX}`;
export const LEGACY = HEX;

export const secret = (value: string = PERSONAL): Secret => Secret.of(value, { kind: "stdin" });

/** Texts that are not a valid doctl config. */
export const NOT_A_CONFIG: readonly (readonly [string, string])[] = [
  ["a list", "- a\n- b\n"],
  ["a text", "hello\n"],
  ["a tab indent", "auth-contexts:\n\tprod: T\n"],
  ["the tail of a longer file", 'access-token: "T"\nontext: prod: x\n'],
  ["brackets that never close", "a: [1, 2\n"],
  ["two documents", "a: 1\n---\nb: 2\n"],
  ["an alias without an anchor", "access-token: *t\n"],
];

/** The error of an action that must fail. */
export function thrownBy(action: () => unknown): AppError {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** at("a.b", 1) is { a: { b: 1 } }. */
export function at(path: string, value: unknown): Record<string, unknown> {
  return path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<
    string,
    unknown
  >;
}

/** An empty cache folder. */
export const NO_RECORDS = { recall: () => undefined, keep: () => {} };

/** Of a repo without Terraform. */
export const EXEC_CONFIG: ExecConfig = {
  base: "/repo",
  environment: undefined,
  tokenName: "DIGITALOCEAN_TOKEN",
  envFile: "/repo/.env",
  hasBackend: false,
  strangeBackends: [],
  strangeProviders: [],
  otherApis: [],
  keyVariables: [],
  variables: [],
  secretFiles: [],
  filesToMask: [],
  workspaces: [],
  othersRoots: [],
  doctl: undefined,
};
