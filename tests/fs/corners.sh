#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Corner cases in which cp works: leases, deleted files, directories that accept files but cannot be
# read or never release one, open files by their links; and attributes that decide whether a clone
# works.
. "$(dirname "$0")/../lib.sh"
fs_test "$@"
command -v strace >/dev/null || cannot_run 'needs strace'

holder() { # holder FILE: holds a write lease until somebody else wants the file
  rm -f "$T/ready"
  python3 - "$1" "$T/ready" <<'PY' &
import fcntl, os, signal, sys, time
fd = os.open(sys.argv[1], os.O_RDWR)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
open(sys.argv[2], 'w').close()
signal.sigwait([signal.SIGIO])
time.sleep(0.1)  # what it has to write back
os.close(fd)
PY
  H=$!
  for _ in {1..500}; do [ ! -e "$T/ready" ] || return 0; sleep 0.02; done
  framework_failure 'no lease'
}

fs_mount xfs 600M
cd "$M" || exit 99
fragmented big 3000
echo small >small

note 'the progress line'
printf '#!/bin/sh\nsleep 1\n' >"$T/slow"
chmod +x "$T/slow"
expect 0 --progress=always --latency-budget=1us --hook="$T/slow" big clone
check 'there is one' grep -q "^'big': 0%, .* of 12 MiB" "$T/err"
check_not 'no time left by a hook that took its time' grep -q "^'big': 0%.* left" "$T/err"
umlauts=$(printf 'ü%.0s' {1..60})
ln big "$umlauts"
for columns in 40 41; do
  script -qec "stty cols $columns; '$LULLCP' --progress=always --force '$umlauts' clone" "$T/screen" >/dev/null
  check "cut to whole characters at $columns" iconv -f UTF-8 -t UTF-8 "$T/screen"
  check "and it is there at $columns" grep -q "^.*'üüüüü" "$T/screen"
  check "and how much is done at $columns" grep -qE "ü': [0-9]+%" "$T/screen"
done
rm "$umlauts" clone
# shown COLUMNS: each line that a terminal of so many shows
shown() {
  script -qec "stty cols $1; '$LULLCP' --progress=always --latency-budget=20us --duty-cycle=5 --force big clone" \
    "$T/screen" >/dev/null
  tr '\r' '\n' <"$T/screen" | sed -n 's/^\x1b\[K//p' | grep "'big'"
}
bytes='[0-9.]+ [KM]?i?B'
part="(, [0-9.]+ [num]?s left)?"
calls="(, calls p99 [0-9.]+ [num]?s max [0-9.]+ [num]?s of 20 us)?(, [0-9]+ extents, [0-9]+/s)?"
shown 80 >"$T/lines"
check 'a bar at 80' grep -q '^\[#' "$T/lines"
same 'at 80: a bar and whole parts' '' \
  "$(grep -vE "^\[[# ]{10,20}\] 'big': [0-9]+%, $bytes of 12 MiB$part$calls\$" "$T/lines")"
same 'no line is broken at 80' '' "$(awk 'length > 79' "$T/lines")"
shown 40 >"$T/lines"
same 'at 40: whole parts' '' "$(grep -vE "^'big': [0-9]+%, $bytes of 12 MiB$part\$" "$T/lines")"
same 'no line is broken at 40' '' "$(awk 'length > 39' "$T/lines")"
rm clone

note 'leases'
for f in small big; do
  for what in "$f new" "-r $f new" "--verify $f same"; do
    cp $f same
    holder "$M/$f"
    # shellcheck disable=SC2086 # options
    expect 0 $what
    wait $H
  done
  for how in -T --inplace; do
    echo old >dest
    holder "$M/dest"
    expect 0 $how $f dest
    check "$how $f into one under a lease" cmp $f dest
    wait $H
  done
done
rm -f new same dest

note 'a deleted file'
for f in small big; do
  cp $f gone
  exec 7<gone
  rm gone
  expect 0 /proc/$$/fd/7 back
  check "$f" cmp $f back
  exec 7<&-
  rm -f back
done

note 'a link to an open file'
for f in small big; do
  echo old >out
  ln out keep
  rm keep
  before=$(stat -c %i out)
  for how in always auto; do
    for to in /dev/stdout /dev/fd/1 /proc/self/fd/1; do
      "$LULLCP" --reflink=$how $f $to >out 2>"$T/err"
      same "$f $how $to" 0 $?
      check "$f $how $to: equal" cmp $f out
      same "$f $how $to: the open file" "$before" "$(stat -c %i out)"
    done
  done
done
rm -f out

note 'a directory that is not read'
chmod 755 "$T" "$M"
mkdir wx && chown 65534 wx && chmod 300 wx
for f in small big; do
  chmod 644 $f
  setpriv --reuid=65534 --regid=65534 --clear-groups "$LULLCP" $f wx/$f 2>"$T/err"
  same "$f into -wx" 0 $?
  check "$f into -wx: equal" cmp $f wx/$f
done
no_leftovers wx
rm -rf wx

note "in place into another's file in a sticky directory"
mkdir -m 1777 sticky
old=$(cat /proc/sys/fs/protected_regular)
echo 2 >/proc/sys/fs/protected_regular
for f in small big; do
  echo old >sticky/dest
  chown 65534 sticky/dest
  expect 0 --inplace $f sticky/dest
  check "$f" cmp $f sticky/dest
  rm sticky/dest
done
echo "$old" >/proc/sys/fs/protected_regular

note 'an append-only directory'
mkdir grows
echo old >grows/old
chattr +a grows
for f in small big; do
  expect 0 $f grows/$f
  check "$f: equal" cmp $f grows/$f
  expect 0 $f grows/old
  check "$f over an older one" cmp $f grows/old
  before=$(find grows | sort)
  expect 1 --backup=simple $f grows/old
  expect 1 --inplace --checkpoint="$M/record" big grows/old
  says 'The directory is append-only (chattr +a)'
  expect 1 --keep=2 $f grows/kept
  says 'The directory is append-only (chattr +a)'
  expect 1 --hook=true big grows/hooked
  says 'The directory is append-only (chattr +a)'
  same "$f: nothing is left" "$before" "$(find grows | sort)"
done
chattr -a grows
for flag in i a; do
  echo old >fixed
  chattr +$flag fixed
  expect 1 big fixed
  says 'Operation not permitted'
  chattr -$flag fixed
  rm fixed
done
# of the checkpoint too it is said what to do
mkdir still
chattr +i still
expect 1 --hook=true --checkpoint=still/record big dest
says 'The file is immutable or append-only'
chattr -i still
rmdir still

note 'the extent size hint for copies on write'
hint() { xfs_io -r -c cowextsize "$1" | sed 's/^\[\([0-9]*\)\].*/\1/'; } # hint FILE: in bytes, 0: none
for f in small big; do
  cp --reflink=always $f hinted
  xfs_io -c 'cowextsize 65536' hinted
  while read -r how from want; do
    rm -f dest
    echo old >dest
    xfs_io -c 'cowextsize 131072' dest
    expect 0 "$how" "$from" dest
    same "$how $f, $from" "$want" "$(hint dest)"
  done <<END
-T $f 0
-r $f 0
--inplace $f 131072
-T hinted 65536
-r hinted 65536
--inplace hinted 65536
END
done

note 'a realtime device'
for f in small big; do
  for how in -T -r --inplace; do
    rm -f new
    REALTIME=$f LD_PRELOAD=$TOOLS/realtime.so expect 0 $how $f new
    check "$how $f" cmp $f new
    rm -f new
    RTINHERIT=1 LD_PRELOAD=$TOOLS/realtime.so expect 0 $how $f new
    check "$how $f from a directory with rtinherit" cmp $f new
  done
done
cd / && fs_unmount "$M"

note 'a file system without attributes'
fs_mount xfs 600M
cd "$M" || exit 99
mkdir -p "$T/ram" && mount -t ramfs ramfs "$T/ram"
echo small >small
setfattr -n user.x -v y small
cp --preserve=xattr small "$T/ram/x" 2>"$T/cp"
expect 1 --reflink=auto --preserve=xattr small "$T/ram/x"
says "$(sed 's/^cp: //' "$T/cp")"
umount "$T/ram"
cd / && fs_unmount "$M"

note 'what lies in the tree of Btrfs, and flushoncommit'
fs_mount btrfs 600M
mount -o remount,flushoncommit,max_inline=2048 "$M"
cd "$M" || exit 99
head -c 1000 /dev/urandom >inline
echo second >second
mkdir d
sync -f .
for i in {1..10}; do
  head -c 5000 /dev/urandom >d/inline
  ln -f d/inline other
  sync -f . &
  timeout 60 strace -qq -f -e trace=ioctl,ftruncate -o "$T/trace" "$LULLCP" inline second d 2>"$T/err"
  same "round $i" 0 $?
  check "round $i: equal" cmp inline other
  wait $!
done
check 'DEST ends behind it before' awk '
  /ftruncate\([0-9]+, 9192\)/ { grown = 1 }
  /CLONE_?RANGE.*dest_offset=8192/ || /CLONE_?RANGE.*, 8192}/ { tried = grown }
  END { exit !tried }' "$T/trace"
cd / && fs_unmount "$M"
finish
