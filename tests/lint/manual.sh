#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The man page lists everything that the source has: methods, results, exit statuses, keys of the JSON
# output.
cd "$(dirname "$0")/../.." || exit 99
status=0
fail() {
  echo "FAILED: $*"
  status=1
}
page=$(sed 's/\\-/-/g; s/\\f.//g' man/lullcp.1)
section() { sed -n "/^\.S[HS] $1\$/,/^\.S[HS] /p" <<<"$page"; } # section TITLE
terms() { grep -A 1 '^\.TP' | sed -nE 's/^\.(B|BR|RB|BI) //p' | tr -d '",'; }
returned() { # returned FUNCTION FILE: what it returns, one a line
  sed -n "/^[a-z].* \*\?$1(/,/^}/p" "$2" | sed -nE 's/^.*return "?([a-z_0-9]+)"?;.*/\1/p'
}
compare() { # compare WHAT SOURCE PAGE
  [ "$(wc -w <<<"$2")" -gt 5 ] || fail "$1: too few in the source: $2"
  for word in $2; do
    grep -qxF -- "$word" <<<"$(tr ' ' '\n' <<<"$3")" || fail "$1: the man page lacks $word"
  done
}
methods=$(returned lull_method_name src/util/method.c | grep -vx none)
compare 'methods, explained' "$methods" "$(section 'How the clone is made point-in-time' | terms)"
key() { grep -A 6 -x "\.B $1" <<<"$(section 'JSON Lines')" | sed 's/[(),."]/ /g'; } # key NAME: its values
compare 'methods, in the JSON output' "$methods none" "$(key method)"
outcomes=$(sed -nE 's/^\t\[LULL_[A-Z_]+\] = \{ ([0-9]+), "([a-z_]+)" \}.*/\1 \2/p' src/cli/words.c)
compare 'results' "$(cut -d ' ' -f 2 <<<"$outcomes" | grep -vx different)" "$(key result)"
compare 'exit statuses' "$(cut -d ' ' -f 1 <<<"$outcomes")" "$(section 'EXIT STATUS' | terms)"
compare 'keys' "$(sed -n '/^static void set_counts/,/^}/p; /^void json_summary/,/^}/p' src/cli/json.c |
  sed -nE 's/.*(set|set_text|object_set_new)\(line, "([a-z_]+)".*/\2/p')" "$(section 'JSON Lines' | sed 's/[(),."]/ /g')"
compare 'metrics' "$(grep -oE '"lullcp_[a-z_]+"' src/cli/metrics.c | tr -d '"' | sort -u)" \
  "$(section 'Metrics' | terms | tr ' ' '\n' | grep lullcp_)"
exit $status
