#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two, ten, fifty lullcp at once with the same SOURCE and DEST: each ends with 0 or 11. DEST is the old
# file or the new one at any moment, and the new one at the end. No other file is left behind.
. "$(dirname "$0")/../lib.sh"
fs_test

for kind in xfs btrfs; do
  fs_mount "$kind"
  note "$kind"
  fragmented "$M/src" 900
  new=$(b2sum <"$M/src")
  for n in 2 10 50; do
    for with in '' --resume --lock-wait=300s --inplace; do
      head -c 70000 /dev/urandom >"$M/dst"
      old=$(b2sum <"$M/dst")
      pids=()
      for i in $(seq $n); do
        # not all in step
        "$LULLCP" ${with:+"$with"} --latency-budget=$((i % 3 + 1))ms --checkpoint-interval=$((i % 5))ms \
          "$M/src" "$M/dst" 2>>"$T/err.$i" &
        pids+=($!)
      done
      if [ "$with" != --inplace ]; then
        for _ in $(seq 10); do
          case $(b2sum <"$M/dst") in
            "$old" | "$new") ok ;;
            *) bad "$n at once $with: neither the old file nor the new one" ;;
          esac
        done
      fi
      declare -A ends=()
      for i in $(seq $n); do
        rc=0
        wait "${pids[$((i - 1))]}" || rc=$?
        ends[$rc]=$((${ends[$rc]:-0} + 1))
        case $rc.$with in
          0.* | 11. | 11.--resume | 11.--inplace) ok ;;
          *) bad "$n at once $with: status $rc: $(cat "$T/err.$i")" ;;
        esac
      done
      check "$n at once $with: nobody got through" test "${ends[0]:-0}" -gt 0
      same "$n at once $with: the new file" "$new" "$(b2sum <"$M/dst")"
      note "$n at once $with: ${ends[0]:-0} done, ${ends[11]:-0} found it held"
      rm -f "$T"/err.*
      unset ends
      no_leftovers "$M"
    done
    # to a DEST that none of them has seen before
    rm "$M/dst"
    pids=()
    for i in $(seq $n); do "$LULLCP" "$M/src" "$M/dst" 2>"$T/err.$i" & pids+=($!); done
    for i in $(seq $n); do
      rc=0
      wait "${pids[$((i - 1))]}" || rc=$?
      case $rc in
        0 | 11) ok ;;
        *) bad "$n at once, nothing there: status $rc: $(cat "$T/err.$i")" ;;
      esac
    done
    rm -f "$T"/err.*
    same "$n at once, nothing there" "$new" "$(b2sum <"$M/dst")"
    no_leftovers "$M"
  done
  # another's DEST comes in between, and a third is about to replace that
  : >"$M/dst"
  : >"$M/dst.next"
  OVERTAKEN="$M/dst" LD_PRELOAD="$TOOLS/overtaken.so" \
    expect 0 --latency-budget=1ms "$M/src" "$M/dst"
  check 'overtaken twice: nobody came in between' test ! -e "$M/dst.next"
  same 'overtaken twice' "$new" "$(b2sum <"$M/dst")"
  no_leftovers "$M"
  # another puts its file there between the look and the opening: as good as the one before;
  # but not one that has another name, which would be written to under that one as well
  echo old >"$M/victim"
  echo next >"$M/next"
  SWAP_FILE="$M/next" LD_PRELOAD="$TOOLS/swap.so" expect 0 "$M/src" "$M/victim"
  same 'a new DEST in between' "$new" "$(b2sum <"$M/victim")"
  echo keep >"$M/other"
  ln "$M/other" "$M/next"
  SWAP_FILE="$M/next" LD_PRELOAD="$TOOLS/swap.so" expect 1 "$M/src" "$M/victim"
  says 'Stale file handle'
  same 'the other name' keep "$(cat "$M/other")"
  no_leftovers "$M"
  fs_unmount "$M"
done
finish
