import { describe, expect, it } from "vitest";
import { isTokenName } from "../../../src/secret/token-name.ts";
import { isName, isPublicName, mayBeCommitted } from "../../../src/secret/variable-names.ts";
import { LEGACY, OAUTH, PERSONAL, REFRESH } from "../samples.ts";

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N";

describe("variable names, and secrets in place of a name", () => {
  it.each<[string, boolean, boolean]>([
    // name, is it valid, may it be shown
    ["PORT", true, true],
    ["A", true, true],
    ["DATABASE_URL", true, true],
    ["S3_BUCKET", true, true],
    ["OAUTH2_CLIENT_SECRET", true, true],
    ["NEXT_PUBLIC_I18N_LANG", true, true],
    ["TF_VAR_region", true, true],
    ["TF_VAR_db_password", true, true],
    ["TF_VAR_BasicAuth", true, false],
    ["npm_package_name", true, false],
    ["server.port", true, false],
    ["TF_VAR_a-b", true, false],
    ["hunter2", true, false],
    ["correct-horse", true, false],
    [PERSONAL, false, false],
    [OAUTH, false, false],
    [REFRESH, false, false],
    [PERSONAL.toUpperCase(), false, false],
    [PERSONAL.slice(0, 30), false, false],
    ["dop_v1_abc", false, false],
    [`TOKEN_${PERSONAL}`, false, false],
    [`TF_VAR_${PERSONAL}`, false, false],
    [LEGACY, false, false],
    [`A_${LEGACY}`, false, false],
    [Buffer.from(PERSONAL).toString("base64url"), false, false],
    ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj", false, false],
    ["wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", false, false],
    [JWT, false, false],
    ["ghp_16C7e42F292c6912E7710c838347Ae178B4a", false, false],
    ["xoxb-123456789012-abcdef", false, false],
    ["a550e8400-e29b-41d4-a716-446655440000", false, false],
    ["AKIAIOSFODNN7EXAMPLE", false, false],
    ["KEY_AKIAABCDEFGHIJKLMNOP", false, false],
    ["JBSWY3DPEHPK3PXP", true, false],
    ["DEADBEEFCAFE", true, false],
    ["1PASSWORD", false, false],
    ["", false, false],
    ["A B", false, false],
    ["A".repeat(81), false, false],
  ])("%s: valid %s, shown %s", (name, isOne, isSeen) => {
    expect([isName(name), isPublicName(name)]).toEqual([isOne, isSeen]);
  });
});

it.each<[string, string, boolean]>([
  ["PORT", "80", true],
  ["PORT", "", true],
  ["STRIPE_KEY", "", true],
  ["ABQ", "=", false],
  ["QUJDREVGR0hJ", "", false],
  ["DOCUMENTROOT", "", false],
  ["DOCUMENTROOT", "/srv", true],
  ["JBSWY3DPEHPK3PXP", "===", false],
  ["api_key", "x", false],
])("%s=%s: its name may be committed %s", (name, value, expected) => {
  expect(mayBeCommitted(name, value)).toBe(expected);
});

describe("names of token variables", () => {
  it.each([
    ...["DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN_PROD", "DO_TOKEN"],
    ...["DO_PAT", "PROD_TOKEN", "ACME_TOKEN", "ACME_DO_TOKEN", "do_token", "doToken", "DOTOKEN"],
    ...["DO_API_KEY", "DIGITALOCEAN_API_TOKEN", "DIGITALOCEAN", "ACME_DO", "TOKEN", "DO_TOKEN_2"],
    ...["TF_VAR_do_token", "TF_VAR_digitalocean_token", "DOCTL_TOKEN", "DO_TOKEN2", "API_TOKEN"],
    // DigitalOcean's, with any prefix.
    ...["GITHUB_DO_TOKEN", "CI_DO_TOKEN", "TERRAFORM_DIGITALOCEAN_TOKEN", "ACME_DO_SECRET"],
  ])("%s is a token's name", (name) => {
    expect(isTokenName(name)).toBe(true);
  });

  it.each([
    // Not names of tokens.
    ...["GIT_AUTHOR_NAME", "LD_PRELOAD", "PS4", "PATH", "Path", "HOME", "USER", "TMPDIR", "LANG"],
    ...["LC_ALL", "BASH_ENV", "ENV", "IFS", "PROMPT_COMMAND", "ZDOTDIR", "NODE_OPTIONS", "EDITOR"],
    ...["PYTHONPATH", "http_proxy", "ALL_PROXY", "XDG_CONFIG_HOME", "DO_NOT_TRACK", "ACME", "_"],
    ...["DIGITALOCEAN_API_URL", "DIGITALOCEAN_CONTEXT", "SPACES_ENDPOINT_URL", "MYSQL_PWD"],
    ...["SSLKEYLOGFILE", "KEYTIMEOUT", "PGPASSWORD", "CREDENTIALS_DIRECTORY", "SUDO_ASKPASS"],
    // Tokens of other services.
    ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "SPACES_ACCESS_KEY_ID"],
    ...["SPACES_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "GH_TOKEN", "CI_JOB_TOKEN", "NPM_TOKEN"],
    ...["NODE_AUTH_TOKEN", "VAULT_TOKEN", "TF_TOKEN_app_terraform_io", "TFE_TOKEN", "HCLOUD_TOKEN"],
    ...["CLOUDFLARE_API_TOKEN", "ANSIBLE_VAULT_PASSWORD_FILE", "SSH_AUTH_SOCK", "GIT_ASKPASS"],
    ...["CARGO_REGISTRY_TOKEN", "DOCKER_AUTH_CONFIG", "OPENAI_API_KEY", "github_token"],
    ...["npm_config__auth", "TF_VAR_cloudflare_api_token", "DO_BOOTSTRAP_TOKEN", "GIT_TOKEN"],
    ...["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "DO_TOKEN_FILE", "OP_SERVICE_ACCOUNT_TOKEN"],
    ...["TF_TOKEN_do_example_com", "RCLONE_CONFIG_DO_TOKEN", "JUPYTER_TOKEN", "CACHIX_AUTH_TOKEN"],
    // Keys and passwords of other programs.
    ...["RESTIC_PASSWORD", "REDISCLI_AUTH", "MINIO_SECRET_KEY", "SOPS_AGE_KEY", "ETCDCTL_PASSWORD"],
    ...["ftp_password", "B2_APPLICATION_KEY", "PASSWORD", "AUTH"],
  ])("%s is not a token's name", (name) => {
    expect(isTokenName(name)).toBe(false);
  });
});
