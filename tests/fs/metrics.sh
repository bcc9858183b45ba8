#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --metrics=FILE: it is replaced on every way out, and never shows an outdated success.
. "$(dirname "$0")/../lib.sh"
fs_test

F=$T/m.prom
value() { # value NAME[,LABEL]: of the only line, or nothing
  sed -n "s|^lullcp_$1{[^}]*${2:-}[^}]*} ||p" "$F"
}
sound() { # sound WHAT: what Prometheus says
  check "$1: promtool" promtool check metrics <"$F"
  same "$1: nothing is left" '' "$(find "$T" -maxdepth 1 -name '.m.prom.*')"
}

fs_mount xfs 1G
fragmented "$M/src" 3000
hook=$T/hook
cat >"$hook" <<'EOF'
#!/bin/sh
case $1 in freeze) exit "${FREEZE:-0}" ;; esac
exit "${THAW:-0}"
EOF
chmod +x "$hook"

note 'done'
before=$(date +%s)
(umask 077 && exec "$LULLCP" --metrics="$F" "$M/src" "$M/dst") || bad 'a clone'
sound 'done'
same 'exit status' 0 "$(value last_exit_status)"
same 'the label' "$(value last_exit_status "dest=\"$M/dst\"")" 0
same 'mode' 644 "$(stat -c %a "$F")"
success=$(value last_success_timestamp_seconds)
same 'run and success' "$success" "$(value last_run_timestamp_seconds)"
check 'it is now' awk -v a="$before" -v b="$success" 'BEGIN { exit !(b >= a && b < a + 60) }'
same 'method' 1 "$(value last_run_info 'method="quiet"')"
check 'extents' test "$(value clone_extents)" -gt 2900
same 'bytes' 12288000 "$(value clone_bytes)"
same 'not frozen' 0 "$(value freeze_seconds)"
check 'calls' test "$(value hold_seconds_count)" -gt 1
check 'quantiles' awk -v p="$(value hold_seconds 'quantile="0.5"')" -v m="$(value hold_seconds_max)" \
  'BEGIN { exit !(p > 0 && m >= p && m < 60) }'
same 'no row' '' "$(value generations)"

note 'failed'
sleep 0.01
expect 1 --metrics="$F" "$M/none" "$M/dst"
sound 'failed'
same 'failed: exit status' 1 "$(value last_exit_status)"
same 'failed: success is kept' "$success" "$(value last_success_timestamp_seconds)"
check 'failed: it ran' [ "$(value last_run_timestamp_seconds)" != "$success" ]
same 'failed: nothing of the run before' 0 "$(value clone_bytes)"
same 'failed: no method' '' "$(value last_run_info)"
expect 1 --metrics="$F" --latency-budget=nonsense "$M/src" "$M/dst"
sound 'usage'
same 'usage: exit status' 1 "$(value last_exit_status)"
same 'usage: of the same DEST' 1 "$(value last_exit_status "dest=\"$M/dst\"")"
same 'usage: success is kept' "$success" "$(value last_success_timestamp_seconds)"
FREEZE=1 expect 5 --metrics="$F" --hook="$hook" "$M/src" "$M/dst"
same 'freeze failed' 5 "$(value last_exit_status)"
THAW=1 expect 6 --metrics="$F" --hook-timeout=1s --hook="$hook" "$M/src" "$M/dst"
sound 'thaw failed'
same 'thaw failed' 6 "$(value last_exit_status)"
same 'thaw failed: success is kept' "$success" "$(value last_success_timestamp_seconds)"
FREEZE=75 expect 75 --metrics="$F" --hook="$hook" --restart "$M/src" "$M/dst"
same 'not now' 75 "$(value last_exit_status)"
expect 0 --metrics="$F" --hook="$hook" --restart "$M/src" "$M/dst"
same 'frozen' 1 "$(value last_run_info 'method="frozen"')"
check 'frozen: for how long' awk -v f="$(value freeze_seconds)" 'BEGIN { exit !(f > 0 && f < 60) }'
success=$(value last_success_timestamp_seconds)

note 'a signal'
"$LULLCP" --metrics="$F" --duty-cycle=1 --latency-budget=1ms "$M/src" "$M/slow" 2>/dev/null &
pid=$!
for ((i = 0; i < 1000; i++)); do
  [ ! -e "$M/.slow.lullcp" ] || break
  sleep 0.01
done
kill "$pid"
wait "$pid"
same 'a signal: status' 143 $?
sound 'a signal'
same 'a signal: exit status' 143 "$(value last_exit_status)"
# it was of another DEST
same 'a signal: no success' '' "$(value last_success_timestamp_seconds)"
expect 0 --metrics="$F" --resume "$M/src" "$M/slow"
same 'resumed' 0 "$(value last_exit_status)"

note 'a row'
for n in 1 2 3 3; do
  expect 0 --metrics="$F" --keep=3 "$M/src" "$M/row"
  same "a row of $n" "$n" "$(value generations)"
  same 'a row: its label' 0 "$(value last_exit_status "dest=\"$M/row\"")"
done
sound 'a row'
fragmented "$M/own" 100
expect 0 --metrics="$F" --keep=3 "$M/own" "$M/costs"
same 'a row costs nothing at first' 0 "$(value generations_own_bytes)"
scribble "$M/own" 4096 11 21
sync -f "$M"
expect 0 --metrics="$F" --keep=3 "$M/own" "$M/costs"
same 'and then what has changed' 8192 "$(value generations_own_bytes)"
sound 'what a row costs'
expect 1 --metrics="$F" --keep=3 "$M/none" "$M/row"
same 'of a row that was not looked at' '' "$(value generations_own_bytes)"
check 'a row that fails' test "$(value last_exit_status)" = 1

note 'many'
mkdir -p "$M/tree/sub" "$M/out"
fragmented "$M/tree/big" 2000
echo small >"$M/tree/sub/small"
expect 0 --metrics="$F" -r "$M/tree" "$M/src" "$M/out"
sound 'many'
same 'many: label' 0 "$(value last_exit_status "dest=\"$M/out\"")"
check 'many: bytes' test "$(value clone_bytes)" -ge 20480000
(cd "$M" && exec "$LULLCP" --metrics=m.prom src out/relative) || bad 'relative names'
check 'relative names' grep -q "dest=\"$M/out/relative\"" "$M/m.prom"

note 'names'
for name in 'a"b\c' $'line\nbreak' $'\xff\xfe' 'ümlaut'; do
  expect 0 --metrics="$F" "$M/src" "$M/$name"
  sound "names: $(printf %q "$name")"
  sleep 0.01
  expect 1 --metrics="$F" "$M/none" "$M/$name"
  check "names: $(printf %q "$name"): success is kept" [ -n "$(value last_success_timestamp_seconds)" ]
done

note 'FILE'
expect 1 --metrics="$M/no/such/dir.prom" "$M/src" "$M/not-begun"
check 'no directory: said' grep -q 'cannot write metrics' "$T/err"
check 'no directory: nothing is begun' test ! -e "$M/not-begun"
# what is something else is not replaced, and nothing is begun
echo mine >"$T/victim"
ln -s "$T/victim" "$T/link.prom"
mkfifo "$T/fifo.prom"
mkdir "$T/dir.prom"
cp "$M/src" "$T/sum"
for file in "$T/victim" "$T/link.prom" "$T/fifo.prom" "$T/dir.prom" "$M/src" /dev/stdout /dev/null; do
  before=$(stat -c '%i %F' "$file")
  timeout 20 "$LULLCP" --metrics="$file" "$M/src" "$M/not-begun" 2>"$T/err"
  same "$file: status" 1 $?
  says 'no metrics file'
  same "$file is what it was" "$before" "$(stat -c '%i %F' "$file")"
  check_not "$file: nothing is begun" test -e "$M/not-begun"
done
same 'its contents' mine "$(cat "$T/victim")"
check 'SOURCE' cmp "$M/src" "$T/sum"
expect 1 --metrics="$M/same" "$M/src" "$M/same"
says 'no metrics file'
check 'DEST as FILE: the clone is there' cmp "$M/src" "$M/same"
: >"$T/empty.prom"
expect 0 --metrics="$T/empty.prom" "$M/src" "$M/dst"
check 'an empty file' grep -q lullcp_last_run "$T/empty.prom"
expect 1 --metrics="$F" --verify "$M/src" "$M/dst"
check 'only for clones' grep -q 'excludes' "$T/err"
fs_unmount "$M"

note 'alerts'
rules=$(cd "$(dirname "$0")" && pwd)/../../monitoring
check 'they fire when they should' promtool test rules "$rules/lullcp.rules.test.yml"
check 'the dashboard is JSON' jq -e '.panels | length > 4' "$rules/lullcp-grafana.json"
for metric in $(grep -oE 'lullcp_[a-z_]+' "$rules/lullcp.rules.yml" "$rules/lullcp-grafana.json" -h | sort -u); do
  check "$metric is one that is written" grep -q "\"$metric\"" "$rules/../src/cli/metrics.c"
done
finish
