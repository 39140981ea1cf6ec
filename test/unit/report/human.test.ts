import { expect, it } from "vitest";
import { findingsOf } from "../../../src/core/finding.ts";
import { EXIT } from "../../../src/errors/exit-status.ts";
import { hint, run } from "../../../src/errors/hint.ts";
import { humanFindings } from "../../../src/report/human.ts";
import type { Page } from "../../../src/report/paint.ts";

const finding = findingsOf({ "a.b": ["info", EXIT.ok], "a.c": ["error", EXIT.findings] });
const PAGE: Page = {
  paint: (_, text) => text,
  columns: Number.POSITIVE_INFINITY,
  edge: { environment: undefined, cwd: "/app", platform: "linux", shell: "posix" },
};

it.each([
  ["/app/.env is open", ".env is open"],
  ["a/b: /app/x and '/app/y'", "a/b: x and 'y'"],
  ["/home/app/.config is open", "/home/app/.config is open"],
  ["name=/app/x", "name=x"],
  ["/application/x", "/application/x"],
  ["/app", "/app"],
])("paths in a message are relative to the current folder: %s", (message, shown) => {
  const fix = hint`${run("ls", { path: "/home/app/x" })}`;
  const text = humanFindings([finding("a.b", message, { fix })], PAGE);
  expect(text).toBe(`· ${shown} [a.b]\n  → ls /home/app/x`);
});

const places = ["/app/a/x.tf:1", "/app/b/x.tf:1", "/app/c/x.tf:12", "/app/d/x.tf:1"];
const inPlace = (where: string, fix = hint`${run("vi", { path: where.replace(/:.*/, "") })}`) =>
  finding("a.c", `${where}: a token.`, { where, fix });

it.each([
  [
    "with one cause in many places are one entry with all places",
    places.map((place) => inPlace(place)),
    "✗ a/x.tf:1: a token. [a.c]\n  → vi a/x.tf\n  Same in 3 more places: b/x.tf:1, c/x.tf:12, d/x.tf:1",
  ],
  [
    "with one cause and the same fix are one entry with all places",
    places.map((place) => inPlace(place, hint`Do it.`)),
    "✗ a/x.tf:1: a token. [a.c]\n  → Do it.\n  Same in 3 more places: b/x.tf:1, c/x.tf:12, d/x.tf:1",
  ],
  [
    "in three places are separate entries",
    places.slice(0, 3).map((place) => inPlace(place, hint`Do it.`)),
    "✗ a/x.tf:1: a token. [a.c]\n  → Do it.\n✗ b/x.tf:1: a token. [a.c]\n  → Do it.\n✗ c/x.tf:12: a token. [a.c]\n  → Do it.",
  ],
  [
    "with another cause are separate entries",
    [
      ...places.map((place) => inPlace(place)),
      finding("a.c", "/app/a/x.tf:1: two tokens.", { where: "/app/a/x.tf:1" }),
    ],
    "✗ a/x.tf:1: a token. [a.c]\n  → vi a/x.tf\n  Same in 3 more places: b/x.tf:1, c/x.tf:12, d/x.tf:1\n✗ a/x.tf:1: two tokens. [a.c]",
  ],
])("errors %s", (_, all, text) => {
  expect(humanFindings(all, PAGE)).toBe(text);
});
