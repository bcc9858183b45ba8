#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Interruptions and their aftermath: resume, redo, restart, refusals, the lock, and writers without a
# hook.
. "$(dirname "$0")/../lib.sh"
fs_test
command -v strace >/dev/null || cannot_run 'needs strace'

interrupt() { # interrupt SECONDS ARG...: leaves an interrupted clone
  local after=$1 status=("${@: -1}") # of DEST, the last argument
  shift
  case $1 in --checkpoint=*) status+=("$1") ;; esac
  "$LULLCP" --duty-cycle=2 --checkpoint-interval=50ms "$@" 2>"$T/err" &
  local pid=$!
  if [ "$after" = work ]; then # once a checkpoint says that it has come somewhere
    for _ in $(seq 200); do
      [ "$("$LULLCP" --status --json "${status[@]}" 2>/dev/null | jq .offset)" -gt 0 ] 2>/dev/null && break
      sleep 0.02
    done
  else
    sleep "$after"
  fi
  kill -TERM $pid
  wait $pid
  same 'interrupted' 143 $?
}
change() { # change FILE: overwrite, punch, extend or truncate somewhere
  local size
  size=$(stat -c %s "$1")
  case $((RANDOM % 5)) in
    0) scribble "$1" 70000 $((RANDOM % 100)) ;;
    1) fallocate -p -o $((RANDOM * 100)) -l $((RANDOM * 50 + 4096)) "$1" ;;
    2) head -c 100001 /dev/urandom >>"$1" ;;
    3) truncate -s $((size - size / 4 - 77)) "$1" ;;
    4) truncate -s $((size + 3000001)) "$1" ;;
  esac
}

# Others wait for each sync of a checkpoint: on XFS one has to do, elsewhere that of DEST as well.
synced() { # synced MOST: so many a checkpoint, and some for the beginning and the end
  local syncs renames
  fragmented "$M/syncs" 3000
  strace -fqq -e trace=fsync,fdatasync,rename,renameat,renameat2 -o "$T/trace" \
    "$LULLCP" --checkpoint-interval=0 --latency-budget=1ms --duty-cycle=20 "$M/syncs" "$M/synced" 2>"$T/err" ||
    bad 'under strace'
  syncs=$(grep -c 'sync(' "$T/trace") renames=$(grep -cE 'rename[a2t]*\(' "$T/trace")
  check "$renames renames" test "$renames" -ge 10
  check "$syncs syncs, $renames renames" test "$syncs" -le $((renames * $1 + 8))
  rm "$M/syncs" "$M/synced"
}

# XFS stops all others while it writes what has gathered for its log: not much may gather.
forced() { # forced LEAST: so many syncs while the clone is made, and no more than one each 200 ms
  local syncs most=0 begun slow=(--latency-budget=1ms --duty-cycle=2 --checkpoint-interval=1h)
  fragmented "$M/long" 4000
  begun=$(date +%s%3N)
  strace -fqq -e trace=ioctl,fdatasync -o "$T/trace" "$LULLCP" "${slow[@]}" "$M/long" "$M/forced" 2>"$T/err" ||
    bad 'under strace'
  # between the first clone call and the last
  syncs=$(awk '/FICLONERANGE/ { n += since; since = 0; begun = 1 } /fdatasync/ && begun { since++ }
    END { print n + 0 }' "$T/trace")
  [ "$1" -eq 0 ] || most=$((($(date +%s%3N) - begun) / 200))
  check "$kind: $syncs syncs while it is cloned" test "$syncs" -ge "$1" -a "$syncs" -le "$most"
  rm "$M/forced"
  [ "$1" -gt 0 ] || return 0
  # one that fails is heard of, for the kernel tells it once
  strace -fqq -e trace=fdatasync -e inject=fdatasync:error=EIO:when=2 -o /dev/null \
    "$LULLCP" "${slow[@]}" "$M/long" "$M/forced" 2>"$T/err"
  same 'a sync fails: status' 1 $?
  says 'Input/output error'
  check_not 'a sync fails: nothing is published' test -e "$M/forced"
  rm -f "$M/long" "$M"/.forced.*
}

# For fdatasync Btrfs logs each new extent, at more than its clone took: many are committed.
committed() {
  fragmented "$M/many" 22000
  strace -fqq -e trace=ioctl,fdatasync -o "$T/trace" "$LULLCP" "$M/many" "$M/committed" 2>"$T/err" ||
    bad 'under strace'
  check 'many extents: a commit, and what it came to' \
    awk '/BTRFS_IOC_WAIT_SYNC/ { done = 1 } /fdatasync/ && done { ok = 1 } END { exit !ok }' "$T/trace"
  strace -fqq -e trace=ioctl,fdatasync -o "$T/trace" "$LULLCP" "$M/src" "$M/logged" 2>"$T/err" ||
    bad 'under strace'
  check_not 'few extents: none' grep -q BTRFS_IOC_START_SYNC "$T/trace"
  rm "$M/many" "$M/committed" "$M/logged"
}

for kind in $(kinds xfs btrfs btrfs-compress); do
  fs_mount "$kind"
  note "$kind"
  fragmented "$M/src" 5000 -h 10
  # the sanitizer looks for leaks only where nobody traces
  case $kind${ASAN_OPTIONS:+-sanitized} in
    xfs)
      synced 1
      forced 3
      ;;
    btrfs)
      synced 2
      forced 0
      committed
      ;;
  esac

  # unchanged: goes on where it stopped
  interrupt work "$M/src" "$M/a"
  expect 1 "$M/src" "$M/a"
  says '--resume'
  expect 0 --status "$M/a"
  check 'status' grep -q 'not frozen' "$T/out"
  expect 0 --status --json "$M/a"
  at=$(jq .offset "$T/out")
  cp "$M/.a.lullcp" "$T/good"
  expect 0 --resume --json "$M/src" "$M/a"
  same 'resumed_at is the checkpoint' "$at" "$(field resumed_at)"
  check 'it had come somewhere' test "$at" -gt 0
  check 'resumed' cmp "$M/src" "$M/a"
  no_leftovers "$M"
  expect 1 --status "$M/a"
  says 'no interrupted clone'
  # a file that has got the number of the one that is gone is another one
  jq '.phase = "complete" | .destination.generation += 1' "$T/good" >"$T/done"
  install -m 600 "$T/done" "$M/.a.lullcp"
  own_state "$M/.a.lullcp"
  expect 0 --status --json "$M/a"
  same 'another file of that number' false "$(jq .published "$T/out")"
  expect 1 "$M/src" "$M/a"
  rm "$M/.a.lullcp"
  # crashed between publishing and removing the checkpoint, and mounted elsewhere since
  same 'it was published by its inode' "$(stat -c %i "$M/a")" "$(jq .destination.inode "$T/good")"
  jq '.phase = "complete"' "$T/good" >"$T/done"
  install -m 600 "$T/done" "$M/.a.lullcp"
  own_state "$M/.a.lullcp"
  mkdir -p "$T/elsewhere"
  mount --bind "$M" "$T/elsewhere"
  expect 0 --resume "$T/elsewhere/src" "$T/elsewhere/a"
  check 'the same file elsewhere' cmp "$M/src" "$M/a"
  umount "$T/elsewhere"
  no_leftovers "$M"
  expect 0 --resume "$M/src" "$M/a" # nothing to resume: starts one
  # changed meanwhile, several times over
  for _ in $(seq 12); do
    rm -f "$M/a"
    fragmented "$M/src" 3000 -h 10
    interrupt 0.15 "$M/src" "$M/a"
    for _ in $(seq $((RANDOM % 3 + 1))); do change "$M/src"; done
    run --resume --json "$M/src" "$M/a" & # and killed once more
    pid=$!
    sleep 0.0$((RANDOM % 9))
    pkill -KILL -P $pid
    wait $pid
    [ $((RANDOM % 2)) = 0 ] || change "$M/src"
    expect 0 --resume --json "$M/src" "$M/a"
    check 'resumed after changes' cmp "$M/src" "$M/a"
  done
  no_leftovers "$M"
  fragmented "$M/src" 5000 -h 10
  # restart, and a temporary file that is gone
  rm -f "$M/a"
  interrupt 0.2 "$M/src" "$M/a"
  expect 0 --restart --json "$M/src" "$M/a"
  same 'restart begins at 0' 0 "$(field resumed_at)"
  check 'restarted' cmp "$M/src" "$M/a"
  interrupt 0.2 "$M/src" "$M/a"
  rm "$M/.a.lullcp-part"
  expect 0 --resume "$M/src" "$M/a"
  says 'starting again'
  check 'started again' cmp "$M/src" "$M/a"
  # checkpoints that are not to be touched
  interrupt 0.2 "$M/src" "$M/a"
  cp "$M/.a.lullcp" "$T/good"
  cp --reflink=always "$M/src" "$M/other"
  refuse() { # refuse TEXT: with --resume and with --restart, and all stays
    local before how
    before=$(ls -lA --full-time "$M"; b2sum "$M/.a.lullcp")
    for how in ${hows:---resume --restart}; do
      expect 1 "$how" "${source:-$M/src}" "$M/a"
      says "$1"
      same "refused: $1" "$before" "$(ls -lA --full-time "$M"; b2sum "$M/.a.lullcp")"
    done
  }
  source=$M/other hows=--resume refuse 'belongs to another clone'
  head -c 200 "$T/good" >"$M/.a.lullcp"
  refuse 'is damaged'
  : >"$M/.a.lullcp"
  refuse 'is damaged'
  sed 's/"schema": 2/"schema": 1/' "$T/good" >"$M/.a.lullcp"
  refuse 'another version'
  cp "$T/good" "$M/.a.lullcp"
  chmod 666 "$M/.a.lullcp"
  refuse 'not to be trusted'
  chmod 600 "$M/.a.lullcp"
  chown 1234 "$M/.a.lullcp"
  refuse 'not to be trusted'
  chown 0 "$M/.a.lullcp"
  expect 0 --resume "$M/src" "$M/a"
  check 'resumed with the good one' cmp "$M/src" "$M/a"
  echo stranger >"$M/.a.lullcp-part"
  expect 1 "$M/src" "$M/a"
  says 'is in the way'
  same 'it is kept' stranger "$(cat "$M/.a.lullcp-part")"
  expect 0 --restart "$M/src" "$M/a"
  echo half >"$M/.a.lullcp-part"
  expect 0 --resume "$M/src" "$M/a"
  check 'a part that nobody answers for is no obstacle to --resume' cmp "$M/src" "$M/a"
  no_leftovers "$M"
  # a checkpoint elsewhere
  rm "$M/a"
  interrupt work --checkpoint="$T/cp" "$M/src" "$M/a"
  check 'it is there' test -s "$T/cp"
  expect 0 --resume --checkpoint="$T/cp" --json "$M/src" "$M/a"
  check 'resumed with it' test "$(field resumed_at)" -gt 0
  check_not 'it is gone' test -e "$T/cp"
  # in place
  echo old >"$M/b"
  interrupt work --inplace "$M/src" "$M/b"
  says 'is incomplete'
  expect 0 --inplace --resume --json "$M/src" "$M/b"
  check 'in place, resumed' cmp "$M/src" "$M/b"
  check 'in place: resumed_at' test "$(field resumed_at)" -gt 0
  no_leftovers "$M"
  # DEST in place, with other names than before: it goes on where half of it is
  echo old >"$M/n"
  ln "$M/n" "$M/n2"
  interrupt work "$M/src" "$M/n"
  rm "$M/n2"
  inode=$(stat -c %i "$M/n")
  expect 0 --resume --json "$M/src" "$M/n"
  check 'one name less: resumed' test "$(field resumed_at)" -gt 0
  check 'one name less' cmp "$M/src" "$M/n"
  same 'one name less: still that file' "$inode" "$(stat -c %i "$M/n")"
  no_leftovers "$M"
  # but not into another file that now has its name
  ln "$M/n" "$M/n2"
  interrupt work "$M/src" "$M/n"
  rm "$M/n"
  echo other >"$M/other"
  cp "$M/other" "$M/n"
  exec 9<"$M/n"
  expect 0 --resume "$M/src" "$M/n"
  check 'another file: replaced' cmp "$M/src" "$M/n"
  check 'another file: not written into' cmp "$M/other" /proc/self/fd/9
  exec 9<&-
  rm "$M/n2" "$M/other"
  for option in --resume --restart; do
    echo old >"$M/n"
    interrupt work "$M/src" "$M/n"
    ln "$M/n" "$M/n2"
    expect 0 $option "$M/src" "$M/n"
    check 'one name more' cmp "$M/src" "$M/n"
    check 'one name more: still two names' test "$M/n" -ef "$M/n2"
    no_leftovers "$M"
    rm "$M/n2"
  done
  # a pass beside writers says nothing of the source
  "$LULLCP" -q --max-freeze=50ms --duty-cycle=2 --hook=true "$M/src" "$M/live" 2>"$T/err"
  same '--max-freeze stops it' 3 $?
  expect 0 --resume --live --hook=true "$M/src" "$M/live"
  if grep 'has changed since' "$T/err"; then bad 'a live pass takes the source for changed'; else ok; fi
  # a sync that fails: what is said is so, and the next run is not in trouble
  for at in {1..8}; do
    echo old >"$M/f"
    # LeakSanitizer does not work under strace
    ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -f -qq -o /dev/null -e trace=fsync -e inject=fsync:error=EIO:when="$at" \
      "$LULLCP" --duty-cycle=100 "$M/src" "$M/f" 2>"$T/err"
    rc=$?
    if [ $rc = 0 ]; then
      check "fsync $at: whole" cmp "$M/src" "$M/f"
    elif cmp -s "$M/src" "$M/f"; then
      says 'is the new clone, but its directory cannot be written to disk'
    else
      same "fsync $at fails: $(cat "$T/err")" old "$(cat "$M/f")"
    fi
    expect 0 --duty-cycle=100 "$M/src" "$M/f"
    no_leftovers "$M"
  done
  # one at a time
  "$LULLCP" --duty-cycle=2 "$M/src" "$M/c" 2>/dev/null &
  pid=$!
  sleep 0.2
  expect 11 "$M/src" "$M/c"
  says 'another lullcp'
  expect 11 --resume "$M/src" "$M/c"
  expect 11 --lock-wait=100ms "$M/src" "$M/c"
  expect 0 --status "$M/c"
  check 'status: at work' grep -q 'at work now' "$T/out"
  kill -USR1 $pid
  (sleep 0.3; kill -TERM $pid) &
  expect 0 --lock-wait=10s --resume "$M/src" "$M/c"
  check 'after the wait' cmp "$M/src" "$M/c"
  for _ in $(seq 20); do "$LULLCP" --lock-wait=20s --resume "$M/src" "$M/c" & done 2>/dev/null
  wait
  check 'twenty at once' cmp "$M/src" "$M/c"
  no_leftovers "$M"
  # writers and no hook: never torn, never published
  echo old >"$M/d"
  "$TOOLS/numbers" write "$M/src" s "$SEED" "$T/progress" &
  writer=$!
  soon test -s "$T/progress"
  expect 3 --duty-cycle=20 --on-writers=fail "$M/src" "$M/d"
  says 'was written to meanwhile'
  says '--hook'
  same 'nothing was published' old "$(cat "$M/d")"
  # but what one call does is atomic by itself, on Btrfs since Linux 5.13
  ask=()
  case $kind in btrfs*) ! kernel_before 5.13 || ask=(--on-writers=atomic) ;; esac
  expect 0 --json --latency-budget=10s "${ask[@]}" "$M/src" "$M/e"
  # asked for, and not needed if the writer happened to rest
  [ "${ask[*]}" ] && [ "$(field method)" = atomic ] || same 'one call' single "$(field method)"
  kill $writer
  wait $writer 2>/dev/null
  rm "$T/progress"
  expect 0 --resume --json "$M/src" "$M/d"
  check 'when they pause' cmp "$M/src" "$M/d"
  no_leftovers "$M"
  fs_unmount "$M"
done
finish
