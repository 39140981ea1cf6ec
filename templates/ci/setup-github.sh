#!/bin/sh
# Sets up GitHub for the pipeline of {{project}}. Written by: do-bootstrap ci github --script
#
# It needs gh, logged in as an admin of the repo. Read it, then run it in a terminal, in a clone of the repo.
# It asks for each secret and passes it to gh on standard input. An empty answer skips a secret. An environment that
# exists is not changed.
set -eu

fail() {
  echo "$1" >&2
  exit 1
}

# exists PATH: false only if GitHub says that there is none.
exists() {
  if said=$(gh api --silent "$1" 2>&1); then return 0; fi
  case $said in
  *"HTTP 404"*) return 1 ;;
  *) fail "$said" ;;
  esac
}

# environment NAME: every branch may use it.
environment() {
  if exists "repos/{owner}/{repo}/environments/$1"; then
    echo "environment $1 exists"
  else
    gh api --silent --method PUT "repos/{owner}/{repo}/environments/$1"
    echo "environment $1 created"
  fi
}

# environment_of NAME BRANCH: only that branch may use it, and you review each use, where GitHub allows reviewers.
environment_of() {
  path="repos/{owner}/{repo}/environments/$1"
  if exists "$path"; then
    branches=$(gh api "$path/deployment-branch-policies" --jq '[.branch_policies[].name] | join(" ")')
    [ "$branches" = "$2" ] || fail "Environment $1 exists, and not only $2 may use it (${branches:-no rule}). Change that first."
    echo "environment $1 exists"
    return
  fi
  only='"deployment_branch_policy":{"protected_branches":false,"custom_branch_policies":true}'
  me=$(gh api user --jq .id)
  reviewed=$(printf '{%s,"reviewers":[{"type":"User","id":%s}]}' "$only" "$me")
  if ! said=$(printf %s "$reviewed" | gh api --silent --method PUT "$path" --input - 2>&1); then
    case $said in *"HTTP 422"*) ;; *) fail "$said" ;; esac
    echo "Without reviewers: GitHub allows them only in a public repo, or with GitHub Enterprise." >&2
    printf '{%s}' "$only" | gh api --silent --method PUT "$path" --input -
  fi
  gh api --silent --method POST "$path/deployment-branch-policies" -f "name=$2"
  echo "environment $1 created, for $2 only"
}

{{ask}}

# secret NAME ENVIRONMENT WHAT
secret() {
  ask "$@" || return 0
  printf %s "$value" | gh secret set "$1" --env "$2"
}

{{steps}}
