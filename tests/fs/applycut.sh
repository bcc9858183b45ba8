#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The power fails, or the program is killed, at each step of --apply. DEST must be the older file or the
# new one, no generation may be lost, and the same stream must be accepted afterwards.
. "$(dirname "$0")/../lib.sh"
fs_test "$@"

sum() { cksum <"$1"; }
row() { (cd "$M/b" && find . -name 'row.2*' -exec cksum {} + | sort); }
# To simulate a power failure the program is stopped; $img.cut has the contents of the device then.
cut_at() { # cut_at STEP HOW ARG...: --apply ends there, by a cut or by SIGKILL
  local at=$1 how=$2 pid
  shift 2
  if [ "$how" = kill ]; then
    DIE_WRITES=1 DIE_AT=$at LD_PRELOAD=$TOOLS/die.so "$LULLCP" --apply --latency-budget=1ms "$@" <"$T/stream" 2>/dev/null
    return
  fi
  DIE_WRITES=1 DIE_DO=stop DIE_AT=$at LD_PRELOAD=$TOOLS/die.so \
    "$LULLCP" --apply --latency-budget=1ms "$@" <"$T/stream" 2>/dev/null &
  pid=$!
  while kill -0 $pid 2>/dev/null && [ "$(ps -o state= -p $pid)" != T ]; do sleep 0.01; done
  cp --sparse=always "$img" "$img.cut"
  kill -KILL $pid 2>/dev/null
  wait $pid 2>/dev/null
  unmounted "$M" || framework_failure umount
  mv "$img.cut" "$img"
  mount -o loop "$img" "$M" || framework_failure mount
}
fresh() { # the files of before
  cp --sparse=always "$base_img" "$img"
  mount -o loop "$img" "$M" || framework_failure mount
}

for kind in xfs btrfs; do
  note $kind
  base_img=$(image 400M) img=$(image 400M)
  M=$T/m
  mkdir -p "$M"
  make_fs "$base_img" $kind
  mount -o loop "$base_img" "$M" || cannot_run "cannot mount $kind"
  mkdir "$M/b"
  fragmented "$M/old" 300 -h 9
  for _ in 1 2 3; do expect 0 --keep=3 "$M/old" "$M/b/row"; done
  cp --reflink=always "$M/old" "$M/new"
  scribble "$M/new" 4096 3 5 77
  fallocate -p -o 409600 -l 40960 "$M/new"
  truncate -s +10000 "$M/new"
  head -c 7777 /dev/urandom >"$M/dest"
  sync -f "$M"
  old=$(sum "$M/dest") new=$(sum "$M/new") generations=$(row)
  "$LULLCP" --export --base="$M/old" "$M/new" >"$T/stream" || bad 'no stream'
  unmounted "$M" || framework_failure umount

  for dest in dest b/row; do
    args=(--base="$M/old" "$M/dest")
    [ $dest = dest ] || args=(--keep=3 --base="$M/old" "$M/b/row")
    fresh
    DIE_WRITES=1 DIE_COUNT=$T/count LD_PRELOAD=$TOOLS/die.so \
      "$LULLCP" --apply --latency-budget=1ms "${args[@]}" <"$T/stream" 2>"$T/err" || bad "$dest: not applied"
    n=$(cat "$T/count")
    [ "$n" -gt 6 ] || framework_failure "only $n steps"
    unmounted "$M" || framework_failure umount
    note "$dest: $n steps"
    for how in cut kill; do
      for ((at = 1; at <= n; at++)); do
        fresh
        cut_at $at $how "${args[@]}"
        what="$dest, $how at $at of $n"
        if [ $dest = dest ]; then
          case $(sum "$M/dest") in
            "$old" | "$new") ok ;;
            *) bad "$what: DEST is neither" ;;
          esac
        else
          # with the new one whole and on disk the oldest one may have gone
          got=$(row)
          case $(grep -c "^$new" <<<"$got").$(wc -l <<<"$got") in
            0.3) same "$what: the row" "$generations" "$got" ;;
            1.3 | 1.4) ok ;;
            *) bad "$what: the row is $got" ;;
          esac
          same "$what: no other file" '' "$(awk '{ print $1, $2 }' <<<"$got" | grep -vxF -e "$new" -e "${generations%% ./*}")"
        fi
        rc=0
        "$LULLCP" --apply "${args[@]}" <"$T/stream" >"$T/out" 2>"$T/err" || rc=$?
        same "$what: once more" 0 $rc
        if [ $dest = dest ]; then
          same "$what: DEST" "$new" "$(sum "$M/dest")"
          no_leftovers "$M"
        else
          same "$what: the newest" "$new" "$(sum "$(find "$M/b" -name 'row.2*' | sort -V | tail -n 1)")"
          same "$what: three" 3 "$(find "$M/b" -name 'row.2*' | wc -l)"
        fi
        unmounted "$M" || framework_failure umount
      done
    done
  done
  rm -f "$base_img" "$img"
done
finish
