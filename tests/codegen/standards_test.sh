#!/usr/bin/env bash
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# Compiles generated code as users do, with each of g++ and clang++ that is installed: in
# C++17, 20 and 23, without exceptions and RTTI, every warning an error but for those in
# protobuf's own headers.
#
#   standards_test.sh PROTOC PLUGIN CORNERS GENERATED FLAG…    folders: .proto, their code
#   standards_test.sh --self-test PROTOC …                     plants errors and finds them
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C

self_test=
[[ $1 != --self-test ]] || { self_test=yes; shift; }
protoc=$1 plugin=$2 corners=$3 generated=$4
shift 4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

includes=("-I$work" -isystem "$generated")
for flag; do # said to be a system folder, /usr/include hides the C++ library's own
  [[ $flag == -isystem/usr/include ]] || includes+=("$flag")
done

# The .ferry files are apart from the .pb files, whose warnings are not ours.
while read -r proto; do
  [[ -e $generated/${proto%.proto}.ferry.h ]] || continue # too new, or of another target
  (cd "$generated" && cp --parents "${proto%.proto}".ferry.{h,cc} "$work")
  echo "#include \"${proto%.proto}.ferry.cc\""
done < <(cd "$corners" && find . -name '*.proto' -printf '%P\n' | sort) >"$work/all.cc"
(($(wc -l <"$work/all.cc") > 10)) || { echo "too little in $corners and $generated" >&2; exit 2; }

compile() { # COMPILER STANDARD FILE FLAG…
  "$1" "-std=$2" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only \
    "${includes[@]}" "${@:4}" "$3" ||
    { echo "failed: $1 -std=$2 ${*:4} $(basename "$3")" >&2; return 1; }
}

generate() { # FOLDER; reads a .proto with the service Made
  mkdir -p "$1/pb"
  cat >"$1/made.proto"
  "$protoc" "-I$1" "--plugin=protoc-gen-ferry=$plugin" "--ferry_out=$1" "--cpp_out=$1/pb" made.proto
}

service_of() { # reads names of methods, which get the shapes in turn
  echo 'syntax = "proto3"; package made; message M {} service Made {'
  sed -e '1~4s/.*/  rpc & (M) returns (M);/' -e '2~4s/.*/  rpc & (M) returns (stream M);/' \
    -e '3~4s/.*/  rpc & (stream M) returns (M);/' -e '4~4s/.*/  rpc & (stream M) returns (stream M);/'
  echo '}'
}

# The macros after the #include lines given.
macros_of() { # COMPILER FLAG…
  "$@" -dM -E - | sed -En 's/^#define ([A-Za-z][A-Za-z0-9_]*).*/\1/p' | sort -u
}

# A method for each macro that generated headers bring along, if it is one of C or in lower
# case.
macros() { # COMPILER
  local folder=$work/macros.$1
  mkdir "$folder"
  printf '#include <%s.h>\n' assert ctype errno float inttypes limits locale math setjmp signal \
    stdarg stddef stdint stdio stdlib string time wchar |
    macros_of "$1" -x c -std=c11 >"$folder/of_c"
  macros_of "$1" -x c++ -std=gnu++17 "${includes[@]}" <"$work/all.cc" >"$folder/here"
  { comm -12 "$folder/here" "$folder/of_c"; grep -v '[A-Z]' "$folder/here"; } | sort -u |
    service_of | generate "$folder"
  (($(grep -c rpc "$folder/made.proto") > 100)) || { echo "no macros from $1" >&2; return 1; }
  compile "$1" gnu++17 "$folder/made.ferry.cc" -isystem "$folder/pb" -I"$folder"
}

large() { # COMPILER
  local folder=$work/large.$1
  seq -f 'Method%.0f' 400 | service_of | generate "$folder"
  compile "$1" c++17 "$folder/made.ferry.cc" -isystem "$folder/pb" -I"$folder"
}

newest_standard() { # COMPILER
  "$1" -std=c++23 -fsyntax-only -x c++ /dev/null 2>/dev/null && echo c++23 || echo c++2b
}

# Whether Abseil itself compiles: some of its releases do not in C++20 with some clangs.
supports() { # COMPILER STANDARD
  echo '#include "absl/status/statusor.h"' |
    "$1" "-std=$2" "${includes[@]}" -fsyntax-only -x c++ - &>/dev/null
}

check() { # COMPILER
  local standard
  for standard in c++17 c++20 "$(newest_standard "$1")"; do
    if supports "$1" "$standard"; then
      compile "$1" "$standard" "$work/all.cc"
    else
      echo "skipped: Abseil does not compile with $1 -std=$standard"
    fi
  done
  compile "$1" c++17 "$work/all.cc" -fno-exceptions -fno-rtti
  macros "$1"
  large "$1"
}

# Each line is an error: what shows that this test can fail, and what generated code makes
# compilers refuse.
planted() {
  cat <<'END'
int A(long wide) { return wide; }
int B(int shadowed) { { int shadowed = 1; return shadowed; } }
auto C(corner::AgeingStub& stub) { return stub.Get(corner::Old()); }
void D(corner::AgedStub& stub);
auto E(corner::AgeingStub& stub) { return stub.GetNew(corner::Text(), {}); }
auto F(corner::AgeingStub& stub) { return stub.GetNew(corner::Text(), nullptr); }
auto G(corner::streams::AgeingStub& stub) { return stub.ServerStream(corner::Text()); }
auto H(corner::streams::AgeingStub& stub, corner::Text& a) { return stub.ClientStream(&a); }
auto I(corner::streams::AgeingStub& stub) { return stub.TwoWayStream(); }
auto J(corner::streams::AgeingStub& stub) { return stub.OneWay(corner::Text()); }
auto K(corner::streams::ShapesStub& stub) { return stub.ClientStream({}); }
auto L(corner::streams::ShapesStub& stub) { return stub.ClientStream(nullptr); }
auto M(corner::streams::ShapesStub& stub) { return stub.OneWay(corner::Text(), nullptr); }
END
}

expect_error() { # COMPILER FILE LINE
  grep -q "$2:$3:.*error" "$work/log.$1" || { echo "$1 finds nothing wrong in $2:$3"; return 1; }
}

check_planted() { # COMPILER
  local file=$work/planted.$1.cc header=$work/names/methods.ferry.h line missed=0
  { printf '#include "%s.ferry.h"\n' options/deprecated streams/shapes; planted; } >"$file"
  compile "$1" c++17 "$file" &>"$work/log.$1" || true
  for line in $(seq 3 "$(wc -l <"$file")"); do expect_error "$1" "$file" "$line" || missed=1; done
  compile "$1" c++17 "${header%h}cc" &>"$work/log.$1" || true
  expect_error "$1" "$header" "$(wc -l <"$header")" || missed=1
  return "$missed"
}

if [[ $self_test ]]; then
  echo 'inline int Planted(long wide) { return wide; }' >>"$work/names/methods.ferry.h"
fi
jobs=()
for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || continue
  if [[ $self_test ]]; then check_planted "$compiler" & else check "$compiler" & fi
  jobs+=($!)
done
((${#jobs[@]})) || { echo 'neither g++ nor clang++ is installed' >&2; exit 2; }
failed=0
for job in "${jobs[@]}"; do wait "$job" || failed=1; done
exit "$failed"
