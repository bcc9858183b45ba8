#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --jobs=N: the output is that of one job, word for word and in the same order, however long each file
# takes and whatever fails.
. "$(dirname "$0")/../lib.sh"
fs_test "$@"
fs_mount xfs 1G
chmod 777 "$M"
cd "$M" || exit 99
user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
install -m 755 "$LULLCP" "$T/lullcp"
install -m 755 "$TOOLS/clones.so" "$T/clones.so"
chmod 755 "$T"

# 4,000 entries: files of all sizes, of which some take many calls, links, fifos, empty
# directories; some that cannot be read, or have something in their way
mkdir t
for d in {1..40}; do
  mkdir "t/$d"
  for i in {1..90}; do
    case $((RANDOM % 12)) in
      0) : >"t/$d/$i" ;;
      1) ln -s "$d/$i" "t/$d/$i" ;;
      2) mkdir "t/$d/$i" ;;
      3) mkfifo "t/$d/$i" ;;
      4) head -c $((RANDOM * 10)) /dev/urandom >"t/$d/$i" ;;
      5) ln "t/1/linked" "t/$d/$i" 2>/dev/null || echo linked >"t/1/linked" ;;
      *) echo "$d $i" >"t/$d/$i" ;;
    esac
    [ $((RANDOM % 25)) != 0 ] || chmod 0 "t/$d/$i" 2>/dev/null
  done
done
for d in 3 17 31; do fragmented "t/$d/long" $((100 * d)); done
for d in 5 15; do chmod 0 "t/$d"; done
chown -hR 65534:65534 t
prepare() { # prepare DIR: where things are in the way of some of them
  mkdir -m 777 "$1"
  mkdir -p "$1"/n/t/{2,7}/{1..9}/x "$1"/n/t/9
  chown -R 65534:65534 "$1"
}
holds() { # holds DIR: all that is in it
  (cd "$1" && find . ! -type d -printf '%P %y %m %n %l\n' -o -printf '%P %y %m\n' | sort &&
    find . -type f -exec cksum {} + | sort)
}
copy() { # copy DIR OPTION...: both streams in one file, as they come
  local dir=$1
  shift
  (cd "$dir" && exec "${user[@]}" "$T/lullcp" "$@" nosuch ../t ../t/3 ../t/9/1 n) \
    >"$T/$dir.all" 2>&1
  echo "status $?" >>"$T/$dir.all"
}

for how in '-rv' '-a --debug' '-a'; do
  note "$how"
  prepare one
  # the same inodes fail in each run
  export CLONE_ERRNO=5 CLONE_ERRNO_EVERY=41 LD_PRELOAD=$T/clones.so
  # shellcheck disable=SC2086 # options
  copy one $how
  unset LD_PRELOAD
  check "$how: things fail" grep -q 'Input/output error' "$T/one.all"
  check "$how: and others" grep -q 'cannot overwrite directory' "$T/one.all"
  check "$how: and others still" grep -q 'Permission denied' "$T/one.all"
  for jobs in 2 3 8 32; do
    prepare many
    export LD_PRELOAD=$T/clones.so CLONE_DELAY_US=$((RANDOM % 3000 + 1)) CLONE_SEED=$((RANDOM + 1))
    # shellcheck disable=SC2086
    copy many -j$jobs $how
    unset LD_PRELOAD CLONE_DELAY_US
    same "$how: what $jobs jobs say" '' "$(diff "$T/one.all" "$T/many.all" | head -n 5)"
    same "$how: what $jobs jobs made" '' "$(diff <(holds one) <(holds many) | head -n 5)"
    rm -rf many
  done
  rm -rf one
done
cd /
fs_unmount "$M"
finish
