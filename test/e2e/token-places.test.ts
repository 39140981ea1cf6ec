import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "vitest";
import type { PlaceDocument } from "../../src/report/documents.ts";
import { guardedToken, type Workbench, workbench } from "../fixtures/workbench.ts";

/** As one line: kind, place, mode, and what would include it. */
function told({ repo, home }: Workbench, place: PlaceDocument): string {
  const { kind, name, path, mode, takenBy, unread } = place;
  const file = path?.replace(`${repo}/`, "").replace(home, "~");
  const takers = Object.entries(takenBy).flatMap(([who, takes]) =>
    takes === true ? who : takes === null ? `${who}?` : [],
  );
  return [kind, file, name, mode, takers.join("+"), unread].filter(Boolean).join(" ");
}

const TFVARS = "tfvars do-bootstrap.secret.auto.tfvars.json 0600";
const DOCTL = "doctl ~/.config/doctl/config.yaml default 0600";

const FOLDER = ".env.do-bootstrap-01234567-1-abcdef.local";
const DOCTL_FOLDER = ".do-bootstrap-01234567-1-abcdef";
const LEFT = `${FOLDER}/${FOLDER}`;

type Row = readonly [
  what: string,
  arrange: (bench: Workbench) => Promise<unknown>,
  expected: readonly string[],
  env?: (bench: Workbench) => Readonly<Record<string, string>>,
];

const rows: readonly Row[] = [
  ["a prepared repo", async () => undefined, ["env-file .env 0600", TFVARS, DOCTL]],
  [
    "shell variables with any name",
    async () => undefined,
    ["env-file .env 0600", TFVARS, DOCTL, "environment DIGITALOCEAN_TOKEN", "environment MY_DO"],
    ({ token }) => ({ DIGITALOCEAN_TOKEN: token, MY_DO: token, OTHER: guardedToken("dop") }),
  ],
  [
    "an .envrc with the token, and one without",
    async (bench) => {
      await bench.write(".envrc", `export DO_TOKEN=${bench.token}\n`, 0o644);
      await bench.write("sub/.envrc", "dotenv\n");
    },
    ["env-file .env 0600", TFVARS, "shell .envrc 0644 git", DOCTL],
  ],
  [
    "an ignored env file with another name that others can read",
    (bench) => bench.write(".env.local", `X=${bench.token}\n`, 0o644),
    ["env-file .env 0600", "env-file .env.local 0644", TFVARS, DOCTL],
  ],
  [
    "an env file that can't be read is reported as unread",
    (bench) => bench.write(".env.huge", "x".repeat(5 * 1024 * 1024)),
    ["env-file .env 0600", "env-file .env.huge git unread", TFVARS, DOCTL],
  ],
  [
    "a file that a killed run left",
    async (bench) => {
      await bench.write(".gitignore", "*\n");
      await bench.write(LEFT, `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
      await bench.write(`${dirname(LEFT)}/.gitignore`, "*\n");
    },
    ["env-file .env 0600", TFVARS, DOCTL, `kept ${LEFT} 0600`],
  ],
  [
    "a file that a killed run left next to doctl's config",
    async ({ guard, home, token }) => {
      const left = `.config/doctl/${DOCTL_FOLDER}/${DOCTL_FOLDER}.yaml`;
      guard.mayHold(join("home", left));
      await mkdir(dirname(join(home, left)), { mode: 0o700 });
      await writeFile(join(home, left), `access-token: ${token}\n`, { mode: 0o600 });
    },
    [
      ...["env-file .env 0600", TFVARS, DOCTL],
      `kept ~/.config/doctl/${DOCTL_FOLDER}/${DOCTL_FOLDER}.yaml 0600`,
    ],
  ],
  [
    "a file that git does not ignore",
    (bench) => bench.write("docs/note.bak", `t: ${bench.token}\n`, 0o644),
    ["env-file .env 0600", TFVARS, "file docs/note.bak 0644 git", DOCTL],
  ],
  [
    "a link counts as its target",
    (bench) => symlink(".env", join(bench.repo, ".env.prod")),
    ["env-file .env 0600", TFVARS, DOCTL],
  ],
  [
    "a Dockerfile without an ignore file includes everything",
    (bench) => bench.write("Dockerfile", "FROM scratch\nCOPY . .\n"),
    ["env-file .env 0600 docker", `${TFVARS} docker`, DOCTL],
  ],
  [
    ".dockerignore excludes one",
    async (bench) => {
      await bench.write("Dockerfile", "FROM scratch\nCOPY . .\n");
      await bench.write(".dockerignore", ".env\n");
    },
    ["env-file .env 0600", `${TFVARS} docker`, DOCTL],
  ],
  [
    "a Dockerfile in another folder does not include it",
    (bench) => bench.write("app/Dockerfile", "FROM scratch\nCOPY . .\n"),
    ["env-file .env 0600", TFVARS, DOCTL],
  ],
  [
    "npm uses .npmignore instead of .gitignore",
    async (bench) => {
      await bench.write("package.json", '{"name":"acme-web","version":"1.0.0"}\n');
      await bench.write(".npmignore", "*.json\n");
    },
    ["env-file .env 0600 npm", TFVARS, DOCTL],
  ],
  ...(
    [
      ["lists other files: npm is not asked", ["dist", "lib/x.js"], ""],
      ["lists the env file", ["dist", ".env"], " npm"],
      ["lists everything, and npm uses .gitignore", ["."], ""],
    ] as const
  ).map(
    ([what, files, npm]): Row => [
      `package.json ${what}`,
      (bench) =>
        bench.write("package.json", JSON.stringify({ name: "acme-web", version: "1.0.0", files })),
      [`env-file .env 0600${npm}`, TFVARS, DOCTL],
    ],
  ),
  [
    "npm does not publish a private package",
    async (bench) => {
      await bench.write("package.json", '{"name":"acme-web","private":true}\n');
      await bench.write(".npmignore", "x\n");
    },
    ["env-file .env 0600", TFVARS, DOCTL],
  ],
  [
    "git tracks the env file",
    async (bench) => {
      await bench.write(".env", await bench.read(".env"), 0o600);
      await bench.git("add", "--force", ".env");
      await bench.git("commit", "--quiet", "--message=x");
    },
    ["env-file .env 0600 git", TFVARS, DOCTL],
  ],
  [
    "a mode with write access for everybody",
    (bench) => chmod(join(bench.repo, ".env"), 0o666),
    ["env-file .env 0666", TFVARS, DOCTL],
  ],
];

describe("check says where the token is", () => {
  it.concurrent.for(rows)("%s", async ([, arrange, expected, env], context) => {
    const { expect } = context;
    const bench = await workbench(context);
    await bench.run(["--token-stdin", "--doctl-config"], { input: bench.token });
    await arrange(bench);
    bench.mayHold("docs/note.bak", ".envrc");
    const { stdout } = await bench.run(["check", "--json"], env ? { env: env(bench) } : {});
    expect(stdout).not.toContain(bench.token);
    const { places } = JSON.parse(stdout) as { places: readonly PlaceDocument[] };
    const lines = places.map((place) => told(bench, place).replace(/larger than.*/, "unread"));
    expect(lines).toEqual(expected);
  });

  it("names the file that a killed first run left", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    await bench.write(LEFT, `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    await bench.write(`${FOLDER}/.gitignore`, `# ${FOLDER}\n*\n`);
    const { stdout } = await bench.run(["check"]);
    expect(stdout).toContain(`Token stored in:\n  ${LEFT}  0600  git no`);
    expect(stdout).toContain("[token.missing]");
  });

  it("prints aligned lines", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    await bench.run(["--token-stdin", "--doctl-config"], { input: bench.token });
    await bench.write("Dockerfile", "FROM scratch\n");
    await bench.write(".env.huge", "x".repeat(5 * 1024 * 1024));
    const env = { DIGITALOCEAN_TOKEN: bench.token };
    const { stdout } = await bench.run(["check"], { env });
    expect(/^Token stored in[\s\S]*?\n\n/m.exec(stdout)?.[0]).toMatchInlineSnapshot(`
      "Token stored in:
        .env                                   0600  git no   Docker yes  npm no
        .env.huge                              not read, so it may hold the token: larger than 4 MB
        do-bootstrap.secret.auto.tfvars.json   0600  git no   Docker yes  npm no
        ~/.config/doctl/config.yaml (default)  0600  git no   Docker no   npm no
        DIGITALOCEAN_TOKEN                     environment of this shell

      "
    `);
    const none = await bench.run(["check"], { cwd: ".", env: { HOME: bench.tmp } });
    expect(none.stdout).toContain("Token stored in");
  });

  it("prints nothing without a token, and the places of each environment with --all", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    expect((await bench.run(["check"])).stdout).not.toContain("Token stored");
    const envFiles = ["dev", "prod"].map((name) => `${name}: { token: { envFile: .env.${name} } }`);
    await bench.write(".do-bootstraprc.yaml", `environments: { ${envFiles.join(", ")} }\n`);
    await bench.run(["--env", "prod", "--token-stdin"], { input: bench.token });
    const { stdout } = await bench.run(["check", "--all"]);
    expect(stdout).toContain("Token stored in (prod):\n  .env.prod  0600  git no");
    expect(stdout).not.toContain("Token stored in (dev)");
  });
});
