import { relative } from "node:path";
import { inEnvironment as inEnvironmentText } from "../core/as-typed.ts";
import type { Hint, HintPart, ShellStep, Word } from "../errors/hint.ts";
import { isInside } from "../lib/paths.ts";
import { type Shell, shellWord } from "../lib/shell-word.ts";

/** For whom a hint is printed. */
export interface HintEdge {
  /** The environment that was asked about. */
  readonly environment: string | undefined;
  /** The folder in which a person would paste it. */
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly shell: Shell;
  /** Paths below `cwd` are printed relative to it; a document has them absolute. */
  readonly isShort: boolean;
}

/** The shell in front of a person: cmd sets PROMPT, and PowerShell does not. */
export function shellOf(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
): Shell {
  if (platform !== "win32") return "posix";
  return env["PROMPT"] === undefined ? "powershell" : "cmd";
}

export function hintText(hint: Hint | string, edge: HintEdge): string {
  return hintWords(hint, edge).join(" ");
}

/** The words of a hint. One with spaces inside is a quoted word of a command line: no line ends in it. */
export function hintWords(hint: Hint | string, edge: HintEdge): readonly string[] {
  if (typeof hint === "string") return inEnvironmentText(hint, edge.environment).split(" ");
  const words = [""];
  for (const part of hint) {
    const [first = "", ...more] = piecesOf(part, edge);
    words.push(`${words.pop()}${first}`, ...more);
  }
  return words;
}

function piecesOf(part: HintPart, edge: HintEdge): readonly string[] {
  if (typeof part === "string") return part.split(" ");
  const word = (each: Word) => shellWord(plain(each, edge), edge.shell);
  if ("own" in part) {
    return ["do-bootstrap", ...inEnvironment(part.own, edge.environment).map(word)];
  }
  if ("run" in part) return part.run.map(word);
  return STEPS[edge.shell](part, word, edge.platform);
}

/** These take no environment. */
const WITHOUT_ENVIRONMENT = ["ci", "hook", "completion", "demo"];

function inEnvironment(words: readonly Word[], environment: string | undefined): readonly Word[] {
  const [first, ...rest] = words;
  if (environment === undefined || words.includes("--env")) return words;
  if (typeof first !== "string" || first.startsWith("-")) return ["--env", environment, ...words];
  if (WITHOUT_ENVIRONMENT.includes(first)) return words;
  return [first, "--env", environment, ...rest];
}

function plain(word: Word, { cwd, isShort }: HintEdge): string {
  if (typeof word === "string") return word;
  const { path, before = "", after = "" } = word;
  const isRelative = before !== "" || (isShort && isInside(path, cwd));
  if (!isRelative) return path + after;
  const steps = `${relative(cwd, path) || "."}${after}`;
  // A name that begins with a dash would be an option.
  return before === "" && steps.startsWith("-") ? `./${steps}` : before + steps;
}

/** What each shell calls a step, in words. */
type Steps = (
  step: ShellStep,
  word: (each: Word) => string,
  platform: NodeJS.Platform,
) => readonly string[];

const STEPS: Readonly<Record<Shell, Steps>> = {
  posix(step, word, platform) {
    if ("unset" in step) return ["unset", ...step.unset];
    if ("trim" in step) {
      const { trim: name } = step;
      return [
        "export",
        `${name}="$(printf`,
        "%s",
        `"$${name}"`,
        "|",
        "tr",
        "-d",
        `"'\\"[:space:]")"`,
      ];
    }
    if ("set" in step) {
      return ["export", `${step.set}=${"to" in step ? word(step.to) : `"$${step.from}"`}`];
    }
    if ("append" in step) {
      // echo has escapes in some shells, and options in all.
      const isPlain = !/^-|\\/.test(step.append);
      const words = isPlain ? ["echo"] : ["printf", "'%s\\n'"];
      return [...words, word(step.append), ">>", word(step.file)];
    }
    if ("remove" in step) return ["rm", word(step.remove)];
    if ("rename" in step) return ["mv", word(step.rename), word(step.into)];
    const sed = platform === "darwin" ? ["sed", "-i", "''"] : ["sed", "-i"];
    return [...sed, word(`/^${step.withoutLines}/d`), word(step.file)];
  },
  powershell(step, word) {
    if ("unset" in step) return ["Remove-Item", `Env:${step.unset.join(",Env:")}`];
    if ("trim" in step) {
      const { trim: name } = step;
      return [`$env:${name}`, "=", `$env:${name}`, "-replace", `'[''"\\s]'`];
    }
    if ("set" in step) {
      const value = "to" in step ? `'${step.to.replaceAll("'", "''")}'` : `$env:${step.from}`;
      return [`$env:${step.set}`, "=", value];
    }
    if ("append" in step) {
      return ["Add-Content", "-LiteralPath", word(step.file), "-Value", word(step.append)];
    }
    if ("remove" in step) return ["Remove-Item", "-LiteralPath", word(step.remove)];
    if ("rename" in step) {
      return ["Move-Item", "-LiteralPath", word(step.rename), "-Destination", word(step.into)];
    }
    const file = word(step.file);
    const kept = [
      "(Get-Content",
      "-LiteralPath",
      `${file})`,
      "-notmatch",
      word(`^${step.withoutLines}`),
    ];
    return [...kept, "|", "Set-Content", "-LiteralPath", file];
  },
  cmd(step, word) {
    if ("unset" in step)
      return step.unset.flatMap((name, at) => [...(at > 0 ? ["&"] : []), "set", `"${name}="`]);
    if ("trim" in step) return `set ${step.trim} again, without quotes and white space`.split(" ");
    if ("set" in step) return ["set", `"${step.set}=${"to" in step ? step.to : `%${step.from}%`}"`];
    if ("append" in step) {
      return [`echo ${step.append.replace(/[&|<>^()%]/g, "^$&")}>>`, word(step.file)];
    }
    if ("remove" in step) return ["del", word(step.remove)];
    if ("rename" in step) return ["move", word(step.rename), word(step.into)];
    return [
      ...`take the lines that begin with ${step.withoutLines} out of`.split(" "),
      word(step.file),
    ];
  },
};
