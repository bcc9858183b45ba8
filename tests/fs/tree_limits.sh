#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Trees that are too deep, too wide or too strange for a careless walk, and places where a file can only
# be written in place.
. "$(dirname "$0")/../lib.sh"
fs_test "$@"
fs_mount xfs 1G
cd "$M" || exit 99
slow=(env LD_PRELOAD="$TOOLS/clones.so")

# ---- descriptors ----

# what waits for a slow file: each directory's end holds descriptors
mkdir wide
echo slow >wide/0
(cd wide && mkdir $(seq -f d%04g 2000))
rc=0
(ulimit -n 400 && CLONE_DELAY_US=500000 exec "${slow[@]}" "$LULLCP" -aj2 wide wide2) 2>"$T/err" || rc=$?
same 'directories behind a slow file' 0 $rc
same 'all of them' 2001 "$(find wide2 -mindepth 1 | wc -l)"

# a file in each directory, and more jobs than there are descriptors for
for d in wide/d*; do echo "$d" >"$d/f"; done
rc=0
(ulimit -n 400 && CLONE_DELAY_US=1000 exec "${slow[@]}" "$LULLCP" -aj200 wide wide3) 2>"$T/err" || rc=$?
same 'many jobs, few descriptors' 0 $rc
check 'many jobs: equal' diff -r wide wide3
rm -rf wide wide2 wide3

# --parents keeps nothing open for the directories above
deep=$(printf 'p/%.0s' {1..600})
mkdir -p "$deep" target
echo f >"$deep/f"
rc=0
(ulimit -n 256 && exec "$LULLCP" -p --parents "$deep/f" target) 2>"$T/err" || rc=$?
same 'deep parents' 0 $rc
check 'deep parents: the file' cmp "$deep/f" "target/$deep/f"
chmod 750 p/p
touch -d 2001-01-01 p/p
rm -rf target2
mkdir target2
expect 0 -p --parents "$deep/f" target2
same 'deep parents: attributes' "$(stat -c '%a %Y' p/p)" "$(stat -c '%a %Y' target2/p/p)"
rm -rf p target target2

# deeper than a path can say: cp's complaint, once, and the rest is copied
mkdir abyss
(cd abyss && python3 -c 'import os
for i in range(10000): os.mkdir("d"); os.chdir("d")') || framework_failure 'no tree of 10,000 levels'
echo beside >abyss/z
echo file >abyss/d/d/d/f
for jobs in 1 4; do
  rc=0
  (ulimit -n 300 -s 4096 && exec "$LULLCP" -aj$jobs abyss abyss$jobs) >"$T/out" 2>"$T/err" || rc=$?
  same "10,000 levels, $jobs jobs" 1 $rc
  same 'one complaint' 1 "$(wc -l <"$T/err")"
  says 'File name too long'
  same 'what is beside them' 'beside file' "$(cat abyss$jobs/z abyss$jobs/d/d/d/f | xargs)"
  rm -rf abyss$jobs
done
rm -rf abyss

# a tree that is moved away under a deep walk: an error, not a crash, and not a way out of it
mkdir -p move/a away
(
  cd move/a || exit 1
  for i in {1..150}; do mkdir d && cd d || exit 1; done
  for i in {1..20}; do echo "$i" >"f$i"; done
)
for i in {1..20}; do echo "$i" >"move/a/late$i"; done
CLONE_DELAY_US=50000 "${slow[@]}" "$LULLCP" -r move moved 2>"$T/err" &
pid=$!
for _ in {1..200}; do
  [ "$(find moved -name 'f*' 2>/dev/null | wc -l)" -gt 0 ] && break
  sleep 0.02
done
# a level that is parked: its ".." is another one now
mv move/a/d/d/d away/
rc=0
wait $pid || rc=$?
same 'moved away' 1 $rc
says 'Stale file handle'
same 'nothing is left open to others' '' "$(find moved -name '*lullcp*')"
rm -rf move moved away

# no more descriptors than cp needs, or a few more
mkdir flat
for i in {1..300}; do echo "$i" >"flat/$i"; done
steep=steep$(printf '/d%.0s' {1..200})
mkdir -p "$steep"
echo bottom >"$steep/f"
for how in -r '-a --reflink=never' -aj4; do
  for tree in flat steep; do
    rc=0
    # shellcheck disable=SC2086 # options
    (ulimit -n 20 && exec "$LULLCP" $how $tree few) 2>"$T/err" || rc=$?
    same "$how $tree: 20 descriptors" 0 $rc
    check "$how $tree: all of it" diff -r $tree few
    rm -rf few
  done
done
rm -rf flat steep

# dest lies in the source, and other directories of it come before
for i in {1..4}; do
  mkdir -p self/{a,b,c}"$i" self/self
  expect 1 -R self self
  says "cannot copy a directory, 'self', into itself, 'self/self'"
  check 'it comes to an end' test "$(find self -type d | wc -l)" -lt 40
  rm -rf self
done

# ---- signals ----

mkfifo pipe
"$LULLCP" -q --reflink=auto pipe from 2>"$T/err" &
pid=$!
sleep 0.3
kill -USR1 $pid
sleep 0.2
echo through >pipe
rc=0
wait $pid || rc=$?
same 'a status signal while a fifo is opened' 0 $rc
same 'what came through' through "$(cat from)"
"$LULLCP" --reflink=auto pipe from2 2>"$T/err" &
pid=$!
sleep 0.3
kill -TERM $pid
rc=0
wait $pid || rc=$?
same 'a signal to stop' 143 $rc
check_not 'nothing is made' test -e from2

# a tree that is cut off: whole files, and the directories' modes are right
mkdir -p cut/a cut/b
for i in {1..300}; do echo "whole $i" >"cut/a/$i"; done
chmod 555 cut/a
for jobs in 1 4; do
  CLONE_DELAY_US=$((5000 * jobs)) "${slow[@]}" "$LULLCP" -rvj$jobs cut cut$jobs >"$T/out" 2>"$T/err" &
  pid=$!
  sleep 0.4
  kill -TERM $pid
  rc=0
  wait $pid || rc=$?
  check "cut off, $jobs jobs: by the signal" test $rc -ge 128
  n=$(find cut$jobs -type f | wc -l)
  check "cut off, $jobs jobs: in the middle" test "$n" -gt 0 -a "$n" -lt 300
  same "cut off, $jobs jobs: all are whole" "$n" "$(cat cut$jobs/a/* | grep -c '^whole [0-9]*$')"
  same "cut off, $jobs jobs: the mode" 555 "$(stat -c %a cut$jobs/a)"
  check "cut off, $jobs jobs: said once" test "$(grep -ci interrupt "$T/err")" -le 1
  same "cut off, $jobs jobs: nothing else" '' "$(find cut$jobs -name '*lullcp*')"
done

# ---- only to be written into ----

# a file that something is mounted on keeps its name
echo new >n
echo old >bound
echo old >mounted
mount --bind bound mounted
# from one mount to another nothing is shared before Linux 5.18
over='0 new'
! kernel_before 5.18 || over='1 old'
for also in -T -r -b; do
  echo old >bound
  run $also n mounted
  case $also in
    -b) same 'no backup of a mount' 1 "$rc" ; same 'it is as it was' old "$(cat bound)" ;;
    *) same "$also: over a mount" "$over" "$rc $(cat bound)" ;;
  esac
done
umount mounted

# a directory that cannot be written to: the call is still bounded
chmod 711 "$M"
install -m 755 "$LULLCP" "$T/lullcp"
chmod 755 "$T"
mkdir -m 755 closed
fragmented long 5000
chmod 644 long
echo old >closed/dest
chown 65534 closed/dest
rc=0
setpriv --reuid=65534 --regid=65534 --clear-groups "$T/lullcp" --json long closed/dest \
  >"$T/out" 2>"$T/err" || rc=$?
same 'in a closed directory' 0 $rc
check 'equal' cmp long closed/dest
check 'in many calls' test "$(field calls)" -gt 10
same 'of one moment' single "$(field method)"
cd /
fs_unmount "$M"

# what cannot be cloned is found out before the old data goes
fs_mount ext4 400M
cd "$M" || exit 99
mkdir d
echo new >a
echo new >b
echo old >d/a
ln d/a d/hard
expect 1 -t d a b
says "failed to clone 'd/a' from 'a'"
same 'the old data is there' old "$(cat d/a)"
cd /
fs_unmount "$M"
finish
