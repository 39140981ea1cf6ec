import { describe, expect, it } from "vitest";
import { looksLikeToken, readPasted, readToken } from "../../../src/secret/token-form.ts";
import { LEGACY, OAUTH, OTHER, PERSONAL, REFRESH } from "../samples.ts";

const DIGITS = "7".repeat(64);
const A = "a".repeat(64);

describe("readToken", () => {
  it.each([
    ["a personal access token", PERSONAL, "personal", PERSONAL],
    ["an OAuth application token", OAUTH, "oauth", OAUTH],
    ["a legacy token", LEGACY, "legacy", LEGACY],
    ["a legacy token of digits only", DIGITS, "legacy", DIGITS],
    ["spaces around", `  ${PERSONAL}\t`, "personal", PERSONAL],
    ["a line feed after it", `${PERSONAL}\n`, "personal", PERSONAL],
    ["CRLF after it", `${PERSONAL}\r\n`, "personal", PERSONAL],
    ["a BOM before it", `\uFEFF${PERSONAL}`, "personal", PERSONAL],
    ["double quotes", `"${PERSONAL}"`, "personal", PERSONAL],
    ["single quotes", `'${OAUTH}'`, "oauth", OAUTH],
    ["back quotes", `\`${LEGACY}\``, "legacy", LEGACY],
    ["quotes with spaces inside and out", ` " ${PERSONAL} " `, "personal", PERSONAL],
  ])("takes %s", (_, given, kind, value) => {
    expect(readToken(given)).toEqual({ kind, value });
  });

  it.each([
    ["in full", REFRESH],
    ["cut short", "dor_v1_abc"],
    ["in quotes", `"${REFRESH}"`],
  ])("recognises a refresh token %s", (_, given) => {
    expect(readToken(given)).toEqual({ kind: "refresh" });
  });

  it.each([
    ["nothing", "", "it has 0 characters and no known token format"],
    ["quotes around nothing", '""', "it has 0 characters and no known token format"],
    ["a single quote mark", '"', "it has 1 characters and no known token format"],
    ["some word", "sesame", "it has 6 characters and no known token format"],
    ["63 hex digits", A.slice(1), "it has 63 characters and no known token format"],
    ["65 hex digits", `${A}a`, "it has 65 characters and no known token format"],
    ["a later version", `dop_v2_${A}`, "it has 71 characters and no known token format"],
    ["no hex at all", "g".repeat(64), "it has 64 characters and no known token format"],
    [
      "a legacy token in capitals",
      A.toUpperCase(),
      "it has 64 characters and no known token format",
    ],
    ["a prefix in capitals", `DOP_V1_${A}`, "it has 71 characters and no known token format"],
    ["a prefix alone", "dop_v1_", "it has 0 characters after the prefix, not 64"],
    [
      "one character too few",
      `dop_v1_${A.slice(1)}`,
      "it has 63 characters after the prefix, not 64",
    ],
    ["one character too many", `doo_v1_${A}a`, "it has 65 characters after the prefix, not 64"],
    [
      "hex in capitals",
      `dop_v1_${A.toUpperCase()}`,
      "it has characters other than 0-9 and a-f after the prefix",
    ],
    [
      "another letter",
      `dop_v1_g${A.slice(1)}`,
      "it has characters other than 0-9 and a-f after the prefix",
    ],
    ["a space inside", `dop_v1_ ${A}`, "it has white space inside"],
    ["two tokens", `${PERSONAL}\n${PERSONAL}`, "it has white space inside"],
    ["an Authorization header", `Bearer ${PERSONAL}`, "it has white space inside"],
    ["one quote only", `"${PERSONAL}`, "it has 72 characters and no known token format"],
    ["quotes that differ", `"${PERSONAL}'`, "it has 73 characters and no known token format"],
    ["two pairs of quotes", `"'${PERSONAL}'"`, "it has 73 characters and no known token format"],
  ])("refuses %s", (_, given, why) => {
    expect(readToken(given)).toEqual({ kind: "malformed", why });
  });

  it.each([`${PERSONAL}x`, `Bearer ${PERSONAL}`, `${PERSONAL.toUpperCase()}`, `"${PERSONAL}`])(
    "gives a reason that repeats no part of the text (case %#)",
    (given) => {
      const { why } = readToken(given) as { why: string };
      expect(why).not.toMatch(/[0-9a-f]{8}/i);
    },
  );
});

/** An invented Spaces key and its secret. */
const ACCESS_KEY = `DO00${"ABCD2345".repeat(2)}`;
const SECRET_KEY = `${"aB3/".repeat(10)}xY9`;

describe("a value that is not a token is named by its form", () => {
  it.each([
    ["op://Private/DigitalOcean/token", "1password", "a 1Password reference (op://…)"],
    ["encrypted:BJxQ0+a9/x==", "dotenvx", "a value that dotenvx has encrypted"],
    ["ENC[AES256_GCM,data:abc,iv:def,type:str]", "other", "an encrypted value (ENC[…]"],
    ["$ANSIBLE_VAULT;1.1;AES256", "other", "an encrypted value"],
    ["vault:v1:8SDd3WHDOjf7mq69", "other", "an encrypted value"],
    ["vault:secret/data/do#token", "reference", "a reference to a secret manager"],
    ["ref+awsssm://do/token", "reference", "a reference to a secret manager"],
    ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:do", "reference", "a reference to a"],
    ["projects/acme/secrets/do-token/versions/1", "reference", "a reference to a secret manager"],
    ["gcpsecret://acme/do-token", "reference", "an address or a reference"],
    ["$DO_TOKEN", "reference", "a variable or command that was not expanded"],
    [`\${DO_TOKEN}`, "reference", "a variable or command that was not expanded"],
    [`\${DO_TOKEN:-none}`, "reference", "a variable or command that was not expanded"],
    [`\${{ secrets.DO_TOKEN }}`, "reference", "a variable or command that was not expanded"],
    ["{{ do_token }}", "reference", "a variable or command that was not expanded"],
    ["%DO_TOKEN%", "reference", "a variable or command that was not expanded"],
    ["$(op read op://x/y/z)", "reference", "a variable or command that was not expanded"],
    ["var.do_token", "reference", "a variable or command that was not expanded"],
    [Buffer.from(PERSONAL).toString("base64"), "other", "a token in base64"],
    [Buffer.from(OAUTH).toString("base64url"), "other", "a token in base64"],
    [ACCESS_KEY, "spaces-key", "the access key of a Spaces key"],
    ["DO801ABCDEFGHJKLMN23", "spaces-key", "the access key of a Spaces key"],
    [SECRET_KEY, "spaces-key", "probably a Spaces secret key"],
    ["/run/secrets/do_token", "other", "a file path, not a token"],
    ["./token.txt", "other", "a file path, not a token"],
    [`ghp_${"a1".repeat(18)}`, "other", "a GitHub token"],
    ["github_pat_11ABC", "other", "a GitHub token"],
    ["glpat-abcdefgh", "other", "a GitLab token"],
    [`AKIA${"ABCD2345".repeat(2)}`, "other", "an AWS access key"],
    ["sk-do-abc", "other", "a key for DigitalOcean's AI models"],
    ["AVNS_abcdef", "other", "the password of a DigitalOcean database"],
    ["hvs.CAESI", "other", "a HashiCorp token"],
    ["eyJhbGci.eyJzdWIi.c2ln", "other", "a JSON Web Token"],
    ["5df3e300-4a17-e242-b7c2-0ca6c9fc25b7", "other", "a UUID"],
    ["[secret 1a2b3c4d]", "other", "a placeholder for a hidden secret"],
    ["<your token>", "placeholder", "a placeholder"],
    ["[token]", "placeholder", "a placeholder"],
    ["changeme", "placeholder", "a placeholder"],
    ["xxxxxxxx", "placeholder", "a placeholder"],
    ["dop_v1_xxxxxxxx", "placeholder", "a placeholder"],
    ["dop_v1_...", "placeholder", "a placeholder"],
    [`dop_v1_${"x".repeat(64)}`, "placeholder", "a placeholder"],
    ["your_digitalocean_token_here", "placeholder", "a placeholder"],
    ["REPLACE-ME", "placeholder", "a placeholder"],
    ["********", "placeholder", "a placeholder"],
    ["null", "placeholder", "a placeholder"],
  ])("%s: %s", (text, mistake, what) => {
    for (const given of [text, `"${text}"`]) {
      const read = readToken(given);
      expect(read).toMatchObject({ kind: "malformed", mistake });
      expect("why" in read && read.why).toContain(`it is ${what}`);
    }
  });
});

describe("a pasted text", () => {
  it.each([
    ["a token", PERSONAL, PERSONAL],
    ["an assignment", `DIGITALOCEAN_TOKEN=${PERSONAL}`, PERSONAL],
    ["an assignment of sh", `export DO_TOKEN='${PERSONAL}'`, PERSONAL],
    ["an assignment of fish", `set -x DO_TOKEN ${PERSONAL}`, PERSONAL],
    ["an assignment of PowerShell", `$env:DO_TOKEN = "${PERSONAL}"`, PERSONAL],
    ["an assignment of HCL", `do_token = "${PERSONAL}"`, PERSONAL],
    ["a header", `Authorization: Bearer ${PERSONAL}`, PERSONAL],
    ["the words of a header", `Bearer ${OAUTH}`, OAUTH],
    ["JSON", `{"token": "${PERSONAL}", "name": "ci"}`, PERSONAL],
    ["YAML", `access-token: ${PERSONAL}\ncontext: default\n`, PERSONAL],
    ["a command", `doctl auth init -t ${PERSONAL}`, PERSONAL],
    ["lines around", `Here it is:\r\n\r\n  ${PERSONAL}\r\nBye`, PERSONAL],
    ["one quote only", `"${PERSONAL}`, PERSONAL],
    ["the same token twice", `${PERSONAL}\n${PERSONAL}`, PERSONAL],
    ["a token beside its refresh token", `{"a":"${OAUTH}","r":"${REFRESH}"}`, OAUTH],
    ["an old token", LEGACY, LEGACY],
    ["an old token under a token's name", `DO_TOKEN=${LEGACY}`, LEGACY],
    ["an old token in JSON", `{"token": "${LEGACY}"}`, LEGACY],
    ["an old token in a header", `Authorization: Bearer ${LEGACY}`, LEGACY],
    ["UTF-16, a legacy token", Buffer.from(`\uFEFF${LEGACY}\r\n`, "utf16le").toString(), LEGACY],
    [
      "UTF-16, the other byte order",
      Buffer.from(`\uFEFF${LEGACY}`, "utf16le").swap16().toString(),
      LEGACY,
    ],
    ["UTF-16 without a mark", Buffer.from(LEGACY, "utf16le").toString(), LEGACY],
    ["UTF-16", Buffer.from(`\uFEFF${PERSONAL}\r\n`, "utf16le").toString(), PERSONAL],
    ["an old token named PAT", `export DO_PAT="${LEGACY}"`, LEGACY],
  ])("%s", (_, text, value) => {
    expect(readPasted(text)).toMatchObject({ value });
  });

  it.each([
    ["two tokens", `${PERSONAL}\n${OTHER}`, "it contains 2 different tokens; give only one"],
    [
      "another token in a comment",
      `# ${OTHER}\nA=${PERSONAL}`,
      "it contains 2 different tokens; give only one",
    ],
    [
      "a new and an old token",
      `${OTHER} TOKEN=${LEGACY}`,
      "it contains 2 different tokens; give only one",
    ],
    ["a checksum", `SHA256=${LEGACY}`, "it has 71 characters and no known token format"],
    ["a token that goes on", `A=${PERSONAL}0`, "it has 74 characters and no known token format"],
    ["part of a longer word", `x${PERSONAL}`, "it has 72 characters and no known token format"],
    ["a Spaces key", `SPACES_ACCESS_KEY_ID=${ACCESS_KEY}`, /^it is the access key of a Spaces key/],
    [
      "both parts of a Spaces key",
      `${ACCESS_KEY}\n${SECRET_KEY}`,
      /^it is the access key of a Spaces key/,
    ],
    ["a reference", "export DO_TOKEN='op://Private/do/token'", /^it is a 1Password reference/],
    ["an encrypted value", 'DO_TOKEN="encrypted:BJx"', /^it is a value that dotenvx has encrypted/],
    ["a placeholder", "DIGITALOCEAN_TOKEN=changeme", "it is a placeholder"],
    ["a placeholder among other lines", "A=1\nDO_TOKEN=changeme\nB=2", "it is a placeholder"],
    [
      "a Kubernetes secret",
      `kind: Secret\ndata:\n  token: ${Buffer.from(PERSONAL).toString("base64")}\n`,
      "it is a token in base64; decode it first",
    ],
    ["another service's token", `Bearer ghp_${"a1".repeat(18)}`, "it is a GitHub token"],
    ["a variable in JSON", `{"token":\n "token": "$DO_TOKEN",\n}`, /^it is a variable/],
  ])("refused: %s", (_, text, why) => {
    expect(readPasted(text)).toMatchObject({
      kind: "malformed",
      why: typeof why === "string" ? why : expect.stringMatching(why),
    });
  });

  it("a refresh token alone is recognised", () => {
    expect(readPasted(`{"refresh_token":"${REFRESH}"}`)).toEqual({ kind: "refresh" });
  });
});

describe("looksLikeToken", () => {
  it.each([
    ["a personal token", PERSONAL, true],
    ["an OAuth token", OAUTH, true],
    ["a refresh token", REFRESH, true],
    ["a legacy token", LEGACY, true],
    ["a legacy token in capitals", LEGACY.toUpperCase(), true],
    ["a legacy token with spaces around", ` ${LEGACY}\n`, true],
    ["a token in capitals", PERSONAL.toUpperCase(), true],
    ["a token inside a text", `curl -H 'Bearer ${PERSONAL}' x`, true],
    ["a token that goes on", `${PERSONAL}0`, true],
    ["a token cut short", PERSONAL.slice(0, -1), false],
    ["a placeholder", "dop_v1_...", false],
    ["a prefix alone", "dop_v1_", false],
    ["64 hex digits inside a text (a SHA-256)", `sha256:${LEGACY}`, false],
    ["a Git hash", LEGACY.slice(0, 40), false],
    ["nothing", "", false],
  ])("%s", (_, text, expected) => {
    expect(looksLikeToken(text)).toBe(expected);
  });
});
