import { expect, it } from "vitest";
import { toldBy } from "../../../src/core/told.ts";

it.each<[what: string, kept: unknown, program: string | undefined, asked: boolean]>([
  ["asked for the first time", undefined, "/bin/doctl", true],
  ["asked before", { question: "version", answer: "1.11.4" }, "/bin/doctl", false],
  ["asked something else before", { question: "config", answer: "/a" }, "/bin/doctl", true],
  ["with a record of something else", ["1.11.4"], "/bin/doctl", true],
  [
    "with a recorded answer of another type",
    { question: "version", answer: 1 },
    "/bin/doctl",
    true,
  ],
  ["that is a script", { question: "version", answer: "1.11.4" }, undefined, true],
])("a tool %s", async (_, kept, program, asked) => {
  const written: unknown[] = [];
  const records = {
    recall: (file: string) => (file === program ? kept : undefined),
    keep: (...all: unknown[]) => void written.push(all),
  };
  const clock = { now: () => 7, sleep: async () => undefined };
  let count = 0;
  const ask = async () => {
    count++;
    return "2.0.0";
  };
  const answer = await toldBy({ records, clock }, program, "version", ask);
  expect({ answer, count }).toEqual(
    asked ? { answer: "2.0.0", count: 1 } : { answer: "1.11.4", count: 0 },
  );
  const isKept = asked && program !== undefined;
  expect(written).toEqual(isKept ? [[program, { question: "version", answer: "2.0.0" }, 7]] : []);
});

it("a tool that gave no answer is asked again", async () => {
  const records = { recall: () => undefined, keep: () => expect.unreachable() };
  const clock = { now: () => 7, sleep: async () => undefined };
  expect(await toldBy({ records, clock }, "/bin/doctl", "version", async () => undefined)).toBe(
    undefined,
  );
});
