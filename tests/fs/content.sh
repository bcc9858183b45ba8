#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Clones of files of every shape are equal to them, on every kind of file system that clones.
. "$(dirname "$0")/../lib.sh"
fs_test

random_bytes() { head -c "$1" /dev/urandom; }

shapes() { # shapes DIR: makes the sources
  local d=$1
  : >"$d/empty"
  random_bytes 1 >"$d/one-byte"
  random_bytes 100 >"$d/inline"
  random_bytes 4095 >"$d/block-1"
  random_bytes 4096 >"$d/block"
  random_bytes 4097 >"$d/block+1"
  random_bytes 1234567 >"$d/tail"
  truncate -s 10M "$d/hole"
  truncate -s 1T "$d/huge-hole"
  truncate -s 1M "$d/leading-hole"
  random_bytes 70000 >>"$d/leading-hole"
  random_bytes 70000 >"$d/trailing-hole"
  truncate -s 3M "$d/trailing-hole"
  random_bytes 5000 >"$d/odd-trailing-hole"
  truncate -s 300001 "$d/odd-trailing-hole"
  fallocate -l 1M "$d/unwritten"
  fallocate -l 2M "$d/half-unwritten"
  random_bytes 100000 | dd of="$d/half-unwritten" bs=100000 seek=5 conv=notrunc status=none
  random_bytes 3000000 >"$d/punched"
  fallocate -p -o 100000 -l 1000000 "$d/punched"
  yes 'compressible text' | head -c 2000000 >"$d/compressible"
  fragmented "$d/fragmented" 3000
  fragmented "$d/fragmented-holes" 3000 -h 40
  fragmented "$d/reverse" 1000 -o reverse
  random_bytes 777 >>"$d/fragmented"
  truncate -s 9000000000000000 "$d/petabytes"
  random_bytes 10 | dd of="$d/petabytes" bs=1 seek=8999999999999000 conv=notrunc status=none
}

extents_of() { # as FIEMAP reports them
  filefrag -v "$1" 2>/dev/null | grep -cE '^ *[0-9]+:'
}

data_of() { # where the data lies, physical places and flags left out
  filefrag -v "$1" | awk '/^ *[0-9]+:/ { gsub(/[.:]/, " "); for (b = $2; b <= $3; b++) print b }' |
    b2sum
}

for kind in $(kinds xfs xfs-rmap xfs-1k btrfs btrfs-compress btrfs-nodatacow); do
  fs_mount "$kind" 1G
  note "$kind"
  mkdir "$M/src" "$M/dst"
  shapes "$M/src"
  sync -f "$M"
  for f in "$M"/src/*; do
    name=${f##*/}
    d=$M/dst/$name
    expect 0 "$f" "$d"
    silent
    if [ "$name" = petabytes ] || [ "$name" = huge-hole ]; then
      # reading that much is for nobody: size, places of the data, the data
      same "$kind $name size" "$(stat -c %s "$f")" "$(stat -c %s "$d")"
      same "$kind $name data" "$(tail -c 5000 "$f" | b2sum)" "$(tail -c 5000 "$d" | b2sum)"
      same "$kind $name blocks" "$(stat -c %b "$f")" "$(stat -c %b "$d")"
    else
      check "$kind $name differs" cmp "$f" "$d"
    fi
    # beside the first: while that one is being freed, XFS reports what is still shared
    # and what no longer is as extents of their own
    expect 0 --json "$f" "$d.json"
    same "$kind $name result" ok "$(field result)"
    case $name in # a file in one call reports what it looked at; holes have no extents
      empty | *hole | petabytes) ;;
      fragmented*) same "$kind $name extents" "$(extents_of "$f")" "$(field extents)" ;;
    esac
  done
  # in place over an older, longer, different file, with budget and duty cycle at their ends
  random_bytes 20000000 >"$M/dst/over"
  expect 0 --inplace --latency-budget=1ns --duty-cycle=100 "$M/src/fragmented" "$M/dst/over"
  check "$kind in place" cmp "$M/src/fragmented" "$M/dst/over"
  expect 0 --latency-budget=1h "$M/src/fragmented-holes" "$M/dst/over"
  check "$kind over in-place" cmp "$M/src/fragmented-holes" "$M/dst/over"
  # what is skipped stays a hole
  same "$kind data of a file with holes" "$(data_of "$M/src/fragmented-holes")" \
    "$(data_of "$M/dst/over")"
  no_leftovers "$M/dst"
  # dirty pages are part of the file
  random_bytes 50000 | dd of="$M/src/fragmented" bs=50000 seek=3 conv=notrunc status=none
  expect 0 "$M/src/fragmented" "$M/dst/dirty"
  check "$kind dirty pages" cmp "$M/src/fragmented" "$M/dst/dirty"
  fs_unmount "$M"
done

# An image that is sparse but for one stretch: XFS counts extents, so only a part of the map is
# looked at; and a guess that was wrong does not make a call long.
fs_mount xfs 4G
truncate -s 3145728000 "$M/src"
awk 'BEGIN { for (i = 0; i < 12000; i++) print "pwrite -q", i * 262144, 4096 }' |
  xfs_io "$M/src" >/dev/null || bad 'no sparse image'
fragmented "$M/dense" 6000
sync -f "$M"
xfs_io -c "reflink $M/dense 0 500m 24576000" "$M/src" >/dev/null || bad 'no dense stretch'
ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -f -e trace=ioctl -o "$T/calls" "$LULLCP" --json --latency-budget=2ms "$M/src" "$M/dst" \
  >"$T/out" 2>"$T/err" || bad 'a sparse image with a dense stretch'
check 'sparse and dense differ' cmp "$M/src" "$M/dst"
same 'sparse and dense: extents' "$(extents_of "$M/src")" "$(field extents_cloned)"
looks=$(grep -c 'FS_IOC_FIEMAP.*fm_extent_count=512' "$T/calls")
check "sparse and dense: $looks looks at the map" [ "$looks" -lt 25 ]
sed -n 's/.*src_offset=\([0-9]*\), src_length=\([0-9]*\).*/\1 \2/p' "$T/calls" >"$T/ranges"
filefrag -v "$M/src" | awk -v ranges="$T/ranges" '
  /^ *[0-9]+:/ { gsub(/[.:]/, " "); at[n++] = $2 * 4096 }
  END {
    while ((getline <ranges) > 0) {
      count = 0
      for (i = 0; i < n; i++) count += at[i] >= $1 && at[i] < $1 + $2
      print count
    }
  }' | sort -n >"$T/counts"
longest=$(tail -n 1 "$T/counts") usual=$(sed -n "$(($(wc -l <"$T/counts") * 19 / 20))p" "$T/counts")
note "sparse and dense: $looks looks at the map, $usual extents in a call, at most $longest"
# a stretch of 1,024 blocks may be overlooked
check "sparse and dense: no call is long by a wrong guess" [ "$longest" -lt $((usual * 3 + 1024)) ]
fs_unmount "$M"

# A preallocated image whose pages are in memory: SEEK_HOLE would walk through them, again and again.
fs_mount xfs 4G
fallocate -l 2G "$M/src"
awk 'BEGIN { for (i = 0; i < 8000; i++) print "pwrite -q", i * 262144, 4096 }' |
  xfs_io -d "$M/src" >/dev/null || bad 'no preallocated image'
cat "$M/src" >/dev/null
strace -f -c -e trace=lseek -o "$T/seeks" env ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0" \
  "$LULLCP" "$M/src" "$M/dst" 2>"$T/err" || bad 'a preallocated image'
check 'preallocated differs' cmp "$M/src" "$M/dst"
seeks=$(awk '$NF == "lseek" { print $4 }' "$T/seeks")
check "preallocated: ${seeks:-0} seeks" [ "${seeks:-0}" -lt 20 ]
fs_unmount "$M"

# Without FIEMAP (as on NFS) the walk goes by SEEK_DATA, and as an ordinary user on Btrfs by
# FIEMAP instead of the tree.
for kind in $(kinds xfs btrfs); do
  fs_mount "$kind"
  fragmented "$M/src" 3000 -h 30
  LD_PRELOAD=$TOOLS/nofiemap.so expect 0 --json "$M/src" "$M/dst"
  check "$kind without FIEMAP" cmp "$M/src" "$M/dst"
  same "$kind without FIEMAP: method" quiet "$(field method)"
  mkdir -m 777 "$M/pub"
  chmod 644 "$M/src"
  chmod 755 "$T" "$M"
  setpriv --reuid=65534 --regid=65534 --clear-groups "$LULLCP" --json "$M/src" "$M/pub/dst" \
    >"$T/out" 2>"$T/err" || bad "$kind as an ordinary user"
  check "$kind as an ordinary user differs" cmp "$M/src" "$M/pub/dst"
  # of dense maps FIEMAP is asked for an eighth; only XFS still knows the number
  n=$(extents_of "$M/src")
  if [ "$kind" = xfs ]; then
    same 'xfs as an ordinary user: extents' "$n" "$(field extents)"
  else
    check "$kind as an ordinary user: extents" \
      [ "$(field extents)" -gt $((n * 8 / 10)) -a "$(field extents)" -lt $((n * 12 / 10)) ]
  fi
  same "$kind owner" 65534 "$(stat -c %u "$M/pub/dst")"
  fs_unmount "$M"
done
finish
