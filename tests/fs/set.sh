#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Several files at one point in time: one freeze, one checkpoint, and all of them are published or none.
# LULL_TEST_ROUNDS (8) kills at random moments for each file system. PARTS and KINDS name the parts to
# run and the file systems, by default all.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
fs_test
command -v strace >/dev/null || cannot_run 'needs strace'
export HOOK_LOG=$T/log
rounds=${LULL_TEST_ROUNDS:-8}
killed=0 survived=0 mixed=0

# The logging hook, which also writes down all of its arguments.
hook=$T/hook
printf '#!/bin/sh\necho "$*" >>"%s/argv"\nexec "%s/hook-log.sh" "$@"\n' "$T" "$here" >"$hook"
# One that stops the writer whose process $T/pid names: nothing of it is under way then.
cat >"$T/stop-hook" <<END
#!/bin/sh
pid=\$(cat "$T/pid")
if [ "\$1" = thaw ]; then kill -CONT "\$pid"; exit; fi
kill -STOP "\$pid"
while ! grep -q '^State:.T' "/proc/\$pid/status"; do sleep 0.01; done
END
# One that lies: the file that $T/victim names is written to all the time.
cat >"$T/bad-hook" <<END
#!/bin/sh
"$hook" "\$@"
if [ "\$1" = thaw ]; then kill "\$(cat "$T/liar")" 2>/dev/null; exit 0; fi
(sleep 0.1; while :; do
  dd if=/dev/urandom of="\$(cat "$T/victim")" bs=4k count=1 seek=7 conv=notrunc 2>/dev/null
  sleep 0.02
done) >/dev/null 2>&1 &
echo \$! >"$T/liar"
END
chmod +x "$hook" "$T/stop-hook" "$T/bad-hook"

calls() { awk '/^(freeze|thaw) /{ printf "%s%s ", $1, ($4 ~ /^(ok|failed|interrupted)$/ ? ":" $4 : "") }' "$HOOK_LOG" 2>/dev/null; }
hooked() { # hooked STATUS CALLS ARG...: with the logging hook, unless it names another
  local want=$1 calls=$2
  shift 2
  : >"$HOOK_LOG"
  : >"$T/argv"
  expect "$want" "$@"
  same "hook calls of lullcp $*" "$calls" "$(calls)"
}
fields() { jq -r "select(.type == \"summary\") | .$1" "$T/out" | xargs; } # of all summaries
sum() { b2sum "$@" | cut -d' ' -f1 | xargs; }
old_ones() { # older copies, to be kept or replaced as one
  rm -rf "$M/d"
  mkdir "$M/d"
  for name in a b c; do echo "old $name" >"$M/d/$name"; done
}
none_new() { same "$1: none is published" 'old a old b old c' "$(cat "$M/d/a" "$M/d/b" "$M/d/c" | xargs)"; }
all_new() { # all_new WHAT
  same "$1: all are clones" "$(sum "$M/a" "$M/b" "$M/c")" "$(sum "$M/d/a" "$M/d/b" "$M/d/c")"
  no_leftovers "$M/d"
}
interrupt() { # interrupt ARG...: once a checkpoint says that the first has come somewhere
  local pid
  "$LULLCP" --duty-cycle=2 --checkpoint-interval=20ms "$@" "$M/a" "$M/b" "$M/c" "$M/d" 2>"$T/err" &
  pid=$!
  for _ in $(seq 300); do
    [ "$("$LULLCP" --status --json "$M/d/a" 2>/dev/null | head -n 1 | jq .offset)" -gt 0 ] 2>/dev/null && break
    sleep 0.02
  done
  kill -TERM $pid
  wait $pid
  same 'interrupted' 143 $?
}
quiet() { # until nobody is at work any more
  for _ in $(seq 200); do
    case $("$LULLCP" --status "$M/d/b" 2>/dev/null) in *'at work now'*) sleep 0.02 ;; *) return ;; esac
  done
  bad 'the keeper does not end'
}

one_freeze() {
  local all="$M/a $M/b $M/c" how
  for how in "$M/a $M/b $M/c $M/d" "-t $M/d $M/a $M/b $M/c" "-j2 $M/a $M/b $M/c $M/d" "-a -j 8 $M/a $M/b $M/c $M/d"; do
    old_ones
    # shellcheck disable=SC2086 # words
    hooked 0 'freeze thaw:ok ' --json --hook="$hook" $how
    all_new "$how"
    same 'one call has all sources' "freeze $all thaw $all" "$(xargs <"$T/argv")"
    same 'a summary each, in order' "$all" "$(fields source)"
    same 'method' 'frozen frozen frozen' "$(fields method)"
    same 'one run' "$(awk '/^freeze/{print $2}' "$HOOK_LOG")" "$(fields run_id | tr ' ' '\n' | sort -u)"
    same 'one freeze' 1 "$(fields freeze_ns | tr ' ' '\n' | sort -u | wc -l)"
    check 'which took its time' test "$(fields freeze_ns | cut -d' ' -f1)" -gt 0
  done
  old_ones
  hooked 0 'freeze thaw:ok ' --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
  silent
  hooked 0 'freeze thaw:ok ' --summary -j3 --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
  same 'the output is in order' "a b c" "$(sed -n "s,^'.*/\(.\)' -> .*,\1,p" "$T/out" | xargs)"
  # permissions as of a clone alone: those of the file that was there, or of the source
  chmod 640 "$M/d/a"
  rm "$M/d/b"
  hooked 0 'freeze thaw:ok ' --hook="$hook" "$M/a" "$M/b" "$M/d"
  same 'permissions' "640 $(stat -c %a "$M/b")" "$(stat -c %a "$M/d/a" "$M/d/b" | xargs)"
}

one_moment() {
  local how before
  rm -f "$T/acked"
  truncate -s 8M "$M/w1" "$M/w2"
  "$TOOLS/nbd" files "$M/w1,$M/w2" "$SEED" "$T/acked" 2>"$T/writer.err" &
  echo $! >"$T/pid"
  while [ "$("$TOOLS/nbd" acked "$T/acked" 2>/dev/null || echo 0)" -lt 3000 ]; do sleep 0.02; done
  for how in '' '-j2' '--live -j2' '--live --max-freeze=30s' '--reflink=never'; do
    before=$("$TOOLS/nbd" acked "$T/acked")
    # shellcheck disable=SC2086
    expect 0 $how --hook="$T/stop-hook" "$M/w1" "$M/w2" "$M/d"
    check "one moment, $how" \
      "$TOOLS/nbd" check "$M/d/w1,$M/d/w2" "$SEED" "$before" "$("$TOOLS/nbd" acked "$T/acked")"
    no_leftovers "$M/d"
  done
  # and that this would show: two clones by themselves
  "$LULLCP" --hook="$T/stop-hook" "$M/w1" "$M/d/w1"
  sleep 0.1
  "$LULLCP" --hook="$T/stop-hook" "$M/w2" "$M/d/w2"
  check_not 'two moments are noticed' "$TOOLS/nbd" check "$M/d/w1,$M/d/w2" "$SEED"
  kill "$(cat "$T/pid")"
  wait "$(cat "$T/pid")"
  same 'the writer found all its writes' 0 $?
  rm -f "$M/w1" "$M/w2"
}

all_or_none() {
  local victim
  for victim in a c; do
    old_ones
    echo "$M/$victim" >"$T/victim"
    cp --reflink=always "$M/$victim" "$M/first"
    # c is cloned long before it is written to: nothing but the comparison at the end tells
    hooked 8 'freeze thaw:failed ' --duty-cycle=5 --hook="$T/bad-hook" "$M/c" "$M/b" "$M/a" "$M/d"
    says "$M/$victim' was written to while it was frozen"
    same 'told once' 1 "$(grep -c 'lullcp: ' "$T/err")"
    none_new "$victim was written to"
    hooked 0 'freeze thaw:ok ' --resume --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
    all_new "after $victim was written to"
    cp --reflink=always "$M/first" "$M/$victim"
  done
  old_ones
  hooked 5 'freeze thaw:failed ' --hook="env HOOK_FREEZE_EXIT=9 $hook" "$M/a" "$M/b" "$M/c" "$M/d"
  none_new 'the hook failed'
  no_leftovers "$M/d"
  hooked 75 'freeze thaw:failed ' --json --hook="env HOOK_FREEZE_EXIT=75 $hook" "$M/a" "$M/b" "$M/c" "$M/d"
  same 'the same end for all' 'skipped skipped skipped' "$(fields result)"
  same 'one error' 1 "$(jq -r 'select(.type == "error") | .type' "$T/out" | wc -l)"
  no_leftovers "$M/d"
  hooked 1 '' --hook="$hook" "$M/a" "$M/b" "$M/nosuch" "$M/d"
  none_new 'one is missing'
  hooked 3 'freeze thaw:interrupted ' --duty-cycle=1 --max-freeze=500ms --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
  says '--max-freeze is over'
  none_new '--max-freeze'
  # the copy of the second does not fit
  mkdir -p "$T/small"
  mount -t tmpfs -o size=9m tmpfs "$T/small"
  echo old >"$T/small/a"
  hooked 1 'freeze thaw:failed ' --reflink=never --hook="$hook" "$M/a" "$M/b" "$T/small"
  says 'No space left on device'
  same 'a full disk: none is published' 'a' "$(ls -A "$T/small")"
  same 'a full disk: the old one' old "$(cat "$T/small/a")"
  umount "$T/small"
  # thaw fails: published, 6, and --recover by any of them
  hooked 6 'freeze thaw:ok ' --restart --hook="env HOOK_THAW_EXIT=7 $hook" "$M/a" "$M/b" "$M/c" "$M/d"
  same 'published' "$(sum "$M/a" "$M/b" "$M/c")" "$(sum "$M/d/a" "$M/d/b" "$M/d/c")"
  hooked 0 'thaw:interrupted ' --recover --hook="$hook" "$M/d/b"
  same 'all are thawed' "thaw $M/a $M/b $M/c" "$(cat "$T/argv")"
  no_leftovers "$M/d"
}

refusals() {
  local before
  old_ones
  before=$(ls -lAR --full-time "$M/d")
  mkdir -p "$M/dir/sub" "$M/other"
  echo x >"$M/dir/x"
  cp --reflink=always "$M/a" "$M/other/b"
  hooked 1 '' -r --hook="$hook" "$M/dir" "$M/d"
  says "cannot freeze the writers of '$M/dir': --hook takes regular files"
  hooked 1 '' -r --hook="$hook" "$M/a" "$M/dir" "$M/d"
  says "cannot freeze the writers of '$M/dir'"
  hooked 1 '' --hook="$hook" "$M/a" "$M/b" "$M/other/b" "$M/d"
  says "will not overwrite just-created '$M/d/b' with '$M/other/b'"
  same 'refused: nothing has changed' "$before" "$(ls -lAR --full-time "$M/d")"
  ln "$M/d/b" "$M/d/b2"
  hooked 1 '' --hook="$hook" "$M/a" "$M/b" "$M/d"
  says "cannot replace '$M/d/b': it has several names"
  rm "$M/d/b2"
  none_new 'refused'
  ln "$M/b" "$M/b2"
  hooked 1 '' -a --hook="$hook" "$M/b" "$M/b2" "$M/d"
  says "cannot make '$M/d/b2' a hard link to '$M/d/b'"
  hooked 0 'freeze thaw:ok ' -a --no-preserve=links --hook="$hook" "$M/b" "$M/b2" "$M/d"
  same 'each is a clone' "1 1" "$(stat -c %h "$M/d/b" "$M/d/b2" | xargs)"
  rm "$M/b2" "$M/d/b2"
  # shellcheck disable=SC2046
  mkdir "$M/many" && (cd "$M/many" && touch $(seq 65))
  hooked 1 '' --hook="$hook" "$M/many"/* "$M/d"
  says 'takes at most 64 files'
  rm "$M/many/65"
  hooked 0 'freeze thaw:ok ' --hook="$hook" "$M/many"/* "$M/d"
  same 'sixty-four are fine' 67 "$(ls -A "$M/d" | wc -l)"
  rm -rf "$M/many" "$M/dir" "$M/other"
}

resuming() {
  local at checkpoint
  old_ones
  interrupt --hook="$hook"
  none_new 'interrupted'
  expect 0 --status "$M/d/c"
  same '--status by any of them shows all' "$M/a $M/b $M/c" "$(sed -n "s/^source: *'\(.*\)'/\1/p" "$T/out" | xargs)"
  expect 0 --status --json "$M/d/b"
  at=$(jq .offset "$T/out" | head -n 1)
  check 'it had come somewhere' test "$at" -gt 0
  same 'a line each' 3 "$(wc -l <"$T/out")"
  for checkpoint in a b c; do # nobody else goes on with a part of it
    for how in --hook="$hook" "--hook=$hook --resume" "--resume --hook=$hook -j2 $M/a"; do
      [ "$checkpoint $how" != "a --resume --hook=$hook -j2 $M/a" ] || continue
      # shellcheck disable=SC2086
      hooked 1 '' $how "$M/$checkpoint" "$M/d"
    done
    hooked 1 '' --resume "$M/$checkpoint" "$M/d/$checkpoint"
    says 'of several files'
  done
  hooked 1 '' --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
  says '--resume'
  hooked 1 '' --resume "$M/a" "$M/b" "$M/c" "$M/d"
  says 'without a hook'
  # in another order, too
  hooked 0 'freeze thaw:ok ' --resume --json --hook="$hook" "$M/b" "$M/a" "$M/c" "$M/d"
  check "resumed at $at" test "$(fields resumed_at)" = "0 $at 0"
  all_new 'resumed'
  hooked 0 'freeze thaw:ok ' --resume --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
  all_new 'nothing to resume'
  # changed since, a temporary file gone
  old_ones
  interrupt --hook="$hook"
  scribble "$M/b" 70000 3
  rm "$M/d/.a.lullcp-part"
  hooked 0 'freeze thaw:ok ' --resume --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
  says 'starting again'
  all_new 'resumed after changes'
  old_ones
  interrupt --hook="$hook"
  hooked 0 'freeze thaw:ok ' --restart --json --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
  same 'restart begins at 0' '0 0 0' "$(fields resumed_at)"
  all_new 'restarted'
  # with a checkpoint elsewhere
  old_ones
  "$LULLCP" --duty-cycle=2 --checkpoint="$T/cp" --checkpoint-interval=20ms --hook="$hook" \
    "$M/a" "$M/b" "$M/c" "$M/d" 2>"$T/err" &
  for _ in $(seq 300); do
    ! grep -qE '"offset": *[1-9]' "$T/cp" 2>/dev/null || break
    sleep 0.02
  done
  kill -TERM $!
  wait $!
  check 'it is there' test -s "$T/cp"
  check_not 'nobody takes the first for his own' "$LULLCP" --resume "$M/a" "$M/d/a"
  hooked 0 'freeze thaw:ok ' --resume --checkpoint="$T/cp" --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
  all_new 'resumed from a checkpoint elsewhere'
  check_not 'it is gone' test -e "$T/cp"
  # kept frozen
  old_ones
  : >"$HOOK_LOG"
  interrupt --keep-frozen --hook="$hook"
  same 'kept frozen: no thaw' 'freeze ' "$(calls)"
  hooked 0 'thaw:ok ' --resume "$M/a" "$M/b" "$M/c" "$M/d"
  same 'thawed with all sources' "thaw $M/a $M/b $M/c" "$(cat "$T/argv")"
  all_new 'resumed in the same freeze'
  old_ones
  interrupt --keep-frozen --hook="$hook"
  hooked 0 'thaw:interrupted ' --recover "$M/d/c"
  hooked 0 'freeze thaw:ok ' --resume --hook="$hook" -j2 "$M/a" "$M/b" "$M/c" "$M/d"
  all_new 'resumed after --recover'
  # a pointer that a crash has left behind means nothing
  echo "{\"self\": \"\", \"type\": \"pointer\", \"schema\": 2, \"checkpoint\": \"$M/d/.a.lullcp\"}" \
    >"$M/d/.b.lullcp"
  own_state "$M/d/.b.lullcp"
  expect 0 "$M/b" "$M/d/b"
  hooked 0 'freeze thaw:ok ' --hook="$hook" "$M/b" "$M/d/b"
  no_leftovers "$M/d"
}

locks() {
  local pid
  old_ones
  : >"$HOOK_LOG"
  "$LULLCP" --duty-cycle=2 --hook="$hook" "$M/a" "$M/b" "$M/d" 2>/dev/null &
  pid=$!
  soon grep -q '^freeze' "$HOOK_LOG"
  hooked 11 '' --hook="$hook" "$M/b" "$M/c" "$M/d"
  says 'another lullcp'
  hooked 11 '' --hook="$hook" "$M/c" "$M/a" "$M/d"
  hooked 11 '' --hook="$hook" "$M/b" "$M/d"
  expect 0 --status "$M/d/b"
  check 'at work' grep -q 'at work now' "$T/out"
  expect 11 --recover "$M/d/b"
  kill -TERM $pid
  wait $pid
  hooked 0 'freeze thaw:ok ' --resume --hook="$hook" "$M/a" "$M/b" "$M/d"
  # whatever the order of the command is, a is locked before b is waited for
  : >"$M/d/.b.lullcp-part"
  flock "$M/d/.b.lullcp-part" sleep 2 &
  sleep 0.3
  "$LULLCP" --lock-wait=50s --hook="$hook" "$M/b" "$M/a" "$M/d" &
  pid=$!
  sleep 0.7
  check 'one order of locks for all' test -e "$M/d/.a.lullcp-part"
  wait $pid
  same 'after the wait' 0 $?
  # many at once, in all orders, waiting for each other: nobody for ever
  wait
  local order pids=()
  for order in 'a b c' 'c b a' 'b c a' 'c a b' 'a c b' 'b a c'; do
    # shellcheck disable=SC2086
    (cd "$M" && exec timeout 60 "$LULLCP" --lock-wait=50s --hook="$hook" $order d 2>"$T/err-${order// /}") &
    pids+=($!)
  done
  for order in 'a b c' 'c b a' 'b c a' 'c a b' 'a c b' 'b a c'; do
    wait "${pids[0]}" || bad "$order among many ended with $?: $(cat "$T/err-${order// /}")"
    pids=("${pids[@]:1}")
  done
  all_new 'many at once'
  # one that has published is not over before all that points to its checkpoint is gone
  old_ones
  # the leak check of a sanitized build ends with an error under ptrace
  ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 \
    strace -qq -f -o /dev/null -P .b.lullcp -P .c.lullcp \
    -e inject=unlinkat:delay_exit=700000 \
    "$LULLCP" --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d" 2>"$T/err-abc" &
  pid=$!
  soon cmp -s "$M/c" "$M/d/c"
  check 'published, and not over' kill -0 $pid
  cd "$M" || exit 99
  expect 0 --lock-wait=50s --hook="$hook" b a c d
  expect 0 --lock-wait=50s --hook="$hook" c a b d
  cd / || exit 99
  wait $pid
  same 'the first' 0 $?
  all_new 'one after the other'
}

publishing() { # cut off between the renames, or before, or after
  local at how new want
  for how in before after; do
    for at in 1 2 3; do
      old_ones
      new=$(sum "$M/a" "$M/b" "$M/c")
      : >"$HOOK_LOG"
      RENAME_AT=$at RENAME_DO=$how LD_PRELOAD=$TOOLS/renames.so \
        "$LULLCP" --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d" 2>"$T/err"
      same "killed $how rename $at" 137 $?
      quiet
      same 'thawed before' 'freeze thaw:ok ' "$(calls)"
      want=$at
      [ $how = after ] || want=$((at - 1))
      same 'so many are new' "$want" "$(grep -aL '^old' "$M/d/a" "$M/d/b" "$M/d/c" | wc -l)"
      # the clones are those of that moment, whatever comes after
      for name in a b c; do cp --reflink=always "$M/$name" "$M/$name.then"; done
      for name in a b; do scribble "$M/$name" 9000 "$at"; done
      if [ "$how$at" != after3 ]; then
        hooked 1 '' --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
        says '--resume'
        if [ "$want" -gt 0 ]; then
          hooked 1 '' --restart --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
          says 'are already published'
          expect 0 --status "$M/d/b"
          same '--status tells which' "$want" "$(grep -c ', published' "$T/out")"
        fi
        hooked 0 '' --resume "$M/a" "$M/b" "$M/c" "$M/d"
        same "killed $how rename $at: one moment" "$new" "$(sum "$M/d/a" "$M/d/b" "$M/d/c")"
        no_leftovers "$M/d"
      fi
      hooked 0 'freeze thaw:ok ' --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
      all_new 'and once more'
    done
  done
  # a rename that fails
  old_ones
  export LD_PRELOAD=$TOOLS/renames.so RENAME_DO=fail
  RENAME_AT=1 hooked 1 'freeze thaw:ok ' --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
  none_new 'the first rename fails'
  no_leftovers "$M/d"
  RENAME_AT=2 hooked 1 'freeze thaw:ok ' --json --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
  unset LD_PRELOAD RENAME_DO
  says 'already have their names'
  same 'the second rename fails: published' 'true false false' "$(fields published)"
  same 'the second rename fails: resumable' 'true true true' "$(fields resumable)"
  hooked 0 '' --resume --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
  all_new 'the rest got its names'
  # what was whole is lost: all are made again
  old_ones
  RENAME_AT=2 RENAME_DO=before LD_PRELOAD=$TOOLS/renames.so \
    "$LULLCP" --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d" 2>"$T/err"
  quiet
  rm "$M/d/.b.lullcp-part"
  hooked 0 'freeze thaw:ok ' --resume --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
  says 'starting again'
  all_new 'after a loss'
}

killing() {
  local i victim before f t new hooks
  for i in $(seq "$rounds"); do
    before=$failures
    old_ones
    : >"$HOOK_LOG"
    : >"$T/argv"
    new=$(sum "$M/a" "$M/b" "$M/c")
    "$LULLCP" -j$((RANDOM % 3 + 1)) --duty-cycle=$((RANDOM % 60 + 40)) \
      --checkpoint-interval=$((RANDOM % 20))ms --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d" 2>/dev/null &
    victim=$!
    sleep "0.$(printf %03d $((RANDOM % 600)))"
    hooks=left
    if [ $((RANDOM % 3)) = 0 ]; then # and what it has started, the keeper in the end
      hooks=killed
      pkill -KILL -P "$(pgrep -P $victim 2>/dev/null | head -n 1)" 2>/dev/null
    fi
    kill -KILL $victim 2>/dev/null && killed=$((killed + 1))
    wait $victim 2>/dev/null
    quiet
    case "$(head -c 3 "$M/d/a") $(head -c 3 "$M/d/b") $(head -c 3 "$M/d/c")" in
      'old old old') ok ;;
      *)
        same "round $i: none or, whole, all" "$new" "$(sum "$M/d/a" "$M/d/b" "$M/d/c")"
        mixed=$((mixed + 1))
        ;;
    esac
    f=$(grep -c '^freeze' "$HOOK_LOG")
    t=$(grep -c '^thaw ' "$HOOK_LOG")
    # a freeze hook that was ended before it wrote its line is followed by a thaw as well, and a
    # thaw hook that was has to be called again, whether it wrote its line or not
    [ "$f.$t" = 0.1 ] || [ "$hooks.$f.$t" = killed.1.0 ] || [ "$hooks.$f.$t" = killed.1.2 ] ||
      same "round $i: thaws for $f freezes" "$f" "$t"
    expect 0 --resume --hook="$hook" "$M/a" "$M/b" "$M/c" "$M/d"
    [ "$f" = 0 ] || same "round $i: thawed in the end" thaw \
      "$(grep -oE '^(freeze|thaw) ' "$HOOK_LOG" | tail -n 1 | xargs)"
    all_new "round $i"
    same "round $i: each call has all sources" '' "$(grep -vE "^(freeze|thaw) $M/a $M/b $M/c\$" "$T/argv")"
    [ "$failures" != "$before" ] || survived=$((survived + 1))
  done
}

# What does not depend on the file system is tried on one.
parts_xfs='one_freeze one_moment all_or_none refusals resuming locks publishing killing'
parts_btrfs='one_moment all_or_none resuming killing'
for kind in $(kinds xfs btrfs); do
  fs_mount "$kind"
  note "$kind"
  fragmented "$M/a" 2000 -h 5
  fragmented "$M/b" 1000
  echo small >"$M/c"
  mkdir "$M/d"
  parts=parts_$kind
  for part in ${!parts}; do
    case " ${PARTS:-$part} " in *" $part "*) ;; *) continue ;; esac
    SECONDS=0
    $part
    note "$part: $SECONDS s"
  done
  fs_unmount "$M"
done
note "injected $((2 * rounds)) ($killed killed at work, $mixed published), survived $survived"
finish
