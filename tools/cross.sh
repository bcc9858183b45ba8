#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds for another processor in a fresh Debian, without warnings, and runs the tests there that
# need no file system of their own: unit tests and the replays of the fuzzers, in QEMU's user mode. The
# test of the keeper is left out: QEMU's user mode lacks PR_SET_CHILD_SUBREAPER, which it needs.
# As root; needs debootstrap.
#
#   cross.sh ARCH     of Debian: arm64, i386, s390x, ...
#
# Environment: MIRROR and LULL_ROOT (the place of the new Debian), as for package.sh; SUITE (bookworm).
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
arch=${1:-}
# shellcheck source=SCRIPTDIR/help.sh
. "$here/tools/help.sh"
help_answer "$@"
if [ $# != 1 ] || [ -z "$arch" ]; then
  help_show >&2
  exit 1
fi
# shellcheck source=SCRIPTDIR/debian.sh
. "$here/tools/debian.sh"
inside() {
  chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@"
}

echo "== Debian ${SUITE:-bookworm}, for $arch"
debian_new "${SUITE:-bookworm}" proc dev
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
# A compiled locale has one byte order: programs for this processor read their own, below /arch.
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
