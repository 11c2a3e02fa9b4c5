#!/usr/bin/env bash
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# transports_test.sh BIN_DIR: every example runs over every transport, because one
# configuration file says so.
set -euo pipefail

readonly bin=$1
here=$(dirname "$(readlink -f "$0")")
readonly here
. "$here/expect.sh"
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
unset FERRY_CONFIG

# Configures the endpoints for a program.
configure() { # PROGRAM
  sed "s|FOLDER|$folder|; s|UNIQUE|$(basename "$folder")|; s|PROGRAM|$bin/$1|" \
    "$here/transports.textproto" >"$folder/ferry.textproto"
  export FERRY_CONFIG=$folder/ferry.textproto
}

# Runs a client, and if its endpoint is served by another process that one as well.
run() { # SERVER NAME CLIENT…
  local server=
  if [[ $2 != exec-* ]]; then
    "$bin/$1" "$2" >/dev/null &
    server=$!
  fi
  timeout 60 "${@:3}" 2>&1 || echo "exit code $?"
  if [[ -n $server ]]; then
    kill -9 "$server"
    wait "$server" 2>/dev/null || true
  fi
}

readonly names='unix unix-abstract named-pipe shm-name shm-path exec-pipe exec-stdio exec-unix
  exec-shm'

configure hello_server
for name in $names; do
  expect "hello over $name" 'hello World' \
    "$(run hello_server "$name" "$bin/hello_client" "$name" World)"
done

mkdir "$folder/texts"
printf 'to be\nor not\n' >"$folder/texts/a"
printf 'to be\nto go\n' >"$folder/texts/b c"
configure search_worker
for name in $names; do
  expect "search over $name" "$folder/texts/a:1"$'\n'"$folder/texts/b c:2" \
    "$(run search_worker "$name" "$bin/search" --worker="$name" --workers=2 '^to' \
      "$folder/texts" | LC_ALL=C sort)"
done

# What the examples come with, and after an edit of one line.
sed "s|/tmp/|$folder/|" "$here/../../examples/ferry.textproto" >"$folder/ferry.textproto"
for scheme in unix shm; do
  sed -i "s|unix:|$scheme:|" "$folder/ferry.textproto"
  expect "the examples' own file says $scheme" 'hello World' \
    "$(run hello_server greeter "$bin/hello_client" greeter World)"
done

expect 'a name that is not there' "NOT_FOUND: address 'greter': $FERRY_CONFIG has no endpoint \
'greter' (did you mean 'greeter'?); it has greeter, search" \
  "$("$bin/hello_client" greter World 2>&1 || true)"

exit "$failed"
