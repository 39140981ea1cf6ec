import { describe, expect, it } from "vitest";
import type { ApplyContext } from "../../../src/core/change.ts";
import { RemoveFile } from "../../../src/core/changes/remove-file.ts";
import { editText, WriteFile, writeText } from "../../../src/core/changes/write-file.ts";
import type { Snapshot, Undo } from "../../../src/host/host.ts";
import { diffOf } from "../../../src/report/diff.ts";
import { type Content, content, editedText, isPlaceholder } from "../../../src/secret/content.ts";
import { fileSnapshot } from "../memory-files.ts";
import { PERSONAL, secret } from "../samples.ts";

const PATH = "/repo/a";
const FINGERPRINT = `${secret()}`;

const file = (text: string | Buffer, mode = 0o644, target = PATH) =>
  fileSnapshot(PATH, text, { mode, target });

const ABSENT: Snapshot = { kind: "absent", path: PATH, target: PATH };
const KEEP = { edit: (now: ReturnType<typeof content>) => now, why: "why" };
const PUT = { edit: () => content("T=", secret(), "\n"), why: "why" };

describe("a write", () => {
  it.each<[string, WriteFile, object]>([
    [
      "a new file",
      writeText(ABSENT, "x", "why"),
      { sign: "+", mode: 0o644, stage: "open", isForClones: true },
    ],
    [
      "an existing file",
      writeText(file("", 0o755), "x", "why"),
      { sign: "~", mode: 0o755, stage: "open", isForClones: true },
    ],
    [
      "a secret",
      new WriteFile({ before: ABSENT, ...PUT, mode: 0o600 }),
      { sign: "+", mode: 0o600, stage: "secret", isForClones: false, secretAt: PATH },
    ],
    [
      "a removal of a token",
      new WriteFile({ before: file(""), ...KEEP, takesAway: true }),
      { stage: "removal", isForClones: true, secretAt: undefined },
    ],
    [
      "a removal of a token that leaves another secret",
      new WriteFile({ before: file(""), ...PUT, takesAway: true }),
      { stage: "removal", isForClones: false, secretAt: PATH },
    ],
    [
      "two edits, one of which removes a token",
      new WriteFile({ before: file(""), ...PUT, takesAway: true }, { before: file(""), ...KEEP }),
      { stage: "secret" },
    ],
    [
      "two edits that both remove a token",
      new WriteFile(
        { before: file(""), ...KEEP, takesAway: true },
        { before: file(""), ...KEEP, takesAway: true },
      ),
      { stage: "removal" },
    ],
    [
      "through a link",
      new WriteFile({ before: file("", 0o600, "/else/b/c"), ...PUT }),
      { label: PATH, file: PATH, secretAt: "/else/b/c", folder: "/else/b" },
    ],
  ])("%s", (_, change, expected) => {
    expect(change).toMatchObject(expected);
  });

  it.each<[string, WriteFile, object]>([
    [
      "a new file",
      writeText(ABSENT, "x", "why"),
      { kind: "create", mode: "0644", holdsSecret: false },
    ],
    [
      "an existing file",
      writeText(file("", 0o40), "x", "why"),
      { kind: "change", mode: "0040", holdsSecret: false },
    ],
    [
      "a secret",
      new WriteFile({ before: ABSENT, ...PUT, mode: 0o600 }),
      { kind: "create", mode: "0600", holdsSecret: true },
    ],
  ])("as JSON: %s", (_, change, expected) => {
    expect(change.json()).toEqual({ ...expected, path: PATH, why: "why" });
    expect(JSON.stringify(change)).not.toContain(PERSONAL);
  });

  it.each<[string, WriteFile, readonly string[]]>([
    ["a new file", writeText(ABSENT, "x\n", ""), ["+x"]],
    ["a line", writeText(file("a\nb\n"), "a\nc\n", ""), ["-b", "+c"]],
    ["a secret", new WriteFile({ before: file("a\n"), ...PUT }), ["-a", `+T=${FINGERPRINT}`]],
    [
      "only the mode",
      new WriteFile({ before: file("a\n"), ...KEEP, mode: 0o600 }),
      ["-mode 0644", "+mode 0600"],
    ],
    [
      "an existing secret",
      new WriteFile({
        before: file(`T=${PERSONAL}\n`),
        shownBefore: content("T=", secret(), "\n"),
        edit: () => content("b\n"),
        why: "",
      }),
      [`-T=${FINGERPRINT}`, "+b"],
    ],
    [
      "an existing secret, hidden by the second edit",
      new WriteFile(
        { before: file(`T=${PERSONAL}\n`), ...KEEP, edit: () => content("b\n") },
        { before: file(""), ...KEEP, shownBefore: content("T=", secret(), "\n") },
      ),
      [`-T=${FINGERPRINT}`, "+b"],
    ],
    [
      "bytes that are not UTF-8",
      editText(file(Buffer.from([0xe9, 10])), (text) => `${text}b\n`, ""),
      ["+b"],
    ],
  ])("as a diff: %s", (_, change, expected) => {
    const sign = { added: "+", removed: "-", kept: " " };
    expect(diffOf(change.diff()).map(({ kind, text }) => sign[kind] + text)).toEqual(expected);
  });

  it("writes its bytes in the file's encoding", async () => {
    const before = file(Buffer.from([0xe9, 10]), 0o640);
    const calls: unknown[] = [];
    const change = editText(before, (text) => `${text}ü`, "");
    await change.apply(recording(calls));
    expect(calls).toEqual([["replace", before, Buffer.from([0xe9, 10, 0xfc]), 0o640]]);
  });
});

describe("a removal", () => {
  it("deletes an existing file", () => {
    const change = new RemoveFile(file(`T=${PERSONAL}`), "why");
    expect(change).toMatchObject({ sign: "-", stage: "removal", label: PATH, file: PATH });
    expect(change.json()).toEqual({ kind: "remove", path: PATH, why: "why" });
    expect(change.diff()).toBeUndefined();
    expect(change.isForClones).toBe(false);
  });

  it.each<[string, string | undefined]>([
    ["deletes only the file", undefined],
    ["deletes folders that become empty too", "/repo"],
  ])("%s", async (_, below) => {
    const before = file("");
    const calls: unknown[] = [];
    await new RemoveFile(before, "", below).apply(recording(calls));
    expect(calls).toEqual([["remove", before, below]]);
  });
});

describe("editing a text around its secrets", () => {
  const [one, two] = [secret("one"), secret("two")];
  const many = Array.from({ length: 11 }, (_, i) => secret(`${i}`));
  /** "a<one>b": secrets in brackets. */
  const edited = (parts: Content["parts"], edit: Parameters<typeof editedText>[1]) =>
    editedText(content(...parts), edit)
      .parts.map((part) => (typeof part === "string" ? part : `<${part.reveal()}>`))
      .join("");

  it.each<[string, Content["parts"], (text: string) => string | Content["parts"], string]>([
    ["no secret", ["a"], (text) => `${text}b`, "ab"],
    ["one secret", ["a", one, "b"], (text) => `${text}c`, "a<one>bc"],
    [
      "two, reordered",
      [one, " ", two],
      (text) => text.split(" ").reverse().join(" "),
      "<two> <one>",
    ],
    ["one, repeated", [one], (text) => text + text, "<one><one>"],
    ["one, removed", ["a", one], () => "b", "b"],
    ["more than ten", many, (text) => text, "<0><1><2><3><4><5><6><7><8><9><10>"],
    [
      "a text with the placeholder character",
      ["\uE000", one],
      (text) => `${text}\uE0000\uE001`,
      "\uE000<one>\uE0000\uE001",
    ],
    [
      "a text with several placeholder characters",
      ["\uE000\uE000", one, "\uE000"],
      (text) => `${text}a`,
      "\uE000\uE000<one>\uE000a",
    ],
    ["an edit that adds a secret", ["a", one], (text) => [text, two], "a<one><two>"],
  ])("%s", (_, parts, edit, expected) => {
    expect(edited(parts, edit)).toBe(expected);
  });

  it("a placeholder is recognised and does not contain the secret", () => {
    let seen = "";
    edited([one], (text) => {
      seen = text;
      return text;
    });
    expect(isPlaceholder(seen)).toBe(true);
    expect(isPlaceholder("x")).toBe(false);
    expect(seen).not.toContain("one");
  });
});

/** Records a change's calls to files; any other call fails. */
function recording(calls: unknown[]): ApplyContext {
  const record =
    (name: string) =>
    async (...words: unknown[]): Promise<Undo> => {
      calls.push([name, ...words]);
      return async () => undefined;
    };
  const files = Object.fromEntries(["replace", "remove"].map((name) => [name, record(name)]));
  return {
    host: { files },
    progress: () => undefined,
    step: async (action: Promise<Undo>) => void (await action),
  } as unknown as ApplyContext;
}
