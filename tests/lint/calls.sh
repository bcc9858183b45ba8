#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# calls.sh LIBRARY...: checks the calls in the object files of these archives. A room calls only rooms that
# it may include, and no files of one room call each other in a circle.
set -u
cd "$(dirname "$0")/../.." || exit 99
. tests/lint/rooms.sh
status=0
fail() {
  echo "FAILED: $*"
  status=1
}
# An object is named after the path of its source, with _ for /.
declare -A source_of
while read -r f; do
  source_of[${f//\//_}.o]=$f
done < <(cd src && find . -name '*.c' -printf '%P\n')
pairs=$(mktemp) || exit 99
trap 'rm -f "$pairs"' EXIT
# OBJECT OBJECT: the first calls, or reads, what the second defines
nm -A "$@" 2>/dev/null | awk '
  NF < 2 { next }
  { n = split($1, at, ":"); object = at[n - 1]; if (object == "") object = at[n]
    sub(/^.*\//, "", object); symbol = $NF; kind = $(NF - 1) }
  kind ~ /^[TDBRC]$/ { home[symbol] = object }
  kind == "U" { uses[object " " symbol] = 1 }
  END {
    for (use in uses) {
      split(use, of, " ")
      if (of[2] in home && home[of[2]] != of[1]) print of[1], home[of[2]]
    }
  }' | sort -u >"$pairs"
[ "$(wc -l <"$pairs")" -gt 100 ] || fail "nm tells of $(wc -l <"$pairs") calls only"
while read -r from to; do
  a=${source_of[$from]:-} b=${source_of[$to]:-}
  [ -n "$a" ] && [ -n "$b" ] || { fail "no source for $from or $to"; continue; }
  case " $(allowed "$(dirname "$a")") " in
    *" $(dirname "$b") "*) ;;
    *) fail "src/$a calls src/$b" ;;
  esac
done <"$pairs"
if ! loops=$(tsort <"$pairs" 2>&1 >/dev/null); then
  fail "files call each other in a circle:"
  echo "$loops"
fi
echo "$(wc -l <"$pairs") pairs of files"
exit $status
