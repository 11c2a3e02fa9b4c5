#!/bin/sh
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# count_instructions.sh BIN_DIR [BUDGET]: the instructions that one blocking unary call
# takes in user space, both ends together, and how many of them are protobuf's. Fails when
# ferry's own are more than 3 % above the BUDGET.
#
# callgrind counts call_steps with CALLS and with twice as many calls; the difference
# is the calls' alone. What the kernel does is not counted.
set -eu

if [ $# -lt 1 ]; then
  echo "usage: $0 BIN_DIR [BUDGET]" >&2
  exit 2
fi
program=$1/call_steps
budget=${2:-}
calls=2000

if ! command -v valgrind >/dev/null; then
  echo "$0: valgrind is not installed; nothing counted" >&2
  exit 1
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# count PART N: instructions of the whole program.
count() {
  if ! valgrind --tool=callgrind --callgrind-out-file="$out/$1.$2" \
      "$program" --part="$1" --calls="$2" >"$out/log" 2>&1; then
    cat "$out/log" >&2
    exit 1
  fi
  sed -n 's/^summary: *\([0-9]*\).*/\1/p' "$out/$1.$2"
}

# per_call PART
per_call() {
  once=$(count "$1" "$calls")
  twice=$(count "$1" $((2 * calls)))
  echo $(((twice - once) / calls))
}

all=$(per_call call)
protobuf=$(per_call protobuf)
switches=$(per_call switches)
total=$((all - switches))
echo "instructions per unary call of 32 bytes, both ends: $total"
echo "  protobuf and the handler:                         $protobuf"
ferry=$((total - protobuf))
echo "  ferry:                                            $ferry"
echo "($switches more, not counted above, let one thread be both ends)"
if [ -n "$budget" ] && [ $((100 * ferry)) -gt $((103 * budget)) ]; then
  echo "$0: $ferry instructions are more than 3 % above the budget of $budget" >&2
  exit 1
fi
