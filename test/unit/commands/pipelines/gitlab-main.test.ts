import { expect, it } from "vitest";
import { isIncluded, readGitlabMain } from "../../../../src/commands/pipelines/gitlab-main.ts";

const PATH = ".gitlab/do-bootstrap.yml";

it.each<[include: string, expected: boolean]>([
  [`include: ${PATH}`, true],
  [`include: /${PATH}`, true],
  [`include: [{ local: ${PATH} }]`, true],
  ["include: [other.yml, { local: '.gitlab/*.yml' }]", true],
  ["include: { local: '**.yml' }", true],
  ["include: { local: '*.yml' }", false],
  ["include: { local: '.gitlab/do-bootstrap.ym?' }", false],
  [`include: { project: a/b, file: ${PATH} }`, false],
  [`# include: ${PATH}`, false],
  [`spec: {}\n---\ninclude: ${PATH}`, true],
  ["include: [", false],
])("%s includes our file: %s", (text, expected) => {
  expect(isIncluded(readGitlabMain(text), PATH)).toBe(expected);
});

it.each<[text: string, lacks: string[]]>([
  ["stages: [build, release]", ["test", "deploy"]],
  ["stages: [test, deploy]", []],
  ["stages: [test]", ["deploy"]],
  ["build: {}", []],
])("%s has no stages %j", (text, lacks) => {
  expect(readGitlabMain(text).lacksStages).toEqual(lacks);
});

it.each<[rules: string, refuses: boolean]>([
  ["[]", true],
  ['[{ if: $CI_COMMIT_BRANCH == "main" }]', true],
  ['[{ if: $CI_PIPELINE_SOURCE == "merge_request_event", when: never }]', true],
  ['[{ if: $CI_PIPELINE_SOURCE == "merge_request_event" }, { if: $CI_COMMIT_TAG }]', false],
  ["[{ if: $CI_MERGE_REQUEST_IID }]", false],
  ["[{ when: always }]", false],
  ["[{ if: $CI_COMMIT_TAG, when: never }, {}]", false],
  ["x", false],
])("workflow: { rules: %s } refuses merge requests: %s", (rules, refuses) => {
  const { refusesMergeRequests } = readGitlabMain(`workflow:\n  rules: ${rules}\n`);
  expect(refusesMergeRequests).toBe(refuses);
});
