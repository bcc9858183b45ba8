# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Common code of the tests of lullcp-hook-libvirt: a private libvirt, with a guest without an operating
# system under TCG. The monitor writes through the guest's virtio device in place of the guest. Sourced
# after lib.sh and fs_test.
#
# Environment: HOOK_LIBVIRT.
for program in libvirtd virtlogd virsh qemu-system-x86_64; do
  PATH=$PATH:/usr/sbin command -v $program >/dev/null || cannot_run "needs $program"
done
hook=${HOOK_LIBVIRT:?the hook to test}
export PATH=$PATH:/usr/sbin
virsh=$(command -v virsh)
daemons=
# One at a time: two guests of one name and number share a control group.
exec {turn}>"${TMPDIR:-/tmp}/lullcp-test-libvirt.lock"
flock "$turn"
# This test has a libvirt of its own: nobody else sees these directories and its mounts.
for d in /etc/libvirt/qemu /run/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt; do
  mkdir -p "$d"
  mount -t tmpfs tmpfs "$d" || cannot_run "cannot mount on $d"
done
mkdir -p /var/lib/libvirt/qemu
# Where root may use KVM and QEMU's user may not, libvirt finds out anew what QEMU can do each time
# it is asked anything, and takes a minute to start a guest.
if [ -c /dev/kvm ]; then
  mknod -m 666 "$T/kvm" c 10 232 && mount --bind "$T/kvm" /dev/kvm || cannot_run 'cannot lend KVM'
fi
for d in virtlogd libvirtd; do
  $d -d --pid-file "/run/libvirt/$d.test-pid" {turn}>&- >"$T/out" 2>&1 || cannot_run "$d: $(cat "$T/out")"
  daemons="$daemons $(cat "/run/libvirt/$d.test-pid")"
done
vs() { "$virsh" -c qemu:///system --quiet "$@"; }
soon vs version >/dev/null 2>&1
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
  qemu-img convert -U -f "$2" -O raw "$1" "$T/raw" && b2sum <"$T/raw"
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
chmod 1777 "$M" "$M/v m" "$T/side"
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
start() { vs create "$T/domain.xml" >"$T/start.out" 2>&1; }
start || cannot_run "no guest: $(cat "$T/start.out")"
