import { expect, it } from "vitest";
import type { Pipeline } from "../../../../src/commands/pipelines/render.ts";
import { toDo } from "../../../../src/commands/pipelines/to-do.ts";

const PIPELINE: Pipeline = {
  ...{ name: "do-bootstrap", branch: "main", base: ".", hasEnvironments: false },
  source: { kind: "lockfile", folder: "." },
  tokenNames: ["DIGITALOCEAN_TOKEN"],
  keys: { state: "SPACES", spaces: false },
  legs: [],
};

it.each<[unread: readonly string[], ends: string]>([
  [[], ": domain:read."],
  [
    ["modules that are not installed (module.m (a/b/c))"],
    ": domain:read. It may need more scopes. Not checked: modules that are not installed (module.m (a/b/c)).",
  ],
])("lists the scopes of the pipeline's tokens; not checked: %j", (unread, ends) => {
  const needs = { environment: "prod", plan: ["domain:read"], apply: ["domain:read"], unread };
  const found = toDo("github", PIPELINE, [{ ...needs, spaces: false }], {});
  const tokens = found.filter(({ message }) => message.includes("domain:read"));
  expect(tokens.map(({ message }) => message.endsWith(ends))).toEqual([true, true]);
});
