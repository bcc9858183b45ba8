#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The attributes of DEST: mode, owner, NOCOW, cowextsize, hard links, times.
. "$(dirname "$0")/../lib.sh"
fs_test

for kind in xfs btrfs; do
  fs_mount "$kind"
  note "$kind"
  for n in 600 0; do # by passes, and in one call
    f=$M/src$n
    if [ "$n" = 0 ]; then echo small >"$f"; else fragmented "$f" "$n"; fi
    for mode in 600 644 755 4755 2755 1644 000; do
      for mask in 022 077 000; do
        chmod "$mode" "$f"
        rm -f "$M/a" "$M/b"
        (umask "$mask" && cp --reflink=always "$f" "$M/a" && "$LULLCP" "$f" "$M/b") || bad "mode $mode"
        same "mode $mode umask $mask" "$(stat -c %a "$M/a")" "$(stat -c %a "$M/b")"
      done
    done
    chmod 644 "$f"
    # one that was there keeps its mode and owner
    echo old >"$M/b"
    chmod 640 "$M/b"
    chown 65534:65534 "$M/b"
    expect 0 "$f" "$M/b"
    same 'mode and owner of an old DEST' '640 65534 65534' "$(stat -c '%a %u %g' "$M/b")"
    # several names: the same inode is written
    echo old >"$M/c"
    ln -f "$M/c" "$M/c2"
    expect 0 --summary "$f" "$M/c"
    says 'has several names'
    check 'hard links' cmp "$f" "$M/c2"
    same 'hard links: inode' "$(stat -c %i "$M/c")" "$(stat -c %i "$M/c2")"
    # a file with one name: a new inode, and a program that has the old one open keeps that
    echo old >"$M/d"
    exec 7<"$M/d"
    expect 0 "$f" "$M/d"
    same 'the old file is still there for who has it open' old "$(cat <&7)"
    exec 7<&-
    ino=$(stat -c %i "$M/d")
    expect 0 --inplace "$f" "$M/d"
    same 'in place: the same inode' "$ino" "$(stat -c %i "$M/d")"
    check 'in place: content' cmp "$f" "$M/d"
  done
  no_leftovers "$M"
  fs_unmount "$M"
done

fs_mount xfs
fragmented "$M/src" 600
xfs_io -c 'cowextsize 1m' "$M/src"
expect 0 "$M/src" "$M/dst"
same 'cowextsize' "$(xfs_io -c cowextsize "$M/src" | grep -o '\[.*\]')" \
  "$(xfs_io -c cowextsize "$M/dst" | grep -o '\[.*\]')"
fs_unmount "$M"

fs_mount btrfs
touch "$M/nocow" && chattr +C "$M/nocow"
head -c 3000000 /dev/urandom >>"$M/nocow"
echo small >"$M/cow.small"
fragmented "$M/cow" 600
mkdir "$M/nocow.d" && chattr +C "$M/nocow.d"
mkdir "$M/compress.d" && chattr +c "$M/compress.d"
flags() { lsattr "$1" | cut -d' ' -f1 | tr -d -- -; }
for d in . nocow.d compress.d; do
  for f in nocow cow cow.small; do
    expect 0 --latency-budget=1us "$M/$f" "$M/$d/new"
    check "$f into $d" cmp "$M/$f" "$M/$d/new"
    same "$f into $d: NOCOW" "$(flags "$M/$f" | tr -dc C)" "$(flags "$M/$d/new" | tr -dc C)"
    expect 0 "$M/$f" "$M/$d/new"
    rm "$M/$d/new"
  done
done
# in place over a file of the other kind: an empty file can change
echo x >"$M/other"
expect 0 --inplace "$M/nocow" "$M/other"
check 'NOCOW in place' cmp "$M/nocow" "$M/other"
btrfs subvolume create "$M/sub" >/dev/null
expect 0 "$M/cow" "$M/sub/x"
check 'across subvolumes' cmp "$M/cow" "$M/sub/x"
# nor do empty files, which have no extent to show it: from a snapshot, as a backup copies, all is
# shared, the file after an empty one as well
mkdir "$M/sub/tree"
: >"$M/sub/tree/a-empty"
head -c 300000 /dev/urandom >"$M/sub/tree/b"
fragmented "$M/sub/tree/c" 1000
btrfs subvolume snapshot -r "$M/sub" "$M/snapshot" >/dev/null
for how in always auto; do
  expect 0 -a --json --reflink=$how "$M/snapshot/tree" "$M/$how"
  check "a tree across subvolumes, $how" diff -r "$M/sub/tree" "$M/$how"
  same "none of it is copied, $how" '0 0 0' "$(field bytes_copied | xargs)"
  expect 0 --reflink=$how "$M/snapshot/tree/a-empty" "$M/empty"
  echo old >"$M/empty"
  expect 0 --inplace --reflink=$how "$M/snapshot/tree/a-empty" "$M/empty"
  same "an empty one in place, $how" 0 "$(stat -c %s "$M/empty")"
  rm "$M/empty"
done
# one with checksums among files of a mount without: said for what it is, in a tree as well
mount -o remount,nodatasum "$M"
mkdir "$M/sums"
: >"$M/sums/small"
chattr +c "$M/sums/small" # an empty file that changes its flags has checksums from then on
head -c 300000 /dev/urandom >>"$M/sums/small"
cp "$M/sums/small" "$M/sums/other"
expect 1 "$M/sums/small" "$M/copied"
says 'one of the two files has no checksums'
expect 1 -a "$M/sums" "$M/copied"
says 'one of the two files has no checksums'
check_not 'nothing that passes by itself' grep -q 'temporarily unavailable' "$T/err"
check 'the others are there' cmp "$M/sums/other" "$M/copied/other"
rm -r "$M/copied"
expect 0 -a --reflink=auto "$M/sums" "$M/copied"
says 'Invalid argument'
check 'copied' diff -r "$M/sums" "$M/copied"
fs_unmount "$M"
finish
