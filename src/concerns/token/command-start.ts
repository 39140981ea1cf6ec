import { basename, isAbsolute } from "node:path";

/** What a command starts, judged only by its words. */
export type Start =
  /** A script of the repo, as written in the command. */
  | { readonly script: string }
  /** A program that prints a secret and runs nothing from its folder. */
  | { readonly tool: string }
  /** A short sentence without a full stop. */
  | { readonly why: string };

/**
 * Recognizes commands that run only what they name: a script, by its path or after its interpreter, and the tools
 * below. Any other command may run something that no word names.
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

/** A path in another folder may point into another checkout. */
const SYSTEM = /^\/(?:usr\/|usr\/local\/|opt\/homebrew\/)?bin\/[^/]+$/;

const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "dash", "ksh", "zsh"]);

const INTERPRETERS: ReadonlySet<string> = new Set(["node", "perl", "python", "python3", "ruby"]);

/** A single shell command: no variables, quotes, patterns, braces, redirections or second command. */
const PLAIN_LINE = /^[\w@%+:,./-]+(?: +[\w@%+=:,./-]+)*$/;

/** Options whose value cannot be confused with the subcommand. */
const LEADING_OPTIONS = /^(?:--[\w-]+=\S* )+/;

/**
 * Programs that print a secret, with the subcommands that do so. Their subcommands that start other programs (op run,
 * aws ssm start-session, sops exec-env) are not listed. doppler and infisical choose their project by folder, so the
 * command must name it.
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
