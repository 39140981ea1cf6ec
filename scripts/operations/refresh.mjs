// @ts-check
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { corrected } from "./corrections.mjs";
import { readOperations } from "./openapi.mjs";
import { reportOf } from "./report.mjs";

/**
 * @param {{ checkout: string, folder: string, isCheck: boolean }} options folder: where the data is
 * @returns {{ report: string, isChanged: boolean }}
 */
export function refresh({ checkout, folder, isCheck }) {
  const operations = dataIn(folder, "operations.json");
  const sources = dataIn(folder, "sources.json");
  const corrections = dataIn(folder, "corrections.json");
  const { scopes } = dataIn(folder, "scopes.json").data;
  const listed = readOperations(checkout);
  const { openapi } = sources.data["operations.json"];
  const source = { ...openapi, ...commitOf(checkout) };
  const { operations: after, findings } = corrected(listed, corrections.data);

  const isChanged = textOf(after) !== operations.text;
  sources.data["operations.json"].openapi = source;
  if (!isCheck) {
    if (isChanged) writeFileSync(operations.path, textOf(after));
    if (textOf(sources.data) !== sources.text) writeFileSync(sources.path, textOf(sources.data));
  }
  const report = reportOf({
    sources: [openapi, source],
    operations: [operations.data, after],
    known: new Set(Object.keys(scopes)),
    corrections: findings,
    outcome: !isChanged ? "unchanged" : isCheck ? "would change" : "written",
  });
  return { report, isChanged };
}

/**
 * @param {string} folder
 * @param {string} name
 */
function dataIn(folder, name) {
  const path = join(folder, name);
  const text = readFileSync(path, "utf8");
  return { path, text, data: JSON.parse(text) };
}

/** @param {unknown} data */
const textOf = (data) => `${JSON.stringify(data, null, 2)}\n`;

/** @param {string} checkout */
function commitOf(checkout) {
  // Without its own .git, git would answer for a repo around it.
  if (!existsSync(join(checkout, ".git")))
    throw new Error(`${checkout} is not a git checkout, so its commit is unknown.`);
  /** @param {string[]} args */
  const git = (...args) =>
    execFileSync("git", ["-C", checkout, ...args], { encoding: "utf8", stdio: "pipe" }).trim();
  if (git("status", "--porcelain", "--", "specification") !== "")
    throw new Error(`${checkout} has changes below specification that no commit holds.`);
  const [commit, date] = git("log", "-1", "--format=%H %cs").split(" ");
  return { commit, date };
}
