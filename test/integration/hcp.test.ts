import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Secret } from "../../src/secret/secret.ts";
import { OPENSSL } from "../fixtures/certificate.ts";
import { type Hcp, type HcpOptions, startHcp } from "../fixtures/hcp/hcp.ts";
import { ASKS, needsScript, start } from "../fixtures/terminal.ts";
import { type RunOptions, randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

const missing = OPENSSL ? "" : " (needs openssl)";
const RECORD = "do-bootstrap.pipeline.json";
const NAME = "DIGITALOCEAN_TOKEN";
const TO = ["--to", "app.terraform.io/acme"];
const APPLY = ["ci", "hcp", "--apply", "--yes", ...TO];
const fingerprint = (token: string) => Secret.of(token, { kind: "stdin" }).fingerprint;

const cloud = (settings: string) => `terraform {\n  cloud {\n${settings}\n  }\n}\n`;
const WEB = cloud('    organization = "acme"\n    workspaces {\n      name = "web"\n    }');

interface Scene extends Workbench {
  readonly hcp: Hcp;
  /** A token for the runs, and the variable that gives it to a script. */
  readonly fresh: string;
  readonly given: Readonly<Record<string, string>>;
  /** What a workspace holds. */
  held(workspace?: string): string | undefined;
  record(): Promise<Record<string, unknown>[]>;
  ci(...args: string[]): ReturnType<Workbench["run"]>;
}

async function scene(code = WEB, options: HcpOptions = {}, config = {}): Promise<Scene> {
  const hcp = await startHcp(options);
  onTestFinished(() => hcp.close());
  const own = await workbench();
  await own.write(".do-bootstraprc", JSON.stringify({ project: "acme", terraform: {}, ...config }));
  await own.write("main.tf", code);
  await own.write(".gitignore", ".env\n.env.*\n.terraform/\n*.secret.auto.tfvars.json\n");
  await own.write(".env", `DIGITALOCEAN_TOKEN=${own.token}\n`, 0o600);
  await own.git("add", "--all");
  const fresh = randomToken();
  own.sandbox.accept(fresh, { scopes: ["account:read", "droplet:create"] });
  const run = (args: readonly string[], more: RunOptions = {}) =>
    own.run(args, { ...more, env: { ...hcp.env, ...more.env } });
  const given = { DIGITALOCEAN_TOKEN_HCP: fresh };
  return {
    ...{ ...own, run, hcp, fresh, given },
    held: (workspace = "web") =>
      hcp.workspaces.get(workspace)?.find(({ key }) => key === NAME)?.value,
    record: async () => JSON.parse(await own.read(RECORD)).secrets,
    ci: (...args) => run([...APPLY, ...args], { env: given }),
  };
}

/** A workspace and an env file with the same token, as ci hcp and init leave them. */
async function sceneWithToken(options: HcpOptions = {}): Promise<Scene> {
  const its = await scene(WEB, options);
  await its.run(APPLY, { env: { DIGITALOCEAN_TOKEN_HCP: its.token } });
  expect(its.held()).toBe(its.token);
  its.hcp.writes.length = 0;
  return its;
}

/** Somebody adds an entry like the first one. */
async function addToRecord(its: Scene, entry: object): Promise<void> {
  const all = await its.record();
  const secrets = [...all, { ...all[0], ...entry }];
  await its.write(RECORD, JSON.stringify({ schemaVersion: 1, secrets }));
}

const rotate = (its: Scene, ...args: string[]) =>
  its.run(["rotate", "--token-stdin", "--yes", ...args], { input: its.fresh });

async function isRevoked({ sandbox }: Scene, token: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${sandbox.url}/v2/account`, { headers })).status === 401;
}

describe.skipIf(missing !== "")(`ci hcp --apply${missing}`, () => {
  it("stores the token as a sensitive environment variable, and writes down where", async () => {
    const its = await scene();
    const { status, stderr } = await its.ci();
    expect([status, its.held()], stderr).toEqual([0, its.fresh]);
    expect(stderr).toMatch(
      /\+ variable DIGITALOCEAN_TOKEN {2}in workspace web on app\.terraform\.io, acme; sensitive; token/,
    );
    const [variable] = its.hcp.workspaces.get("web") ?? [];
    expect(variable).toMatchObject({ category: "env", sensitive: true });
    expect(await its.record()).toEqual([
      {
        ...{ organization: "app.terraform.io/acme", workspace: "web", variable: NAME },
        ...{ environment: "digitalocean", token: fingerprint(its.fresh), is: variable?.version },
      },
    ]);
  });

  it("does nothing the second time, and replaces the token with --renew", async () => {
    const its = await scene();
    await its.ci();
    const again = await its.run(APPLY);
    expect([again.status, its.hcp.writes]).toEqual([0, [`POST web ${NAME} 201`]]);
    const newer = randomToken();
    its.sandbox.accept(newer, { scopes: ["account:read"] });
    const renewed = await its.run([...APPLY, "--renew"], {
      env: { DIGITALOCEAN_TOKEN_HCP: newer },
    });
    expect([renewed.status, its.held()], renewed.stderr).toEqual([0, newer]);
    expect(renewed.stderr).toContain(
      `The pipeline no longer uses token ${fingerprint(its.fresh)}, which stays`,
    );
  });

  it("shows it and writes nothing with --dry-run", async () => {
    const its = await scene();
    const { status, stdout } = await its.run(["ci", "hcp", "--apply", "--dry-run"]);
    expect([status, stdout, its.hcp.writes]).toEqual([
      0,
      expect.stringContaining("in workspace web on app.terraform.io, acme"),
      [],
    ]);
  });

  it("says in JSON what was done", async () => {
    const its = await scene();
    const { stdout } = await its.ci("--json");
    expect(JSON.parse(stdout).applied).toContainEqual(
      expect.objectContaining({ kind: "hcp-variable", workspace: "web", names: [NAME] }),
    );
  });

  it.each<[what: string, code: string, env: Record<string, string>, place: string]>([
    ["a name", WEB, {}, "web"],
    [
      "TF_CLOUD_ORGANIZATION and TF_WORKSPACE",
      "terraform {\n  cloud {}\n}\n",
      { TF_CLOUD_ORGANIZATION: "acme", TF_WORKSPACE: "web" },
      "web",
    ],
    [
      "tags, and TF_WORKSPACE",
      cloud('organization = "acme"\nworkspaces {\ntags = ["do"]\n}'),
      { TF_WORKSPACE: "blue" },
      "blue",
    ],
    [
      "a backend of type remote with a prefix",
      'terraform {\n  backend "remote" {\n    organization = "acme"\n    workspaces {\n      prefix = "web-"\n    }\n  }\n}\n',
      { TF_WORKSPACE: "prod" },
      "web-prod",
    ],
  ])("finds the workspace by %s", async (_, code, env, place) => {
    const its = await scene(code, { workspaces: ["web", "blue", "web-prod"] });
    const { status, stderr } = await its.run(APPLY, { env: { ...its.given, ...env } });
    expect([status, its.held(place)], stderr).toEqual([0, its.fresh]);
  });

  it("finds it in JSON, and gives each environment its own", async () => {
    const code = { terraform: { cloud: { organization: "acme", workspaces: { project: "x" } } } };
    const environments = {
      dev: { terraform: { workspace: "dev" } },
      prod: { terraform: { workspace: "prod" } },
    };
    const its = await scene("", { workspaces: ["dev", "prod"] }, { environments });
    await its.write("cloud.tf.json", JSON.stringify(code));
    await its.git("add", "--all");
    const env = { DIGITALOCEAN_TOKEN_HCP_DEV: its.fresh, DIGITALOCEAN_TOKEN_HCP_PROD: its.token };
    const { status, stderr } = await its.run(APPLY, { env });
    expect([status, its.held("dev"), its.held("prod")], stderr).toEqual([0, its.fresh, its.token]);
  });

  it("sets the variable that the provider's token comes from", async () => {
    const provider =
      'variable "do_token" {\n  sensitive = true\n}\nprovider "digitalocean" {\n  token = var.do_token\n}\n';
    const its = await scene(WEB + provider);
    const { status, stderr } = await its.ci();
    expect(status, stderr).toBe(0);
    expect(its.hcp.workspaces.get("web")).toEqual([
      expect.objectContaining({ key: "do_token", category: "terraform", value: its.fresh }),
    ]);
  });

  it("sets Terraform's variable, whatever its name", async () => {
    const provider = `variable "${NAME}" {}\nprovider "digitalocean" {\n  token = var.${NAME}\n}\n`;
    const its = await scene(WEB + provider);
    expect((await its.ci()).status).toBe(0);
    expect(its.hcp.workspaces.get("web")).toEqual([
      expect.objectContaining({ key: NAME, category: "terraform", value: its.fresh }),
    ]);
  });

  it("confirms two organizations one after the other", async () => {
    const environments = { dev: { terraform: { dir: "a" } }, prod: { terraform: { dir: "b" } } };
    const its = await scene("", { workspaces: ["web", "blue"] }, { environments });
    await its.write("a/main.tf", WEB);
    await its.write("b/main.tf", WEB.replace("acme", "evil").replace("web", "blue"));
    await its.git("add", "--all");
    const first = await its.ci();
    expect([first.status, first.stderr]).toEqual([3, expect.stringContaining("organization evil")]);
    const args = ["ci", "hcp", "--apply", "--yes", "--to", "app.terraform.io/evil"];
    const env = { DIGITALOCEAN_TOKEN_HCP_DEV: its.fresh, DIGITALOCEAN_TOKEN_HCP_PROD: its.token };
    const { status, stderr } = await its.run(args, { env });
    expect([status, its.held("web"), its.held("blue")], stderr).toEqual([0, its.fresh, its.token]);
  });

  it("changes only the variable of its category, on any page", async () => {
    const its = await scene();
    its.hcp.set("web", NAME, "theirs", { category: "terraform" });
    for (let at = 0; at < 120; at++) its.hcp.set("web", `OTHER_${at}`, "theirs");
    its.hcp.set("web", NAME, "old");
    expect((await its.ci()).status).toBe(0);
    expect(its.hcp.writes).toEqual([]);
    expect((await its.ci("--renew")).status).toBe(0);
    expect(its.hcp.writes).toEqual([`PATCH web ${NAME} 200`]);
    const values = its.hcp.workspaces.get("web")?.filter(({ key }) => key === NAME);
    expect(values?.map(({ value }) => value)).toEqual(["theirs", its.fresh]);
  });

  it("reads what terraform login has stored", async () => {
    const its = await scene();
    await mkdir(join(its.home, ".terraform.d"));
    const path = join(its.home, ".terraform.d/credentials.tfrc.json");
    const credentials = { "app.terraform.io": { token: its.hcp.credentials } };
    await writeFile(path, JSON.stringify({ credentials }));
    its.mayHold("../home/.terraform.d/credentials.tfrc.json");
    const env = { ...its.given, TF_TOKEN_app_terraform_io: "" };
    const { status, stderr } = await its.run(APPLY, { env });
    expect([status, its.held()], stderr).toEqual([0, its.fresh]);
  });

  it("asks another host with its own credentials, and no other host", async () => {
    const code = WEB.replace("organization", 'hostname = "tfe.acme.com"\n    organization');
    const its = await scene(code);
    const other = await its.ci();
    expect([other.status, other.stderr]).toEqual([3, expect.stringContaining("[ci.no-workspace]")]);
    const args = ["ci", "hcp", "--apply", "--yes", "--to", "tfe.acme.com/acme"];
    const refused = await its.run(args, { env: its.given });
    expect(refused.stderr).toMatch(
      /no credentials for tfe\.acme\.com in TF_TOKEN_… and in credentials\.tfrc\.json[^\n]*[\s\S]*terraform login tfe\.acme\.com/,
    );
    expect([...its.hcp.hosts]).toEqual([]);
    const env = { ...its.given, TF_TOKEN_tfe_acme_com: its.hcp.credentials };
    const { status, stderr } = await its.run(args, { env });
    expect([status, [...its.hcp.hosts]], stderr).toEqual([0, ["tfe.acme.com"]]);
  });

  it.each<[what: string, its: [code?: string, options?: HcpOptions], args: string[], said: RegExp]>(
    [
      [
        "nobody confirmed where it goes",
        [],
        ["--yes"],
        /A token would go to app\.terraform\.io, organization acme, workspace web, [^\n]*Nobody has confirmed[\s\S]*--to app\.terraform\.io\/acme/,
      ],
      [
        "nobody confirmed where a new one goes",
        [],
        ["--yes", "--renew"],
        /do-bootstrap ci hcp --apply --renew --to app\.terraform\.io\/acme/,
      ],
      [
        "another organization was named",
        [],
        ["--yes", "--to", "app.terraform.io/other"],
        /\[ci\.no-workspace\]/,
      ],
      [
        "the block names tags only",
        [cloud('organization = "acme"\nworkspaces {\ntags = ["do"]\n}')],
        ["--yes", ...TO],
        /is for several workspaces, and none is chosen\.[\s\S]*TF_WORKSPACE/,
      ],
      [
        "the block names no organization",
        ["terraform {\n  cloud {}\n}\n"],
        ["--yes", ...TO],
        /names no organization/,
      ],
      [
        "its host is an address",
        [WEB.replace("organization", 'hostname = "http://127.0.0.1"\n    organization')],
        ["--yes", ...TO],
        /names no valid host/,
      ],
      [
        "the workspace is not visible",
        [WEB, { workspaces: [] }],
        ["--yes", ...TO],
        /knows no workspace web in acme, or your account can't see it/,
      ],
      [
        "the user may not set variables",
        [WEB, { permissions: { "can-update-variable": false } }],
        ["--yes", ...TO],
        /Your account may not change its variables/,
      ],
      [
        "the host redirects",
        [WEB, { redirect: "https://tfe.acme.com/" }],
        ["--yes", ...TO],
        /answers 302, and a redirect is not followed/,
      ],
      [
        "the user may not see variable sets",
        [WEB, { noSets: true }],
        ["--yes", ...TO],
        /Your account may not read its variable sets/,
      ],
      [
        "a variable set on the second page overrides it",
        [WEB, { set: { key: NAME, priority: true }, setPage: 2 }],
        ["--yes", ...TO],
        /variable set shared overrides[\s\S]*\[ci\.variable-set\]/,
      ],
      [
        "a variable set overrides it",
        [WEB, { set: { key: NAME, priority: true } }],
        ["--yes", ...TO],
        /variable set shared overrides[\s\S]*\[ci\.variable-set\]/,
      ],
    ],
  )("stores nothing if %s", async (_, [code, options], args, said) => {
    const its = await scene(code, options);
    const { status, stderr } = await its.run(["ci", "hcp", "--apply", ...args], { env: its.given });
    expect([status === 0, stderr]).toEqual([false, expect.stringMatching(said)]);
    expect(its.hcp.writes).toEqual([]);
  });

  it("stores no second token beside that of a variable set", async () => {
    const its = await scene(WEB, { set: { key: NAME, priority: false } });
    const { status, stderr } = await its.ci();
    expect([status, stderr, its.hcp.writes]).toEqual([
      0,
      expect.stringContaining("the variable set shared gives it to this workspace"),
      [],
    ]);
  });

  it("refuses credentials that HCP Terraform refuses", async () => {
    const its = await scene();
    const env = { ...its.given, TF_TOKEN_app_terraform_io: "other" };
    const { stderr } = await its.run(APPLY, { env });
    expect(stderr).toMatch(
      /refuses the credentials of this machine[\s\S]*terraform login app\.terraform\.io/,
    );
  });

  it("refuses two environments with one workspace", async () => {
    const environments = { dev: {}, prod: {} };
    const its = await scene(WEB, {}, { environments });
    const { status, stderr } = await its.ci();
    expect([status, stderr, its.hcp.writes]).toEqual([
      3,
      expect.stringMatching(/dev \(.*\) and prod \(.*\) both name workspace web/),
      [],
    ]);
  });

  it("names a variable that somebody else has set, and one that somebody has changed", async () => {
    const its = await scene();
    const theirs = /web has a DIGITALOCEAN_TOKEN that do-bootstrap did not store[\s\S]*--renew/;
    its.hcp.set("web", NAME, "theirs");
    expect((await its.ci()).stderr).toMatch(theirs);
    expect((await its.ci("--renew")).stderr).not.toMatch(theirs);
    its.hcp.set("web", NAME, "theirs");
    expect((await its.ci()).stderr).toMatch(theirs);
  });

  it("forgets a workspace that was renamed in the code", async () => {
    const its = await scene(WEB, { workspaces: ["web", "blue"] });
    await its.ci();
    await its.write("main.tf", WEB.replace("web", "blue"));
    const { status, stderr } = await its.ci();
    expect([status, its.held("blue")], stderr).toEqual([0, its.fresh]);
    expect((await its.record()).map(({ workspace }) => workspace)).toEqual(["blue"]);
  });

  it("forgets an organization that the code has left, and no workspace of another run", async () => {
    const several = cloud('organization = "acme"\nworkspaces {\ntags = ["do"]\n}');
    const its = await scene(several);
    const env = { ...its.given, TF_WORKSPACE: "web" };
    await its.run(APPLY, { env });
    const [entry] = await its.record();
    const others = [
      { ...entry, organization: "app.terraform.io/old" },
      { ...entry, workspace: "blue" },
    ];
    await its.write(RECORD, JSON.stringify({ schemaVersion: 1, secrets: [entry, ...others] }));
    const { status, stderr } = await its.run(APPLY, { env });
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining(
        "No code names DIGITALOCEAN_TOKEN in web on app.terraform.io, old any more",
      ),
    ]);
    expect((await its.record()).map(({ workspace }) => workspace)).toEqual(["blue", "web"]);
  });

  it("goes on after a failure", async () => {
    const its = await scene();
    its.hcp.failAt(1, 500);
    const { status, stderr } = await its.ci();
    expect([status, stderr]).toEqual([
      3,
      expect.stringMatching(
        /was not stored: app\.terraform\.io answers 500: no\. \[ci\.not-applied\]/,
      ),
    ]);
    const next = await its.ci();
    expect([next.status, its.held()], next.stderr).toEqual([0, its.fresh]);
  });

  it.skipIf(needsScript !== "")(
    `asks on a terminal, with the host${needsScript}`,
    async (context) => {
      const its = await scene();
      const { suite } = await import("../fixtures/suite.ts");
      const env = { ...its.hcp.env, NODE_EXTRA_CA_CERTS: suite().certificate };
      const terminal = start(context, its, ["ci", "hcp", "--apply"], { columns: 100, env });
      await terminal.waitFor(/For web on HCP Terraform: a token that plans and applies\./);
      await terminal.waitFor(ASKS);
      terminal.type(`${its.fresh}\r`);
      await terminal.waitFor(/in workspace web on app\.terraform\.io, acme/);
      await terminal.waitFor(/outside this machine\?|[Ss]tore the token[^?]*\?/);
      expect(its.hcp.writes).toEqual([]);
      terminal.type("y");
      expect([await terminal.exit, its.held()]).toEqual([0, its.fresh]);
    },
  );
});

describe.skipIf(missing !== "")(`the variables of HCP Terraform, later${missing}`, () => {
  it("rotate stores the new token there, too, and then revokes the old one", async () => {
    const its = await sceneWithToken();
    const { status, stderr } = await rotate(its, "--revoke");
    expect([status, its.held(), await isRevoked(its, its.token)], stderr).toEqual([
      0,
      its.fresh,
      true,
    ]);
    expect(await its.record()).toEqual([
      expect.objectContaining({ token: fingerprint(its.fresh) }),
    ]);
    expect((await its.run(["check", "--remote"])).stdout).toContain(
      "The secret of the pipeline on app.terraform.io, acme has been stored",
    );
  });

  it("a rotation that failed there revokes nothing, and the next one goes on", async () => {
    const its = await sceneWithToken();
    its.hcp.failAt(1, 500);
    const failed = await rotate(its, "--revoke");
    expect([failed.status, its.held(), await isRevoked(its, its.token)]).toEqual([
      3,
      its.token,
      false,
    ]);
    const next = await its.run(["rotate", "--yes"]);
    expect([next.status, its.held()], next.stderr).toEqual([0, its.fresh]);
  });

  it("rotate reaches each workspace of a block for several", async () => {
    const several = cloud(
      '    organization = "acme"\n    workspaces {\n      tags = ["do"]\n    }',
    );
    const its = await scene(several, { workspaces: ["blue", "green"] });
    for (const TF_WORKSPACE of ["blue", "green"]) {
      await its.run(APPLY, { env: { DIGITALOCEAN_TOKEN_HCP: its.token, TF_WORKSPACE } });
    }
    const { status, stderr } = await rotate(its, "--revoke");
    expect([status, its.held("blue"), its.held("green")], stderr).toEqual([
      0,
      its.fresh,
      its.fresh,
    ]);
    expect(await isRevoked(its, its.token)).toBe(true);
  });

  it("rotate sends nothing to an organization that nobody on this machine has confirmed", async () => {
    const its = await sceneWithToken();
    for (const [from, to] of [
      ["main.tf", "evil"],
      [RECORD, "evil"],
    ] as const) {
      const text = (await its.read(from)).replace(
        /(organization" *[:=] "(?:app\.terraform\.io\/)?|organization = ")acme/,
        `$1${to}`,
      );
      await its.write(from, text);
    }
    const { status, stderr } = await rotate(its);
    expect([status, its.hcp.writes]).toEqual([3, []]);
    expect(stderr).toMatch(
      /would go to app\.terraform\.io, organization evil, workspace web,[\s\S]*--to app\.terraform\.io\/evil/,
    );
  });

  it("rotate sends nothing to a workspace that only the record names", async () => {
    const its = await sceneWithToken();
    const text = (await its.read(RECORD)).replace('"workspace": "web"', '"workspace": "evil"');
    await its.write(RECORD, text);
    its.hcp.workspaces.set("evil", []);
    const { stderr } = await rotate(its);
    expect(stderr).toContain("No code that this command reads names that workspace.");
    expect(its.hcp.writes).toEqual([]);
  });

  it("a yes without a question is no consent: not for a place that only the record named before", async () => {
    const its = await sceneWithToken();
    await addToRecord(its, { organization: "app.terraform.io/evil" });
    await rotate(its);
    await its.write("main.tf", WEB.replace("acme", "evil"));
    await its.git("add", "--all");
    const { status, stderr } = await rotate(its);
    expect([status, its.hcp.writes], stderr).toEqual([3, []]);
  });

  const SEVERAL = cloud('organization = "acme"\nworkspaces {\ntags = ["do"]\n}');

  it.each<[what: string, code: string, entry: object, args: string[], said: string]>([
    [
      "rotate stores nothing in another variable",
      WEB,
      { variable: "db_password" },
      ["rotate", "--token-stdin", "--yes"],
      "names that variable for its token: db_password.",
    ],
    [
      "logout deletes no other variable",
      WEB,
      { variable: "db_password" },
      ["logout", "--remote", "--yes"],
      "names that variable for its token: db_password.",
    ],
    [
      "rotate stores nothing in a workspace that nobody has confirmed",
      SEVERAL,
      { workspace: "evil" },
      ["rotate", "--token-stdin", "--yes"],
      "workspace evil, or be deleted there. Nobody has confirmed",
    ],
    [
      "logout deletes nothing in a workspace that nobody has confirmed",
      SEVERAL,
      { workspace: "evil" },
      ["logout", "--remote", "--yes"],
      "workspace evil, or be deleted there. Nobody has confirmed",
    ],
    [
      "no login is proposed for a host that only the record names",
      WEB,
      { organization: "evil.com/acme" },
      ["rotate", "--token-stdin", "--dry-run"],
      "No code that this command reads names that workspace.",
    ],
  ])("%s", async (_, code, entry, args, said) => {
    const its = await sceneWithToken();
    await its.write("main.tf", code);
    its.hcp.workspaces.set("evil", []);
    for (const [workspace, name] of [
      ["web", "db_password"],
      ["evil", NAME],
    ] as const) {
      its.hcp.set(workspace, name, "theirs", { category: name === NAME ? "env" : "terraform" });
    }
    await addToRecord(its, entry);
    const { stdout, stderr } = await its.run(args, { input: its.fresh });
    expect(stdout + stderr).toContain(said);
    expect(stdout + stderr).not.toContain("terraform login");
    expect(its.hcp.writes.filter((each) => /evil|db_password/.test(each))).toEqual([]);
  });

  it("what somebody stores directly after us is not taken for ours", async () => {
    const its = await sceneWithToken();
    its.hcp.onWritten = () => its.hcp.set("web", NAME, "theirs");
    await rotate(its);
    const { stdout } = await its.run(["check", "--remote"]);
    expect(stdout).toContain("was changed by somebody else.");
  });

  it("a store that failed, and a write of somebody else, are no reason to revoke", async () => {
    const its = await sceneWithToken();
    its.hcp.failAt(1, 500);
    its.hcp.onWritten = () => its.hcp.set("web", NAME, its.token);
    await rotate(its);
    its.hcp.onWritten = undefined;
    const newest = randomToken();
    its.sandbox.accept(newest, { scopes: ["account:read", "droplet:create"] });
    const args = ["rotate", "--token-stdin", "--yes", "--revoke"];
    const { stderr } = await its.run(args, { input: newest });
    expect([its.held(), stderr]).toEqual([newest, expect.any(String)]);
  });

  it("ci hcp: a store that failed, and a write of somebody else, are stored again", async () => {
    const its = await scene();
    its.hcp.failAt(1, 500);
    its.hcp.onWritten = () => its.hcp.set("web", NAME, "theirs");
    await its.ci();
    its.hcp.onWritten = undefined;
    expect((await its.record())[0]).not.toHaveProperty("is");
    const { status, stderr } = await its.ci();
    expect([status, its.held()], stderr).toEqual([0, its.fresh]);
  });

  it("the host may make versions of anything", async () => {
    const its = await sceneWithToken({ version: 'W/"é' });
    const { stdout } = await its.run(["check", "--remote"]);
    expect(stdout).toContain("has been stored as it should be");
  });

  it.each<[what: string, change: (its: Scene) => unknown, said: RegExp]>([
    [
      "deleted",
      ({ hcp }) => hcp.workspaces.get("web")?.splice(0),
      /There is no DIGITALOCEAN_TOKEN in web/,
    ],
    [
      "changed",
      ({ hcp }) => hcp.set("web", NAME, "theirs"),
      /was changed by somebody else\. Its version is v\d+; [\s\S]*ci hcp --apply --renew/,
    ],
    [
      "unreachable",
      ({ hcp }) => hcp.workspaces.delete("web"),
      /were not looked at\. app\.terraform\.io knows no workspace web/,
    ],
  ])("check --remote says if it was %s", async (_, change, said) => {
    const its = await sceneWithToken();
    await change(its);
    const { stdout, stderr } = await its.run(["check", "--remote"]);
    expect(stdout + stderr).toMatch(said);
  });

  it("logout --remote deletes it by name", async () => {
    const its = await sceneWithToken();
    its.hcp.set("web", "OTHER", "theirs");
    const { status, stderr } = await its.run(["logout", "--remote", "--yes"]);
    expect([status, its.hcp.workspaces.get("web")?.map(({ key }) => key)], stderr).toEqual([
      0,
      ["OTHER"],
    ]);
    await expect(its.read(RECORD)).rejects.toThrow("ENOENT");
  });

  it.each<[what: string, entry: object]>([
    ["a host with a path", { organization: "evil.com/x/acme" }],
    ["a workspace that is a path", { workspace: "../x" }],
    ["no token", { token: undefined }],
    ["a variable that is no name", { variable: "A B" }],
    ["a Spaces key", { variable: "SPACES_SECRET_ACCESS_KEY" }],
  ])("refuses a record with %s", async (_, entry) => {
    const its = await sceneWithToken();
    const [first] = await its.record();
    await its.write(
      RECORD,
      JSON.stringify({ schemaVersion: 1, secrets: [{ ...first, ...entry }] }),
    );
    const { status, stderr } = await rotate(its);
    expect([status, stderr]).toEqual([3, expect.stringContaining("[ci.bad-record]")]);
  });
});
