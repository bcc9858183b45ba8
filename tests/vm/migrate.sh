#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lullcp-hook-qmp and a guest that migrates: the other QEMU has the disk that its command line names. So
# no sidecar is created during a migration, and none is touched that is the disk of another QEMU.
. "$(dirname "$0")/../lib.sh"
fs_test
. "$(dirname "$0")/vm.sh"
. "$(dirname "$0")/guests.sh"
command -v qemu-system-x86_64 >/dev/null || cannot_run 'needs qemu-system-x86_64'
A=0f8fad5b-d9cb-469f-a165-70867728950e # of a run of lullcp

fs_mount xfs 400M
a=$M/a side=$M/.a.lullcp-sidecar
SOCKETS=$(mktemp -d /tmp/lullcp-vm.XXXXXX) || framework_failure mktemp
plain="driver=raw,node-name=top,file.driver=file,file.filename=$a"
redirected="driver=qcow2,node-name=top,file.driver=file,file.filename=$side,backing.driver=raw,backing.file.driver=file,backing.file.filename=$a"

listens() { grep -q " 00010000 .* $1\$" /proc/net/unix; } # listens SOCKET
# qemu NAME BLOCKDEV ARG...: with that disk, its monitor at $SOCKETS/NAME; its pid in $pid. With -incoming
# it listens at $SOCKETS/in, and not only the file of an earlier one is there.
qemu() {
  local name=$1 disk=$2
  shift 2
  rm -f "$SOCKETS/$name" "$SOCKETS/in"
  qemu-system-x86_64 -machine pc,accel=tcg -m 32 -display none -nodefaults \
    -qmp "unix:$SOCKETS/$name,server=on,wait=off" -blockdev "$disk" \
    -device virtio-blk-pci,drive=top,id=disk "$@" >"$T/$name.out" 2>"$T/$name.err" &
  pid=$!
  await "$SOCKETS/$name"
  [ "${1:-}" != -incoming ] || soon listens "$SOCKETS/in" || framework_failure 'no incoming migration'
}
tells() { # tells NAME COMMAND[=ARGUMENTS]...: that QEMU
  local name=$1
  shift
  python3 "$here/qmp.py" "$SOCKETS/$name" "$@"
}
writes() { # writes NAME BYTE OFFSET: as its guest
  tells "$1" "human-monitor-command={\"command-line\":\"qemu-io -d /machine/peripheral/disk/virtio-backend \\\"write -P $2 $3 64k\\\"\"}" >"$T/out"
  check_not "$1 writes $2" grep -qi 'error\|failed' "$T/out"
}
until_says() { # until_says NAME COMMAND TEXT
  for _ in $(seq 500); do
    case $(tells "$1" "$2") in *"$3"*) return 0 ;; esac
    sleep 0.02
  done
  bad "$1: $2 never says $3; it printed: $(cat "$T/$1.err")"
}
asked() { # asked STATUS NAME PHASE: the hook, by that monitor
  QMP=$SOCKETS/$2 hook "$1" "$3 by $2" $A "$3" "$a"
}
ended() { # ended PID...
  kill "$@"
  wait "$@" 2>/dev/null
}

note 'a freeze while a migration is under way'
make_image "$a" raw
qemu source "$plain"
source=$pid
qemu target "$plain" -incoming "unix:$SOCKETS/in"
target=$pid
asked 1 target freeze
says 'is waiting for a guest that migrates to it; not redirected'
ended "$target"
writes source 1 0
# To somewhere else, so slow that it takes a while. Who opens the image there is not seen from here.
tells source 'migrate-set-parameters={"max-bandwidth":100000}' >"$T/out"
tells source 'migrate={"uri":"exec:cat >/dev/null"}' >"$T/out"
until_says source query-migrate '"active"'
asked 1 source freeze
says 'is migrating to another QEMU'
check_not 'nothing is redirected' test -e "$side"
asked 0 source thaw
tells source 'migrate_cancel' >"$T/out"
until_says source query-migrate '"cancelled"'
asked 0 source freeze
asked 0 source thaw
check_not 'nothing is redirected' test -e "$side"
qemu target "$plain" -incoming "unix:$SOCKETS/in"
target=$pid
tells source "migrate={\"uri\":\"unix:$SOCKETS/in\"}" >"$T/out"
until_says source query-migrate '"active"'
asked 1 source freeze
says 'is migrating to another QEMU'
check_not 'nothing is redirected' test -e "$side"
asked 0 source thaw
tells source 'migrate-set-parameters={"max-bandwidth":1000000000}' >"$T/out"
until_says source query-status postmigrate
asked 1 source freeze
says 'has migrated to another QEMU'
until_says target query-status '"running"'
writes target 2 64k
ended "$source"
asked 0 target freeze
writes target 3 128k
asked 0 target thaw
ended "$target"
gets 'before it' 1 0 "$a"
gets 'after it' 2 64k "$a"
gets 'frozen after it' 3 128k "$a"
rm -f "$SOCKETS"/*

note 'a guest that migrates while it is redirected'
qemu source "$plain"
source=$pid
asked 0 source freeze
writes source 4 0
qemu target "$redirected" -incoming "unix:$SOCKETS/in"
target=$pid
tells source "migrate={\"uri\":\"unix:$SOCKETS/in\"}" >"$T/out"
until_says source query-status postmigrate
until_says target query-status '"running"'
writes target 5 64k
mark=$(stat -c %A "$side")$(getfattr -d "$side" 2>/dev/null)
asked 1 source thaw
says "the guest has migrated to another QEMU, which now has the disk of '$a'"
same 'what is remembered of it is as it was' "$mark" "$(stat -c %A "$side")$(getfattr -d "$side" 2>/dev/null)"
asked 1 target thaw
says "this QEMU has '$side' open directly"
writes target 6 128k
ended "$target"
asked 1 source thaw
ended "$source"
QMP=$SOCKETS/nobody hook 1 'thaw when both have ended' $A thaw "$a"
followed 'migrated'
gets 'before it' 4 0 "$a"
gets 'after it' 5 64k "$a"
gets 'in the end' 6 128k "$a"
check_not 'the sidecar is gone' test -e "$side"
rm -rf "${SOCKETS:?}"
fs_unmount "$M"
finish
