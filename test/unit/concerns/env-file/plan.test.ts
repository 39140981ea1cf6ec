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
/** A new repo: no .env, and an example that needs nothing. */
const env = (entry: NonNullable<Given["files"]>[string]): Pick<Given, "files"> => ({
  files: { ".env": entry },
});

describe("whether the token is written", () => {
  it.each<[string, Given, Flags, readonly string[]]>([
    ["it is there", {}, [], []],
    ["no token", { token: MISSING, ...env(undefined) }, [], []],
    ["a refused one", { token: found("refused", "prompt"), ...env(undefined) }, [], []],
    ["one that could not be checked", { token: found("unknown", "prompt"), ...env("") }, [], []],
    ["from a person", { token: PROMPT, ...env(undefined) }, [], ["+ .env secret 0600"]],
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
      "the environment, --save",
      { token: ENVIRONMENT, ...env("") },
      ["save"],
      ["~ .env secret 0600"],
    ],
    [
      "a command, --save",
      { token: alive("command"), ...env("") },
      ["save"],
      ["~ .env secret 0600"],
    ],
    ["a person in CI", { token: PROMPT, isCi: true, ...env(undefined) }, [], []],
    ["in CI, --save", { token: PROMPT, isCi: true, ...env("") }, ["save"], ["~ .env secret 0600"]],
    [
      "in place of an older one",
      { token: alive("prompt", { value: OTHER }) },
      [],
      ["~ .env secret 0600"],
    ],
    ["the same as in the file", { token: PROMPT }, [], []],
    ["of before 2022", { token: alive("prompt", { value: LEGACY }) }, [], ["~ .env secret 0600"]],
    [
      "under a name of the repo's own",
      { config: "token: { name: ACME_TOKEN }", token: PROMPT },
      [],
      ["~ .env secret 0600", "~ .env.example"],
    ],
    [
      "in the file of an environment",
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

describe("whether others may read it", () => {
  const open = (text: string, mode = 0o644) => env({ text, mode });
  const token = `${T}=${PERSONAL}\n`;

  it.each<[string, Given, readonly string[]]>([
    ["a token that is read from the file", open(token), ["~ .env secret 0600"]],
    ["the group", open(token, 0o640), ["~ .env secret 0600"]],
    ["its owner alone", open(token, 0o600), []],
    ["its owner alone, read-only", open(token, 0o400), []],
    ["others, on Windows", { platform: "win32", ...open(token) }, []],
    ["a token of the environment's", { token: ENVIRONMENT, ...open("A=1\n") }, []],
    ["the same, beside a Spaces key", { token: ENVIRONMENT, ...open(KEY) }, ["~ .env secret 0600"]],
    ["a Spaces key without a token", { token: MISSING, ...open(KEY) }, []],
    ["a new token", { token: PROMPT, ...open("A=1\n") }, ["~ .env secret 0600"]],
    [
      "a new token, on Windows",
      { platform: "win32", token: PROMPT, ...open("A=1\n", 0o666) },
      ["~ .env secret 0666"],
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
    ["a link out of the repo", outside, [], ["error file.outside"]],
    ["the same with --force", outside, ["force"], ["error file.outside"]],
    ["a link to nothing out of the repo", dangling, ["force"], ["error file.outside"]],
    ["a folder that is a link out of the repo", below, ["force"], ["error file.outside"]],
    ["in a read-only folder", { readOnly: ["."] }, [], ["error file.not-writable"]],
    ["tracked", { tracked: [".env"] }, [], ["error env-file.tracked"]],
    [
      "tracked, and out of the repo",
      { tracked: [".env"], ...outside },
      [],
      ["error file.outside", "error env-file.tracked"],
    ],
    ["a key that would change with it", env("A:"), [], ["error env-file.unusable"]],
  ])("%s", async (_, given, flags, expected) => {
    const token = alive("prompt", { value: OTHER });
    expect(planned(await plan({ token, ...given }, ...flags))).toEqual(expected);
  });

  it("is no matter where nothing is to be written", async () => {
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
      "a folder that is one",
      below,
      "/repo/conf/.env resolves outside the repo: /elsewhere/.env (through the link /repo/conf). → Remove the link (rm /repo/conf) and put a real file there. Or set the token in the environment, or token.command in the config.",
    ],
  ])("is not read by %s out of the repo, whether it is needed or not", async (_, given, text) => {
    const { findings = [] } = await plan({ token: ENVIRONMENT, ...given });
    expect(findings.map((each) => `${each.message} → ${said(each.fix)}`)).toEqual([text]);
  });
});

describe("what git has, or would take", () => {
  const open = { notIgnored: [".env"] };

  it.each<[string, Given, readonly string[]]>([
    ["tracked, with a token", { tracked: [".env"] }, ["error env-file.tracked"]],
    [
      "tracked, with a token of any name",
      { token: MISSING, tracked: [".env"], ...env(`A=${OTHER}\n`) },
      ["error env-file.tracked"],
    ],
    [
      "tracked, with what is to be a token",
      { token: MISSING, tracked: [".env"], ...env(`${T}=x\n`) },
      ["error env-file.tracked"],
    ],
    [
      "tracked, with a Spaces key",
      { token: ENVIRONMENT, tracked: [".env"], ...env(KEY) },
      ["error env-file.tracked"],
    ],
    [
      "tracked, and not ignored: one of the two is said",
      { token: MISSING, tracked: [".env"], notIgnored: [".env"] },
      ["error env-file.tracked"],
    ],
    [
      "tracked, and harmless",
      { token: ENVIRONMENT, tracked: [".env"], ...env("A=1\n") },
      ["info env-file.committed"],
    ],
    [
      "tracked, and empty names",
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
      "tracked: the env files of two environments, of which one is used",
      {
        config:
          "environments: { a: { token: { envFile: .env } }, b: { token: { envFile: .env.b } } }",
        environment: "a",
        tracked: [".env", ".env.b"],
      },
      ["error env-file.tracked", "info env-file.committed"],
    ],
    ["not ignored, with a token that is used: .gitignore is planned", open, []],
    [
      "not ignored, with one that is not",
      { token: found("refused", "env-file"), ...open },
      ["error git.not-ignored"],
    ],
    [
      "not ignored, with a legacy one",
      { token: MISSING, ...open, ...env(`A=${LEGACY}\n`) },
      ["error git.not-ignored"],
    ],
    [
      "not ignored, with a Spaces key",
      { token: MISSING, ...open, ...env(KEY) },
      ["error git.not-ignored"],
    ],
    ["not ignored, and harmless", { token: MISSING, ...open, ...env("A=1\n") }, []],
    ["without a repo", { token: MISSING, git: false, ...env(KEY) }, []],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan(given))).toEqual(expected);
  });
});

describe("the example", () => {
  const example = (entry: NonNullable<Given["files"]>[string], more: Given = {}): Given => ({
    ...more,
    files: { ...more.files, ".env.example": entry },
  });
  const backend = "terraform: { backend: { bucket: acme, region: nyc3, key: x } }";

  it.each<[string, Given, readonly string[]]>([
    ["names the token", {}, []],
    ["is not there", example(undefined), ["+ .env.example"]],
    ["names others", example("A=\n", { env: { A: "1" } }), ["~ .env.example"]],
    ["lacks the keys of a state on Spaces", { config: backend }, ["~ .env.example"]],
    ["is no text", example({ unusable: "a directory" }), []],
    ["leads out of the repo", example({ text: "", leadsTo: "/elsewhere" }), ["error file.outside"]],
    [
      "leads out of the repo, and needs nothing",
      example({ text: `${T}=`, leadsTo: "/elsewhere" }),
      ["error file.outside"],
    ],
    ["is ignored by git", { ignored: [".env.example"] }, ["info git.example-ignored"]],
    [
      "is ignored, and lacks the name",
      example("", { ignored: [".env.example"] }),
      ["info git.example-ignored", "~ .env.example"],
    ],
    ["names what this machine lacks", example(`A=\n${T}=\n`), ["info env-file.incomplete"]],
    ["names what the env file has", example(`A=\n${T}=\n`, env(`A=\n${T}=${PERSONAL}\n`)), []],
    ["names what the environment has", example(`A=\n${T}=\n`, { env: { A: "" } }), []],
    ["has a value for it", example(`A=1\n${T}=\n`), []],
    [
      "names keys that only the backend needs",
      example(`${T}=\nSPACES_ACCESS_KEY_ID=\nSPACES_SECRET_ACCESS_KEY=\n`, { config: backend }),
      [],
    ],
    ["and there is no env file", example(`A=\n${T}=\n`, { token: MISSING, ...env(undefined) }), []],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan(given))).toEqual(expected);
  });

  it.each<[string, Given, string]>([
    [
      "a new one has all names of the env file",
      env(`A=1\n${T}=${PERSONAL}\nB=2\n`),
      `A=\n${T}=\nB=\n`,
    ],
    ["and none of its values", env("A=1\n"), `A=\n${T}=\n`],
    [
      "but no token that stands in a name's place",
      env(`${PERSONAL}: the token\nA=1\n`),
      `A=\n${T}=\n`,
    ],
    [
      "nor any line of a key without quotes",
      env("KEY=-----BEGIN KEY-----\nMIIEabc\nABCQ==\n-----END KEY-----\nB=2\n"),
      `KEY=\nB=\n${T}=\n`,
    ],
    ["nor a seed in base32", env("JBSWY3DPEHPK3PXP====\nGEZDGNBVGY3TQOJQ=x\n"), `${T}=\n`],
    ["nor a password", env("hunter2=mine\nHUNTER: mine\nHunter_Two=1\n"), `${T}=\n`],
    ["nor a key id", env("AKIAIOSFODNN7EXAMPLE=x\nDEADBEEFCAFE=x\n"), `${T}=\n`],
  ])("%s", async (_, given, expected) => {
    const made = await plan(example(undefined, given));
    expect(textsAfter(made)[".env.example"]?.replace(/^#.*\n/gm, "")).toBe(expected);
  });

  it("one that is there gets the token's name alone", async () => {
    const made = await plan(example("# mine\nA=\n", env(`A=1\nB=2\n${T}=${PERSONAL}\n`)));
    expect(textsAfter(made)[".env.example"]).toBe(`# mine\nA=\n${T}=\n`);
  });
});

describe("what exec does not pass on", () => {
  it.each<[string, string, readonly string[], string?]>([
    ["what an app reads", "PORT=80\nAWS_REGION=x\nTF_VAR_a=1\nSPACES_BUCKET=b\n", []],
    [
      "what names a host or a program",
      "AWS_PROFILE=p\nHTTPS_PROXY=http://x\n",
      ["info env-file.not-passed"],
      "exec and env do not pass on AWS_PROFILE, HTTPS_PROXY from .env",
    ],
    [
      "a name that is not for others",
      "npm_config_registry=x\n",
      ["info env-file.not-passed"],
      "exec and env do not pass on some variables from .env",
    ],
    [
      "a value in a name's place",
      `A=1\n${PERSONAL}: the token\n`,
      ["warning env-file.no-name"],
      ".env, line 2: the variable name looks like a value",
    ],
    [
      "values in names' places, in more lines than are read by a person",
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

  it("an example does not say a secret either", async () => {
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
    "a mode",
    env({ text: `${T}=${PERSONAL}\n`, mode: 0o644 }),
    "restrict access: other users could read it",
  ],
])("why: %s", async (_, given, why) => {
  expect((await plan(given)).changes?.map((change) => change.why)).toEqual([why]);
});

it.each<[string, Given, RegExp]>([
  ["env-file.tracked", { tracked: [".env"] }, /^git rm --cached \.env /],
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
])("%s: what to paste", async (id, given, step) => {
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
