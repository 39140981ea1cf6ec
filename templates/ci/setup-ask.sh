# ask NAME ENVIRONMENT WHAT: the answer is in $value. False for an empty one.
ask() {
  printf '\n%s\n%s in %s: ' "$3" "$1" "$2" >&2
  if [ -t 0 ]; then
    trap 'stty echo; exit 130' HUP INT QUIT TERM
    stty -echo
  fi
  IFS= read -r value || :
  if [ -t 0 ]; then
    stty echo
    trap - HUP INT QUIT TERM
  fi
  echo >&2
  [ -n "$value" ] || echo "$1 of $2 skipped"
  [ -n "$value" ]
}
