#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs a command as root on another version of the Debian kernel, in a virtual machine. See usage().
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<USAGE
Usage: machine.sh [OPTION]... KERNEL -- COMMAND [ARG]...
Boot KERNEL and run COMMAND there. KERNEL is 5.10, 6.1 or 6.12 (of Debian 11, 12 and 13), or a
kernel package as a file. The machine sees this one's root directory, read-only, with /tmp,
/var/tmp, /dev/shm and /run of its own; it has no network. Output and exit status are the
command's; 125: it did not run; 124: out of time.

  --accel auto|kvm|tcg   (auto: KVM if it boots that kernel)
  --memory SIZE          of the machine (4G)
  --cpus N               (2)
  --timeout SECONDS      for all of it (3600)
  --console FILE         keep the kernel's messages there
  --directory DIR        where the command starts, a path outside of those above (/)

What is fetched, by apt from the archives that this machine is set up for, is kept in
\${XDG_CACHE_HOME:-~/.cache}/lullcp-kernels. Needs root, qemu-system-x86, kmod, cpio, cc.
USAGE
}
say() { printf 'machine.sh: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 125
}

accel=auto memory=4G cpus=2 limit=3600 console='' directory=/
while (($#)); do
  case $1 in
  --help)
    usage
    exit
    ;;
  --accel | --memory | --cpus | --timeout | --console | --directory)
    (($# >= 2)) || die "$1: its value is missing"
    case $1 in
    --accel) accel=$2 ;;
    --memory) memory=$2 ;;
    --cpus) cpus=$2 ;;
    --timeout) limit=$2 ;;
    --console) console=$2 ;;
    --directory) directory=$2 ;;
    esac
    shift 2
    ;;
  -*) die "$1: unknown option; see --help" ;;
  *) break ;;
  esac
done
(($# >= 3)) && [[ $2 == -- ]] || die 'no kernel, or no command; see --help'
kernel=$1
shift 2
((EUID == 0)) || die 'must be root, for the command is to see all files'
PATH=$PATH:/usr/sbin:/sbin
for program in qemu-system-x86_64 depmod modprobe cpio cc dpkg-deb; do
  command -v "$program" >/dev/null || die "needs $program"
done

T=$(mktemp -d)
qemu=''
end() {
  [[ -z $qemu ]] || kill "$qemu" 2>/dev/null || true
  rm -rf "$T"
}
trap end EXIT
trap 'exit 125' INT TERM HUP

# shellcheck source=SCRIPTDIR/kernel.sh
. "$here/kernel.sh"
kernel_get "$kernel"

# ---- what it boots from: init, and the modules in the order in which they are loaded ----

I=$T/initramfs
mkdir -p "$I/m"
cc -std=gnu17 -O2 -static -D_GNU_SOURCE -o "$I/init" "$here/init.c"
kernel_modules "$I" virtio_pci 9p 9pnet_virtio virtio_blk loop xfs btrfs ext4
(cd "$I" && find . | cpio -o -H newc --quiet) >"$T/initrd"

# ---- the machine ----

start() { # start kvm|tcg LIMIT COMMAND [ARG]...: status in $rc
  # Emulated, a program starts a third faster on the plainest CPU than on "max".
  local how=(-accel 'tcg,thread=multi' -cpu qemu64) seconds=$2 tail
  [[ $1 != kvm ]] || how=(-accel kvm -cpu host)
  shift 2
  rm -rf "$T/share"
  mkdir "$T/share"
  : >"$T/share/output"
  {
    printf 'cd %q || exit 125\nexec' "$directory"
    printf ' %q' "$@"
    echo
  } >"$T/share/command"
  timeout -k 5 "$seconds" qemu-system-x86_64 "${how[@]}" -machine q35 -smp "$cpus" -m "$memory" \
    -nodefaults -display none -no-reboot -serial "file:$T/console" \
    -kernel "$vmlinuz" -initrd "$T/initrd" -append 'console=ttyS0 quiet panic=-1 mitigations=off' \
    -virtfs 'local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap' \
    -virtfs "local,path=$T/share,mount_tag=share,security_model=none" \
    </dev/null >&2 &
  qemu=$!
  tail -n +1 -s 0.2 -f --pid=$qemu "$T/share/output" &
  tail=$!
  rc=0
  wait "$qemu" || rc=$?
  qemu=''
  wait "$tail"
  [[ -z $console ]] || cp "$T/console" "$console"
  if [[ -s $T/share/status ]]; then
    rc=$(<"$T/share/status")
  elif [[ $rc == 124 || $rc == 137 ]]; then
    rc=124
  else
    rc=125
  fi
}

# That /dev/kvm is there does not say that it boots anything: in a virtual machine it may not.
if [[ $accel == auto ]]; then
  answer=$cache/accel-$(uname -r)-$release
  if [[ ! -s $answer ]]; then
    accel=tcg
    if [[ -w /dev/kvm ]]; then
      start kvm 30 true 2>/dev/null
      [[ $rc != 0 ]] || accel=kvm
    fi
    echo "$accel" >"$answer"
  fi
  accel=$(<"$answer")
fi
say "Linux $release, $accel"
start "$accel" "$limit" env "LULL_ACCEL=$accel" "$@"
case $rc in
124) say "out of time ($limit s)" ;;
125) tail -n 20 "$T/console" >&2 ;;
esac
exit "$rc"
