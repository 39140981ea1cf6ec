// @ts-check
/** @import { Operations, Scopes } from "./openapi.mjs" */

/**
 * What a source other than the OpenAPI repo's files says.
 * @typedef {object} Correction
 * @property {string} source
 * @property {string} date
 * @property {string} reason
 * @property {Readonly<Record<string, { readonly was: Scopes, readonly now: Scopes }>>} operations
 */
/**
 * @typedef {object} CorrectionFindings
 * @property {string[]} unneeded the repo agrees
 * @property {string[]} overtaken the repo has a third value, which is kept as the newer one
 * @property {string[]} gone the repo has no such operation
 */

/**
 * @param {Operations} listed
 * @param {readonly Correction[]} corrections
 */
export function corrected(listed, corrections) {
  const operations = { ...listed };
  /** @type {CorrectionFindings} */
  const findings = { unneeded: [], overtaken: [], gone: [] };
  for (const [operation, { was, now }] of corrections.flatMap((each) =>
    Object.entries(each.operations),
  )) {
    const value = listed[operation];
    if (value === undefined) findings.gone.push(operation);
    else if (isSame(value, was)) operations[operation] = now;
    else findings[isSame(value, now) ? "unneeded" : "overtaken"].push(operation);
  }
  return { operations, findings };
}

/**
 * @param {Scopes | undefined} a
 * @param {Scopes | undefined} b
 */
export function isSame(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}
