#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lullcp-hook-libvirt with libvirt's own daemon and a guest.
. "$(dirname "$0")/../lib.sh"
fs_test
. "$(dirname "$0")/libvirtd.sh"

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
says 'would show different points in time'
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
hooked 64 --shut-off=perhaps freeze "$a"
says 'is not clone, later or fail'
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
mkdir "$T/none"
ln -s /usr/bin/* /usr/sbin/* /bin/* /sbin/* "$T/none" 2>/dev/null
rm -f "$T/none/virsh"
PATH=$T/none hooked 1 freeze "$a"
says 'needs virsh'
says 'libvirt-clients'
PATH=$T/none hooked 0 thaw "$a" "$b"
silent
line_break="$M/v m/a
b.img"
hooked 1 freeze "$line_break"
hooked 0 thaw "$line_break"
hooked 0 freeze "$a"
hooked 1 --connect="$dead" thaw "$a"
says "thaw again"
PATH=$T/none hooked 1 thaw "$a"
says 'needs virsh'
says "may hold writes that are missing in '$a'; thaw again"
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
hooked 64 melt "$a"

# a merge that was cut off when all was copied: the image shows no point in time
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
  says 'until that is repaired'
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
