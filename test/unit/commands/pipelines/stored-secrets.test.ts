import { describe, expect, it } from "vitest";
import { type StoredSecret, stateOf } from "../../../../src/commands/pipelines/stored-secrets.ts";

describe("the state of a secret that do-bootstrap has stored", () => {
  it.each<
    [what: string, entry: Pick<StoredSecret, "was" | "is">, listed: string | undefined, string]
  >([
    ["as it was stored", { is: "2" }, "2", "stored"],
    ["set again by somebody", { is: "2" }, "3", "changed"],
    ["deleted", { is: "2" }, undefined, "missing"],
    ["as it was before the run", { was: "1" }, "1", "older"],
    ["new since the run, which ended before it looked", { was: "1" }, "2", "unsure"],
    ["not there before the run, and not stored", { was: null }, undefined, "missing"],
    ["not there before the run", { was: null }, "1", "unsure"],
    ["decided without GitHub", {}, "1", "older"],
  ])("%s", (_, entry, listed, state) => {
    expect(stateOf(entry, listed)).toBe(state);
  });
});
