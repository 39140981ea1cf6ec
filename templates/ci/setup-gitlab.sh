#!/bin/sh
# Sets up GitLab for the pipeline of {{project}}. Written by: do-bootstrap ci gitlab --script
#
# It needs glab, logged in as a maintainer of the project. Read it, then run it in a terminal, in a clone of the repo.
# It asks for each secret and passes it to glab on standard input. An empty answer skips a secret.
set -eu

{{ask}}

# secret NAME SCOPE WHAT FLAGS: only jobs of an environment in this scope get it.
secret() {
  ask "$@" || return 0
  printf %s "$value" | glab variable set "$1" "$4" -s "$2" ||
    printf %s "$value" | glab variable update "$1" "$4" -s "$2"
}

{{steps}}
