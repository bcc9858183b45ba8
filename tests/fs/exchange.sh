#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# In place in one step, where XFS exchanges the contents of two files. DEST is the old file or the new
# one, whatever happens at any moment, and keeps its inode, names, owner and attributes.
. "$(dirname "$0")/../lib.sh"
fs_test "$@"
! kernel_before 6.10 || cannot_run 'needs Linux 6.10'

sum() { cksum <"$1"; }
slow=(--duty-cycle=1 --latency-budget=1ms --checkpoint-interval=0)
begin() { # begin SIGNAL ARG...: cut off in the middle of the clone
  local signal=$1 part pid=
  shift
  part=$M/.dst.lullcp-part
  LD_PRELOAD=$TOOLS/clones.so CLONE_DELAY_US=10000 "$LULLCP" "${slow[@]}" "$@" 2>"$T/err" >"$T/out" &
  pid=$!
  soon is_begun "$M/.dst.lullcp"
  kill -"$signal" $pid
  rc=0
  wait $pid || rc=$?
}
# An older DEST with two names, of somebody else, with attributes.
older() { # older [SIZE]
  rm -f "$M/dst" "$M/other" "$M"/.dst.lullcp*
  head -c "${1:-8000123}" /dev/urandom >"$M/dst"
  chown 12:34 "$M/dst"
  chmod 640 "$M/dst"
  setfattr -n user.kept -v yes "$M/dst"
  ln "$M/dst" "$M/other"
  sync "$M/dst"
  old=$(sum "$M/dst") inode=$(stat -c %i "$M/dst")
}
is_new() { # is_new WHAT
  same "$1: contents" "$new" "$(sum "$M/dst")"
  same "$1: the other name" "$new" "$(sum "$M/other")"
  same "$1: the rest" "$inode 12 34 640 2" "$(stat -c '%i %u %g %a %h' "$M/dst")"
  same "$1: attributes" yes "$(getfattr --only-values -n user.kept "$M/dst" 2>/dev/null)"
  no_leftovers "$M"
}

# What the kernel made of it: nothing is shared that should not be, or free that is in use.
sound() { # sound IMAGE: not mounted
  # an older xfs_repair does not know the feature
  xfs_repair -n "$1" >"$T/repair" 2>&1 ||
    { grep -q 'unsupported filesystem features' "$T/repair" &&
      features=$(xfs_db -x -c 'sb 0' -c 'p features_incompat' "$1" 2>/dev/null) &&
      xfs_db -x -c 'sb 0' -c "write -d features_incompat $((${features#*= } & ~0x40))" "$1" >/dev/null 2>&1 &&
      xfs_repair -n "$1" >"$T/repair" 2>&1; }
}

img=$(image 1G)
make_fs "$img" xfs-exchange
M=$T/exchanging
mkdir "$M"
mount -o loop "$img" "$M" || cannot_run 'cannot mount xfs-exchange'
fragmented "$M/src" 1500 -h 7
new=$(sum "$M/src")

note 'in place, with several names, and both'
for how in --inplace '' '--inplace --no-sync' '--inplace --reflink=never' '--inplace -v'; do
  older
  # a program that has it open sees the new contents
  exec 9<"$M/dst"
  # shellcheck disable=SC2086
  expect 0 $how "$M/src" "$M/dst"
  is_new "'$how'"
  same "'$how': an open file" "$new" "$(sum /proc/self/fd/9)"
  exec 9<&-
done
grep -q 'programs that use it wait for about' "$T/out" || bad 'not said how long'
older
touch -d 2001-02-03 "$M/src"
expect 0 --inplace --preserve=timestamps,mode "$M/src" "$M/dst"
same 'preserved' "$(stat -c '%Y %a' "$M/src")" "$(stat -c '%Y %a' "$M/dst")"

note 'shorter, longer, empty'
for size in 0 1 4096 5000 9000001; do
  older
  head -c $size /dev/urandom >"$M/sized"
  expect 0 --inplace "$M/sized" "$M/dst"
  check "size $size" cmp "$M/sized" "$M/dst"
  : >"$M/dst"
  expect 0 --inplace "$M/sized" "$M/dst"
  check "size $size over nothing" cmp "$M/sized" "$M/dst"
done

note 'stopped, then resumed'
older
begin TERM --inplace "$M/src" "$M/dst"
same 'ended by the signal' 143 $rc
grep -q 'written in place' "$T/err" && bad 'said to be written in place'
same 'DEST is the old one' "$old" "$(sum "$M/dst")"
expect 1 --inplace "$M/src" "$M/dst"
says 'interrupted clone'
expect 0 --inplace --resume --json "$M/src" "$M/dst"
[ "$(field resumed_at)" -gt 0 ] || bad 'begun anew'
is_new 'resumed'

note 'killed at every step'
older
DIE_COUNT=$T/count LD_PRELOAD=$TOOLS/die.so expect 0 "${slow[@]}" --duty-cycle=100 --inplace "$M/src" "$M/dst"
n=$(cat "$T/count")
moments=()
for i in 1 2 3 4 5 6 7 8 9 10; do moments+=($((RANDOM % n + 1))); done
for i in 7 6 5 4 3 2 1 0; do moments+=($((n - i))); done
for at in "${moments[@]}" before after; do
  older
  case $at in
    before | after) EXCHANGE_DO=$at LD_PRELOAD=$TOOLS/exchange.so \
      "$LULLCP" "${slow[@]}" --duty-cycle=100 --inplace "$M/src" "$M/dst" 2>/dev/null ;;
    *) DIE_AT=$at LD_PRELOAD=$TOOLS/die.so \
      "$LULLCP" "${slow[@]}" --duty-cycle=100 --inplace "$M/src" "$M/dst" 2>/dev/null ;;
  esac
  rc=$?
  case $at.$rc in
    # it takes more steps at one time than at another
    *.137 | [0-9]*.0) ok ;;
    *) bad "$at of $n: ended with $rc" ;;
  esac
  got=$(sum "$M/dst")
  case $at.$got in
    before."$old" | after."$new" | [0-9]*."$old" | [0-9]*."$new") ok ;;
    *) bad "killed at $at of $n: DEST is neither the old one nor the new one" ;;
  esac
  same "$at: one file" "$inode" "$(stat -c %i "$M/dst")"
  expect 0 --inplace --resume "$M/src" "$M/dst"
  is_new "killed at $at of $n, resumed"
done

note 'one that becomes longer'
for at in before after; do
  older 5000
  EXCHANGE_DO=$at LD_PRELOAD=$TOOLS/exchange.so "$LULLCP" --inplace "$M/src" "$M/dst" 2>/dev/null
  { head -c 5000 "$M/other" && head -c "$(($(stat -c %s "$M/src") - 5000))" /dev/zero; } >"$T/longer"
  case $at.$(sum "$M/dst") in
    before."$(sum "$T/longer")" | after."$new") ok ;;
    *) bad "longer, killed $at: neither" ;;
  esac
  expect 0 --inplace --resume "$M/src" "$M/dst"
  is_new "longer, killed $at, resumed"
done
older 5000
EXCHANGE_ERRNO=28 LD_PRELOAD=$TOOLS/exchange.so expect 1 --inplace "$M/src" "$M/dst"
same 'as it was after a failure' "$old" "$(sum "$M/dst")"
no_leftovers "$M"

note 'somebody writes to DEST before it is exchanged'
for kernel in '' 1; do
  older
  export EXCHANGE_DO=write EXCHANGE_FILE=$M/dst LD_PRELOAD=$TOOLS/exchange.so
  [ -z "$kernel" ] || export EXCHANGE_OLD=1
  run --inplace --checkpoint-interval=0 "$M/src" "$M/dst"
  unset EXCHANGE_DO EXCHANGE_FILE LD_PRELOAD EXCHANGE_OLD
  same 'stopped' 3 $rc
  says 'was changed meanwhile, and is left as it is'
  { printf w && tail -c +2 "$M/other"; } >"$T/written"
  same 'DEST is what was written' "$(sum "$T/written")" "$(sum "$M/dst")"
  expect 0 --inplace --resume "$M/src" "$M/dst"
  is_new 'written to, then resumed'
done

note 'what differs is cloned, where that is little'
for what in some first holes zeroes grow shrink all; do
  older
  rm -f "$M/live"
  cp --reflink=always "$M/src" "$M/live"
  case $what in
    some) scribble "$M/live" 4096 3 77 500 1400 ;;
    first) scribble "$M/live" 4096 0 ;;
    zeroes) scribble "$M/live" 4096 4 11 ;; # what is a hole of SOURCE
    holes) fallocate -p -o 409600 -l 40960 "$M/live" && fallocate -z -o 819200 -l 81920 "$M/live" ;;
    grow) head -c 30000 /dev/urandom >>"$M/live" ;;
    shrink) truncate -s 3000000 "$M/live" ;;
    all) scribble "$M/live" 6144000 0 ;;
  esac
  sync "$M/live"
  inode=$(stat -c %i "$M/live")
  was=$(sum "$M/live")
  for at in before after; do
    cp --reflink=always "$M/live" "$M/copy"
    EXCHANGE_DO=$at LD_PRELOAD=$TOOLS/exchange.so \
      "$LULLCP" --refresh --inplace "$M/src" "$M/copy" 2>/dev/null
    # one that becomes longer has zeroes at its end before
    [ "$what.$at" != shrink.before ] || truncate -s 3000000 "$M/copy"
    case $at.$(sum "$M/copy") in
      before."$was" | after."$new") ok ;;
      *) bad "$what, killed $at: half refreshed" ;;
    esac
    expect 0 --refresh --inplace --resume "$M/src" "$M/copy"
    check "$what: resumed" cmp "$M/src" "$M/copy"
    rm "$M/copy"
  done
  export EXCHANGE_DO=write EXCHANGE_FILE=$M/live LD_PRELOAD=$TOOLS/exchange.so
  run --refresh --inplace "$M/src" "$M/live"
  unset EXCHANGE_DO EXCHANGE_FILE LD_PRELOAD
  same "$what: written to" 3 $rc
  rm -f "$M"/.live.lullcp*
  expect 0 --refresh --inplace --json "$M/src" "$M/live"
  check "$what" cmp "$M/src" "$M/live"
  same "$what: its inode" "$inode" "$(stat -c %i "$M/live")"
  case $what in
    some | first | holes | zeroes) [ "$(field extents_cloned)" -lt 100 ] ||
      bad "$what: cloned $(field extents_cloned) of $(field extents) extents" ;;
  esac
  no_leftovers "$M"
  # what is shared stays so, and what is written to is not
  scribble "$M/live" 4096 10 20 30
  sync "$M/live"
  same "$what: SOURCE, after a write to DEST" "$new" "$(sum "$M/src")"
done

note 'somebody else'"'"'s file'
mkdir "$M/theirs"
chown 65534 "$M/theirs"
head -c 7000000 /dev/urandom >"$M/theirs/dst"
cp --reflink=always "$M/src" "$M/theirs/src"
chmod 666 "$M/theirs/dst" "$M/theirs/src"
inode=$(stat -c %i "$M/theirs/dst")
as_user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
EXCHANGE_DO=before LD_PRELOAD=$TOOLS/exchange.so as_user "$LULLCP" "$M/theirs/src" "$M/theirs/dst" 2>"$T/err"
same 'killed before: as it was' 7000000 "$(stat -c %s "$M/theirs/dst")"
check 'resumed' as_user "$LULLCP" --resume "$M/theirs/src" "$M/theirs/dst"
check 'theirs' cmp "$M/src" "$M/theirs/dst"
same 'theirs: owner and inode' "$inode 0" "$(stat -c '%i %u' "$M/theirs/dst")"
no_leftovers "$M/theirs"
fs_unmount "$M"
check 'the file system is sound' sound "$img"
rm -f "$img"

note 'the power goes'
img=$(image 400M)
make_fs "$img" xfs-exchange
mkdir -p "$T/m"
for at in stop-before.8000123 stop-after.8000123 stop-after.1228800 stop-after.5000; do
  size=${at#*.} at=${at%.*}
  mount -o loop "$img" "$T/m" || framework_failure mount
  M=$T/m
  [ -e "$M/src" ] || fragmented "$M/src" 300
  older "$size"
  sync -f "$M"
  new=$(sum "$M/src")
  EXCHANGE_DO=$at LD_PRELOAD=$TOOLS/exchange.so "$LULLCP" --inplace --latency-budget=1ms "$M/src" "$M/dst" 2>/dev/null &
  pid=$!
  soon is_stopped $pid
  cp --sparse=always "$img" "$img.cut"
  kill -KILL $pid
  wait $pid 2>/dev/null
  unmounted "$T/m" || framework_failure umount
  mount -o loop "$img.cut" "$T/m" || framework_failure mount
  case $at.$(sum "$M/dst") in
    stop-before."$old" | stop-after."$new") ok ;;
    *) bad "$at, $size bytes: DEST is neither the old one nor the new one" ;;
  esac
  expect 0 --inplace --resume "$M/src" "$M/dst"
  is_new "$at, resumed"
  unmounted "$T/m" || framework_failure umount
done
rm -f "$img" "$img.cut"

note 'where the file system cannot'
for kind in xfs btrfs; do
  fs_mount $kind
  fragmented "$M/src" 1500 -h 7
  new=$(sum "$M/src")
  older
  begin TERM --inplace "$M/src" "$M/dst"
  says 'was written in place and is incomplete: it could not be changed in one step'
  expect 0 --inplace --resume "$M/src" "$M/dst"
  is_new $kind
  fs_unmount "$M"
done
# a few blocks written in the middle of extents, far apart: each extent becomes three, and the kernel
# runs out of what it reserves for that and shuts the file system down. So it is not asked to. Where both
# files are cut, they may have as many extents: then it shows late, and nothing has changed.
fs_mount xfs-exchange
cd "$M" || exit 99
late=0
for places in 6 16 60 400 both; do
  for how in --inplace "--refresh --inplace" "--restore --no-undo"; do
    rm -f src dst
    "$PYTHON" - <<'PY' || framework_failure 'no extents of three blocks'
import fcntl, os, random, struct
with open('donor', 'wb') as f:
    f.write(os.urandom(32 << 20))
os.sync()
donor = os.open('donor', os.O_RDONLY)
src = os.open('src', os.O_RDWR | os.O_CREAT)
for i in range(12000):
    at = random.randrange(2700) * 3
    fcntl.ioctl(src, 0x4020940d, struct.pack('qQQQ', donor, at << 12, 3 << 12, i * 3 << 12))
PY
    cp --reflink=always src dst
    # shellcheck disable=SC2046 # numbers
    scribble src 4096 $(shuf -i 0-11999 -n ${places/both/60} | awk '{ print $1 * 3 + 1 }')
    if [ $places = both ]; then
      # shellcheck disable=SC2046 # numbers
      scribble dst 4096 $(shuf -i 0-11999 -n 60 | awk '{ print $1 * 3 + 1 }')
      sync -f .
      sum=$(b2sum <dst)
      # shellcheck disable=SC2086 # options
      run $how src dst
      if [ $rc != 0 ]; then
        late=$((late + 1))
        says "/dst' is left as it is"
        says '--restart'
        same "$how, $places: nothing has changed" "$sum" "$(b2sum <dst)"
        how="$how --restart"
      fi
    fi
    # shellcheck disable=SC2086 # options
    expect 0 $how src dst
    check "$how, $places places: equal" cmp src dst
    check "$how, $places places: the file system is up" touch alive
    no_leftovers .
  done
done
check 'some were found late' test $late -gt 0

# preallocated, and written in part: where DEST is unwritten a clone has a hole, and that differs in
# thousands of places. But only what was written since is exchanged, and no more is reserved than for that.
for places in 3 30 100 400; do
  for how in "--refresh --inplace" "--restore --no-undo"; do
    rm -f src dst donor
    fallocate -l $((20000 * 4096)) dst
    # shellcheck disable=SC2046 # numbers
    scribble dst 4096 $(seq 0 3 19999)
    sync dst
    cp --reflink=always dst src
    # shellcheck disable=SC2046 # numbers
    scribble src 4096 $(shuf -i 0-6600 -n $places | awk '{ print $1 * 3 + 1 }')
    sync src
    # shellcheck disable=SC2086 # options
    expect 0 $how src dst
    check "$how, $places places, unwritten: equal" cmp src dst
    check "$how, $places places, unwritten: the file system is up" touch alive
    no_leftovers .
  done
done
# alike, and unwritten here and there: the clone that is exchanged has holes there
rm -f src dst
"$PYTHON" - <<'PY' || framework_failure 'no extents of three blocks'
import ctypes, fcntl, os, random, struct
libc = ctypes.CDLL(None, use_errno=True)
def call(fd, mode, at):
    if libc.fallocate(fd, mode, ctypes.c_long(at << 12), ctypes.c_long(3 << 12)):
        raise OSError(ctypes.get_errno(), 'fallocate')
with open('donor', 'wb') as f:
    f.write(os.urandom(32 << 20))
os.sync()
donor = os.open('donor', os.O_RDONLY)
for name in 'src', 'dst':
    fd = os.open(name, os.O_RDWR | os.O_CREAT)
    for i in range(12000):
        at = random.randrange(2700) * 3
        fcntl.ioctl(fd, 0x4020940d, struct.pack('qQQQ', donor, at << 12, 3 << 12, i * 3 << 12))
    for i in range(0, 12000, 700):
        call(fd, 3, i * 3)
        call(fd, 0, i * 3)
PY
sync -f .
for how in --inplace "--restore --no-undo"; do
  # shellcheck disable=SC2086 # options
  run $how src dst
  # shellcheck disable=SC2086 # options
  [ $rc = 0 ] || expect 0 $how --restart src dst
  check "$how, unwritten in both: equal" cmp src dst
  check "$how, unwritten in both: the file system is up" touch alive
done
cd /
fs_unmount "$M"
finish
