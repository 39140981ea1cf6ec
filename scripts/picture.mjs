// Records a first run in a pseudo-terminal, with the tools on PATH against an API on loopback, and draws
// what the terminal then shows: docs/first-run.svg. TF_MIRROR may name a mirror that holds the provider.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import xterm from "@xterm/headless";
import { screenToSvg } from "./picture/svg.mjs";
import { startSandbox } from "./sandbox.mjs";

const top = join(import.meta.dirname, "..");
const COLUMNS = 92;
const ROWS = 100;
/** A tool that takes longer than that is not for a picture. */
const PATIENCE_MS = 60_000;
const CODE = `resource "digitalocean_droplet" "web" {
  name   = "web"
  region = "nyc3"
  size   = "s-1vcpu-1gb"
  image  = "debian-13-x64"
}
`;

/** No more than the code needs. */
const SCOPES = ["account:read", "actions:read", "image:read", "regions:read", "sizes:read"].concat(
  ["create", "read", "update", "delete"].map((action) => `droplet:${action}`),
);

const root = await mkdtemp(join(tmpdir(), "do-bootstrap-picture-"));
try {
  const sandbox = await startSandbox(root);
  const token = `dop_v1_${"0123456789abcdef".repeat(4)}`;
  sandbox.accept(token, { scopes: SCOPES, expiresInSeconds: 30 * 86_400 });
  const shell = open(await machine(sandbox.url));
  await shell.see(/\$ $/);
  await shell.type("do-bootstrap\r", /Paste the token.*\n/s);
  await shell.type(`${token}\r`, /Make these.*Show the diff.*\n/s);
  await shell.type("y", /\n\$ $/);
  await shell.type("doctl account get --format Email,Team,Status\r", /\n\$ $/);
  await shell.type("terraform plan | grep Plan:\r", /\n\$ $/);
  const svg = screenToSvg(await shell.screen(), {
    title: "A first run of do-bootstrap in a new repo",
  });
  if (svg.includes(token)) throw new Error("The token is on the screen.");
  await shell.close();
  await sandbox.close();
  await writeFile(join(top, "docs/first-run.svg"), svg);
} finally {
  await rm(root, { recursive: true, force: true });
}

/** A new user's: an empty HOME, and a repo with some code of Terraform's. @returns how its shell is started. */
async function machine(api) {
  const [home, repo, bin] = ["home", "acme-web", "bin"].map((name) => join(root, name));
  for (const folder of [home, repo, bin]) await mkdir(folder);
  await symlink(join(top, "dist/bin.cjs"), join(bin, "do-bootstrap"));
  await writeFile(join(repo, "main.tf"), CODE);
  const mirror = process.env.TF_MIRROR;
  const rc = join(home, ".terraformrc");
  if (mirror !== undefined) {
    const path = JSON.stringify(mirror);
    await writeFile(rc, `provider_installation {\n  filesystem_mirror { path = ${path} }\n}\n`);
  }
  const git = spawn("git", ["init", "--quiet", repo]);
  await new Promise((resolve) => git.on("close", resolve));
  return {
    cwd: repo,
    env: {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: home,
      PS1: "$ ",
      TERM: "xterm-256color",
      LANG: "C.UTF-8",
      SHELL: "/bin/sh",
      CHECKPOINT_DISABLE: "1",
      DIGITALOCEAN_API_URL: api,
      DO_BOOTSTRAP_OAUTH_URL: api,
    },
  };
}

/** A shell in a pseudo-terminal of util-linux's `script`. */
function open({ cwd, env }) {
  const size = `stty cols ${COLUMNS} rows ${ROWS}`;
  const child = spawn("script", ["-qfec", `${size}; exec sh`, "/dev/null"], { cwd, env });
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
    terminal.write(text);
  });
  const closed = new Promise((resolve) => child.on("close", resolve));

  async function see(what) {
    const deadline = Date.now() + PATIENCE_MS;
    while (!what.test(stripVTControlCharacters(said))) {
      if (Date.now() > deadline) throw new Error(`${what} did not come:\n${said}`);
      await wait(50);
    }
    // A frame that is being drawn is drawn to its end.
    await wait(300);
    said = "";
  }
  return {
    see,
    async type(text, until) {
      child.stdin.write(text);
      await see(until);
    },
    screen: () =>
      new Promise((resolve) => terminal.write("", () => resolve(terminal.buffer.active))),
    async close() {
      child.stdin.write("exit\r");
      await closed;
    },
  };
}
