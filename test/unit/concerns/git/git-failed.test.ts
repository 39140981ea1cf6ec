import { expect, it } from "vitest";
import { gitFailed } from "../../../../src/concerns/git/git.ts";
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
