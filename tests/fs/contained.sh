#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# In a container: user 0 of a user namespace, on an id-mapped mount (LXC, systemd-nspawn, Podman).
# Files that the container's root owns can be cloned, kept in rows, refreshed and restored as elsewhere.
# Other files, and owners outside of its map, get a clear message.
. "$(dirname "$0")/../lib.sh"
fs_test
! kernel_before 5.19 || cannot_run 'needs id-mapped mounts of Btrfs'

inside() { # inside STATUS ARG...: lullcp in the container
  local want=$1
  shift
  rc=0
  "$TOOLS/contained" run "$LULLCP" "$@" >"$T/out" 2>"$T/err" </dev/null || rc=$?
  if [ "$rc" = "$want" ]; then ok; else bad "lullcp $*: status $rc, not $want"; fi
}
whole() { # whole FILE: equals img, and is the container's
  check "${1##*/} differs" cmp "$M/owned/img" "$1"
  same "${1##*/}: owner on the disk, and in the container" '0 100000' "$(stat -c %u "$1") $(stat -c %u "$C/${1##*/}")"
}

for kind in xfs xfs-exchange btrfs; do
  [ $kind != xfs-exchange ] || ! kernel_before 6.10 || continue
  fs_mount $kind
  note $kind
  mkdir "$M/owned" "$T/inside$n_fs"
  "$TOOLS/contained" mount "$M" "$T/inside$n_fs" || cannot_run 'no id-mapped mounts'
  chmod 755 "$T" "$M" "$M/owned"
  C=$T/inside$n_fs/owned
  fragmented "$M/owned/img" 3000 -h 7
  echo small >"$M/owned/small"

  inside 0 "$C/img" "$C/clone"
  silent
  whole "$M/owned/clone"
  inside 0 "$C/small" "$C/small2"
  inside 0 --hook=/bin/true "$C/img" "$C/hooked"
  whole "$M/owned/hooked"
  scribble "$M/owned/img" 4096 5 900
  inside 0 --refresh "$C/img" "$C/clone"
  whole "$M/owned/clone"
  scribble "$M/owned/img" 4096 6 901
  inside 0 --inplace "$C/img" "$C/hooked"
  whole "$M/owned/hooked"
  inside 0 --verify "$C/img" "$C/hooked"

  # interrupted, resumed
  rc=0
  timeout -s TERM 1 "$TOOLS/contained" run timeout -s TERM 0.4 "$LULLCP" --duty-cycle=1 --latency-budget=1ms \
    --checkpoint-interval=0 "$C/img" "$C/slow" 2>/dev/null || rc=$?
  same 'interrupted' 124 "$rc"
  check 'a checkpoint of the container' test "$(stat -c %u "$M/owned/.slow.lullcp")" = 0
  inside 0 --resume --json "$C/img" "$C/slow"
  check_not 'it began anew' test "$(field resumed_at)" = 0
  whole "$M/owned/slow"
  # on this mount the host has other users; on the other one it is who it was
  expect 0 --verify "$M/owned/img" "$M/owned/slow"

  # a row: the older generation is used up, which asks who has it open
  for _ in 1 2 3; do
    inside 0 --keep=2 "$C/img" "$C/row"
    silent
  done
  same 'generations' 2 "$(find "$M/owned" -name 'row.2*' | wc -l)"
  scribble "$M/owned/img" 4096 7 902
  inside 0 --restore "$C/row.latest" "$C/img"
  silent
  check "restored" cmp "$M/owned/img" "$(find "$M/owned" -name 'row.2*' | sort | tail -n 1)"
  inside 0 --discard "$C/img.before-restore"
  check_not 'discarded' test -e "$M/owned/img.before-restore"

  # a tree, its owners and its files that are none of the map
  mkdir "$M/owned/tree"
  cp "$M/owned/img" "$M/owned/tree/a"
  echo b >"$M/owned/tree/b"
  chown 7:8 "$M/owned/tree/b"
  inside 0 -a "$C/tree" "$C/tree2"
  silent
  same 'the owner in the tree' '7 8' "$(stat -c '%u %g' "$M/owned/tree2/b")"
  echo host >"$M/owned/host"
  chown 200000:200000 "$M/owned/host"
  chmod 600 "$M/owned/host"
  inside 1 "$C/host" "$C/host2"
  says "cannot open '$C/host' for reading: Permission denied"
  # the host's root is nobody there: it can read, and make nothing, with cp as well
  expect 1 "$C/img" "$C/outside"
  says "cannot create regular file '$C/outside': Value too large for defined data type"

  # a writer that never pauses
  "$TOOLS/numbers" write "$M/owned/img" d "$SEED" "$T/progress" 2>/dev/null &
  writer=$!
  inside_status=0
  "$TOOLS/contained" run "$LULLCP" --json "$C/img" "$C/live" >"$T/out" 2>"$T/err" || inside_status=$?
  kill $writer
  wait $writer 2>/dev/null
  case $kind in
    btrfs)
      # a snapshot could not be deleted there again
      [ "$inside_status" = 3 ] || [ "$(field method)" = single ] || [ "$(field method)" = quiet ] ||
        bad "status $inside_status, method $(field method)"
      ;;
    *) same 'a live image' 0 "$inside_status" ;;
  esac
  fs_unmount "$T/inside$n_fs"
  fs_unmount "$M"
done

finish
