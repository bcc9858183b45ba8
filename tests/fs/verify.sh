#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --verify: which data is equal by the extent maps, which has to be read, what differs and where.
. "$(dirname "$0")/../lib.sh"
fs_test

# equal/differ NAME FILE FILE: compares by maps first, by data alone, and with cmp
equal() {
  expect 0 --verify "$2" "$3"
  silent
  expect 0 --verify=data "$2" "$3"
}
differ() {
  local first bytes
  # cmp counts from 1, and of a shorter file says nothing but that it ends
  first=$(cmp -l "$2" "$3" 2>/dev/null | awk 'NR == 1 { print $1 }')
  first=$((${first:-$(stat -c %s "$2" "$3" | sort -n | head -1) + 1} - 1))
  bytes=$(($(cmp -l "$2" "$3" 2>/dev/null | wc -l) + $(stat -c %s "$2" "$3" | sort -n | paste -sd' ' | awk '{ print $2 - $1 }')))
  for how in --verify --verify=data; do
    expect 4 $how --json "$2" "$3"
    same "$1, $how: first" "$first" "$(field first_difference)"
    same "$1, $how: bytes" "$bytes" "$(field bytes_different)"
    same "$1, $how: result" different "$(field result)"
  done
}

places() { filefrag -v "$1" | grep -E '^ *[0-9]+:' | md5sum; }
other_byte() { # other_byte FILE OFFSET: one that is not there already
  local new=X
  [ "$(od -An -c -j"$2" -N1 "$1" | tr -d ' ')" != X ] || new=Y
  printf %s $new | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

for kind in xfs xfs-rmap btrfs btrfs-compress; do
  fs_mount "$kind"
  note "$kind"
  a=$M/a b=$M/b
  fragmented "$a" 3000 -h 20
  head -c 777 /dev/urandom >>"$a"
  # a clone: nothing is read
  expect 0 "$a" "$b"
  expect 0 --verify --json "$a" "$b"
  same 'identical' identical "$(field result)"
  same "$kind: nothing read" 0 "$(field bytes_read)"
  expect 0 --verify=maps "$a" "$b"
  equal clone "$a" "$b"
  # a copy: everything is
  cp --reflink=never "$a" "$M/copy"
  equal copy "$a" "$M/copy"
  expect 1 --verify=maps "$a" "$M/copy"
  says 'cannot tell'
  # one byte: first, last, at the end of an extent, in every second extent, in a hole
  size=$(stat -c %s "$a")
  for at in 0 4095 4096 $((size - 1)) $((size - 778)) 6000000; do
    cp --reflink=always "$a" "$b"
    other_byte "$b" "$at"
    differ "byte $at" "$a" "$b"
  done
  cp --reflink=always "$a" "$b"
  for i in $(seq 0 60 2900); do
    printf XYZ | dd of="$b" bs=1 seek=$((i * 4096 + i)) conv=notrunc status=none
  done
  differ 'many' "$a" "$b"
  # holes: leading, trailing, against zeroes that are written, against preallocation
  truncate -s 5M "$M/hole"
  cp --reflink=always "$M/hole" "$M/hole2"
  equal holes "$M/hole" "$M/hole2"
  head -c 5M /dev/zero >"$M/zero"
  equal 'hole and zeroes' "$M/hole" "$M/zero"
  rm "$M/hole2" && fallocate -l 5M "$M/hole2"
  equal 'hole and preallocation' "$M/hole" "$M/hole2"
  { truncate -s 1M "$M/lead" && head -c 70001 /dev/urandom >>"$M/lead"; }
  cp --reflink=always "$M/lead" "$M/lead2"
  equal 'leading hole' "$M/lead" "$M/lead2"
  truncate -s +1M "$M/lead2"
  differ 'trailing hole' "$M/lead" "$M/lead2"
  truncate -s +1M "$M/lead"
  equal 'trailing holes' "$M/lead" "$M/lead2"
  printf Q | dd of="$M/lead2" bs=1 seek=512000 conv=notrunc status=none
  differ 'in the leading hole' "$M/lead" "$M/lead2"
  # extents that touch on disk but not in the file, and the reverse
  head -c 1M /dev/urandom >"$M/x"
  sync "$M/x"
  xfs_io -c "reflink $M/x 0 524288 524288" -c "reflink $M/x 524288 0 524288" -f "$M/y" >/dev/null
  differ 'swapped halves' "$M/x" "$M/y"
  xfs_io -c "reflink $M/x 0 0 524288" -c "reflink $M/x 524288 524288 524288" -f "$M/z" >/dev/null
  equal 'two halves' "$M/x" "$M/z"
  # compressed twice from one extent: the same place, other bytes
  yes abcdefgh | head -c 262144 >"$M/c1"
  sync "$M/c1"
  xfs_io -c "reflink $M/c1 131072 0 131072" -c "reflink $M/c1 0 131072 131072" -f "$M/c2" >/dev/null
  cmp -s "$M/c1" "$M/c2" && equal 'compressed' "$M/c1" "$M/c2" || differ 'compressed' "$M/c1" "$M/c2"
  # compressed and cloned: the maps prove it, of a part that begins within an extent as well
  yes 0123456789 | head -c 1M >"$M/c3"
  sync "$M/c3"
  cp --reflink=always "$M/c3" "$M/c4"
  for i in 1 40 41 130 200; do
    printf X | dd of="$M/c4" bs=1 seek=$((i * 4096 + 5)) conv=notrunc status=none
  done
  sync "$M/c4"
  cp --reflink=always "$M/c4" "$M/c5"
  expect 0 --verify --json "$M/c4" "$M/c5"
  same "$kind: a compressed clone is not read" 0 "$(field bytes_read)"
  differ 'compressed, in places' "$M/c3" "$M/c4"
  expect 4 --verify --json "$M/c3" "$M/c4"
  check "$kind: the rest of them is not read" [ "$(field bytes_read)" -lt 1000000 ]
  # what could not be written to disk is in no map
  for n in 1 2; do
    rc=0
    strace -qq -o /dev/null -e inject=sync_file_range:error=EIO:when=$n \
      "$LULLCP" --verify "$M/c4" "$M/c5" 2>"$T/err" || rc=$?
    same "$kind: flush $n failed" 1 $rc
    says 'Input/output error'
  done
  # small, inline, empty, the same file
  printf hello >"$M/s1"
  cp --reflink=auto "$M/s1" "$M/s2"
  equal inline "$M/s1" "$M/s2"
  printf hellO >"$M/s2"
  differ inline "$M/s1" "$M/s2"
  : >"$M/e1"
  : >"$M/e2"
  equal empty "$M/e1" "$M/e2"
  differ 'empty and not' "$M/e1" "$M/s1"
  equal itself "$a" "$a"
  # what was written, but is not on disk yet
  cp --reflink=always "$a" "$b"
  printf Z | dd of="$b" bs=1 seek=70000 conv=notrunc status=none
  expect 4 --verify "$a" "$b"
  check 'says where' grep -q 'first at byte 70000, 1 byte in 1 range' "$T/out"
  expect 4 --verify -q "$a" "$b"
  silent
  # written to meanwhile: it stands still before it reads, until that is done
  cp --reflink=never "$a" "$b"
  for what in "$a" "$b"; do
    changed_meanwhile "$what" --verify=data "$a" "$b" >"$T/out"
    same "$kind: written to while it was read" 1 "$rc"
    says 'was written to meanwhile'
  done
  # mistakes
  expect 1 --verify "$a" "$M/nothing"
  says 'No such file'
  expect 1 --verify "$M" "$a"
  says 'not a regular file'
  expect 1 --verify=some "$a" "$b"
  expect 1 --verify "$a"
  # another file system: by reading
  mkdir "$T/other" && mount -t tmpfs tmpfs "$T/other"
  cp "$a" "$T/other/a"
  equal 'another file system' "$a" "$T/other/a"
  umount "$T/other" && rmdir "$T/other"
  # read-only: nothing is written to compare
  cp --reflink=always "$a" "$b"
  mount -o remount,ro "$M"
  expect 0 --verify "$a" "$b"
  mount -o remount,rw "$M"
  fs_unmount "$M"
done

# The image of a file system, copied and mounted beside the original: the same UUID, the same
# inode and the same places on disk, but they are other blocks.
for kind in xfs xfs-rmap btrfs; do
  note "$kind: a copy of the image"
  img=$(image 400M) twin=$(image 400M)
  make_fs "$img" "$kind"
  mkdir "$T/one" "$T/two" "$T/bind"
  mount -o loop "$img" "$T/one" || cannot_run "cannot mount $kind"
  fragmented "$T/one/f" 1000 -h 10
  fsfreeze -f "$T/one" && cp --sparse=always "$img" "$twin" && fsfreeze -u "$T/one" ||
    framework_failure 'copy of the image'
  option=loop
  [ $kind = btrfs ] || option=loop,nouuid
  if mount -o $option "$twin" "$T/two" 2>"$T/mount"; then
    equal "$kind: a copy" "$T/one/f" "$T/two/f"
    expect 0 --verify --json "$T/one/f" "$T/two/f"
    same "$kind: a copy is read" "$(stat -c %s "$T/one/f")" "$(field bytes_read)"
    expect 1 --verify=maps "$T/one/f" "$T/two/f"
    says 'cannot tell'
    for at in 5 2000000; do other_byte "$T/one/f" $at; done
    sync "$T/one/f"
    [ $kind = btrfs ] || check "$kind: at the same places" cmp <(places "$T/one/f") <(places "$T/two/f")
    differ "$kind: a copy, written to since" "$T/one/f" "$T/two/f"
    # and nothing else counts as one file system with it
    before=$(b2sum "$T/one/f" "$T/two/f")
    cp "$T/two/f" "$T/two/old"
    expect 1 --refresh "$T/one/f" "$T/two/f"
    expect 1 --refresh --base="$T/two/old" "$T/one/f" "$T/two/new"
    expect 1 --inplace "$T/one/f" "$T/two/f"
    same "$kind: no clone from one to the other" "$before" "$(b2sum "$T/one/f" "$T/two/f")"
    check "$kind: the base is there" cmp "$T/two/f" "$T/two/old"
    no_leftovers "$T/two"
    umount "$T/two"
  else
    # before 6.7 Btrfs takes the copy for the device that is mounted already
    note "$kind: this kernel does not mount it: $(cat "$T/mount")"
    check "$kind: only Btrfs may refuse" test $kind = btrfs
  fi
  # the same file system under two mounts, or in two subvolumes, is one
  expect 0 "$T/one/f" "$T/one/g"
  mount --bind "$T/one" "$T/bind"
  expect 0 --verify --json "$T/one/f" "$T/bind/g"
  same "$kind: a bind mount: nothing read" 0 "$(field bytes_read)"
  umount "$T/bind"
  if [ $kind = btrfs ]; then
    btrfs -q subvolume create "$T/one/sub"
    btrfs -q subvolume snapshot "$T/one" "$T/one/snap"
    expect 0 "$T/one/f" "$T/one/sub/g"
    for other in sub/g snap/f; do
      expect 0 --verify --json "$T/one/f" "$T/one/$other"
      same "$other: nothing read" 0 "$(field bytes_read)"
    done
    # mounted by itself; and without a table of mounts to look into
    mount -o subvol=sub "$(awk -v m="$T/one" '$2 == m { print $1 }' /proc/mounts)" "$T/bind"
    expect 0 --verify --json "$T/one/f" "$T/bind/g"
    same 'a subvolume under a mount of its own: nothing read' 0 "$(field bytes_read)"
    rc=0
    unshare -m sh -c 'mount --bind /dev/null /proc/self/mountinfo; exec "$@"' - \
      "$LULLCP" --verify --json "$T/one/f" "$T/bind/g" >"$T/out" 2>"$T/err" || rc=$?
    same 'no table: status' 0 $rc
    same 'no table: nothing read' 0 "$(field bytes_read)"
    umount "$T/bind"
  fi
  umount "$T/one"
  rmdir "$T/one" "$T/two" "$T/bind"
  rm "$img" "$twin"
done

# an overlay says of its files what lies below, under its own name: they are read
fs_mount xfs
fragmented "$M/f" 300
mkdir "$M/up" "$M/work" "$M/low" "$T/overlay"
cp --reflink=always "$M/f" "$M/low/f"
mount -t overlay -o "lowerdir=$M/low,upperdir=$M/up,workdir=$M/work" overlay "$T/overlay" ||
  cannot_run 'cannot mount an overlay'
equal 'overlay' "$M/f" "$T/overlay/f"
other_byte "$T/overlay/f" 4097
differ 'overlay, written to' "$M/f" "$T/overlay/f"
umount "$T/overlay"
finish
