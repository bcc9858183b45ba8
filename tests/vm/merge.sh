#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lullcp-hook-qmp: whose freeze a thaw ends, what a freeze refuses because a thaw could not merge
# it, and what is left to people: the advice that is printed is carried out as it stands.
. "$(dirname "$0")/../lib.sh"
fs_test
. "$(dirname "$0")/vm.sh"
here=$(dirname "$0")
command -v qemu-io >/dev/null || cannot_run 'needs qemu-io'
# of two runs of lullcp
A=0f8fad5b-d9cb-469f-a165-70867728950e B=7c9e6679-7425-40de-944b-e07fc1f90ae7

hook() { # hook STATUS WHAT RUN ARG...: the hook, called by that run or by hand (-)
  local want=$1 what=$2 run=$3
  shift 3
  if [ "$run" = - ]; then
    "$HOOK" --socket="$QMP" "$@" >"$T/out" 2>"$T/err"
  else
    LULLCP_RUN_ID=$run "$HOOK" --socket="$QMP" "$@" >"$T/out" 2>"$T/err"
  fi
  same "$what" "$want" $?
}
asks() { python3 "$here/qmp.py" "$QMP" "$@"; } # asks COMMAND[=ARGUMENTS]...
sidecar() { echo "$(dirname "$1")/.$(basename "$1").lullcp-sidecar"; } # sidecar IMAGE
put() { # put EXPORT BYTE OFFSET: 64 KiB, by a client, flushed
  qemu-io -f raw -c "write -P $2 $3 64k" -c flush "nbd+unix:///$1?socket=$SOCKETS/nbd" >/dev/null ||
    bad "cannot write to $1"
}
gets() { # gets WHAT BYTE OFFSET IMAGE [FORMAT]: the image holds it
  check "$1" qemu-io -U -r -f "${5:-raw}" -c "read -P $2 $3 64k" "$4"
  check_not "$1" grep -q 'verification failed' "$T/check.out"
}
frozen() { # frozen WHAT IMAGE SUM: writers do not reach it
  same "$1" "$3" "$(sha256sum <"$2")"
}

fs_mount xfs 1G

note 'whose freeze it is'
make_image "$M/a" raw
make_image "$M/b" raw
qsd "a=$M/a=raw" "b=$M/b=raw"
put a 1 0
hook 0 'B freezes' $B freeze "$M/a"
sum=$(sha256sum <"$M/a")
put a 2 0
hook 1 'A cannot freeze what B has frozen' $A freeze "$M/a" "$M/b"
says "'$M/a' is frozen by another run of lullcp ($B)"
check_not 'nothing is redirected' test -e "$(sidecar "$M/b")"
hook 0 'the thaw of A' $A thaw "$M/a" "$M/b"
says "'$M/a' is frozen by another run of lullcp ($B)"
check 'the sidecar of B is there' test -s "$(sidecar "$M/a")"
put a 3 0
frozen 'B holds a frozen' "$M/a" "$sum"
hook 0 'B freezes again' $B freeze "$M/a"
hook 0 'the thaw of B' $B thaw "$M/a"
gets 'merged' 3 0 "$M/a"
not_redirected 'of B' "$M/a" "$M/b"
hook 0 'A freezes now' $A freeze "$M/a" "$M/b"
hook 1 'by hand it cannot be frozen' - freeze "$M/a" "$M/b"
hook 0 'by hand anything is thawed' - thaw "$M/a" "$M/b"
says "run of lullcp ($A)"
not_redirected 'by hand' "$M/a" "$M/b"
hook 0 'frozen by hand' - freeze "$M/a"
hook 1 'A cannot freeze what a person has frozen' $A freeze "$M/a"
says "'$M/a' is frozen by hand"
hook 0 'the thaw of A' $A thaw "$M/a"
check 'the sidecar is there' test -s "$(sidecar "$M/a")"
hook 0 'thawed by hand' - thaw "$M/a"
not_redirected 'by hand' "$M/a" "$M/b"

# runs of lullcp, one of them with a freeze that it keeps
held=$T/held
cat >"$T/slow" <<END
#!/bin/sh
"$HOOK" --socket="$QMP" "\$@" || exit
[ "\$1" = thaw ] || { : >"$held"; while [ -e "$held" ]; do sleep 0.02; done; }
END
chmod +x "$T/slow"
await() { # await FILE: until it is there
  for _ in $(seq 500); do
    [ ! -e "$1" ] || return 0
    sleep 0.02
  done
  bad "no $1"
}
by_hook="$HOOK --socket=$QMP"
"$LULLCP" --hook="$T/slow" "$M/a" "$M/first" 2>"$T/first.err" &
first=$!
await "$held"
put a 4 0
mkdir "$M/second"
expect 11 --hook="$by_hook" "$M/a" "$M/b" "$M/second"
same 'nothing is left of it' '' "$(ls -A "$M/second")"
expect 11 --hook="$by_hook" "$M/a" "$M/third"
says "another lullcp"
says "$M/a"
check_not 'nothing is published' test -e "$M/third"
"$LULLCP" --hook="$by_hook" --lock-wait=20s "$M/a" "$M/third" 2>"$T/third.err" &
third=$!
sleep 0.2
rm "$held"
wait $first
same 'the first run' 0 $?
wait $third
same 'the one that waits' 0 $?
gets 'the first clone' 3 0 "$M/first"
gets 'the third clone' 4 0 "$M/third"
rm "$M/first" "$M/third"
not_redirected 'two runs' "$M/a" "$M/b"
no_leftovers "$M"

# killed, and its keeper: what it has frozen waits for its own --recover
"$LULLCP" --hook="$T/slow" "$M/a" "$M/first" 2>"$T/first.err" &
first=$!
await "$held"
# shellcheck disable=SC2046 # a list
kill -KILL $first $(pgrep -P $first)
wait $first 2>/dev/null
rm -f "$held"
put a 5 0
expect 5 --hook="$by_hook" "$M/a" "$M/third"
check 'frozen yet' test -s "$(sidecar "$M/a")"
expect 0 --recover "$M/first"
not_redirected 'recovered' "$M/a"
expect 0 --hook="$by_hook" "$M/a" "$M/third"
gets 'the clone' 5 0 "$M/third"
rm -f "$M/third"
# a lock that another program has is none of lullcp's business
exec 8<"$M/a"
check 'lock' flock -n 8
expect 0 --hook="$by_hook" "$M/a" "$M/third" 8<&-
exec 8<&-
qsd_end
fs_unmount "$M"
finish
