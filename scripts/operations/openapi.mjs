// @ts-check
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { parse } from "yaml";

/**
 * One scope, or all of a list.
 * @typedef {string | readonly string[]} Together
 */
/**
 * What an operation asks of a token; null where no token scope is listed.
 * @typedef {Together | { readonly any_of: readonly Together[] } | null} Scopes
 */
/**
 * By "METHOD /path".
 * @typedef {Readonly<Record<string, Scopes>>} Operations
 */
/**
 * A node, and the file that its $ref is relative to.
 * @typedef {{ readonly file: string, readonly node: unknown }} Place
 */

const SPECIFICATION = "specification/DigitalOcean-public.v2.yaml";
const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/**
 * @param {string} checkout
 * @returns {Operations} sorted
 */
export function readOperations(checkout) {
  const follow = followerIn(checkout);
  const specification = read(checkout, SPECIFICATION);
  const paths = isRecord(specification) ? specification["paths"] : undefined;
  if (!isRecord(specification) || !isRecord(paths) || Object.keys(paths).length === 0)
    throw new Error(
      `${checkout} is not a checkout of digitalocean/openapi: no paths in ${SPECIFICATION}.`,
    );
  /** @type {[string, Scopes][]} */
  const found = [];
  for (const [path, node] of Object.entries(paths)) {
    const item = follow({ file: SPECIFICATION, node });
    for (const [method, each] of Object.entries(item.node)) {
      if (!METHODS.includes(method)) continue;
      const { file, node: operation } = follow({ file: item.file, node: each });
      const security = operation["security"] ?? specification["security"] ?? [];
      found.push([`${method.toUpperCase()} ${path}`, scopesIn(security, file)]);
    }
  }
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The list is of alternatives, and the scopes of each are needed together.
 * @param {unknown} security
 * @param {string} file
 * @returns {Scopes}
 */
function scopesIn(security, file) {
  const broken = () => new Error(`${file}: security is not a list of lists of scopes.`);
  if (!Array.isArray(security)) throw broken();
  const alternatives = security.flatMap((each) => {
    if (!isRecord(each)) throw broken();
    // Another kind of token, for example for model inference, has no scopes.
    const scopes = "bearer_auth" in each ? each["bearer_auth"] : null;
    if (scopes === null) return [];
    if (!Array.isArray(scopes) || scopes.some((scope) => typeof scope !== "string")) throw broken();
    return [[...new Set(scopes)].sort()];
  });
  if (alternatives.some((scopes) => scopes.length === 0)) return null;
  const [first, ...rest] = alternatives.map((scopes) => (scopes.length === 1 ? scopes[0] : scopes));
  if (first === undefined) return null;
  return rest.length === 0 ? first : { any_of: [first, ...rest].sort() };
}

/**
 * @param {string} checkout
 * @returns {(place: Place) => { file: string, node: Record<string, unknown> }} where $ref leads
 */
function followerIn(checkout) {
  /** @type {Map<string, unknown>} */
  const documents = new Map();
  /** @param {string} file */
  const open = (file) => {
    if (!documents.has(file)) documents.set(file, read(checkout, file));
    return documents.get(file);
  };
  return function follow({ file, node }, seen = new Set()) {
    if (!isRecord(node)) throw new Error(`${file}: an operation is expected here.`);
    const ref = node["$ref"];
    if (ref === undefined) return { file, node };
    const [to = "", pointer = ""] = String(ref).split("#");
    const next = to === "" ? file : posix.join(posix.dirname(file), to);
    const found = pointedAt(open(next), pointer);
    const id = `${next}#${pointer}`;
    if (found === undefined || seen.has(id))
      throw new Error(`${file}: the $ref ${JSON.stringify(ref)} leads nowhere.`);
    return follow({ file: next, node: found }, seen.add(id));
  };
}

/**
 * @param {unknown} document
 * @param {string} pointer a JSON Pointer
 */
function pointedAt(document, pointer) {
  let node = document;
  for (const key of pointer.split("/").slice(1)) {
    const name = decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~");
    node = isRecord(node) && Object.hasOwn(node, name) ? node[name] : undefined;
  }
  return node;
}

/**
 * @param {string} checkout
 * @param {string} file
 * @returns {unknown} undefined without the file
 */
function read(checkout, file) {
  let text;
  try {
    text = readFileSync(posix.join(checkout, file), "utf8");
  } catch {
    return undefined;
  }
  try {
    return parse(text);
  } catch (error) {
    const [why] = String(error instanceof Error ? error.message : error).split(":\n");
    throw new Error(`${file} is not YAML: ${why}`);
  }
}

/**
 * @param {unknown} node
 * @returns {node is Record<string, unknown>}
 */
function isRecord(node) {
  return typeof node === "object" && node !== null && !Array.isArray(node);
}
