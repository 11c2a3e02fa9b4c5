#!/usr/bin/env bash
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# epoll_test.sh BIN_DIR: nodes that serve while they call, each with one thread.
set -euo pipefail

readonly bin=$1
. "$(dirname "$(readlink -f "$0")")/expect.sh"
folder=$(mktemp -d)
trap 'kill -9 $(jobs -p) 2>/dev/null || true; rm -r "$folder"' EXIT

for scheme in unix named-pipe shm; do
  a=$scheme:$folder/$scheme-a b=$scheme:$folder/$scheme-b
  "$bin/hello_node" "$a" &
  node_a=$!
  timeout 60 "$bin/hello_node" "$b" "$a" B 20000 >"$folder/said" &
  node_b=$!
  said=$(timeout 60 "$bin/hello_node" "$scheme:$folder/$scheme-c" "$b" C 3 2>&1)
  expect "$scheme: one that serves while it calls" $'hello C\nhello C\nhello C' "$said"
  expect "$scheme: its threads" 1 "$(ls "/proc/$node_a/task" | wc -l)"
  wait "$node_b"
  expect "$scheme: its own calls" '20000 hello B' "$(sort "$folder/said" | uniq -c | xargs)"
  kill "$node_a"
  wait "$node_a" && ended=$? || ended=$?
  expect "$scheme: SIGTERM" 0 "$ended"
done
expect 'what is left' said "$(ls "$folder")"

exit "$failed"
