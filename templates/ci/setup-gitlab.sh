#!/bin/sh
# Sets up GitLab for the pipeline of {{project}}. Written by: do-bootstrap ci gitlab --script
#
# It needs glab, logged in as a maintainer of the project. Read it, then run it in a terminal, in a clone of the repo; or
# name another project: sh setup.sh GROUP/NAME
# It shows the project and asks before it changes anything. It asks for each secret and passes it to glab on standard
# input. An empty answer skips a secret.
set -eu

{{confirm}}

# A token in the address of the remote is neither shown nor passed on.
repo=${1:-$(git remote get-url origin)}
case $repo in *://*@*) repo=${repo%%://*}://${repo##*@} ;; esac
confirm "$repo"

{{ask}}

# secret NAME SCOPE WHAT FLAGS: only jobs of an environment in this scope get it.
secret() {
  ask "$@" || return 0
  printf %s "$value" | glab variable set "$1" "$4" -s "$2" -R "$repo" ||
    printf %s "$value" | glab variable update "$1" "$4" -s "$2" -R "$repo"
}

{{steps}}
