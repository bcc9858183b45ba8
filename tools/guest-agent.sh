#!/bin/bash
# SPDX-License-Identifier: MIT
# Tests the hooks with --quiesce on a real guest that writes without pause, with a real qemu-guest-agent.
# The ext4 in each clone must be clean, hold whole and consecutive files, and hold what the guest had in
# its caches; without --quiesce it is not clean. Then come an agent that is stopped, is killed, refuses, or
# was never there. Not a part of tests/run.sh: it takes ten minutes or so without KVM.
#
#   guest-agent.sh [KERNEL]   (6.1; see tests/kernels/machine.sh)
#
# As root; needs a build, libvirtd, virsh, qemu-system-x86, kmod, cpio, e2fsprogs, mkfs.xfs and the
# libraries of Debian's qemu-guest-agent. That, busybox-static and the kernel are fetched by apt from
# the archives that this machine is set up for, and kept as machine.sh keeps kernels.
#
# Environment: LULLCP and HOOK, the programs (build/src/lullcp, build/hooks/lullcp-hook-qmp);
# HOOK_LIBVIRT (hooks/lullcp-hook-libvirt); ROUNDS, clones by each hook (5); TMPDIR, 1 GB of room (/tmp).
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=SCRIPTDIR/help.sh
. "$here/tools/help.sh"
help_answer "$@"
export LULLCP=${LULLCP:-$here/build/src/lullcp} HOOK=${HOOK:-$here/build/hooks/lullcp-hook-qmp}
export HOOK_LIBVIRT=${HOOK_LIBVIRT:-$here/hooks/lullcp-hook-libvirt} LULL_TEST_MUST_RUN=1 TMPDIR=${TMPDIR:-/tmp}
# shellcheck source=SCRIPTDIR/../tests/lib.sh
. "$here/tests/lib.sh"
fs_test "$@"
say() { note "$*"; }
die() { cannot_run "$*"; }
for program in "$LULLCP" "$HOOK" depmod modprobe cpio dpkg-deb e2fsck dumpe2fs mkfs.ext4; do
  PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || die "needs $program"
done
# shellcheck source=SCRIPTDIR/../tests/vm/libvirtd.sh
. "$here/tests/vm/libvirtd.sh"
check 'the guest of the other tests ends' vs destroy lulltest
# shellcheck source=SCRIPTDIR/../tests/kernels/kernel.sh
. "$here/tests/kernels/kernel.sh"
rounds=${ROUNDS:-5}

echo '== the guest'
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
fetch "$suite" qemu-guest-agent
agent=$tree/usr/sbin/qemu-ga
fetch "$suite" busybox-static
busybox=$tree/bin/busybox
[ -e "$busybox" ] || busybox=$tree/usr/bin/busybox
kernel_get "${1:-6.1}"
V=$M/guest
I=$V/initramfs
mkdir -p "$I"/{bin,dev,proc,sys,mnt,run,etc} "$V/vm"
kernel_modules "$I" virtio_pci virtio_blk virtio_console ext4
cp "$busybox" "$I/bin/busybox"
cp "$agent" "$I/bin/qemu-ga"
! ldd "$agent" | grep 'not found' || die 'qemu-ga lacks a library here'
ldd "$agent" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p "$I${library%/*}"
  cp -L "$library" "$I$library"
done
# In each round the writer writes a number, which nobody syncs, then a file of that number, whole before it
# has its name. It keeps the last 200 of these. The host sends commands on the second serial line.
cat >"$I/init" <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "$module"; done </modules
mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do
  ln -s "/dev/${port##*/}" "/dev/virtio-ports/$(cat "$port/name")"
done
mount -t ext4 /dev/vda /mnt
mkdir -p /mnt/files
agent() {
  setsid qemu-ga -m virtio-serial -p /dev/virtio-ports/org.qemu.guest_agent.0 -t /run -F/etc/hook \
    -f /run/qemu-ga.pid </dev/null >/dev/console 2>&1 &
  agent=$!
}
printf '#!/bin/sh\n[ ! -e /etc/slow ] || [ $1 != freeze ] || sleep $(cat /etc/slow)\n[ ! -e /etc/refuse ] || [ $1 != freeze ]\n' >/etc/hook
chmod +x /etc/hook
(
  n=0
  while :; do
    n=$((n + 1))
    echo $n >>/mnt/numbers
    printf '%016384d' $n | dd of=/mnt/files/new bs=16k conv=fsync 2>/dev/null
    mv /mnt/files/new /mnt/files/$n
    rm -f /mnt/files/$((n - 200))
    echo $n >/run/n
  done
) >/dev/console 2>&1 &
agent
stty -F /dev/ttyS1 raw -echo clocal
exec </dev/ttyS1 >/dev/ttyS1 2>/dev/console
echo 'the guest is up' >/dev/console
while read -r line; do
  eval "$line"
done
END
chmod 755 "$I/init"
(cd "$I" && find . | cpio -o -H newc --quiet) >"$V/initrd"
cp "$vmlinuz" "$V/vmlinuz"
disk=$V/vm/disk.img
tell() { printf '%s\n' "$1" >"$V/line.in"; } # tell COMMAND: to the guest
ask() { # ask COMMAND: its output, a line
  local token=$RANDOM answer
  tell "echo $token \$($1)"
  while IFS= read -r -t 60 answer <&"$line"; do
    [[ $answer != "$token "* ]] || { echo "${answer#* }" && return; }
  done
  echo '?'
}
new_disk() {
  rm -rf "$V/vm" "$V"/line.*
  mkdir "$V/vm"
  truncate -s 256M "$disk"
  mkfs.ext4 -q -F "$disk"
  mkfifo "$V/line.in" "$V/line.out"
  chmod 666 "$V"/line.*
  exec {line}<>"$V/line.out"
}
wait_for() { # wait_for SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.5
  done
}
grows() { # grows WHAT: the guest writes
  local before after
  # ? while the guest has no time to answer
  for _ in $(seq 40); do
    before=$(ask 'cat /run/n')
    [ "$before" = '?' ] || break
  done
  for _ in $(seq 40); do
    sleep 0.5
    after=$(ask 'cat /run/n')
    [ "$after" = "$before" ] || [ "$after" = '?' ] || break
  done
  if [[ $before != '?' && $after != '?' && $after -gt $before ]]; then ok; else bad "$1: the guest does not write after $before"; fi
}

# ---- what is in a clone ----

look() { # look CLONE: $journal, $fsck, $first, $last, $whole, $numbers
  local f n
  journal=clean
  ! dumpe2fs -h "$1" 2>/dev/null | grep -q needs_recovery || journal=dirty
  e2fsck -fn "$1" >"$T/fsck" 2>&1
  fsck=$?
  mkdir -p "$T/seen"
  mount -o ro,noload,loop "$1" "$T/seen" || return 1
  first=$(find "$T/seen/files" -name '[0-9]*' -printf '%f\n' | sort -n | head -n 1)
  last=$(find "$T/seen/files" -name '[0-9]*' -printf '%f\n' | sort -n | tail -n 1)
  first=${first:-0} last=${last:-0} whole=yes
  for ((n = first; n <= last; n++)); do
    f=$T/seen/files/$n
    [ -f "$f" ] && [ "$(stat -c %s "$f")" = 16384 ] && [ "$(tr -d '\0' <"$f")" = "$(printf '%016384d' "$n")" ] ||
      whole="not $n"
  done
  numbers=$(tail -n 1 "$T/seen/numbers" 2>/dev/null | tr -d '\0')
  [ -z "$numbers" ] || seq "$numbers" | cmp -s - "$T/seen/numbers" || numbers="not consecutive"
  unmounted "$T/seen"
}
last_seen=0
is_quiesced() { # is_quiesced WHAT CLONE
  look "$2" || bad "$1: cannot be mounted"
  same "$1: e2fsck" 0 $fsck
  same "$1: the journal" clean $journal
  same "$1: files $first to $last are whole" yes "$whole"
  # what was not synced is one number ahead if the freeze came between the two
  case $numbers in
    "$last" | $((last + 1))) ok ;;
    *) bad "$1: unsynced numbers up to '$numbers', files to $last" ;;
  esac
  if [ "$last" -gt "$last_seen" ]; then ok; else bad "$1: no file after $last_seen"; fi
  last_seen=$last
  note "$1: clean, files $first to $last, numbers to $numbers"
}
is_crashed() { # is_crashed WHAT CLONE: the control
  look "$2" || note "$1: cannot be mounted without its journal"
  same "$1: the journal" dirty $journal
  note "$1: journal $journal, e2fsck $fsck, files $first to $last, whole: $whole, numbers to ${numbers:-nothing}"
  # with its journal it is as after a power failure
  e2fsck -fp "$2" >"$T/fsck" 2>&1
  fsck=$?
  if [ $fsck -le 1 ]; then ok; else bad "$1: e2fsck says $fsck: $(tail -n 3 "$T/fsck")"; fi
  look "$2" || bad "$1: cannot be mounted with its journal"
  same "$1: files $first to $last are whole with the journal" yes "$whole"
  note "$1: after e2fsck -p: files $first to $last, whole: $whole, numbers to ${numbers:-nothing}"
  last_seen=$last
}
cloned() { # cloned STATUS CLONE HOOK
  rc=0
  timeout 300 "$LULLCP" --hook="$3" --hook-timeout=200s "$disk" "$2" >"$T/out" 2>"$T/err" </dev/null || rc=$?
  same "clone by ${3##*/}" "$1" $rc
  [ "$1" = 0 ] || sed 's/^/  | /' "$T/err"
}
try() { # try WHOSE HOOK: the clones
  local n
  for ((n = 1; n <= rounds; n++)); do
    cloned 0 "$V/$1.$n" "$2 --quiesce"
    is_quiesced "$1 $n" "$V/$1.$n"
    grows "$1 $n"
    rm -f "$V/$1.$n"
  done
  cloned 0 "$V/$1.control" "$2"
  is_crashed "$1, without --quiesce" "$V/$1.control"
  rm -f "$V/$1.control"
}
refused() { # refused WHAT HOOK [STATUS]: the clone fails, and nothing is left
  local began=$SECONDS
  echo "-- $1"
  cloned "${3:-5}" "$V/none" "$2 --quiesce"
  note "after $((SECONDS - began)) s"
  check_not "$1: no clone" test -e "$V/none"
  same "$1: nothing left behind" disk.img "$(ls -A "$V/vm")"
  [ "${3:-5}" != 5 ] || grows "$1"
}
is_at_rest() { # is_at_rest WHAT: whatever libvirt was asked for is done, or never will be
  sleep 5
  same "$1: its file systems" thawed "$(frozen_or_thawed)"
  same "$1: its disk" "$disk" "$(disk_of)"
  same "$1: nothing left behind" disk.img "$(ls -A "$V/vm")"
  grows "$1"
}
agent_again() { # the agent as it was
  tell 'kill -9 $agent; rm -f /run/qga.state* /run/qemu-ga.pid; agent'
  check 'the agent is back' wait_for 60 "$@"
}

echo '== libvirt'
new_disk
chmod 1777 "$V/vm"
cat >"$T/guest.xml" <<XML
<domain type='qemu'>
  <name>lulltest</name> <memory unit='MiB'>256</memory> <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>$V/vmlinuz</kernel> <initrd>$V/initrd</initrd>
    <cmdline>console=ttyS0 quiet panic=-1 mitigations=off</cmdline>
  </os>
  <features> <acpi/> </features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/> <source file='$disk'/> <target dev='vda' bus='virtio'/>
    </disk>
    <serial type='file'> <source path='$V/console'/> <target port='0'/> </serial>
    <serial type='pipe'> <source path='$V/line'/> <target port='1'/> </serial>
    <channel type='unix'> <target type='virtio' name='org.qemu.guest_agent.0'/> </channel>
  </devices>
</domain>
XML
vs create "$T/guest.xml" >"$T/start.out" 2>&1 || die "no guest: $(cat "$T/start.out")"
ping_libvirt() { vs qemu-agent-command lulltest '{"execute":"guest-ping"}' --timeout 5; }
wait_for 300 ping_libvirt && wait_for 60 grep -q 'guest is up' "$V/console" ||
  die "no agent: $(tail -n 5 "$V/console")"
note "up after $SECONDS s: $(vs qemu-agent-command lulltest '{"execute":"guest-info"}' | grep -o '"version":"[^"]*"')"
frozen_or_thawed() {
  vs qemu-agent-command lulltest '{"execute":"guest-fsfreeze-status"}' --timeout 20 2>&1 |
    grep -o 'frozen\|thawed' | head -n 1
}
disk_of() { vs domblklist lulltest | awk '{ print $2 }'; }
by_libvirt="$hook --connect=qemu:///system"
grows 'at the start'
try libvirt "$by_libvirt"
is_at_rest 'after the clones'

tell 'touch /etc/refuse'
refused 'the agent refuses' "$by_libvirt"
is_at_rest 'the agent refuses'
tell 'rm /etc/refuse'
tell 'kill -STOP $agent'
refused 'the agent is stopped' "$by_libvirt"
tell 'kill -CONT $agent'
check 'the agent goes on' wait_for 60 ping_libvirt
is_at_rest 'the agent is stopped'
# longer than the hook waits for a snapshot: what libvirt does after that is undone
tell 'echo 30 >/etc/slow'
refused 'the agent is slow' "$by_libvirt --timeout=5"
is_at_rest 'the agent is slow'
tell 'rm /etc/slow'
tell 'kill -9 $agent'
sleep 2
refused 'the agent is killed' "$by_libvirt"
agent_again ping_libvirt
is_at_rest 'the agent is killed'
cloned 0 "$V/again" "$by_libvirt --quiesce"
is_quiesced 'with the agent again' "$V/again"
vs destroy lulltest >/dev/null

echo '== QEMU by QMP'
new_disk
qemu-system-x86_64 -machine pc,accel=tcg -m 256 -display none -nodefaults \
  -kernel "$V/vmlinuz" -initrd "$V/initrd" -append 'console=ttyS0 quiet panic=-1 mitigations=off' \
  -serial "file:$V/console" -serial "pipe:$V/line" \
  -blockdev "driver=raw,node-name=disk,file.driver=file,file.filename=$disk" -device virtio-blk-pci,drive=disk \
  -chardev "socket,id=agent,path=$V/agent,server=on,wait=off" -device virtio-serial-pci \
  -device virtserialport,chardev=agent,name=org.qemu.guest_agent.0 \
  -qmp "unix:$V/qmp,server=on,wait=off" -qmp "unix:$V/other,server=on,wait=off" >"$T/qemu.log" 2>&1 &
frozen_or_thawed() {
  timeout 20 python3 -S - "$V/agent" 2>&1 <<'END' | grep -o 'frozen\|thawed' | head -n 1
import socket
import sys

agent = socket.socket(socket.AF_UNIX)
agent.settimeout(10)
agent.connect(sys.argv[1])
agent.sendall(b'{"execute":"guest-fsfreeze-status"}\n')
for line in agent.makefile():
    print(line)
    if "ed" in line:
        break
END
}
answers() { [ "$(frozen_or_thawed)" = thawed ]; }
disk_of() {
  python3 "$here/tests/vm/qmp.py" "$V/other" query-block | grep -o '"file": "/[^"]*"' | cut -d '"' -f 4 | sort -u
}
sleep 5
wait_for 300 answers && wait_for 60 grep -q 'guest is up' "$V/console" ||
  die "no agent: $(tail -n 5 "$T/qemu.log" "$V/console")"
last_seen=0
by_qmp="$HOOK --socket=$V/qmp --agent=$V/agent"
try qmp "$by_qmp"
is_at_rest 'after the clones by QMP'
tell 'touch /etc/refuse'
refused 'the agent refuses' "$by_qmp"
is_at_rest 'the agent refuses'
tell 'rm /etc/refuse; echo 20 >/etc/slow'
# the guest freezes when nobody waits for that any more, and the thaw is queued behind it in the channel
refused 'the agent is slow' "$by_qmp --agent-timeout=5s" 6
check 'the slow agent answers' wait_for 60 answers
check 'recovered' "$LULLCP" --recover "$V/none"
rm -f "$V"/.none.lullcp*
is_at_rest 'the agent is slow'
tell 'rm /etc/slow; kill -STOP $agent'
refused 'the agent is stopped' "$by_qmp --agent-timeout=5s"
tell 'kill -CONT $agent'
check 'the agent goes on' wait_for 60 answers
is_at_rest 'the agent is stopped'
tell 'kill -9 $agent'
sleep 2
refused 'the agent is killed' "$by_qmp --agent-timeout=5s"
agent_again answers
is_at_rest 'the agent is killed'
cloned 0 "$V/again" "$by_qmp --quiesce"
is_quiesced 'with the agent again' "$V/again"
[ "$failures" != 0 ] || echo "== good: $(vs version | tail -n 1), Linux $release"
finish
