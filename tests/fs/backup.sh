#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --backup: DEST exists all the time, first as the old file and then as the new one. The backup is made
# when the new file replaces the old one.
. "$(dirname "$0")/../lib.sh"
fs_test "$@"
fs_mount xfs 1G
cd "$M" || exit 99
slow=(env LD_PRELOAD="$TOOLS/clones.so" CLONE_DELAY_US=3000)

echo small >small
fragmented big 3000
set_up() { # set_up: an old one, and an older backup
  rm -rf d
  mkdir -p d
  echo old >d/dest
  echo older >d/dest~
}
# watch COMMAND...: what DEST was while it ran, in $seen; $rc
watch() {
  seen=''
  rm -f "$T/go"
  mkfifo "$T/go"
  # not before the watch has begun, however busy the machine is
  (read -r <"$T/go" && exec "$@") >"$T/out" 2>"$T/err" &
  local pid=$! now go=1
  while kill -0 $pid 2>/dev/null; do
    now=new
    if [ ! -e d/dest ]; then now=gone; elif grep -qsx old d/dest; then now=old; fi
    [ "${seen##* }" = "$now" ] || seen="$seen $now"
    [ -z "$go" ] || echo >"$T/go"
    go=''
  done
  rc=0
  wait $pid || rc=$?
}
ends_well() { # ends_well WHAT SOURCE
  same "$1: status" 0 "$rc"
  same "$1: DEST is never gone" '' "$(grep -o gone <<<"$seen")"
  check "$1: DEST is old at first" grep -q '^ old' <<<"$seen"
  check "$1: and new at the end" cmp "$2" d/dest
  same "$1: the backup" old "$(cat d/dest~)"
  no_leftovers d
}

set_up
watch "${slow[@]}" "$LULLCP" -b big d/dest
ends_well 'a big file' big
set_up
watch "${slow[@]}" "$LULLCP" -b small d/dest
ends_well 'a small file' small
for jobs in 1 4; do
  for source in small big; do
    set_up
    mkdir -p s
    cp --reflink=always $source s/dest
    watch "${slow[@]}" "$LULLCP" -rb -j$jobs s/. d
    ends_well "$source in a tree, $jobs jobs" s/dest
  done
done
set_up
watch "${slow[@]}" "$LULLCP" -b --reflink=never --sparse=always big d/dest
ends_well 'copied' big

# other names of the old one stay with it
set_up
ln d/dest d/other
expect 0 -b big d/dest
silent
check 'hard-linked: new' cmp big d/dest
same 'hard-linked: the other name' old "$(cat d/other)"
same 'hard-linked: the backup is it' 'old 2' "$(cat d/dest~) $(stat -c %h d/dest~)"

# what fails leaves all as it was
for source in small big; do
  for how in -T '-T -j2'; do
    set_up
    rc=0
    # shellcheck disable=SC2086
    CLONE_ERRNO=28 LD_PRELOAD=$TOOLS/clones.so "$LULLCP" -b $how $source d/dest 2>"$T/err" || rc=$?
    same "$source $how fails" 1 $rc
    same "$source $how: old" 'old older 1' "$(cat d/dest d/dest~ | xargs) $(stat -c %h d/dest)"
  done
done
# …and what is killed leaves the old one, whole and under its name
set_up
"${slow[@]}" "$LULLCP" -b big d/dest 2>"$T/err" &
sleep 0.5
kill -9 $!
wait $! 2>/dev/null
same 'killed: DEST' old "$(cat d/dest)"
same 'killed: the older backup' older "$(cat d/dest~)"
expect 0 -b --resume big d/dest
check 'run again: new' cmp big d/dest
same 'run again: the backup' old "$(cat d/dest~)"
no_leftovers d

# a simple one that is DEST already, as after a crash between the two steps
set_up
ln -f d/dest d/dest~
for source in small big; do
  rm -f d/dest
  ln d/dest~ d/dest
  expect 0 -b $source d/dest
  check "$source: new" cmp $source d/dest
  same "$source: the backup" old "$(cat d/dest~)"
  no_leftovers d
done

# numbers
set_up
for i in 1 2 3; do
  cp --reflink=always d/dest "want$i"
  if [ $i = 2 ]; then expect 0 --backup=t big d/dest; else expect 0 --backup=t small d/dest; fi
  check "number $i" cmp "want$i" "d/dest.~$i~"
done

# a name that leaves no room for the suffix, twice
long=$(printf %0254d 0)
echo old >"d/$long"
expect 0 -b -S .bak small "d/$long"
expect 0 -b -S .bak small "d/$long"

# a DEST that somebody makes meanwhile: there is no backup of it, and it may be newer
for how in -b --backup=numbered -i --update=older -n; do
  rm -rf d
  mkdir d
  DIE_AT=6 DIE_DO=stop LD_PRELOAD=$TOOLS/die.so \
    "$LULLCP" --latency-budget=500us $how big d/dest >"$T/out" 2>"$T/err" &
  pid=$!
  soon is_stopped $pid
  check_not "$how: it is not there yet" test -e d/dest
  echo mine >d/dest
  kill -CONT $pid
  rc=0
  wait $pid || rc=$?
  same "$how: status" 1 $rc
  says 'It was left alone'
  same "$how: somebody's file" mine "$(head -c 4 d/dest)"
  same "$how: nothing else" 'dest ' "$(find d -mindepth 1 -printf '%f ')"
done

expect 1 --refresh -b small d/dest
says '--refresh takes --backup only with --base'
cd /
fs_unmount "$M"
finish
