import { expect, it } from "vitest";
import { terraformWords, toolOf } from "../../../../src/concerns/terraform/root/typed.ts";
import { exec, hint, run } from "../../../../src/errors/hint.ts";
import { said } from "../../../fixtures/hint.ts";

it.each<[dir: string, cwd: string, expected: string]>([
  ["/repo", "/repo", "terraform init -reconfigure"],
  ["/repo/infra", "/repo", "terraform -chdir=infra init -reconfigure"],
  ["/repo/in fra", "/repo", "terraform '-chdir=in fra' init -reconfigure"],
  ["/repo/infra", "/repo/web", "terraform -chdir=../infra init -reconfigure"],
  ["/repo/infra", "/repo/infra", "terraform init -reconfigure"],
])("for %s, run in %s: %s", (dir, cwd, expected) => {
  const words = terraformWords(dir, "terraform", ["init", "-reconfigure"]);
  expect(said(hint`${run(...words)}`, { cwd })).toBe(expected);
  expect(said(hint`${exec(words)}`, { cwd, environment: "prod" })).toBe(
    `do-bootstrap exec --env prod -- ${expected}`,
  );
});

it("uses the tool installed for the root, otherwise the root's tool", () => {
  const tofu = { name: "tofu", path: "/bin/tofu", version: undefined } as const;
  const root = (tool: "terraform" | "tofu") =>
    ({ tool, config: { dir: "/repo" } }) as Parameters<typeof toolOf>[1];
  expect(toolOf(new Map([["/repo", tofu]]), root("terraform"))).toBe("tofu");
  expect(toolOf(new Map([["/other", tofu]]), root("terraform"))).toBe("terraform");
  expect(toolOf(new Map(), root("tofu"))).toBe("tofu");
});
