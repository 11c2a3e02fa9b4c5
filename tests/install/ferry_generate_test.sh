#!/usr/bin/env bash
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# ferry_generate_test.sh GENERATOR: a wrong call of ferry_generate stops CMake, and the error says
# what is wrong.
set -euo pipefail

generator=$1
source=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/sub"
touch "$tmp/above.proto" "$tmp/sub/a.proto" "$tmp/sub/a.txt"
cat >"$tmp/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(wrong LANGUAGES NONE)
add_executable(above a.cc)
add_subdirectory(sub)
END
failed=0

expect() { # ARGUMENTS, of the call in sub/; TEXT, said by CMake
  cat >"$tmp/sub/CMakeLists.txt" <<END
include("$source/cmake/FerryGenerate.cmake")
add_executable(t a.cc)
add_library(headers INTERFACE)
ferry_generate($1)
END
  local said
  said=$(cmake -G "$generator" -S "$tmp" -B "$tmp/build" 2>&1) && said=nothing
  said=$(tr -s ' \n' ' ' <<<"$said") # CMake breaks lines
  [[ $said == *"$2"* ]] ||
    { printf 'ferry_generate(%s) said: %s\nexpected: %s\n' "$1" "$said" "$2" >&2; failed=1; }
}

expect '' 'ferry_generate(): expected ferry_generate(TARGET t PROTOS'
expect 'TARGET t' 'ferry_generate(TARGET t): expected ferry_generate(TARGET t PROTOS'
expect 'TARGET t PROTOS' 'ferry_generate(TARGET t PROTOS): expected ferry_generate('
expect 'TARGET t PROTO a.proto' 'ferry_generate(TARGET t PROTO a.proto): expected'
expect 'TARGET u PROTOS a.proto' 'no target u; add_library or add_executable comes first'
expect 'TARGET headers PROTOS a.proto' 'headers is an INTERFACE_LIBRARY; expected a target'
expect 'TARGET above PROTOS a.proto' "above is a target of $tmp; call ferry_generate in"
expect 'TARGET t PROTOS b.proto' "there is no file $tmp/sub/b.proto"
expect 'TARGET t PROTOS ../above.proto' 'PROTOS has ../above.proto; expected a file NAME.proto in'
expect 'TARGET t PROTOS a.txt' 'PROTOS has a.txt; expected a file NAME.proto in'
exit "$failed"
