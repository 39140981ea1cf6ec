import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { type Workbench, workbench } from "../fixtures/workbench.ts";

const CODE = `terraform {
  backend "s3" {
    bucket = "b"
    key    = "k"
    region = "r"
  }
}
`;
/** A yes, and one answer for each secret: both tokens, and both halves of two keys. The second one is skipped. */
const ANSWERS = ["y", "plan-token", "id-1", "", "apply's $token", "id-2", "key-2"];

/** A tool that logs its arguments and its input, and fails on a call that the script does not make. */
function toolThat(answers: string): string {
  return `#!/bin/sh
input=
case "$*" in
*"secret set"* | *"variable set"* | *--input*) IFS= read -r input || : ;;
esac
echo "$* < $input" >> "$LOG"
case "$*" in
${answers}
*) echo "not expected: $*" >&2; exit 9 ;;
esac
`;
}

const ENVIRONMENTS = "api --hostname ghe.acme.com repos/acme/web/environments";
const TO = "--repo ghe.acme.com/acme/web";
const VIEW = "repo view --json url --jq .url < ";

/**
 * @param isThere the environments exist, and these branches may use that for apply.
 * @param policy what the environment says of them; empty: it has a list.
 */
function gh(isThere: string | undefined, policy = ""): string {
  return toolThat(`"repo view "*) echo https://ghe.acme.com/acme/web ;;
"${ENVIRONMENTS}/"*" --silent") ${isThere === undefined ? 'echo "gh: Not Found (HTTP 404)" >&2; exit 1' : "exit 0"} ;;
"${ENVIRONMENTS}/digitalocean-apply --jq "*) echo "${policy}" ;;
"${ENVIRONMENTS}/digitalocean-apply/deployment-branch-policies?per_page=100 --jq "*) echo "${isThere ?? ""}" ;;
"api --hostname ghe.acme.com user --jq .id") echo 42 ;;
"${ENVIRONMENTS}/"*" --silent --method "*) ;;
"secret set "*) ;;`);
}

const GLAB =
  toolThat(`"variable set AWS_ACCESS_KEY_ID "* | "variable set SPACES_ACCESS_KEY_ID "*) exit 1 ;;
"variable set "* | "variable update "*) ;;`);

async function scriptOf(provider: string): Promise<{ its: Workbench; script: string }> {
  const its = await workbench();
  await its.write("do-bootstrap.config.yaml", "project: acme\nterraform: {}\n");
  await its.write("main.tf", CODE);
  await its.git("checkout", "--quiet", "-b", "main");
  await its.git("add", "--all");
  await its.git("commit", "--quiet", "--message", "code");
  const before = await its.git("status", "--porcelain");
  const { status, stdout, stderr } = await its.run(["ci", provider, "--script"]);
  expect(status, stderr).toBe(0);
  expect(await its.git("status", "--porcelain")).toBe(before);
  return { its, script: stdout };
}

/** Runs it as a person would. @returns what the tool was called with. */
async function runScript(
  its: Workbench,
  script: string,
  tool: string,
  text: string,
  answers: readonly string[] = ANSWERS,
) {
  await writeFile(join(its.bin, tool), text, { mode: 0o755 });
  await its.write("setup.sh", script);
  const log = join(its.root, "log");
  const { exitCode, stderr } = await execa("/bin/sh", ["setup.sh"], {
    ...{ cwd: its.repo, input: `${answers.join("\n")}\n`, reject: false, extendEnv: false },
    env: { PATH: its.bin, LOG: log },
  });
  const logged = await readFile(log, "utf8").catch(() => "");
  const calls = logged.split("\n").filter(Boolean);
  return { exitCode, stderr, calls };
}

describe("ci github --script", () => {
  it("creates the environments and stores what it is told, by standard input", async () => {
    const { its, script } = await scriptOf("github");
    const { exitCode, calls, stderr } = await runScript(its, script, "gh", gh(undefined));
    expect([exitCode, calls], stderr).toEqual([
      0,
      [
        VIEW,
        `${ENVIRONMENTS}/digitalocean-plan --silent < `,
        `${ENVIRONMENTS}/digitalocean-plan --silent --method PUT < `,
        `secret set DIGITALOCEAN_TOKEN_PLAN --env digitalocean-plan ${TO} < plan-token`,
        `secret set AWS_ACCESS_KEY_ID --env digitalocean-plan ${TO} < id-1`,
        `${ENVIRONMENTS}/digitalocean-apply --silent < `,
        "api --hostname ghe.acme.com user --jq .id < ",
        `${ENVIRONMENTS}/digitalocean-apply --silent --method PUT --input - < {"deployment_branch_policy":{"protected_branches":false,"custom_branch_policies":true},"reviewers":[{"type":"User","id":42}]}`,
        `${ENVIRONMENTS}/digitalocean-apply/deployment-branch-policies --silent --method POST -f name=main < `,
        `secret set DIGITALOCEAN_TOKEN_APPLY --env digitalocean-apply ${TO} < apply's $token`,
        `secret set AWS_ACCESS_KEY_ID --env digitalocean-apply ${TO} < id-2`,
        `secret set AWS_SECRET_ACCESS_KEY --env digitalocean-apply ${TO} < key-2`,
      ],
    ]);
    expect(stderr).toContain("A read-only token, for digitalocean-plan: account:read.");
  });

  it("ends if GitHub does not say whether an environment exists", async () => {
    const { its, script } = await scriptOf("github");
    const failing = toolThat(
      '"repo view "*) echo https://github.com/acme/web ;;\n*) echo "gh: Bad Gateway (HTTP 502)" >&2; exit 1 ;;',
    );
    const { exitCode, calls, stderr } = await runScript(its, script, "gh", failing);
    expect([exitCode, calls.length, stderr]).toEqual([1, 2, expect.stringContaining("HTTP 502")]);
  });

  it("changes no environment that exists", async () => {
    const { its, script } = await scriptOf("github");
    const { exitCode, calls } = await runScript(its, script, "gh", gh("main"));
    expect([exitCode, calls.filter((call) => call.includes("--method"))]).toEqual([0, []]);
  });

  it("goes on with an environment that a stopped run left without its branch", async () => {
    const { its, script } = await scriptOf("github");
    const { exitCode, calls, stderr } = await runScript(its, script, "gh", gh(""));
    expect([exitCode, calls.filter((call) => call.includes("--method"))], stderr).toEqual([
      0,
      [expect.stringContaining("deployment-branch-policies --silent --method POST -f name=main")],
    ]);
  });

  it.each<[branches: string, policy: string, who: string]>([
    ["main, release", "", "main, release"],
    ["tag main", "", "tag main"],
    ["", "every branch", "every branch"],
    ["", "protected branches", "protected branches"],
  ])("stops before the token for apply, if %j may use its environment (%j)", async (...row) => {
    const [branches, policy, who] = row;
    const { its, script } = await scriptOf("github");
    const { exitCode, calls, stderr } = await runScript(its, script, "gh", gh(branches, policy));
    const said = `not only main may use it (${who})`;
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(said)]);
    expect(calls.filter((call) => /TOKEN_APPLY|--method/.test(call))).toEqual([]);
  });

  it.each(["", "n", "plan-token"])("shows the repo, and does nothing after %j", async (answer) => {
    const { its, script } = await scriptOf("github");
    const { exitCode, calls, stderr } = await runScript(its, script, "gh", gh(""), [answer]);
    expect([exitCode, calls, stderr]).toEqual([
      1,
      [VIEW],
      expect.stringContaining("This sets up ghe.acme.com/acme/web. Continue? (y/N)"),
    ]);
  });
});

describe("ci gitlab --script", () => {
  it("stores each variable masked, in its scope, and protected for apply", async () => {
    const { its, script } = await scriptOf("gitlab");
    await its.git("remote", "add", "origin", "https://oauth2:hunter2@gitlab.com/acme/web.git");
    const { exitCode, calls, stderr } = await runScript(its, script, "glab", GLAB);
    const to = "-R https://gitlab.com/acme/web.git";
    const [plan, apply] = [`-m -s digitalocean-plan ${to}`, `-mp -s digitalocean-apply ${to}`];
    expect(stderr).toContain("This sets up https://gitlab.com/acme/web.git. Continue? (y/N)");
    expect([exitCode, calls], stderr).toEqual([
      0,
      [
        `variable set DIGITALOCEAN_TOKEN_PLAN ${plan} < plan-token`,
        expect.stringMatching(new RegExp(`^variable set \\w+_ACCESS_KEY_ID ${plan} < id-1`)),
        expect.stringMatching(new RegExp(`^variable update \\w+_ACCESS_KEY_ID ${plan} < `)),
        `variable set DIGITALOCEAN_TOKEN_APPLY ${apply} < apply's $token`,
        expect.stringMatching(new RegExp(`^variable set \\w+_ACCESS_KEY_ID ${apply} < id-2`)),
        expect.stringMatching(new RegExp(`^variable update \\w+_ACCESS_KEY_ID ${apply} < `)),
        expect.stringMatching(new RegExp(`^variable set \\w+_SECRET_ACCESS_KEY ${apply} < key-2`)),
      ],
    ]);
  });
});

it("--script and --apply can't be combined", async () => {
  const its = await workbench();
  const { status, stderr } = await its.run(["ci", "github", "--apply", "--script"]);
  expect([status, stderr]).toEqual([2, expect.stringContaining("can't be combined")]);
});
