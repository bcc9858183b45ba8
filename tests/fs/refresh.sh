#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Older clones are brought up to date, whatever has happened to source and clone, and wherever the run is
# interrupted. LULL_TEST_ROUNDS kills (8).
. "$(dirname "$0")/../lib.sh"
fs_test
command -v strace >/dev/null || cannot_run 'needs strace'
rounds=${LULL_TEST_ROUNDS:-8}

change() { # change FILE WHAT
  local i blocks=()
  case $2 in
    nothing) ;;
    some)
      for i in {1..40}; do blocks+=($((RANDOM % 4000))); done
      scribble "$1" 4096 "${blocks[@]}"
      ;;
    all) scribble "$1" 16384000 0 ;;
    grow) head -c 3000001 /dev/urandom >>"$1" ;;
    shrink) truncate -s 6000123 "$1" ;;
    punch) for i in 0 7 99 1000 3990; do fallocate -p -o $((i * 4096)) -l 40960 "$1"; done ;;
    fill) truncate -s 30000000 "$1" && scribble "$1" 204800 140 ;;
    empty) truncate -s 0 "$1" && truncate -s 5000000 "$1" ;;
    unwritten) fallocate -z -o 409600 -l 8192000 "$1" ;;
  esac
  sync "$1"
}

for kind in xfs xfs-rmap btrfs btrfs-compress; do
  fs_mount "$kind"
  note "$kind"
  fragmented "$M/src" 4000 -h 10
  # the source changes
  for what in nothing some all grow shrink punch fill empty unwritten; do
    cp --reflink=always "$M/src" "$M/was"
    expect 0 "$M/src" "$M/dst"
    chmod 640 "$M/dst"
    chown 12:34 "$M/dst"
    inode=$(stat -c %i "$M/dst")
    change "$M/src" $what
    expect 0 --refresh --json "$M/src" "$M/dst"
    check "$kind $what" cmp "$M/src" "$M/dst"
    same "$kind $what: its own blocks, mode and owner" "$inode 640 12 34" \
      "$(stat -c '%i %a %u %g' "$M/dst")"
    no_leftovers "$M"
    mv "$M/was" "$M/src"
  done
  # the clone changes
  for what in some all grow shrink punch fill empty unwritten; do
    cp --reflink=always "$M/src" "$M/dst"
    change "$M/dst" $what
    expect 0 --refresh "$M/src" "$M/dst"
    check "$kind clone: $what" cmp "$M/src" "$M/dst"
  done
  # moved about on disk, or no clone at all
  cp --reflink=always "$M/src" "$M/dst"
  case $kind in
    btrfs*) btrfs filesystem defragment "$M/dst" >/dev/null 2>&1 ;;
    *) xfs_fsr "$M/dst" >/dev/null 2>&1 ;;
  esac
  expect 0 --refresh "$M/src" "$M/dst"
  check "$kind defragmented" cmp "$M/src" "$M/dst"
  cp --reflink=never "$M/src" "$M/dst"
  sync "$M/dst"
  expect 0 --refresh "$M/src" "$M/dst"
  says 'shares nothing'
  check "$kind no clone" cmp "$M/src" "$M/dst"
  # in parts deduplicated: with the source, with another copy, and within itself
  cp --reflink=never "$M/src" "$M/third"
  sync "$M/third"
  for i in 1 3 5 8; do
    for from in src third; do
      xfs_io -c "dedupe $M/$from $((i * 131072)) $((i * 131072)) 65536" "$M/dst" >"$T/dedupe" 2>&1
      grep -q 'deduped 65536' "$T/dedupe" || bad "$kind: $(cat "$T/dedupe")"
    done
  done
  for f in src dst; do
    head -c 262144 /dev/zero | tr '\0' z | dd of="$M/$f" bs=64k seek=4 conv=notrunc status=none
    sync "$M/$f"
  done
  xfs_io -c "dedupe $M/dst 262144 327680 65536" "$M/dst" >"$T/dedupe" 2>&1
  grep -q 'deduped 65536' "$T/dedupe" || bad "$kind: $(cat "$T/dedupe")"
  expect 0 --verify "$M/src" "$M/dst"
  change "$M/src" some
  scribble "$M/src" 4096 70
  expect 0 --refresh "$M/src" "$M/dst"
  check "$kind deduplicated" cmp "$M/src" "$M/dst"
  rm "$M/third"
  cp --reflink=always "$M/src" "$M/dst"
  expect 0 --refresh "$M/src" "$M/dst"
  silent
  rm "$M/dst"
  expect 0 --refresh "$M/src" "$M/dst"
  says 'does not exist'
  check "$kind none there" cmp "$M/src" "$M/dst"

  # another clone is used up, DEST stays until it is replaced
  mkdir "$M/old"
  cp --reflink=always "$M/src" "$M/old/3"
  change "$M/src" some
  echo precious >"$M/dst"
  chmod 604 "$M/dst"
  inode=$(stat -c %i "$M/old/3")
  expect 0 --refresh --base="$M/old/3" "$M/src" "$M/dst"
  check "$kind base" cmp "$M/src" "$M/dst"
  same "$kind base: used up" "$inode 604" "$(stat -c '%i %a' "$M/dst")"
  check_not "$kind base is gone" test -e "$M/old/3"
  expect 0 --refresh --inplace "$M/src" "$M/dst"
  check "$kind in place" cmp "$M/src" "$M/dst"
  # what fails half way is recorded, for it is neither the old clone nor the new one
  "$TOOLS/scribble" "$M/src" 4096 $(seq 0 3 1100)
  CLONE_ERRNO=28 CLONE_ERRNO_AFTER=50 LD_PRELOAD=$TOOLS/clones.so \
    "$LULLCP" --refresh --inplace --latency-budget=20us "$M/src" "$M/dst" 2>"$T/err"
  same "$kind in place, and fails" 1 $?
  says 'incomplete'
  expect 1 --restore "$M/dst" "$M/nothing"
  expect 1 --refresh --inplace "$M/src" "$M/dst"
  says '--resume'
  expect 0 --refresh --inplace --resume "$M/src" "$M/dst"
  check "$kind in place after a failure" cmp "$M/src" "$M/dst"
  no_leftovers "$M"

  # refusals: everything stays as it is
  cp --reflink=always "$M/src" "$M/old/3"
  ln "$M/old/3" "$M/old/link"
  before=$(cd "$M" && find . -type f ! -name link -exec b2sum {} + | sort)
  expect 1 --refresh --base="$M/src" "$M/src" "$M/dst"
  says 'are the same file'
  expect 1 --refresh --base="$M/old/3" "$M/src" "$M/dst"
  says 'several names'
  expect 1 --refresh --base="$M/nothing" "$M/src" "$M/dst"
  says 'No such file'
  expect 1 --refresh --base="$M/old" "$M/src" "$M/dst"
  expect 1 --base="$M/old/3" "$M/src" "$M/dst"
  rm "$M/old/link"
  (
    failures=0
    exec 9<"$M/old/3"
    flock 9
    expect 1 --refresh --base="$M/old/3" "$M/src" "$M/dst"
    says 'another lullcp'
    exit $failures
  ) || bad "$kind base in use"
  same "$kind refusals" "$before" "$(cd "$M" && find . -type f -exec b2sum {} + | sort)"
  case $kind in btrfs)
    touch "$M/nocow" && chattr +C "$M/nocow" && cat "$M/src" >"$M/nocow"
    expect 1 --refresh "$M/src" "$M/nocow"
    says 'NOCOW'
    check 'it is as it was' cmp "$M/src" "$M/nocow"
    rm "$M/nocow"
    ;;
  esac

  # with a hook; and a small file, in one call
  printf '#!/bin/sh\necho $1 >>%s/hook.log\n' "$T" >"$M/hook" && chmod +x "$M/hook"
  change "$M/src" some
  expect 0 --refresh --hook="$M/hook" --live "$M/src" "$M/dst"
  check "$kind hook" cmp "$M/src" "$M/dst"
  same "$kind hook calls" 'freeze thaw' "$(tr '\n' ' ' <"$T/hook.log" | sed 's/ $//')"
  rm "$T/hook.log"
  head -c 9000 /dev/urandom >"$M/small"
  cp --reflink=always "$M/small" "$M/small.dst"
  head -c 100 /dev/urandom >>"$M/small"
  expect 0 --refresh --json "$M/small" "$M/small.dst"
  small=single
  case $kind in btrfs*) ! kernel_before 5.13 || small=quiet ;; esac
  same "$kind small" $small "$(field method)"
  check "$kind small" cmp "$M/small" "$M/small.dst"
  no_leftovers "$M"

  # somebody else's clone: cut off and resumed, it is still theirs, whatever its mode
  cp --reflink=always "$M/src" "$M/dst"
  chown 12:34 "$M/dst"
  chmod 4751 "$M/dst"
  fragmented "$M/src" 4000 # many calls, far apart
  "$LULLCP" --refresh --duty-cycle=1 --latency-budget=1ms --checkpoint-interval=0 \
    "$M/src" "$M/dst" 2>/dev/null &
  pid=$!
  soon is_gone "$M/dst"
  kill -9 $pid
  wait $pid 2>/dev/null
  check_not "$kind: under its name while it is half refreshed" test -e "$M/dst"
  same "$kind: nobody else's meanwhile" '0 0 600' "$(stat -c '%u %g %a' "$M/.dst.lullcp-part")"
  expect 0 --resume "$M/src" "$M/dst"
  check "$kind: resumed" cmp "$M/src" "$M/dst"
  same "$kind: owner and mode" '12 34 4751' "$(stat -c '%u %g %a' "$M/dst")"
  no_leftovers "$M"
  chown 0:0 "$M/dst"

  # one that waits for another looks at DEST once that one has put it back
  cp --reflink=always "$M/src" "$M/dst"
  inode=$(stat -c %i "$M/dst")
  fragmented "$M/src" 4000
  "$LULLCP" --refresh --duty-cycle=10 --latency-budget=1ms "$M/src" "$M/dst" 2>/dev/null &
  pid=$!
  soon is_gone "$M/dst"
  check_not "$kind: under its name while the first refreshes it" test -e "$M/dst"
  expect 0 --refresh --lock-wait=60s "$M/src" "$M/dst"
  same "$kind: the second has found it" '' "$(cat "$T/err")"
  wait $pid
  same "$kind: the first has ended well" 0 $?
  same "$kind: refreshed twice, the same file" "$inode" "$(stat -c %i "$M/dst")"
  no_leftovers "$M"

  # one that has published DEST has it locked until it ends, under its new name
  cp --reflink=always "$M/src" "$M/base"
  for to in "--refresh $M/src $M/dst" "--inplace $M/src $M/dst" \
    "--refresh --base=$M/base $M/src $M/new"; do
    locked=$M/dst status=11
    case $to in *--base*) locked=$M/base status=1 ;; esac
    rm -f "$T/held"
    (
      exec 8<"$locked"
      flock -x 8
      touch "$T/held"
      exec sleep 100
    ) &
    pid=$!
    soon test -e "$T/held"
    # shellcheck disable=SC2086 # words
    expect $status $to
    says "another lullcp is at work on '$locked'"
    no_leftovers "$M"
    { sleep 0.3; kill $pid; } &
    # shellcheck disable=SC2086 # words
    expect 0 --lock-wait=60s $to
    silent
    wait $! $pid 2>/dev/null
    check "$kind: $to" cmp "$M/src" "${to##* }"
  done
  rm "$M/new"
  no_leftovers "$M"

  # killed at any moment: the old or the new file has the name, and --resume
  # finishes; a refresh begun and one interrupted with the source changed since
  killed=0
  for i in $(seq "$rounds"); do
    cp --reflink=always "$M/src" "$M/dst"
    change "$M/src" some
    old=$(b2sum <"$M/dst")
    "$LULLCP" --refresh --duty-cycle=$((RANDOM % 30 + 1)) --checkpoint-interval=$((RANDOM % 5))ms \
      "$M/src" "$M/dst" 2>/dev/null &
    pid=$!
    sleep 0.$(printf '%03d' $((RANDOM % 120)))
    kill -9 $pid 2>/dev/null && killed=$((killed + 1))
    wait $pid 2>/dev/null
    if [ -e "$M/dst" ] && [ "$(b2sum <"$M/dst")" != "$old" ]; then
      check "$kind killed: half refreshed under its name" cmp "$M/src" "$M/dst"
    fi
    [ $((RANDOM % 3)) != 0 ] || change "$M/src" some
    expect 0 --refresh --resume -q "$M/src" "$M/dst"
    check "$kind killed and resumed" cmp "$M/src" "$M/dst"
    no_leftovers "$M"
  done
  note "$kind: killed $killed of $rounds"

  # what fails half-way, or is cut off: the clone is not where it was, and that is said
  rm -f "$M/dst"
  cp --reflink=always "$M/src" "$M/dst"
  scribble "$M/src" 4096 $(seq 0 7 3900)
  rc=0
  strace -qq -o /dev/null -e trace=ioctl -e inject=ioctl:error=ENOSPC:when=120+ \
    "$LULLCP" -q --refresh --latency-budget=1us "$M/src" "$M/dst" 2>"$T/err" || rc=$?
  same "$kind: a full disk" 1 $rc
  says 'No space left on device'
  check_not "$kind: half refreshed under its name" test -e "$M/dst"
  says "'$M/dst' is half refreshed, under its temporary name: --resume completes it"
  expect 0 --refresh --resume "$M/src" "$M/dst"
  check "$kind: resumed after a full disk" cmp "$M/src" "$M/dst"
  no_leftovers "$M"

  # the other older clone was used up by a run that was cut off, as by one that had only its record
  # left to remove: a clone in full
  for how in restart 'restart twice' resume; do
    cp --reflink=always "$M/dst" "$M/base"
    scribble "$M/src" 4096 $(seq 0 7 3900)
    # the second record is that of the whole clone; unlink(2) takes the record away
    at=ioctl:signal=KILL:when=120
    [ "$how" != resume ] || at=unlinkat:signal=KILL
    rc=0
    strace -qq -o /dev/null -e trace=ioctl,unlinkat -e "inject=$at" \
      "$LULLCP" --refresh --base="$M/base" --latency-budget=1us "$M/src" "$M/dst" 2>/dev/null || rc=$?
    same "$kind $how: killed" 137 $rc
    check_not "$kind $how: not used up" test -e "$M/base"
    check "$kind $how: no record" test -e "$M/.dst.lullcp"
    if [ "$how" = 'restart twice' ]; then
      strace -qq -o /dev/null -e trace=ioctl -e inject=ioctl:signal=KILL:when=120 \
        "$LULLCP" --restart --refresh --base="$M/base" --latency-budget=1us "$M/src" "$M/dst" 2>/dev/null
      check "$kind $how: no record of the second" test -e "$M/.dst.lullcp"
    fi
    expect 0 --"${how% *}" --refresh --base="$M/base" "$M/src" "$M/dst"
    says "'$M/base' does not exist: this is a clone in full"
    check "$kind $how" cmp "$M/src" "$M/dst"
    no_leftovers "$M"
  done
  # one that never was is a mistake, whatever there is to go on with
  expect 1 --restart --refresh --base="$M/base" "$M/src" "$M/dst"
  says "cannot refresh '$M/base': No such file or directory"

  # what may not become as large as the source stays what it is
  head -c 3000000 /dev/urandom >"$M/base"
  for how in '--refresh' '--inplace' "--refresh --base=$M/base"; do
    head -c 3000000 "$M/base" >"$M/dst"
    # shellcheck disable=SC2086 # options
    (ulimit -f 5000 && exec "$LULLCP" -q $how "$M/src" "$M/dst" 2>"$T/err")
    same "$kind $how: beyond ulimit -f" 1 $?
    says 'DEST would be larger than the limit on file sizes (ulimit -f)'
    check "$kind $how: the older one" cmp "$M/base" "$M/dst"
    no_leftovers "$M"
  done
  rm -f "$M/base" "$M/dst"
  fs_unmount "$M"
done
finish
