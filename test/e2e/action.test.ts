import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { onPath } from "../fixtures/on-path.ts";
import { START_LINE } from "../fixtures/program.ts";
import { type Contexts, runnerIn } from "../fixtures/runner.ts";
import { unguardedToken, workbench } from "../fixtures/workbench.ts";
import type { Step } from "../fixtures/workflow.ts";

interface Action {
  readonly inputs: Readonly<
    Record<string, { default?: string; required?: boolean; description: string }>
  >;
  readonly outputs: Readonly<Record<string, { value: string; description: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly (Step & { id?: string })[] };
}

const TEXT = readFileSync("action.yml", "utf8");
const ACTION = parse(TEXT) as Action;
const { steps } = ACTION.runs;
const VERSION: string = JSON.parse(readFileSync("package.json", "utf8")).version;
const TOOLS = [
  "sh",
  "curl",
  "sha256sum",
  "uname",
  "mkdir",
  "chmod",
  "mv",
  "rm",
  "sed",
  "tr",
  "od",
  "true",
];
const missing = ["bash", ...TOOLS].filter((name) => !onPath(name));
const needs = missing.length > 0 ? ` (needs ${missing})` : "";

describe("action.yml", () => {
  it("has the fields of a composite action, and no others", () => {
    expect(Object.keys(parse(TEXT)).sort()).toEqual(
      ["author", "branding", "description", "inputs", "name", "outputs", "runs"].sort(),
    );
    expect(ACTION.runs.using).toBe("composite");
    for (const step of steps) {
      const known = ["name", "id", "shell", "run", "env"];
      expect(Object.keys(step).filter((key) => !known.includes(key))).toEqual([]);
      expect(step.shell).toBe("bash");
    }
    for (const input of Object.values(ACTION.inputs)) {
      expect(input.description).toEqual(expect.any(String));
      // An input is a text for GitHub.
      expect(input.required === true || typeof input.default === "string").toBe(true);
    }
  });

  it("has no expression in a script, and one script file for all steps", () => {
    for (const { run = "" } of steps) {
      expect(run).toMatch(/^sh "\$ACTION\/integrations\/action\.sh" [a-z]+$/);
    }
    expect(Object.keys(ACTION.outputs)).toEqual(["scopes"]);
    expect(ACTION.outputs["scopes"]?.value).toContain("steps.check.");
    expect(steps.filter(({ id }) => id === "check")).toHaveLength(1);
  });

  it("uses no other action, masks first, and gives the token to no download", () => {
    expect(steps.filter(({ uses }) => uses !== undefined)).toEqual([]);
    const withToken = steps.map(({ run = "", env = {} }) => [
      run.split(" ").at(-1),
      JSON.stringify(env).includes("inputs.token"),
    ]);
    expect(withToken).toEqual([
      ["mask", true],
      ["install", false],
      ["check", true],
      ["give", true],
    ]);
  });
});

describe.skipIf(needs)(`its steps, as GitHub's runner runs them${needs}`, () => {
  it("check the token and its scopes, and give later steps only the program", async () => {
    const { token, run, runner, asked } = await job();
    const { status, log } = await run();
    expect(status, log).toBe(0);
    const { env, path, outputs, summary } = await runner.given();
    expect(env).toEqual({});
    expect(path).toEqual([expect.stringMatching(`do-bootstrap-${VERSION}$`)]);
    expect(summary).toContain("vpc:create");
    expect(`${outputs["scopes"]}\n`).toBe(summary);
    expect(runner.masks).toContain(token);
    expect(log).not.toContain(token);
    const release = `/acme/do-bootstrap/releases/download/v${VERSION}`;
    expect(asked.map((url) => url.replace(/do-bootstrap-\w+-\w+$/, "BINARY"))).toEqual([
      `${release}/SHA256SUMS`,
      `${release}/BINARY`,
    ]);
    // What a later step of the job does.
    const line = "do-bootstrap exec --mask -- sh -c 'echo \"got $DIGITALOCEAN_TOKEN\"'";
    const own = { run: line, env: { DIGITALOCEAN_TOKEN: "${{ secrets.T }}" } };
    expect((await runner.run(own, { "secrets.T": token })).log).toBe("got ***");
    expect((await runner.run({ run: "echo ${DIGITALOCEAN_TOKEN-none}" }, {})).log).toBe("none");
  });

  it("with give-environment: later steps get the variables, with a warning", async () => {
    const { token, run, runner } = await job({ inputs: { "give-environment": "true" } });
    const { status, log } = await run();
    expect(status, log).toBe(0);
    expect((await runner.given()).env).toMatchObject({
      DIGITALOCEAN_TOKEN: token,
      DIGITALOCEAN_ACCESS_TOKEN: token,
    });
    expect(log).toContain("Every later step of this job gets the token.");
    expect(log).not.toContain(token);
    expect((await runner.run({ run: "echo $DIGITALOCEAN_TOKEN" }, {})).log).toBe("***");
  });

  it.each<[what: string, about: About, status: number, step: string, said: RegExp]>([
    [
      "a fork's pull request",
      { token: "", head: "eve/shop" },
      1,
      "mask",
      /no secret to a pull request of a fork.*head\.repo\.full_name == github\.repository/,
    ],
    [
      "a pull request of Dependabot",
      { token: "", head: "acme/shop", actor: "dependabot[bot]" },
      1,
      "mask",
      /Dependabot only its own secrets/,
    ],
    ["a secret that does not exist", { token: "" }, 1, "mask", /input token is empty/],
    ["a secret of white space", { token: " \n\t" }, 1, "mask", /input token is empty/],
    [
      "a token that DigitalOcean refuses",
      { token: unguardedToken() },
      125,
      "check",
      /rejects the token|rejected/,
    ],
    [
      "a token of another team",
      { config: "account: { team: Elsewhere }\n" },
      125,
      "check",
      /team/i,
    ],
    [
      "a token that lacks a scope",
      { scopes: ["account:read", "vpc:read"] },
      5,
      "check",
      /exit status 5/,
    ],
    ["an environment that the config lacks", { inputs: { env: "prod" } }, 125, "check", /prod/],
    [
      "an unknown use",
      { inputs: { "scopes-for": "everything" } },
      1,
      "check",
      /plan, create, apply, destroy or empty/,
    ],
    [
      "a version that is no release",
      { inputs: { version: "../../eve" } },
      1,
      "install",
      /release such as 1\.2\.3/,
    ],
    [
      "a version without a release",
      { inputs: { version: "9.9.9" } },
      1,
      "install",
      /Could not download/,
    ],
    [
      "a binary with another hash than asked",
      { inputs: { sha256: "0".repeat(64) } },
      1,
      "install",
      /wrong checksum/,
    ],
  ])("stop at %s", async (_, about, status, step, said) => {
    const { run, runner, token } = await job(about);
    const ended = await run();
    expect(ended.log).toMatch(said);
    expect([ended.status, ended.at]).toEqual([status, step]);
    expect((await runner.given()).env).toEqual({});
    if (token.trim() !== "") expect(ended.log).not.toContain(token);
  });

  it("show the missing scopes in the summary of a job that fails", async () => {
    const { run, runner } = await job({ scopes: ["account:read", "vpc:read"] });
    await run();
    expect((await runner.given()).summary).toMatch(/vpc:create/);
  });

  it("with an empty scopes-for: check the token alone", async () => {
    const { run, runner } = await job({ scopes: ["account:read"], inputs: { "scopes-for": "" } });
    const { status, log } = await run();
    expect(status, log).toBe(0);
    expect((await runner.given()).summary).toBe("");
  });

  it("mask a token that is more than one line, or has a %", async () => {
    const token = `${unguardedToken()}%0A\r\nsecond-line`;
    const { run, runner } = await job({ token });
    const { log } = await run();
    expect([...runner.masks]).toEqual(token.split("\r\n"));
    expect(log).not.toContain("second-line");
  });

  it("take no expression and no option from an input", async () => {
    const env = '$(touch ran); --format=json "x';
    const { run, bench } = await job({ inputs: { env, "scopes-for": "" } });
    expect((await run()).status).toBe(125);
    await expect(readFile(join(bench.repo, "ran"))).rejects.toThrow("ENOENT");
  });
});

interface About {
  readonly token?: string;
  readonly scopes?: readonly string[];
  readonly config?: string;
  readonly inputs?: Readonly<Record<string, string>>;
  /** The repo of a pull request's branch. */
  readonly head?: string;
  readonly actor?: string;
}

/** A job of acme/shop that uses the action, and GitHub on loopback with a release. */
async function job({
  inputs = {},
  head = "",
  actor = "sammy",
  config,
  scopes,
  token: given,
}: About = {}) {
  const bench = await workbench();
  const token = given ?? bench.token;
  if (scopes !== undefined) bench.sandbox.accept(token, { scopes: [...scopes] });
  else if (given === undefined) bench.sandbox.accept(token);
  await bench.write(
    "main.tf",
    'resource "digitalocean_vpc" "a" {\n  name   = "a"\n  region = "nyc3"\n}\n',
  );
  if (config !== undefined) await bench.write("do-bootstrap.config.yaml", config);
  for (const name of TOOLS) {
    const text = `#!/bin/bash\nexec ${onPath(name)} "$@"\n`;
    await writeFile(join(bench.bin, name), text, { mode: 0o755 });
  }
  const { asked, address } = await releaseServer();
  const folder = join(bench.root, "runner");
  const runner = await runnerIn(folder, {
    cwd: bench.repo,
    env: {
      ...bench.env,
      ...{ GITHUB_SERVER_URL: address, GITHUB_REPOSITORY: "acme/shop", GITHUB_ACTOR: actor },
    },
  });
  await mkdir(join(bench.root, "state"));
  const defaults = Object.entries(ACTION.inputs).map(([name, { default: text = "" }]) => [
    `inputs.${name}`,
    text,
  ]);
  const contexts: Contexts = {
    ...Object.fromEntries(defaults),
    ...Object.fromEntries(Object.entries(inputs).map(([name, text]) => [`inputs.${name}`, text])),
    "inputs.token": token,
    "github.action_path": process.cwd(),
    "github.action_repository": "acme/do-bootstrap",
    "github.event.pull_request.head.repo.full_name": head,
  };
  bench.mayHold("../runner/ENV");
  return {
    ...{ bench, runner, token, asked },
    /** The steps in turn, until one fails. */
    async run() {
      let log = "";
      for (const step of steps) {
        const ran = await runner.run(step, contexts);
        log += `${ran.log}\n`;
        if (ran.status !== 0) return { status: ran.status, log, at: step.run?.split(" ").at(-1) };
      }
      return { status: 0, log, at: undefined };
    },
  };
}

/** GitHub with one release, whose binary starts the program that is tested. */
async function releaseServer() {
  const name = `do-bootstrap-${process.platform}-${process.arch}`;
  const binary = `#!/bin/sh\nexec ${START_LINE} "$@"\n`;
  const sum = createHash("sha256").update(binary).digest("hex");
  const files: Record<string, string> = { SHA256SUMS: `${sum}  ${name}\n`, [name]: binary };
  const asked: string[] = [];
  const server = createServer(({ url = "" }, answer) => {
    asked.push(url);
    const text = files[url.replace(`/acme/do-bootstrap/releases/download/v${VERSION}/`, "")];
    answer.writeHead(text === undefined ? 404 : 200).end(text);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  return { asked, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
