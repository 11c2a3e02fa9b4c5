#!/usr/bin/env bash
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# run.sh BIN_DIR [--python]: runs each interop case over each transport, with the client in one
# process and the server in another; with --python also with the client in examples/python, over
# the transports that it has. Prints a table of cases and transports for each client, and what
# failed. Exit 1 if any did, or if a process or a file was left behind. Python's messages are made
# by $PROTOC, or the protoc in PATH.
set -euo pipefail
shopt -s inherit_errexit

(($# == 1)) || [[ $# == 2 && $2 == --python ]] ||
  { echo 'usage: run.sh BIN_DIR [--python]' >&2; exit 2; }
bin=$(readlink -f "$1") with_python=${2:-}
readonly bin with_python
source=$(readlink -f "$(dirname "$(readlink -f "$0")")/../..")
readonly source
folder=$(mktemp -d)
readonly folder
unset FERRY_CONFIG

# By this name its processes can be told from all others.
ln -s "$bin/interop_server" "$folder/server"

# LABEL ADDRESS …: of servers that the client starts, and of those that run meanwhile.
readonly started="exec:$folder/server?arg=parent:"
readonly unique=${folder##*/}
readonly -a children=(
  pipe "$started" stdio "$started&transport=stdio" child-unix "$started&transport=unix"
  child-shm "$started&transport=shm")
readonly -a served=(
  unix "unix:$folder/unix" abstract "unix-abstract:$unique" named-pipe "named-pipe:$folder/pipe"
  shm-name "shm:$unique" shm-path "shm:$folder/shm")
readonly -a transports=("${children[@]}" "${served[@]}")
readonly -a python_transports=(
  unix "unix:$folder/unix" named-pipe "named-pipe:$folder/pipe"
  stdio "exec:$folder/server?arg=stdio:&transport=stdio")

servers=()
passed=0 failed=0
failures=$(mktemp -p "$folder")

stop_servers() {
  ((${#servers[@]})) || return 0
  kill "${servers[@]}" 2>/dev/null || true
  wait "${servers[@]}" 2>/dev/null || true
  servers=()
}
trap 'stop_servers; rm -rf "$folder"' EXIT

start_servers() {
  local i
  for ((i = 1; i < ${#served[@]}; i += 2)); do
    "$folder/server" "${served[i]}" &
    servers+=($!)
  done
}

fail() { # TEXT
  failed=$((failed + 1))
  echo "$1" >>"$failures"
}

# Runs one case, and prints its cell.
cell() { # LABEL ADDRESS CASE CLIENT…
  local output code=0 text=ok
  output=$(timeout 60 "${@:4}" "$2" "$3" 2>&1) || code=$?
  if [[ $code == 0 && $'\n'$output$'\n' == *$'\n'"passed $3"$'\n'* ]]; then
    passed=$((passed + 1))
  else
    text=FAIL
    fail "$3 over $1: exit code $code: $output"
  fi
  printf ' %-10s' "$text"
}

table() { # TITLE TRANSPORTS CLIENT…
  local -n columns=$2
  local cases name i
  cases=$("${@:3}" --list) || { fail "$1: cannot list its cases"; return; }
  [[ $cases ]] || { fail "$1: there are no cases"; return; }
  printf '%-28s' "$1"
  for ((i = 0; i < ${#columns[@]}; i += 2)); do printf ' %-10s' "${columns[i]}"; done
  echo
  for name in $cases; do
    printf '%-28s' "$name"
    for ((i = 0; i < ${#columns[@]}; i += 2)); do
      cell "${columns[i]}" "${columns[i + 1]}" "$name" "${@:3}"
    done
    echo
  done
  echo
}

# The first python3 in PATH may lack what a package of the system has.
python_with_protobuf() {
  local python
  for python in python3 /usr/bin/python3; do
    "$python" -c 'import google.protobuf' 2>/dev/null || continue
    echo "$python"
    return
  done
  return 1
}

python_table() {
  local python messages=$folder/messages
  python=$(python_with_protobuf) ||
    { fail 'Python: no python3 can import google.protobuf (Debian: python3-protobuf)'; return; }
  mkdir "$messages"
  "${PROTOC:-protoc}" -I"$source/proto" -I"$source/tests/interop" --python_out="$messages" \
    wire.proto interop.proto || { fail 'Python: protoc cannot make the messages'; return; }
  PYTHONPATH=$messages PYTHONDONTWRITEBYTECODE=1 \
    table Python python_transports "$python" "$source/examples/python/interop.py"
  rm -r "$messages"
}

running() { pgrep -a -f "^$folder/server" || true; }

# Servers that were told to end have taken their names with them. A child ends soon after its
# parent.
check_leftovers() {
  local left i
  for ((i = 0; i < 100; ++i)); do
    [[ $(running) ]] || break
    sleep 0.1
  done
  left=$(running)
  [[ -z $left ]] || fail "still running: $left"
  left=$(find "$folder" -mindepth 1 ! -path "$folder/server" ! -path "$failures")
  [[ -z $left ]] || fail "left behind: $left"
}

start_servers
table C++ transports "$bin/interop_client"
[[ ! $with_python ]] || python_table
stop_servers
check_leftovers
echo "$passed passed, $failed failed"
cat "$failures"
((failed == 0))
