import { isRecord, jsonIn } from "../lib/json.ts";
import { remember } from "./known.ts";
import { kindOf } from "./token-form.ts";

/** Decides by name and value which variables are secrets. */

const SECRET_NAME =
  /SECRET|TOKEN|KEY(?!BOARD|MAP|RING|CHAIN|STORE)|PASS|PWD|CREDENTIAL|AUTH(?!OR(?!I[SZ]))|DSN/i;
/** Names of variables that contain a location. */
const NAMES_PLACE = /^(?:OLD)?PWD$|_(?:FILE|PATH|DIR|SOCK|SOCKET)$|OAUTH_URL$/i;

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !NAMES_PLACE.test(name);
}

/**
 * The secrets in a variable: its value, if the name indicates a secret or the value contains a token or a password; and
 * each password in it, since a program that parses the value may print it alone.
 *
 * @returns none for a variable that is not a secret.
 */
export function secretsOf(name: string, value: string): readonly string[] {
  const parts = [...passwordsIn(value), ...namedIn(value)];
  const isSecret = isSecretName(name) || parts.length > 0 || kindOf(value) !== undefined;
  return isSecret && value !== "" ? [value, ...parts] : [];
}

/** `scheme://user:password@host`, also with a token instead of both, and `user:password@tcp(host)`. */
const IN_ADDRESS =
  /:\/\/(?:[^/\s:@]*:([^/\s?#]+|(?!\d{1,5}\/)[^@\s]{1,256})|([^/\s:@]{16,}))@|^[^/\s:@]*:(\S+)@\w+\(/g;
/** `password=x` in a query or in a list of settings. */
const IN_SETTINGS = /(?:^|[?&;\s])([\w-]+)\s*=\s*('[^']*'|"[^"]*"|[^&;\s]+)/g;

function passwordsIn(value: string): string[] {
  if (!/[@=]/.test(value)) return [];
  const inAddress = Array.from(value.matchAll(IN_ADDRESS), ([, password, alone, ofMysql]) => {
    return password ?? alone ?? ofMysql ?? "";
  });
  const inSettings = Array.from(value.matchAll(IN_SETTINGS)).flatMap(([, name = "", text = ""]) =>
    isSecretName(name) ? text.replace(/^(['"])(.*)\1$/, "$2") : [],
  );
  return [...inAddress, ...inSettings].flatMap((text) => [text, decoded(text)]).filter(Boolean);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** The secrets in a JSON key file, such as a service account's. */
function namedIn(value: string): readonly string[] {
  const object = value.trimStart().startsWith("{") ? jsonIn(value) : undefined;
  if (!isRecord(object)) return [];
  return Object.entries(object).flatMap(([name, text]) =>
    typeof text === "string" ? secretsOf(name, text) : [],
  );
}

/** From now on all secrets of an environment are hidden in this run (known.ts). */
export function rememberAll(env: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(env)) {
    for (const secret of secretsOf(name, value ?? "")) remember(secret);
  }
}
