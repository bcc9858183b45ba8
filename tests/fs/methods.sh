#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Which method is chosen for a source that is written to, which files remain, and --live.
. "$(dirname "$0")/../lib.sh"
fs_test

is_a_state() { # is_a_state COPY FIRST: the copy is what the file was at some moment
  check "$1 is torn" "$TOOLS/numbers" check "$1" "$2" d "$SEED" "$T/progress"
}
no_snapshots() {
  same 'no snapshot is left' '' "$(find "$1" -name '.*lullcp-snap*')"
}

# ---- XFS ----
fs_mount xfs
fragmented "$M/f" 4000
cp "$M/f" "$M/first"
writer "$M/f"
expect 0 --json "$M/f" "$M/a"
same 'XFS' atomic "$(field method)"
is_a_state "$M/a" "$M/first"
check 'announced' grep -q '"announced_method":"atomic"' "$T/out"
expect 0 --json --passes=1 "$M/f" "$M/b"
same 'one pass, and one call' 2 "$(field passes)"
is_a_state "$M/b" "$M/first"
expect 0 --on-writers=trust --passes=1 "$M/f" "$M/c"
says 'may be torn'
expect 3 --on-writers=fail "$M/f" "$M/d"
says 'was written to meanwhile'
check_not 'published' test -e "$M/d"
expect 3 --on-writers=snapshot --restart "$M/f" "$M/d"
says 'snapshot'
expect 0 --resume "$M/f" "$M/d"
is_a_state "$M/d" "$M/first"
stop_writer
no_leftovers "$M"
expect 0 --json "$M/f" "$M/e"
same 'nobody writes' quiet "$(field method)"
# A log that is appended to all the time: published at a size that it had.
(while :; do head -c 5000 /dev/urandom >>"$M/f"; done) &
W=$!
for _ in 1 2 3; do
  expect 0 --json --latency-budget=1ms "$M/f" "$M/g"
  size=$(stat -c %s "$M/g")
  same 'size' "$(field size)" "$size"
  check 'a log is its own beginning' cmp -n "$size" "$M/g" "$M/f"
done
kill "$W"
wait "$W" 2>/dev/null
fs_unmount "$M"

# ---- Btrfs ----
# Before Linux 5.13 a snapshot is made only if it is asked for: stores.sh.
ask=()
! kernel_before 5.13 || ask=(--on-writers=snapshot)
fs_mount btrfs 2G
chmod 755 "$T" "$M"
# snapshotted WHAT SOURCE DEST: where a snapshot would take longer than one call over the file, on a
# machine that does much else, that call will do; so it is tried again
snapshotted() {
  for _ in 1 2 3 4 5; do
    expect 0 --json "${ask[@]}" "$2" "$3"
    [ "$(field method)" = atomic ] || break
  done
  same "$1" snapshot "$(field method)"
}
btrfs subvolume create "$M/sub" >/dev/null
btrfs subvolume create "$M/sub/nested" >/dev/null
for dir in "$M" "$M/sub" "$M/sub/nested"; do
  fragmented "$dir/f" 6000
  cp "$dir/f" "$M/first"
  writer "$dir/f"
  snapshotted "in $dir" "$dir/f" "$M/copy"
  is_a_state "$M/copy" "$M/first"
  expect 0 --on-writers=atomic --json "$dir/f" "$M/copy"
  same "in $dir, asked for" atomic "$(field method)"
  is_a_state "$M/copy" "$M/first"
  stop_writer
  no_snapshots "$M"
  no_leftovers "$M"
  expect 0 --json "$dir/f" "$M/copy"
  same "in $dir, nobody writes" quiet "$(field method)"
done
# one call over a small file is over before a snapshot is: it will do where one was asked for
fragmented "$M/small" 2500
cp "$M/small" "$M/first"
writer "$M/small"
LD_PRELOAD=$TOOLS/late.so expect 0 --on-writers=snapshot --json "$M/small" "$M/copy"
same 'a small file' atomic "$(field method)"
is_a_state "$M/copy" "$M/first"
no_snapshots "$M"
stop_writer
rm "$M/small"
# the source through a link and a bind mount of a directory: no way up to the subvolume
mkdir "$M/dir" "$M/bind"
cp "$M/f" "$M/dir/f"
ln -s dir/f "$M/link"
writer "$M/dir/f"
snapshotted 'through a link' "$M/link" "$M/copy"
mount --bind "$M/dir" "$M/bind"
expect 3 --json "${ask[@]}" "$M/bind/f" "$M/bind/g"
check_not 'published through a bind mount' test -e "$M/dir/g"
stop_writer
umount "$M/bind"
rm -f "$M"/dir/.*lullcp*
no_snapshots "$M"
# a read-only subvolume cannot change: a quiet pass
btrfs subvolume snapshot -r "$M/sub" "$M/ro" >/dev/null
expect 0 --json "$M/ro/f" "$M/copy"
same 'read-only' quiet "$(field method)"
# an ordinary user: only where snapshots can be deleted again
btrfs subvolume create "$M/user" >/dev/null
chown 65534:65534 "$M/user"
install -d -m 700 -o 65534 -g 65534 "$T/nobody"
as_nobody() {
  STATE_DIRECTORY=$T/nobody setpriv --reuid=65534 --regid=65534 --clear-groups "$LULLCP" "$@"
}
cp "$M/f" "$M/user/f" && chown 65534:65534 "$M/user/f"
writer "$M/user/f"
as_nobody --json "${ask[@]}" "$M/user/f" "$M/user/copy" >"$T/out" 2>"$T/err"
same 'a user: status' 3 $?
rm -f "$M"/user/.*lullcp*
mount -o remount,user_subvol_rm_allowed "$M"
as_nobody --json "${ask[@]}" "$M/user/f" "$M/user/copy" >"$T/out" 2>"$T/err" || bad 'user_subvol_rm_allowed'
same 'a user who may delete' snapshot "$(field method)"
as_nobody --on-writers=fail "$M/user/f" "$M/user/copy2" 2>"$T/err"
same 'fail' 3 $?
stop_writer
rm -f "$M"/user/.*lullcp*
no_snapshots "$M"
# somebody else's subvolume
chown 0:0 "$M/user" && chmod 777 "$M/user"
writer "$M/user/f"
as_nobody --json "${ask[@]}" "$M/user/f" "$M/user/copy3" >"$T/out" 2>"$T/err"
same 'not the owner: status' 3 $?
stop_writer
rm -f "$M"/user/.*lullcp*
no_snapshots "$M"

# held_at_snapshot NAME: a clone of $M/f that stands still while it has a snapshot; its process is
# $pid. A clone that was over before this looked is made again.
held_at_snapshot() {
  local snapshot=$M/.$1.lullcp-snap/snapshot
  for _ in $(seq 20); do
    "$LULLCP" --duty-cycle=1 --latency-budget=1ms "${ask[@]}" "$M/f" "$M/$1" 2>/dev/null &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
      [ -e "$snapshot" ] && [ -e "$M/.$1.lullcp" ] || continue
      kill -STOP $pid
      until grep -q '^State:.[TZ]' "/proc/$pid/status" 2>/dev/null; do kill -0 $pid 2>/dev/null || break; done
      [ ! -e "$snapshot" ] || return 0
      kill -CONT $pid
      break
    done
    wait $pid
    rm -f "$M/$1"
  done
  return 1
}

# Killed while it clones from a snapshot: the keeper deletes it; the keeper killed as well:
# the next run does, or --recover.
for how in keeper recover resume restart; do
  writer "$M/f"
  check "$how: there is a snapshot" held_at_snapshot killed
  # shellcheck disable=SC2046 # a list
  [ $how = keeper ] || kill -9 $(pgrep -P "$pid")
  kill -9 "$pid"
  wait "$pid" 2>/dev/null
  stop_writer
  case $how in
    keeper) soon is_gone "$M/.killed.lullcp-snap" ;;
    recover) expect 0 --recover "$M/killed" ;;
    *) expect 0 --$how "$M/f" "$M/killed" ;;
  esac
  no_snapshots "$M"
  # the keeper holds the lock until it has written down that the snapshot is gone
  expect 0 --resume --lock-wait=60s "$M/f" "$M/killed"
  check "$how: whole" cmp "$M/f" "$M/killed"
  no_leftovers "$M"
  rm "$M/killed"
done
# ended by a signal: it takes the snapshot with it, and --resume goes on
writer "$M/f"
check 'there is a snapshot' held_at_snapshot term
kill -TERM "$pid"
kill -CONT "$pid"
wait "$pid"
same 'SIGTERM' 143 $?
no_snapshots "$M"
expect 0 --resume "${ask[@]}" "$M/f" "$M/term"
stop_writer
no_leftovers "$M"
fs_unmount "$M"

# ---- a file of another size for a moment ----
# What one call clones is what the file was at one moment, and as long as it was then.
letters() { # letters FILE: the first of each block
  local i
  for ((i = 0; i < $(stat -c %s "$1"); i += 4096)); do od -An -c -j$i -N1 "$1"; done | tr -d ' \n'
}
for kind in xfs btrfs; do
  fs_mount $kind
  head -c 16384 /dev/zero | tr '\0' A >"$M/four"
  echo old >"$M/there"
  # as a kernel stamps it, and as one does for which all of this happens within one tick
  for option in '' --inplace --reflink=auto; do
    for to in new there new:ticks there:ticks; do
      preload=$TOOLS/moment.so
      [ $to = ${to%:*} ] || preload+=:$TOOLS/ticks.so
      to=${to%:*}
      cp --reflink=never "$M/four" "$M/f"
      rm -f "$M/new"
      LD_PRELOAD=$preload expect 0 ${option:+"$option"} "$M/f" "$M/$to"
      same "$kind $option: the writer was there" BDAA "$(letters "$M/f")"
      case $(letters "$M/$to") in
        AAAA | AAAAC | BAAAC | BDAAC | BDAA) ok ;;
        *) bad "$kind $option $to: torn: $(letters "$M/$to")" ;;
      esac
    done
  done
  no_leftovers "$M"
  fs_unmount "$M"
done

# ---- --live ----
for kind in xfs btrfs; do
  fs_mount $kind
  fragmented "$M/f" 5000
  # the hook stops the writer, which has written until then
  cat >"$M/hook" <<H
#!/bin/sh
case \$1 in
  freeze)
    kill -STOP \$(cat $T/pid)
    # it stops when it is next at work, after a write that has begun
    until grep -q '^State:.T' /proc/\$(cat $T/pid)/status; do :; done
    b2sum <$M/f >$T/frozen ;;
  thaw) b2sum <$M/f >$T/thawed; kill -CONT \$(cat $T/pid) ;;
esac
H
  chmod +x "$M/hook"
  writer "$M/f"
  echo $W >"$T/pid"
  expect 0 --live --json --hook="$M/hook" "$M/f" "$M/a"
  check "$kind: passes before" [ "$(field passes)" -gt 1 ]
  same "$kind: the copy is the frozen state" "$(cat "$T/frozen")" "$(b2sum <"$M/a")"
  same "$kind: nobody wrote" "$(cat "$T/frozen")" "$(cat "$T/thawed")"
  frozen=$(field freeze_ns)
  check "$kind: frozen for a part of the time" [ "$frozen" -lt "$(field elapsed_ns)" ]
  # what cannot fit is not begun
  rm "$T/frozen"
  expect 3 --live --max-freeze=100us --hook="$M/hook" "$M/f" "$M/b"
  says 'would have to be frozen'
  check_not "$kind: frozen all the same" test -e "$T/frozen"
  check_not "$kind: published" test -e "$M/b"
  expect 0 --resume --live --hook="$M/hook" "$M/f" "$M/b"
  same "$kind: resumed" "$(cat "$T/frozen")" "$(b2sum <"$M/b")"
  stop_writer
  no_leftovers "$M"
  fs_unmount "$M"
done
finish
