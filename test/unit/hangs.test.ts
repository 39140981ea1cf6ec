import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { editValues } from "../../src/commands/credentials/edit-values.ts";
import { readDockerIgnore } from "../../src/commands/leaks/docker-ignore.ts";
import { searchFile } from "../../src/commands/leaks/token-match.ts";
import { isIncluded, readGitlabMain } from "../../src/commands/pipelines/gitlab-main.ts";
import { resolveConfig } from "../../src/concerns/config/resolve.ts";
import { validateConfig } from "../../src/concerns/config/validate.ts";
import { isUploaded } from "../../src/concerns/terraform/cloud/upload-ignore.ts";
import { describeModule } from "../../src/concerns/terraform/root/describe-module.ts";
import { membersOf } from "../../src/concerns/terraform/root/saved-plan.ts";
import { findElsewhere } from "../../src/concerns/token/elsewhere.ts";
import { patternOf } from "../../src/core/ignore-block.ts";
import { readHcl } from "../../src/hcl/hcl.ts";
import { readsOf, referencesInText } from "../../src/hcl/reads.ts";
import { piecesOf } from "../../src/hcl/template.ts";
import { readTfJson } from "../../src/hcl/tf-json.ts";
import { nearest } from "../../src/lib/nearest.ts";
import { foldersUp } from "../../src/lib/paths.ts";
import { shellWord } from "../../src/lib/shell-word.ts";
import { allowsFrom } from "../../src/lib/version.ts";
import { unlessTooMuch, Work } from "../../src/lib/work.ts";
import { isTooMuchYaml } from "../../src/lib/yaml-size.ts";
import { diffOf } from "../../src/report/diff.ts";
import { needs } from "../../src/scopes/action.ts";
import { actionsInCode } from "../../src/scopes/code-actions.ts";
import { failuresIn } from "../../src/scopes/failures.ts";
import { readModuleTree } from "../../src/scopes/module-tree.ts";
import { content } from "../../src/secret/content.ts";
import { readPasted, readToken } from "../../src/secret/token-form.ts";
import { tokensIn } from "../../src/secret/token-search.ts";
import { cpuSeconds } from "../fixtures/cpu.ts";
import { memoryFiles } from "./memory-files.ts";
import { PERSONAL, secret } from "./samples.ts";

const MB = 1024 * 1024;
const SIZE = MB / 4;
const fill = (text: string, size = SIZE) =>
  text.repeat(Math.ceil(size / text.length)).slice(0, size);
const lines = (line: (i: number) => string) =>
  Array.from({ length: Math.floor(SIZE / line(10_000).length) }, (_, i) => line(i)).join("");

const hcl = (text: string) => readHcl(text, "main.tf");
const yaml = (text: string) =>
  isTooMuchYaml(text) || parse(text, { maxAliasCount: 100, logLevel: "error" });
const config = (loaded: unknown) => validateConfig(loaded, "/repo/.do-bootstraprc");
const work = (run: (work: Work) => unknown) => unlessTooMuch(() => run(new Work()));

function scopes(text: string): void {
  const { blocks, references } = hcl(text);
  const module = { prefix: "", blocks, references, everywhere: blocks };
  const conditional = { scope: "x:read", basis: "response_field", op: "read" } as const;
  for (const action of actionsInCode([module], "apply")) {
    needs(action, { ...conditional, when: "nothing.inside" });
    needs(action, { ...conditional, when: "*", detail: "when the project holds anything" });
  }
}

/** The CPU time of a call, whether it returns or throws. */
const timed = (run: () => unknown) =>
  cpuSeconds(async () => {
    try {
      await run();
    } catch {}
  });

// In brackets: the time before there was a limit.
describe("hostile content of a repo takes less than 3 s", () => {
  it.each<[what: string, run: () => unknown]>([
    [".terraformignore: pairs", () => isUploaded(`${"*?".repeat(20)}x`, ".env")],
    [".terraformignore: one long pattern", () => work((w) => isUploaded(fill("*?"), ".env", w))],
    [".terraformignore: many lines", () => work((w) => isUploaded(fill("a\n"), ".env", w))],
    [".dockerignore: pairs", () => docker("*a*a*a*a*a*a*a*a*a*a*a*b", fill("a", 4000))],
    [".dockerignore: a regular expression", () => docker("(a+)+(a+)+b", fill("a", 4000))],
    [".dockerignore: folders", () => docker("**/".repeat(500), fill("a/", 4000))],
    [".dockerignore: unclosed classes", () => docker(fill("["), "a")],
    [".dockerignore: many lines", () => docker(fill("*x\n"), fill("a/", 4000))],
    ["GitLab: includes", () => isIncluded(gitlab(fill("**a")), fill("a", 4000))],
    ["GitLab: tags (20 s)", () => readGitlabMain(fill("!!a "))],
    ["YAML: keys", () => yaml(lines((i) => `k${i}: 1\n`))],
    ["YAML: tags", () => yaml(fill("!!a "))],
    ["YAML: comments", () => yaml(fill("#\n"))],
    ["YAML: empty lines", () => yaml(fill("\n"))],
    ["YAML: directives", () => yaml(fill("%a\n"))],
    ["YAML: unclosed lists", () => yaml(fill("["))],
    ["YAML: aliases of aliases", () => yaml(laughs())],
    ["config: a very long key", () => config({ [fill("a")]: {} })],
    ["config: 10 000 sections below one", () => config({ [fill("a")]: many(9000) })],
    ["config: variables in variables", () => config({ [`${fill("variables.a")}\n`]: [1] })],
    ["a very long word", () => nearest(fill("a"), ["token", "project", "terraform"])],
    ["tfvars: quotes (10 s)", () => editValues(fill('\\"'), edit("x.tfvars"))],
    ["tfvars: broken JSON", () => editValues(fill('\\"'), edit("x.tfvars.json"))],
    ["a version constraint", () => allowsFrom([fill("1,")], "1.10")],
    ["many version constraints", () => allowsFrom(Array(20_000).fill(">1"), "1.10")],
    ["an endpoint full of slashes", () => describeModule([hcl(backend(`${fill("/")}x`))])],
    ["a token behind locals that double", () => describeModule([hcl(doubling())])],
    ["a token in unclosed quotes", () => piecesOf(fill('"${'))],
    ["a token in unclosed comments", () => piecesOf(fill("/*"))],
    ["a token in unclosed heredocs", () => piecesOf(fill("<<A\n"))],
    [
      "a token behind nested conditionals",
      () => describeModule([hcl(token(`${fill("a ? ", 20_000)}b`))]),
    ],
    ["a variable in many locals and resources", () => describeModule([hcl(used())], "t")],
    ["a path of spaces", () => patternOf(`${fill(" ")}x`)],
    ["a path of folders", () => foldersUp(fill("a/", 40_000), ".")],
    ["a path of backslashes", () => shellWord(`${fill("\\")} x`, "cmd")],
    ["Terraform: resources with count = 0", () => scopes(lines(leftOut))],
    ["Terraform: many references", () => scopes(asked())],
    [
      "Terraform: projects",
      () => scopes(lines((i) => `resource "digitalocean_project" "p${i}" {}\n`)),
    ],
    ["Terraform: sequences (10 s)", () => hcl(`a = "${fill("${")}`)],
    ["Terraform: open strings", () => hcl(lines((i) => `a${i} = "\n`))],
    ["Terraform: open heredocs", () => hcl(lines((i) => `b {\n  a = <<X${i}\n`))],
    ["Terraform: open blocks", () => hcl(fill("a {\n"))],
    ["Terraform: open comments", () => hcl(fill("a = 1 /*\n"))],
    ["Terraform: brackets that close nothing", () => hcl(`a = ${fill("(", SIZE / 2)}${fill("]")}`)],
    ["Terraform: escapes", () => hcl(`a = "${fill('\\"$$${')}"`)],
    ["Terraform: signs", () => hcl(`a = ${fill("!-")}b`)],
    ["Terraform: one long line of labels", () => hcl(`${fill('a "b" ')}\n`.repeat(2))],
    ["Terraform: values in parentheses", () => hcl(fill(`a = ${"(".repeat(60)}\n`))],
    ["Terraform: steps", () => hcl(`a = data.${fill("digitalocean_a.data.")}x`)],
    ["Terraform: indexes", () => scopes(project(`"${fill("a[")}"`))],
    ["Terraform: loops in loops", () => hcl(loops())],
    ["Terraform: nested brackets", () => readsOf(`digitalocean_a.b${fill("[(", 90_000)}`)],
    [
      "Terraform: many loop variables",
      () => readsOf(`[for d in digitalocean_a.b : [${fill("d.x,", 90_000)}]]`),
    ],
    ["Terraform: JSON in JSON (3 s)", () => readTfJson(nestedJson(), "main.tf.json")],
    ["Terraform: templates in JSON", () => referencesInText(`\${${fill("digitalocean_a.b[")}`)],
    ["an error text", () => failuresIn(fill("with digitalocean_\u2028"))],
    ["a pasted text: names", () => readPasted(fill("token ", 16 * SIZE))],
    ["a pasted text: white space", () => readPasted(`token${fill(" ", 16 * SIZE)}`)],
    ["a pasted text: token prefixes", () => readPasted(fill("dop_v1_", 16 * SIZE))],
    ["a pasted text: digits", () => readPasted(fill("a", 16 * SIZE))],
    ["a pasted text: lines", () => readPasted(fill("A=$\n", 16 * SIZE))],
    ["a pasted text: one name", () => readPasted(`export ${fill("A.", 16 * SIZE)}`)],
    [
      "tokens elsewhere: many",
      () => elsewhere(".env", lines((i) => `A${i}=${tokenLike(i)}`).repeat(4)),
    ],
    ["tokens elsewhere: one, in many lines", () => elsewhere(".env", fill(`A=${PERSONAL}\n`, MB))],
    ["tokens elsewhere: one line", () => elsewhere(".envrc", fill(`A=${PERSONAL} `, MB))],
    ["tokens elsewhere: many files", () => elsewhere(".env", fill(`A=${PERSONAL}0\n`, MB), 300)],
    [
      "tokens elsewhere: values",
      () => elsewhere("infra/a.tfvars", fill('a="_v1_"\n[{', SIZE), 100),
    ],
    ["tokens elsewhere: JSON", () => elsewhere("infra/a.tfvars.json", deepJson())],
    ["a value: a path", () => readToken(`/${fill("a/", 16 * SIZE)}`)],
    ["a value: words", () => readToken(fill("your_", 16 * SIZE))],
    ["a value: a variable", () => readToken(`\${${fill("A", 16 * SIZE)}`)],
    ["a value: a web token", () => readToken(fill("eyJ", 16 * SIZE))],
    ["tokens in base64", () => tokensIn(Buffer.from(fill("X3YxX", 16 * SIZE)))],
    ["a file of tokens", () => search(Buffer.from(lines(tokenLike).repeat(16)))],
    [
      "a diff of two files",
      () =>
        diffOf(
          difference(
            lines((i) => `a${i}\n`),
            lines((i) => `b${i}\n`),
          ),
        ),
    ],
    ["a saved plan that unpacks to 16 MB", () => search(bomb(16))],
    ["a saved plan with false sizes", () => search(lying(bomb(16)))],
    ["a saved plan whose members share bytes", () => search(overlapping(bomb(16), 2000))],
    ["nested saved plans", () => search(nestedPlan(50))],
  ])("%s", async (_, run) => {
    expect(await timed(run)).toBeLessThan(3);
  });
});

describe("content above a limit is reported", () => {
  it.each<[what: string, run: () => unknown, expected: unknown]>([
    [".terraformignore", () => work((w) => isUploaded(fill("a\n", 4 * MB), ".env", w)), undefined],
    [".dockerignore", () => docker(fill("*x\n", 4 * MB), "a"), undefined],
    ["a zip bomb", () => membersOf(overlapping(bomb(16), 20), { left: 1e9 }).isWhole, false],
    [
      "a plan in a plan",
      () => search(nestedPlan(2)).gap,
      "it is a saved plan that contains another plan",
    ],
    [
      "a broken plan",
      () => search(bomb(1).subarray(0, 60)).gap,
      expect.stringContaining("corrupt"),
    ],
    [
      "1 000 tokens",
      () => search(Buffer.from(lines(tokenLike))).gap,
      expect.stringContaining("1000"),
    ],
  ])("%s", (_, run, expected) => {
    expect(run()).toEqual(expected);
  });

  it("a deep folder used under many names by modules counts against one limit", async () => {
    const deep = Array.from({ length: 900 }, () => "a").join("/");
    const calls = lines((i) => `module "m${i}" {\n  source = "./${deep}/../a"\n}\n`);
    const files = memoryFiles("/root", { "main.tf": calls, [`${deep}/main.tf`]: "" });
    const { unseen } = await readModuleTree({ files }, "/root", async (text) => hcl(text));
    expect(unseen.length).toBeGreaterThan(5);
  });

  it("all plans of a run share one limit", () => {
    const unpacking = { left: 3 * MB };
    const one = () => searchFile(bomb(1), undefined, "tfplan", unpacking).gap;
    expect([one(), one(), one(), one()].map((gap) => gap === undefined)).toEqual([
      ...[true, true, true, false],
    ]);
  });
});

describe("content below a limit is read normally", () => {
  it("a very large diff shows all lines except the common ones at both ends", () => {
    const text = (name: string) => `same\n${lines((i) => `${name}${i}\n`)}end\n`;
    const shown = diffOf(difference(text("a"), text("b")));
    expect(shown.at(0)).toEqual({ kind: "removed", text: "a0" });
    expect(shown.at(-1)?.kind).toBe("added");
    expect(shown.map((line) => line.text)).not.toContain("same");
    expect(shown.map((line) => line.text)).not.toContain("end");
  });

  it("a config of 500 lines and comments is accepted", () => {
    expect(isTooMuchYaml("# a comment\nkey: value\n".repeat(500))).toBe(false);
  });
});

function docker(text: string, path: string): boolean | undefined {
  return work((each) => readDockerIgnore(text, each).ignores(path)) as boolean | undefined;
}

function gitlab(include: string) {
  return readGitlabMain(`include: ${JSON.stringify(include)}\n`);
}

/** Each list contains the previous one nine times. */
function laughs(): string {
  const list = (i: number) =>
    `a${i}: &a${i} [${Array(9)
      .fill(`*a${i - 1}`)
      .join(", ")}]\n`;
  return `a0: &a0 [x]\n${Array.from({ length: 9 }, (_, i) => list(i + 1)).join("")}`;
}

function many(count: number): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, {}]));
}

function edit(path: string) {
  return { path, olds: [secret()], tokenFor: undefined };
}

function backend(endpoint: string): string {
  return `terraform {\n  backend "s3" {\n    endpoint = "${endpoint}"\n  }\n}\n`;
}

function token(expression: string): string {
  return `provider "digitalocean" {\n  token = ${expression}\n}\n`;
}

function doubling(): string {
  const twice = (i: number) => `a${i} = coalesce(local.a${i + 1}, local.a${i + 1})\n`;
  return `${token("local.a0")}locals {\n${lines(twice)}}\n`;
}

function used(): string {
  const chain = lines((i) => `a${i} = [var.t, local.a${i - 1}]\n`);
  return `locals {\n${chain}}\n${lines((i) => `resource "a" "b${i}" {\n  c = local.a${i}\n}\n`)}`;
}

function leftOut(i: number): string {
  return `resource "digitalocean_tag" "t${i}" {\n  count = 0\n}\n`;
}

function asked(): string {
  const both = (i: number) =>
    `resource "digitalocean_tag" "t${i}" {}\nlocals { a${i} = digitalocean_tag.t${i}.x }\n`;
  return lines(both);
}

function project(resources: string): string {
  return `resource "digitalocean_project" "p" {\n  resources = ${resources}\n}\n`;
}

function nestedJson(): string {
  const keys = lines((i) => `"k${i}":1,`);
  return `${'{"a":'.repeat(190)}{${keys}"z":1}${"}".repeat(190)}`;
}

/** @param count of copies of the file, under similar names. */
async function elsewhere(path: string, text: string, count = 1) {
  const [, stem = "", ext = ""] = /^(.*?)(\.tfvars.*)?$/.exec(path) ?? [];
  const names = Array.from({ length: count }, (_, i) => (i === 0 ? path : `${stem}.${i}${ext}`));
  const files = memoryFiles("/repo", Object.fromEntries(names.map((name) => [name, text])));
  const around = { file: undefined, base: "/repo", packageName: "x", defaultDirs: ["infra"] };
  const question = { config: resolveConfig({}, undefined, around), top: "/repo" };
  const host = { env: {}, files };
  const envFile = await files.look("/repo/.env");
  await findElsewhere(host, { ...question, envFile, contexts: new Map() });
}

function deepJson(): string {
  return `${fill('{"a":', MB)}"${PERSONAL}"${"}".repeat(Math.ceil(MB / 5))}`;
}

function tokenLike(i: number): string {
  return `${PERSONAL.slice(0, -6)}${i.toString(16).padStart(6, "0")}\n`;
}

function difference(before: string, after: string) {
  return { before: content(before), after: content(after) };
}

function search(bytes: Buffer) {
  return searchFile(bytes, undefined, "tfplan", { left: 1024 * MB });
}

function plan(...members: Buffer[]): Buffer {
  const named = members.map((member, i) => [i === 0 ? "tfplan" : `tfplan${i}`, member]);
  return Buffer.from(zipSync(Object.fromEntries(named)));
}

/** @param size when unpacked, in MB. */
function bomb(size: number): Buffer {
  return plan(Buffer.alloc(size * MB));
}

function nestedPlan(levels: number): Buffer {
  let inner = plan(Buffer.from("{}"));
  for (let i = 1; i < levels; i++) inner = plan(inner);
  return inner;
}

/** Both size fields say that the member has one byte. */
function lying(zip: Buffer): Buffer {
  const directory = zip.readUInt32LE(zip.length - 6);
  zip.writeUInt32LE(1, directory + 24);
  zip.writeUInt32LE(1, 22);
  return zip;
}

/** The directory lists the only member many times. */
function overlapping(zip: Buffer, times: number): Buffer {
  const end = zip.length - 22;
  const directory = zip.readUInt32LE(end + 16);
  const last = Buffer.from(zip.subarray(end));
  last.writeUInt16LE(times, 10);
  const entries = Array<Buffer>(times).fill(zip.subarray(directory, end));
  return Buffer.concat([zip.subarray(0, directory), ...entries, last]);
}

/** Each loop reads the one around it twice. */
function loops(): string {
  const nested = `${"[for d in concat(d, d) : ".repeat(30)}d.x${"]".repeat(30)}`;
  return `x {\n${`a = [for d in digitalocean_a.b : ${nested}]\n`.repeat(300)}}\n`;
}
