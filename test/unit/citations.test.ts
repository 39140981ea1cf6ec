import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

/** What can be cited on a page. */
interface Page {
  /** The subheadings of each section, by its number. */
  readonly sections: ReadonlyMap<string, readonly string[]>;
  /** Numbers of rows, such as "3.8". */
  readonly rows: ReadonlySet<string>;
  readonly rules: ReadonlySet<string>;
}

type Pages = ReadonlyMap<string, Page>;

function readPage(text: string): Page {
  const sections = new Map<string, string[]>();
  const rows = new Set<string>();
  const rules = new Set<string>();
  let subheadings: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const section = /^## (\d+)\. /.exec(line)?.[1];
    if (section !== undefined) {
      subheadings = [];
      sections.set(section, subheadings);
    }
    const subheading = /^### (.+?)\s*$/.exec(line)?.[1];
    if (subheading !== undefined) subheadings.push(subheading);
    const row = /^(?:\| |#{3,4} )(\d+\.\d+)(?: \||\s|$)/.exec(line)?.[1];
    if (row !== undefined) rows.add(row);
    const rule = /^(\d+)\. \*\*/.exec(line)?.[1];
    if (rule !== undefined) rules.add(rule);
  }
  return { sections, rows, rules };
}

const DESIGN_PAGE = "docs/design.md";
const AND = String.raw`(?:,\s+and\s+|,\s+|\s+(?:and|or|to)\s+)`;
const NUMBER = String.raw`§?\d{1,2}(?:\.\d{1,2})?(?!\w|\.\d)`;
const PAGE = new RegExp(
  String.raw`docs/(?:design|contracts/[\w-]+)\.md(?<numbers>\s+${NUMBER}(?:${AND}${NUMBER})*)?`,
  "g",
);
const RULES = new RegExp(String.raw`\b[Rr]ules?\s+(\d+(?:${AND}\d+)*)\b`, "g");
/** With this comment, every bare number of a file is a row or section of that page. */
const NUMBERS_BELOW = /(docs\/contracts\/[\w-]+\.md) \(the numbers below\)/;
const BARE = /§\d{1,2}\b|(?<=\(|\/\/ |\/\*\* |, |; )\d{1,2}\.\d{1,2}(?=[):;,. ])(?!\.\d)/g;

/** Citations that name no page of this repo. */
const OLD_FORMS = [
  /\bDESIGN(?:\.md)?\s+(?:§|rules?\b)/g,
  /(?<!docs\/|\]\()\bcontracts\/\w/g,
  /\(contracts?\s+§?\d/g,
  /(?<![\w/-])(?:api|doctl|doctl-2|terraform|design)\.md\s+(?:§|rule |\d)/g,
];

/** How many citations a text has, and those whose target is missing, as "LINE: CITATION". */
function follow(text: string, pages: Pages): { count: number; wrong: string[] } {
  const wrong: string[] = [];
  let count = 0;
  // A citation may be broken over two lines. Same length, so that offsets stay right.
  const flat = text.replace(/\n[ \t]*(?:\/\/|\*(?!\/)|#)?[ \t]*/g, (gap) => " ".repeat(gap.length));
  let rest = flat;

  const note = (isThere: boolean, what: string, at: number) => {
    count++;
    if (isThere) return;
    wrong.push(`${text.slice(0, at).split("\n").length}: ${what}`);
  };
  const noteNumber = (path: string, number: string, at: number) => {
    const page = pages.get(path);
    const isThere = number.includes(".") ? page?.rows.has(number) : page?.sections.has(number);
    note(isThere === true, `${path} ${number}`, at);
  };

  for (const { 0: all, index, groups } of flat.matchAll(PAGE)) {
    const path = all.slice(0, all.indexOf(".md") + 3);
    const numbers = groups?.["numbers"]?.match(/\d+(?:\.\d+)?/g) ?? [];
    for (const number of numbers) noteNumber(path, number, index);
    if (numbers.length === 0 && !pages.has(path)) note(false, path, index);
    const last = numbers.at(-1) ?? "";
    const end = index + all.length;
    const subheading = subheadingIn(flat.slice(end));
    if (last !== "" && !last.includes(".") && subheading !== undefined) {
      const known = pages.get(path)?.sections.get(last) ?? [];
      note(known.includes(subheading), `${path} ${last}, ${subheading}`, index);
    }
    rest = rest.slice(0, index) + " ".repeat(all.length) + rest.slice(end);
  }
  for (const { 1: numbers = "", index } of flat.matchAll(RULES)) {
    for (const rule of numbers.match(/\d+/g) ?? []) {
      note(pages.get(DESIGN_PAGE)?.rules.has(rule) === true, `rule ${rule}`, index);
    }
  }
  const path = NUMBERS_BELOW.exec(flat)?.[1];
  // Not in `flat`, which has no comment marks for BARE to find.
  const bare = path === undefined ? [] : text.matchAll(BARE);
  for (const { 0: number, index } of bare) {
    if (rest[index] !== " ") noteNumber(path ?? "", number.replace("§", ""), index);
  }
  for (const form of OLD_FORMS) {
    for (const { 0: old, index } of flat.matchAll(form))
      note(false, `old form: ${old.replace(/\s+/g, " ")}`, index);
  }
  return { count, wrong };
}

/** "Files" after "docs/design.md §6"; also one word in lower case, if a bracket ends it. */
function subheadingIn(after: string): string | undefined {
  const line = after.slice(0, 200).replace(/\s+/g, " ");
  const [, words, end] = /^, ([^,;:()"`]{1,40}?)([,;:)"`]|\. |\.?$)/.exec(line) ?? [];
  const isOne = words !== undefined && (/^[A-Z]/.test(words) || (end === ")" && !/ /.test(words)));
  return isOne ? words : undefined;
}

function filesBelow(...names: string[]): string[] {
  return names.flatMap((name) =>
    readdirSync(join(ROOT, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join("/")),
  );
}

const PAGES: Pages = new Map(
  [DESIGN_PAGE, ...filesBelow("docs/contracts")].map((path) => [path, readPage(read(path))]),
);

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

describe("the citation checker", () => {
  const pages: Pages = new Map([
    [
      DESIGN_PAGE,
      readPage(
        "## 4. Rules\n1. **One.**\n2. **Two.**\n## 6. Config\n### Files\n### What exec passes",
      ),
    ],
    [
      "docs/contracts/doctl.md",
      readPage(
        "## 3. Writing\n| 3.8 | a |\n| 3.10 | b |\n## 5. Contexts\n### Names\n#### 5.1 Flags",
      ),
    ],
  ]);
  const below = "// docs/contracts/doctl.md (the numbers below)\n";

  it.each([
    ["(docs/contracts/doctl.md 3.8)", 1],
    ["docs/contracts/doctl.md 3.8 and 3.10, and 5", 3],
    ["docs/contracts/doctl.md §3 and §5", 2],
    ["docs/contracts/doctl.md 3.8, 3.10", 2],
    ["docs/contracts/doctl.md 5.1 of a heading", 1],
    ["docs/contracts/doctl.md 5, Names.", 2],
    ["docs/contracts/doctl.md, a page", 0],
    ["docs/contracts/doctl.md 3.8. Then 9.9", 1],
    ["`docs/design.md §6, Files`", 2],
    ["(docs/design.md §6). Those", 1],
    ["(docs/design.md §6: 2, 4, 7)", 1],
    [" * (docs/design.md §6, What\n * exec passes)", 2],
    [" * (docs/contracts/doctl.md\n * 3.8)", 1],
    ["docs/design.md rule 2", 1],
    ["docs/design.md rules 1 and 2", 2],
    ["// A FIFO is only read (rule 1).", 1],
    [`${below}// 3.8: a\n/** 3.10. b */ (§5, 5.1) 127.0.0.1 "1.1"`, 4],
    ["[the page](contracts/doctl.md)", 0],
    ["// 3.8: no page is named", 0],
  ])("follows %j", (text, count) => {
    expect(follow(text, pages)).toEqual({ count, wrong: [] });
  });

  it.each([
    ["(docs/contracts/doctl.md 3.9)", "1: docs/contracts/doctl.md 3.9"],
    ["docs/contracts/doctl.md 3.8 and 3.1", "1: docs/contracts/doctl.md 3.1"],
    ["docs/contracts/doctl.md 4", "1: docs/contracts/doctl.md 4"],
    ["docs/contracts/doctl.md 5, Flags", "1: docs/contracts/doctl.md 5, Flags"],
    ["docs/contracts/docker.md", "1: docs/contracts/docker.md"],
    ["docs/contracts/docker.md 3.8", "1: docs/contracts/docker.md 3.8"],
    ["\n// docs/design.md §7", "2: docs/design.md 7"],
    ["docs/design.md §6, Folders", "1: docs/design.md 6, Folders"],
    ["(docs/design.md §6, token.docl)", "1: docs/design.md 6, token.docl"],
    ["docs/design.md rule 3", "1: rule 3"],
    ["docs/design.md rules 1, 2 and 3", "1: rule 3"],
    ["// (rule 17)", "1: rule 17"],
    [`${below}// 3.9: a`, "2: docs/contracts/doctl.md 3.9"],
    [`${below}it("a (3.8, §4)")`, "2: docs/contracts/doctl.md 4"],
    [`the ${"DESIGN"} §6`, "1: old form: DESIGN §"],
    [`the ${"DESIGN"}\n// rule 1`, "1: old form: DESIGN rule"],
    ["(contracts/doctl.md 3.8)", "1: old form: contracts/d"],
    ["(contracts 3.8)", "1: old form: (contracts 3"],
    ["(docs/contracts/doctl.md 5, doctl.md 5)", "1: old form: doctl.md 5"],
  ])("reports %j", (text, wrong) => {
    expect(follow(text, pages).wrong).toContain(wrong);
  });
});

describe("the citations of this repo", () => {
  const own = relative(ROOT, import.meta.filename)
    .split(sep)
    .join("/");
  const files = filesBelow("src", "test", "templates", "scripts", "docs")
    .concat("esbuild.config.mjs", "vitest.config.ts")
    .filter((path) => path !== own);
  const found = files.map((path) => ({ path, ...follow(read(path), PAGES) }));

  it("every citation has a target", () => {
    const wrong = found.flatMap(({ path, wrong }) => wrong.map((each) => `${path}:${each}`));
    expect(wrong).toEqual([]);
  });

  it("the scan finds more than 200", () => {
    const all = found.reduce((sum, { count }) => sum + count, 0);
    expect(all).toBeGreaterThan(200);
  });

  it("the design has rules 1 to 16", () => {
    const rules = Array.from({ length: 16 }, (_, i) => String(i + 1));
    expect([...(PAGES.get(DESIGN_PAGE)?.rules ?? [])]).toEqual(rules);
  });
});
