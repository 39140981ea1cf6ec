import { describe, expect, it } from "vitest";
import { type Failure, failuresIn } from "../../../src/scopes/failures.ts";
import { cpuTimer } from "../../fixtures/cpu.ts";

const API = "https://api.digitalocean.com";

/** A failure as one line: "403 POST /v2/droplets", "spaces lock". */
function brief(failure: Failure): string {
  const { call, command, resource } = failure;
  const place = resource?.place && `${resource.place.file}:${resource.place.line}`;
  const at = resource && `in ${resource.address} ${place ?? ""}`.trim();
  return [what(failure), call?.method, call?.path, call?.query, command, at]
    .filter((part) => part !== undefined)
    .join(" ");
}

function what(failure: Failure): string | number {
  switch (failure.kind) {
    case "status":
      return failure.status;
    case "network":
      return failure.why;
    case "no-token":
      return failure.kind;
    case "finding":
      return `finding ${failure.id}`;
    case "login":
    case "renewal":
      return [failure.kind, failure.why, failure.network].filter(Boolean).join(" ");
    default:
      return `${failure.kind} ${failure.why}`;
  }
}

const BOX = `
╷
│ Error: Error creating droplet: POST ${API}/v2/droplets: 403 (request "c1") You are not authorized
│ 
│   with module.web["a"].digitalocean_droplet.app[0],
│   on web/main.tf line 8, in resource "digitalocean_droplet" "app":
│    8: resource "digitalocean_droplet" "app" {
│ 
╵
╷
│ Error: Error retrieving account: GET ${API}/v2/account: 401 Unable to authenticate you
│ 
│   with data.digitalocean_account.me,
│   on main.tf line 1, in data "digitalocean_account" "me":
╵
`;
const IN_BOX = [
  '403 POST /v2/droplets in module.web["a"].digitalocean_droplet.app[0] web/main.tf:8',
  "401 GET /v2/account in data.digitalocean_account.me main.tf:1",
];
const coloured = (text: string) =>
  text
    .replace(/│/g, "\u001b[31m│\u001b[0m")
    .replace(/Error: /g, "\u001b[1m\u001b[31mError: \u001b[0m");

const LOGIN = "https://cloud.digitalocean.com/v1/oauth/token";

const doctl = (status: string, command: string) =>
  `Error: Forbidden\n\n  You are not authorized\n\n  status ${status}\n  request ID 4d9d8375\n\n  Run \`doctl ${command} --help\` for usage.\n`;

const s3 = (status: string, code: string, more = "") =>
  `Error: ${more}\n\noperation error S3: PutObject, https response error StatusCode: ${status}, RequestID: tx, HostID: , api error ${code}: no`;

const diagnostic = (severity: string, summary: string, more: object = {}) =>
  JSON.stringify({ "@level": severity, diagnostic: { severity, summary, detail: "", ...more } });

describe("the failures in an error text", () => {
  it.each<readonly [what: string, text: string, found: readonly string[]]>([
    ["Terraform", BOX, IN_BOX],
    ["Terraform, in colour", coloured(BOX), IN_BOX],
    ["Terraform, without its frame", BOX.replace(/[╷│╵] ?/g, ""), IN_BOX],
    ["Terraform, with CRLF", BOX.replaceAll("\n", "\r\n"), IN_BOX],
    [
      "Terraform, wrapped by a narrow terminal",
      `│ Error: Error creating tag: POST\n│ ${API}/v2/tags: 403\n│ (request "x") You are\n│ not authorized\n`,
      ["403 POST /v2/tags"],
    ],
    [
      "Terraform, a warning beside it",
      `│ Warning: GET ${API}/v2/x: 500 no\n╷\n│ Error: GET ${API}/v2/account: 401 no\n`,
      ["401 GET /v2/account"],
    ],
    [
      "terraform apply -json",
      [
        diagnostic("warning", `GET ${API}/v2/x: 500 no`),
        diagnostic("error", `Error creating tag: POST ${API}/v2/tags: 403 no`, {
          address: "digitalocean_tag.t",
          range: { filename: "main.tf", start: { line: 3 } },
        }),
      ].join("\n"),
      ["403 POST /v2/tags in digitalocean_tag.t main.tf:3"],
    ],
    [
      "doctl",
      `Error: GET ${API}/v2/droplets?page=1&per_page=200: 403 (request "x") no`,
      ["403 GET /v2/droplets"],
    ],
    [
      "doctl -o json",
      `{"errors":[{"detail":"GET ${API}/v2/account: 401 (request \\"x\\") no"}]}`,
      ["401 GET /v2/account"],
    ],
    [
      "doctl auth init",
      "Error: Unable to use supplied token to access API: GET https://cloud.digitalocean.com/v1/oauth/token/info: 401 no",
      ["401 GET /v1/oauth/token/info"],
    ],
    [
      "doctl without a token",
      "Error: Unable to initialize DigitalOcean API client: access token is required. (hint: …)",
      ["no-token"],
    ],
    [
      "retries that ran out",
      `GET ${API}/v2/droplets: 429 Too many; giving up after 5 attempt(s)`,
      ["429 GET /v2/droplets"],
    ],
    ["curl -f", "curl: (22) The requested URL returned error: 403", ["403"]],
    ["a 403 body shown by curl", '{"id":"Forbidden","message":"You are not authorized"}', ["403"]],
    [
      "a 401 body shown by curl",
      '{"id":"unauthorized","message":"Unable to authenticate you"}',
      ["401"],
    ],
    [
      "curl -v",
      `> GET /v2/droplets?page=2 HTTP/2\n> Host: api.digitalocean.com\n< HTTP/2 403\n< content-type: application/json\n{"id":"forbidden"}`,
      ["403 GET /v2/droplets"],
    ],
    [
      "a command line and its answer",
      `$ curl -X POST -d '{}' "${API}/v2/tags"\n{"id":"forbidden","message":"no"}`,
      ["403 POST /v2/tags"],
    ],
    [
      "a command line that sends data",
      `curl --json '{}' ${API}/v2/tags\ncurl: (22) returned error: 403`,
      ["403 POST /v2/tags"],
    ],
    [
      "python-requests",
      `requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: ${API}/v2/domains`,
      ["403 /v2/domains"],
    ],
    [
      "ansible",
      'fatal: [x]: FAILED! => {"msg": "You are not authorized to perform this operation"}',
      ["403"],
    ],
    [
      "Go, no such host",
      `Error: Get "${API}/v2/account": dial tcp: lookup api.digitalocean.com: no such host`,
      ["dns GET /v2/account"],
    ],
    [
      "Go, refused",
      `Post "${API}/v2/tags": dial tcp 127.0.0.1:9: connect: connection refused`,
      ["refused POST /v2/tags"],
    ],
    [
      "Go, a slow handshake",
      `Get "${API}/v2/x": net/http: TLS handshake timeout`,
      ["timeout GET /v2/x"],
    ],
    [
      "Go, a deadline",
      `Get "${API}/v2/x": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
      ["timeout GET /v2/x"],
    ],
    [
      "Go, a certificate",
      `Get "${API}/v2/x": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
      ["tls GET /v2/x"],
    ],
    [
      "Go, a proxy",
      `Get "${API}/v2/x": proxyconnect tcp: dial tcp 10.0.0.1:3128: i/o timeout`,
      ["proxy GET /v2/x"],
    ],
    [
      "Go, cut",
      `Get "${API}/v2/x": read tcp 1.2.3.4:5->6.7.8.9:443: connection reset by peer`,
      ["closed GET /v2/x"],
    ],
    ["Go, EOF", `Get "${API}/v2/x": EOF`, ["closed GET /v2/x"]],
    ["curl, no such host", "curl: (6) Could not resolve host: api.digitalocean.com", ["dns"]],
    ["curl, refused", "curl: (7) Failed to connect to api.digitalocean.com port 443", ["refused"]],
    ["curl, a timeout", "curl: (28) Operation timed out after 10000 milliseconds", ["timeout"]],
    [
      "curl, a certificate",
      "curl: (60) SSL certificate problem: self-signed certificate in chain",
      ["tls"],
    ],
    [
      "Spaces in Terraform's words",
      "Error: operation error S3: ListObjectsV2, https response error StatusCode: 403, api error InvalidAccessKeyId: UnknownError",
      ["spaces keys"],
    ],
    [
      "Spaces without keys in Terraform's words",
      "Error: No valid credential sources found",
      ["spaces no-keys"],
    ],
    [
      "a call that fails twice",
      `POST ${API}/v2/tags: 403 no\nPOST ${API}/v2/tags: 403 no`,
      ["403 POST /v2/tags"],
    ],
    [
      "two calls",
      `POST ${API}/v2/tags: 403 no\nGET ${API}/v2/vpcs: 403 no`,
      ["403 POST /v2/tags", "403 GET /v2/vpcs"],
    ],
    [
      "an answer and its echo",
      `POST ${API}/v2/tags: 403 no\nError: HTTP 403\n`,
      ["403 POST /v2/tags"],
    ],
    ["a sandbox", "GET http://127.0.0.1:34567/v2/account: 500 oops", ["500 GET /v2/account"]],
    [
      "another provider",
      "Error: POST https://api.github.com/orgs/x/repos: 403 no\n\n  with github_repository.x,\n",
      [],
    ],
    [
      "another cloud",
      "Error: operation error STS: GetCallerIdentity, StatusCode: 403, AccessDenied",
      [],
    ],
    ["an empty text", "", []],
    ["an error of another program", "make: *** [all] Error 2", []],
    ["a success", `GET ${API}/v2/account: 200 fine`, []],
  ])("%s", (_, text, found) => {
    expect(failuresIn(text).map(brief)).toEqual(found);
  });

  // docs/contracts/doctl-2.md 1.5: only parts of the layout are known.
  it.each<readonly [what: string, text: string, found: readonly string[]]>([
    [
      "a known command",
      doctl("403", "compute droplet create"),
      ["403 doctl compute droplet create"],
    ],
    [
      "in colour",
      `\u001b[31mError\u001b[0m: Forbidden\n\n  no\n\n  \u001b[2mstatus 403\u001b[0m\n  Run \`doctl vpcs list --help\`.\n`,
      ["403 doctl vpcs list"],
    ],
    [
      "status and request in one line",
      "Error: Not Found\n  no\n  status 404 · request ID a\n  Hint: doctl apps get --help\n",
      ["404 doctl apps get"],
    ],
    ["with an argument", doctl("403", "compute tag get my-tag"), ["403 doctl compute tag get"]],
    ["an unknown verb", doctl("403", "compute droplet fly web-1"), ["403 doctl compute droplet"]],
    ["an unknown command", doctl("403", "agents run my-agent"), ["403 doctl"]],
    ["a hint at a login", doctl("401", "auth login"), ["401 doctl"]],
    ["no hint", "Error: Forbidden\n  no\n  status 403\n  request ID 4d9d\n", ["403 doctl"]],
    [
      "two errors",
      doctl("403", "vpcs list") + doctl("403", "apps list"),
      ["403 doctl vpcs list", "403 doctl apps list"],
    ],
    ["an echo of it", `${doctl("403", "vpcs list")}Error: HTTP 403\n`, ["403 doctl vpcs list"]],
    [
      "-o json",
      `{"errors":[{"detail":"GET ${API}/v2/vpcs: 403 (request \\"x\\") no","title":"Forbidden","reason":"no","status":403,"request_id":"x","next_step":"Run doctl auth login"}]}`,
      ["403 GET /v2/vpcs"],
    ],
    [
      "-o json, in lines",
      JSON.stringify({ errors: [{ detail: `GET ${API}/v2/vpcs: 403 no` }] }, null, 2),
      ["403 GET /v2/vpcs"],
    ],
    [
      "-o json without the call",
      JSON.stringify({
        errors: [
          { title: "Forbidden", reason: "no", status: 403, next_step: "doctl vpcs list --help" },
        ],
      }),
      ["403 doctl vpcs list"],
    ],
    ["another tool with a status", "Error: Forbidden\n  status 403\n  see the docs\n", ["403"]],
  ])("doctl 2: %s", (_, text, found) => {
    expect(failuresIn(text).map(brief)).toEqual(found);
  });

  it("a failed login has only the line with the reason", () => {
    const text =
      "Opening https://x.example/?state=s3cr3t\nUnable to authenticate with DigitalOcean: access_denied\n";
    expect(failuresIn(text).map(({ message }) => message)).toEqual([
      "Unable to authenticate with DigitalOcean: access_denied",
    ]);
  });

  it("a Spaces failure has the error code as its message", () => {
    const text =
      "Error: Error creating bucket: TooManyBuckets: no\n\tstatus code: 400, request id: x, host id: y";
    expect(failuresIn(text)).toMatchObject([{ why: "other", message: "TooManyBuckets" }]);
  });

  it("a failure of doctl 2 has only doctl's own sentence", () => {
    const [failure] = failuresIn(doctl("403", "compute droplet create"));
    expect(failure?.message).toBe("You are not authorized");
  });

  it.each<readonly [cause: string, found: string]>([
    ["refreshing the access token: invalid_grant: The grant is invalid", "renewal spent"],
    [
      `refreshing the access token: Post "${LOGIN}": dial tcp: lookup x: no such host`,
      "renewal network dns",
    ],
    [`refreshing the access token: Post "${LOGIN}": EOF`, "renewal network closed"],
    [
      `refreshing the access token: Post "${LOGIN}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
      "renewal network timeout",
    ],
    [`Post "${LOGIN}": tls: failed to verify certificate: x509: unknown`, "renewal network tls"],
    [
      "refreshing the access token: the authorization server returned 502 Bad Gateway",
      "renewal server",
    ],
    ["refreshing the access token: server_error: oops", "renewal server"],
    ["refreshing the access token: too_many_requests: slower", "renewal limited"],
    ["the authorization server rejected this client: x: invalid_client", "renewal client"],
    ["decoding the token response: invalid character '<' looking for a value", "renewal answer"],
    ["the authorization server did not return an access token", "renewal answer"],
    ["open /x/doctl/config.yaml: permission denied", "renewal config"],
    ["unauthorized: Unable to authenticate you", "renewal unknown"],
  ])("a failed renewal: %s", (cause, found) => {
    const said = `Your DigitalOcean session has expired and could not be renewed: ${cause}`;
    const text = `Error: ${said}\n\nRun \`doctl auth login\` to sign in again.\n`;
    const json = JSON.stringify({ errors: [{ detail: text.slice("Error: ".length) }] });
    const withoutCall = (each: Failure) => brief({ ...each, call: undefined });
    expect(failuresIn(text).map(withoutCall)).toEqual([found]);
    expect(failuresIn(json).map(withoutCall)).toEqual([found]);
  });

  it.each<readonly [cause: string, found: string]>([
    ["access_denied: The user denied access", "login denied"],
    ["invalid_scope: The scope is unknown", "login scopes"],
    ["invalid_redirect_uri", "login client"],
    ["unauthorized_client: no", "login client"],
    ["DigitalOcean rejected the doctl application 2446a5", "login client"],
    ["the authorization response state did not match the request", "login state"],
    ["the authorization response did not include an authorization code", "login no-code"],
    ["timed out after 5m0s waiting for browser authorization", "login expired"],
    [
      "listening for the authorization redirect: listen tcp 127.0.0.1:80: bind: permission denied",
      "login port",
    ],
    [
      "listening for the authorization redirect: listen tcp: address 99999: invalid port",
      "login port",
    ],
    [
      'opening the authorization URL in a browser: exec: "xdg-open": executable file not found in $PATH',
      "login browser",
    ],
    ["opening the authorization URL in a browser: exit status 3", "login browser"],
    ["exchanging the authorization code: invalid_grant: spent", "login spent"],
    ["exchanging the authorization code: invalid_grant: verifier did not match", "login spent"],
    ['exchanging the code: Post "x": dial tcp: connect: permission denied', "login unknown"],
    [`exchanging the authorization code: Post "${LOGIN}": EOF`, "login network closed"],
    ["exchanging the authorization code: the authorization server returned 503 x", "login server"],
    ["decoding the token response: EOF", "login answer"],
    ["something new", "login unknown"],
  ])("a failed login: %s", (cause, found) => {
    const text = `Error: Unable to authenticate with DigitalOcean: ${cause}\n`;
    expect(failuresIn(text).map((each) => brief({ ...each, call: undefined }))).toEqual([found]);
  });

  it.each<readonly [what: string, text: string, found: readonly string[]]>([
    [
      "doctl's config",
      "Error: open /home/me/.config/doctl/config.yaml: permission denied",
      ["renewal config"],
    ],
    [
      "doctl's config, on a Mac",
      "Error: open /Users/me/Library/Application Support/doctl/config.yaml: read-only file system",
      ["renewal config"],
    ],
    ["doctl, with a full disk", "Error: Unable to write configuration.", ["renewal config"]],
    ["another tool's config", "Error: open /home/me/helm/values.yaml: permission denied", []],
    ["a certificate's renewal", "Certificate x could not be renewed: DigitalOcean DNS failed", []],
    [
      "a DNS failure for Spaces",
      'Error: Put "https://b.nyc3.digitaloceanspaces.com/x": dial tcp: lookup b: no such host',
      ["dns PUT /x"],
    ],
    [
      "a locked state",
      s3("412", "PreconditionFailed", "Error acquiring the state lock"),
      ["spaces lock"],
    ],
    [
      "a locked state, another code",
      s3("409", "ConditionalRequestConflict", "key: a.tflock"),
      ["spaces lock"],
    ],
    ["another failed condition", s3("412", "PreconditionFailed"), ["spaces condition"]],
    ["a checksum", s3("400", "XAmzContentSHA256Mismatch"), ["spaces checksum"]],
    ["an unsupported header", s3("501", "NotImplemented"), ["spaces checksum"]],
    ["no code, 501", s3("501", "UnknownError"), ["spaces checksum"]],
    ["another owner's bucket", s3("403", "Forbidden"), ["spaces denied"]],
    ["no code, 403", s3("403", "UnknownError"), ["spaces denied"]],
    ["a wrong secret", s3("403", "SignatureDoesNotMatch"), ["spaces keys"]],
    ["a wrong clock", s3("403", "RequestTimeTooSkewed"), ["spaces clock"]],
    ["too busy", s3("503", "SlowDown"), ["spaces busy"]],
    ["a bucket name in use", s3("409", "BucketAlreadyExists"), ["spaces taken"]],
    ["an unknown code", s3("418", "TeapotShortAndStout"), ["spaces other"]],
    ["no code, another status", s3("404", "UnknownError"), ["spaces other"]],
    [
      "AWS instead of Spaces",
      s3("403", "InvalidAccessKeyId", "https://b.s3.us-east-1.amazonaws.com/"),
      ["spaces aws"],
    ],
    [
      "the provider",
      "Error: Error reading Spaces bucket: Forbidden: Forbidden\n\tstatus code: 403, request id: tx1, host id: \n\n  with digitalocean_spaces_bucket.b,\n  on main.tf line 2, in resource\n",
      ["spaces denied in digitalocean_spaces_bucket.b main.tf:2"],
    ],
    [
      "the provider, another code",
      "Error: Error creating Spaces bucket: BucketAlreadyExists: \n\tstatus code: 409, request id: tx1, host id: h",
      ["spaces taken"],
    ],
    [
      "a wrapped line",
      "│ Error: Error acquiring the state lock\n│ \n│ Error message: operation error S3: PutObject, StatusCode:\n│ 412, api error\n│ PreconditionFailed: no\n│ Lock Info:\n",
      ["spaces lock"],
    ],
    ["a call to Spaces", "HEAD https://b.nyc3.digitaloceanspaces.com/x: 403 no", ["spaces denied"]],
    [
      "a region of Spaces",
      "Error: Invalid region value\n\nInvalid AWS Region: nyc3",
      ["spaces region"],
    ],
    [
      "another cloud's XML",
      "<Error><Code>AuthenticationFailed</Code><Message>no</Message></Error>",
      [],
    ],
    ["the provider without keys", "Error: Spaces credentials not configured", ["spaces no-keys"]],
    [
      "the aws command line",
      "An error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access Denied",
      ["spaces denied"],
    ],
    [
      "the aws command line, another service",
      "An error occurred (AccessDenied) when calling the RunInstances operation: no",
      [],
    ],
    ["s3cmd", "ERROR: S3 error: 403 (SignatureDoesNotMatch)", ["spaces keys"]],
    [
      "boto",
      'Could not connect to the endpoint URL: "https://b.nyc3.digitaloceanspaces.com/"',
      ["refused"],
    ],
    [
      "curl",
      "$ curl -f https://b.nyc3.digitaloceanspaces.com/x\ncurl: (22) The requested URL returned error: 403",
      ["spaces denied"],
    ],
    ["XML", "<Error><Code>NoSuchKey</Code><BucketName>b</BucketName></Error>", ["spaces other"]],
    [
      "the backend validates credentials at AWS",
      "Error: validating provider credentials: retrieving caller identity from STS: operation error STS: GetCallerIdentity, https response error StatusCode: 403, api error InvalidClientTokenId: no",
      ["spaces sts"],
    ],
    [
      "the backend gets the account from AWS",
      "Error: Retrieving AWS account details: AWS account ID not previously found and failed retrieving via all available methods. operation error IAM: GetUser, StatusCode: 403",
      ["spaces sts"],
    ],
    [
      "the AWS provider validates credentials at AWS",
      'Error: validating provider credentials: retrieving caller identity from STS: operation error STS: x\n\n  with provider["registry.terraform.io/hashicorp/aws"],\n',
      [],
    ],
    [
      "a Spaces URL in an API call",
      `POST ${API}/v2/cdn/endpoints: 403 (request "x") b.nyc3.digitaloceanspaces.com`,
      ["403 POST /v2/cdn/endpoints"],
    ],
    [
      "write credentials for docker",
      `GET ${API}/v2/registry/docker-credentials?expiry_seconds=1&read_write=true: 403 no`,
      ["403 GET /v2/registry/docker-credentials read_write=true"],
    ],
    [
      "read credentials for docker",
      `GET ${API}/v2/registry/docker-credentials?read_write=false: 403 no`,
      ["403 GET /v2/registry/docker-credentials"],
    ],
    [
      "a line break in the token",
      `Error: Get "${API}/v2/account": net/http: invalid header field value for "Authorization"`,
      ["token-value header"],
    ],
    [
      "a line break in the token, in Node",
      'TypeError: Invalid character in header content ["Authorization"]',
      ["token-value header"],
    ],
    [
      "a line break in the token, in Python",
      "requests.exceptions.InvalidHeader: Invalid leading whitespace, reserved character(s), or return character(s) in header value: 'Bearer x\\n'",
      ["token-value header"],
    ],
    ["1Password", "DIGITALOCEAN_TOKEN=op://Private/do/token", ["token-value 1password"]],
    [
      "1Password, sent to the API",
      `curl -H "Authorization: Bearer op://Private/do/token" ${API}/v2/account\n{"id":"unauthorized"}`,
      ["token-value 1password", "401 GET /v2/account"],
    ],
    ["dotenvx", 'DO_TOKEN="encrypted:BE9Y7LKANx77X1pv1"', ["token-value dotenvx"]],
    ["SOPS", "token: ENC[AES256_GCM,data:Zm9v,iv:a]", ["token-value encrypted"]],
    ["Vault", "do_token = vault:secret/data/do", ["token-value reference"]],
    ["a variable in the code", "│    3:   token = var.do_token", []],
    ["a shell variable", "DIGITALOCEAN_TOKEN=$TOKEN", []],
    ["a URL", "token: https://x.example/token", []],
    ["a sentence", "unexpected token: operand expected", []],
    ["a finding of ours", "✗ The token is refused. [token.refused]", ["finding token.refused"]],
    ["a code of ours", "✗ git failed. [GIT_FAILED]", ["finding GIT_FAILED"]],
    ["a finding of ours, without a message", "token.refused", ["finding token.refused"]],
    [
      "a finding of ours, in JSON",
      '{\n "findings": [\n  {\n   "id": "token.refused",\n   "level": "error"\n  }\n ]\n}',
      ["finding token.refused"],
    ],
    ["a code of ours, on its own line", "✗ It is\n  [GIT_FAILED]\n", ["finding GIT_FAILED"]],
    ["another program's codes", "x: [SYSTEM] started [USAGE]\n", []],
    ["a text that looks like a code", "✗ no [token.unheard] [INFO] [main.go]", []],
  ])("%s", (_, text, found) => {
    expect(failuresIn(text, new Set(["token.refused"])).map(brief)).toEqual(found);
  });

  it("does not repeat a value in place of a token", () => {
    const text = `DIGITALOCEAN_TOKEN=op://Private/hunter2/token\n{"id":"unauthorized"}\nToken: encrypted:hunter2hunter2`;
    const found = JSON.stringify(failuresIn(text));
    expect(found).toContain("dotenvx");
    expect(found).not.toContain("hunter2");
  });

  it("does not repeat a token", () => {
    const token = `dop_v1_${"0123456789abcdef".repeat(4)}`;
    const text = `curl -H "Authorization: Bearer ${token}" ${API}/v2/x\nGET ${API}/v2/x: 403 ${token}`;
    expect(JSON.stringify(failuresIn(text))).not.toContain(token.slice(7));
  });

  it.each<readonly [what: string, noise: string]>([
    ["many diagnostics", "│ Error: something else: 12345 (x\n".repeat(20_000)],
    ["empty lines", "\n".repeat(300_000)],
    ["incomplete addresses", "with digitalocean_".repeat(20_000)],
    ["incomplete failures of S3", "operation error S3 ".repeat(20_000)],
    ["commands of doctl", "doctl compute droplet ".repeat(20_000)],
    ["names of tokens", "token".repeat(60_000)],
    ["incomplete values", "token=op:".repeat(30_000)],
    ["codes of S3", "digitaloceanspaces.com Abc: ".repeat(10_000)],
    ["incomplete config paths", "open doctl ".repeat(20_000)],
    ["incomplete renewals", "could not be renewed: auth login\n".repeat(10_000)],
    ["incomplete ids", "[a.".repeat(100_000)],
    ["brackets", '{\n"errors"'.repeat(30_000)],
    ["a path of dots", `GET https://a/${".".repeat(300_000)}x: 40`],
  ])("reads a text with %s in less than 3 s", (_, noise) => {
    const seconds = cpuTimer();
    const text = `${noise}\nError: GET ${API}/v2/x: 403 no`;
    expect(failuresIn(text).map(brief)).toContain("403 GET /v2/x");
    expect(seconds()).toBeLessThan(3);
  });
});
