#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Sparse files: a call spans holes, which are holes of DEST afterwards, whatever was there before.
. "$(dirname "$0")/../lib.sh"
fs_test

# sparse FILE SEED: makes extents of 1 to 64 blocks between holes of 1 to 250 blocks, and blocks that are
# allocated but not written
sparse() {
  python3 - "$1" "$2" "$block" <<'PY'
import os, random, sys
path, seed, block = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
draw = random.Random(seed)
fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
at, spans = 0, []
for _ in range(500):
    at += block * draw.choice([1, 1, 2, 5, 30, 250])
    n = block * draw.choice([1, 1, 1, 2, 8, 64])
    spans.append((at, n))
    at += n
draw.shuffle(spans)  # neighbours on disk are none in the file
for off, n in spans:
    os.pwrite(fd, draw.randbytes(n), off)
os.ftruncate(fd, at + block * 7 + draw.choice([0, 100]))
os.fsync(fd)
PY
  for at in {1..20}; do
    fallocate -n -o $((block * 333 * at)) -l $((block * 2)) "$1"
  done
  sync "$1"
}
holes() { # holes FILE: where there is data, as the file system tells
  python3 - "$1" <<'PY'
import errno, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
os.fsync(fd)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)  # XFS takes for data what was read of a hole
size, at = os.fstat(fd).st_size, 0
while at < size:
    try:
        data = os.lseek(fd, at, os.SEEK_DATA)
    except OSError as e:
        if e.errno != errno.ENXIO:
            raise
        break
    at = os.lseek(fd, data, os.SEEK_HOLE)
    print(data, at)
print(size)
PY
}
cloned() { # cloned WHAT SOURCE DEST: equal, with the same holes, in few calls
  check "$1: equal" cmp "$2" "$3"
  same "$1: holes" "$(holes "$2" | b2sum)" "$(holes "$3" | b2sum)"
  check "$1: $(field calls) calls" test "$(field calls)" -lt 50
}

for kind in xfs xfs-1k btrfs btrfs-holes; do
  block=4096
  if [ $kind = btrfs-holes ]; then
    img=$(image 1G)
    mkfs.btrfs -q -f -O ^no-holes "$img" >/dev/null 2>&1 || cannot_run 'mkfs.btrfs -O ^no-holes'
    M=$T/holes
    mkdir "$M"
    mount -o loop "$img" "$M" || cannot_run 'mount'
    rm -f "$img"
  else
    fs_mount $kind
  fi
  [ $kind != xfs-1k ] || block=1024
  note $kind
  sparse "$M/src" "$SEED"
  # no call ends at its time, and with a hook the first is not for all of the file
  slack=(--latency-budget=10s --duty-cycle=100 --hook=true)
  expect 0 --json "${slack[@]}" "$M/src" "$M/new"
  cloned "$kind: new" "$M/src" "$M/new"
  # the old file has data where the new one has holes
  for how in '' --inplace; do
    for old in data other; do
      rm -f "$M/old"
      case $old in
        data) head -c 20000000 /dev/urandom >"$M/old" ;;
        other) sparse "$M/old" $((SEED + 1)) ;;
      esac
      # shellcheck disable=SC2086 # none or one
      expect 0 --json "${slack[@]}" $how "$M/src" "$M/old"
      cloned "$kind: $how over $old" "$M/src" "$M/old"
    done
  done
  expect 0 --verify "$M/src" "$M/old"
  # bringing an older clone up to date: holes that are new, and data in old ones
  cp --reflink=always "$M/src" "$M/clone"
  fallocate -p -o $((block * 100)) -l $((block * 900)) "$M/src"
  scribble "$M/src" "$block" 50 51 52 1234 1235 1236 2345 2346 2347
  expect 0 --json "${slack[@]}" --refresh "$M/src" "$M/clone"
  cloned "$kind: refresh" "$M/src" "$M/clone"
  # cut off anywhere, and continued
  rm -f "$M/cut"
  "$LULLCP" --duty-cycle=1 --latency-budget=1ms --checkpoint-interval=0 "$M/src" "$M/cut" 2>/dev/null &
  pid=$!
  while kill -0 $pid 2>/dev/null && [ "$(offset_in "$M/.cut.lullcp")" -lt 500000 ]; do sleep 0.01; done
  kill -TERM $pid
  wait $pid
  same "$kind: cut off" 143 $?
  expect 0 --resume --json "${slack[@]}" "$M/src" "$M/cut"
  check "$kind: it went on" test "$(field resumed_at)" -gt 0
  cloned "$kind: resumed" "$M/src" "$M/cut"

  # wide holes
  scribble "$M/wide" "$block" 0 1 300 301 5000000 5000001 700000000 700000001
  truncate -s 7T "$M/wide"
  expect 0 --json "${slack[@]}" "$M/wide" "$M/wide.new"
  same "$kind: wide: holes" "$(holes "$M/wide" | b2sum)" "$(holes "$M/wide.new" | b2sum)"
  expect 0 --verify "$M/wide" "$M/wide.new"
  fs_unmount "$M"
done
finish
