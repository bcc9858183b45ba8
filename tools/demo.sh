#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what is needed, builds, makes an XFS with a fragmented image on a loop file, and clones the
# image with cp and with lullcp, with and without a hook, while a reader and a writer use it. As root.
#
#   demo.sh [EXTENTS]   (100000)
#
# Environment: LULL_BUILD, where it is built (build-demo).
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
# shellcheck source=SCRIPTDIR/help.sh
. tools/help.sh
help_answer "$@"
extents=${1:-100000}
build=${LULL_BUILD:-build-demo}
if [ "$(id -u)" != 0 ]; then
  echo 'demo.sh: run as root: it installs packages and mounts a file system' >&2
  exit 1
fi
if [ -z "${LULL_DEMO_NAMESPACE:-}" ]; then
  echo 'Installing what is needed ...'
  sh tools/install-deps.sh demo
  [ -d "$build" ] || meson setup "$build" --buildtype=release -Dtests=enabled >/dev/null
  ninja -C "$build" src/lullcp tests/fragment >/dev/null
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
n=$("$build/tests/fragment" "$work/vm.img" "$extents")
# the first clone marks all extents as shared, once and for all; it is not measured
cp --reflink=always "$work/vm.img" "$work/first.img"
rm "$work/first.img"
sync -f "$work"
echo "vm.img: $n extents"

# The hook stops the writer: it asks the writer to stop, and waits until no write is under way.
cat >"$work/hook" <<HOOK
#!/bin/sh
if [ "\$1" = thaw ]; then rm -f "$work/freeze"; exit; fi
touch "$work/freeze"
while [ ! -e "$work/freeze.frozen" ]; do sleep 0.001; done
HOOK
chmod +x "$work/hook"
explain() { # explain METHOD
  case $1 in
  atomic)
    echo '    no hook: passes over the file, each for what was written during the last one, and then'
    echo '    one short call for the rest, which the kernel makes atomic'
    ;;
  frozen)
    echo '    the hook stops the writer; --live makes passes before, so that it waits for the last one'
    echo '    only. The hooks for QEMU and libvirt let it write to another file meanwhile'
    ;;
  quiet) echo '    nobody wrote during the pass' ;;
  single) echo '    so few extents that one call within the budget cloned them' ;;
  esac
}
ms() { awk -v ns="$1" 'BEGIN { printf "%.1f ms", ns / 1e6 }'; }
measure() { # measure LABEL COMMAND...: with a direct reader and a direct writer beside
  local label=$1 method
  shift
  sync -f "$work"
  "$work/load" --file "$work/vm.img" --reader direct --writer direct --writer-delay 5 \
    --freeze-file "$work/freeze" --output "$work/json" -- "$@" >"$work/out" 2>"$work/said"
  method=$(jq -r 'select(.type == "summary" and .published) | .method' "$work/out")
  printf '%-24s took %10s   longest read %10s   longest write %10s   %s\n' "$label" \
    "$(ms "$(jq .wall_ns "$work/json")")" "$(ms "$(jq .reader.max "$work/json")")" \
    "$(ms "$(jq .writer.max "$work/json")")" "${method:+method $method}"
  sed 's/^/    /' "$work/said"
  [ "$(jq .status "$work/json")" = 0 ] || echo "    and ended with status $(jq .status "$work/json")"
  explain "$method"
}
echo
echo 'Cloning while a program reads the image and another writes to it (both direct I/O):'
measure 'cp --reflink=always' cp --reflink=always "$work/vm.img" "$work/cp.img"
measure 'lullcp' "$build/src/lullcp" --json "$work/vm.img" "$work/lullcp.img"
measure 'lullcp --hook --live' "$build/src/lullcp" --json --live --hook="$work/hook" \
  "$work/vm.img" "$work/hooked.img"
echo
echo 'Now with the writer gone:'
rm "$work/cp.img" "$work/lullcp.img" "$work/hooked.img"
sync -f "$work"
"$build/src/lullcp" -v --histogram "$work/vm.img" "$work/lullcp.img"
cmp "$work/vm.img" "$work/lullcp.img" && echo 'The clone is identical to the image.'
