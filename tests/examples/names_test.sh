#!/usr/bin/env bash
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# names_test.sh BIN_DIR: a server and clients that know nothing of each other but a name,
# as in two terminals.
set -euo pipefail

readonly bin=$1
. "$(dirname "$(readlink -f "$0")")/expect.sh"
folder=$(mktemp -d)
trap 'kill -9 %% 2>/dev/null || true; rm -r "$folder"' EXIT

# Until somebody serves; prints what the client says at last.
call() { # ADDRESS
  local said
  for ((i = 0; i < 500; ++i)); do
    said=$(timeout 60 "$bin/hello_client" "$1" World 2>&1) && break
    sleep 0.02
  done
  echo "$said"
}

readonly socket=unix:$folder/s pipe=named-pipe:$folder/p abstract=unix-abstract:$folder/a

expect 'nobody serves' "UNAVAILABLE: $socket: no such file" \
  "$("$bin/hello_client" "$socket" World 2>&1 || true)"

for round in first second; do
  "$bin/hello_server" "$socket" "$pipe" "$abstract" &
  for address in "$socket" "$pipe" "$abstract"; do
    expect "$round server at ${address%%:*}:" 'hello World' "$(call "$address")"
  done
  expect "a second server" "ALREADY_EXISTS: $socket is served already by process $!" \
    "$("$bin/hello_server" "$socket" 2>&1 || true)"
  expect "the first one still serves" 'hello World' "$(call "$socket")"
  kill -9 %%
  wait %% 2>/dev/null || true
done

exit "$failed"
