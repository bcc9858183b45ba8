#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# With only the privileges that lullcp-snapshot@.service leaves: its capabilities, no new privileges, its
# umask, read-only system directories, no devices; and with its command line.
unit=$(cd "$(dirname "$0")" && pwd)/../../systemd/lullcp-snapshot@.service.in
. "$(dirname "$0")/../lib.sh"
fs_test
command -v setpriv >/dev/null || cannot_run 'needs setpriv'

setting() { sed -n "s/^$1=//p" "$unit"; } # setting NAME: all its values
caps=-all
for c in $(setting CapabilityBoundingSet); do
  c=${c#CAP_}
  caps+=,+${c,,}
done
note "$caps"
check 'there are some' test "$caps" != -all
same 'what is imitated here is what the unit says' 'yes yes yes full yes' \
  "$(setting NoNewPrivileges) $(setting PrivateDevices) $(setting ProtectKernelTunables) $(setting ProtectSystem) $(setting RestrictSUIDSGID)"

# ExecStart, its variables as systemd puts them in: ${X} one word, $X split at blanks
service() { # service [ARG...]: lullcp as the unit calls it, with KEEP, OPTIONS, SOURCE and DEST
  local words=() w
  for w in $(setting ExecStart); do
    case $w in
      @bindir@/lullcp) words+=("$LULLCP") ;;
      '$OPTIONS') words+=("${OPTIONS[@]}") ;;
      '${SOURCE}') words+=("$SOURCE") ;;
      '${DEST}') words+=("$DEST") ;;
      --keep=*) words+=("--keep=$KEEP") ;;
      # systemd makes the directory
      --metrics=/var/cache/lullcp/%i.prom) words+=("--metrics=$T/cache/x.prom") ;;
      *) words+=("$w") ;;
    esac
  done
  rc=0
  # shellcheck disable=SC2016
  unshare -m --propagation private sh -c '
    for d in /usr /boot /etc /proc/sys; do
      [ ! -d "$d" ] || { mount --bind "$d" "$d" && mount -o remount,bind,ro "$d"; } || exit 99
    done
    mkdir "$0/dev" && mount -t tmpfs none "$0/dev" && mknod "$0/dev/null" c 1 3 &&
      mknod "$0/dev/zero" c 1 5 && mknod "$0/dev/urandom" c 1 9 && chmod 666 "$0/dev/"* &&
      mount --move "$0/dev" /dev || exit 99
    rmdir "$0/dev"
    umask '"$(setting UMask)"'
    caps=$1
    shift
    exec setpriv --bounding-set="$caps" --inh-caps=-all --no-new-privs "$@"' "$T" "$caps" "${words[@]}" \
    >"$T/out" 2>"$T/err" </dev/null || rc=$?
  rmdir "$T/dev" 2>/dev/null
}
same 'the directory for metrics' 'lullcp 0755' "$(setting CacheDirectory) $(setting CacheDirectoryMode)"
mkdir -m 755 "$T/cache"
ends() { if [ "$rc" = "$1" ]; then ok; else bad "status $rc, not $1"; fi; }
latest() { jq -r '.generations[-1].name' "$(dirname "$DEST")/.$(basename "$DEST").lullcp-generations"; }
n() { jq -r '.generations | length' "$(dirname "$DEST")/.$(basename "$DEST").lullcp-generations"; }

for kind in xfs btrfs; do
  fs_mount "$kind"
  note "$kind"
  mkdir "$M/vm" "$M/clones dir"
  # somebody else's image, in a directory of theirs
  fragmented "$M/vm/img" 3000 -h 5
  chown -R 64055:64055 "$M/vm"
  chmod 700 "$M/vm"
  chmod 600 "$M/vm/img"
  SOURCE=$M/vm/img DEST="$M/clones dir/img" KEEP=2
  OPTIONS=()
  for _ in 1 2 3; do
    patch=$((RANDOM % 3000))
    head -c 4096 /dev/urandom | dd of="$SOURCE" bs=4096 seek=$patch conv=notrunc status=none
    service
    ends 0
    same 'nothing to complain of' '' "$(cat "$T/err")"
    check 'a line for the journal' grep -q ' extents, ' "$T/out"
    check 'metrics' grep -q '^lullcp_last_exit_status{.*} 0$' "$T/cache/x.prom"
    same 'metrics are for all' 644 "$(stat -c %a "$T/cache/x.prom")"
    check "$kind: the clone" cmp "$SOURCE" "$M/clones dir/$(latest)"
  done
  same 'kept' 2 "$(n)"
  same 'for root alone' '0 600' "$(stat -c '%u %a' "$M/clones dir/$(latest)")"

  # a hook, which becomes somebody else and has a socket
  cat >"$T/hook" <<END
#!/bin/sh
id -u >>$T/who
setpriv --reuid=64055 --regid=64055 --clear-groups id -u >>$T/who
python3 -c 'import socket; socket.socket(socket.AF_UNIX)' || exit 1
END
  chmod 755 "$T/hook"
  OPTIONS=(--hook="$T/hook" --hook-timeout=10s)
  service
  ends 0
  same 'who' '0 64055 0 64055' "$(xargs <"$T/who")"
  rm "$T/who"
  check "$kind: with a hook" cmp "$SOURCE" "$M/clones dir/$(latest)"

  # the owner is preserved; and as it is not the caller's, whether it is in use has to be asked
  OPTIONS=("--preserve=ownership,mode")
  for _ in 1 2 3; do
    service
    ends 0
    same 'nothing to complain of' '' "$(cat "$T/err")"
    same 'owner' '64055 600' "$(stat -c '%u %a' "$M/clones dir/$(latest)")"
  done
  oldest=$(jq -r '.generations[0].name' "$M/clones dir/.img.lullcp-generations")
  inode=$(stat -c %i "$M/clones dir/$oldest")
  service
  same 'the oldest is used up' "$inode" "$(stat -c %i "$M/clones dir/$(latest)")"
  same 'kept' 2 "$(n)"

  # a writer that never pauses: the snapshot on Btrfs, its removal included; one call on XFS
  OPTIONS=(--json)
  # it is not taken by itself where stores through mmap would tear it
  [ "$kind" != btrfs ] || ! kernel_before 5.13 || OPTIONS+=(--on-writers=snapshot)
  cp "$SOURCE" "$M/first"
  "$TOOLS/numbers" write "$SOURCE" d "$SEED" "$T/progress" 2>"$T/writer.err" &
  writer=$!
  soon has_written "$T/progress"
  # a run that falls between two of its writes meets nobody, and proves nothing
  for _ in $(seq 50); do
    service
    ends 0
    check 'it is torn' "$TOOLS/numbers" check "$M/clones dir/$(latest)" "$M/first" d "$SEED" "$T/progress"
    [ "$(field method)" = single ] || break
  done
  kill $writer
  wait $writer 2>/dev/null
  note "$kind: method $(field method)"
  same "$kind: no snapshot is left" 0 "$(find "$M/clones dir" -name '*-snap' | wc -l)"
  case $kind in
    btrfs) same 'method' snapshot "$(field method)" ;;
    *) same 'method' atomic "$(field method)" ;;
  esac
  fs_unmount "$M"
done

# nothing more than is needed: without these it does not work
fs_mount xfs
head -c 100000 /dev/urandom >"$M/img"
chown 64055 "$M/img"
chmod 600 "$M/img"
SOURCE=$M/img DEST=$M/d KEEP=2 OPTIONS=()
caps=-all
service
ends 1
says 'Permission denied'
finish
