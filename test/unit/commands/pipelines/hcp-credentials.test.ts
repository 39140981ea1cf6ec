import { describe, expect, it } from "vitest";
import { credentialsFor } from "../../../../src/commands/pipelines/hcp/credentials.ts";
import { Secret } from "../../../../src/secret/secret.ts";

const files = { look: async (path: string) => ({ kind: "absent", path, target: path }) };
type CredentialsHost = Parameters<typeof credentialsFor>[0];

describe("the user's own credentials for a host of HCP Terraform", () => {
  it.each<[variable: string, host: string, isFound: boolean]>([
    ["TF_TOKEN_app_terraform_io", "app.terraform.io", true],
    ["TF_TOKEN_APP_TERRAFORM_IO", "app.terraform.io", true],
    ["TF_TOKEN_my__tfe_acme_com", "my-tfe.acme.com", true],
    ["TF_TOKEN_my-tfe_acme_com", "my-tfe.acme.com", true],
    ["TF_TOKEN_app_terraform_io", "app.terraform.io.evil.com", false],
    ["TF_TOKEN_app_terraform_io", "terraform.io", false],
    ["TF_TOKEN_", "", false],
    ["MY_TF_TOKEN_app_terraform_io", "app.terraform.io", false],
  ])("%s is for %s: %s", async (variable, name, isFound) => {
    const host = { env: { [variable]: " secret-of-hcp \n" }, files, home: "/home" };
    const given = credentialsFor(host as unknown as CredentialsHost, name);
    if (!isFound) return expect(given).rejects.toMatchObject({ code: "HCP_FAILED" });
    const expected = Secret.of("secret-of-hcp", { kind: "adopted", place: variable });
    expect((await given).equals(expected)).toBe(true);
  });

  it.each<[NodeJS.Platform, asked: string]>([
    ["linux", "/home/.terraform.d/credentials.tfrc.json"],
    ["darwin", "/home/.terraform.d/credentials.tfrc.json"],
    ["win32", "/roaming/terraform.d/credentials.tfrc.json"],
  ])("those of terraform login on %s", async (platform, asked) => {
    const looked: string[] = [];
    const look = (path: string) => {
      looked.push(path);
      return files.look(path);
    };
    const host = { env: { APPDATA: "/roaming" }, files: { look }, home: "/home", platform };
    const given = credentialsFor(host as unknown as CredentialsHost, "app.terraform.io");
    await expect(given).rejects.toMatchObject({ code: "HCP_FAILED" });
    expect(looked).toEqual([asked]);
  });
});
