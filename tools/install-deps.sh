#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what the build, the tests and the demo need on Debian 12 and 13. As root.
#
#   install-deps.sh [demo]
#
# demo: what tools/demo.sh needs, and no QEMU, libvirt and Prometheus.
set -eu
# shellcheck source=SCRIPTDIR/help.sh
. "$(dirname "$0")/help.sh"
help_answer "$@"
export DEBIAN_FRONTEND=noninteractive
packages='gcc libc6-dev meson ninja-build pkgconf libmount-dev uuid-dev libjansson-dev
  libbtrfsutil-dev libacl1-dev libattr1-dev libcmocka-dev python3-minimal
  xfsprogs util-linux mount jq'
[ "${1:-}" = demo ] || packages="$packages
  btrfs-progs e2fsprogs fdisk procps attr acl libcap2-bin strace shellcheck clang-format groff-base
  bash-completion file gnuplot-nox zsh fish ca-certificates systemd qemu-utils qemu-system-common
  qemu-system-x86 prometheus libvirt-daemon-system libvirt-clients restic borgbackup"
missing=
for p in $packages; do
  dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
apt-get update -qq
# shellcheck disable=SC2086 # a list of words
apt-get install -y -qq --no-install-recommends $missing >/dev/null
