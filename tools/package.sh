#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes a fresh Debian, and in it runs the commands of README.md, then builds the Debian package, checks
# it, tries it, and removes it. As root; needs debootstrap.
#
#   package.sh [SUITE]   (bookworm)
#
# Environment: MIRROR, a mirror of Debian (that of this machine); LULL_PACKAGES, where the packages
# are left (build-package); LULL_ROOT, a directory on a disk with 3 GB of room ($TMPDIR or /tmp).
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
# shellcheck source=SCRIPTDIR/help.sh
. tools/help.sh
help_answer "$@"
suite=${1:-bookworm}
if [ "$(id -u)" != 0 ]; then
  echo 'package.sh: run as root: it makes a Debian to build in' >&2
  exit 1
fi
# shellcheck source=SCRIPTDIR/debian.sh
. tools/debian.sh
out=${LULL_PACKAGES:-$here/build-package}
mkdir -p "$out"
# inside DIRECTORY COMMAND...: in the new Debian
inside() {
  local directory=$1
  shift
  chroot "$root" /usr/bin/env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive sh -c 'cd "$1" && shift && exec "$@"' sh "$directory" "$@"
}
installed() { inside / sh -c 'cd / && find bin etc lib sbin usr var/lib var/cache ! -path "var/lib/dpkg/*" \
  ! -path "var/cache/*apt*" ! -path "var/cache/debconf/*" ! -path "var/lib/apt/*" ! -path "etc/ld.so.cache" \
  ! -path "var/cache/ldconfig/*" ! -path "var/cache/man/*" ! -path "var/lib/systemd/*" | sort'; }

echo "== Debian $suite"
debian_new "$suite" proc dev sys

echo '== the source'
mkdir -p "$root/build/lullcp"
git archive HEAD | tar -x -C "$root/build/lullcp"
version=$(sed -n "1s/.*(\\(.*\\)-.*/\\1/p" debian/changelog)
git archive --prefix="lullcp-$version/" HEAD -- . ':!debian' |
  gzip -n >"$root/build/lullcp_$version.orig.tar.gz"
get() { # get ARG...: apt-get, whose many words nobody wants to read
  inside "$where" apt-get -y -qq -o APT::Install-Recommends=false "$@" >"$out/apt-$suite.log" 2>&1 || {
    tail -n 30 "$out/apt-$suite.log" >&2
    exit 1
  }
  rm "$out/apt-$suite.log"
}
where=/
get update

echo '== what README.md says: install, the demo, uninstall'
mkdir "$root/build/readme"
git archive HEAD | tar -x -C "$root/build/readme"
readme=$(python3 tests/documents/examples.py | sed -n 's/^README.md\t//p' | sed '/^lullcp/,$d')
[ "$(wc -l <<<"$readme")" = 3 ] || {
  echo 'package.sh: no longer three commands to install by' >&2
  exit 1
}
{
  echo 'set -e'
  echo "$readme"
  echo 'lullcp --version && debian/tests/demo && ninja -C build uninstall && test ! -e /usr/local/bin/lullcp'
} >"$root/build/readme/typed"
# a person says yes
echo 'APT::Get::Assume-Yes "true";' >"$root/etc/apt/apt.conf.d/lullcp-yes"
inside /build/readme sh ./typed >"$out/readme-$suite.log" 2>&1 || {
  tail -n 30 "$out/readme-$suite.log" >&2
  exit 1
}
sed -n '/^Cloning/,/identical/p' "$out/readme-$suite.log"
rm -rf "$root/build/readme"

get install build-essential devscripts equivs lintian fakeroot

echo '== dpkg-buildpackage'
where=/build/lullcp
get build-dep .
inside /build/lullcp dpkg-buildpackage -us -uc >"$out/build-$suite.log" 2>&1 || {
  tail -n 30 "$out/build-$suite.log" >&2
  exit 1
}
mkdir -p "$out/$suite"
cp "$root"/build/*.deb "$root"/build/*.dsc "$root"/build/*.tar.* "$root"/build/*.changes "$out/$suite"

echo '== lintian'
inside /build sh -c 'lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs \
  --allow-root lullcp_*.changes'

echo '== install, try, remove, purge'
# Its dependencies stay; its own files must go.
where=/
get install systemd xfsprogs btrfs-progs jq mount man-db libmount1 libuuid1 libacl1 libattr1 libbtrfsutil1 \
  libjansson4
installed >"$out/before"
inside /build sh -c 'dpkg -i lullcp_*.deb' >/dev/null
inside /build/lullcp debian/tests/service
inside /build/lullcp debian/tests/clone
inside / dpkg -r lullcp >/dev/null
inside / dpkg -P lullcp >/dev/null
installed >"$out/after"
diff "$out/before" "$out/after" || {
  echo 'package.sh: that is left of it' >&2
  exit 1
}
rm "$out/before" "$out/after"
echo "== good: $out/$suite"
