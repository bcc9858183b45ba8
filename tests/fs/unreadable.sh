#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A SOURCE that cannot be read (a checksum of Btrfs does not match): its data cannot be copied. So the
# exit status is 1, the old DEST is untouched, and nothing is left behind. --verify never says that the
# files are identical. A clone reads nothing.
. "$(dirname "$0")/../lib.sh"
fs_test
M=$T/ill
mkdir "$M" "$T/other"
mount -t tmpfs tmpfs "$T/other" || framework_failure mount
marker="in the middle of the file $SEED"

img=$(image 400M)
make_fs "$img" btrfs
mount -o loop "$img" "$M" || cannot_run 'cannot mount'
head -c 3000000 /dev/urandom >"$M/src"
printf %s "$marker" | dd of="$M/src" bs=4096 seek=300 conv=notrunc status=none
umount "$M"
at=$(grep -abo -m 1 "$marker" "$img" | head -n 1 | cut -d: -f1)
[ -n "$at" ] || framework_failure 'the marker is not in the image'
printf X | dd of="$img" bs=1 seek="$at" conv=notrunc status=none
mount -o loop "$img" "$M" || framework_failure remount
rm -f "$img"
check_not 'the file can be read' cat "$M/src"
for how in "--reflink=auto $T/other/dst" "--reflink=never $T/other/dst" "--reflink=never $M/dst"; do
  # shellcheck disable=SC2086
  set -- $how
  echo old >"$2"
  for small in '' --checkpoint-interval=0; do
    # shellcheck disable=SC2086
    expect 1 $small "$1" "$M/src" "$2"
    says 'Input/output error'
    same "$how: the old file" old "$(cat "$2")"
    no_leftovers "$(dirname "$2")"
  done
  rm "$2"
done
expect 0 --reflink=auto --json "$M/src" "$M/clone"
same "nothing was read" 0 "$(field bytes_copied)"
expect 1 --verify=data "$M/src" "$M/clone"
finish
