import { describe, expect, it } from "vitest";
import { readTfJson } from "../../../src/hcl/tf-json.ts";
import { actionsInCode } from "../../../src/scopes/code-actions.ts";
import { loadOperations, loadScopeData } from "../../../src/scopes/data.ts";
import { DOCTL_COMMANDS, operationOfCommand } from "../../../src/scopes/doctl-commands.ts";
import { type Explanation, explain, type KnownToken } from "../../../src/scopes/explanation.ts";
import { failuresIn } from "../../../src/scopes/failures.ts";
import { operationsOf } from "../../../src/scopes/operations.ts";
import { said } from "../../fixtures/hint.ts";

const data = await loadScopeData();
const operations = await loadOperations();

const CODE = {
  resource: {
    digitalocean_droplet: { web: { name: "web", tags: ["a"] } },
    digitalocean_tag: { a: { name: "a" } },
    digitalocean_ssh_key: { me: { name: "me" } },
  },
};
const { blocks, references } = readTfJson(JSON.stringify(CODE, null, 1), "main.tf.json");
const actions = actionsInCode([{ prefix: "", blocks, references }], "apply");

const explained = (text: string, token: KnownToken) => {
  const [failure] = failuresIn(text, new Set(["token.refused", "leak.in-history"]));
  if (failure === undefined) throw new Error(`no failure in ${text}`);
  return explain(failure, { data, operations, actions, token });
};

const MARKS = { true: "+", false: "-", undefined: "?" } as const;
const marked = ({ scopes }: Explanation) =>
  scopes.map(({ scope, granted }) => MARKS[`${granted}`] + scope).join(" ");

const having = (...granted: string[]): KnownToken => ({ state: "alive", granted });
const withState = (state: KnownToken["state"]): KnownToken => ({ state, granted: undefined });
const refused = (call: string, status = 403) =>
  `${call.replace(" ", " https://api.digitalocean.com")}: ${status} no`;
const OF_WEB = "\n\n  with digitalocean_droplet.web,\n  on main.tf line 4, in resource\n";

describe("a refused call (403)", () => {
  it.each<
    readonly [call: string, token: KnownToken, operation: string, scopes: string, what: RegExp]
  >([
    ["POST /v2/tags", having("tag:read"), "POST /v2/tags", "-tag:create", /lacks tag:create\.$/],
    ["POST /v2/tags", having("read"), "POST /v2/tags", "-tag:create", /lacks tag:create\.$/],
    ["POST /v2/tags", having("write"), "POST /v2/tags", "+tag:create", /has the scope/],
    ["POST /v2/tags", having("tag:create"), "POST /v2/tags", "+tag:create", /has the scope/],
    ["POST /v2/tags", withState("missing"), "POST /v2/tags", "?tag:create", /usually because/],
    ["POST /v2/tags", withState("unknown"), "POST /v2/tags", "?tag:create", /usually because/],
    [
      "DELETE /v2/droplets/123",
      having(),
      "DELETE /v2/droplets/{droplet_id}",
      "-droplet:delete",
      /lacks/,
    ],
    [
      "GET /v2/domains/a.example/records",
      having(),
      "GET /v2/domains/{domain_name}/records",
      "-domain:read",
      /lacks/,
    ],
    ["POST /v2/volumes", having(), "POST /v2/volumes", "-block_storage:create", /lacks/],
    ["GET /v2/nothing", having(), "GET /v2/nothing", "", /does not know which one/],
    ["GET /v1/models", having(), "GET /v1/models", "", /documents no scope for this call/],
    // Reading the new droplet and setting its tags need more scopes than the call.
    [
      "POST /v2/droplets",
      having("droplet:create"),
      "POST /v2/droplets",
      "+droplet:create -droplet:read -image:read -tag:create",
      /lacks droplet:read and image:read and tag:create/,
    ],
  ])("%s with %j", (call, token, operation, scopes, what) => {
    const found = explained(refused(call), token);
    expect(found.operation).toBe(operation);
    expect(marked(found)).toBe(scopes);
    expect(found.what).toMatch(what);
  });

  it("names the scopes that the new scope requires", () => {
    const { fix } = explained(refused("POST /v2/droplets"), having("regions:read", "image:read"));
    expect(said(fix)).toContain("actions:read, droplet:create, droplet:read, sizes:read. ");
  });

  it.each([
    ["POST /v2/domains/a.example/records", having(), "domain:read, domain:update. "],
    ["DELETE /v2/domains/a.example/records/1", having("domain:read"), "domain:update. "],
    ["DELETE /v2/domains/a.example", having("domain:read"), "domain:delete. "],
  ])("names the weaker of alternative scopes: %s", (call, token, scopes) => {
    expect(said(explained(refused(call), token).fix)).toContain(`also has ${scopes}`);
  });

  it.each([
    ["POST /v2/projects/1/resources", "project:update"],
    ["POST /v2/domains/a.example/records", "domain:create"],
  ])("%s: an alternative scope is enough", (call, scope) => {
    expect(explained(refused(call), having(scope)).what).toContain("has the scope");
  });

  it("names a scope for a field of the resource if the call's own scope is granted", () => {
    const token = having("droplet:create", "droplet:read", "image:read", "droplet:delete");
    const { scopes, what } = explained(`Error: ${refused("POST /v2/droplets")}${OF_WEB}`, token);
    expect(what).toContain("lacks");
    expect(scopes).toContainEqual({ scope: "tag:create", granted: false, for: "tags" });
    expect(scopes[0]).toEqual({ scope: "droplet:create", granted: true });
  });

  it("names the resource in the text, or else those that make the call", () => {
    const place = { file: "main.tf", line: 4 };
    const named = explained(`Error: ${refused("POST /v2/tags")}${OF_WEB}`, having());
    expect(named.resources).toEqual([{ address: "digitalocean_droplet.web", place }]);
    const { resources } = explained(refused("POST /v2/tags"), having());
    expect(resources.map(({ address }) => address)).toEqual([
      "digitalocean_droplet.web",
      "digitalocean_tag.a",
    ]);
    expect(resources[1]?.place).toEqual({ file: "main.tf.json", line: 12 });
  });
});

it("a resource of an unknown module address is still explained", () => {
  const text = `Error: ${refused("POST /v2/tags")}\n\n  with module.b.digitalocean_tag.a,\n`;
  expect(explained(text, having("tag:read")).what).toContain("lacks tag:create");
});

describe("other failures", () => {
  it.each<readonly [text: string, token: KnownToken, what: RegExp, fix: RegExp]>([
    [refused("GET /v2/account", 401), having(), /This repo's token is valid/, /exec -- COMMAND/],
    [
      refused("GET /v2/account", 401),
      withState("refused"),
      /This repo's token is revoked/,
      /new one/,
    ],
    [
      refused("GET /v2/account", 401),
      withState("missing"),
      /This repo has no token/,
      /helps you create one/,
    ],
    [
      refused("GET /v2/account", 401),
      withState("unknown"),
      /revoked, expired/,
      /do-bootstrap check/,
    ],
    [refused("GET /v2/droplets/1", 404), having(), /Not found \(404\)/, /team/],
    [refused("POST /v2/droplets", 422), having(), /rejected the request \(422\)/, /message/],
    [refused("GET /v2/droplets", 429), having(), /5 000 per hour or 250 per minute/, /parallelism/],
    [refused("GET /v2/droplets", 500), having(), /DigitalOcean had an error \(500\)/, /status/],
    [refused("GET /v2/droplets", 503), having(), /\(503\)/, /again/],
    ["curl: (6) Could not resolve host", having(), /Could not look up/, /network/],
    ["curl: (7) refused", having(), /Nothing answered/, /DIGITALOCEAN_API_URL/],
    ["curl: (28) timed out", having(), /too long/, /HTTPS_PROXY/],
    ["curl: (60) SSL", having(), /not trusted/, /SSL_CERT_FILE/],
    ["curl: (5) proxy", having(), /proxy/, /NO_PROXY/],
    ["curl: (52) Empty reply", having(), /interrupted/, /again/],
    ["access token is required", having(), /had no token/, /exec/],
    [
      "operation error S3: x, api error InvalidAccessKeyId",
      having(),
      /Spaces/,
      /SPACES_ACCESS_KEY_ID/,
    ],
    [
      "operation error S3: x, api error NoSuchBucket",
      having(),
      /The bucket does not exist/,
      /region/,
    ],
    [
      'Error: Failed to get existing workspaces: S3 bucket "acme" does not exist.',
      having(),
      /The bucket does not exist/,
      /Create a bucket for state in advance/,
    ],
  ])("%s with %j", (text, token, what, fix) => {
    const found = explained(text, token);
    expect(found.what).toMatch(what);
    expect(said(found.fix)).toMatch(fix);
  });
});

const BY_DOCTL = (command: string, status = 403) =>
  `Error: Forbidden\n  no\n  status ${status}\n  request ID x\n  Run \`doctl ${command} --help\`\n`;

describe("a call that doctl 2 does not print", () => {
  it.each<readonly [command: string, token: KnownToken, scopes: string, what: RegExp, fix: RegExp]>(
    [
      [
        "compute droplet create",
        having("droplet:read"),
        "-droplet:create",
        /lacks droplet:create/,
        /droplet:create/,
      ],
      ["compute tag delete", having(), "-tag:delete", /lacks tag:delete/, /tag:delete/],
      ["compute domain records update", having(), "-domain:update", /lacks domain:update/, /./],
      ["compute droplet-action reboot", having(), "-droplet:update", /lacks/, /./],
      [
        "kubernetes cluster kubeconfig save",
        having("kubernetes:read"),
        "-kubernetes:access_cluster",
        /lacks/,
        /./,
      ],
      [
        "projects resources assign",
        having("project:update"),
        "+project:assign_resource",
        /has the scope/,
        /-o json/,
      ],
      [
        "vpcs update",
        having("vpc:update"),
        "+vpc:update",
        /the scope for this command/,
        /another call/,
      ],
      ["vpcs list", withState("unknown"), "?vpc:read", /usually because/, /asks again/],
      ["agents run mine", having("read"), "", /does not print which call/, /-o json/],
      ["compute droplet fly", having("read"), "", /does not print which call/, /-o json/],
      [
        "registry login",
        having("registry:read", "registry:update"),
        "-registry:create +registry:read +registry:update",
        /lacks registry:create\.$/,
        /./,
      ],
      [
        "registry docker-config",
        having("registry:read", "registry:update"),
        "+registry:read +registry:update",
        /has the scope/,
        /./,
      ],
    ],
  )("%s with %j", (command, token, scopes, what, fix) => {
    const found = explained(BY_DOCTL(command), token);
    expect(marked(found)).toBe(scopes);
    expect(found.what).toMatch(what);
    expect(said(found.fix)).toMatch(fix);
    // A doctl command is not an action of the code.
    expect(found.resources).toEqual([]);
  });

  it("each command without a plain verb maps to an API operation", () => {
    const isPlain = (command: string) => / (?:list|get|create|update|delete)$/.test(command);
    const unknown = [...DOCTL_COMMANDS.keys()]
      .filter((command) => !isPlain(command))
      .filter((command) => operationOfCommand(command, operations) === undefined);
    expect(unknown).toEqual([]);
  });

  it("each group has a known operation", () => {
    const groups = [...DOCTL_COMMANDS.keys()].map((command) => command.replace(/ \S+$/, ""));
    const commands = (group: string) =>
      [...DOCTL_COMMANDS.keys()].filter((each) => each.startsWith(`${group} `));
    const isKnown = (command: string) => operationOfCommand(command, operations) !== undefined;
    expect(groups.filter((group) => !commands(group).some(isKnown))).toEqual([]);
  });

  it("a 401 explains why a browser login was not renewed", () => {
    expect(said(explained(BY_DOCTL("vpcs list", 401), having()).fix)).toMatch(
      /do-bootstrap exec -- COMMAND .* unset DIGITALOCEAN_ACCESS_TOKEN/,
    );
  });
});

it("write credentials for docker need registry:create too", () => {
  const call = "GET /v2/registry/docker-credentials?expiry_seconds=0&read_write=true";
  const { operation, what } = explained(refused(call), having("registry:read", "registry:update"));
  expect(operation).toBe("GET /v2/registry/docker-credentials?read_write=true");
  expect(what).toBe("The token lacks registry:create.");
  const whole = having("registry:read", "registry:update", "registry:create");
  expect(explained(refused(call), whole).what).toContain("has the scope");
});

const RENEWAL = (cause: string) =>
  `Error: Your session has expired and could not be renewed: ${cause}\n\nRun \`doctl auth login\`\n`;
const LOGIN = (cause: string) => `Error: Unable to authenticate with DigitalOcean: ${cause}\n`;
const S3 = (status: number, code: string) =>
  `Error: operation error S3: PutObject, https response error StatusCode: ${status}, api error ${code}: no`;

describe("logins, Spaces, token values and do-bootstrap's own messages", () => {
  it.each<readonly [text: string, what: RegExp, fix: RegExp]>([
    [RENEWAL("x: invalid_grant"), /another doctl may have just renewed/, /same command again once/],
    [RENEWAL("dial tcp: lookup x: no such host"), /The login may still be valid/, /network/],
    [RENEWAL("the authorization server returned 502 x"), /The login may still be valid/, /again/],
    [RENEWAL("open /x: permission denied"), /new tokens are lost/, /writable/],
    [RENEWAL("something new"), /does not show whether/, /once/],
    [
      LOGIN("access_denied"),
      /denied/,
      /unset DIGITALOCEAN_ACCESS_TOKEN, then doctl auth login --context NAME\./,
    ],
    [LOGIN("invalid_scope"), /scope/, /do-bootstrap scopes/],
    [LOGIN("invalid_redirect_uri"), /redirect/, /Update doctl/],
    [
      LOGIN("listening for the authorization redirect: in use"),
      /port is in use/,
      /--callback-port/,
    ],
    [
      LOGIN("opening the authorization URL in a browser: x"),
      /browser/,
      /--context NAME --no-browser/,
    ],
    [LOGIN("timed out after 5m waiting for browser authorization"), /in time/, /--timeout 10m/],
    [LOGIN("exchanging the authorization code: y: EOF"), /could not complete/, /again/],
    [LOGIN("something new"), /unknown reason/, /doctl auth login/],
    [`${S3(412, "PreconditionFailed")} state lock`, /Another run holds the lock/, /force-unlock/],
    [
      `Error: Error acquiring the state lock\n\nError message: ${S3(412, "PreconditionFailed").slice(7)}\nLock Info:\n  ID:        0f4d7a3e-1111-2222-3333-444455556666\n  Path:      b/x.tfstate\n`,
      /Another run holds the lock/,
      /terraform force-unlock 0f4d7a3e-1111-2222-3333-444455556666$/,
    ],
    [
      S3(400, "XAmzContentSHA256Mismatch"),
      /The token and the keys are not the problem/,
      /when_required/,
    ],
    [S3(501, "NotImplemented"), /\(NotImplemented\)/, /skip_s3_checksum/],
    [S3(403, "AccessDenied"), /The API token is not the problem/, /access_keys/],
    [
      S3(418, "Teapot"),
      /\(Teapot\)\. The cause is the bucket or the Spaces keys/,
      /not about token scopes/,
    ],
    [S3(404, "$&$1"), /\(404\)\. The cause is the bucket or the Spaces keys/, /./],
    ["Spaces credentials not configured", /No Spaces keys were given/, /SPACES_ACCESS_KEY_ID/],
    [
      "Error: retrieving caller identity from STS: operation error STS: x",
      /STS/,
      /skip_credentials_validation/,
    ],
    [
      'Get "https://api.digitalocean.com/v2/x": invalid header field value for "Authorization"',
      /line break/,
      /check/,
    ],
    [
      "DO_TOKEN=op://a/b/c",
      /1Password reference/,
      /op read op:\/\/VAULT\/ITEM\/FIELD \| do-bootstrap --token-stdin/,
    ],
    ["DO_TOKEN=encrypted:abcdef", /dotenvx/, /dotenvx get/],
    [
      "✗ no [token.refused]",
      /do-bootstrap finding token\.refused/,
      /do-bootstrap check prints it again/,
    ],
    ["✗ no [leak.in-history]", /leak\.in-history/, /check --history/],
    ["✗ no [USAGE]", /\(USAGE\)/, /→/],
  ])("%s", (text, what, fix) => {
    const found = explained(text, having());
    expect(found.what).toMatch(what);
    expect(said(found.fix)).toMatch(fix);
    expect(found.scopes).toEqual([]);
  });

  it("a Spaces or network failure is not blamed on the token", () => {
    for (const text of [S3(403, "Anything"), S3(401, "Anything"), RENEWAL("x: EOF")]) {
      const { what, fix } = explained(text, withState("refused"));
      expect(`${what} ${said(fix)}`).not.toMatch(/revoked|token lacks|new token(?!s)/);
    }
  });
});

describe("the operation of a call", () => {
  it.each<readonly [string, string, readonly string[]]>([
    ["GET", "/v2/droplets/1", ["GET /v2/droplets/{droplet_id}"]],
    ["GET", "/v2/droplets/", ["GET /v2/droplets"]],
    ["GET", "/v2/droplets/autoscale", ["GET /v2/droplets/autoscale"]],
    ["POST", "/v2/projects/default/resources", ["POST /v2/projects/default/resources"]],
    ["POST", "/v2/droplets/1/actions", ["POST /v2/droplets/{droplet_id}/actions"]],
    ["GET", "/v2/droplets//actions", []],
    ["PATCH", "/v2/droplets", []],
    ["GET", "/", []],
  ])("%s %s", (method, path, names) => {
    expect(operationsOf({ method, path }, operations).map(({ name }) => name)).toEqual(names);
  });

  it("one of several scopes is enough if the API says so", () => {
    const any = Object.entries(operations).find(
      ([, value]) => value !== null && typeof value === "object" && "any_of" in value,
    );
    const [method = "", template = ""] = (any?.[0] ?? "").split(" ");
    const path = template.replace(/\{[^}]*\}/g, "x");
    const [known] = operationsOf({ method, path }, operations);
    expect(known?.isAny).toBe(true);
    const [one = "", other = ""] = known?.scopes ?? [];
    expect(explained(refused(`${method} ${path}`), having(one)).what).toMatch(/has the scope/);
    expect(explained(refused(`${method} ${path}`), having()).what).toContain(`${one} or ${other}`);
  });
});
