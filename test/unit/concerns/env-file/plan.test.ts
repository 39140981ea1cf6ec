import { describe, expect, it } from "vitest";
import { planEnvFile } from "../../../../src/concerns/env-file/plan.ts";
import { diffOf } from "../../../../src/report/diff.ts";
import {
  afterwards,
  alive,
  consent,
  type Flags,
  facts,
  found,
  type Given,
  MISSING,
  planned,
  secretFrom,
  textsAfter,
} from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";
import { LEGACY, OTHER, PERSONAL } from "../../samples.ts";

const plan = async (given: Given, ...flags: Flags) =>
  planEnvFile(await facts(given), consent(...flags));
const T = "DIGITALOCEAN_TOKEN";
const KEY = "SPACES_SECRET_ACCESS_KEY=s3cr3t\n";
const PROMPT = alive("prompt");
const ENVIRONMENT = alive("environment");
const env = (entry: NonNullable<Given["files"]>[string]): Pick<Given, "files"> => ({
  files: { ".env": entry },
});

describe("whether the token is written", () => {
  it.each<[string, Given, Flags, readonly string[]]>([
    ["the file has it", {}, [], []],
    ["no token", { token: MISSING, ...env(undefined) }, [], []],
    ["a refused token", { token: found("refused", "prompt"), ...env(undefined) }, [], []],
    [
      "a token that could not be checked",
      { token: found("unknown", "prompt"), ...env("") },
      [],
      [],
    ],
    ["from the prompt", { token: PROMPT, ...env(undefined) }, [], ["+ .env secret 0600"]],
    [
      "from standard input",
      { token: alive("stdin"), ...env(undefined) },
      [],
      ["+ .env secret 0600"],
    ],
    ["from code", { token: alive("code"), ...env(undefined) }, [], ["+ .env secret 0600"]],
    ["from the environment", { token: ENVIRONMENT, ...env(undefined) }, [], []],
    ["from a command", { token: alive("command"), ...env(undefined) }, [], []],
    [
      "from the environment, --save",
      { token: ENVIRONMENT, ...env("") },
      ["save"],
      ["~ .env secret 0600"],
    ],
    [
      "from a command, --save",
      { token: alive("command"), ...env("") },
      ["save"],
      ["~ .env secret 0600"],
    ],
    ["from the prompt, in CI", { token: PROMPT, isCi: true, ...env(undefined) }, [], []],
    [
      "from the prompt, in CI with --save",
      { token: PROMPT, isCi: true, ...env("") },
      ["save"],
      ["~ .env secret 0600"],
    ],
    [
      "in place of an older token",
      { token: alive("prompt", { value: OTHER }) },
      [],
      ["~ .env secret 0600"],
    ],
    ["the same as in the file", { token: PROMPT }, [], []],
    [
      "a token from before 2022",
      { token: alive("prompt", { value: LEGACY }) },
      [],
      ["~ .env secret 0600"],
    ],
    [
      "under a custom name",
      { config: "token: { name: ACME_TOKEN }", token: PROMPT },
      [],
      ["~ .env secret 0600", "~ .env.example"],
    ],
    [
      "in an environment's file",
      {
        config: "environments: { prod: { token: { envFile: .env.prod } } }",
        environment: "prod",
        token: PROMPT,
      },
      [],
      ["+ .env.prod secret 0600"],
    ],
  ])("%s", async (_, given, flags, expected) => {
    const made = await plan(given, ...flags);
    expect(planned(made)).toEqual(expected);
    expect(planned(await plan(afterwards(given, made), ...flags))).toEqual([]);
  });
});

describe("whether others can read it", () => {
  const open = (text: string, mode: number | "none" = 0o644) => env({ text, mode });
  const token = `${T}=${PERSONAL}\n`;

  it.each<[string, Given, readonly string[]]>([
    ["a token in the file", open(token), ["~ .env secret 0600"]],
    ["a token in the file, readable by the group", open(token, 0o640), ["~ .env secret 0600"]],
    ["a token in the file, readable by its owner", open(token, 0o600), []],
    ["a token in the file, read-only for its owner", open(token, 0o400), []],
    ["a token in the file, on Windows", open(token, "none"), []],
    ["a token from the environment", { token: ENVIRONMENT, ...open("A=1\n") }, []],
    [
      "a token from the environment, and a Spaces key in the file",
      { token: ENVIRONMENT, ...open(KEY) },
      ["~ .env secret 0600"],
    ],
    ["a Spaces key without a token", { token: MISSING, ...open(KEY) }, []],
    ["a new token", { token: PROMPT, ...open("A=1\n") }, ["~ .env secret 0600"]],
    [
      "a new token, on Windows",
      { token: PROMPT, ...open("A=1\n", "none") },
      ["~ .env secret 0600"],
    ],
    ["a FIFO", { ...env({ fifo: token }) }, []],
    ["a FIFO with a Spaces key", { token: ENVIRONMENT, ...env({ fifo: KEY }) }, []],
  ])("%s", async (_, given, expected) => {
    const made = await plan(given);
    expect(planned(made)).toEqual(expected);
    expect(planned(await plan(afterwards(given, made)))).toEqual([]);
  });
});

describe("an env file that cannot be written", () => {
  const outside = env({ text: "", leadsTo: "/elsewhere/.env" });
  const dangling = env({ leadsTo: "/elsewhere/.env" });
  const below = {
    config: "token: { envFile: conf/.env }",
    files: { conf: { leadsTo: "/elsewhere" }, "conf/.env": `A=1\n` },
  };

  it.each<[string, Given, Flags, readonly string[]]>([
    ["a directory", env({ unusable: "a directory" }), [], ["error env-file.unusable"]],
    ["a FIFO", env({ fifo: "" }), [], ["error file.unusable"]],
    ["UTF-16", env({ text: Buffer.from("a\0") }), [], ["error file.unusable"]],
    ["a link to outside the repo", outside, [], ["error file.outside"]],
    ["a link to outside the repo, --force", outside, ["force"], ["error file.outside"]],
    ["a dangling link to outside the repo", dangling, ["force"], ["error file.outside"]],
    ["a folder that is a link to outside the repo", below, ["force"], ["error file.outside"]],
    ["in a read-only folder", { readOnly: ["."] }, [], ["error file.not-writable"]],
    ["tracked", { tracked: [".env"] }, [], ["error env-file.tracked"]],
    [
      "tracked, and a link to outside the repo",
      { tracked: [".env"], ...outside },
      [],
      ["error file.outside", "error env-file.tracked"],
    ],
    ["a text where the edit would change another key", env("A:"), [], ["error env-file.unusable"]],
  ])("%s", async (_, given, flags, expected) => {
    const token = alive("prompt", { value: OTHER });
    expect(planned(await plan({ token, ...given }, ...flags))).toEqual(expected);
  });

  it("is no error if nothing is written", async () => {
    for (const given of [dangling, env("A=1\n")]) {
      expect(planned(await plan({ token: ENVIRONMENT, ...given, readOnly: ["."] }))).toEqual([]);
    }
  });

  it.each<[string, Given, string]>([
    [
      "a link",
      outside,
      "/repo/.env resolves outside the repo: /elsewhere/.env. → Remove the link (rm /repo/.env) and put a real file there. Or set the token in the environment, or token.command in the config.",
    ],
    [
      "a folder that is a link",
      below,
      "/repo/conf/.env resolves outside the repo: /elsewhere/.env (through the link /repo/conf). → Remove the link (rm /repo/conf) and put a real file there. Or set the token in the environment, or token.command in the config.",
    ],
  ])("is reported even if it is not needed: %s to outside the repo", async (_, given, text) => {
    const { findings = [] } = await plan({ token: ENVIRONMENT, ...given });
    expect(findings.map((each) => `${each.message} → ${said(each.fix)}`)).toEqual([text]);
  });
});

describe("env files that git tracks or does not ignore", () => {
  const open = { notIgnored: [".env"] };

  it.each<[string, Given, readonly string[]]>([
    ["tracked, with a token", { tracked: [".env"] }, ["error env-file.tracked"]],
    [
      "tracked, with a token of any name",
      { token: MISSING, tracked: [".env"], ...env(`A=${OTHER}\n`) },
      ["error env-file.tracked"],
    ],
    [
      "tracked, with an invalid token",
      { token: MISSING, tracked: [".env"], ...env(`${T}=x\n`) },
      ["error env-file.tracked"],
    ],
    [
      "tracked, with a Spaces key",
      { token: ENVIRONMENT, tracked: [".env"], ...env(KEY) },
      ["error env-file.tracked"],
    ],
    [
      "tracked, and not ignored: only one finding",
      { token: MISSING, tracked: [".env"], notIgnored: [".env"] },
      ["error env-file.tracked"],
    ],
    [
      "tracked, without secrets",
      { token: ENVIRONMENT, tracked: [".env"], ...env("A=1\n") },
      ["info env-file.committed"],
    ],
    [
      "tracked, with an empty value",
      { token: MISSING, tracked: [".env"], ...env(`${T}=\n`) },
      ["info env-file.committed"],
    ],
    [
      "tracked, and a FIFO",
      { token: MISSING, tracked: [".env"], ...env({ fifo: `${T}=x` }) },
      ["info env-file.committed"],
    ],
    ["tracked: .env.local", { tracked: [".env.local"] }, ["info env-file.committed"]],
    [
      "tracked: the env files of two environments, one of them in use",
      {
        config:
          "environments: { a: { token: { envFile: .env } }, b: { token: { envFile: .env.b } } }",
        environment: "a",
        tracked: [".env", ".env.b"],
      },
      ["error env-file.tracked", "info env-file.committed"],
    ],
    ["not ignored, with a token in use: .gitignore will cover it", open, []],
    [
      "not ignored, with an unused token",
      { token: found("refused", "env-file"), ...open },
      ["error git.not-ignored"],
    ],
    [
      "not ignored, with a legacy token",
      { token: MISSING, ...open, ...env(`A=${LEGACY}\n`) },
      ["error git.not-ignored"],
    ],
    [
      "not ignored, with a Spaces key",
      { token: MISSING, ...open, ...env(KEY) },
      ["error git.not-ignored"],
    ],
    ["not ignored, without secrets", { token: MISSING, ...open, ...env("A=1\n") }, []],
    ["without a repo", { token: MISSING, git: false, ...env(KEY) }, []],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan(given))).toEqual(expected);
  });
});

describe(".env.example", () => {
  const example = (entry: NonNullable<Given["files"]>[string], more: Given = {}): Given => ({
    ...more,
    files: { ...more.files, ".env.example": entry },
  });
  const backend = "terraform: { backend: { bucket: acme, region: nyc3, key: x } }";

  it.each<[string, Given, readonly string[]]>([
    ["lists the token", {}, []],
    ["is missing", example(undefined), ["+ .env.example"]],
    ["lists only another name", example("A=\n", { env: { A: "1" } }), ["~ .env.example"]],
    ["is missing the keys of a state on Spaces", { config: backend }, ["~ .env.example"]],
    ["is a directory", example({ unusable: "a directory" }), []],
    [
      "resolves outside the repo",
      example({ text: "", leadsTo: "/elsewhere" }),
      ["error file.outside"],
    ],
    [
      "resolves outside the repo, and needs no change",
      example({ text: `${T}=`, leadsTo: "/elsewhere" }),
      ["error file.outside"],
    ],
    ["is ignored by git", { ignored: [".env.example"] }, ["info git.example-ignored"]],
    [
      "is ignored by git, and is missing the name",
      example("", { ignored: [".env.example"] }),
      ["info git.example-ignored", "~ .env.example"],
    ],
    ["lists a variable that is not set", example(`A=\n${T}=\n`), ["info env-file.incomplete"]],
    [
      "lists a variable that the env file has",
      example(`A=\n${T}=\n`, env(`A=\n${T}=${PERSONAL}\n`)),
      [],
    ],
    ["lists a variable that the environment has", example(`A=\n${T}=\n`, { env: { A: "" } }), []],
    ["lists a variable with a value", example(`A=1\n${T}=\n`), []],
    [
      "lists keys that only the backend needs",
      example(`${T}=\nSPACES_ACCESS_KEY_ID=\nSPACES_SECRET_ACCESS_KEY=\n`, { config: backend }),
      [],
    ],
    [
      "lists a variable, and there is no env file",
      example(`A=\n${T}=\n`, { token: MISSING, ...env(undefined) }),
      [],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan(given))).toEqual(expected);
  });

  it.each<[string, Given, string]>([
    [
      "a new one lists all names of the env file",
      env(`A=1\n${T}=${PERSONAL}\nB=2\n`),
      `A=\n${T}=\nB=\n`,
    ],
    ["a new one has no values", env("A=1\n"), `A=\n${T}=\n`],
    ["a new one omits a token used as a name", env(`${PERSONAL}: the token\nA=1\n`), `A=\n${T}=\n`],
    [
      "a new one omits the lines of an unquoted key",
      env("KEY=-----BEGIN KEY-----\nMIIEabc\nABCQ==\n-----END KEY-----\nB=2\n"),
      `KEY=\nB=\n${T}=\n`,
    ],
    ["a new one omits a base32 seed", env("JBSWY3DPEHPK3PXP====\nGEZDGNBVGY3TQOJQ=x\n"), `${T}=\n`],
    [
      "a new one omits a password used as a name",
      env("hunter2=mine\nHUNTER: mine\nHunter_Two=1\n"),
      `${T}=\n`,
    ],
    [
      "a new one omits a key id used as a name",
      env("AKIAIOSFODNN7EXAMPLE=x\nDEADBEEFCAFE=x\n"),
      `${T}=\n`,
    ],
  ])("%s", async (_, given, expected) => {
    const made = await plan(example(undefined, given));
    expect(textsAfter(made)[".env.example"]?.replace(/^#.*\n/gm, "")).toBe(expected);
  });

  it("an existing one gets only the token's name", async () => {
    const made = await plan(example("# mine\nA=\n", env(`A=1\nB=2\n${T}=${PERSONAL}\n`)));
    expect(textsAfter(made)[".env.example"]).toBe(`# mine\nA=\n${T}=\n`);
  });
});

describe("variables that exec does not pass on", () => {
  it.each<[string, string, readonly string[], string?]>([
    [
      "an app's variables, which are all passed on",
      "PORT=80\nAWS_REGION=x\nTF_VAR_a=1\nSPACES_BUCKET=b\n",
      [],
    ],
    [
      "variables that set a host or a program",
      "AWS_PROFILE=p\nHTTPS_PROXY=http://x\n",
      ["info env-file.not-passed"],
      "exec and env do not pass on AWS_PROFILE, HTTPS_PROXY from .env",
    ],
    [
      "a name that must not be shown",
      "npm_config_registry=x\n",
      ["info env-file.not-passed"],
      "exec and env do not pass on some variables from .env",
    ],
    [
      "a value used as a name",
      `A=1\n${PERSONAL}: the token\n`,
      ["warning env-file.no-name"],
      ".env, line 2: the variable name looks like a value",
    ],
    [
      "values used as names, on too many lines to list",
      `${PERSONAL}: x\n`.repeat(1000),
      ["warning env-file.no-name"],
      "19, 20 and 980 more: the variable name looks like a value",
    ],
  ])("%s", async (_, text, expected, message) => {
    const { findings = [] } = await plan(env(`${text}${T}=${PERSONAL}\n`));
    expect(planned({ findings })).toEqual(expected);
    expect(findings[0]?.message ?? "").toContain(message ?? "");
    expect(JSON.stringify(findings)).not.toContain(PERSONAL);
  });

  it("a secret in .env.example is not shown", async () => {
    const example = `ghp_16C7e42F292c6912E7710c838347Ae178B4a=\nSTRIPE_KEY=\n${T}=\n`;
    const { findings = [] } = await plan({ files: { ".env.example": example } });
    expect(findings.map(({ message }) => message)).toEqual([
      ".env is missing STRIPE_KEY, listed in .env.example.",
    ]);
  });
});

it.each<[string, Given, string]>([
  ["the token", { token: PROMPT, ...env(undefined) }, "the token; git ignores it"],
  ["the token, without a repo", { git: false, token: PROMPT, ...env(undefined) }, "the token"],
  [
    "a mode that lets others read it",
    env({ text: `${T}=${PERSONAL}\n`, mode: 0o644 }),
    "restrict access: other users could read it",
  ],
])("the reason: %s", async (_, given, why) => {
  expect((await plan(given)).changes?.map((change) => change.why)).toEqual([why]);
});

it.each<[string, Given, RegExp]>([
  ["env-file.tracked", { tracked: [".env"] }, /^git rm --cached \.env /],
  [
    "env-file.tracked",
    { tracked: [".env"], indexed: { ".env": ".ENV" } },
    /^git rm --cached \.ENV /,
  ],
  [
    "env-file.committed",
    { token: MISSING, tracked: [".env"], indexed: { ".env": "a/.env" }, ...env("A=1\n") },
    /^git rm --cached a\/\.env, then commit/,
  ],
  [
    "env-file.committed",
    { token: MISSING, tracked: [".env"], ...env("A=1\n") },
    /^git rm --cached \.env, then commit\. Replace every secret/,
  ],
  [
    "git.not-ignored",
    { token: MISSING, notIgnored: [".env"], ...env(KEY) },
    /^echo \.env >> \.gitignore; /,
  ],
  [
    "git.not-ignored",
    {
      token: MISSING,
      config: "token: { envFile: 'a/[x] .env' }",
      notIgnored: ["a/[x] .env"],
      files: { "a/[x] .env": KEY },
    },
    /^printf '%s\\n' .*\.env' >> \.gitignore; /,
  ],
])("%s: the suggested fix", async (id, given, step) => {
  const finding = (await plan(given)).findings?.find((each) => each.id === id);
  expect(said(finding?.fix, { cwd: "/repo" })).toMatch(step);
});

it("no diff shows a value, old or new", async () => {
  const given = {
    token: alive("prompt", { value: OTHER }),
    ...env(`A=hunter2\n${T}=${PERSONAL} # mine\n`),
  };
  const [change] = (await plan(given)).changes ?? [];
  const difference = change?.diff();
  const lines = difference === undefined ? [] : diffOf(difference);
  const [old, now] = [PERSONAL, OTHER].map((value) => secretFrom("env-file", value).fingerprint);
  expect(lines.map(({ text }) => text)).toEqual([
    `${T}=[secret ${old}] # mine`,
    `${T}=[secret ${now}] # mine`,
  ]);
});
