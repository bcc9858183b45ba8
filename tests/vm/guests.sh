# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Common code of the tests that call lullcp-hook-qmp by hand and run the commands that it prints; sourced
# after vm.sh.
here=$(dirname "$0")
command -v qemu-io >/dev/null || cannot_run 'needs qemu-io'

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
  same "$1" "$3" "$(b2sum <"$2")"
}

await() { soon test -e "$1" || bad "no $1"; } # await FILE: until it is there
# nodes ARG...: a storage daemon with these, the node "top" as export a
nodes() {
  SOCKETS=$(mktemp -d /tmp/lullcp-vm.XXXXXX) || framework_failure mktemp
  QMP=$SOCKETS/qmp
  (cd "$M" && exec qemu-storage-daemon --nbd-server "addr.type=unix,addr.path=$SOCKETS/nbd,max-connections=0" \
    --chardev "socket,id=m,path=$QMP,server=on,wait=off" --monitor chardev=m "$@" \
    --export type=nbd,id=e,node-name=top,name=a,writable=on >"$T/qsd.log" 2>&1) &
  qsd=$!
  await "$QMP"
  await "$SOCKETS/nbd"
}
overlay() { asks query-named-block-nodes | jq -r '.[]."node-name" | select(startswith("lull-"))'; }
no_job() { [ "$(asks query-jobs)" = '[]' ]; }
until_no_job() { soon no_job || bad 'a job does not end'; }
advice() { sed -n 's/^lullcp-hook-qmp: .* run: //p' "$T/err"; } # the command, as it stands
followed() { # followed WHAT: it is carried out
  local command
  command=$(advice)
  check "$1: it is told what to run" test -n "$command"
  (cd / && bash -c "$command") >"$T/followed" 2>&1 || bad "$1: $command: $(cat "$T/followed")"
}
killed() { # QEMU
  kill -KILL "$qsd"
  wait "$qsd" 2>/dev/null
  rm -rf "${SOCKETS:?}"
}
