#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Several files without a hook show different points in time: one line of warning where that matters.
# Also clones of an image that contains an XFS, mounted beside the original.
. "$(dirname "$0")/../lib.sh"
fs_test "$@"
fs_mount xfs
cd "$M" || exit 99
mkdir d l sub
for f in db db-wal db-shm a b a-b sub/db-wal; do echo "$f" >"$f"; done

warned() { # warned STATUS ARG...: with one line
  local want=$1
  shift
  expect "$want" "$@"
  says 'show different points in time; with --hook=COMMAND they show the same'
  same "lines of lullcp $*" 1 "$(wc -l <"$T/err")"
}
quietly() {
  expect 0 "$@"
  silent
}
warned 0 db db-wal d
says "the clones of 'db' and 'db-wal'"
warned 0 db-wal db db-shm d
warned 0 -t d ./db ./db-wal
warned 0 --keep=2 db db-wal d
warned 0 --reflink=never db db-wal d
quietly -q db db-wal d
quietly a b a-b d
quietly db sub/db-wal d
quietly db d
quietly -l db db-wal l
quietly --hook=true db db-wal d
expect 0 --json db db-wal d
same 'json' db "$(jq -r 'select(.type == "warning" and (.message | contains("different points"))) | .path' "$T/out")"
expect 1 db db-wal nothing d
check_not 'nothing is said of clones that failed' grep -q 'different points in time' "$T/err"

# written to while it is cloned
fragmented f 4000
"$TOOLS/numbers" write f d "$SEED" "$T/progress" 2>"$T/writer.err" &
writer=$!
soon has_written "$T/progress"
warned 0 a f d
says "somebody wrote to 'f' meanwhile"
quietly -q a f d
quietly f d
kill $writer
wait $writer 2>/dev/null
quietly a f d

# two file systems of one UUID
truncate -s 400M img
mkfs.xfs -q -m reflink=1 img
quietly img img2
mkdir "$T/one" "$T/two"
mount -o loop img "$T/one" || cannot_run 'cannot mount a loop device'
check_not 'XFS mounts its clone' mount -o loop img2 "$T/two"
check 'with nouuid it does' mount -o loop,nouuid img2 "$T/two"
umount "$T/two" "$T/one"
cd / || exit 99
fs_unmount "$M"
finish
