#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Generations: the right number is kept, and each equals the source at its time, whatever else lies
# beside them, whoever uses them, and wherever a run is interrupted.
. "$(dirname "$0")/../lib.sh"
fs_test

patch() { # patch FILE BLOCK
  scribble "$1" 4096 "$2"
}
# With few processes: these are called some thousand times.
made() { # made DEST: the generations by name, oldest first as they are recorded, in ${made[@]}
  local record=${1%/*}/.${1##*/}.lullcp-generations text=''
  made=()
  [ ! -e "$record" ] || text=$(<"$record")
  while [[ $text =~ \"name\":\ *\"([^\"]*)\" ]]; do
    made+=("${BASH_REMATCH[1]}")
    text=${text#*"${BASH_REMATCH[0]}"}
  done
}
count() {
  local made
  made "$1"
  echo "${#made[@]}"
}
oldest() {
  local made
  made "$1"
  echo "${made[0]:-}"
}
newest() {
  local made
  made "$1"
  echo "${made[-1]:-}"
}
there() { # there DEST: what bears a dated name
  local f n=0
  for f in "${1%/*}"/* "${1%/*}"/.*; do
    [[ ! ${f##*/} =~ ^"${1##*/}"\.[0-9]{8}T[0-9]{6}Z(-[0-9]+)?$ ]] || n=$((n + 1))
  done
  echo "$n"
}
# What each generation holds is noted when it is made, by its name.
keep() { # keep ARG... DEST: lullcp must make a generation that is the source
  local dest=${*: -1}
  expect 0 "$@"
  g=$(newest "$dest")
  check "the newest is the source: $*" cmp "$M/src" "${dest%/*}/$g"
  b2sum <"$M/src" >"$T/sums/$g"
  check_not 'no other temporary file' test -e "${dest%/*}/.${dest##*/}.lullcp-part"
  check_not 'no checkpoint' test -e "${dest%/*}/.${dest##*/}.lullcp"
}
whole() { # whole DEST: each that is recorded, under its name, holds what it held
  local made name sum files=()
  made "$1"
  for name in "${made[@]}"; do
    [ ! -e "${1%/*}/$name" ] || files+=("${1%/*}/$name")
  done
  n_whole=${#files[@]}
  [ "$n_whole" -gt 0 ] || return
  while read -r sum name; do
    name=${name##*/}
    if [ -e "$T/sums/$name" ] && [ "$sum  -" != "$(<"$T/sums/$name")" ]; then
      bad "$name is not what it was"
    fi
  done < <(b2sum "${files[@]}")
}
change() { patch "$M/src" $((RANDOM % 400)); }

for kind in xfs btrfs; do
  fs_mount "$kind"
  note "$kind"
  mkdir "$T/sums" "$M/b"
  fragmented "$M/src" 400 -h 5
  D=$M/b/img

  # the first ones are made in full, then the oldest is used up
  touch "$M/b/img.20200101T000000Z" "$M/b/img.20200101T000000Z-1"
  before=$(date -u +%Y%m%dT%H%M%SZ)
  for i in 1 2 3; do change; keep --keep=3 "$M/src" "$D"; done
  check 'the name is the time in UTC' test "${g%-*}" '>' "img.$before" -o "${g%-*}" = "img.$before"
  inode=$(stat -c %i "$M/b/$(oldest "$D")")
  for i in 1 2 3 4; do
    first=$(oldest "$D")
    inode=$(stat -c %i "$M/b/$first")
    change
    keep --json --latency-budget=500us --keep=3 "$M/src" "$D"
    same "$kind: three" 3 "$(count "$D")"
    same "$kind: the oldest is the newest now" "$inode" "$(stat -c %i "$M/b/$g")"
    check_not "$kind: its name is gone" test -e "$M/b/$first"
    same 'the summary has its name' "$D.${g#img.}" "$(field dest)"
    [ $kind = xfs ] || check "it costs what changed" test "$(field bytes_cloned)" -lt 100000
    whole "$D"
    same 'all are there' 3 "$n_whole"
  done
  check 'what has such a name was left alone' test -e "$M/b/img.20200101T000000Z" -a -e "$M/b/img.20200101T000000Z-1"
  same 'the record is for its owner' 600 "$(stat -c %a "$M/b/.img.lullcp-generations")"
  same 'and so nothing else was made' 7 "$(find "$M/b" -mindepth 1 | grep -cv '^$' | awk '{ print $1 + 1 }')"
  change
  first=$(oldest "$D")
  keep -v --keep=3 "$M/src" "$D"
  same '-v' "used up '$M/b/$first' for '$D.${g#img.}'
'$M/src' -> '$D.${g#img.}'" "$(cat "$T/out")"
  mkdir "$M/other"
  for i in 1 2 3; do expect 0 -v --keep=3 "$M/src" "$M/other/img"; done
  check_not '-v: nothing was used up' grep -q 'used up' "$T/out"
  expect 0 -v --keep=2 "$M/src" "$M/other/img"
  same '-v: one was used up' 1 "$(grep -c "^used up '$M/other/img" "$T/out")"
  same '-v: one was removed' 1 "$(grep -c "^removed '$M/other/img" "$T/out")"
  expect 0 -v --keep=1 "$M/src" "$M/other/img"
  same '-v: the other one, too' 1 "$(grep -c "^removed '$M/other/img" "$T/out")"
  same 'one is left' 1 "$(find "$M/other" -name 'img.*' | wc -l)"
  (
    cd "$M" || exit
    for i in 1 2 3; do "$LULLCP" -v --keep=2 src other/img; done
    "$LULLCP" -v --keep=1 src other/img
  ) >"$T/out" 2>"$T/err"
  check '-v: used up, by the path as it was given' grep -q "^used up 'other/img\..*' for 'other/img\." "$T/out"
  check '-v: removed, too' grep -q "^removed 'other/img\." "$T/out"
  rm -r "$M/other"
  change
  keep -q --resume --keep=3 "$M/src" "$D"
  silent

  # mode and owner are those of a new file, also of one that was used up
  chmod 604 "$M/src"
  chmod 777 "$M/b/$(oldest "$D")"
  keep --keep=3 "$M/src" "$D"
  same 'mode' 604 "$(stat -c %a "$M/b/$g")"
  keep -p --keep=3 "$M/src" "$D"
  same 'time' "$(stat -c %Y "$M/src")" "$(stat -c %Y "$M/b/$g")"

  # more, and fewer
  keep --keep=5 "$M/src" "$D"
  keep --keep=5 "$M/src" "$D"
  same 'more' 5 "$(count "$D")"
  change
  keep --keep=2 "$M/src" "$D"
  same 'fewer' 2 "$(count "$D")"
  same 'fewer: removed' 4 "$(there "$D")" # the two of somebody else's with them

  # one that is gone, and one that is another file
  rm "$M/b/$(oldest "$D")"
  keep --keep=2 "$M/src" "$D"
  says 'is gone, and no longer counts'
  same 'gone' 2 "$(count "$D")"
  gone=$(oldest "$D")
  cp "$M/b/$gone" "$M/b/x" && mv "$M/b/x" "$M/b/$gone"
  keep --keep=2 "$M/src" "$D"
  says 'is not the file that lullcp made'
  check 'it is left alone' test -e "$M/b/$gone"
  keep --keep=2 "$M/src" "$D"
  keep --keep=2 "$M/src" "$D"
  check 'and stays so' test -e "$M/b/$gone"
  rm "$M/b/$gone"
  same 'two' 2 "$(count "$D")"
  mkdir "$M/b/x"
  gone=$(oldest "$D")
  mv "$M/b/$gone" "$M/b/x/" && ln -s "x/$gone" "$M/b/$gone"
  keep --keep=2 "$M/src" "$D"
  says 'is not the file that lullcp made'
  check 'a link is no generation' test -L "$M/b/$gone" -a -e "$M/b/x/$gone"
  rm -r "$M/b/$gone" "$M/b/x"

  # in use: read from it is removed, not used up; written to it is kept
  keep --keep=2 "$M/src" "$D"
  first=$M/b/$(oldest "$D")
  exec 7<"$first"
  sum=$(b2sum <"$first")
  change
  keep --keep=2 "$M/src" "$D"
  says 'it is open; a clone in full instead'
  same 'who reads it reads on' "$sum" "$(b2sum <&7)"
  exec 7<&-
  same 'removed for all that' 2 "$(count "$D")"
  check_not 'removed' test -e "$first"
  first=$M/b/$(oldest "$D")
  exec 7>>"$first"
  change
  keep --keep=2 "$M/src" "$D"
  says 'is kept beyond --keep: it is open for writing'
  same 'written to: kept' 3 "$(count "$D")"
  exec 7>&-
  change
  keep --keep=2 "$M/src" "$D"
  same 'and gone when it no longer is' 2 "$(count "$D")"
  check_not 'gone' test -e "$first"
  first=$M/b/$(oldest "$D")
  ln "$first" "$M/b/other"
  sum=$(b2sum <"$first")
  change
  keep --keep=2 "$M/src" "$D"
  says 'it has several names'
  same 'the other name keeps it' "$sum" "$(b2sum <"$M/b/other")"
  same 'several names' 2 "$(count "$D")"
  first=$M/b/$(oldest "$D")
  chattr +i "$first"
  change
  keep --keep=2 "$M/src" "$D"
  says 'kept beyond --keep: Operation not permitted'
  made "$D"
  second=${made[1]}
  inode=$(stat -c %i "$M/b/$second")
  change
  keep --keep=2 "$M/src" "$D"
  same 'then the next one is used up' "$inode" "$(stat -c %i "$M/b/$g")"
  chattr -i "$first"
  keep --keep=2 "$M/src" "$D"
  same 'pinned no longer' 2 "$(count "$D")"

  # opened by the hook itself, in the last moment before it is used up: the sleeper
  # only holds it open, however late it comes to run
  first=$M/b/$(oldest "$D")
  cat >"$T/reader" <<END
#!/bin/sh
[ \$1 = freeze ] || exit 0
exec 3<"$first"
setsid sleep 20 <&3 >/dev/null 2>&1 &
echo \$! >$T/sleeper
END
  chmod +x "$T/reader"
  change
  keep --keep=2 --hook="$T/reader" "$M/src" "$D"
  says 'it is open; a clone in full instead'
  kill "$(cat "$T/sleeper")"
  same 'a reader in the last moment' 2 "$(count "$D")"

  # one alone is not used up before the next is whole
  keep --keep=1 "$M/src" "$D"
  inode=$(stat -c %i "$M/b/$g")
  change
  keep --keep=1 "$M/src" "$D"
  same 'one' 1 "$(count "$D")"
  check 'one: another file' test "$inode" != "$(stat -c %i "$M/b/$g")"

  # a link of that name, a directory of that name, the source's own name
  ln -s "$g" "$D"
  keep --keep=2 "$M/src" "$D"
  check 'the link is what it was' test -L "$D"
  rm "$D" && mkdir "$D"
  keep --keep=2 -T "$M/src" "$D"
  rmdir "$D"
  keep --keep=2 "$M/src" "$M/src"
  cp -r "$M/src".2* "$T/"
  check 'beside the source' test "$(count "$M/src")" = 1
  expect 0 --keep=2 "$M/src" "$M/b"
  same 'into a directory' 1 "$(count "$M/b/src")"

  # a record that is damaged, of another version, of somebody else: nothing is touched
  r=$M/b/.img.lullcp-generations
  cp -p "$r" "$T/record"
  listing() { find "$M/b" -mindepth 1 ! -name '*generations*' -printf '%P %i %s %T@ %m\n' | sort; }
  listing >"$T/before"
  for what in damaged version owner; do
    case $what in
      damaged) head -c 100 "$T/record" >"$r" ;;
      version) sed 's/"schema": 2/"schema": 1/' "$T/record" >"$r" ;;
      owner) chmod 666 "$r" ;;
    esac
    expect 1 --keep=2 "$M/src" "$D"
    case $what in
      damaged) says 'is damaged, or is not a record of generations' ;;
      version) says 'was written by another version' ;;
      owner) says 'is not to be trusted' ;;
    esac
    cat "$T/record" >"$r"
    chmod 600 "$r"
    listing >"$T/after"
    check "$what: nothing was changed" cmp "$T/before" "$T/after"
  done

  # names that are not UTF-8, or too long
  odd=$M/b/$'n\xff\xe9'
  for _ in 1 2 3; do expect 0 --keep=2 "$M/src" "$odd"; done
  same 'no UTF-8' 2 "$(find "$M/b" -name $'n*Z*' | wc -l)"
  rm "$odd".*
  expect 1 --keep=2 "$M/src" "$M/b/$(printf 'x%.0s' $(seq 240))"
  says 'File name too long'
  no_part=$(find "$M/b" -name '*part*')
  same 'too long: nothing is left' '' "$no_part"

  # interrupted: only --keep goes on with it, --status and --recover know DEST; nothing was cloned, so
  # the generation is of when it is
  change
  printf '#!/bin/sh\n[ $1 = thaw ] || [ -e %s/go ] || { touch %s/frozen; sleep 30; }\n' "$T" "$T" >"$T/hook"
  chmod +x "$T/hook"
  for how in full used; do
    rm -f "$M/b"/img.2* "$M/b/.img.lullcp-generations" "$T/frozen" "$T/go"
    keep --keep=2 "$M/src" "$D"
    [ $how = full ] || keep --keep=2 "$M/src" "$D"
    "$LULLCP" --keep=2 --hook="$T/hook" --keep-frozen "$M/src" "$D" 2>/dev/null &
    pid=$!
    soon test -e "$T/frozen"
    expect 11 --keep=2 "$M/src" "$D"
    kill -9 $pid
    wait $pid 2>/dev/null
    for _ in $(seq 200); do
      "$LULLCP" --status "$D" >"$T/status" 2>&1
      grep -q 'at work' "$T/status" || break
      sleep 0.02
    done
    wanted=$(sed -n "s/^dest: *'\(.*\)'/\1/p" "$T/status")
    check "$how: status" grep -q "^dest:.*b/img\.2" "$T/status"
    expect 1 --keep=2 "$M/src" "$D"
    says 'an interrupted clone is recorded'
    expect 1 --resume "$M/src" "$D"
    says 'belongs to another clone'
    touch "$T/go"
    change
    sleep 1.1
    check "$how: it had a name" test -n "$wanted"
    from=$(date -u +%Y%m%dT%H%M%SZ)
    keep --keep=2 --resume --hook="$T/hook" "$M/src" "$D"
    check "$how: the date is that of its contents: $g" test ! "${g#img.}" '<' "$from"
    check_not "$how: and not that of the night before" test "$wanted" = "$M/b/$g"
    same "$how: two" 2 "$(count "$D")"
    same "$how: two are there" 2 "$(there "$D")"
  done
  expect 0 --status "$D"
  check 'no interrupted clone' grep -q 'no clone of it is at work or interrupted' "$T/out"

  # killed before each call that changes anything: the others are whole, the next run goes on,
  # and in the end there are as many as --keep says
  for how in full used hooked; do
    [ $how = used ] || [ $kind = xfs ] || continue
    case $how in
      full) opt=() step=3 ;;                          # in one call
      used) opt=(--latency-budget=500us) step=1 ;;    # in passes
      hooked) opt=(--latency-budget=500us --hook=true) step=3 ;;
    esac
    [ $kind = xfs ] || step=2
    calls=9999
    rm -f "$M/b"/img.2* "$M/b"/.img.*
    for _ in 1 2 3; do change; keep --keep=3 "$M/src" "$D"; done
    for ((at = 1 + RANDOM % step; at <= calls; at += step)); do
      # a name that is gone is free again within its second
      for f in "$T/sums"/*; do
        [ -e "$M/b/${f##*/}" ] || rm "$f"
      done
      if [ $how = full ]; then exec 7<"$M/b/$(oldest "$D")"; fi
      change
      b2sum <"$M/src" >"$T/sum"
      rc=0
      { DIE_AT=$at DIE_COUNT=$T/calls LD_PRELOAD=$TOOLS/die.so \
        "$LULLCP" --keep=3 "${opt[@]}" "$M/src" "$D" >"$T/out" 2>"$T/err" || rc=$?; } 2>/dev/null
      exec 7<&-
      # with a hook the keeper goes on
      for _ in $(seq 100); do
        [ $how = hooked ] && "$LULLCP" --status "$D" 2>/dev/null | grep -q 'at work' || break
        sleep 0.01
      done
      if [ $rc = 0 ]; then calls=$(cat "$T/calls"); fi
      # whatever is recorded is what it was; a new one under its name is the source
      for f in "$M/b"/img.2*; do
        name=$(basename "$f")
        [ -e "$T/sums/$name" ] || b2sum <"$M/src" >"$T/sums/$name"
        same "$how $at: $name" "$(cat "$T/sums/$name")" "$(b2sum <"$f")"
      done
      whole "$D"
      check "$how $at: $n_whole are whole" test "$n_whole" -ge 2
      made "$D"
      recorded=$(for name in "${made[@]}"; do [ ! -e "$M/b/$name" ] || echo "$name"; done | sort)
      same "$how $at: all that is there is recorded" \
        "$(cd "$M/b" && printf '%s\n' img.2* | sort)" "$recorded"
      change
      keep -q --keep=3 --resume "$M/src" "$D"
      silent
      same "$how $at: then there are three" '3 3' "$(count "$D") $(there "$D")"
      whole "$D"
      same "$how $at: all whole" 3 "$n_whole"
    done
    note "$kind $how: killed before each of $calls calls"
    check 'there were calls to be killed at' test "$calls" -gt 15 -a "$calls" -lt 200
  done
  # --restart in place of --resume, in the middle of using up the oldest
  for at in 20 26 32; do
    change
    { DIE_AT=$at LD_PRELOAD=$TOOLS/die.so "$LULLCP" --keep=3 "$M/src" "$D"; } 2>/dev/null
    keep -q --restart --keep=3 "$M/src" "$D"
    silent
    same "restart $at" '3 3' "$(count "$D") $(there "$D")"
  done
  rm -f "$M/b"/img.2* "$M/b"/.img.*

  # several sources, each with its own row; two of one name are not mixed up
  mkdir "$M/a"
  head -c 5000 /dev/urandom >"$M/a/small"
  : >"$M/a/empty"
  for _ in 1 2 3; do
    expect 0 --keep=2 -j 2 "$M/src" "$M/a/small" "$M/a/empty" "$M/b"
  done
  for f in src a/small a/empty; do
    name=$(basename $f)
    same "several: $f" 2 "$(count "$M/b/$name")"
    check "several: $f is the source" cmp "$M/$f" "$M/b/$(newest "$M/b/$name")"
  done
  cp "$M/src" "$M/a/src"
  before=$(count "$M/b/src")
  expect 1 --keep=9 -t "$M/b" "$M/src" "$M/a/src"
  says 'will not overwrite just-created'
  same 'the first is made' $((before + 1)) "$(count "$M/b/src")"
  expect 1 --keep=2 --hook=true "$M/src" "$M/a/small" "$M/b"
  says '--keep with --hook takes one SOURCE'
  expect 1 --keep=2 "$M/a" "$M/b"
  says 'omitting directory'
  # cut off when some of it is cloned: the name stays as long as SOURCE is what it was then
  for how in same changed replaced gone; do
    rm -f "$M/b"/img.2* "$M/b"/.img.*
    { strace -qq -o /dev/null -e trace=renameat -e inject=renameat:signal=KILL:when=20 \
      "$LULLCP" --latency-budget=100us --checkpoint-interval=0 --keep=2 "$M/src" "$D"; } 2>/dev/null
    check "$how: some of it was cloned" test "$(offset_in "$M/b/.img.lullcp")" -gt 0
    wanted=$("$LULLCP" --status "$D" | sed -n "s/^dest: *'\(.*\)'/\1/p")
    case $how in
      changed) change ;;
      replaced) cp --reflink=always "$M/src" "$M/other" && mv "$M/other" "$M/src" ;;
      gone) rm "$M/b/.img.lullcp-part" ;;
    esac
    sleep 1.1
    from=$(date -u +%Y%m%dT%H%M%SZ)
    keep --keep=2 --resume "$M/src" "$D"
    case $how in
      same) same 'the name stays' "$wanted" "$M/b/$g" ;;
      *) check "$how: the name is of now: $g" test ! "${g#img.}" '<' "$from" ;;
    esac
    [ $how != replaced ] || says 'starting again'
    [ $how != replaced ] || check_not 'and nothing is gone over again' grep -q 'over it again' "$T/err"
  done

  expect 1 --keep=2 --reflink=auto /dev/null "$M/b/null"
  expect 1 --keep=2 "$M/nosuch" "$M/b/null"
  same 'nothing was made of them' '' "$(find "$M/b" -name '*null*')"
  # bytes copied: each in full
  for _ in 1 2 3; do keep --reflink=never --keep=2 "$M/src" "$M/b/copied"; done
  same 'copied' 2 "$(count "$M/b/copied")"
  for _ in 1 2 3; do keep --reflink=auto --keep=2 "$M/src" "$M/b/auto"; done
  same 'auto' 2 "$(count "$M/b/auto")"

  # fewer than there were: said, for it may be a mistake
  for _ in 1 2 3 4; do keep --keep=4 "$M/src" "$M/b/less"; done
  expect 0 --keep=2 "$M/src" "$M/b/less"
  says 'generations in'
  same 'fewer' '2 2' "$(count "$M/b/less") $(there "$M/b/less")"
  expect 0 --keep=2 "$M/src" "$M/b/less"
  silent

  # a thaw that failed: the clone is there and counted, and the next run thaws and goes on
  printf '#!/bin/sh\n[ $1 = freeze ] || [ -e %s/well ]\n' "$T" >"$T/hook"
  rm -f "$T/well"
  for _ in 1 2; do keep --keep=2 "$M/src" "$M/b/t"; done
  expect 6 --keep=2 --hook="$T/hook" "$M/src" "$M/b/t"
  same 'published' 2 "$(there "$M/b/t")"
  expect 1 --keep=2 --hook="$T/hook" "$M/src" "$M/b/t"
  : >"$T/well"
  keep --resume --keep=2 --hook="$T/hook" "$M/src" "$M/b/t"
  same 'thawed and gone on' '2 2' "$(count "$M/b/t") $(there "$M/b/t")"

  # a checkpoint elsewhere
  for at in {10..60}; do
    { DIE_AT=$at LD_PRELOAD=$TOOLS/die.so "$LULLCP" --resume --keep=2 --checkpoint="$T/cp" "$M/src" "$M/b/t"; } 2>/dev/null
    [ ! -e "$T/cp" ] || break
  done
  check 'it is there' test -e "$T/cp"
  expect 0 --status --checkpoint="$T/cp" "$M/b/t"
  keep --resume --checkpoint="$T/cp" --keep=2 "$M/src" "$M/b/t"
  check_not 'and gone' test -e "$T/cp"
  same 'a checkpoint elsewhere' '2 2' "$(count "$M/b/t") $(there "$M/b/t")"

  # a hook hears of the dated name
  printf '#!/bin/sh\necho "$LULLCP_DEST" >>%s/dests\n' "$T" >"$T/hook"
  keep --keep=2 --hook="$T/hook" "$M/src" "$M/b/h"
  same 'LULLCP_DEST' "$M/b/$g $M/b/$g" "$(xargs <"$T/dests")"
  rm -rf "$T/sums" "$T"/src.2* "$T/dests"
  fs_unmount "$M"
done
finish
