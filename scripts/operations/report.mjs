// @ts-check
import { isSame } from "./corrections.mjs";
/** @import { Operations, Scopes } from "./openapi.mjs" */
/** @import { CorrectionFindings } from "./corrections.mjs" */

/** @typedef {{ readonly commit: string, readonly date: string, readonly repo: string }} Source */

/**
 * @param {object} refresh
 * @param {readonly [Source, Source]} refresh.sources before and after
 * @param {readonly [Operations, Operations]} refresh.operations before and after
 * @param {ReadonlySet<string>} refresh.known the scopes of scopes.json
 * @param {CorrectionFindings} refresh.corrections
 * @param {string} refresh.outcome
 */
export function reportOf({ sources, operations, known, corrections, outcome }) {
  const [before, after] = operations;
  const [old, now] = [Object.keys(before), Object.keys(after)];
  /** @param {string} name */
  const whole = (name) => `${name}: ${wordsOf(after[name])}`;
  /** @type {[title: string, lines: string[]][]} */
  const sections = [
    ["added", now.filter((name) => !Object.hasOwn(before, name)).map(whole)],
    [
      "removed",
      old
        .filter((name) => !Object.hasOwn(after, name))
        .map((name) => `${name}: ${wordsOf(before[name])}`),
    ],
    [
      "changed",
      now
        .filter((name) => Object.hasOwn(before, name) && !isSame(before[name], after[name]))
        .map((name) => `${name}: ${wordsOf(before[name])} -> ${wordsOf(after[name])}`),
    ],
    [
      "with a scope that scopes.json does not know",
      now.filter((name) => scopesOf(after[name]).some((scope) => !known.has(scope))).map(whole),
    ],
    ["scopes that no operation uses any more", unusedSince(before, after, known)],
    ["corrections no longer needed", corrections.unneeded.map(whole)],
    ["corrections not applied, as the source says something new", corrections.overtaken.map(whole)],
    ["corrections of operations that are gone", corrections.gone],
  ];
  return [
    `${now.length} operations; ${[...new Set(sources.map(nameOf))].join(" -> ")}`,
    ...sections
      .filter(([, lines]) => lines.length > 0)
      .flatMap(([title, lines]) => [
        `${title}: ${lines.length}`,
        ...lines.map((line) => `  ${line}`),
      ]),
    `operations.json: ${outcome}`,
    "",
  ].join("\n");
}

/**
 * @param {Operations} before
 * @param {Operations} after
 * @param {ReadonlySet<string>} known
 */
function unusedSince(before, after, known) {
  const left = new Set(Object.values(after).flatMap(scopesOf));
  const lost = Object.values(before)
    .flatMap(scopesOf)
    .filter((scope) => known.has(scope) && !left.has(scope));
  return [...new Set(lost)].sort();
}

/**
 * @param {Scopes | undefined} value
 * @returns {string[]}
 */
function scopesOf(value) {
  if (value === null || value === undefined) return [];
  if (typeof value === "string") return [value];
  return "any_of" in value ? value.any_of.flatMap(scopesOf) : [...value];
}

/**
 * @param {Scopes | undefined} value
 * @returns {string}
 */
function wordsOf(value) {
  if (value === null || value === undefined) return "none";
  if (typeof value === "string") return value;
  return "any_of" in value ? value.any_of.map(wordsOf).join(" or ") : value.join(" + ");
}

/** @param {Source} source */
const nameOf = ({ repo, commit, date }) => `${repo} ${commit.slice(0, 7)} (${date})`;
