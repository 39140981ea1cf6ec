import { delimiter, join } from "node:path";
import { describe, it, type TestContext } from "vitest";
import { type Call, execBench, execBenchWith } from "../fixtures/exec.ts";
import { hasPs } from "../fixtures/proc.ts";
import { randomToken } from "../fixtures/workbench.ts";

const PROCESS_GROUP = [
  "the process group",
  ".",
  "test $(ps -o pgid= $$) = $(ps -o pgid= $PPID) && echo same",
  "same\n",
] as const;

const SHOW = ["/usr/bin/env", "--null"];
const OTHER = randomToken();
const PROVIDER = 'provider "digitalocean" {\n  token = var.do_token\n}\n';
const VARIABLE = 'variable "do_token" {\n  sensitive = true\n}\n';
const FROM_ENVIRONMENT = 'provider "digitalocean" {}\n';
const BACKEND = "terraform: { backend: { bucket: acme-tfstate, region: nyc3, key: web } }\n";
const WHEN_REQUIRED = {
  AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
  AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required",
};
const KEYS = "SPACES_ACCESS_KEY_ID=id\nSPACES_SECRET_ACCESS_KEY=key\n";
const SPACES = { SPACES_ACCESS_KEY_ID: "id", SPACES_SECRET_ACCESS_KEY: "key" };

describe.concurrent("what exec adds to the command's environment, and nothing else", () => {
  /** What the repo contains, how exec is called, what it adds; TOKEN is replaced by the token. */
  type Row = [
    name: string,
    files: Record<string, string>,
    call: Call,
    gets: Record<string, string>,
  ];
  const both = { DIGITALOCEAN_TOKEN: "TOKEN", DIGITALOCEAN_ACCESS_TOKEN: "TOKEN" };
  const bare = { DIGITALOCEAN_TOKEN: undefined };

  it.for<Row>([
    ["the token under both names", {}, {}, {}],
    [
      "a token in DIGITALOCEAN_ACCESS_TOKEN",
      {},
      { env: { ...bare, DIGITALOCEAN_ACCESS_TOKEN: OTHER } },
      {
        DIGITALOCEAN_TOKEN: OTHER,
        DIGITALOCEAN_ACCESS_TOKEN: OTHER,
      },
    ],
    ["a token in the env file", { ".env": "DIGITALOCEAN_TOKEN=TOKEN\n" }, { env: bare }, both],
    [
      "a token in the env file's DIGITALOCEAN_ACCESS_TOKEN",
      { ".env": "DIGITALOCEAN_ACCESS_TOKEN=TOKEN\n" },
      { env: bare },
      both,
    ],
    [
      "the environment's token, not the env file's",
      { ".env": `DIGITALOCEAN_TOKEN=${OTHER}\nDIGITALOCEAN_ACCESS_TOKEN=${OTHER}\n` },
      {},
      both,
    ],
    [
      "the token without white space around it",
      { ".env": "DIGITALOCEAN_TOKEN=' TOKEN '\n" },
      { env: bare },
      both,
    ],
    [
      "a custom variable name",
      { ".do-bootstraprc": "token: { name: ACME_TOKEN }\n", ".env": "ACME_TOKEN=TOKEN\n" },
      { env: { DIGITALOCEAN_TOKEN: OTHER } },
      { ...both, ACME_TOKEN: "TOKEN" },
    ],
    [
      "a custom env file",
      { ".do-bootstraprc": "token: { envFile: .env.local }\n", ".env.local": "TF_VAR_x=local\n" },
      {},
      { TF_VAR_x: "local" },
    ],
    [
      "--env",
      {
        ".do-bootstraprc": "environments: { prod: { token: { envFile: .env.prod } } }\n",
        ".env": `DIGITALOCEAN_TOKEN=${OTHER}\nTF_VAR_x=dev\n`,
        ".env.prod": "DIGITALOCEAN_TOKEN=TOKEN\nTF_VAR_x=prod\n",
      },
      { own: ["--env", "prod"], env: bare },
      { ...both, TF_VAR_x: "prod", DO_BOOTSTRAP_EXEC: "prod:REPO" },
    ],
    [
      "doctl's default context, whichever was selected",
      {},
      { env: { DIGITALOCEAN_CONTEXT: "acme" } },
      { DIGITALOCEAN_CONTEXT: "default" },
    ],
    [
      "env file variables that tools for DigitalOcean read",
      {
        ".env":
          "SPACES_ACCESS_KEY_ID=a\nAWS_REGION=b\nTF_VAR_region=c\nTF_LOG=d\nPORT=80\naws_x=1\n",
      },
      {},
      { SPACES_ACCESS_KEY_ID: "a", AWS_REGION: "b", TF_VAR_region: "c" },
    ],
    [
      "every variable of the env file with --all",
      { ".env": "TF_LOG=d\nPORT=80\nEMPTY=\nQUOTED='a b'\nLINES=\"a\\nb\"\n" },
      { own: ["--all"] },
      { TF_LOG: "d", PORT: "80", EMPTY: "", QUOTED: "a b", LINES: "a\nb" },
    ],
    [
      "never an API address, a context or our own variables",
      {
        ".env":
          "DIGITALOCEAN_API_URL=https://evil.example\ndigitalocean_api_url=https://evil.example\nDIGITALOCEAN_CONTEXT=evil\nDO_BOOTSTRAP_OAUTH_URL=https://evil.example\nDO_BOOTSTRAP_EXEC=evil:/\n",
      },
      {
        own: ["--all"],
        env: { DIGITALOCEAN_API_URL: undefined, DO_BOOTSTRAP_OAUTH_URL: undefined },
      },
      {},
    ],
    [
      "the environment overrides the env file",
      { ".env": "TF_VAR_x=file\nAWS_REGION=file\nPORT=file\nHOME=/file\n" },
      { own: ["--all"], env: { TF_VAR_x: "env", AWS_REGION: "env" } },
      { PORT: "file" },
    ],
  ])("%s", check);

  it.for<Row>([
    [
      "the variable that the provider uses",
      { "main.tf": PROVIDER + VARIABLE },
      {},
      {
        TF_VAR_do_token: "TOKEN",
      },
    ],
    [
      "a variable with another name",
      { "main.tf": (PROVIDER + VARIABLE).replaceAll("do_token", "digitalocean_key") },
      {},
      { TF_VAR_digitalocean_key: "TOKEN" },
    ],
    [
      "a variable in another folder",
      { "infra/main.tf": PROVIDER + VARIABLE },
      {},
      { TF_VAR_do_token: "TOKEN" },
    ],
    [
      "a variable in each root",
      {
        ".do-bootstraprc": "terraform: [ { dir: a }, { dir: b } ]\n",
        "a/main.tf": PROVIDER + VARIABLE,
        "b/main.tf": (PROVIDER + VARIABLE).replaceAll("do_token", "pat"),
      },
      {},
      { TF_VAR_do_token: "TOKEN", TF_VAR_pat: "TOKEN" },
    ],
    [
      "overrides the env file and the environment",
      { "main.tf": PROVIDER + VARIABLE, ".env": `TF_VAR_do_token=${OTHER}\n` },
      { env: { TF_VAR_do_token: OTHER } },
      { TF_VAR_do_token: "TOKEN" },
    ],
    [
      "no variable that the provider doesn't use",
      { "main.tf": FROM_ENVIRONMENT + VARIABLE },
      {},
      {},
    ],
    ["no variable that isn't declared", { "main.tf": PROVIDER }, {}, {}],
    ["nothing without Terraform code", {}, {}, {}],
    [
      "nothing with terraform: false",
      { ".do-bootstraprc": "terraform: false\n", "main.tf": PROVIDER + VARIABLE },
      {},
      {},
    ],
  ])("TF_VAR_: %s", check);

  const backend = (settings: string) => `terraform {\n  backend "s3" {\n    ${settings}\n  }\n}\n`;
  const onSpaces = 'endpoints = { s3 = "https://nyc3.digitaloceanspaces.com" }';
  const evil = "https://evil.example";
  const pair = "spaces_access_id = var.a\n  spaces_secret_key = var.b";
  const withKeys = (more = "", a = "a", b = "b") => {
    const named = pair.replace("var.a", `var.${a}`).replace("var.b", `var.${b}`);
    const block = `provider "digitalocean" {\n  ${named}\n  ${more}\n}\n`;
    return `${block}variable "${a}" {}\nvariable "${b}" {}\n`;
  };
  const aws = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "key", ...WHEN_REQUIRED };

  it.for<Row>([
    [
      "a backend on Spaces",
      { "main.tf": backend(onSpaces), ".env": KEYS },
      {},
      { ...SPACES, ...aws },
    ],
    [
      "a backend on Spaces, in the older syntax",
      { "main.tf": backend('endpoint = "https://fra1.digitaloceanspaces.com"') },
      { env: SPACES },
      aws,
    ],
    [
      "a backend on another host",
      { "main.tf": backend(`endpoints = { s3 = "${evil}" }`) },
      { env: SPACES },
      {},
    ],
    ["a backend on AWS", { "main.tf": backend('bucket = "b"') }, { env: SPACES }, {}],
    [
      "a backend in a module",
      { "main.tf": 'module "m" {\n  source = "./m"\n}\n', "m/main.tf": backend(onSpaces) },
      { env: SPACES },
      {},
    ],
    [
      "variables of the provider",
      { "main.tf": withKeys() },
      { env: SPACES },
      { TF_VAR_a: "id", TF_VAR_b: "key" },
    ],
    [
      "variables and a backend",
      { "main.tf": withKeys(), "b.tf": backend(onSpaces), ".env": KEYS },
      {},
      { ...SPACES, ...aws, TF_VAR_a: "id", TF_VAR_b: "key" },
    ],
    [
      "variables that the user has set",
      { "main.tf": withKeys() },
      { env: { ...SPACES, TF_VAR_a: "x" } },
      {},
    ],
    [
      "variables with values in tfvars",
      { "main.tf": withKeys(), "terraform.tfvars": 'a = "x"\n' },
      { env: SPACES },
      {},
    ],
    [
      "variables with the names LD_PRELOAD and PATH",
      { "main.tf": withKeys("", "LD_PRELOAD", "PATH") },
      { env: SPACES },
      { TF_VAR_LD_PRELOAD: "id", TF_VAR_PATH: "key" },
    ],
    [
      "a provider in a module",
      { "main.tf": 'module "m" {\n  source = "./m"\n}\n', "m/main.tf": withKeys() },
      { env: SPACES },
      {},
    ],
  ])("Spaces keys that the code reads: %s", check);

  it.for<Row>([
    [
      "Spaces keys in the env file",
      { ".do-bootstraprc": BACKEND, ".env": KEYS },
      {},
      {
        ...SPACES,
        ...WHEN_REQUIRED,
        AWS_ACCESS_KEY_ID: "id",
        AWS_SECRET_ACCESS_KEY: "key",
      },
    ],
    [
      "Spaces keys in the environment",
      { ".do-bootstraprc": BACKEND },
      { env: SPACES },
      {
        ...WHEN_REQUIRED,
        AWS_ACCESS_KEY_ID: "id",
        AWS_SECRET_ACCESS_KEY: "key",
      },
    ],
    ["without keys", { ".do-bootstraprc": BACKEND }, {}, WHEN_REQUIRED],
    [
      "keeps AWS keys of the environment",
      { ".do-bootstraprc": BACKEND, ".env": KEYS },
      { env: { AWS_ACCESS_KEY_ID: "mine", AWS_SECRET_ACCESS_KEY: "mine" } },
      { ...SPACES, ...WHEN_REQUIRED },
    ],
    [
      "keeps AWS keys of the env file",
      { ".do-bootstraprc": BACKEND, ".env": `${KEYS}AWS_ACCESS_KEY_ID=mine\n` },
      {},
      { ...SPACES, ...WHEN_REQUIRED, AWS_ACCESS_KEY_ID: "mine" },
    ],
    [
      "adds no keys next to an AWS profile",
      { ".do-bootstraprc": BACKEND, ".env": KEYS },
      { env: { AWS_PROFILE: "acme" } },
      { ...SPACES, ...WHEN_REQUIRED },
    ],
    [
      "adds no keys next to an AWS session token",
      { ".do-bootstraprc": BACKEND, ".env": KEYS },
      { env: { AWS_SESSION_TOKEN: "t" } },
      { ...SPACES, ...WHEN_REQUIRED },
    ],
    [
      "keeps the user's checksum setting",
      { ".do-bootstraprc": BACKEND },
      { env: { AWS_REQUEST_CHECKSUM_CALCULATION: "when_supported" } },
      { AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required" },
    ],
    ["adds nothing without a backend", { ".env": KEYS }, {}, SPACES],
  ])("a backend on Spaces: %s", check);

  async function check(
    [, files, call, gets]: Row,
    { expect, onTestFinished }: TestContext,
  ): Promise<void> {
    const bench = await execBenchWith(files, onTestFinished);
    const { status, stdout, stderr } = await bench.exec(SHOW, call);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const expected = Object.entries({ ...bench.added, ...gets }).map(([name, value]) => [
      name,
      value.replace("TOKEN", bench.token).replace("REPO", bench.repo),
    ]);
    const { XDG_CACHE_HOME: _, ...seen } = variablesIn(stdout);
    expect(seen).toEqual({ ...bench.environment(call), ...Object.fromEntries(expected) });
  }
});

describe.concurrent("does not pass on Spaces keys, and says why", () => {
  const backend = (settings: string) => `terraform {\n  backend "s3" {\n    ${settings}\n  }\n}\n`;
  const evil = "https://evil.example";
  const spaces = 'endpoints = { s3 = "https://nyc3.digitaloceanspaces.com" }';
  const provider = `provider "digitalocean" {
  spaces_endpoint   = "${evil}"
  spaces_access_id  = var.a
  spaces_secret_key = var.b
}
variable "a" {}
variable "b" {}
`;

  it.for<[what: string, files: Record<string, string>, env: Record<string, string>, block: string]>(
    [
      [
        "a backend in the code besides the one in the config",
        {
          ".do-bootstraprc": BACKEND,
          ".env": KEYS,
          "main.tf": backend(`endpoints = { s3 = "${evil}" }`),
        },
        {},
        "backend at REPO/main.tf:2 may use a host other than Spaces (endpoints.s3)",
      ],
      [
        "a backend on Spaces with a profile",
        { ".env": KEYS, "main.tf": backend(`${spaces}\n    profile = "x"`) },
        {},
        "backend at REPO/main.tf:2 may use a host other than Spaces (profile)",
      ],
      [
        "a provider on another host",
        { ".env": KEYS, "main.tf": provider },
        {},
        "provider at REPO/main.tf:1 may use a host other than Spaces (spaces_endpoint)",
      ],
      [
        "a provider on another host, with keys in the environment",
        { "main.tf": provider },
        SPACES,
        "provider at REPO/main.tf:1 may use a host other than Spaces (spaces_endpoint)",
      ],
    ],
  )("%s", async ([, files, env, block], { expect, onTestFinished }) => {
    const bench = await execBenchWith(files, onTestFinished);
    const { status, stdout, stderr } = await bench.exec(SHOW, { env });
    const why = block.replace("REPO", bench.repo);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: `do-bootstrap: not passing the SPACES_* keys: the ${why}.\n`,
    });
    const isOne = (name: string) => /^(AWS|TF_VAR)_/.test(name);
    const names = Object.keys(variablesIn(stdout));
    expect(names.filter(isOne)).toEqual([]);
    const passed = names.filter((name) => name.startsWith("SPACES_") && !(name in env));
    // The provider reads these; an S3 client does not.
    expect(passed).toEqual(block.startsWith("provider") ? [] : Object.keys(SPACES));
  });
});

it("passes no Spaces keys on once Terraform's saved backend names another host", async ({
  expect,
  onTestFinished,
}) => {
  const bench = await execBenchWith({ ".do-bootstraprc": BACKEND, ".env": KEYS }, onTestFinished);
  const keys = async () =>
    Object.keys(variablesIn((await bench.exec(SHOW)).stdout)).filter((name) =>
      name.startsWith("AWS_ACCESS"),
    );
  expect(await keys()).toEqual(["AWS_ACCESS_KEY_ID"]);
  const config = { bucket: "a", key: "k", endpoints: { s3: "https://evil.example" } };
  await bench.write(
    ".terraform/terraform.tfstate",
    JSON.stringify({ backend: { type: "s3", config } }),
  );
  expect(await keys()).toEqual([]);
});

describe.concurrent("code generated by do-bootstrap needs no TF_VAR_", () => {
  it.for([
    ["a root with a variable", {}],
    [
      "a root that reads the environment",
      { ".do-bootstraprc": "terraform: { credentials: env }\n" },
    ],
  ] as const)("%s", async ([, files], { expect, onTestFinished }) => {
    const bench = await execBenchWith(files, onTestFinished);
    const made = await bench.run(["--save"], { env: { DIGITALOCEAN_TOKEN: bench.token } });
    expect(made.status, made.stderr).toBe(0);
    expect(await bench.read("provider.tf")).toContain('provider "digitalocean"');
    const { stdout } = await bench.exec(SHOW);
    expect(Object.keys(variablesIn(stdout)).filter((name) => /^TF_/.test(name))).toEqual([]);
  });
});

describe.concurrent("everything else is the same as without exec", () => {
  it("the environment, including names and values that a shell rejects", async ({
    expect,
    onTestFinished,
  }) => {
    const bench = await execBench({ onTestFinished });
    const odd = {
      "a.b": "dot",
      "x-y": "dash",
      __proto: "p",
      toString: "q",
      EMPTY: "",
      LINES: "a\nb\n",
      EQUALS: "a=b=c",
      UNICODE: "é 🐳",
      NODE_OPTIONS: "--no-warnings",
      LD_LIBRARY_PATH: "/nowhere",
    };
    const { stdout, stderr } = await bench.exec(SHOW, { env: odd });
    const { XDG_CACHE_HOME: _, ...seen } = variablesIn(stdout);
    expect(seen).toEqual({ ...bench.environment({ env: odd }), ...bench.added });
    expect(stderr).toBe("");
  });

  it.for([
    ["the working folder", ".", "pwd -P", "REPO\n"],
    ["a subfolder", "a/b c", "pwd -P", "REPO/a/b c\n"],
    ["the umask", ".", "umask 027; do-bootstrap exec -- sh -c umask", "0027\n"],
    ["argument zero", ".", 'do-bootstrap exec -- sh -c "echo \\$0" zero', "zero\n"],
    ...(hasPs ? [PROCESS_GROUP] : []),
  ] as const)("%s", async ([, cwd, line, expected], { expect, onTestFinished }) => {
    const bench = await execBenchWith({ "a/b c/file": "" }, onTestFinished);
    const { stdout, stderr } = await bench.exec(["sh", "-c", line], { cwd });
    expect({ stdout, stderr }).toEqual({
      stdout: expected.replace("REPO", bench.repo),
      stderr: "",
    });
  });

  it("the search order on PATH", async ({ expect, onTestFinished }) => {
    const bench = await execBenchWith({ "first/tool": "not executable" }, onTestFinished);
    await bench.write("second/tool", "#!/bin/sh\necho second\n", 0o755);
    await bench.write("third/tool", "#!/bin/sh\necho third\n", 0o755);
    await bench.write("empty/.keep", "");
    const folders = ["missing", "empty", "first", "second", "third"];
    const PATH = [...folders.map((name) => join(bench.repo, name)), bench.environment()["PATH"]];
    const { stdout } = await bench.exec(["tool"], { env: { PATH: PATH.join(delimiter) } });
    expect(stdout).toBe("second\n");
  });
});

function variablesIn(output: string): Record<string, string> {
  const entries = output.split("\0").filter(Boolean);
  return Object.fromEntries(
    entries.map((each) => [each.slice(0, each.indexOf("=")), each.slice(each.indexOf("=") + 1)]),
  );
}
