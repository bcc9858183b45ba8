#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lullcp-hook-libvirt with libvirt's own daemon and a guest without an operating system
# under TCG; what a guest would write is written through its virtio device by the monitor.
. "$(dirname "$0")/../lib.sh"
fs_test
for program in libvirtd virtlogd virsh qemu-system-x86_64; do
  PATH=$PATH:/usr/sbin command -v $program >/dev/null || cannot_run "needs $program"
done
hook=${HOOK_LIBVIRT:?the hook to test}
export PATH=$PATH:/usr/sbin
daemons=
# A libvirt of this test's own: nobody else sees these directories, nor its mounts.
for d in /etc/libvirt/qemu /run/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt; do
  mkdir -p "$d"
  mount -t tmpfs tmpfs "$d" || cannot_run "cannot mount on $d"
done
mkdir -p /var/lib/libvirt/qemu
for d in virtlogd libvirtd; do
  $d -d --pid-file "/run/libvirt/$d.test-pid" >"$T/out" 2>&1 || cannot_run "$d: $(cat "$T/out")"
  daemons="$daemons $(cat "/run/libvirt/$d.test-pid")"
done
vs() { virsh -c qemu:///system --quiet "$@"; }
for _ in $(seq 100); do
  ! vs version >/dev/null 2>&1 || break
  sleep 0.1
done
end() {
  local status=$?
  vs destroy lulltest >/dev/null 2>&1
  # shellcheck disable=SC2086 # a list
  kill $daemons
  sleep 0.5
  (exit $status)
  fs_end
}
trap end EXIT
note "$(vs version | tail -1)"

# writes to the disk as the guest would: guest DISK PATTERN OFFSET LENGTH
guest() {
  check "the guest writes $2" vs qemu-monitor-command lulltest --hmp \
    "qemu-io -d /machine/peripheral/virtio-disk$1/virtio-backend \"write -P $2 $3 $4\""
}
content() { # content IMAGE FORMAT: its sum
  qemu-img convert -U -f "$2" -O raw "$1" "$T/raw" && sha256sum <"$T/raw"
}
pattern() { # pattern IMAGE FORMAT OFFSET: the byte there
  qemu-img convert -U -f "$2" -O raw "$1" "$T/raw" && od -An -tu1 -j "$3" -N 1 "$T/raw" | tr -d ' '
}
disks() { vs domblklist lulltest | awk '{ printf "%s ", $2 }'; }
at_rest() { # at_rest WHAT: on its images, no overlay
  same "$1: disks" "$M/v m/a.img $M/v m/b.qcow2 " "$(vs domblklist lulltest | awk '{ $1 = ""; printf "%s ", substr($0, 2) }')"
  same "$1: no overlay" '' "$(find "$M" "$T/side" -name '*lullcp-overlay*')"
}
hooked() { # hooked STATUS ARG...
  local want=$1
  shift
  "$hook" --connect=qemu:///system "$@" >"$T/out" 2>"$T/err"
  same "hook $1" "$want" $?
}

fs_mount xfs 1G
mkdir -p "$M/v m" "$T/side"
chmod 755 "$T"
chmod 777 "$M" "$M/v m" "$T/side"
a="$M/v m/a.img" b="$M/v m/b.qcow2"
qemu-img create -q -f raw "$a" 16M
qemu-img create -q -f qcow2 "$b" 16M
cat >"$T/domain.xml" <<XML
<domain type='qemu'>
  <name>lulltest</name> <memory unit='MiB'>64</memory> <vcpu>1</vcpu>
  <os> <type arch='x86_64' machine='pc'>hvm</type> </os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/> <source file='$a'/> <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/> <source file='$b'/> <target dev='vdb' bus='virtio'/>
    </disk>
  </devices>
</domain>
XML
vs create "$T/domain.xml" >"$T/out" 2>&1 || cannot_run "no guest: $(cat "$T/out")"

# by lullcp
guest 0 17 1M 64k
guest 1 18 1M 64k
expect 0 --hook="$hook --connect=qemu:///system" "$a" "$M/clone"
same 'the clone holds what was written before' 17 "$(pattern "$M/clone" raw 1048576)"
at_rest 'by lullcp'
rm "$M/clone"

# by hand, both disks, each step twice
hooked 0 freeze "$a" "$b"
before=$(content "$a" raw)$(content "$b" qcow2)
hooked 0 freeze "$a" "$b"
guest 0 33 1M 64k
guest 1 34 1M 64k
same 'the images rest' "$before" "$(content "$a" raw)$(content "$b" qcow2)"
hooked 0 thaw "$a" "$b"
hooked 0 thaw "$a" "$b"
at_rest 'by hand'
same 'merged: raw' 33 "$(pattern "$a" raw 1048576)"
same 'merged: qcow2' 34 "$(pattern "$b" qcow2 1048576)"
hooked 0 thaw "$a"

# overlays elsewhere, the domain named
hooked 0 --domain=lulltest --sidecar-dir="$T/side" freeze "$a" "$b"
same 'overlays are in the directory' 2 "$(find "$T/side" -name '*.lullcp-overlay.qcow2' | wc -l)"
guest 0 35 2M 64k
hooked 0 --domain=lulltest --sidecar-dir="$T/side" thaw "$a" "$b"
at_rest 'elsewhere'
same 'merged from elsewhere' 35 "$(pattern "$a" raw 2097152)"

# one frozen, one not
hooked 0 freeze "$a"
hooked 1 freeze "$a" "$b"
says 'of one moment'
hooked 0 thaw "$a" "$b"
at_rest 'one of two'

# refused, and nothing is left
hooked 1 --quiesce freeze "$a" "$b"
says 'nothing is redirected'
at_rest 'no guest agent'
hooked 1 freeze "$M/v m"
says 'no running domain uses'
says '--shut-off='
hooked 1 freeze relative
hooked 1 --shut-off=perhaps freeze "$a"
says 'neither clone nor later nor fail'
# a domain that is named wrongly is none that is shut off
hooked 1 --domain=nosuch --shut-off=clone freeze "$a"
says "'lulltest' uses"
hooked 1 --shut-off=clone freeze "$a" "$M/other"
at_rest 'refused'

# where no overlay is, nothing has to be thawed, whatever is missing
dead='qemu+unix:///system?socket=/nonexistent'
hooked 1 --connect="$dead" freeze "$a"
says 'libvirt does not answer'
hooked 0 --connect="$dead" thaw "$a" "$b"
expect 5 --hook="$hook --connect=$dead" "$a" "$M/clone"
says 'libvirt does not answer'
line_break="$M/v m/a
b.img"
hooked 1 freeze "$line_break"
hooked 0 thaw "$line_break"
hooked 0 freeze "$a"
hooked 1 --connect="$dead" thaw "$a"
says "thaw again"
hooked 0 thaw "$a"
at_rest 'libvirt went away'

# an overlay named as by earlier versions
former="$M/v m/.a.img.lullcp-overlay"
as_former() {
  vs snapshot-create-as lulltest --disk-only --no-metadata --atomic \
    --diskspec "vda,snapshot=external,driver=qcow2,file=$former" --diskspec vdb,snapshot=no >"$T/out" 2>&1 ||
    framework_failure "snapshot: $(cat "$T/out")"
}
as_former
guest 0 42 7M 64k
hooked 0 thaw "$a" "$b"
at_rest 'former name'
same 'former name: merged' 42 "$(pattern "$a" raw 7340032)"
as_former
guest 0 43 7M 64k
hooked 0 --shut-off=clone freeze "$a"
same 'former name, frozen again: merged' 43 "$(pattern "$a" raw 7340032)"
check_not 'the former one is gone' test -e "$former"
hooked 0 thaw "$a"
at_rest 'former name, frozen again'
hooked 1 melt "$a"

# a merge that was cut off when all was copied: the image is of no moment
hooked 0 freeze "$a"
guest 0 49 1M 64k
overlay="$M/v m/.a.img.lullcp-overlay.qcow2"
chmod +t "$overlay"
check 'a merge begins' vs blockcommit lulltest vda --active --shallow --wait
guest 0 50 3M 64k
hooked 0 freeze "$a"
same 'merged before the new freeze' 50 "$(pattern "$a" raw 3145728)"
check_not 'a fresh overlay' test -k "$overlay"
hooked 0 thaw "$a"
at_rest 'cut off'

# killed at random
for round in 1 2 3 4 5 6; do
  hooked 0 freeze "$a" "$b"
  guest 0 $((100 + round)) 4M 64k
  guest 1 $((100 + round)) 4M 64k
  setsid "$hook" --connect=qemu:///system thaw "$a" "$b" >"$T/out" 2>"$T/err" &
  pid=$!
  sleep 0.$((RANDOM % 6))
  kill -KILL -- -$pid 2>/dev/null
  wait $pid 2>/dev/null
  # libvirt may still be at what it was asked for
  for _ in 1 2 3 4 5; do
    "$hook" --connect=qemu:///system thaw "$a" "$b" 2>"$T/err" && break
    sleep 0.5
  done
  at_rest "killed, round $round"
  same "killed, round $round: raw" $((100 + round)) "$(pattern "$a" raw 4194304)"
  same "killed, round $round: qcow2" $((100 + round)) "$(pattern "$b" qcow2 4194304)"
done

# the guest goes down while it is redirected: the overlay stays, and is named
hooked 0 freeze "$a"
guest 0 66 5M 64k
vs destroy lulltest
hooked 1 thaw "$a"
says "$overlay"
check 'the overlay is kept' test -e "$overlay"
check 'what it says to do works' qemu-img commit -q "$overlay"
same 'merged by hand' 66 "$(pattern "$a" raw 5242880)"

# shut off: 5 and 75 and 0 of lullcp, but never with an overlay that holds its writes
for option in --domain=lulltest --quiesce; do
  hooked 1 $option --shut-off=clone freeze "$a" "$b"
  says 'before that is mended'
done
rm -f "$overlay"
hooked 0 thaw "$a" "$b"
silent
for define in '' define; do # a domain that libvirt has forgotten, and one that it knows
  [ -z "$define" ] || vs define "$T/domain.xml" >"$T/out" 2>&1 || bad "define: $(cat "$T/out")"
  for option in --domain=lulltest --quiesce; do
    hooked 1 $option freeze "$a"
    says 'no running domain uses'
    hooked 75 $option --shut-off=later freeze "$a" "$b"
    hooked 0 $option --shut-off=clone freeze "$a" "$b"
    silent
    hooked 0 $option thaw "$a" "$b"
    silent
  done
  libvirt="$hook --connect=qemu:///system --domain=lulltest"
  expect 5 --hook="$libvirt" "$a" "$M/clone"
  expect 75 --hook="$libvirt --shut-off=later" "$a" "$M/clone"
  check_not 'nothing is published' test -e "$M/clone"
  expect 0 --hook="$libvirt --shut-off=clone" "$a" "$M/clone"
  check 'shut off: the clone' cmp "$a" "$M/clone"
  rm "$M/clone"
  [ -z "$define" ] || same 'its definition is what it was' "$M/v m/a.img $M/v m/b.qcow2 " \
    "$(vs domblklist lulltest | awk '{ $1 = ""; printf "%s ", substr($0, 2) }')"
  same 'no overlay' '' "$(find "$M" -name '*lullcp-overlay*')"
done
check "undefined" vs undefine lulltest
fs_unmount "$M"
finish
