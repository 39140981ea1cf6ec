import { AppError } from "../errors/app-error.ts";
import { hint, own } from "../errors/hint.ts";
import { plainForms } from "../secret/forms.ts";
import { readEnvFile } from "./read-env-file.ts";

export const FORMATS = ["sh", "fish", "powershell", "dotenv", "json", "github", "gitlab"] as const;
export type Format = (typeof FORMATS)[number];

export function isFormat(text: string): text is Format {
  return (FORMATS as readonly string[]).includes(text);
}

/** Names that no shell can hold are left out, and named. */
export interface Quoted {
  readonly text: string;
  readonly leftOut: readonly string[];
}

/**
 * Variables as a shell, a file or a pipeline reads them, every value unchanged.
 *
 * @throws AppError NOT_REPRESENTABLE for a value that the format cannot hold.
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
 * What makes GitHub's runner hide values in its log from then on. It looks for commands in both
 * streams of a step, standard error first (actions/runner, ProcessInvoker and OutputManager), so that
 * standard output is free for $GITHUB_ENV. It hides by lines, also in base64, URLs and JSON.
 */
export function maskCommands(secrets: readonly string[]): string {
  const lines = secrets.flatMap(plainForms).filter((text) => !/[\r\n]/.test(text));
  return [...new Set(lines)].map((line) => `::add-mask::${line.replaceAll("%", "%25")}\n`).join("");
}

/**
 * What removes the variables again.
 *
 * @throws AppError NOT_REPRESENTABLE for a format that has no words for it.
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
    // No line of the value is the delimiter's.
    let delimiter = "EOF_do_bootstrap";
    while (value.includes(delimiter)) delimiter += "_";
    return `${name}<<${delimiter}\n${value}\n${delimiter}`;
  },
  gitlab: (name, value) => {
    // Its dotenv reports know no quotes and no second line, and trim (docs, artifacts:reports:dotenv).
    if (!/[\r\n]/.test(value) && value === value.trim()) return `${name}=${value}`;
    throw notRepresentable("gitlab", name);
  },
};

const UNSET: Partial<Record<Format, (name: string) => string>> = {
  sh: (name) => `unset ${name}`,
  fish: (name) => `set -e ${name}`,
  powershell: (name) => `Remove-Item -ErrorAction Ignore "Env:${name}"`,
};

/** Variables that say who runs the shell: zsh would become another user. */
const OF_SHELL = /^(UID|EUID|GID|EGID|PPID|status)$/;

/** dotenv's names may have dots and dashes, a shell's may not. */
function isName(format: Format, name: string): boolean {
  if (format === "dotenv" || format === "powershell") return true;
  const isShells = (format === "sh" || format === "fish") && OF_SHELL.test(name);
  return /^[A-Za-z_]\w*$/.test(name) && !isShells;
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** One line, and plain ASCII: what a pipeline of PowerShell's does not break up or recode. */
function powershell(value: string): string {
  return value.replace(
    /[^ !#%&()*+,\-./0-9:;<=>?@A-Z[\\\]^_a-z{|}~]/g,
    (char) => `$([char]${char.charCodeAt(0)})`,
  );
}

/**
 * The first way of writing a value that dotenv reads back the same. It has no escapes but \\n and \\r
 * between double quotes, and takes a quote behind a backslash for no end: such a value would go on in
 * the next line.
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
