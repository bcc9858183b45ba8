#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what is needed, builds, makes an XFS on a loop file with a fragmented image, and
# clones it by cp and by lullcp while a reader and a writer are at work. As root.
#
#   demo.sh [EXTENTS]   (100000)
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
extents=${1:-100000}
if [ "$(id -u)" != 0 ]; then
  echo 'demo.sh: run as root: it installs packages and mounts a file system' >&2
  exit 1
fi
if [ -z "${LULL_DEMO_NAMESPACE:-}" ]; then
  echo 'Installing what is needed ...'
  sh tools/install-deps.sh
  [ -d build ] || meson setup build --buildtype=release >/dev/null
  ninja -C build >/dev/null
  # what is mounted below goes with this process, however it ends
  # (in a chroot whose root is no mount point its propagation cannot be changed)
  how=private
  unshare -m --propagation private true 2>/dev/null || how=unchanged
  LULL_DEMO_NAMESPACE=1 exec unshare -m --propagation "$how" bash "$0" "$@"
fi
work=$(mktemp -d)
image=$(mktemp /var/tmp/lullcp-demo.XXXXXX)
trap 'umount "$work" 2>/dev/null || umount -l "$work"; rmdir "$work"; rm -f "$image"' EXIT
truncate -s $((extents * 4096 * 3 + (1 << 30))) "$image"
mkfs.xfs -q -f -m reflink=1 "$image"
mount -o loop "$image" "$work"
cc -O2 -pthread -o "$work/load" bench/load.c
echo "Making an image of $extents extents on XFS ..."
n=$(build/tests/fragment "$work/vm.img" "$extents")
sync -f "$work"
echo "vm.img: $n extents"
ms() { awk -v ns="$1" 'BEGIN { printf "%.1f ms", ns / 1e6 }'; }
measure() { # measure LABEL COMMAND...: with a direct reader and a direct writer beside
  local label=$1
  shift
  "$work/load" --file "$work/vm.img" --reader direct --writer direct --writer-delay 100 \
    --output "$work/json" -- "$@" 2>"$work/said" || true
  printf '%-28s took %10s   longest read %10s   longest write %10s\n' "$label" \
    "$(ms "$(jq .wall_ns "$work/json")")" "$(ms "$(jq .reader.max "$work/json")")" \
    "$(ms "$(jq .writer.max "$work/json")")"
}
echo
echo 'Cloning while a program reads the image and another writes to it (both direct I/O):'
measure 'cp --reflink=always' cp --reflink=always "$work/vm.img" "$work/cp.img"
rm "$work/cp.img"
sync -f "$work"
measure 'lullcp' build/src/lullcp "$work/vm.img" "$work/lullcp.img"
echo
echo 'The writer never paused and there was no hook, so lullcp published nothing and said:'
sed 's/^/    /' "$work/said"
echo
echo 'Now with the writer gone, as a freeze hook would see to it:'
build/src/lullcp -v --resume --histogram "$work/vm.img" "$work/lullcp.img"
cmp "$work/vm.img" "$work/lullcp.img" && echo 'The clone is identical to the image.'
