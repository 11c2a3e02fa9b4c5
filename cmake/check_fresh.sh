#!/usr/bin/env bash
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# Shows that a newcomer's first commands work: makes a bare Debian 12 in a temporary
# folder, clones the committed HEAD into it and runs ./dev demo and ./dev test there.
# Prints the exit code of each; succeeds if both are 0. Needs root, git and mmdebstrap.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

fail() { # MESSAGE
  echo "check fresh: $1" >&2
  exit 1
}

# The mirror that this machine gets Debian 12 from, or else Debian's own.
mirror() {
  # shellcheck disable=SC2016  # apt expands these, not the shell
  apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' |
    awk '$1 == "Debian" && $2 == "bookworm" { uri = $3 }
         END { print uri ? uri : "http://deb.debian.org/debian" }'
}

# Runs a command in the new root. Mounts and processes are in namespaces of their own
# and go when the command ends, however it ends; the rest of the system sees no mount.
inside() { # COMMAND…
  # shellcheck disable=SC2016  # bash -c expands these
  unshare --mount --propagation private --pid --fork --kill-child bash -euc '
    root=$1
    shift
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    exec chroot "$root" "$@"' - "$root" \
    env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" "$@" </dev/null
}

((EUID == 0)) || fail 'needs root; try: sudo ./dev check fresh'
[[ -z $(git status --porcelain) ]] ||
  echo 'Note: uncommitted changes are not part of what is checked.'

root=$(mktemp -d -p "${TMPDIR:-/var/tmp}" ferry-fresh.XXXXXX)
trap 'rm -rf --one-file-system "$root"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

from=$(mirror)
packages=apt
[[ $from != https:* ]] || packages=ca-certificates
echo "Making a bare Debian 12 from $from"
mmdebstrap --quiet --variant=minbase --include="$packages" bookworm "$root" "$from" ||
  fail 'mmdebstrap failed'
git clone --quiet --no-hardlinks . "$root/ferry" || fail 'git clone failed'

demo=0 test=0
inside /ferry/dev demo || demo=$?
inside /ferry/dev test || test=$?
echo
echo "In a bare Debian 12, ./dev demo: exit code $demo"
echo "In a bare Debian 12, ./dev test: exit code $test"
((demo == 0 && test == 0))
