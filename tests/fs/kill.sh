#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kill -9 at random moments, with and without a hook: DEST is the old file or the complete new one, each
# freeze is followed by a thaw, and --resume completes the clone. LULL_TEST_ROUNDS (100).
hook=$(cd "$(dirname "$0")" && pwd)/hook-log.sh
. "$(dirname "$0")/../lib.sh"
fs_test
export HOOK_LOG=$T/log
rounds=${LULL_TEST_ROUNDS:-100}
half=$(((rounds + 1) / 2))
survived=0 killed=0 freezes=0

for kind in xfs btrfs; do
  fs_mount "$kind"
  note "$kind"
  fragmented "$M/src" 1500 -h 5
  head -c 100000 /dev/urandom >"$T/old"
  old=$(b2sum <"$T/old")
  new=$(b2sum <"$M/src")
  for i in $(seq "$half"); do
    rm -f "$M/dst"
    cp "$T/old" "$M/dst"
    : >"$HOOK_LOG"
    args=(--duty-cycle=$((RANDOM % 60 + 40)) --checkpoint-interval=$((RANDOM % 20))ms)
    [ $((RANDOM % 3)) = 0 ] || args+=(--hook="$hook")
    before=$failures
    "$LULLCP" "${args[@]}" "$M/src" "$M/dst" 2>/dev/null &
    pid=$!
    sleep "0.$(printf %03d $((RANDOM % 70)))"
    kill -KILL $pid 2>/dev/null && killed=$((killed + 1))
    wait $pid 2>/dev/null
    # the keeper holds the lock until it has thawed
    for _ in $(seq 100); do
      got=$("$LULLCP" --status "$M/dst" 2>/dev/null)
      case $got in *'at work now'*) sleep 0.05 ;; *) break ;; esac
    done
    case $(b2sum <"$M/dst") in
      "$old" | "$new") ok ;;
      *) bad "round $i: neither the old file nor the new one" ;;
    esac
    f=$(grep -c '^freeze' "$HOOK_LOG")
    t=$(grep -c '^thaw ' "$HOOK_LOG")
    freezes=$((freezes + f))
    # killed with the keeper's lock not even taken: nothing ran
    [ "$f" = "$t" ] || { sleep 0.5; t=$(grep -c '^thaw ' "$HOOK_LOG"); }
    # a freeze hook that was ended before it wrote its line is followed by a thaw as well
    [ "$f.$t" = 0.1 ] || same "round $i: thaws for $f freezes" "$f" "$t"
    [ $((RANDOM % 2)) = 0 ] || { scribble "$M/src" 5000 $((RANDOM % 1000)); new=$(b2sum <"$M/src"); }
    expect 0 --resume "$M/src" "$M/dst"
    same "round $i: resumed" "$new" "$(b2sum <"$M/dst")"
    no_leftovers "$M"
    [ "$failures" != "$before" ] || survived=$((survived + 1))
  done
  # killed while it wrote its first checkpoint, and the run that finishes needs none
  fragmented "$M/small" 40
  for how in '' --inplace --refresh --keep=2; do
    : >"$M/.dst.lullcp-part"
    printf '{"schema"' >"$M/.dst.lullcp~"
    # shellcheck disable=SC2086 # none or one
    expect 0 $how "$M/small" "$M/dst"
    rm -f "$M"/.dst.lullcp-generations
    no_leftovers "$M"
    rm -f "$M"/.dst.lullcp*
  done
  fs_unmount "$M"
done
note "injected $((2 * half)) ($killed killed at work, $freezes freezes), survived $survived"
finish
