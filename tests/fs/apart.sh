#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Files of one run that are cloned in parallel, each with a keeper of its own: no keeper may have open,
# or hold locked, anything that belongs to another file.
. "$(dirname "$0")/../lib.sh"
fs_test
fs_mount btrfs 2G
names='a b c d'

# A writer writes to all of them, so that each needs a snapshot, and a keeper to guard it.
mkdir "$M/src" "$M/dst"
for f in $names; do fragmented "$M/src/$f" 3000 || exit; done
fragmented "$M/src/a" 1000
writers=()
for f in $names; do
  "$TOOLS/numbers" write "$M/src/$f" d "$SEED" "$T/progress.$f" 2>"$T/writer.err" &
  writers+=($!)
  soon has_written "$T/progress.$f" ||
    framework_failure "the writer did not start: $(cat "$T/writer.err")"
done
keepers() { # keepers PID: of that run
  local p
  for p in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
    [ "$(cat "/proc/$p/comm" 2>/dev/null)" != lullcp-keeper ] || echo "$p"
  done
}
held_by() { # held_by KEEPER: the files of the run that it has open
  find "/proc/$1/fd" -type l -printf '%l\n' 2>/dev/null |
    sed -nE "s,^$M/.*/(\.)?([a-d])(\.lullcp.*)?( \(deleted\))?\$,\2,p" | sort -u | tr -d '\n'
}
sockets_of() { find "/proc/$1/fd" -lname 'socket:*' 2>/dev/null | wc -l; }

note 'what a keeper has open'
"$LULLCP" -R -T -j4 --duty-cycle=3 --latency-budget=1ms --on-writers=snapshot "$M/src" "$M/dst" \
  >"$T/out" 2>"$T/err" &
pid=$!
for _ in $(seq 1500); do
  mapfile -t all < <(keepers $pid)
  [ "${#all[@]}" -lt 4 ] || break
  kill -0 $pid 2>/dev/null || break
  sleep 0.02
done
# Nothing of the run ends while it is looked at.
kill -STOP $pid
same 'keepers side by side' 4 "${#all[@]}"
of_all=
for p in "${all[@]}"; do
  mine=$(held_by "$p")
  of_all+=$mine
  same "files of keeper $p" 1 "${#mine}"
  same "sockets of keeper $p" 1 "$(sockets_of "$p")"
done
same 'each file has its keeper' abcd "$(grep -o . <<<"$of_all" | sort -u | tr -d '\n')"

note 'a file that is done is not locked by the keeper of another'
kill -CONT $pid
for _ in $(seq 3000); do
  [ -e "$M/dst/a" ] && [ ! -e "$M/dst/.a.lullcp" ] && break
  kill -0 $pid 2>/dev/null || break
  sleep 0.02
done
check 'it is done' test -e "$M/dst/a"
# its own keeper and its job need a moment to let go
check 'it is free' flock -w 2 "$M/dst/a" true
check 'others are at work still, or nothing was tried' test -n "$(keepers $pid)"
kill -TERM $pid
wait $pid 2>/dev/null
kill "${writers[@]}"
wait "${writers[@]}" 2>/dev/null
fs_unmount "$M"
finish
