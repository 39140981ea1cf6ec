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
/** One answer for each secret: both tokens, and both halves of two keys. The second one is skipped. */
const ANSWERS = ["plan-token", "id-1", "", "apply's $token", "id-2", "key-2"];

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

const PATH_OF = "repos/{owner}/{repo}/environments";

/** @param isThere the environments exist, and this branch may use that for apply. */
function gh(isThere: string | undefined): string {
  return toolThat(`"api --silent ${PATH_OF}/"*) ${isThere === undefined ? 'echo "gh: Not Found (HTTP 404)" >&2; exit 1' : "exit 0"} ;;
"api ${PATH_OF}/digitalocean-apply/deployment-branch-policies --jq "*) echo "${isThere ?? ""}" ;;
"api user --jq .id") echo 42 ;;
"api --silent --method "*) ;;
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
async function runScript(its: Workbench, script: string, tool: string, text: string) {
  await writeFile(join(its.bin, tool), text, { mode: 0o755 });
  await its.write("setup.sh", script);
  const log = join(its.root, "log");
  const { exitCode, stderr } = await execa("/bin/sh", ["setup.sh"], {
    ...{ cwd: its.repo, input: `${ANSWERS.join("\n")}\n`, reject: false, extendEnv: false },
    env: { PATH: its.bin, LOG: log },
  });
  const calls = (await readFile(log, "utf8")).trimEnd().split("\n");
  return { exitCode, stderr, calls };
}

describe("ci github --script", () => {
  it("creates the environments and stores what it is told, by standard input", async () => {
    const { its, script } = await scriptOf("github");
    const { exitCode, calls, stderr } = await runScript(its, script, "gh", gh(undefined));
    expect([exitCode, calls], stderr).toEqual([
      0,
      [
        `api --silent ${PATH_OF}/digitalocean-plan < `,
        `api --silent --method PUT ${PATH_OF}/digitalocean-plan < `,
        "secret set DIGITALOCEAN_TOKEN_PLAN --env digitalocean-plan < plan-token",
        "secret set AWS_ACCESS_KEY_ID --env digitalocean-plan < id-1",
        `api --silent ${PATH_OF}/digitalocean-apply < `,
        "api user --jq .id < ",
        `api --silent --method PUT ${PATH_OF}/digitalocean-apply --input - < {"deployment_branch_policy":{"protected_branches":false,"custom_branch_policies":true},"reviewers":[{"type":"User","id":42}]}`,
        `api --silent --method POST ${PATH_OF}/digitalocean-apply/deployment-branch-policies -f name=main < `,
        "secret set DIGITALOCEAN_TOKEN_APPLY --env digitalocean-apply < apply's $token",
        "secret set AWS_ACCESS_KEY_ID --env digitalocean-apply < id-2",
        "secret set AWS_SECRET_ACCESS_KEY --env digitalocean-apply < key-2",
      ],
    ]);
    expect(stderr).toContain("A read-only token, for digitalocean-plan: account:read.");
  });

  it("ends if GitHub does not say whether an environment exists", async () => {
    const { its, script } = await scriptOf("github");
    const failing = toolThat('*) echo "gh: Bad Gateway (HTTP 502)" >&2; exit 1 ;;');
    const { exitCode, calls, stderr } = await runScript(its, script, "gh", failing);
    expect([exitCode, calls.length, stderr]).toEqual([1, 1, expect.stringContaining("HTTP 502")]);
  });

  it("changes no environment that exists", async () => {
    const { its, script } = await scriptOf("github");
    const { exitCode, calls } = await runScript(its, script, "gh", gh("main"));
    expect([exitCode, calls.filter((call) => call.includes("--method"))]).toEqual([0, []]);
  });

  it("stops before the token for apply, if other branches may use its environment", async () => {
    const { its, script } = await scriptOf("github");
    const { exitCode, calls, stderr } = await runScript(its, script, "gh", gh("main release"));
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("not only main may use it")]);
    expect(calls.filter((call) => call.includes("TOKEN_APPLY"))).toEqual([]);
  });
});

describe("ci gitlab --script", () => {
  it("stores each variable masked, in its scope, and protected for apply", async () => {
    const { its, script } = await scriptOf("gitlab");
    const { exitCode, calls, stderr } = await runScript(its, script, "glab", GLAB);
    const [plan, apply] = ["-m -s digitalocean-plan", "-mp -s digitalocean-apply"];
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
