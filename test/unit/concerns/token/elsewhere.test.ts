import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../../../src/concerns/config/resolve.ts";
import { validateConfig } from "../../../../src/concerns/config/validate.ts";
import { findElsewhere } from "../../../../src/concerns/token/elsewhere.ts";
import { Secret } from "../../../../src/secret/secret.ts";
import { type Entry, memoryFiles } from "../../memory-files.ts";
import { LEGACY, OAUTH, OTHER, PERSONAL, REFRESH } from "../../samples.ts";

const VALUES = { P: PERSONAL, O: OTHER, A: OAUTH, L: LEGACY, R: REFRESH };
type Letter = keyof typeof VALUES;
/** P, O, A, L and R between stars are tokens. */
const filled = (text: string) => text.replace(/\*([POALR])\*/g, (_, of: Letter) => VALUES[of]);

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  /** By path from /repo, or absolute. */
  readonly files?: Readonly<Record<string, Entry>>;
  readonly contexts?: Readonly<Record<string, string>>;
  readonly config?: Parameters<typeof validateConfig>[0];
  readonly environment?: string;
}

async function search({ env = {}, files = {}, contexts = {}, ...given }: Given) {
  const written = validateConfig(given.config ?? {}, "/repo/do-bootstrap.config.yaml");
  const around = { file: undefined, base: "/repo", packageName: "x", defaultDirs: ["infra"] };
  const config = resolveConfig(written, given.environment, around);
  const entries = Object.entries(files).map(([path, entry]) => {
    return [path, typeof entry === "string" ? filled(entry) : entry] as const;
  });
  const host = {
    env: Object.fromEntries(Object.entries(env).map(([name, text]) => [name, filled(text)])),
    files: memoryFiles("/repo", Object.fromEntries(entries)),
  };
  const held = Object.entries(contexts).map(([context, text]) => {
    return [context, Secret.of(filled(text), { kind: "doctl", context })] as const;
  });
  const envFile = await host.files.look(config.token.envFile);
  return findElsewhere(host, { config, top: "/repo", envFile, contexts: new Map(held) });
}

/** "P: DO_TOKEN in .env:3, DO_PAT in env" */
async function found(given: Given): Promise<string[]> {
  return (await search(given)).found.map(({ token, places }) => {
    const letter = Object.entries(VALUES).find(([, value]) => token.holds(value))?.[0];
    const shown = places.map(({ words }) => words.replace("/repo/", ""));
    return `${letter}: ${shown.join(", ").replace("the environment", "env")}`;
  });
}

/** In a file, or "env": one variable, NAME=value. */
function given(place: string, text: string): Given {
  if (place !== "env") return { files: { [place]: text } };
  const [name = ""] = text.split("=", 1);
  return { env: { [name]: text.slice(name.length + 1) } };
}

const VALUES_FILE = "infra/terraform.tfvars";
const JSON_FILE = "infra/a.auto.tfvars.json";
const OURS = "infra/do-bootstrap.secret.auto.tfvars.json";

// The names come from 50 public onboarding scripts, and similar ones.
describe("a token under another name", () => {
  it.each<[place: string, text: string, expected: string]>([
    ["env", "DO_TOKEN=*P*", "P: DO_TOKEN in env"],
    ["env", "DO_API_TOKEN=*P*", "P: DO_API_TOKEN in env"],
    ["env", "DIGITALOCEAN_API_TOKEN=*P*", "P: DIGITALOCEAN_API_TOKEN in env"],
    ["env", "DO_PAT=*P*", "P: DO_PAT in env"],
    ["env", "TF_VAR_do_token=*P*", "P: TF_VAR_do_token in env"],
    ["env", "ACME_THING=*P*", "P: ACME_THING in env"],
    ["env", "GITHUB_TOKEN=*P*", "P: GITHUB_TOKEN in env"],
    ["env", "DO_TOKEN=*A*", "A: DO_TOKEN in env"],
    ["env", 'DO_TOKEN= "*P*"\n', "P: DO_TOKEN in env"],
    ["env", "AUTH=Authorization: Bearer *P*", "P: AUTH in env"],
    ["env", 'SETTINGS={"token":"*P*"}', "P: SETTINGS in env"],
    ["env", 'OAUTH={"a":"*A*","r":"*R*"}', "A: OAUTH in env"],
    ["env", "DO_TOKEN=*L*", "L: DO_TOKEN in env"],
    ["env", "DIGITALOCEAN_PAT=*L*", "L: DIGITALOCEAN_PAT in env"],
    ["env", "DOCTL_TOKEN=*L*", "L: DOCTL_TOKEN in env"],
    ["env", "DO_API_KEY=*L*", "L: DO_API_KEY in env"],
    ["env", "TF_VAR_digitalocean_token=*L*", "L: TF_VAR_digitalocean_token in env"],
    [".env", "A=1\n\nDO_TOKEN=*P*\n", "P: DO_TOKEN in .env:3"],
    [".env", "export DO_PAT='*P*'\r\n", "P: DO_PAT in .env:1"],
    [".env", "# DO_TOKEN=*P*\nDO_TOKEN=*P*", "P: DO_TOKEN in .env:2"],
    [".env", "A=*P*\nB=*P*", "P: A in .env:1, B in .env:2"],
    [".env", "xK9fQ2mZ7pLw4RtY8sVb=*P*", "P: a variable in .env:1"],
    [".env.local", "DIGITALOCEAN_TOKEN=*P*\n", "P: DIGITALOCEAN_TOKEN in .env.local:1"],
    [".env.production", "X=1\nDO_TOKEN=*P*", "P: DO_TOKEN in .env.production:2"],
    ["prod.env", "DO_TOKEN=*P*", "P: DO_TOKEN in prod.env:1"],
    ["infra/.env", "DO_TOKEN=*P*", "P: DO_TOKEN in infra/.env:1"],
    [".envrc", "use flake\nexport DO_TOKEN=*P*\n", "P: DO_TOKEN in .envrc:2"],
    [".envrc", 'export A=1 DO_TOKEN="*P*"\n', "P: DO_TOKEN in .envrc:1"],
    [".envrc", `export T="\${T:-*P*}"\n`, "P: T in .envrc:1"],
    [".envrc", "if true; then export DO_TOKEN=*P*; fi\n", "P: DO_TOKEN in .envrc:1"],
    [".envrc", "case $X in\n a) DO_PAT='*P*';;\nesac\n", "P: DO_PAT in .envrc:2"],
    [".envrc.local", "export T=*P*", "P: T in .envrc.local:1"],
    [VALUES_FILE, '# x\ndo_token = "*P*"\n', `P: do_token in ${VALUES_FILE}:2`],
    [VALUES_FILE, 'do_token = "*L*"\n', `L: do_token in ${VALUES_FILE}:1`],
    [VALUES_FILE, 'do = {\n  token = "*P*"\n}\n', `P: do.token in ${VALUES_FILE}:2`],
    [VALUES_FILE, 'tokens = [\n  "*P*",\n]\n', `P: tokens in ${VALUES_FILE}:2`],
    ["infra/prod.tfvars", 'token = "*P*"\n', "P: token in infra/prod.tfvars:1"],
    [JSON_FILE, '{\n  "do": {"pat": "*P*"}\n}', `P: do.pat in ${JSON_FILE}:2`],
    [JSON_FILE, '{"digitalocean": {"token": "*L*"}}', `L: digitalocean.token in ${JSON_FILE}:1`],
    [OURS, '{"do_token": "*P*"}', `P: do_token in ${OURS}:1`],
  ])("%s, %j", async (place, text, expected) => {
    expect(await found(given(place, text))).toEqual([expected]);
  });

  const named = { token: { name: "ACME_TOKEN" } };

  it.each<[what: string, given: Given, expected: readonly string[]]>([
    ["two tokens", given(".env", "A=*P*\nB=*O*"), ["P: A in .env:1", "O: B in .env:2"]],
    [
      "in doctl's contexts",
      { contexts: { a: "*P*", b: "*O*" } },
      ["P: doctl context a", "O: doctl context b"],
    ],
    ["an old token in doctl", { contexts: { acme: "*L*" } }, ["L: doctl context acme"]],
    [
      "one token in several places",
      { ...given("env", "DO_PAT=*P*"), ...given(".env", "A=*P*"), contexts: { a: "*P*" } },
      ["P: DO_PAT in env, A in .env:1, doctl context a"],
    ],
    [
      "a standard name, with a custom name in the config",
      { ...given("env", "DIGITALOCEAN_TOKEN=*P*"), config: named },
      ["P: DIGITALOCEAN_TOKEN in env"],
    ],
    [
      "an old token under the custom name, in another file",
      { ...given(".env.local", "ACME_TOKEN=*L*"), config: named },
      ["L: ACME_TOKEN in .env.local:1"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(await found(given)).toEqual(expected);
  });
});

const deep = `${"[".repeat(99)}"*P*"${"]".repeat(99)}`;

describe("values that are not reported", () => {
  it.each<[what: string, place: string, text: string]>([
    ["no token", "env", "A=1"],
    ["a checksum", "env", "IMAGE_SHA256=*L*"],
    // openssl rand -hex 32 makes such values, which must not be sent to DigitalOcean.
    ["64 digits that are another service's token", "env", "K3S_TOKEN=*L*"],
    ["64 digits under a name that is not a token's", ".env", "SESSION_SECRET=*L*"],
    ["64 digits under a key id's name", "env", "DO_SPACES_KEY_ID=*L*"],
    ["64 digits under a session secret's name", "env", "DO_SESSION_SECRET=*L*"],
    ["64 digits under a JWT's name", ".env", "DO_JWT_TOKEN=*L*"],
    ["64 digits under a password's name", ".env", "DO_DB_PASSWORD=*L*"],
    ["a refresh token", "env", "DO_REFRESH_TOKEN=*R*"],
    ["two tokens in one value", "env", "DO_TOKENS=*P*,*O*"],
    ["a token followed by another digit", "env", "DO_TOKEN=*P*0"],
    ["a comment in .env", ".env", "# DO_TOKEN=*P*\nA=1"],
    ["a comment after a value", ".env", "A=1 # *P*"],
    ["a comment in tfvars", VALUES_FILE, '# do_token = "*P*"\nregion = "nyc3"'],
    ["an example file", ".env.example", "DO_TOKEN=*P*"],
    ["a file of another kind", "notes.txt", "DO_TOKEN=*P*"],
    ["tfvars in a folder that is not a root", "other/a.tfvars", 'do_token = "*P*"'],
    ["broken tfvars", VALUES_FILE, 'do_token = "*P*" {'],
    ["broken JSON", JSON_FILE, '{"do_token": "*P*"'],
    ["JSON with too many levels", JSON_FILE, deep],
  ])("%s", async (_, place, text) => {
    expect(await found(given(place, text))).toEqual([]);
  });

  it.each<[what: string, entry: Entry]>([
    ["a link to outside the repo", { text: filled("A=*P*"), leadsTo: "/etc/x" }],
    ["a FIFO", { unusable: "a FIFO" }],
    ["a binary file", { text: Buffer.from(filled("\0DO_TOKEN=*P*")) }],
  ])("%s", async (_, entry) => {
    expect(await found({ files: { ".env.local": entry } })).toEqual([]);
  });
});

describe("environments of the config", () => {
  const config = { environments: { prod: {}, qa: { token: { envFile: ".env.qa" } } } };
  const files = { ".env": "DO_TOKEN=*P*", ".env.qa": "DO_TOKEN=*O*" };

  it.each<[environment: string | undefined, expected: readonly string[]]>([
    [undefined, ["P: DO_TOKEN in .env:1"]],
    ["qa", ["O: DO_TOKEN in .env.qa:1"]],
  ])("--env %s: does not search another environment's env file", async (environment, expected) => {
    expect(await found({ config, files, ...(environment && { environment }) })).toEqual(expected);
  });
});

describe("files, contexts and variables of other environments", () => {
  const qa = { doctl: { context: "quality" } };
  const config = { environments: { prod: {}, "eu-prod": {}, qa } };
  const contexts = { "acme-prod": "*P*" };

  it.each<[environment: string | undefined, given: Given, isFound: boolean]>([
    ["prod", { files: { "infra/prod.tfvars": 'a = "*P*"' } }, true],
    ["qa", { files: { "infra/prod.tfvars": 'a = "*P*"' } }, false],
    [undefined, { files: { "infra/prod.tfvars": 'a = "*P*"' } }, false],
    ["qa", { files: { ".env.Prod.local": "A=*P*" } }, false],
    ["qa", { files: { ".env.product": "A=*P*" } }, true],
    ["prod", { files: { "eu-prod.env": "A=*P*" } }, false],
    ["eu-prod", { files: { "eu_prod.env": "A=*P*" } }, true],
    ["qa", { files: { ".env.local": "A=*P*" } }, true],
    ["prod", { contexts }, true],
    ["qa", { contexts }, false],
    [undefined, { contexts }, false],
    ["prod", { contexts: { quality: "*P*" } }, false],
    ["qa", { contexts: { quality: "*P*" } }, true],
    ["qa", { contexts: { default: "*P*" } }, true],
    ["qa", given("env", "DO_TOKEN_PROD=*P*"), false],
    ["prod", given("env", "TF_VAR_do_token_prod=*P*"), true],
    ["prod", given("env", "PROD_DO_TOKEN=*P*"), true],
    ["qa", { files: { ".env": "DO_TOKEN_QA=*P*\nDO_TOKEN_PROD=*O*" } }, true],
  ])("%s: %j", async (environment, given, isFound) => {
    const all = await search({ config, ...(environment && { environment }), ...given });
    expect(all.found).toHaveLength(isFound ? 1 : 0);
    expect(all.unsearched).toEqual([]);
  });
});

describe("places that may hold more tokens are listed", () => {
  const many = (count: number, text: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`.env.${1000 + i}`, text]));
  const names = Array.from({ length: 150 }, (_, i) => `A${i}=*P*`).join("\n");

  it.each<[what: string, files: NonNullable<Given["files"]>, expected: readonly string[]]>([
    ["not: a file with one token", { ".env.local": "A=*P*" }, []],
    ["an unreadable file", { ".env.local": { unusable: "not readable (EACCES)" } }, [".env.local"]],
    ["a FIFO", { ".envrc": { unusable: "a FIFO" } }, [".envrc"]],
    ["not: a folder named .env.d", { ".env.d/x": "A=1" }, []],
    ["not: a link to outside the repo", { ".env.local": { text: "A=1", leadsTo: "/etc/x" } }, []],
    ["broken tfvars", { [VALUES_FILE]: 'do_token = "*P*" {' }, [VALUES_FILE]],
    ["not: broken tfvars without a token", { [VALUES_FILE]: "do_token = {" }, []],
    ["broken JSON", { [JSON_FILE]: '{"do_token": "*P*"' }, [JSON_FILE]],
    [
      "UTF-16",
      { ".env.local": { text: Buffer.from(filled("A=*P*\n"), "utf16le") } },
      [".env.local"],
    ],
    ["a value with several tokens", { ".env.local": "A=*P*,*O*" }, [".env.local"]],
    ["not: a value with one token twice", { ".env.local": "A=*P*,*P*" }, []],
    ["a token that a later line overrides", { ".env": "A=*P*\nA=*O*" }, [".env"]],
    [
      "a shell line that is not an assignment",
      { ".envrc": "export A=*P*\nset -gx B *O*\n" },
      [".envrc"],
    ],
    ["JSON with too many levels", { [JSON_FILE]: deep }, [JSON_FILE]],
    ["not: comments", { ".env": "#A=*P*\nB=1 # *O*", [VALUES_FILE]: '// a = "*P*"\n' }, []],
    [
      "not: a token under our name, next to another",
      { ".env": "DIGITALOCEAN_TOKEN=*O*\nA=*P*" },
      [],
    ],
    ["not: a refresh token", { ".env": "A=*R*" }, []],
    ["too many files", many(300, "A=1"), [".env.1199"]],
    ["too many files, with tokens", many(300, "A=*P*"), [".env.1100", ".env.1101"]],
    ["too many names in a file", { ".env": names, ".env.local": "A=1" }, [".env"]],
    ["too much text", many(3, `A=${"a".repeat(64)}${"b".repeat(500_000)}`), [".env.1002"]],
  ])("%s", async (_, files, expected) => {
    const { unsearched } = await search({ files });
    const shown = unsearched.map((path) => path.replace("/repo/", ""));
    expect(shown.slice(0, 2)).toEqual(expected);
  });
});

it("lists an environment variable with several tokens", async () => {
  const { unsearched } = await search({ env: { ALL: filled("*P* *O*"), ONE: filled("*P*") } });
  expect(unsearched).toEqual(["ALL in the environment"]);
});

it("the result shows no token", async () => {
  const all = await search({
    ...{ ...given("env", "A=*P*"), ...given(".env", "B=*O*") },
    contexts: { c: "*A*" },
  });
  expect(all.found).toHaveLength(3);
  expect(JSON.stringify(all)).not.toMatch(/do[op]_v1_/);
});
