# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Makes a fresh Debian in a directory of its own, which is removed when the script ends. To be sourced.
#
#   debian_new SUITE MOUNT...   makes it at $root, with /MOUNT... of this machine
#
# Environment: MIRROR, a mirror of Debian (that of this machine); LULL_ROOT, the place for it ($TMPDIR or
# /tmp).
debian_name=$(basename "$0")
debian_mounted=''
# shellcheck disable=SC2317 # called by trap
debian_end() {
  local m
  for m in $debian_mounted; do
    umount -R "$m" 2>/dev/null || umount -R -l "$m"
  done
  rm -rf --one-file-system "$root"
}
debian_new() {
  local suite=$1 mirror m log
  shift
  command -v debootstrap >/dev/null || {
    echo "$debian_name: needs debootstrap" >&2
    exit 1
  }
  mirror=${MIRROR:-$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && !/security/ { print $2; exit }')}
  [ -n "$mirror" ] || {
    echo "$debian_name: set MIRROR to a mirror of Debian" >&2
    exit 1
  }
  root=$(mktemp -d "${LULL_ROOT:-${TMPDIR:-/tmp}}/lullcp-${debian_name%.sh}.XXXXXX")
  chmod 755 "$root"
  trap debian_end EXIT
  log=$root.log
  debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    exit 1
  }
  rm "$log"
  # How this machine reaches its mirror.
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  grep -lsr Acquire /etc/apt/apt.conf.d | while read -r conf; do
    # those of packages come with these
    dpkg -S "$conf" >/dev/null 2>&1 || cp "$conf" "$root/etc/apt/apt.conf.d/"
  done
  for m; do
    mount --rbind "/$m" "$root/$m"
    debian_mounted="$root/$m $debian_mounted"
    mount --make-rslave "$root/$m"
  done
}
