#!/usr/bin/env bash
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# libuv_test.sh BIN_DIR: a client in a loop of libuv, with one thread.
set -euo pipefail

readonly bin=$1
. "$(dirname "$(readlink -f "$0")")/expect.sh"
folder=$(mktemp -d)
trap 'kill -9 $(jobs -p) 2>/dev/null || true; rm -r "$folder"' EXIT

for scheme in unix named-pipe shm; do
  at=$scheme:$folder/$scheme
  "$bin/hello_server" "$at" &
  server=$!
  expect "$scheme: greetings" $'hello uv\nhello uv\nhello uv' \
    "$(timeout 60 "$bin/hello_ticker" "$at" uv 3 2>&1)"
  "$bin/hello_ticker" "$at" uv 100 >"$folder/said" &
  ticker=$!
  until [[ -s $folder/said ]] || ! kill -0 "$ticker"; do sleep 0.01; done
  expect "$scheme: its threads" 1 "$(ls "/proc/$ticker/task" | wc -l)"
  wait "$ticker" && ended=$? || ended=$?
  expect "$scheme: its end" 0 "$ended"
  kill "$server"
  wait "$server" || true
done

exit "$failed"
