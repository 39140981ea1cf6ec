import { describe, expect, it } from "vitest";
import { withToken } from "../../../src/concerns/env-file/edit.ts";
import type { Change } from "../../../src/core/change.ts";
import { RemoveFile } from "../../../src/core/changes/remove-file.ts";
import { editText, WriteFile, writeText } from "../../../src/core/changes/write-file.ts";
import type { Finding } from "../../../src/core/finding.ts";
import { isEmpty, joined } from "../../../src/core/plan.ts";
import type { Snapshot } from "../../../src/host/host.ts";
import { editedText, encode } from "../../../src/secret/content.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { planned } from "../../fixtures/facts.ts";
import { fileSnapshot } from "../memory-files.ts";
import { OTHER, PERSONAL, secret } from "../samples.ts";

const T = "DIGITALOCEAN_TOKEN";

const file = fileSnapshot;
const absent = (path: string): Snapshot => ({ kind: "absent", path, target: path });
const add = (before: Snapshot, line: string) =>
  editText(before, (text) => `${text}${line}\n`, line);

/** Writes the token as the env file's concern does. */
const store = (before: Snapshot, token = secret(), mode?: number) =>
  new WriteFile({
    before,
    edit: (now) => editedText(now, (text) => withToken(text, before.path, T, token) ?? text),
    why: "the token",
    ...(mode === undefined ? {} : { mode }),
  });

/** The only change, its text with P and X for the tokens, and its secret parts. */
function written(changes: readonly Change[]) {
  const [change, ...more] = changes;
  if (!(change instanceof WriteFile) || more.length > 0)
    throw new Error("expected exactly one write");
  const shown = (text: string) => text.replaceAll(PERSONAL, "P").replaceAll(OTHER, "X");
  return {
    change,
    text: shown(encode(change.after).toString()),
    secrets: change.after.parts.flatMap((part) =>
      part instanceof Secret ? shown(part.reveal()) : [],
    ),
  };
}

const fold = (...changes: readonly Change[]) => joined([{ changes }]).changes;

describe("several edits of one file become one write", () => {
  const gitignore = file("/repo/.gitignore", "a\n");

  it("with both edits, in their order", () => {
    const { text, change } = written(fold(add(gitignore, "b"), add(gitignore, "c")));
    expect(text).toBe("a\nb\nc\n");
    expect(change.why).toBe("b; c");
    expect(change.stage).toBe("open");
  });

  it("from three parts of a plan", () => {
    const parts = ["b", "c", "d"].map((line) => ({ changes: [add(gitignore, line)] }));
    expect(written(joined(parts).changes).text).toBe("a\nb\nc\nd\n");
  });

  it("from a plan inside a plan", () => {
    const part = { changes: [add(gitignore, "b"), add(gitignore, "c")] };
    expect(written(joined([joined([part])]).changes).text).toBe("a\nb\nc\n");
  });

  it("that lists the same reason once", () => {
    expect(written(fold(add(gitignore, "b"), add(gitignore, "b"))).change.why).toBe("b");
  });

  it("if a link and a path lead to the same file", () => {
    const link = file("/repo/link", "a\n", { target: "/repo/.gitignore" });
    expect(written(fold(add(link, "b"), add(gitignore, "c"))).text).toBe("a\nb\nc\n");
  });

  it("at the place of the first edit", () => {
    const other = add(absent("/repo/x"), "x");
    const changes = fold(add(gitignore, "b"), other, add(gitignore, "c"));
    expect(planned({ changes })).toEqual(["~ .gitignore", "+ x"]);
  });

  it("and other changes stay unchanged", () => {
    const gone = new RemoveFile(file("/repo/y", ""), "");
    const other = add(absent("/repo/x"), "x");
    expect(fold(gone, other)).toEqual([gone, other]);
    expect(fold(gone, other)[0]).toBe(gone);
  });

  it.each<[string, number | undefined, number | undefined, number]>([
    ["neither sets one: it is kept", undefined, undefined, 0o640],
    ["the second edit sets it", undefined, 0o600, 0o600],
    ["the first edit sets it", 0o600, undefined, 0o600],
    ["the narrower of two", 0o644, 0o600, 0o600],
    ["only what both allow", 0o604, 0o640, 0o600],
    ["a wider one", undefined, 0o755, 0o755],
  ])("the mode: %s", (_, one, other, expected) => {
    const before = file("/repo/.env", "", { mode: 0o640 });
    const edits = [one, other].map(
      (mode) =>
        new WriteFile({
          before,
          edit: (now) => now,
          why: "",
          ...(mode === undefined ? {} : { mode }),
        }),
    );
    expect(written(fold(...edits)).change.mode).toBe(expected);
  });
});

describe("secrets of one edit stay secrets in the next edit", () => {
  const before = file("/repo/.env", "A=1\n");

  it.each<[string, readonly Change[], string, readonly string[]]>([
    ["a line is added", [store(before), add(before, "B=2")], `A=1\n${T}=P\nB=2\n`, ["1", "P"]],
    [
      "a line is added before the token's edit",
      [add(before, "B=2"), store(before)],
      `A=1\nB=2\n${T}=P\n`,
      ["1", "2", "P"],
    ],
    [
      "a line is added above the token",
      [store(before), editText(before, (text) => `# a\n${text}`, "")],
      `# a\nA=1\n${T}=P\n`,
      ["1", "P"],
    ],
    [
      "the value is replaced",
      [store(before), store(before, secret(OTHER))],
      `A=1\n${T}=X\n`,
      ["1", "X"],
    ],
    [
      "the lines are reordered",
      [store(before), editText(before, (text) => text.split("\n").reverse().join("\n"), "")],
      `\n${T}=P\nA=1`,
      ["P", "1"],
    ],
    [
      "the lines are repeated",
      [store(before), editText(before, (text) => text + text, "")],
      `A=1\n${T}=P\nA=1\n${T}=P\n`,
      ["1", "P", "1", "P"],
    ],
    [
      "a line is removed",
      [store(before), editText(before, (text) => text.replace(/^DIG.*\n/m, ""), "")],
      "A=1\n",
      ["1"],
    ],
    ["all lines are replaced", [store(before), writeText(before, "x\n", "")], "x\n", []],
    [
      "a second token replaces it, then a third edit follows",
      [store(before), store(before, secret(OTHER)), add(before, "B=2")],
      `A=1\n${T}=X\nB=2\n`,
      ["1", "X"],
    ],
  ])("%s", (_, changes, text, secrets) => {
    expect(written(fold(...changes))).toMatchObject({ text, secrets });
  });

  it("in a file whose text contains the placeholder character", () => {
    const odd = file("/repo/.env", "A=1\n# \uE000 \uE0000\uE001 \uE000\uE0001\uE001\n");
    const { text, secrets } = written(fold(store(odd), add(odd, "# \uE000")));
    expect(text).toBe(`A=1\n# \uE000 \uE0000\uE001 \uE000\uE0001\uE001\n${T}=P\n# \uE000\n`);
    expect(secrets).toEqual(["1", "P"]);
  });

  it("if an edit adds the placeholder character", () => {
    const { text, secrets } = written(fold(store(before), add(before, "# \uE000")));
    expect(text).toBe(`A=1\n${T}=P\n# \uE000\n`);
    expect(secrets).toEqual(["1", "P"]);
  });

  it("a write with one secret edit is a secret write", () => {
    const { change } = written(fold(add(before, "B=2"), store(before, secret(), 0o600)));
    expect(change).toMatchObject({ stage: "secret", mode: 0o600, secretAt: "/repo/.env" });
    expect(change.isForClones).toBe(false);
  });

  it("an edit does not see the secrets of other edits", () => {
    let seen = "";
    const look = editText(
      before,
      (text) => {
        seen = text;
        return text;
      },
      "",
    );
    written(fold(store(before), look));
    expect(seen).toContain(`${T}=`);
    expect(seen).not.toContain(PERSONAL);
  });
});

describe("a finding is reported once", () => {
  const finding = (id: string, more: Partial<Finding> = {}): Finding => ({
    ...{ id, level: "warning", status: 3, message: "m" },
    ...more,
  });

  it.each<[string, readonly Finding[], number]>([
    ["none", [], 0],
    ["the same", [finding("a"), finding("a")], 1],
    ["for another place", [finding("a"), finding("a", { where: "x" })], 2],
    ["with another message", [finding("a"), finding("a", { message: "n" })], 2],
    ["with another id", [finding("a"), finding("b")], 2],
  ])("%s", (_, findings, count) => {
    expect(joined(findings.map((each) => ({ findings: [each] }))).findings).toHaveLength(count);
  });

  it("findings keep their order, and the first of two is kept", () => {
    const [first, second] = [finding("a", { skippedRoot: "/r" }), finding("a")];
    const { findings } = joined([{ findings: [finding("b"), first] }, { findings: [second] }]);
    expect(findings).toEqual([finding("b"), first]);
  });
});

describe("an empty plan", () => {
  const command = {
    ...{ tool: { name: "terraform", path: "/t" }, args: [], cwd: "/r", why: "" },
    ...{ without: [], secrets: [], with: new Map() },
  };

  it.each([
    ["nothing", [], true],
    ["no findings", [{ findings: [] }], true],
    ["a change", [{ changes: [add(absent("/x"), "a")] }], false],
    ["a command", [{ commands: [command] }], false],
  ])("%s: %s", (_, parts, expected) => {
    expect(isEmpty(joined(parts))).toBe(expected);
  });
});
