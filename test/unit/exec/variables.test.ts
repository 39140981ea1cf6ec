import { describe, expect, it } from "vitest";
import type { ExecConfig, Stranger } from "../../../src/exec/exec-config.ts";
import {
  execVariables,
  keysKept,
  outerExec,
  secretsIn,
  toolVariables,
  variableNames,
} from "../../../src/exec/variables.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { revealed, type Variables } from "../../../src/secret/variables.ts";
import { EXEC_CONFIG, PERSONAL, secret } from "../samples.ts";

// Notation of the cases: "file.SPACES_X=1 env.AWS_Y=2 --all --backend name=ACME_TOKEN var=do_token keys=id,secret".
function read(given: string) {
  const words = given.split(" ").filter(Boolean);
  const of = (place: string) =>
    words
      .filter((word) => word.startsWith(place))
      .map((word) => /^([^=]*)=(.*)$/.exec(word.slice(place.length)) ?? [])
      .map(([, name = "", value = ""]): [string, string] => [name, value]);
  const named = Object.fromEntries(of(""));
  const config: ExecConfig = {
    ...EXEC_CONFIG,
    tokenName: named["name"] ?? EXEC_CONFIG.tokenName,
    hasBackend: words.includes("--backend"),
    variables: of("var").map(([, value]) => value),
    keyVariables: of("keys").map(([, value]) => {
      const [id = "", key = ""] = value.split(",");
      return { ...(id ? { id } : {}), ...(key ? { secret: key } : {}) };
    }),
  };
  return {
    config,
    env: Object.fromEntries(of("env.")),
    envFile: new Map(of("file.")),
    token: secret(),
    all: words.includes("--all"),
  };
}

const TOKENS = "DIGITALOCEAN_TOKEN=T DIGITALOCEAN_ACCESS_TOKEN=T";
const CHECKSUMS =
  "AWS_REQUEST_CHECKSUM_CALCULATION=when_required AWS_RESPONSE_CHECKSUM_VALIDATION=when_required";

/** "A=1 B=2", with T for the token. */
function say(variables: Variables): string {
  return [...revealed(variables)]
    .map(([name, value]) => `${name}=${value === PERSONAL ? "T" : value}`)
    .join(" ");
}

const given = (text: string) => say(toolVariables(read(text)));

describe("the token", () => {
  it.each([
    ["", TOKENS],
    ["name=DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN=T DIGITALOCEAN_TOKEN=T"],
    ["name=ACME_TOKEN", `ACME_TOKEN=T ${TOKENS}`],
    ["var=do_token", `${TOKENS} TF_VAR_do_token=T`],
    ["var=a var=b", `${TOKENS} TF_VAR_a=T TF_VAR_b=T`],
    ["env.DIGITALOCEAN_TOKEN=x env.DIGITALOCEAN_ACCESS_TOKEN=y", TOKENS],
    ["env.TF_VAR_do_token=x var=do_token", `${TOKENS} TF_VAR_do_token=T`],
    ["file.TF_VAR_do_token=x var=do_token", `TF_VAR_do_token=T ${TOKENS}`],
    ["file.DIGITALOCEAN_TOKEN=x", TOKENS],
    ["file.DIGITALOCEAN_TOKEN=x --all", TOKENS],
    ["file.DIGITALOCEAN_ACCESS_TOKEN=x --all", `DIGITALOCEAN_ACCESS_TOKEN=T DIGITALOCEAN_TOKEN=T`],
  ])("%s -> %s", (text, expected) => {
    expect(given(text)).toBe(expected);
  });
});

describe("variables that pass from the env file", () => {
  it.each([
    ["file.SPACES_ACCESS_KEY_ID=1", `SPACES_ACCESS_KEY_ID=1 ${TOKENS}`],
    ["file.AWS_REGION=r", `AWS_REGION=r ${TOKENS}`],
    ["file.TF_VAR_region=nyc3", `TF_VAR_region=nyc3 ${TOKENS}`],
    ["file.TF_VAR_a-b=1", `TF_VAR_a-b=1 ${TOKENS}`],
    ["file.AWS_REGION=", `AWS_REGION= ${TOKENS}`],
    ["file.PORT=80", TOKENS],
    ["file.PORT=80 --all", `PORT=80 ${TOKENS}`],
    ["file.TF_LOG=trace", TOKENS],
    ["file.MY_AWS_KEY=1", TOKENS],
    ["file.aws_profile=p", TOKENS],
    ["file.DIGITALOCEAN_CONTEXT=x", TOKENS],
    ["file.DIGITALOCEAN_CONTEXT=x --all", TOKENS],
    ["file.DIGITALOCEAN_API_URL=x", TOKENS],
    ["file.DIGITALOCEAN_API_URL=x --all", TOKENS],
    ["file.digitalocean_api_url=x --all", TOKENS],
    // doctl's config may hold an api-url (docs/contracts/doctl.md 3.8).
    ["file.DIGITALOCEAN_CONFIG=x.yaml --all", TOKENS],
    // A file must not choose the hosts or programs that get the keys.
    ["file.AWS_ENDPOINT_URL_S3=https://evil.example --all", TOKENS],
    ["file.AWS_ENDPOINT_URL=https://evil.example", TOKENS],
    ["file.SPACES_ENDPOINT_URL=https://evil.example", TOKENS],
    ["file.AWS_S3_ENDPOINT=https://evil.example", TOKENS],
    ["file.AWS_STS_ENDPOINT=https://evil.example --all", TOKENS],
    ["file.AWS_IAM_ENDPOINT=https://evil.example", TOKENS],
    ["file.AWS_DYNAMODB_ENDPOINT=https://evil.example", TOKENS],
    ["file.SPACES_API_URL=https://evil.example", TOKENS],
    ["file.SPACES_S3_ENDPOINT=https://evil.example --all", TOKENS],
    ["file.AWS_CONFIG_FILE=./x.ini --all", TOKENS],
    ["file.AWS_SHARED_CREDENTIALS_FILE=./x.ini", TOKENS],
    ["file.AWS_CA_BUNDLE=./ca.pem", TOKENS],
    ["file.DO_BOOTSTRAP_OAUTH_URL=x --all", TOKENS],
    ["file.DO_BOOTSTRAP_EXEC=:/x --all", TOKENS],
    ["file.do_bootstrap_exec=:/x --all", TOKENS],
    ...[
      // Only listed AWS and Terraform variables pass.
      ...[
        "AWS_PROFILE",
        "AWS_METADATA_URL",
        "AWS_DATA_PATH",
        "AWS_CSM_HOST",
        "AWS_SDK_LOAD_CONFIG",
      ],
      ...["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"],
      ...["AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_LOGIN_CACHE_DIRECTORY", "AWS_OF_NEXT_YEAR"],
      ...["TF_CLI_CONFIG_FILE", "TF_REATTACH_PROVIDERS", "TF_CLI_ARGS_plan", "TF_DATA_DIR"],
      ...["TF_ENCRYPTION", "TF_TOKEN_app_terraform_io", "TERRAGRUNT_TFPATH", "TERRAFORM_CONFIG"],
      // Hosts, programs and files of processes that get the token.
      ...["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "SSL_CERT_FILE", "CURL_CA_BUNDLE"],
      ...["LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "BASH_ENV", "PS4", "PATH", "Path", "GCONV_PATH"],
      ...["NODE_OPTIONS", "PYTHONPATH", "PERL5OPT", "RUBYOPT", "JAVA_TOOL_OPTIONS", "GODEBUG"],
      ...["GIT_SSH_COMMAND", "SSH_ASKPASS", "EDITOR", "XDG_CONFIG_HOME", "NPM_CONFIG_SCRIPT_SHELL"],
      ...[
        "npm_config_registry",
        "DOTNET_STARTUP_HOOKS",
        "KUBECONFIG",
        "DOCKER_HOST",
        "SSLKEYLOGFILE",
      ],
      ...["DIGITALOCEAN_API_ENDPOINT", "SPACES_CDN_HOST", "DIGITALOCEAN_HTTP_PROXY"],
      ...["GLIBC_TUNABLES", "GTK_MODULES", "RSYNC_RSH", "ANSIBLE_CONFIG", "RCLONE_CONFIG"],
      ...["MC_HOST_do", "KUBERNETES_MASTER", "JAVACMD", "grpc_proxy", "PKR_PLUGIN_PATH"],
    ].map((name) => [`file.${name}=x --all`, TOKENS]),
    ["file.ENV=./x.sh --all", TOKENS],
    ["file.ENV=production --all", `ENV=production ${TOKENS}`],
    ["file.NODE_ENV=test --all", `NODE_ENV=test ${TOKENS}`],
    ["file.GIT_SHA=1 file.DB_HOST=h --all", `GIT_SHA=1 DB_HOST=h ${TOKENS}`],
    ["file.API_URL=https://a.example --all", `API_URL=https://a.example ${TOKENS}`],
    ["file.TF_LOG=trace --all", `TF_LOG=trace ${TOKENS}`],
    ["file.AWS_S3_BUCKET=b", `AWS_S3_BUCKET=b ${TOKENS}`],
    // A secret in place of a name.
    [`file.${PERSONAL}=x --all`, TOKENS],
    [`file.TF_VAR_${PERSONAL}=x`, TOKENS],
    ["file.eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x=x --all", TOKENS],
    ["file.ghp_16C7e42F292c6912E7710c838347Ae178B4a=x --all", TOKENS],
    ["file.DO_BOOTSTRAP=1 --all", `DO_BOOTSTRAP=1 ${TOKENS}`],
  ])("%s -> %s", (text, expected) => {
    expect(given(text)).toBe(expected);
  });
});

describe("variables of the environment override the env file", () => {
  it.each([
    ["env.AWS_REGION=mine file.AWS_REGION=p", TOKENS],
    ["env.AWS_REGION= file.AWS_REGION=p", `AWS_REGION=p ${TOKENS}`],
    ["env.PORT=1 file.PORT=80 --all", TOKENS],
    ["env.AWS_PROFILE=mine", TOKENS],
    ["env.PORT=1 --all", TOKENS],
  ])("%s -> %s", (text, expected) => {
    expect(given(text)).toBe(expected);
  });
});

describe("a backend on Spaces", () => {
  const FILE = "file.SPACES_ACCESS_KEY_ID=id file.SPACES_SECRET_ACCESS_KEY=sec";
  const SPACES = "SPACES_ACCESS_KEY_ID=id SPACES_SECRET_ACCESS_KEY=sec";
  const ENV = "env.SPACES_ACCESS_KEY_ID=id env.SPACES_SECRET_ACCESS_KEY=sec";
  const AWS = "AWS_ACCESS_KEY_ID=id AWS_SECRET_ACCESS_KEY=sec";
  const ID = "file.SPACES_ACCESS_KEY_ID=id";
  const CALCULATION = "AWS_REQUEST_CHECKSUM_CALCULATION";

  it.each([
    [FILE, `${SPACES} ${TOKENS}`],
    [`${FILE} --backend`, `${SPACES} ${TOKENS} ${AWS} ${CHECKSUMS}`],
    [`${ENV} --backend`, `${TOKENS} ${AWS} ${CHECKSUMS}`],
    [`${ENV}`, TOKENS],
    ["--backend", `${TOKENS} ${CHECKSUMS}`],
    [`${ID} --backend`, `SPACES_ACCESS_KEY_ID=id ${TOKENS} AWS_ACCESS_KEY_ID=id ${CHECKSUMS}`],
    [`${FILE} env.AWS_ACCESS_KEY_ID=a --backend`, `${SPACES} ${TOKENS} ${CHECKSUMS}`],
    [`${FILE} env.AWS_SECRET_ACCESS_KEY=a --backend`, `${SPACES} ${TOKENS} ${CHECKSUMS}`],
    [`${FILE} env.AWS_SESSION_TOKEN=a --backend`, `${SPACES} ${TOKENS} ${CHECKSUMS}`],
    [`${FILE} env.AWS_PROFILE=a --backend`, `${SPACES} ${TOKENS} ${CHECKSUMS}`],
    [`${FILE} env.AWS_PROFILE= --backend`, `${SPACES} ${TOKENS} ${AWS} ${CHECKSUMS}`],
    // A file must not select a login of this machine.
    [`${FILE} file.AWS_PROFILE=a --backend`, `${SPACES} ${TOKENS} ${AWS} ${CHECKSUMS}`],
    [`${FILE} env.AWS_REGION=a --backend`, `${SPACES} ${TOKENS} ${AWS} ${CHECKSUMS}`],
    [
      `${FILE} env.SPACES_ACCESS_KEY_ID=e --backend`,
      `SPACES_SECRET_ACCESS_KEY=sec ${TOKENS} AWS_ACCESS_KEY_ID=e AWS_SECRET_ACCESS_KEY=sec ${CHECKSUMS}`,
    ],
    [`env.${CALCULATION}=x --backend`, `${TOKENS} AWS_RESPONSE_CHECKSUM_VALIDATION=when_required`],
    [
      `file.${CALCULATION}=x --backend`,
      `${CALCULATION}=x ${TOKENS} AWS_RESPONSE_CHECKSUM_VALIDATION=when_required`,
    ],
  ])("%s -> %s", (text, expected) => {
    expect(given(text)).toBe(expected);
  });
});

describe("Terraform variables with a provider's keys", () => {
  const ENV = "env.SPACES_ACCESS_KEY_ID=id env.SPACES_SECRET_ACCESS_KEY=sec";
  const EVIL = "https://evil.example";

  it.each([
    [`${ENV} keys=a,b`, `TF_VAR_a=id TF_VAR_b=sec ${TOKENS}`],
    [`${ENV} keys=,b`, `TF_VAR_b=sec ${TOKENS}`],
    [`${ENV} keys=a,b keys=c,d`, `TF_VAR_a=id TF_VAR_b=sec TF_VAR_c=id TF_VAR_d=sec ${TOKENS}`],
    [`${ENV} keys=a,b keys=c,a`, `TF_VAR_b=sec TF_VAR_c=id ${TOKENS}`],
    [`${ENV} keys=a,a`, TOKENS],
    [`${ENV} keys=a,b var=a`, `TF_VAR_b=sec ${TOKENS} TF_VAR_a=T`],
    [`${ENV} env.TF_VAR_a=x keys=a,b`, TOKENS],
    [`${ENV} env.TF_VAR_a=x keys=a,b keys=c,d`, `TF_VAR_c=id TF_VAR_d=sec ${TOKENS}`],
    [`${ENV} file.TF_VAR_b=x keys=a,b`, `TF_VAR_b=x ${TOKENS}`],
    ["env.SPACES_ACCESS_KEY_ID=id keys=a,b", TOKENS],
    ["env.AWS_ACCESS_KEY_ID=id env.AWS_SECRET_ACCESS_KEY=sec keys=a,b", TOKENS],
    ["keys=a,b", TOKENS],
  ])("%s -> %s", (text, expected) => {
    const variables = toolVariables(read(text));
    expect(say(variables)).toBe(expected);
    for (const name of ["TF_VAR_c", "TF_VAR_d"]) {
      if (variables.has(name)) expect(variables.get(name)).toBeInstanceOf(Secret);
    }
  });

  it.each([
    [`${ENV} keys=a,b`, "https://evil.example", TOKENS, "SPACES_* provider"],
    [
      "file.SPACES_ACCESS_KEY_ID=id file.SPACES_SECRET_ACCESS_KEY=sec",
      EVIL,
      TOKENS,
      "SPACES_* provider",
    ],
    // Keys in the environment are the user's own choice, so we do not block them.
    [ENV, EVIL, TOKENS, ""],
    [
      `${ENV} keys=a,b env.SPACES_ENDPOINT_URL=${EVIL}`,
      EVIL,
      `TF_VAR_a=id TF_VAR_b=sec ${TOKENS}`,
      "",
    ],
    [`${ENV} keys=a,b env.SPACES_ENDPOINT_URL=${EVIL}`, "", TOKENS, "SPACES_* provider"],
    [`${ENV} keys=a,b env.AWS_ENDPOINT_URL_S3=${EVIL}`, EVIL, TOKENS, "SPACES_* provider"],
    [`${ENV} keys=a,b file.SPACES_ENDPOINT_URL=${EVIL}`, EVIL, TOKENS, "SPACES_* provider"],
  ])("%s, with a provider whose endpoint is %s -> %s", (text, host, expected, kept) => {
    const strangers = [{ setting: "spaces_endpoint", host }];
    const known = read(text);
    const config = { ...known.config, strangeProviders: [{ place: "/repo/a.tf:1", strangers }] };
    expect(say(toolVariables({ ...known, config }))).toBe(expected);
    const said = keysKept({ ...known, config }).map(({ names, block }) => `${names} ${block}`);
    expect(said.join(", ")).toBe(kept);
  });

  it("a backend on Spaces gets the keys even if a provider uses another host", () => {
    const known = read(`${ENV} --backend keys=a,b`);
    const strangers = [{ setting: "spaces_endpoint", host: EVIL }];
    const config = { ...known.config, strangeProviders: [{ place: "/repo/a.tf:1", strangers }] };
    const aws = "AWS_ACCESS_KEY_ID=id AWS_SECRET_ACCESS_KEY=sec";
    expect(say(toolVariables({ ...known, config }))).toBe(`${TOKENS} ${aws} ${CHECKSUMS}`);
  });
});

describe("a backend in the code on another host than Spaces", () => {
  const EVIL = "https://evil.example";
  const FILE = "file.SPACES_ACCESS_KEY_ID=id file.SPACES_SECRET_ACCESS_KEY=sec";
  const SPACES = "SPACES_ACCESS_KEY_ID=id SPACES_SECRET_ACCESS_KEY=sec";
  const SAME = "AWS_ACCESS_KEY_ID=id AWS_SECRET_ACCESS_KEY=sec";
  const AWS = `${SAME} AWS_SESSION_TOKEN=ses`;
  const OF_AWS = AWS.replaceAll("AWS_", "file.AWS_");
  const endpoint = { setting: "endpoints.s3", host: EVIL };
  const profile = { setting: "profile" };
  const proxy = { setting: "http_proxy", host: "" };

  it.each<[string, readonly Stranger[], string, string]>([
    [FILE, [endpoint], `${SPACES} ${TOKENS}`, "SPACES_*"],
    [FILE, [profile], `${SPACES} ${TOKENS}`, "SPACES_*"],
    [OF_AWS, [endpoint], TOKENS, "AWS_*"],
    [`${OF_AWS} --all`, [proxy], TOKENS, "AWS_*"],
    // AWS itself gets its own keys.
    [OF_AWS, [profile], `${AWS} ${TOKENS}`, ""],
    // The user set the keys and hosts in the environment.
    [
      `${FILE} env.AWS_ENDPOINT_URL_S3=${EVIL}`,
      [endpoint],
      `${SPACES} ${TOKENS} ${SAME} ${CHECKSUMS}`,
      "",
    ],
    [`${OF_AWS} env.AWS_ENDPOINT_URL=${EVIL}`, [endpoint], `${AWS} ${TOKENS} ${CHECKSUMS}`, ""],
    [`${FILE} env.AWS_ENDPOINT_URL_S3=${EVIL}x`, [endpoint], `${SPACES} ${TOKENS}`, "SPACES_*"],
    [
      `${FILE} env.AWS_ENDPOINT_URL_S3=${EVIL}`,
      [endpoint, proxy],
      `${SPACES} ${TOKENS}`,
      "SPACES_*",
    ],
    [`${FILE} file.AWS_ENDPOINT_URL_S3=${EVIL}`, [endpoint], `${SPACES} ${TOKENS}`, "SPACES_*"],
    ["", [endpoint], TOKENS, ""],
  ])("%s, with %j -> %s", (text, strangers, expected, kept) => {
    const known = read(`${text} --backend`);
    const strangeBackends = [{ place: "/repo/main.tf:3", strangers }];
    const surroundings = { ...known, config: { ...known.config, strangeBackends } };
    expect(say(toolVariables(surroundings))).toBe(expected);
    expect(
      keysKept(surroundings)
        .map(({ names }) => names)
        .join(" "),
    ).toBe(kept);
  });
});

describe("a variable's name decides whether its value is a secret", () => {
  it.each([
    ["SPACES_ACCESS_KEY_ID", true],
    ["SPACES_SECRET_ACCESS_KEY", true],
    ["AWS_SESSION_TOKEN", true],
    ["TF_VAR_db_password", true],
    ["TF_VAR_api_key", true],
    ["TF_VAR_BasicAuth", true],
    ["TF_VAR_credentials", true],
    ["TF_VAR_region", false],
    ["AWS_REGION", false],
    ["TF_VAR_db_pwd", true],
    ["AWS_DEFAULT_REGION", false],
  ])("%s: %s", (name, isSecret) => {
    const variables = toolVariables(read(`file.${name}=value-of-it`));
    expect(variables.get(name) instanceof Secret).toBe(isSecret);
    expect(JSON.stringify([...variables]).includes("value-of-it")).toBe(!isSecret);
  });

  it("a password in a URL makes it a secret", () => {
    const variables = toolVariables({
      ...read("--all"),
      envFile: new Map([
        ["DATABASE_URL", "postgres://u:hunter2@db.example/x"],
        ["HOME_PAGE", "https://www.example"],
      ]),
    });
    expect(variables.get("DATABASE_URL")).toBeInstanceOf(Secret);
    expect(variables.get("HOME_PAGE")).toBe("https://www.example");
  });

  it("the token is a secret under every name", () => {
    const variables = toolVariables(read("name=ACME_TOKEN var=do_x"));
    const names = ["ACME_TOKEN", "DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN", "TF_VAR_do_x"];
    expect([...variables.keys()]).toEqual(names);
    for (const value of variables.values()) expect(value).toBeInstanceOf(Secret);
  });

  it("Spaces keys under AWS_ names are secrets", () => {
    const variables = toolVariables(
      read("env.SPACES_SECRET_ACCESS_KEY=s file.SPACES_ACCESS_KEY_ID=i --backend"),
    );
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) {
      expect(variables.get(name), name).toBeInstanceOf(Secret);
    }
  });
});

describe("the values that --mask hides", () => {
  it.each([
    ["", "T"],
    ["file.SPACES_SECRET_ACCESS_KEY=aaaaaa", "aaaaaa T"],
    ["file.TF_VAR_region=nyc3", "T"],
    ["env.SPACES_SECRET_ACCESS_KEY=aaaaaa", "T aaaaaa"],
    ["env.TF_VAR_db_password=pppppp env.AWS_REGION=r", "T pppppp"],
    ["env.AWS_SECRET_ACCESS_KEY= env.HOME=/h", "T"],
    ["env.DB_PASSWORD=dddddd", "T dddddd"],
    ["env.PWD=/home/me env.SSH_AUTH_SOCK=/run/x env.GIT_AUTHOR_NAME=Mary", "T"],
    [
      "env.HTTPS_PROXY=http://me:p%40ss1@proxy.example",
      "T http://me:p%40ss1@proxy.example p%40ss1 p@ss1",
    ],
    ["file.DB_PASSWORD=dddddd", "T"],
    ["file.DB_PASSWORD=dddddd --all", "dddddd T"],
    ["file.SPACES_SECRET_ACCESS_KEY=a env.SPACES_SECRET_ACCESS_KEY=b", "T b"],
    ["file.TF_VAR_key=a file.AWS_SECRET_ACCESS_KEY=a", "a T"],
  ])("%s -> %s", (text, expected) => {
    const surroundings = read(text);
    const secrets = secretsIn(toolVariables(surroundings), surroundings.env);
    expect(secrets.map((value) => (value === PERSONAL ? "T" : value)).join(" ")).toBe(expected);
  });
});

describe("the names that --unset removes", () => {
  const NAMES = "DIGITALOCEAN_TOKEN DIGITALOCEAN_ACCESS_TOKEN";
  const SUMS = "AWS_REQUEST_CHECKSUM_CALCULATION AWS_RESPONSE_CHECKSUM_VALIDATION";
  it.each([
    ["", NAMES],
    ["name=ACME_TOKEN var=do_x", `ACME_TOKEN ${NAMES} TF_VAR_do_x`],
    ["file.AWS_REGION=p file.PORT=1", `AWS_REGION ${NAMES}`],
    ["file.AWS_REGION=p file.PORT=1 --all", `AWS_REGION PORT ${NAMES}`],
    ["file.DO_BOOTSTRAP_X=1 file.DIGITALOCEAN_API_URL=u --all", NAMES],
    ["--backend", `${NAMES} ${SUMS}`],
    [
      "file.SPACES_ACCESS_KEY_ID=i file.SPACES_SECRET_ACCESS_KEY=s keys=a,b",
      `SPACES_ACCESS_KEY_ID SPACES_SECRET_ACCESS_KEY TF_VAR_a TF_VAR_b ${NAMES}`,
    ],
    [
      "file.SPACES_ACCESS_KEY_ID=i --backend",
      `SPACES_ACCESS_KEY_ID ${NAMES} AWS_ACCESS_KEY_ID ${SUMS}`,
    ],
  ])("%s -> %s", (text, names) => {
    const { config, envFile, all } = read(text);
    expect(variableNames({ config, env: {}, envFile }, all).join(" ")).toBe(names);
  });

  it.each<[string, Record<string, string>, boolean]>([
    ["is unset", {}, true],
    ["has the file's value", { AWS_REGION: "p" }, true],
    ["has another value", { AWS_REGION: "mine" }, false],
  ])("a variable that %s: removed %s", (_, env, isRemoved) => {
    const { config, envFile, all } = read("file.AWS_REGION=p");
    expect(variableNames({ config, env, envFile }, all).includes("AWS_REGION")).toBe(isRemoved);
  });

  it.each([
    "",
    "name=ACME_TOKEN var=do_x file.AWS_REGION=p file.PORT=1 --all",
    "file.SPACES_ACCESS_KEY_ID=i file.SPACES_SECRET_ACCESS_KEY=s --backend",
  ])("are the names that env sets: %s", (text) => {
    const surroundings = read(text);
    const { config, envFile, all } = surroundings;
    expect(variableNames({ config, env: {}, envFile }, all)).toEqual([
      ...toolVariables(surroundings).keys(),
    ]);
  });
});

describe("variables only for a tool that exec starts", () => {
  it.each([
    [undefined, "/repo", ":/repo"],
    ["prod", "/repo", "prod:/repo"],
    ["prod", "/a:b\nc", "prod:/a:b\nc"],
  ])("--env %s in %j: the marker is %j", (environment, base, marker) => {
    const variables = execVariables({ ...EXEC_CONFIG, environment, base }, secret(), []);
    expect(Object.fromEntries(variables)).toEqual({
      DIGITALOCEAN_CONTEXT: "default",
      DO_BOOTSTRAP_EXEC: marker,
    });
    expect(outerExec({ DO_BOOTSTRAP_EXEC: marker })).toEqual({
      environment: environment ?? "",
      base,
    });
  });

  it.each<[line: string, isEmptied: boolean]>([
    ["doctl --context other account get", true],
    ["doctl account get --context=other", true],
    ["/opt/doctl.exe account get --context Other", true],
    ["doctl account get", false],
    ["doctl --context default account get", false],
    ["doctl --context= account get", false],
    ["doctl account get --context", false],
    ["doctl --context other --context default account get", false],
    ["doctl compute ssh web -- --context other", false],
    ["kubectl --context other get pods", false],
  ])("%s: DIGITALOCEAN_ACCESS_TOKEN is emptied: %s", (line, isEmptied) => {
    const variables = execVariables(EXEC_CONFIG, secret(), line.split(" "));
    expect(variables.get("DIGITALOCEAN_ACCESS_TOKEN")).toBe(isEmptied ? "" : undefined);
  });

  it.each([[undefined], [""], ["x"], [":"], ["prod:"]])("the marker %j is invalid", (marker) => {
    expect(outerExec({ DO_BOOTSTRAP_EXEC: marker })).toBeUndefined();
  });
});
