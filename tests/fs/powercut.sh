#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The power fails at a random moment while small files are copied, after another program has synced the
# directory. The contents of the device at that moment are mounted. Each file must be the old one or the
# complete new one, and --resume must make all of them new. LULL_TEST_ROUNDS: rounds of each kind on each
# file system (1).
. "$(dirname "$0")/../lib.sh"
fs_test "$@"
rounds=${LULL_TEST_ROUNDS:-1}
new=(f1 f2 f3 f4 f5 f6 fresh zbig sub/g1 sub/g2)
old=(f1 f2 f3 f4 f5 f6 sub/g1)

contents() { b2sum <"$1" | cut -d ' ' -f 1; }
# Of each way to copy: the arguments, and where the files of src are afterwards.
way() { # way NAME: in ${args[@]}, $at and ${files[@]}
  files=("${new[@]}") at=dst
  case $1 in
    archive) args=(-a src/. dst) ;;
    recursive) args=(-r src/. dst) ;;
    jobs) args=(-aj4 src/. dst) ;;
    backup) args=(-ab src/. dst) ;;
    update) args=(-au src/. dst) ;;
    remove) args=(-a --remove-destination src/. dst) ;;
    auto) args=(-a --reflink=auto src/. dst) ;;
    never) args=(-a --reflink=never src/. dst) ;;
    parents) args=(-a --parents src/./f1 src/./f2 src/./fresh src/./sub/g2 dst) at=dst/src
      files=(f1 f2 fresh sub/g2) ;;
    list) args=(-p src/f1 src/f2 src/f3 src/fresh dst) files=(f1 f2 f3 fresh) ;;
    one) args=(-p src/f2 dst/f2) files=(f2) ;;
    newone) args=(-p src/fresh dst/fresh) files=(fresh) ;;
    set) args=(-p --hook=true src/f1 src/f2 src/fresh dst) files=(f1 f2 fresh) ;;
  esac
}
make_base() { # make_base KIND: $T/base holds src, and the old files in dst, all on disk
  local i
  base=$(image 400M)
  make_fs "$base" "$1"
  mkdir -p "$T/m"
  mount -o loop "$base" "$T/m" || cannot_run "cannot mount $1"
  mkdir -p "$T"/m/{src,dst,dst/src}/sub
  for i in "${new[@]}"; do
    head -c $((RANDOM % 30000 + 3000)) /dev/urandom >"$T/m/src/$i"
    touch -d 2020-01-01 "$T/m/src/$i"
  done
  fragmented "$T/m/src/zbig" 300
  for i in "${old[@]}"; do
    head -c $((RANDOM % 30000 + 3000)) /dev/urandom | tee "$T/m/dst/$i" >"$T/m/dst/src/$i"
    touch -d 2010-01-01 "$T/m/dst/$i" "$T/m/dst/src/$i"
  done
  # several names: then the old one is removed
  ln "$T/m/dst/f6" "$T/m/dst/other"
  sync -f "$T/m"
  for i in "${new[@]}"; do wants[$i]=$(contents "$T/m/src/$i"); done
  for i in "${old[@]}"; do was[$i]=$(contents "$T/m/dst/$i"); done
  unmounted "$T/m" || framework_failure umount
}
run_until() { # run_until: until it is killed or stopped somewhere, in $pid
  local how=(before after)
  export LD_PRELOAD="$TOOLS/naming.so $TOOLS/clones.so" CLONE_DELAY_US=2000
  case $((RANDOM % 3)) in
    0 | 1)
      moment="${how[RANDOM % 2]}, name $((NAME_AT = RANDOM % (${#files[@]} + 1) + 1))"
      NAME_AT=$NAME_AT NAME_DO=${moment%%,*} "$LULLCP" "${args[@]}" 2>/dev/null &
      pid=$!
      unset LD_PRELOAD CLONE_DELAY_US
      wait "$pid" 2>/dev/null
      ;;
    2)
      moment="after $((after = RANDOM % 100)) ms"
      "$LULLCP" "${args[@]}" 2>/dev/null &
      pid=$!
      unset LD_PRELOAD CLONE_DELAY_US
      sleep "0.$(printf %03d $after)"
      kill -STOP $pid 2>/dev/null
      ;;
  esac
}
look() { # look: what the files in $at hold, in ${has[FILE]}
  local sum f
  has=()
  while read -r sum f; do has[$f]=$sum; done < <(cd "$at" && b2sum "${files[@]}" 2>/dev/null)
}
judge() { # judge WHAT: of the files in $at
  local f
  look
  for f in "${files[@]}"; do
    case ${has[$f]:-} in
      "${wants[$f]}" | "${was[$f]:-}") ok ;;
      *) bad "$1: $f has $(stat -c %s "$at/$f" 2>&1) bytes of neither the old nor the new one" ;;
    esac
  done
}
cut_power() { # cut_power KIND WAY ROUND
  local what="$1, $2" live cut f rc
  way "$2"
  live=$(image 1M) cut=$live.cut
  cp --sparse=always "$base" "$live"
  mount -o loop "$live" "$T/m" || framework_failure mount
  cd "$T/m" || exit 99
  run_until
  what="$what, $moment"
  sync dst dst/sub dst/src dst/src/sub # as somebody else might
  cp --sparse=always "$live" "$cut"
  kill -KILL "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
  cd / || exit 99
  # the same UUID twice: the live one goes before its copy comes
  soon umount "$T/m" 2>/dev/null
  if mount -o loop "$cut" "$T/m"; then
    cd "$T/m" || exit 99
    judge "$what"
    rc=0
    "$LULLCP" -u --resume "${args[@]}" >"$T/out" 2>"$T/err" || rc=$?
    [ "$2" != set ] || { rc=0 && "$LULLCP" --resume "${args[@]}" >"$T/out" 2>"$T/err" || rc=$?; }
    same "$what: --resume" 0 $rc
    look
    for f in "${files[@]}"; do
      same "$what: $f after --resume" "${wants[$f]}" "${has[$f]:-}"
    done
    cd / || exit 99
    unmounted "$T/m" || framework_failure umount
  else
    bad "$what: cannot be mounted"
  fi
  rm -f "$live" "$cut"
}

declare -A wants was has
for kind in xfs btrfs; do
  note "$kind"
  make_base $kind
  ways=(archive recursive jobs backup update remove auto never parents list one newone set)
  # one log keeps everything in order there, but for what is copied or removed
  [ "$kind$rounds" != xfs1 ] || ways=(archive remove never list set)
  for name in "${ways[@]}"; do
    for i in $(seq "$rounds"); do cut_power "$kind" "$name" "$i"; done
  done
  rm -f "$base"
done

# bytes that were cloned and map that was not: a big file keeps a run at work when its small ones
# have their names
for kind in xfs btrfs; do
  make_base $kind
  live=$base
  mount -o loop "$live" "$T/m" || framework_failure mount
  cd "$T/m" || exit 99
  way archive
  LD_PRELOAD=$TOOLS/clones.so CLONE_DELAY_US=50000 \
    "$LULLCP" --duty-cycle=1 --latency-budget=1ms "${args[@]}" 2>/dev/null &
  pid=$!
  soon test -s dst/.zbig.lullcp-part
  kill -STOP $pid
  check "$kind: at the big one" test -s dst/.zbig.lullcp-part
  sync dst dst/sub
  cp --sparse=always "$live" "$live.cut"
  kill -KILL $pid
  wait "$pid" 2>/dev/null
  cd / || exit 99
  unmounted "$T/m" || framework_failure umount
  mount -o loop "$live.cut" "$T/m" || framework_failure mount
  at=$T/m/dst
  files=(f1 f2 f3 f4 f5 f6 fresh)
  judge "$kind, beside a big one"
  for f in f1 fresh; do same "$kind: $f is new" "${wants[$f]}" "$(contents "$at/$f")"; done
  unmounted "$T/m" || framework_failure umount
  rm -f "$live" "$live.cut"
done
finish
