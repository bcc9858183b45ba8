#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Writers are never left frozen: not if the keeper is killed, or the keeper and lullcp, if nobody reads
# standard error, or if hooks fail or cannot be found. A file stands for the frozen writers: the hook
# creates it to freeze them and removes it to thaw them.
. "$(dirname "$0")/../lib.sh"
fs_test
fs_mount xfs
fragmented "$M/src" 4000
log=$T/log frozen=$T/frozen
export log frozen

# FREEZE and THAW are what the hook does; each call is logged when it begins and when it ends.
hook=$T/hook
cat >"$hook" <<'H'
#!/bin/sh
echo "$1" >>"$log"
echo $$ >"$log.pid"
case $1 in
  freeze) eval "${FREEZE:-}"; : >"$frozen" ;;
  thaw) eval "${THAW:-}"; rm -f "$frozen" ;;
esac
echo "$1 ended" >>"$log"
H
chmod +x "$hook"

calls() {
  local line
  mapfile -t line <"$log"
  [ "${#line[@]}" = 0 ] || printf '%s ' "${line[@]}"
}
until_log() { # until_log TEXT: the log ends so
  for _ in $(seq 600); do
    case $(calls) in *"$1 ") return 0 ;; esac
    sleep 0.02
  done
  bad "the log never ended with '$1': $(calls)"
}
children_of() { # children_of 'PID...'
  local pid
  for pid in $1; do cat /proc/"$pid"/task/*/children; done 2>/dev/null
}
keeper_of() { # keeper_of PID: the keeper of a run
  local of p
  for _ in $(seq 200); do
    of=$(cat /proc/"$1"/task/*/children 2>/dev/null)
    for p in $of $(children_of "$of"); do
      [ "$(cat /proc/"$p"/comm 2>/dev/null)" != lullcp-keeper ] || { echo "$p"; return; }
    done
    sleep 0.02
  done
}
start() { # start ARG...: lullcp with the hook, in the background
  : >"$log"
  rm -f "$frozen" "$log.pid"
  "$LULLCP" --hook="$hook" "$@" "$M/src" "$M/dst" 2>"$T/err" &
  pid=$!
}
both_end() { # both_end PID KEEPER: at once, so that neither acts for the other
  kill -STOP "$@"
  kill -KILL "$@"
  # its locks go when it is gone, or a zombie, and nobody else waits for the keeper
  while grep -q '^State:.[^Z]' "/proc/$2/status" 2>/dev/null; do sleep 0.01; done
}
thawed() { # thawed WHAT
  check_not "$1: the writers are thawed" test -e "$frozen"
}
hook_is_gone() { # hook_is_gone WHAT: no process of its group is left
  same "$1: the hook has ended" '' "$(ps -eo pgid=,stat=,args= | awk -v g="$(cat "$log.pid.freeze")" '$1 == g && $2 !~ /^Z/')"
}

note 'the keeper is killed while the freeze hook runs'
# with a child of the hook that ignores SIGTERM
export FREEZE='cp "$log.pid" "$log.pid.freeze"; (trap "" TERM; exec sleep 300) & wait; sleep 300'
start
until_log freeze
keeper=$(keeper_of $pid)
kill -KILL "$keeper"
wait $pid
same 'status' 5 $?
says 'was killed'
until_log 'thaw ended'
same 'calls' 'freeze thaw thaw ended ' "$(calls)"
hook_is_gone 'keeper killed'
thawed 'keeper killed'
no_leftovers "$M"

note 'lullcp alone is killed, and the next run comes while the keeper thaws'
unset FREEZE
export THAW='sleep 1'
for how in "--resume --hook=$hook $M/src $M/dst" "--restart --hook=$hook $M/src $M/dst" \
  "--recover $M/dst" "--hook=$hook $M/src $M/other"; do
  start --duty-cycle=1
  until_log 'freeze ended'
  kill -KILL $pid
  wait $pid 2>/dev/null
  # shellcheck disable=SC2086
  THAW='' expect 0 $how
  thawed "$how"
  until_log 'thaw ended'
  # one after the other
  check "$how: the calls" grep -qx 'freeze freeze ended thaw thaw ended \(freeze freeze ended thaw thaw ended \)\?' <<<"$(calls)"
  rm -f "$M"/dst "$M"/other "$M"/.dst* "$M"/.other*
done
# but not longer than a thaw may take
start --duty-cycle=1 --hook-timeout=20s
until_log 'freeze ended'
kill -KILL $pid
wait $pid 2>/dev/null
expect 11 --recover --hook-timeout=100ms "$M/dst"
expect 0 --recover "$M/dst"
unset THAW
export FREEZE='cp "$log.pid" "$log.pid.freeze"; (trap "" TERM; exec sleep 300) & wait; sleep 300'
rm -f "$M"/.dst*

note 'both are killed, and --recover comes meanwhile'
start
until_log freeze
keeper=$(keeper_of $pid)
both_end $pid "$keeper"
wait $pid 2>/dev/null
expect 0 --recover "$M/dst"
same 'calls' 'freeze thaw thaw ended ' "$(calls)"
hook_is_gone 'both killed'
thawed 'both killed'
for how in --resume --restart; do
  start $how
  until_log freeze
  keeper=$(keeper_of $pid)
  both_end $pid "$keeper"
  wait $pid 2>/dev/null
  FREEZE='' expect 0 $how --hook="$hook" "$M/src" "$M/dst"
  same "$how: calls" 'freeze thaw thaw ended freeze freeze ended thaw thaw ended ' "$(calls)"
  hook_is_gone "$how"
  thawed "$how"
done
unset FREEZE

note 'the keeper is killed during a thaw: one thaw after the other'
export THAW='until [ -e "$log.go" ]; do sleep 0.02; done'
go_on() { sleep 0.3; : >"$log.go"; } # time for a second thaw to begin, if there was one
start
until_log thaw
kill -KILL "$(keeper_of $pid)"
go_on
wait $pid
until_log 'thaw ended'
same 'calls' 'freeze freeze ended thaw thaw ended thaw thaw ended ' "$(calls)"
thawed 'keeper killed in a thaw'
rm -f "$M"/.dst* "$log.go"
start
until_log thaw
both_end $pid "$(keeper_of $pid)"
wait $pid 2>/dev/null
go_on &
expect 0 --recover "$M/dst"
same 'calls, both killed' 'freeze freeze ended thaw thaw ended thaw thaw ended ' "$(calls)"
rm -f "$M"/.dst*
unset THAW

note 'a daemon of the hook is neither ended nor waited for'
cat >"$T/daemon-hook" <<'H'
#!/bin/sh
[ "$1" = thaw ] || { setsid sleep 300 >/dev/null 2>&1 & echo $! >"$log.daemon"; sleep 300 >/dev/null 2>&1 & echo $! >>"$log.daemon"; }
exec "$hook" "$@"
H
chmod +x "$T/daemon-hook"
export hook
: >"$log"
"$LULLCP" --duty-cycle=1 --hook="$T/daemon-hook" "$M/src" "$M/dst" 2>"$T/err" &
pid=$!
until_log 'freeze ended'
kill -KILL "$(keeper_of $pid)"
wait $pid
thawed 'with daemons'
for p in $(cat "$log.daemon"); do
  check "the daemon $p lives" kill -0 "$p"
  kill "$p"
done
rm -f "$M"/.dst*

note 'somebody stops the keeper: it goes on when it is needed'
stopped() { # stopped WHAT STATUS ARG...: it is stopped when the writers are frozen
  local what=$1 status=$2
  shift 2
  start --duty-cycle=1 "$@"
  until_log 'freeze ended'
  kill -STOP "$(keeper_of $pid)"
  if [ "$status" = 143 ]; then kill -TERM $pid; fi
  for _ in $(seq 600); do
    kill -0 $pid 2>/dev/null || break
    sleep 0.02
  done
  check_not "$what: it has ended" kill -KILL $pid
  wait $pid
  same "$what: status" "$status" $?
  same "$what: calls" 'freeze freeze ended thaw thaw ended ' "$(calls)"
  thawed "$what"
  rm -f "$M"/.dst* "$M/dst"
}
stopped 'a signal' 143
stopped 'the end of --max-freeze' 3 --max-freeze=1s
stopped 'the end of the clone' 0 --duty-cycle=20
# while the hook is at work
FREEZE='kill -STOP $PPID' THAW='kill -STOP $PPID' start
for _ in $(seq 600); do
  kill -0 $pid 2>/dev/null || break
  sleep 0.02
done
check_not 'stopped by the hook: it has ended' kill -KILL $pid
wait $pid
same 'stopped by the hook' 0 $?
same 'stopped by the hook: calls' 'freeze freeze ended thaw thaw ended ' "$(calls)"
rm -f "$M"/.dst* "$M/dst"

note 'standard error that nobody reads'
export FREEZE='head -c 300000 /dev/zero; echo loud >&2; date >&2' THAW='echo loud; head -c 300000 /dev/zero >&2; date'
ran_well() { # ran_well WHAT STATUS
  same "$1: status" 0 "$2"
  same "$1: calls" 'freeze freeze ended thaw thaw ended ' "$(calls)"
  thawed "$1"
}
# as a shell would, with an error of a write as its status
sed -i '2i set -e' "$hook"
: >"$log"
timeout 60 "$LULLCP" --hook="$hook" "$M/src" "$M/dst" 2>&-
ran_well closed $?
: >"$log"
timeout 60 "$LULLCP" --hook="$hook" "$M/src" "$M/dst" <&- >&- 2>&-
ran_well 'all closed' $?
: >"$log"
mkfifo "$T/fifo"
head -c 1 <"$T/fifo" >/dev/null &
reader=$!
exec 5>"$T/fifo"
echo >&5
wait $reader
timeout 60 "$LULLCP" --hook="$hook" "$M/src" "$M/dst" 2>&5
ran_well broken $?
exec 5>&-
# full, and never read
: >"$log"
exec 5<>"$T/fifo"
timeout 60 "$LULLCP" --hook="$hook" "$M/src" "$M/dst" 2>&5
ran_well full $?
exec 5>&-
# and one that is read has all of it
: >"$log"
FREEZE='seq 30000' THAW='seq 30000 60000 >&2' "$LULLCP" --hook="$hook" "$M/src" "$M/dst" 2>"$T/err"
ran_well file $?
{ seq 30000; seq 30000 60000; } | check 'what the hook has printed' cmp - "$T/err"
: >"$log"
FREEZE='seq 30000' THAW='seq 30000 60000 >&2' "$LULLCP" --hook="$hook" "$M/src" "$M/dst" 2>&1 >/dev/null | cat >"$T/err"
{ seq 30000; seq 30000 60000; } | check 'what the hook has printed to a pipe' cmp - "$T/err"
# a process that it leaves with the pipe open holds nobody up, and may go on printing
: >"$log"
cat >"$T/printing-hook" <<'H'
#!/bin/sh
[ "$1" = thaw ] || { setsid sh -c 'while [ ! -e "$log.end" ]; do echo on || exit; sleep 0.05; done; echo lives >"$log.lives"' & }
exec "$hook" "$@"
H
chmod +x "$T/printing-hook"
FREEZE='' THAW='' timeout 30 "$LULLCP" --hook="$T/printing-hook" "$M/src" "$M/dst" 2>/dev/null
ran_well 'a daemon that prints' $?
: >"$log.end"
soon test -e "$log.lives"
check 'it was not ended for printing' test -e "$log.lives"
unset FREEZE THAW
sed -i 2d "$hook"

note 'a reader that does not read keeps nobody frozen'
# a pipe that is full: what is said is said when there is room again, and nothing is lost but progress
full=$T/full
mkfifo "$full"
held_up() { # held_up WHAT OPTION...: standard output and error nobody reads, until the thaw
  local what=$1
  shift
  rm -f "$M"/.dst* "$M/dst" "$frozen"
  : >"$log"
  exec 5<>"$full"
  dd if=/dev/zero of="$full" oflag=nonblock bs=4k count=100 2>/dev/null
  "$LULLCP" --hook="$hook" "$@" "$M/src" "$M/dst" >&5 2>&5 &
  pid=$!
  soon grep -q 'freeze ended' "$log"
  sleep 0.3
  kill -USR1 $pid
  until_log 'thaw ended'
  thawed "$what"
  tr -d '\0' <"$full" >"$T/said" 5>&- &
  exec 5>&-
  wait $pid
  same "$what: status" 0 $?
  wait
  check "$what: the clone" cmp "$M/src" "$M/dst"
}
held_up 'JSON' --json --duty-cycle=2
check 'JSON: a summary' grep -q '"type":"summary"' "$T/said"
check 'JSON: each line is whole' jq -R 'if startswith("{") then fromjson else . end' "$T/said"
held_up 'progress' --progress=always --duty-cycle=2
check 'progress: what SIGUSR1 asked for' grep -q '^[^ ]*: .*%' "$T/said"
held_up '--live' --live --json --duty-cycle=5
check '--live: a summary' grep -q '"type":"summary"' "$T/said"
# a terminal that was halted, as by Ctrl-S
rm -f "$M"/.dst* "$M/dst"
: >"$log"
cat >"$T/halted.py" <<'P'
import os, pty, subprocess, sys, termios, time
log, args = sys.argv[1], sys.argv[2:]
ours, theirs = pty.openpty()
termios.tcflow(theirs, termios.TCOOFF)
p = subprocess.Popen(args, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
for _ in range(3000):
    if "thaw ended" in open(log).read():
        break
    time.sleep(0.02)
else:
    sys.exit("still frozen")
termios.tcflow(theirs, termios.TCOON)
os.close(theirs)
said = b""
while True:
    try:
        more = os.read(ours, 4096)
    except OSError:
        break
    if not more:
        break
    said += more
sys.stdout.write(said.decode())
sys.exit(p.wait())
P
timeout 90 python3 "$T/halted.py" "$log" "$LULLCP" --hook="$hook" --summary --progress=always \
  --duty-cycle=5 "$M/src" "$M/dst" >"$T/said"
same 'a halted terminal: status' 0 $?
check 'a halted terminal: what was said' grep -q 'writers frozen for' "$T/said"
thawed 'a halted terminal'
rm -f "$M"/.dst* "$M/dst"

note 'a thaw that failed for a reason that passes is tried again'
export THAW='[ -e "$log.second" ] || { : >"$log.second"; kill -TERM 0; sleep 9; }'
: >"$log"
expect 0 --hook="$hook" "$M/src" "$M/dst"
same 'calls' 'freeze freeze ended thaw thaw thaw ended ' "$(calls)"
thawed 'killed thaw'
export THAW='exit 3'
: >"$log"
expect 6 --hook="$hook" "$M/src" "$M/dst"
same 'one that says no is not' 'freeze freeze ended thaw ' "$(calls)"
unset THAW
expect 0 --recover "$M/dst"
thawed 'after --recover'

note 'both failures are said'
echo old >"$M/dst"
expect 6 --hook=/bin/false "$M/src" "$M/dst"
says "cannot freeze: the hook '/bin/false' failed with exit status 1; then cannot thaw: the hook '/bin/false' failed with exit status 1"
says '--hook='
for how in '--resume' '--restart' '--recover'; do
  case $how in --recover) args=(--recover "$M/dst") ;; *) args=("$how" "$M/src" "$M/dst") ;; esac
  expect 6 "${args[@]}"
  says "cannot thaw: the hook '/bin/false' failed with exit status 1"
  says '--hook='
done
expect 0 --recover --hook="$hook" "$M/dst"
same 'nothing was published' old "$(cat "$M/dst")"
no_leftovers "$M"

note 'what cannot be started has frozen nothing'
printf '#!/nosuch/interpreter\n' >"$T/unstartable"
chmod +x "$T/unstartable"
: >"$log"
expect 5 --hook="$T/unstartable" "$M/src" "$M/dst"
no_leftovers "$M"
mkdir "$T/empty.d"
echo 'exit 0' >"$T/empty.d/10-not-executable"
expect 5 --hook="$T/empty.d" "$M/src" "$M/dst"
says 'no executables'
expect 5 --check-hook="$T/empty.d" "$M/src"
no_leftovers "$M"
same 'nothing was published' old "$(cat "$M/dst")"

note 'a relative hook is found from elsewhere'
mkdir "$T/a dir"
cp "$hook" "$T/a dir/h"
cat >"$T/a dir/relative" <<'H'
#!/bin/sh
# relative FILE PHASE SOURCE: fails unless FILE can be read from here
cat "$1" >/dev/null || exit 4
shift
exec "$hook" "$@"
H
chmod +x "$T/a dir/relative"
echo data >"$T/a dir/file of its own"
left_frozen() { # left_frozen HOOK: by a run in that directory
  (
    cd "$T/a dir" || exit
    : >"$log"
    PATH=.:$PATH exec "$LULLCP" --duty-cycle=1 --hook="$1" "$M/src" "$M/dst" 2>"$T/err"
  ) &
  pid=$!
  until_log 'freeze ended'
  both_end $pid "$(keeper_of $pid)"
  wait $pid 2>/dev/null
  check 'left frozen' test -e "$frozen"
}
for h in ./h h "./relative 'file of its own'" 'relative file\ of*'; do
  left_frozen "$h"
  (cd / && expect 0 --recover "$M/dst" && exit "$rc") || bad "--hook=$h"
  thawed "--hook=$h"
  rm -f "$M"/.dst*
done
# where its directory is gone, a word that is relative to that leads nowhere, least of all to what
# somebody has put where --recover is called
mkdir "$T/gone" "$T/planted"
cp "$hook" "$T/gone/its-hook"
printf '#!/bin/sh\n: >"%s/planted/ran"\n' "$T" >"$T/planted/its-hook"
chmod +x "$T/planted/its-hook"
(
  cd "$T/gone" || exit
  : >"$log"
  exec "$LULLCP" --duty-cycle=1 --hook='sh ./its-hook' "$M/src" "$M/dst" 2>"$T/err"
) &
pid=$!
until_log 'freeze ended'
both_end $pid "$(keeper_of $pid)"
wait $pid 2>/dev/null
rm -r "$T/gone"
(cd "$T/planted" && run --recover "$M/dst"; [ "$rc" = 6 ]) || bad 'a directory that is gone'
check_not 'what somebody has planted was run' test -e "$T/planted/ran"
expect 0 --recover --hook="$hook" "$M/dst"
thawed 'a directory that is gone'
rm -f "$M"/.dst*
# of a directory of hooks as well
mkdir "$T/a dir/hooks.d"
cp "$hook" "$T/a dir/hooks.d/10"
left_frozen hooks.d
(cd / && "$LULLCP" --recover "$M/dst" >/dev/null) || bad 'a directory'
thawed 'a directory'
rm -f "$M"/.dst*
# and one that is gone from there by then is missed by all that thaw, until another command does it
cp "$hook" "$T/a dir/hooks.d/20"
left_frozen hooks.d
mv "$T/a dir/hooks.d/20" "$T/the-20"
expect 6 --recover "$M/dst"
says 'was not found'
for how in '--resume --hook=hooks.d' '--restart --hook=./hooks.d//' '--recover --hook=in/../hooks.d'; do
  mkdir -p "$T/a dir/in"
  to=("$M/src")
  [[ $how != *recover* ]] || to=()
  # shellcheck disable=SC2086
  (
    cd "$T/a dir" || exit
    run $how ${to[@]+"${to[@]}"} "$M/dst"
    [ "$rc" = 6 ]
  ) || bad "$how: one is gone"
done
check 'one is gone: the checkpoint' grep -q '"since_ns"' "$M/.dst.lullcp"
mv "$T/the-20" "$T/a dir/hooks.d/20"
expect 0 --recover "$M/dst"
thawed 'one was gone'
rm -f "$M"/.dst*
left_frozen hooks.d
rm "$T/a dir/hooks.d/20"
expect 6 --recover "$M/dst"
expect 0 --recover --hook="$hook" "$M/dst"
thawed 'one is gone for good'
rm -f "$M"/.dst*
# a freeze hook that makes a process group of its own, and takes too long: it is ended before the thaw
cat >"$M/slow" <<SLOW
#!/bin/sh
echo "\$1 begin" >>"$M/slow.log"
[ \$1 = thaw ] || { : >"$M/slow.begun"; sleep 30; }
echo "\$1 end" >>"$M/slow.log"
SLOW
printf '#!/bin/sh\ntimeout 40 "%s" "$@"\n' "$M/slow" >"$M/grouped"
chmod +x "$M/slow" "$M/grouped"
expect 5 --hook="$M/grouped" --hook-timeout=2s "$M/src" "$M/grouped.dst"
check 'the freeze hook had begun' test -e "$M/slow.begun"
same 'a group of its own' 'freeze begin thaw begin thaw end' "$(paste -sd' ' "$M/slow.log")"
at_work() { # at_work: whether somebody still freezes
  local p
  for p in /proc/[0-9]*; do
    ! { tr '\0' ' ' <"$p/cmdline"; } 2>/dev/null | grep -qF "$M/slow freeze" || return 0
  done
  return 1
}
check_not 'still at work' at_work

note 'a session of its own'
printf '#!/bin/sh\nsetsid -w "%s" "$@"\n' "$M/slow" >"$M/sessioned"
chmod +x "$M/sessioned"
rm -f "$M/slow.log" "$M/slow.begun"
expect 5 --hook="$M/sessioned" --hook-timeout=2s "$M/src" "$M/grouped.dst"
same 'in time' 'freeze begin thaw begin thaw end' "$(paste -sd' ' "$M/slow.log")"
check_not 'in time: still at work' at_work
rm -f "$M/slow.log" "$M/slow.begun"
"$LULLCP" --hook="setsid -w $M/slow" "$M/src" "$M/grouped.dst" 2>"$T/err" &
pid=$!
until [ -e "$M/slow.begun" ]; do sleep 0.02; done
both_end $pid "$(keeper_of $pid)"
wait $pid 2>/dev/null
check 'both killed: it goes on' at_work
expect 0 --recover "$M/grouped.dst"
same 'both killed' 'freeze begin thaw begin thaw end' "$(paste -sd' ' "$M/slow.log")"
check_not 'both killed: still at work' at_work

note 'what a thaw has left is let alone'
cat >"$M/leaves" <<'H'
#!/bin/bash
[ "$1" = thaw ] || exit 0
set -m
sleep 300 >/dev/null 2>&1 &
echo $! >>"$0.left"
[ -e "$0.well" ]
H
chmod +x "$M/leaves"
expect 6 --hook="$M/leaves" --hook-timeout=1s "$M/src" "$M/grouped.dst"
: >"$M/leaves.well"
began=$SECONDS
expect 0 --recover --hook-timeout=60s "$M/grouped.dst"
check 'it was not waited for' test $((SECONDS - began)) -lt 30
for p in $(cat "$M/leaves.left"); do
  check "the process $p lives" kill -0 "$p"
  kill "$p"
done
fs_unmount "$M"
finish
