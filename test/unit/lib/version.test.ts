import { describe, expect, it } from "vitest";
import { allows, allowsFrom } from "../../../src/lib/version.ts";
import { cpuTimer } from "../../fixtures/cpu.ts";

describe("constraints allow a release", () => {
  it.each<[boolean, version: string, ...constraints: string[]]>([
    [true, "1.11.4"],
    [true, "1.11.4", "not one"],
    [true, "1.11.4", ">= 1.10", "< 2.0"],
    [true, "1.11.4", "~> 1.5, != 1.11.3"],
    [true, "1.11.4", "1.11.4"],
    [false, "1.11.4", "~> 1.5.0"],
    [false, "1.11.4", ">= 1.10", "< 1.11"],
    [false, "1.11.4", "= 1.11.3"],
    [false, "1.9.0", ">= 1.10"],
  ])("%s: %s with %s", (expected, version, ...constraints) => {
    expect(allows(constraints, version)).toBe(expected);
  });
});

it.each([
  ["= 1.6.2", false],
  ["= 1.6.3", true],
  ["~> 1.6.0", true],
  ["< 1.6.3", false],
  ["<= 1.6.3", true],
])("%s allows 1.6.3 or later: %s", (constraint, expected) => {
  expect(allowsFrom([constraint], "1.6.3")).toBe(expected);
});

describe("constraints allow 1.10 or later", () => {
  it.each<[boolean, ...string[]]>([
    [true],
    [true, ""],
    [true, ">= 0.12"],
    [true, ">= 1.10"],
    [true, ">= 1.10.0"],
    [true, ">=1.11"],
    [true, ">= 1.99"],
    [true, ">= 2.0"],
    [true, "> 1.9"],
    [true, "> 1.10.0"],
    [true, "> 2.0.0"],
    [true, "~> 1"],
    [true, "~> 1.0"],
    [true, "~> 1.5"],
    [true, "~> 1.10.0"],
    [true, "~> 1.12.3"],
    [true, "~> 2.1"],
    [false, "~> 0.12"],
    [false, "~> 1.5.0"],
    [false, "~> 1.9.8"],
    [false, "< 1.10"],
    [false, "< 1.10.0"],
    [true, "< 1.10.1"],
    [true, "< 2"],
    [false, "<= 1.9.8"],
    [true, "<= 1.10"],
    [true, "<= 1.10.0"],
    [true, "1.10.5"],
    [true, "= 1.11.4"],
    [true, "v1.11.4"],
    [false, "1.9.8"],
    [false, "= 0.13"],
    [true, "!= 1.10.0"],
    [true, "!= 1.10.0, != 1.10.1"],
    [true, ">= 1.5, < 2.0"],
    [true, ">= 1.5,<2.0"],
    [false, ">= 1.5, < 1.10"],
    [false, ">= 1.5.0, ~> 1.6.0"],
    [false, "= 1.10.0, != 1.10.0"],
    [true, ">= 1.5", "< 2.0"],
    [false, ">= 1.10", "~> 1.9.0"],
    [false, ">= 1.10", "< 1.10"],
    [true, "~> 1.10.0", "!= 1.10.0"],
    [true, "1.12.0-beta1"],
    [true, "no version"],
    [true, ">="],
  ])("%s: %s %s", (expected, ...constraints) => {
    expect(allowsFrom(constraints, "1.10")).toBe(expected);
  });

  it.each([
    [true, ">= 1.10", "1.11"],
    [false, "~> 1.10.0", "1.11"],
    [true, "~> 1.10", "1.11"],
    [false, "1.10.6", "1.11"],
  ])("%s: %s, since %s", (expected, constraint, since) => {
    expect(allowsFrom([constraint], since)).toBe(expected);
  });

  it.each([
    ["digits", ">= ".concat("1".repeat(100_000))],
    ["dots", ".".repeat(100_000)],
    ["terms", "!= 1.10.0, ".repeat(10_000)],
    ["spaces", `>=${" ".repeat(100_000)}x`],
  ])("very many %s take less than 2 s", (_, constraint) => {
    const seconds = cpuTimer();
    allowsFrom([constraint], "1.10");
    expect(seconds()).toBeLessThan(2);
  });
});
