#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Careless commands that would lose data: a SOURCE, a base or a destination has the name of a file that
# lullcp creates during the run, or its path does not lead back to it. Also options that must not be
# ignored where they cannot be honoured.
. "$(dirname "$0")/../lib.sh"
fs_test "$@"
command -v strace >/dev/null || cannot_run 'needs strace'

hooked() { # hooked: the hook was called
  test -s "$T/hook.log"
}
refused() { # refused WHAT TEXT ARG...: status 1 with these words, no hook, and nothing has changed
  local what=$1 text=$2 before
  shift 2
  before=$(find . -type f -printf '%p %s %T@\n' | sort)
  rm -f "$T/hook.log"
  expect 1 "$@"
  says "$text"
  check_not "$what: the hook was called" hooked
  same "$what: what is there" "$before" "$(find . -type f -printf '%p %s %T@\n' | sort)"
}

printf '#!/bin/sh\necho "$1" >>"%s/hook.log"\n' "$T" >"$T/hook"
chmod +x "$T/hook"
for kind in xfs btrfs; do
  fs_mount "$kind"
  cd "$M" || framework_failure cd
  fragmented s 2000
  echo old >old

  note "$kind: a hook is called, or the clone refused"
  touch place bound
  mount --bind bound place || framework_failure mount
  refused 'a mount point' 'which is a mount point: give --inplace' --hook="$T/hook" s place
  refused 'a mount point, no such hook' 'mount point' --hook=/nonexistent s place
  refused 'a mount point, --checkpoint' 'mount point' --checkpoint=ck s place
  expect 0 s place
  expect 0 --inplace --hook="$T/hook" s place
  check 'in place it is called' hooked
  mkdir set
  cp old set/s
  touch set/s2
  cp s s2
  mount --bind bound set/s2 || framework_failure mount
  refused 'a set, one on a mount point' 'cannot replace' --hook="$T/hook" s s2 set/
  umount place set/s2
  mkfifo fifo
  refused 'a fifo' 'make regular files' --reflink=auto --hook="$T/hook" s fifo
  device=$(losetup -f --show "$(image 64M)") || framework_failure losetup
  refused 'a device' 'make regular files' --reflink=auto --hook="$T/hook" s "$device"
  losetup -d "$device"
  ln -s nothing dangling
  refused 'a dangling link' 'dangling symlink' --hook="$T/hook" s dangling
  rm -f "$T/hook.log"
  POSIXLY_CORRECT=1 expect 0 --hook="$T/hook" s posix
  check 'it is called with POSIXLY_CORRECT' hooked
  POSIXLY_CORRECT=1 refused 'a dangling link, POSIXLY_CORRECT' 'link to nothing' --hook="$T/hook" s dangling
  POSIXLY_CORRECT=1 expect 0 --refresh s posix

  note "$kind: a file that somebody writes to, and writes that lie beside"
  cp old running
  exec 8<>running
  refused 'in place, while a program writes' 'has it open for writing' --inplace s running
  exec 8>&-
  expect 0 --inplace s running
  exec 8<running
  expect 0 --inplace s running
  exec 8<&-
  for sidecar in .s.lullcp-sidecar .s.lullcp-overlay.qcow2; do
    ln -s nowhere "$sidecar"
    expect 0 -q s beside
    says "'$M/$sidecar' may hold writes of a guest that the image beside it lacks"
    rm "$sidecar"
  done
  touch .beside.lullcp-sidecar
  expect 0 -q s beside
  says "'$M/.beside.lullcp-sidecar' may hold writes of a guest to the file that is replaced now"
  rm .beside.lullcp-sidecar
  # also where one call would do
  touch .old.lullcp-sidecar
  expect 0 -q old small
  says "'$M/.old.lullcp-sidecar' may hold"
  rm .old.lullcp-sidecar
  expect 0 -q s beside
  silent

  note "$kind: a path that leads elsewhere"
  mkdir -p cwd over
  echo precious >over/d
  cp s over/base
  cp s cwd/base
  before=$failures
  (
    cd cwd && mount --bind ../over "$PWD" || framework_failure mount
    echo precious >d
    for args in '../s d' '--keep=2 ../s row' '--refresh --base=base ../s new' \
      "--hook=$T/hook base ../out" '--refresh ../s d'; do
      # shellcheck disable=SC2086 # several
      refused "a directory that is mounted over: $args" 'leads to another file' $args
    done
    refused 'a hook that is checked' 'leads to another file' --check-hook "$T/hook" base
    exit "$((failures > before))"
  )
  same 'in a directory that is mounted over' 0 $?
  umount cwd
  same 'what lies over it is left alone' precious "$(cat over/d)"
  same 'and no more is there' 'base d' "$(find over -mindepth 1 -printf '%P\n' | sort | xargs)"

  note "$kind: names that lullcp uses itself"
  cp s 'ck~'
  sum=$(b2sum <'ck~')
  expect 0 --checkpoint=ck 'ck~' d
  same 'SOURCE beside --checkpoint is kept' "$sum" "$(b2sum <'ck~')"
  expect 0 --refresh --base=d --checkpoint=ck s new
  check 'FILE~ is no base' test -e 'ck~'
  cp s '.mine.lullcp~'
  expect 1 --checkpoint=.mine.lullcp s d3
  same 'what is no leftover stays' "$sum" "$(b2sum <'.mine.lullcp~')"
  cp s .vm.lullcp-part
  chmod 600 .vm.lullcp-part
  for option in '' --resume --restart; do
    # shellcheck disable=SC2086 # none
    refused "SOURCE is the temporary file $option" 'it would be lost' $option .vm.lullcp-part vm
    # shellcheck disable=SC2086 # none
    refused "the base is the temporary file $option" 'it would be lost' \
      --refresh $option --base=.vm.lullcp-part s vm
  done
  mkdir out
  cp s .1.lullcp-part
  cp s 1
  refused 'DEST is the temporary file of another' 'it would be lost' \
    --hook="$T/hook" .1.lullcp-part 1 out/
  refused 'the other way round' 'it would be lost' --hook="$T/hook" 1 .1.lullcp-part out/

  note "$kind: what is written in place and left half way is said so"
  mkdir user
  fragmented user/s 2000
  echo old >user/d
  chown 1000 user/*
  chmod 555 user
  as_user=(env --default-signal=TERM setpriv --reuid=1000 --regid=1000 --clear-groups "$LULLCP")
  strace -f -qq -o /dev/null -e trace=ftruncate -e inject=ftruncate:signal=TERM:when=1 \
    "${as_user[@]}" user/s user/d 2>"$T/err"
  same 'interrupted in place' 143 $?
  says 'was written in place and is incomplete'
  "$TOOLS/numbers" write user/s d "$SEED" "$T/progress" 2>/dev/null &
  for _ in {1..500}; do [ ! -s "$T/progress" ] || break; sleep 0.01; done
  "${as_user[@]}" -q --on-writers=fail user/s user/d 2>"$T/err"
  same 'torn in place' 3 $?
  says 'was written in place and is incomplete'
  kill -KILL $!
  wait $! 2>/dev/null

  note "$kind: words for what failed"
  mkdir 'b~'
  echo old >b
  expect 1 -b s b
  says "cannot backup"
  cd / || exit
  fs_unmount "$M"
done
finish
