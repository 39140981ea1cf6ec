import { expect, it } from "vitest";
import { inEnvironment } from "../../src/core/as-typed.ts";

it.each([
  ["do-bootstrap --fix moves it", "do-bootstrap --env prod --fix moves it"],
  ["then run do-bootstrap on a terminal", "then run do-bootstrap --env prod on a terminal"],
  ["… | do-bootstrap --token-stdin", "… | do-bootstrap --env prod --token-stdin"],
  [
    "Revoke it: do-bootstrap rotate --revoke.",
    "Revoke it: do-bootstrap rotate --env prod --revoke.",
  ],
  ["what do-bootstrap scopes lists", "what do-bootstrap scopes lists"],
  [
    "do-bootstrap exec --env prod -- terraform init",
    "do-bootstrap exec --env prod -- terraform init",
  ],
  ["do-bootstrap --env prod", "do-bootstrap --env prod"],
  [
    "edit do-bootstrap.config.yaml or ./do-bootstrap",
    "edit do-bootstrap.config.yaml or ./do-bootstrap",
  ],
])("%s", (hint, expected) => {
  expect(inEnvironment(hint, "prod")).toBe(expected);
  expect(inEnvironment(hint, undefined)).toBe(hint);
});
