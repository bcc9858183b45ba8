#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lullcp-hook-libvirt if somebody resizes the disk while it is redirected or copies the image into the
# overlay, and if a virsh, or a file system, never returns.
. "$(dirname "$0")/../lib.sh"
fs_test
. "$(dirname "$0")/libvirtd.sh"
overlay="$M/v m/.a.img.lullcp-overlay.qcow2"
record="$M/v m/.a.img.lullcp-overlay.freeze"

disk_size() { qemu-img info -U --output=json -f "$1" "$2" | jq '."virtual-size"'; } # FORMAT IMAGE
# The printed command, to the letter, but with the libvirt of this test.
told() { # told WHAT BEFORE: the command after those words
  local command
  command=$(sed -n "s/.*$2//p" "$T/err")
  check "$1: it is told what to run" test -n "$command"
  (
    virsh() { "$virsh" -c qemu:///system --quiet "$@"; }
    eval "$command"
  ) >"$T/told" 2>&1 || bad "$1: $command: $(cat "$T/told")"
}
again() { # again [FORMAT]: the guest and its disks, new
  vs destroy lulltest >/dev/null 2>&1
  rm -f "$a" "$b" "$overlay" "$record"
  qemu-img create -q -f raw "$a" 16M
  qemu-img create -q -f qcow2 "$b" 16M
  start || framework_failure "no guest: $(cat "$T/start.out")"
}

note 'a virsh that leaves a child behind, which keeps all that it has open'
mkdir "$T/wrapped"
cat >"$T/wrapped/virsh" <<WRAPPER
#!/bin/sh
sleep 1000 &
echo \$! >>"$T/left"
exec "$virsh" "\$@"
WRAPPER
chmod 755 "$T/wrapped/virsh"
for options in '' "--sidecar-dir=$T/side"; do
  for phase in freeze thaw; do
    # shellcheck disable=SC2086 # an option or nothing
    PATH=$T/wrapped:$PATH timeout 60 "$hook" --connect=qemu:///system $options $phase "$a" "$b" \
      >"$T/out" 2>"$T/err" </dev/null
    same "$phase ends with virsh" 0 $?
    silent
    [ $phase = thaw ] || guest 0 7 1M 64k
  done
done
at_rest 'a child is left'
same 'merged' 7 "$(pattern "$a" raw 1048576)"
# what virsh says of itself comes through, with its status
PATH=$T/wrapped:$PATH timeout 60 "$hook" --connect=qemu:///system --quiesce freeze "$a" >"$T/out" 2>"$T/err"
same 'no agent' 1 $?
says 'nothing is redirected'
says 'gent'
at_rest 'no agent'
# shellcheck disable=SC2046 # a list
kill $(cat "$T/left")

note 'a guest agent that never answers, or too late'
rm "$T/wrapped/virsh"
cat >"$T/wrapped/virsh" <<WRAPPER
#!/bin/sh
case "\$*" in
  *domtime*) [ ! -e "$T/is_mute" ] || exec sleep 1000 ;;
  *snapshot-create-as*)
    # libvirt waits for the agent and does it then, whether anybody still waits for that or not
    touch "$T/is_busy"
    (
      sleep 12
      for each; do # no guest is here that has one
        shift
        [ "\$each" = --quiesce ] || set -- "\$@" "\$each"
      done
      "$virsh" "\$@"
      rm "$T/is_busy"
    ) >"$T/late.out" 2>&1 </dev/null &
    exec sleep 1000
    ;;
  *domjobinfo*) while [ -e "$T/is_busy" ]; do sleep 0.1; done ;;
esac
exec "$virsh" "\$@"
WRAPPER
chmod 755 "$T/wrapped/virsh"
touch "$T/is_mute"
PATH=$T/wrapped:$PATH hooked 1 --timeout=2 --quiesce freeze "$a"
says 'does not answer; nothing is redirected'
check_not 'no snapshot' test -e "$T/is_busy"
at_rest 'a mute agent'
rm "$T/is_mute"
PATH=$T/wrapped:$PATH setsid -w "$hook" --connect=qemu:///system --timeout=2 --quiesce freeze "$a" >"$T/out" 2>"$T/err"
same 'freeze, a late agent' 1 $?
says 'may still redirect'
PATH=$T/wrapped:$PATH hooked 0 --timeout=2 thaw "$a"
check_not 'thaw has waited' test -e "$T/is_busy"
at_rest 'a late agent'

note 'a file system that does not answer'
again
python3 "$(dirname "$0")/mute.py" "$T/mute" >"$T/mute.out" 2>&1 &
mute=$!
soon test -e "$T/mute.ready"
if [ -e "$T/mute.ready" ]; then
  # another disk of the guest is there, and a loop device
  rm "$T/wrapped/virsh"
  cat >"$T/wrapped/virsh" <<WRAPPER
#!/bin/sh
case "\$*" in
  *dumpxml*)
    "$virsh" "\$@" | sed "s,</devices>,<disk type='file' device='disk'>\\n<driver name='qemu' type='raw'/>\\n\\
<source file='$T/mute/file' index='9'/>\\n<target dev='vdz' bus='virtio'/>\\n</disk>\\n</devices>,"
    ;;
  *) exec "$virsh" "\$@" ;;
esac
WRAPPER
  chmod 755 "$T/wrapped/virsh"
  loop=$(losetup -f --show "$T/mute/file") || framework_failure losetup
  check 'the guest has a disk there' eval 'PATH=$T/wrapped:$PATH virsh -c qemu:///system dumpxml lulltest | grep "source file=.*mute"'
  touch "$T/mute.now"
  timeout 5 stat -L "$T/mute/file" >"$T/stat.out" 2>&1 &
  sleep 1
  unanswered() { # unanswered STATUS ARG...: the hook, which comes to its end
    local want=$1 pid
    shift
    # a process that hangs there cannot be killed, and must not be waited for
    PATH=$T/wrapped:$PATH setsid "$hook" --connect=qemu:///system "$@" >"$T/out" 2>"$T/err" </dev/null &
    pid=$!
    soon is_gone "/proc/$pid"
    if [ -e "/proc/$pid" ]; then
      bad "$* does not come to its end"
      return
    fi
    wait $pid
    same "$*" "$want" $?
  }
  for _ in 1 2; do
    unanswered 0 freeze "$a"
    silent
    guest 0 6 1M 64k
    unanswered 0 thaw "$a"
    silent
  done
  at_rest 'a file system that does not answer'
  same 'merged' 6 "$(pattern "$a" raw 1048576)"

  note 'it may be this very disk, by another name'
  qemu-img create -q -f raw "$M/v m/c.img" 16M
  for off in fail later clone; do
    unanswered 1 --shut-off=$off freeze "$M/v m/c.img"
    says "'$T/mute/file' of 'lulltest'"
  done
  unanswered 0 thaw "$M/v m/c.img"
  : >"$M/v m/.c.img.lullcp-overlay.qcow2"
  unanswered 0 thaw "$M/v m/c.img"
  qemu-img create -q -f qcow2 -b "$M/v m/c.img" -F raw "$M/v m/.c.img.lullcp-overlay.qcow2"
  unanswered 1 thaw "$M/v m/c.img"
  says "'$T/mute/file' of 'lulltest'"
  says 'thaw again'
  check_not 'no commit is told' grep -q 'qemu-img commit' "$T/err"
  rm "$M/v m/c.img" "$M/v m/.c.img.lullcp-overlay.qcow2"

  note 'it is where the overlay would be'
  unanswered 1 --sidecar-dir="$T/mute" freeze "$a"
  says "the file system of '$T/mute' does not answer"
  unanswered 1 --sidecar-dir="$T/mute" thaw "$a"
  hooked 0 --sidecar-dir="$T/side" freeze "$a"
  guest 0 5 1M 64k
  pointer="$M/v m/.a.img.lullcp-overlay.freeze"
  cp -p "$pointer" "$T/pointer"
  sed "s,^file=.*,file=$T/mute/.a.img.1.lullcp-overlay.qcow2," "$T/pointer" >"$pointer"
  unanswered 1 thaw "$a"
  says "the file system of '$T/mute' does not answer"
  cp -p "$T/pointer" "$pointer"
else
  note "no FUSE: $(cat "$T/mute.out")"
fi
kill $mute
wait $mute 2>/dev/null
umount -l "$T/mute" 2>/dev/null
[ -z "${loop:-}" ] || losetup -d "$loop"
hooked 0 thaw "$a"
at_rest 'a file system that is gone'
same 'merged' 5 "$(pattern "$a" raw 1048576)"

note 'a disk that shrinks'
hooked 0 freeze "$a"
before=$(content "$a" raw)
guest 0 11 1M 64k
guest 0 11 12M 64k
check 'it shrinks' vs blockresize lulltest vda 8388608B
for _ in 1 2; do
  hooked 1 thaw "$a"
  says 'made smaller while it was frozen, from 16777216 to 8388608 bytes'
  same 'the image is left alone' "$before" "$(content "$a" raw)"
done
command=$(sed -n 's/.*(\(virsh blockresize [^)]*\)).*/\1/p' "$T/err")
echo "run: $command" >"$T/err"
told 'a smaller disk' 'run: '
hooked 0 thaw "$a"
at_rest 'a disk that shrank and grew'
same 'merged' 11 "$(pattern "$a" raw 1048576)"
same 'what was cut off' 0 "$(pattern "$a" raw 12582912)"
same 'its size' 16777216 "$(disk_size raw "$a")"

hooked 0 freeze "$a"
guest 0 12 1M 64k
check 'it shrinks' vs blockresize lulltest vda 8388608B
vs destroy lulltest
hooked 1 thaw "$a"
told 'a smaller disk, and down' 'shut down: '
same 'it is as small' 8388608 "$(disk_size raw "$a")"
same 'merged' 12 "$(pattern "$a" raw 1048576)"
hooked 0 thaw "$a"
silent

note 'the image is not what it was'
for how in written restored 'restored in place' 'restored when a merge was begun'; do
  rm -f "$a" "$overlay" "$record"
  qemu-img create -q -f raw "$a" 16M
  cp "$a" "$M/backup"
  touch -d '1 hour ago' "$M/backup"
  check 'a domain that libvirt knows' vs define "$T/domain.xml"
  check 'start' vs start lulltest
  hooked 0 freeze "$a"
  guest 0 15 1M 64k
  vs destroy lulltest
  case $how in
    written) printf x | dd of="$a" bs=1 seek=3M conv=notrunc status=none ;;
    restored) mv "$M/backup" "$a" ;;
    'restored in place') cp --preserve=timestamps "$M/backup" "$a" ;;
    *)
      chmod +t "$overlay"
      cp --preserve=timestamps "$M/backup" "$a"
      ;;
  esac
  before=$(b2sum <"$a")$(b2sum <"$overlay")
  hooked 1 thaw "$a"
  says 'do not commit it and start no domain from it'
  check_not "$how: no command that mixes the two" grep -q 'virsh start\|commit -\|blockcommit' "$T/err"
  # and the one that is there makes a third file of them
  look=$(sed -n 's/.* run: \(qemu-img convert .*\)\. If it is not wanted,.*/\1/p' "$T/err")
  check "$how: a look at what the guest would have" bash -c "$look"
  check "$how: that is there" test -s "$a.merged"
  rm -f "$a.merged"
  hooked 1 --shut-off=clone freeze "$a"
  same "$how: both are kept" "$before" "$(b2sum <"$a")$(b2sum <"$overlay")"
  check 'its definition names the overlay' grep -qF "$overlay" <(vs dumpxml lulltest)
  check 'undefined' vs undefine lulltest
done

note 'a disk that grows'
for down in '' down; do
  again
  hooked 0 freeze "$a" "$b"
  check 'it grows' vs blockresize lulltest vda 20971520B
  check 'it grows' vs blockresize lulltest vdb 20971520B
  guest 0 13 18M 64k
  guest 1 14 18M 64k
  if [ -z "$down" ]; then
    hooked 0 thaw "$a" "$b"
    at_rest 'a disk that grows'
  else
    vs destroy lulltest
    hooked 1 thaw "$a"
    told 'a larger disk, and down' 'shut down: '
    hooked 1 thaw "$b"
    told 'a larger disk, and down' 'shut down: '
  fi
  same 'raw: as large' 20971520 "$(disk_size raw "$a")"
  same 'qcow2: as large' 20971520 "$(disk_size qcow2 "$b")"
  same 'raw: merged' 13 "$(pattern "$a" raw 18874368)"
  same 'qcow2: merged' 14 "$(pattern "$b" qcow2 18874368)"
done

note 'the image is copied into the overlay'
pulled() { # pulled DISK TARGET IMAGE: frozen, written to, and copied
  guest "$1" 21 1M 64k
  hooked 0 freeze "$3"
  guest "$1" 22 2M 64k
  check 'copied into the overlay' vs blockpull lulltest "$2" --wait
  guest "$1" 23 3M 64k
  check 'the guest flushes' vs qemu-monitor-command lulltest --hmp \
    "qemu-io -d /machine/peripheral/virtio-disk$1/virtio-backend flush"
}
whole() { # whole FORMAT IMAGE OVERLAY: what the guest finds is $T/whole, and in the image by now
  qemu-img convert -U -f "$1" -O raw "$2" "$T/merged" || bad convert
  check 'the disk is what it was' cmp "$T/whole" "$T/merged"
  same 'of before' 21 "$(pattern "$2" "$1" 1048576)"
  same 'of the freeze' 22 "$(pattern "$2" "$1" 2097152)"
  same 'of after' 23 "$(pattern "$2" "$1" 3145728)"
  check_not 'no overlay' test -e "$3"
  check_not 'no record' test -e "${3%.qcow2}.freeze"
}
for disk in '0 vda raw' '1 vdb qcow2'; do
  read -r n target format <<<"$disk"
  image=$a over=$overlay
  [ "$n" = 0 ] || { image=$b over="$M/v m/.b.qcow2.lullcp-overlay.qcow2"; }
  for down in '' down; do
    again
    pulled "$n" "$target" "$image"
    before=$(content "$image" "$format")
    hooked 1 freeze "$image"
    says 'cannot be frozen until that is repaired'
    hooked 1 thaw "$image"
    says "runs from '$over'"
    check_not 'it is not said to be none of the image' grep -q 'move it away' "$T/err"
    same 'the image is left alone' "$before" "$(content "$image" "$format")"
    check 'the overlay is kept' test -s "$over"
    qemu-img convert -U -f qcow2 -O raw "$over" "$T/whole" || bad convert
    if [ -z "$down" ]; then
      told "$target, copied back" 'in the image again: '
      at_rest "$target, copied back"
    else
      vs destroy lulltest
      hooked 1 thaw "$image"
      told "$target, copied back when down" 'shut down: '
    fi
    whole "$format" "$image" "$over"
    hooked 0 thaw "$image"
    silent
  done
done

note 'and the image, but not what is below that'
vs destroy lulltest
rm -f "$b"
qemu-img create -q -f raw "$M/v m/base" 16M
qemu-io -f raw -c 'write -P 9 0 16M' "$M/v m/base" >/dev/null
qemu-img create -q -f qcow2 -b "$M/v m/base" -F raw "$b"
over="$M/v m/.b.qcow2.lullcp-overlay.qcow2"
start || framework_failure "no guest: $(cat "$T/start.out")"
guest 1 21 1M 64k
hooked 0 freeze "$b"
guest 1 22 2M 64k
check 'copied in part' vs blockpull lulltest vdb --base "$M/v m/base" --wait
guest 1 23 3M 64k
hooked 1 thaw "$b"
says "runs from '$over'"
vs destroy lulltest
qemu-img convert -f qcow2 -O raw "$over" "$T/whole" || bad convert
hooked 1 thaw "$b"
told 'copied in part' 'shut down: '
whole qcow2 "$b" "$over"
check 'the image is sound' qemu-img check -q -f qcow2 "$b"
same 'what is below' 9 "$(pattern "$M/v m/base" raw 2097152)"
hooked 0 thaw "$b"
silent
fs_unmount "$M"
finish
