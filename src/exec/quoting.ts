import { AppError } from "../errors/app-error.ts";
import { hint, own } from "../errors/hint.ts";
import { plainForms } from "../secret/forms.ts";
import { readEnvFile } from "./read-env-file.ts";

export const FORMATS = ["sh", "fish", "powershell", "dotenv", "json", "github", "gitlab"] as const;
export type Format = (typeof FORMATS)[number];

export function isFormat(text: string): text is Format {
  return (FORMATS as readonly string[]).includes(text);
}

/** Names that the format cannot express are left out and listed. */
export interface Quoted {
  readonly text: string;
  readonly leftOut: readonly string[];
}

/**
 * Formats variables for a shell, a file or CI, with every value unchanged.
 *
 * @throws AppError NOT_REPRESENTABLE for a value that the format cannot represent.
 */
export function quote(format: Format, variables: ReadonlyMap<string, string>): Quoted {
  const entries = [...variables];
  if (format === "json") return { text: json(Object.fromEntries(entries)), leftOut: [] };
  const usable = entries.filter(([name]) => isName(format, name));
  return {
    text: usable.map(([name, value]) => `${LINES[format](name, value)}\n`).join(""),
    leftOut: entries.flatMap(([name]) => (isName(format, name) ? [] : name)),
  };
}

/**
 * Commands that make GitHub's runner hide values in the rest of its log. It looks for commands in both streams of a
 * step, standard error first (actions/runner, ProcessInvoker and OutputManager), so standard output stays free for
 * $GITHUB_ENV. It masks line by line, also in base64, URLs and JSON.
 */
export function maskCommands(secrets: readonly string[]): string {
  const lines = secrets.flatMap(plainForms).filter((text) => !/[\r\n]/.test(text));
  return [...new Set(lines)].map((line) => `::add-mask::${line.replaceAll("%", "%25")}\n`).join("");
}

/**
 * Commands that unset the variables.
 *
 * @throws AppError NOT_REPRESENTABLE for a format that cannot unset a variable.
 */
export function quoteUnset(format: Format, names: readonly string[]): string {
  if (format === "json") return json(Object.fromEntries(names.map((name) => [name, null])));
  const usable = names.filter((name) => isName(format, name));
  const line = UNSET[format];
  if (line === undefined) {
    throw new AppError("NOT_REPRESENTABLE", `The format ${format} cannot unset a variable.`, {
      hint: hint`Formats with --unset: sh, fish, powershell, json`,
    });
  }
  return usable.map((name) => `${line(name)}\n`).join("");
}

type Line = (name: string, value: string) => string;

const LINES: Record<Exclude<Format, "json">, Line> = {
  sh: (name, value) => `export ${name}='${value.replaceAll("'", "'\\''")}'`,
  fish: (name, value) => `set -gx ${name} '${value.replace(/['\\]/g, "\\$&")}'`,
  powershell: (name, value) => `\${Env:${name}} = "${powershell(value)}"`,
  dotenv,
  github: (name, value) => {
    // The value must not contain the delimiter.
    let delimiter = "EOF_do_bootstrap";
    while (value.includes(delimiter)) delimiter += "_";
    return `${name}<<${delimiter}\n${value}\n${delimiter}`;
  },
  gitlab: (name, value) => {
    // GitLab's dotenv reports don't support quotes or line breaks, and are trimmed (docs, artifacts:reports:dotenv).
    if (!/[\r\n]/.test(value) && value === value.trim()) return `${name}=${value}`;
    throw notRepresentable("gitlab", name);
  },
};

const UNSET: Partial<Record<Format, (name: string) => string>> = {
  sh: (name) => `unset ${name}`,
  fish: (name) => `set -e ${name}`,
  powershell: (name) => `Remove-Item -ErrorAction Ignore "Env:${name}"`,
};

/** Shell variables for the current user: setting one in zsh would switch to another user. */
const OF_SHELL = /^(UID|EUID|GID|EGID|PPID|status)$/;

/** Names in dotenv may contain dots and dashes, those in a shell may not. */
function isName(format: Format, name: string): boolean {
  if (format === "dotenv" || format === "powershell") return true;
  const isShells = (format === "sh" || format === "fish") && OF_SHELL.test(name);
  return /^[A-Za-z_]\w*$/.test(name) && !isShells;
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** One line of plain ASCII, which a PowerShell pipeline neither splits nor recodes. */
function powershell(value: string): string {
  return value.replace(
    /[^ !#%&()*+,\-./0-9:;<=>?@A-Z[\\\]^_a-z{|}~]/g,
    (char) => `$([char]${char.charCodeAt(0)})`,
  );
}

/**
 * The first notation that dotenv reads back unchanged. dotenv only knows the escapes \\n and \\r in double quotes,
 * and does not end a value at a quote after a backslash: such a value would continue on the next line.
 */
function dotenv(name: string, value: string): string {
  const isClosedBy = (quote: string) => !value.includes(quote) && !value.endsWith("\\");
  const escaped = value.replaceAll("\r", "\\r");
  const ways = [
    ...(/^[\w./:@%+,=-]*$/.test(value) ? [value] : []),
    ...["'", '"', "`"].filter(isClosedBy).map((quote) => quote + value + quote),
    ...(isClosedBy('"') ? [`"${escaped}"`] : []),
    ...(/^[^\s'"`#]([^#\r\n]*\S)?$/.test(value) ? [value] : []),
  ];
  const line = ways
    .map((way) => `${name}=${way}`)
    .find((each) => readEnvFile(`${each}\n`).get(name) === value);
  if (line === undefined) throw notRepresentable("dotenv", name);
  return line;
}

function notRepresentable(format: Format, name: string): AppError {
  return new AppError(
    "NOT_REPRESENTABLE",
    `The format ${format} can't represent the value of ${name}.`,
    {
      hint: hint`Use another format: ${own("env", "--format", "json")}`,
    },
  );
}
