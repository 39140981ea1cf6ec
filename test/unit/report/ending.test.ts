import { describe, expect, it } from "vitest";
import { planAll } from "../../../src/commands/init/plan.ts";
import { findingsOf } from "../../../src/core/finding.ts";
import { NOTHING_DONE } from "../../../src/core/flow.ts";
import { EXIT } from "../../../src/errors/exit-status.ts";
import { endingOf, stepLines } from "../../../src/report/ending.ts";
import type { Page } from "../../../src/report/paint.ts";
import type { Report } from "../../../src/report/report.ts";
import { alive, consent, facts, type Given, inspection } from "../../fixtures/facts.ts";
import { PERSONAL } from "../samples.ts";

const PAGE: Page = {
  paint: (_, text) => text,
  columns: 200,
  edge: { environment: undefined, cwd: "/repo", platform: "linux", shell: "posix" },
};
const MAIL = { email: "sammy@example.com", scopes: ["read", "write"], expiresInSeconds: null };
const token = { ...alive("env-file"), inspection: inspection("alive", MAIL) };
const PROVIDER = 'provider "digitalocean" {}\n';
const READY = { "a.tf": PROVIDER, ".terraform/providers/x": "", ".terraform.lock.hcl": "" };
const at = (dir: string, files: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`${dir}/${name}`, text]));
const BACKEND = "terraform: { dir: ., backend: { bucket: acme, region: nyc3, key: a } }";
const KEYS = {
  SPACES_ACCESS_KEY_ID: "DO00ABCDEFGHIJKLMNOP",
  SPACES_SECRET_ACCESS_KEY: "s".repeat(43),
};
const finding = findingsOf({ "a.b": ["error", EXIT.findings] });

async function reportOf(given: Given, more: Partial<Report> = {}): Promise<Report> {
  const { env = {} } = given;
  const about = { ...NOTHING_DONE, command: "check", dryRun: false, env, cwd: "/repo" } as const;
  const all = await facts({ token, ...given });
  const plan = planAll(all, consent());
  return { ...about, home: "/home/sammy", facts: all, plan, ...more };
}

/** "doctl (as …); terraform | 1. step; 2. step | next" */
async function ends(given: Given, more?: Partial<Report>): Promise<string> {
  const report = await reportOf(given, more);
  const ending = endingOf(report);
  const steps = stepLines(ending, PAGE).map((line) => line.trim().replace(/^Next: /, ""));
  return [ending.works.join("; "), ...steps].filter(Boolean).join(" | ");
}

const ROOT = "terraform: { dir: . }";
const DOCTL = "doctl (as sammy@example.com)";

describe("what works, and what is left", () => {
  it.each<[what: string, given: Given, expected: string]>([
    ["no Terraform", { config: "terraform: false" }, DOCTL],
    [
      "all is ready",
      { config: ROOT, files: READY },
      `${DOCTL}; terraform, behind exec | do-bootstrap exec -- terraform plan`,
    ],
    [
      "a root in a folder",
      { config: "terraform: { dir: infra }", files: at("infra", READY) },
      `${DOCTL}; terraform in infra, behind exec | do-bootstrap exec -- terraform -chdir=infra plan`,
    ],
    [
      "with OpenTofu",
      { config: "terraform: { dir: ., tool: tofu }", files: READY, tools: ["tofu 1.11.0"] },
      "tofu, behind exec | do-bootstrap exec -- tofu plan",
    ],
    [
      "the token in the environment: exec is not needed",
      {
        config: ROOT,
        files: READY,
        token: { ...alive("environment"), inspection: token.inspection },
      },
      `${DOCTL}; terraform | terraform plan`,
    ],
    [
      "Terraform is missing",
      { config: ROOT, files: READY, tools: ["doctl"] },
      `${DOCTL}; terraform, behind exec | Install Terraform: https://developer.hashicorp.com/terraform/install`,
    ],
    [
      "doctl is missing",
      { config: ROOT, files: READY, tools: ["terraform 1.11.4"] },
      "terraform, behind exec | do-bootstrap exec -- terraform plan",
    ],
    [
      "doctl is not wanted",
      { config: `doctl: false\n${ROOT}`, files: READY },
      "terraform, behind exec | do-bootstrap exec -- terraform plan",
    ],
    [
      "plain doctl uses another context",
      {
        config: `doctl: { context: acme }\nterraform: false`,
        files: { "/home/sammy/.config/doctl/config.yaml": `auth-contexts:\n  acme: ${PERSONAL}\n` },
      },
      "doctl --context acme (as sammy@example.com)",
    ],
    [
      "no init yet",
      { config: "terraform: { dir: ., init: false }", files: { "a.tf": PROVIDER } },
      `${DOCTL} | do-bootstrap exec -- terraform init`,
    ],
    [
      "an init that failed at the provider: no lock file",
      {
        config: "terraform: { dir: ., init: false }",
        files: { "a.tf": PROVIDER, ".terraform/providers/x": "" },
      },
      `${DOCTL} | do-bootstrap exec -- terraform init`,
    ],
    [
      "a module that is not here",
      {
        config: "terraform: { dir: ., init: false }",
        files: { ...READY, "m.tf": 'module "m" {\n  source = "acme/web/digitalocean"\n}\n' },
      },
      `${DOCTL} | do-bootstrap exec -- terraform init`,
    ],
    [
      "code that cannot be read",
      { config: ROOT, files: { ...READY, "b.tf": 'resource "a" {' } },
      `${DOCTL} | Fix the code in ., which could not be read, then run do-bootstrap`,
    ],
    [
      "a state on Spaces without keys",
      { config: BACKEND, files: READY },
      `${DOCTL} | Put SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY into the env file, then run do-bootstrap`,
    ],
    [
      "several roots, of which one is ready",
      {
        config:
          "terraform: [{ dir: a, init: false }, { dir: b, init: false }, { dir: c, init: false }]",
        files: {
          ...at("a", READY),
          ...at("b", { "a.tf": PROVIDER }),
          ...at("c", { "a.tf": PROVIDER }),
        },
      },
      `${DOCTL}; terraform in a, behind exec | Left to do: | 1. do-bootstrap exec -- terraform -chdir=b init | 2. do-bootstrap exec -- terraform -chdir=c init`,
    ],
  ])("%s", async (_, given, expected) => {
    expect(await ends(given)).toBe(expected);
  });

  it("more steps than anybody reads are counted", async () => {
    const dirs = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const config = `terraform: [${dirs.map((dir) => `{ dir: ${dir}, init: false }`).join(", ")}]`;
    const files = Object.fromEntries(dirs.map((dir) => [`${dir}/a.tf`, PROVIDER]));
    expect(await ends({ config, files })).toMatch(/6\. [^|]* \| … and 2 more like these$/);
  });

  it("a command that takes the token away ends with nothing of that", async () => {
    expect(await ends({ config: ROOT, files: READY }, { command: "logout" })).toBe("");
  });

  it("a token that DigitalOcean does not confirm makes nothing work in doctl", async () => {
    const unknown = { ...alive("env-file"), inspection: inspection("unknown") };
    expect(await ends({ config: "terraform: false", token: unknown })).toBe("");
  });

  it("an error of a root stands in the way of its plan", async () => {
    const report = await reportOf({ config: ROOT, files: READY });
    const error = { ...finding("a.b", "is wrong", { where: "/repo" }) };
    const plan = { ...report.plan, findings: [error] };
    expect(endingOf({ ...report, plan }).left).toHaveLength(1);
  });

  it("with keys in the env file a state on Spaces is ready", async () => {
    const env = Object.entries(KEYS).map(([name, value]) => `${name}=${value}\n`);
    const given = {
      config: BACKEND,
      files: { ...READY, ".env": `DIGITALOCEAN_TOKEN=${PERSONAL}\n${env.join("")}` },
    };
    expect(await ends(given)).not.toContain("Put SPACES");
  });
});
