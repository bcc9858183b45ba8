#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Rooms include only downward, headers compile alone, only the cli prints, and plan is pure.
set -u
cd "$(dirname "$0")/../.." || exit 99
status=0
fail() {
  echo "FAILED: $*"
  status=1
}
. tests/lint/rooms.sh
n=0 scripts=()
# a folder that is not a room is an error
while read -r f; do
  allowed "$(dirname "${f#src/}")" >/dev/null || fail "$f lies in no room"
done < <(find src -name '*.[ch]')
for room in $rooms; do
  for f in src/"$room"/*.[ch]; do
    n=$((n + 1))
    while read -r inc; do
      [ "$inc" != lullcp.h ] || continue
      case $inc in
        */*)
          to=${inc%/*}
          case " $(allowed "$room") " in *" $to "*) ;; *) fail "$f includes $inc" ;; esac ;;
        *) [ "$room" = cli ] && [ -e "src/cli/$inc" ] || fail "$f includes $inc by bare name" ;;
      esac
    done < <(sed -n 's/^#include "\(.*\)"$/\1/p' "$f")
    if [ "$room" != cli ] &&
      grep -nE '\b(printf|puts|perror|fputs|getopt|getopt_long|exit|abort)\(|\bstderr\b|\bstdout\b' "$f"; then
      fail "$f speaks or ends the program: that is for the cli"
    fi
    if [ "$room" = plan ] &&
      grep -nE '#include <(unistd|fcntl|sys/|time|errno\.h>.*ioctl)|\b(open|read|write|ioctl|clock_gettime|malloc)\(' "$f"; then
      fail "$f is not pure"
    fi
    [ "$(wc -l <"$f")" -le 700 ] || fail "$f is too long: is there a second idea inside?"
    case $f in
      *.h)
        awk -v file="$f" '
          /^[a-zA-Z].*[a-z_]+\(/ && !/^(static|typedef|extern)/ && before ~ /^$/ {
            print file ": nothing is said of " $0; bad = 1 }
          { before = $0 }
          END { exit bad }' "$f" || fail "$f: each declaration, or the first of a few, says what it does"
        cc -fsyntax-only -std=gnu17 -D_GNU_SOURCE -x c -Iinclude -Isrc -Isrc/cli "$f" 2>/dev/null ||
          fail "$f does not stand alone" ;;
    esac
  done
done
# every file says its licence; scripts are clean; no file names a place of one machine
while read -r f; do
  case $f in
    *.md | *.json | *.svg | LICENSE | .gitignore | .editorconfig | .clang-format | tests/fuzz/corpus/*) ;;
    # formats of Debian, which has debian/copyright
    debian/changelog | debian/copyright | debian/lullcp.* | debian/source/format) ;;
    *) head -3 "$f" | grep -q 'SPDX-License-Identifier: MIT' || fail "$f has no SPDX line" ;;
  esac
  case $f in
    *.sh | bench/plot | .ci/run | hooks/lullcp-hook-libvirt)
      scripts+=("$f") ;;
  esac
done < <(git ls-files 2>/dev/null || find . -type f -not -path './build*' -not -path './.git/*' -printf '%P\n')
# Half a second each and more: side by side.
printf '%s\0' "${scripts[@]}" | xargs -0 -n 1 -P "$(nproc)" shellcheck -x \
  -e SC1091,SC2034,SC2154,SC2016,SC2015,SC2059,SC2317,SC2046,SC2012,SC1090,SC2013 || fail 'shellcheck'
for f in man/*.[1-9]; do
  groff -man -ww -z "$f" 2>&1 | grep . && fail "$f: the man page"
done
echo "$n files"
exit $status
