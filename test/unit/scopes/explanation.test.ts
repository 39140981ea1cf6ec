import { describe, expect, it } from "vitest";
import { readTfJson } from "../../../src/hcl/tf-json.ts";
import { actionsInCode } from "../../../src/scopes/code-actions.ts";
import { loadOperations, loadScopeData } from "../../../src/scopes/data.ts";
import { explain, type KnownToken } from "../../../src/scopes/explanation.ts";
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
  const [failure] = failuresIn(text);
  if (failure === undefined) throw new Error(`no failure in ${text}`);
  return explain(failure, { data, operations, actions, token });
};

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
    ["POST /v2/tags", withState("missing"), "POST /v2/tags", "?tag:create", /as a rule/],
    ["POST /v2/tags", withState("unknown"), "POST /v2/tags", "?tag:create", /as a rule/],
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
    ["GET /v2/nothing", having(), "GET /v2/nothing", "", /is not known/],
    ["GET /v1/models", having(), "GET /v1/models", "", /no token scope is listed/],
    // Read after it is made, and its tags, ask for more than the call itself.
    [
      "POST /v2/droplets",
      having("droplet:create"),
      "POST /v2/droplets",
      "+droplet:create -droplet:read -image:read -tag:create",
      /lacks droplet:read and image:read and tag:create/,
    ],
  ])("%s with %j", (call, token, operation, scopes, what) => {
    const found = explained(refused(call), token);
    const marks = { true: "+", false: "-", undefined: "?" } as const;
    expect(found.operation).toBe(operation);
    expect(found.scopes.map(({ scope, granted }) => marks[`${granted}`] + scope).join(" ")).toBe(
      scopes,
    );
    expect(found.what).toMatch(what);
  });

  it("names what the new scope requires besides", () => {
    const { fix } = explained(refused("POST /v2/droplets"), having("regions:read", "image:read"));
    expect(said(fix)).toContain("actions:read, droplet:create, droplet:read, sizes:read. ");
  });

  it.each([
    ["POST /v2/domains/a.example/records", having(), "domain:read, domain:update. "],
    ["DELETE /v2/domains/a.example/records/1", having("domain:read"), "domain:update. "],
    ["DELETE /v2/domains/a.example", having("domain:read"), "domain:delete. "],
  ])("of scopes any of which serves names the weaker one: %s", (call, token, scopes) => {
    expect(said(explained(refused(call), token).fix)).toContain(`also has ${scopes}`);
  });

  it.each([
    ["POST /v2/projects/1/resources", "project:update"],
    ["POST /v2/domains/a.example/records", "domain:create"],
  ])("%s: the token has the scope that serves as well", (call, scope) => {
    expect(explained(refused(call), having(scope)).what).toContain("has the scope");
  });

  it("names the scope that a field of the resource asks for, where the call's own is there", () => {
    const token = having("droplet:create", "droplet:read", "image:read", "droplet:delete");
    const { scopes, what } = explained(`Error: ${refused("POST /v2/droplets")}${OF_WEB}`, token);
    expect(what).toContain("lacks");
    expect(scopes).toContainEqual({ scope: "tag:create", granted: false, for: "tags" });
    expect(scopes[0]).toEqual({ scope: "droplet:create", granted: true });
  });

  it("names the resource: the one that the text names, else those that make the call", () => {
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

it("a folder that two modules call is known under both names", () => {
  const text = `Error: ${refused("POST /v2/tags")}\n\n  with module.b.digitalocean_tag.a,\n`;
  expect(explained(text, having("tag:read")).what).toContain("lacks tag:create");
});

describe("other failures", () => {
  it.each<readonly [text: string, token: KnownToken, what: RegExp, fix: RegExp]>([
    [refused("GET /v2/account", 401), having(), /this repo's is alive/, /exec -- COMMAND/],
    [
      refused("GET /v2/account", 401),
      withState("refused"),
      /This repo's token is revoked/,
      /new one/,
    ],
    [refused("GET /v2/account", 401), withState("missing"), /this repo has none/, /new one/],
    [
      refused("GET /v2/account", 401),
      withState("unknown"),
      /revoked, expired/,
      /do-bootstrap check/,
    ],
    [refused("GET /v2/droplets/1", 404), having(), /no such thing/, /team/],
    [refused("POST /v2/droplets", 422), having(), /refused what was asked \(422\)/, /message/],
    [
      refused("GET /v2/droplets", 429),
      having(),
      /5 000 in an hour or 250 in a minute/,
      /parallelism/,
    ],
    [refused("GET /v2/droplets", 500), having(), /DigitalOcean's side failed \(500\)/, /status/],
    [refused("GET /v2/droplets", 503), having(), /\(503\)/, /again/],
    ["curl: (6) Could not resolve host", having(), /could not be looked up/, /network/],
    ["curl: (7) refused", having(), /Nothing answered/, /DIGITALOCEAN_API_URL/],
    ["curl: (28) timed out", having(), /too long/, /HTTPS_PROXY/],
    ["curl: (60) SSL", having(), /not trusted/, /SSL_CERT_FILE/],
    ["curl: (5) proxy", having(), /proxy/, /NO_PROXY/],
    ["curl: (52) Empty reply", having(), /cut/, /again/],
    ["access token is required", having(), /no token at all/, /exec/],
    [
      "operation error S3: x, api error InvalidAccessKeyId",
      having(),
      /Spaces/,
      /SPACES_ACCESS_KEY_ID/,
    ],
    ["operation error S3: x, api error NoSuchBucket", having(), /no such bucket/, /region/],
    [
      'Error: Failed to get existing workspaces: S3 bucket "acme" does not exist.',
      having(),
      /no such bucket/,
      /made beforehand/,
    ],
  ])("%s with %j", (text, token, what, fix) => {
    const found = explained(text, token);
    expect(found.what).toMatch(what);
    expect(said(found.fix)).toMatch(fix);
  });
});

describe("the operation that a call is", () => {
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

  it("one of several scopes will do where the API says so", () => {
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
