import { expect, it } from "vitest";
import { obstacles } from "../../../src/core/obstacles.ts";
import { fileSnapshot } from "../memory-files.ts";

const BOUNDS = { top: "/repo", blocked: new Map(), notHere: new Set<string>() };
const UTF_16 = "a text in UTF-16, and has to be in UTF-8";

it.each<[what: string, bytes: Buffer, why: string | undefined]>([
  ["UTF-8", Buffer.from("A=é\n"), undefined],
  ["UTF-8 with a mark", Buffer.from("\uFEFFA=1\n"), undefined],
  ["what Windows PowerShell writes", Buffer.from("\uFEFFA=1\r\n", "utf16le"), UTF_16],
  ["the other byte order", Buffer.from("\uFEFFA=1\n", "utf16le").swap16(), UTF_16],
  ["UTF-16 without a mark", Buffer.from("A=1\r\n", "utf16le"), UTF_16],
  ["the other byte order without a mark", Buffer.from("A=1\n", "utf16le").swap16(), UTF_16],
  [
    "UTF-8 to which Windows PowerShell added a line",
    Buffer.concat([Buffer.from("A=1\n"), Buffer.from("B=2\r\n", "utf16le")]),
    "partly in UTF-16, and has to be in UTF-8",
  ],
  ["bytes", Buffer.from([1, 0, 2]), "not a text file"],
])("a file of %s", (_, bytes, why) => {
  const messages = obstacles(BOUNDS, fileSnapshot("/repo/.env", bytes)).map((each) => each.message);
  expect(messages).toEqual(why === undefined ? [] : [`/repo/.env is ${why}.`]);
});
