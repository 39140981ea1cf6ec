import { expect, it } from "vitest";
import { isUploaded } from "../../../../src/concerns/terraform/cloud/upload-ignore.ts";

// These are the rules of go-slug, which packs the upload.
it.each<[string, string, boolean]>([
  ["", "main.tf", true],
  ["", ".env", true],
  ["", ".git/config", false],
  ["", ".terraform/terraform.tfstate", false],
  ["", "infra/.terraform/providers/x", false],
  ["", ".terraform/modules/a/main.tf", false],
  [".env", ".env", false],
  [".env", "a/b/.env", false],
  [".env", ".env.local", true],
  [".env.*", ".env.local", false],
  [".env.*", ".env", true],
  ["/.env", ".env", false],
  ["/.env", "a/.env", true],
  ["  .env  ", ".env", false],
  ["# .env", ".env", true],
  ["*.env", "a.env", false],
  ["a?.env", "ab.env", false],
  ["a?.env", "a/.env", true],
  ["a*/x", "ab/c/x", true],
  ["a/**", "a/b/c", false],
  ["a/**/c", "a/c", false],
  ["a/**/c", "a/b/b/c", false],
  ["**", "main.tf", false],
  ["secrets/", "secrets/key", false],
  ["secrets", "secrets/key", false],
  ["a+b(c)", "a+b(c)", false],
  ["a\\*b", "a*b", false],
  ["a\\*b", "axb", true],
  [".env\n!.env", ".env", true],
  ["!.env\n.env", ".env", false],
  [".env\r\n!docs\r\n", ".env", false],
  ["*.tfstate*\n!terraform.tfstate.backup", "terraform.tfstate.backup", true],
])("%j: %s is uploaded: %s", (text, path, expected) => {
  expect(isUploaded(text, path)).toBe(expected);
});
