# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Common code of the shell tests. A test sources this file first:
#
#   . "$(dirname "$0")/../lib.sh"
#   fs_test            # needs root; makes a mount namespace, and a work directory in $T
#
# Environment: LULLCP (the program), TOOLS (helper programs), LULL_TEST_SEED,
# LULL_TEST_ROUNDS, LULL_TEST_FS (file systems), LULL_TEST_MUST_RUN=1 (a test that cannot
# run fails).

set -u

# Who starts a test may ignore signals (nohup does, and a shell for what it runs with &), and
# what is ignored at the start of a shell can be set to nothing else in it. Here all are as usual.
signals_as_usual() { # signals_as_usual ARG...: those of the test
  local key value ignored=0
  while read -r key value; do
    [ "$key" != SigIgn: ] || ignored=$value
  done <"/proc/$$/status"
  if [ -z "${LULL_TEST_SIGNALS:-}" ] && [[ $ignored =~ [1-9a-f] ]]; then
    LULL_TEST_SIGNALS=1 exec env --default-signal bash "$0" "$@"
  fi
  unset LULL_TEST_SIGNALS
}
signals_as_usual "$@"
LULLCP=${LULLCP:?the program to test}
# The interpreter itself: what stands for it in $PATH may look for it first, and take ten times as
# long as it does. In $PATH and not as a function, which would run it as a child of the one that a
# test ends.
PYTHON=$(command -v python3) && PYTHON=$("$PYTHON" -c 'import sys; print(sys.executable)')
[ -z "$PYTHON" ] || PATH=${PYTHON%/*}:$PATH
TOOLS=${TOOLS:-}
SEED=${LULL_TEST_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$SEED
failures=0
checks=0

cannot_run() { # cannot_run WHY: on this machine; 77 for meson, and a failure in the full run
  echo "SKIP: $*"
  if [ "${LULL_TEST_MUST_RUN:-}" = 1 ]; then
    echo 'a skipped test is a failure here'
    exit 1
  fi
  exit 77
}
framework_failure() {
  echo "the test itself is broken: $*" >&2
  exit 99
}
note() { printf '# %s\n' "$*"; }
ok() { checks=$((checks + 1)); }
bad() { # bad WHAT: a check that failed
  checks=$((checks + 1))
  failures=$((failures + 1))
  printf 'FAILED (%s:%s): %s\n' "$(basename "$0")" "${BASH_LINENO[1]:-?}" "$*"
  [ ! -s "$T/err" ] || sed 's/^/    stderr: /' "$T/err" | head -5
}
check() { # check WHAT COMMAND...: the command must succeed
  local what=$1
  shift
  if "$@" >"$T/check.out" 2>&1; then ok; else bad "$what"; fi
}
check_not() {
  local what=$1
  shift
  if "$@" >"$T/check.out" 2>&1; then bad "$what"; else ok; fi
}
same() { # same WHAT EXPECTED GOT
  if [ "$2" = "$3" ]; then ok; else bad "$1: expected '$2', got '$3'"; fi
}
run() { # run ARG...: lullcp; status in $rc, output in $T/out and $T/err
  rc=0
  "$LULLCP" "$@" >"$T/out" 2>"$T/err" </dev/null || rc=$?
}
expect() { # expect STATUS ARG...: lullcp must end so
  local want=$1
  shift
  run "$@"
  if [ "$rc" = "$want" ]; then ok; else bad "lullcp $*: status $rc, not $want"; fi
}
says() { # says TEXT: standard error holds it
  if grep -qF -- "$1" "$T/err"; then ok; else bad "standard error lacks: $1"; fi
}
# soon COMMAND...: until it succeeds. False where it does not within a minute.
soon() {
  local end=$((SECONDS + 60))
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.02
  done
}
is_gone() { [ ! -e "$1" ]; }
is_stopped() { [ "$(ps -o state= -p "$1")" = T ]; } # is_stopped PID
is_begun() { [ "$(offset_in "$1")" -gt 0 ]; }     # is_begun CHECKPOINT: some of it is cloned
has_written() { # has_written PROGRESS: a writer, once
  [ "$(od -An -tu8 -N8 "$1" 2>/dev/null | tr -d ' ')" -gt 0 ] 2>/dev/null
}
silent() { # nothing was said
  if [ -s "$T/out" ] || [ -s "$T/err" ]; then bad 'not silent'; else ok; fi
}
field() { jq -r "select(.type == \"summary\") | .$1" "$T/out"; } # field KEY: of the summary
finish() {
  note "seed $SEED: $checks checks, $failures failed"
  [ "$checks" -gt 0 ] || framework_failure 'nothing was checked'
  [ "$failures" = 0 ] || exit 1
  exit 0
}

# ---- file systems ----

# A mount namespace of its own: whatever ends the test, the kernel frees mounts and loops.
fs_test() {
  [ "$(id -u)" = 0 ] || cannot_run 'needs root'
  if [ -z "${LULL_TEST_NAMESPACE:-}" ]; then
    # in a chroot whose root is not a mount point its propagation cannot be changed
    local how=private
    unshare -m --propagation private true 2>/dev/null || how=unchanged
    LULL_TEST_NAMESPACE=1 exec unshare -m --propagation "$how" bash "$0" "$@" ||
      cannot_run 'needs a mount namespace'
  fi
  T=$(mktemp -d) || framework_failure mktemp
  trap 'fs_end' EXIT
  mount -t tmpfs -o size=64m tmpfs "$T" || cannot_run 'cannot mount'
  n_fs=0
  # for state of a DEST whose directory others may write to
  export STATE_DIRECTORY=$T/private
  reach_programs
}
# Below /root an ordinary user cannot run what is tested: then copies are.
reach_programs() {
  local f
  ! setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$LULLCP" || return 0
  mkdir -m 755 "$T/bin"
  for f in "$LULLCP" ${TOOLS:+"$TOOLS"/*}; do
    [ ! -f "$f" ] || [ ! -x "$f" ] || install -m 755 "$f" "$T/bin/"
  done
  LULLCP=$T/bin/${LULLCP##*/}
  [ -z "$TOOLS" ] || TOOLS=$T/bin
}
fs_end() {
  local status=$? m
  # shellcheck disable=SC2046
  kill $(jobs -p) 2>/dev/null
  for m in $(awk -v t="$T/" 'index($2, t) == 1 { print $2 }' /proc/mounts | tac); do
    umount "$m" 2>/dev/null || umount -l "$m"
  done
  umount "$T" 2>/dev/null || umount -l "$T"
  rmdir "$T"
  exit "$status"
}
# In memory where there is room: a disk adds nothing to the tests but its waiting, and the
# crash test loses what was not written just the same.
image() { # image SIZE: path of a sparse file outside the work directory
  local f dir=${TMPDIR:-}
  if [ -z "$dir" ]; then
    dir=/var/tmp
    [ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)" -lt 6000000 ] || dir=/dev/shm
  fi
  f=$(mktemp "$dir/lullcp-test.XXXXXX") || framework_failure mktemp
  truncate -s "$1" "$f" || framework_failure truncate
  echo "$f"
}
kernel_before() { # kernel_before VERSION: the one that runs is older
  [ "$(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n 1)" != "$1" ]
}
make_xfs() { # make_xfs ARG...: mkfs.xfs, without what is newer than the kernel that runs
  local older=()
  # 64-bit counters of extents came with Linux 5.19, and mkfs.xfs may make them by default
  if kernel_before 5.19 && mkfs.xfs -N -f -i nrext64=0 "${@: -1}"; then
    older=(-i nrext64=0)
  fi
  mkfs.xfs -q -f ${older[@]+"${older[@]}"} "$@"
}
# Before xfsprogs 6.10 mkfs.xfs has no option for it.
make_exchanging_xfs() { # make_exchanging_xfs IMAGE: two files can exchange their contents
  local features
  make_xfs -m reflink=1,rmapbt=0 "$1" || return 1
  features=$(xfs_db -x -c 'sb 0' -c 'p features_incompat' "$1") || return 1
  xfs_db -x -c 'sb 0' -c "write -d features_incompat $((${features#*= } | 0x40))" "$1"
}
# $LULL_TEST_FS, of file systems, limits a test to them.
kinds() { # kinds KIND...: those of them to try
  local kind
  for kind; do
    case " ${LULL_TEST_FS:-$kind} " in *" $kind "*) echo "$kind" ;; esac
  done
}
make_fs() { # make_fs IMAGE KIND
  case $2 in
    xfs) make_xfs -m reflink=1,rmapbt=0 "$1" ;;
    xfs-rmap) make_xfs -m reflink=1,rmapbt=1 "$1" ;;
    xfs-exchange) make_exchanging_xfs "$1" ;;
    xfs-1k) make_xfs -b size=1024 -m reflink=1 "$1" ;;
    xfs-noreflink) make_xfs -m reflink=0,rmapbt=0 "$1" ;;
    btrfs | btrfs-*) mkfs.btrfs -q -f "$1" ;;
    ext4) mkfs.ext4 -q -F "$1" ;;
  esac >/dev/null 2>&1 || cannot_run "cannot make $2"
}
mount_options() {
  case $1 in
    btrfs-compress) echo loop,compress-force=zlib ;;
    btrfs-nodatacow) echo loop,nodatacow ;;
    *) echo loop ;;
  esac
}
fs_mount() { # fs_mount KIND [SIZE]: mounts one; its place in $M
  local img kind=$1
  n_fs=$((n_fs + 1))
  M=$T/fs$n_fs
  mkdir -p "$M"
  img=$(image "${2:-1G}")
  make_fs "$img" "$kind"
  mount -o "$(mount_options "$kind")" "$img" "$M" || cannot_run "cannot mount $kind"
  rm -f "$img" # the loop device holds it; nothing is left behind
}
unmounted() { # unmounted DIR: what looks at all that is mounted may hold it for a moment
  soon umount "$1" 2>/dev/null || umount "$1"
}
fs_unmount() {
  unmounted "$1" || bad "cannot unmount $1"
}
fragmented() { # fragmented FILE BLOCKS [OPTION...]: each block an extent
  local f=$1 n=$2
  shift 2
  "$TOOLS/fragment" "$@" "$f" "$n" >/dev/null || framework_failure "fragment $f"
}
scribble() { # scribble FILE SIZE BLOCK...: new bytes, SIZE of them at SIZE times each BLOCK
  "$TOOLS/scribble" "$@" || framework_failure "scribble $*"
}
writer() { # writer FILE [KINDS]: writes to it without a pause, directly; $W is its process
  rm -f "$T/progress"
  "$TOOLS/numbers" write "$1" "${2:-d}" "$SEED" "$T/progress" 2>"$T/writer.err" &
  W=$!
  soon has_written "$T/progress" ||
    framework_failure "the writer did not start: $(cat "$T/writer.err")"
}
stop_writer() {
  kill "$W" 2>/dev/null || bad "the writer ended by itself: $(cat "$T/writer.err")"
  wait "$W" 2>/dev/null
}
changed_meanwhile() { # changed_meanwhile FILE ARG...: as run does; FILE changes when it is first read
  local file=$1 at_work
  shift
  rm -f "$T/trace"
  ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -o "$T/trace" -P "$file" \
    -e inject=pread64:signal=STOP:when=1 "$LULLCP" "$@" 2>"$T/err" &
  at_work=$!
  soon grep -qs 'stopped by SIGSTOP' "$T/trace"
  printf X | dd of="$file" bs=1 seek=77 conv=notrunc status=none
  pkill -CONT -P $at_work
  rc=0
  wait $at_work || rc=$?
}
offset_in() { # offset_in CHECKPOINT: how far it says; lullcp --status takes longer than some clones
  local at
  at=$(sed -n 's/.*"offset": *\([0-9]*\).*/\1/p' "$1" 2>/dev/null)
  echo "${at:-0}"
}
# State that a test has edited, or made, becomes what lullcp obeys: it holds what file it is.
own_state() { # own_state FILE
  local self born generation
  born=$(stat -c %.9W "$1")
  born=${born/./}
  [ "${born:0:1}" != 0 ] && [ "${born:0:1}" != - ] || born=0
  generation=$(lsattr -v "$1" 2>/dev/null | awk '{ print $1 }')
  self=$(printf '%020d:%010d:%019d' "$(stat -c %i "$1")" "${generation:-0}" "$born")
  sed "s/\"self\": *\"[0-9:]*\"/\"self\": \"$self\"/" "$1" >"$T/own-state" && cat "$T/own-state" >"$1"
}
no_leftovers() { # no_leftovers DIR: neither checkpoint nor temporary file
  local left
  left=$(find "$1" -maxdepth 1 -name '.*lullcp*' -printf '%f ')
  if [ -z "$left" ]; then ok; else bad "left behind: $left"; fi
}
