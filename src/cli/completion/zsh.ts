import type { Command } from "../command.ts";
import type { Completable, Option } from "../options.ts";
import { valued } from "./valued.ts";

export function zshScript(commands: readonly Command[]): string {
  return `#compdef do-bootstrap
# Completes do-bootstrap in zsh. In ~/.zshrc, after compinit: source <(do-bootstrap completion zsh)
# Or as a file named _do-bootstrap in a folder of $fpath.

_do_bootstrap() {
  local curcontext=$curcontext command=
  local -i i
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      (${valued(commands).join("|")}) ((i++)) ;;
      (--) break ;;
      (-*) ;;
      (*) command=$words[i]; break ;;
    esac
  done
  if [[ -n $command ]]; then
    shift $((i - 1)) words
    ((CURRENT -= i - 1))
  fi
  case $command in
    ('')
      _arguments \\
${specs(commands[0])}
        '1: :__do_bootstrap_commands'
      ;;
${commands.map(commandCase).join("\n")}
  esac
}

__do_bootstrap_commands() {
  local -a commands=(
${commands.map(({ name, describe }) => `    ${quoted(`${name}:${describe}`)}`).join("\n")}
  )
  _describe -t commands command commands
}

__do_bootstrap_list() {
  local -a names=(\${(f)"$(command do-bootstrap completion --list $1 2>/dev/null)"})
  compadd -a names
}

# The command that exec runs completes its own words. False where the line is not so far yet.
__do_bootstrap_behind() {
  local -i i
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      (${valued(commands).join("|")}) ((i++)) ;;
      (--) ((i++)); break ;;
      (-*) ;;
      (*) break ;;
    esac
  done
  ((i <= CURRENT)) || return 1
  ((i == CURRENT)) && [[ $words[i] == -* || $words[i-1] == --env ]] && return 1
  shift $((i - 1)) words
  ((CURRENT -= i - 1))
  if [[ $words[1] == doctl && $words[CURRENT-1] == --context ]]; then
    __do_bootstrap_list contexts
  elif ((CURRENT == 1)); then
    _command_names -e
  else
    _normal
  fi
  return 0
}

if [[ $funcstack[1] == _do-bootstrap ]]; then
  _do_bootstrap "$@"
elif (($+functions[compdef])); then
  compdef _do_bootstrap do-bootstrap
fi
`;
}

function commandCase(command: Command): string {
  const { name, words, completes, positional } = command;
  const own = positional && completes ? [`${quoted(`*:${positional}:${action(completes)}`)}`] : [];
  const last = own.length > 0 ? ` \\\n        ${own.join("")}` : "";
  const call = `_arguments \\\n${specs(command).replace(/ \\$/, "")}${last}`;
  if (words === undefined) return `    (${name})\n      ${call}\n      ;;`;
  return `    (${name})
      __do_bootstrap_behind && return
      ${call}
      ;;`;
}

/** One option on each line, each with a backslash at its end. */
function specs(command: Command | undefined): string {
  return Object.entries(command?.options ?? {})
    .map(([name, option]) => `        ${quoted(spec(name, option))} \\`)
    .join("\n");
}

function spec(name: string, { type, describe, value = "", completes }: Option): string {
  const text = describe.replace(/[[\]:\\]/g, "\\$&");
  if (type === "boolean") return `--${name}[${text}]`;
  return `--${name}=[${text}]:${value}:${completes === undefined ? " " : action(completes)}`;
}

function action(completes: Completable): string {
  if (completes === "files") return "_files";
  if (completes === "folders") return "_files -/";
  if (completes === "environments") return "{__do_bootstrap_list environments}";
  return `(${completes.join(" ")})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
