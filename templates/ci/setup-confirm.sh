# confirm REPO: ends the script unless the answer is yes.
confirm() {
  printf 'This sets up %s. Continue? (y/N) ' "$1" >&2
  IFS= read -r answer || :
  case $answer in
  [Yy]*) ;;
  *) echo "Nothing was changed." >&2 && exit 1 ;;
  esac
}
