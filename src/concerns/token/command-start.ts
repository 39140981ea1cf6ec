import { basename, isAbsolute } from "node:path";

/** What a command starts, by its words alone. */
export type Start =
  /** A script of the repo, as the words name it. */
  | { readonly script: string }
  /** A program that prints a secret and runs nothing of the folder that it is in. */
  | { readonly tool: string }
  /** A short sentence without its full stop. */
  | { readonly why: string };

/**
 * What is known to run no more than it says: a script, by its path or behind the name of its
 * interpreter, and the tools below. All else may run what no word names.
 */
export function startOf(command: readonly string[]): Start {
  const [program = "", ...args] = command;
  if (/[/\\]/.test(program) && !isAbsolute(program)) return { script: program };
  const name = SYSTEM.test(program) ? basename(program) : program.replace(/\.exe$/i, "");
  const [first = "", line = ""] = args;
  if (SHELLS.has(name) && first === "-c") {
    if (args.length === 2 && PLAIN_LINE.test(line)) return startOf(line.split(/ +/));
    return { why: `${name} -c runs more than one plain command` };
  }
  if (SHELLS.has(name) || INTERPRETERS.has(name)) {
    if (first !== "" && !first.startsWith("-")) return { script: first };
    return { why: `the first argument of ${name} is not a script` };
  }
  if (TOOLS.get(name)?.test(args.join(" ").replace(LEADING_OPTIONS, ""))) return { tool: name };
  const known = [name, ...(TOOLS.has(name) ? args.slice(0, 1) : [])].join(" ");
  return { why: `do-bootstrap can't tell what ${known} runs` };
}

/** A path elsewhere may lead into another checkout. */
const SYSTEM = /^\/(?:usr\/|usr\/local\/|opt\/homebrew\/)?bin\/[^/]+$/;

const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "dash", "ksh", "zsh"]);

const INTERPRETERS: ReadonlySet<string> = new Set(["node", "perl", "python", "python3", "ruby"]);

/** One command of a shell: no variable, quote, pattern, brace, redirection, or second command. */
const PLAIN_LINE = /^[\w@%+:,./-]+(?: +[\w@%+=:,./-]+)*$/;

/** Those whose value cannot be taken for the word that says what to do. */
const LEADING_OPTIONS = /^(?:--[\w-]+=\S* )+/;

/**
 * What prints a secret, by the words that ask for it. The same programs have words that start others
 * (op run, aws ssm start-session, sops exec-env): those are not here. doppler and infisical find
 * their project by the folder, so it has to be named.
 */
const TOOLS: ReadonlyMap<string, RegExp> = new Map([
  ["age", /^(?:-d|--decrypt) /],
  ["aws", /^(?:secretsmanager get-secret-value|ssm get-parameters?) /],
  ["az", /^keyvault secret show /],
  ["bao", /^(?:read|kv get) /],
  ["bw", /^get /],
  ["bws", /^secret get /],
  ["cat", /^/],
  ["chamber", /^read /],
  ["doppler", /^secrets get (?=.*(?:--project|-p)[ =])/],
  ["gcloud", /^secrets versions access /],
  ["gopass", /^(?:show|cat) /],
  ["gpg", /^(?:-d|--decrypt) /],
  ["infisical", /^secrets get (?=.*--projectId[ =])/],
  ["keepassxc-cli", /^show /],
  ["lpass", /^show /],
  ["op", /^(?:read|item get) /],
  ["pass", /^show /],
  ["rbw", /^get /],
  ["secret-tool", /^lookup /],
  ["security", /^find-(?:generic|internet)-password /],
  ["sops", /^(?:-d|--decrypt|decrypt) /],
  ["vault", /^(?:read|kv get) /],
]);
