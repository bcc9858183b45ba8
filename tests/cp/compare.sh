#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs each command line of the files "cases…" with the system's cp and with lullcp, in twin
# directories. Compares the exit status, standard output, standard error and the contents of the
# directory afterwards.
#
#   compare.sh [--list] [NAME...]   the cases whose name matches one of the patterns, or all;
#                                   --list prints failures in the form of "differences"
#   compare.sh --part K/N           the Kth of each N cases, so that several parts can run in parallel
#   compare.sh --random N           N random command lines of options and operands, which
#                                   LULL_TEST_SEED repeats
#   compare.sh --self-test          breaks cp in many ways, each of which must be detected
#
# Environment: LULLCP, TOOLS (where the program snapshot is), CASES and DIFFERENCES (files
# that stand in for those beside this script: cases and cases-9.5, differences).
#
# The twins have the same path one after the other, so that absolute names agree as well.
# Both are copies of one template, which is made once for each set of fixtures and user.
# Times are compared to the nanosecond; only "now" is the same as any other "now". Access
# times are too: the file systems are mounted with noatime, so only a copy that sets them
# does.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
fs_test "$@"
. "$here/fixtures.sh"
export LC_ALL=C TOOLS
unset POSIXLY_CORRECT SIMPLE_BACKUP_SUFFIX VERSION_CONTROL
umask 022
LIMIT=10 # seconds for a command line
[ -x "$TOOLS/snapshot" ] || framework_failure "no $TOOLS/snapshot"
read -ra CASES <<<"${CASES:-$here/cases $here/cases-9.5}"
DIFFERENCES=${DIFFERENCES:-$here/differences}

# Where the case does not say the file system it is an XFS. allocsize keeps XFS from
# allocating ahead of a writer, which would blur the data maps.
declare -A place
mount_kind() { # mount_kind KIND
  local img options=loop,noatime
  [ -z "${place[$1]:-}" ] || return
  [ "$1" != xfs ] || options=$options,allocsize=4k
  place[$1]=$T/$1
  mkdir "$T/$1"
  img=$(image 1G) || exit 99
  make_fs "$img" "$1"
  mount -o "$options" "$img" "$T/$1" || cannot_run "cannot mount $1"
  rm -f "$img"
  mkdir -m 711 "$T/$1/templates"
}

for f in $(compgen -A function | grep -E '^fix_'); do
  export -f "${f?}"
done

become() { # become root|user: what comes before a command, and who owns the fixtures
  as=()
  owner=0:0
  [ "$1" != user ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  [ "$1" != user ] || owner=65534:65534
}

declare -A template_of
n_templates=0
template() { # template FIXTURES USER: its path in $template
  local key=$kind:$1:$2 f
  template=${template_of[$key]:-}
  [ -z "$template" ] || return
  n_templates=$((n_templates + 1))
  template=${place[$kind]}/templates/$n_templates
  template_of[$key]=$template
  mkdir "$template"
  chown "$owner" "$template"
  for f in ${1//+/ }; do
    declare -F "fix_$f" >/dev/null || framework_failure "no fixture $f"
    (cd "$template" && "${as[@]}" bash -c "set -e; fix_$f") || framework_failure "fixture $f"
    if declare -F "root_$f" >/dev/null; then
      (cd "$template" && set -e && "root_$f") || framework_failure "fixture $f of root"
    fi
  done
  "$TOOLS/snapshot" --age "$template" || framework_failure 'snapshot --age'
}

clear_twin() {
  local m
  for m in $mounted; do umount "$m"; done
  for m in $immutable; do chattr -i "$m"; done
  mounted=''
  immutable=''
  rm -rf "$W"
}
mounted=''
immutable=''

# twin BIN COMMAND: runs it; $status, $out, $err and $tree are what came of it
twin() {
  local f
  /usr/bin/cp -a --reflink=never "$template" "$W" || framework_failure 'copying the template'
  for f in ${fixtures//+/ }; do
    if declare -F "mount_$f" >/dev/null; then
      # shellcheck disable=SC2164
      pushd "$W" >/dev/null
      "mount_$f" || framework_failure "mounting for $f"
      # shellcheck disable=SC2164
      popd >/dev/null
    fi
  done
  # All of it as the user, for a command line makes files as well; and none of it may hang,
  # which a fifo could make it.
  (
    cd "$W" || exit 99
    PATH=$1:$PATH exec timeout -k 1 "$LIMIT" "${as[@]}" bash -c "$env"$'\n'"$2"
  ) <"$input" >"$T/result.out" 2>"$T/result.err"
  status=$?
  [ "$status" -lt 124 ] || [ "$status" -gt 137 ] || status="$status (it hung)"
  "$TOOLS/snapshot" "$W" >"$T/result.tree" || framework_failure snapshot
  IFS= read -r -d '' out <"$T/result.out"
  IFS= read -r -d '' err <"$T/result.err"
  IFS= read -r -d '' tree <"$T/result.tree"
  clear_twin
}

# Within a directory cp goes by inode numbers, which mean nothing; so where a fixture is a
# tree, the order of lines is free.
sorted() { LC_ALL=C sort <<<"$1"; }
same_lines() { # same_lines A B
  [ "$1" != "$2" ] || return 0
  case $fixtures in
    *anyorder* | *tree* | *linkdirs* | *modes* | *odd* | *denied* | *mount* | *times*) ;;
    *) return 1 ;;
  esac
  [ "$(sorted "$1")" = "$(sorted "$2")" ]
}

labelled() { # labelled STATUS OUT ERR TREE: all of it, a line each says what it is of
  local line
  echo "status $1"
  while IFS= read -r line || [ -n "$line" ]; do echo "out $line"; done < <(printf %s "$2")
  while IFS= read -r line || [ -n "$line" ]; do echo "err $line"; done < <(printf %s "$3")
  while IFS= read -r line; do echo "tree $line"; done < <(printf %s "$4")
}

# ---- differences on purpose ----

declare -A listed rule_of hit
n_differences=0
read_differences() {
  local line who name='' users=''
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      '' | '#'* | 'reason '*) name='' ;;
      'case '*)
        read -r _ name users <<<"$line"
        case $users in
          both) users='root user' ;;
          root | user) ;;
          *) framework_failure "differences: no such user: $line" ;;
        esac
        for who in $users; do
          [ -z "${listed[$name/$who]+set}" ] || framework_failure "listed twice: $name $who"
          listed[$name/$who]=''
        done ;;
      'replaced '*)
        for name in ${line#replaced }; do
          case $name in
            */*) rule_of[$name]=replaced ;;
            *) for who in root user; do rule_of[$name/$who]=replaced; done ;;
          esac
        done
        name='' ;;
      [-+]' '*)
        [ -n "$name" ] || framework_failure "differences: of which case? $line"
        for who in $users; do listed[$name/$who]+=$line$'\n'; done ;;
      *) framework_failure "differences: $line" ;;
    esac
  done <"$DIFFERENCES"
}

# A rule for what every replacement does: the directory around DEST has a new time, and DEST,
# being new, a new access time. Takes that out of the difference on standard input, and
# ends with 0 if it was there.
drop_replaced() {
  awk '
    { line[NR] = $0 }
    /^- tree [^ ]+ [d-]/ { old[$3] = $0; at[$3] = NR }
    /^\+ tree [^ ]+ [d-]/ && $3 in old {
      was = old[$3]
      sub(/^-/, "+", was)
      if (substr($4, 1, 1) == "d") sub(/ m=[0-9]+\.[0-9]+/, " m=new", was)
      else sub(/ a=[0-9]+\.[0-9]+/, " a=new", was)
      if (was == $0) { gone[NR] = gone[at[$3]] = 1; n++ }
    }
    END {
      for (i = 1; i <= NR; i++) if (!gone[i]) print line[i]
      exit !n
    }'
}

# ---- a case ----

n_cases=0
n_users=0
declare -A users_seen
# by_chance: whether the difference of a command line by chance is a known one
by_chance() {
  case $s_err in
    # parents-existing-too of the cases
    *'cannot create regular file '*': File exists'*) [[ $command == *--parents* ]] ;;
    # Which questions the answers on standard input are for depends on the order of entries,
    # which is that of inodes.
    *overwrite*'? '*overwrite*)
      [[ $o_err == *overwrite*'? '* && $command =~ ' '(-[Rra]|--recursive|--archive)' ' ]] ;;
    # Where a copy into itself stops, and what it has copied on its way there, depends on the
    # order of entries, which is that of inodes; so does what else was complained of.
    *' into itself, '*) [[ $s_status = "$o_status" && $o_err == *' into itself, '* ]] ;;
    *': File name too long'*) [[ $s_status = "$o_status" && $o_err == *': File name too long'* ]] ;;
    *) return 1 ;;
  esac
}
judge() { # judge USER: compares ours with the system's, which are in $s_… and $o_…
  local who=$1 key=$name/$1 difference reduced me=$owner
  labelled "$s_status" "$s_out" "$s_err" "$s_tree" >"$T/labelled.cp"
  labelled "$o_status" "$o_out" "$o_err" "$o_tree" >"$T/labelled.lullcp"
  difference=$(diff "$T/labelled.cp" "$T/labelled.lullcp" | grep '^[<>]' |
    sed "s/^</-/; s/^>/+/; s/ $me / me:me /; /^. tree /!s,$W,DIR,g")
  if [ "$lenient" = 1 ] && by_chance; then
    ok
    return
  fi
  if [ "$lenient" = 1 ] && reduced=$(drop_replaced <<<"$difference"); then
    difference=$reduced
  elif [ -n "${rule_of[$key]:-}" ]; then
    if reduced=$(drop_replaced <<<"$difference"); then
      hit[$key]+=rule
      difference=$reduced
    fi
  fi
  if [ -n "${listed[$key]+set}" ] && [ "$difference" = "${listed[$key]%$'\n'}" ]; then
    hit[$key]+=listed
    difference=''
  fi
  if [ -z "$difference" ]; then
    ok
    return
  fi
  checks=$((checks + 1))
  failures=$((failures + 1))
  if [ "$list" = 1 ] && reduced=$(drop_replaced <<<"$difference") && [ -z "$reduced" ]; then
    echo "replaced $key"
  elif [ "$list" = 1 ]; then
    printf 'case %s %s\n%s\n' "$name" "$who" "$difference"
  else
    printf 'FAILED: %s as %s on %s: %s\n' "$name" "$who" "$kind" "$command"
    [ "$env" = : ] || printf '    with: %s\n' "$env"
    printf '    %s\n' "${difference//$'\n'/$'\n'    }"
  fi
}

run_case() { # the case in $name, $fixtures, $users, $env, $stdin, $command and $more
  local who equal=$command want_status='' want_out='' want_err='' line literal_out literal_err
  kind=xfs
  case $fixtures in
    *:*)
      kind=${fixtures%%:*}
      fixtures=${fixtures#*:} ;;
  esac
  mount_kind "$kind"
  W=${place[$kind]}/w
  [ "$env" != - ] || env=:
  input=$T/input
  case $stdin in
    -) input=/dev/null ;;
    *) printf "$stdin" >"$input" ;;
  esac
  literal_out=0
  literal_err=0
  while IFS= read -r line; do
    case $line in
      'same '*) equal=${line#same } ;;
      'status '*) want_status=${line#status } ;;
      out) literal_out=1 ;;
      err) literal_err=1 ;;
      'out '*)
        literal_out=1
        want_out+=${line#out }$'\n' ;;
      'err '*)
        literal_err=1
        want_err+=${line#err }$'\n' ;;
      '') ;;
      *) framework_failure "$name: $line" ;;
    esac
  done <<<"$more"
  case $users in
    both) users='root user' ;;
    root | user) ;;
    *) framework_failure "$name: no such user: $users" ;;
  esac
  n_cases=$((n_cases + 1))
  for who in $users; do
    ran[$name/$who]=1
    become "$who"
    users_seen[$who]=1
    template "$fixtures" "$who"
    twin "$T/theirs" "$equal"
    case $status in *hung*) framework_failure "$name: cp hangs" ;; esac
    s_status=${want_status:-$status} s_out=$out s_err=$err s_tree=$tree
    [ "$literal_out" = 0 ] || s_out=$want_out
    [ "$literal_err" = 0 ] || s_err=$want_err
    twin "$T/ours" "$command"
    o_status=$status o_out=$out o_err=$err o_tree=$tree
    if same_lines "$s_out" "$o_out"; then o_out=$s_out; fi
    if same_lines "$s_err" "$o_err"; then o_err=$s_err; fi
    if [ "$s_status:$s_tree" = "$o_status:$o_tree" ] && [ "$s_out" = "$o_out" ] &&
      [ "$s_err" = "$o_err" ]; then
      ok
    else
      judge "$who"
    fi
  done
}

wanted() { # wanted NAME: whether the arguments ask for it
  local p
  [ ${#patterns[@]} -gt 0 ] || return 0
  for p in "${patterns[@]}"; do
    # shellcheck disable=SC2053
    [[ $1 != $p ]] || return 0
  done
  return 1
}

declare -A ran known
flush() { # runs the case that has been read
  local skipped_name=$name
  [ -n "$name" ] || return 0
  n_wanted=$((n_wanted + 1))
  if wanted "$name" && [ $((n_wanted % parts + 1)) = "$part" ]; then run_case; fi
  known[$skipped_name]=1
  name=''
}
run_cases() { # run_cases FILE
  local line rest
  name=''
  while IFS= read -r line <&3 || [ -n "$line" ]; do
    case $line in
      '' | '#'*) ;;
      '  '*) more+=${line#  }$'\n' ;;
      *)
        flush
        rest=$line
        for field in name fixtures users env stdin; do
          [[ $rest == *' | '* ]] || framework_failure "cases: $line"
          printf -v "$field" %s "${rest%% | *}"
          rest=${rest#* | }
        done
        command=$rest
        more=''
        [ -z "${known[$name]:-}" ] || framework_failure "two cases $name" ;;
    esac
  done 3<"$1"
  flush
}

stale() { # a listed difference that did not occur
  checks=$((checks + 1))
  failures=$((failures + 1))
  echo "FAILED: stale entry of differences: $1"
}
check_stale() {
  local key
  for key in "${!listed[@]}" "${!rule_of[@]}"; do
    [ -n "${known[${key%/*}]:-}" ] || stale "$key (no such case)"
  done
  for key in "${!listed[@]}"; do
    [ -n "${ran[$key]:-}" ] || continue
    case ${hit[$key]:-} in
      *listed*) n_differences=$((n_differences + 1)) ;;
      *) stale "$key" ;;
    esac
  done
  for key in "${!rule_of[@]}"; do
    [ -n "${ran[$key]:-}" ] || continue
    case ${hit[$key]:-} in
      *rule*) n_differences=$((n_differences + 1)) ;;
      *) stale "$key (replaced)" ;;
    esac
  done
}

compare() { # runs what the arguments ask for, and judges the list of differences
  local f
  for f in "${CASES[@]}"; do
    run_cases "$f"
  done
  check_stale
}

# A case compares with the cp that it was written for; others have other bugs.
/usr/bin/cp --version | grep -q '(GNU coreutils) 9\.1$' || cannot_run 'needs cp of coreutils 9.1'
mkdir "$T/ours" "$T/theirs"
ln -s /usr/bin/cp "$T/theirs/cp"
list=0
n_wanted=0 part=1 parts=1
lenient=0 # 1: what every replacement does is let pass, without a list
case ${1:-} in
  --self-test)
    . "$here/self-test.sh"
    finish ;;
  --random)
    . "$here/random.sh"
    n_random=${2:?how many}
    set -- ;;
  --list)
    list=1
    shift ;;
  --part)
    part=${2%/*} parts=${2#*/}
    [ "$part" -ge 1 ] && [ "$part" -le "$parts" ] || framework_failure "--part $2"
    shift 2 ;;
esac
patterns=("$@")
# a copy: the ordinary user may not be able to reach the place of the build
install -m 755 "$LULLCP" "$T/ours/cp"
if [ -n "${n_random:-}" ]; then
  random_cases "$n_random" >"$T/random"
  CASES=("$T/random")
  lenient=1
else
  read_differences
fi
compare
n_users=${#users_seen[@]}
# shellcheck disable=SC2031
echo "$n_cases command lines, $n_users users, $n_differences differences on purpose, $failures failed"
finish
