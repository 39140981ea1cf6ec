import { expect, it } from "vitest";
import { findingsOf } from "../../../src/core/finding.ts";
import { EXIT } from "../../../src/errors/exit-status.ts";
import { hint, run } from "../../../src/errors/hint.ts";
import { humanFindings } from "../../../src/report/human.ts";
import type { Page } from "../../../src/report/paint.ts";

const finding = findingsOf({ "a.b": ["info", EXIT.ok] });
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
])("a message with paths from where a person is: %s", (message, shown) => {
  const fix = hint`${run("ls", { path: "/home/app/x" })}`;
  const text = humanFindings([finding("a.b", message, { fix })], PAGE);
  expect(text).toBe(`· ${shown} [a.b]\n  → ls /home/app/x`);
});
