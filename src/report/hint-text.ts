import { relative } from "node:path";
import type { Finding } from "../core/finding.ts";
import type { Hint, HintPart, ShellStep, Word } from "../errors/hint.ts";
import { isInside } from "../lib/paths.ts";
import { cmdText, quoted, type Shell, shellWord } from "../lib/shell-word.ts";

/** For whom a hint is printed. */
export interface HintEdge {
  /** The environment that was asked about. */
  readonly environment: string | undefined;
  /** The folder in which a person would paste it; paths below it are relative to it. undefined: not known. */
  readonly cwd: string | undefined;
  readonly platform: NodeJS.Platform;
  readonly shell: Shell;
}

/** The shell in front of a person: on Windows, Git Bash sets MSYSTEM, cmd sets PROMPT, PowerShell neither. */
export function shellOf(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
): Shell {
  if (platform !== "win32" || env["MSYSTEM"] !== undefined) return "posix";
  return env["PROMPT"] === undefined ? "powershell" : "cmd";
}

/** For whom the hint of a finding is printed: with --all, each is about an environment. */
export function edgeOf(edge: HintEdge, { environment }: Pick<Finding, "environment">): HintEdge {
  return environment === undefined ? edge : { ...edge, environment: environment ?? undefined };
}

export function hintText(hint: Hint, edge: HintEdge): string {
  return hintWords(hint, edge).join(" ");
}

/** The words of a hint. A command line is one of them, so that no line ends inside it. */
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
  // One piece: a line that is broken in two is two commands to whoever pastes it.
  return [lineOf(part).join(" ")];

  function lineOf(step: Exclude<HintPart, string>): readonly string[] {
    if ("own" in step) return ["do-bootstrap", ...line(inEnvironment(step.own, environment))];
    if ("run" in step) return line(step.run);
    return STEPS[shell](step, (each) => shellWord(plain(each, edge), shell), platform);
  }

  function line(words: readonly Word[]): readonly string[] {
    return (
      words
        .map((each) => plain(each, edge))
        // Terraform needs no -chdir for the folder in which it is run.
        .filter((text) => text !== "-chdir=.")
        .map((text) => shellWord(text, shell))
    );
  }
}

/** These take no environment. */
const WITHOUT_ENVIRONMENT: readonly string[] = ["hook", "ci", "completion", "demo"];
/** These take every one, with --all. */
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
  // A name that begins with a dash would be an option, and with a colon git's own pattern.
  const text = before === "" && /^[-:]/.test(steps) ? `./${steps}` : before + steps;
  // Git Bash takes both kinds of slash, and one of them unquoted.
  return platform === "win32" && shell === "posix" ? text.replaceAll("\\", "/") : text;
}

/** A step in the words of a shell. */
type Steps = (
  step: ShellStep,
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
    const file = word(step.file);
    // @(): of a file with one line -cnotmatch would say whether, and not which.
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
    // A digit before >> would be the number of a stream.
    if ("append" in step) {
      const end = step.isOpen ? [">>", word(step.file), "echo.", "&"] : [];
      return [...end, ">>", word(step.file), "echo", cmdText(step.append)];
    }
    if ("remove" in step) return ["del", word(step.remove)];
    if ("rename" in step) return ["move", word(step.rename), word(step.into)];
    const name = "withoutKeys" in step ? step.withoutKeys.join(" and ") : step.withoutVariable;
    return [...`take the lines that set ${name} out of`.split(" "), word(step.file)];
  },
};

/** A name in a regular expression. */
function escaped(name: string): string {
  return name.replaceAll(".", "[.]");
}
