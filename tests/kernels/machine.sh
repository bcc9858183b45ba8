#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs a command as root on a Debian kernel of another age, in a virtual machine. See usage().
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

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/lullcp-kernels
mkdir -p "$cache"
T=$(mktemp -d)
qemu=''
end() {
  [[ -z $qemu ]] || kill "$qemu" 2>/dev/null || true
  rm -rf "$T"
}
trap end EXIT
trap 'exit 125' INT TERM HUP

# ---- the kernel ----

# apt as it is set up here, but for the suite, and with a state of its own.
apt_at() { # apt_at SUITE PROGRAM ARG...
  local state=$cache/apt-$1 suite=$1 program=$2
  shift 2
  if [[ ! -s $state/sources ]]; then
    mkdir -p "$state/lists/partial" "$state/archives/partial"
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | sort -u |
      while read -r label uri; do
        case $label in
        Debian) echo "deb [signed-by=$key] $uri $suite main" ;;
        Debian-Security) echo "deb [signed-by=$key] $uri $suite-security main" ;;
        esac
      done >"$state/sources.new"
    [[ -s $state/sources.new ]] || die 'no archive of Debian is among the sources of apt'
  fi
  local options=(-o "Dir::Cache=$state" -o "Dir::State::Lists=$state/lists"
    -o "Dir::State::status=/dev/null" -o "Dir::Etc::SourceParts=/dev/null"
    -o "APT::Architecture=amd64" -o "APT::Architectures=amd64" -o "APT::Sandbox::User=root")
  if [[ ! -s $state/sources ]]; then
    apt-get "${options[@]}" -o "Dir::Etc::SourceList=$state/sources.new" -qq update >&2 ||
      die "$suite: cannot fetch the lists of packages"
    mv "$state/sources.new" "$state/sources"
  fi
  "$program" "${options[@]}" -o "Dir::Etc::SourceList=$state/sources" "$@"
}
key=/usr/share/keyrings/debian-archive-keyring.gpg

unpack() { # unpack PACKAGE-FILE DIRECTORY
  mkdir "$2.new"
  dpkg-deb -x "$1" "$2.new"
  mv "$2.new" "$2"
}

fetch() { # fetch SUITE: the kernel of that suite, unpacked; its place in $tree
  local name
  tree=$cache/$1
  [[ ! -d $tree ]] || return 0
  # linux-image-amd64 only says which one it is
  name=$(apt_at "$1" apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: //p')
  [[ -n $name ]] || die "$1: no kernel found"
  say "fetching $name"
  (cd "$T" && apt_at "$1" apt-get -qq download "$name" >&2) || die "$name: cannot fetch it"
  unpack "$(echo "$T"/linux-image-*.deb)" "$tree"
}

case $kernel in
5.10) fetch bullseye ;;
6.1) fetch bookworm ;;
6.12) fetch trixie ;;
*)
  [[ -f $kernel ]] || die "$kernel: neither 5.10, 6.1 or 6.12 nor a file"
  tree=$cache/$(basename "$kernel" .deb)
  [[ -d $tree ]] || unpack "$kernel" "$tree"
  ;;
esac
vmlinuz=$(echo "$tree"/boot/vmlinuz-*)
release=${vmlinuz##*/vmlinuz-}

# ---- what it boots from: init, and the modules in the order in which they are loaded ----

I=$T/initramfs
mkdir -p "$I/m"
cc -std=gnu17 -O2 -static -D_GNU_SOURCE -o "$I/init" "$here/init.c"
# from Debian 13 on /lib is where it is in usr only
[[ -e $tree/lib ]] || ln -s usr/lib "$tree/lib"
[[ -s $tree/lib/modules/$release/modules.dep ]] || depmod -b "$tree" "$release"
modprobe -d "$tree" -S "$release" --show-depends -a \
  virtio_pci 9p 9pnet_virtio virtio_blk loop xfs btrfs ext4 >"$T/modules" ||
  die "$release: lacks a module"
while read -r verb module _; do
  [[ $verb == insmod ]] || continue
  name=$(basename "$module")
  case $name in
  *.xz) xz -dc "$module" >"$I/m/${name%.xz}" ;;
  *) cp "$module" "$I/m/" ;;
  esac
  echo "/m/${name%.xz}"
done <"$T/modules" | awk '!seen[$0]++' >"$I/modules"
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
