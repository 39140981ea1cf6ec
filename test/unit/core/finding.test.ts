import { describe, expect, it } from "vitest";
import { findingsOf, statusOf } from "../../../src/core/finding.ts";
import { EXIT, type ExitStatus } from "../../../src/errors/exit-status.ts";
import { hint } from "../../../src/errors/hint.ts";
import { FINDINGS, type FindingId } from "../../../src/report/finding-ids.ts";

const finding = findingsOf(FINDINGS);
const IDS = Object.keys(FINDINGS) as FindingId[];
const found = (...ids: FindingId[]) => ids.map((id) => finding(id, "…"));

describe("every finding", () => {
  it.each(IDS)("%s has an id of the documented form", (id) => {
    const words = "[a-z]+(-[a-z]+)*";
    expect(id).toMatch(new RegExp(`^${words}\\.${words}$`));
  });

  it.each(IDS)("%s has a status that fits its level", (id) => {
    const [level, status] = FINDINGS[id];
    const errors: ExitStatus[] = [
      EXIT.usage,
      EXIT.token,
      EXIT.expiry,
      EXIT.network,
      EXIT.scope,
      EXIT.findings,
    ];
    const allowed = { info: [EXIT.ok], warning: [EXIT.findings], error: errors }[level];
    expect(allowed).toContain(status);
  });

  it.each(IDS)("%s alone, with and without --strict", (id) => {
    const [level, status] = FINDINGS[id];
    expect(statusOf(found(id), false)).toBe(level === "error" ? status : EXIT.ok);
    expect(statusOf(found(id), true)).toBe(level === "info" ? EXIT.ok : status);
  });

  it("keeps the values that it was given", () => {
    expect(finding("token.missing", "m", { fix: hint`f`, where: "w" })).toEqual({
      id: "token.missing",
      level: "error",
      message: "m",
      status: EXIT.token,
      fix: hint`f`,
      where: "w",
    });
  });
});

describe("the exit status of several findings (docs/design.md §5: 2, 4, 6, 7, 5, 3)", () => {
  const IN_ORDER: [ExitStatus, FindingId][] = [
    [2, "terraform.cloud-tfvars"],
    [4, "token.wrong-team"],
    [6, "token.expires-soon"],
    [7, "token.unverified"],
    [5, "token.team-unknown"],
    [3, "doctl.other-login"],
  ];
  const pairs = IN_ORDER.flatMap(([first, one], i) =>
    IN_ORDER.slice(i).map(([then, other]) => [first, then, one, other] as const),
  );

  it.each(pairs)("%d overrides %d", (first, _, one, other) => {
    expect(statusOf(found(one, other), false)).toBe(first);
    expect(statusOf(found(other, one), false)).toBe(first);
  });

  it.each<[string, FindingId[], boolean, ExitStatus]>([
    ["none", [], false, 0],
    ["none, strict", [], true, 0],
    ["infos", ["doctl.missing", "terraform.edited"], true, 0],
    ["warnings", ["token.partly-verified", "terraform.too-old"], false, 0],
    ["warnings, strict", ["token.partly-verified", "terraform.too-old"], true, 3],
    ["a warning and an error", ["terraform.too-old", "token.missing"], false, 4],
    ["a warning and an error, strict", ["terraform.too-old", "token.missing"], true, 4],
    ["an info and a warning, strict", ["doctl.missing", "tool.in-repo"], true, 3],
  ])("%s", (_, ids, strict, status) => {
    expect(statusOf(found(...ids), strict)).toBe(status);
  });
});
