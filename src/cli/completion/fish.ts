import type { Command } from "../command.ts";
import type { Completable, Option } from "../options.ts";
import { valued } from "./valued.ts";

export function fishScript(commands: readonly Command[]): string {
  const [first, ...others] = commands;
  return `# Completes do-bootstrap in fish. In ~/.config/fish/config.fish: do-bootstrap completion fish | source

# The words before the cursor: the command, then what is behind it but for options and their values.
function __do_bootstrap_words
    set -l tokens (commandline -opc)
    set -e tokens[1]
    set -l words
    set -l skip 0
    for i in (seq (count $tokens))
        if test $skip = 1
            set skip 0
            continue
        end
        switch $tokens[$i]
            case --
                # What is behind it is the command's that exec runs.
                set -a words $tokens[(math $i + 1)..-1]
                break
            case ${valued(commands).join(" ")}
                set skip 1
            case '-*'
            case '*'
                if test "$words[1]" = exec
                    set -a words $tokens[$i..-1]
                    break
                end
                set -a words $tokens[$i]
        end
    end
    string join \\n -- $words
end

function __do_bootstrap_in
    set -l words (__do_bootstrap_words)
    contains -- "$words[1]" $argv
end

# The command that exec runs completes its own words.
function __do_bootstrap_behind
    set -l words (__do_bootstrap_words)
    set -e words[1]
    set -l current (commandline -ct)
    if test "$words[1]" = doctl; and test "$words[-1]" = --context
        command do-bootstrap completion --list contexts 2>/dev/null
    else if test (count $words) -gt 0; or not string match -q -- '-*' $current
        complete -C (string join ' ' -- (string escape -- $words) $current)
    end
end

function __do_bootstrap_has_command
    set -l words (__do_bootstrap_words)
    test (count $words) -gt 1; or contains -- -- (commandline -opc)
end

function __do_bootstrap_list
    command do-bootstrap completion --list $argv[1] 2>/dev/null
end

complete -c do-bootstrap -f
${commands.map(({ name, describe }) => `complete -c do-bootstrap -n '__do_bootstrap_in ""' -a ${name} -d ${quoted(describe)}`).join("\n")}
${first === undefined ? "" : optionLines(first, `__do_bootstrap_in "" ${first.name}`)}
${others.map((command) => optionLines(command, condition(command))).join("\n")}
${commands.flatMap(positionalLine).join("\n")}
`;
}

function condition({ name, words }: Command): string {
  return words === undefined
    ? `__do_bootstrap_in ${name}`
    : `__do_bootstrap_in ${name}; and not __do_bootstrap_has_command`;
}

function optionLines({ options }: Command, when: string): string {
  return Object.entries(options)
    .map(
      ([name, option]) =>
        `complete -c do-bootstrap -n '${when}' -l ${name}${values(option)} -d ${quoted(option.describe)}`,
    )
    .join("\n");
}

function values({ type, completes }: Option): string {
  if (type === "boolean") return "";
  return completes === undefined ? " -x" : ` ${choices(completes)}`;
}

function positionalLine({ name, words, completes }: Command): string[] {
  const line = `complete -c do-bootstrap -n '__do_bootstrap_in ${name}'`;
  if (words !== undefined) return [`${line} -a '(__do_bootstrap_behind)'`];
  return completes === undefined ? [] : [`${line} ${choices(completes).replace(/^-x /, "")}`];
}

function choices(completes: Completable): string {
  if (completes === "files") return "-r -F";
  if (completes === "folders") return "-x -a '(__fish_complete_directories)'";
  if (completes === "environments") return "-x -a '(__do_bootstrap_list environments)'";
  return `-x -a '${completes.join(" ")}'`;
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
