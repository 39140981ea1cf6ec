import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../../../src/concerns/config/resolve.ts";
import type { WrittenConfig } from "../../../../src/concerns/config/schema.ts";
import { ignoreRules } from "../../../../src/concerns/git/ignore-rules.ts";

const AROUND = { file: undefined, base: "/repo/app", packageName: undefined, defaultDirs: ["."] };
const rulesOf = (written: WrittenConfig) => ignoreRules(resolveConfig(written, undefined, AROUND));
const patterns = (written: WrittenConfig) => rulesOf(written).map(({ pattern }) => pattern);
const probes = (written: WrittenConfig, wanted: string) =>
  rulesOf(written).find(({ pattern }) => pattern === wanted)?.probes;

const ALWAYS = [".env.local", ".env.*.local"];
const TERRAFORM = ["*.secret.auto.tfvars.json", "*.tfstate*", "*.tfplan", "tfplan", ".terraform/"];

describe("the patterns that git has to ignore", () => {
  it.each<[string, WrittenConfig, string[]]>([
    ["by default", {}, [".env", ...ALWAYS, ...TERRAFORM]],
    ["without Terraform", { terraform: false }, [".env", ...ALWAYS]],
    [
      "another env file",
      { token: { envFile: "conf/.env.dev" } },
      ["conf/.env.dev", ...ALWAYS, ...TERRAFORM],
    ],
    [
      "an env file that a rule already covers",
      { token: { envFile: ".env.local" } },
      [...ALWAYS, ...TERRAFORM],
    ],
    [
      "an env file with wildcards in its name",
      { token: { envFile: "[a]*.env" } },
      ["\\[a\\]\\*.env", ...ALWAYS, ...TERRAFORM],
    ],
    [
      "the env files of all environments",
      { environments: { dev: {}, prod: { token: { envFile: ".env.prod" } } } },
      [".env", ".env.prod", ...ALWAYS, ...TERRAFORM],
    ],
    [
      "several roots",
      { terraform: [{ dir: "a" }, { dir: "b" }] },
      [".env", ...ALWAYS, ...TERRAFORM],
    ],
  ])("%s", (_, written, expected) => {
    expect(patterns(written)).toEqual(expected);
  });

  it.each([".terraform.lock.hcl", ".env.example", "do-bootstrap.auto.tfvars.json"])(
    "%s is not one of them",
    (name) => {
      expect(rulesOf({}).flatMap(({ pattern, probes }) => [pattern, ...probes])).not.toContain(
        name,
      );
    },
  );
});

describe("the paths that git checks", () => {
  const roots: WrittenConfig = { terraform: [{ dir: "a" }, { dir: "b" }] };

  it.each<[string, WrittenConfig, string[]]>([
    [".env", {}, ["/repo/app/.env"]],
    [".env.local", {}, ["/repo/app/.env.local"]],
    ["conf/.env.dev", { token: { envFile: "conf/.env.dev" } }, ["/repo/app/conf/.env.dev"]],
    ["*.tfplan", {}, ["/repo/app/plan.tfplan"]],
    ["tfplan", {}, ["/repo/app/tfplan"]],
    ["*.tfplan", roots, ["/repo/app/a/plan.tfplan", "/repo/app/b/plan.tfplan"]],
    ["*.tfstate*", {}, ["/repo/app/terraform.tfstate", "/repo/app/terraform.tfstate.backup"]],
    ["*.secret.auto.tfvars.json", {}, ["/repo/app/do-bootstrap.secret.auto.tfvars.json"]],
  ])("%s", (pattern, written, expected) => {
    expect(probes(written, pattern)).toEqual(expected);
  });

  it("are inside .terraform/ in every root", () => {
    expect(probes(roots, ".terraform/")).toEqual([
      expect.stringMatching(/^\/repo\/app\/a\/\.terraform\/./),
      expect.stringMatching(/^\/repo\/app\/b\/\.terraform\/./),
    ]);
  });

  it("include a temporary file in every folder that we write to", () => {
    const folders = ["/repo/app", "/repo/app/a", "/repo/app/b"];
    const expected = folders.map((folder) => `${folder}/.env.do-bootstrap-0.local`);
    expect(probes(roots, ".env.*.local")).toEqual(expected);
  });
});

// Rule 4: git ignores temporary files in every folder where we create them.
it("temporary files in the env file's folder are checked", () => {
  const written: WrittenConfig = { terraform: false, token: { envFile: "conf/.env.dev" } };
  expect(probes(written, ".env.*.local")).toContain("/repo/app/conf/.env.do-bootstrap-0.local");
});
