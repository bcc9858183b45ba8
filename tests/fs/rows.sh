#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Rows: which generations the rules keep, what --dry-run says about that in advance, and what each costs
# according to --list.
. "$(dirname "$0")/../lib.sh"
fs_test
export TZ=CET-1CEST,M3.5.0,M10.5.0/3

patch() { scribble "$1" 4096 "$2"; }
record() { echo "${1%/*}/.${1##*/}.lullcp-generations"; }
# redate DEST DATE...: sets the dates in the record of generations, oldest first
redate() {
  local r
  r=$(record "$1")
  shift
  local t seconds=()
  for t in "$@"; do seconds+=("$(date -d "$t" +%s)"); done
  awk -v times="${seconds[*]}" 'BEGIN { split(times, t, " ") }
    /"created_ns":/ { sub(/[0-9]+/, t[++n] "000000000") } { print }' "$r" >"$T/record"
  cat "$T/record" >"$r"
}
names() { jq -r '.generations[].name' "$(record "$1")"; }
# listed DEST KEY: of each generation
listed() { "$LULLCP" --json --list "$1" | jq -rs "[.[] | select(.type == \"generation\") | .$2 | tostring] | join(\" \")"; }
make() { # make DEST N: that many, with a row that keeps all
  local i
  for ((i = 0; i < $2; i++)); do expect 0 --keep=1000 "$M/src" "$1"; done
}

for kind in xfs btrfs; do
  fs_mount "$kind"
  note "$kind"
  fragmented "$M/src" 400 -h 5
  mkdir "$M/b"
  D=$M/b/img

  # rules: by local time, the latest of each period, and the newest
  make "$D" 9
  mapfile -t g < <(names "$D")
  redate "$D" '2025-05-01 10:00' '2025-05-10 10:00' '2025-05-11 23:50' '2025-05-12 00:10' \
    '2025-05-12 09:00' '2025-05-13 00:05' '2025-05-13 23:55' '2025-05-14 00:05' '2025-05-14 00:10'
  expect 0 --json --keep=daily:3,weekly:2,monthly:1 --list "$D"
  same 'which rule keeps each' ';;weekly;;daily;;daily;;daily,weekly,monthly,newest;' \
    "$(jq -r '.kept_by | join(",")' "$T/out" | tr '\n' ';')"
  same 'by UTC it would be others' ';;;daily,weekly;;daily;;;daily,weekly,monthly,newest;' \
    "$(TZ=UTC0 "$LULLCP" --json --keep=daily:3,weekly:2,monthly:1 --list "$D" | jq -r '.kept_by | join(",")' | tr '\n' ';')"
  expect 0 --keep=daily:3,weekly:2,monthly:1 --list "$D"
  check 'for people' grep -q "$D.*weekly$" "$T/out"
  same 'that go' 5 "$(grep -c 'nothing: it goes' "$T/out")"

  # what it says before is what it does
  find "$M/b" -printf '%P %i %s %C@\n' | sort >"$T/before"
  expect 0 --json --dry-run --keep=daily:3,weekly:2 "$M/src" "$D"
  cp "$T/out" "$T/said"
  same 'a dry run changes nothing' '' "$(find "$M/b" -printf '%P %i %s %C@\n' | sort | diff "$T/before" - 2>&1)"
  used=$(jq -r 'select(.fate == "use up").name' "$T/said")
  same 'one is used up: the oldest that goes' "${g[0]}" "$used"
  inode=$(stat -c %i "$M/b/$used")
  jq -r 'select(.fate == "keep").name' "$T/said" >"$T/stay"
  expect 0 --dry-run --keep=daily:3,weekly:2 "$M/src" "$D"
  check 'in words' grep -q "^would use up '$M/b/$used'$" "$T/out"
  check 'and in words what it makes' grep -q "^would make '$D\.2" "$T/out"
  same 'what it removes' "$(jq -r 'select(.fate == "remove").name' "$T/said" | wc -l)" "$(grep -c '^would remove' "$T/out")"
  patch "$M/src" 7
  expect 0 -v --keep=daily:3,weekly:2 "$M/src" "$D"
  same 'those that stay' "$(cat "$T/stay")" "$(names "$D" | sed '$d')"
  same 'the new one is the used up' "$inode" "$(stat -c %i "$M/b/$(names "$D" | tail -1)")"
  check 'and the source' cmp "$M/src" "$M/b/$(names "$D" | tail -1)"
  same 'and no others are there' "$(names "$D" | sort)" "$(cd "$M/b" && printf '%s\n' img.*)"
  same 'the record knows the rules' '{"daily":3,"weekly":2}' "$(jq -c .keep "$(record "$D")")"
  same 'and --list goes by them' daily,weekly,newest \
    "$("$LULLCP" --json --list "$D" | jq -rs '.[-1].kept_by | join(",")')"

  # the newest is never used up: if the one that is made is lost, it is still there
  E=$M/b/day
  make "$E" 1
  newest=$(names "$E")
  sum=$(b2sum <"$M/b/$newest")
  patch "$M/src" 8
  expect 0 --json --dry-run --keep=daily:7 "$M/src" "$E"
  same 'the newest of its day goes, after' remove "$(jq -r "select(.name == \"$newest\").fate" "$T/out" | head -1)"
  "$LULLCP" --duty-cycle=1 --latency-budget=20us --keep=daily:7 "$M/src" "$E" 2>"$T/err" &
  pid=$!
  soon test -s "$M/b/.day.lullcp-part"
  sleep 0.1
  kill -KILL $pid
  wait $pid 2>/dev/null
  same 'it is whole meanwhile' "$sum" "$(b2sum <"$M/b/$newest")"
  expect 0 --resume --keep=daily:7 "$M/src" "$E"
  same 'and gone in the end' 1 "$(names "$E" | wc -l)"

  # a run over midnight belongs to the day on which it began
  expect 0 --keep=daily:7 "$M/src" "$M/b/night"
  same 'the record has the date of the name' \
    "$(names "$M/b/night" | sed 's/.*\.\(....\)\(..\)\(..\)T\(..\)\(..\)\(..\)Z.*/\1-\2-\3 \4:\5:\6/')" \
    "$(date -u -d "@$(jq '.generations[0].created_ns / 1000000000 | floor' "$(record "$M/b/night")")" '+%F %T')"

  # what each costs
  C=$M/b/cost
  fragmented "$M/own" 400 -h 5
  expect 0 --keep=5 "$M/own" "$C"
  same 'all is shared with the source' 0 "$(listed "$C" bytes_own)"
  same 'nothing was before' null "$(listed "$C" bytes_changed)"
  for i in 11 21 31; do patch "$M/own" $i; done
  sync -f "$M"
  same 'what the source lacks now' 12288 "$(listed "$C" bytes_own)"
  expect 0 --keep=5 "$M/own" "$C"
  same 'of each' '12288 0' "$(listed "$C" bytes_own)"
  same 'since the one before' 'null 12288' "$(listed "$C" bytes_changed)"
  same 'sizes' "$(stat -c %s "$M/own") $(stat -c %s "$M/own")" "$(listed "$C" size)"
  truncate -s +8M "$M/own"
  expect 0 --keep=5 "$M/own" "$C"
  same 'a hole at the end costs nothing' 'null 12288 0' "$(listed "$C" bytes_changed)"
  same 'quick' 'null null null' \
    "$("$LULLCP" --json --list=quick "$C" | jq -rs '[.[].bytes_own | tostring] | join(" ")')"
  expect 0 --list "$C"
  check 'the total' grep -q '^3 generations, 12 KiB that only one of them holds$' "$T/out"
  rm "$M/b/$(names "$C" | head -1)"
  same 'what is gone is not listed' 2 "$(listed "$C" name | wc -w)"
  (cd "$M/b" && expect 0 --list cost && check 'a name as it was given' grep -q '^cost\.2' "$T/out")

  # a generation is called by its row and a date, or the latest, where files are named
  mapfile -t g < <(names "$C")
  last=$M/b/${g[-1]} before=$M/b/${g[-2]}
  patch "$M/own" 41
  for name in "$C.latest" "$last"; do
    expect 4 --json --diff "$name" "$M/own"
    same 'the latest against the source' '167936 4096' "$(jq -r 'select(.type == "range") | "\(.offset) \(.length)"' "$T/out")"
  done
  expect 4 --diff "$before" "$C.latest"
  expect 0 --diff "$C.latest" "$last"
  expect 1 --diff "$C.2" "$M/own"
  says "${g[-1]#cost.}"
  expect 1 --diff "$M/b/none.latest" "$M/own"
  says 'none.latest'
  "$LULLCP" --export --base="$before" "$C.latest" 2>"$T/err" >"$T/stream" || bad 'export of the latest'
  expect_apply() { "$LULLCP" --apply --base="$before" "$M/applied" <"$T/stream" 2>"$T/err"; }
  check 'applied' expect_apply
  check 'it is the latest' cmp "$last" "$M/applied"
  expect 0 --restore --no-undo "$C.latest" "$M/own"
  check 'restored' cmp "$last" "$M/own"

  # operands in the wrong order, a sidecar, another file system: nothing is made or changed
  ls -lA --time-style=full-iso "$M/b" >"$T/before"
  for target in "$C.latest" "$last" "$C.2"; do
    expect 1 --restore "$M/own" "$target"
    says "is the name of a generation of '$C'"
  done
  # a file that is there, and no generation, is what its name says
  cp --reflink=always "$M/own" "$C.2"
  expect 0 --restore --no-undo "$C.latest" "$C.2"
  rm "$C.2"
  touch "$M/.own.lullcp-sidecar"
  expect 1 --restore "$C.latest" "$M/own"
  says 'may hold newer writes of it'
  check_not 'no undo' test -e "$M/own.before-restore"
  expect 0 -f --no-undo --restore "$C.latest" "$M/own"
  rm "$M/.own.lullcp-sidecar"
  cp "$M/own" "$T/elsewhere"
  scribble "$M/own" 4096 3
  expect 1 --restore "$T/elsewhere" "$M/own"
  check_not 'no undo of a restore that failed' test -e "$M/own.before-restore"
  expect 1 --dry-run --keep=2 "$T/elsewhere" "$C"
  says 'must be on'
  same 'the row is as it was' '' "$(ls -lA --time-style=full-iso "$M/b" | diff "$T/before" -)"

  # a night that was cut off goes on under its date, unless the source has changed: then it is of now
  N=$M/b/cut
  for changed in no yes; do
    "$LULLCP" --duty-cycle=1 --latency-budget=50us --checkpoint-interval=0 --keep=3 "$M/own" "$N" 2>"$T/err" &
    pid=$!
    soon is_begun "$M/b/.cut.lullcp"
    kill -TERM $pid
    wait $pid
    same "$changed: cut off" 143 $?
    was=$(jq -r .destination.path "$M/b/.cut.lullcp")
    sleep 1.1
    [ $changed = no ] || scribble "$M/own" 4096 $((RANDOM % 100))
    expect 0 --resume --keep=3 "$M/own" "$N"
    now=$M/b/$(names "$N" | tail -1)
    check "$changed: whole" cmp "$M/own" "$now"
    same "$changed: under the name" "$changed" "$([ "$was" = "$now" ] && echo no || echo yes)"
  done

  # one that cannot be used up does not matter if the next one can
  P=$M/b/pinned
  make "$P" 3
  ln "$M/b/$(names "$P" | head -1)" "$M/b/other"
  expect 0 --keep=2 "$M/src" "$P"
  check_not 'no warning of a clone in full' grep -q 'in full' "$T/err"

  # a row carried to a row: the dates are those of the other end, the base is called by one
  mkdir "$M/r"
  W=$M/b/web
  for i in 1 2 3 4 5; do
    patch "$M/own" $((50 + i))
    base=() there=()
    [ $i = 1 ] || base=(--base="$W.latest") there=(--base=latest)
    older=$([ $i = 1 ] || names "$W" | tail -1)
    expect 0 --keep=2 "$M/own" "$W"
    newer=$(names "$W" | tail -1)
    [ $i = 1 ] || base=(--base="$M/b/$older")
    "$LULLCP" --export "${base[@]}" "$W.latest" 2>"$T/err" |
      "$LULLCP" --apply --keep=2 "${there[@]}" "$M/r/web" 2>>"$T/err"
    same "$i: carried" '0 0' "${PIPESTATUS[*]}"
    check "$i: under its name" cmp "$M/b/$newer" "$M/r/$newer"
    sleep 1.1
  done
  # a stream that breaks off costs no generation, and can be sent again
  patch "$M/own" 70
  older=$(names "$W" | tail -1)
  expect 0 --keep=2 "$M/own" "$W"
  "$LULLCP" --export --base="$M/b/$older" "$W.latest" >"$T/stream"
  sum=$(cd "$M/r" && b2sum web.2*)
  for i in 1 2 3; do
    head -c 3000 "$T/stream" | "$LULLCP" --apply --keep=2 --base=latest "$M/r/web" 2>"$T/err"
    says 'Nothing was changed'
    same 'the row' "$sum" "$(cd "$M/r" && b2sum web.2*)"
  done
  "$LULLCP" --apply --keep=2 --base=latest "$M/r/web" <"$T/stream" 2>"$T/err" || bad 'sent again'
  same 'rows of two' "$(names "$W")" "$(names "$M/r/web")"
  same 'whole' "$(cd "$M/b" && b2sum web.2*)" "$(cd "$M/r" && b2sum web.2*)"
  same 'of the same dates' "$(jq '.generations[].created_ns' "$(record "$W")")" \
    "$(jq '.generations[].created_ns' "$(record "$M/r/web")")"
  same 'and nothing else' 3 "$(find "$M/r" -type f | wc -l)"

  # names that are longer than a terminal is wide: the date stays, and no line is broken
  L=$M/b/$(printf 'long%.0s' {1..20})
  make "$L" 2
  script -qec "stty cols 80; '$LULLCP' --keep=last:1,hourly:1,daily:2,weekly:2,monthly:1,yearly:1 --list '$L'" /dev/null </dev/null | tr -d '\r' >"$T/shown"
  same 'two of them' 2 "$(grep -cE '^\.\.\.(long|ong|ng|g)*\.2[0-9]{7}T[0-9]{6}Z(-1)? ' "$T/shown")"
  same 'the rules, whole' 'last, hourly, daily, weekly, monthly, yearly' "$(sed '1,2d; $d' "$T/shown" | cut -c 65- | xargs)"
  same 'no line is broken' '' "$(awk 'length > 80' "$T/shown")"
  script -qec "stty cols 40; '$LULLCP' --keep=last:1,hourly:1,daily:2,weekly:2,monthly:1,yearly:1 --list '$L'" /dev/null </dev/null | tr -d '\r' >"$T/shown"
  same 'at 40: the names, whole' 2 "$(grep -c "^$L\.2" "$T/shown")"
  check 'at 40: the rules, whole' grep -q 'kept by last, hourly, daily, weekly, monthly, yearly 2 gen' <<<"$(tr -s '\n ' ' ' <"$T/shown")"
  same 'at 40: no line is broken' '' "$(awk -v name="$L" 'index($0, name) != 1 && length > 40' "$T/shown")"
  script -qec "stty cols 200; '$LULLCP' --list '$L'" /dev/null </dev/null | tr -d '\r' >"$T/shown"
  same 'where there is room' 2 "$(grep -c "^$L\.2" "$T/shown")"
  expect 0 --list "$L"
  same 'whole, where it is no terminal' 2 "$(grep -c "^$L\.2" "$T/out")"

  # a generation by its row, wherever a file is asked for; one of that very name comes first
  N=$M/b/named
  make "$N" 2
  mapfile -t g < <(names "$N")
  expect 0 --verify "$N.latest" "$M/b/${g[1]}"
  expect 0 --verify "$M/b/${g[0]}" "$N.${g[0]#named.}"
  expect 0 "$N.latest" "$M/from-latest"
  check 'a clone of the latest' cmp "$M/b/${g[1]}" "$M/from-latest"
  mkdir "$M/into"
  expect 0 "$N.latest" "$N.${g[0]#named.}" "$M/into"
  same 'under their names' "$(printf '%s\n' "${g[@]}" | xargs)" "$(find "$M/into" -type f -printf '%f\n' | sort | xargs)"
  echo mine >"$N.latest"
  expect 0 "$N.latest" "$M/mine"
  same 'a file of that name' mine "$(cat "$M/mine")"
  rm "$N.latest"
  expect 1 --verify "$N.2" "$M/src"
  says 'is the beginning of several generations'
  expect 1 "$N.2" "$M/several"
  says 'is the beginning of several generations'
  check_not 'nothing was made' test -e "$M/several"
  expect 1 "$N.1999" "$M/several"
  same 'as cp says it' "lullcp: cannot stat '$N.1999': No such file or directory" "$(cat "$T/err")"
  expect 1 --discard "$N.latest"
  says 'No such file'
  expect 1 --discard "$N.2"
  says 'is the beginning of several generations'
  same 'both are there' 2 "$(find "$M/b" -name 'named.2*' | wc -l)"
  chmod 666 "$(record "$N")"
  expect 1 "$N.latest" "$M/several"
  says "'$(record "$N")' is not to be trusted"
  chmod 600 "$(record "$N")"
  expect 0 --discard "$M/b/${g[0]}"
  same 'one is gone' "${g[1]}" "$(find "$M/b" -name 'named.2*' -printf '%f')"
  expect 0 --discard "$N.${g[1]:6:8}"
  check_not 'by a date' test -e "$M/b/${g[1]}"

  # a complete date means one generation, and none of the same second once that is gone: the same
  # command again, also after it was killed, removes no other
  S=$M/b/second
  while :; do
    rm -f "$S".2* "$(record "$S")"
    make "$S" 2
    mapfile -t g < <(names "$S")
    [ "${g[1]}" != "${g[0]}-1" ] || break
  done
  mv "$M/b/${g[0]}" "$M/b/.${g[0]}.lullcp-discard"
  expect 0 --discard "$M/b/${g[0]}"
  check 'another of that second' test -e "$M/b/${g[1]}"
  check_not 'what a killed run has left' test -e "$M/b/.${g[0]}.lullcp-discard"
  expect 1 --discard "$M/b/${g[0]}"
  says "cannot remove '$M/b/${g[0]}': No such file or directory"
  check 'nor by the command once more' test -e "$M/b/${g[1]}"
  cp --reflink=always "$M/src" "$M/rolled"
  for name in "$M/b/${g[0]}" "$S.${g[0]#second.}"; do
    expect 1 --restore --no-undo "$name" "$M/rolled"
    expect 1 --verify "$name" "$M/src"
    expect 1 "$name" "$M/b/from-gone"
  done

  # --status of a row of which nothing is at work
  expect 0 --status "$C"
  check 'says so' grep -q '^no clone of it is at work or interrupted$' "$T/out"
  same 'and lists it' 2 "$(grep -c "^$C\.2" "$T/out")"
  expect 0 --json --status "$C"
  same 'for programs' "$(names "$C" | sed 1d)" "$(jq -r 'select(.type == "generation").name' "$T/out")"
  expect 1 --recover "$C"

  # no row, and one that is not to be believed
  expect 1 --list "$M/b/none"
  says "--keep has made no clones of the name '$M/b/none'"
  expect 1 --list "$M/b/none/none"
  chmod 666 "$(record "$C")"
  expect 1 --list "$C"
  says 'is not to be trusted'
  expect 1 --dry-run --keep=2 "$M/src" "$C"
  says 'is not to be trusted'
  for how in "--restore latest $C" "--restore $C.latest $M/own" "--diff $C.latest $M/own" "--export --base=$C.latest $M/own"; do
    # shellcheck disable=SC2086
    expect 1 $how
    says "the record of generations '$(record "$C")' is not to be trusted: it belongs to another user"
  done
  chmod 600 "$(record "$C")"
  # one that would lie in a private directory
  mkdir "$M/open"
  chmod 777 "$M/open"
  STATE_DIRECTORY=$T/nothing expect 1 --list "$M/open/img"
  says "--keep has made no clones of the name '$M/open/img'"
  mkdir -p "$T/others" && chmod 777 "$T/others"
  for how in "--list $M/open/img" "--restore latest $M/open/img" "--diff $M/open/img.latest $M/own"; do
    # shellcheck disable=SC2086
    STATE_DIRECTORY=$T/others expect 1 $how
    says "cannot be used for the record of generations"
  done
  expect 0 --dry-run --keep=2 "$M/src" "$M/b/none"
  same 'a row that begins' 1 "$(grep -c '^would make' "$T/out")"
  same 'and is not begun' '' "$(find "$M/b" -name '*none*')"
  fs_unmount "$M"
done

while read -r bad words; do
  expect 1 "--keep=$bad" a b
  says "invalid argument '$bad' for '--keep'"
  says "$words"
done <<'END'
daily:7,foo:3 'foo:3' is not a rule.
daily:7,weekly:x,yearly:1 'weekly:x' has no whole number from 1 to 1000.
daily:7,weekly 'weekly' lacks its number.
daily:7,daily:3 'daily:3' is given twice.
last:900,daily:200 'daily:200' makes more than 1000 in all.
daily:7, It has a comma with no rule beside it.
last:0 It has no whole number from 1 to 1000.
END
for bad in 0 x last:0 last:1,last:2 daily 1001 daily:600,weekly:600; do
  expect 1 "--keep=$bad" a b
  says "invalid argument '$bad' for '--keep'"
done
expect 1 --dry-run a b
says '--dry-run needs --keep'
expect 1 --list --verify a b
says "'--list' excludes '--verify'"
finish
