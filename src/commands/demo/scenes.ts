import type { ToolResult } from "../../host/host.ts";
import { Secret } from "../../secret/secret.ts";
import { failed, randomToken, type Stage } from "./stage.ts";

export interface Scene {
  /** A sentence. */
  readonly title: string;
  readonly play: (stage: Stage, told: Told) => Promise<void>;
}

/** The part of a command's output that is shown. */
interface ShownPart {
  /** The lines to show; by default all. */
  readonly keep?: RegExp;
  /** The expected exit status; by default 0. */
  readonly exitCode?: number;
}

/** Shows a command line, waits for the command and shows its output. Writing a file has no output. */
export type Show = (
  line: string,
  running: Promise<ToolResult | undefined>,
  part?: ShownPart,
) => Promise<void>;

interface Told {
  readonly show: Show;
  readonly note: (text: string) => void;
}

/** In this order: each continues with the repo of the one before. */
export const SCENES: readonly Scene[] = [
  { title: "One command sets up a repo.", play: setUp },
  { title: "A git hook blocks a commit with a token.", play: blockACommit },
  { title: "do-bootstrap names the code that needs a missing scope.", play: nameMissingScopes },
  { title: "One command replaces the token everywhere.", play: rotate },
];

async function setUp({ bootstrap, git, newToken }: Stage, { show, note }: Told): Promise<void> {
  note("The repo, the token and the API are temporary. Your files are not touched.");
  note("“…” marks omitted lines.");
  const token = await newToken(3);
  await show(
    'echo "$TOKEN" | do-bootstrap --token-stdin',
    bootstrap(["--token-stdin"], `${token}\n`),
    {
      keep: /^(Project|Token|\+|✓)/,
    },
  );
  if (git === undefined) note("\nSkipped: git is not on PATH, so the repo is a plain folder.");
  else await show("git status --short", git("status", "--short"));
}

async function blockACommit(
  { bootstrap, git, write, remove }: Stage,
  { show, note }: Told,
): Promise<void> {
  if (git === undefined) return note("\nSkipped: git is not on PATH, and hooks need git.");
  await show("git add --all", git("add", "--all"));
  await show("git commit --quiet -m Prepare", git("commit", "--quiet", "-m", "Prepare"));
  await show("do-bootstrap hook install", bootstrap(["hook", "install"]));
  // A token that the API does not know. The others are never where git could add them.
  const script = `export DIGITALOCEAN_TOKEN=${randomToken()}\n`;
  await show(
    'echo "export DIGITALOCEAN_TOKEN=$OTHER_TOKEN" > deploy.sh',
    write("deploy.sh", script),
  );
  await show("git add deploy.sh", git("add", "deploy.sh"));
  const commit = git("commit", "-m", "Deploy");
  await show("git commit -m Deploy", commit, { exitCode: 1 });
  // The hook failed for another reason than the guard.
  if (!(await commit).stderr.includes("deploy.sh:1")) throw failed("git commit", await commit);
  await show("git log --format=%s", git("log", "--format=%s"));
  await git("rm", "--cached", "--force", "--quiet", "deploy.sh");
  await remove("deploy.sh");
}

async function nameMissingScopes({ bootstrap, write, read }: Stage, { show }: Told): Promise<void> {
  await write("dns.tf", 'resource "digitalocean_domain" "shop" {\n  name = "shop.example"\n}\n');
  await show("cat dns.tf", read("dns.tf"));
  await show("do-bootstrap scopes", bootstrap(["scopes"]), {
    keep: /^(terraform|✗| {2}→)/,
    exitCode: 5,
  });
}

async function rotate(
  { bootstrap, git, tokens, newToken, filesWith }: Stage,
  { show, note }: Told,
): Promise<void> {
  const [before = ""] = tokens;
  const places = await filesWith(before);
  const token = await newToken(90);
  await show(
    'echo "$NEW_TOKEN" | do-bootstrap rotate --token-stdin',
    bootstrap(["rotate", "--token-stdin"], `${token}\n`),
    { keep: /^(~|✓|· The old| {2}→ Delete)/ },
  );
  await show("do-bootstrap check", bootstrap(["check"]), {
    keep: /^(Token stored| {2}.+ 0600 )/,
  });

  const [left, found] = [await filesWith(before), await filesWith(token)];
  if (left.length > 0) throw failed(`the old token is still in ${left.join(", ")}`);
  if (found.join() !== places.join()) throw failed(`the new token is in ${found.join(", ")} only`);
  // git compresses its objects, so filesWith does not search them.
  await git?.("add", "--all");
  for (const each of tokens) {
    const tracked = await git?.("grep", "--cached", "--fixed-strings", "-l", each);
    if (tracked?.stdout) throw failed(`git committed the token: ${tracked.stdout.trim()}`);
  }
  const [now, then] = [token, before].map(fingerprintOf);
  note(`\nNew token: ${now}. Old token: ${then}, now in no file in the repo or HOME.`);
}

function fingerprintOf(token: string): string {
  return Secret.of(token, { kind: "stdin" }).fingerprint;
}
