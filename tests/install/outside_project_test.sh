#!/usr/bin/env bash
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# outside_project_test.sh BUILD_DIR: a project outside the tree can use ferry. Installs
# BUILD_DIR's static library, moves it elsewhere, and builds and runs project/ with it;
# then the same with ferry as a subdirectory and shared, with that installed, and
# with pkg-config and make. FERRY_UPDATE_GOLDENS=1 rewrites installed_files.txt.
set -euo pipefail
shopt -s inherit_errexit

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
source=$(realpath "$here/../..")
build=$(realpath "$1")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
readonly here source build tmp work="$tmp/with spaces"

fail() { echo "outside_project_test: $1" >&2; exit 1; }
step() { printf '\n%s\n' "$1"; }
cached() { sed -n "s/^$1:[^=]*=//p" "$build/CMakeCache.txt"; } # VARIABLE of BUILD_DIR

# Shows a command and runs it; what it says is shown only if it fails.
run() {
  echo "\$ ${*//$tmp/TMP}"
  "$@" &>"$tmp/log" || fail "exit code $? of that command, which said:
$(cat "$tmp/log")"
}

# Installs a build as PREFIX and holds the result to what is expected of any.
install() { # BUILD PREFIX LIBRARY…
  run cmake --install "$1" --prefix "$2.first"
  run mv "$2.first" "$2"
  (cd "$2" && find . ! -type d) |
    # How it was configured says where the library is, and which of these files there is.
    sed "s|^\./||; s|^$libdir/|lib/|; s|\(ferryTargets\)-[a-z]*\.cmake|\1-CONFIG.cmake|" |
    LC_ALL=C sort >"$tmp/files"
  diff <(grep '^lib/libferry' "$tmp/files") <(printf 'lib/%s\n' "${@:3}") ||
    fail 'other libraries are installed (<) than expected (>)'
  grep -v -e '^lib/libferry' -e '/internal/' "$tmp/files" >"$tmp/public"
  [[ -z ${FERRY_UPDATE_GOLDENS:-} ]] || cp "$tmp/public" "$here/installed_files.txt"
  diff "$tmp/public" "$here/installed_files.txt" ||
    fail 'other files are installed (<) than expected (>); FERRY_UPDATE_GOLDENS=1 accepts them'

  # Where ferry's folder is /ferry, ${_IMPORT_PREFIX}/ferry is none of these.
  local paths="\Q$source\E|\Q$build\E|\Q$tmp\E"
  ! grep -rIP "(?<![\w.}-])($paths)(?![\w.-])" "$2" || fail 'an installed file names a path'
  local file
  for file in "$2/bin/protoc-gen-ferry" "$2/$libdir"/libferry.so; do
    [[ ! -e $file ]] || ! readelf -d "$file" | grep -E 'RPATH|RUNPATH' ||
      fail "$file looks for libraries in that path"
  done
}

# Everything that a public header includes is installed, and clean in any C++.
include_all() { # PREFIX
  (cd "$1/include" && find . -name '*.h' ! -path '*/internal/*' -printf '#include "%P"\n') \
    >"$tmp/all.cc"
  local standard
  for standard in 17 20; do
    run "$CXX" -std=c++$standard -fsyntax-only -Wall -Wextra -Wpedantic -Werror \
      -I "$1/include" "$tmp/all.cc"
  done
}

greet() { # FOLDER ADDRESS
  echo "\$ ./client $2 World"
  local said
  said=$(cd "$1" && timeout 60 ./client "$2" World) || fail "exit code $? of client"
  echo "$said"
  [[ $said == 'hello World' ]] || fail 'client said that; expected: hello World'
}

use() { # NAME CMAKE-ARG…
  local out="$work/$1"
  run cmake -S "$work/project" -B "$out" "${@:2}"
  run cmake --build "$out" -j "$(nproc)"
  greet "$out" exec:./server
  greet "$out" inproc:greeter
}

[[ -e $build/libferry.a ]] || fail "there is no $build/libferry.a; expected a static build"
libdir=$(cached CMAKE_INSTALL_LIBDIR)
CXX=$(cached CMAKE_CXX_COMPILER)
export CXX
! command -v ninja >/dev/null || export CMAKE_GENERATOR=Ninja
# Across temporary folders ccache knows a file again if it sees relative paths.
! command -v ccache >/dev/null ||
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$tmp
mkdir "$work"
cp -r "$here/project" "$work"

step 'An installed static library'
install "$build" "$work/static" libferry.a
include_all "$work/static"
use with-static "-DCMAKE_PREFIX_PATH=$work/static"

step 'A subdirectory, the library shared'
use with-subdirectory "-DFERRY_SOURCE_DIR=$source" -DBUILD_SHARED_LIBS=ON -DFERRY_INSTALL=ON

step 'An installed shared library'
install "$work/with-subdirectory" "$work/shared" libferry.so libferry.so.0.1 libferry.so.0.1.0
use with-shared "-DCMAKE_PREFIX_PATH=$work/shared"

step 'An installed static library, without CMake'
if command -v pkg-config >/dev/null && command -v make >/dev/null; then
  run env PKG_CONFIG_PATH="$work/static/$libdir/pkgconfig" make -C "$work/project" server
  greet "$work/with-static" exec:../project/server
else
  echo 'Not tried: pkg-config or make is not here.'
fi
