#!/bin/sh
# Sets up GitLab for the pipeline of {{project}}. Written by: do-bootstrap ci gitlab --script
#
# It needs glab, logged in as a maintainer of the project. Read it, then run it in a terminal, in a clone of the repo.
# It asks for each secret and passes it to glab on standard input. An empty answer skips a secret.
set -eu

# secret NAME SCOPE FLAGS WHAT: only jobs of an environment in this scope get it.
secret() {
  printf '\n%s\n%s in %s: ' "$4" "$1" "$2" >&2
  if [ -t 0 ]; then
    trap 'stty echo; exit 130' INT TERM
    stty -echo
  fi
  IFS= read -r value || value=
  if [ -t 0 ]; then
    stty echo
    trap - INT TERM
  fi
  echo >&2
  if [ -z "$value" ]; then
    echo "variable $1 of $2 skipped"
    return
  fi
  printf %s "$value" | glab variable set "$1" "$3" -s "$2" ||
    printf %s "$value" | glab variable update "$1" "$3" -s "$2"
  value=
}

{{steps}}
