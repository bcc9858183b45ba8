#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A row is carried to another machine, from either end: lullcp-offsite, which the units call.
. "$(dirname "$0")/../lib.sh"
fs_test
offsite=$(cd "$(dirname "$0")" && pwd)/../../systemd/lullcp-offsite

# The other machine is this one. $BREAK is the number of bytes of a stream that get through.
mkdir -p "$T/path"
ln -s "$LULLCP" "$T/path/lullcp"
cat >"$T/path/ssh" <<'END'
#!/bin/sh
for command; do :; done
case ${BREAK:-}.$command in
  .*) exec sh -c "$command" ;;
  *\'--apply\'*) head -c "$BREAK" | sh -c "$command" || exit 255 ;;
  *\'--export\'*) sh -c "$command" | head -c "$BREAK"; exit 255 ;;
  *) exec sh -c "$command" ;;
esac
END
chmod +x "$T/path/ssh"
export HOST=elsewhere PATH=$T/path:$PATH SSH=ssh
names() { jq -r '.generations[].name' "${1%/*}/.${1##*/}.lullcp-generations"; }
carry() { # carry STATUS send|fetch
  rc=0
  sh "$offsite" "$2" >"$T/out" 2>"$T/err" </dev/null || rc=$?
  same "$2" "$1" "$rc"
}
same_row() { # same_row WHAT COUNT: the last COUNT of both rows
  local a b
  same "$1: dates" "$(names "$from" | sed 's/.*\.//' | tail -n "$2")" "$(names "$to" | sed 's/.*\.//' | tail -n "$2")"
  names "$from" | tail -n "$2" | while read -r a; do
    b=${to##*/}.${a##*.}
    cmp "${from%/*}/$a" "${to%/*}/$b" || echo "$1: $a" >>"$T/differ"
  done
  check_not "$1: contents" test -s "$T/differ"
}
night() { # night KEEP BLOCK...: another generation at the sending end, with these blocks changed
  local keep=$1
  shift
  [ $# = 0 ] || scribble "$A/img" 4096 "$@"
  sleep 1.1
  expect 0 --keep="$keep" "$A/img" "$from"
}
equal() { # equal WHAT: the newest of both rows
  local a b
  a=$(names "$from" | tail -n 1)
  b=$(names "$to" | tail -n 1)
  same "$1: date" "${a#"${from##*/}"}" "${b#"${to##*/}"}"
  check "$1: contents" cmp "${from%/*}/$a" "${to%/*}/$b"
}

fs_mount xfs && A=$M
fs_mount btrfs && B=$M
for how in send fetch; do
  note $how
  mkdir "$A/$how" "$B/$how"
  # names that a shell would take apart
  from="$A/$how/an image's \"row\"" to="$B/$how/its \$copy; here"
  fragmented "$A/img" 300 -h 5
  case $how in
    send) export ROW=$from THERE=$to ;;
    fetch) export ROW=$to THERE=$from ;;
  esac
  export KEEP=last:3 EXPORT_OPTIONS=--rate=200M APPLY_OPTIONS=
  carry 1 $how
  says 'has no generation'
  expect 0 --keep=2 "$A/img" "$from"
  carry 0 $how
  says 'in full'
  equal 'the first'
  carry 0 $how
  says 'already'
  for i in 1 2 3; do
    scribble "$A/img" 4096 $i $((i * 20))
    sleep 1.1
    expect 0 --keep=2 "$A/img" "$from"
    sum=$(cat "$B/$how"/* | b2sum)
    # a connection that breaks: the row is what it was
    # the status is that of the program that receives, or that of its connection
    case $how in
      send) BREAK=5000 carry 255 send ;;
      fetch) BREAK=5000 carry 1 fetch ;;
    esac
    same 'broken: the row' "$sum" "$(cat "$B/$how"/* | b2sum)"
    carry 0 $how
    says 'carrying the changes of'
    equal "change $i"
  done
  same 'by the rule of the receiving end' 3 "$(names "$to" | wc -l)"
  # the base is gone at the sending end
  for i in 4 5; do
    scribble "$A/img" 4096 $i
    sleep 1.1
    expect 0 --keep=1 "$A/img" "$from"
  done
  carry 0 $how
  says 'in full'
  equal 'in full'

  # ---- nights that failed ----
  export KEEP=last:9
  night 9 6
  night 9 7 8
  night 9 $(seq 0 2 120)
  night 9 9
  # the second of one second
  expect 0 --keep=9 "$A/img" "$from"
  # what came before the connection broke stays, and is where it goes on
  case $how in
    send) BREAK=60000 carry 255 send ;;
    fetch) BREAK=60000 carry 1 fetch ;;
  esac
  same 'two have come' 2 "$(grep -c 'carrying the changes' "$T/err" | awk '{ print $1 - 1 }')"
  same 'two are there' 5 "$(names "$to" | wc -l)"
  carry 0 $how
  same 'the others' 3 "$(grep -c 'carrying the changes' "$T/err")"
  same_row 'no gap' 6
  carry 0 $how
  says 'already'
  # the newest that both have is not the newest that was carried
  was=$(names "$from" | tail -n 2 | head -n 1)
  lost=$(names "$from" | tail -n 1)
  "$LULLCP" --discard "${from%/*}/$lost" || bad 'discard'
  carry 1 $how
  says 'has none that is newer'
  night 9 11
  carry 0 $how
  says " since ${was##*.}"
  equal 'from an older one'
  check 'what both had is there' test -e "$to.${was##*.}"
  # a narrow line
  night 9 12
  night 9 13
  CARRY=newest carry 0 $how
  same 'one alone' 1 "$(grep -c 'carrying the changes' "$T/err")"
  equal 'one alone'
  CARRY=some carry 1 $how
  says 'usage'
  # the first time
  rm -r "${to%/*}" && mkdir "${to%/*}"
  carry 0 $how
  same 'in full' 1 "$(grep -c 'in full' "$T/err")"
  same_row 'the whole row' 9
  same 'for nobody else' 600 "$(stat -c %a "$to".2* | sort -u)"

  # one end that cannot be asked
  HOST=x SSH=false carry 1 $how
  says 'cannot list'
  same 'all of them' "$(names "$from" | wc -l)" "$(names "$to" | wc -l)"
done
finish
