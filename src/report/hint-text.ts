import { relative } from "node:path";
import type { Finding } from "../core/finding.ts";
import type { Hint, HintPart, ShellStep, Word } from "../errors/hint.ts";
import { isInside } from "../lib/paths.ts";
import { cmdText, quoted, type Shell, shellWord } from "../lib/shell-word.ts";

/** The surroundings in which a hint is printed. */
export interface HintEdge {
  /** The chosen environment. */
  readonly environment: string | undefined;
  /** The folder in which a person would paste it. Paths below it are shown relative to it. undefined: unknown. */
  readonly cwd: string | undefined;
  readonly platform: NodeJS.Platform;
  readonly shell: Shell;
}

/** The shell that a person uses. On Windows, Git Bash sets MSYSTEM, cmd sets PROMPT, and PowerShell sets neither. */
export function shellOf(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
): Shell {
  if (platform !== "win32" || env["MSYSTEM"] !== undefined) return "posix";
  return env["PROMPT"] === undefined ? "powershell" : "cmd";
}

/** The surroundings for the hint of one finding. With --all, each finding is about an environment. */
export function edgeOf(edge: HintEdge, { environment }: Pick<Finding, "environment">): HintEdge {
  return environment === undefined ? edge : { ...edge, environment: environment ?? undefined };
}

export function hintText(hint: Hint, edge: HintEdge): string {
  return hintWords(hint, edge).join(" ");
}

/** The words of a hint. A command line is a single word, so that it is never wrapped. */
export function hintWords(hint: Hint, edge: HintEdge): readonly string[] {
  const words = [""];
  for (const part of hint) {
    const [first = "", ...more] = piecesOf(part, edge);
    words.push(`${words.pop()}${first}`, ...more);
  }
  return words;
}

function piecesOf(part: HintPart, edge: HintEdge): readonly string[] {
  const { environment, platform, shell } = edge;
  if (typeof part === "string") return part.split(" ");
  // One piece: a wrapped line would be two commands when pasted.
  return [lineOf(part).join(" ")];

  function lineOf(step: Exclude<HintPart, string>): readonly string[] {
    if ("own" in step) return ["do-bootstrap", ...line(inEnvironment(step.own, environment))];
    if ("run" in step) return line(step.run);
    if ("inTurn" in step) return IN_TURN[shell](lineOf(step.inTurn[0]), lineOf(step.inTurn[1]));
    if ("input" in step) return WITH_INPUT[shell](lineOf(step.line), step.input);
    if ("without" in step) return WITHOUT[shell](lineOf(step.line), step.without);
    return STEPS[shell](step, (each) => shellWord(plain(each, edge), shell), platform);
  }

  function line(words: readonly Word[]): readonly string[] {
    return (
      words
        .map((each) => plain(each, edge))
        // Terraform needs no -chdir for the current folder.
        .filter((text) => text !== "-chdir=.")
        .map((text) => shellWord(text, shell))
    );
  }
}

/** Commands without --env. */
const WITHOUT_ENVIRONMENT: readonly string[] = ["hook", "ci", "completion", "demo"];
/** Commands that accept every environment, with --all. */
const WITH_ALL: readonly string[] = ["check", "rotate", "logout", "uninstall"];

function inEnvironment(words: readonly Word[], environment: string | undefined): readonly Word[] {
  const end = words.indexOf("--");
  const line = words.slice(0, end < 0 ? undefined : end);
  if (environment === undefined || line.includes("--env")) return words;
  const [first, ...rest] = words;
  const isCommand = typeof first === "string" && !first.startsWith("-");
  if (!isCommand) return ["--env", environment, ...words];
  if (WITHOUT_ENVIRONMENT.includes(first)) return words;
  if (WITH_ALL.includes(first) && line.includes("--all")) return words;
  return [first, "--env", environment, ...rest];
}

function plain(word: Word, { cwd, platform, shell }: HintEdge): string {
  if (typeof word === "string") return word;
  const { path, before = "", after = "" } = word;
  const isRelative = cwd !== undefined && (before !== "" || isInside(path, cwd));
  const steps = (isRelative ? relative(cwd, path) || "." : path) + after;
  // A name that starts with a dash would be an option, and one with a colon a git pathspec.
  const text = before === "" && /^[-:]/.test(steps) ? `./${steps}` : before + steps;
  // Git Bash accepts both kinds of slash, but only forward slashes need no quotes.
  return platform === "win32" && shell === "posix" ? text.replaceAll("\\", "/") : text;
}

type Words = readonly string[];

/** Windows PowerShell has no &&. */
const IN_TURN: Readonly<Record<Shell, (first: Words, then: Words) => Words>> = {
  posix: (first, then) => [...first, "&&", ...then],
  powershell: (first, then) => [...endedBy(first, ";"), "if", "($?)", "{", ...then, "}"],
  cmd: (first, then) => [...first, "&&", ...then],
};

/** PowerShell has no < either. */
const WITH_INPUT: Readonly<Record<Shell, (line: Words, name: string) => Words>> = {
  posix: (line, name) => [...line, "<", `~/${name}`],
  powershell: (line, name) => ["Get-Content", `~/${name}`, "|", ...line],
  cmd: (line, name) => [...line, "<", `"%USERPROFILE%\\${name}"`],
};

const WITHOUT: Readonly<Record<Shell, (line: Words, name: string) => Words>> = {
  posix: (line, name) => ["env", "-u", name, ...line],
  powershell: (line, name) => ["Remove-Item", `Env:${name};`, ...line],
  cmd: (line, name) => ["set", `"${name}="`, "&", ...line],
};

function endedBy(words: Words, end: string): Words {
  return words.map((word, at) => (at === words.length - 1 ? word + end : word));
}

/** The steps that are not about another command line. */
type ShellWords = Exclude<ShellStep, { readonly inTurn: unknown } | { readonly line: unknown }>;

/** Writes a step for a shell. */
type Steps = (
  step: ShellWords,
  word: (each: Word) => string,
  platform: NodeJS.Platform,
) => readonly string[];

const STEPS: Readonly<Record<Shell, Steps>> = {
  posix(step, word, platform) {
    if ("unset" in step) return ["unset", ...step.unset.map(word)];
    if ("trim" in step) {
      const { trim: name } = step;
      return ["export", `${name}="$(printf %s "$${name}" | tr -d "'\\"[:space:]")"`];
    }
    if ("set" in step) {
      return ["export", `${step.set}=${"to" in step ? word(step.to) : `"$${step.from}"`}`];
    }
    if ("append" in step) {
      // echo has options, and in some shells escapes.
      const isPlain = !step.isOpen && !/^-|\\/.test(step.append);
      const words = isPlain ? ["echo"] : ["printf", step.isOpen ? "'\\n%s\\n'" : "'%s\\n'"];
      return [...words, word(step.append), ">>", word(step.file)];
    }
    if ("remove" in step) return ["rm", word(step.remove)];
    if ("rename" in step) return ["mv", word(step.rename), word(step.into)];
    if ("listing" in step) return ["ls", step.isFolder ? "-ld" : "-l", word(step.listing)];
    if ("allow" in step) return ["chmod", "u+rw", word(step.allow)];
    if ("lookUp" in step) {
      return platform === "linux" ? ["getent", "hosts", step.lookUp] : ["nslookup", step.lookUp];
    }
    const sed = platform === "darwin" ? ["sed", "-i", "''"] : ["sed", "-i"];
    if ("withoutKeys" in step) {
      const lines = step.withoutKeys.map((key) => `/^${escaped(key)}:/d`);
      return [...sed, word(lines.join(";")), word(step.file)];
    }
    const line = `^[[:space:]]*(export[[:space:]]+)?${escaped(step.withoutVariable)}[[:space:]]*[=:]`;
    return [...sed, "-E", word(`/${line}/d`), word(step.file)];
  },
  powershell(step, word) {
    const variable = (name: string) => (/^\w+$/.test(name) ? `$env:${name}` : `\${env:${name}}`);
    const text = (value: string) => quoted(value, "powershell");
    if ("unset" in step)
      return ["Remove-Item", step.unset.map((name) => word(`Env:${name}`)).join(",")];
    if ("trim" in step) {
      const name = variable(step.trim);
      return [name, "=", name, "-replace", `'[''"\\s]'`];
    }
    if ("set" in step) {
      return [variable(step.set), "=", "to" in step ? text(step.to) : variable(step.from)];
    }
    if ("append" in step) {
      const lines = step.isOpen ? `'',${text(step.append)}` : text(step.append);
      return ["Add-Content", "-LiteralPath", word(step.file), "-Value", lines];
    }
    if ("remove" in step) return ["Remove-Item", "-LiteralPath", word(step.remove)];
    if ("rename" in step) {
      return ["Move-Item", "-LiteralPath", word(step.rename), "-Destination", word(step.into)];
    }
    if ("listing" in step) return ["icacls", word(step.listing)];
    if ("allow" in step) return ["icacls", word(step.allow), "/grant", '"${env:USERNAME}:F"'];
    if ("lookUp" in step) return ["nslookup", step.lookUp];
    const file = word(step.file);
    // @(): for a file with a single line, -cnotmatch would otherwise return a boolean.
    const lines = ["(@(Get-Content", "-LiteralPath", `${file})`];
    const gone =
      "withoutKeys" in step
        ? step.withoutKeys.map((key) => `${escaped(key)}:`).join("|^")
        : `\\s*(export\\s+)?${escaped(step.withoutVariable)}\\s*[=:]`;
    const kept = [...lines, "-cnotmatch", `${text(`^${gone}`)})`];
    return ["Set-Content", "-LiteralPath", file, "-Value", ...kept];
  },
  cmd(step, word) {
    if ("unset" in step) {
      return step.unset.flatMap((name, at) => [...(at > 0 ? ["&"] : []), "set", `"${name}="`]);
    }
    if ("trim" in step) return `set ${step.trim} again, without quotes and white space`.split(" ");
    if ("set" in step) {
      return "to" in step
        ? ["set", `${step.set}=${cmdText(step.to)}`]
        : ["set", `"${step.set}=%${step.from}%"`];
    }
    // A digit directly before >> would be a stream number.
    if ("append" in step) {
      const end = step.isOpen ? [">>", word(step.file), "echo.", "&"] : [];
      return [...end, ">>", word(step.file), "echo", cmdText(step.append)];
    }
    if ("remove" in step) return ["del", word(step.remove)];
    if ("rename" in step) return ["move", word(step.rename), word(step.into)];
    if ("listing" in step) return ["icacls", word(step.listing)];
    if ("allow" in step) return ["icacls", word(step.allow), "/grant", '"%USERNAME%:F"'];
    if ("lookUp" in step) return ["nslookup", step.lookUp];
    const name = "withoutKeys" in step ? step.withoutKeys.join(" and ") : step.withoutVariable;
    return [...`take the lines that set ${name} out of`.split(" "), word(step.file)];
  },
};

/** Escapes a name for a regular expression. */
function escaped(name: string): string {
  return name.replaceAll(".", "[.]");
}
