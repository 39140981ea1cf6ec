import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where a token can hide in a repo. */
export const HIDING_PLACES = [
  "text",
  "binary",
  "base64",
  "merge-only",
  "dangling",
  "commit message",
  "stash",
  "tag message",
  "index",
];

/**
 * A repo of many commits with a token in each hiding place.
 *
 * @param {string} folder an empty one.
 * @param {number} commits
 * @param {Record<string, string>} env of git.
 * @returns {Promise<Record<string, string>>} the tokens by hiding place.
 */
export async function historyRepo(folder, commits, env = process.env) {
  const tokens = Object.fromEntries(
    HIDING_PLACES.map((place) => [place, `dop_v1_${randomBytes(32).toString("hex")}`]),
  );
  const git = (...args) => execFileSync("git", args, { cwd: folder, env, stdio: "ignore" });
  const put = (name, text) => writeFileSync(join(folder, name), text);
  git("init", "--quiet");
  git("symbolic-ref", "HEAD", "refs/heads/main");
  await fill(folder, commits, env, {
    "infra/main.tf": `provider "digitalocean" {\n  token = "${tokens["text"]}"\n}\n`,
    "image.bin": Buffer.concat([
      Buffer.alloc(5000, 0xe9),
      Buffer.from(tokens["binary"]),
      Buffer.alloc(9),
    ]),
    "secret.yaml": `data:\n  token: ${Buffer.from(tokens["base64"]).toString("base64")}\n`,
  });
  git("reset", "--quiet", "--hard", "main");
  git(
    "commit",
    "--quiet",
    "--allow-empty",
    "--message",
    `deploy\n\nwith ${tokens["commit message"]}`,
  );
  git("tag", "--annotate", "v1", "--message", `v1 ${tokens["tag message"]}`);

  git("switch", "--quiet", "--create", "side", "HEAD~1");
  put("side", "side\n");
  git("add", "side");
  git("commit", "--quiet", "--message", "side");
  git("switch", "--quiet", "main");
  git("merge", "--quiet", "--no-commit", "--no-ff", "side");
  put("merged", `${tokens["merge-only"]}\n`);
  git("add", "merged");
  git("commit", "--quiet", "--message", "merge");
  git("rm", "--quiet", "merged");
  git("commit", "--quiet", "--message", "gone");

  put("side", `stashed ${tokens["stash"]}\n`);
  git("stash", "--quiet");
  put("lost", `lost ${tokens["dangling"]}\n`);
  git("hash-object", "-w", "lost");
  rmSync(join(folder, "lost"));
  put("staged", `staged ${tokens["index"]}\n`);
  git("add", "staged");
  put("staged", "clean again\n");
  return tokens;
}

/** Mean number of lines per change, as in the history of DigitalOcean's provider. */
const LINES_OF_CHANGE = 27;

/** Each commit changes two of 400 files; one in the middle adds the tokens' files, the next removes them. */
async function fill(folder, commits, env, planted) {
  const importer = spawn("git", ["fast-import", "--quiet"], {
    cwd: folder,
    env,
    stdio: ["pipe", "ignore", "inherit"],
  });
  let seed = 7;
  const random = (below) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const words = Array.from({ length: 2000 }, () => random(1e9).toString(36));
  const line = () => Array.from({ length: 4 + random(8) }, () => words[random(2000)]).join(" ");
  const files = Array.from({ length: 400 }, (_, i) => ({
    path: `src/m${i % 20}/f${i}.ts`,
    lines: Array.from({ length: 150 }, line),
  }));
  const blob = (path, bytes) => [`M 100644 inline ${path}\ndata ${bytes.length}\n`, bytes, "\n"];
  for (let n = 0; n < commits; n++) {
    const message = `change ${n}: ${line()}`;
    const parts = [
      `commit refs/heads/main\ncommitter Sammy <sammy@example.com> ${1_700_000_000 + n * 60} +0000\n`,
      `data ${message.length}\n${message}\n`,
    ];
    for (let change = 0; change < 2; change++) {
      const file = files[random(400)];
      const from = random(150 - LINES_OF_CHANGE);
      for (let i = 0; i < LINES_OF_CHANGE; i++) file.lines[from + i] = line();
      parts.push(...blob(file.path, Buffer.from(file.lines.join("\n"))));
    }
    for (const [path, text] of Object.entries(planted)) {
      if (n === commits >> 1) parts.push(...blob(path, Buffer.from(text)));
      if (n === (commits >> 1) + 1) parts.push(`D ${path}\n`);
    }
    const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
    if (!importer.stdin.write(bytes)) await once(importer.stdin, "drain");
  }
  importer.stdin.end();
  await once(importer, "close");
}
