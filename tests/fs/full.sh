#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The disk is full at random points: the exit status is 1, the old DEST is untouched, and nothing is left
# behind. When there is space again, the same command succeeds. LULL_TEST_ROUNDS (100).
. "$(dirname "$0")/../lib.sh"
fs_test
rounds=${LULL_TEST_ROUNDS:-100}
half=$(((rounds + 1) / 2))
survived=0 full=0

for kind in xfs btrfs; do
  fs_mount "$kind" 320M
  note "$kind"
  fragmented "$M/src" 4000
  echo old >"$M/dst"
  sync -f "$M"
  new=$(b2sum <"$M/src")
  for i in $(seq "$half"); do
    before=$failures
    # fill it up but for a few blocks, in coarse steps and then fine ones
    rm -f "$M"/fill*
    sync -f "$M"
    free=$(stat -f -c '%a * %S' "$M")
    leave=$((RANDOM % 40 * 16384))
    fallocate -l $((free - leave > 0 ? free - leave : 1)) "$M/fill" 2>/dev/null ||
      head -c 1G /dev/zero >"$M/fill" 2>/dev/null
    if [ "$kind" = btrfs ]; then # metadata has room of its own: small files use it up
      n=$((RANDOM % 400))
      mkdir -p "$M/fill.d"
      for k in $(seq $n); do head -c 2000 /dev/zero >"$M/fill.d/$i.$k" 2>/dev/null || break; done
    fi
    args=(--checkpoint-interval=$((RANDOM % 3))ms)
    run "${args[@]}" "$M/src" "$M/dst"
    case $rc in
      0) same "round $i: whole" "$new" "$(b2sum <"$M/dst")" ;;
      1)
        full=$((full + 1))
        same "round $i: the old file" old "$(cat "$M/dst")"
        says 'No space left on device'
        ;;
      *) bad "round $i: status $rc" ;;
    esac
    no_leftovers "$M"
    rm -rf "$M"/fill*
    sync -f "$M"
    expect 0 "$M/src" "$M/dst"
    same "round $i: with room again" "$new" "$(b2sum <"$M/dst")"
    echo old >"$M/dst.old" && mv "$M/dst.old" "$M/dst"
    [ "$failures" != "$before" ] || survived=$((survived + 1))
  done
  fs_unmount "$M"
done
note "injected $((2 * half)) ($full found the disk full), survived $survived"
finish
