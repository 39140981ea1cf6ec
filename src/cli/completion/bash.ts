import type { Command } from "../command.ts";
import type { Completable } from "../options.ts";
import { valued } from "./valued.ts";

/**
 * For bash 3.2 and later, since macOS has 3.2. Works without bash-completion, except for the words after `exec`. No
 * word is expanded, so a name from a config is never executed.
 */
export function bashScript(commands: readonly Command[]): string {
  return `# Completes do-bootstrap in bash. In ~/.bashrc: source <(do-bootstrap completion bash)

_do_bootstrap() {
  local cur=\${COMP_WORDS[COMP_CWORD]} command= option= i=1 word
  COMPREPLY=()
  while ((i < COMP_CWORD)); do
    word=\${COMP_WORDS[i]}
    case $word in
      --)
        [[ $command == exec ]] && __do_bootstrap_behind $((i + 1))
        return
        ;;
      ${valued(commands).join(" | ")})
        # --env=prod is three words to bash.
        [[ \${COMP_WORDS[i + 1]} == = ]] && ((i++))
        ((++i >= COMP_CWORD)) && option=$word
        ;;
      -*) ;;
      *)
        if [[ -z $command ]]; then
          command=$word
        elif [[ $command == exec ]]; then
          __do_bootstrap_behind $i
          return
        fi
        ;;
    esac
    ((i++))
  done
  [[ $cur == = ]] && cur=
  case \${command:-${commands[0]?.name}}:$option in
${commands.flatMap(optionCases).map(indented).join("\n")}
    *:-*) return ;;
  esac
  if [[ $cur == -* ]]; then
    case \${command:-${commands[0]?.name}} in
${commands.map((command) => indented(`  ${command.name}) __do_bootstrap_offer ${words(optionNames(command))} ;;`)).join("\n")}
    esac
    return
  fi
  case $command in
    "") __do_bootstrap_offer ${words(commands.map(({ name }) => name))} ;;
    exec) __do_bootstrap_behind $COMP_CWORD ;;
${commands.flatMap(positionalCase).map(indented).join("\n")}
  esac
}

__do_bootstrap_list() {
  command do-bootstrap completion --list "$1" 2>/dev/null
}

__do_bootstrap_offer() {
  local word
  while IFS= read -r word; do
    [[ -n $word && $word == "$cur"* ]] && COMPREPLY+=("$word")
  done <<<"$1"
}

__do_bootstrap_paths() {
  local path
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen "$1" -- "$cur")
}

# The command that exec runs completes its own words.
__do_bootstrap_behind() {
  if [[ \${COMP_WORDS[$1]} == doctl && \${COMP_WORDS[COMP_CWORD - 1]} == --context ]]; then
    __do_bootstrap_offer "$(__do_bootstrap_list contexts)"
  elif declare -F _comp_command_offset >/dev/null; then
    _comp_command_offset "$1"
  elif declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif ((COMP_CWORD == $1)); then
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -c -- "$cur")
  else
    __do_bootstrap_paths -f
  fi
}

complete -F _do_bootstrap do-bootstrap
`;
}

function optionCases({ name, options }: Command): string[] {
  return Object.entries(options).flatMap(([option, { completes }]) =>
    completes === undefined ? [] : `${name}:--${option}) ${offer(completes)}; return ;;`,
  );
}

function positionalCase({ name, completes }: Command): string[] {
  return completes === undefined ? [] : [`${name}) ${offer(completes)} ;;`];
}

function offer(completes: Completable): string {
  if (completes === "files") return "__do_bootstrap_paths -f";
  if (completes === "folders") return "__do_bootstrap_paths -d";
  if (completes === "environments") {
    return '__do_bootstrap_offer "$(__do_bootstrap_list environments)"';
  }
  return `__do_bootstrap_offer ${words(completes)}`;
}

function optionNames({ options }: Command): string[] {
  return Object.keys(options).map((name) => `--${name}`);
}

function words(all: readonly string[]): string {
  return `$'${all.join("\\n")}'`;
}

function indented(line: string): string {
  return `    ${line}`;
}
