#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The hook protocol: which call comes when, what each exit status means, and that a thaw follows each
# freeze.
hook=$(cd "$(dirname "$0")" && pwd)/hook-log.sh
. "$(dirname "$0")/../lib.sh"
fs_test
command -v strace >/dev/null || cannot_run 'needs strace'
export HOOK_LOG=$T/log

calls() { awk '/^(freeze|thaw) /{ printf "%s%s ", $1, ($4 ~ /^(ok|failed|interrupted)$/ ? ":" $4 : "") }' "$HOOK_LOG" 2>/dev/null; }
hooked() { # hooked STATUS CALLS ARG...: with the logging hook
  local want=$1 calls=$2
  shift 2
  : >"$HOOK_LOG"
  expect "$want" "$@"
  same "hook calls of lullcp $*" "$calls" "$(calls)"
}

cloning() { # until the freeze hook is over and a clone is well begun
  soon eval '[ "$(calls)" = "freeze " ]'
  sleep 0.3
}

for kind in $(kinds xfs btrfs); do
  fs_mount "$kind"
  note "$kind"
  fragmented "$M/src" 4000
  hooked 0 'freeze thaw:ok ' --hook="$hook" "$M/src" "$M/a"
  silent
  check 'frozen' cmp "$M/src" "$M/a"
  hooked 0 'freeze thaw:ok ' --json --hook="$hook" "$M/src" "$M/a"
  same 'method' frozen "$(field method)"
  check 'freeze_ns' test "$(field freeze_ns)" -gt 0
  same 'run id' "$(field run_id)" "$(awk '/^freeze/{print $2}' "$HOOK_LOG")"
  same 'the hook gets an absolute path' "$M/src" "$(awk '/^freeze/{print $NF}' "$HOOK_LOG")"

  # however small it is
  : >"$M/empty"
  hooked 0 'freeze thaw:ok ' --hook="$hook" "$M/empty" "$M/a"
  check 'empty' test ! -s "$M/a"
  echo small >"$M/small"
  hooked 0 'freeze thaw:ok ' --hook="$hook" "$M/small" "$M/a"
  check 'small' cmp "$M/small" "$M/a"

  echo old >"$M/b"
  export HOOK_FREEZE_EXIT=9
  hooked 5 'freeze thaw:failed ' --hook="$hook" "$M/src" "$M/b"
  says 'exit status 9'
  # one that understands neither call has frozen nothing; else the thaw must succeed
  export HOOK_FREEZE_EXIT=64
  HOOK_THAW_EXIT=64 hooked 5 'freeze thaw:failed ' --hook="$hook" "$M/src" "$M/b"
  says 'exit status 64'
  check_not 'misused: no word of frozen writers' grep -q 'frozen' "$T/err"
  no_leftovers "$M"
  hooked 5 'freeze thaw:failed ' --hook="$hook" "$M/src" "$M/b"
  HOOK_THAW_EXIT=1 hooked 6 'freeze thaw:failed ' --hook-timeout=300ms --hook="$hook" "$M/src" "$M/m"
  HOOK_FREEZE_EXIT=1 HOOK_THAW_EXIT=64 hooked 6 'freeze thaw:failed ' --hook-timeout=300ms --hook="$hook" "$M/src" "$M/n"
  # why is said once; nothing else that a thaw says is lost
  printf '#!/bin/sh\necho "no such option" >&2\nexit 64\n' >"$T/misused"
  printf '#!/bin/sh\n[ $1 = thaw ] || exit 64\necho "thawed all the same" >&2\n' >"$T/thawing"
  printf '#!/bin/sh\n[ $1 = thaw ] || exit 1\necho "no such option" >&2\nexit 64\n' >"$T/frozen"
  printf '#!/bin/sh\nseq 2000 >&2\nexit 64\n' >"$T/wordy"
  chmod +x "$T/misused" "$T/thawing" "$T/frozen" "$T/wordy"
  expect 5 --hook="$T/misused" "$M/src" "$M/o"
  same 'misused: said once' 1 "$(grep -c 'no such option' "$T/err")"
  expect 5 --hook="$T/thawing" "$M/src" "$M/o"
  says 'thawed all the same'
  expect 5 --hook="$T/wordy" "$M/src" "$M/o"
  same 'misused: many words are passed on' 2 "$(grep -cx 2000 "$T/err")"
  expect 6 --hook-timeout=300ms --hook="$T/frozen" "$M/src" "$M/o"
  says 'no such option'
  expect 0 --recover --hook=true "$M/o"
  export HOOK_FREEZE_EXIT=0
  hooked 0 'thaw:interrupted freeze thaw:ok ' --restart --hook="$hook" "$M/src" "$M/m"
  hooked 0 'thaw:interrupted freeze thaw:ok ' --restart --hook="$hook" "$M/src" "$M/n"
  export HOOK_FREEZE_EXIT=75
  hooked 75 'freeze thaw:failed ' --hook="$hook" "$M/src" "$M/b"
  unset HOOK_FREEZE_EXIT
  HOOK_FREEZE_SLEEP=30 hooked 5 'freeze thaw:failed ' --hook-timeout=300ms --hook="$hook" "$M/src" "$M/b"
  HOOK_FREEZE_SLEEP=30 hooked 5 'freeze thaw:failed ' --max-freeze=300ms --hook="$hook" "$M/src" "$M/b"
  hooked 5 '' --hook="$T/nosuch" "$M/src" "$M/b"
  hooked 5 '' --hook=nosuch-command "$M/src" "$M/b"
  hooked 1 '' --hook="it's" "$M/src" "$M/b"
  hooked 1 '' --hook='$(touch /tmp/pwned)' "$M/src" "$M/b"
  same 'an old DEST is untouched' old "$(cat "$M/b")"
  no_leftovers "$M"
  # quoting as a shell, with arguments before the phase
  mkdir -p "$T/with space"
  printf '#!/bin/sh\nshift; exec "%s" "$@"\n' "$hook" >"$T/with space/h"
  chmod +x "$T/with space/h"
  hooked 0 'freeze thaw:ok ' --hook="'$T/with space/h' \"an argument\"" "$M/src" "$M/b"

  # one that came with lullcp needs no path
  mkdir -p /usr/local/libexec && mount -t tmpfs tmpfs /usr/local/libexec || framework_failure mount
  mkdir /usr/local/libexec/lullcp
  cp "$hook" /usr/local/libexec/lullcp/lullcp-hook-test
  hooked 0 'freeze thaw:ok ' --hook=lullcp-hook-test "$M/src" "$M/b"
  umount /usr/local/libexec
  hooked 5 '' --hook=lullcp-hook-test "$M/src" "$M/b"

  # thaw fails: published, exit 6, and --recover finishes it
  echo old >"$M/b"
  export HOOK_THAW_EXIT=7
  hooked 6 'freeze thaw:ok ' --hook="$hook" "$M/src" "$M/b"
  says '--recover'
  check 'published although the thaw failed' cmp "$M/src" "$M/b"
  hooked 6 'thaw:interrupted ' --recover "$M/b"
  unset HOOK_THAW_EXIT
  expect 0 --status "$M/b"
  check 'status says frozen' grep -q 'frozen since' "$T/out"
  hooked 0 'thaw:interrupted ' --recover "$M/b"
  no_leftovers "$M"
  expect 1 --recover "$M/b"
  # and of two failures it is the one whose status and words must be heard
  printf '#!/bin/sh\n[ $1 = freeze ] || [ ! -e "%s" ] || { rm -f "%s"; mkdir -p "%s/x"; exit 7; }\n' \
    "$T/rude" "$M/b" "$M/b" >"$T/rude-hook"
  chmod +x "$T/rude-hook"
  touch "$T/rude"
  expect 6 --hook="$T/rude-hook" "$M/src" "$M/b"
  says '--recover'
  rm "$T/rude"
  rm -r "$M/b"
  expect 0 --recover "$M/b"
  expect 0 --resume --hook="$hook" "$M/src" "$M/b"
  no_leftovers "$M"

  # a source that is written to while it is said to be frozen
  echo old >"$M/b"
  printf '#!/bin/sh\n[ $1 = thaw ] || { (sleep 0.1; while :; do dd if=/dev/urandom of="$2" bs=4k count=1 seek=7 conv=notrunc 2>/dev/null; sleep 0.02; done) >/dev/null 2>&1 & echo $! >%s/pid; }\n[ $1 = freeze ] || kill $(cat %s/pid)\nexec %s "$@"\n' "$T" "$T" "$hook" >"$T/bad-hook"
  chmod +x "$T/bad-hook"
  hooked 8 'freeze thaw:failed ' --duty-cycle=5 --hook="$T/bad-hook" "$M/src" "$M/b"
  says 'was written to while it was frozen'
  same 'nothing was published' old "$(cat "$M/b")"
  hooked 0 'freeze thaw:ok ' --resume --hook="$hook" "$M/src" "$M/b"
  check 'resumed after that' cmp "$M/src" "$M/b"

  # --max-freeze: thawed in time, stopped, resumable
  hooked 3 'freeze thaw:interrupted ' --duty-cycle=2 --max-freeze=200ms --hook="$hook" "$M/src" "$M/c"
  says '--max-freeze is over'
  check_not 'nothing was published' test -e "$M/c"
  hooked 0 'freeze thaw:ok ' --resume --hook="$hook" "$M/src" "$M/c"
  check 'after --max-freeze' cmp "$M/src" "$M/c"

  # signals: thawed, or kept frozen
  for sig in INT TERM HUP; do
    : >"$HOOK_LOG"
    # bash starts background jobs with SIGINT ignored, which lullcp respects
    env --default-signal=INT "$LULLCP" --duty-cycle=2 --hook="$hook" "$M/src" "$M/d" 2>"$T/err" &
    pid=$!
    cloning
    kill -"$sig" $pid
    wait $pid
    rc=$?
    same "ended by SIG$sig" $((128 + $(kill -l "$sig"))) $rc
    same "SIG$sig: hook calls" 'freeze thaw:interrupted ' "$(calls)"
    hooked 0 'freeze thaw:ok ' --resume --json --hook="$hook" "$M/src" "$M/d"
    check "resumed after SIG$sig" cmp "$M/src" "$M/d"
    check "SIG$sig: resumed_at" test "$(field resumed_at)" -gt 0
    rm "$M/d"
  done
  : >"$HOOK_LOG"
  "$LULLCP" --keep-frozen --duty-cycle=2 --hook="$hook" "$M/src" "$M/d" 2>"$T/err" &
  pid=$!
  cloning
  kill -TERM $pid
  wait $pid
  same 'kept frozen: no thaw' 'freeze ' "$(calls)"
  hooked 0 'thaw:ok ' --resume --json "$M/src" "$M/d"
  check 'resumed in the same freeze' cmp "$M/src" "$M/d"
  check 'kept frozen: resumed_at' test "$(field resumed_at)" -gt 0
  rm "$M/d"
  # a run that takes such a freeze over and fails thaws, or says that it could not
  left_frozen() { # a clone of $M/src to $M/d, interrupted
    rm -f "$M/d" "$M"/.d.lullcp*
    : >"$HOOK_LOG"
    "$LULLCP" -q --keep-frozen --duty-cycle=2 --hook="$T/own-hook" "$M/src" "$M/d" 2>"$T/err" &
    pid=$!
    cloning
    kill -TERM $pid
    wait $pid
    says 'are left frozen'
    same 'it is said once' 1 "$(grep -c 'are left frozen' "$T/err")"
    : >"$HOOK_LOG"
  }
  cp "$hook" "$T/own-hook"
  left_frozen
  hooked 6 '' --resume --hook=/nonexistent "$M/src" "$M/d"
  says 'are left frozen'
  hooked 6 '' --restart --hook=/nonexistent "$M/src" "$M/d"
  says 'are left frozen'
  hooked 0 'thaw:interrupted ' --recover "$M/d"
  left_frozen
  chmod -x "$T/own-hook"
  hooked 6 '' --resume "$M/src" "$M/d"
  says '--recover'
  chmod +x "$T/own-hook"
  hooked 0 'thaw:interrupted ' --recover "$M/d"
  left_frozen
  : >"$HOOK_LOG"
  # LeakSanitizer does not work under strace
  ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -f -qq -o /dev/null -e trace=sync_file_range -e inject=sync_file_range:error=EIO \
    "$LULLCP" --resume "$M/src" "$M/d" 2>"$T/err"
  same 'a resume that fails: status' 1 $?
  same 'a resume that fails thaws' 'thaw:interrupted ' "$(calls)"
  hooked 0 'freeze thaw:ok ' --resume --hook="$hook" "$M/src" "$M/d"
  # a freeze in which somebody wrote is not a freeze any more
  left_frozen
  printf later | dd of="$M/src" bs=1 seek=8192 conv=notrunc status=none
  hooked 0 'thaw:interrupted freeze thaw:ok ' --resume "$M/src" "$M/d"
  says 'freezing it again'
  check 'left frozen and written to' cmp "$M/src" "$M/d"
  # nor is a hook run that a disk brings along from another machine, or does not say from which
  left_frozen
  echo 0123456789abcdef0123456789abcdef >"$T/machine"
  mount --bind "$T/machine" /etc/machine-id || framework_failure mount
  hooked 1 '' --resume "$M/src" "$M/d"
  says 'another machine'
  hooked 1 '' --recover "$M/d"
  umount /etc/machine-id
  mount -o remount,nosuid "$M" || framework_failure remount
  cp "$M/.d.lullcp" "$T/state"
  sed -i '/"machine"/d' "$M/.d.lullcp"
  own_state "$M/.d.lullcp"
  hooked 1 '' --recover "$M/d"
  says 'its hook was not run'
  mount -o remount,suid "$M" || framework_failure remount
  hooked 0 'thaw:ok ' --resume --hook="$T/own-hook" "$M/src" "$M/d"
  # --recover and the freeze of another run: one after the other
  left_frozen
  HOOK_FREEZE_SLEEP=1 "$LULLCP" -q --hook="$hook" "$M/src" "$M/other" &
  pid=$!
  for _ in {1..200}; do [ ! -s "$HOOK_LOG" ] || break; sleep 0.02; done
  HOOK_LOG=$T/other-log expect 11 --recover "$M/d"
  says "another lullcp has frozen '$M/src'"
  HOOK_LOG=$T/other-log expect 0 --lock-wait=60s --recover "$M/d"
  wait $pid
  same 'beside --recover' 0 $?
  # where nothing can be written any more
  left_frozen
  mount -o remount,ro "$M" || framework_failure remount
  hooked 1 'thaw:interrupted ' --recover "$M/d"
  says 'that cannot be recorded'
  mount -o remount,rw "$M" || framework_failure remount
  hooked 0 'thaw:interrupted ' --recover "$M/d"
  rm -f "$M/d" "$M/other" "$M"/.d.lullcp*
  # killed in the middle of a freeze hook: the hook is ended, on a slow machine before it has
  # written to its log, then thaw
  for at in 0.05 0.2; do
    : >"$HOOK_LOG"
    HOOK_FREEZE_SLEEP=1 "$LULLCP" --hook="$hook" "$M/src" "$M/d" &
    pid=$!
    sleep $at
    kill -KILL $pid
    wait $pid 2>/dev/null
    sleep 1.5
    case $(calls) in '' | 'freeze thaw:interrupted ' | 'thaw:interrupted ') ok ;; *) bad "killed at $at: $(calls)" ;; esac
    expect 0 --restart "$M/src" "$M/d"
    rm "$M/d"
  done
  # a hook that freezes the file system itself is noticed, and undone
  printf '#!/bin/sh\nif [ $1 = freeze ]; then fsfreeze -f %s; else fsfreeze -u %s; fi\n' "$M" "$M" >"$T/fsfreeze-hook"
  chmod +x "$T/fsfreeze-hook"
  (sleep 40; fsfreeze -u "$M") 2>/dev/null &
  watchdog=$!
  expect 5 --hook-timeout=1s --hook="$T/fsfreeze-hook" "$M/src" "$M/e"
  says 'frozen the file system itself'
  kill $watchdog
  check 'the file system is thawed' touch "$M/alive"
  rm -f "$M/.e"*
  # a directory of hooks
  mkdir -p "$T/hooks.d"
  for n in 10 20; do
    printf '#!/bin/sh\necho "%s-$1" >>%s/order\n' $n "$T" >"$T/hooks.d/$n"
    chmod +x "$T/hooks.d/$n"
  done
  cp "$T/hooks.d/10" "$T/hooks.d/15.bak"
  : >"$T/order"
  expect 0 --hook="$T/hooks.d" "$M/src" "$M/e"
  same 'order of a directory' '10-freeze 20-freeze 20-thaw 10-thaw ' "$(tr '\n' ' ' <"$T/order")"
  # what has frozen there must thaw, and what has not need not
  printf '#!/bin/sh\necho "20-$1" >>%s/order\nexit 64\n' "$T" >"$T/hooks.d/20"
  in_order() { # in_order WHAT STATUS CALLS
    : >"$T/order"
    expect "$2" --hook="$T/hooks.d" "$M/src" "$M/o"
    same "$1: calls" "$3" "$(tr '\n' ' ' <"$T/order")"
    [ "$2" != 6 ] || expect 0 --recover --hook=true "$M/o"
    rm -f "$M/o"
    no_leftovers "$M"
  }
  in_order 'a hook that understands nothing' 5 '10-freeze 20-freeze 20-thaw 10-thaw '
  cp "$T/hooks.d/10" "$T/hooks.d/30"
  in_order 'and one after it' 5 '10-freeze 20-freeze 10-thaw 20-thaw 10-thaw '
  rm "$T/hooks.d/30"
  printf '#!/bin/sh\necho "10-$1" >>%s/order\n[ $1 = freeze ]\n' "$T" >"$T/hooks.d/10"
  in_order 'and a thaw that fails before it' 6 '10-freeze 20-freeze 20-thaw 10-thaw '
  printf '#!/bin/sh\necho "10-$1" >>%s/order\n[ $1 = freeze ] || exit 64\n' "$T" >"$T/hooks.d/10"
  in_order 'or one that says the same' 6 '10-freeze 20-freeze 20-thaw 10-thaw '
  printf '#!/bin/sh\necho "10-$1" >>%s/order\n' "$T" >"$T/hooks.d/10"
  printf '#!/nosuch/interpreter\n' >"$T/hooks.d/20"
  in_order 'a hook that cannot be started' 5 '10-freeze 10-thaw '
  printf '#!/bin/sh\necho "20-$1" >>%s/order\nrm "$0"\n' "$T" >"$T/hooks.d/20"
  in_order 'a hook that is gone before its thaw' 6 '10-freeze 20-freeze 10-thaw '
  printf '#!/bin/sh\necho "10-$1" >>%s/order\nchmod -x "$0"\n' "$T" >"$T/hooks.d/10"
  in_order 'one that may not be run any more' 6 '10-freeze '
  # one that will not end, one that is killed, one that closes everything
  printf '#!/bin/sh\n[ $1 = thaw ] || { trap "" TERM; "%s" "$@"; while :; do sleep 0.1; done; }\nexec "%s" "$@"\n' "$hook" "$hook" >"$T/deaf-hook"
  printf '#!/bin/sh\n"%s" "$@"\n[ $1 = thaw ] || kill -9 $$\n' "$hook" >"$T/dying-hook"
  printf '#!/bin/sh\nexec 0<&- 1>&- 2>&-\nexec "%s" "$@"\n' "$hook" >"$T/closing-hook"
  chmod +x "$T"/*-hook
  SECONDS=0
  hooked 5 'freeze thaw:failed ' --hook-timeout=300ms --hook="$T/deaf-hook" "$M/src" "$M/e"
  check 'a hook that ignores SIGTERM is not waited for' test $SECONDS -lt 10
  hooked 5 'freeze thaw:failed ' --hook="$T/dying-hook" "$M/src" "$M/e"
  says 'signal'
  hooked 0 'freeze thaw:ok ' --hook="$T/closing-hook" "$M/src" "$M/e"
  # a gigabyte of output goes where standard error goes
  printf '#!/bin/sh\nhead -c 1G /dev/zero\nexec "%s" "$@"\n' "$hook" >"$T/talking-hook"
  chmod +x "$T/talking-hook"
  : >"$HOOK_LOG"
  "$LULLCP" --hook="$T/talking-hook" "$M/src" "$M/e" 2>/dev/null
  same 'a hook that talks: status' 0 $?
  same 'a hook that talks: calls' 'freeze thaw:ok ' "$(calls)"
  # what a hook leaves running or writes must not hold us up
  printf '#!/bin/sh\nsleep 600 >/dev/null 2>&1 &\necho $! >>%s/daemons\nhead -c 5000000 /dev/zero\nexec %s "$@"\n' "$T" "$hook" >"$T/odd-hook"
  chmod +x "$T/odd-hook"
  hooked 0 'freeze thaw:ok ' --hook="$T/odd-hook" "$M/src" "$M/e"
  for daemon in $(cat "$T/daemons"); do
    check 'a daemon of the hook is not waited for' kill "$daemon"
  done
  rm "$T/daemons"
  no_leftovers "$M"
  fs_unmount "$M"
done
finish
