#!/bin/sh
# Sets up GitHub for the pipeline of {{project}}. Written by: do-bootstrap ci github --script
#
# It needs gh, logged in as an admin of the repo. Read it, then run it in a terminal, in a clone of the repo; or name
# another repo: sh setup.sh OWNER/NAME
# It shows the repo and asks before it changes anything. It asks for each secret and passes it to gh on standard input.
# An empty answer skips a secret. An environment that exists is not changed.
set -eu

fail() {
  echo "$1" >&2
  exit 1
}

{{confirm}}

url=$(gh repo view ${1:+"$1"} --json url --jq .url)
repo=${url#https://}
confirm "$repo"

# api PATH OPTIONS…
api() {
  path=$1
  shift
  gh api --hostname "${repo%%/*}" "repos/${repo#*/}/$path" "$@"
}

# exists PATH: false only if GitHub says that there is none.
exists() {
  if said=$(api "$1" --silent 2>&1); then return 0; fi
  case $said in
  *"HTTP 404"*) return 1 ;;
  *) fail "$said" ;;
  esac
}

# environment NAME: every branch may use it.
environment() {
  if exists "environments/$1"; then
    echo "environment $1 exists"
  else
    api "environments/$1" --silent --method PUT
    echo "environment $1 created"
  fi
}

# environment_of NAME BRANCH: only that branch may use it, and you review each use, where GitHub allows reviewers.
environment_of() {
  its=environments/$1
  if exists "$its"; then
    branches=$(branches_of "$its")
    # This script was stopped before it named the branch.
    [ -n "$branches" ] || allow "$its" "$2"
    [ "${branches:-$2}" = "$2" ] ||
      fail "Environment $1 exists, and not only $2 may use it ($branches). Change that first."
    echo "environment $1 exists, for $2 only"
    return
  fi
  only='"deployment_branch_policy":{"protected_branches":false,"custom_branch_policies":true}'
  me=$(gh api --hostname "${repo%%/*}" user --jq .id)
  reviewed=$(printf '{%s,"reviewers":[{"type":"User","id":%s}]}' "$only" "$me")
  if ! said=$(printf %s "$reviewed" | api "$its" --silent --method PUT --input - 2>&1); then
    case $said in *"HTTP 422"*) ;; *) fail "$said" ;; esac
    echo "Without reviewers: GitHub allows them only in a public repo, or with GitHub Enterprise." >&2
    printf '{%s}' "$only" | api "$its" --silent --method PUT --input -
  fi
  allow "$its" "$2"
  echo "environment $1 created, for $2 only"
}

# branches_of PATH: the branches and tags that may use an environment. Empty: none.
branches_of() {
  policy='.deployment_branch_policy | if . == null then "every branch" elif .custom_branch_policies then "" else "protected branches" end'
  names='[.branch_policies[] | (if .type == "tag" then "tag " else "" end) + .name] | join(", ")'
  said=$(api "$1" --jq "$policy")
  if [ -n "$said" ]; then echo "$said"; else api "$1/deployment-branch-policies?per_page=100" --jq "$names"; fi
}

# allow PATH BRANCH
allow() {
  api "$1/deployment-branch-policies" --silent --method POST -f "name=$2"
}

{{ask}}

# secret NAME ENVIRONMENT WHAT
secret() {
  ask "$@" || return 0
  printf %s "$value" | gh secret set "$1" --env "$2" --repo "$repo"
}

{{steps}}
