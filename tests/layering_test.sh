#!/usr/bin/env bash
# SPDX-FileCopyrightText: The ferry authors
# SPDX-License-Identifier: Apache-2.0
#
# Holds the library to its rules: folder order is dependency order (proto ← transport ←
# rpc, and codegen apart), system calls stay in one place, files stay short.
#
#   tests/layering_test.sh SOURCE_DIR     names each breach as FILE:LINE; exit 1 if any
#   tests/layering_test.sh --self-test    plants breaches and expects each to be found
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C
# Prints FILE:LINE:CODE without // comments and without the insides of raw strings,
# where the plugin keeps the text, #include lines and all, that it writes out.
code_of() { # FILE…
  awk '
    FNR == 1 { raw_end = "" }
    {
      text = $0; code = ""
      while (text != "") {
        if (raw_end != "") {
          at = index(text, raw_end)
          text = at ? substr(text, at + length(raw_end)) : ""
          if (at) raw_end = ""
          continue
        }
        comment = match(text, /(^|[ \t])\/\//) ? RSTART : length(text) + 1
        if (match(text, /R"[^( ]*\(/) && RSTART < comment) {
          code = code substr(text, 1, RSTART - 1) "\"\""
          raw_end = ")" substr(text, RSTART + 2, RLENGTH - 3) "\""
          text = substr(text, RSTART + RLENGTH)
        } else { code = code substr(text, 1, comment - 1); text = "" }
      }
      print FILENAME ":" FNR ":" code
    }' "$@"
}

because() { sed "s|\$|  <- $1|"; } # RULE
forbid() { # RULE FILES CODE [EXCEPT-FILES]; the last three are extended regexes
  grep -E "^$2:[0-9]+:$3" <<<"$code" | grep -vE "^${4:-/}:" | because "$1" || true
}

check() { # SOURCE_DIR; prints the breaches
  cd "$1"
  ls proto/*.h transport/*.h rpc/*.h codegen/*.h >/dev/null # none to look at: exit 2
  local files code
  mapfile -t files < <(find proto transport rpc codegen -name '*.h' -o -name '*.cc' | sort)
  code=$(code_of "${files[@]}")

  local include='[ \t]*#[ \t]*include[ \t]*[<"](\.\./)*(ferry/)?'
  local fds='(unistd|fcntl|poll|spawn|sys/(socket|un|epoll|eventfd|uio|mman|stat|wait|ioctl))\.h'
  local calls='p?(read|write)v?2?|(recv|send)(msg|from|to)?|open(at)?|close(_range)?|pipe2?|p?poll'
  calls+='|(mkfifo|unlink|rename|mkdir|fstat|fchown|fchmod|faccess)(at)?|f?(stat|chmod|chown|truncate)'
  calls+='|dup[23]?|fcntl|ioctl|flock|f?d?opendir|readdir|getrandom|eventfd'
  calls+='|epoll_[a-z0-9_]+|memfd_create|m(un)?map|socket(pair)?|bind|listen|accept4?|connect'
  calls+='|shutdown|[gs]etsockopt|v?fork|execvp?e?|posix_spawnp?|kill|waitp?id|syscall'

  forbid 'proto stands below transport and rpc' 'proto/.*' "$include(transport|rpc|codegen)/"
  forbid 'transport stands below rpc' 'transport/.*' "$include(rpc|codegen)/"
  forbid 'transport knows no protobuf' '(transport/.*|proto/frame\..*)' \
    "$include(google/protobuf/|.*\.(pb|ferry)\.h)"
  forbid 'rpc stands below codegen' 'rpc/.*' "${include}codegen/"
  forbid 'rpc never names a file descriptor' 'rpc/.*' \
    "$include($fds|transport/internal/(fd|sys)\.h)"
  forbid 'codegen links libprotoc only' 'codegen/.*' "$include(transport|rpc)/"
  forbid 'public headers say std::' '(proto|transport|rpc)/[^/]+\.h' \
    '.*absl::(string_view|optional|nullopt|variant|any)([^A-Za-z0-9_]|$)'
  forbid 'system calls go through transport/internal/sys.h' '.*' \
    "(.*[^A-Za-z0-9_:>])?::($calls)\(" 'transport/internal/sys[^/]*'
  awk 'FNR == 301 { print FILENAME ":301:" }' "${files[@]}" | because 'no file exceeds 300 lines'
  grep -rsnEw '//.*(TODO|FIXME)' --include=*.{h,cc,proto} proto transport rpc codegen tests \
    examples bench tools | because 'unfinished work belongs in an issue' || true
}

# FILE|LINE|RULE|TEXT, where % is a line break; without LINE and RULE it is no breach.
samples() {
  cat <<'END'
proto/a.h|1|proto stands|#include "ferry/rpc/channel.h"
proto/frame.h|1|transport knows|#include <google/protobuf/message.h>
proto/b.proto|1|unfinished|// TODO: think
proto/good.h|||#include <optional>
transport/a.cc|2|transport stands|%  #  include "../rpc/channel.h"
transport/b.h|1|transport knows|#include "ferry/proto/wire.pb.h"
transport/good.h|||// absl::string_view, ::read(fd)%a.close(); F::open(); std::optional<int> b;
transport/internal/good.h|||void F(absl::string_view name);
transport/internal/sys_linux.cc|||return ::read(fd, data, size);
rpc/a.cc|1|rpc stands|#include "codegen/names.h"
rpc/b.cc|1|rpc never|#include <sys/socket.h>
rpc/c.cc|1|rpc never|#include "ferry/transport/internal/fd.h"
rpc/d.h|1|public headers|void F(absl::string_view name);
rpc/e.cc|1|system calls|::epoll_ctl(epoll, operation, fd, &event);
rpc/f.cc|2|system calls|%  return x < 0 ? -1 : ::read(fd, data, size);
rpc/good.h|||#include "ferry/transport/transport.h"%#include "ferry/transport/internal/mutex.h"
codegen/a.cc|2|codegen links|s = R"(x)";  // R"(%#include "ferry/rpc/stub.h"
codegen/b.cc|3|codegen links|s = R"x(%)" )x";%#include "ferry/rpc/stub.h"
codegen/good.h|||s = R"(%::read(fd)%)" R"x()"%#include "ferry/rpc/stub.h"%)x";
END
  echo "rpc/long.cc|301|no file|$(printf '%%%.0s' {1..300})"
}

self_test() {
  local tree found wrong=0 file line rule text
  tree=$(mktemp -d)
  mkdir -p "$tree"/{proto,transport/internal,rpc,codegen}
  while IFS='|' read -r file _ _ text; do tr % '\n' <<<"$text" >"$tree/$file"; done < <(samples)
  found=$(bash "$0" "$tree") && wrong=1
  while IFS='|' read -r file line rule _; do
    [[ -z $rule ]] || grep -q "^$file:$line:.*  <- $rule" <<<"$found" ||
      { echo "missed: $file:$line: $rule"; wrong=1; }
  done < <(samples)
  find "$tree" -type f ! -name 'good.h' ! -name 'sys_*' -delete
  bash "$0" "$tree" || wrong=1 # prints what is wrongly named a breach
  rm -rf "$tree"
  return "$wrong"
}

case ${1:-} in
  --self-test) self_test ;;
  ?*) found=$(check "$1"); [[ -z $found ]] || { echo "$found"; exit 1; } ;;
  *) echo "usage: $0 SOURCE_DIR | --self-test" >&2; exit 2 ;;
esac
