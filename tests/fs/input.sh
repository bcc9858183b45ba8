#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Bad input leads to a message that names the file and the reason, and to exit status 1. Nothing is
# created or lost.
. "$(dirname "$0")/../lib.sh"
fs_test

# directories without their times: a temporary file may have existed for a moment
listing() {
  find "$M" "$T/other" \( -type d -printf '%p %i %m\n' -o -printf '%p %i %s %m %T@\n' \) 2>/dev/null |
    sort
}
refused() { # refused STATUS TEXT ARG...: and nothing has changed
  local want=$1 text=$2 before
  shift 2
  before=$(listing)
  expect "$want" "$@"
  says "$text"
  same "lullcp $*: what is there" "$before" "$(listing)"
}

for kind in $(kinds xfs btrfs); do
  fs_mount "$kind"
  note "$kind"
  here=$M
  mkdir "$M/d" "$M/locked"
  fragmented "$M/src" 600
  echo small >"$M/small"
  echo old >"$M/old"
  ln -s src "$M/link"
  ln -s nowhere "$M/dangling"
  ln "$M/src" "$M/hard"
  mkfifo "$M/fifo"
  mknod "$M/dev" c 1 3
  python3 - "$M/socket" <<'PY'
import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])
PY
  for src in src small; do
    refused 1 "cannot stat '$M/nosuch': No such file or directory" "$M/nosuch" "$M/x"
    refused 1 "cannot create regular file '$M/nodir/x': No such file or directory" "$M/$src" "$M/nodir/x"
    refused 1 'are the same file' "$M/$src" "$M/$src"
    refused 1 "-r not specified; omitting directory '$M/d'" "$M/d" "$M/x"
    refused 1 "failed to clone '$M/x' from '$M/fifo'" "$M/fifo" "$M/x"
    refused 1 "failed to clone '$M/x' from '$M/dev'" "$M/dev" "$M/x"
    refused 1 "cannot open '$M/socket' for reading" "$M/socket" "$M/x"
    refused 1 "failed to clone '$M/fifo' from '$M/$src'" "$M/$src" "$M/fifo"
    refused 1 "failed to clone '$M/dev' from '$M/$src'" "$M/$src" "$M/dev"
    refused 1 "cannot overwrite directory '$M/d' with non-directory" -T "$M/$src" "$M/d"
    refused 1 "not writing through dangling symlink '$M/dangling'" "$M/$src" "$M/dangling"
    refused 1 "target directory '$M/old': Not a directory" -t "$M/old" "$M/$src"
    refused 1 'Not a directory' "$M/$src" "$M/old/x"
    refused 1 'Not a directory' "$M/$src" "$M/new/"
  done
  refused 1 'are the same file' "$M/src" "$M/link"
  refused 1 'are the same file' "$M/src" "$M/hard"
  refused 1 'are the same file' "$M/link" "$M/hard"

  # other file systems, and ones that cannot clone
  for other in ext4 tmpfs "$kind" xfs-noreflink; do
    if [ "$other" = tmpfs ]; then
      mkdir -p "$T/other" && mount -t tmpfs tmpfs "$T/other"
    else
      fs_mount "$other" 400M
      mkdir -p "$T/other" && mount --move "$M" "$T/other"
      M=$here
    fi
    for src in src small; do
      refused 1 "failed to clone '$T/other/x' from '$M/$src'" "$M/$src" "$T/other/x"
      cp "$M/$src" "$T/other/$src"
      refused 1 'SOURCE and DEST must be on the same file system' "$T/other/$src" "$M/x"
      if [ "$other" != "$kind" ]; then
        refused 1 'This file system cannot clone' "$T/other/$src" "$T/other/y"
        cp "$M/old" "$T/other/old"
        refused 1 'This file system cannot clone' "$T/other/$src" "$T/other/old"
      fi
    done
    umount "$T/other"
  done

  # rights, as an ordinary user
  chmod 755 "$T" "$M"
  mkdir -m 777 "$M/pub"
  chmod 600 "$M/src" "$M/small"
  as_nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups "$LULLCP" "$@" >"$T/out" 2>"$T/err"
    same "as nobody: lullcp $*" 1 $?
  }
  before=$(listing)
  as_nobody "$M/src" "$M/pub/x"
  says "cannot open '$M/src' for reading: Permission denied"
  chmod 644 "$M/src" "$M/small"
  as_nobody "$M/src" "$M/locked/x"
  says "cannot create regular file '$M/locked/x': Permission denied"
  same 'nothing was created' "$(listing | wc -l)" "$(echo "$before" | wc -l)"

  # immutable, read-only, limits
  chattr +i "$M/locked"
  refused 1 'Operation not permitted' "$M/src" "$M/locked/x"
  chattr -i "$M/locked"
  chattr +i "$M/old"
  refused 1 "$M/old" "$M/src" "$M/old"
  refused 1 "$M/old" --inplace "$M/src" "$M/old"
  chattr -i "$M/old"
  mount -o remount,ro "$M"
  refused 1 'Read-only file system' "$M/src" "$M/x"
  refused 1 'Read-only file system' "$M/small" "$M/old"
  mount -o remount,rw "$M"
  before=$(listing)
  (ulimit -f 100 && "$LULLCP" "$M/src" "$M/x" 2>"$T/err")
  same 'RLIMIT_FSIZE' 1 $?
  says 'ulimit -f'
  same 'RLIMIT_FSIZE: what is there' "$before" "$(listing)"
  fallocate -l 4096 "$M/swap" && chmod 600 "$M/swap"
  [ "$kind" = xfs ] && dd if=/dev/zero of="$M/swap" bs=1M count=4 status=none
  if [ "$kind" = xfs ] && mkswap "$M/swap" >/dev/null 2>&1 && swapon "$M/swap" 2>/dev/null; then
    refused 1 'An active swap file cannot be cloned' "$M/swap" "$M/x"
    swapoff "$M/swap"
  fi

  # names that a terminal or a log would trip over
  odd=$'new\nline \e[31m \'quote\' \xff'
  cp --reflink=always "$M/src" "$M/$odd"
  expect 0 "$M/$odd" "$M/$odd.2"
  check 'odd names' cmp "$M/$odd" "$M/$odd.2"
  run "$M/$odd" "$M/nodir/x$odd"
  same 'no escape sequence in a message' 0 "$(grep -c $'\e' "$T/err")"
  expect 0 --json "$M/$odd" "$M/$odd.2"
  same 'a name that is not UTF-8' "$M/$odd" "$(field source_base64 | base64 -d)"
  long=$(printf 'n%.0s' $(seq 255))
  expect 0 "$M/src" "$M/$long"
  check 'a long name' cmp "$M/src" "$M/$long"
  long2=$(printf 'n%.0s' $(seq 256))
  refused 1 'File name too long' "$M/src" "$M/$long2"
  cd "$M" || exit 1
  expect 0 -- src -dash
  expect 0 src ./d
  check 'into a directory' cmp src d/src
  expect 0 -t d small
  expect 0 -td src
  check 'a link as DEST leads to its file' "$LULLCP" small link2
  ln -sf d/small link3
  expect 0 src link3
  check 'it stays a link' test -L link3
  check 'and its file is new' cmp src d/small
  cd /
  no_leftovers "$M"
  no_leftovers "$M/d"

  # A working directory whose path the kernel does not take: what needs state says so.
  (
    cd "$M/d" || exit
    for _ in $(seq 22); do
      mkdir "$(printf 'd%.0s' {1..200})" && cd ./ddd* || exit
    done
    cp "$M/src" src && cp "$M/small" small || exit
    expect 1 --hook=/bin/true src x
    says "cannot use 'src': its absolute path is longer than 4,095 bytes"
    says 'Mount the directory again where the path is shorter'
    expect 1 --hook=/bin/true "$M/src" x
    says "cannot use 'x': its absolute path is longer than 4,095 bytes"
    same 'a long working directory: nothing is made' 'small src' "$(echo *)"
    expect 0 small y
    same 'a long working directory: a small file needs no state' small "$(cat y)"
    echo "$checks $failures" >"$T/deep"
  )
  read -r checks failures <"$T/deep"

  # quota
  if [ "$kind" = btrfs ]; then
    btrfs subvolume create "$M/q" >/dev/null && btrfs quota enable "$M" 2>/dev/null &&
      btrfs qgroup limit 128K "$M/q" && cp "$M/src" "$M/q.src"
    before=$(listing)
    run "$M/src" "$M/q/x"
    [ "$rc" = 0 ] || { same 'quota: status' 1 "$rc" && same 'quota: nothing stays' "$before" "$(listing)"; }
    # bytes count from the first on
    rm -f "$M/q/x"
    echo old >"$M/q/y"
    sync -f "$M"
    before=$(listing)
    refused 1 'Disk quota exceeded' --reflink=never "$M/src" "$M/q/y"
    same 'quota: the old file' old "$(cat "$M/q/y")"
  fi
  fs_unmount "$M"
done

finish
