#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --diff: its ranges cover everything that differs, by the maps and exactly. Applying them to the older
# file gives the newer one.
. "$(dirname "$0")/../lib.sh"
fs_test
# -S: it needs no packages, and looking for them can take longer than all of its work
changes=$(dirname "$0")/changes.py

block_of() { stat -f -c %S "$1"; }
differs() { # differs OLD NEW BLOCK: both ways are right
  local how want
  for how in maps exact; do
    want=4
    ! cmp -s "$1" "$2" || [ $how = maps ] || want=0
    run --diff=$how --json "$1" "$2"
    # what was written again with the same bytes, or only grew, the maps cannot tell
    [ $how = maps ] && [ "$rc" = 0 ] && cmp -s "$1" "$2" && want=0
    same "$how: status" $want "$rc"
    check "$how: ranges of $1 $2" python3 -S "$changes" check "$1" "$2" "$3" $how <"$T/out"
  done
}

for kind in xfs xfs-rmap xfs-1k btrfs btrfs-compress; do
  fs_mount "$kind"
  note "$kind"
  a=$M/a b=$M/b block=$(block_of "$M")
  python3 -S "$changes" make "$a" 5000777 "$SEED"
  sync "$a"
  # a clone is the same, and nothing is said
  cp --reflink=always "$a" "$b"
  expect 0 --diff "$a" "$b"
  silent
  expect 0 --diff=exact --json "$a" "$b"
  same 'identical' identical "$(field result)"
  same 'a clone: nothing is read' 0 "$(field bytes_read)"
  # one block is one range, and no more
  cp --reflink=always "$a" "$b"
  printf 'changed!' | dd of="$b" bs=1 seek=$((20 * block + 5)) conv=notrunc status=none
  expect 4 --diff=exact --json "$a" "$b"
  same 'one block' "[$((20 * block)),$block,\"data\"]" \
    "$(jq -c 'select(.type == "range") | [.offset, .length, .kind]' "$T/out")"
  expect 4 --diff --json "$a" "$b"
  [ $kind = btrfs-compress ] || check 'one block, by the maps' test "$(field bytes_data)" -le 65536
  expect 4 --diff "$a" "$b"
  check 'a table' grep -qE '^ +OFFSET +LENGTH +KIND$' "$T/out"
  check 'a line of it' grep -qE '^ +[0-9]+ +[0-9]+  data$' "$T/out"
  expect 4 --diff -q "$a" "$b"
  silent
  # a new hole is a range; one that only makes the file longer is not
  cp --reflink=always "$a" "$b"
  fallocate -p -o 0 -l $((8 * block)) "$b"
  differs "$a" "$b" "$block"
  expect 4 --diff --json "$a" "$b"
  check 'zero' jq -es 'any(.[]; .kind == "zero")' "$T/out"
  cp --reflink=always "$a" "$b"
  truncate -s +1M "$b"
  differs "$a" "$b" "$block"
  expect 4 --diff=exact "$a" "$b"
  check 'sizes' grep -q "^size of '$a' 5000777, of '$b' $((5000777 + 1048576))$" "$T/out"
  check_not 'no range' grep -q data "$T/out"
  # with nothing, both ways
  : >"$M/empty"
  differs "$M/empty" "$a" "$block"
  differs "$a" "$M/empty" "$block"
  # by chance, not flushed, one generation after the other
  cp --reflink=always "$a" "$M/g0"
  for i in $(seq 1 "${LULL_TEST_ROUNDS:-8}"); do
    cp --reflink=always "$M/g$((i - 1))" "$M/g$i"
    python3 -S "$changes" mutate "$M/g$i" "$SEED$i" $((RANDOM % 20 + 1))
    differs "$M/g$((i - 1))" "$M/g$i" "$block"
    differs "$M/g$i" "$M/g$((RANDOM % i))" "$block"
  done
  # written to meanwhile
  cp --reflink=never "$a" "$b"
  changed_meanwhile "$b" --diff=exact "$a" "$b" >"$T/out"
  same 'written to meanwhile' 1 "$rc"
  says 'was written to meanwhile'
  # another file system: holes are all that the maps prove
  for other in ext4 tmpfs; do
    mkdir "$T/other"
    if [ $other = tmpfs ]; then
      mount -t tmpfs tmpfs "$T/other"
    else
      img=$(image 100M)
      make_fs "$img" ext4
      mount -o loop "$img" "$T/other" && rm "$img"
    fi
    cp --sparse=always "$M/g3" "$T/other/g"
    small=$(block_of "$T/other")
    [ "$small" -lt "$block" ] || small=$block
    differs "$T/other/g" "$M/g3" "$small"
    differs "$M/g4" "$T/other/g" "$small"
    differs "$T/other/g" "$M/g5" "$small"
    expect 0 --diff=exact "$T/other/g" "$M/g3"
    unmounted "$T/other" && rmdir "$T/other"
  done
  # mistakes
  expect 1 --diff "$a" "$M/nothing"
  says 'No such file'
  expect 1 --diff "$a" "$M"
  says 'not a regular file'
  fs_unmount "$M"
done
finish
