#!/usr/bin/env bash
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# stdio_test.sh BIN_DIR: whoever can start a program with two pipes can be the parent of
# `hello_server stdio:`, a shell and a few lines of Python included.
set -euo pipefail

readonly bin=$1
here=$(dirname "$(readlink -f "$0")")
readonly here
. "$here/expect.sh"
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

readonly python_says=$'hello Python\nhello and 60000 letters\nthe child exited with code 0'
for how in '' --socket --nonblocking; do
  expect "a Python parent $how" "$python_says" \
    "$(timeout 60 python3 "$here/stdio_parent.py" $how "$bin/hello_server" stdio: 2>&1)"
done
expect 'a Python parent, a shell in between' "$python_says" \
  "$(timeout 60 python3 "$here/stdio_parent.py" sh -c "'$bin/hello_server' stdio:; exit" 2>&1)"

# What the client prints goes to its stderr, since its stdout carries the calls.
mkfifo "$folder/back"
timeout 60 "$bin/hello_client" stdio: World <"$folder/back" 2>"$folder/said" |
  timeout 60 "$bin/hello_server" stdio: >"$folder/back"
expect 'a shell pipeline' 'hello World' "$(cat "$folder/said")"

coproc server { timeout 60 "$bin/hello_server" stdio:; }
expect 'a coprocess of the shell' 'hello World' \
  "$(timeout 60 "$bin/hello_client" stdio: World <&"${server[0]}" 2>&1 >&"${server[1]}")"

expect 'a wrapper that ferry starts' 'hello World' "$(timeout 60 "$bin/hello_client" \
  "exec:sh?transport=stdio&arg=-c&arg=exec%20\"\$0\"%20stdio:&arg=$bin/hello_server" World)"

exit "$failed"
