import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import type { FindingDocument } from "../../src/report/documents.ts";
import { HIDING_PLACES, historyRepo } from "../bench/history-repo.mjs";
import { randomToken, unguardedToken, type Workbench, workbench } from "../fixtures/workbench.ts";

/** The findings that --history adds. */
async function leaks(bench: Workbench, ...args: string[]): Promise<readonly FindingDocument[]> {
  const { stdout, stderr } = await bench.run(["check", "--history", "--json", ...args]);
  const { findings } = JSON.parse(stdout) as { findings: readonly FindingDocument[] };
  expect(findings, stderr).toBeDefined();
  return findings.filter(({ id }) => id.startsWith("leak."));
}

function gitAt({ repo, env }: Workbench, seconds: number, ...args: string[]) {
  const date = `${seconds} +0000`;
  return execa("git", args, {
    cwd: repo,
    env: { ...env, GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date },
    extendEnv: false,
  });
}

/** Writes a file, by default with a token, and commits everything. */
async function commitAt(bench: Workbench, seconds: number, path: string, text = bench.token) {
  await bench.write(path, text);
  await bench.git("add", "--all");
  await gitAt(bench, seconds, "commit", "--quiet", "--message=x");
}

const PROD = "environments: { prod: { token: { envFile: .env.prod } } }\n";

const ids = (found: readonly FindingDocument[]) => found.map(({ id }) => id).sort();

describe("check --history", () => {
  it("finds a token once in every hiding place of a repo, and never prints it", async () => {
    const bench = await workbench();
    const tokens = await historyRepo(bench.repo, 40, bench.env);
    for (const token of Object.values(tokens)) bench.sandbox.accept(token);
    const { status, stdout } = await bench.run(["check", "--history"]);
    expect(status).toBe(4);
    const found = await leaks(bench);
    const places = found.map(
      ({ id, message }) =>
        `${id}: ${message.replace(/\b[0-9a-f]{8,10}\b/g, "#").replace(/\d{4}-\d\d-\d\d/, "DATE")}`,
    );
    const title = "leak.in-history: A personal access token (#, still valid) is in";
    expect(places.sort()).toEqual([
      `${title} blob #, in no commit.`,
      `${title} image.bin:1 in commit # (DATE, tags/v1~20).`,
      `${title} infra/main.tf:2 in commit # (DATE, tags/v1~20).`,
      `${title} merged:1 in commit # (DATE, main~1).`,
      `${title} secret.yaml:2 in commit # (DATE, tags/v1~20).`,
      `${title} side:1 in commit # (DATE, stash).`,
      `${title} staged:1 in git's index.`,
      `${title} the message of commit # (DATE, tags/v1^0).`,
      `${title} the message of tag v1.`,
    ]);
    expect(found.length).toBe(HIDING_PLACES.length);
    expect(found.every(({ fix = "" }) => fix.startsWith("Revoke it first"))).toBe(true);
    for (const token of Object.values(tokens)) expect(stdout).not.toContain(token.slice(7, 23));
    const infra = found.find(({ where }) => where?.endsWith(":infra/main.tf:2"));
    expect(await bench.git("show", infra?.where?.replace(/:2$/, "") ?? "")).toContain(
      tokens["text"],
    );
  });

  it("finds an old-style token by its name, without sending it, and a token in escapes", async () => {
    const bench = await workbench();
    const old = randomToken().slice("dop_v1_".length);
    await commitAt(bench, 1_700_000_000, "old.sh", `# x\nDO_TOKEN=${old}\n`);
    await bench.write("a.json", `{"t": "${bench.token.replaceAll("_", "\\u005f")}"}\n`);
    await bench.write("b.yaml", `access-token: ${randomToken().slice("dop_v1_".length)}\n`);
    const found = (await leaks(bench)).map(({ id, message }) => `${id}: ${message}`).sort();
    expect(found).toEqual([
      expect.stringMatching(
        /^leak.in-history: A possible old-style token \(\w{8}\) is in old\.sh:2 in/,
      ),
      expect.stringMatching(/^leak.in-work-tree: A personal access token .* is in .*a\.json:1/),
      expect.stringMatching(
        /^leak.in-work-tree: A possible old-style token \(\w{8}\) is in .*b\.yaml:1/,
      ),
    ]);
    const sent = bench.sandbox.requests.map(({ headers }) => headers.authorization);
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.join()).not.toContain(old);
  });

  it("finds a token that git replace hides", async () => {
    const bench = await workbench();
    await bench.write("old.tf", bench.token);
    await bench.write("new.tf", "clean\n");
    await bench.git("add", "--all");
    await bench.git("commit", "--quiet", "--message=x");
    await bench.git("replace", "HEAD:old.tf", "HEAD:new.tf");
    await bench.git("rm", "--quiet", "--cached", "old.tf");
    await bench.git("commit", "--quiet", "--message=y");
    await rm(join(bench.repo, "old.tf"));
    expect(ids(await leaks(bench))).toEqual(["leak.in-history"]);
  });

  it("reports a token in many versions of a file once, and recognizes this repo's token", async () => {
    const bench = await workbench();
    await bench.run(["--token-stdin"], { input: bench.token });
    for (let i = 0; i < 4; i++) {
      await bench.write("deploy.sh", `${"\n".repeat(i)}curl -H "Bearer ${bench.token}" # ${i}\n`);
      await bench.git("add", "--all");
      await execa("git", ["commit", "--quiet", `--message=${i}`], {
        cwd: bench.repo,
        env: { ...bench.env, GIT_COMMITTER_DATE: `${1_700_000_000 + i} +0000` },
        extendEnv: false,
      });
    }
    const [found, ...more] = await leaks(bench);
    expect(more).toEqual([]);
    expect(found?.message).toMatch(
      /^This repo's token \(\w+, still valid\) is in deploy.sh:1 in commit \w+ \(.*main~3\) and 3 later commits, and in the work tree\.$/,
    );
    expect(found?.fix).toContain("do-bootstrap rotate --revoke");
    const { status } = await bench.run(["check", "--history"]);
    expect(status).toBe(3);
  });

  it("advises to rotate the token of the --env environment", async () => {
    const bench = await workbench();
    await bench.write(".do-bootstraprc", PROD);
    await bench.write(".gitignore", ".env.prod\n");
    await bench.write(".env.prod", `DIGITALOCEAN_TOKEN=${bench.token}\n`);
    await commitAt(bench, 1_700_000_000, "deploy.sh");
    const { stdout } = await bench.run(["check", "--history", "--env", "prod"]);
    const advice = "Revoke it first: do-bootstrap rotate --env prod --revoke. Then";
    expect(stdout.replace(/\s+/g, " ")).toContain(advice);
    const [found] = await leaks(bench, "--env", "prod");
    expect(found?.fix).toContain(advice);
  });

  it.each<[what: string, prepare: (bench: Workbench) => Promise<unknown>, place: RegExp]>([
    [
      "a commit that was amended",
      async (bench) => {
        await commitAt(bench, 1_700_000_000, "a");
        await bench.git("commit", "--quiet", "--amend", "--message=better");
      },
      /^a:1 in commit \w+ \(.*, main\) and 1 later commit, and in the work tree\.$/,
    ],
    [
      "an older stash",
      async (bench) => {
        await commitAt(bench, 1_700_000_000, "a", "clean\n");
        await bench.write("a", bench.token);
        await bench.git("stash", "--quiet");
        await bench.write("a", "later\n");
        await bench.git("stash", "--quiet");
      },
      /^a:1 in commit \w+ \(.*, stash@\{1\}\)\.$/,
    ],
    [
      "an untracked file in an older stash",
      async (bench) => {
        await commitAt(bench, 1_700_000_000, "a", "clean\n");
        await bench.write("b", bench.token);
        await bench.git("stash", "--quiet", "--include-untracked");
        await bench.write("b", "later\n");
        await bench.git("stash", "--quiet", "--include-untracked");
      },
      /^b:1 in commit \w+ \(.*, stash@\{1\}\^3\)\.$/,
    ],
    [
      "a merge in the same second",
      async (bench) => {
        const now = 1_700_000_000;
        await commitAt(bench, now, "a", "clean\n");
        await bench.git("switch", "--quiet", "--create=side");
        await commitAt(bench, now, "b");
        await bench.git("switch", "--quiet", "main");
        await gitAt(bench, now, "merge", "--quiet", "--no-ff", "--message=merge", "side");
        await bench.git("branch", "--quiet", "--delete", "side");
      },
      /^b:1 in commit \w+ \(.*, main\^2\) and 1 later commit, and in the work tree\.$/,
    ],
    [
      "a commit that is older than its parent",
      async (bench) => {
        await commitAt(bench, 1_700_000_000, "a");
        await bench.write("a", `${bench.token} again`);
        await gitAt(bench, 1_600_000_000, "commit", "--quiet", "--all", "--message=y");
      },
      /^a:1 in commit \w+ \(2023-11-14, main~1\) and 1 later commit, and in the work tree\.$/,
    ],
    [
      "an invalid commit time",
      async (bench) => {
        await commitAt(bench, 1_700_000_000, "a");
        const text = await bench.git("cat-file", "commit", "HEAD");
        await bench.write("../odd", text.replace(/(committer .*> )\d+/, "$199999999999999"));
        const odd = await bench.git("hash-object", "-t", "commit", "-w", "--literally", "../odd");
        await bench.git("update-ref", "refs/heads/main", odd);
      },
      /^a:1 in commit \w+ \(main\) and 1 later commit, and in the work tree\.$/,
    ],
  ])("names the commit that added the token: %s", async (_, prepare, place) => {
    const bench = await workbench();
    bench.sandbox.accept(bench.token);
    await prepare(bench);
    const found = (await leaks(bench)).filter(({ id }) => id === "leak.in-history");
    expect(found.map(({ message }) => message.replace(/^.* is in /, ""))).toEqual([
      expect.stringMatching(place),
    ]);
  });

  it.each<[what: string, name: (token: string) => string]>([
    ["as plain text", (token) => token],
    ["in base64", (token) => Buffer.from(`u:${token}`).toString("base64url")],
    ["URL-encoded", (token) => token.replaceAll("_", "%5F")],
  ])(
    "finds a token in the name of a file, branch and tag, %s, and prints none",
    async (_, form) => {
      const bench = await workbench();
      const token = unguardedToken();
      bench.sandbox.accept(token);
      const name = form(token);
      await commitAt(bench, 1_700_000_000, "a", "harmless\n");
      await bench.git("branch", `b/${name}`);
      await bench.git("tag", name);
      await commitAt(bench, 1_700_000_000, `keys/${name}.pem`, "harmless\n");
      const found = await leaks(bench);
      const places = found.map(({ message }) => message.replace(/^.* is in /, ""));
      const shown = String.raw`\w*(dop_v1_)?\[redacted\]`;
      expect(places).toEqual([
        expect.stringMatching(
          `^the name of keys/${shown}.pem in commit \\w+ \\(2023-11-14, main\\)\\.$`,
        ),
        expect.stringMatching(`^the name of refs/heads/b/${shown}\\.$`),
        expect.stringMatching(`^the name of refs/tags/${shown}\\.$`),
      ]);
      expect(found.map(({ fix = "" }) => /Then .*?(?=,| \()/.exec(fix)?.[0])).toEqual([
        "Then rewrite the history",
        "Then rename it",
        "Then rename it",
      ]);
      const { stdout, stderr } = await bench.run(["check", "--history"]);
      for (const part of [token.slice(40), name.slice(-30)])
        expect(`${JSON.stringify(found)}${stdout}${stderr}`).not.toContain(part);
    },
  );

  it("says how to delete a tag with a token in its message", async () => {
    const bench = await workbench();
    const token = unguardedToken();
    bench.sandbox.accept(token);
    await commitAt(bench, 1_700_000_000, "a", "clean\n");
    await bench.write("../message", `release ${token}`);
    await bench.git("tag", "--annotate", "v2", "--file=../message");
    const [found] = await leaks(bench);
    expect(found?.message).toContain("the message of tag v2.");
    expect(found?.fix).toContain("git tag -d");
    await bench.git("tag", "--delete", "v2");
    const [lost] = await leaks(bench);
    expect(lost?.message).toMatch(/the message of tag \w{10} \(unnamed\)\.$/);
    expect(lost?.fix).toContain("git gc --prune=now");
  });

  it("a token that is no longer valid is only an info finding", async () => {
    const bench = await workbench();
    await bench.run(["--token-stdin"], { input: bench.token });
    await bench.write("old.md", `# ${randomToken()}\n`);
    await bench.git("add", "--all");
    await bench.git("commit", "--quiet", "--message=x");
    const found = await leaks(bench);
    expect(found).toMatchObject([{ id: "leak.dead", level: "info" }]);
    expect((await bench.run(["check", "--history"])).status).toBe(0);
  });

  const PACKAGE = '{"name":"a","version":"1.0.0"}';
  const ALL = '{"name":"a","version":"1.0.0","files":["*",".env"]}';
  const FILES: readonly [what: string, files: Record<string, string>, expected: string[]][] = [
    ["an untracked file", { "notes.md": "TOKEN" }, ["leak.in-work-tree"]],
    ["a file that git ignores", { "notes.local": "TOKEN" }, ["leak.in-ignored-file"]],
    ["a state", { "terraform.tfstate": '{"a":"TOKEN"}' }, ["leak.in-state"]],
    ["a backup of a state", { "terraform.tfstate.backup": "TOKEN" }, ["leak.in-state"]],
    [
      "the backend's copy of a state",
      { ".terraform/terraform.tfstate": "TOKEN" },
      ["leak.in-state"],
    ],
    [
      "a state of a workspace",
      { "terraform.tfstate.d/prod/terraform.tfstate": "TOKEN" },
      ["leak.in-state"],
    ],
    ["a file in UTF-16", { "wide.txt": "WIDE" }, ["leak.in-work-tree"]],
    ["a saved plan", { tfplan: "PLAN" }, ["leak.in-state"]],
    ["a saved plan with another name", { "out.local": "PLAN" }, ["leak.in-state"]],
    ["files that are meant for tokens", { ".env.prod.local": "TOKEN", "x.tfvars": "TOKEN" }, []],
    ["a file in an ignored folder", { "node_modules/a/index.js": "TOKEN" }, []],
    ["a Docker context", { Dockerfile: "FROM x\n" }, ["leak.in-image"]],
    [
      "a Docker context that excludes the env file",
      { Dockerfile: "FROM x\n", ".dockerignore": ".env*\n" },
      [],
    ],
    [
      "a Docker context that includes the env file again",
      { Dockerfile: "FROM x\n", ".dockerignore": "*\n!.env\n" },
      ["leak.in-image"],
    ],
    [
      "a Dockerfile with its own ignore file",
      { Dockerfile: "FROM x\n", ".dockerignore": "*\n", "Dockerfile.dockerignore": "docs\n" },
      ["leak.in-image"],
    ],
    ["a Dockerfile in lower case", { dockerfile: "FROM x\n" }, ["leak.in-image"]],
    ["a file that ends in .dockerfile", { "web.dockerfile": "FROM x\n" }, ["leak.in-image"]],
    [
      "build output in a Docker context",
      {
        Dockerfile: "FROM x\n",
        "built/a/app.js": "TOKEN",
        ".gitignore": "built/\n",
        ".dockerignore": ".env*\n",
      },
      ["leak.in-image"],
    ],
    [
      "build output that a Docker context excludes",
      {
        Dockerfile: "FROM x\n",
        "built/app.js": "TOKEN",
        ".gitignore": "built/\n",
        ".dockerignore": ".env*\nbuilt\n",
      },
      [],
    ],
    [
      "build output in a package",
      {
        "package.json": PACKAGE.replace("}", ',"files":["built"]}'),
        "built/index.js": "TOKEN",
        "other/index.js": "TOKEN",
        ".gitignore": "built/\nother/\n",
      },
      ["leak.in-package"],
    ],
    ["a Docker context in a subfolder", { "web/Dockerfile": "FROM x\n" }, []],
    [
      "a package without .gitignore rules",
      { "package.json": PACKAGE, ".npmignore": "docs\n" },
      ["leak.in-package"],
    ],
    [
      "a package.json with a byte order mark",
      { "package.json": `\ufeff${PACKAGE}`, ".npmignore": "docs\n" },
      ["leak.in-package"],
    ],
    [
      "a package that bundles all dependencies",
      {
        "package.json": PACKAGE.replace("}", ',"bundleDependencies":true}'),
        ".npmignore": "docs\n",
      },
      ["leak.in-package"],
    ],
    [
      "a package with an invalid files list",
      { "package.json": PACKAGE.replace("}", ',"files":{"a":1}}') },
      ["leak.not-searched"],
    ],
    [
      "a package whose .gitignore excludes the env file",
      { "package.json": PACKAGE, ".gitignore": ".env\n" },
      [],
    ],
    ["a package that lists the env file", { "package.json": ALL }, ["leak.in-package"]],
    ["a private package", { "package.json": '{"name":"a","private":true}', ".npmignore": "" }, []],
  ];

  it("reports each kind of file with its own finding", async () => {
    const bench = await workbench();
    const ignored = ["*.local", ".env*", "*.tfvars", "*.tfstate*", "tfplan", ".terraform/"];
    await bench.write(".gitignore", [...ignored, "node_modules/", ""].join("\n"));
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    const plan = Buffer.from(zipSync({ tfplan: Buffer.from(bench.token) }));
    for (const [i, [, files]] of FILES.entries()) {
      await bench.write(`case-${i}/.env`, bench.token);
      for (const [name, text] of Object.entries(files)) {
        const wide = Buffer.from(`T=${bench.token}`, "utf16le");
        const bytes = { PLAN: plan, WIDE: wide }[text] ?? text.replace("TOKEN", bench.token);
        await bench.write(`case-${i}/${name}`, bytes);
      }
    }
    const found = await leaks(bench);
    const cases = FILES.map(([what], i) => {
      const folder = join(bench.repo, `case-${i}/`);
      return [what, ids(found.filter(({ where }) => where?.startsWith(folder)))];
    });
    expect(cases).toEqual(FILES.map(([what, , expected]) => [what, expected]));
  });

  it.each<[what: string, spoil: (bench: Workbench) => Promise<unknown>]>([
    ["a partial clone", (bench) => bench.git("config", "remote.origin.promisor", "true")],
    [
      "an unreachable broken commit",
      async (bench) => {
        const commit = await bench.git("cat-file", "commit", "HEAD");
        await bench.write("../broken", commit.replace(/^tree \w+/, `tree ${"1".repeat(40)}`));
        await bench.git("hash-object", "-t", "commit", "-w", "--literally", "../broken");
      },
    ],
    [
      "unreachable broken files",
      async (bench) => {
        const paths: string[] = [];
        for (let i = 0; i < 3; i++) {
          await bench.write("../long", `${i}\n${"0123456789\n".repeat(99)}`.repeat(300));
          const blob = await bench.git("hash-object", "-w", "../long");
          const path = join(bench.repo, ".git/objects", blob.slice(0, 2), blob.slice(2));
          const bytes = await readFile(path);
          await chmod(path, 0o644);
          await writeFile(path, bytes.subarray(0, bytes.length / 2));
          paths.push(path);
        }
        // The search at the end of a test needs whole objects.
        return () => Promise.all(paths.map((path) => rm(path)));
      },
    ],
  ])("still finds a token in a repo with %s", async (_, spoil) => {
    const bench = await workbench();
    bench.sandbox.accept(bench.token);
    await bench.write("a", bench.token);
    await bench.git("add", "a");
    await bench.git("commit", "--quiet", "--message=x");
    const mend = await spoil(bench);
    const found = await leaks(bench);
    if (typeof mend === "function") await mend();
    expect(found.find(({ id }) => id === "leak.in-history")?.message).toMatch(
      /a:1 in commit \w+ \(.*main\)/,
    );
    expect(ids(found).includes("leak.not-searched")).toBe(typeof mend === "function");
  });

  it("names a commit in a form that git accepts, also with 64-digit hashes", async () => {
    const bench = await workbench();
    bench.sandbox.accept(bench.token);
    await rm(join(bench.repo, ".git"), { recursive: true });
    await bench.git("init", "--quiet", "--object-format=sha256", "--initial-branch=main");
    await commitAt(bench, 1_700_000_000, "a");
    await rm(join(bench.repo, "a"));
    const [found] = await leaks(bench);
    expect(found?.where).toMatch(/^[0-9a-f]{40}:a:1$/);
    const where = found?.where?.replace(/:1$/, "") ?? "";
    expect(await bench.git("show", where)).toBe(bench.token);
  });

  it("finds this repo's old-style token by its value", async () => {
    const bench = await workbench();
    const legacy = randomToken().slice(7);
    bench.sandbox.accept(legacy);
    await bench.run(["--token-stdin"], { input: legacy });
    await bench.write("a.sh", `x ${legacy}\n`);
    const base64 = Buffer.from(`user:${legacy}`).toString("base64");
    await bench.write("b.yaml", `x: ${base64}\n`);
    await bench.write("wrapped", base64.replace(/.{76}/, "$&\n"));
    await bench.write("wide", Buffer.from(`${legacy}\r\n`, "utf16le"));
    await bench.git("add", "b.yaml");
    await bench.git("commit", "--quiet", "--message=x");
    const names = (await leaks(bench)).map(({ where = "" }) => /[\w.]+(?=:1$)/.exec(where)?.[0]);
    expect(names.sort()).toEqual(["a.sh", "b.yaml", "wide", "wrapped"]);
  });

  it("runs no command from the repo's git settings", async () => {
    const bench = await workbench();
    const canary = join(bench.tmp, "canary");
    const touch = `sh -c "touch ${canary}"`;
    const settings = {
      "filter.x.clean": touch,
      "filter.x.smudge": touch,
      "diff.x.textconv": touch,
      "diff.external": touch,
      "core.fsmonitor": touch,
      "core.sshCommand": touch,
      "gpg.program": touch,
      "log.showSignature": "true",
      "core.pager": touch,
      "extensions.partialClone": "origin",
      "remote.origin.url": "ssh://127.0.0.1/x",
      "remote.origin.promisor": "true",
      "protocol.ssh.allow": "always",
    };
    await bench.write(".gitattributes", "* filter=x diff=x\n");
    const token = randomToken();
    await bench.write("a", token);
    await bench.git("add", "a");
    await bench.git("commit", "--quiet", "--message=x");
    await bench.write("a", `${token} changed`);
    for (const [name, value] of Object.entries(settings)) await bench.git("config", name, value);
    expect(ids(await leaks(bench))).toEqual(["leak.dead"]);
    expect(await readdir(bench.tmp)).not.toContain("canary");
  });

  it("says what was not searched: submodules, older commits, nested plans, huge patterns", async () => {
    const bench = await workbench();
    await commitAt(bench, 1_700_000_000, "a", "clean\n");
    const plan = Buffer.from(zipSync({ tfplan: Buffer.alloc(0) }));
    const inner = Buffer.from(zipSync({ tfplan: plan }, { level: 0 }));
    await bench.write("nested.tfplan", inner);
    await commitAt(bench, 1_700_000_000, "b", "clean\n");
    await bench.write(".env", bench.token);
    await bench.write("Dockerfile", "FROM x\n");
    await bench.write(".dockerignore", "*x\n".repeat(1_000_000));
    await bench.git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},modules/x`);
    await writeFile(join(bench.repo, ".git/shallow"), await bench.git("rev-parse", "HEAD~1"));
    const found = await leaks(bench);
    const unsearched = found.filter(({ id }) => id === "leak.not-searched");
    expect(unsearched.map(({ message }) => message.replaceAll(bench.repo, "REPO"))).toEqual([
      expect.stringMatching(
        /^Could not search the `docker build` context of REPO .* REPO\/\.dockerignore are too/,
      ),
      "Could not search all of REPO/nested.tfplan for tokens: it is a saved plan that contains another plan.",
      expect.stringMatching(
        /^Could not search all of git object \w{10} .* that contains another plan\.$/,
      ),
      "This clone is missing older commits, which were not searched for tokens.",
      "The history of submodules was not searched for tokens: modules/x.",
    ]);
  });

  it("says which tokens were not checked, and prints the same fix once", async () => {
    const bench = await workbench();
    const tokens = Array.from({ length: 102 }, () => randomToken());
    for (const token of tokens) bench.sandbox.accept(token);
    await bench.write("many.txt", tokens.map((token) => `${token}\n`).join(""));
    const found = await leaks(bench);
    const unverified = found.filter(({ id }) => id === "leak.unverified");
    expect(unverified.map(({ message }) => message)).toEqual([
      "Could not check whether 2 of 102 tokens are valid: 2 were not checked.",
    ]);
    const places = found.filter(({ id }) => id === "leak.in-work-tree");
    expect(places.length).toBe(102);
    expect(places.filter(({ message }) => message.includes("validity unknown")).length).toBe(2);
    const { stdout } = await bench.run(["check", "--history"]);
    expect(stdout.match(/many\.txt:\d+/g)?.length).toBe(102);
    expect(stdout.match(/→ Remove the token before you commit/g)?.length).toBe(1);
  });

  it("needs git", async () => {
    const bench = await workbench({ git: false });
    const { status, stderr } = await bench.run(["check", "--history"]);
    expect(status).toBe(2);
    expect(stderr).toContain("is not a git repo");
  });
});
