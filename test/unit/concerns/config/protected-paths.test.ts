import { describe, expect, it } from "vitest";
import {
  isEnvFile,
  isForSecrets,
  isStateOrPlan,
  isTfvars,
  PROTECTED_IN_ROOTS,
} from "../../../../src/concerns/config/protected-paths.ts";

describe("kinds of files by name", () => {
  it.each([
    [".env", "env file, for secrets"],
    [".env.local", "env file, for secrets"],
    [".env.staging.local", "env file, for secrets"],
    [".env.bak~", "env file, for secrets"],
    [".env.do-bootstrap-4f.local", "for secrets"],
    [".env.example", ""],
    [".env.prod.sample", ""],
    [".environment", ""],
    [".envrc", "for secrets"],
    ["prod.tfvars", "values, for secrets"],
    ["a.auto.tfvars.json", "values, for secrets"],
    ["tfvars", ""],
    ["terraform.tfstate", "state or plan"],
    ["terraform.tfstate.1732900000.backup", "state or plan"],
    ["terraform.tfstate.d", "state or plan"],
    ["tfplan", "state or plan"],
    ["prod.tfplan", "state or plan"],
    ["out.plan", "state or plan"],
    ["main.tf", ""],
    ["planes.tf", ""],
  ])("%s: %s", (name, kinds) => {
    const found = [
      isEnvFile(name) ? "env file" : [],
      isTfvars(name) ? "values" : [],
      isStateOrPlan(name) ? "state or plan" : [],
      isForSecrets(name) ? "for secrets" : [],
    ];
    expect(found.flat().join(", ")).toBe(kinds);
  });

  it("every protected file in a root is for secrets, a state or a plan", () => {
    const others = PROTECTED_IN_ROOTS.filter(
      ({ name }) => !isForSecrets(name) && !isStateOrPlan(name),
    );
    expect(others).toEqual([]);
  });
});
