import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { completionScript } from "../../src/cli/completion/script.ts";
import { envOptions } from "../../src/exec/command-line.ts";
import { FORMATS } from "../../src/exec/quoting.ts";
import { onPath } from "../fixtures/on-path.ts";
import { hasDevFd } from "../fixtures/proc.ts";
import { START_LINE } from "../fixtures/program.ts";
import { fileTree } from "../fixtures/tree.ts";
import { type Workbench, workbench } from "../fixtures/workbench.ts";

const NAMES = COMMANDS.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
const CONFIG = `environments:
  prod: { token: { envFile: .env.prod } }
  preview: {}
  staging: {}
`;
const CONTEXTS = `access-token: dop_v1_${"a".repeat(64)}
auth-contexts:
  acme-web: dop_v1_${"b".repeat(64)}
  "$(touch pwned)": dop_v1_${"c".repeat(64)}
`;

/** A line up to the cursor, and what is offered for its last word. */
type Case = readonly [line: string, offered: readonly string[]];

const CASES: readonly Case[] = [
  ["do-bootstrap ", NAMES],
  ["do-bootstrap e", ["explain", "exec", "env"]],
  ["do-bootstrap --dry", ["--dry-run"]],
  ["do-bootstrap check --s", ["--strict"]],
  ["do-bootstrap scopes --f", ["--for", "--format"]],
  ["do-bootstrap --env ", ["prod", "preview", "staging"]],
  ["do-bootstrap --env pr", ["prod", "preview"]],
  ["do-bootstrap init --yes --env st", ["staging"]],
  ["do-bootstrap --env prod che", ["check"]],
  ["do-bootstrap scopes --for ", ["plan", "create", "apply", "destroy"]],
  ["do-bootstrap env --format g", ["github", "gitlab"]],
  ["do-bootstrap check --min-ttl ", []],
  ["do-bootstrap completion z", ["zsh"]],
  ["do-bootstrap completion --list ", ["environments", "contexts"]],
  ["do-bootstrap ci git", ["github", "gitlab"]],
  ["do-bootstrap ci --force ", ["github", "gitlab", "hcp"]],
  ["do-bootstrap hook r", ["remove"]],
  ["do-bootstrap scopes inf", ["infra"]],
  ["do-bootstrap scopes --plan inf", ["info.tfplan", "infra"]],
  ["do-bootstrap exec --ma", ["--mask"]],
  ["do-bootstrap exec --env p", ["prod", "preview"]],
  ["do-bootstrap exec only-he", ["only-here"]],
  ["do-bootstrap exec -- only-he", ["only-here"]],
  ["do-bootstrap exec --env prod -- only-he", ["only-here"]],
  ["do-bootstrap exec -- only-here inf", ["info.tfplan", "infra"]],
  ["do-bootstrap exec -- doctl --context ac", ["acme-web"]],
];

type Name = Parameters<typeof completionScript>[0];

/** What a shell offers for a line. */
type Shell = (bench: Workbench, line: string) => Promise<string[]>;

const SHELLS: readonly [name: Name, complete: Shell][] = [
  ["bash", inBash],
  ["zsh", inZsh],
  ["fish", inFish],
];

describe.each(SHELLS)("%s", (name, complete) => {
  let isThere = false;
  beforeAll(async () => {
    isThere = onPath(name) !== undefined;
  });

  it(`completes every line${name === "bash" ? "" : ` (needs ${name})`}`, async ({ skip }) => {
    if (!isThere) skip(`needs ${name}`);
    // The shells read what a function prints through it.
    if (!hasDevFd) skip("needs /dev/fd");
    const bench = await prepared();
    const before = await fileTree(bench.repo);
    const found = await Promise.all(
      CASES.map(async ([line]) => [line, (await complete(bench, line)).sort()]),
    );
    expect(found).toEqual(CASES.map(([line, offered]) => [line, [...offered].sort()]));
    expect(await fileTree(bench.repo)).toEqual(before);
  });
});

describe("bash", () => {
  it.each([
    ["do-bootstrap --env=pr", ["--env", "=", "pr"], ["prod", "preview"]],
    ["do-bootstrap --env=", ["--env", "="], ["prod", "preview", "staging"]],
    ["do-bootstrap --env=prod che", ["--env", "=", "prod", "che"], ["check"]],
  ])("%s is several words in bash", async (_, words, offered) => {
    const bench = await prepared();
    expect((await wordsInBash(bench, words)).sort()).toEqual([...offered].sort());
  });

  it("after exec, bash-completion completes the command's words", async () => {
    const bench = await prepared();
    const define = `_command_offset() { COMPREPLY=("from $1: \${COMP_WORDS[$1]}"); }`;
    const words = ["exec", "--env", "prod", "--", "terraform", "pl"];
    expect(await wordsInBash(bench, words, define)).toEqual(["from 5: terraform"]);
  });
});

describe("lists for the completion scripts", () => {
  it.each([
    ["no config", "", "environments"],
    ["a config with a syntax error", "environments: [", "environments"],
    ["a config with an unknown key", "environment: {}", "environments"],
    ["a config that contains a token", `project: dop_v1_${"d".repeat(64)}`, "environments"],
    ["no doctl", "", "contexts"],
  ])("%s: offers nothing, and prints nothing", async (_, config, list) => {
    const bench = await workbench();
    if (config !== "") await bench.write("do-bootstrap.config.yaml", config);
    const result = await bench.run(["completion", "--list", list]);
    expect(result).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  it("only names, from a subfolder too; without network, tools or files", async () => {
    const bench = await prepared();
    await bench.write(".env.prod", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    // It is a link to the machine's git.
    await rm(join(bench.bin, "git"));
    await bench.write("../bin/git", "#!/bin/sh\necho called >> ../called\n", 0o755);
    const before = await fileTree(bench.root);
    const asked = async (list: string) =>
      (await bench.run(["completion", "--list", list], { cwd: "infra" })).stdout;
    expect(await asked("environments")).toBe("prod\npreview\nstaging\n");
    // A name with shell syntax is left out.
    expect(await asked("contexts")).toBe("default\nacme-web\n");
    expect(bench.sandbox.requests).toEqual([]);
    expect(await fileTree(bench.root)).toEqual(before);
  });

  it.each([[[]], [["tcsh"]], [["bash", "zsh"]], [["--list", "tokens"]]])(
    "completion %j: exit status 2",
    async (words) => {
      const bench = await workbench();
      const { status, stdout } = await bench.run(["completion", ...words]);
      expect([status, stdout]).toEqual([2, ""]);
    },
  );

  it("all formats of env are offered", () => {
    expect(envOptions.format.completes).toEqual(FORMATS);
  });
});

/** A repo with environments, a doctl with contexts, and a command that exists only here. */
async function prepared(): Promise<Workbench> {
  const bench = await workbench();
  const { bin } = bench;
  await writeFile(join(bin, "do-bootstrap"), `#!/bin/sh\nexec ${START_LINE} "$@"\n`, {
    mode: 0o755,
  });
  await writeFile(join(bin, "only-here"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  await mkdir(join(bench.repo, "infra"));
  await bench.write("info.tfplan", "");
  await bench.write("do-bootstrap.config.yaml", CONFIG);
  await bench.write("../home/.config/doctl/config.yaml", CONTEXTS, 0o600);
  // zsh and fish call these programs to find their own functions.
  for (const tool of ["sh", "uname", "cat", "sed", "tr"]) {
    const stdout = onPath(tool) ?? "";
    await symlink(stdout, join(bin, tool));
  }
  return bench;
}

async function shell(bench: Workbench, file: Name, args: readonly string[]): Promise<string[]> {
  const { bin, env, repo } = bench;
  const script = join(bench.root, `completion.${file}`);
  await writeFile(script, completionScript(file, COMMANDS));
  const path = onPath(file) ?? "";
  const { stdout } = await execa(path, args, {
    cwd: repo,
    env: { ...env, PATH: bin, SCRIPT: script, TERM: "xterm", ZSH: path },
    extendEnv: false,
    stdin: "ignore",
  });
  return stdout.split("\n").filter(Boolean);
}

function inBash(bench: Workbench, line: string): Promise<string[]> {
  return wordsInBash(bench, line.split(" ").slice(1));
}

function wordsInBash(bench: Workbench, words: readonly string[], first = ":"): Promise<string[]> {
  const run = `${first}; source "$SCRIPT"; COMP_WORDS=(do-bootstrap "$@"); COMP_CWORD=$#; _do_bootstrap; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return shell(bench, "bash", ["--norc", "-c", run, "bash", ...words]);
}

async function inFish(bench: Workbench, line: string): Promise<string[]> {
  const run = `source $SCRIPT; complete -C $argv[1]`;
  const lines = await shell(bench, "fish", ["--no-config", "-c", run, line]);
  return lines.map((each) => each.replace(/\t.*/, "").replace(/\/$/, ""));
}

/**
 * Runs in a pseudo-terminal, because zsh completes only there; the offers are written to a file.
 * Text that is typed before its line editor reads may be lost.
 */
async function inZsh(bench: Workbench, line: string): Promise<string[]> {
  const [inner, hits] = ["zsh", "hits"].map((ending) =>
    join(bench.root, `${Buffer.from(line).toString("hex")}.${ending}`),
  );
  await writeFile(
    inner ?? "",
    `autoload -Uz compinit; compinit -u -D; source $SCRIPT
compadd() {
  builtin compadd "$@"
  local -a hits
  [[ " $* " == *" -"[OAD]" "* ]] && return
  builtin compadd -A hits "$@"
  (($#hits)) && print -rl -- hit:$^hits >> ${hits}
}
finish() { zle list-choices; print -r -- end >> ${hits}; exit }
zle -N finish; bindkey '^I' finish
zle-line-init() { print -rn -- LOA''DED }
zle -N zle-line-init
`,
  );
  const run = `zmodload zsh/zpty zsh/zselect; : > ${hits}; zpty z $ZSH -f -i; zpty -w z "source ${inner}"
zpty -r -m z x '*LOADED*'; zpty -n -w z "$1"$'\t'
while [[ "$(<${hits})" != *end ]]; do zpty -r -t z x; zselect -t 2; done
zpty -d z; print -r -- "$(<${hits})"`;
  const lines = await shell(bench, "zsh", ["-f", "-c", run, "zsh", line]);
  return [...new Set(lines.flatMap((each) => /^hit:(.*)/.exec(each)?.[1] ?? []))];
}
