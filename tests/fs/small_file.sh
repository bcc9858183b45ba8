#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One small file by itself: it needs no lock, no checkpoint and no look at the mounts, but keeps all
# promises made for a large file.
. "$(dirname "$0")/../lib.sh"
fs_test "$@"
command -v strace >/dev/null || cannot_run 'needs strace'

calls() { # calls PATTERN: names of the traced calls whose line matches, in their order
  grep -E "$1" "$T/trace" | sed 's/(.*//' | xargs
}
traced() { # traced ARG...: lullcp, with what it does to files in $T/trace
  rc=0
  strace -qq -f -o "$T/trace.raw" -e trace=%file,%desc,flock \
    "$LULLCP" "$@" >"$T/out" 2>"$T/err" || rc=$?
  # what the loader and the C library open comes before; and where there is no /dev/random,
  # in a virtual machine perhaps, libuuid has a file
  sed -n 's/^[0-9]* *//; /libuuid/d; /"source"/,$p' "$T/trace.raw" >"$T/trace"
  same "$*: status" 0 $rc
  silent
}
old() { # old: DEST as it is before
  rm -f dest .dest.*
  echo old >dest
}
fails() { # fails WHAT STATUS COMMAND...: and DEST is what it was
  local what=$1 status=$2
  shift 2
  rc=0
  { "$@"; } >"$T/out" 2>"$T/err" || rc=$?
  same "$what: status" "$status" $rc
  same "$what: DEST" old "$(cat dest)"
}

for kind in xfs btrfs; do
  note "$kind"
  fs_mount $kind 400M
  cd "$M" || exit 99
  head -c 100000 /dev/urandom >source
  sync -f .

  # a new one, and one that takes the place of an older one
  for how in new old; do
    rm -f dest
    [ $how = new ] || old
    traced source dest
    check "$how: equal" cmp source dest
    same "$how: no mounts are read" '' "$(calls mountinfo)"
    same "$how: no lock is made" '' "$(calls O_CREAT)"
    # Btrfs syncs no file that has no name: it gets that of the temporary file first
    if [ $how$kind = newbtrfs ]; then
      same 'on disk before it is named' 'linkat fdatasync renameat2 fsync fsync' \
        "$(calls '^(linkat|renameat|fsync|fdatasync)')"
    elif [ $how = new ]; then
      same 'synced with its directory' 'linkat fsync fsync' \
        "$(calls '^(linkat|renameat|fsync|fdatasync)')"
    else
      steps='fdatasync linkat'
      [ $kind = xfs ] || steps='linkat fdatasync'
      same 'on disk before it takes the place' "$steps renameat fsync fsync" \
        "$(calls '^(linkat|renameat|fsync|fdatasync)')"
      same 'and locked when it has a name' 'flock linkat' "$(calls '^(linkat|flock)')"
    fi
    [ $how = new ] || old
    traced --no-sync source dest
    same "$how: nothing is synced" '' "$(calls '^(fsync|fdatasync)')"
    no_leftovers .
  done

  # it says of itself what all do
  expect 0 --json source dest
  same 'method' single "$(field method)"
  same 'extents' "$(field extents)" "$(field extents_cloned)"
  check 'an extent at the least' test "$(field extents)" -ge 1
  check 'a time' test "$(field hold_ns.max)" -gt 0
  same 'bytes' 100000 "$(field size)"
  check 'all of them' test "$(field bytes_cloned)" -eq 100000
  same 'published' true "$(field published)"
  expect 0 --histogram source dest
  check 'a bar' grep -q '#' "$T/out"
  same 'no wider than a terminal' '' "$(script -qec "stty cols 44; '$LULLCP' --histogram source dest" /dev/null \
    </dev/null | tr -d '\r' | awk 'length > 44')"

  # another run has it
  old
  : >.dest.lullcp-part
  exec 7<.dest.lullcp-part
  flock 7
  fails 'held' 11 "$LULLCP" source dest
  rm dest
  expect 11 source dest
  check_not 'held: nothing is made' test -e dest
  exec 7<&-
  expect 0 source dest
  check 'free again' cmp source dest
  no_leftovers .

  # something is left of an earlier one
  old
  echo part >.dest.lullcp-part
  fails 'a part' 1 "$LULLCP" source dest
  says 'in the way'
  expect 0 --resume source dest
  check 'and --resume gets on' cmp source dest
  no_leftovers .
  old
  echo junk >.dest.lullcp
  fails 'a checkpoint' 1 "$LULLCP" source dest
  check 'it is left alone' grep -q junk .dest.lullcp
  rm -f .dest.lullcp*

  # killed when it is about to take the place: the next run knows what is left
  old
  fails 'killed' 137 env RENAME_AT=1 RENAME_DO=before LD_PRELOAD="$TOOLS/renames.so" \
    "$LULLCP" source dest
  same 'what is left' .dest.lullcp-part "$(find . -name '.*lullcp*' -printf '%P\n')"
  expect 0 --resume source dest
  check 'and taken over' cmp source dest
  no_leftovers .

  # what fails is heard of once, and leaves nothing
  for call in ioctl fdatasync renameat; do
    for errno in EIO ENOSPC; do
      old
      fails "$call: $errno" 1 strace -qq -f -o /dev/null -e trace=$call \
        -e inject=$call:error=$errno "$LULLCP" source dest
      same "$call: $errno: said once" 1 "$(grep -c '^lullcp: ' "$T/err")"
      no_leftovers .
    done
  done
  # and what fails but once is done the other way
  for call in linkat fdatasync renameat; do
    old
    rc=0
    strace -qq -f -o /dev/null -e trace=$call -e inject=$call:error=EIO:when=1 \
      "$LULLCP" source dest 2>"$T/err" || rc=$?
    same "$call fails once" 0 $rc
    check "$call fails once: new" cmp source dest
    no_leftovers .
  done

  # names that are to stay what they are
  old
  ln dest other
  expect 0 source dest
  check 'a linked one' cmp source other
  rm -f dest other
  echo old >target
  ln -s target dest
  expect 0 source dest
  same 'a link stays one' target "$(readlink dest)"
  check 'what it names is new' cmp source target
  rm -f dest target
  cd /
  fs_unmount "$M"
done
finish
