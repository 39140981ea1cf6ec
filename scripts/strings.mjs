// Lists every text of src that a person may read: `file:line  id  text`. Words are easier to review in one list.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
// TypeScript 7 has no parser for JavaScript programs; this one comes with Vitest.
import { parseAst } from "vitest/node";

const ROOT = join(import.meta.dirname, "..");

/** No words for a person: what --debug prints, shell code, and names of commands. */
const LEFT_OUT = /^src\/(?:host\/trace\.ts|cli\/completion\/|scopes\/doctl-commands\.ts)/;
const SCHEMAS = /^src\/(?:concerns\/config\/schema|report\/json-schema)\.ts$/;

/** By what a text is given to: a function, a class or a template's tag. */
const CALLED = new Map([
  ["hint", "hint"],
  ["progress", "progress"],
  ...["confirm", "choose", "press", "secret", "enter", "note"].map((name) => [name, "question"]),
]);

/** By the property that a text, or a list with it, is the value of. */
const PROPERTIES = new Map([
  ...["describe", "examples", "needs"].map((name) => [name, "help"]),
  ["why", "why"],
]);

/** @returns the texts of all of src, sorted by file. */
export function textsOfProgram() {
  return readdirSync(join(ROOT, "src"), { recursive: true })
    .map((path) => `src/${String(path).replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts") && !LEFT_OUT.test(path))
    .sort()
    .flatMap((path) => textsOf(path, readFileSync(join(ROOT, path), "utf8")));
}

/** @returns the texts of one file, each once. */
export function textsOf(file, source) {
  const found = new Map();
  visit(parseAst(source, { lang: "ts" }), []);
  return [...found.values()];

  function visit(node, above) {
    const text = textOf(node, source);
    if (text !== undefined && isForPeople(text) && !isCode(above[0]) && !found.has(text)) {
      const line = source.slice(0, node.start).split("\n").length;
      found.set(text, { file, line, id: idOf(above, file), text });
    }
    for (const child of Object.values(node).flat()) {
      if (typeof child?.type === "string") visit(child, [node, ...above]);
    }
  }
}

/** @returns undefined: the node is no text. */
function textOf(node, source) {
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  if (node.type !== "TemplateLiteral") return undefined;
  const holes = node.expressions.map(({ start, end }) => `\${${nameOf(source.slice(start, end))}}`);
  return node.quasis.map(({ value }, at) => value.cooked + (holes[at] ?? "")).join("");
}

/** `count`, `root.dir`, `few(…)`; of all else "…". */
function nameOf(expression) {
  const [name = "", rest] = /^([\w.]*)(.*)$/s.exec(expression)?.slice(1) ?? [];
  if (rest === "") return name;
  return rest?.startsWith("(") ? `${name}(…)` : "…";
}

/** Two words and a space; a hole is a word beside another. */
function isForPeople(text) {
  const words = text.replace(/\$\{[^}]*\}/g, " Hole ").match(/\p{L}{2,}/gu) ?? [];
  return / /.test(text) && words.length > 1 && words.some((word) => word !== "Hole");
}

/** A pattern, a type, or where an import is from. */
function isCode(parent) {
  if (/^TSLiteralType$|^Import|^Export/.test(parent.type)) return true;
  return ["raw", "RegExp"].includes(calledBy(parent) ?? "");
}

/** The first of those around a text that says what it is for. */
function idOf(above, file) {
  for (const node of above) {
    const id = CALLED.get(calledBy(node)) ?? PROPERTIES.get(node.key?.name) ?? codeOf(node);
    if (id !== undefined) return id;
  }
  return SCHEMAS.test(file) ? "schema" : "text";
}

/** The id of a finding, or the code of an error. */
function codeOf(node) {
  if (!["finding", "AppError"].includes(calledBy(node) ?? "")) return undefined;
  return node.arguments[0]?.value;
}

/** The name of the function, the class or the tag. */
function calledBy(node) {
  const callee = node.callee ?? node.tag;
  return callee?.name ?? callee?.property?.name;
}

if (process.argv[1] === import.meta.filename) {
  for (const { file, line, id, text } of textsOfProgram()) {
    process.stdout.write(`${file}:${line}  ${id}  ${text.replaceAll("\n", "\\n")}\n`);
  }
}
