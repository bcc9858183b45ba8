# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Common code of the tests with QEMU; sourced after lib.sh and fs_test.
#
# Environment: HOOK (lullcp-hook-qmp), TOOLS/nbd.

HOOK=${HOOK:?the hook to test}
NBD=$TOOLS/nbd
for program in qemu-storage-daemon qemu-img; do
  command -v $program >/dev/null || cannot_run "needs $program"
done

# qsd NAME=IMAGE=FORMAT...: a storage daemon that exports each; its pid in $qsd. It has a monitor for
# the hook, and another one for what somebody else does meanwhile. Where $GUEST says so it is a QEMU
# with a guest, which has the disks as its own besides.
GUEST=
vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
qsd() {
  local disk name image format args=()
  # the path of a unix socket is short
  SOCKETS=$(mktemp -d /tmp/lullcp-vm.XXXXXX) || framework_failure mktemp
  QMP=$SOCKETS/qmp OTHER_QMP=$SOCKETS/other
  for disk in "$@"; do
    IFS='=' read -r name image format <<<"$disk"
    args+=(--blockdev "driver=$format,node-name=$name,file.driver=file,file.filename=$image"
      --export "type=nbd,id=e-$name,node-name=$name,name=$name,writable=on")
  done
  if [ -n "$GUEST" ]; then
    guest_system "$@"
    return
  fi
  qemu-storage-daemon --nbd-server "addr.type=unix,addr.path=$SOCKETS/nbd,max-connections=0" \
    --chardev "socket,id=m,path=$QMP,server=on,wait=off" --monitor chardev=m \
    --chardev "socket,id=o,path=$OTHER_QMP,server=on,wait=off" --monitor chardev=o \
    "${args[@]}" >"$T/qsd.log" 2>&1 &
  qsd=$!
  soon test -S "$QMP" -a -S "$SOCKETS/nbd" || framework_failure "qemu-storage-daemon: $(cat "$T/qsd.log")"
  # the sockets are there before the disks are open; it answers once they are
  python3 "$vm_dir/qmp.py" "$QMP" query-named-block-nodes >"$T/out" ||
    framework_failure "qemu-storage-daemon: $(cat "$T/qsd.log")"
}
guest_system() { # for qsd()
  local disk name image format args=() exports=()
  for disk in "$@"; do
    IFS='=' read -r name image format <<<"$disk"
    args+=(-blockdev "driver=$format,node-name=$name,file.driver=file,file.filename=$image"
      -device "virtio-blk-pci,drive=$name,share-rw=on")
    exports+=("block-export-add={\"type\":\"nbd\",\"id\":\"e-$name\",\"node-name\":\"$name\",\"name\":\"$name\",\"writable\":true}")
  done
  qemu-system-x86_64 -machine pc,accel=tcg -m 32 -display none -nodefaults \
    -chardev "socket,id=m,path=$QMP,server=on,wait=off" -mon chardev=m,mode=control \
    -chardev "socket,id=o,path=$OTHER_QMP,server=on,wait=off" -mon chardev=o,mode=control \
    "${args[@]}" >"$T/qsd.log" 2>&1 &
  qsd=$!
  soon test -S "$OTHER_QMP"
  python3 "$vm_dir/qmp.py" "$OTHER_QMP" \
    "nbd-server-start={\"addr\":{\"type\":\"unix\",\"data\":{\"path\":\"$SOCKETS/nbd\"}},\"max-connections\":0}" \
    "${exports[@]}" >"$T/out" || framework_failure "qemu-system: $(cat "$T/qsd.log")"
}
qsd_end() {
  kill "$qsd"
  wait "$qsd"
  rm -rf "${SOCKETS:?}"
}
# holder FD FILE COMMAND...: has the file open for writing, and its own name; its pid in $holder
holder() {
  local fd=$1 file=$2
  shift 2
  (
    eval "exec $fd<>\"\$file\""
    exec "$@"
  ) &
  holder=$!
  soon grep -qx "$1" "/proc/$holder/comm" || framework_failure "no $1"
}
make_image() { # make_image FILE FORMAT [SIZE]
  qemu-img create -q -f "$2" "$1" "${3:-16M}" || framework_failure qemu-img
}
# writer EXPORTS: writes without pause, and goes on where one before it ended; its pid in $writer
writer() {
  local before
  before=$(acked 2>/dev/null || echo 0)
  "$NBD" write "$SOCKETS/nbd" "$1" "$SEED" "$T/acked" 2>"$T/writer.err" &
  writer=$!
  # More than there were: before that it may be so new that a signal would kill it.
  for _ in $(seq 1000); do
    [ "$(acked 2>/dev/null || echo 0)" -lt $((before < 200 ? 200 : before + 1)) ] || return 0
    sleep 0.02
  done
  framework_failure "the writer does not write: $(cat "$T/writer.err")"
}
acked() { "$NBD" acked "$T/acked"; }
# The writer has one write at a time on its way. It can be on the disk before the writer notes the answer.
begun() { echo $(($(acked) + 1)); }
writer_end() { # it has read back each block by then
  kill "$writer"
  wait "$writer"
  same 'the guest found all its writes' 0 $?
  [ ! -s "$T/writer.err" ] || sed 's/^/    guest: /' "$T/writer.err"
}
# holds WHAT AT_LEAST AT_MOST FORMAT FILE...: exactly the first k writes, k in these bounds
holds() {
  local what=$1 least=$2 most=$3 format=$4 file raws=''
  shift 4
  for file in "$@"; do
    if [ "$format" = raw ]; then
      raws=$raws,$file
    else
      qemu-img convert -U -f "$format" -O raw "$file" "$T/raw$((++n_raws))" || bad "$what: qemu-img"
      raws=$raws,$T/raw$n_raws
    fi
  done
  if "$NBD" check "${raws#,}" "$SEED" "$least" "$most" >"$T/check.out" 2>&1; then
    ok
  else
    bad "$what: $(cat "$T/check.out")"
  fi
  rm -f "$T"/raw[0-9]*
}
# survives WHAT FORMAT FILE: no write that was flushed is lost, and nothing else is in it
survives() {
  local acked file=$3
  acked=$(acked)
  if [ "$2" != raw ]; then
    file=$T/raw$((++n_raws))
    qemu-img convert -U -f "$2" -O raw "$3" "$file" || bad "$1: qemu-img"
  fi
  if "$NBD" loss "$file" "$SEED" $((acked > 0 ? (acked - 1) / 256 * 256 : 0)) $((acked + 1)) \
    >"$T/check.out" 2>&1; then
    ok
  else
    bad "$1: $(cat "$T/check.out")"
  fi
  rm -f "$T"/raw[0-9]*
}
n_raws=0
not_redirected() { # not_redirected WHAT IMAGE...: no sidecar, no overlay, no job
  local what=$1 image
  shift
  for image in "$@"; do
    check_not "$what: no sidecar" test -e "$(dirname "$image")/.$(basename "$image").lullcp-sidecar"
  done
  python3 "$vm_dir/qmp.py" "$QMP" query-jobs query-named-block-nodes >"$T/nodes"
  check_not "$what: no overlay, no job" grep -q 'lull-' "$T/nodes"
}
# mine NAME: the processes of that name that belong to this test
mine() {
  local pid
  for pid in $(pgrep -x "$1"); do
    ! tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$QMP" || echo "$pid"
  done
}
