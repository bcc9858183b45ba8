#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --reflink=auto and never: when data is copied, and when it is not.
. "$(dirname "$0")/../lib.sh"
fs_test "$@"
fs_mount ext4 400M
cd "$M" || exit 99

head -c 3000000 /dev/urandom >f
expect 0 --reflink=auto f g
check 'equal' cmp f g
says 'that could not be cloned'
expect 0 -q --reflink=auto f g
silent
expect 0 --json --reflink=auto f g
same 'method' copy "$(field method)"
same 'bytes copied' 3000000 "$(field bytes_copied)"
same 'bytes cloned' 0 "$(field bytes_cloned)"
expect 0 --reflink=never f h
silent
expect 1 f i
says "failed to clone 'i' from 'f'"
check_not 'nothing is left' test -e i

# an older clone cannot be brought up to date where nothing is shared: it is copied in full, and one that
# would be used up is left as it is; so is a generation that becomes a file of several names
for how in auto never; do
  for also in '' --inplace --resume; do
    cp h g && printf older >>g
    # shellcheck disable=SC2086 # none or one
    expect 0 --json --reflink=$how --refresh $also f g
    check "--refresh $also: $how" cmp f g
    same "--refresh $also: $how: bytes" 3000000 "$(field bytes_copied)"
  done
  cp h base && cp h was && printf more >>base
  cp base was
  expect 0 --reflink=$how --refresh --base=base f g
  says "/base' is left as it is"
  check "--base: $how" cmp f g
  check "--base: $how: as it was" cmp was base
  printf newer >>g
  cp g was
  ln -f g second
  expect 0 --reflink=$how --restore f g
  check "--restore: $how" cmp f g
  same "--restore: $how: both names" "$(stat -c %i second)" "$(stat -c %i g)"
  check "--restore: $how: undo" cmp was g.before-restore
  rm -f second g.before-restore base was
done
expect 1 --refresh f g
says "failed to clone 'g' from 'f'"
no_leftovers .

# a large one is cut off and continued, and has its checkpoint meanwhile: by itself, and as
# the first one of a tree, when nobody knows yet that clones are refused
mkdir large
head -c 100000000 /dev/urandom >large/f
for what in large/f large; do
  record=.copy.lullcp
  [ $what != large ] || record=copy/.f.lullcp
  # --sparse=always: piece by piece, so that there is a moment at which it can be cut off
  how=(-rT --reflink=auto --sparse=always)
  rc=0
  HALT_AT=10000000 LD_PRELOAD=$TOOLS/halt.so \
    "$LULLCP" "${how[@]}" --checkpoint-interval=0 $what copy 2>"$T/err" || rc=$?
  same "$what: ended by the signal" 143 $rc
  check "$what: a checkpoint" test -s $record
  expect 0 --resume "${how[@]}" --json $what copy
  check "$what: equal after the resume" diff -r $what copy
  check "$what: it went on where it was" test "$(field resumed_at)" -gt 0
  no_leftovers .
  rm -rf copy
done
rm -rf large

# somebody writes while bytes are copied: once, and the copy is made again; each time, and it is
# said, or with --on-writers=fail nothing is published
head -c 20000000 /dev/zero | tr '\0' x >w
mkdir wt
echo small >wt/small
ends() { # ends FILE: its first byte and its last
  head -c 1 "$1" && tail -c 1 "$1"
}
written() { # written TIMES STATUS ARG...: lullcp, with a writer that meets so many copies of w
  local times=$1 want=$2
  shift 2
  rm -rf wd
  mkdir wd
  echo old | tee wd/old >wd/linked
  ln wd/linked wd/other
  head -c $size /dev/zero | tr '\0' x >w
  ln -f w wt/w
  rc=0
  WRITES_TO=w WRITES_TIMES=$times LD_PRELOAD=$TOOLS/writes.so \
    "$LULLCP" "$@" >"$T/out" 2>"$T/err" || rc=$?
  same "$times times, lullcp $*" "$want" $rc
  no_leftovers wd
}
while read -r where args; do
  for how in never auto; do
    [[ $how == never || $args == *new || $args == *-j2* ]] || continue
    # more than one piece
    size=2000000
    [[ $how == never || $args == *sparse* ]] || size=17000000
    # shellcheck disable=SC2086 # options
    written 1 0 --reflink=$how $args
    check "$args: equal" cmp w "$where"
    check_not "$args: not a word of it" grep torn "$T/err"
    # shellcheck disable=SC2086 # options
    written 9 0 --reflink=$how $args
    same "$args: torn" 23 "$(ends "$where")"
    says "w' was written to while its bytes were copied: the copy may be torn"
    # shellcheck disable=SC2086 # options
    written 9 3 --reflink=$how --on-writers=fail $args
    says 'was written to meanwhile; nothing was published'
    case $args in
      *old | *linked) [[ $args == *inplace* || $args == *linked ]] ||
        same "$args: DEST is what it was" old "$(cat "$where")" ;;
      *) check_not "$args: nothing is published" test -e "$where" ;;
    esac
    case $args in
      *inplace* | *linked) says 'was written in place and is incomplete' ;;
    esac
  done
done <<'EOT'
wd/new -T w wd/new
wd/old -T w wd/old
wd/old -T --inplace w wd/old
wd/linked -T w wd/linked
wd/w w wt/small wd
wd/w -T -r wt wd
wd/w -T -r -j2 wt wd
wd/new -T --sparse=always w wd/new
EOT
rm -rf w wt wd

# a full disk: no copy where a clone was refused for want of room, and no part of one
cat /dev/zero >filler 2>/dev/null
expect 1 --reflink=auto f part
says 'No space left on device'
check_not 'no part of a file' test -e part
rm -f filler
cd /
fs_unmount "$M"

# --reflink=auto: an error that a copy would meet again, later and with more harm, is the end
fs_mount xfs 1G
cd "$M" || exit 99
mkdir t
echo small >t/small
fragmented t/big 3000
truncate -s 3G t/vast
echo data | dd of=t/vast conv=notrunc status=none
echo old >over
ln over over2
failing() { # failing ERRNO ARG...
  local errno=$1
  shift
  rc=0
  CLONE_ERRNO=$errno LD_PRELOAD=$TOOLS/clones.so "$LULLCP" --json --reflink=auto "$@" \
    >"$T/out" 2>"$T/err" || rc=$?
}
for errno in 5 12 28 122; do # EIO ENOMEM ENOSPC EDQUOT
  for file in small big vast; do
    for also in -T -Tj2 '-T --checkpoint-interval=0'; do
      # shellcheck disable=SC2086 # options
      failing $errno $also t/$file new
      same "$errno, $file $also: status" 1 $rc
      check_not "$errno, $file $also: no copy" test -e new
      same "$errno, $file $also: no byte" '' \
        "$(jq -r 'select(.bytes_copied > 0) | .bytes_copied' "$T/out")"
    done
    failing $errno t/$file over
    same "$errno, $file over a linked one" 1 $rc
  done
  for jobs in 1 4; do
    failing $errno -rj$jobs t n
    same "$errno, a tree, $jobs jobs: status" 1 $rc
    same "$errno, a tree, $jobs jobs: no file" '' "$(find n -type f)"
    rm -rf n
  done
done
# what a clone cannot do and a copy can: only these errors end it
for errno in 95 18 22; do # EOPNOTSUPP EXDEV EINVAL
  failing $errno -r t n
  same "$errno: status" 0 $rc
  check "$errno: a copy" diff -r -x vast t n
  check "$errno: of the vast one" cmp -n 1000000 t/vast n/vast
  same "$errno: all else is a hole" "$(stat -c '%s %b' t/vast)" "$(stat -c '%s %b' n/vast)"
  rm -rf n
done
cd /
fs_unmount "$M"

# holes of exabytes cost nothing
fs_mount xfs 400M
cd "$M" || exit 99
truncate -s $((2 ** 63 - 4096)) vast
echo begin | dd of=vast conv=notrunc status=none
echo middle | dd of=vast bs=1 seek=$((2 ** 62)) conv=notrunc status=none
for how in always auto never; do
  for also in -T -r; do
    rc=0
    timeout 20 "$LULLCP" $also --reflink=$how vast "v-$how$also" 2>"$T/err" || rc=$?
    same "$how $also" 0 $rc
    same "$how $also: size" $((2 ** 63 - 4096)) "$(stat -c %s "v-$how$also")"
    same "$how $also: data" middle "$(dd if="v-$how$also" bs=1 skip=$((2 ** 62)) count=6 status=none)"
  done
done
cd /
fs_unmount "$M"
finish
