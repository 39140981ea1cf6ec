#!/bin/sh
# Puts the standalone binary of a do-bootstrap release into a folder, once its checksum is right. Needs sh, curl and
# sha256sum (or shasum), no root, and asks nothing.
#   sh install.sh [FOLDER]    without FOLDER: ~/.local/bin
set -eu

# The address of the release's files. The copy of a release has its own.
release=${DO_BOOTSTRAP_RELEASE-}
folder=${1-${HOME:?}/.local/bin}
# Instead of the release's list: the SHA-256 that the binary must have.
sum=${DO_BOOTSTRAP_SHA256-}

fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit 1
}

# Plain http only to this machine, for a test or a mirror. A name in front of an @ would hide another host.
case $release in
  *@*) fail "The address of the release must not contain @." ;;
  https://?*) proto='=https' direct= ;;
  http://127.0.0.1:*/* | http://localhost:*/*)
    port=${release#http://*:}
    case ${port%%/*} in '' | *[!0-9]*) fail "The address of the release has no valid port." ;; esac
    proto='=http' direct='*'
    ;;
  *) fail "Set DO_BOOTSTRAP_RELEASE to the address of a release's files, which starts with https://." ;;
esac

case $(uname -s) in
  Linux) system=linux end= ;;
  Darwin) system=darwin end= ;;
  MINGW* | MSYS*) system=win32 end=.exe ;;
  *) fail "There is no binary for $(uname -s). Use the package, with Node." ;;
esac
case $(uname -m) in
  x86_64 | amd64) arch=x64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) fail "There is no binary for $(uname -m). Use the package, with Node." ;;
esac
name=do-bootstrap-$system-$arch$end

get() {
  # -q: settings in ~/.curlrc could turn checks off.
  curl -q --fail --silent --show-error --location --proto "$proto" --noproxy "$direct" --connect-timeout 10 --max-time 600 \
    --output "$2" "$release/$1" || fail "Could not download $release/$1."
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi
}

umask 022
mkdir -p "$folder"
place=$folder/.do-bootstrap.$$
# Fails if it exists, whoever made it.
mkdir -m 700 "$place"
trap 'rm -rf "$place"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -z "$sum" ]; then
  get SHA256SUMS "$place/SHA256SUMS"
  while read -r each file; do
    [ "$file" != "$name" ] || sum=$each
  done <"$place/SHA256SUMS"
  [ -n "$sum" ] || fail "The release has no binary $name."
fi
get "$name" "$place/$name"
found=$(sha256 "$place/$name")
[ "${found%% *}" = "$sum" ] || fail "$name has the wrong checksum, so it was not installed. Wanted: $sum. Found: ${found%% *}."
chmod 755 "$place/$name"
version=$("$place/$name" --version) ||
  fail "$name does not start on this system (on Linux it needs glibc 2.28 and libstdc++). Use the package, with Node."
mv -f "$place/$name" "$folder/do-bootstrap$end"
echo "Installed do-bootstrap $version: $folder/do-bootstrap$end"
case :$PATH: in
  *:"$folder":*) ;;
  *) echo "It is not on PATH yet. Run: export PATH=\"$folder:\$PATH\"" ;;
esac
