# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the benches share: options, the programs they need, a place that vanishes with the bench, and the
# file systems in it. A bench sets the defaults of its options, defines usage and option, and calls
#
#   parse "$@"            options; $lullcp, $out, $dir and $fs_gib are common to all
#   needs PROGRAM...
#   begin PROGRAM...      root, a mount namespace, $T and $M, the programs of this directory
#
# shellcheck disable=SC2034 # used by those that source this
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lullcp=$here/../build/src/lullcp out='' dir=${TMPDIR:-/tmp} fs_gib=200
self=$0 loop='' loop_fd=''

die() {
  echo "${self##*/}: $*" >&2
  exit 1
}
say() { printf '%s\n' "$*" >&2; }

number() { # number OPTION VALUE [LEAST]
  [[ $2 =~ ^[0-9]{1,9}$ ]] || die "$1: not a number: $2"
  ((10#$2 >= ${3:-1})) || die "$1: at least ${3:-1}"
  printf '%d' "$((10#$2))"
}

# option NAME VALUE is the bench's own, and returns 2 for a name that it does not know. flag NAME tells
# whether NAME is an option without a value. What follows -- is left in $rest.
flag() { false; }
parse() {
  local status

  arguments=("$@") rest=()
  while (($#)); do
    case $1 in
    --help)
      usage
      exit
      ;;
    --)
      rest=("${@:2}")
      return
      ;;
    --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
    esac
    if flag "$1"; then
      shift
      continue
    fi
    (($# >= 2)) || die "$1: unknown, or its value is missing; see --help"
    case $1 in
    --lullcp) lullcp=$2 ;;
    --out) out=$2 ;;
    --dir) dir=$2 ;;
    --fs-gib) fs_gib=$(number "$1" "$2") ;;
    *)
      status=0
      option "$1" "$2" || status=$?
      ((status != 2)) || die "$1: unknown option; see --help"
      ((status == 0)) || exit "$status"
      ;;
    esac
    shift 2
  done
}

needs() {
  local program

  for program in "$@"; do
    command -v "$program" >/dev/null || die "needs $program"
  done
}

known_fs() { # known_fs FS...: dies unless it is one of them, with its mkfs
  local fs

  (($#)) || die '--fs: no file system'
  for fs in "$@"; do
    case $fs in
    xfs | xfs-rmap) needs mkfs.xfs ;;
    btrfs) needs mkfs.btrfs ;;
    *) die "--fs: neither xfs nor xfs-rmap nor btrfs: $fs" ;;
    esac
  done
}

begin() {
  local program

  needs cc jq losetup mount umount unshare
  [[ -x $lullcp ]] || die "$lullcp: no such program; run: meson setup build && ninja -C build"
  [[ -z $out || -d $(dirname -- "$out") ]] || die "$out: no such directory"
  ((EUID == 0)) || die 'must be root, to make and mount file systems'
  # Mounts made here go away with this process, however it ends.
  if [[ -z ${LULL_BENCH_UNSHARED:-} ]]; then
    LULL_BENCH_UNSHARED=1 exec unshare --mount --propagation private -- \
      "$BASH" "$self" "${arguments[@]}"
  fi
  lullcp=$(realpath "$lullcp")
  T=$(mktemp -d "$dir/lullcp-bench.XXXXXX")
  M=$T/mnt
  mkdir "$M"
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  for program in "$@"; do
    cc -std=gnu17 -O2 -pthread -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
      -o "$T/$program" "$here/$program.c"
  done
}

at_end() { :; } # what a bench has running or open, for it to end
clean_up() {
  cd /
  at_end
  drop_fs
  rm -rf --one-file-system "$T"
}

unmount() {
  local i

  # XFS may still be freeing what was deleted.
  for ((i = 0; i < 100; i++)); do
    ! mountpoint -q "$M" || umount "$M" 2>/dev/null || sleep 0.1
    mountpoint -q "$M" || return 0
  done
  return 1
}

# make_fs FS BYTES [DIRECTORY [MKFS_OPTION...]]: makes a fresh one with room for BYTES, mounted at $M. It
# is as large as file systems that hold such files, on a sparse image: in a few GiB Btrfs has so little
# space for metadata that each transaction waits for some, and XFS makes its smallest log.
make_fs() {
  local image=${3:-$T}/lullcp-bench-image.$$ size=$((fs_gib * 1024 ** 3))

  truncate -s $(($2 > size ? $2 : size)) "$image"
  loop=$(losetup --find --show "$image")
  # From here on the open descriptor alone keeps the loop device and its image.
  exec {loop_fd}<"$loop"
  losetup --detach "$loop"
  rm "$image"
  case $1 in
  xfs) mkfs.xfs -q -m reflink=1,rmapbt=0 "${@:4}" "$loop" ;;
  xfs-rmap) mkfs.xfs -q -m reflink=1,rmapbt=1 "${@:4}" "$loop" ;;
  btrfs) mkfs.btrfs -q "${@:4}" "$loop" >/dev/null ;;
  esac
  mount "$loop" "$M"
}

drop_fs() {
  [[ -n $loop ]] || return 0
  unmount || umount -l "$M"
  exec {loop_fd}<&-
  loop=''
}

# Makes the start of each run the same: everything is written, nothing cached, nothing left to free.
remount() {
  sync -f "$M"
  unmount || die "$M: cannot be unmounted"
  mount "$loop" "$M"
}

# The same, and $M/out is empty.
settle() {
  rm -rf "$M/out"
  remount
  mkdir "$M/out"
  sync -f "$M"
}

in_turn() { # in_turn ROUND TOOL...: in this order in odd rounds, the other way in even ones
  if (($1 % 2)); then printf '%s\n' "${@:2}"; else printf '%s\n' "${@:2}" | tac; fi
}

commit() { git -C "$here" describe --always --dirty 2>/dev/null || true; }

# trace_calls KIB: traces the program that ${traced[@]} then starts, in buffers of KIB for each
# processor: three kinds of events, and the stack where it goes to sleep.
trace='' traced=()
trace_calls() {
  mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
  trace=/sys/kernel/tracing/instances/lullcp.$$
  mkdir "$trace"
  echo 0 >"$trace/tracing_on"
  echo "$1" >"$trace/buffer_size_kb"
  echo mono >"$trace/trace_clock"
  echo 1 >"$trace/events/syscalls/sys_enter_ioctl/enable"
  echo 1 >"$trace/events/syscalls/sys_exit_ioctl/enable"
  echo 1 >"$trace/events/sched/sched_switch/enable"
  # shellcheck disable=SC2016 # for the inner shell
  traced=(sh -ec 'echo $$ >"$1/set_event_pid"
    echo "stacktrace if prev_pid == $$" >"$1/events/sched/sched_switch/trigger"
    shift; exec "$@"' sh "$trace")
  echo 1 >"$trace/tracing_on"
}

read_trace() { # read_trace BUDGET_NS: what tail.py finds in it, which is then over
  echo 0 >"$trace/tracing_on"
  ! grep -h 'overrun: [1-9]' "$trace"/per_cpu/cpu*/stats >&2 || die 'the trace is not whole'
  python3 "$here/tail.py" "$1" <"$trace/trace"
  end_trace
}

end_trace() { [[ ! -d $trace ]] || rmdir "$trace" || true; }
