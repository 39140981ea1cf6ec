import type { Whereabouts } from "../commands/credentials/whereabouts.ts";
import { modeText } from "../lib/mode-text.ts";
import { safe } from "../secret/safe.ts";
import type { Page } from "./paint.ts";
import { type Report, shownPath } from "./report.ts";

/** Where the token is stored on this machine, one line each. */
export function whereaboutsText(report: Report, page: Page): string {
  const { places = [], each } = report;
  if (each !== undefined)
    return each
      .map((one) => whereaboutsText(one, page))
      .filter(Boolean)
      .join("\n\n");
  if (places.length === 0) return "";
  const { environment } = report.facts.config;
  const title = `Token stored in${environment === undefined ? "" : ` (${safe(environment)})`}:`;
  const rows = places.map((place) => ({ name: nameOf(report, place), about: aboutOf(place) }));
  const width = Math.max(...rows.map(({ name }) => name.length));
  const longest = Math.max(...rows.map(({ about }) => about.length));
  const fits = 2 + width + 2 + longest <= page.columns;
  const lines = rows.flatMap(({ name, about }) =>
    fits
      ? [`  ${name.padEnd(width)}  ${page.paint("dim", about)}`]
      : [`  ${name}`, `      ${page.paint("dim", about)}`],
  );
  return [title, ...lines].join("\n");
}

function nameOf(report: Report, { kind, name, path }: Whereabouts): string {
  if (path === undefined) return safe(name ?? "");
  const context = kind === "doctl" && name !== undefined ? ` (${safe(name)})` : "";
  return `${shownPath(report, path)}${context}`;
}

function aboutOf({ kind, mode, takenBy, unread }: Whereabouts): string {
  if (kind === "environment") return "environment of this shell";
  if (unread !== undefined) return `not read, so it may hold the token: ${safe(unread)}`;
  const { git, docker, npm } = takenBy;
  return [
    mode === undefined ? "    " : modeText(mode),
    `git ${wordFor(git)}`,
    `Docker ${wordFor(docker)}`,
    `npm ${wordFor(npm)}`,
  ]
    .join("  ")
    .trimEnd();
}

function wordFor(isTaken: boolean | undefined): string {
  return (isTaken === undefined ? "?" : isTaken ? "yes" : "no").padEnd(3);
}
