import { generate } from "../../core/generated.ts";
import { ALPHABET, codeOf, NAMED } from "../../secret/token-codes.ts";
import { NEEDLES, PATTERNS } from "../../secret/token-form.ts";

/** One of the git hooks that get the guard. */
interface Hook {
  readonly what: string;
  readonly thing: "commit" | "push" | "change";
  /** What is searched: shell lines that print a diff; or "place", a name for it, and an indented text. */
  readonly input: string;
  readonly bypass: string;
  /** Shell lines around it. */
  readonly before?: string;
  readonly after?: string;
}

/** The options override settings in the environment, the config and the repo's attributes. */
const DIFF = [
  "-O/dev/null --no-ext-diff --no-textconv --no-color --no-renames --text --unified=0",
  "--inter-hunk-context=0 --src-prefix=a/ --dst-prefix=b/ --ignore-submodules=all",
].join(" \\\n    ");
const CONTENT = `  git diff --cached --diff-filter=d ${DIFF}`;
const INDENT = "awk '{ print \"  \" $0 }'";
/** If an editor was used, git removes the text below the scissors line, and comments unless configured otherwise. */
const MESSAGE = `  echo "place the message"
  comments=--strip-comments
  case $(git config commit.cleanup) in verbatim | whitespace | scissors) comments= ;; esac
  if [ "\${GIT_EDITOR-}" = : ]; then ${INDENT} "$1"
  else awk '/^. -+ >8 -+$/ { exit } { print }' "$1" | git stripspace $comments | ${INDENT}; fi`;

/**
 * The commits that the remote does not have yet, and tags: their messages, and their targets if those are not commits.
 * The name of what is pushed may consist of words with spaces between them.
 */
const PUSHED = `  revisions=
  while read -r ref; do
    old=\${ref##* } ref=\${ref% *}
    to=\${ref##* } ref=\${ref% *}
    new=\${ref##* }
    case $new in *[!0]*) ;; *) continue ;; esac
    printf 'place the name of a branch or tag\\n  %s\\n' "$to"
    while type=$(git cat-file -t "$new") && [ "$type" = tag ]; do
      printf 'place the message of a tag\\n' && git cat-file tag "$new" | ${INDENT}
      new=$(git cat-file tag "$new" | awk 'NR == 1 { print $2 }')
    done
    case $type in
      blob) printf 'place a file with a tag\\n' && git cat-file blob "$new" | ${INDENT} ;;
      tree) git diff ${DIFF} "$(git hash-object -t tree /dev/null)" "$new" || exit 1 ;;
      commit) ;;
      *) exit 1 ;;
    esac
    revisions="$revisions$new
"
    case $old in *[!0]*) if git cat-file -e "$old" 2>/dev/null; then revisions="$revisions^$old
"; fi ;; esac
  done <<do-bootstrap-end
$do_bootstrap_refs
do-bootstrap-end
  printf %s "$revisions" | git log --root --cc --irreversible-delete --no-show-signature --no-notes --no-decorate \\
    --format='place the message of commit %h%n%w(0,2,2)%an %ae%n%cn %ce%n%B' ${DIFF} \\
    --stdin --not --remotes="$1"`;
const REFS = `do_bootstrap_refs=$(while IFS= read -r ref; do printf '%s\\n' "$ref"; done)`;
/** The rest of the hook reads the same input. */
const REFS_AGAIN = `if [ -z "$do_bootstrap_refs" ]; then exec </dev/null; else exec <<do-bootstrap-end
$do_bootstrap_refs
do-bootstrap-end
fi`;

/**
 * For a cherry-pick, a revert and a rebase, this is the only hook that can stop them. git also runs it after the other
 * hooks, which have already searched the content or were skipped on purpose.
 */
const IS_SEQUENCER = `do_bootstrap_is_sequence() {
  [ -d "\${1%/*}/rebase-merge" ] || { [ -e "\${1%/*}/MERGE_MSG" ] && [ ! -e "\${1%/*}/MERGE_HEAD" ]; } || return 1
  case \${2-} in message | commit) ;; *) [ -n "\${GIT_REFLOG_ACTION-}" ] ;; esac
}
if do_bootstrap_is_sequence "$@"; then`;

const COMMIT = { thing: "commit", bypass: "git commit --no-verify" } as const;
const APPLY = { thing: "commit", bypass: "git -c core.hooksPath=/dev/null am" } as const;

/** By hook name. When git runs each hook was tested with git 2.39. */
export const HOOKS: Readonly<Record<string, Hook>> = {
  "pre-commit": { what: "a commit", input: CONTENT, ...COMMIT },
  "commit-msg": { what: "a commit message", input: MESSAGE, ...COMMIT },
  "pre-merge-commit": {
    ...{ what: "a merge", input: CONTENT, thing: "commit", bypass: "git merge --no-verify" },
  },
  "prepare-commit-msg": {
    what: "a cherry-pick, a revert or a rebase",
    thing: "commit",
    before: IS_SEQUENCER,
    input: `${CONTENT} &&\n${MESSAGE}`,
    bypass: "git -c core.hooksPath=/dev/null cherry-pick",
    after: "fi",
  },
  "applypatch-msg": {
    ...{
      what: "a patch message",
      input: `  echo "place the message" && ${INDENT} "$1"`,
      ...APPLY,
    },
  },
  "pre-applypatch": { what: "a patch", input: CONTENT, ...APPLY },
  "pre-push": {
    ...{ what: "a push", thing: "push", input: PUSHED, bypass: "git push --no-verify" },
    ...{ before: REFS, after: REFS_AGAIN },
  },
};

/**
 * The guard as a hook of https://pre-commit.com, in one file. That passes no standard input on, names only the first ref
 * of a push, and runs a hook by hand or in CI, too. Tested with pre-commit 3.0.
 */
const FOR_PRE_COMMIT: Hook = {
  ...{
    what: "a change",
    thing: "change",
    bypass: "SKIP=do-bootstrap,do-bootstrap-message git commit",
  },
  input: `  empty=$(git hash-object -t tree /dev/null)
  if [ "\${1-}" = message ]; then
  shift
${MESSAGE}
  elif [ -n "\${PRE_COMMIT_REMOTE_NAME-}\${PRE_COMMIT_TO_REF-}" ]; then
  set -- "\${PRE_COMMIT_REMOTE_NAME:--}"
  to=$(git rev-parse --verify "\${PRE_COMMIT_TO_REF:-$PRE_COMMIT_LOCAL_BRANCH}") || exit 1
  do_bootstrap_refs="local $to \${PRE_COMMIT_REMOTE_BRANCH:-remote} \${PRE_COMMIT_FROM_REF:-0}"
${PUSHED}
  # The stage prepare-commit-msg, which --no-verify does not skip.
  elif [ -n "\${PRE_COMMIT_COMMIT_MSG_SOURCE-}" ]; then :
  # By hand, with nothing staged: every file that git has.
  elif [ -z "\${GIT_INDEX_FILE-}" ] && git diff --cached --quiet; then
  git diff --cached ${DIFF} "$empty"
  else
${CONTENT}
  fi`,
};

const FIX = {
  change: "Remove the token and put it in the env file.",
  commit: "Remove the token (git restore --staged FILE) and put it in the env file.",
  push: "Remove the token from the commits (git rebase -i or git commit --amend) and put it in the env file.",
};
const FAILED = { commit: "git diff failed", push: "git log failed", change: "git failed" };

/** The guard for one of the hooks of git. */
export function renderGuard(template: string, name: string): string {
  return rendered(template, HOOKS[name] ?? NONE);
}

/** The whole file that `.pre-commit-hooks.yaml` names. The build writes it. */
export function preCommitScript(template: string): string {
  return `#!/bin/sh\n${rendered(template, FOR_PRE_COMMIT)}`;
}

function rendered(template: string, { before = "", after = "", ...hook }: Hook): string {
  const { what, thing, input, bypass } = hook;
  return generate(template, {
    ...{ what, thing, input, bypass, before, after },
    ...{ fix: FIX[thing], failed: FAILED[thing] },
    ...PATTERNS_OF_GUARD,
  });
}

const NONE: Hook = { what: "", input: "", ...COMMIT };

/** The patterns of the guard, which is written in awk, by their names in its template. */
const PATTERNS_OF_GUARD = {
  count: PATTERNS.count,
  digit: PATTERNS.digit,
  joint: PATTERNS.joint,
  named: NAMED,
  start: `${PATTERNS.prefix}_${PATTERNS.version}_`,
  needles: [NEEDLES.plain, ...NEEDLES.base64].join("|"),
  ...Object.fromEntries(PATTERNS.base64.map((each, offset) => [`base64_${offset}`, each])),
  decode: ALPHABET.map((group) => `  gsub(/${codeOf(group)}/, "${group[0]}", text)`).join("\n"),
};
