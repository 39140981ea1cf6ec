import { expect, it } from "vitest";
import { gitFailed } from "../../../../src/concerns/git/git.ts";
import type { ToolResult } from "../../../../src/host/host.ts";
import { said } from "../../../fixtures/hint.ts";

const OWNED =
  "fatal: detected dubious ownership in repository at '/srv/it's mine'\nTo add an exception…";

it.each([
  [
    OWNED,
    "The repo belongs to another user. If you trust it: git config --global --add safe.directory '/srv/it'\\''s mine'",
  ],
  ["error: object file .git/objects/ab is corrupt", "git fsck shows what is broken."],
  [
    "fatal: cannot use bare repository '/srv/x.git'",
    "This folder belongs to git itself. Go to the checkout.",
  ],
  [
    "fatal: this operation must be run in a work tree",
    "This folder belongs to git itself. Go to the checkout.",
  ],
  ["fatal: bad config line 1", "Run git status in this folder and fix what it reports."],
])("hint for the git error: %s", (stderr, text) => {
  const { hint } = gitFailed({ end: "exited", exitCode: 128, stdout: "", stderr });
  expect(said(hint)).toBe(text);
});

it.each<[said: string, ended: Partial<ToolResult>]>([
  ["git failed: it could not be started (EACCES)", { end: "not-started", code: "EACCES" }],
  ["git failed: it could not be started", { end: "not-started" }],
  ["git failed: exit status 128", { end: "exited", exitCode: 128 }],
  ["git failed: it was ended by a signal", { end: "signalled" }],
  ["git failed: it took too long", { end: "timed-out" }],
  [
    "git failed: fatal: bad object x",
    { end: "exited", exitCode: 128, stderr: "fatal: bad object x\n" },
  ],
])("%s", (text, ended) => {
  const silent: ToolResult = { end: "exited", exitCode: undefined, stdout: "", stderr: "" };
  expect(gitFailed({ ...silent, ...ended }).message).toBe(text);
});
