import { expect, it } from "vitest";
import { codeFiles, tofuFiles } from "../../../src/hcl/code-files.ts";

// OpenTofu's rule: https://opentofu.org/docs/language/files/#extension-precedence, also for overrides.
it.each<[names: string, terraform: string, tofu: string]>([
  ["main.tf", "main.tf", "main.tf"],
  ["main.tf.json", "main.tf.json", "main.tf.json"],
  ["main.tofu", "", "main.tofu"],
  ["main.tofu.json", "", "main.tofu.json"],
  ["main.tf main.tofu", "main.tf", "main.tofu"],
  ["main.tf.json main.tofu.json", "main.tf.json", "main.tofu.json"],
  ["main.tf.json main.tofu", "main.tf.json", "main.tf.json main.tofu"],
  ["main.tf main.tofu.json", "main.tf", "main.tf main.tofu.json"],
  ["main.tf other.tofu", "main.tf", "main.tf other.tofu"],
  ["main_override.tf main_override.tofu", "main_override.tf", "main_override.tofu"],
  ["override.tf.json override.tofu.json", "override.tf.json", "override.tofu.json"],
  ["main.tf .main.tofu", "main.tf", "main.tf"],
  ["main.tf main.tofu~", "main.tf", "main.tf"],
  ["main.tofu.tf main.tofu", "main.tofu.tf", "main.tofu.tf main.tofu"],
  ["a.tfvars a.tofuvars a.tftest.hcl a.tofutest.hcl tofu tf", "", ""],
])("of %s Terraform reads %j, OpenTofu %j", (names, terraform, tofu) => {
  const all = names.split(" ");
  expect(codeFiles(all, "terraform").join(" ")).toBe(terraform);
  expect(codeFiles(all, "tofu").join(" ")).toBe(tofu);
  const ofTofu = tofu.split(" ").filter((name) => /\.tofu(\.json)?$/.test(name));
  expect(tofuFiles(all)).toEqual(ofTofu);
});
