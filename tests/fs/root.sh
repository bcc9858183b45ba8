#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The suite in a chroot whose root is not a mount point: run.sh gets a root that is one, and nobody else
# sees it.
own=$(cd "$(dirname "$0")/.." && pwd)/own-root.sh
. "$(dirname "$0")/../lib.sh"
fs_test "$@"

# As under systemd: a mount in one namespace appears in all namespaces that stem from it.
mount --make-rshared / || cannot_run 'the root of this machine is no mount point'
mkdir "$T/top"
for d in /*; do
  if [ -L "$d" ]; then
    cp -P "$d" "$T/top/"
  elif [ -d "$d" ]; then
    mkdir "$T/top/$d"
    case $d in
    /dev) ;;
    *) mount --rbind "$d" "$T/top/$d" || framework_failure "bind $d" ;;
    esac
  fi
done
cp "$own" "$T/top/tmp-own-root.sh"
inside() { chroot "$T/top" "$@"; }
private=(unshare -m --propagation private)
check_not 'the root is no mount point' inside "${private[@]}" true
# without devices no private mount is possible
inside bash /tmp-own-root.sh true 2>"$T/err"
same 'no devices' 1 $?
says 'is no mount point. Leave it, type "mount --bind'
mount --rbind /dev "$T/top/dev"
sort /proc/self/mountinfo >"$T/before"
same 'it is one' "private /usr" \
  "$(inside bash -c 'cd /usr && exec bash /tmp-own-root.sh "$@"' bash "${private[@]}" sh -c 'echo "private $PWD"')"
same 'arguments' 'a b  c' "$(inside bash /tmp-own-root.sh sh -c 'echo "$1 $2 $3"' sh 'a b' '' c)"
inside bash /tmp-own-root.sh sh -c 'mount -t tmpfs tmpfs /tmp; exit 7'
same 'status' 7 $?
same 'mounts that others see' 0 "$(sort /proc/self/mountinfo | comm -13 "$T/before" - | wc -l)"
# where the root is one nothing changes
same 'as it is' "$(readlink /proc/self/ns/mnt)" "$(bash "$own" readlink /proc/self/ns/mnt)"
mount --make-rprivate /
for d in "$T/top"/*/; do umount -R -l "${d%/}"; done 2>/dev/null
finish
