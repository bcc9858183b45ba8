#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds for another processor in a fresh Debian, without warnings, and runs the tests there that
# need no file system of their own: unit tests and the replays of the fuzzers, in QEMU's user mode.
# That does not know PR_SET_CHILD_SUBREAPER, without which the test of the keeper sees nothing: left out.
# As root; needs debootstrap.
#
#   cross.sh ARCH     of Debian: arm64, i386, s390x, ...
#
# Environment: MIRROR, LULL_ROOT (where the new Debian lies), as for package.sh; SUITE (bookworm).
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
arch=${1:-}
if [ $# != 1 ] || [ -z "$arch" ]; then
  sed -n '3,11s/^# \?//p' "$0" >&2
  exit 1
fi
command -v debootstrap >/dev/null || {
  echo 'cross.sh: needs debootstrap' >&2
  exit 1
}
mirror=${MIRROR:-$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
  awk '$1 == "Debian" && !/security/ { print $2; exit }')}
[ -n "$mirror" ] || {
  echo 'cross.sh: set MIRROR to a mirror of Debian' >&2
  exit 1
}
root=$(mktemp -d "${LULL_ROOT:-${TMPDIR:-/tmp}}/lullcp-cross.XXXXXX")
chmod 755 "$root"
at_end() {
  for m in proc dev; do
    ! mountpoint -q "$root/$m" || umount -R "$root/$m" || umount -R -l "$root/$m"
  done
  rm -rf --one-file-system "$root"
}
trap at_end EXIT
inside() {
  chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@"
}

echo "== Debian ${SUITE:-bookworm}, for $arch"
debootstrap --variant=minbase "${SUITE:-bookworm}" "$root" "$mirror" >"$root.log" 2>&1 || {
  tail -n 5 "$root.log" >&2
  exit 1
}
rm "$root.log"
# How this machine reaches its mirror.
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
grep -lsr Acquire /etc/apt/apt.conf.d | while read -r conf; do
  # those of packages come with these
  dpkg -S "$conf" >/dev/null 2>&1 || cp "$conf" "$root/etc/apt/apt.conf.d/"
done
for m in proc dev; do
  mount --rbind "/$m" "$root/$m"
  mount --make-rslave "$root/$m"
done
inside dpkg --add-architecture "$arch"
inside apt-get update -qq
libraries=''
for package in libc6-dev libmount-dev uuid-dev libjansson-dev libbtrfsutil-dev libacl1-dev libattr1-dev \
  libcmocka-dev; do
  libraries="$libraries $package:$arch"
done
# shellcheck disable=SC2086 # a list of words
inside apt-get install -y -qq --no-install-recommends "crossbuild-essential-$arch" meson ninja-build pkgconf \
  qemu-user-static git python3-minimal file groff-base bash jq $libraries >/dev/null
# A compiled locale is of one byte order: programs for this processor read their own, below /arch.
inside sh -c "cd /var/tmp && apt-get download -qq libc-bin:$arch && dpkg -x libc-bin_*.deb bin &&
  mkdir -p /arch/usr/lib && mv bin/usr/lib/locale /arch/usr/lib/" >/dev/null 2>&1

triplet=$(inside dpkg-architecture -a "$arch" -qDEB_HOST_GNU_TYPE 2>/dev/null)
cpu=$(inside dpkg-architecture -a "$arch" -qDEB_HOST_GNU_CPU 2>/dev/null)
endian=$(inside dpkg-architecture -a "$arch" -qDEB_HOST_ARCH_ENDIAN 2>/dev/null)
multi=$(inside dpkg-architecture -a "$arch" -qDEB_HOST_MULTIARCH 2>/dev/null)
qemu=$cpu
[ "$cpu" != i686 ] || qemu=i386
cat >"$root/cross.ini" <<END
[binaries]
c = '$triplet-gcc'
ar = '$triplet-ar'
strip = '$triplet-strip'
pkgconfig = '/usr/bin/pkgconf'
exe_wrapper = ['/usr/bin/qemu-$qemu-static', '-L', '/arch']
[properties]
sys_root = ''
pkg_config_libdir = '/usr/lib/$multi/pkgconfig:/usr/share/pkgconfig'
[host_machine]
system = 'linux'
cpu_family = '$([ "$cpu" = i686 ] && echo x86 || echo "$cpu")'
cpu = '$cpu'
endian = '$endian'
END
git -C "$here" ls-files -z | tar -C "$here" --null -T - -c | { mkdir "$root/src" && tar -C "$root/src" -x; }
inside sh -c 'cd /src && meson setup --cross-file /cross.ini -Dwerror=true -Dtests=enabled build >setup.log ||
  { tail -n 20 setup.log; exit 1; }'
inside sh -c 'cd /src && ninja -C build >build.log || { grep -A8 "error:\|FAILED" build.log; exit 1; }'
inside file "/src/build/src/lullcp" | cut -d, -f1,2
tests=$(inside sh -c 'cd /src && meson test -C build --list --suite unit --suite fuzz 2>/dev/null' |
  sed 's,.* / ,,' | grep -vx keeper)
# shellcheck disable=SC2086 # a list of words
inside sh -c 'cd /src && meson test -C build --no-rebuild --print-errorlogs --suite unit --suite fuzz -t 5 "$@"' \
  sh $tests | tail -n "${LINES_SHOWN:-12}"
