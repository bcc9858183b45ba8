#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Clocks that jump: the run ends, DEST is complete or unchanged, and writers are thawed. When the clock
# is right again, --resume completes the clone.
hook=$(cd "$(dirname "$0")" && pwd)/hook-log.sh
. "$(dirname "$0")/../lib.sh"
fs_test
export HOOK_LOG=$T/log

jumping() { # jumping JUMP LEAP ARG...: lullcp with such clocks
  local jump=$1 leap=$2
  shift 2
  rc=0
  : >"$HOOK_LOG"
  LD_PRELOAD=$TOOLS/clockjump.so CLOCK_JUMP=$jump CLOCK_LEAP=$leap timeout -k 1 120 \
    "$LULLCP" "$@" >"$T/out" 2>"$T/err" </dev/null || rc=$?
  freezes=$(grep -c '^freeze' "$HOOK_LOG")
  thaws=$(grep -c '^thaw ' "$HOOK_LOG")
  # A hook whose time leaps away is killed, perhaps before it could write its line: it is told.
  if [ "$leap" -gt 0 ] && [ "$thaws" -ne "$freezes" ]; then
    check "clocks $jump $leap: a hook cut short" test "$rc" = 5 -o "$rc" = 6
    says 'took too long and was killed'
    return
  fi
  same "clocks $jump $leap: thaws" "$freezes" "$thaws"
}

for kind in xfs btrfs; do
  fs_mount "$kind"
  note "$kind"
  fragmented "$M/src" 600
  new=$(b2sum <"$M/src")
  for jump in 0 3600 -3600; do
    for leap in 0 100000; do
      for with in '' "--hook=$hook --live --max-freeze=30s"; do
        echo old >"$M/dst"
        # shellcheck disable=SC2086
        jumping $jump $leap --checkpoint-interval=5ms $with "$M/src" "$M/dst"
        case $rc in
          # published although the thaw seemed to take too long
          6)
            check "clocks $jump $leap $with: 6" test "$leap" -gt 0 -a -n "$with"
            same "clocks $jump $leap $with: published" "$new" "$(b2sum <"$M/dst")"
            ;;
          0) same "clocks $jump $leap $with: whole" "$new" "$(b2sum <"$M/dst")" ;;
          # a hook, or the freeze, may seem to have taken too long
          3 | 5) check "clocks $jump $leap $with: $rc" test "$leap" -gt 0 -a -n "$with" ;;
          *) bad "clocks $jump $leap $with: status $rc" ;;
        esac
        [ "$rc" = 0 ] || [ "$rc" = 6 ] || same "clocks $jump $leap $with: the old file" old "$(cat "$M/dst")"
        expect 0 --resume "$M/src" "$M/dst"
        same "clocks $jump $leap $with: resumed" "$new" "$(b2sum <"$M/dst")"
        no_leftovers "$M"
      done
    done
  done
  # one that is written to, with a wall clock that says nothing about when
  echo old >"$M/dst"
  cp "$M/src" "$M/first"
  "$TOOLS/numbers" write "$M/src" b "$SEED" "$T/progress" &
  writer=$!
  sleep 0.3
  for jump in 1 -3600; do
    jumping $jump 0 "$M/src" "$M/dst"
    case $rc in
      0) check "written to, clock $jump: torn" "$TOOLS/numbers" check "$M/dst" "$M/first" b "$SEED" "$T/progress" ;;
      3) ok ;;
      *) bad "written to, clock $jump: status $rc" ;;
    esac
  done
  kill $writer
  wait $writer 2>/dev/null
  expect 0 --restart "$M/src" "$M/dst"
  fs_unmount "$M"
done
finish
