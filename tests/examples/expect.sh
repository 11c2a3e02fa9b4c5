# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# To be sourced: says whether something is as expected, and keeps in `failed` if not.
failed=0

expect() { # WHAT TEXT ACTUAL
  if [[ $3 == "$2" ]]; then
    echo "ok: $1"
  else
    printf '%s:\n  expected %s\n  got      %s\n' "$1" "$2" "$3"
    failed=1
  fi
}
