#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The snapshot of method snapshot: who can reach it while it exists, what is left of it, and why none can
# be taken in some places.
. "$(dirname "$0")/../lib.sh"
fs_test
chmod 755 "$T"

as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
subvolumes() { # subvolumes MOUNT: their paths, of whatever lullcp has made
  btrfs subvolume list "$1" | sed -n 's/.* path //p' | grep lullcp
}
wait_for_snapshot() { # wait_for_snapshot PID: until it is there; sets $snap, the path in $M
  for _ in $(seq 3000); do
    snap=$(subvolumes "$M") && return
    kill -0 "$1" 2>/dev/null || return
    sleep 0.01
  done
}
# A pass takes a part of a second, so that the writer comes to write in it on a busy machine as well.
ask=(--duty-cycle=10)
! kernel_before 5.13 || ask+=(--on-writers=snapshot)

# ---- nobody else can reach it ----
# A subvolume whose root is open to all, in a directory that is not: what is in there can be reached
# at DEST's place only through the snapshot.
fs_mount btrfs 2G
chmod 755 "$M"
mkdir -m 700 "$M/closed"
btrfs -q subvolume create "$M/closed/sub"
chmod 755 "$M/closed/sub"
echo 'not yours' >"$M/closed/sub/secret"
chmod 644 "$M/closed/sub/secret"
mkdir -m 755 "$M/open"
# what new directories inherit here does not open them
! command -v setfacl >/dev/null || setfacl -d -m u:65534:rwx,o::rwx "$M/open"
fragmented "$M/closed/sub/f" 6000
check_not 'the secret is open to all already' as_nobody cat "$M/closed/sub/secret"
for how in left term kill orphan; do
  writer "$M/closed/sub/f"
  "$LULLCP" --duty-cycle=2 --latency-budget=1ms "${ask[@]}" "$M/closed/sub/f" "$M/open/dst" \
    >"$T/out" 2>"$T/err" &
  pid=$!
  wait_for_snapshot $pid
  check "$how: there is a snapshot" test -n "$snap"
  # All that is at DEST's place, and all that the snapshot is known to hold.
  as_nobody find "$M/open" -name secret >"$T/found" 2>/dev/null
  same "$how: what others find" '' "$(cat "$T/found")"
  check_not "$how: others read it" as_nobody cat "$M/$snap/secret"
  check_not "$how: others search it" as_nobody stat "$M/$snap"
  same "$how: still at work, or nothing was tried" 1 "$(kill -0 $pid 2>/dev/null && echo 1)"
  case $how in
    left) ;; # alone, to its end
    term) kill -TERM $pid ;;
    kill | orphan)
      keeper=$(pgrep -P $pid)
      [ $how = kill ] || kill -9 "$keeper"
      kill -9 $pid ;;
  esac
  [ $how != left ] || stop_writer
  wait $pid 2>/dev/null
  [ $how = left ] || stop_writer
  case $how in
    kill) for _ in $(seq 600); do [ -n "$(subvolumes "$M")" ] || break; sleep 0.05; done ;;
    orphan)
      # the directory that is left is as closed as it was
      check_not 'orphan: others search it' as_nobody ls "$M/open/.dst.lullcp-snap"
      expect 0 --recover "$M/open/dst" ;;
  esac
  same "$how: subvolumes left" '' "$(subvolumes "$M")"
  # the keeper holds the lock until it has written down that the snapshot is gone
  expect 0 --resume --lock-wait=10s "$M/closed/sub/f" "$M/open/dst"
  check "$how: whole" cmp "$M/closed/sub/f" "$M/open/dst"
  no_leftovers "$M/open"
  rm -f "$M/open/dst"
done

# ---- one that could not be deleted ----
# No checkpoint names it by then: the next run to that DEST deletes it, by whatever method it clones.
writer "$M/closed/sub/f"
"$LULLCP" --duty-cycle=2 --latency-budget=1ms "${ask[@]}" "$M/closed/sub/f" "$M/open/dst" 2>"$T/err" &
pid=$!
wait_for_snapshot $pid
check 'given up: there is a snapshot' test -n "$snap"
kill -9 "$(pgrep -P $pid)"
kill -9 $pid
wait $pid 2>/dev/null
stop_writer
rm "$M"/open/.dst.lullcp "$M"/open/.dst.lullcp-part
expect 0 --on-writers=fail "$M/closed/sub/f" "$M/open/dst"
same 'given up: subvolumes left' '' "$(subvolumes "$M")"
no_leftovers "$M/open"
rm "$M/open/dst"

# ---- what others have put in its place ----
mkdir -m 777 "$M/pub"
writer "$M/closed/sub/f"
for how in directory open-directory link file mine-full; do
  name=$M/pub/.dst.lullcp-snap
  case $how in
    directory) as_nobody mkdir -m 700 "$name" ;;
    open-directory) mkdir -m 755 "$name" ;;
    link) as_nobody ln -s "$M/closed" "$name" ;;
    file) as_nobody touch "$name" ;;
    mine-full) mkdir -m 700 "$name"; echo precious >"$name/file" ;;
  esac
  before=$(stat -c '%i %u %a' "$name")
  expect 3 --json "${ask[@]}" "$M/closed/sub/f" "$M/pub/dst"
  says "$name"
  check_not "$how: published" test -e "$M/pub/dst"
  same "$how: left alone" "$before" "$(stat -c '%i %u %a' "$name")"
  same "$how: subvolumes left" '' "$(subvolumes "$M")"
  [ $how != mine-full ] || same 'what was in it' precious "$(cat "$name/file")"
  rm -rf "$name"
  expect 0 --json --resume "${ask[@]}" "$M/closed/sub/f" "$M/pub/dst"
  same "$how: out of the way" snapshot "$(field method)"
  rm -f "$M/pub/dst"
  no_leftovers "$M/pub"
done
stop_writer
fs_unmount "$M"

# ---- user 0 without CAP_SYS_ADMIN ----
# Numbers of subvolumes are never given twice: how many there have been since.
number_of() { # number_of: that of a new subvolume
  btrfs -q subvolume create "$M/count" || framework_failure 'cannot count'
  btrfs inspect-internal rootid "$M/count"
  btrfs -q subvolume delete "$M/count"
}
made() { # made COMMAND...: how many snapshots it makes; its output as run() has it
  local before
  before=$(number_of)
  rc=0
  "$@" >"$T/out" 2>"$T/err" </dev/null || rc=$?
  made=$(($(number_of) - before - 1))
}
in_namespace() { unshare --user --map-root-user "$@"; }
without_admin() { setpriv --bounding-set=-sys_admin --inh-caps=-all "$@"; }
if kernel_before 4.18; then
  note 'this kernel tells nothing about a subvolume without CAP_SYS_ADMIN'
else
  fs_mount btrfs 2G
  fragmented "$M/f" 6000
  cp "$M/f" "$M/first"
  writer "$M/f"
  for who in in_namespace without_admin; do
    $who true || cannot_run "$who"
    # where it could not be deleted again, none is made
    made $who "$LULLCP" --probe --json "$M/f"
    same "$who: the probe" none "$(field method_if_written)"
    made $who "$LULLCP" --json "${ask[@]}" "$M/f" "$M/copy"
    same "$who: status, and snapshots made" '3 0' "$rc $made"
    says user_subvol_rm_allowed
    rm -f "$M"/.copy.lullcp*
  done
  mount -o remount,user_subvol_rm_allowed "$M"
  for who in in_namespace without_admin; do
    made $who "$LULLCP" --probe --json "$M/f"
    same "$who: the probe" "$(kernel_before 5.13 && echo none || echo snapshot) null" \
      "$(field method_if_written) $(field no_snapshot)"
    made $who "$LULLCP" --json "${ask[@]}" "$M/f" "$M/copy"
    same "$who: status and method" '0 snapshot' "$rc $(field method)"
    check "$who: torn" "$TOOLS/numbers" check "$M/copy" "$M/first" d "$SEED" "$T/progress"
    # each attempt makes writers wait
    check "$who: $made attempts" [ "$made" -ge 1 -a "$made" -lt 10 ]
    same "$who: subvolumes left" '' "$(subvolumes "$M")"
    no_leftovers "$M"
    rm -f "$M/copy"
  done
  stop_writer
  fs_unmount "$M"
fi

# ---- why there is none: said by the run, and before it by the probe ----
refused() { # refused SOURCE DEST SUBVOLUME-OR-MOUNT ERRNO WHY
  local shown
  made "$LULLCP" --probe --json "$1" "$(dirname "$2")"
  same "$5: the probe" none "$(field method_if_written)"
  for shown in "$3" "$4" "$5"; do
    check "$5: the probe says $shown" grep -qF -- "$shown" <<<"$(field no_snapshot)"
  done
  made "$LULLCP" --probe "$1" "$(dirname "$2")"
  check "$5: in words" grep -q "^  snapshot   not possible here: .*$5" "$T/out"
  made "$LULLCP" --json "${ask[@]}" "$1" "$2"
  same "$5: status, and snapshots made" "3 0" "$rc $made"
  for shown in "$3" "$4" "$5"; do says "$shown"; done
  check_not "$5: published" test -e "$2"
  rm -f "$(dirname "$2")"/.*.lullcp*
}
if ! kernel_before 5.13; then
  fs_mount btrfs 2G
  top=$M
  btrfs -q subvolume create "$M/sub"
  mkdir "$M/sub/dir" "$M/bound" "$M/out"
  fragmented "$M/sub/dir/f" 3000
  cp "$M/sub/dir/f" "$M/sub/dir/g"
  writer "$M/sub/dir/f"
  mount --bind "$M/sub/dir" "$M/bound"
  refused "$M/bound/f" "$M/out/a" "$M/bound" 'Invalid cross-device link' 'cannot be reached'
  expect 0 --json "$M/sub/dir/f" "$M/out/a"
  same 'the other way' snapshot "$(field method)"
  rm "$M/out/a"
  touch "$M/sub/swap file"
  chattr +C "$M/sub/swap file"
  dd if=/dev/zero of="$M/sub/swap file" bs=1M count=16 status=none
  chmod 600 "$M/sub/swap file"
  mkswap "$M/sub/swap file" >/dev/null 2>&1
  if swapon "$M/sub/swap file"; then
    trap 'swapoff "$top/sub/swap file"; fs_end' EXIT
    refused "$M/sub/dir/f" "$M/out/b" "$M/sub" 'Text file busy' 'a swap file'
    # one that only the kernel knows of: it is asked once in a run, whatever the number of files
    stop_writer
    writer "$M/sub/dir/f"
    f=$W
    cp -p "$T/progress" "$T/progress-f"
    "$TOOLS/numbers" write "$M/sub/dir/g" d "$SEED" "$T/progress-g" & g=$!
    soon has_written "$T/progress-g"
    # until both are written to while they are cloned: on a busy machine a writer may pause
    for _ in $(seq 50); do
      rm -rf "$M"/out/dir "$M"/out/.*.lullcp*
      unshare -m sh -c 'mount --bind /dev/null /proc/swaps && exec "$@"' sh \
        strace -f -qq -e trace=ioctl -o "$T/trace" "$LULLCP" -r "$M/sub/dir" "$M/out" >"$T/out" 2>"$T/err"
      rc=$?
      [ "$(grep -c 'a swap file in the subvolume' "$T/err")" != 2 ] || break
    done
    same 'two files: status' 3 $rc
    says 'Text file busy'
    same 'both are named' 2 "$(grep -c 'a swap file in the subvolume' "$T/err")"
    same 'attempts' 1 "$(grep -c BTRFS_IOC_SNAP_CREATE_V2 "$T/trace")"
    kill $g
    wait $g 2>/dev/null
    W=$f
    swapoff "$M/sub/swap file"
    trap fs_end EXIT
    rm "$M/sub/swap file"
  else
    note 'this machine takes no swap file'
  fi
  stop_writer
  chown 65534 "$M/out"
  chmod 755 "$M" "$M/sub" "$M/sub/dir"
  chmod 644 "$M/sub/dir/f"
  # somebody else's subvolume
  rm -rf "$M"/out/* "$M"/out/.*.lullcp*
  mount -o remount,user_subvol_rm_allowed "$M"
  writer "$M/sub/dir/f"
  as_nobody "$LULLCP" "$M/sub/dir/f" "$M/out/c" 2>"$T/err"
  same 'another owner: status' 3 $?
  says 'belongs to another user'
  says "$M/sub"
  says 'Operation not permitted'
  stop_writer
  umount "$M/bound"
  fs_unmount "$M"

  # overlayfs hands the calls down to XFS, but is not XFS
  fs_mount xfs
  mkdir "$M/upper" "$M/lower" "$M/work" "$M/merged"
  if mount -t overlay -o "lowerdir=$M/lower,upperdir=$M/upper,workdir=$M/work" overlay "$M/merged"; then
    fragmented "$M/upper/f" 3000
    writer "$M/merged/f"
    number_of() { echo 1; }
    made() { # made COMMAND...: on XFS there is nothing to count
      rc=0 made=0
      "$@" >"$T/out" 2>"$T/err" </dev/null || rc=$?
    }
    refused "$M/merged/f" "$M/merged/a" "$M/merged" '' 'is not Btrfs'
    expect 0 --json --on-writers=atomic "$M/merged/f" "$M/merged/a"
    same 'overlay, asked for' atomic "$(field method)"
    expect 0 --probe --json --on-writers=atomic "$M/merged/f"
    same 'overlay, the probe' atomic "$(field method_if_written)"
    stop_writer
    umount "$M/merged"
  else
    note 'this kernel has no overlayfs'
  fi
  fs_unmount "$M"
fi
finish
