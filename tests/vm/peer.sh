#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lullcp-hook-qmp checks for itself which files QEMU really has open, what lies in the place of its
# sidecars, and who may write there. Neither QEMU's answers about a file nor anything that somebody else
# put in place may lead it to a wrong file.
. "$(dirname "$0")/../lib.sh"
fs_test
. "$(dirname "$0")/vm.sh"
here=$(dirname "$0")
command -v qemu-io >/dev/null || cannot_run 'needs qemu-io'

guest() { # guest EXPORT COMMAND...: as a client of the storage daemon
  local name=$1 each words=()
  shift
  for each in "$@"; do words+=(-c "$each"); done
  qemu-io -f raw "${words[@]}" "nbd+unix:///$name?socket=$SOCKETS/nbd" >"$T/guest.out" 2>&1 ||
    bad "guest: $* ($(tail -n 1 "$T/guest.out"))"
  check_not "guest: $*: as expected" grep -qi 'fail\|error' "$T/guest.out"
}
asked() { # asked STATUS PHASE IMAGE...: the hook
  local want=$1
  shift
  timeout 60 "$HOOK" --socket="$QMP" --timeout=10s --commit-timeout=20s "$@" >"$T/out" 2>"$T/err"
  same "$*" "$want" $?
}
qmp() { python3 "$here/qmp.py" "$QMP" "$@"; }

fs_mount xfs 400M
image=$M/vm.img sidecar=$M/.vm.img.lullcp-sidecar clone=$M/clone

note 'a clone over an image that a guest runs from'
make_image "$image" raw
make_image "$clone" raw
for option in -p --hook=true --resume; do
  expect 0 $option "$image" "$clone"
  silent
  qsd "d=$clone=raw"
  expect 0 $option "$image" "$clone"
  says "another program has the old '$clone' open: it goes on with that"
  expect 0 $option "$image" "$clone"
  silent
  qsd_end
done
rm -f "$M"/*

note 'an image that was replaced'
for how in rename link; do
  make_image "$image" raw
  at=$image
  if [ $how = link ]; then
    mv "$image" "$M/old.img"
    ln -s old.img "$M/link"
    at=$M/link
  fi
  qsd "d=$at=raw"
  guest d 'write -P 1 0 64k' flush
  cp "$(realpath "$at")" "$M/new.img"
  case $how in
    rename) mv "$M/new.img" "$image" ;;
    link)
      mv "$M/new.img" "$image"
      ln -sfn vm.img "$M/link" ;;
  esac
  guest d 'write -P 2 0 64k' flush
  asked 1 freeze "$image"
  says "QEMU has another file open than '$image' is now"
  not_redirected "$how: refused" "$image"
  asked 0 thaw "$image"
  expect 5 --hook="$HOOK --socket=$QMP" "$image" "$clone"
  says 'QEMU has another file open'
  check_not "$how: nothing is published" test -e "$clone"
  no_leftovers "$M"
  run --check-hook="$HOOK --socket=$QMP" "$image"
  same "$how: --check-hook finds it" false "$([ "$rc" = 0 ] && echo true || echo false)"
  check "$how: --check-hook says it" grep -q 'QEMU has another file open' "$T/out" "$T/err"
  guest d 'read -P 2 0 64k'
  # also where the new file is open as well, by another node that nobody writes to
  qmp "blockdev-add={\"driver\":\"raw\",\"node-name\":\"n\",\"read-only\":true,\"file\":{\"driver\":\"file\",\"filename\":\"$image\"}}" >/dev/null
  asked 1 freeze "$image"
  says 'QEMU has another file open'
  not_redirected "$how, both open: refused" "$image"
  guest d 'read -P 2 0 64k'
  qsd_end
  rm -f "$M"/*
done

note 'a monitor that another process passes on'
make_image "$image" raw
qsd "d=$image=raw"
python3 -c 'import socket, sys, threading
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(1)
def pass_on(a, b):
    while data := a.recv(4096):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
while True:
    a, b = listener.accept()[0], socket.socket(socket.AF_UNIX)
    b.connect(sys.argv[2])
    threading.Thread(target=pass_on, args=(a, b)).start()
    pass_on(b, a)' "$SOCKETS/proxy" "$QMP" 2>"$T/proxy.err" &
proxy=$!
soon test -S "$SOCKETS/proxy"
QMP=$SOCKETS/proxy asked 1 freeze "$image"
says "the monitor is not QEMU's own"
kill $proxy
wait $proxy 2>/dev/null
not_redirected 'passed on' "$image"
qsd_end
rm -f "$M"/*

note 'an image that is replaced while it is redirected'
make_image "$image" raw
qsd "d=$image=raw"
guest d 'write -P 1 0 64k' flush
asked 0 freeze "$image"
guest d 'write -P 2 0 64k' flush
cp "$image" "$M/new.img"
mv "$M/new.img" "$image"
for phase in thaw freeze thaw; do
  asked 1 $phase "$image"
  says "'$image' was replaced while its writes went to"
  says "now /proc/$qsd/fd/"
  check "$phase: the sidecar is kept" test -e "$sidecar"
  guest d 'read -P 2 0 64k'
done
qsd_end
rm -f "$M"/* "$sidecar"

note 'a QEMU that was taken over'
make_image "$image" raw
mkdir "$M/other"
S=$T/fake
victims=("$M/precious" "$M/other/.vm.img.lullcp-sidecar" "$M/.other.img.lullcp-sidecar"
  "$M/other/.link.lullcp-sidecar" "$M/other/.vm.img.0123456789abcdef.lullcp-sidecar"
  "$M/other/.hard.img.lullcp-sidecar")
make_image "$M/other/vm.img" raw
make_image "$M/other.img" raw
make_image "$M/other/link" raw
for victim in "${victims[@]}"; do
  case $victim in
    */.link.*)
      ln -sf ../vm.img "$M/other/link"
      ln -s "$M/precious" "$victim" ;;
    */.hard.*)
      ln "$image" "$M/other/hard.img"
      ln "$M/precious" "$victim" ;;
    *) qemu-img create -q -f qcow2 -b "$image" -F raw "$victim" >/dev/null || framework_failure qemu-img ;;
  esac
  before=$(stat -L -c '%i %a %s %Y %h' "$victim")$(b2sum <"$victim")
  rm -f "$S"
  python3 "$here/fake-qmp.py" "$S" "$image" "$sidecar" taken-over "$victim" 2>"$T/fake.err" &
  fake=$!
  soon test -S "$S"
  QMP=$S
  for phase in thaw freeze; do
    asked 1 $phase "$image"
    says "go to '$victim', which is not the sidecar of this image"
    same "$victim is as it was" "$before" "$(stat -L -c '%i %a %s %Y %h' "$victim")$(b2sum <"$victim")"
  done
  check_not 'not asked to merge' grep -q block-commit "$S.log"
  kill $fake
  wait $fake 2>/dev/null
  check_not 'the fake did not stumble' grep -q Traceback "$T/fake.err"
  rm -f "$S.log"
done
rm -rf "${M:?}"/* "$M"/.[!.]*

note 'what stands where a sidecar would'
make_image "$image" raw
make_image "$M/other.img" raw
qsd "d=$image=raw"
guest d 'write -P 1 0 64k' flush
for kind in pipe dangling link directory empty text broken other snapshot bare; do
  case $kind in
    pipe) mkfifo "$sidecar" ;;
    dangling) ln -s "$M/nowhere" "$sidecar" ;;
    link)
      make_image "$M/victim" qcow2
      ln -s victim "$sidecar" ;;
    directory) mkdir "$sidecar" ;;
    empty) : >"$sidecar" ;;
    text) seq 100 >"$sidecar" ;;
    broken) # it has data, and its header lost the way to it
      qemu-img create -q -f qcow2 -b "$image" -F raw "$sidecar"
      qemu-io -f qcow2 -c 'write -P 7 0 64k' "$sidecar" >/dev/null
      dd if=/dev/zero of="$sidecar" bs=1 seek=40 count=8 conv=notrunc status=none ;;
    other) qemu-img create -q -f qcow2 -b "$M/other.img" -F raw "$sidecar" ;;
    snapshot)
      qemu-img create -q -f qcow2 -b "$image" -F raw "$sidecar"
      qemu-img snapshot -c one "$sidecar" ;;
    bare) make_image "$sidecar" qcow2 ;;
  esac
  before=$(stat -c '%i %a %s %F' "$sidecar")$(stat -L -c '%i %a %s' "$sidecar" 2>&1)
  for phase in thaw freeze; do
    timeout 10 "$HOOK" --socket="$QMP" $phase "$image" 2>"$T/err"
    same "$kind: $phase" 1 $?
    says "$sidecar"
    same "$kind: $phase: as it was" "$before" "$(stat -c '%i %a %s %F' "$sidecar")$(stat -L -c '%i %a %s' "$sidecar" 2>&1)"
  done
  check_not "$kind: nothing is made" test -e "$M/nowhere"
  rm -rf "$sidecar"
  not_redirected "$kind" "$image"
done

note 'directories that others may write to'
mkdir -p "$M/up/down"
allowed() { # allowed STATUS WHAT [CULPRIT]: with $M/up/down for sidecars
  asked "$1" --sidecar-dir="$M/up/down" freeze "$image"
  [ "$1" = 0 ] || says "'${3:-$M/up/down}' belongs to somebody else, or others may write to it"
  asked 0 --sidecar-dir="$M/up/down" thaw "$image"
  same "$2: nothing is left" '' "$(ls -A "$M/up/down")"
  not_redirected "$2" "$image"
}
allowed 0 'of root'
chmod 777 "$M/up/down"
allowed 1 'of all'
chmod 1777 "$M/up/down"
allowed 0 'of all, sticky'
chmod 755 "$M/up/down"
setfacl -m u:65534:rwx "$M/up/down"
allowed 1 'of somebody by an ACL'
setfacl -b "$M/up/down"
chmod g+w "$M/up"
allowed 1 'above: of a group' "$M/up"
chmod g-w "$M/up"
chown 65534 "$M/up/down"
allowed 1 'of another user'
chown 0 "$M/up/down"

note 'a link in its place while the guest agent thinks'
make_image "$M/victim" raw
before=$(b2sum <"$M/victim")
A=$T/agent
PLANT=$sidecar VICTIM=$M/victim python3 "$here/fake-agent.py" "$A" plant 2>"$T/agent.err" &
agent=$!
soon test -S "$A"
asked 1 --quiesce --agent="$A" freeze "$image"
says 'put something else in the place'
same 'thawed' 1 "$(grep -c 'guest-fsfreeze-thaw' "$A.log")"
same 'the victim is as it was' "$before" "$(b2sum <"$M/victim")"
check 'the link is left alone' test -L "$sidecar"
kill $agent
wait $agent 2>/dev/null
rm -f "$sidecar"
not_redirected 'a link' "$image"

note 'permissions'
groups_read() { setpriv --reuid=65534 --regid="$(stat -c %g "$image")" --clear-groups cat "$1" >/dev/null 2>&1; }
mkdir "$M/side"
mkdir "$T/bare"
mount -t ramfs ramfs "$T/bare"
chmod 755 "$T/bare"
chown 1:54321 "$image"
chmod 600 "$image"
setfacl -m u:54322:rw "$image"
for where in "$M/side" "$T/bare" inherited; do
  if [ "$where" = inherited ]; then
    where=$M/side
    setfacl -d -m u:65534:rwx,g:54321:rwx "$where"
  fi
  asked 0 --sidecar-dir="$where" freeze "$image"
  side=$(find "$where" -name '.vm.img.*')
  check_not "$where: the group reads nothing" groups_read "$side"
  same "$where: no more than the owner" "1 54321 -rw" "$(stat -c '%u %g %A' "$side" | cut -c 1-11)"
  # ramfs has no ACLs
  [ "$where" = "$T/bare" ] || same "$where: the ACL" "$(getfacl -cp "$image")" "$(getfacl -cp "$side")"
  [ "$where" != "$T/bare" ] || same "$where: the mode" 600 "$(stat -c %a "$side")"
  asked 0 --sidecar-dir="$where" thaw "$image"
  same "$where: nothing is left" '' "$(ls -A "$where")"
done
umount "$T/bare"
qsd_end
rm -rf "${M:?}"/* "$M"/.[!.]*

if [ -x "$TOOLS/inject" ]; then
  note 'a file system that takes permissions and does not keep them'
  make_image "$image" raw
  chmod 600 "$image"
  qsd "d=$image=raw"
  unkept() { # unkept STATUS PHASE: chmod does nothing, and says that it did
    "$TOOLS/inject" "$T/report" 0 fchmod 1 0 "$HOOK" --socket="$QMP" "$2" "$image" >"$T/out" 2>"$T/err"
    check "$2: it was not kept" grep -q '^hit' "$T/report"
    same "$2, not kept" "exit $1" "$(tail -n 1 "$T/report")"
  }
  unkept 1 freeze
  says 'does not keep permissions'
  not_redirected 'not kept' "$image"
  asked 0 freeze "$image"
  guest d 'write -P 4 0 64k' flush
  sum=$(b2sum <"$image")
  unkept 1 thaw
  says 'not merged'
  same 'not merged' "$sum" "$(b2sum <"$image")"
  asked 0 thaw "$image"
  not_redirected 'kept' "$image"
  guest d 'read -P 4 0 64k'
  qsd_end
  rm -f "$M"/*
fi

if [ -x "$TOOLS/inject" ]; then
  note 'a merge that does not come to the disk'
  make_image "$image" raw
  qsd "d=$image=raw"
  # of what it writes to disk the image is one
  for n in 1 2 3 4 5 6 7 8; do
    asked 0 freeze "$image"
    guest d 'write -P 5 0 64k' flush
    "$TOOLS/inject" "$T/report" 0 fsync $n 5 "$HOOK" --socket="$QMP" thaw "$image" >"$T/out" 2>"$T/err"
    ! grep -q 'whether that is on disk' "$T/err" || break
    asked 0 thaw "$image"
  done
  says 'whether that is on disk'
  same 'not on disk' 'exit 1' "$(tail -n 1 "$T/report")"
  check 'not on disk: the sidecar is kept' test -s "$sidecar"
  asked 0 thaw "$image"
  silent
  not_redirected 'on disk' "$image"
  guest d 'read -P 5 0 64k'
  qsd_end
  rm -f "$M"/*
fi

note 'a QEMU that sees other files'
mkdir "$M/box"
make_image "$image" raw
qemu-storage-daemon() { # with a file system of its own at $M/box
  exec unshare -m sh -c 'mount -t tmpfs -o size=32m tmpfs "$0" && cp "$0/../vm.img" "$0" &&
    exec qemu-storage-daemon "$@"' "$M/box" "$@"
}
qsd "d=$image=raw"
guest d 'write -P 1 0 64k' flush
asked 1 --sidecar-dir="$M/box" freeze "$image"
says "as '$M/box/"
asked 0 --sidecar-dir="$M/box" thaw "$image"
same 'nothing is left' '' "$(ls -A "$M/box")"
not_redirected 'another directory' "$image"
guest d 'write -P 2 0 64k' flush
asked 0 freeze "$image"
guest d 'write -P 3 0 64k' flush
asked 0 thaw "$image"
guest d 'read -P 3 0 64k'
qsd_end
# there the image itself is another file with the same name
cp "$image" "$M/box/vm.img"
qsd "d=$M/box/vm.img=raw"
for phase in freeze thaw; do
  want=1
  [ $phase = freeze ] || want=0
  asked $want $phase "$M/box/vm.img"
  not_redirected "another image: $phase" "$M/box/vm.img"
done
qsd_end
unset -f qemu-storage-daemon
rm -rf "${M:?}"/* "$M"/.[!.]*

note 'other paths of one image'
mkdir "$M/a" "$M/b"
make_image "$M/a/vm.img" raw
mount --bind "$M/a" "$M/b"
ln "$M/a/vm.img" "$M/a/hard.img"
qsd "d=$M/a/vm.img=raw"
for other in "$M/b/vm.img" "$M/a/hard.img"; do
  guest d 'write -P 1 0 64k' flush
  asked 0 freeze "$M/a/vm.img"
  guest d 'write -P 2 0 64k' flush
  asked 0 thaw "$other"
  not_redirected "$other" "$M/a/vm.img" "$other"
  # one that another call left at work
  asked 0 freeze "$M/a/vm.img"
  guest d 'write -P 3 0 64k' flush
  asked 1 --commit-timeout=1ms thaw "$M/a/vm.img"
  asked 0 thaw "$other"
  not_redirected "$other, at work" "$M/a/vm.img" "$other"
  guest d 'read -P 3 0 64k'
done
umount "$M/b"

note 'a snapshot of somebody else that is named like ours'
qmp "blockdev-snapshot-sync={\"node-name\":\"d\",\"snapshot-file\":\"$M/foreign\",\"snapshot-node-name\":\"lull-0-1\",\"format\":\"qcow2\"}" >/dev/null
guest d 'write -P 4 0 64k' flush
asked 0 thaw "$M/a/vm.img"
check 'it is still there' test -s "$M/foreign"
qmp query-named-block-nodes query-jobs >"$T/nodes"
check 'on top' grep -q '"lull-0-1"' "$T/nodes"
check_not 'no job' grep -q '"type": "commit"' "$T/nodes"
guest d 'read -P 4 0 64k'
qsd_end
rm -rf "${M:?}"/* "$M"/.[!.]*

note 'a guest that was started from its sidecar'
make_image "$image" raw
qsd "d=$image=raw"
asked 0 freeze "$image"
guest d 'write -P 5 0 64k' flush
kill -KILL "$qsd"
wait "$qsd" 2>/dev/null
rm -rf "${SOCKETS:?}"
qsd "d=$sidecar=qcow2"
guest d 'write -P 6 64k 64k' flush
for phase in thaw freeze; do
  asked 1 $phase "$image"
  says "this QEMU has '$sidecar' open directly"
done
qsd_end
asked 1 thaw "$image"
says "qemu-img commit '$sidecar'"
check 'as it says' qemu-img commit "$sidecar"
check 'the writes are there' qemu-io -f raw -c 'read -P 5 0 64k' -c 'read -P 6 64k 64k' "$image"
rm "$sidecar"

note 'somebody else who writes'
qsd "d=$image=raw"
sleep 1000 9<"$image" &
reader=$!
asked 0 freeze "$image"
asked 0 thaw "$image"
kill $reader
wait $reader 2>/dev/null
others() { # others WHAT
  asked 1 freeze "$image"
  says "is open for writing in $1 as well"
  not_redirected "$1" "$image"
  asked 0 thaw "$image"
}
holder 9 "$image" sleep 1000
other=$!
others "process $other (sleep)"
kill "$other"
wait "$other" 2>/dev/null
command qemu-storage-daemon --blockdev "driver=file,node-name=n,filename=$image,locking=off" \
  --nbd-server "addr.type=unix,addr.path=$T/nbd2" --pidfile "$T/pid" \
  --export type=nbd,id=e,node-name=n,writable=on &
other=$!
soon test -s "$T/pid"
others "process $other (qemu-storage-da)"
kill "$other"
wait $other
loop=$(losetup -f --show "$image") || framework_failure losetup
others "$loop"
losetup -d "$loop"
loop=$(losetup -r -f --show "$image") || framework_failure losetup
asked 0 freeze "$image"
asked 0 thaw "$image"
losetup -d "$loop"
mkdir "$M/a b"
mount --bind "$M" "$M/a b"
loop=$(losetup -f --show "$M/a b/vm.img") || framework_failure losetup
others "$loop"
losetup -d "$loop"
umount "$M/a b"

note 'a loop device on a file system that does not answer'
python3 "$here/mute.py" "$T/mute" >"$T/mute.out" 2>&1 &
mute=$!
soon test -e "$T/mute.ready"
if [ -e "$T/mute.ready" ]; then
  loop=$(losetup -f --show "$T/mute/file") || framework_failure losetup
  touch "$T/mute.now"
  for phase in freeze thaw; do
    # a process that hangs there can be neither killed nor waited for
    timeout -k 1 20 setsid "$HOOK" --socket="$QMP" $phase "$image" >"$T/out" 2>"$T/err" </dev/null &
    pid=$!
    soon is_gone "/proc/$pid"
    [ ! -e "/proc/$pid" ] || { bad "$phase does not come to its end"; break; }
    wait $pid
    same "$phase beside a loop device that does not answer" 0 $?
    silent
  done
else
  note "no FUSE: $(cat "$T/mute.out")"
fi
kill $mute
wait $mute 2>/dev/null
umount -l "$T/mute" 2>/dev/null
[ ! -e "$T/mute.ready" ] || losetup -d "$loop"
qsd_end

note 'one file by a name and by a descriptor'
SOCKETS=$(mktemp -d /tmp/lullcp-vm.XXXXXX)
QMP=$SOCKETS/qmp
# shellcheck disable=SC2094 # two descriptors of one image
qemu-system-x86_64 -machine none -display none -nodefaults -add-fd fd=8,set=1 -add-fd fd=9,set=1 \
  -blockdev driver=raw,node-name=d,file.driver=file,file.filename=/dev/fdset/1,file.locking=off \
  -qmp "unix:$QMP,server=on,wait=off" 8<>"$image" 9<"$image" 2>"$T/qemu.err" &
qsd=$!
soon test -S "$QMP"
qmp "nbd-server-start={\"addr\":{\"type\":\"unix\",\"data\":{\"path\":\"$SOCKETS/nbd\"}}}" \
  'block-export-add={"type":"nbd","id":"e","node-name":"d","name":"d","writable":true}' >/dev/null
guest d 'write -P 7 0 64k' flush
# the sidecar would be of a file that nobody can open when QEMU is gone
asked 1 freeze "$image"
says 'by the number of a descriptor'
asked 0 thaw "$image"
guest d 'read -P 7 0 64k'
not_redirected 'by a descriptor' "$image"
qmp "blockdev-add={\"driver\":\"file\",\"node-name\":\"n\",\"filename\":\"$image\",\"locking\":\"off\"}" \
  'block-export-add={"type":"nbd","id":"f","node-name":"n","name":"n","writable":true}' >/dev/null
asked 1 freeze "$image"
says 'is used by several block nodes at once'
asked 0 thaw "$image"
silent
expect 5 -q --hook="$HOOK --socket=$QMP" "$image" "$clone"
not_redirected 'by both' "$image"
qsd_end
rm -rf "${M:?}"/* "$M"/.[!.]*

note 'a relative name after --daemonize'
make_image "$image" raw
SOCKETS=$(mktemp -d /tmp/lullcp-vm.XXXXXX)
QMP=$SOCKETS/qmp
(cd "$M" && qemu-storage-daemon --daemonize --pidfile "$SOCKETS/pid" \
  --blockdev driver=raw,node-name=d,file.driver=file,file.filename=vm.img \
  --chardev "socket,id=m,path=$QMP,server=on,wait=off" --monitor chardev=m >"$T/qsd.log" 2>&1) ||
  framework_failure "qemu-storage-daemon: $(cat "$T/qsd.log")"
soon test -S "$QMP"
asked 1 freeze "$image"
says 'by a name that does not lead there now'
says 'absolute path of the image'
not_redirected 'by a relative name' "$image"
qsd=$(cat "$SOCKETS/pid")
kill "$qsd"
soon eval '! kill -0 "$qsd" 2>/dev/null'
rm -rf "${SOCKETS:?}"

note 'no QEMU at the monitor'
make_image "$image" raw
head -c 1M /dev/urandom | dd of="$image" conv=notrunc status=none
QMP=$T/nobody.qmp
for off in '' --shut-off=fail; do
  # shellcheck disable=SC2086 # an option or nothing
  asked 1 $off freeze "$image"
  says 'cannot connect'
  says '--shut-off=clone or --shut-off=later'
done
asked 75 --shut-off=later freeze "$image"
says 'not frozen'
asked 64 --shut-off=perhaps freeze "$image"
says "'perhaps'"
asked 0 --shut-off=clone freeze "$image"
silent
asked 0 --shut-off=clone thaw "$image"
silent
expect 75 --hook="$HOOK --socket=$QMP --shut-off=later" "$image" "$clone"
check_not 'a clone' test -e "$clone"
expect 0 --hook="$HOOK --socket=$QMP --shut-off=clone" "$image" "$clone"
silent
check 'a clone' cmp "$image" "$clone"
# somebody else writes: a program, a loop device, a QEMU with its monitor elsewhere
holder 5 "$image" tail -f /dev/null
for off in clone later; do
  asked 1 --shut-off=$off freeze "$image"
  says "'$image' is open for writing: process $holder (tail)"
done
kill "$holder"
wait "$holder" 2>/dev/null
loop=$(losetup --find --show "$image")
asked 1 --shut-off=clone freeze "$image"
says "'$image' is open for writing: $loop"
losetup -d "$loop"
nobody=$QMP
qsd "d=$image=raw"
its=$QMP QMP=$nobody
asked 1 --shut-off=clone freeze "$image"
says "'$image' is open for writing: process $qsd (qemu-storage-da"
expect 5 -q --hook="$HOOK --socket=$QMP --shut-off=clone" "$image" "$M/other"
# the same with the sidecar in a directory that the call does not name
QMP=$its
mkdir "$M/side"
asked 0 --sidecar-dir="$M/side" freeze "$image"
guest d 'write -P 8 0 64k' flush
kill -KILL "$qsd"
wait "$qsd" 2>/dev/null
asked 1 --shut-off=clone freeze "$image"
says "'$M/side/"
says "missing in '$image'"
rm -rf "${SOCKETS:?}" "$M/side" "$sidecar"
# it goes down while it is redirected, and leaves a socket where nobody listens
qsd "d=$image=raw"
asked 0 freeze "$image"
guest d 'write -P 9 0 64k' flush
kill -KILL "$qsd"
wait "$qsd" 2>/dev/null
for off in fail clone later; do
  asked 1 --shut-off=$off freeze "$image"
  says "missing in '$image'"
  check 'the sidecar is kept' test -s "$sidecar"
done
expect 5 -q --hook="$HOOK --socket=$QMP --shut-off=clone" "$image" "$M/other"
says "the hook says what to do if it is called with thaw"
check_not 'a clone of it' test -e "$M/other"
qemu-img commit -q "$sidecar" && rm "$sidecar"
asked 0 --shut-off=clone freeze "$image"
expect 0 --hook="$HOOK --socket=$QMP --shut-off=clone" "$image" "$M/other"
check 'with what the guest wrote' cmp "$image" "$M/other"
same 'what it wrote' 9 "$(od -An -tu1 -N1 "$M/other" | tr -d ' ')"
rm -rf "${SOCKETS:?}"

fs_unmount "$M"
finish
