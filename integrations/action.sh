#!/bin/sh
# The steps of action.yml. Each gets what it needs by its environment, and only two get the token.
set -eu

fail() {
  printf '::error title=do-bootstrap::%s\n' "$1"
  exit 1
}

# Before anything else. A value of several lines is masked line by line; the runner decodes %.
mask() {
  printf '%s\n' "${TOKEN-}" | tr '\r' '\n' | sed -e '/^[[:space:]]*$/d' -e 's/%/%25/g' -e 's/^/::add-mask::/'
  case ${TOKEN-} in *[![:space:]]*) return ;; esac
  if [ -n "${HEAD_REPOSITORY-}" ] && [ "$HEAD_REPOSITORY" != "${GITHUB_REPOSITORY-}" ]; then
    fail "GitHub gives no secret to a pull request of a fork, so there is no token. Run this job only if github.event.pull_request.head.repo.full_name == github.repository."
  fi
  if [ "${GITHUB_ACTOR-}" = "dependabot[bot]" ]; then
    fail "GitHub gives Dependabot only its own secrets, so there is no token. Skip this job for dependabot[bot]."
  fi
  fail "The input token is empty. Is the secret defined for this repo, and does the job name its environment?"
}

# From the release of this action's repo, which GitHub tells, and of nobody else.
install() {
  version=${VERSION:-$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$ACTION/package.json")}
  case $version in
    '' | *[!0-9.]*) fail "The input version must be a release such as 1.2.3." ;;
  esac
  repository=${ACTION_REPOSITORY:-$GITHUB_REPOSITORY}
  DO_BOOTSTRAP_RELEASE=$GITHUB_SERVER_URL/$repository/releases/download/v$version
  export DO_BOOTSTRAP_RELEASE
  folder=$RUNNER_TEMP/do-bootstrap-$version
  sh "$ACTION/integrations/install.sh" "$folder"
  printf '%s\n' "$folder" >>"$GITHUB_PATH"
}

# Whether DigitalOcean accepts the token and it is of the config's team; then what the code needs and it lacks.
check() {
  program exec --verify -- do-bootstrap --version >/dev/null
  [ -n "${SCOPES_FOR-}" ] || return 0
  case $SCOPES_FOR in
    plan | create | apply | destroy) ;;
    *) fail "The input scopes-for must be plan, create, apply, destroy or empty." ;;
  esac
  status=0
  table=$(program scopes --for "$SCOPES_FOR" --format markdown) || status=$?
  printf '%s\n' "$table"
  printf '%s\n' "$table" >>"$GITHUB_STEP_SUMMARY"
  # Names in the code are part of the table, so nobody may know its end.
  end=end-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf 'scopes<<%s\n%s\n%s\n' "$end" "$table" "$end" >>"$GITHUB_OUTPUT"
  [ "$status" -eq 0 ] || printf '::error title=do-bootstrap::%s\n' "The scopes of the token were not accepted (exit status $status). See the summary."
  return "$status"
}

give() {
  [ "${GIVE-}" = true ] || return 0
  program env --format github >>"$GITHUB_ENV"
  printf '::warning title=do-bootstrap::%s\n' "Every later step of this job gets the token. Prefer do-bootstrap exec in the steps that need it."
}

program() {
  command=$1
  shift
  set -- "$command" ${ENVIRONMENT:+"--env=$ENVIRONMENT"} "$@"
  do-bootstrap "$@"
}

case ${1-} in
  mask | install | check | give) "$1" ;;
  *) fail "Unknown step." ;;
esac
