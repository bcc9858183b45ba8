#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Others change the unfinished file while no run is active: --resume must not believe what the checkpoint
# says of it.
. "$(dirname "$0")/../lib.sh"
fs_test

# begin SIGNAL ARG... DEST: starts a clone and interrupts it by the signal after some progress: at its
# 40th record, of 4000 blocks. Its pauses are so long that each call is recorded even on a busy machine,
# where calls of one block each give way to calls of many.
begin() {
  local signal=$1 dest=${*: -1}
  shift
  rc=0
  strace -qq -o /dev/null -e trace=renameat -e "inject=renameat:signal=$signal:when=40" \
    "$LULLCP" --latency-budget=100us --duty-cycle=10 --checkpoint-interval=0 "$@" 2>"$T/err" || rc=$?
  same 'cut off' $((128 + $(kill -l "$signal"))) $rc
  at=$(offset_in "$(dirname "$dest")/.$(basename "$dest").lullcp")
  check 'it had come somewhere' test "$at" -ge 140000
}
eight() { printf 'somebody' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
meddle() { # meddle FILE HOW: as somebody else would, with the times set back
  local size
  size=$(stat -c %s "$1")
  touch -r "$1" "$T/times"
  case $2 in
    start) eight "$1" 0 ;;
    inside) eight "$1" 131073 ;;
    end) eight "$1" $((size - 8)) ;; # where nothing is cloned yet: in a hole, if there is one
    hole) eight "$1" "$hole" ;;
    punched) fallocate -p -o 4096 -l 65536 "$1" ;;
    emptied) : >"$1" && truncate -s "$size" "$1" ;;
    short) truncate -s 4096 "$1" ;;
    mapped) python3 -c '
import mmap, sys
with open(sys.argv[1], "r+b") as f:
    m = mmap.mmap(f.fileno(), 4096)
    m[100:108] = b"somebody"' "$1" ;;
    inode) cp "$1" "$1.new" && eight "$1.new" 9 && mv "$1.new" "$1" ;;
  esac
  touch -r "$T/times" "$1"
}

for kind in xfs btrfs btrfs-compress; do
  fs_mount "$kind"
  note "$kind"
  cd "$M" || framework_failure cd
  fragmented src 4000 -h 20
  # a block after the cloned part that the source does not have
  hole=$(filefrag -v src | sed -n 's/^ *[0-9]*: *\([0-9]*\)\.\. *\([0-9]*\):.*/\1 \2/p' |
    awk 'NR > 700 && $1 > end + 1 { print (end + 1) * 4096 + 17; exit } { end = $2 }')
  case $kind in btrfs-compress) hole=${hole:-4000017} ;; esac

  # in place, by the other name of it
  hows=(start inside end hole punched mapped)
  signals=(TERM KILL)
  [ $kind != btrfs-compress ] || { hows=(inside hole) signals=(TERM); }
  for how in "${hows[@]}"; do
    echo old >dst
    ln -f dst other
    begin TERM --inplace src dst
    meddle other "$how"
    expect 0 --inplace --resume --json src dst
    check "$kind in place: $how" cmp src dst
    same "$kind in place: $how: the inode" "$(stat -c %i other)" "$(stat -c %i dst)"
    no_leftovers .
    rm -f dst other
  done
  # in place, and it loses its name while a run is at work: what has that name then is not the clone
  for how in removed replaced renamed; do
    [ $how = renamed ] || echo old >dst
    echo theirs >new
    CLONE_DELAY_US=5000 LD_PRELOAD=$TOOLS/clones.so \
      "$LULLCP" --inplace --latency-budget=100us --checkpoint-interval=0 src dst 2>"$T/err" &
    pid=$!
    soon is_begun .dst.lullcp
    case $how in removed) rm dst ;; replaced) mv new dst ;; renamed) mv dst away ;; esac
    wait $pid
    same "$kind in place: $how: status" 1 $?
    says 'removed or renamed'
    same "$kind in place: $how: what is there" "$([ $how != replaced ] || echo theirs)" "$(cat dst 2>/dev/null)"
    [ $how != renamed ] || check "$kind in place: $how: not emptied" cmp src away
    no_leftovers .
    rm -f dst new away
  done
  # the temporary file, after a stop and after a kill
  for signal in "${signals[@]}"; do
    for how in inside hole emptied short; do
      begin "$signal" src dst
      meddle .dst.lullcp-part $how
      expect 0 --resume src dst
      check "$kind $signal: $how" cmp src dst
      no_leftovers .
      rm dst
    done
  done
  [ $kind != btrfs-compress ] || continue
  # another inode under its name is none of ours
  begin TERM src dst
  meddle .dst.lullcp-part inode
  expect 0 --resume src dst
  says 'starting again'
  check "$kind: another inode" cmp src dst
  rm dst

  # untouched: it continues where it was, and a refused or skipped run changes nothing
  printf '#!/bin/sh\n[ $1 = thaw ] || exit 75\n' >skip && chmod +x skip
  begin TERM src dst
  expect 1 src dst
  says '--resume'
  expect 75 --resume --hook="$M/skip" src dst
  same "$kind: skipped: the checkpoint" "$at" "$(offset_in .dst.lullcp)"
  expect 0 --resume --json src dst
  same "$kind: untouched: goes on" "$at" "$(field resumed_at)"
  check "$kind: untouched: no more is cloned" test "$(field extents_cloned)" -le \
    $(($(filefrag -v src | grep -cE '^ *[0-9]+:') - 30))
  check "$kind: untouched" cmp src dst
  rm dst
  # and such a run does not make good what came before it
  begin TERM src dst
  meddle .dst.lullcp-part inside
  expect 1 src dst
  expect 75 --resume --hook="$M/skip" src dst
  expect 0 --resume src dst
  check "$kind: skipped in between" cmp src dst
  rm dst
  # cut off again while it is gone over
  begin TERM src dst
  meddle .dst.lullcp-part hole
  begin TERM --resume src dst
  expect 0 --resume src dst
  check "$kind: cut off twice" cmp src dst
  rm dst
  # killed: what is there is compared, and not cloned once more where the maps tell
  begin KILL src dst
  expect 0 --resume --json src dst
  check "$kind: killed: goes on behind what is compared" test "$(field resumed_at)" -ge 140000
  [ $kind != btrfs ] || check 'killed: that is not cloned again' test \
    "$(field extents_cloned)" -lt "$(field extents)"
  check "$kind: killed" cmp src dst
  rm dst

  # SOURCE itself was replaced, as a program does that writes a new file and renames it: nobody
  # has to remove anything by hand
  for how in --resume --restart; do
    begin TERM src dst
    cp src new && eight new 70000 && mv new src
    expect 1 src dst
    says '--resume'
    expect 0 $how --json src dst
    same "$kind $how: begun anew" 0 "$(field resumed_at)"
    check "$kind $how: the new source" cmp src dst
    no_leftovers .
    rm dst
    fragmented src 4000 -h 20
  done
  begin TERM src dst
  cp src new && mv new src
  expect 0 --resume src dst
  says 'has been replaced by another file'
  rm dst
  fragmented src 4000 -h 20
  begin TERM --inplace src dst
  cp src new && mv new src
  expect 0 --resume --inplace src dst
  check "$kind: in place" cmp src dst
  no_leftovers .
  rm dst
  # another name: only --restart says that it is meant
  fragmented src 4000 -h 20
  begin TERM src dst
  cp src other && eight other 70000
  before=$(b2sum .dst.lullcp .dst.lullcp-part)
  expect 1 --resume other dst
  says 'belongs to another clone'
  same "$kind: another source: as it was" "$before" "$(b2sum .dst.lullcp .dst.lullcp-part)"
  expect 0 --restart other dst
  check "$kind: --restart of another source" cmp other dst
  no_leftovers .
  rm dst other

  # copied bytes: nothing tells them from others
  head -c 80M /dev/zero >big
  for how in none inside end short; do
    rc=0
    strace -qq -o /dev/null -e trace=pwrite64 -e inject=pwrite64:signal=TERM:when=20 "$LULLCP" \
      --reflink=never --sparse=never --checkpoint-interval=0 big dst 2>"$T/err" || rc=$?
    same 'the copy was cut off' 143 $rc
    at=$(offset_in .dst.lullcp)
    [ $how = none ] || meddle .dst.lullcp-part $how
    expect 0 --reflink=never --sparse=never --resume --json big dst
    if [ $how = none ]; then
      same "$kind: the copy goes on" $((at / 4096 * 4096)) "$(field resumed_at)"
    else
      says 'starting again'
    fi
    check "$kind: copy, $how" cmp big dst
    no_leftovers .
    rm -f dst
  done
done
cd /
finish
