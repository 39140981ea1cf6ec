import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Parsed, parseHcl } from "../../src/hcl/parser.ts";
import type { Expression } from "../../src/hcl/syntax.ts";
import { brokenHclFile, hclFile } from "../fixtures/hcl-text.ts";
import { TERRAFORM } from "../fixtures/terraform.ts";
import { loadTreeSitter, type PlainBody, type PlainValue } from "../fixtures/tree-sitter.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const numRuns = Number(process.env["COUNT"] ?? 1) * 400;
const files = (kind: fc.Arbitrary<string>) => [...new Set(fc.sample(kind, { numRuns, seed }))];

/** Where Terraform reports other lines than ours. */
const OTHER_LINES: readonly [message: string, reason: string][] = [
  ["Missing close bracket on index", "it reports where it continues behind the index"],
  ["Missing close bracket on splat index", "it reports where it continues behind the index"],
  ["Unbalanced parentheses", "at the end of a file, it reports the end, not the parenthesis"],
  ["Unclosed template interpolation", "it reports the start of the template, not of the sequence"],
  ["Unterminated object constructor", "it reports the brace, also if a field has no value"],
];

/** What Terraform accepts and the grammar does not. */
const NOT_IN_GRAMMAR: readonly [text: RegExp, reason: string][] = [
  [/\d[eE]/, "exponents only behind a fraction"],
  [/<<-?[^\x00-\x7f]/, "markers of heredocs only in ASCII"],
  [/\b(?:null|true|false)\(/, "functions cannot be called like keywords"],
];

describe("as Terraform", () => {
  it.skipIf(TERRAFORM === undefined).each([
    ["valid files", hclFile],
    ["broken files", brokenHclFile],
  ])(
    "%s: the same are valid, and the first problem is on a line that it reports",
    async (_, kind) => {
      const texts = files(kind);
      const reported = await problemsOf(texts);
      const different = texts.flatMap((text, i) => {
        const line = parseHcl(text, "main.tf").problem?.line;
        const problems = reported.get(i) ?? [];
        const isExpected = problems.some(
          (each) =>
            each.line === line || OTHER_LINES.some(([said]) => each.message.startsWith(said)),
        );
        const isSame = line === undefined ? problems.length === 0 : isExpected;
        return isSame ? [] : { text, line, problems };
      });
      expect(different, `seed ${seed}`).toEqual([]);
      const valid = texts.length - reported.size;
      expect(valid / texts.length).toBeGreaterThan(kind === hclFile ? 0.8 : 0.1);
      expect(reported.size / texts.length).toBeGreaterThan(kind === hclFile ? 0 : 0.5);
    },
  );
});

describe("as the grammar of tree-sitter", () => {
  it.each([
    ["valid files", hclFile],
    ["broken files", brokenHclFile],
  ])("%s: what both can read, they read equally", async (_, kind) => {
    const treeSitter = await loadTreeSitter();
    const texts = files(kind).filter((text) => !NOT_IN_GRAMMAR.some(([it]) => it.test(text)));
    let compared = 0;
    for (const text of texts) {
      const ours = parseHcl(text, "main.tf");
      // The grammar accepts more than Terraform, such as newlines anywhere.
      if (ours.problem !== undefined) continue;
      expect(plainBody(ours), `seed ${seed}: ${JSON.stringify(text)}`).toEqual(treeSitter(text));
      compared++;
    }
    expect(compared).toBeGreaterThan(numRuns / 20);
  });

  it.each(NOT_IN_GRAMMAR.map(([{ source }, reason]) => [reason, source]))(
    "%s",
    async (_, source) => {
      const treeSitter = await loadTreeSitter();
      const only = files(hclFile).filter((text) =>
        NOT_IN_GRAMMAR.every(([it]) => it.test(text) === (it.source === source)),
      );
      const isRejected = (text: string) =>
        parseHcl(text, "main.tf").problem === undefined && treeSitter(text) === undefined;
      expect(only.some(isRejected), `seed ${seed}`).toBe(true);
    },
  );
});

interface Reported {
  readonly line: number;
  readonly message: string;
}

/** What `terraform fmt` reports of texts, by index. */
async function problemsOf(texts: readonly string[]): Promise<ReadonlyMap<number, Reported[]>> {
  const folder = await mkdtemp(join(tmpdir(), "do-bootstrap-test-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const code = join(folder, "code");
  await mkdir(code);
  await Promise.all(texts.map((text, i) => writeFile(join(code, `${i}.tf`), text)));
  const args = ["fmt", "-check", "-list=false", "-no-color"];
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, CHECKPOINT_DISABLE: "1" };
  const { stderr } = await execa("terraform", args, {
    ...{ cwd: code, env, extendEnv: false, reject: false },
  });
  const problems = new Map<number, Reported[]>();
  for (const [, message = "", name, line] of stderr.matchAll(
    /^Error: (.*)\n\n {2}on (\d+)\.tf line (\d+)/gm,
  )) {
    const index = Number(name);
    problems.set(index, [...(problems.get(index) ?? []), { line: Number(line), message }]);
  }
  return problems;
}

function plainBody({ attributes, blocks }: Pick<Parsed, "attributes" | "blocks">): PlainBody {
  return {
    attributes: valuesOf(attributes),
    blocks: blocks.map((block) => {
      const { type, labels, place } = block;
      return { names: [type, ...labels], line: place.line, ...plainBody(block) };
    }),
  };
}

function valuesOf(values: ReadonlyMap<string, Expression>): Record<string, PlainValue> {
  return Object.fromEntries([...values].map(([name, value]) => [name, plainValue(value)]));
}

function plainValue({ start, end, place, literal, fields, items }: Expression): PlainValue {
  return {
    at: [start, end, place.line],
    ...(literal === undefined ? {} : { literal }),
    ...(fields === undefined ? {} : { fields: valuesOf(fields) }),
    ...(items === undefined ? {} : { items: items.map(plainValue) }),
  };
}
