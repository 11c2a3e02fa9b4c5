#!/usr/bin/env bash
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# readme_test.sh SOURCE_DIR: the code in README.md is the examples' code, it is short, and
# its relative links lead somewhere.
set -euo pipefail
cd "$1"

failed=0
fail() { echo "README.md: $1" >&2; failed=1; }

# The blocks of one language, each followed by a line with a form feed.
blocks() { awk -v open="\`\`\`$1" '$0 == open {on = 1; next} /^```/ && on {on = 0; print "\f"} on' README.md; }

expect_blocks() { # LANGUAGE FILE…
  local language=$1
  shift
  diff <(blocks "$language") <(for file; do cat "$file"; echo $'\f'; done) ||
    fail "its $language blocks are not $*"
}

expect_blocks proto examples/hello/greeter.proto
expect_blocks cpp examples/hello/server.cc examples/hello/client.cc

lines=$(wc -l <README.md)
((lines <= 120)) || fail "$lines lines, at most 120"
first=$(grep -n -m 1 '^```' README.md | cut -d: -f1)
((first <= 30)) || fail "the first code is in line $first, at most 30"

while read -r link; do
  [[ -e $link ]] || fail "the link to $link leads nowhere"
done < <(grep -oP '\]\(\K(?!http)[^)#]+' README.md)

exit "$failed"
