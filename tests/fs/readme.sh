#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The commands of the README work as it says, in their order, with stand-ins for the hooks.
readme=$(cd "$(dirname "$0")" && pwd)/../../README.md
. "$(dirname "$0")/../lib.sh"
fs_test

mkdir "$T/bin"
ln -s "$LULLCP" "$T/bin/lullcp"
for hook in lullcp-hook-qmp lullcp-hook-libvirt; do
  printf '#!/bin/sh\necho "%s $*" >>"%s"\n' "$hook" "$T/calls" >"$T/bin/$hook"
  chmod +x "$T/bin/$hook"
done
# the other machine is this one
printf '#!/bin/sh\nshift\nexec "$@"\n' >"$T/bin/ssh"
chmod +x "$T/bin/ssh"
PATH=$T/bin:$PATH

commands=$(sed -n '/^## Four jobs/,/^## /p' "$readme" | sed -nE 's/^    (lullcp .*[^ ])(  .*|$)/\1/p' | sed 's/   .*//')
check "commands of the README: $(wc -l <<<"$commands")" test "$(wc -l <<<"$commands")" -ge 10
for kind in xfs btrfs; do
  fs_mount "$kind" 1G
  note "$kind"
  cd "$M" || exit 99
  fragmented vm.img 500
  fragmented web.img 500
  mkdir snap
  : >"$T/calls"
  while IFS= read -r command; do
    line=${command//--hook=.../--hook=lullcp-hook-qmp}
    line=${line//=COMMAND/=lullcp-hook-qmp}
    case $line in
    *--restore*) scribble web.img 4096 3 ;;
    *--diff*)
      cp --reflink=always vm.img snap1.img
      scribble vm.img 4096 7
      cp --reflink=always vm.img snap2.img
      ;;
    esac
    want=0
    # nothing was interrupted, and nothing is frozen
    case $line in
    *--status* | *--recover*) want=1 ;;
    *--diff*) want=4 ;;
    esac
    bash -c "$line" >"$T/out" 2>"$T/err" </dev/null
    same "$kind: $command" "$want" $?
    case $line in
    *--status* | *--recover*) says 'no interrupted clone' ;;
    *'vm.img snap/') check 'vm.img is cloned' cmp vm.img snap/vm.img ;;
    *'web.img snap/') check 'web.img is cloned' cmp web.img snap/web.img ;;
    *--keep=*) same 'a generation' 1 "$(find snap -name 'web.img.*Z' | wc -l)" ;;
    *--list*) check 'the row is listed' grep -q '^snap/web.img.2.*last' "$T/out" ;;
    *--restore*)
      check 'it is restored' cmp "$(echo snap/web.img.*Z)" web.img
      check_not 'and what it was is kept' cmp -s web.img web.img.before-restore
      ;;
    *'--apply 1.img') check 'the first is carried whole' cmp snap1.img 1.img ;;
    *--export*) check 'it is carried' cmp snap2.img 2.img ;;
    *--refresh*) check 'it is up to date' cmp vm.img snap.img ;;
    *--probe*) check 'what would happen is told' test -s "$T/out" ;;
    esac
  done <<<"$commands"
  check 'the hook of QEMU was called with its option' grep -q '^lullcp-hook-qmp --socket=/run/vm/web.hook freeze /' "$T/calls"
  check 'that of libvirt was called' grep -q '^lullcp-hook-libvirt thaw /' "$T/calls"
  cd / || exit 99
  fs_unmount "$M"
done
finish
