import { describe, expect, it } from "vitest";
import { AppError, asAppError } from "../../../src/errors/app-error.ts";
import { hint, run } from "../../../src/errors/hint.ts";
import { remember } from "../../../src/secret/known.ts";
import { redact } from "../../../src/secret/redact.ts";
import { safe, safeJson, safeLines } from "../../../src/secret/safe.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { cpuSeconds, growthOf, LINEAR } from "../../fixtures/cpu.ts";

// Built at run time, so that secret scanners don't report this file.
const ID = `AKIA${"IOSFODNN7EXAMPLE"}`;
const KEY = `wJalrXUtnFEMI/K7MDENG/${"bPxRfiCYEXAMPLEKEY"}`;
const SPACES_ID = `DO00${"ABCDEFGHJKLMNPQR"}`;
const SESSION = `IQoJb3JpZ2luX2Vj${"A1b2C3d4/+".repeat(12)}==`;
const BODY = `${"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n".repeat(2)}Zm9v=`;
const pem = (lineEnd: string) =>
  `-----BEGIN RSA PRIVATE ${"KEY-----"}\n${BODY}\n-----END RSA PRIVATE KEY-----`.replaceAll(
    "\n",
    lineEnd,
  );

describe("text that looks like a secret is hidden", () => {
  it.each<[name: string, text: string, secret: string]>([
    ["an AWS key's id", `InvalidAccessKeyId: ${ID} is not there`, ID],
    ["an AWS secret after its name", `secret_key = "${KEY}"`, KEY],
    ["an AWS secret alone", `signed with ${KEY}.`, KEY],
    ["a session token", `token ${SESSION} expired`, SESSION],
    ["a session token after its name", "sessionToken: 'abcdEFGH0123456789'", "abcdEFGH0123456789"],
    ["a Spaces key's id", `(${SPACES_ID})`, SPACES_ID],
    ["a password in a URL", "fatal: unable to access 'https://me:p4ss@git.example/'", "p4ss"],
    ["a token as a URL's user", "https://abcdef@git.example/x.git", "abcdef"],
    ["a password with a slash", "postgres://u:pa/ss@h/db", "pa/ss"],
    ["a header", "Authorization: Basic dTpw", "dTpw"],
    ["a header in JSON", '{"authorization":"abc def"}', "abc"],
    ["a bearer", "sent Bearer abcdefghijklmnop1", "abcdefghijklmnop1"],
    ["a signed URL", "https://h/x?X-Amz-Signature=abc123&y=1", "abc123"],
    ["a private key", `x ${pem("\n")} y`, "MIIEvQ"],
    ["a private key in one line", `x ${pem("\\x0a")} y`, "MIIEvQ"],
    ["a private key in JSON", `{"a":"${pem("\\n")}"}`, "MIIEvQ"],
    ["a private key in Terraform's frame", pem("\n│ "), "MIIEvQ"],
    ["a truncated private key", pem("\n").slice(0, 90), "MIIEvQ"],
    ["a JWT", `eyJhbGciOiJI.${"eyJzdWIiOiIx"}.sig-nature`, "eyJzdWIi"],
    ["a GitHub token", `gh${"p_abcdefghijklmnopqrstuvwxyz0123456789"}`, "abcdefgh"],
    ["a GitLab token", `glp${"at-abcdefghij0123456789"}`, "abcdefgh"],
    ["a Vault token", `hv${"s.abcdefghij0123456789"}`, "abcdefgh"],
    ["a GitLab deploy token", `gld${"t-abcdefghij0123456789"}`, "abcdefgh"],
    ["a Docker token", `dckr${"_pat_abcdefghij0123456789"}`, "abcdefgh"],
    ["an OpenAI key", `s${"k-proj-abcdefghij0123456789abcdefghij"}`, "abcdefgh"],
    ["a webhook URL", "https://hooks.slack.com/services/T0/B0/abcdefghij0123456789", "abcdefgh"],
    ["a cookie", "set-cookie: session=abcdef; Path=/", "abcdef"],
    ["a short password in an assignment", "PGPASSWORD=hunter2 psql", "hunter2"],
    ["a password after an option", "mysql --password hunter2", "hunter2"],
    ["a login in a .netrc", "machine h login me password hunter2", "hunter2"],
    ["a Docker login", '{"auth": "dXNlcjpwYXNz"}', "dXNlcjpwYXNz"],
    ["a signed Azure URL", "https://h/x?sv=1&sig=abcdefghij0123456789%3D", "abcdefgh"],
    ["a key with headers", pem("\n").replace("\n", "\nProc-Type: 4,ENCRYPTED\n\n"), "MIIEvQ"],
  ])("%s", (_, text, secret) => {
    expect(redact(text)).not.toContain(secret);
    expect(safe(text)).not.toContain(secret);
    expect(safeJson({ text })).not.toContain(secret);
    expect(asAppError(new Error(text)).message).not.toContain(secret);
    expect(JSON.parse(safeJson({ text }))).toHaveProperty("text");
  });

  it.each([
    "reference-architectures/globally-load-balanced-web-servers/terraform",
    "glossary-of-the-whole-company-2026",
    "h1:VYYP5Q8CK1g1bcX1dRaEt2VFSbXzBsQ2yDJZxbKqGKY=",
    `registry.digitalocean.com/acme/web@sha256:${"0a".repeat(32)}`,
    "SHA256:aH2vdK4xgN6BjQ8EmTaHpWdKsYgNv3jQx5mTB7pWE9s me@host (ED25519)",
    "npm_config_update_notifier_interval",
    "secret: AWS_SECRET_ACCESS_KEY_2 is not set",
    "DB_PASSWORD=$PGPASSWORD and password=var.db_password",
    "git tracks /home/someone/projects/acme/infra/main.tf",
    "/Users/Somebody1/Documents/projects/acme",
    'export DIGITALOCEAN_TOKEN="$ACME_TOKEN"',
    "commit 0123456789abcdef0123456789abcdef01234567",
    "https://api.digitalocean.com:443/v2/account and http://localhost:8080/a@b",
    "git@github.com:acme/web.git",
    "Basic authentication and Bearer tokens",
    "do-bootstrap.secret.auto.tfvars.json: /home/me/x1",
    "sse_customer_key = var.key",
  ])("other text stays: %s", (text) => {
    expect(redact(text)).toBe(text);
  });
});

it("a hint with hidden secrets keeps its parts", () => {
  const fix = hint`Set ${run("x", 'authorization: a\\"b', "https://me:p4ss@h/")}`;
  const [, line] = new AppError("USAGE", "no", { hint: fix }).hint ?? [];
  expect(line).toEqual({ run: ["x", 'authorization: [redacted]"b', "https://me:[redacted]@h/"] });
});

describe("a known secret of the run is hidden in every form", () => {
  const hide = (value: string, name: string) => Secret.of(value, { kind: "environment", name });

  it.each<[name: string, value: string, text: string, shown: string]>([
    ["NPM_TOKEN", "correct horse", "E401 correct horse", "E401 [redacted]"],
    ["NPM_TOKEN", "correct horse", `E401 ${btoa("correct horse")}`, "E401 [redacted]"],
    ["A_KEY", "staple/battery", "GET /?k=staple%2Fbattery", "GET /?k=[redacted]"],
    ["DB", "mysql://u:tr0ub@h/x", "Access denied: tr0ub", "Access denied: [redacted]"],
    ["REGION", "lon-on-1", "in lon-on-1", "in lon-on-1"],
  ])("%s=%s: %s", (name, value, text, shown) => {
    hide(value, name);
    expect(redact(text)).toBe(shown);
    expect(new AppError("USAGE", text).message).toBe(shown);
    expect(JSON.parse(safeJson({ text })).text).toBe(shown);
  });

  it("in less than 2 s with 100,000 known secrets", async () => {
    for (let i = 0; i < 100_000; i++) hide(`value-${i}`, `KEY_${i}`);
    const seconds = await cpuSeconds(() =>
      expect(redact(`${"x".repeat(100_000)} correct horse`)).toContain("x [redacted]"),
    );
    expect(seconds).toBeLessThan(2);
  });

  it("unless it is too common", () => {
    remember("true");
    expect(redact("it is true")).toBe("it is true");
  });
});

/** An example of each kind of invisible character. */
const UNSEEN = [
  ..."\u0000\u0007\b\t\r\u001b\u007f\u0085\u009b\u00ad\u061c\u180e\u200b\u200d\u200e\u202e",
  ..."\u2028\u2029\u2060\u2066\u2069\u2800\u3164\ufeff\ufff9\u{e0041}",
];

describe("invisible characters are shown as escapes", () => {
  it.each(UNSEEN.map((char) => [char.codePointAt(0)?.toString(16), char]))("U+%s", (code, char) => {
    const shown = `a\\x${code?.padStart(2, "0")}b`;
    expect(safe(`a${char}b`)).toBe(shown);
    expect(safeLines(`a${char}b`)).toBe(shown);
    expect(new AppError("USAGE", `a${char}b`).message).toBe(shown);
    const json = safeJson({ [`a${char}`]: `a${char}b` });
    expect(json).toMatch(/^[\n\x20-\x7e]+$/);
    expect(JSON.parse(json)).toEqual({ [`a${char}`]: `a${char}b` });
  });

  it("a lone surrogate", () => {
    expect(safe("a\ud800b")).toBe("a\\xd800b");
    expect(JSON.parse(safeJson({ a: "\ud800" }))).toEqual({ a: "\ud800" });
  });

  it("a line end in others' text or in an error", () => {
    expect(safe("a\n✓ all is well")).toBe("a\\x0a✓ all is well");
    const error = new AppError("USAGE", "a\n  ✓ b", { list: ["c\n  d"] });
    expect(error.message).toBe("a\\x0a  ✓ b\n  c\\x0a  d");
  });

  it.each([
    ["a\nb", "a\nb"],
    [
      "\u001b[31mred\u001b[39m \u001b[1mbold\u001b[22m",
      "\u001b[31mred\u001b[39m \u001b[1mbold\u001b[22m",
    ],
    ["\u001b[8mhidden", "\\x1b[8mhidden"],
    ["\u001b[2J", "\\x1b[2J"],
    ["\u001b]0;title\u0007", "\\x1b]0;title\\x07"],
  ])("our own line ends and colours in a page stay: %j", (text, shown) => {
    expect(safeLines(text)).toBe(shown);
  });
});

describe("no text is a command for a CI runner", () => {
  it.each([
    ["::set-output name=a::b", "\\x3a:set-output name=a::b"],
    ["  ::error file=x::no", "  \\x3a:error file=x::no"],
    ["a\n::stop-commands::x", "a\n\\x3a:stop-commands::x"],
    ["\u001b[2m  ::debug::x", "\u001b[2m  \\x3a:debug::x"],
    ["x ##[group]y", "x #\\x23[group]y"],
    ["x ##vso[task.setvariable variable=a]b", "x #\\x23vso[task.setvariable variable=a]b"],
    ["::1 does not answer", "::1 does not answer"],
    ["### Title", "### Title"],
  ])("%j", (text, shown) => {
    expect(safeLines(text)).toBe(shown);
  });

  it("also in JSON, which parses the same", () => {
    const document = { a: "##[add-mask]x" };
    expect(safeJson(document)).not.toContain("##[");
    expect(JSON.parse(safeJson(document))).toEqual(document);
  });
});

it("a page of line ends takes linear time", async () => {
  const growth = await growthOf((size) => safeLines("\n".repeat(size)), 10_000);
  expect(growth).toBeLessThan(LINEAR);
});
