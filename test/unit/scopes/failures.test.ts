import { describe, expect, it } from "vitest";
import { type Failure, failuresIn } from "../../../src/scopes/failures.ts";
import { cpuTimer } from "../../fixtures/cpu.ts";

const API = "https://api.digitalocean.com";

/** A failure in a line: "403 POST /v2/droplets". */
function brief(failure: Failure): string {
  const what =
    failure.kind === "status"
      ? failure.status
      : failure.kind === "network"
        ? failure.why
        : failure.kind;
  const { call, resource } = failure;
  const place = resource?.place && `${resource.place.file}:${resource.place.line}`;
  const at = resource && `in ${resource.address} ${place ?? ""}`.trim();
  return [what, call?.method, call?.path, at].filter((part) => part !== undefined).join(" ");
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

const diagnostic = (severity: string, summary: string, more: object = {}) =>
  JSON.stringify({ "@level": severity, diagnostic: { severity, summary, detail: "", ...more } });

describe("what an error text says", () => {
  it.each<readonly [what: string, text: string, found: readonly string[]]>([
    ["Terraform", BOX, IN_BOX],
    ["Terraform, in colour", coloured(BOX), IN_BOX],
    ["Terraform, without its frame", BOX.replace(/[╷│╵] ?/g, ""), IN_BOX],
    ["Terraform, with the lines of Windows", BOX.replaceAll("\n", "\r\n"), IN_BOX],
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
    ["an answer that curl shows", '{"id":"Forbidden","message":"You are not authorized"}', ["403"]],
    ["the same, of a 401", '{"id":"unauthorized","message":"Unable to authenticate you"}', ["401"]],
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
      "a command line that sends",
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
      "Spaces, as Terraform says it",
      "Error: operation error S3: ListObjectsV2, https response error StatusCode: 403, api error InvalidAccessKeyId: UnknownError",
      ["spaces"],
    ],
    ["the same, without keys", "Error: No valid credential sources found", ["spaces"]],
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
    ["nothing", "", []],
    ["nothing of DigitalOcean's", "make: *** [all] Error 2", []],
    ["a success", `GET ${API}/v2/account: 200 fine`, []],
  ])("%s", (_, text, found) => {
    expect(failuresIn(text).map(brief)).toEqual(found);
  });

  it("does not repeat a token", () => {
    const token = `dop_v1_${"0123456789abcdef".repeat(4)}`;
    const text = `curl -H "Authorization: Bearer ${token}" ${API}/v2/x\nGET ${API}/v2/x: 403 ${token}`;
    expect(JSON.stringify(failuresIn(text))).not.toContain(token.slice(7));
  });

  it.each<readonly [what: string, noise: string]>([
    ["many diagnostics", "│ Error: something else: 12345 (x\n".repeat(20_000)],
    ["empty lines", "\n".repeat(300_000)],
    ["half an address", "with digitalocean_".repeat(20_000)],
    ["half a failure of S3", "operation error S3 ".repeat(20_000)],
    ["a path of dots", `GET https://a/${".".repeat(300_000)}x: 40`],
  ])("takes %s in its stride", (_, noise) => {
    const seconds = cpuTimer();
    const text = `${noise}\nError: GET ${API}/v2/x: 403 no`;
    expect(failuresIn(text).map(brief)).toContain("403 GET /v2/x");
    expect(seconds()).toBeLessThan(3);
  });
});
