#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lullcp-hook-qmp with a QEMU and a guest agent that misbehave: each fault is reported clearly, no sidecar
# is lost, and a thaw afterwards repairs everything.
. "$(dirname "$0")/../lib.sh"
fs_test
here=$(dirname "$0")
HOOK=${HOOK:?the hook to test}
command -v qemu-io >/dev/null || cannot_run 'needs qemu-io'
S=$T/qmp A=$T/agent
image=$T/disk.raw sidecar=$T/.disk.raw.lullcp-sidecar
truncate -s 16M "$image"
peers=

await() { soon test -S "$1" || framework_failure "no $1"; } # await FILE: a socket
fake() { # fake FAULT [COMMAND]
  end_fakes
  python3 "$here/fake-qmp.py" "$S" "$image" "$sidecar" "$@" 2>"$T/fake.err" &
  peers=$!
  await "$S"
}
fake_agent() { # fake_agent [FAULT]
  python3 "$here/fake-agent.py" "$A" "$@" 2>"$T/agent.err" &
  peers="$peers $!"
  await "$A"
}
end_fakes() {
  # shellcheck disable=SC2086 # a list
  [ -z "$peers" ] || { kill $peers; wait $peers; } 2>/dev/null
  peers=
  rm -f "$S" "$A" "$S.log" "$A.log" "$A.mended" "$sidecar"
}
hooked() { # hooked STATUS OPTION... PHASE
  local want=$1
  shift
  SECONDS=0
  timeout -k 1 30 "$HOOK" --socket="$S" --timeout=700ms --commit-timeout=1s --agent-timeout=700ms "$@" "$image" \
    2>"$T/err" >"$T/out"
  same "$what: $*" "$want" $?
  check "$what: in time" test $SECONDS -lt 6
  [ "$want" = 0 ] || check "$what: says who speaks" grep -q '^lullcp-hook-qmp: ' "$T/err"
}
asked() { # asked COMMAND: how often the fake was
  grep -cx -- "$1" "$S.log"
}
put_right() { # whatever it was: a thaw ends it, and a freeze and a thaw work
  hooked 0 thaw
  check_not "$what: no sidecar is left" test -e "$sidecar"
  hooked 0 freeze
  check "$what: redirected" test -s "$sidecar"
  check_not "$what: not marked" test -k "$sidecar"
  hooked 0 thaw
  check_not "$what: no sidecar is left in the end" test -e "$sidecar"
  check_not "$what: the fake did not stumble" grep -q Traceback "$T/fake.err"
}

what='no fault'
fake none
put_right
same 'one transaction' 1 "$(asked transaction)"

what='events in between'
fake events
put_right

for at in greeting qmp_capabilities query-jobs query-named-block-nodes x-debug-query-block-graph transaction; do
  for fault in error garbage no-value hang-up hang-up-after silence silence-after endless; do
    case $fault-$at in
      garbage-greeting) set -- garbage-greeting ;;
      silence-greeting) set -- no-greeting ;;
      # before or after a question is the same
      *-greeting | *-after-q* | *-after-x-*) continue ;;
      *) set -- "$fault" "$at" ;;
    esac
    what="freeze: $*"
    fake "$@"
    hooked 1 freeze
    case $fault in
      error) says "QEMU refused '$at': it is Monday" ;;
      garbage) says 'does not speak QMP' ;;
      no-value) says 'neither value nor error' ;;
      hang-up*) says 'hung up' ;;
      silence*) if [ $at = greeting ]; then says 'one client of a'; else says 'no answer from'; fi ;;
      endless) says 'Message too long' ;;
    esac
    put_right
  done
done

for at in query-jobs x-debug-query-block-graph block-commit job-complete job-dismiss; do
  for fault in error garbage hang-up hang-up-after silence silence-after; do
    case $fault-$at in *-after-q* | *-after-x-*) continue ;; esac
    what="thaw: $fault $at"
    # the freeze before is well
    SKIP_CONNECTIONS=1 fake "$fault" "$at"
    hooked 0 freeze
    want=1
    # somebody else dismissed it, or it is not ready any more: looked at again
    case $fault-$at in error-job-dismiss) want=0 ;; esac
    hooked $want thaw
    # merged, or without data and open in no process
    case $fault-$at in *-job-dismiss | hang-up-after-job-complete) ;; *) check "$what: the sidecar is kept" test -e "$sidecar" ;; esac
    put_right
  done
done

what='the merge fails'
fake job-error
hooked 0 freeze
hooked 1 thaw
says "merging '$sidecar' into '$image' failed: No space left on device"
says 'nothing is lost'
check 'kept' test -e "$sidecar"
check 'marked: the image is of no moment' test -k "$sidecar"
hooked 1 thaw
check 'kept' test -e "$sidecar"
hooked 1 freeze
check 'a freeze does not take the half merged image for a frozen one' test -k "$sidecar"

what='the merge never gets ready'
fake never-ready
hooked 0 freeze
hooked 1 thaw
says '--commit-timeout is over, with 5.0 MiB left'
check 'kept' test -e "$sidecar"
hooked 1 thaw
same 'taken up, not begun anew' 1 "$(asked block-commit)"

what='told to stop'
"$HOOK" --socket="$S" thaw "$image" 2>"$T/err" &
pid=$!
sleep 0.3
kill -TERM $pid
wait $pid
same 'told to stop' 1 $?
says 'told to stop'
says 'the next thaw'

what='the merge is cancelled'
fake cancelled
hooked 0 freeze
hooked 1 thaw
says 'the job was cancelled'
check 'kept' test -e "$sidecar"

what='the overlay stays'
fake still-there
hooked 0 freeze
hooked 1 thaw
check 'kept' test -e "$sidecar"

what='QEMU lies about the merge'
fake holds-on
hooked 0 freeze
qemu-io -f qcow2 -U -c 'write -P 7 1M 64k' "$sidecar" >"$T/out" 2>&1
hooked 1 --commit-timeout=10s thaw
says 'but still has the file open for writing; it is kept'
check 'kept' test -e "$sidecar"
hooked 1 --commit-timeout=10s thaw
check 'kept' test -e "$sidecar"

what='QEMU never stops talking'
for at in query-jobs transaction; do
  fake flood $at
  hooked 1 freeze
  says 'no answer from'
  put_right
done

what='the image stays writable'
fake stays-writable
hooked 1 freeze
says 'may still write to the image'
check_not 'undone' test -e "$sidecar"

what='the image grows before it is redirected'
fake grows
hooked 1 freeze
says 'is not the sidecar'
check_not 'undone' test -e "$sidecar"

what='the guest is paused'
fake io-error
hooked 0 freeze
hooked 0 thaw
says 'it goes on now'
same 'told to go on' 1 "$(asked cont)"
# the sidecar stays until it does
for fault in error hang-up silence; do
  what="the guest is paused: $fault"
  SKIP_CONNECTIONS=1 fake "$fault" cont
  hooked 0 freeze
  hooked 1 thaw
  says 'paused after an I/O'
  check "$what: the sidecar is kept" test -e "$sidecar"
  hooked 0 thaw
  says 'it goes on now'
  put_right
done

what='sidecar with data, not in use'
fake none
qemu-img create -q -f qcow2 -b "$image" -F raw "$sidecar"
qemu-io -f qcow2 -c 'write -P 7 1M 64k' "$sidecar" >/dev/null
hooked 1 thaw
says "$sidecar"
says 'End that QEMU'
hooked 1 freeze
check 'kept' test -e "$sidecar"
check 'what it says to do works' qemu-img commit -q "$sidecar"
rm "$sidecar"
echo 'somebody else wrote this, and it is longer than a header of seventy-two bytes' >"$sidecar"
hooked 1 thaw
says 'but is not one; it is kept'
check 'kept' test -e "$sidecar"

what='another client has the monitor'
fake none
hooked 0 freeze
python3 - "$S" <<'P' &
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.recv(1)
open(sys.argv[1] + ".held", "w").close()
time.sleep(2)
P
holder=$!
until [ -e "$S.held" ]; do sleep 0.02; done
hooked 1 freeze
says 'one client of a'
hooked 0 --commit-timeout=10s thaw
check_not "$what: no sidecar is left" test -e "$sidecar"
wait $holder

what='no monitor'
end_fakes
hooked 0 thaw
hooked 1 freeze
says 'cannot connect'
qemu-img create -q -f qcow2 -b "$image" -F raw "$sidecar"
hooked 1 thaw
says "qemu-img commit '$sidecar'"
check 'kept' test -e "$sidecar"
rm "$sidecar"
what='no room for a sidecar'
fake none
hooked 1 --sidecar-dir=/proc freeze
says 'cannot create the sidecar'
hooked 1 --sidecar-dir="$T/nosuch" freeze
says '--sidecar-dir'
SECONDS=0
for wrong in '' "freeze" "melt $image" "--quiesce freeze $image" "--timeout=x freeze $image" "--nosuch freeze $image" "freeze $image $image" "freeze $T"; do
  # shellcheck disable=SC2086 # a list of words
  "$HOOK" --socket="$S" $wrong >"$T/out" 2>"$T/err"
  rc=$?
  # a command that is understood but impossible is not a misuse
  case $wrong in "freeze $image $image" | "freeze $T") want=1 ;; *) want=64 ;; esac
  same "usage: $wrong" $want $rc
done

what='quiesce'
for fault in '' stale; do
  fake none
  fake_agent $fault
  hooked 0 --quiesce --agent="$A" freeze
  same "$what $fault: around the redirect" 'guest-fsfreeze-freeze guest-fsfreeze-thaw ' "$(tr '\n' ' ' <"$A.log")"
  hooked 0 --quiesce --agent="$A" thaw
  same "$what $fault: no agent for a thaw" 2 "$(wc -l <"$A.log")"
done
for fault in no-freeze silent-freeze; do
  what="agent: $fault"
  fake none
  fake_agent $fault
  hooked 1 --quiesce --agent="$A" freeze
  says 'not redirected'
  same "$what: thawed all the same" 1 "$(grep -c 'guest-fsfreeze-thaw' "$A.log")"
  same "$what: no redirect" 0 "$(asked transaction)"
  hooked 0 --quiesce --agent="$A" thaw
done
what='agent: the freeze takes too long'
fake none
fake_agent slow-freeze
hooked 1 --quiesce --agent="$A" freeze
says 'may still be frozen'
sleep 2.5
same "$what: thawed when it is over" guest-fsfreeze-thaw "$(tail -n 1 "$A.log")"
hooked 0 --quiesce --agent="$A" thaw
for fault in mute absent; do
  what="agent: $fault"
  fake none
  [ $fault = absent ] || fake_agent $fault
  hooked 1 --quiesce --agent="$A" freeze
  says 'not redirected'
  check_not "$what: it was not asked for a freeze" grep -q 'still be frozen' "$T/err"
  check_not "$what: no sidecar" test -e "$sidecar"
  hooked 0 --quiesce --agent="$A" thaw
done
what='agent: the redirect is refused'
fake error transaction
fake_agent
hooked 1 --quiesce --agent="$A" freeze
same "$what: thawed all the same" 1 "$(grep -c 'guest-fsfreeze-thaw' "$A.log")"
what='agent: no-thaw'
fake none
fake_agent no-thaw
hooked 1 --quiesce --agent="$A" freeze
says 'may still be frozen'
check 'the mark stays' test -k "$sidecar"
# so does it while the agent fails: a thaw that finds none asks nobody
hooked 1 --quiesce --agent="$A" thaw
says 'the sidecar stays for the next thaw'
check 'the mark still stays' test -k "$sidecar"
same "$what: asked once more" 2 "$(grep -c 'guest-fsfreeze-thaw' "$A.log")"
: >"$A.mended"
hooked 0 --quiesce --agent="$A" thaw
same "$what: tried again" 3 "$(grep -c 'guest-fsfreeze-thaw' "$A.log")"
check_not "$what: merged then" test -e "$sidecar"
what='agent: gone when the merge has begun'
SKIP_CONNECTIONS=1 fake hang-up-after block-commit
fake_agent
hooked 0 --quiesce --agent="$A" freeze
hooked 1 --quiesce --agent="$A" thaw
check "$what: the sidecar is kept" test -k "$sidecar"
rm "$A"
# without attributes it cannot be told
want=0
python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.lullcp.test", b"")' "$image" 2>/dev/null || want=1
hooked $want --quiesce --agent="$A" thaw
says 'the guest agent at'
put_right

what='agent: killed between freeze and thaw'
fake silence transaction
fake_agent
"$HOOK" --socket="$S" --quiesce --agent="$A" freeze "$image" 2>"$T/err" &
pid=$!
sleep 0.5
kill -KILL $pid
wait $pid 2>/dev/null
hooked 0 --quiesce --agent="$A" thaw
same "$what: thawed" 'guest-fsfreeze-freeze guest-fsfreeze-thaw ' "$(tr '\n' ' ' <"$A.log")"
check_not "$what: no sidecar" test -e "$sidecar"
end_fakes
finish
