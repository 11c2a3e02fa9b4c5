#!/usr/bin/env bash
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# compile_time.sh BUILD_DIR [ROUNDS]: what ferry costs a build, beside gRPC. Writes a .proto
# file of 20 services with 5 unary methods each, generates from it both ways, and
# compiles with $CXX -O2 what a user compiles. Each figure is the median of ROUNDS
# (5); a round runs each command once, so that a slow moment hits them all alike. CPU
# is user and system time together; nothing is cached.
set -euo pipefail

readonly services=20 methods=5
build=$(realpath "${1:?usage: compile_time.sh BUILD_DIR [ROUNDS]}")
rounds=${2:-5}
CXX=${CXX:-g++}
for tool in "$CXX" protoc grpc_cpp_plugin size; do
  command -v "$tool" >/dev/null ||
    { echo "compile_time.sh: there is no $tool here; nothing measured" >&2; exit 1; }
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
export CCACHE_DISABLE=1

write_proto() {
  echo 'syntax = "proto3"; package many;'
  local s m
  for ((s = 1; s <= services; ++s)); do
    for ((m = 1; m <= methods; ++m)); do
      echo "message Request${s}x$m { int64 id = 1; string name = 2; repeated bytes parts = 3; }"
      echo "message Reply${s}x$m { int64 id = 1; string text = 2; }"
    done
    echo "service Service$s {"
    for ((m = 1; m <= methods; ++m)); do
      echo "  rpc Method$m(Request${s}x$m) returns (Reply${s}x$m);"
    done
    echo '}'
  done
}

write_users() {
  echo '#include "many.pb.h"' >messages_user.cc
  cat >ferry_user.cc <<'END'
#include "ferry/rpc/channel.h"
#include "many.ferry.h"
int main(int, char** argv) {
  absl::StatusOr<ferry::Channel> channel = ferry::Connect(argv[1]);
  if (!channel.ok()) return 1;
  many::Reply1x1 reply;
  return many::Service1Stub(*channel).Method1(many::Request1x1(), &reply).ok() ? 0 : 1;
}
END
  cat >grpc_user.cc <<'END'
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include "many.grpc.pb.h"
int main(int, char** argv) {
  auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  grpc::ClientContext context;
  many::Reply1x1 reply;
  auto stub = many::Service1::NewStub(channel);
  return stub->Method1(&context, many::Request1x1(), &reply).ok() ? 0 : 1;
}
END
}

generate_messages() { protoc -I. --cpp_out=. many.proto; }
generate_ferry() {
  protoc -I. --plugin=protoc-gen-ferry="$build/bin/protoc-gen-ferry" --ferry_out=. many.proto
}
generate_grpc() {
  protoc -I. --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" --grpc_out=. many.proto
}
readonly compile=("$CXX" -std=c++17 -O2 -I. "-I$build/include" "-I$build/generated")

# Appends the CPU and wall milliseconds of a command to NAME.times.
timed() { # NAME COMMAND…
  local TIMEFORMAT='%U %S %R'
  { time "${@:2}" 2>"$1.log"; } 2>"$1.time" || { cat "$1.log" >&2; exit 1; }
  awk '{ print 1000 * ($1 + $2), 1000 * $3 }' "$1.time" >>"$1.times"
}

median() { # NAME COLUMN
  cut -d' ' -f"$2" "$1.times" | sort -n |
    awk '{ at[NR] = $1 } END { print int((at[int((NR + 1) / 2)] + at[int(NR / 2) + 1]) / 2) }'
}

line() { printf '%-36s %8s %8s %10s %10s\n' "$@"; }
generated() { line "generate $1" "$(median "$2" 1)" "$(median "$2" 2)" '' ''; } # FILES NAME
compiled() { # WHAT NAME
  line "compile $1" "$(median "$2" 1)" "$(median "$2" 2)" \
    "$("${compile[@]}" -E -P "$2.cc" | wc -l)" "$(size "$2.o" | awk 'NR == 2 { print $1 }')"
}

# CPU of the first in that of the second, both without that of the third.
ratio() { # LABEL NAME NAME [NAME]
  awk -v a="$(median "$2" 1)" -v b="$(median "$3" 1)" -v less="$([[ -z ${4:-} ]] || median "$4" 1)" \
    -v label="$1" 'BEGIN { printf "%-52s %5.2f\n", label, (a - less) / (b - less) }'
}

write_proto >many.proto
write_users
for ((round = 1; round <= rounds; ++round)); do
  for what in messages ferry grpc; do timed "generate_$what" "generate_$what"; done
  for name in many.pb many.ferry many.grpc.pb messages_user ferry_user grpc_user; do
    timed "$name" "${compile[@]}" -c "$name.cc" -o "$name.o"
  done
done

echo "$services services of $methods methods; $("$CXX" --version | head -n 1), -O2; medians of $rounds"
echo
line '' 'CPU ms' 'wall ms' 'lines' 'text bytes'
generated 'many.pb.*' generate_messages
generated 'many.ferry.*' generate_ferry
generated 'many.grpc.pb.*' generate_grpc
compiled 'many.pb.cc' many.pb
compiled 'many.ferry.cc' many.ferry
compiled 'many.grpc.pb.cc' many.grpc.pb
compiled 'a file with many.pb.h' messages_user
compiled 'a caller with many.ferry.h' ferry_user
compiled 'a caller with many.grpc.pb.h' grpc_user
echo
ratio 'ferry / gRPC, CPU: generating' generate_ferry generate_grpc
ratio 'ferry / gRPC, CPU: the generated source' many.ferry many.grpc.pb
ratio 'ferry / gRPC, CPU: a caller' ferry_user grpc_user
ratio 'ferry / gRPC, CPU: a caller beyond many.pb.h' ferry_user grpc_user messages_user
