#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --check-hook: a good hook passes, and a hook that is broken in any way does not. A thaw comes last
# whatever happens.
. "$(dirname "$0")/../lib.sh"
fs_test
fs_mount xfs
head -c 1000000 /dev/urandom >"$M/src"
export W=$T/world # what the hooks remember
mkdir "$W"

hook() { # hook FREEZE THAW: a hook of these two lines of shell
  cat >"$T/hook" <<END
#!/bin/sh
echo "\$@" >>$W/log
echo "\$LULLCP_PHASE \$LULLCP_RUN_ID \$LULLCP_DEST \$LULLCP_CHECKPOINT \$LULLCP_RESUMED r=\$LULLCP_RESULT" >>$W/env
case \$1 in
freeze) $1 ;;
thaw) $2 ;;
esac
END
  chmod +x "$T/hook"
  rm -rf "$W" && mkdir "$W"
}
try() { # try STATUS ARG...
  local want=$1
  shift
  expect "$want" --check-hook="$T/hook" "$@" "$M/src"
}
step() { jq -r "select(.step == \"$1\") | .$2" "$T/out"; } # step NAME KEY
last_is_thaw() { same 'a thaw comes last' thaw "$(tail -n 1 "$W/log" | cut -d ' ' -f 1)"; }
broken() { # broken STEP...: these and no others
  same "broken" "$*" "$(jq -r 'select(.type == "step" and (.kept | not)) | .step' "$T/out" | xargs)"
  last_is_thaw
}

# a good one: what is called, and in which environment
hook ': >$W/frozen' 'rm -f $W/frozen'
try 0
same 'says so' '7 steps, all kept' "$(tail -n 1 "$T/out")"
same 'nothing on standard error' '' "$(cat "$T/err")"
same 'the calls' 'freeze freeze thaw thaw thaw' "$(cut -d ' ' -f 1 "$W/log" | xargs)"
same 'the sources' "$M/src" "$(cut -d ' ' -f 2 "$W/log" | sort -u)"
same 'a run and another' 4,1 "$(cut -d ' ' -f 2 "$W/env" | uniq -c | awk '{ print $1 }' | xargs | tr ' ' ,)"
same 'results' 'r= r= r=ok r=ok r=interrupted' "$(cut -d ' ' -f 6 "$W/env" | xargs)"
same 'resumed' '0 0 0 0 1' "$(cut -d ' ' -f 5 "$W/env" | xargs)"
same 'a dest' "$M/src.lullcp-check $M/.src.lullcp-check.lullcp" "$(cut -d ' ' -f 3-4 "$W/env" | sort -u)"
same 'nothing was made' src "$(ls -A "$M")"
rm "$W/log"
try 0 -q
silent
head -c 5000 /dev/urandom >"$M/two"
rm "$W/log"
try 0 --json "$M/two"
same 'several sources' "$M/two $M/src" "$(cut -d ' ' -f 2- "$W/log" | sort -u)"
same 'types' 'step step step step step step step summary' "$(jq -r .type "$T/out" | xargs)"
same 'summary' 'ok check_hook 0' "$(field 'result + " " + (.method) + " " + (.steps_broken | tostring)' )"
mkdir "$T/dir"
for i in 1 2; do printf '#!/bin/sh\necho %s$1 >>%s/dir.log\n' $i "$W" >"$T/dir/$i" && chmod +x "$T/dir/$i"; done
expect 0 --check-hook="$T/dir" "$M/src"
same 'a directory of hooks' '1freeze 2freeze 1freeze 2freeze 2thaw 1thaw 2thaw 1thaw 2thaw 1thaw' "$(xargs <"$W/dir.log")"

# it says something: no rule against that, but told
hook 'echo out; echo err >&2' ':'
try 0 --json
same 'output' '8 out err' "$(step freeze 'bytes_written') $(step freeze output | xargs)"
try 0
check 'shown' grep -q '^  | err' "$T/out"
hook 'head -c 300000 /dev/zero | tr "\0" x' ':'
try 0 --json
same 'much output' 300000 "$(step freeze bytes_written)"

# broken, one way after the other
hook '[ ! -e $W/frozen ] || exit 3; : >$W/frozen' 'rm -f $W/frozen'
try 1 --json
broken freeze_again
same 'status' 3 "$(step freeze_again exit_status)"
says 'does not keep to the rules'
hook ':>$W/frozen' 'rm $W/frozen'
try 1 --json
broken thaw_again thaw_alone
hook ':' '[ "$LULLCP_RESUMED" = 0 ] || exit 1'
try 1 --json
broken thaw_alone
hook 'exit 1' ':'
try 5 --json
broken freeze
same 'LULLCP_RESULT after it' r=failed "$(tail -n 3 "$W/env" | head -n 1 | cut -d ' ' -f 6)"
hook 'exit 75' ':'
try 75 --json
same 'the thaws all the same' 'freeze thaw thaw thaw' "$(cut -d ' ' -f 1 "$W/log" | xargs)"
hook ':' 'exit 9'
try 6 --json
broken thaw thaw_again thaw_alone thaw_last
hook ':' '[ -e $W/once ] || { : >$W/once; exit 1; }'
try 6 --json
broken thaw
hook 'kill -9 $$' ':'
try 5 --json
broken freeze
same 'signal' 9 "$(step freeze signal)"
hook 'sleep 60' ':'
try 5 --json --hook-timeout=300ms
broken freeze
same 'timeout' timeout "$(step freeze result)"
check 'it was not waited for' test "$(step freeze elapsed_ns)" -lt 20000000000
hook ':' 'sleep 60'
try 6 --json --hook-timeout=300ms
broken thaw thaw_again thaw_alone thaw_last
# leaves a process in its group; that keeps the output open; in a session of its own
hook 'sleep 20 >/dev/null 2>&1 & echo $! >>$W/pid' ':'
try 1 --json
broken freeze freeze_again
same 'left' '1 sleep false' "$(step freeze processes_left) $(step freeze process_left) $(step freeze output_held)"
kill $(cat "$W/pid")
hook 'setsid sleep 20 & echo $! >>$W/pid' ':'
try 1 --json
broken freeze freeze_again
same 'held' '0 true' "$(step freeze processes_left) $(step freeze output_held)"
kill $(cat "$W/pid") 2>/dev/null
hook 'setsid sleep 20 >/dev/null 2>&1 & echo $! >>$W/pid' ':'
try 0
kill $(cat "$W/pid") 2>/dev/null
# the source is written to although it is frozen; by mmap, too
hook '[ -e $W/pid ] || { setsid sh -c "while :; do echo x >>'"$M"'/src; sleep 0.1; done" >/dev/null 2>&1 & echo $! >$W/pid; }' \
  '[ ! -e $W/pid ] || kill $(cat $W/pid) 2>/dev/null; rm -f $W/pid'
try 1 --json
broken still still_again
same 'which' "$M/src" "$(step still path)"
# the file system itself is frozen
hook "fsfreeze -f $M" "fsfreeze -u $M || :"
try 1 --json --hook-timeout=1s
same 'frozen itself' host_frozen "$(step still result)"
last_is_thaw
check 'and thawed' touch "$M/x"

# stopped by a signal, and killed: a thaw comes last
for sig in INT TERM KILL; do
  for when in freeze still; do
    hook ': >$W/frozen; [ '$when' = still ] || sleep 20' ': >$W/thawed'
    env --default-signal=INT "$LULLCP" --check-hook="$T/hook" "$M/src" >"$T/out" 2>"$T/err" &
    pid=$!
    soon test -e "$W/frozen"
    sleep 0.2
    kill -$sig $pid
    rc=0
    wait $pid 2>/dev/null || rc=$?
    case $sig in INT) n=2 ;; TERM) n=15 ;; *) n=9 ;; esac
    same "$sig in $when" $((128 + n)) $rc
    soon test -e "$W/thawed"
    check "$sig in $when: thawed" test -e "$W/thawed"
    sleep 0.1
    last_is_thaw
  done
done

# not even begun
expect 5 --check-hook=nosuch-hook "$M/src"
expect 1 --check-hook="$T/hook" "$M/nosuch"
says 'cannot stat'
expect 1 --check-hook="$T/hook" "$M"
expect 1 --check-hook='"' "$M/src"
check_not 'nothing was called' grep -q nosuch "$W/log"
finish
