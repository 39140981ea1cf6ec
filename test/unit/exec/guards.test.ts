import { describe, expect, it } from "vitest";
import type { ExecConfig } from "../../../src/exec/exec-config.ts";
import {
  refuseDoctlLogin,
  refuseNested,
  refuseOtherRoot,
  refuseOtherToken,
  refuseOtherWorkspace,
} from "../../../src/exec/guards.ts";
import type { TokenState } from "../../../src/exec/token-sources.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { said } from "../../fixtures/hint.ts";
import { EXEC_CONFIG, OTHER, PERSONAL, secret, thrownBy } from "../samples.ts";

describe("a root that only another environment has", () => {
  const config: ExecConfig = {
    ...EXEC_CONFIG,
    environment: "prod",
    othersRoots: [{ environment: "dev", dir: "/repo/environments/dev" }],
  };
  const guard = (line: string, cwd = "/repo") => refuseOtherRoot(line.split(" "), { config, cwd });

  it.each<[line: string, cwd?: string]>([
    ["terraform -chdir=environments/dev apply"],
    ["tofu plan", "/repo/environments/dev"],
    ["terraform -chdir=../dev state list", "/repo/environments/prod"],
  ])("%s in %s: refused", (...given) => {
    const { code, message, hint } = thrownBy(() => guard(...given));
    expect([code, message]).toEqual([
      "OTHER_ROOT",
      "/repo/environments/dev is a root of environment dev, not of prod.",
    ]);
    expect(said(hint)).toContain(`do-bootstrap exec --env dev -- ${given[0]}`);
  });

  it.each<[line: string, cwd?: string]>([
    ["terraform -chdir=environments/prod apply"],
    ["terraform -chdir=environments/dev init"],
    ["terraform -chdir=environments/dev fmt"],
    ["terraform plan"],
    ["make plan", "/repo/environments/dev"],
  ])("%s in %s: allowed", (...given) => {
    expect(() => guard(...given)).not.toThrow();
  });
});

describe("another environment's workspace", () => {
  const config: ExecConfig = {
    ...EXEC_CONFIG,
    environment: "staging",
    workspaces: [{ dir: "/repo/infra", workspace: "staging" }],
  };
  /** Selects workspace prod in this file of /repo/infra and runs the command in cwd. */
  const guard = (line: string, env = {}, cwd = "/repo", file = ".terraform/environment") =>
    refuseOtherWorkspace(line.split(" "), {
      config,
      env,
      cwd,
      textAt: (path) => (path === `/repo/infra/${file}` ? "prod" : ""),
    });

  it.each<[line: string, env: Record<string, string>, cwd: string, file: string]>([
    ["terraform -chdir=infra plan", {}, "/repo", ".terraform/environment"],
    ["terraform plan", {}, "/repo/infra", ".terraform/environment"],
    ["/opt/tofu apply -auto-approve", {}, "/repo/infra", ".terraform/environment"],
    ["TERRAFORM.EXE -chdir=../infra destroy", {}, "/repo/web", ".terraform/environment"],
    ["terraform state list", { TF_DATA_DIR: "data" }, "/repo/infra", "data/environment"],
    ["terraform output", { TF_WORKSPACE: "" }, "/repo/infra", ".terraform/environment"],
  ])("%s %j in %s: refused", (line, env, cwd, file) => {
    const refusal = thrownBy(() => guard(line, env, cwd, file));
    expect(refusal).toMatchObject({
      code: "OTHER_WORKSPACE",
      message:
        "Workspace prod is selected in /repo/infra, but environment staging uses staging. Its token would be used with another environment's state.",
    });
    expect(said(refusal.hint, { environment: "staging" })).toBe(
      "do-bootstrap --env staging selects staging.",
    );
  });

  it("none is selected: refused", () => {
    const refused = thrownBy(() => guard("terraform -chdir=infra plan", {}, "/repo", "elsewhere"));
    expect(refused.message).toContain("Workspace default is selected in /repo/infra");
  });

  it.each<[line: string, env: Record<string, string>]>([
    ["terraform -chdir=infra init", {}],
    ["terraform -chdir=infra workspace select staging", {}],
    ["terraform -chdir=infra", {}],
    ["terraform -chdir=infra validate", {}],
    ["terraform -chdir=dns plan", {}],
    ["terraform -chdir=infra plan", { TF_WORKSPACE: "staging" }],
    ["make plan", {}],
  ])("%s %j: allowed", (line, env) => {
    expect(() => guard(line, env)).not.toThrow();
  });

  it("its own is selected: allowed", () => {
    const facts = { config, env: {}, cwd: "/repo/infra", textAt: () => "staging\n" };
    expect(() => refuseOtherWorkspace(["terraform", "plan"], facts)).not.toThrow();
  });
});

describe("doctl auth under exec", () => {
  it.each([
    "doctl auth init",
    "doctl auth login",
    "doctl --context team auth login --no-browser",
    "doctl --callback-port 8123 auth login",
    "doctl --scopes read auth login",
    "doctl --token-validation-server https://x auth init",
    "doctl auth switch",
    "doctl auth remove",
    "doctl auth rm",
    "doctl auth init --context prod",
    "doctl auth --context prod init",
    "doctl --context prod auth init",
    "doctl --context=prod auth init",
    "doctl -t x auth init",
    "doctl auth -u https://x init",
    "doctl auth -o json init",
    "doctl -c config.yaml auth switch --context prod",
    "doctl --http-retry-max 3 auth init",
    "doctl --trace auth init",
    "doctl --verbose auth init --interactive",
    "/usr/local/bin/doctl auth init",
    "./doctl auth init",
    "C:\\tools\\doctl.exe auth init",
    "DOCTL.EXE auth init",
  ])("%s: refused", (line) => {
    const { code, status, message } = thrownBy(() => refuseDoctlLogin(line.split(" ")));
    const verb = /\b(init|login|switch|remove|rm)\b/.exec(line)?.[1];
    expect({ code, status, message }).toEqual({
      code: "DOCTL_LOGIN",
      status: 2,
      message: `doctl auth ${verb} under exec would overwrite doctl's default context with this token.`,
    });
  });

  it.each([
    "doctl auth list",
    "doctl auth ls",
    "doctl auth token",
    "doctl auth",
    "doctl",
    "doctl account get",
    "doctl compute droplet init",
    "doctl init auth",
    "doctl auth init --help",
    "doctl auth init -h",
    "doctl --context auth init",
    "doctl apps create --spec auth init",
    "doctl-auth auth init",
    "mydoctl auth init",
    "echo doctl auth init",
    "ls",
    "",
  ])("%s: allowed", (line) => {
    expect(refuseDoctlLogin(line.split(" "))).toBeUndefined();
  });

  it.each([
    ["init", "To store this token in doctl: do-bootstrap"],
    [
      "switch",
      "Run it without exec: env -u DIGITALOCEAN_ACCESS_TOKEN doctl auth switch --context NAME",
    ],
    ["rm", "Run it without exec: env -u DIGITALOCEAN_ACCESS_TOKEN doctl auth rm --context NAME"],
  ])("auth %s: %s", (verb, step) => {
    const { hint } = thrownBy(() => refuseDoctlLogin(["doctl", "auth", verb]));
    expect(said(hint)).toBe(step);
  });

  it("an empty command: allowed", () => {
    expect(refuseDoctlLogin([])).toBeUndefined();
  });
});

describe("exec inside exec", () => {
  const found: TokenState = { kind: "found", token: secret(), shadowed: [] };
  const rival = Secret.of(OTHER, { kind: "env-file", name: "T", path: "/repo/.env" });
  const shadowing: TokenState = { kind: "found", token: secret(), shadowed: [rival] };

  const check = (marker: string | undefined, environment: string | undefined, token: TokenState) =>
    refuseNested({ DO_BOOTSTRAP_EXEC: marker }, { ...EXEC_CONFIG, environment }, token);

  it.each<[what: string, marker: string | undefined, environment: string | undefined, TokenState]>([
    ["not nested", undefined, undefined, shadowing],
    ["not nested, --env prod", undefined, "prod", shadowing],
    ["an empty marker", "", "prod", shadowing],
    ["an invalid marker", "yes", "prod", shadowing],
    ["the same folder", ":/repo", undefined, found],
    ["the same folder, env file changed meanwhile", ":/repo", undefined, shadowing],
    ["the same folder, --env prod", "prod:/repo", "prod", found],
    ["another folder without its own token", ":/other", undefined, found],
    ["another folder without its own token, --env prod", "prod:/other", "prod", found],
    ["no token at all", ":/other", undefined, { kind: "missing" }],
  ])("%s: allowed", (_, marker, environment, token) => {
    expect(check(marker, environment, token)).toBeUndefined();
  });

  const UNDER = "This command runs inside do-bootstrap exec";
  const ANOTHER = `T in /repo/.env holds another token (${rival.fingerprint}).`;
  it.each<[what: string, string, string | undefined, TokenState, string]>([
    [
      "--env dev inside --env prod",
      "prod:/repo",
      "dev",
      found,
      `This command is for environment dev, but runs inside do-bootstrap exec for environment prod.`,
    ],
    [
      "--env prod inside no environment",
      ":/repo",
      "prod",
      found,
      `This command is for environment prod, but runs inside do-bootstrap exec for no environment.`,
    ],
    [
      "no environment inside --env prod",
      "prod:/repo",
      undefined,
      found,
      `This command is for no environment, but runs inside do-bootstrap exec for environment prod.`,
    ],
    [
      "--env prod from another folder",
      ":/other",
      "prod",
      found,
      `This command is for environment prod, but runs inside do-bootstrap exec for no environment.`,
    ],
    [
      "another folder with its own token",
      ":/other",
      undefined,
      shadowing,
      `${UNDER} from /other, but ${ANOTHER}`,
    ],
    [
      "another folder with its own token, --env prod",
      "prod:/other",
      "prod",
      shadowing,
      `${UNDER} from /other, but ${ANOTHER}`,
    ],
    ["a folder with a colon", ":/a:b", undefined, shadowing, `${UNDER} from /a:b, but ${ANOTHER}`],
    [
      "--env dev inside prod, without a token",
      "prod:/repo",
      "dev",
      { kind: "missing" },
      `This command is for environment dev, but runs inside do-bootstrap exec for environment prod.`,
    ],
  ])("%s: refused", (_, marker, environment, token, text) => {
    const { code, status, message, hint } = thrownBy(() => check(marker, environment, token));
    expect({ code, status, message }).toEqual({ code: "NESTED_EXEC", status: 2, message: text });
    expect(said(hint)).toBe("Run the two commands one after the other, not nested.");
    expect(message).not.toContain(OTHER);
  });
});

describe("Terraform's secret file with another token", () => {
  const PATH = "/repo/do-bootstrap.secret.auto.tfvars.json";
  const config = { ...EXEC_CONFIG, secretFiles: [{ path: PATH, variable: "do_token" }] };
  const used = Secret.of(PERSONAL, { kind: "environment", name: "DIGITALOCEAN_TOKEN" });
  const other = Secret.of(OTHER, { kind: "stdin" });

  it.each([
    ["no file", ""],
    ["the same token", JSON.stringify({ do_token: PERSONAL })],
    ["the same token with whitespace around it", JSON.stringify({ do_token: ` ${PERSONAL}\n` })],
    ["another variable", JSON.stringify({ other: OTHER })],
    ["an empty one", JSON.stringify({ do_token: "" })],
    ["null", JSON.stringify({ do_token: null })],
    ["a number", JSON.stringify({ do_token: 1 })],
    ["not an object", "null"],
    ["a list", "[]"],
    ["a text", JSON.stringify(OTHER)],
    ["broken", `{"do_token": "${OTHER}"`],
  ])("%s: allowed", (_, text) => {
    expect(refuseOtherToken(config, used, () => text)).toBeUndefined();
  });

  it.each([
    ["another token", OTHER],
    ["another token with whitespace around it", ` ${OTHER} `],
    ["a value that is not a token", "hunter2"],
  ])("%s: refused, and shown by its fingerprint", (_, value) => {
    const { code, status, message, hint } = thrownBy(() =>
      refuseOtherToken(config, used, () => JSON.stringify({ do_token: value })),
    );
    expect([code, status]).toEqual(["OTHER_TOKEN", 3]);
    const held = Secret.of(value.trim(), { kind: "stdin" }).fingerprint;
    expect(message).toBe(
      `${PATH} holds a different token (${held}) from DIGITALOCEAN_TOKEN in the environment (${used.fingerprint}). Terraform would use the one in the file.`,
    );
    expect(said(hint)).toBe(
      `do-bootstrap --save replaces it with the token in use; or: rm ${PATH}`,
    );
    for (const token of [value.trim(), PERSONAL]) expect(message).not.toContain(token);
  });

  it("checks each root's file, under its own variable", () => {
    const texts: Record<string, string> = {
      "/a": JSON.stringify({ x: PERSONAL, y: OTHER }),
      "/b": JSON.stringify({ y: OTHER }),
    };
    const roots = [
      { path: "/a", variable: "x" },
      { path: "/b", variable: "y" },
    ];
    const refuse = (secretFiles: ExecConfig["secretFiles"]) =>
      refuseOtherToken({ ...EXEC_CONFIG, secretFiles }, used, (path) => texts[path] ?? "");
    expect(refuse(roots.slice(0, 1))).toBeUndefined();
    expect(thrownBy(() => refuse(roots)).message).toMatch(
      new RegExp(`^/b holds a different token \\(${other.fingerprint}\\)`),
    );
  });
});
